"""Folders of packs to laws, devices, rules and schedules by name, each file read when something in it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from runplan.dsl.expr.tree import Text
from runplan.dsl.packs.law_check import checked, inherit
from runplan.dsl.packs.pack import Law, Pack, QuantityDef, Record, Rule, ScheduleShape, figures_of
from runplan.dsl.packs.quantity_check import checked as quantity_findings
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.packs.rule_check import checked as rule_findings
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.syntax.imports import blocks_of, syntax_of
from runplan.dsl.syntax.tree import NAMED_FIGURES
from runplan.dsl.text.codes import NAMES
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.reader import decoded
from runplan.dsl.text.source import Source, Span

# The first line of a definition of the library; a test holds what it finds equal to what the grammar finds.
_HEADER = re.compile(
    r"^(override[ \t]+)?(law|rule|schedule|device|mfu|price|region|shape|defaults)[ \t]+([\w.-]+)"
    r'(?:[ \t]+aliases[ \t]+((?:"[^"\n]*"|[\w.-]+)(?:[ \t]*,[ \t]*(?:"[^"\n]*"|[\w.-]+))*)'
    r"|[ \t]+([\w.-]+)(?=[ \t]+(?:error|warning|info|note)\b))?",
    re.MULTILINE,
)
_ALIAS = re.compile(r'"([^"\n]*)"|([\w.-]+)')


@dataclass(frozen=True, slots=True)
class Header:
    """What a definition is called.

    Attributes:
        aliases: Other names that are its own; of a rule its kebab name.
        span: Where it says its name.
        path: The pack file to find it in; None for what a plan brings.
        over: What it takes the place of.
    """

    kind: str
    name: str
    aliases: tuple[str, ...]
    override: bool
    span: Span
    path: Path | None = None
    over: Header | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it goes by, as it is looked up."""
        return tuple(dict.fromkeys(name.lower() for name in (self.name, *self.aliases)))

    def spelled(self, name: str) -> str:
        """One of its names as its pack spells it."""
        return next(known for known in (self.name, *self.aliases) if known.lower() == name)


def headers(source: Source, path: Path) -> Iterator[Header]:
    """The definitions that a pack file begins lines with, without reading it."""
    for m in _HEADER.finditer(source.text):
        aliases = tuple(a or b for a, b in _ALIAS.findall(m[4] or m[5] or ""))
        yield Header(m[2], m[3], aliases, bool(m[1]), Span(source, m.start(3), m.end(3)), path)


def headers_of(pack: Pack, path: Path | None = None) -> Iterator[Header]:
    """The definitions of a pack."""
    for law in pack.laws:
        yield Header("law", law.name, law.aliases, law.override, law.span, path)
    for record in pack.records:
        yield Header(record.kind, record.name, record.aliases, record.override, record.span, path)
    for rule in pack.rules:
        yield Header("rule", rule.code, (rule.name,), rule.override, rule.span, path)
    for schedule in pack.schedules:
        yield Header("schedule", schedule.name, (), schedule.override, schedule.span, path)


@dataclass(slots=True)
class Library:
    """Everything that is known: the standard library, packs by path, and what a plan defines itself.

    The library is read file by file, when something in it is asked for. Packs are read whole, and held to what there
    is: `findings` has all that is wrong with them before anything is solved.

    Attributes:
        roots: Folders and files, each with the name that its paths are shown by; the first is the library.
        own: What a plan brings.
        findings: What is wrong with what was read so far.
    """

    roots: tuple[tuple[str, Path], ...]
    own: Pack = field(default_factory=Pack)
    findings: list[Finding] = field(default_factory=list)
    _headers: dict[str, dict[str, Header]] = field(default_factory=dict)
    _packs: dict[Path, Pack] = field(default_factory=dict)
    _laws: dict[Span, Law] = field(default_factory=dict)
    _quantities: dict[str, QuantityDef] = field(default_factory=dict)
    _broken: list[Span] = field(default_factory=list)

    def with_pack(self, pack: Pack, broken: Sequence[Span] = ()) -> Library:
        """The same with the definitions of a plan beside them.

        Args:
            broken: Blocks of them that could not be read whole.
        """
        if pack == Pack():
            return self
        self.index("law")
        made = Library(
            self.roots,
            self.own.plus(pack),
            list(self.findings),
            {kind: dict(table) for kind, table in self._headers.items()},
            self._packs,
            {},
            self._quantities,
            [*self._broken, *broken],
        )
        made._bring(tuple(headers_of(pack)))
        return made

    # ---- reading

    def files(self) -> Iterator[Path]:
        """Every pack file, in a stable order."""
        for _, root in self.roots:
            yield from _plans(root)

    def index(self, kind: str) -> dict[str, Header]:
        """Headers of a kind by lower-case name and alias."""
        if not self._headers:
            (_, library), *packs = self.roots
            for path in _plans(library):
                for header in headers(self._source(path), path):
                    self._enter(header)
            self._bring(
                tuple(h for _, root in packs for path in _plans(root) for h in headers_of(self.pack(path), path))
            )
        return self._headers.get(kind, {})

    def _source(self, path: Path) -> Source:
        """The text of a pack file; empty, with a finding, where it is none."""
        source, wrong = decoded(self.shown_path(path), path.read_bytes())
        if wrong is None:
            return source
        if wrong not in self.findings:
            self.findings.append(wrong)
        return Source(source.path, "")

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
            broken = blocks_of(findings)
            self._packs[path] = reader.pack(file.statements, broken)
            self._broken.extend(broken)
            self.findings.extend([*findings, *reader.findings])
        return self._packs[path]

    def _pack_of(self, header: Header) -> Pack:
        return self.own if header.path is None else self.pack(header.path)

    # ---- what users bring

    def _bring(self, found: tuple[Header, ...]) -> None:
        """Enter definitions under their names, then hold each to what there is."""
        quantities = {name: q.counted.dim for name, q in self.quantities().items()}
        for header in [entered for header in found if (entered := self._enter(header))]:
            if header.kind == "law":
                self._law_of(header)
            elif header.kind == "schedule":
                self._check_shapes(header)
            elif header.kind in NAMED_FIGURES:
                for name in quantities.keys() & {header.name, *header.aliases}:
                    message = f"`{name}` is a quantity of plans and cannot be a {header.kind}"
                    self.findings.append(finding("N005", message, header.span, help=["give it another name"]))
            elif header.path is not None and header.kind == "rule":  # a plan's own were held to its `let`s, too
                for rule in self._pack_of(header).rules:
                    if rule.span == header.span and not rule.span.begins_in(self._broken):
                        self.findings.extend(rule_findings(rule, quantities))

    def _enter(self, header: Header) -> Header | None:
        """A definition as it is found by its names; None where it is there already, having come another way."""
        table = self._headers.setdefault(header.kind, {})
        known = table.get(header.name.lower())
        if known is not None and (_same(known, header) or _beside(known, header)):
            return None if _same(known, header) else header
        if header.override and known is not None:
            # It is found by all the names of what it replaces, and is that to whoever asks what it is called.
            aliases = dict.fromkeys((*known.aliases, header.name, *header.aliases))
            header = replace(header, name=known.name, aliases=tuple(aliases), over=known)
            table.update({name: header for name in known.names if table.get(name) is known})
        elif header.override and not self._reserved(header, header.name):
            spelled = {other.spelled(name) for name, other in table.items()}
            message = f"there is no {header.kind} `{header.name}` to override"
            help = did_you_mean(header.name, spelled) or ["leave out `override`"]
            self.findings.append(finding("P001", message, header.span, help=help))
        for name in header.names:
            taken = self._taken(header, name, table.setdefault(name, header))
            if taken is not None:
                self.findings.append(taken)
                break
        return header

    def _taken(self, header: Header, name: str, by: Header) -> Finding | None:
        """Why a definition cannot go by a name; None where it can."""
        said = f"`{header.spelled(name)}`"
        if by is header:
            help = ["give the rule a code and a name of its own"]
            reserved = self._reserved(header, name)
            return finding("N005", f"{said} is the engine's own", header.span, help=help) if reserved else None
        if _same(by, header):
            return None
        where = f"line {by.span.line}" if by.span.source == header.span.source else by.span.source.path
        help = [f"write `override {header.kind} {by.name} ...` to replace it, or give it another name"]
        message = f"{header.kind} {said} is defined in {where} already"
        return finding("N005", message, header.span, also=[Label(by.span, "the first is here")], help=help)

    def _reserved(self, header: Header, name: str) -> bool:
        """Whether a rule of a pack goes by a code or name of the engine that no rule of the library stands for."""
        if header.kind != "rule" or header.over is not None:
            return False
        of_library = header.path is not None and header.path.is_relative_to(self.roots[0][1])
        return not of_library and (name.upper() in NAMES or name in NAMES.values())

    def _check_shapes(self, header: Header) -> None:
        shapes = self.index("shape")
        for schedule in self._pack_of(header).schedules:
            for phase in schedule.phases if schedule.span == header.span else ():
                if phase.shape.lower() not in shapes:
                    help = did_you_mean(phase.shape, shapes)
                    self.findings.append(finding("N002", f"unknown shape `{phase.shape}`", phase.span, help=help))

    def faults(self, law: Law, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The errors among findings that are in a law, or in one that it extends: it gives no numbers then."""
        chain = [law]
        while (parent := self._parent(chain[-1])) is not None and not any(parent.span == one.span for one in chain):
            chain.append(parent)
        errors = [f for f in findings if f.severity == "error"]
        return tuple(
            f
            for f, block in zip(errors, blocks_of(errors), strict=True)
            if any(one.span.begins_in([block]) for one in chain)
        )

    # ---- asking

    def quantities(self) -> dict[str, QuantityDef]:
        """The quantities that plans may name."""
        if not self._quantities:
            paths = [path for _, root in self.roots if (path := root / "quantities.plan").exists()]
            for path in paths:
                for quantity in self.pack(path).quantities:
                    if self._quantities.setdefault(quantity.name, quantity) is not quantity:
                        message = f"quantity `{quantity.name}` is there already"
                        self.findings.append(finding("N005", message, quantity.span, help=["give it another name"]))
            if brought := [q for path in paths[1:] for q in self.pack(path).quantities]:
                self.findings.extend(quantity_findings(brought, self._quantities))
        return self._quantities

    def law(self, name: str) -> Law | None:
        """A law by name or alias, with what it inherits and the dimension of each constant; None for no law."""
        header = self.index("law").get(name.lower())
        return None if header is None else self._law_of(header)

    def _law_of(self, header: Header) -> Law | None:
        if header.span not in self._laws:
            raw = self._raw(header)
            if raw is None:
                return None
            merged, wrong = inherit(raw, self._parent)
            law, more = checked(merged)
            # What a law lacks because a part of it, or its parent, is not there is no mistake of its own.
            self.findings.extend([] if header.span.begins_in(self._broken) else wrong or more)
            self._laws[header.span] = law
        return self._laws[header.span]

    def _raw(self, header: Header) -> Law | None:
        """A law as its pack writes it."""
        found = next((law for law in self._pack_of(header).laws if law.span == header.span), None)
        return found and replace(found, name=header.name, aliases=header.aliases)

    def _parent(self, law: Law) -> Law | None:
        """What a law extends; where it overrides a law of that name, the one that it takes the place of."""
        header = self.index("law").get(law.parent.lower()) if law.parent else None
        while header is not None and law.override and header.span == law.span:
            header = header.over
        return None if header is None else self._raw(header)

    def record(self, kind: str, name: str) -> Record | None:
        """A record by kind and name or alias."""
        header = self.index(kind).get(name.lower())
        if header is None:
            return None
        found = next((record for record in self._pack_of(header).records if record.span == header.span), None)
        return found and replace(found, name=header.name, aliases=header.aliases)

    def defaults(self, domain: str, key: str) -> tuple[str, ...]:
        """The names of what is taken for a domain where a plan says nothing, the first choice first."""
        record = self.record("defaults", domain)
        entries = record.entries if record else ()
        return tuple(e.values[0].value for e in entries if e.key == key and isinstance(e.values[0], Text))

    def schedule(self, name: str) -> ScheduleShape | None:
        """A schedule by name."""
        header = self.index("schedule").get(name.lower())
        if header is None:
            return None
        found = next((schedule for schedule in self._pack_of(header).schedules if schedule.span == header.span), None)
        return found and replace(found, name=header.name)

    def rules(self) -> tuple[Rule, ...]:
        """Every rule, by code; a code may have a rule for each severity."""
        found = [r for h in self._unique("rule") for r in self._pack_of(h).rules if r.code.lower() == h.name.lower()]
        return tuple(sorted(found, key=lambda rule: (rule.code, rule.severity)))

    def laws(self) -> tuple[Law, ...]:
        """Every law, by name."""
        found = (self.law(header.name) for header in self._unique("law"))
        return tuple(law for law in found if law)

    def records(self, kind: str) -> tuple[Record, ...]:
        """Every record of a kind, by name."""
        found = (self.record(kind, header.name) for header in self._unique(kind))
        return tuple(record for record in found if record)

    def _unique(self, kind: str) -> list[Header]:
        """The headers of a kind, each once, by name."""
        return sorted({id(h): h for h in self.index(kind).values()}.values(), key=lambda header: header.name)

    def vocabulary(self) -> Vocabulary:
        """The names that a plan may use."""

        def names(kind: str) -> frozenset[str]:
            return frozenset(spelled for header in self._unique(kind) for spelled in (header.name, *header.aliases))

        quantities = {name: q.counted.dim for name, q in self.quantities().items()}
        figures = figures_of(record for kind in NAMED_FIGURES for record in self.records(kind))
        return Vocabulary(quantities, names("device"), names("law"), names("schedule"), figures)


def _plans(root: Path) -> list[Path]:
    """The files of a root, in a stable order."""
    return [root] if root.is_file() else sorted(path for path in root.rglob("*.plan") if path.is_file())


def _same(known: Header, header: Header) -> bool:
    """Whether two headers are of one definition that came on two ways, such as by import and by configuration."""
    return known.span.start == header.span.start and known.span.source.text == header.span.source.text


def _beside(known: Header, header: Header) -> bool:
    """Whether two rules of a file have one code and name: they may differ in severity."""
    one_file = known.span.source.path == header.span.source.path and known.override == header.override
    return header.kind == "rule" and one_file and known.names == header.names


@lru_cache(1)
def standard() -> Library:
    """The standard library. It is rooted at itself: seen through a link it lies outside the package."""
    return Library((("stdlib", Path(__file__).resolve().parents[2] / "stdlib"),))
