# SPDX-License-Identifier: GPL-3.0-or-later
"""Users who ask ten times a second while something happens, and count what they miss."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import RemoteDisconnected

PERIOD = 0.1
CLOSED = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)


@dataclass
class Asked:
    """What one of them saw: moments of answers, and what came instead of one with its moment (monotonic seconds)."""

    answers: list[float] = field(default_factory=list)
    missed: list[tuple[float, str]] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        return [what for _, what in self.missed]

    @property
    def gap(self) -> float:
        """The longest time without an answer, seconds; 0 when every question was answered."""
        if not self.missed:
            return 0.0
        assert len(self.answers) > 1, self.failures[:3]
        return max(after - before for before, after in zip(self.answers, self.answers[1:], strict=False))


def asked_again(ask: Callable[[], None]) -> Callable[[], None]:
    """As browsers do: what was closed before it was answered is asked once more, a port that is shut is not."""

    def patient() -> None:
        try:
            ask()
        except CLOSED:
            ask()

    return patient


@contextmanager
def polled(**users: Callable[[], None]) -> Iterator[dict[str, Asked]]:
    """Let each ask while the block runs, from an answer before it to one after it; a question that fails raises."""
    over = threading.Event()
    seen = {name: Asked() for name in users}

    def go_on(ask: Callable[[], None], noted: Asked) -> None:
        due, patient = time.monotonic(), asked_again(ask)
        while not over.wait(max(0.0, due - time.monotonic())):
            due = max(due + PERIOD, time.monotonic())
            try:
                patient()
                noted.answers.append(time.monotonic())
            except (OSError, AssertionError) as error:
                noted.missed.append((time.monotonic(), repr(error)[:200]))

    threads = [threading.Thread(target=go_on, args=(ask, seen[name])) for name, ask in users.items()]
    for thread in threads:
        thread.start()
    try:
        _answered(seen)
        yield seen
        _answered(seen)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _answered(seen: dict[str, Asked], seconds: float = 60) -> None:
    """Wait until each was answered after now: a gap has a beginning and an end."""
    now = time.monotonic()
    while not all(noted.answers and noted.answers[-1] > now for noted in seen.values()):
        assert time.monotonic() < now + seconds, {name: noted.failures[-1:] for name, noted in seen.items()}
        time.sleep(PERIOD)
