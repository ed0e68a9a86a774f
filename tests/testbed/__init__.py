# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed: an engine, images, a registry, package and Git repositories, and servers, all on one machine."""

from __future__ import annotations
