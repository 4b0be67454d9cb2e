"""Findings as text for people: headline, the user's own lines with what is marked in them, notes and help."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.plain import plain, printable
from runplan.cli.show.text.width import character_columns
from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding, Label
from runplan.dsl.text.source import Source

WIDTH = 160  # columns of a source line; a longer one is shown around what is marked in it
_ROOM = WIDTH - 2  # within an ellipsis at both ends
_TAB = "    "
_CONTEXT = 24  # columns before a mark that a long line keeps

_SEVERITY: dict[Severity, str] = {"error": "1;31", "warning": "1;33", "info": "1;34"}
_BOLD = "1"
_GUTTER = "36"
_SECONDARY = "34"


def render(checked: Checked, look: Look = PLAIN) -> str:
    """Every finding as a block, then the summary, with a blank line between."""
    blocks = ["\n".join(_block(finding, _Style(look.color))) for finding in checked.findings]
    return "\n\n".join([*blocks, checked.summary()]) + "\n"


@dataclass(frozen=True, slots=True)
class _Style:
    color: bool

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text


@dataclass(frozen=True, slots=True)
class _Mark:
    """The part of a label that lies on its first line, in code points of that line, counted from 0."""

    start: int
    end: int
    primary: bool
    text: str


@dataclass(slots=True)
class _Block:
    """The marked lines of one file."""

    source: Source
    first: Label
    lines: dict[int, list[_Mark]] = field(default_factory=dict)


def _block(finding: Finding, style: _Style) -> Iterator[str]:
    severity = _SEVERITY[finding.severity]
    yield style(f"{finding.severity}[{finding.code}]", severity) + style(f": {plain(finding.message)}", _BOLD)
    blocks = _by_file(finding)
    width = max(len(str(line)) for block in blocks for line in block.lines)
    bar = style(f"{'':{width}} |", _GUTTER)
    for i, block in enumerate(blocks):
        if i:
            yield bar
        arrow = ":::" if i else "-->"
        place = block.first.span
        yield (style(f"{'':{width}}{arrow}", _GUTTER) + f" {plain(block.source.path)}:{place.line}:{place.column}")
        yield bar
        for number, marks in sorted(block.lines.items()):
            text = block.source.line_text(number)
            for group in _windows(text, marks):
                shown, underlines = _drawn(text, group)
                yield (style(f"{number:>{width}} |", _GUTTER) + f" {shown}").rstrip()
                for mark, (indent, length) in zip(group, underlines, strict=True):
                    line = ("^" if mark.primary else "-") * length
                    said = f"{line} {plain(mark.text)}".rstrip()
                    yield f"{bar} {'':{indent}}" + style(said, severity if mark.primary else _SECONDARY)
    if finding.notes or finding.help:
        yield bar
    for word, texts in (("note", finding.notes), ("help", finding.help)):
        for text in texts:
            first, *others = text.splitlines() or [""]
            yield f"{'':{width}} {style('=', _GUTTER)} {style(f'{word}:', _BOLD)} {plain(first)}".rstrip()
            # Behind a bar: a plan's own text never begins a line, where a CI system might obey it.
            yield from (f"{bar}       {plain(other)}".rstrip() for other in others)


def _by_file(finding: Finding) -> list[_Block]:
    """The labels by file, the primary's file first, and by line; what is said twice is kept once."""
    blocks: dict[Source, _Block] = {}
    for i, label in enumerate((finding.at, *finding.also)):
        source = label.span.source
        block = blocks.setdefault(source, _Block(source, label))
        marks = block.lines.setdefault(label.span.line, [])
        mark = _mark(label, primary=i == 0)
        if not any((m.start, m.end, m.text) == (mark.start, mark.end, mark.text) for m in marks):
            marks.append(mark)
    for block in blocks.values():
        for marks in block.lines.values():
            marks.sort(key=lambda m: (m.start, not m.primary))
    return list(blocks.values())


def _mark(label: Label, primary: bool) -> _Mark:
    span = label.span
    length = len(span.source.line_text(span.line))
    # A span can begin on the line's end, which is not shown, and go on over other lines.
    start = min(span.column - 1, length)
    end = length if span.end_line > span.line else min(span.end_column - 1, length)
    return _Mark(start, max(start, end), primary, label.text)


def _windows(text: str, marks: list[_Mark]) -> Iterator[list[_Mark]]:
    """The marks of a line in groups, each shown under one print of it; one group unless the line is long."""
    if _fits(text):
        yield marks
        return
    group: list[_Mark] = []
    for mark in marks:
        if group and _cost(text, group[0].start, max(m.end for m in (*group, mark))) > _ROOM - _CONTEXT:
            yield group
            group = []
        group.append(mark)
    yield group


def _drawn(text: str, marks: list[_Mark]) -> tuple[str, list[tuple[int, int]]]:
    """The line as printed, and for each mark the columns before it and under it."""
    first, last = _window(text, marks[0].start, max(mark.end for mark in marks))
    before, after = "…" * (first > 0), "…" * (last < len(text))
    shown = "".join(_TAB if c == "\t" else printable(c) for c in text[first:last])
    underlines = []
    for mark in marks:
        end = min(mark.end, last)
        indent = len(before) + sum(map(_width, text[first : mark.start]))
        underlines.append((indent, max(1, sum(map(_width, text[mark.start : end])))))
    return before + shown + after, underlines


def _window(text: str, start: int, end: int) -> tuple[int, int]:
    """The code points of a line to show: all, or at most `WIDTH` columns around what is marked."""
    if _fits(text):
        return 0, len(text)
    room = _ROOM
    first = last = start

    def left(limit: int) -> None:
        nonlocal first, room
        while first > 0 and min(limit, room) >= _step(text[first - 1]):
            first -= 1
            room -= _step(text[first])
            limit -= _step(text[first])

    def right(stop: int) -> None:
        nonlocal last, room
        while last < stop and room >= _step(text[last]):
            room -= _step(text[last])
            last += 1

    left(_CONTEXT)
    right(end)
    left(room // 2)
    right(len(text))
    left(room)
    return first, last


def _fits(text: str) -> bool:
    return _cost(text, 0, len(text)) <= WIDTH


def _cost(text: str, start: int, end: int) -> int:
    """Columns of a stretch, where more than `WIDTH` is only known to be more: the work is bounded."""
    return sum(map(_step, text[start : min(end, start + WIDTH + 1)]))


def _step(character: str) -> int:
    # Counts what has no width as well, so that marks piled on one letter cannot make a line without end.
    return max(1, _width(character))


def _width(character: str) -> int:
    """Columns that a character takes on a terminal, as it is printed."""
    return len(_TAB) if character == "\t" else character_columns(character)
