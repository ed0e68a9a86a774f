# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What a browser meets at the edge: the front, its configuration, the way to the API, and what must not be there."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import Response, Transport, split_url

#: What must not lead to the API unless its operator says so: of each closed path, one that it would answer.
UNROUTED = ["/sidekiq", "/metrics", "/admin/organizations", "/karafka"]
UNROUTED += ["/data_api/v1/charges", "/rails/conductor", "/graphiql", "/ready"]

_SETTING = re.compile(r"""^\s*window\.(\w+)\s*=\s*(["']?)(.*?)\2\s*;?\s*$""", re.MULTILINE)


def settings(text: str) -> dict[str, str]:
    """Return what C(/env-config.js) sets, by name."""
    return {name: value for name, _quote, value in _SETTING.findall(text)}


def origin(url: str) -> str:
    """Return scheme, host and port of a URL as browsers write them."""
    scheme, host, port, _path = split_url(url)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port == {"http": 80, "https": 443}[scheme] else f"{scheme}://{host}:{port}"


def same_url(one: str, other: str) -> bool:
    """Return whether two URLs are the same but for spelling."""
    try:
        return split_url(one) == split_url(other)
    except LagoError:
        return False


class Edge:
    """What answers at the public URLs."""

    def __init__(self, api: Transport, public_api: bool, front: Transport | None, unrouted: list[str]) -> None:
        """
        :param api: the way to the API.
        :param public_api: whether that is the way users take (and not the one inside its container).
        :param front: the way to the front, None when it is not to be looked at.
        :param unrouted: paths that must not lead to the API.
        """
        self._api = api
        self._public_api = public_api
        self._front = front
        self._unrouted = unrouted
        self._index: bytes | None = None

    def check_front(self, report: Report) -> None:
        """Get the page and its configuration."""
        if self._front is None:
            return
        fact = report.facts["front"]
        try:
            page = self._front.send("GET", "/", {"Accept": "text/html"})
        except LagoError:
            fact["reachable"] = False
            raise
        fact["reachable"] = page.status == 200 and b"<html" in page.body.lower()
        if not fact["reachable"]:
            report.problem(
                "front_not_served",
                f"{self._front.url} answers {page.status} and no page: does the proxy hand everything else to"
                " the front?",
                status=page.status,
            )
            return
        self._index = page.body
        answer = self._front.send("GET", "/env-config.js")
        config = settings(answer.text) if answer.status == 200 else {}
        if "API_URL" not in config:
            report.problem(
                "front_config_missing",
                f"{self._front.url}/env-config.js does not set API_URL (status {answer.status}): could the"
                " front's container"
                " write its web root?",
                status=answer.status,
            )
            return
        fact.update(
            config=config,
            api_url=config["API_URL"],
            signup_disabled=config.get("LAGO_DISABLE_SIGNUP") == "true",
        )
        if self._public_api and not same_url(config["API_URL"], self._api.url):
            report.problem(
                "front_api_url_wrong",
                f"The front sends browsers to '{config['API_URL']}', but the API is at {self._api.url}: set"
                " API_URL of the"
                " front to it.",
                api_url=config["API_URL"],
                expected=self._api.url,
            )

    def check_origin(self, report: Report) -> None:
        """See that a browser that got the front may ask the API."""
        if self._front is None or not self._public_api:
            return
        fact = report.facts["origin"]
        front, api = origin(self._front.url), origin(self._api.url)
        fact["one_origin"] = front == api
        if front == api:
            return
        asked = {
            "Origin": front,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,authorization,x-lago-organization",
        }
        answer = self._api.send("OPTIONS", "/graphql", asked)
        # 200 comes in any case: the header decides
        allowed = answer.headers.get("access-control-allow-origin")
        fact["cors_ok"] = allowed in (front, "*")
        if not fact["cors_ok"]:
            report.problem(
                "cors_refused",
                f"The API does not allow browsers that come from {front} (it allows {allowed or 'none'}): set"
                " LAGO_FRONT_URL"
                " of the API to it.",
                origin=front,
                allowed=allowed,
            )

    def check_exposure(self, report: Report) -> None:
        """See that the API does not answer where nobody but its operator has business."""
        if not self._public_api:
            return
        edges = [self._api]
        if self._front is not None and origin(self._front.url) != origin(self._api.url):
            edges.append(self._front)
        exposed: list[str] = []
        asked = True
        for edge in edges:
            for path in self._unrouted:
                try:
                    answer = edge.send("GET", path, {"Accept": "text/plain, */*"})
                except LagoError as error:
                    report.problem(error.code, error.message, **error.details)
                    asked = False
                    break  # what happens to one path happens to all of them
                if self._reached_api(answer) and path not in exposed:
                    exposed.append(path)
        report.facts["exposed_paths"] = exposed if asked or exposed else None
        if exposed:
            report.problem(
                "paths_exposed",
                f"The proxy hands to the API what is not for the public: {', '.join(exposed)}. Answer 404 there.",
                paths=exposed,
            )

    def _reached_api(self, answer: Response) -> bool:
        """Decide by content: the front answers 200 to any path, and the API's own 404 is still the API's answer."""
        body: t.Any = answer.json
        if isinstance(body, dict) and "status" in body:
            return True
        if answer.status in (401, 403, 404):
            return False
        return not (answer.status == 200 and (answer.body == self._index or b"env-config.js" in answer.body))
