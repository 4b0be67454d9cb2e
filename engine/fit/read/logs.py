"""Lines that trainers print, of Megatron-LM, torchtitan, nanotron, litgpt, OLMo, nanoGPT, llm.c and the like, into a
grid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.dsl.text.source import Source, Span
from runplan.engine.fit.read.grid import Grid, line_span
from runplan.engine.fit.read.moments import moment
from runplan.engine.fit.read.words import Words

# A line of a log tells of a point where it has one of these, with the step or without.
TELLING = "loss"
# What a line without one has of the point of which the lines below it tell, a figure each, as OLMo's do.
HEADING = "step="
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_APART = re.compile(r"\s*\|\s*|\s{2,}(?![\d.+\-\s])|;\s*|,\s+|\s+-\s+|[{}\[\]]\s*|\t+")
_NUMBER = r"[+-]?(?:\d[\d,_]*(?:\.\d*)?|\.\d+|nan|inf)(?:[eE][+-]?\d+)?"
_PAIR = re.compile(
    rf"['\"]?([A-Za-z_][A-Za-z0-9_./ ()%-]*?)['\"]?\s*(?:[:=]\s*|\s+)({_NUMBER})(?:\s*/\s*(\d[\d,]*))?"
    r"\s*(%|ms\b|s\b|[kKMGBT]\b|tok/s\b|hours?\b|minutes?\b)?(?=$|[\s,:|)\]}>(])",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?:\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4})[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?")
# Figures that lines give without a name, by their units: `3166.39 ms`, `165579 tok/s`.
_BARE = re.compile(rf"({_NUMBER})\s*(ms|tok/s)", re.IGNORECASE)
# What a letter behind a number multiplies, whatever that is: nanotron prints `elapsed_time_per_iteration_ms: 2.1K`.
_LETTERS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_BARE_NAMES = {"ms": "ms_per_step", "tok/s": "tok_s"}
CLOCK = "timestamp"


def is_log(text: str, words: Words) -> bool:
    """Whether lines of a text tell of points of a run, each by itself."""
    told = sum(1 for _, row in _points(text[:400_000], words) if row)
    return told >= 1


def log_rows(source: Source, words: Words) -> Grid:
    """The points that the lines of a log tell of; other lines are left out."""
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    most = ""
    for line, row in _points(source.text, words):
        most = row.pop("/", most)
        rows.append(row)
        lines.append(line)
    _join(rows, words)
    _of_steps(rows)
    headers = tuple(dict.fromkeys(key for row in rows for key in row))
    columns = tuple([row.get(key, "") for row in rows] for key in headers)

    def locate(line: int, column: int) -> Span:
        whole = line_span(source, line)
        at = whole.text.find(headers[column]) if column >= 0 else -1
        return whole if at < 0 else Span(source, whole.start + at, whole.start + at + len(headers[column]))

    return Grid(source, headers, columns, lines, locate, (), 0, (("max_steps", most),) if most else ())


def _join(rows: list[dict[str, str]], words: Words) -> None:
    """Give one name to what lines of two kinds call otherwise, such as `iter` and `step`, where no line has both."""
    names = dict.fromkeys(key for row in rows for key in row)
    read = {name: words.read(name) for name in names}
    by_sort: dict[str, list[str]] = {}
    for name, one in read.items():
        if one is not None and one.sort.first and one.unit == "":
            by_sort.setdefault(one.sort.name, []).append(name)
    for same in by_sort.values():
        if len(same) > 1 and not any(sum(name in row for name in same) > 1 for row in rows):
            for row in rows:
                for name in same[1:]:
                    if name in row:
                        row[same[0]] = row.pop(name)


def _of_steps(rows: list[dict[str, str]]) -> None:
    """Tell the time of a step where lines tell that of one of the iterations that it is made of, as litgpt's do."""
    if not rows or not {"iter", "step", "iter time"} <= rows[-1].keys():
        return
    times = float(rows[-1]["iter"]) / max(float(rows[-1]["step"]), 1.0)
    for row in rows:
        if m := _BARE.fullmatch(row.get("iter time", "")):
            row["iter time"] = f"{float(m[1]) * times!r}{m[2]}"


def _points(text: str, words: Words) -> Iterator[tuple[int, dict[str, str]]]:
    known: dict[str, str] = {}
    above: dict[str, str] = {}
    for line, written in enumerate(text.split("\n"), 1):
        if TELLING not in written and TELLING not in written.lower():
            if HEADING in written:
                above = _pairs(_COLOURS.sub("", written), words, known)
            continue
        row = _pairs(_COLOURS.sub("", written), words, known)
        if not any(known[key] == TELLING for key in row if key in known):
            continue
        if len(row) == 1:
            row, above = {**above, **row}, {}
        if len(row) > 1:
            yield line, row


def _pairs(written: str, words: Words, known: dict[str, str]) -> dict[str, str]:
    """The figures of a line by their names; under `/` how many steps there will be."""
    row: dict[str, str] = {}
    if m := _CLOCK.search(written):
        if (seconds := moment(m[0])) is not None:
            row[CLOCK] = repr(seconds)
        written = written.replace(m[0], " | ")
    for chunk in _APART.split(written):
        if m := _BARE.fullmatch(chunk.strip()):
            row.setdefault(_BARE_NAMES[m[2].lower()], m[1])
            continue
        for m in _PAIR.finditer(chunk):
            key = _name(m[1].strip(), words, known)
            if key:
                row.setdefault(key, _figure(m[2].rstrip(","), m[4] or ""))
                if m[3] and known[key] == "steps":
                    row["/"] = m[3].replace(",", "")
    return row


def _figure(number: str, behind: str) -> str:
    """A number and what stands behind it, a unit or a letter that multiplies it."""
    if behind not in _LETTERS:
        return number + behind
    return f"{float(number.replace(',', '').replace('_', '')) * _LETTERS[behind]:.12g}"


def _name(key: str, words: Words, known: dict[str, str]) -> str:
    """What of a key is the name of a quantity: `iteration` of `[rank0] iteration`; empty where nothing is."""
    if key not in known:
        read = words.read(key)
        known[key] = read.sort.name if read is not None else ""
    if known[key]:
        return key
    before, _, last = key.rpartition(" ")
    # What stands before the name of a step is where the line is from; of other names it may make another.
    if before and last.lower() in ("step", "iter", "iteration"):
        return _name(last, words, known)
    return ""
