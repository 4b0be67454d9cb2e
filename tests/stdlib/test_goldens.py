"""Every golden value of the standard library holds, and every one of `tests/facts/golden.json` is there."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.engine.laws.form import is_form
from runplan.engine.laws.goldens import GoldenResult, check_goldens

FACTS = Path(__file__).resolve().parents[1] / "facts" / "golden.json"
LAWS = LIBRARY.laws()
RESULTS = [result for law in LAWS for result in check_goldens(law, LIBRARY)]


@pytest.fixture(scope="module")
def facts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FACTS.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.id)
def test_a_golden_value_holds(result: GoldenResult) -> None:
    assert result.verdict == "pass", result


def test_an_id_is_used_once() -> None:
    assert [name for name, n in Counter(result.id for result in RESULTS).items() if n > 1] == []


def test_the_laws_are_read_without_a_finding() -> None:
    assert LIBRARY.audit() == ()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_law_cites_tells_its_evidence_and_has_a_golden_value(law: Any) -> None:
    assert law.title and law.objectives and law.counts
    assert law.cites and all(cite.evidence for cite in law.cites)
    assert law.goldens or is_form(law)


def test_every_golden_value_of_the_facts_is_there(facts: list[dict[str, Any]]) -> None:
    known = {result.id for result in RESULTS}
    assert {fact["id"] for fact in facts} <= known


def test_golden_values_expect_what_the_facts_say(facts: list[dict[str, Any]]) -> None:
    """The printed numbers are the same, however a pack calls what they are of."""
    results = {result.id: result for result in RESULTS}
    # One fact of two approaches is two golden values of two laws.
    for result in RESULTS:
        if result.id.endswith(".approach3"):
            plain = results[result.id.removesuffix(".approach3")]
            merged = {**plain.expected, **{f"{name} (3)": v for name, v in result.expected.items()}}
            results[plain.id] = GoldenResult(plain.id, plain.law, merged, plain.got, plain.rtol, plain.verdict)
    for fact in facts:
        result = results[fact["id"]]
        values = fact["expected"].values() if isinstance(fact["expected"], dict) else [fact["expected"]]
        for value in values:
            assert any(math.isclose(value, ours, rel_tol=1e-9) for ours in result.expected.values()), fact["id"]
        assert result.rtol <= fact["rtol"], fact["id"]
