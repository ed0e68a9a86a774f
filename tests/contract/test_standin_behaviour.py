# SPDX-License-Identifier: GPL-3.0-or-later
"""What no recorded exchange shows: the stand-in's vices under load, without Redis, and in the wrong settings."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from contract.standin_bed import NEWEST, USER, Api, Bed

DATABASE = "behaviour"
EVENT = {"event": {"transaction_id": "t", "external_subscription_id": "s", "code": "c"}}
LOGIN = "mutation loginUser($input: LoginUserInput!) { loginUser(input: $input) { token } }"


@pytest.fixture(scope="module")
def api(bed: Bed) -> Iterator[Api]:
    bed.copy(DATABASE, f"roles-{NEWEST}")
    made = bed.api("behaviour", database=DATABASE, LAGO_DISABLE_SIGNUP="True")
    yield made
    made.container.kill()


def count(bed: Bed, what: str) -> int:
    return int(bed.sql(f"SELECT count(*) FROM {what}", DATABASE))


def test_only_true_closes_the_signup(api: Api) -> None:
    assert api.register("open@example.com", "Open").body["data"]["registerUser"]


def test_registrations_at_the_same_time_are_not_kept_apart(bed: Bed, api: Api) -> None:
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(lambda _number: api.register("race@example.com", "Race"), range(6)))
    made = [answer for answer in answers if answer.body["data"]["registerUser"]]
    assert 1 < len(made) < 6
    assert count(bed, "users WHERE email = 'race@example.com'") == len(made)
    assert count(bed, "organizations WHERE name = 'Race'") == len(made)


@pytest.mark.parametrize(("organization", "password"), [("Blank", ""), ("", "Correct-Horse-1!")])
def test_a_registration_that_fails_leaves_nothing(bed: Bed, api: Api, organization: str, password: str) -> None:
    before = count(bed, "users"), count(bed, "organizations")
    assert api.register("blank@example.com", organization, password).status == 500
    assert (count(bed, "users"), count(bed, "organizations")) == before


def key_of(bed: Bed, email: str) -> str:
    joined = "api_keys k JOIN memberships m USING (organization_id) JOIN users u ON u.id = m.user_id"
    return bed.sql(f"SELECT k.value FROM {joined} WHERE u.email = '{email}'", DATABASE)


def test_without_redis_an_event_is_stored_and_refused(bed: Bed, api: Api) -> None:
    api.register("event@example.com", "Event")
    key = {"Authorization": f"Bearer {key_of(bed, 'event@example.com')}"}
    bed.redis.kill()
    try:
        assert api.ask("POST", "/api/v1/events", key, EVENT).status == 500
        again = api.ask("POST", "/api/v1/events", key, EVENT)
        assert again.status == 422
        assert again.body["error_details"] == {"transaction_id": ["value_already_exist"]}
        before = count(bed, "users")
        assert api.register("noredis@example.com", "None").status == 500
        assert count(bed, "users") == before
    finally:
        bed.redis.start()


def test_an_event_tells_who_sent_it(bed: Bed, api: Api) -> None:
    """Behind proxies, whose addresses are private; one that is not is a client that only says whom it asks for."""
    api.register("address@example.com", "Address")
    key = {"Authorization": f"Bearer {key_of(bed, 'address@example.com')}"}
    for hops, client in (
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("192.168.0.9, 172.17.0.3", "192.168.0.9"),
    ):
        event = {"event": {"transaction_id": hops, "external_subscription_id": "s", "code": "c"}}
        assert api.ask("POST", "/api/v1/events", {**key, "X-Forwarded-For": hops}, event).status == 200
        told = f"events WHERE metadata->>'ip_address' = '{client}' AND transaction_id = '{hops}'"
        assert count(bed, told) == 1


def test_a_new_session_key_ends_sessions_only(bed: Bed, api: Api) -> None:
    token = api.register("session@example.com", "Session").body["data"]["registerUser"]["token"]
    other = bed.api("session", database=DATABASE, SECRET_KEY_BASE="another")
    me = "query currentUser { currentUser { id } }"
    assert api.graphql(me, {}, token).body["data"]["currentUser"]["id"]
    assert other.graphql(me, {}, token).body["errors"][0]["message"] == "unauthorized"
    assert other.graphql(LOGIN, {"input": {"email": "session@example.com", "password": "Correct-Horse-1!"}}).body[
        "data"
    ]
    other.container.kill()


def test_pages_that_are_open_or_closed(api: Api) -> None:
    assert api.ask("GET", "/sidekiq").status == 404
    assert api.ask("GET", "/metrics", {"Accept": "text/plain"}).status == 200
    assert api.ask("GET", "/cable").status == 404
    assert "server" not in api.ask("GET", "/health").headers


def test_the_cable_greets_sessions_only(api: Api) -> None:
    """The first message after the upgrade tells."""
    token = api.register("cable@example.com", "Cable").body["data"]["registerUser"]["token"]
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==",
    ]
    command = ["curl", "-s", "-i", "-N", "-m", "1", *(part for header in upgrade for part in ("-H", header))]
    for given, expected in ((token, b'"welcome"'), ("none", b'"reason": "unauthorized"')):
        said = api.container.exec_run([*command, f"http://127.0.0.1:3000/cable?token={given}"]).output
        assert said.startswith(b"HTTP/1.1 101")
        assert expected in said


def dies(bed: Bed, name: str, command: list[str], **more: Any) -> str:
    status, said = bed.finish(bed.run(f"testbed/api:{NEWEST}", name, command, bed.environment, user=USER, **more))
    assert status == 1, said
    return said


def test_the_api_needs_a_folder_for_its_pid(bed: Bed) -> None:
    said = dies(bed, "readonly", ["./scripts/start.api.sh"], read_only=True, tmpfs={"/tmp": ""})
    assert "Read-only file system @ rb_sysopen - /app/tmp/pids/server.pid" in said


@pytest.mark.parametrize("process", ["api", "worker", "clock"])
def test_no_process_boots_without_its_key(bed: Bed, process: str) -> None:
    made = bed.lago(f"keyless-{process}", [f"./scripts/start.{process}.sh"], LAGO_RSA_PRIVATE_KEY="")
    status, said = bed.finish(made)
    assert status == 1
    assert "Error: Private key is blank" in said
