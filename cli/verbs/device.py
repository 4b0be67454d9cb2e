"""`plan device`: the devices as a list, or the figures of one with their sources."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from runplan.cli.arguments import add_output, library_here, unknown, verb, wanted
from runplan.cli.outcome import CLEAN
from runplan.cli.output import write
from runplan.cli.show.json_text import document_text
from runplan.cli.show.page import columns, paragraph, section
from runplan.dsl.expr.tree import Num, Text
from runplan.dsl.packs.pack import Entry, Record
from runplan.dsl.units.show import json_unit, show

FORMATS = ("table", "json")
# What the list shows of each device: key, qualifier.
SHOWN = (("peak", "bf16"), ("memory", ""), ("power", ""))
NOTE = "note"


@verb("device")
def run(argv: list[str]) -> int:
    """List the devices or show one; exit 2 for a name that is none."""
    parser = argparse.ArgumentParser(
        prog="plan device",
        description="The devices: a list, or the figures of one with unit, source and evidence.",
        epilog="example: plan device H100 -o json",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="a device, such as H100 or h100-sxm")
    add_output(parser, FORMATS)
    args = parser.parse_args(argv)
    [(form, file)] = wanted(args, FORMATS)
    catalogue = library_here()
    document: dict[str, object]
    if args.name is None:
        devices = catalogue.records("device")
        document = {"schema": "plan.devices/v1", "devices": [_json(device) for device in devices]}
        text = document_text(document) if form == "json" else _list(devices)
    else:
        device = catalogue.record("device", args.name)
        if device is None:
            known = [name for one in catalogue.records("device") for name in (one.name, *one.aliases)]
            raise unknown("device", args.name, known)
        document = {"schema": "plan.device/v1", **_json(device)}
        text = document_text(document) if form == "json" else _page(device)
    write(text, file)
    return CLEAN


def _said(entry: Entry | None) -> str:
    """The values of an entry as people write them."""
    values = entry.values if entry else ()
    return " ".join(show(v.value, v.dim, 5) if isinstance(v, Num) else v.value for v in values) or "-"


def _list(devices: Sequence[Record]) -> str:
    head = ("device", *(f"{key} {qualifier}".strip() for key, qualifier in SHOWN), "title")
    return columns([head, *((d.name, *(_said(d.entry(*key)) for key in SHOWN), d.title) for d in devices)])


def _figures(device: Record) -> list[Entry]:
    return [entry for entry in device.entries if any(isinstance(value, Num) for value in entry.values)]


def _texts(device: Record, notes: bool) -> list[Entry]:
    """The entries without a figure: the notes, or all the others."""
    figures = _figures(device)
    return [entry for entry in device.entries if entry not in figures and (entry.key == NOTE) == notes]


def _page(device: Record) -> str:
    facts = [("aliases", ", ".join(device.aliases))] if device.aliases else []
    facts += [(entry.key, _said(entry)) for entry in _texts(device, notes=False)]
    lines = []
    for entry in _figures(device):
        evidence = f" [{entry.evidence}]" if entry.evidence else ""
        lines.append((f"{entry.key} {entry.qualifier}".strip(), _said(entry), f"{entry.source}{evidence}"))
    return "".join(
        (
            paragraph(device.name),
            paragraph(device.title),
            "\n" if facts else "",
            columns(facts) if facts else "",
            section("figures", columns(lines, "  ") if lines else ""),
            section("notes", "".join(paragraph(_said(note), "  - ") for note in _texts(device, notes=True))),
        )
    )


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
