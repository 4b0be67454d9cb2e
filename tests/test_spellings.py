"""Both spellings of a plan mean the same, and no text at all makes the readers fail."""

from __future__ import annotations

import random
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import strategies
from runplan.dsl.finding import Finding
from runplan.dsl.grammar import parse_file
from runplan.dsl.ir import Lowered, Plan, Vocabulary
from runplan.dsl.lower import lower
from runplan.dsl.source import Source, Span
from runplan.dsl.syntax import File, Node, Word
from runplan.dsl.yaml_reader import parse_yaml
from runplan.engine.catalogue import standard

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])


@lru_cache(1)
def vocabulary() -> Vocabulary:
    return standard().vocabulary()


def read(text: str, spelling: str) -> tuple[File, Lowered, list[Finding]]:
    """What a text says, and all that is wrong with it before anything is solved."""
    file, findings = (parse_yaml if spelling == "yaml" else parse_file)(Source("p", text))
    lowered = lower(file, vocabulary())
    return file, lowered, [*findings, *lowered.findings]


def meant(text: str, spelling: str) -> Plan:
    _, lowered, findings = read(text, spelling)
    assert [f.message for f in findings if f.code != "S006"] == []
    assert lowered.plan is not None
    return lowered.plan


@relaxed
@given(strategies.plans(), st.randoms(use_true_random=False))
def test_both_spellings_mean_the_same(plan: strategies.Data, dice: random.Random) -> None:
    assert meant(strategies.dsl(plan, dice), "plan") == meant(strategies.yaml(plan, dice), "yaml")
