"""A `record` block to the figures of a device, a price or the like, each held to what it is read as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Num, Text
from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import Entry, Record
from runplan.dsl.syntax.pack_views import EntrySpec, RecordHead
from runplan.dsl.syntax.tree import Node, text_of
from runplan.dsl.text.finding import finding
from runplan.dsl.text.words import listing
from runplan.dsl.typed.fields import CLOSED, NEEDED, OF_A_PRECISION, OWN_TEXTS, TEXTS, Field, figures_of


def record(reader: Definitions, node: Node) -> Record:
    """One `record` block, line by line."""
    head = RecordHead(node)
    kind, name = head.kind.text, head.name
    known = figures_of(kind, reader.fields)
    entries = tuple(_entry(reader, item, kind, known) for item in head.block.nodes("entry"))
    # A table has a row a size; all else is said once.
    reader.given_once(
        ((e.key, e.qualifier, e.values[:1] if e.key == "size" else ()), f"{e.key} {e.qualifier}".rstrip(), e.span)
        for e in entries
        if e.key not in TEXTS
    )
    if kind in CLOSED and all(e.key in (*TEXTS, *OWN_TEXTS.get(kind, ())) for e in entries):
        message = f"{kind} `{name.text}` has no {' or '.join(f'`{key}`' for key in list(known)[:3])}"
        reader.findings.append(finding("P001", message, name.span))
    elif lacking := [key for key in NEEDED.get(kind, ()) if all(e.key != key for e in entries)]:
        message = f"{kind} `{name.text}` does not say {listing(lacking)}"
        help = [f"say what `{lacking[0]}` is, such as `{lacking[0]} {known[lacking[0]][0].example}`: nothing is taken"]
        reader.findings.append(finding("P001", message, name.span, help=help))
    return Record(
        kind=kind,
        name=name.text,
        aliases=reader.words(head.aliases),
        title=text_of(head.title),
        entries=entries,
        said=_said(entries),
        span=name.span,
    )


def _said(entries: Iterable[Entry]) -> dict[str, float | str]:
    """What each entry without a qualifier says first, by its key: of several of a key the first."""
    out: dict[str, float | str] = {}
    for entry in entries:
        if not entry.qualifier and entry.values:
            out.setdefault(entry.key, entry.values[0].value)
    return out


def _entry(reader: Definitions, node: Node, kind: str, known: Mapping[str, Sequence[Field]]) -> Entry:
    spec = EntrySpec(node)
    values = map(reader.expr, spec.values)
    entry = Entry(
        key=spec.key.text,
        qualifier=text_of(spec.qualifier),
        values=tuple(value for value in values if isinstance(value, Num | Text)),
        source=text_of(spec.source),
        evidence=reader.evidence(spec.evidence),
        span=node.span,
    )
    own = OWN_TEXTS.get(kind, ())
    if len(entry.values) == len(known.get(entry.key, ())):
        entry = replace(entry, values=tuple(map(_worded, entry.values, known[entry.key])))
    if entry.key in own:
        _check_text(reader, entry)
    elif entry.key in known:
        _check_figures(reader, entry, known[entry.key])
    elif kind in CLOSED and entry.key not in TEXTS:
        reader.unknown_field(spec.key, kind, [*known, *own, *TEXTS])
    return entry


def _worded(value: Num | Text, field: Field) -> Num | Text:
    """The number that a word of a field stands for; what is none of its words as it is."""
    known = dict(field.words).get(value.value.lower()) if isinstance(value, Text) else None
    return value if known is None else Num(known, text=str(value.value), span=value.span)


def _check_text(reader: Definitions, entry: Entry) -> None:
    """Hold an entry to one text."""
    if len(entry.values) != 1 or not isinstance(entry.values[0], Text):
        help = [f'write it like `{entry.key} "..."`']
        reader.findings.append(finding("P001", f"`{entry.key}` is followed by one text", entry.span, help=help))


def _check_figures(reader: Definitions, entry: Entry, fields: Sequence[Field]) -> None:
    """Hold the figures of an entry to what the engine reads them as."""
    if entry.key in OF_A_PRECISION and not entry.qualifier:
        help = [f"write `{entry.key} bf16 ...`"]
        message = f"`{entry.key}` does not say of which precision it is"
        reader.findings.append(finding("P001", message, entry.span, help=help))
    if len(entry.values) != len(fields) or not all(isinstance(value, Num) for value in entry.values):
        help = [f"write it like {listing([' '.join((entry.key, *(field.example for field in fields)))])}"]
        message = f"`{entry.key}` is followed by {'one figure' if len(fields) == 1 else f'{len(fields)} figures'}"
        reader.findings.append(finding("P001", message, entry.span, help=help))
        return
    for value, field in zip(entry.values, fields, strict=True):
        forms = (form for form in field.instead if isinstance(value, Num) and form.dim == value.dim)
        if not (isinstance(value, Num) and any(value.value == number for _, number in field.words)):
            reader.figure(value, next(forms, field), entry.span)
