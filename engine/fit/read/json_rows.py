"""JSON of runs into a grid: objects by lines or in an array, columns by name, or the log of Transformers' Trainer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.source import Source, Span
from runplan.dsl.types import Any
from runplan.engine.fit.read.delimited import NotCells
from runplan.engine.fit.read.grid import Grid, line_span

# The key under which the Trainer of Transformers keeps its log; what stands beside it is told once.
HISTORY = "log_history"
_BLANK = re.compile(r"[\s,]*")
# Numbers stay text, to the letter, as in other files.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


@dataclass(slots=True)
class _Objects:
    """Objects as they are found.

    Attributes:
        found: Each with the line on which it begins.
        broken: Lines that are no JSON.
        aside: What is said once.
    """

    found: list[tuple[int, dict[str, Any]]]
    broken: list[int]
    aside: dict[str, Any]


def json_rows(source: Source) -> Grid:
    """The objects of a text, a row each; keys of objects in objects are joined by `/`.

    Raises:
        NotCells: For what is no JSON, or has no objects.
    """
    text = source.text
    lines = _lines_of(source) if _is_lines(text) else None
    objects = lines or _whole(source)
    rows = [(line, dict(_flat(one))) for line, one in objects.found]
    headers = tuple(dict.fromkeys(key for _, row in rows for key in row))
    if not headers:
        raise NotCells(
            1, "there are no objects with figures in this JSON", 'write `{"params": 1e9, "loss": 2.5}` a line'
        )
    columns = tuple([row.get(key, "") for _, row in rows] for key in headers)

    def locate(line: int, column: int) -> Span:
        return _place(source, line, headers[column] if column >= 0 else "")

    aside = tuple((key, text) for key, text in _flat(objects.aside))
    ragged = tuple((line, 0) for line in objects.broken)
    return Grid(source, headers, columns, [line for line, _ in rows], locate, ragged, 0, aside)


def _is_lines(text: str) -> bool:
    """Whether the first line is an object by itself."""
    first = text.lstrip().partition("\n")[0].strip()
    return first.startswith("{") and first.endswith("}")


def _lines_of(source: Source) -> _Objects | None:
    out = _Objects([], [], {})
    for line, text in enumerate(source.text.split("\n"), 1):
        if text.strip():
            try:
                one = _DECODER.decode(text)
            except (ValueError, RecursionError):
                one = None
            if isinstance(one, dict):
                out.found.append((line, one))
            else:
                out.broken.append(line)
    if len(out.found) == 1 and not out.broken:
        values = out.found[0][1].values()
        if any(isinstance(value, list) for value in values) or all(isinstance(value, dict) for value in values):
            return None  # one object that holds all rows
    return out if out.found else None


def _whole(source: Source) -> _Objects:
    text = source.text
    try:
        value, _ = _DECODER.raw_decode(text, len(text) - len(text.lstrip()))
    except json.JSONDecodeError as error:
        line, _ = source.line_column(error.pos)
        raise NotCells(
            line, f"it is no whole JSON: {error.msg}", "the file may have been cut off as it was written"
        ) from None
    except RecursionError:
        raise NotCells(1, "its JSON is nested too deep") from None
    if isinstance(value, list):
        return _Objects(list(_elements(source, value, text.find("["))), [], {})
    if not isinstance(value, dict):
        raise NotCells(1, "this JSON is no object and no array of objects")
    key = (
        HISTORY
        if isinstance(value.get(HISTORY), list)
        else next(
            (key for key, rows in value.items() if isinstance(rows, list) and rows and isinstance(rows[0], dict)), None
        )
    )
    if key is not None:
        rest = {name: one for name, one in value.items() if name != key and not isinstance(one, list | dict)}
        begins = re.compile(rf'"{re.escape(key)}"\s*:\s*\[').search(text)
        return _Objects(list(_elements(source, value[key], begins.end() - 1 if begins else 0)), [], rest)
    lists = {name: one for name, one in value.items() if isinstance(one, list)}
    if lists:
        length = max(map(len, lists.values()))
        rows = ({name: one[i] if i < len(one) else None for name, one in lists.items()} for i in range(length))
        return _Objects([(i, row) for i, row in enumerate(rows, 1)], [], {})
    if value and all(isinstance(one, dict) for one in value.values()):
        if (columns := _by_index(value)) is not None:
            return columns
        return _Objects([(i, {"name": name, **one}) for i, (name, one) in enumerate(value.items(), 1)], [], {})
    return _Objects([(1, value)], [], {})


def _by_index(value: dict[str, dict[str, Any]]) -> _Objects | None:
    """The rows of columns each of which has its cells by the number of the row, as pandas writes a frame; None where
    the keys are no such numbers.
    """
    index = tuple(dict.fromkeys(key for one in value.values() for key in one))
    if not index or not all(key.isdecimal() for key in index):
        return None
    return _Objects(
        [(i, {name: one.get(key) for name, one in value.items()}) for i, key in enumerate(index, 1)], [], {}
    )


def _elements(source: Source, values: Iterable[Any], begins: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object of an array with its line: they are decoded again, one by one, to tell where each begins."""
    at = begins + 1
    for value in values:
        m = _BLANK.match(source.text, at)
        at = m.end() if m else at
        if isinstance(value, dict):
            yield source.line_column(at)[0], value
        _, at = _DECODER.raw_decode(source.text, at)


def _flat(value: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        name = f"{prefix}{key}"
        if isinstance(one, dict) and depth < 4:
            yield from _flat(one, f"{name}/", depth + 1)
        elif one is None:
            yield name, ""
        elif isinstance(one, bool):
            yield name, str(one).lower()
        elif isinstance(one, str):
            yield name, one


def _place(source: Source, line: int, header: str) -> Span:
    """The key of a row, where its line has it; the whole line else."""
    whole = line_span(source, line)
    key = f'"{header.rpartition("/")[2]}"'
    at = whole.text.find(key) if header else -1
    return whole if at < 0 else Span(source, whole.start + at, whole.start + at + len(key))
