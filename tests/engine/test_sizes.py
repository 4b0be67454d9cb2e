"""Plans of hundreds of parts: each is answered, or told what is too much of it."""

from __future__ import annotations

import pytest
from reports import under

PLAN = "hardware: 512 x H100 for 60 days at 40% MFU @ 2 USD/GPU/hour\nmodel: 7B\n"
MANY = 1200


@pytest.mark.parametrize(
    "parts",
    [
        "".join(f"data s{i}: {10 + i % 7}B tokens\n" for i in range(MANY)),
        "".join(f"data s{i}: {10 + i % 7}B tokens up to 2 epochs\n" for i in range(400)),
        "".join(f"phase p{i}: 0.5B tokens constant\n" for i in range(400)) + "phase last: rest decay\n",
        "let a0 = 1M USD\n"
        + "".join(f"let a{i} = a{i - 1} + 1 USD\n" for i in range(1, MANY))
        + f"require cost <= 1 USD + a{MANY - 1}\n",
        "let a0 = tokens\n"
        + "".join(f"let a{i} = a{i - 1} + 1B tokens\n" for i in range(1, 190))
        + "require a189 <= 9000T tokens\n",
    ],
    ids=["sources", "passes", "phases", "figures", "names"],
)
def test_many_parts_are_answered(parts: str) -> None:
    (solution,) = under(PLAN + parts).solutions
    assert solution.status == "solved"


def test_a_chain_of_names_that_is_too_deep_is_told_once() -> None:
    chain = "let a0 = tokens\n" + "".join(f"let a{i} = a{i - 1} + 1B tokens\n" for i in range(1, MANY))
    (found,) = under(PLAN + chain + f"require a{MANY - 1} <= 9000T tokens\n").findings
    assert (found.code, found.severity) == ("S004", "error")
    assert "more than 200 levels" in found.message
