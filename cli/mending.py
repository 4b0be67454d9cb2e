"""Findings to the texts in which they are mended, round by round; then these are shown, or written.

Of fixes that are safe all that are apart are made at once. Another one, which a person has decided on, is made by
itself. What does not clear its finding, or brings another one, is taken back.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.cli.arguments import each_checked
from runplan.cli.outcome import CannotRun
from runplan.cli.paths import Projects, reader_for
from runplan.cli.rewriting import difference, replace_file
from runplan.cli.stream import tell, write
from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.installed import shared
from runplan.dsl.text import disk
from runplan.dsl.text.finding import Finding, Fix
from runplan.dsl.text.fixes import apart, edited, landed
from runplan.dsl.text.reader import FileSystem, decoded
from runplan.dsl.text.words import counted
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.gate import Gate

if TYPE_CHECKING:
    from runplan import Project

Checks = Sequence[tuple["Project", Gate]]
# Checks the plans by a disk that has, or would have, their files.
Check = Callable[[FileSystem], Checks]
# A finding, or a fix of one, in words that stay where others are mended.
Who = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """The disk as if some files had other texts.

    Attributes:
        texts: By their paths with all links followed.
    """

    texts: Mapping[str, str]

    def content(self, path: str) -> bytes:
        """See `disk.content`."""
        text = self.texts.get(disk.real(path))
        return disk.content(path) if text is None else text.encode("utf-8", "surrogatepass")

    entries = staticmethod(disk.entries)
    is_folder = staticmethod(disk.is_folder)
    is_file = staticmethod(disk.is_file)
    is_there = staticmethod(disk.is_there)
    real = staticmethod(disk.real)


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of mending plans.

    Attributes:
        checks: The plans as they are then.
        files: The files that change, by their paths with all links followed: what each is called, its text, and that
            which it is to have.
        made: How many findings are mended.
        stdin: The path that standard input stands for, and what it has; None where it is not read.
    """

    checks: Checks
    files: Mapping[str, tuple[str, str, str]]
    made: int
    stdin: tuple[str, str] | None = None

    def tell(self, *, write_it: bool) -> None:
        """Write the files that change, or show how they would; of standard input on standard output.

        Raises:
            CannotRun: Where one cannot be written, or is another than it was.
        """
        for path, (said, before, after) in self.files.items():
            if not write_it:
                write(difference(before, after, said, "fixed"))
            elif self.stdin is None or path != self.stdin[0]:
                _write(path, said, before, after)
        if write_it and self.stdin is not None:
            path, text = self.stdin
            write(self.files[path][2] if path in self.files else text)
        told = f"{counted(self.made, 'finding')} in {counted(len(self.files), 'file')}" if self.made else "nothing"
        tell(f"plan check: {'fixed' if write_it else 'would fix'} {told}")


def _write(path: str, said: str, before: str, after: str) -> None:
    content = disk.content(path)
    if decoded(said, content)[0].text != before:
        raise CannotRun(f"{said}: it changed meanwhile, and is left as it is")
    disk.unsteady()
    replace_file(path, "\ufeff" * content.startswith(b"\xef\xbb\xbf") + after)


@dataclass(frozen=True, slots=True)
class _Try:
    """A fix that is to be made: of what, and in which files, by their paths with all links followed."""

    finding: Finding
    fix: Fix
    paths: Mapping[str, str]

    @property
    def who(self) -> Who:
        return *_who(self.finding), self.fix.title


@dataclass(slots=True)
class _Mending:
    check: Check
    texts: dict[str, str]
    checks: Checks
    before: dict[str, tuple[str, str]] = field(default_factory=dict)
    made: int = 0
    refused: set[Who] = field(default_factory=set)

    def tries(self, *, safe: bool) -> Iterator[_Try]:
        """The fixes that have not been tried: of each finding the first one."""
        for project, gate in self.checks:
            for finding in gate.findings:
                for fix in finding.fixes:
                    paths = _paths(project, fix) if fix.safe == safe else None
                    if paths is not None and (one := _Try(finding, fix, paths)).who not in self.refused:
                        yield one
                        break

    def step(self, tries: Sequence[_Try]) -> None:
        """Make fixes that are apart, and take back those that did not help."""
        made = {id(fix) for fix in apart(one.fix for one in tries)}
        tries = [one for one in tries if id(one.fix) in made]
        texts = self._with(tries)
        checks = self.check(Edited(texts))
        good = [one for one in tries if self._helps(one, tries, checks)]
        self.refused |= {one.who for one in tries if one not in good}
        if good and len(good) < len(tries):
            texts = self._with(good)
            checks = self.check(Edited(texts))
        if good:
            self.texts, self.checks, self.made = texts, checks, self.made + len(good)

    def _with(self, tries: Sequence[_Try]) -> dict[str, str]:
        """The texts with fixes made."""
        texts = dict(self.texts)
        sources = {e.span.source.path: (e.span.source, one.paths) for one in tries for e in one.fix.edits}
        for said, (source, paths) in sources.items():
            self.before.setdefault(paths[said], (said, source.text))
            texts[paths[said]] = edited(source, (one.fix for one in tries))
        return texts

    def _helps(self, one: _Try, tries: Sequence[_Try], checks: Checks) -> bool:
        """Whether a fix clears its finding, and brings none where it was made; of what was solved, none at all."""
        before, after = (Counter(map(_who, _findings(each))) for each in (self.checks, checks))
        if after[_who(one.finding)] >= before[_who(one.finding)]:
            return False
        new = [found for found in _findings(checks) if _who(found) not in before]
        if one.finding.laws:
            return not any(found.severity == "error" for found in new)
        places = list(landed((other.fix for other in tries), one.fix))
        spans = [label.span for f in new if f.code[:1] in "SN" for label in (f.at, *f.also)]
        return not any(
            span.source.path == path and span.start <= end and start <= span.end
            for span in spans
            for path, start, end in places
        )


def mended_plans(
    files: Sequence[str], stdin_filename: str | None, check: Callable[[Project, str], Gate], *, unsafe: bool
) -> Mended:
    """Plans with what is found in them mended; `-` is standard input.

    Args:
        check, unsafe: The check of a plan of a project; see `mended`.

    Raises:
        CannotRun: Where one cannot be read.
    """
    names, texts, base = list(files), dict[str, str](), shared()
    if "-" in names:
        name, _, reader = reader_for("-", stdin_filename)
        source, wrong = decoded(name, reader.read(name))
        if wrong:
            raise CannotRun(f"standard input: {wrong.message}")
        texts[disk.real(name)] = source.text
        names[names.index("-")] = name
    found = mended(lambda on: tuple(each_checked(names, Projects(on=on, base=base), check)), unsafe=unsafe, texts=texts)
    return replace(found, stdin=next(iter(texts.items()), None))


def mended(check: Check, *, unsafe: bool, texts: Mapping[str, str]) -> Mended:
    """Plans with what is found in them mended, until nothing changes.

    Args:
        unsafe: Whether to make fixes, too, that may say another thing than was meant.
        texts: What files are to be taken for, such as standard input, by their paths with all links followed.
    """
    mending = _Mending(check, dict(texts), check(Edited(texts)))
    while True:
        if tries := list(mending.tries(safe=True)):
            mending.step(tries)
        elif unsafe and (one := next(mending.tries(safe=False), None)):
            mending.step([one])
        else:
            break
    files = {path: (said, text, mending.texts.get(path, text)) for path, (said, text) in mending.before.items()}
    return Mended(mending.checks, {path: one for path, one in files.items() if one[1] != one[2]}, mending.made)


def _findings(checks: Checks) -> Iterator[Finding]:
    return (finding for _, gate in checks for finding in gate.findings)


def _who(finding: Finding) -> Who:
    """A finding in words that stay where another figure stands: of what is solved, what it is about."""
    about = finding.key if finding.laws and finding.key else finding.message
    return finding.code, finding.at.span.source.path, about


def _paths(project: Project, fix: Fix) -> dict[str, str] | None:
    """The files that a fix changes, by what findings call them; None where one lies outside of the project."""
    paths: dict[str, str] = {}
    for source in {edit.span.source.path: edit.span.source for edit in fix.edits}.values():
        # The files of packs are called by their paths from the root, and others as they are named.
        for path in (source.path, os.path.join(project.root, source.path)):
            if project.reader.resolve(path) is not None and _text(project, path) == source.text:
                paths[source.path] = disk.real(path)
                break
        else:
            return None
    return paths


def _text(project: Project, path: str) -> str | None:
    """The text of a file as a project has it; None where there is none."""
    try:
        return decoded(path, project.reader.read(path))[0].text
    except OSError:
        return None
