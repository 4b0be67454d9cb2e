"""The table of codes: what each row must say, and that the program names no other code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from wheels import needs_repository

from runplan.dsl.text.codes import CODES, code_of, silenceable, words
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Source, Span

ROOT = Path(__file__).resolve().parents[2]
HERE = Span(Source("a.plan", "model: 7B\n"), 0, 5)
# No family has a hundred: H100 and B200 are devices.
CODE = re.compile(r"[SNUCBLHDTPXRFWE]0\d{2}")


@pytest.mark.parametrize("code", CODES)
def test_a_row_says_what_a_code_is(code: str) -> None:
    known = CODES[code]
    assert CODE.fullmatch(code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", known.name)
    assert known.says and not known.says.endswith(".")
    # What is wrong with a plan or a pack itself is not a matter of taste.
    assert known.silenceable == (code[0] not in "SNUCP")
    assert known.silenceable or known.severity == "error"


def test_no_word_means_two_codes() -> None:
    assert len(words()) == len(set(words())) == 2 * len(CODES)
    assert [code_of(word.upper()) for word in words()] == [*CODES, *CODES]
    assert code_of("over-budgets") is None


def test_the_code_of_a_rule_of_a_pack_can_be_silenced() -> None:
    assert silenceable("CORP1") and silenceable("B001") and not silenceable("P001")


def test_a_finding_is_what_its_code_says() -> None:
    found = finding("D009", "a count is binary", HERE)
    assert (found.name, found.severity) == ("binary-prefix", "warning")
    own = finding("CORP1", "ours", HERE, name="our-rule", severity="info")
    assert (own.name, own.severity) == ("our-rule", "info")
    with pytest.raises(KeyError, match="B0O1"):
        finding("B0O1", "a typo", HERE)


@needs_repository
@pytest.mark.parametrize("folder", ["cli", "dsl", "engine"])
def test_the_program_names_no_other_code(folder: str) -> None:
    named = {
        node.value
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }
    assert named and named <= set(CODES)
