"""Parts of sentences."""

from __future__ import annotations

import pytest

from runplan.dsl.text.words import times


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (1.35, "1.35x"),
        (12.0, "12x"),
        (0.5, "0.5x"),
        (1.01, "1.01x"),
        (1.0003, "0.03 % above"),
        (0.9967, "0.33 % below"),
        (1.0, "not below"),
        (1 + 1e-12, "not below"),
    ],
)
def test_how_many_times(ratio: float, said: str) -> None:
    assert times(ratio) == said


@pytest.mark.parametrize("ratio", [1 + 10.0**-i for i in range(1, 9)] + [1 - 10.0**-i for i in range(1, 9)])
def test_never_one_time(ratio: float) -> None:
    assert times(ratio) != "1x"
