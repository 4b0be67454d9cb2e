"""Mutated plans, and what is held of whatever text: a plan or a finding at a place, and nothing worse."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from known import LIBRARY

from runplan.cli.outcome import exit_code
from runplan.dsl.text.reader import Files
from runplan.engine.gate import verdict_of
from runplan.engine.pipeline import plan_at, report_of

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 1_500  # characters of a plan that is mutated: a longer one costs more and finds no more
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
# What a mutation puts in: words of the language, numbers at the edge, and what is none of either.
PIECES = """
hardware: data: model: tokens: require minimize let stage phase schedule: optimizer: laws: compute: inference: reserve:
use import plan law device x for at up to in of because and or not if then else unknown ? .. mix rest weight quality
H100 A100 GPU USD GPU-hours days months 40% MFU @ params tokens loss cost epochs chinchilla llama3 CLM MLM transfer
0 -1 1 2 1e400 1e-400 9e99 1e308 0.5 140% nan inf 10^10^10 1/0 2026-02-30 9999-12-31 1T 7B 30M ( ) [ ] { } : ; , # " '
\\ \\n \\n\\n \\t | > - & * ! <<: --- %YAML ~ null yes \x00 \ufeff \u202e \u200b \u2028 é 漢 🙂 🏴‍☠️ ٣ ² ½ ≤
""".split()


@lru_cache(1)
def corpus() -> tuple[tuple[str, str], ...]:
    """Plans of the project with the names that tell their spellings."""
    found = sorted(path for path in (ROOT / "plans").glob("*.plan*"))
    texts = ((path.name, path.read_text(encoding="utf-8")) for path in found)
    return tuple((name, text) for name, text in texts if len(text) <= LONGEST and "import" not in text)


def mutated(text: str, dice: random.Random, others: Sequence[str]) -> str:
    """A text with a few of its words left out, doubled, moved, replaced, or with a line of another."""
    words = TOKEN.findall(text)
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        at, size = dice.randrange(len(words) + 1), dice.choice((0, 1, 1, 2, 5))
        piece = dice.choice(PIECES).replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
        there = words[at : at + size]
        new = dice.choice(
            ([], [piece], [piece], [*there, *there], [*reversed(there)], [dice.choice(others)], [piece * 9])
        )
        words[at : at + size] = new
    return "".join(words)


def mutants(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Names and texts of so many mutated plans, the same for a seed."""
    dice = random.Random(seed)
    plans = corpus()
    lines = [line + "\n" for _, text in plans for line in text.splitlines() if line]
    spelled = [[plan for plan in plans if plan[0].endswith("yaml") == yaml] for yaml in (True, False)]
    for _ in range(count):
        name, text = dice.choice(dice.choice(spelled))
        yield name, mutated(text, dice, lines)


def judged(name: str, content: str | bytes, solve: bool) -> None:
    """Hold a text to what is promised of any: nothing is raised, what is wrong has a place, and the exit code is ours.

    Args:
        solve: Whether it is solved too, where it can be.
    """
    files = Files({name: content})
    if not solve:
        read = plan_at(name, files, catalogue=LIBRARY, intervals=False)
        assert read.plan is not None or any(f.severity == "error" for f in read.findings) or not read.cases, content
        findings = read.findings
    else:
        report = report_of(name, files, catalogue=LIBRARY, intervals=False)
        findings = report.findings
        assert exit_code(findings, by=verdict_of(report).by) in (0, 1, 4), content
    for found in findings:
        span = found.at.span
        assert 0 <= span.start <= span.end <= len(span.source.text) and found.message, content
