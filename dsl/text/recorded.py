"""What a reader gave to the same again, elsewhere and later: a plan with all that it rests on, as one value."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.reader import Reader
from runplan.dsl.types import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A reader that gives what another one gave. What that one was not asked for is not there.

    Attributes:
        contents: The bytes of files, by the paths that they were asked for.
        names: The one name of each path that one was asked for; None where it lies outside.
        folders: The paths of the files below each folder that they were asked for.
    """

    contents: Mapping[str, bytes]
    names: Mapping[str, str | None]
    folders: Mapping[str, tuple[str, ...]]

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        return _there(self.contents, path)

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        return self.names.get(path)

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`."""
        return _there(self.folders, path)


def _there(of: Mapping[str, _T], path: str) -> _T:
    if path not in of:
        raise FileNotFoundError(2, "No such file or directory", path)
    return of[path]


@dataclass(frozen=True, slots=True)
class Recording:
    """A reader that remembers what the one behind it gave."""

    behind: Reader
    _contents: dict[str, bytes] = field(default_factory=dict)
    _names: dict[str, str | None] = field(default_factory=dict)
    _folders: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        self._contents[path] = found = self.behind.read(path)
        return found

    def resolve(self, path: str) -> str | None:
        """See `Reader`."""
        self._names[path] = found = self.behind.resolve(path)
        return found

    def files(self, path: str) -> tuple[str, ...]:
        """See `Reader`."""
        self._folders[path] = found = self.behind.files(path)
        return found

    def recorded(self) -> Recorded:
        """What it gave so far."""
        return Recorded(dict(self._contents), dict(self._names), dict(self._folders))
