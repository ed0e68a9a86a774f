# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is seen anywhere, at the highest of the usual verbosities, whether a run succeeds or fails."""

from __future__ import annotations

import re

import pytest
from leaks import story
from leaks.story import Step
from leaks.watched import Watched

#: In Lago's own diagnostics, where all is well.
MIGRATED = re.compile(rb"(\d+) of \1 migrations")
EVERY_STEP = pytest.mark.parametrize("step", story.STEPS, ids=[step.name for step in story.STEPS])


@EVERY_STEP
def test_the_step_was_really_taken(watched: Watched, step: Step) -> None:
    run = watched.run(step)
    assert (run.code, step.says in run.output) == (step.ends, True), run.output[-6000:]


@EVERY_STEP
def test_nothing_that_a_run_says_holds_a_secret(watched: Watched, step: Step) -> None:
    said = {f"{step.name}, {where}": text for where, text in watched.run(step).said.items()}
    assert all(said.values()), "the output, the log and the callback were all recorded"
    assert watched.findings(said) == {}


@pytest.mark.parametrize("step", [step for step in story.STEPS if step.verb], ids=lambda step: step.name)
def test_a_person_is_told_what_is_wrong_where_and_what_to_do(watched: Watched, step: Step) -> None:
    output = watched.run(step).output
    told = output.partition("=== Lago: FAILED ")[2].partition("\n====")[0]
    assert told, output[-4000:]
    assert step.says in told, told
    assert f"\nWhere    testbed-leaks, {step.verb} " in told
    for title in ("What ", "Changed ", "Not ", "Do "):
        assert f"\n{title}" in told, title
    # The last thing before the recap names it once more, in a line
    assert f'"verb": "{step.verb}"' in output.partition("=== Lago: FAILED ")[2]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("queue that tells everything", ("\nService  redis (", "REDISCLI_AUTH=********")),
        ("proxy that tells everything", ("\nService  proxy (", 'header Authorization "********"')),
        ("migration that tells everything", ("ADAS_OWN=********",)),
        ("upgrade that tells everything", ("ADAS_OWN=********",)),
        ("questions that tell everything", ("LAGO_LICENSE=********",)),
    ],
)
def test_what_a_service_that_failed_says_is_shown_without_its_secrets(
    watched: Watched, name: str, says: tuple[str, ...]
) -> None:
    (step,) = (step for step in story.STEPS if step.name == name)
    assert [one for one in says if one not in watched.run(step).output] == []


def test_a_bundle_holds_what_helps_and_is_its_owners_alone(watched: Watched) -> None:
    bundles = {name.partition("tar.gz ")[2]: text for name, text in watched.left.items() if ".tar.gz " in name}
    names = {name.partition("/")[2] for name in bundles}
    assert {
        "lago/diagnostics.txt",
        "configuration/env/backend.env",
        "logs/lago-api-1.log",
        "facts/server.json",
    } <= names
    assert any(MIGRATED.search(text) for text in bundles.values()), "Lago's own diagnostics are there"
    assert all(mode == "600" for mode in watched.bundles)


def test_every_secret_of_the_operator_went_to_where_it_belongs(watched: Watched) -> None:
    """What never was on the server could not leak."""
    assert [one.name for one in watched.deployed if one.name not in watched.kept] == []
    assert {"docker/config.json", "mounts/gcs.json", "proxy/tls/eab", "proxy/tls/users"} <= set(watched.modes)


def test_nobody_but_its_owner_reads_a_file_with_secrets(watched: Watched) -> None:
    assert {name: oct(mode) for name, mode in watched.modes.items() if mode & 0o077} == {}


def test_nothing_that_is_left_holds_a_secret(watched: Watched) -> None:
    assert {"journal", "docker inspect", "file /root/processes-seen", "controller: processes"} <= set(watched.left)
    assert watched.findings(watched.left) == {}


def test_command_lines_were_noted_on_either_side(watched: Watched) -> None:
    assert b" compose --ansi" in watched.left["file /root/processes-seen"]
    assert b"ansible-playbook" in watched.left["controller: processes"]


def test_facts_were_cached(watched: Watched) -> None:
    assert [place for place in watched.left if place.startswith("controller: facts/")]


def test_what_is_leaked_on_purpose_is_found_where_it_was_leaked(on_purpose: Watched) -> None:
    run = on_purpose.runs["on purpose"]
    assert run.code == 0, run.output
    said = on_purpose.findings(run.said)
    shown = {"leaked", "leaked_in_base64", "leaked_in_a_url"}
    assert {place: {found.name for found in findings} for place, findings in said.items()} == dict.fromkeys(
        run.said, shown
    )
    facts = [place for place in on_purpose.left if place.startswith("controller: facts/")]
    assert [on_purpose.names(place) for place in facts] == [{"leaked_in_facts"}]
    assert "leaked_in_a_command" in on_purpose.names("file /root/processes-seen")
    for place in ("file /var/tmp/leaked-on-purpose", "journal", "docker inspect"):
        assert "leaked_in_a_file" in on_purpose.names(place), place
