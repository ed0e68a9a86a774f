# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup and restore of a deployment of Lago, as they run on its server: by hand, by a timer, and for Ansible."""
