"""Mistakes planted in a plan that is right: one finding each, of one code and at one place in both spellings."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source
from runplan.engine.pipeline import plan_at

LINES = """\
plan "Lines"
use laws chinchilla, llama3
let budget = 30M USD
let cluster = 512
calendar month = 30.4375 days
rate EUR = 1.08 USD on 2026-01-15
hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour in nodes of 8
data web: 10T tokens
data code: 800B tokens up to 4 epochs
data math: 200B tokens quality high
model: 7B params
tokens: 3T
objective: CLM
reserve: 15% because "ablations"
inference: 2T tokens
schedule: WSD
optimizer: AdamW { learning_rate: 3e-4 }
require cost <= budget because "board"
require tokens / params >= 20
require epochs.code <= 3
prefer loss <= 2.5
minimize perplexity
"""
BLOCKS = """\
plan "Blocks"
hardware {
  gpus: 512
  device: A100
  precision: bf16
  time: 60 days
  mfu: 41%
  pue: 1.2
  price: 2.5 USD/GPU/hour
  nodes_of: 8
  from: 2026-12-01
}
model {
  layers: 33
  hidden: 4096
  heads: 32
  vocab: 128256
  mlp: gated
  tied: false
}
data web: 9T tokens
data code: 1T tokens
phase warmup: 2000 steps warmup
phase stable: rest constant mix web 90%, code 10%
phase decay: 20% linear mix web 60%, code 40%
optimizer: AdamW {
  batch: 4M tokens
  beta2: 0.95
}
require share.code >= 5%
"""
STAGES = """\
plan "Stages"
model: 3B params
stage pre {
  hardware: 64 x H100 for 30 days at 40% MFU
  data web: 2T tokens
  tokens: 1T tokens
}
stage sft {
  hardware: 8 x A100 for 3 days
  data chat: 5B tokens up to 2 epochs
  objective: MLM
  require loss <= 3
}
require pre.cost + sft.cost <= 1M USD
rate USD = 0.9 EUR on 2026-01-15
"""
# What is wrong of one statement or field, a line each; of a line at most one is planted.
Mistakes = list[tuple[str, str, str]]
WRONG: dict[str, tuple[str, list[Mistakes]]] = {
    "lines": (LINES, [
        [("llama3", "lama3", "N002"), ("chinchilla,", "chinchila,", "N002"), ("llama3", "llama3 3", "S001")],
        [("30M USD", "30M USDD", "U002"), ("30M USD", "30M *", "S001"), ("30M USD", "30M USD + 2 days", "U001"),
         ("30M USD", "", "S001"), ("30M USD", "1e400 USD", "U004"), ("30M USD", "(30M USD", "S001"),
         ("30M USD", "30M $", "S001"), ("30M USD", "budgett", "N002"), ("30M USD", "1/0", "U004"),
         ("30M USD", "30 M USD", "S001"), ("30M USD", "nan USD", "U004"), ("30M USD", "30,000 USD", "S001")],
        [("512", "5 12", "S001"), ("512", "cluster", "N003"), ("512", "51__2", "U004"), ("512", "512 GPPU", "U002")],
        [("30.4375 days", "30.4375 USD", "U001"), ("30.4375 days", "30.4375 dyas", "U002"),
         ("30.4375 days", "3 days", "U004"), ("month = 30", "mnoth = 30", "N001")],
        [("1.08 USD", "1.08 days", "U001"), ("2026-01-15", "2026-02-30", "U004"), ("on 2026-01-15", "", "S001"),
         ("EUR", "EURO", "U002"), ("1.08 USD", "0 USD", "U004")],
        [("H100", "H10O", "N002"), ("6 months", "6 USD", "U001"), ("6 months", "6 monhts", "U002"),
         ("40% MFU", "140% MFU", "U004"), ("2.50 USD/GPU/hour", "2.50 USD/GPU", "U001"), ("1000 x", "0 x", "U004"),
         ("1000 x", "-5 x", "U004"), ("1000 x", "\uff11000 x", "U004"), ("1000 x", "1000", "S001"),
         ("40% MFU", "% MFU", "S001"),
         ("40% MFU", "40% MFUU", "S001"), ("for 6 months", "", "S001"), ("for 6 months", "fro 6 months", "S001"),
         ("nodes of 8", "nodes of 8 USD", "U001"), ("nodes of 8", "nodes", "S001"),
         ("2.50 USD/GPU/hour", "2.50", "U003"), ("2.50 USD/GPU/hour", "-1 USD/GPU/hour", "U004"),
         ("6 months", "0 months", "U004"), ("40% MFU", "40% MFU at 30% MFU", "N005"), ("H100", "", "S001"),
         ("hardware:", "hardwear:", "N001"), ("6 months", "6", "U003"), ("6 months", "six months", "S001"),
         ("40% MFU", "40% MFU from 2026-02-30", "U004")],
        [("10T tokens", "10T tokns", "U002"), ("10T tokens", "10T USD", "U001"), ("10T tokens", "10T", "U003"),
         ("10T tokens", "", "S001"), ("10T tokens", "10T tokens up to 0 epochs", "U004"),
         ("10T tokens", "10T tokens quality hihg", "N002")],
        [("4 epochs", "4 days", "U001"), ("4 epochs", "four epochs", "S001"), ("800B", "-800B", "U004"),
         ("800B tokens up to", "800B tokens upto", "S001"),
         ("4 epochs", "4 epochs up to 3 epochs", "N005"),
         ("800B", "800 B", "S001")],
        [("quality high", "quality best", "N002"), ("quality high", "qualty high", "S001"),
         ("quality high", "quality", "S001"), ("200B tokens", "200 TB", "C004")],
        [("7B params", "7B bytes", "U001"), ("7B params", "7B parms", "U002"), ("7B params", "llama-9-9z", "N002"),
         ("7B params", "0", "U004"), ("7B params", "7B .. ", "S001"), ("7B params", "9B .. 7B params", "U004"),
         ("7B params", "", "S001"), ("7B params", "7b params", "S001")],
        [("3T", "3T days", "U001"), ("3T", "3T tokns", "U002"), ("3T", "two", "N002"), ("3T", "-2T", "U004"),
         ("3T", "3TT", "U002"), ("3T", "2T 3T", "S001"), ("3T", "1e400", "U004"), ("3T", "2T)", "S001")],
        [("CLM", "CLN", "N002"), ("CLM", "CLM of", "S001"), ("CLM", "transfer from CLM", "S001"),
         ("objective:", "objectve:", "N001"), ("CLM", "42", "S001")],
        [("15%", "150%", "U004"), ("15%", "15 USD", "U001"), ("because \"abl", "becuase \"abl", "S001"),
         ("15%", "-15%", "U004"), ("reserve:", "reserv:", "N001"), ("15%", "15%%", "S001"),
         ("\"ablations\"", "ablations", "S001")],
        [("2T tokens", "2T tokns", "U002"), ("2T tokens", "2T USD", "U001"), ("inference:", "inferense:", "N001"),
         ("2T tokens", "2T tokens tokens", "S001")],
        [("WSD", "WSX", "N002"), ("WSD", "WSD quality latte", "N002"), ("WSD", "WSD WSD", "S001"),
         ("schedule:", "shedule:", "N001"), ("WSD", "12", "S001")],
        [("3e-4", "3e-4 days", "U001"), ("learning_rate", "learning_rte", "N001"), ("3e-4", "", "S001"),
         ("3e-4", "-3e-4", "U004"), ("3e-4", "3e-", "S001")],
        [("cost <=", "cots <=", "N002"), ("<= budget", "<= bugdet", "N002"), ("cost <=", "cost =<", "S001"),
         ("<= budget", "<= 3 days", "U001"), ("cost <= budget", "cost budget", "S001"), ("<= budget", "<=", "S001"),
         ("cost <=", "cost.off <=", "N002"), ("cost <=", "cost <= <=", "S001")],
        [(">= 20", ">= 20 USD", "U001"), ("tokens / params", "tokens params", "S001"), ("/ params", "/ parms", "N002"),
         ("tokens / params", "(tokens / params", "S001"), (">= 20", ">= twenty", "N002"), (">= 20", ">= nan", "U004"),
         ("tokens / params", "tokens + params", "U001"), (">= 20", ">= 20 and", "S001")],
        [("epochs.code", "epochs.cod", "N002"), ("<= 3\n", "<= 3 days\n", "U001"), ("<= 3\n", "<== 3\n", "S001"),
         ("<= 3\n", "in 3 .. 1\n", "U004")],
        [("loss <=", "los <=", "N002"), ("<= 2.5", "<= 2.5 days", "U001"), ("<= 2.5", "<=", "S001"),
         ("loss <= 2.5", "loss", "S001"), ("prefer", "prefere", "N001")],
        [("perplexity", "perplexty", "N002"), ("perplexity", "", "S001"), ("minimize", "minimise", "N001"),
         ("perplexity", "perplexity + cost", "U001")],
    ]),
    "blocks": (BLOCKS, [
        [("gpus: 512", "gpus: 0", "U004"), ("gpus: 512", "gpsu: 512", "N001"), ("gpus: 512", "gpus: 512 days", "U001"),
         ("gpus: 512", "gpus:", "S001"), ("gpus: 512", "gpus: 5 12", "S001")],
        [("device: A100", "device: A10O", "N002"), ("device: A100", "device:", "S001")],
        [("precision: bf16", "precision: bf16 x", "S001"), ("precision: bf16", "precison: bf16", "N001")],
        [("time: 60 days", "time: 60 dyas", "U002"), ("time: 60 days", "time: 60", "U003"),
         ("time: 60 days", "time: (60 days", "S001")],
        [("mfu: 41%", "mfu: 141%", "U004"), ("mfu: 41%", "mfu: 41% MFUU", "S001"), ("mfu: 41%", "mfuu: 41%", "N001")],
        [("pue: 1.2", "pue: 0.2", "U004"), ("pue: 1.2", "pue: 1.2 W", "U001"), ("pue: 1.2", "pue: 1.2.3", "S001")],
        [("price: 2.5 USD/GPU/hour", "price: 2.5 USD", "U001"), ("price: 2.5 USD/GPU/hour", "price: 2.5 $", "S001")],
        [("nodes_of: 8", "nodes_of: 0", "U004"), ("nodes_of: 8", "nodes_of: eight", "N002")],
        [("from: 2026-12-01", "from: 2026-13-01", "U004"), ("from: 2026-12-01", "from: today", "S001")],
        [("layers: 33", "layers: 0", "U004"), ("layers: 33", "layer: 33", "N001"),
         ("layers: 33", "layers: many", "N002")],
        [("hidden: 4096", "hidden: 4096 USD", "U001"), ("hidden: 4096", "hidden: 4,096", "S001")],
        [("heads: 32", "heads: -32", "U004"), ("heads: 32", "heads:", "S001")],
        [("vocab: 128256", "vocab: 1 28256", "S001"), ("vocab: 128256", "vocab: lots", "N002")],
        [("mlp: gated", "mlp: gatted", "U004")],
        [("tied: false", "tied: flase", "U004"), ("tied: false", "teid: false", "N001")],
        [("9T tokens", "9T tokns", "U002"), ("9T tokens", "9T tokens,", "S001")],
        [("1T tokens", "1 T tokens", "S001"), ("1T tokens", "1T", "U003")],
        [("2000 steps warmup", "2000 stpes warmup", "U002"), ("2000 steps warmup", "2000 steps", "S001"),
         ("2000 steps warmup", "2000 warmup", "U003"), ("2000 steps warmup", "2000 days warmup", "U001")],
        [("mix web 90%", "mix wbe 90%", "N002"), ("web 90%", "web 95%", "U004"),
         ("constant mix", "constant mxi", "S001"),
         ("code 10%", "code", "S001")],
        [("20% linear", "20% ", "S001"), ("20% linear", "120% linear", "U004"), ("code 40%", "code 40% 10%", "S001")],
        [("batch: 4M tokens", "batch: 4M", "U003"), ("batch: 4M tokens", "bach: 4M tokens", "N001"),
         ("batch: 4M tokens", "batch: 4M tokns", "U002")],
        [("beta2: 0.95", "beta2: 0.95 USD", "U001"), ("beta2: 0.95", "beta22: 0.95", "N001"),
         ("beta2: 0.95", "beta2: 0.95.1", "S001")],
        [("share.code", "share.coed", "N002"), (">= 5%", "> > 5%", "S001"), (">= 5%", ">= 5 USD", "U001")],
    ]),
    "stages": (STAGES, [
        [("3B params", "3B parms", "U002"), ("model:", "modle:", "N001")],
        [("64 x H100", "64 x H10O", "N002"), ("for 30 days", "for 30 dyas", "U002"),
         ("at 40% MFU", "at 40 MFU", "U004"),
         ("64 x", "64 y", "S001")],
        [("2T tokens", "2T tokns", "U002"), ("2T tokens", "-2T tokens", "U004")],
        [("1T tokens", "1T USD", "U001"), ("1T tokens", "1T tokens 2", "S001")],
        [("8 x A100", "8 x A10O", "N002"), ("hardware: 8", "hardwrae: 8", "N001"), ("for 3 days", "for", "S001")],
        [("5B tokens", "5B tokns", "U002"), ("2 epochs", "2 days", "U001"),
         ("up to 2 epochs", "upto 2 epochs", "S001")],
        [("MLM", "MLN", "N002"), ("objective: MLM", "objectiv: MLM", "N001")],
        [("loss <= 3", "los <= 3", "N002"), ("loss <= 3", "loss =< 3", "S001"),
         ("loss <= 3", "loss <= 3 days", "U001")],
        [("pre.cost", "pree.cost", "N002"), ("1M USD", "1M USDD", "U002"), ("1M USD", "1M days", "U001")],
        [("2026-01-15", "2026-01-35", "U004"), ("0.9 EUR", "0.9 EURR", "U002")],
    ]),
}  # fmt: skip
NAMES = ("x.plan", "x.plan.yaml")


@lru_cache(None)
def spellings(text: str) -> dict[str, str]:
    """A plan that is right, in both spellings, by the name of the file."""
    written, findings = formatted(Source("x.plan", text), "yaml")
    assert findings == []
    return dict(zip(NAMES, (text, written), strict=True))


def findings_of(name: str, text: str) -> list[Finding]:
    """What is wrong with a plan before it is solved."""
    found = plan_at(name, Files({name: text}), catalogue=LIBRARY, intervals=False).findings
    return [f for f in found if f.severity == "error"]


class Place(NamedTuple):
    """What is found, and at which word or sign, which are the same in both spellings."""

    code: str
    words: str


def place(found: Finding) -> Place:
    """A finding by its code, and by what stands at its column; nothing at the end of a value."""
    span = found.at.span
    there = re.match(r"[\w.]+|[^\s;,}\]\"'#\\]?", span.source.line_text(span.line)[span.column - 1 :].lstrip())
    return Place(found.code, there[0] if there else "")


def planted(text: str, mistakes: Mistakes) -> tuple[str, dict[int, str]]:
    """A text with mistakes, and the code of each by the line that it is on."""
    codes = {}
    for old, new, code in mistakes:
        in_yaml = old.removesuffix(":") if text.count(old) != 1 else old
        assert text.count(in_yaml) == 1, (old, text)
        at = text.index(in_yaml)
        text = text[:at] + (new if in_yaml == old else new.removesuffix(":")) + text[at + len(in_yaml) :]
        codes[text.count("\n", 0, at) + 1] = code
    return text, codes


def check(text: str, mistakes: Mistakes) -> None:
    places = []
    for name, right in spellings(text).items():
        wrong, codes = planted(right, mistakes)
        found = findings_of(name, wrong)
        assert {f.at.span.line: f.code for f in found} == codes and len(found) == len(codes), (mistakes, found, wrong)
        places.append(sorted(map(place, found)))
    assert places[0] == places[1], mistakes


ALONE = [
    pytest.param(text, one, id=f"{name}: {one[0]} -> {one[1]}".replace("\n", ""))
    for name, (text, statements) in WRONG.items()
    for statement in statements
    for one in statement
]


@pytest.mark.parametrize("text", [LINES, BLOCKS, STAGES])
def test_without_mistakes_nothing_is_found(text: str) -> None:
    assert [findings_of(*spelled) for spelled in spellings(text).items()] == [[], []]


@pytest.mark.parametrize(("text", "mistake"), ALONE)
def test_a_mistake_is_one_finding(text: str, mistake: tuple[str, str, str]) -> None:
    check(text, [mistake])


@pytest.mark.parametrize("marked", ["&a {}", "!!str {}", "!mine {}"])
def test_what_yaml_marks_a_value_with_is_one_finding(marked: str) -> None:
    right = spellings(LINES)["x.plan.yaml"]
    for value in ("30M USD", "3T", "1000 x H100", "7B params"):
        assert [f.code for f in findings_of("x.plan.yaml", right.replace(value, marked.format(value)))] == ["S005"]


@st.composite
def several(draw: st.DrawFn) -> tuple[str, Mistakes]:
    """A plan, and up to twelve mistakes in as many statements."""
    text, statements = WRONG[draw(st.sampled_from(sorted(WRONG)))]
    count = draw(st.integers(2, min(12, len(statements))))
    chosen = draw(st.permutations(statements))[:count]
    return text, [draw(st.sampled_from(statement)) for statement in chosen]


@settings(deadline=None, max_examples=80)
@given(several())
def test_as_many_findings_as_mistakes(plan: tuple[str, Mistakes]) -> None:
    check(*plan)


# ---- in random plans

RENDER = {"x.plan": strategies.dsl, "x.plan.yaml": strategies.yaml}
SHAPES = ["unit", "behind", "before", "whole", "call"]


def leaves(value: strategies.Value, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths to the texts of a plan."""
    if isinstance(value, str):
        yield path
    else:
        for key, item in enumerate(value) if isinstance(value, list) else value.items():
            yield from leaves(item, (*path, key))


def changed(value: strategies.Value, path: tuple[str | int, ...], how: str, word: str) -> strategies.Value:
    """A plan with a word that means nothing in, or in place of, the text at a path."""
    if isinstance(value, str):
        texts = {"unit": f"3 {word}", "behind": f"{value} {word}", "before": f"{word} {value}", "whole": word}
        return texts.get(how, f"{word}({value})")
    if isinstance(value, list):
        return [changed(item, path[1:], how, word) if i == path[0] else item for i, item in enumerate(value)]
    return {key: changed(item, path[1:], how, word) if key == path[0] else item for key, item in value.items()}


def statement(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path to the statement in which a text stands: in the DSL it is read whole, or not at all."""
    if path[0] == "stages":
        return (*path[:2], *statement(path[2:]))
    return path[:2] if path[0] in ("let", "data", "schedule", "require", "prefer", "rate", "model") else path[:1]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[strategies.Data, strategies.Data, list[str]]:
    """A random plan; the same with words that mean nothing; and those words."""
    right = draw(strategies.plans())
    paths: dict[tuple[str | int, ...], tuple[str | int, ...]] = {}
    for path in draw(st.permutations(sorted(leaves(right), key=str))):
        if path[0] != "plan":
            paths.setdefault(statement(path), path)
    wrong: strategies.Value = right
    words: list[str] = []
    for path in list(paths.values())[: draw(st.integers(1, 5))]:
        # A device may have blanks in YAML, and an optimizer any name; neither is a mistake of the spelling.
        shapes = {"device": ["whole"], "name": ["call"], "optimizer": ["call"]}.get(str(path[-1]), SHAPES)
        if path[-1] == "hardware" or (
            isinstance(path[-1], int) and path[-2] == "hardware"
        ):  # a pool that breaks off goes on in the next
            shapes = ["behind", "before", "call"]
        words.append(f"zq{'abcde'[len(words)]}x")
        wrong = changed(wrong, path, draw(st.sampled_from(shapes)), words[-1])
    assert isinstance(wrong, dict)
    return right, wrong, words


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(spoilt(), st.integers(0, 1 << 32))
def test_a_word_that_means_nothing_is_told_alike(
    plan: tuple[strategies.Data, strategies.Data, list[str]], seed: int
) -> None:
    right, wrong, words = plan
    if any(findings_of(name, render(right, random.Random(seed))) for name, render in RENDER.items()):
        return  # some figures of a random plan contradict each other
    dsl, yaml = (findings_of(name, render(wrong, random.Random(seed))) for name, render in RENDER.items())
    assert len(dsl) == len(yaml) == len(words), (dsl, yaml)
    assert sorted(map(place, dsl)) == sorted(map(place, yaml)), (dsl, yaml)
