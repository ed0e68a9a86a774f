# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What Lago's guide and source name, against what the collection sets."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.selfhosted.lago.plugins.plugin_utils._environment import (
    RENAMED,
    SINCE,
    VARIABLES,
    WORKERS_SINCE,
)
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import OUTPUTS, options

DATA = Path(__file__).parents[3] / "settings"
GUIDE: dict[str, str] = yaml.safe_load((DATA / "guide.yml").read_text(encoding="utf-8"))
SOURCE = {name for kind in ("api", "front") for name in (DATA / f"{kind}-v1.51.0.txt").read_text().split()}
#: In no list of Lago's: the processes' own and libpq's, and names that are in the source after v1.51.0 only.
ELSEWHERE = {"SSL_CERT_FILE", "TZ", "PGSSLCERT", "PGSSLKEY", "PGSSLMODE", "PGSSLROOTCERT"}
ELSEWHERE |= {"LAGO_ENABLE_YJIT", "DATABASE_PROXY_URL"}


def test_every_variable_of_the_guide_is_set_by_an_option() -> None:
    assert {name: option for name, option in GUIDE.items() if option not in options()} == {}


def test_what_sets_a_variable_of_the_guide_is_known_by_lago_s_own_name_too() -> None:
    known = {name: option for name, option in GUIDE.items() if name in VARIABLES}
    assert {name: VARIABLES[name] for name in known} == known


def test_every_name_that_is_set_is_in_lago_s_source() -> None:
    assert set(VARIABLES) - SOURCE == ELSEWHERE


def test_every_option_that_is_spoken_of_is_there() -> None:
    assert (set(VARIABLES.values()) | set(SINCE)) - set(options()) == set()
    assert set(WORKERS_SINCE) <= set(options()["lago_workers"]["options"]["name"]["choices"])


def test_no_name_that_is_refused_is_an_option() -> None:
    assert set(RENAMED) & (set(options()) | OUTPUTS) == set()
