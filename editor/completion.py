"""A place in a text to what one may write there: words of the language, names, units, codes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from runplan.cli.paths import ENDINGS
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import FUNCTIONS
from runplan.dsl.plan.data import QUALITIES, STAGES
from runplan.dsl.plan.hardware import PAID
from runplan.dsl.plan.schedule import PLACEMENTS
from runplan.dsl.syntax.parse import expected, spelled
from runplan.dsl.syntax.statements import BY_KEY, KINDS, OF_PACKS, OF_PLANS
from runplan.dsl.text import disk
from runplan.dsl.text.codes import CODES, pairs
from runplan.dsl.typed import fields as typed
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.table import table_of_units
from runplan.editor import ignores
from runplan.editor.context import Context, in_plan, in_text, in_yaml
from runplan.editor.document import Document

Kind = Literal[
    "statement", "word", "name", "quantity", "unit", "device", "model", "law", "field", "code", "file", "value"
]
# Words of the language that are more than one letter run, by their terminal.
_SPELLED = {"UPTO": "up to", "HOLE": "?", "TIMES": "x"}
# The dimension of a figure, by the statement that says it.
_COUNTED: dict[str, typed.Field] = {
    field.name: field for field in (typed.TOKENS, typed.PARAMS, typed.COMPUTE, typed.SERVED, typed.CONTEXT, typed.DATA)
}
# The field of hardware that its one-line form says behind a terminal.
_IN_LINE = {"FOR": "time", "AT": "rate", "__ANON_0": "price"}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that one may write.

    Attributes:
        label: What is written.
        says: What it is, in a line.
        order: What it is sorted by, before its label.
    """

    label: str
    kind: Kind
    says: str = ""
    order: int = 5


@dataclass(frozen=True, slots=True)
class Completion:
    """What one may write, in place of the text from `start` to the place."""

    start: int
    items: tuple[Item, ...]


def completion(document: Document, offset: int) -> Completion:
    """What one may write at a place."""
    text = document.source.text
    if ignores.inside(document.source, offset) is not None:
        start = offset
        while start and (text[start - 1].isalnum() or text[start - 1] == "-"):
            start -= 1
        return Completion(start, tuple(_codes(document)))
    inside = "" if document.in_yaml else in_text(text, offset)
    if inside == "comment" or (document.in_yaml and _in_yaml_comment(text, offset)):
        return Completion(offset, ())
    if inside == "string":
        start = text.rfind('"', 0, offset) + 1
        return Completion(start, tuple(_in_quotes(document, text, start)))
    context = in_yaml(text, offset) if document.in_yaml else in_plan(text, offset)
    found: dict[str, Item] = {}
    for item in _items(document, context, text):
        found.setdefault(item.label, item)
    return Completion(context.start, tuple(sorted(found.values(), key=lambda item: (item.order, item.label.lower()))))


def _in_yaml_comment(text: str, offset: int) -> bool:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line.lstrip().startswith("#") or " #" in line


def _in_quotes(document: Document, text: str, start: int) -> Iterator[Item]:
    """Names in quotes: devices with blanks, and files."""
    context = in_plan(text, max(start - 1, 0))
    if context.terminals is not None and "DEVICE" in context.terminals:
        yield from _devices(document, quoted=True)
    if context.terminals is not None and "PATH" in context.terminals:
        yield from _files(document)


def _items(document: Document, context: Context, text: str) -> Iterator[Item]:
    if context.key_of:
        yield from _keys(document, context)
        return
    terminals = context.terminals
    if terminals is None:
        yield from _anything(document, context, text)
        return
    if "UNIT" in terminals or "HOURS" in terminals:
        yield from _units(document, context)
    if "DEVICE" in terminals:
        yield from _devices(document)
    if "PATH" in terminals:
        yield from _files(document)
    if "NAMED" in terminals and context.statement in ("model", "optimizer"):
        yield from _fields(document, context.statement)
    if "NAME" in terminals:
        yield from _names(document, context)
    yield from _words(context)


def _words(context: Context) -> Iterator[Item]:
    """The words of the language that may come."""
    terminals = context.terminals or frozenset()
    begins = "LET" in terminals and "HARDWARE" in terminals
    rows = [row for row in OF_PLANS if row.in_stage] if context.in_stage else [*OF_PLANS, *OF_PACKS]
    allowed = {word for row in rows for word in (row.keyword.split()[0], row.also)}
    for terminal in terminals:
        word = spelled(terminal) or _SPELLED.get(terminal, "")
        for one in KINDS if terminal == "KIND" else (word,) if word else ():
            if not begins:
                yield Item(one, "word", order=2)
            elif one in allowed and one != "defaults":
                yield Item(one, "statement", order=2)


# ---- keys of YAML, fields


def _keys(document: Document, context: Context) -> Iterator[Item]:
    """The keys of a mapping."""
    if context.key_of == "plan":
        yield from (Item(key, "statement") for key, row in BY_KEY.items() if row.in_stage or not context.in_stage)
    elif context.key_of in ("hardware", "model", "optimizer"):
        yield from _fields(document, context.key_of)
        if context.key_of != "hardware":
            yield Item("name", "field", "what it is called")
        for terminal in _in_a_block():
            if context.key_of == "hardware" and (word := spelled(terminal)):
                yield Item(word, "field")


def _in_a_block() -> frozenset[str]:
    """The terminals with which a field of a block of hardware begins."""
    head = "hardware: {"
    found = expected(f"{head}a", len(head), "file")
    return found.terminals if found else frozenset()


def _fields(document: Document, statement: str) -> Iterator[Item]:
    quantities = document.library.quantities()
    for name, field in quantities.given_by(statement).items():
        yield Item(field.name, "field", f"{quantities[name].title}, like {field.example}", 3)


# ---- names


def _names(document: Document, context: Context) -> Iterator[Item]:
    """What a name may be: by the statement, and by what stands before it."""
    named = _NAMED.get((context.statement, context.last)) or _NAMED.get((context.statement, ""))
    if context.field not in ("", "name"):
        named = None
    if context.statement == "hardware" and context.field in ("precision", "paid"):
        named = _precisions if context.field == "precision" else _of(PAID)
    elif context.statement == "hardware" and not context.field and "RBRACE" in (context.terminals or ()):
        yield from _fields(document, "hardware")
        return
    elif context.statement == "phase" and (not context.read or context.last == "COLON"):
        named = None
        yield Item("rest", "value", "what the other phases leave", 1)
    if named is not None:
        yield from named(document, context)
    if named is None or "NUMBER" in (context.terminals or ()):
        yield from _expression(document, context)


Offer = Callable[[Document, Context], Iterator[Item]]


def _of(words: tuple[str, ...]) -> Offer:
    return lambda document, context: (Item(word, "value", order=1) for word in words)


def _defined(kind: Literal["law", "schedule", "shape"]) -> Offer:
    def items(document: Document, context: Context) -> Iterator[Item]:
        titles = {law.name: law.title for law in document.library.laws()} if kind == "law" else {}
        for header in {id(one): one for one in document.library.index(kind).values()}.values():
            for name in (header.name, *header.aliases):
                title = titles.get(header.name, header.name if name != header.name else "")
                yield Item(name, "law" if kind == "law" else "name", title, 1)

    return items


def _sources(document: Document, context: Context) -> Iterator[Item]:
    names = document.reading.words.parts.get("source", ())
    yield from (Item(name, "name", "a source", 1) for name in names)


def _domains(document: Document, context: Context) -> Iterator[Item]:
    names = {header.name for header in document.library.index("defaults").values()} - {"optimizers"}
    yield from (Item(name, "value", "a domain", 1) for name in names)


def _objectives(document: Document, context: Context) -> Iterator[Item]:
    yield from (Item(name, "value", "an objective", 1) for name in typed.OBJECTIVES.values())
    if context.last in ("FROM", "TO"):
        yield from _domains(document, context)


def _precisions(document: Document, context: Context) -> Iterator[Item]:
    """Those that the device has a peak in, or any device has."""
    written = [text for terminal, text in context.read if terminal in ("DEVICE", "STRING")]
    device = document.library.record("device", written[-1].strip('"')) if written else None
    records = [device] if device else document.library.records("device")
    peaks = dict.fromkeys(e.qualifier for record in records for e in record.entries if e.key == "peak")
    yield from (Item(name, "value", "a precision", 1) for name in peaks)


def _optimizers(document: Document, context: Context) -> Iterator[Item]:
    record = document.library.record("defaults", "optimizers")
    for entry in record.entries if record else ():
        yield from (Item(str(value.value), "name", "an optimizer", 1) for value in entry.values)


def _models(document: Document, context: Context) -> Iterator[Item]:
    yield from (Item(record.name, "model", record.title, 4) for record in document.library.records("model"))


_NAMED: dict[tuple[str, str], Offer] = {
    ("use", ""): _defined("law"),
    ("laws", ""): _defined("law"),
    ("law", "EXTENDS"): _defined("law"),
    ("schedule", ""): _defined("schedule"),
    ("schedule", "QUALITY"): _of(PLACEMENTS),
    ("phase", ""): _defined("shape"),
    ("phase", "MIX"): _sources,
    ("phase", "COMMA"): _sources,
    ("objective", ""): _objectives,
    ("objective", "OF"): _domains,
    ("data", "QUALITY"): _of(QUALITIES),
    ("data", "DOMAIN"): _domains,
    ("data", "FOR"): _of(STAGES),
    ("hardware", "IN"): _precisions,
    ("optimizer", ""): _optimizers,
    ("start", ""): _of(typed.ORIGINS),
    ("start", "NAME"): _models,
    ("model", ""): _models,
}


def _expression(document: Document, context: Context) -> Iterator[Item]:
    """What a formula may name: `let`s, quantities, functions."""
    reading = document.reading
    quantities = document.library.quantities()
    for name in _letters(document, context.start):
        yield Item(name, "name", "of the law", 1)
    for name, let in reading.lets.items():
        yield Item(name, "name", f"let {let.span.said}"[:80], 1)
    for word in reading.words.spellings():
        if word in reading.lets:
            continue
        meant = reading.words.bind(word)
        known = quantities.get(meant.text) if meant is not None else None
        if known is not None:
            yield Item(word, "quantity", known.title, 3 if known.facts.row is not None else 4)
    yield from (Item(name, "word", "a function", 6) for name in FUNCTIONS)


def _letters(document: Document, offset: int) -> Iterator[str]:
    """The constants, inputs and `let`s of the law that a place is in."""
    within = [n.span for n in document.file.statements if n.rule in ("law", "override")]
    here = next((span for span in within if span.start <= offset <= span.end), None)
    for use in document.uses if here is not None else ():
        if use.kind == "letter" and use.names and here is not None and here.start <= use.span.start < here.end:
            yield use.name.rpartition(":")[2]


def _anything(document: Document, context: Context, text: str) -> Iterator[Item]:
    """What may be meant on a line that is not understood so far."""
    before = text[: context.start].rstrip()
    if before[-1:].isalnum() and before.split()[-1][:1].isdigit():
        yield from _units(document, context)
    elif re.search(r"[x\u00d7]$", before):
        yield from _devices(document)
    yield from _expression(document, context)


def _devices(document: Document, *, quoted: bool = False) -> Iterator[Item]:
    for name, device in document.reading.vocabulary.devices.items():
        if quoted or " " not in name:
            own = name == device
            yield Item(name, "device", "a device" if own else device, 1 if own else 2)


def _files(document: Document) -> Iterator[Item]:
    """The files beside the document."""
    try:
        entries = disk.entries(os.path.dirname(document.path))
    except OSError:
        return
    own = os.path.basename(document.path)
    for name, kind in entries:
        if kind == disk.FILE and name != own and name.endswith(ENDINGS):
            yield Item(name, "file", order=1)


def _codes(document: Document) -> Iterator[Item]:
    """What an `ignore` may name."""
    rules = {(rule.code, rule.name): rule.says for rule in document.library.rules()}
    for code, name in sorted({*pairs(), *rules}):
        says = rules.get((code, name)) or CODES[code].says
        if code not in CODES or CODES[code].silenceable:
            yield Item(code, "code", f"{name}: {says}", 1)
            yield Item(name, "code", f"{code}: {says}", 2)


# ---- units


def _units(document: Document, context: Context) -> Iterator[Item]:
    """Every unit, first those of the dimension that is counted there."""
    wanted = _dim(document, context)
    for name, unit in table_of_units().units.items():
        yield Item(name, "unit", order=1 if wanted is not None and unit.dim == wanted else 5)


def _dim(document: Document, context: Context) -> Dim | None:
    """The dimension of a figure at a place, where that is plain."""
    given = document.library.quantities().given_by(context.statement)
    said = next((_IN_LINE[terminal] for terminal, _ in reversed(context.read) if terminal in _IN_LINE), "")
    field = context.field or (said if context.statement == "hardware" else "")
    for one in given.values():
        if field and one.name == field:
            return one.dim
    if context.statement in ("require", "prefer"):
        names = [text for terminal, text in context.read if terminal == "NAME"]
        known = document.reading.known()
        return known.get(names[-1]) if names and names[-1] in known else None
    counted = _COUNTED.get(context.statement)
    return counted.dim if counted else None
