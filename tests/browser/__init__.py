# SPDX-License-Identifier: GPL-3.0-or-later
"""A person with a browser before a deployment."""
