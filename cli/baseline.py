"""A baseline: the findings that a project lives with, in a file, so that a check tells of what is new or has grown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping

from runplan.cli.outcome import CannotRun
from runplan.cli.show.findings.identity import node
from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.text import disk
from runplan.dsl.text.codes import silenceable
from runplan.dsl.text.finding import Finding
from runplan.engine.alike import SAME, off
from runplan.engine.gate import Gate

SCHEMA = "plan.baseline/v1"
# Code, file, node and laws: no line and no figure, which move.
_Who = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is lived with: by who a finding is, how far off each of its kind may be, the furthest first.

    Attributes:
        path: Its file, which names others from its folder.
    """

    path: str
    known: Mapping[_Who, tuple[float, ...]]

    def without(self, gates: Iterable[Gate]) -> tuple[list[Gate], int]:
        """The checks without what is known, and how many findings that are."""
        kept = [self._without(gate) for gate in gates]
        return [gate for gate, _ in kept], sum(count for _, count in kept)

    def gone(self, gates: Iterable[Gate]) -> int:
        """How many of those known in the files that were checked are not found any more, in any size."""
        checked = list(gates)
        files = {self._file(gate.verdict.file) for gate in checked}
        found = {self._who(f) for gate in checked for f in gate.findings}
        return sum(len(offs) for who, offs in self.known.items() if who[1] in files and who not in found)

    def _without(self, gate: Gate) -> tuple[Gate, int]:
        left = {who: list(offs) for who, offs in self.known.items()}

        def is_known(found: Finding) -> bool:
            offs = left.get(self._who(found), [])
            # The tightest that it fits: another that is alike may be further off, in another stage.
            fits = min((most for most in offs if off(found) <= most * SAME), default=None)
            if fits is not None:
                offs.remove(fits)
            return fits is not None

        known = [found for found in _bearable(gate) if is_known(found)]
        places = {(f.code, f.at.span.start, f.laws) for f in known}
        shown = tuple(f for f in gate.findings if not any(f is one for one in known))
        by = tuple(f for f in gate.verdict.by if (f.code, f.at.span.start, f.laws) not in places)
        return replace(gate, findings=shown, verdict=replace(gate.verdict, by=by)), len(known)

    def _file(self, path: str) -> str:
        return os.path.relpath(path, os.path.dirname(self.path) or ".").replace(os.sep, "/")

    def _who(self, found: Finding) -> _Who:
        return found.code, self._file(found.at.span.source.path), node(found), ", ".join(found.laws)

    def of(self, gates: Iterable[Gate]) -> str:
        """The text of a baseline in this place that knows the findings of these checks that one may live with."""
        found = (f for gate in gates for f in _bearable(gate) if f.severity != "info")
        entries = sorted((self._who(f), -off(f), f.name) for f in found)
        told = [
            {"code": code, "name": name, "file": file, "node": where, "laws": laws, "off": float(f"{-less:.6g}")}
            for (code, file, where, laws), less, name in entries
        ]
        return json.dumps({"schema": SCHEMA, "findings": told}, indent=2, ensure_ascii=True) + "\n"


def _bearable(gate: Gate) -> Iterator[Finding]:
    """The findings that one may live with: those of a plan that is solved, and not of its text or its figures."""
    return (found for found in gate.findings if gate.verdict.solved and _may_wait(found))


def _may_wait(found: Finding) -> bool:
    return silenceable(found.code) and (found.budget is None or found.budget.baseline)


def baseline(path: str, *, new: bool = False) -> Baseline:
    """The baseline of a file.

    Args:
        new: Whether it is about to be written: then it knows nothing yet.

    Raises:
        CannotRun: Where it cannot be read, or is none.
    """
    if new:
        return Baseline(path, {})
    try:
        document = json.loads(disk.content(path))
    except OSError as error:
        help = "; `--write-baseline` makes one" if not disk.is_there(path) else ""
        raise CannotRun(f"{path}: {error.strerror or 'cannot be read'}{help}") from error
    except ValueError as error:
        raise CannotRun(f"{path}: no JSON: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise CannotRun(f"{path}: its schema is {str(schema)[:40]!r} and not {SCHEMA!r}: `--write-baseline` makes one")
    found: dict[_Who, list[float]] = {}
    try:
        for who, far in _entries(document["findings"]):
            found.setdefault(who, []).append(far)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotRun(f"{path}: an entry is not as `--write-baseline` writes it ({error!r})") from error
    return Baseline(path, {who: tuple(sorted(offs, reverse=True)) for who, offs in found.items()})


def _entries(entries: list[dict[str, str]]) -> Iterator[tuple[_Who, float]]:
    for entry in entries:
        yield (entry["code"], entry["file"], entry["node"], entry["laws"]), float(entry["off"])
