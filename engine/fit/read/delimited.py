"""Text in cells that a sign parts, such as CSV, into a grid."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.read.grid import Grid, Locate, line_span

# Signs that part cells. Blanks do where no other sign does.
SIGNS = ("\t", ";", ",", "|")
BLANKS = " "
_LOOKED_AT = 200
_MOST_IN_A_CELL = 1_000_000
# What spreadsheets write above the names.
_SAID_SIGN = pattern(r"sep=([;,|\t])\n")
# A cell of the line that Markdown draws below the names.
_RULE = pattern(r"\s*:?-+:?\s*")
_NUMERIC = pattern(r"(?=\D*\d)[\s+\-.,0-9eE%_']+")


class NotCells(RunplanError):
    """Raised for text that is not in cells.

    Attributes:
        line: Where, from 1.
        why: In a sentence without a full stop.
        help: What to do.
    """

    def __init__(self, line: int, why: str, help: str = "") -> None:
        super().__init__(line, why, help)
        self.line, self.why, self.help = line, why, help


def delimited(source: Source) -> Grid:
    """The cells of a text.

    Raises:
        NotCells: Where it has no row of names, or cannot be parted.
    """
    text = source.text
    said = _SAID_SIGN.match(text)
    sign = said[1] if said is not None else sign_of(text)
    if (grid := _plain(source, sign)) is not None:
        return grid
    records = _without_remark(list(_records(text, sign))[said is not None :])
    if not records:
        return Grid(source, (), (), (), lambda line, column: line_span(source, line))
    heading, names = records[0]
    if '"' in text:
        _refuse_swallowed(records, sign)
    names = [name.strip() for name in names]
    if names and names[0].startswith("#"):
        names[0] = names[0][1:].strip()
        names = names if names[0] or sign != BLANKS else names[1:]
    if names and all(_NUMERIC.fullmatch(name) for name in names if name) and any(names):
        why = "the first line has figures and no names of columns"
        raise NotCells(heading, why, "write a first line such as `params,tokens,loss`")
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    rows, lines, ragged = [], [], []
    ruled = sign == "|" and len(records) > 1 and all(_RULE.fullmatch(cell) for cell in records[1][1] if cell.strip())
    for line, row in records[2 if ruled else 1 :]:
        _refuse_other_names(line, row, heading, names)
        count = len(row)
        if count != width:
            while count > width and not row[count - 1].strip():
                count -= 1
            if count != width:
                ragged.append((line, count))
                continue
            row = row[:width]
        rows.append(row)
        lines.append(line)
    columns = tuple(zip(*rows, strict=True)) if rows else tuple(() for _ in range(width))
    return Grid(source, tuple(names[:width]), columns, lines, _locate(source, sign), tuple(ragged), heading)


def _without_remark(records: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The rows without a first one behind `#` that has no names: where the next has no figures, the names are there."""
    if len(records) < 2 or not records[0][1][0].startswith("#"):
        return records
    return records[1:] if not any(_NUMERIC.fullmatch(cell) for cell in records[1][1] if cell) else records


def _refuse_other_names(line: int, row: Sequence[str], heading: int, names: Sequence[str]) -> None:
    """Refuse a row that has the names again in another order: what is below would be read as what it is not.

    Raises:
        NotCells: Where.
    """
    again = [cell.strip() for cell in row]
    if again != names and sorted(again) == sorted(names):
        why = f"line {line} has the names of line {heading} in another order: two files seem to be joined there"
        raise NotCells(line, why, "put the columns of both into one order")


def _refuse_swallowed(records: list[tuple[int, list[str]]], sign: str) -> None:
    """Refuse a quote that is not closed: a cell that has rows of figures in it.

    Raises:
        NotCells: Where.
    """
    for line, row in records:
        for cell in row:
            inner = cell.split("\n")[1:]
            if any(sum(_NUMERIC.fullmatch(part) is not None for part in one.split(sign)) > 1 for one in inner):
                why = f"a quote in line {line} is not closed: what comes behind it is all one cell"
                raise NotCells(line, why, "close it, or take it out")


def _plain(source: Source, sign: str) -> Grid | None:
    """The cells of a text without quotes, remarks, blank lines and ragged rows, as most are: no row is looked at."""
    text = source.text
    if sign == BLANKS or '"' in text or "#" in text or _SAID_SIGN.match(text):
        return None
    try:
        rows = list(
            csv.reader(text.rstrip("\n").split("\n"), delimiter=sign, skipinitialspace=True, quoting=csv.QUOTE_NONE)
        )
    except csv.Error:
        return None
    names = [name.strip() for name in rows[0]]
    if set(map(len, rows)) != {len(names)} or not all(names) or any(map(_NUMERIC.fullmatch, names)):
        return None
    for line, row in enumerate(rows[1:], 2):
        if row[0].strip() in names:
            _refuse_other_names(line, row, 1, names)
    columns = tuple(zip(*rows[1:], strict=True)) if len(rows) > 1 else tuple(() for _ in names)
    return Grid(source, tuple(names), columns, range(2, len(rows) + 1), _locate(source, sign), (), 1)


def _locate(source: Source, sign: str) -> Locate:
    def locate(line: int, column: int) -> Span:
        return _place(source, sign, line, column)

    return locate


def sign_of(text: str) -> str:
    """The sign that parts cells: the one that most of the first lines have as often as the first has."""
    lines = [line for _, line in zip(range(_LOOKED_AT), _first_lines(text), strict=False)]
    best, signs = (0.0, 0), ","
    for sign in SIGNS:
        counts = [len(row) for row in csv.reader(lines, delimiter=sign)]
        if not counts or counts[0] < 2:
            continue
        alike = sum(count == counts[0] for count in counts) / len(counts)
        if (alike, counts[0]) > best:
            best, signs = (alike, counts[0]), sign
    if best == (0.0, 0) and lines:
        counts = [len(line.split()) for line in lines]
        common, times = Counter(counts).most_common(1)[0]
        if common > 1 and counts[0] == common and times == len(counts) and len(counts) > 1:
            return BLANKS
    return signs


def _first_lines(text: str) -> Iterator[str]:
    for line in text[: 1000 * _LOOKED_AT].split("\n"):
        if line.strip() and (not line.startswith("#") or line.count(",") + line.count("\t") > 0):
            yield line


def _records(text: str, sign: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with its line; what is blank, or a remark behind `#`, is left out."""
    csv.field_size_limit(_MOST_IN_A_CELL)
    lines = text.split("\n")
    if sign == BLANKS:
        rows: Iterable[tuple[int, list[str]]] = ((i, line.split()) for i, line in enumerate(lines, 1))
    elif '"' not in text:
        # No cell goes over several lines.
        rows = enumerate(csv.reader(lines, delimiter=sign, skipinitialspace=True, quoting=csv.QUOTE_NONE), 1)
    else:
        rows = _quoted(lines, sign)
    first = True
    try:
        for line, row in rows:
            if not row or not any(row) or (len(row) == 1 and not row[0].strip()):
                continue
            if row[0].startswith("#") and (not first or len(row) < 2):
                continue
            first = False
            yield line, row
    except csv.Error as error:
        raise NotCells(1, f"it cannot be parted into cells: {error}") from None


def _quoted(lines: list[str], sign: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in lines), delimiter=sign, skipinitialspace=True)
    begins = 1
    for row in reader:
        yield begins, row
        begins = reader.line_num + 1


def _place(source: Source, sign: str, line: int, column: int) -> Span:
    """A cell, where its row is on one line; the whole line else."""
    whole = line_span(source, line)
    if column < 0:
        return whole
    text, start, quoted, cell = whole.text, 0, False, 0
    if sign == BLANKS:
        words = list(re.finditer(r"\S+", text))
        if column >= len(words):
            return whole
        return Span(source, whole.start + words[column].start(), whole.start + words[column].end())
    for i, letter in enumerate(text + sign):
        if letter == '"':
            quoted = not quoted
        elif letter == sign and not quoted:
            if cell == column:
                inner = text[start:i]
                left = len(inner) - len(inner.lstrip())
                end = start + len(inner.rstrip()) if inner.strip() else i
                begin = start + left if inner.strip() else start
                return Span(source, whole.start + begin, whole.start + end)
            cell, start = cell + 1, i + 1
    return whole
