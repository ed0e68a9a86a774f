# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's TLS is what Mozilla's profile "intermediate" asks for, and has no hole that sslyze knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.bed import Edge
from edge.configurations import SCANNED
from edge.scan import scan


@pytest.mark.parametrize("name", SCANNED)
def test_the_intermediate_profile_is_met_and_nothing_is_vulnerable(edge: Edge, name: str, tmp_path: Path) -> None:
    seen = scan(edge, SCANNED[name], tmp_path)
    assert seen.complies, seen.printed
    assert set(seen.vulnerabilities.values()) == {"no"}, seen.vulnerabilities
    assert seen.accepted("tls_1_2") and seen.accepted("tls_1_3")
