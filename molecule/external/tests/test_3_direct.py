# SPDX-License-Identifier: GPL-3.0-or-later
"""Without pg_partman, a pooler or any registry; with a client's certificate, limits, memcached, Google's storage."""

from __future__ import annotations

from pathlib import Path

from outside.lifecycle import done
from outside.services import DIRECT, EMAIL, REGISTRY, URL, Connected, until
from testbed import containers

# What its engine asks registries by; containers do not go this way.
UNREACHABLE = ["OUTPUT", "-o", "eth0", "-p", "tcp", "-m", "multiport", "--dports", "443,5000,5443", "-j", "REJECT"]
REGISTER = "mutation($input: RegisterUserInput!) { registerUser(input: $input) { token } }"


def archive(lago: Connected, path: Path, *images: str) -> str:
    """A file with images, as somebody with a registry makes it for somebody without."""
    with path.open("wb") as file:
        containers.stream(lago.server, file, "docker", "save", *images)
    return str(path)


def test_it_is_deployed_anew_from_files(lago: Connected, tmp_path: Path) -> None:
    lago.there("systemctl", "start", "services-license")
    done(lago.stack("remove", lago_remove_data=True, lago_remove_confirm="lago"))
    there = {"getlago/api:v1.51.0": "", "getlago/front:v1.51.0": "", "caddy:2-alpine": "library/"}
    for name, folder in there.items():
        lago.shell("docker", "tag", f"{REGISTRY}/{folder}{name}", name)
    lago_own, proxy = list(there)[:2], list(there)[2]
    files = [archive(lago, tmp_path / "lago.tar", *lago_own), archive(lago, tmp_path / "proxy.tar", proxy)]
    lago.shell("sh", "-c", "docker image rm --force $(docker images --quiet | sort -u)")
    lago.shell("iptables", "-I", *UNREACHABLE)
    lago.variables = {**DIRECT, "lago_redis_port": lago.master(), "lago_image_archives": files}
    done(lago.run())
    assert {name.split("-")[1] for name in lago.containers()} == {"api", "clock", "front", "proxy", "worker"}
    assert set(lago.shell("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").split()) == set(there)
    assert not lago.exists("/opt/lago/images.tar")
    assert lago.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman'") == "0"
    assert done(lago.run()).recap["changed"] == 0
    lago.shell("iptables", "-D", *UNREACHABLE)


def test_every_process_asked_for_its_licence(lago: Connected) -> None:
    """Before, nothing was started with one: nobody could be asked."""
    asked = lago.there("journalctl", "--unit", "services-license", "--output", "cat")
    assert asked.count(f"GET /verify/{DIRECT['lago_license']} ") >= len(("migrate", "api", "worker", "clock"))


def test_pdfs_are_made_elsewhere(lago: Connected) -> None:
    """As a worker asks for them, from where it is and with what it was told."""
    page = 'echo "<p>1 EUR</p>" > /tmp/index.html'
    ask = 'curl -sf -F files=@/tmp/index.html "$LAGO_PDF_URL/forms/chromium/convert/html"'
    assert lago.shell("docker", "exec", "lago-worker-1", "sh", "-c", f"{page}; {ask}").startswith("%PDF-1.")


def test_who_comes_may_register_where_the_operator_wants_it(lago: Connected) -> None:
    """Asked with an address that is taken."""
    guest = {"email": EMAIL, "password": "Correct-Horse-1!", "organizationName": "Mallory"}
    answer = lago.user(URL).graphql(REGISTER, {"input": guest})
    assert answer["errors"][0]["extensions"]["details"] == {"email": ["user_already_exists"]}
    assert 'window.LAGO_DISABLE_SIGNUP = ""' in lago.user(URL).request("GET", "/env-config.js").text


def test_it_bills(lago: Connected) -> None:
    assert float(lago.user(URL).meter(lago.key, units=4)["units"]) == 4.0
    assert "curr_items 0" not in lago.there(
        "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/11211; echo stats >&3; head -60 <&3"
    )


def test_sessions_are_encrypted_certified_and_limited(lago: Connected) -> None:
    """Asked while a worker is at it: what it may wait for, who it is, and that it is stopped in time."""
    shown = "SHOW statement_timeout", "SHOW lock_timeout", "SHOW idle_in_transaction_session_timeout"
    for statement in shown:
        lago.enqueue("StandIn::QueryJob", statement=statement)
    lago.enqueue("StandIn::QueryJob", statement="SELECT pg_sleep(60)")
    session = (
        "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'lago' AND query LIKE '%pg_sleep(60)%'"
    )
    assert until(lambda: lago.ask(f"SELECT ssl, client_dn {session}")).startswith("t|/CN=lago")
    until(lambda: "canceling statement due to statement timeout" in lago.said("worker"), 15)
    said = lago.said("worker")
    for statement, value in zip(shown, ("4s", "1500ms", "1min"), strict=True):
        assert f"{statement}: ['{value}']" in said


def test_files_and_mails_go_this_way_too(lago: Connected) -> None:
    lago.file_comes_back()
    lago.mail_arrives()
