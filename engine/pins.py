"""The report of a plan and the lock of its project to findings: what is not pinned, and what has moved all the same."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.configuration import Configuration
from runplan.dsl.packs.library import Library
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.reader import Reader, decoded
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import enumerated
from runplan.engine.lock import Lock, Locked, changed, defaults_of, moved, rests_on, said, shown, values_of
from runplan.engine.report import Report

# So many values, or packs, are named.
_MOST = 6


def unpinned(library: Library, lock: Lock | None, reader: Reader, configuration: Configuration) -> Iterator[Finding]:
    """Packs that no lock pins (R001), once for a project: where its configuration names packs."""
    brought = (file.source.path for file in library.shelf.brought)
    packs = [path for path in brought if lock is None or path not in lock.packs]
    if packs:
        named = [f"`{path}`" for path in packs[:_MOST]] + ([f"{len(packs) - _MOST} more"] if len(packs) > _MOST else [])
        several = len(packs) > 1
        yield finding(
            "R001",
            f"{'the packs' if several else 'the pack'} {enumerated(named)} {'are' if several else 'is'} not pinned: "
            "what plans come to may move with them, and no check says so"
            if several
            else f"the pack {named[0]} is not pinned: what plans come to may move with it, and no check says so",
            _where(reader, configuration),
            help=["`plan lock` writes what they rest on into `runplan.lock`, and a check then says what has moved"],
            key="packs",
        )


def _where(reader: Reader, configuration: Configuration) -> Span:
    """The packs of a configuration; the beginning of it where packs come of wheels alone."""
    path = configuration.file
    try:
        source = decoded(path, reader.read(path))[0] if path else Source("runplan.toml", "")
    except OSError:
        source = Source(path, "")
    shown = Source(os.path.relpath(path).replace(os.sep, "/") if os.path.isabs(path) else source.path, source.text)
    found = re.search(r"^[ \t]*packs[ \t]*=[^\n]*", shown.text, re.MULTILINE)
    return Span(shown, found.start(), found.end()) if found else Span(shown, 0, 0)


def answer_moved(
    report: Report, lock: Lock, then: Locked, library: Library, reader: Reader, version: str
) -> Iterator[Finding]:
    """What a plan comes to otherwise than it did when it was locked, though it says the same (R002)."""
    if report.plan is None or not report.solutions:
        return
    values, status = values_of(report), report.solutions[0].status
    names = moved(then.values, values)
    if (not names and then.status == status) or said(report, reader) != then.text:
        return
    now = replace(then, status=status, values=values, defaults=defaults_of(report))
    why = changed(lock, rests_on(library, reader, version)) or ("nothing that is locked has changed",)
    because = f"{'; '.join(why[:_MOST])}, and the plan has not"
    data: dict[str, float | str] = {}
    told = [(name, shown(now.values[name]), shown(then.values[name])) for name in names]
    if then.status != status:
        message = f"the plan is {status}, and was {then.status} when it was locked"
    else:
        (name, is_, was), *told = told
        message = f"`{name}` is {is_}, and was {was} when it was locked"
        (figure, unit), (before, _) = now.values[name], then.values[name]
        data = {"quantity": name, "value": figure, "locked": before, "unit": unit}
    notes = [f"{name}: {is_}, locked {was}" for name, is_, was in told[:_MOST]]
    taken = [name for name in {**now.defaults, **then.defaults} if now.defaults.get(name) != then.defaults.get(name)]
    for name in taken[:_MOST]:
        is_, was = (side.defaults.get(name, "nothing") for side in (now, then))
        notes.append(f"taken where the plan says nothing: {name} {is_}, locked {was}")
    help = ["where the new answer is right, `plan lock` takes it", "`plan diff --base REF` says which change moved it"]
    yield finding(
        "R002", f"{message}: {because}", report.plan.first_statement, notes=notes, help=help, key="lock", data=data
    )
