"""Every Markdown file in `tests/engine/spec/` is a suite: plans in fenced blocks, and on a line what is expected of it.

A block fenced as `plan` or `yaml` is a plan under test; one under a line `file: NAME` is a file that it may import.
What is expected stands in comments, on the line at fault or, after `^`, on the line below it:

    # error: 8 [U001] "text of the message" help "text of a help"

with `warning` and `info` in the same way; column, text and help may be left out. `# solved: tokens = 4.53T within 1%`,
or `llama3.tokens` for one law of several, is a value of the solution. Errors and warnings that no line expects fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from expected import EXPECTED, met, said
from known import LIBRARY

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.values import compiled
from runplan.dsl.syntax.parse import parse
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source, View
from runplan.dsl.typed.build import Builder
from runplan.engine.pipeline import report_of

SPEC = Path(__file__).resolve().parent / "spec"

PART = re.compile(r"^#+ ([^\n]*)$|^(?:file: (\S+)\n)?```(plan|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOLVED = re.compile(r"# solved: (?:(?P<law>[\w.]+?)\.)?(?P<name>\w+) = (?P<value>.+?)(?: within (?P<within>[\d.]+)%)?$")


@dataclass(frozen=True)
class Case:
    name: str
    path: str
    text: str
    files: dict[str, str] = field(default_factory=dict)


def cases() -> Iterator[Case]:
    for path in sorted(SPEC.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        files: dict[str, str] = {}
        heading, count = "", 0
        for m in PART.finditer(text):
            if m[1] is not None:
                heading, files, count = m[1], {}, 0
            elif m[2]:
                files = {**files, m[2]: m[4]}
            else:
                count += 1
                name = f"{path.stem}: {heading} {count}"
                yield Case(name, "x.plan" if m[3] == "plan" else "x.plan.yaml", m[4], files)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases()])
def test_spec(case: Case) -> None:
    report = report_of(case.path, Files({**case.files, case.path: case.text}), catalogue=LIBRARY, intervals=False)
    left = list(report.findings)
    wrong = []
    for path, text in {**case.files, case.path: case.text}.items():
        for number, line in enumerate(text.split("\n"), 1):
            for m in EXPECTED.finditer(line):
                at = number - 1 if m["above"] else number
                hit = next((f for f in left if f.at.span.source.path == path and met(f, at, m)), None)
                if hit is None:
                    wrong.append(f"{path}:{at}: not found: {m[0]}")
                else:
                    left.remove(hit)
    wrong += [f"not expected: {said(f)}" for f in left if f.severity != "info"]
    wrong += [f"found: {said(f)}" for f in left if wrong and f.severity == "info"]
    assert not wrong, "\n".join(wrong)
    for line in case.text.split("\n"):
        if solved := SOLVED.search(line):
            solution = next(s for s in report.solutions if solved["law"] in (None, s.law))
            wanted = pytest.approx(value(solved["value"]), rel=float(solved["within"] or 0.1) / 100)
            assert solution.get(solved["name"]) == wanted


def value(text: str) -> float:
    node, findings = parse(View(text, Source("value", text)), "sum")
    assert node is not None and findings == []
    return float(compiled(Builder().expr(node))({}))


def test_there_are_suites() -> None:
    assert len({case.name.split(":")[0] for case in cases()}) >= 11
