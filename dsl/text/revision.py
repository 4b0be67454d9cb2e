"""A commit to what a disk with it checked out would be: the looks of `disk.py`, by the paths of the working tree."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text import disk
from runplan.dsl.text.git import Entry, Git
from runplan.dsl.text.limits import MAX_BYTES, most_bytes

_LINK = "120000"
# Links that lead from one to the next; more are a circle.
_MOST_LINKS = 40
# What is likely to be asked for, and is read with the first that is; one by one it would take a process each.
_LIKELY = (".plan", ".plan.yaml", ".plan.yml", "runplan.toml", "pyproject.toml")
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
        inner, outer = self._where(path)
        if inner is None:
            return disk.content(outer)
        entry = self._entries.get(inner)
        if entry is None:
            raise _no_file(path, errno.EISDIR if inner in self._folders else errno.ENOENT)
        if entry.mode == _LINK:
            raise _no_file(path, errno.ELOOP)
        return self._content(entry, most_bytes(inner))

    def entries(self, path: str) -> tuple[tuple[str, str], ...]:
        """See `disk.entries`."""
        inner, outer = self._where(path)
        if inner is None:
            return disk.entries(outer)
        if inner not in self._folders:
            raise _no_file(path, errno.ENOTDIR if inner in self._entries else errno.ENOENT)
        return tuple(sorted((name, self._kind(inner, name, kind)) for name, kind in self._folders[inner].items()))

    def is_folder(self, path: str) -> bool:
        """See `disk.is_folder`."""
        inner, outer = self._where(path)
        return disk.is_folder(outer) if inner is None else inner in self._folders

    def is_file(self, path: str) -> bool:
        """See `disk.is_file`."""
        inner, outer = self._where(path)
        return disk.is_file(outer) if inner is None else self._has(inner)

    def is_there(self, path: str) -> bool:
        """See `disk.is_there`; the top of a repository has its mark, which is in no commit."""
        inner, outer = self._where(path)
        return disk.is_there(outer) if inner is None else self._has(inner) or inner in {*self._folders, ".git"}

    def real(self, path: str) -> str:
        """See `disk.real`."""
        inner, outer = self._where(path)
        return disk.real(outer) if inner is None else os.path.normpath(os.path.join(self.git.top, inner))

    # ---- paths

    def _where(self, path: str) -> tuple[str | None, str]:
        """A path from the top, links of the commit followed, empty for the top; where it leads outside, None and where.

        What is left a link leads round in a circle.
        """
        outer = os.path.abspath(path)
        inner = _below(self.git.top, outer)
        if inner is None:
            # Through a link on the disk that stands before the repository.
            inner = _below(self.git.top, disk.real(outer))
        rest, done, links = [] if inner is None else inner.split("/"), "", 0
        while rest and inner is not None:
            done = posixpath.join(done, rest.pop(0))
            entry = self._entries.get(done)
            if entry is None or entry.mode != _LINK or links == _MOST_LINKS:
                continue
            links += 1
            target = os.path.join(self.git.top, posixpath.dirname(done), os.fsdecode(self._content(entry)))
            outer, done = os.path.normpath(os.path.join(target, *rest)), ""
            inner = _below(self.git.top, outer)
            rest = inner.split("/") if inner else []
        return (None, outer) if inner is None else (done, outer)

    def _has(self, inner: str) -> bool:
        return inner in self._entries and self._entries[inner].mode != _LINK

    def _content(self, entry: Entry, most: int = MAX_BYTES) -> bytes:
        """What a file says, or where a link leads; what is likely to be asked for next is read with the first."""
        if entry.blob not in self._read:
            if most != MAX_BYTES:
                self._read.update(self.git.contents([entry.blob], most))
                return self._read[entry.blob]
            link = entry.mode == _LINK
            near = (one for name, one in self._entries.items() if one.mode == _LINK or not (link or not _likely(name)))
            wanted = [one.blob for one in near if one.blob not in self._read]
            self._read.update(self.git.contents([entry.blob, *wanted[:_MOST_LIKELY]], MAX_BYTES))
        return self._read[entry.blob]

    def _kind(self, folder: str, name: str, kind: str) -> str:
        path = posixpath.join(folder, name)
        entry = self._entries.get(path)
        if entry is None or entry.mode != _LINK:
            return kind
        there = os.path.join(self.git.top, path)
        return disk.FILE if self.is_file(there) else disk.LINK if self.is_folder(there) else disk.OTHER


def _likely(name: str) -> bool:
    return name.endswith(_LIKELY)


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
