"""Texts and tables of a report to Markdown in which nothing that a plan says is acted on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from runplan.cli.show.text.content import Cell, Section, Table
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.later import Texts

_PUNCTUATION = re.compile(r"[\\`*_{}\[\]<>|~$&]")
# GitHub makes mentions, references and links of these after it has undone the backslashes.
_LINKED = re.compile(r"@|#(?=\d)|:(?=//)|(?<=www)\.", re.IGNORECASE)


def inline(text: str) -> str:
    """Text as it reads, with what stands between a pair of backticks as code."""
    pieces = plain(text).split("`")
    # Odd, or two together: the backticks are not all ours, and Markdown would pair them its own way.
    if len(pieces) % 2 == 0 or "" in pieces[1:-1] or any("|" in piece for piece in pieces[1::2]):
        return literal(text)
    return "".join(f"`{piece}`" if i % 2 else literal(piece) for i, piece in enumerate(pieces))


def literal(text: str) -> str:
    """Text as it reads, with nothing in it that Markdown or GitHub would act on."""
    escaped = _PUNCTUATION.sub(r"\\\g<0>", plain(text))
    return _LINKED.sub(r"\g<0><!-- -->", escaped)


def headed(text: str) -> Iterator[str]:
    """A heading behind a blank line."""
    yield ""
    yield f"**{inline(text)}**"


def paragraph(texts: Sequence[str] | Texts) -> Iterator[str]:
    """Sentences, a line each, behind a blank line; nothing where there are none."""
    if texts:
        yield ""
        yield "<br>".join(map(inline, texts))


def small(notes: Sequence[str]) -> Iterator[str]:
    """Sentences in small type behind a blank line; nothing where there are none."""
    if notes:
        yield ""
        yield "<br>".join(f"<sub>{inline(note)}</sub>" for note in notes)


def section(section: Section) -> Iterator[str]:
    """A heading, its table, and what is said under it; a chart is for terminals."""
    yield from headed(section.title)
    yield from table(section.table) if section.table.rows else ()
    yield from paragraph(section.said)
    yield from small(section.notes)


def folded(summary: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines that are folded away behind a summary."""
    yield ""
    yield f"<details><summary>{escape(plain(summary))}</summary>"
    yield from lines
    yield ""
    yield "</details>"


def table(table: Table) -> Iterator[str]:
    """A table behind a blank line; figures are aligned to the right. Nothing where it has no rows."""
    if not table.rows:
        return
    heads = table.heads or ("",) * max(map(len, table.rows))
    yield ""
    yield from rows([[inline(head.replace("\n", " ").strip()) for head in heads]])
    yield f"| {' | '.join('---:' if table.figures and i else '---' for i in range(len(heads)))} |"
    yield from rows(map(_cell, row) for row in table.rows)


def rows(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    """Rows of a table, of cells that are escaped already."""
    yield from (f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: Cell) -> str:
    text = cell.text
    if cell.code:
        text = "\n".join(f"`{line}`" for line in text.split("\n"))
    beside = f" {cell.ends}" if cell.ends else ""
    return _lines(f"{text}{beside}{cell.mark or ''}")


def _lines(text: str) -> str:
    return "<br>".join(inline(line.strip()) for line in text.split("\n"))
