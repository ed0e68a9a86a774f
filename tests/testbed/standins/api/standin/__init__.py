# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Lago's API image: the same commands, environment, answers and vices, for tests only."""

NOTICE = "selfhosted.lago test bed: this is a STAND-IN for Lago, for tests only. It bills nobody."
