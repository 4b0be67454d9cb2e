"""Plans that are made from their answer give it back; `python bench/answers.py` makes ten thousand of them."""

from __future__ import annotations

import random

import pytest
from answers import KINDS, missed
from reports import under


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_plan_gives_back_what_it_was_made_from(kind: str, seed: int) -> None:
    made = KINDS[kind](random.Random(seed))
    report = under(made.text)
    # What the plans are made from says nothing of memory.
    assert not [f.message for f in report.findings if f.severity == "error" and f.code != "H001"], made.text
    assert missed(made, report.solutions[0]) == {}, made.text
