"""`editors/`: what is made of the language is current, and plans are coloured by what their words are."""

from __future__ import annotations

import json
import os
import re
import runpy
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Error
from wheels import needs_repository

from runplan.cli.highlight.lexer import OF_PYGMENTS, PlanLexer
from runplan.cli.highlight.tokens import joining_words, statement_words, tokens
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.statements import OF_PACKS, OF_PLANS
from runplan.dsl.text.source import Source

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "editors"
TEXTS = [*sorted((ROOT / "plans").glob("*.plan")), *sorted((ROOT / "stdlib").rglob("*.plan"))]


@needs_repository
def test_what_is_made_of_the_language_is_current() -> None:
    make: Callable[[], dict[str, str]] = runpy.run_path(str(EDITORS / "make.py"))["made"]
    for name, text in make().items():
        path = EDITORS / name
        if os.environ.get("UPDATE_SNAPSHOTS"):
            path.write_text(text, "utf-8")
        assert path.read_text("utf-8") == text, f"`python editors/make.py` writes {name}"


# ---- colours


def coloured(text: str) -> list[tuple[str, str]]:
    """What each part of a text is, by the name of its kind; blanks are left out."""
    kinds = {token: kind for kind, token in OF_PYGMENTS.items()}
    lexer = PlanLexer(stripnl=False, ensurenl=False)
    return [(kinds[token], part) for token, part in lexer.get_tokens(text) if part.strip()]


def by_lines(text: str) -> Iterator[tuple[str, str]]:
    """The same by the TextMate grammar, as engines read flat patterns: the first match, and the first pattern of it."""
    grammar = json.loads((EDITORS / "vscode" / "syntaxes" / "plan.tmLanguage.json").read_text("utf-8"))
    patterns = [(re.compile(pattern["match"]), pattern) for pattern in grammar["patterns"]]
    for line in text.split("\n"):
        at = 0
        while at < len(line):
            found = [(match.start(), i, match) for i, (p, _) in enumerate(patterns) if (match := p.search(line, at))]
            if not found:
                break
            _, i, match = min(found, key=lambda each: each[:2])
            assert match.end() > at, "a pattern that matches nothing would stop an editor"
            groups = patterns[i][1].get("captures", {"0": patterns[i][1]})
            yield from ((scope["name"], match[int(group)]) for group, scope in groups.items() if match[int(group)])
            at = match.end()


@needs_repository
def test_every_word_of_real_plans_is_known() -> None:
    for path in TEXTS:
        text = path.read_text("utf-8")
        found = list(PlanLexer(stripnl=False, ensurenl=False).get_tokens(text))
        assert "".join(part for _, part in found) == text
        assert [part for token, part in found if token is Error] == [], path


@needs_repository
def test_both_colour_alike() -> None:
    scopes = runpy.run_path(str(EDITORS / "make.py"))["SCOPES"]
    for path in TEXTS[::8]:
        text = path.read_text("utf-8")
        assert list(by_lines(text)) == [(f"{scopes[kind]}.runplan", part) for kind, part in coloured(text)], path


def test_statements_begin_with_keywords_and_fields_are_none() -> None:
    text = 'hardware: { gpus: 8; device: H100 }  # ignore[H004] so\nrequire tokens / params >= 20 because "x # y"\n'
    told = coloured(text)
    assert told[0] == ("keyword", "hardware") and ("field", "gpus") in told and ("name", "H100") in told
    assert ("ignored", "ignore[H004]") in told and ("string", '"x # y"') in told
    assert ("name", "tokens") in told and ("name", "params") in told, "of a statement and of a quantity, each is seen"
    assert coloured("use laws a\nlaws: b")[::2] == [("keyword", "use laws"), ("keyword", "laws"), ("name", "b")]
    assert coloured("up to 96 nodes x H100 for ? until 2026-01-31") == [
        ("joining", "up"), ("joining", "to"), ("number", "96"), ("unit", "nodes"), ("operator", "x"), ("name", "H100"),
        ("joining", "for"), ("unknown", "?"), ("joining", "until"), ("date", "2026-01-31"),
    ]  # fmt: skip
    assert coloured("8xH100, 1\u00d7h100") == [
        ("number", "8"), ("operator", "x"), ("name", "H100"), ("punctuation", ","),
        ("number", "1"), ("operator", "\u00d7"), ("name", "h100"),
    ]  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(strategies.plans(), st.randoms(use_true_random=False))
def test_the_keywords_of_a_plan_are_its_statements(plan: Any, random: Any) -> None:
    """Of a generated plan too nothing is unknown, and outside blocks each statement is coloured as one."""
    text = strategies.dsl(plan, random)
    parts = list(PlanLexer(stripnl=False, ensurenl=False).get_tokens(text))
    assert [part for token, part in parts if token is Error] == []
    file, _ = parse_file(Source("a.plan", text))
    begun = [node.rule for node in file.statements]
    assert sum(kind == "keyword" for kind, _ in coloured(text)) >= len(begun)


def test_every_statement_has_its_word() -> None:
    words = set(statement_words())
    assert {row.keyword for row in (*OF_PLANS, *OF_PACKS)} <= words
    assert not words & set(joining_words())
    assert all(
        re.compile(token.pattern).groups == (len(token.kinds) if len(token.kinds) > 1 else 0) for token in tokens()
    )


def test_pygments_finds_the_lexer() -> None:
    named = {point.name: point.value for point in entry_points(group="pygments.lexers")}
    if named.get("plan") is None:
        pytest.skip("installed before there was an entry point")
    assert isinstance(get_lexer_by_name("plan"), PlanLexer) and isinstance(get_lexer_for_filename("a.plan"), PlanLexer)


# ---- the extension


@needs_repository
def test_the_extension_names_files_that_are_there() -> None:
    folder = EDITORS / "vscode"
    package = json.loads((folder / "package.json").read_text("utf-8"))
    told = package["contributes"]
    files = [package["main"], *(each["configuration"] for each in told["languages"])]
    files += [each["path"] for each in told["grammars"]] + [each["url"] for each in told["yamlValidation"]]
    assert [file for file in files if not (folder / file).is_file()] == []
    json.loads((folder / "language-configuration.json").read_text("utf-8"))
    script = (folder / "extension.js").read_text("utf-8")
    (setting,) = told["configuration"]["properties"]
    assert setting == "runplan.command" and 'getConfiguration("runplan").get("command")' in script
    # What a workspace says is a stranger's: it must not name what is started.
    assert told["configuration"]["properties"][setting]["scope"] == "machine"
    assert re.findall(r'require\("(vscode-[\w-]+)', script) == list(package["dependencies"])
