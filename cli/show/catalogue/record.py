"""Devices and models as text and as JSON text: the list, and the figures of one with their sources."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns, paragraph, section
from runplan.dsl.expr.tree import Num, Text
from runplan.dsl.packs.pack import Entry, Record
from runplan.dsl.units.show import json_unit, show

# What the list shows of each, by its kind: key, qualifier.
SHOWN = {
    "device": (("peak", "bf16"), ("memory", ""), ("power", "")),
    "model": (("params", ""), ("active", ""), ("layers", ""), ("hidden", "")),
}
NOTE = "note"


def listed(records: Sequence[Record], look: Look = PLAIN) -> str:
    """A line a record; all are of one kind."""
    kind = records[0].kind
    head = (kind, *(f"{key} {qualifier}".strip() for key, qualifier in SHOWN[kind]), "title")
    return columns([head, *((r.name, *(_listed(r.entry(*key)) for key in SHOWN[kind]), r.title) for r in records)])


def page(record: Record, look: Look = PLAIN) -> str:
    """The figures of a record with their sources."""
    facts = [("aliases", ", ".join(record.aliases))] if record.aliases else []
    facts += [(entry.key, _said(entry)) for entry in _texts(record, notes=False)]
    # Many figures are of one source: it is cited by its number, as papers do.
    sources: dict[str, int] = {}
    lines = []
    for entry in _figures(record):
        source = f"{entry.source}{f' [{entry.evidence}]' if entry.evidence else ''}"
        cited = f"[{sources.setdefault(source, len(sources) + 1)}]" if source else ""
        lines.append((f"{entry.key} {entry.qualifier}".strip(), _said(entry), cited))
    return "".join(
        (
            paragraph(record.name),
            paragraph(record.title),
            "\n" if facts else "",
            columns(facts) if facts else "",
            section("figures", columns(lines, "  ") if lines else ""),
            section("sources", columns([(f"[{n}]", source) for source, n in sources.items()], "  ") if sources else ""),
            section("notes", "".join(paragraph(_said(note), "  - ") for note in _texts(record, notes=True))),
        )
    )


def listed_json(records: Sequence[Record], look: Look = PLAIN) -> str:
    """Every record of a kind, `plan.devices/v1` or `plan.models/v1`."""
    kinds = f"{records[0].kind}s"
    return document_text({"schema": f"plan.{kinds}/v1", kinds: [_json(record) for record in records]})


def page_json(record: Record, look: Look = PLAIN) -> str:
    """The figures of a record, `plan.device/v1` or `plan.model/v1`."""
    return document_text({"schema": f"plan.{record.kind}/v1", **_json(record)})


def _json(record: Record) -> dict[str, object]:
    figures = []
    for entry in _figures(record):
        for value in entry.values:
            if isinstance(value, Num):
                unit, factor = json_unit(value.dim)
                figure = {"key": entry.key, "qualifier": entry.qualifier, "value": value.value / factor, "unit": unit}
                figures.append(figure | {"source": entry.source, "evidence": entry.evidence})
    texts = {e.key: v.value for e in _texts(record, notes=False) for v in e.values if isinstance(v, Text)}
    return {
        "name": record.name,
        "title": record.title,
        "aliases": list(record.aliases),
        **{key: text for key, text in texts.items() if key not in ("name", "title", "aliases", "figures", "notes")},
        "figures": figures,
        "notes": [_said(note) for note in _texts(record, notes=True)],
    }


def _said(entry: Entry | None) -> str:
    """The values of an entry as people write them."""
    values = entry.values if entry else ()
    return " ".join(_figure(v) if isinstance(v, Num) else v.value for v in values) or "-"


def _listed(entry: Entry | None) -> str:
    """The same in a column, where the head says what is counted."""
    return _said(entry).removesuffix(" params")


def _figure(value: Num) -> str:
    """A figure as people write it; a word that stands for one, as the word."""
    return value.text if value.text.isalpha() else show(value.value, value.dim, 5)


def _figures(record: Record) -> list[Entry]:
    return [entry for entry in record.entries if any(isinstance(value, Num) for value in entry.values)]


def _texts(record: Record, notes: bool) -> list[Entry]:
    """The entries without a figure: the notes, or all the others."""
    figures = _figures(record)
    return [entry for entry in record.entries if entry not in figures and (entry.key == NOTE) == notes]
