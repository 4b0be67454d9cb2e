"""What is drawn without rich is what rich draws, and colours change nothing but colours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from runplan.cli.show.text.ink import Column, Grid, Styled, as_lines, by_rich

STYLES = ("", "bold", "dim", "bold red")
WORDS = st.text("ab/→é日 ", max_size=12)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)
CODES = re.compile(r"\x1b\[[0-9;]*m")


def shown(lines: list[str]) -> list[str]:
    """As a page shows them: without what ends them unseen."""
    return [CODES.sub("", line).rstrip(" ") for line in lines]


@st.composite
def styled(draw: st.DrawFn, lines: bool = True) -> Styled:
    out = Styled(draw(TEXTS), draw(st.sampled_from(STYLES)))
    for _ in range(draw(st.integers(0, 2))):
        out.append(draw(st.sampled_from(("\n", " ", "x"))) if lines else " ")
        out.append_text(Styled(draw(TEXTS), draw(st.sampled_from(STYLES))).styled(draw(st.sampled_from(STYLES)), 3))
    out.append(".")  # nothing that is shown ends with the end of a line
    return out


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    count = draw(st.integers(1, 4))
    has_heads = draw(st.booleans())
    columns = [
        Column(draw(st.integers(2, 12)), draw(styled()) if has_heads else None, draw(st.booleans()))
        for _ in range(count)
    ]
    if not has_heads and draw(st.booleans()):
        columns.append(Column())
    rows = draw(st.lists(st.tuples(*(styled() for _ in columns)), min_size=1, max_size=4))
    return Grid(columns, rows, draw(st.booleans()))


@given(styled(), st.integers(8, 40), st.integers(0, 3))
def test_texts_break_as_rich_breaks_them(text: Styled, width: int, indent: int) -> None:
    plain = shown(as_lines(text, width, indent, color=False))
    assert plain == shown(by_rich(text, width, indent, color=False))
    assert plain == shown(by_rich(text, width, indent, color=True))


@given(grids(), st.integers(20, 70), st.integers(0, 3))
def test_tables_are_as_rich_draws_them(grid: Grid, width: int, indent: int) -> None:
    plain = shown(as_lines(grid, width, indent, color=False))
    assert plain == shown(by_rich(grid, width, indent, color=False))
    assert plain == shown(by_rich(grid, width, indent, color=True))


@given(styled(), st.integers(2, 30))
def test_lines_of_a_text_keep_their_styles(text: Styled, width: int) -> None:
    told = [s for line in text.lines(width) for i in range(len(line.text)) for s in [_at(line, i)]]
    every = [_at(text, i) for i, character in enumerate(text.text) if character != "\n"]
    kept = "".join(line.text for line in text.lines(width))
    assert len(told) == len(kept) <= len(every)
    if len(told) == len(every):  # no blanks were cut
        assert told == every


def _at(text: Styled, i: int) -> set[str]:
    return {style for start, end, style in text.spans if start <= i < end}
