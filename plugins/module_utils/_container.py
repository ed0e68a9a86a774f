# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Requests from inside a container to its own loopback.

Lago's API image has Ruby and neither Python nor a guarantee of curl, so the client there is a constant Ruby program.
Everything that may be secret travels on its standard input, where C(ps) shows nothing.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import Response, repeat, split_url

# Runs on the standard library of Ruby 3.1 and newer. A proxy of the environment is not used (third argument nil), a
# request is never repeated by Net::HTTP itself, and "sent" tells whether one may have been carried out.
PROGRAM = r"""
require "json"
require "net/http"
require "timeout"
STDIN.binmode
ask = JSON.parse(STDIN.read)
sent = false
answer = begin
  Timeout.timeout(ask["timeout"]) do
    http = Net::HTTP.new(ask["host"], ask["port"], nil)
    http.open_timeout = ask["timeout"]
    http.read_timeout = ask["timeout"]
    http.max_retries = 0
    http.start do
      sent = true
      body = ask["body"] && ask["body"].unpack1("m")
      headers = {"accept-encoding" => "identity"}.merge(ask["headers"])
      request = Net::HTTPGenericRequest.new(ask["method"], !body.nil?, true, ask["path"], headers)
      reply = http.request(request, body)
      {"status" => reply.code.to_i, "headers" => reply.each_header.to_h, "body" => [reply.body.to_s].pack("m0")}
    end
  end
rescue StandardError => error
  {"error" => error.class.name, "sent" => sent}
end
STDOUT.write(JSON.generate(answer))
"""

# Runs a command with this standard input; returns its exit status, its output and its errors.
Run = t.Callable[[list[str], str], tuple[int, str, str]]

_GONE = re.compile(r"no such container|is not running|is restarting|is paused|marked for removal", re.IGNORECASE)
# Said on either stream when the program was not even begun: what is missing stays missing, all else may go by.
_NOT_BEGUN = re.compile(r"OCI runtime exec failed(?!.*(not found|no such file|permission denied))", re.IGNORECASE)
_NO_DOCKER = re.compile(
    r"failed to run command .docker.: no such file|cannot connect to the docker daemon", re.IGNORECASE
)


class ContainerTransport:
    """Sends requests through C(docker exec) to what listens on a container's own loopback."""

    def __init__(self, container: str, run: Run, url: str, timeout: float = 30, retries: int = 3) -> None:
        """:raises LagoError: C(invalid_url) when I(url) is not plain http: inside a container there is no TLS."""
        self.container = container
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.retries = retries
        self._run = run
        scheme, self._host, self._port, self._base = split_url(url)
        if scheme != "http":
            raise LagoError(
                "With container, api_url must be plain http, for instance http://127.0.0.1:3000.", "invalid_url"
            )

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        safe: bool = True,
    ) -> Response:
        """See L(Transport.send), with the same rules about what is repeated.

        :raises LagoError: besides, C(container_not_running) and C(container_unusable).
        """
        return repeat(lambda: self._send_once(method, path, headers or {}, body), self.retries, safe)

    def _send_once(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Response:
        request = {
            "host": self._host,
            "port": self._port,
            "method": method,
            "path": self._base + path,
            "headers": headers,
            "body": None if body is None else base64.b64encode(body).decode(),
            "timeout": self.timeout,
        }
        # docker exec has no time limit of its own; the program inside ends by itself earlier
        limit = str(int(self.timeout) + 15)
        command = ["timeout", "-k", "5", limit, "docker", "exec", "-i", self.container, "ruby", "-e", PROGRAM]
        status, output, errors = self._run(command, json.dumps(request))
        try:
            answer = json.loads(output)
        except ValueError:
            raise self._failed(status, errors + output) from None
        if "status" in answer:
            return Response(answer["status"], answer["headers"], base64.b64decode(answer["body"]))
        raise self._unanswered(answer)

    def _unanswered(self, answer: dict[str, t.Any]) -> LagoError:
        """Turn the program's account of a failure into an error."""
        reason = str(answer.get("error"))
        where = f"{self.url} inside the container {self.container}"
        if not answer.get("sent"):
            return LagoError(
                f"{where} cannot be reached ({reason}): does the API still start? See 'docker logs {self.container}'.",
                "unreachable",
                details={"address": where, "reason": reason, "refused": reason == "Errno::ECONNREFUSED"},
            )
        slow = reason in ("Timeout::Error", "Net::ReadTimeout")
        return LagoError(
            f"{where} took the request but did not answer ({reason}): see 'docker logs {self.container}', or"
            " raise timeout.",
            "no_answer",
            details={"hung_up": not slow, "reason": reason},
        )

    def _failed(self, status: int, errors: str) -> LagoError:
        """Explain why the program itself gave no account."""
        no_docker = _NO_DOCKER.search(errors)
        if no_docker or _GONE.search(errors):
            why = "because Docker does not run here" if no_docker else "(any more): look at its log, or start it again"
            return LagoError(
                f"The container {self.container} does not run {why}.",
                "container_not_running",
                details={"container": self.container},
            )
        if _NOT_BEGUN.search(errors):
            return LagoError(
                f"Docker could not start the request in the container {self.container}: see 'journalctl -u docker'.",
                "unreachable",
                details={"container": self.container, "refused": True},
            )
        if status in (125, 126, 127) or "permission denied" in errors.lower():
            last = (errors.strip().splitlines() or ["no output"])[-1]
            return LagoError(
                f"No request can be made inside the container {self.container}: {last[:300]}",
                "container_unusable",
                details={"container": self.container, "exit_status": status},
            )
        return LagoError(
            f"The container {self.container} ended or hung before it answered: look at its log.",
            "no_answer",
            details={"hung_up": status != 124, "exit_status": status},
        )
