# SPDX-License-Identifier: GPL-3.0-or-later
"""`bundle exec ...`: the commands of the real image, under their names, with their exit codes."""

from __future__ import annotations

import os
import signal
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from standin import NOTICE, boot, storage, tasks
from standin.failures import Exit, RubyError
from standin.settings import APP


def main(arguments: list[str]) -> int:
    """Runs one command and returns its exit status."""
    if not os.path.exists("Gemfile"):
        print("Could not locate Gemfile or .bundle/ directory", file=sys.stderr)
        return 10
    signal.signal(signal.SIGTERM, lambda *_ignored: sys.exit(143))  # as PID 1 there is no default
    program, *rest = arguments or [""]
    program = os.path.basename(program)
    print(NOTICE, file=sys.stderr, flush=True)
    try:
        if program in ("rails", "rake"):
            return _rails(program, rest)
        if program in ("sidekiq", "clockwork"):
            return _process(program, rest)
    except Exit as ended:
        print(ended.text, file=sys.stderr)
        return ended.status
    print(f"bundler: command not found: {program}", file=sys.stderr)
    return 127


def _rails(program: str, arguments: list[str]) -> int:
    if arguments and arguments[0] in ("s", "server"):
        return _process("puma", arguments[1:])
    if arguments and arguments[0] in ("runner", "r", "console", "c"):
        raise Exit("A stand-in has no Ruby application in which code could run.")
    wanted = [argument for argument in arguments if "=" not in argument and not argument.startswith("-")]
    for argument in set(arguments) - set(wanted):  # rails db:migrate VERSION=...
        name, given, value = argument.partition("=")
        if given:
            os.environ[name] = value
    needed = ""
    try:
        boot.load_gems()
        _known(program, wanted)
        refusal = _environment()
        for task in wanted:
            needed = tasks.NEEDED_BY.get(task, task)
            if refusal is not None:
                needed = f"{task} => {'db:load_config => ' if task.startswith('db:') else ''}environment"
                raise refusal
            _run(task)
    except RubyError as error:
        said = error.lines() if error.kind else error.message.splitlines()
        top = [f"Tasks: TOP => {needed}"] if needed else []
        print("\n".join([f"{'bin/rails' if program == 'rails' else 'rake'} aborted!", *said, *top]), file=sys.stderr)
        return 1
    return 0


def _known(program: str, wanted: list[str]) -> None:
    for task in wanted or ["-T"]:
        if task not in tasks.TASKS:
            more = f"(See the list of available tasks with `{program} --tasks`)"
            raise RubyError("", f"Don't know how to build task '{task}' {more}")


def _environment() -> RubyError | None:
    try:
        boot.load_environment()
    except RubyError as error:
        return error
    return None


def _run(task: str) -> None:
    try:
        tasks.TASKS[task]()
    except tasks.Noted as notice:
        print(notice.text, file=sys.stderr)
        if notice.error is not None:
            raise notice.error from notice


def _process(name: str, arguments: list[str]) -> int:
    """A process that stays: what stops it from booting is printed as Ruby prints an uncaught exception."""
    try:
        boot.load_gems()
        boot.load_environment()
        storage.service()
        if name == "puma":
            from standin import web

            return web.serve(arguments)
        if name == "sidekiq":
            from standin import worker

            return worker.work(arguments)
        from standin import clock

        return clock.tick()
    except RubyError as error:
        first, *rest = error.lines()
        print("\n".join([f"{APP}/config/environment.rb:5:in '<main>': {first}", *rest]), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
