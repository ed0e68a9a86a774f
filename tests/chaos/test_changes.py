# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of one variable makes exactly those services anew that read it; a lost file, none."""

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest
import yaml

from chaos import runs, stories
from chaos.server import SERVICES, Server

BACKEND = {"api", "worker", "clock"}
#: Variable, another value for it, and the services that are made anew: those that read it, and those that are started
#: after them (`depends_on`), because Compose makes anew whatever depends on what it makes anew.
TABLE: tuple[tuple[str, Any, set[str]], ...] = (
    ("lago_telemetry", True, BACKEND),
    ("lago_domain", "lago.example.org", {*BACKEND, "front"}),
    ("lago_api_domain", "api.example.com", {*BACKEND, "front"}),
    ("lago_redirect_domains", ["www.example.com"], set()),
    ("lago_http3", False, {"proxy"}),
    ("lago_trusted_proxies", ["192.0.2.1"], set()),
    ("lago_extra_paths", ["metrics"], set()),
    ("lago_extra_paths_allow", ["10.0.0.0/8"], set()),
    ("lago_log_max_size", "11m", SERVICES),
    ("lago_log_max_files", 4, SERVICES),
    ("lago_api_memory", "1900m", {"api", "clock"}),
    ("lago_worker_memory", "1900m", {"worker", "clock"}),
    ("lago_clock_memory", "900m", {"clock"}),
    ("lago_front_memory", "250m", {"front"}),
    ("lago_pdf_memory", "900m", {"pdf"}),
    ("lago_proxy_memory", "250m", {"proxy"}),
    ("lago_postgres_memory", "1900m", {"db", *BACKEND}),
    ("lago_redis_memory", "900m", {"redis", *BACKEND}),
    # Whoever works with these ends before they are made anew, and starts again as it was.
    ("lago_redis_maxmemory", "500mb", {"redis"}),
    ("lago_redis_cache_memory", "500m", {"redis-cache", *BACKEND}),
    ("lago_redis_cache_maxmemory", "200mb", {"redis-cache"}),
    ("lago_bind_addresses", ["127.0.0.1"], {"proxy"}),
    ("lago_https_port", 8443, {*BACKEND, "front", "proxy"}),
    ("lago_postgres_settings", {"work_mem": "8MB"}, {"db"}),
    ("lago_postgres_pool", 12, {*BACKEND, "db"}),
    ("lago_postgres_statement_timeout", 60000, BACKEND),
    ("lago_from_email", "billing@example.com", BACKEND),
    ("lago_log_level", "debug", BACKEND),
    ("lago_webhook_attempts", 5, BACKEND),
    ("lago_sentry_dsn_front", "https://1@sentry.example.com/2", {"front"}),
    ("lago_events_batch_size", 200, {"api", "clock"}),
    ("lago_puma_threads", 4, {"api", "clock"}),
    ("lago_wallet_refresh_interval", 600, {"clock"}),
    ("lago_api_port", 3999, {"api", "clock"}),
    ("lago_workers", [{"name": "default", "concurrency": 5}], {"worker", "clock"}),
    ("lago_extra_env", {"clock": {"LAGO_SUBSCRIPTION_ACTIVITY_PROCESSING_INTERVAL_SECONDS": 30}}, {"clock"}),
    ("lago_start_timeout", 130, SERVICES),
    ("lago_lease_ttl", 9000, set()),
    ("lago_rotate", ["redis_password"], set()),
    ("lago_refresh", ["proxy"], set()),
)


def recreated(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {service for service in after if before[service] != after[service]}


@pytest.mark.thorough
def test_a_proxy_configuration_that_was_lost_is_put_back_and_loaded_and_nothing_is_made_anew(deployed: Server) -> None:
    path = f"{deployed.directory}/proxy/Caddyfile"
    before, text = deployed.running(), deployed.read(path)
    deployed.shell(
        "sh", "-c", f"echo ':81' > {path}; docker exec lago-proxy-1 caddy reload --config /etc/caddy/Caddyfile"
    )
    run = runs.to_the_end(**stories.settings())
    assert run.recap["changed"] > 0
    assert deployed.read(path) == text
    assert deployed.shell("docker", "exec", "lago-proxy-1", "wget", "-qO-", "http://127.0.0.1:2020/revision") in text
    assert recreated(before, deployed.running()) == set()


#: Read into the same files as another one of the table, or by a service that this deployment does not have.
ALIKE = re.compile(
    "lago_(redis_(host|port|user|tls|database|sentinels|master_name)|memcached_servers)|lago_redis_cache_(?!m[ea][mx]).*"
    "|lago_(s3|gcs|smtp|google|sentry|lifetime_usage|redis_cache_pool|postgres_(lock|idle|prepared|schema))_.*"
    "|lago_(storage|ca_file|signup|pdf|pdf_url|yjit|timezone|log_to_stdout|webhook_timeout|wallet_refresh|puma_workers)"
    "|lago_(front_port|registry|registry_username|image_archives|api_digest|front_digest)"
    "|lago_postgres_(database|user|schema|prepared_statements|host|port|pooler_mode|sslmode|(ca|certificate|key)_file)"
    "|lago_(upgrade|backup|restore)_.*"
)


def test_every_variable_is_in_the_table_or_has_its_reason() -> None:
    """Those of names, places, releases, images and secrets concern more than one deployment of the same data; what only
    another way of TLS reads, and what only backups do, has scenarios of its own."""
    text = (runs.ROOT / "roles" / "stack" / "defaults" / "main.yml").read_text()
    elsewhere = (
        "_image",
        "_version",
        "_directory",
        "lago_project",
        "lago_extra_paths_user",
        "lago_http_port",
    )
    of_scenarios = ("lago_tls_", "lago_acme_", "lago_backup_", "lago_restore_", "lago_remove_", "lago_adopt_")
    missing = set(yaml.safe_load(text)) - {variable for variable, _value, _services in TABLE}
    missing = {name for name in missing if not name.endswith(elsewhere) and not name.startswith(of_scenarios)}
    assert {name for name in missing if not ALIKE.fullmatch(name)} == set()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" in metafunc.fixturenames:
        chance = random.Random(os.environ["CHAOS_SEED"])
        rows = TABLE if metafunc.config.getoption("--all") else [chance.choice(TABLE)]
        metafunc.parametrize("row", rows, ids=[row[0] for row in rows])


def test_a_variable_makes_those_services_anew_that_read_it(deployed: Server, row: tuple[str, Any, set[str]]) -> None:
    variable, value, services = row
    before = deployed.running()
    runs.to_the_end(**{**stories.settings(), variable: value})
    after = deployed.running()
    assert recreated(before, after) == services
    runs.to_the_end(**stories.settings())
    assert recreated(after, deployed.running()) == services
