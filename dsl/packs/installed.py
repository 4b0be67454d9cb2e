"""Installed wheels to the packs that they bring; and these with the standard library to what every project knows."""

from __future__ import annotations

import os
from collections.abc import Iterator

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.packs.standard import standard
from runplan.dsl.text.installation import wheels
from runplan.dsl.text.reader import Disk

# Wheels with packs name a top-level package under this group; it is only ever looked into, never imported.
GROUP = "runplan.packs"


def shared() -> Library:
    """The standard library and the packs of installed wheels, as their files are now."""
    brought = (file for name, place in places() for file in pack_files(Disk(place), "", name, "pack"))
    return standard().with_files(brought)


def places() -> Iterator[tuple[str, str]]:
    """The packages with packs that wheels name, each with its folder."""
    if not _any_wheel_has_packs():
        return
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        if "." in point.value or ":" in point.value:
            continue  # finding a dotted name would import its parent
        spec = find_spec(point.value)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield point.value, place


def _any_wheel_has_packs() -> bool:
    """Whether an installed distribution names the group at all; `importlib.metadata` costs more than all of this."""
    for wheel in wheels():
        try:
            with open(os.path.join(wheel, "entry_points.txt"), encoding="utf-8") as stream:
                if f"[{GROUP}]" in stream.read():
                    return True
        except (OSError, UnicodeDecodeError):
            continue
    return False
