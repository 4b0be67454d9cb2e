"""The plans that a command names to what they were as of a commit: by their path, by git's word, by what they say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runplan.cli.outcome import CannotRun
from runplan.cli.paths import ENDINGS, Projects, plans_below
from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.syntax.imports import read_file, syntax_of
from runplan.dsl.text import disk
from runplan.dsl.text.git import FETCH, Git
from runplan.dsl.text.reader import FileSystem, decoded
from runplan.dsl.text.revision import Revision
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.differences.sides import Side

if TYPE_CHECKING:
    from runplan import Project
    from runplan.engine.report import Report

# From this share of what two plans say in common on, the one was the other; git has the same figure.
ALIKE = 0.5
# To compare each of these with each is still soon done.
_MOST_PAIRS = 40_000


def side_of(project: Project, path: str) -> Side:
    """A plan of a project, to be solved when that is asked for.

    Raises:
        OSError: Where it cannot be read.
    """

    def solve() -> Report:
        return project.report(path, intervals=False, layouts=True)

    file, found = read_file(path, project.reader)
    return Side(path, project.reader, file, tuple(found), project.library, project.base, solve)


def side_at(projects: Projects, path: str) -> tuple[Side, Project]:
    """A plan by its path, and its project.

    Raises:
        BadConfig: Where the project's configuration cannot be used.
        OSError: Where it cannot be read.
    """
    name, project = projects.of(path)
    return side_of(project, name), project


def rests_alike(then: Project, now: Project) -> bool:
    """Whether projects choose alike what is shown, and have the same lock and budgets; packs are a side's own."""
    alike = then.configuration == now.configuration and then.pins == now.pins
    return alike and then.library.budgets == now.library.budgets


def repository_of(paths: Sequence[str]) -> Git:
    """The repository that paths of the command line are in; that of the current folder where there are none.

    Raises:
        NoRevision: Where they are in none.
    """
    there = next((path for path in paths if path != "-" and disk.is_there(path)), os.curdir)
    return Git.of((there if disk.is_folder(there) else os.path.dirname(there)) or os.curdir)


def revision(git: Git, ref: str) -> Revision:
    """A commit by its name, or as `REF...` the one at which the history of another and of this one parted.

    Raises:
        NoRevision: Where there is none.
        CannotRun: Where the two share no history.
    """
    if not ref.endswith("..."):
        return Revision.of(ref, git)
    return Revision.of(base_of(git, ref.removesuffix("...")), git)


def base_of(git: Git, ref: str, other: str = "HEAD") -> str:
    """The commit at which the history of a branch and of another, of what is checked out, parted.

    Raises:
        NoRevision: Where there is no such branch.
        CannotRun: Where the two share no history.
    """
    found = git.base(git.commit(ref), git.commit(other))
    if found is None:
        help = FETCH if git.is_shallow else "name a commit that both come from"
        raise CannotRun(f"`{ref[:80]}` and `{other[:80]}` share no commit; {help}")
    return found


def usual_base(git: Git) -> tuple[str, str]:
    """What one compares with where no commit is named, and how it is called.

    It is where the branch that is checked out left the default branch; without one, the last commit.

    Raises:
        NoRevision: Where nothing is committed.
        CannotRun: Where the two share no history.
    """
    branch = git.default_branch()
    if branch is None:
        return "HEAD", "HEAD"
    commit = base_of(git, branch)
    return commit, "HEAD" if commit == git.commit("HEAD") else branch


@dataclass(frozen=True)
class Then:
    """What a project was as of a commit, beside what it is.

    Attributes:
        now: What it is: the disk, or another commit.
    """

    revision: Revision
    now: FileSystem = disk
    projects: Projects = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "projects", Projects(on=self.revision))

    def names_of(self, files: Iterable[str]) -> dict[str, str | None]:
        """For each plan the path that it had then; None where there was none.

        Raises:
            CannotRun: For a plan outside the repository.
        """
        found: dict[str, str | None] = {}
        for file in files:
            if self._inner(file) is None:
                raise CannotRun(f"{file} does not lie in the repository {self.revision.git.top}")
            found[file] = file if self.revision.is_file(file) else None
        if new := [file for file, was in found.items() if was is None]:
            found |= self._followed(new)
        return found

    def is_gone(self, file: str) -> bool:
        """Whether a plan of then is at its path no more."""
        return not self.now.is_file(file)

    def below(self, on: FileSystem) -> list[str]:
        """All plans of the repository, as it is now or was then."""
        return list(plans_below(os.path.relpath(self.revision.git.top), on))

    def same(self, one: str, other: str) -> bool:
        """Whether two paths are of one place."""
        return self._inner(one) == self._inner(other)

    def _inner(self, file: str) -> str | None:
        path, top = os.path.abspath(file), self.revision.git.top
        for one in (path, disk.real(path)):
            if one.startswith(top + os.sep):
                return os.path.relpath(one, top).replace(os.sep, "/")
        return None

    def _followed(self, new: Sequence[str]) -> dict[str, str]:
        """The plans that had another name then, with that name."""
        gone = {self._inner(name): name for name in self.below(self.revision) if self.is_gone(name)}
        if not gone:
            return {}
        newest = self.now.commit if isinstance(self.now, Revision) else "HEAD"
        known = self.revision.git.renames(self.revision.commit, newest, ENDINGS)
        found: dict[str, str] = {}
        for file in new:
            if (name := gone.pop(known.get(self._inner(file) or "", ""), None)) is not None:
                found[file] = name
        rest = [file for file in new if file not in found]
        if len(rest) * len(gone) <= _MOST_PAIRS:
            said = {name: _said(name, self.revision) for name in gone.values()}
            found |= pairs({file: _said(file, self.now) for file in rest}, said)
        return found


def pairs(new: Mapping[str, Said], gone: Mapping[str, Said]) -> dict[str, str]:
    """The plans that say most in common, each with its nearest, as far as they are alike."""
    likely = [(alike(is_, was), file, name) for file, is_ in new.items() for name, was in gone.items()]
    found: dict[str, str] = {}
    for share, file, name in sorted(likely, key=lambda one: (-one[0], one[1:])):
        if share >= ALIKE and file not in found and name not in found.values():
            found[file] = name
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """What a plan says: its lines, and its statements, whichever the spelling."""

    lines: Counter[str]
    statements: Counter[str]


def alike(one: Said, other: Said) -> float:
    """The share of what two plans say in common, of the one that says more."""
    return max(_common(one.lines, other.lines), _common(one.statements, other.statements))


def _common(one: Counter[str], other: Counter[str]) -> float:
    sizes = [sum(len(text) * count for text, count in side.items()) for side in (one, other)]
    common = sum(len(text) * min(count, other[text]) for text, count in one.items())
    return common / max(sizes) if max(sizes) else 0.0


def _said(path: str, on: FileSystem) -> Said:
    try:
        content = on.content(path)
    except OSError:
        content = b""
    source, _ = decoded(path.replace(os.sep, "/"), content)
    lines = Counter(line for raw in source.text.splitlines() if (line := raw.strip()))
    words = [" ".join(map(str, _words(node))) for node in syntax_of(source)[0].statements]
    return Said(lines, Counter(words))


def _words(node: object) -> Iterable[str]:
    from runplan.dsl.syntax.tree import Node, leaves

    assert isinstance(node, Node)
    return [node.rule, *(leaf.text for leaf in leaves(node))]
