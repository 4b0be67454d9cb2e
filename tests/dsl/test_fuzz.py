"""Ten thousand mutated plans: a plan or a finding of each, and nothing worse; more by `RUNPLAN_FUZZ=1000000`."""

from __future__ import annotations

import os

import pytest
from mutants import corpus, judged, mutants

MANY = int(os.environ.get("RUNPLAN_FUZZ", "10000"))
BATCHES = 20
ONE_IN = 40  # of so many one is solved, which costs fifty times as much


def test_there_is_something_to_mutate() -> None:
    assert {name.rsplit(".", 1)[-1] for name, _ in corpus()} == {"plan", "yaml"}
    assert len(corpus()) >= 10


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_mutated_plan_is_told_and_nothing_worse(batch: int) -> None:
    for number, (name, text) in enumerate(mutants(batch, MANY // BATCHES)):
        judged(name, text, solve=number % ONE_IN == 0)
