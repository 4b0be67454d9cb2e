"""Headers to the names that definitions are found by, and to what is wrong where two want one name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.headers import Header
from runplan.dsl.text.codes import code_of
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.types import Protocol


class Known(Protocol):
    """Names that are there already."""

    def of(self, kind: str) -> Mapping[str, Header]:
        """Headers of a kind by lower-case name and alias."""

    def spellings(self, kind: str) -> Mapping[str, str]:
        """Every name and alias of a kind, as it is spelled, with the name of what goes by it."""


class Names:
    """What definitions are found by; complete once it is made.

    Attributes:
        entered: The headers that were new, as they are found: under the names of what they override.
        findings: Names that are taken, or that there are not to override.
    """

    __slots__ = ("_base", "_tables", "entered", "findings")

    def __init__(self, brought: Iterable[Header], base: Known | None = None) -> None:
        self._base = base
        # Only of the kinds that are entered here: what the base has of others may never be asked for.
        self._tables: dict[str, dict[str, Header]] = {}
        findings: list[Finding] = []
        entered = (_enter(header, self._table(header.kind), findings) for header in brought)
        self.entered: tuple[Header, ...] = tuple(header for header in entered if header is not None)
        self.findings: tuple[Finding, ...] = tuple(findings)

    def _table(self, kind: str) -> dict[str, Header]:
        if kind not in self._tables:
            self._tables[kind] = dict(self.of(kind))
        return self._tables[kind]

    def of(self, kind: str) -> Mapping[str, Header]:
        """Headers of a kind by lower-case name and alias."""
        return self._tables[kind] if kind in self._tables else self._base.of(kind) if self._base else {}

    def find(self, kind: str, name: str) -> Header | None:
        """The header of a definition by any of its names, in any case; `_` may be written for `-`."""
        table, text = self.of(kind), name.lower()
        return table.get(text) or table.get(text.replace("_", "-"))

    def each(self, kind: str) -> list[Header]:
        """The headers of a kind, each once, by name."""
        return sorted({id(h): h for h in self.of(kind).values()}.values(), key=lambda header: header.name)

    def spellings(self, kind: str) -> Mapping[str, str]:
        """Every name and alias of a kind, as it is spelled, with the name of what goes by it."""
        if self._base and kind not in self._tables:
            return self._base.spellings(kind)
        return {spelled: header.name for header in self.each(kind) for spelled in (header.name, *header.aliases)}


def _enter(header: Header, table: dict[str, Header], findings: list[Finding]) -> Header | None:
    """A definition as it is found by its names; None where it is there already, having come another way."""
    known = table.get(header.name.lower())
    if known is not None and _same(known, header):
        return None
    if known is not None and _beside(known, header):
        return header
    if header.override and known is not None:
        # It is found by all the names of what it replaces, and is that to whoever asks what it is called.
        aliases = dict.fromkeys((*known.aliases, header.name, *header.aliases))
        header = replace(header, name=known.name, aliases=tuple(aliases), over=known)
        table.update({name: header for name in known.names if table.get(name) is known})
    elif header.override and not _reserved(header, header.name):
        spelled = {other.spelled(name) for name, other in table.items()}
        message = f"there is no {header.kind} `{header.name}` to override"
        help = did_you_mean(header.name, spelled) or ["leave out `override`"]
        findings.append(finding("P001", message, header.span, help=help))
    for name in header.names:
        taken = _taken(header, name, table.setdefault(name, header))
        if taken is not None:
            findings.append(taken)
            break
    return header


def _taken(header: Header, name: str, by: Header) -> Finding | None:
    """Why a definition cannot go by a name; None where it can."""
    said = f"`{header.spelled(name)}`"
    if by is header:
        help = ["give the rule a code and a name of its own"]
        reserved = _reserved(header, name)
        return finding("N005", f"{said} is the engine's own", header.span, help=help) if reserved else None
    if _same(by, header):
        return None
    where = f"line {by.span.line}" if by.span.source == header.span.source else by.span.source.path
    help = [f"write `override {header.kind} {by.name} ...` to replace it, or give it another name"]
    message = f"{header.kind} {said} is defined in {where} already"
    return finding("N005", message, header.span, also=[Label(by.span, "the first is here")], help=help)


def _reserved(header: Header, name: str) -> bool:
    """Whether a rule of a pack goes by a code or name of the engine that no rule of the library stands for."""
    if header.kind != "rule" or header.over is not None or header.layer == "standard":
        return False
    return code_of(name) is not None


def _same(known: Header, header: Header) -> bool:
    """Whether two headers are of one definition that came on two ways, such as by import and by configuration."""
    return known.span.start == header.span.start and known.span.source.text == header.span.source.text


def _beside(known: Header, header: Header) -> bool:
    """Whether two rules of a file have one code and name: they may differ in severity."""
    one_file = known.span.source.path == header.span.source.path and known.override == header.override
    return header.kind == "rule" and one_file and known.names == header.names
