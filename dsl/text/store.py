"""The user's cache folder: plain data by name, kept from one command to the next, within a bound.

Each name is a file, which is replaced whole and at once: commands that run side by side see the old data or the new.
What is torn, or was kept by another Python, is not taken. Plain data is what `marshal` writes: numbers, texts, bytes,
tuples, lists and dictionaries of these.
"""

from __future__ import annotations

import marshal
import os
import sys
from _blake2 import blake2b  # as hashlib has it, which loads OpenSSL first

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from typing import Any

# Bytes of all that is kept; what was written first goes first. To look at all of it takes longer the more there is: a
# process does so at most once, and at one write in so many.
MAX_KEPT = 64 * 1024 * 1024
LOOKED_IN = 32
# Bytes of one name.
MAX_ONE = MAX_KEPT // 4
# The folder of files for other programs to open.
SHOWN = "shown"
_MARK = 16

_bounded: set[str] = set()
_offs: list[Off] = []


class Off:
    """While it is entered nothing is kept, and nothing is found."""

    def __enter__(self) -> None:
        _offs.append(self)

    def __exit__(self, *_: object) -> None:
        _offs.remove(self)


def folder() -> str | None:
    """The user's cache folder for runplan; None where there is none to name, or it is off, as by RUNPLAN_NO_CACHE."""
    if _offs or os.environ.get("RUNPLAN_NO_CACHE"):
        return None
    home = os.environ.get("HOME")
    told = os.environ.get("XDG_CACHE_HOME", "")
    # As its specification has it: a path that is not absolute is none.
    base = told if os.path.isabs(told) else os.path.join(home, ".cache") if home else ""
    return os.path.join(base, "runplan") if base else None


def place(name: str) -> str | None:
    """The path of a name, in a folder that is there; None where there can be none."""
    base = folder()
    if base is None:
        return None
    try:
        os.makedirs(base, exist_ok=True)
    except OSError:
        return None
    return os.path.join(base, name)


def kept(name: str) -> Any:
    """What was kept under a name; None where nothing is, or no longer."""
    base = folder()
    if base is None:
        return None
    try:
        with open(os.path.join(base, name), "rb") as stream:
            whole = stream.read()
    except OSError:
        return None
    mark, content = whole[:_MARK], whole[_MARK:]
    return marshal.loads(content) if mark == _digest(content) else None


def keep(name: str, data: Any) -> None:
    """Keep plain data under a name, in place of what is there; where nothing can be written nothing is."""
    content = marshal.dumps(data)
    path = place(name) if len(content) <= MAX_ONE else None
    if path is None:
        return
    mark = _digest(content)
    _replaced(path, mark + content)
    base = os.path.dirname(path)
    if base not in _bounded and mark[0] % LOOKED_IN == 0:
        _bounded.add(base)
        _bound(base)


def shown(path: str, text: str) -> str | None:
    """The path of a read-only file with a text, for programs that open files; None where none can be written.

    Args:
        path: What it is called, below a folder that is of this text alone.
    """
    content = text.encode("utf-8", "surrogatepass")
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    there = place(os.path.join(SHOWN, blake2b(content, digest_size=8).hexdigest(), *parts))
    if there is None or os.path.exists(there):
        return there
    try:
        os.makedirs(os.path.dirname(there), exist_ok=True)
    except OSError:
        return None
    return there if _replaced(there, content, 0o444) else None


def _replaced(path: str, content: bytes, mode: int | None = None) -> bool:
    """Whether a file has a content now: all at once, or as before."""
    beside = f"{path}.{os.getpid()}"
    try:
        with open(beside, "wb") as stream:
            stream.write(content)
        if mode is not None:
            os.chmod(beside, mode)
        os.replace(beside, path)
    except OSError:
        _removed(beside)
        return False
    return True


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_MARK, key=sys.version.encode()[:64]).digest()


def _bound(base: str) -> None:
    """Remove what was written first until a quarter is free, where all of it is beyond the bound."""
    try:
        with os.scandir(base) as found:
            files = sorted((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in found)
    except OSError:  # another command removes, too
        return
    total = sum(size for _, size, _ in files)
    if total <= MAX_KEPT:
        return
    for _, size, path in files:
        if total <= MAX_KEPT * 3 // 4:
            return
        _removed(path)
        total -= size


def _removed(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
