# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module, which may wait for long, and tells meanwhile that it goes on."""

from __future__ import annotations

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _progress


class ActionModule(_progress.Telling):
    """The action of selfhosted.lago.organization; the module of this name holds its documentation."""
