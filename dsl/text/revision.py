"""A commit to what a disk with it checked out would be: the looks of `disk.py`, by the paths of the working tree."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text import disk
from runplan.dsl.text.git import Entry, Git
from runplan.dsl.text.limits import MAX_BYTES

_LINK = "120000"
# Links that lead from one to the next; more are a circle.
_MOST_LINKS = 40
# What is likely to be asked for, and is read with the first that is; one by one it would take a process each.
_LIKELY = (".plan", ".plan.yaml", ".plan.yml", "runplan.toml", "pyproject.toml", "runplan.lock")
_MOST_LIKELY = 5_000


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit as a file system. What lies outside of the repository is as it is on the disk now.

    Attributes:
        ref: The commit as it was asked for.
        commit: Its name.
    """

    git: Git
    ref: str
    commit: str
    _entries: Mapping[str, Entry] = field(repr=False)
    _folders: Mapping[str, Mapping[str, str]] = field(repr=False)
    _read: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, ref: str, git: Git) -> Revision:
        """The commit that a revision means.

        Raises:
            NoRevision: Where it means none, or it is not there.
        """
        commit = git.commit(ref)
        entries = git.entries(commit)
        return cls(git, ref, commit, entries, _folders_of(entries))

    @property
    def short(self) -> str:
        """The beginning of its name, as people write it."""
        return self.commit[:10]

    # ---- the looks of `disk.py`

    def content(self, path: str) -> bytes:
        """See `disk.content`."""
        inner = self._inner(path)
        if inner is None:
            return disk.content(path)
        entry = self._entries.get(inner)
        if entry is None:
            raise _no_file(path, errno.EISDIR if inner in self._folders else errno.ENOENT)
        if entry.blob not in self._read:
            likely = [one.blob for name, one in self._entries.items() if name.endswith(_LIKELY)]
            wanted = likely if not self._read and len(likely) <= _MOST_LIKELY else []
            self._read.update(self.git.contents([entry.blob, *wanted], MAX_BYTES))
        return self._read[entry.blob]

    def entries(self, path: str) -> tuple[tuple[str, str], ...]:
        """See `disk.entries`."""
        inner = self._inner(path)
        if inner is None:
            return disk.entries(path)
        if inner not in self._folders:
            raise _no_file(path, errno.ENOTDIR if inner in self._entries else errno.ENOENT)
        return tuple(sorted((name, self._kind(inner, name, kind)) for name, kind in self._folders[inner].items()))

    def is_folder(self, path: str) -> bool:
        """See `disk.is_folder`."""
        inner = self._inner(path)
        return disk.is_folder(path) if inner is None else inner in self._folders

    def is_file(self, path: str) -> bool:
        """See `disk.is_file`."""
        inner = self._inner(path)
        return disk.is_file(path) if inner is None else inner in self._entries

    def is_there(self, path: str) -> bool:
        """See `disk.is_there`; the top of a repository has its mark, which is in no commit."""
        inner = self._inner(path)
        return disk.is_there(path) if inner is None else inner in self._entries or inner in {*self._folders, ".git"}

    def real(self, path: str) -> str:
        """See `disk.real`."""
        inner = self._inner(path)
        return disk.real(path) if inner is None else os.path.normpath(os.path.join(self.git.top, inner))

    # ---- paths

    def _inner(self, path: str) -> str | None:
        """A path from the top, links of the commit followed, empty for the top; None where it leads outside."""
        outer = os.path.abspath(path)
        inner = _below(self.git.top, outer)
        if inner is None:
            # Through a link on the disk that stands before the repository.
            inner = _below(self.git.top, disk.real(outer))
        return None if inner is None else self._followed(inner)

    def _followed(self, path: str) -> str | None:
        rest, done, links = path.split("/") if path else [], "", 0
        while rest:
            done = posixpath.join(done, rest.pop(0))
            entry = self._entries.get(done)
            if entry is None or entry.mode != _LINK:
                continue
            links += 1
            if links > _MOST_LINKS:
                return done
            target = posixpath.join(posixpath.dirname(done), os.fsdecode(self._target(entry)))
            if posixpath.isabs(target) or posixpath.normpath(target).split("/")[0] == "..":
                below = _below(self.git.top, os.path.normpath(os.path.join(self.git.top, target)))
                if below is None:
                    return None
                target = below
            rest, done = [*filter(None, posixpath.normpath(target).split("/")), *rest], ""
            rest = [part for part in rest if part != "."]
        return done

    def _target(self, entry: Entry) -> bytes:
        """Where a link leads; all of them are read with the first."""
        if entry.blob not in self._read:
            links = [one.blob for one in self._entries.values() if one.mode == _LINK]
            self._read.update(self.git.contents(links, MAX_BYTES))
        return self._read[entry.blob]

    def _kind(self, folder: str, name: str, kind: str) -> str:
        path = posixpath.join(folder, name)
        entry = self._entries.get(path)
        if entry is None or entry.mode != _LINK:
            return kind
        inner = self._followed(path)
        if inner is None or inner in self._folders:
            return disk.LINK if inner is not None else disk.OTHER
        return disk.FILE if inner in self._entries else disk.OTHER


def _folders_of(paths: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """The names in each folder that there is with some of these paths, each with what it is."""
    found: dict[str, dict[str, str]] = {"": {}}
    for path in paths:
        kind = disk.FILE
        while path:
            folder, _, name = path.rpartition("/")
            known = folder in found
            found.setdefault(folder, {})[name] = kind
            if known:
                break
            path, kind = folder, disk.FOLDER
    return found


def _below(top: str, path: str) -> str | None:
    """A path from the top on, with forward slashes; None where it does not lie below it."""
    if path == top:
        return ""
    beginning = top if top.endswith(os.sep) else top + os.sep
    return path[len(beginning) :].replace(os.sep, "/") if path.startswith(beginning) else None


def _no_file(path: str, number: int) -> OSError:
    return OSError(number, os.strerror(number), path)
