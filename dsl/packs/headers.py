"""Texts and packs to headers: what each definition is called, found in a text without reading the rest of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.pack import Pack
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span
from runplan.dsl.types import Literal

# Who brings a definition: the standard library, a pack of the project or of a wheel, or the plan itself.
Layer = Literal["standard", "pack", "plan"]

# The first line of a definition of the library; a test holds what it finds equal to what the grammar finds.
_HEADER = pattern(
    r"^(override[ \t]+)?"
    r"(law|rule|schedule|column|device|fleet|mfu|model|price|regime|region|run|shape|states|defaults)"
    r"[ \t]+([\w.-]+)"
    r'(?:[ \t]+aliases[ \t]+((?:"[^"\n]*"|[\w.-]+)(?:[ \t]*,[ \t]*(?:"[^"\n]*"|[\w.-]+))*)'
    r"|[ \t]+([\w.-]+)(?=[ \t]+(?:error|warning|info|note)\b))?",
    re.MULTILINE,
)
_ALIAS = pattern(r'"([^"\n]*)"|([\w.-]+)')


@dataclass(frozen=True, slots=True)
class Header:
    """What a definition is called.

    Attributes:
        aliases: Other names that are its own; of a rule its kebab name.
        span: Where it says its name; its source is the file to find it in.
        over: What it takes the place of.
    """

    kind: str
    name: str
    aliases: tuple[str, ...]
    override: bool
    span: Span
    layer: Layer
    over: Header | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it goes by, as it is looked up."""
        return tuple(dict.fromkeys(name.lower() for name in (self.name, *self.aliases)))

    def spelled(self, name: str) -> str:
        """One of its names as its pack spells it."""
        return next(known for known in (self.name, *self.aliases) if known.lower() == name)


def headers(source: Source, layer: Layer) -> Iterator[Header]:
    """The definitions that a pack file begins lines with, without reading it."""
    for m in _HEADER.finditer(source.text):
        aliases = tuple(a or b for a, b in _ALIAS.findall(m[4] or m[5] or ""))
        yield Header(m[2], m[3], aliases, bool(m[1]), Span(source, m.start(3), m.end(3)), layer)


def headers_of(pack: Pack, layer: Layer) -> Iterator[Header]:
    """The definitions of a pack that was read."""
    for law in pack.laws:
        yield Header("law", law.name, law.aliases, law.override, law.span, layer)
    for record in pack.records:
        yield Header(record.kind, record.name, record.aliases, record.override, record.span, layer)
    for rule in pack.rules:
        yield Header("rule", rule.code, (rule.name,), rule.override, rule.span, layer)
    for schedule in pack.schedules:
        yield Header("schedule", schedule.name, (), schedule.override, schedule.span, layer)
