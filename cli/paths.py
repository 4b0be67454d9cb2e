"""Paths of the command line to plan files, and to the projects that they lie in."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence

from runplan.cli.outcome import CannotRun
from runplan.cli.show.text.plain import plain
from runplan.cli.stream import tell
from runplan.dsl.packs.configuration import Configuration, configuration_of, folders_above, root_of
from runplan.dsl.packs.installed import shared
from runplan.dsl.text import disk
from runplan.dsl.text.reader import Buffer, Disk, FileSystem, Reader
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan import Project
    from runplan.dsl.packs.library import Library

_FOREIGN = frozenset(("__pycache__", "venv", "node_modules", "site-packages"))
ENDINGS = (".plan", ".plan.yaml", ".plan.yml")


class NotFound(CannotRun):
    """Raised for a path that is not there, or a folder without a plan."""


def plan_files(paths: Sequence[str], on: FileSystem = disk) -> list[str]:
    """The plan files of files and folders, each once, in order; `-` is kept for standard input.

    A folder without a plan is said on standard error, where others have some. What is named itself is never left out.

    Args:
        on: The disk, or a commit as if it were checked out.

    Raises:
        NotFound: For a path that is not there, and where no plan was found.
        BadConfig: Where a configuration that may leave out something cannot be used.
    """
    found: dict[str, None] = {}
    empty: list[str] = []
    for path in paths or ["."]:
        if path != "-" and on.is_folder(path):
            below = list(plans_below(path, on))
            found.update(dict.fromkeys(below))
            empty += [] if below else [path]
        elif path == "-" or on.is_there(path):
            found[path] = None
        else:
            raise NotFound(f"no such file or folder: {path}")
    why = f"no plan found in {', '.join(empty)}; plans end in {', '.join(ENDINGS)}"
    if not found:
        raise NotFound(why)
    if empty:
        tell(plain(why))
    return list(found)


def only_plan(folder: str, on: FileSystem = disk) -> str:
    """The plan of a folder that has one.

    Raises:
        NotFound: Where it has none, or several.
        BadConfig: Where a configuration that may leave out something cannot be used.
    """
    first, *more = plan_files([folder], on)
    if more:
        raise NotFound(f"{folder} has {1 + len(more)} plans: name one of them, such as {first}")
    return first


def plans_below(folder: str, on: FileSystem = disk) -> Iterator[str]:
    """The plans in a folder and those below it, without what is hidden, installed or excluded."""
    settings: dict[str, Configuration] = {}
    for base, plans in _walked(folder, on):
        root = root_of(base, on)
        if root not in settings:
            settings[root] = configuration_of(Disk(root, on=on))
        here = os.path.relpath(on.real(base), on.real(root)).replace(os.sep, "/")
        for name in plans:
            if not settings[root].excludes(posixpath.normpath(posixpath.join(here, name))):
                yield os.path.normpath(os.path.join(base, name))


def _walked(folder: str, on: FileSystem) -> Iterator[tuple[str, list[str]]]:
    """Each folder that is searched and has plans, with their names; one that cannot be read has none."""
    waiting = [folder]
    while waiting:
        base = waiting.pop()
        try:
            found = on.entries(base)
        except OSError:
            continue
        inner = [name for name, kind in found if kind == disk.FOLDER and not _is_foreign(base, name, on)]
        waiting += [os.path.join(base, name) for name in reversed(inner)]
        plans = [name for name, kind in found if kind not in (disk.FOLDER, disk.LINK) and name.endswith(ENDINGS)]
        if plans:
            yield base, plans


def _is_foreign(base: str, name: str, on: FileSystem) -> bool:
    """Whether a folder is none of plans of one's own: hidden, or where packages are installed."""
    return name.startswith(".") or name in _FOREIGN or on.is_file(os.path.join(base, name, "pyvenv.cfg"))


def reader_for(path: str, stdin_filename: str | None, on: FileSystem = disk) -> tuple[str, str, Reader]:
    """The name of a plan, the root of its project, and the reader that gives it; `-` reads standard input.

    Raises:
        NotFound: Where standard input is asked for without a name for it.
    """
    if path == "-" and not stdin_filename:
        raise NotFound(
            "`-` reads standard input: add `--stdin-filename x.plan`, or `x.plan.yaml` for YAML; the name says which "
            "spelling it is, and its folder where imports and settings are"
        )
    name = stdin_filename if path == "-" and stdin_filename else path
    root = root_of(os.path.dirname(name), on)
    files = Disk(root, os.curdir, on)
    return name, root, Buffer(name, disk.standard_input(), files) if path == "-" else files


def from_repository(path: str) -> str:
    """A path from the root of the git repository that the file is in, through links, with `/`; else as it is named."""
    there = disk.real(path)
    above = there
    while (parent := os.path.dirname(above)) != above:
        above = parent
        if disk.is_there(os.path.join(above, ".git")):
            return os.path.relpath(there, above).replace(os.sep, "/")
    return path.replace(os.sep, "/")


class Projects:
    """The projects of the plans that one command names, each read once, all beside one library."""

    __slots__ = ("_base", "_by_root", "_on", "_stdin_filename")

    def __init__(self, stdin_filename: str | None = None, on: FileSystem = disk, base: Library | None = None) -> None:
        self._stdin_filename = stdin_filename
        self._on = on
        self._base = base
        self._by_root: dict[str, Project] = {}

    def of(self, path: str) -> tuple[str, Project]:
        """The name of a plan and its project, which reads it under that name; `-` is standard input.

        A folder is the plan in it, where there is one.

        Raises:
            NotFound: Where standard input is asked for without a name for it, and for a folder of none or several.
            BadConfig: Where the project's configuration cannot be used.
        """
        from runplan import Project

        if path != "-" and self._on.is_folder(path):
            path = only_plan(path, self._on)
        name, root, reader = reader_for(path, self._stdin_filename, self._on)
        self._base = self._base or shared()
        if path == "-":
            return name, Project(reader, root, self._base, tuple(folders_above(root, self._on)))
        if root not in self._by_root:
            self._by_root[root] = Project(reader, root, self._base, tuple(folders_above(root, self._on)))
        return name, self._by_root[root]
