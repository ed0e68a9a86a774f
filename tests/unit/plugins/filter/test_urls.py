# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import string
import typing as t
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg2.extensions
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.filter.urls import (
    FilterModule,
    lago_url,
    postgres_url,
    redis_url,
    url_quote,
)
from hypothesis import given
from hypothesis import strategies as st

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
ASCII = st.text(st.sampled_from(string.printable.strip() + " "), min_size=1)
ANY = PRINTABLE | ASCII


@given(ANY)
def test_a_quoted_part_has_nothing_that_means_anything(value: str) -> None:
    quoted = url_quote(value)
    assert set(quoted) <= set(string.ascii_letters + string.digits + "-._~%")
    assert unquote(quoted) == value


@given(user=ANY, password=ANY, database=ANY, option=ANY)
def test_libpq_reads_the_parts_of_a_postgres_url(user: str, password: str, database: str, option: str) -> None:
    parts = {
        "user": user,
        "password": password,
        "host": "db",
        "database": database,
        "options": {"application_name": option},
    }
    assert psycopg2.extensions.parse_dsn(postgres_url(parts)) == {
        "user": user,
        "password": password,
        "host": "db",
        "port": "5432",
        "dbname": database,
        "application_name": option,
    }


@given(user=ANY, password=ANY, database=ANY)
def test_urllib_reads_the_parts_of_a_postgres_url(user: str, password: str, database: str) -> None:
    url = urlsplit(postgres_url({"user": user, "password": password, "host": "db", "database": database, "port": 6432}))
    assert (url.scheme, url.hostname, url.port, url.query) == ("postgresql", "db", 6432, "")
    assert (unquote(url.username or ""), unquote(url.password or ""), unquote(url.path[1:])) == (
        user,
        password,
        database,
    )


@given(password=ANY, database=st.integers(0, 15))
def test_urllib_reads_the_parts_of_a_redis_url(password: str, database: int) -> None:
    url = urlsplit(redis_url({"password": password, "host": "redis", "database": database}))
    assert (url.scheme, url.username, url.hostname, url.port, url.path) == ("redis", "", "redis", 6379, f"/{database}")
    assert unquote(url.password or "") == password


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ({"host": "db"}, "postgresql://db:5432/"),
        ({"host": "::1", "database": "lago"}, "postgresql://[::1]:5432/lago"),
        ({"host": "[::1]", "port": "1"}, "postgresql://[::1]:1/"),
        ({"host": "db", "user": "u", "password": None, "port": None}, "postgresql://u@db:5432/"),
        ({"host": "db", "options": {"sslmode": "require", "b": None}}, "postgresql://db:5432/?sslmode=require"),
        ({"host": "db", "options": {"b": "1", "a": "&"}}, "postgresql://db:5432/?a=%26&b=1"),
    ],
)
def test_postgres_urls(parts: dict[str, t.Any], url: str) -> None:
    assert postgres_url(parts) == url


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ({"host": "redis"}, "redis://redis:6379"),
        ({"host": "redis", "tls": True, "user": "a:b", "password": "p@/"}, "rediss://a%3Ab:p%40%2F@redis:6379"),
        ({"host": "redis", "port": "7000", "database": 0}, "redis://redis:7000/0"),
    ],
)
def test_redis_urls(parts: dict[str, t.Any], url: str) -> None:
    assert redis_url(parts) == url


def test_options_survive() -> None:
    url = postgres_url({"host": "db", "options": {"sslrootcert": "/etc/ssl/my ca.pem"}})
    assert parse_qs(urlsplit(url).query) == {"sslrootcert": ["/etc/ssl/my ca.pem"]}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: postgres_url({"password": "secret"}), "needs a host"),
        (lambda: postgres_url({"host": ""}), "needs a host"),
        (lambda: redis_url({"host": "h", "passwort": "secret"}), "Unknown parts of a URL: passwort"),
        (lambda: redis_url(t.cast("t.Any", "redis://secret")), "dictionary"),
        (lambda: redis_url({"host": "h", "password": ["secret"]}), "string or a number"),
        (lambda: redis_url({"host": "h", "password": True}), "string or a number"),
        (lambda: url_quote("secret\ud800"), "Unicode"),
        (lambda: postgres_url({"host": "h", "port": "secret"}), "port"),
        (lambda: postgres_url({"host": "h", "port": 0}), "port"),
        (lambda: lago_url("h", "https", 65536), "port"),
        (lambda: lago_url("h", "ftp"), "http or https"),
    ],
)
def test_refusals_tell_no_value(call: t.Callable[[], str], says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says) as error:
        call()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "scheme", "port", "url"),
    [
        ("Billing.Example.com", "https", None, "https://billing.example.com"),
        ("billing.example.com", "https", 443, "https://billing.example.com"),
        ("billing.example.com", "https", "8443", "https://billing.example.com:8443"),
        ("localhost", "http", 80, "http://localhost"),
        ("localhost", "http", 443, "http://localhost:443"),
        ("2001:DB8::1", "https", "", "https://[2001:db8::1]"),
    ],
)
def test_origins(host: str, scheme: str, port: t.Any, url: str) -> None:
    assert lago_url(host, scheme, port) == url


def test_filters() -> None:
    assert set(FilterModule().filters()) == {"url_quote", "postgres_url", "redis_url", "lago_url"}
