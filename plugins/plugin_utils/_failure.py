# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to this collection: may change or go without notice.
"""What a person is told of a failure: what is wrong, where, what was changed and what was not, what to do."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CENSORED = "The message is hidden, because it could hold a secret and nobody on the server could be asked for them."
WIDTH = 116
LINES_OF_A_MESSAGE = 30
_WRAPPING: dict[str, Any] = {"width": WIDTH - 9, "break_long_words": False, "break_on_hyphens": False}

#: The verbs of a converge in their order, with what is so once they are done.
CONVERGE = {
    "preflight": "",
    "secrets": "the secrets",
    "outside": "",
    "render": "the files",
    "pull": "the images",
    "migrate": "the database",
    "up": "the services",
}
#: Files of tasks that belong to a verb whose name they do not begin with.
PART_OF = {
    "backup_return": "restore",
    "database_state": "migrate",
    "deployment_state": "verify",
    "edge": "render",
    "order": "up",
    "reload": "up",
    "register": "registration",
    "restore_bring": "restore_check",
    "restore_secrets": "restore",
    "restore_stop": "restore",
    "up_alone": "up",
    "pull_pinned": "pull",
    "rotate_possible": "rotate",
    "rotate_encryption": "rotate",
    "rotate_key": "key rotation",
    "refresh_pull": "refresh",
    "mend_partitions_move": "mend_partitions",
    "adopt_record": "adopt",
    "adopt_resume": "adopt",
    "adopt_return": "adopt",
    "adopt_secrets": "adopt",
    "adopt_stop": "adopt",
    "adopt_take": "adopt",
}
#: What is as it was, or half done, when a verb fails.
LEFT = {
    "preflight": "Nothing was changed.",
    "lease": "Nothing was changed.",
    "secrets": "Nothing was changed: no secret, no file, no container.",
    "outside": "Nothing that runs was touched, nor its files. What was pulled is kept.",
    "render": "No container was touched: what ran before runs on.",
    "pull": "No container was touched: what ran before runs on. What was pulled is kept.",
    "migrate": "The data is kept, and no service of the new release was started.",
    "up": "The data is untouched. What is healthy runs on.",
    "schedule": "Lago is at work. Whether backups are taken by themselves is not sure until a run has ended well.",
    "upgrade": "Unless it is said above: neither data nor services were touched.",
    "verify": "Nothing was changed: the deployment was only looked at, and is left running.",
    "key": "Nobody was registered, and no key was changed.",
    "key rotation": "The playbook site finds the key that works by a login, whichever it is.",
    "rotate": "No secret was changed. What was stopped for it was started again.",
    "mend_partitions": "Unless it is said above: no row was moved, and what worked before works again.",
    "adopt": "Unless it is said above: what was there before runs as it was.",
    "refresh": "No container was touched: what ran before runs on.",
    "registration": "Nothing with an open sign-up is left. A further run looks first who is registered.",
    "left": "No service was stopped, and nothing was removed.",
    "down": "What was stopped stays stopped; nothing of the data was removed.",
    "prune": "What was removed stays removed. No image that is in use was touched.",
    "backup": "Lago was left at work, and the backups that were there stay. There is never half a one under a name.",
    "restore_check": "Nothing was changed: no secret, no row, no file, no container.",
    "restore": "What was there before is set aside, and nothing of it is removed.",
    "support": "Nothing was changed: the deployment was only looked at.",
    "test_mail": "Nothing was changed.",
    "remove": "What was removed stays removed; a further run removes the rest.",
}
_TEMPLATED_NAME = re.compile(r'- name: "(.*\{\{.*)"$', re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
#: What ansible-core says of a command that failed, and of a task whose own condition says so.
_SAY_NOTHING = ("non-zero return code", "'failed_when' expression", "failed_when_result")
#: What registries say to a wrong login, and to none. Docker Hub says it of an image that is not there, too.
_NO_LOGIN = re.compile(r"unauthorized|authentication required|no basic auth credentials|access .*denied", re.IGNORECASE)
_PULLING = ("pull", "refresh", "upgrade")
LOGIN = (
    "The registry (lago_registry, else Docker Hub) does not show this image to whoever asked: see to the login in "
    "lago_registry_username and lago_registry_password, and to the image's name."
)
#: What Compose says when the time is up; a service that only starts slowly was not begun again meanwhile.
_NOT_IN_TIME = re.compile(r"not healthy after|timeout waiting for dependencies|deadline exceeded")
SLOW = "If the log shows a service that only takes longer to start, as on a small server, raise lago_start_timeout."
AGAIN = "Mend what is said above and run the same again: what was done is not done twice."


@dataclass
class Failed:
    """The task that failed and what it returned, from the variables of a rescue."""

    host: str
    task: str
    verb: str
    role: str
    message: str
    failure: dict[str, Any]
    explained: bool
    """Whether a person has been told already, by a block within this one."""

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> Failed:
        task, result = variables.get("ansible_failed_task") or {}, variables.get("ansible_failed_result") or {}
        name = str(task.get("name") or task.get("action") or "a task")
        folder = Path(str(variables.get("role_path") or ".")) / "tasks"
        own = result.get("failure") if isinstance(result.get("failure"), Mapping) else {}
        failure = {"code": None, "status": None, "details": {}, **dict(own or {})}
        verb = str(failure.get("verb") or _verb(name, failure["code"], folder))
        explained = bool(failure.get("explained"))
        failure.update(verb=verb, task=failure.get("task") or name, explained=True)
        role = str(variables.get("ansible_role_name") or "").rpartition(".")[2]
        host = str(variables.get("inventory_hostname"))
        return cls(host, str(failure["task"]), verb, role, _message(result), failure, explained)

    @property
    def own(self) -> bool:
        """Whether it is a failure of this collection's own, whose text never holds a secret."""
        return bool(self.failure.get("code")) or self.verb == "preflight"

    @property
    def summary(self) -> str:
        """One line: the task and what it said first, or what was said of it before."""
        if self.explained:
            return self.message
        first = next((line.strip() for line in self.message.splitlines() if line.strip()), "no message")
        return f"{self.verb} on {self.host}: {self.task}: {first}"


def _message(result: Mapping[str, Any]) -> str:
    """Return what the task said, else the end of its error output; of a loop what failed first, and with which item."""
    items = [item for item in result.get("results") or [] if isinstance(item, Mapping) and item.get("failed")]
    result = items[0] if items else result
    message = result.get("msg") or ""
    if isinstance(message, Sequence) and not isinstance(message, str):
        message = "\n".join(map(str, message))
    said = str(result.get("stderr") or "").strip()
    if (said or "rc" in result) and (not message or any(phrase in str(message) for phrase in _SAY_NOTHING)):
        message = said
    lines = str(message).strip().splitlines()
    if len(lines) > LINES_OF_A_MESSAGE:
        lines = [*lines[: LINES_OF_A_MESSAGE // 2], "...", *lines[-LINES_OF_A_MESSAGE // 2 :]]
    item = f"{result['item']}: " if items and isinstance(result.get("item"), str) else ""
    return item + ("\n".join(lines) or f"it ended with exit code {result.get('rc')} and without a message")


def _is_in(text: str, task: str) -> bool:
    """Return whether a task is in a file, by its name, whatever stands by now for what is a template there."""
    if f"- name: {task}\n" in text:
        return True
    written = (_TEMPLATE.split(name) for name in _TEMPLATED_NAME.findall(text))
    return any(re.fullmatch(".*".join(map(re.escape, parts)), task) for parts in written)


def _verb(task: str, code: Any, folder: Path) -> str:
    """Return the verb that a task belongs to, which is the name of the file that it is in."""
    if code == "lease_held":
        return "lease"
    holding = [path.stem for path in sorted(folder.glob("*.yml")) if _is_in(path.read_text(), task)]
    known = {**dict.fromkeys(CONVERGE), **dict.fromkeys(LEFT)}
    begun = {name: name if name in {**known, **PART_OF} else name.partition("_")[0] for name in holding}
    verbs = [PART_OF.get(begun[name], begun[name]) for name in holding]
    return next((verb for verb in known if verb in verbs), "key" if folder.parent.name == "bootstrap" else "run")


def block(failed: Failed, services: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> str:
    """Return all that a person needs to know, and nothing else."""
    lines = ["", f"=== Lago: FAILED {'=' * (WIDTH - 17)}"]
    lines += _part("What", failed.message)
    where = f"{failed.host}, {failed.verb}" + (f" (role {failed.role})" if failed.role else "")
    lines += _part("Where", f"{where}: {failed.task}")
    for service in services:
        lines += _part("Service", _service(service))
        lines += [f"           | {line}" for line in service["lines"]]
    check = bool(variables.get("ansible_check_mode"))
    changed = ["Nothing: this is check mode."] if check else list(_changed(failed.verb, variables))
    lines += _part("Changed", "\n".join(changed) or "Nothing.")
    left = [] if check else [line for line in (LEFT.get(failed.verb), _not_reached(failed.verb)) if line]
    lines += _part("Not", "\n".join(left)) if left else []
    refused = failed.verb in _PULLING and _NO_LOGIN.search(failed.message)
    slow = _NOT_IN_TIME.search(failed.message) and not any(service["restarts"] for service in services)
    lines += _part("Do", "\n".join(([LOGIN] if refused else []) + ([SLOW] if slow else []) + [AGAIN]))
    lines += _part("Back", _back(variables)) if _back(variables) else []
    return "\n".join([*lines, "=" * WIDTH, ""])


def _part(title: str, text: str) -> list[str]:
    """Return a paragraph with its title in the margin; lines that are short enough are left as they are."""
    wrapped: list[str] = []
    for line in text.splitlines() or [""]:
        indent = " " * (len(line) - len(line.lstrip()))
        wrapped += textwrap.wrap(line, subsequent_indent=indent, **_WRAPPING) or [""]
    return [f"{title if not number else '':<8} {line}".rstrip() for number, line in enumerate(wrapped)]


def _service(service: Mapping[str, Any]) -> str:
    state = str(service["state"])
    if state != "running":
        state += f", exit code {service['exit_code']}"
    elif service["health"]:
        state += f", {service['health']}"
    restarts = f", restarted {service['restarts']} times" if service["restarts"] else ""
    return f"{service['service']} ({state}{restarts}): docker logs {service['name']}"


def _changed(verb: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the verbs before the one that failed did, as their results tell."""
    if verb == "upgrade":
        yield "What is said above; images of the way that were pulled are kept."
    done = list(CONVERGE)[: list(CONVERGE).index(verb)] if verb in CONVERGE else []
    secrets, render = variables.get("__lago_secrets") or {}, variables.get("__lago_render") or {}
    if "secrets" in done and secrets.get("changed_secrets"):
        names = ", ".join(secrets["changed_secrets"])
        yield f"Secrets that are others than before: {names}. The playbook site sees to it that all use them."
    elif "secrets" in done and secrets.get("changed"):
        yield "secrets.json: the secrets that were missing were made. They stay as they are from now on."
    if "render" in done:
        written = [name for name, file in (render.get("files") or {}).items() if file.get("changed")]
        if written:
            yield f"Written: {', '.join(written)}."
    if "pull" in done and (variables.get("__lago_pull") or {}).get("changed"):
        yield "Images were pulled."
    if "migrate" in done and (variables.get("__lago_migrate") or {}).get("changed"):
        yield "The database was migrated."


def _back(variables: Mapping[str, Any]) -> str:
    """Return how to go back after an upgrade, of this run or not yet over, from which nothing leads back by itself."""
    found = ((variables.get("__lago_server") or {}).get("server") or {}).get("files") or {}
    walked = variables.get("__lago_upgrade_record") or found.get("upgrade") or {}
    done = walked if walked.get("phase") == "opened" else variables.get("__lago_upgraded") or {}
    if not done.get("backup") or done["from"] == done["to"]:
        return ""
    command = "ansible-playbook selfhosted.lago.restore -i INVENTORY"
    given = f"-e lago_version={done['from']} -e lago_restore_backup={done['backup']}"
    return (
        f"Lago was upgraded from {done['from']} to {done['to']}, and stays so. This would bring back what was before, "
        f"and lose whatever was sent since:\n{command} \\\n  {given}"
    )


def _not_reached(verb: str) -> str:
    """Return what the verbs after the one that failed would have seen to."""
    later = list(CONVERGE)[list(CONVERGE).index(verb) + 1 :] if verb in CONVERGE else []
    reached = [CONVERGE[name] for name in later if CONVERGE[name]]
    return f"Not reached: {', '.join(reached)}." if reached else ""
