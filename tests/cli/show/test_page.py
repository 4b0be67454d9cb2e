"""Rows of catalogues: no line is wider than the page, unless what cannot be broken is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runplan.cli.show.text.page import WIDTH, columns

WORD = st.text("abc=*", min_size=1, max_size=20)
CELL = st.text("abc 1", max_size=21)
ROWS = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.tuples(*[CELL] * n, st.lists(WORD, max_size=9).map(" ".join)), min_size=1, max_size=4)
)


@given(ROWS)
def test_no_line_of_columns_is_wider_than_the_page(rows: list[tuple[str, ...]]) -> None:
    text = columns(rows, "  ")
    assert max(map(len, text.split("\n"))) <= WIDTH
    assert text.split() == " ".join(" ".join(row) for row in rows).split()
