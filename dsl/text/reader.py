"""Where text comes from: disk, standard input, a buffer; and bytes to a `Source`, or to why they are none."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_BYTES
from runplan.dsl.text.source import Source, Span


class Reader(Protocol):
    """Gives the bytes of a file by the path that a user or an import named."""

    def read(self, path: str) -> bytes:
        """The bytes.

        Raises:
            OSError: Where there is no such file, or it cannot be read.
        """

    def inside(self, path: str) -> bool:
        """Whether the path lies inside the project's root once links are followed."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Reads files. The root is the nearest folder above that holds `.git`, `pyproject.toml` or `runplan.toml`."""

    root: Path

    def read(self, path: str) -> bytes:
        """See `Reader`; a file beyond the limit is read only so far that the limit shows."""
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES + 1)

    def inside(self, path: str) -> bool:
        """See `Reader`."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))


@dataclass(frozen=True, slots=True)
class Buffer:
    """Standard input or an editor's buffer under a name, with a disk behind it for imports."""

    name: str
    content: bytes
    behind: Reader

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        return self.content if path == self.name else self.behind.read(path)

    def inside(self, path: str) -> bool:
        """See `Reader`."""
        return self.behind.inside(path)


def project_root(path: Path) -> Path:
    """The root of the project in which a plan lies, else the plan's own folder."""
    folder = (path if path.is_dir() else path.parent).absolute()
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in (".git", "pyproject.toml", "runplan.toml")):
            return candidate
    return folder


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]|\r(?!\n)")


def decoded(path: str, content: bytes) -> tuple[Source, Finding | None]:
    """The text of a file, and why it is no text where it is none."""
    empty = Source(path, "")
    start = Span(empty, 0, 0)
    if len(content) > MAX_BYTES:
        return empty, finding("S004", f"the file is larger than {MAX_BYTES:,} bytes", start)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return empty, finding("S003", "the file is UTF-16; plans are UTF-8", start, help=["save it as UTF-8"])
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        text = content[: error.start].decode("utf-8")
        source = Source(path, text)
        end = Span(source, len(text), len(text))
        return source, finding("S003", f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8 text", end)
    source = Source(path, text)
    control = _CONTROL.search(text)
    if control:
        span = Span(source, control.start(), control.end())
        if control[0] == "\r":
            help = ["save the file with the line ends of Unix or Windows"]
            return source, finding("S003", "a carriage return without a line feed", span, help=help)
        return source, finding("S003", f"a control character (0x{ord(control[0]):02x}): this is no text", span)
    return source, None
