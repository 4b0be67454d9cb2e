"""Devices as text and as JSON text: the list, and the figures of one with their sources."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns, paragraph, section
from runplan.dsl.expr.tree import Num, Text
from runplan.dsl.packs.pack import Entry, Record
from runplan.dsl.units.show import json_unit, show

# What the list shows of each device: key, qualifier.
SHOWN = (("peak", "bf16"), ("memory", ""), ("power", ""))
NOTE = "note"


def listed(devices: Sequence[Record], look: Look = PLAIN) -> str:
    """A line a device."""
    head = ("device", *(f"{key} {qualifier}".strip() for key, qualifier in SHOWN), "title")
    return columns([head, *((d.name, *(_said(d.entry(*key)) for key in SHOWN), d.title) for d in devices)])


def page(device: Record, look: Look = PLAIN) -> str:
    """The figures of a device with their sources."""
    facts = [("aliases", ", ".join(device.aliases))] if device.aliases else []
    facts += [(entry.key, _said(entry)) for entry in _texts(device, notes=False)]
    # Many figures are of one source: it is cited by its number, as papers do.
    sources: dict[str, int] = {}
    lines = []
    for entry in _figures(device):
        source = f"{entry.source}{f' [{entry.evidence}]' if entry.evidence else ''}"
        cited = f"[{sources.setdefault(source, len(sources) + 1)}]" if source else ""
        lines.append((f"{entry.key} {entry.qualifier}".strip(), _said(entry), cited))
    return "".join(
        (
            paragraph(device.name),
            paragraph(device.title),
            "\n" if facts else "",
            columns(facts) if facts else "",
            section("figures", columns(lines, "  ") if lines else ""),
            section("sources", columns([(f"[{n}]", source) for source, n in sources.items()], "  ") if sources else ""),
            section("notes", "".join(paragraph(_said(note), "  - ") for note in _texts(device, notes=True))),
        )
    )


def listed_json(devices: Sequence[Record], look: Look = PLAIN) -> str:
    """Every device, `plan.devices/v1`."""
    return document_text({"schema": "plan.devices/v1", "devices": [_json(device) for device in devices]})


def page_json(device: Record, look: Look = PLAIN) -> str:
    """The figures of a device, `plan.device/v1`."""
    return document_text({"schema": "plan.device/v1", **_json(device)})


def _json(device: Record) -> dict[str, object]:
    figures = []
    for entry in _figures(device):
        for value in entry.values:
            if isinstance(value, Num):
                unit, factor = json_unit(value.dim)
                figure = {"key": entry.key, "qualifier": entry.qualifier, "value": value.value / factor, "unit": unit}
                figures.append(figure | {"source": entry.source, "evidence": entry.evidence})
    texts = {e.key: v.value for e in _texts(device, notes=False) for v in e.values if isinstance(v, Text)}
    return {
        "name": device.name,
        "title": device.title,
        "aliases": list(device.aliases),
        **{key: text for key, text in texts.items() if key not in ("name", "title", "aliases", "figures", "notes")},
        "figures": figures,
        "notes": [_said(note) for note in _texts(device, notes=True)],
    }


def _said(entry: Entry | None) -> str:
    """The values of an entry as people write them."""
    values = entry.values if entry else ()
    return " ".join(show(v.value, v.dim, 5) if isinstance(v, Num) else v.value for v in values) or "-"


def _figures(device: Record) -> list[Entry]:
    return [entry for entry in device.entries if any(isinstance(value, Num) for value in entry.values)]


def _texts(device: Record, notes: bool) -> list[Entry]:
    """The entries without a figure: the notes, or all the others."""
    figures = _figures(device)
    return [entry for entry in device.entries if entry not in figures and (entry.key == NOTE) == notes]
