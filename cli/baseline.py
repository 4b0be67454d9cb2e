"""A baseline: the findings that a project lives with, in a file, so that a check tells of what is new or has grown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping

from runplan.cli.outcome import CannotRun
from runplan.cli.show.findings.identity import node
from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.text import disk
from runplan.dsl.text.codes import RANK, silenceable
from runplan.dsl.text.finding import Finding
from runplan.engine.alike import SAME, Size, size_of
from runplan.engine.gate import Gate

SCHEMA = "plan.baseline/v1"
# Code, file, node and laws: no line and no figure, which move.
_Who = tuple[str, str, str, str]
_SEVERITIES = tuple(RANK)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is lived with: by who a finding is, how severe and how far off each of its kind may be.

    Attributes:
        path: Its file, which names others from its folder.
        names: What each code is called.
    """

    path: str
    known: Mapping[_Who, tuple[Size, ...]]
    names: Mapping[str, str] = field(default_factory=dict)

    def without(self, gates: Iterable[Gate]) -> tuple[list[Gate], int]:
        """The checks without what is known, and how many findings that are."""
        kept = [self._without(gate) for gate in gates]
        return [gate for gate, _ in kept], sum(count for _, count in kept)

    def gone(self, gates: Iterable[Gate]) -> int:
        """How many of those known are gone: of the files that were checked, in any size, or with their file."""
        checked = list(gates)
        files = {self._file(gate.verdict.file) for gate in checked}
        found = {self._who(f) for gate in checked for f in gate.findings}
        is_gone = (who not in found if who[1] in files else not self._is_there(who[1]) for who in self.known)
        return sum(len(sizes) for sizes, gone in zip(self.known.values(), is_gone, strict=True) if gone)

    def _is_there(self, file: str) -> bool:
        return disk.is_there(os.path.join(os.path.dirname(self.path), file))

    def _without(self, gate: Gate) -> tuple[Gate, int]:
        left = {who: list(offs) for who, offs in self.known.items()}

        def is_known(found: Finding) -> bool:
            there, (rank, far) = left.get(self._who(found), []), size_of(found)
            # The tightest that it fits: another that is alike may be further off, in another stage.
            fit = [size for size in there if size[0] <= rank and far <= size[1] * SAME]
            if fit:
                there.remove(min(fit, key=_tightest))
            return bool(fit)

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
        """The text of a baseline in this place: what one may live with of these checks, and of other files what it had.

        Of a file that is gone it has nothing.
        """
        checked = list(gates)
        files = {self._file(gate.verdict.file) for gate in checked}
        found = [(self._who(f), size_of(f), f.name) for g in checked for f in _bearable(g) if f.severity != "info"]
        kept = [who for who in self.known if who[1] not in files and self._is_there(who[1])]
        found += [(who, size, self.names.get(who[0], "")) for who in kept for size in self.known[who]]
        told = [
            {
                "code": code,
                "name": name,
                "file": file,
                "node": where,
                "laws": laws,
                "severity": _SEVERITIES[rank],
                "off": float(f"{far:.6g}"),
            }
            for (code, file, where, laws), (rank, far), name in sorted(
                found, key=lambda one: (one[0], one[1][0], -one[1][1])
            )
        ]
        return json.dumps({"schema": SCHEMA, "findings": told}, indent=2, ensure_ascii=True) + "\n"


def _tightest(size: Size) -> tuple[int, float]:
    return -size[0], size[1]


def _bearable(gate: Gate) -> Iterator[Finding]:
    """The findings that one may live with: those of a plan that is solved, and not of its text or its figures."""
    return (found for found in gate.findings if gate.verdict.solved and _may_wait(found))


def _may_wait(found: Finding) -> bool:
    return silenceable(found.code) and (found.budget is None or found.budget.baseline)


def baseline(path: str, *, new: bool = False) -> Baseline:
    """The baseline of a file.

    Args:
        new: Whether it is about to be written: then there need be none yet, and what is none knows nothing.

    Raises:
        CannotRun: Where it cannot be read, or is none.
    """
    try:
        return _read(path)
    except CannotRun:
        if new:
            return Baseline(path, {})
        raise


def _read(path: str) -> Baseline:
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
    found: dict[_Who, list[Size]] = {}
    names: dict[str, str] = {}
    try:
        for entry in document["findings"]:
            who = (entry["code"], entry["file"], entry["node"], entry["laws"])
            # One that was written before severities were bears any.
            size = (_SEVERITIES.index(entry.get("severity", "error")), float(entry["off"]))
            found.setdefault(who, []).append(size)
            names[who[0]] = entry["name"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CannotRun(f"{path}: an entry is not as `--write-baseline` writes it ({error!r})") from error
    return Baseline(path, {who: tuple(sizes) for who, sizes in found.items()}, names)
