# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who sends events all the while, and remembers which were acknowledged and for how long nothing was."""

from __future__ import annotations

import threading
import time
import uuid

from outside.lago_user import Answer, LagoUser


class Writer:
    """Sends one event after the other, each again until it was taken, in a thread of its own.

    :param user: Somebody outside the server.
    :param key: The API key.
    :param code: Of a metric and a subscription that are there.
    """

    def __init__(self, user: LagoUser, key: str, code: str) -> None:
        self.acknowledged: list[str] = []
        self.closed_seconds = 0.0
        self.seen: set[int] = set()
        #: What was answered first while nobody got through: to a program, and to a person.
        self.told: dict[str, Answer] = {}
        self._user, self._key, self._code = user, key, code
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send_all, daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _send_all(self) -> None:
        while not self._over.is_set():
            self._send(uuid.uuid4().hex)
            self._over.wait(0.1)

    def _send(self, transaction: str) -> None:
        began = time.monotonic()
        event = {"transaction_id": transaction, "external_subscription_id": self._code, "code": self._code}
        while not self._over.is_set():
            try:
                answer = self._user.rest("POST", "events", self._key, {"event": {**event, "properties": {"n": 1}}})
            except OSError:
                self.seen.add(0)
            else:
                self.seen.add(answer.status)
                if answer.status == 503 and not self.told:
                    page = self._user.request("GET", "/", headers={"Accept": "text/html"})
                    self.told = {"program": answer, "person": page}
                if _taken(answer):
                    self.acknowledged.append(transaction)
                    self.closed_seconds = max(self.closed_seconds, time.monotonic() - began)
                    return
            self._over.wait(0.1)


def _taken(answer: Answer) -> bool:
    """A retry of what had been taken already is refused, which is as good."""
    return answer.status == 200 or (answer.status == 422 and "value_already_exist" in answer.text)
