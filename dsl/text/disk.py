"""What is on a disk, as plain data; and a witness of what was looked at, who can say later whether all is as it was.

Whatever looks at a disk for a project does it here, so that no look is missed. This is imported by a command that only
repeats what it said before, and imports next to nothing.
"""

from __future__ import annotations

import errno
import os
import sys
from _blake2 import blake2b  # as hashlib has it, which loads OpenSSL first
from stat import S_ISDIR, S_ISREG

from runplan.dsl.text.installation import STANDARD
from runplan.dsl.text.limits import MAX_BYTES, most_bytes

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import BinaryIO, Self, TypeVar

    T = TypeVar("T")

# What an entry of a folder is; a link to a file is a file.
FOLDER, LINK, FILE, OTHER = "folder", "link to a folder", "file", "other"
# What a shell hands over as a file: `plan check <(make-plan)`.
_OF_THE_SHELL = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
# Which look, and at which path.
Look = tuple[str, str]

_witnesses: list[Witness] = []
_LOOKS: dict[str, Callable[[str], object]] = {}


class Witness:
    """Sees all looks at a disk from when it is entered until it is left.

    Attributes:
        seen: Each look with a mark of what there was. The standard library is left out: it is installed.
        steady: Whether one can look again: not at a pipe, and not where two looks had seen different things.
    """

    __slots__ = ("seen", "steady")

    def __init__(self) -> None:
        self.seen: dict[Look, bytes] = {}
        self.steady = True

    def __enter__(self) -> Self:
        _witnesses.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _witnesses.remove(self)


def tell(seen: Mapping[Look, bytes]) -> None:
    """Let the witnesses know of looks that were made before, on what is used again."""
    for witness in _witnesses:
        for look, mark in seen.items():
            witness.steady &= witness.seen.setdefault(look, mark) == mark


def unchanged(seen: Iterable[tuple[Look, bytes]]) -> bool:
    """Whether each look finds what was seen."""
    for (name, path), mark in seen:
        try:
            there: object = _LOOKS[name](path)
        except OSError as error:
            there = error.errno
        if _mark(there) != mark:
            return False
    return True


def stamps(seen: Iterable[Look]) -> tuple[tuple[int, ...], ...]:
    """What tells cheaply that something may be another: of each look the size and the times of what is there."""
    return tuple(_stamp(path) for _, path in seen)


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _mark(there: object) -> bytes:
    content = there if isinstance(there, bytes) else ascii(there).encode()
    return blake2b(content, digest_size=16).digest()


def _look(see: Callable[[str], T]) -> Callable[[str], T]:
    """A function that looks at a path: witnesses see what it gives, or the number of its `OSError`."""
    name = see.__name__
    _LOOKS[name] = see

    def seeing(path: str) -> T:
        if not _witnesses or path.startswith(STANDARD):
            return see(path)
        try:
            there = see(path)
        except OSError as error:
            tell({(name, path): _mark(error.errno)})
            raise
        tell({(name, path): _mark(there)})
        return there

    seeing.__name__, seeing.__doc__ = name, see.__doc__
    return seeing


class _NoFile(OSError):
    """Raised for what is there and is no file: a pipe gives what it has once."""


@_look
def file_content(path: str) -> bytes:
    """The bytes of a regular file; of one beyond `most_bytes` so many that the limit shows.

    Raises:
        OSError: Where there is none, or it cannot be read.
    """
    mode = os.stat(path).st_mode
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not S_ISREG(mode):
        raise _NoFile(errno.ESPIPE, "not a regular file", path)
    stream = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        most = most_bytes(path)
        content = part = os.read(stream, most + 1)
        while part and len(content) <= most:  # a read may give less than there is
            part = os.read(stream, most + 1 - len(content))
            content += part
        return content
    finally:
        os.close(stream)


def content(path: str) -> bytes:
    """The bytes of whatever can be read: those of `file_content`, or what a pipe of the shell gives.

    Another pipe, or a device, would keep waiting who reads it.

    Raises:
        OSError: Where there is nothing, or it cannot be read.
    """
    try:
        return file_content(path)
    except _NoFile:
        if not path.startswith(_OF_THE_SHELL):
            raise
        with open(path, "rb") as stream:
            return _flown(stream)


def standard_input() -> bytes:
    """The bytes of standard input, as many as `content` gives."""
    return _flown(sys.stdin.buffer)


def _flown(stream: BinaryIO) -> bytes:
    unsteady()
    return stream.read(MAX_BYTES + 1)


def unsteady() -> None:
    """Let the witnesses know that what they saw tells too little: a pipe gave it, no file says it, or it is written."""
    for witness in _witnesses:
        witness.steady = False


@_look
def entries(path: str) -> tuple[tuple[str, str], ...]:
    """The names in a folder, in order, each with what it is.

    Raises:
        OSError: Where there is no such folder, or it cannot be read.
    """
    with os.scandir(path) as found:
        return tuple(sorted((entry.name, _kind(entry)) for entry in found))


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_dir(follow_symlinks=False):
        return FOLDER
    try:
        return FILE if entry.is_file() else LINK if entry.is_dir() else OTHER
    except OSError:  # a link that leads to itself, or to where one may not look
        return OTHER


@_look
def is_folder(path: str) -> bool:
    """Whether a path leads to a folder."""
    return os.path.isdir(path)


@_look
def is_file(path: str) -> bool:
    """Whether a path leads to a regular file."""
    return os.path.isfile(path)


@_look
def is_there(path: str) -> bool:
    """Whether a path leads to anything."""
    return os.path.exists(path)


@_look
def real(path: str) -> str:
    """The path with all links followed; nothing need be there."""
    return os.path.realpath(path)
