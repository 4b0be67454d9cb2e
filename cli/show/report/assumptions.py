"""The defaults that were taken, to those that an answer rests on most, or to all of them with their sources."""

from __future__ import annotations

import re
from collections.abc import Set

from runplan.cli.show.text.content import NOTHING, Line, Table, table
from runplan.cli.show.text.figures import between, figure
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import known_of, label
from runplan.cli.show.text.width import columns
from runplan.engine.report import Assumption, Report

# Figures of a data sheet, what is left at nothing, and what the tables of the report show with its source: these are
# true of any plan, and stand among the details.
_USUAL = frozenset(
    "peak memory installed_memory bandwidth interconnect internode linked power hours_per_day reserve batch "
    "learning_rate weight_decay law_batch law_learning_rate effective_tokens max_epochs stragglers month objective "
    "schedule optimizer precision device".split()
)
# What all else is multiplied by.
_FIRST = ("rate", "mfu")
# How many there is room for.
_MOST = 6
# Columns of values that leave room for what they rest on.
_WIDEST = 20
_READ_IN = re.compile(r"; read in .*")


def assumptions(report: Report) -> Table:
    """All of them: name, value, and what it rests on."""
    rows: list[Line] = []
    before = ""
    for a in report.assumptions:
        source = plain(a.source) or NOTHING
        rows.append((plain(str(a.name)), _value(report, a), "the same" if source == before else source))
        before = source
    return table(rows, ("name", "value", "rests on"), wrap=2)


def weighty(report: Report, spare: Set[str] = frozenset()) -> Table:
    """Those that the answer rests on most, in a line each, without what is spare."""
    known, rows = known_of(report), dict[tuple[str, str], list[str]]()
    for a in sorted(report.assumptions, key=lambda a: a.name.text not in _FIRST):
        if not _usual(a) and a.name.text not in spare:
            # What is assumed of each pool, or under each law, for the same reason is said once.
            name = a.name.text if a.name.scope and a.name.scope[0][0] == "pool" else str(a.name)
            values = rows.setdefault((label(name, known), plain(_READ_IN.sub("", a.source)) or NOTHING), [])
            values += [] if (value := _value(report, a)) in values else [value]
    lines: list[Line] = []
    for (name, source), values in rows.items():
        together = " or ".join(values)
        lines += [(name, value, source) for value in ([together] if columns(together) <= _WIDEST else values)]
    return table(lines[:_MOST])


def _usual(assumption: Assumption) -> bool:
    return bool(assumption.name.scope and assumption.name.text == "share") or assumption.name.text in _USUAL


def _value(report: Report, assumption: Assumption) -> str:
    if isinstance(assumption.value, str):
        return plain(assumption.value)
    name, dim, known = assumption.name.text, assumption.dim, known_of(report)
    said = figure(name, assumption.value, dim, known)
    if assumption.low is None or assumption.high is None:
        return said
    return f"{said} {between(name, assumption.value, (assumption.low, assumption.high), dim, known)}"
