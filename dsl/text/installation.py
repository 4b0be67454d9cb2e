"""Where runplan and the wheels beside it are installed, and a mark that changes with them."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The standard library, links followed.
STANDARD = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))), "stdlib")


def wheels() -> Iterator[str]:
    """The folders that tell of the installed wheels, in order."""
    for folder in dict.fromkeys(sys.path):
        try:
            with os.scandir(folder or os.curdir) as found:
                yield from sorted(entry.path for entry in found if entry.name.endswith(".dist-info"))
        except OSError:
            continue


def installed() -> tuple[object, ...]:
    """What changes where another Python runs, or where runplan or a wheel beside it is installed anew or edited.

    Of files it takes the size, the node and the times, not the content. An installer writes a wheel's files, and a new
    record of them: of a wheel the record stands for all. A checkout is looked through.
    """
    beside = list(wheels())
    own = [os.path.join(wheel, "RECORD") for wheel in beside if wheel.startswith(f"{PACKAGE}-")]
    marks = [_mark(path) for path in own] or sorted(map(_mark, _files(PACKAGE)))
    named = [_mark(os.path.join(wheel, "entry_points.txt")) for wheel in beside]
    return sys.version, sys.path, PACKAGE, beside, named, marks


def _files(folder: str) -> Iterator[str]:
    """The files below a folder, links followed, but for what Python compiles."""
    with os.scandir(folder) as found:
        for entry in found:
            if not entry.is_dir():
                yield entry.path
            elif entry.name != "__pycache__":
                yield from _files(entry.path)


def _mark(path: str) -> tuple[int, ...]:
    """What changes with a file, as it is found on the disk; empty where there is none."""
    try:
        there = os.stat(path)
    except OSError:
        return ()
    return there.st_mtime_ns, there.st_ctime_ns, there.st_size, there.st_ino
