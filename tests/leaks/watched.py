# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a story, and the search in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from leaks.canaries import Canary, Finding, find
from leaks.controller import Run
from leaks.story import Step

from project import CACHE


@dataclass
class Watched:
    """A whole story: how each step ended, and what was left in the end."""

    runs: dict[str, Run] = field(default_factory=dict)
    left: dict[str, bytes] = field(default_factory=dict)
    canaries: list[Canary] = field(default_factory=list)
    bundles: list[str] = field(default_factory=list)
    """The modes of the support bundles."""
    deployed: list[Canary] = field(default_factory=list)
    """The secrets that each have a file of the server's in which they belong."""
    modes: dict[str, int] = field(default_factory=dict)
    """The modes of all such files that there ever were, by name."""
    kept: set[str] = field(default_factory=set)
    """The names of the secrets that were found there."""

    def seen_kept(self, files: dict[str, tuple[int, bytes]], canaries: list[Canary]) -> None:
        """Remember what is in the files that hold secrets at this moment."""
        for name, (mode, text) in files.items():
            self.modes[name] = self.modes.get(name, 0) | mode
            self.kept |= {finding.name for finding in find(text, canaries)}

    def run(self, step: Step) -> Run:
        """Return how a step went; a test of one that was left out is skipped."""
        if step.name not in self.runs:
            pytest.skip("left out where the steps take turns: LEAKS=all takes it")
        return self.runs[step.name]

    def findings(self, places: dict[str, bytes]) -> dict[str, list[Finding]]:
        """Return what is found of any secret, by place; what it was found in is kept for a person to look at."""
        found = {place: find(text, self.canaries) for place, text in places.items()}
        found = {place: findings for place, findings in found.items() if findings}
        for place in found:
            path = CACHE / "leaks" / place.replace("/", "_").replace(" ", "_")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(places[place])
        return found

    def names(self, place: str) -> set[str]:
        """Return the names of the secrets that are found in a place that was left."""
        return {finding.name for finding in find(self.left[place], self.canaries)}
