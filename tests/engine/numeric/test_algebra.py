"""Frames of rows: what is across them is orthonormal, and along axes where it can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.engine.numeric.algebra import Frame, Matrix, dot

SIZE = 6
ROWS = st.lists(st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.0, 0.0, 1.0, 3.0]), min_size=SIZE, max_size=SIZE))


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_a_complement_is_all_that_is_across_the_rows(rows: Matrix) -> None:
    frame = Frame()
    for row in rows[:SIZE]:
        frame.add(row, 1e-9)
    across = frame.complement(SIZE)
    every = [*frame.q, *across]
    assert len(every) == SIZE
    for i, a in enumerate(every):
        for j, b in enumerate(every):
            assert dot(a, b) == pytest.approx(float(i == j), abs=1e-12)
    untouched = [i for i in range(SIZE) if not any(row[i] for row in rows[:SIZE])]
    axes = [[float(j == i) for j in range(SIZE)] for i in untouched]
    assert all(axis in across for axis in axes)
