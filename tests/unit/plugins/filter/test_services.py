# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.selfhosted.lago.plugins.filter.services import (
    FilterModule,
    containers_behind,
    lago_connections,
    lago_services,
    worker_flags,
)

TABLE: dict[str, dict[str, t.Any]] = {
    "db": {"image": "postgres", "when": False},
    "redis": {"image": "redis", "when": True},
    "worker": {"image": "api", "command": ["start"], "memory": "2g", "needs": ["db", "redis"]},
    "clock": {"image": "api", "needs": ["db", "redis", "worker"]},
}


def test_what_is_not_there_is_left_out_and_nobody_waits_for_it() -> None:
    services = lago_services(TABLE)
    assert list(services) == ["redis", "worker", "clock"]
    assert services["worker"] == {"image": "api", "command": ["start"], "memory": "2g", "needs": ["redis"]}
    assert services["clock"]["needs"] == ["redis", "worker"]


def test_a_dedicated_worker_is_a_service_like_the_default_one_and_the_clock_waits_for_it() -> None:
    events = {"name": "events", "concurrency": 20, "replicas": 3, "memory": "1g"}
    services = lago_services(TABLE, [events, {"name": "ai_agent", "concurrency": None}])
    assert list(services) == ["redis", "worker", "worker-events", "worker-ai_agent", "clock"]
    assert services["worker-events"] == {
        "image": "api",
        "command": ["./scripts/start.events.worker.sh"],
        "memory": "1g",
        "environment": {"SIDEKIQ_CONCURRENCY": "20"},
        "replicas": 3,
        "needs": ["redis"],
    }
    assert services["worker-ai_agent"]["memory"] == "2g"
    assert services["clock"]["needs"] == ["redis", "worker", "worker-events", "worker-ai_agent"]
    assert TABLE["worker"]["needs"] == ["db", "redis"], "the table is left as it is"


def test_the_default_worker_can_be_told_how_to_run() -> None:
    services = lago_services(TABLE, [{"name": "default", "concurrency": 5, "replicas": 1}])
    assert list(services) == ["redis", "worker", "clock"]
    assert services["worker"]["command"] == ["start"]
    assert services["worker"]["environment"] == {"SIDEKIQ_CONCURRENCY": "5"}
    assert "replicas" not in services["worker"]


def test_every_dedicated_worker_has_its_flag_and_the_default_one_has_none() -> None:
    assert worker_flags([{"name": "default"}, {"name": "ai_agent"}]) == {"SIDEKIQ_AI_AGENT": True}


def test_connections_are_counted_over_all_processes_and_pools() -> None:
    # api, worker, clock and a migration, two pools each, ten connections in each, and a reserve
    assert lago_connections([]) == 4 * 2 * 10 + 10
    assert (
        lago_connections([{"name": "default", "replicas": 2}, {"name": "events", "replicas": 3}], "20", 2)
        == 9 * 2 * 20 + 10
    )
    assert lago_connections([], version="v1.52.0") == 4 * 3 * 10 + 10


def test_what_has_another_image_or_was_made_for_another_configuration_is_behind() -> None:
    containers = {
        name: {"image": image, "labels": {"selfhosted.lago.config": "label"} if name != "cache" else {}}
        for name, image in {"db": "db@sha256:1", "redis": "redis:7", "cache": "redis:7", "api": "api"}.items()
    }
    labels = dict.fromkeys(["db", "redis", "cache", "queue"], "label")
    images = {"db": "db@sha256:1", "redis": "redis:7", "cache": "redis:7", "api": "other", "queue": "redis:7"}
    assert containers_behind(containers, images, labels) == ["cache"]
    assert containers_behind(containers, {**images, "db": "db@sha256:2"}, labels) == ["db", "cache"]
    assert containers_behind(containers, images, {**labels, "redis": "other"}) == ["redis", "cache"]
    assert containers_behind({}, images, labels) == []


def test_the_filters_have_names() -> None:
    names = {"containers_behind", "lago_connections", "lago_services", "worker_flags"}
    assert set(FilterModule().filters()) == names
