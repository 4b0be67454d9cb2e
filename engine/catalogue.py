"""Folders of packs to laws, devices, rules and schedules by name, each file read when something in it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from runplan.dsl.finding import Finding, finding
from runplan.dsl.ir import Vocabulary
from runplan.dsl.law_check import checked, inherit
from runplan.dsl.pack import Law, Pack, QuantityDef, Record, Rule, ScheduleShape
from runplan.dsl.pack_reader import PackReader
from runplan.dsl.reader import decoded, syntax_of
from runplan.dsl.source import Source, Span

# The first line of a definition; a test holds what it finds equal to what the grammar finds.
_HEADER = re.compile(
    r"^(law|rule|schedule|device|mfu|price|region|shape|defaults)[ \t]+([\w.-]+)"
    r'(?:[ \t]+aliases[ \t]+((?:"[^"\n]*"|[\w.-]+)(?:[ \t]*,[ \t]*(?:"[^"\n]*"|[\w.-]+))*))?',
    re.MULTILINE,
)
_ALIAS = re.compile(r'"([^"\n]*)"|([\w.-]+)')


@dataclass(frozen=True, slots=True)
class Header:
    """What a file defines, without reading all of it."""

    kind: str
    name: str
    aliases: tuple[str, ...]
    path: Path
    start: int


def headers(path: Path, text: str) -> Iterator[Header]:
    """The definitions that a pack file begins lines with."""
    for m in _HEADER.finditer(text):
        aliases = tuple(a or b for a, b in _ALIAS.findall(m[3] or ""))
        yield Header(m[1], m[2], aliases, path, m.start())


@dataclass(slots=True)
class Catalogue:
    """Everything that is known: the standard library, packs by path, and what a plan defines itself.

    Attributes:
        findings: What is wrong with the packs that were read so far.
    """

    roots: tuple[tuple[str, Path], ...]
    own: Pack = field(default_factory=Pack)
    findings: list[Finding] = field(default_factory=list)
    _headers: dict[str, dict[str, Header]] = field(default_factory=dict)
    _packs: dict[Path, Pack] = field(default_factory=dict)
    _laws: dict[str, Law] = field(default_factory=dict)
    _quantities: dict[str, QuantityDef] = field(default_factory=dict)

    def with_pack(self, pack: Pack) -> Catalogue:
        """The same with the definitions of a plan in front."""
        return Catalogue(
            self.roots, self.own.plus(pack), list(self.findings), self._headers, self._packs, {}, self._quantities
        )

    # ---- reading

    def files(self) -> Iterator[Path]:
        """Every pack file, in a stable order."""
        for _, root in self.roots:
            yield from [root] if root.is_file() else sorted(root.rglob("*.plan"))

    def index(self, kind: str) -> dict[str, Header]:
        """Headers of a kind by lower-case name and alias; the first root wins."""
        if not self._headers:
            for path in self.files():
                source = self._source(path)
                for header in headers(path, source.text):
                    table = self._headers.setdefault(header.kind, {})
                    for name in (header.name, *header.aliases):
                        known = table.setdefault(name.lower(), header)
                        if known.path != path:
                            self._defined_twice(name, header, known, source)
        return self._headers.get(kind, {})

    def _source(self, path: Path) -> Source:
        """The text of a pack file; empty, with a finding, where it is none."""
        source, wrong = decoded(self.shown_path(path), path.read_bytes())
        if wrong is None:
            return source
        if wrong not in self.findings:
            self.findings.append(wrong)
        return Source(source.path, "")

    def _defined_twice(self, name: str, header: Header, known: Header, source: Source) -> None:
        message = f"{header.kind} `{name}` is defined in {self.shown_path(known.path)} already"
        at = Span(source, header.start, header.start + len(header.kind) + 1 + len(header.name))
        self.findings.append(finding("N005", message, at, help=["give it another name"]))

    def shown_path(self, path: Path) -> str:
        """A pack file's path as findings print it: `stdlib/laws/chinchilla.plan`."""
        for name, root in self.roots:
            if path.is_relative_to(root):
                return "/".join((name, *path.relative_to(root).parts))
        return path.as_posix()

    def pack(self, path: Path) -> Pack:
        """The definitions of one file."""
        if path not in self._packs:
            source = self._source(path)
            file, findings = syntax_of(source)
            in_quantities = path.name == "quantities.plan"
            known = {} if in_quantities else {name: q.counted.dim for name, q in self.quantities().items()}
            reader = PackReader(known)
            self._packs[path] = reader.pack(file.statements)
            self.findings.extend([*findings, *reader.findings])
        return self._packs[path]

    # ---- asking

    def quantities(self) -> dict[str, QuantityDef]:
        """The quantities that plans may name."""
        if not self._quantities:
            for _, root in self.roots:
                path = root / "quantities.plan"
                if path.exists():
                    self._quantities.update({q.name: q for q in self.pack(path).quantities})
        return self._quantities

    def law(self, name: str) -> Law | None:
        """A law by name or alias, with what it inherits and the dimension of each constant; None for no law."""
        key = name.lower()
        if key not in self._laws:
            raw = self._raw_law(name)
            if raw is None:
                return None
            merged, wrong = inherit(raw, self._raw_law)
            law, more = checked(merged)
            self.findings.extend([*wrong, *more])
            self._laws[key] = law
        return self._laws[key]

    def _raw_law(self, name: str) -> Law | None:
        for law in self.own.laws:
            if name.lower() in (known.lower() for known in (law.name, *law.aliases)):
                return law
        header = self.index("law").get(name.lower())
        if header is None:
            return None
        return next((law for law in self.pack(header.path).laws if law.name == header.name), None)

    def record(self, kind: str, name: str) -> Record | None:
        """A record by kind and name or alias."""
        for record in self.own.records:
            if record.kind == kind and name.lower() in (known.lower() for known in (record.name, *record.aliases)):
                return record
        header = self.index(kind).get(name.lower())
        if header is None:
            return None
        records = self.pack(header.path).records
        return next((r for r in records if r.kind == kind and r.name == header.name), None)

    def schedule(self, name: str) -> ScheduleShape | None:
        """A schedule by name."""
        for shape in self.own.schedules:
            if shape.name.lower() == name.lower():
                return shape
        header = self.index("schedule").get(name.lower())
        if header is None:
            return None
        return next((s for s in self.pack(header.path).schedules if s.name == header.name), None)

    def rules(self) -> tuple[Rule, ...]:
        """Every rule, by code; a code may have a rule for each severity."""
        paths = dict.fromkeys(header.path for header in self._unique("rule"))
        found = [rule for path in paths for rule in self.pack(path).rules]
        by_code = {(rule.code, rule.severity): rule for rule in [*found, *self.own.rules]}
        return tuple(by_code[key] for key in sorted(by_code))

    def laws(self) -> tuple[Law, ...]:
        """Every law, by name."""
        found = (
            self.law(name) for name in sorted({h.name for h in self._unique("law")} | {w.name for w in self.own.laws})
        )
        return tuple(law for law in found if law)

    def records(self, kind: str) -> tuple[Record, ...]:
        """Every record of a kind, by name."""
        found = (self.record(kind, name) for name in sorted({h.name for h in self._unique(kind)}))
        return tuple(record for record in found if record)

    def _unique(self, kind: str) -> Iterable[Header]:
        return {(h.name, h.path): h for h in self.index(kind).values()}.values()

    def vocabulary(self) -> Vocabulary:
        """The names that a plan may use."""

        def names(kind: str) -> frozenset[str]:
            return frozenset(spelled for header in self._unique(kind) for spelled in (header.name, *header.aliases))

        return Vocabulary(
            {name: q.counted.dim for name, q in self.quantities().items()},
            names("device") | {n for r in self.own.records if r.kind == "device" for n in (r.name, *r.aliases)},
            names("law") | {n for law in self.own.laws for n in (law.name, *law.aliases)},
            names("schedule") | {s.name for s in self.own.schedules},
        )


@lru_cache(1)
def standard() -> Catalogue:
    """The standard library. It is rooted at itself: seen through a link it lies outside the package."""
    return Catalogue((("stdlib", Path(__file__).resolve().parent.parent / "stdlib"),))
