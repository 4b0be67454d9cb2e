"""Paths to the bytes of files, by the one thing that opens any; and bytes to a `Source`, or to why they are none."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from errno import E2BIG

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text import disk
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_BYTES, MAX_CHARACTERS, MAX_FOLDER_FILES
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span
from runplan.dsl.types import Protocol


def _by_folder(path: str) -> list[str]:
    """What paths are sorted by: a folder's files stay together."""
    return path.split("/")


class Reader(Protocol):
    """Gives files by the paths that a user, an import or a configuration names. Nothing else opens one.

    A reader knows one project: what lies in its root, links followed, is inside. A git revision, an archive or an
    editor's buffers are readers, too: these three methods are all that is asked of one.
    """

    def read(self, path: str) -> bytes:
        """The bytes; of a file beyond `MAX_BYTES` at least so many that the limit shows.

        Raises:
            OSError: Where there is no such file, or it cannot be read.
        """

    def resolve(self, path: str) -> str | None:
        """The one name of a path, however it is spelled: from the root, with forward slashes, links followed.

        None where it lies outside the root. Nothing need be there.
        """

    def files(self, path: str) -> tuple[str, ...]:
        """The paths of all files below a folder, in order; of a file, its own.

        Raises:
            OSError: Where there is neither.
        """


class FileSystem(Protocol):
    """The looks that the module `disk` has, at the disk or at what would be on it at another time."""

    def content(self, path: str) -> bytes:
        """See `disk.content`."""

    def entries(self, path: str) -> tuple[tuple[str, str], ...]:
        """See `disk.entries`."""

    def is_folder(self, path: str) -> bool:
        """See `disk.is_folder`."""

    def is_file(self, path: str) -> bool:
        """See `disk.is_file`."""

    def is_there(self, path: str) -> bool:
        """See `disk.is_there`."""

    def real(self, path: str) -> str:
        """See `disk.real`."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Files of a folder on disk.

    Attributes:
        root: The project's folder; absolute once made, whatever the current folder becomes.
        folder: From where relative paths lead; the root unless said. The command says the current folder.
        on: The disk, or a commit as if it were checked out.
    """

    root: str | os.PathLike[str] = "."
    folder: str | os.PathLike[str] | None = None
    on: FileSystem = disk

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", os.path.abspath(self.root))
        object.__setattr__(self, "folder", os.path.abspath(self.root if self.folder is None else self.folder))

    def _on_disk(self, path: str) -> str:
        assert self.folder is not None, "set when it was made"
        return os.path.join(self.folder, path)

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        return self.on.content(self._on_disk(path))

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        real, root = self.on.real(self._on_disk(path)), self.on.real(os.fspath(self.root))
        if real == root:
            return "."
        beginning = root if root.endswith(os.sep) else root + os.sep
        return real[len(beginning) :].replace(os.sep, "/") if real.startswith(beginning) else None

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`. A link to a folder is not followed: it may lead round in a circle."""
        top = self._on_disk(path)
        if self.on.is_file(top):
            return (path,)
        found: list[str] = []
        waiting = [(top, "" if path == "." else path.rstrip("/"))]
        while waiting:
            where, said = waiting.pop()
            for entry, kind in self.on.entries(where):
                name = f"{said}/{entry}" if said else entry
                if kind == disk.FOLDER:
                    waiting.append((os.path.join(where, entry), name))
                elif kind == disk.FILE:
                    found.append(name)
            if len(found) + len(waiting) > MAX_FOLDER_FILES:
                raise OSError(E2BIG, f"there are more than {MAX_FOLDER_FILES:,} files", path)
        return tuple(sorted(found, key=_by_folder))


class Files:
    """Files of a dictionary: their texts, or bytes, by path from the root, with forward slashes."""

    __slots__ = ("_contents",)

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._contents = {
            posixpath.normpath(path): text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
            for path, text in files.items()
        }

    def __repr__(self) -> str:
        return f"Files({', '.join(sorted(self._contents))})"

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        content = self._contents.get(posixpath.normpath(path))
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return content

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        name = posixpath.normpath(path)
        return None if name == ".." or name.startswith(("../", "/")) else name

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`."""
        top = posixpath.normpath(path)
        if top in self._contents:
            return (path,)
        below = "" if top == "." else f"{top}/"
        said = "" if top == "." else f"{path.rstrip('/')}/"
        found = [said + name[len(below) :] for name in self._contents if name.startswith(below)]
        if not found and below:
            raise FileNotFoundError(2, "No such file or directory", path)
        return tuple(sorted(found, key=_by_folder))


@dataclass(frozen=True, slots=True)
class Buffer:
    """Another text for one file: standard input, or what an editor has not saved. All else is read from behind."""

    name: str
    content: bytes
    behind: Reader

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        same = path == self.name or (self.resolve(path) or path) == (self.resolve(self.name) or self.name)
        return self.content if same else self.behind.read(path)

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        return self.behind.resolve(path)

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`. A file that is in the buffer only is in no folder yet."""
        return (path,) if path == self.name else self.behind.files(path)


# What YAML takes for the end of a line, and most editors do not show.
_HIDDEN_ENDS = "\x85\u2028\u2029"
# What turns the direction of text: where it is shown, what is a comment may look like a statement, and the other way
# round (CVE-2021-42574, arXiv:2111.00169).
_TURNS = "\u202a-\u202e\u2066-\u2069"
_CONTROL = pattern(rf"[\x00-\x08\x0b\x0e-\x1f\x7f{_HIDDEN_ENDS}{_TURNS}]|\r(?!\n)")


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
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        return empty, finding("S004", message, start)
    source = Source(path, text)
    control = _CONTROL.search(text)
    if control:
        span = Span(source, control.start(), control.end())
        if control[0] == "\r":
            help = ["save the file with the line ends of Unix or Windows"]
            return source, finding("S003", "a carriage return without a line feed", span, help=help)
        if control[0] in _HIDDEN_ENDS:
            message = f"a line end that is none in a plan (U+{ord(control[0]):04X})"
            return source, finding("S003", message, span, help=["begin a new line, or leave it out"])
        if ord(control[0]) > 0xFF:
            message = f"a mark that turns the direction of text (U+{ord(control[0]):04X}): it is shown otherwise"
            return source, finding("S003", message, span, help=["leave it out"])
        return source, finding("S003", f"a control character (0x{ord(control[0]):02x}): this is no text", span)
    return source, None
