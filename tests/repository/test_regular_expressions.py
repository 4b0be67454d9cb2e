"""No regular expression of ours can take a text apart in exponentially many ways."""

from __future__ import annotations

import ast
import string
import warnings
from collections.abc import Iterator
from pathlib import Path
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # how Python itself takes one apart
from typing import Any

import pytest
from wheels import needs_repository

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT}  # what is possessive gives nothing back


def written() -> Iterator[tuple[str, str]]:
    """Every text of the modules with where it stands: which of them are patterns is not asked."""
    for folder in ("dsl", "engine", "cli", "editor"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    text = "".join(str(of.value) if isinstance(of, ast.Constant) else "x" for of in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    text = node.value
                else:
                    continue
                if text.count("*") + text.count("+") + text.count("{") > 1:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text
    for number, line in enumerate((ROOT / "dsl/syntax/plan.lark").read_text("utf-8").splitlines(), 1):
        if line.partition(": /")[2]:
            yield f"plan.lark:{number}", line.partition(": /")[2].rpartition("/")[0]


def repeated(part: Any) -> Iterator[Any]:
    """The bodies of the repeats without an end, at any depth."""
    if isinstance(part, (_parser.SubPattern, list, tuple)):
        for inner in part:
            yield from repeated(inner)
            if isinstance(inner, tuple) and len(inner) == 2 and inner[0] in ENDLESS:
                _, most, body = inner[1]
                if most is _constants.MAXREPEAT:
                    yield body


def ambiguous(pattern: str) -> str:
    """A character of which any number may be one turn of a repeat as well as several; empty where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bodies = list(repeated(_parser.parse(pattern)))
    except (_constants.error, OverflowError):
        return ""  # a text that is no pattern
    for body in bodies:
        turn = _compiler.compile(body)
        if found := [one for one in string.printable if turn.fullmatch(one) and turn.fullmatch(one * 2)]:
            return found[0]
    return ""


@pytest.mark.parametrize(
    "pattern", [r"((?:[A-Za-z][\w.-]*\s*)+)", r"(a+)*b", r"x(?:(?:\d|\d\d)+,)*", r"(?:[ \t]*\w?)+:"]
)
def test_a_planted_one_is_seen(pattern: str) -> None:
    assert ambiguous(pattern)


@pytest.mark.parametrize(
    "pattern", [r"[A-Za-z][\w.-]*(?:\s+[A-Za-z][\w.-]*)*", r"(?:\\.|[^\"])*+", r"(?:,\d+)*", "a+b+"]
)
def test_what_has_one_way_is_not(pattern: str) -> None:
    assert not ambiguous(pattern)


@needs_repository
def test_no_text_keeps_a_pattern_busy_for_ever() -> None:
    assert {where: pattern for where, pattern in written() if ambiguous(pattern)} == {}
