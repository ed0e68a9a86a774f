# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about storage, e-mail, sign-in and what else Lago talks to. PRIVATE to the collection."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import secrets
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, shown

_STORES = {
    "s3": ("lago_s3_bucket", "lago_s3_access_key_id", "lago_s3_secret_access_key", "lago_s3_endpoint"),
    "gcs": ("lago_gcs_project", "lago_gcs_bucket", "lago_gcs_key_file", "lago_gcs_gsa_email"),
}
#: What Lago writes into a YAML file of its own without quotes (config/storage.yml, config/database.yml).
_IN_YAML = (
    "lago_s3_bucket",
    "lago_s3_region",
    "lago_s3_access_key_id",
    "lago_s3_secret_access_key",
    "lago_s3_endpoint",
    "lago_gcs_project",
    "lago_gcs_bucket",
    "lago_gcs_gsa_email",
)
_PAIRS = (
    ("lago_google_client_id", "lago_google_client_secret"),
    ("lago_registry_username", "lago_registry_password"),
    ("lago_s3_access_key_id", "lago_s3_secret_access_key"),
    ("lago_backup_s3_access_key_id", "lago_backup_s3_secret_access_key"),
)
_URLS = ("lago_s3_endpoint", "lago_backup_s3_endpoint", "lago_pdf_url", "lago_sentry_dsn", "lago_sentry_dsn_front")
_FILES = (
    "lago_ca_file",
    "lago_gcs_key_file",
    "lago_postgres_ca_file",
    "lago_postgres_certificate_file",
    "lago_postgres_key_file",
)
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9][a-z0-9._/-]*)?\Z")
_IMPLICIT_TLS = 465


@rule("settings")
def other_storage(case: Case) -> Found:
    chosen = case.text("lago_storage")
    for store, names in _STORES.items():
        for name in names if chosen and chosen != store else ():
            if not blank(case.given.get(name)):
                yield (
                    name,
                    f"{name} is given and lago_storage is {chosen}: Lago stores in one place. Remove {name}, or set "
                    f"lago_storage to {store}.",
                )


@rule("settings")
def storage_incomplete(case: Case) -> Found:
    store = case.text("lago_storage")
    needed = {"s3": ["lago_s3_bucket"], "gcs": ["lago_gcs_project", "lago_gcs_bucket"]}.get(store, [])
    if store == "gcs" and not case.values.get("lago_gcs_iam"):
        needed.append("lago_gcs_key_file")
    for name in needed:
        if blank(case.given.get(name)):
            yield name, f"Set {name}: lago_storage {store} does not work without it."


@rule("settings")
def half_a_login(case: Case) -> Found:
    for account, password in _PAIRS:
        if blank(case.given.get(account)) != blank(case.given.get(password)) and case.given.get(password) != "":
            missing, there = (account, password) if blank(case.given.get(account)) else (password, account)
            yield missing, f"Set {missing}: {there} is given, and one is of no use without the other."


@rule("settings")
def changed_by_yaml(case: Case) -> Found:
    for name, text in case.texts(*_IN_YAML):
        try:
            kept = yaml.safe_load(f"value: {text}\n") == {"value": text}
        except yaml.YAMLError:
            kept = False
        if not kept:
            what = name if name in secrets() else f"{name} {shown(text)}"
            yield (
                name,
                f"{what} would not reach Lago as it is: Lago writes it into a YAML file without quotes, where it means "
                "something else. Choose another, with letters in it and none of # : { } [ ] & * ! | > @ %.",
            )


@rule("settings")
def path_style_alone(case: Case) -> Found:
    for name in ("lago_s3_path_style", "lago_s3_ssl_verify"):
        if name in case.values and not case.text("lago_s3_endpoint"):
            yield name, f"{name} is for a storage of another maker: set lago_s3_endpoint, or remove it."


@rule("settings")
def bad_service_url(case: Case) -> Found:
    for name, text in case.texts(*_URLS):
        try:
            url = urlsplit(text)
            good = url.scheme in ("http", "https") and url.hostname and not url.query and not url.fragment
            good = good and (url.port is None or url.port > 0)
        except ValueError:
            good = False
        if not good or not text.isascii() or any(sign in text for sign in " \"'\\`$"):
            yield name, f"{name} is no URL such as https://service.example.com:8443: write scheme and host, plainly."


@rule("settings")
def url_with_path(case: Case) -> Found:
    for name, text in case.texts("lago_s3_endpoint", "lago_backup_s3_endpoint", "lago_pdf_url"):
        if "://" in text and urlsplit(text.replace("[", "").replace("]", "")).path.strip("/"):
            yield name, f"{name} has a path, and Lago puts its own there: write scheme, host and port alone."


@rule("settings")
def mail_without_login(case: Case) -> Found:
    for name in ("lago_smtp_username", "lago_smtp_password"):
        if case.text("lago_smtp_address") and case.given.get(name) != "" and blank(case.given.get(name)):
            yield (
                name,
                f"Set {name}: Lago asks every relay to log it in, and without user and password every mail fails.",
            )
        elif case.text("lago_smtp_address") and name == "lago_smtp_username" and not case.text(name):
            yield name, f"Set {name}: Lago asks every relay to log it in, and without it every mail fails."


@rule("settings")
def mail_without_sender(case: Case) -> Found:
    if case.text("lago_smtp_address") and not case.text("lago_from_email"):
        yield (
            "lago_from_email",
            "Set lago_from_email: what Lago sends through lago_smtp_address has no sender without it.",
        )


@rule("settings")
def mail_without_relay(case: Case) -> Found:
    if not case.text("lago_smtp_address"):
        for name in ("lago_smtp_username", "lago_smtp_password", "lago_smtp_domain"):
            if not blank(case.given.get(name)):
                yield name, f"{name} is given and no relay: set lago_smtp_address, or remove it."


@rule("settings")
def relay_is_a_url(case: Case) -> Found:
    address = case.text("lago_smtp_address")
    if "/" in address or " " in address or re.search(r"[^:]:\d+\Z", address):
        yield (
            "lago_smtp_address",
            f"lago_smtp_address {shown(address)} must be a plain host name: the port is lago_smtp_port.",
        )


@rule("settings")
def implicit_tls(case: Case) -> Found:
    if case.text("lago_smtp_address") and case.values.get("lago_smtp_port") == _IMPLICIT_TLS:
        yield (
            "lago_smtp_port",
            f"lago_smtp_port {_IMPLICIT_TLS} speaks TLS from the first byte, and Lago cannot: take its port for "
            "STARTTLS, mostly 587.",
        )


@rule("settings")
def pdf_off_and_elsewhere(case: Case) -> Found:
    if case.values.get("lago_pdf") is False and case.text("lago_pdf_url"):
        yield "lago_pdf_url", "lago_pdf_url is given and lago_pdf is false: remove one of them."


@rule("settings")
def bad_registry(case: Case) -> Found:
    registry = case.text("lago_registry")
    if registry and not _REGISTRY.match(registry.rstrip("/")):
        yield (
            "lago_registry",
            f"lago_registry {shown(registry)} is no prefix of images: write registry.example.com or "
            "registry.example.com/mirror, without a scheme.",
        )


@rule("settings")
def bad_share(case: Case) -> Found:
    rate = case.values.get("lago_sentry_traces_sample_rate", 0)
    if not 0 <= rate <= 1:
        yield "lago_sentry_traces_sample_rate", f"lago_sentry_traces_sample_rate {rate} is no share: give 0 to 1."


@rule("settings")
def bad_timezone(case: Case) -> Found:
    zone = case.text("lago_timezone")
    if zone and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", zone):
        yield "lago_timezone", f"lago_timezone {shown(zone)} is no time zone: write it like UTC or Europe/Berlin."


@rule("settings")
def no_such_file(case: Case) -> Found:
    named = [
        *case.texts(*_FILES),
        *(("lago_image_archives", str(path)) for path in case.values.get("lago_image_archives", [])),
    ]
    for name, text in named:
        path = Path(text).expanduser()
        if not path.is_absolute() or not path.is_file():
            yield name, f"{name}: there is no file {shown(text)} on the controller: write its path in full."
