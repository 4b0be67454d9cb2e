"""The driver of Lark's tables gives the trees that Lark gives, with their places, and stumbles where Lark does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from random import Random

import lark
import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wheels import BESIDE_A_WHEEL

from runplan.dsl.syntax import grammar, parse
from runplan.dsl.syntax.driver import Driver
from runplan.dsl.syntax.tables import tables_of
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.syntax.yaml import parse_yaml
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, View

ROOT = Path(__file__).resolve().parents[2]
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])


@lru_cache(1)
def driver() -> Driver:
    return Driver(tables_of(grammar.lark()))


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the language that the repository has, and where it stands."""
    library = Path(grammar.__file__).parents[2]
    for folder in (ROOT / "plans", ROOT / "bench", library / "stdlib", library / "cli" / "templates"):
        for path in sorted(folder.rglob("*.plan")):
            yield str(path.relative_to(folder)), path.read_text(encoding="utf-8")
    for path in sorted((*(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md"))):
        for found in re.finditer(
            r"^```plan[^\n]*\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            yield f"{path.name}:{found.start()}", found[1]


@lru_cache(1)
def fragments() -> list[str]:
    """Parts of lines: what stands in a block, after a colon, after `=`, after the first word."""
    parts = set()
    for _, text in texts():
        for line in map(str.strip, text.splitlines()):
            parts |= {line, line.partition(":")[2], line.partition("=")[2], line.partition(" ")[2]}
    return sorted(part.strip() for part in parts if 0 < len(part) < 200)


def places(*nodes: Node | Word | None) -> list[tuple[str, int, int]]:
    out = []
    stack = list(nodes)
    while stack:
        item = stack.pop()
        if item is not None:
            out.append((item.rule if isinstance(item, Node) else item.type, item.span.start, item.span.end))
        if isinstance(item, Node):
            stack.extend(item.children)
    return out


def check_equal(view: View, start: str) -> None:
    tree, findings = grammar.explained(view, start)
    ours = driver().tree(view, start)
    assert ours == (None if findings else tree)
    assert findings or places(ours) == places(tree)


def test_trees_of_all_texts_are_those_of_lark() -> None:
    known = list(texts())
    assert len(known) > (100 if BESIDE_A_WHEEL else 300)
    for where, text in known:
        check_equal(View(text, Source(where, text)), "file")


@relaxed
@given(st.data(), st.sampled_from(grammar.STARTS))
def test_parts_of_texts_by_any_start_are_those_of_lark(data: st.DataObject, start: str) -> None:
    text = data.draw(st.sampled_from(fragments()))
    text = data.draw(st.one_of(st.just(text), strategies.edits(text)))
    source = Source("p", f"before {text} after")
    check_equal(View(text, source, 7), start)
    check_equal(View(text, source, 0, tuple(range(7, 7 + len(text)))), start)


def both(read: Callable[[Source], tuple[File, list[Finding]]], text: str) -> None:
    """A text by the driver and by Lark alone: the same tree at the same places, and the same findings."""
    seen = []
    for one in (driver(), None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parse, "_driver", lambda one=one: one)
            file, findings = read(Source("p", text))
            seen.append((file, places(*file.statements, *file.comments), findings))
    assert seen[0] == seen[1]


@relaxed
@given(strategies.broken("plan"))
def test_a_broken_dsl_plan_is_read_and_refused_as_by_lark(text: str) -> None:
    both(parse.parse_file, text)


@relaxed
@given(strategies.plans(), st.randoms(use_true_random=False), st.data())
def test_a_yaml_plan_is_read_and_refused_as_by_lark(plan: strategies.Data, dice: Random, data: st.DataObject) -> None:
    text = strategies.yaml(plan, dice)
    both(parse_yaml, data.draw(st.one_of(st.just(text), strategies.edits(text))))


@pytest.mark.parametrize("depth", [150, 198, 199, 200, 201, 400])
def test_what_is_too_deep_is_left_to_lark(depth: int) -> None:
    for text in (" + ".join(["1"] * depth), "-" * depth + "1"):
        check_equal(View(text, Source("p", text)), "sum")


def test_a_statement_more_costs_no_more_than_those_before() -> None:
    """The statements are one list that grows, in Lark's left recursion: no list of all before is made for each."""
    text = "let a = 1\n" * 2000
    tree = driver().tree(View(text, Source("p", text)), "file")
    assert tree is not None and len(list(tree.nodes("let"))) == 2000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('start: inner "b"\n?inner: "(" A ")"\nA: "a"', r"`\?inner` stands for one of several parts"),
        ('start: NAME | "let"\nNAME: /[a-z]+/', "match a literal: NAME"),
    ],
)
def test_a_grammar_that_needs_more_than_the_driver_does_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tables_of(lark.Lark(text, parser="lalr", propagate_positions=True, maybe_placeholders=True))
