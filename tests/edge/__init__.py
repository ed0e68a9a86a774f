# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge alone: every configuration that the role writes, in a real Caddy before two that say who they are."""
