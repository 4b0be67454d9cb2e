"""A function of one unknown to where it crosses nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.engine.numeric.search import crossing

FORMS: dict[str, Callable[[float, float], float]] = {
    "a line": lambda x, root: x - root,
    "a power": lambda x, root: math.exp(3 * x) - math.exp(3 * root),
    "flat at first": lambda x, root: (x - root) ** 5,
    "a step": lambda x, root: -1.0 if x <= root else 1.0,
    "without end": lambda x, root: math.inf if x > root + 0.1 else x - root,
}


@given(st.sampled_from(sorted(FORMS)), st.floats(0.01, 9.99), st.booleans())
def test_a_crossing_is_found_to_the_last_digits_on_the_side_that_holds(form: str, root: float, turned: bool) -> None:
    asked: list[float] = []

    def function(x: float) -> float:
        asked.append(x)
        return FORMS[form](10.0 - x if turned else x, root)

    found = crossing(function, *((10.0, 0.0) if turned else (0.0, 10.0)))
    near = 1e-2 if form == "flat at first" else 1e-13
    assert found == pytest.approx(10.0 - root if turned else root, abs=near)
    assert FORMS[form](10.0 - found if turned else found, root) <= 0.0
    assert len(asked) <= 130
