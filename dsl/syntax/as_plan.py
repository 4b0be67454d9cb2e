"""A plan's YAML to the same plan as a `.plan`: what it says, its numbers as they are written, its comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from runplan.dsl.dataclass import replace
from runplan.dsl.syntax.statements import BY_KEY, OF_PLANS, Statement
from runplan.dsl.syntax.yaml import NAMED
from runplan.dsl.syntax.yaml_layout import Entry
from runplan.dsl.syntax.yaml_scalars import quoted

# Statements that read as a sentence; the others are a name, a colon and a value.
_SENTENCES = frozenset("plan use let import_ rate calendar require prefer minimize maximize".split())


def as_plan(root: Entry) -> Iterator[str]:
    """The lines of a `.plan` text, not yet laid out, for the entries of a YAML plan."""
    for entry in root.items:
        yield from entry.before
        row = BY_KEY[entry.name]
        yield from _PLAN_OF[row.shape](row, entry)
    yield from root.tail


def _lead(row: Statement) -> str:
    return f"{row.keyword} " if row.rule in _SENTENCES else f"{row.keyword}: "


def _said(entry: Entry) -> str:
    """The text of a scalar on one line."""
    return " ".join(filter(None, map(str.strip, entry.said.split("\n"))))


def _after(entry: Entry) -> str:
    return f"  {entry.after}" if entry.after else ""


def _name(entry: Entry) -> str:
    return entry.name if NAMED.fullmatch(entry.name) else quoted(entry.name)


def _text(row: Statement, entry: Entry) -> Iterator[str]:
    yield f"{_lead(row)}{_said(entry)}{_after(entry)}"


def _texts(row: Statement, entry: Entry) -> Iterator[str]:
    if entry.kind == "scalar":
        yield from _text(row, entry)
        return
    yield from _aside(entry)
    for item in entry.items:
        yield from item.before
        yield from _text(row, item)
    yield from entry.tail


def _aside(entry: Entry) -> Iterator[str]:
    """The comment behind the key of what becomes several statements."""
    if entry.after:
        yield entry.after


def _named_texts(row: Statement, entry: Entry) -> Iterator[str]:
    if entry.kind == "scalar":
        yield from _text(row, entry)
        return
    each = next(other for other in OF_PLANS if other.slot == row.fills and other.times == "name")
    yield from _aside(entry)
    for item in entry.items:
        yield from item.before
        yield f"{each.keyword} {_name(item)}: {_said(item)}{_after(item)}"
    yield from entry.tail


def _title(row: Statement, entry: Entry) -> Iterator[str]:
    yield f"{_lead(row)}{quoted(entry.said)}{_after(entry)}"


def _laws(row: Statement, entry: Entry) -> Iterator[str]:
    items = entry.items if entry.kind == "list" else (entry,)
    yield from (comment for item in items if item is not entry for comment in _comments(item))
    yield f"{_lead(row)}{', '.join(map(_said, items))}{_after(entry)}"
    yield from entry.tail


def _comments(entry: Entry) -> Iterator[str]:
    yield from entry.before
    yield from _aside(entry)


def _lets(row: Statement, entry: Entry) -> Iterator[str]:
    yield from _aside(entry)
    for item in entry.items:
        yield from item.before
        yield f"let {item.name} = {_said(item)}{_after(item)}"
    yield from entry.tail


def _objective(row: Statement, entry: Entry) -> Iterator[str]:
    if entry.kind == "scalar":
        yield from _text(row, entry)
        return
    yield from (comment for item in entry.items for comment in _comments(item))
    parts: list[str] = []
    domain = ""
    for item in entry.items:
        kind, _, of = (_said(item) if entry.kind == "list" else item.name).partition(" of ")
        domain = domain or of
        parts.append(f"{kind} {_said(item)}" if entry.kind == "mapping" else kind)
    yield f"{_lead(row)}{', '.join(parts)}{f' of {domain}' if domain else ''}{_after(entry)}"
    yield from entry.tail


def _hardware(row: Statement, entry: Entry) -> Iterator[str]:
    pools = entry.items if entry.kind == "list" else (entry,)
    lines: list[str] = []
    for pool in pools:
        if pool is not entry:
            yield from (comment for comment in pool.before)
        if pool.kind == "scalar":
            told = [_said(pool)]
            if pool is not entry:
                yield from _aside(pool)
        else:
            told = list(_block(pool, _device))
        if lines:
            lines[-1] += f" + {told[0]}"
            lines += told[1:]
        else:
            lines = told
    lines[0] = _lead(row) + lines[0]
    # A comment at the end of the first line would swallow what stands there.
    yield from lines[:-1]
    yield lines[-1] + (_after(entry) if entry.kind != "mapping" else "")
    if entry.kind == "list":
        yield from entry.tail


def _block(entry: Entry, spelled: Callable[[Entry], str]) -> Iterator[str]:
    """A mapping as a block."""
    yield f"{{{_after(entry)}"
    for item in entry.items:
        yield from item.before
        yield f"{item.name}: {spelled(item)}{_after(item)}"
    yield from entry.tail
    yield "}"


def _device(entry: Entry) -> str:
    """A field of hardware: the name of a device needs quotes where it has blanks."""
    said = _said(entry)
    bare = entry.name != "device" or said.startswith('"') or not re.search(r"\S\s+\S", said)
    return said if bare else quoted(said)


def _settings(row: Statement, entry: Entry) -> Iterator[str]:
    if entry.kind == "scalar" or {item.name for item in entry.items} <= {"min", "max"}:
        yield from _text(row, entry)
        return
    named = [item for item in entry.items if item.name == "name"]
    rest = replace(entry, items=tuple(item for item in entry.items if item.name != "name"))
    yield from (comment for item in named for comment in _comments(item))
    first, *lines = _block(rest, _said)
    yield _lead(row) + "".join(f"{_said(item)} " for item in named) + first
    yield from lines


def _stages(row: Statement, entry: Entry) -> Iterator[str]:
    yield from _aside(entry)
    for item in entry.items:
        yield from item.before
        yield f"stage {_name(item)} {{{_after(item)}"
        yield from as_plan(item)
        yield "}"
    yield from entry.tail


_PLAN_OF: dict[str, Callable[[Statement, Entry], Iterator[str]]] = {
    "text": _text,
    "texts": _texts,
    "named": _named_texts,
    "title": _title,
    "laws": _laws,
    "lets": _lets,
    "objective": _objective,
    "hardware": _hardware,
    "model": _settings,
    "optimizer": _settings,
    "stages": _stages,
}
