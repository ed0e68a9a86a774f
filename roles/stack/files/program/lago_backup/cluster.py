# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundled database server's data as a whole: set aside for a server of another major version, and put back."""

from __future__ import annotations

import os
import shutil
import typing as t

from lago_backup.tools import Refused, Settings, alone, label, mountpoint, run, sync


def _place(settings: Settings, since: str) -> tuple[str, str]:
    """Return the folder of the data, which nobody uses, and what it is called when it is set aside."""
    volume = settings.postgres["volume"]
    place = mountpoint(volume)
    if place is None:
        raise Refused(f"There is no volume {volume} on the server: nothing can be set aside.")
    if run("Docker does not answer", ["docker", "ps", "--quiet", "--filter", f"volume={volume}"]).split():
        raise Refused(f"The volume {volume} is in use: its server must be stopped before.")
    return place, f"{place}.before-{since}"


def aside(settings: Settings, since: str) -> dict[str, t.Any]:
    """Set the data aside, so that a server begins with none; what a second try finds is the first one's, and goes.

    :param since: names what is set aside.
    :returns: what the program prints: C(aside), the path.
    """
    with alone(settings):
        place, kept = _place(settings, since)
        if not os.path.exists(kept):
            os.rename(place, kept)
        shutil.rmtree(place, ignore_errors=True)
        os.mkdir(place)
        label(place, kept)
        sync(os.path.dirname(place))
    return {"aside": kept}


def back(settings: Settings, since: str) -> dict[str, t.Any]:
    """Put the data back that was set aside, if it was.

    :returns: what the program prints: C(back), whether it was.
    """
    with alone(settings):
        place, kept = _place(settings, since)
        there = os.path.exists(kept)
        if there:
            shutil.rmtree(place, ignore_errors=True)
            os.rename(kept, place)
            sync(os.path.dirname(place))
    return {"back": there}
