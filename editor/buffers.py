"""An editor's open texts in front of a disk: one more `Reader`, so that what is not saved is what is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text import disk
from runplan.dsl.text.reader import Disk, Reader
from runplan.dsl.types import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Buffers:
    """The files of a folder, some of them as an editor has them.

    Attributes:
        behind: The folder on disk.
        texts: The contents of open files, by their real paths; it changes as they are edited.
    """

    behind: Disk
    texts: Mapping[str, bytes]

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        open_ = self.texts.get(disk.real(self.on_disk(path))) if self.texts else None
        return self.behind.read(path) if open_ is None else open_

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        return self.behind.resolve(path)

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`. A file that was never saved is in no folder yet."""
        if disk.real(self.on_disk(path)) in self.texts:
            return (path,)
        return self.behind.files(path)

    def on_disk(self, path: str) -> str:
        """The path on disk of a path of the reader."""
        assert self.behind.folder is not None, "set when it was made"
        return os.path.join(self.behind.folder, path)


@dataclass(frozen=True, slots=True)
class Unconfigured:
    """The same files without a configuration: for a project whose own cannot be used."""

    behind: Buffers

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        if path.rsplit("/", 1)[-1] in ("runplan.toml", "pyproject.toml"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.behind.read(path)

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        return self.behind.resolve(path)

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`."""
        return self.behind.files(path)


class Seen:
    """A reader that remembers all that the one behind it gave, and refused, until it is told that this is all.

    Attributes:
        held: The last time that this was found to be as it is: a count of changes, and until when that is believed.
    """

    __slots__ = ("_all", "_behind", "_seen", "held")

    def __init__(self, behind: Reader) -> None:
        self._behind = behind
        self._seen: dict[tuple[str, str], object] = {}
        self._all = False
        self.held = (-1, 0.0)

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        return self._look("read", path, self._behind.read)

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        return self._look("resolve", path, self._behind.resolve)

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`."""
        return self._look("files", path, self._behind.files)

    def done(self) -> None:
        """Remember no more."""
        self._all = True

    def same_by(self, reader: Reader) -> bool:
        """Whether a reader gives, and refuses, the same."""
        return all(_given(getattr(reader, how), path) == found for (how, path), found in self._seen.items())

    def _look(self, how: str, path: str, ask: Callable[[str], T]) -> T:
        try:
            found = ask(path)
        except OSError as error:
            if not self._all:
                self._seen[how, path] = error.errno
            raise
        if not self._all:
            self._seen[how, path] = found
        return found


def _given(ask: Callable[[str], object], path: str) -> object:
    try:
        return ask(path)
    except OSError as error:
        return error.errno
