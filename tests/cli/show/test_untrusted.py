"""What a stranger's plan says is shown, and acted on by nobody: no terminal, no runner of CI, no browser, no reader."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from known import LIBRARY

import runplan
from runplan.cli.rewriting import difference
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import Kind, offered, rendered
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.plain import JOINERS
from runplan.dsl.text.finding import at_rest
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.comparison.compare import compared_laws
from runplan.engine.pipeline import report_of

HERE = Path(__file__).parent
PIECES = [
    "::error file=x,line=1::boom", "::set-output name=a::b", "::add-mask::x", "%0A::warning::x", "##[error]x",
    "##[add-path]/x", "\x1b[2J", "\x1b]8;;http://x\x07y\x1b]8;;\x07", "\x1bP$q\x1b\\", "\x9b31m", "\x85", "\x08",
    "\u202eevil\u202c", "\u2066x\u2069", "\u200b", "\u200f", "\ufeff", "\u2028", "\u061c", "\U000e0041", "\u0301" * 9,
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</details>", "<!--", "[x](javascript:alert(1))",
    "![x](http://y/z)", "| a | b |", "`id`", "``", "**b**", "~~s~~", "$x$", "@everyone", "#12", "https://x.y",
    "www.x.y",
    "=cmd|'/c calc'!A1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "]]>", "&lt;", "&#x1b;", "{{7*7}}", "${{ secrets.X }}",
    "[bold red]x[/]", "[link=http://x]y[/link]", "%s%n", "{0.__class__}", "';--", '"', "\\", "a b", "x" * 90,
]  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map(" ".join)


# A plan with one is refused, and has no report: only findings show it.
TURNS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def quoted(text: str) -> str:
    """A text as a file may have it that is read as text."""
    kept = "".join(c for c in text if unicodedata.category(c) != "Cc" and c not in "\u2028\u2029")
    return json.dumps(kept or "x", ensure_ascii=False)


def check(name: str, text: str) -> None:
    """Hold what a format shows to what its reader may be led to do."""
    unsafe = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n", *JOINERS}
    assert unsafe == set(), name
    commands = [line for line in text.splitlines() if line.lstrip().startswith("::")]
    own = ("::error title=plan (", "::warning title=plan (", "::notice title=plan::")
    assert all(name == "github" and line.startswith(own) for line in commands), commands
    assert "##[" not in text, name
    if name in ("json", "sarif", "gitlab"):
        json.loads(text)
    elif name == "jsonl":
        assert all(json.loads(line) for line in text.splitlines())
    elif name == "junit":
        ElementTree.fromstring(text)
    elif name == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert all(re.fullmatch(r"-?[\d.e+-]*", cell) for row in rows for cell in row if cell[:1] in tuple("=+-@\t"))
        assert len({len(row) for row in rows}) == 1
    elif name == "markdown":
        check_markdown(text)


# What our own Markdown has of HTML.
OURS = re.compile(r"<br>|</?sub>|</?details>|</?summary>|<!-- -->|<!-- plan[\w: -]*-->")


def check_markdown(text: str) -> None:
    shown = re.sub(r"\\.|`[^`\n]*`", "·", OURS.sub("·", text))
    assert "<" not in shown, shown
    assert not re.search(r"\]\(|(?<![\w`])@\w|https?://|(?<!\w)#\d", shown), shown
    for block in re.findall(r"(?m)(?:^\|.*\|\n)+", text):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(cells) == 1, block


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(hostile, hostile)
def test_findings_of_a_hostile_plan_are_acted_on_by_nobody(text: str, other: str) -> None:
    said, name = quoted(text), quoted(other)
    plan = (
        f"plan {said} # {said}\nuse laws {name}\nhardware: 64 x {said} for 30 days\n"
        f"data {name}: 1T tokens domain {said}\n"
        f"require cost <= los because {said}\n{said}\nplan {name} {said}\n"
    )
    path = f"a{json.loads(name)}.plan".replace("/", "")
    files = runplan.Files({path: plan, f"{path}.yaml": f"{said}: {said}\nrequire: [{said}]\nhardware: {{{name}: 3}}\n"})
    found = [f for file in (path, f"{path}.yaml") for f in runplan.Project(files).check(file)]
    for format in offered("findings"):
        check(format, rendered("findings", format, Checked.of(at_rest(found), 2)))
    check("diff", difference(plan, f" {said}\n{name}\n", path, "laid out"))


@pytest.mark.parametrize("text", [" ".join(PIECES[i::4]) for i in range(4)] + PIECES[:2])
def test_a_report_of_a_hostile_plan_is_acted_on_by_nobody(text: str) -> None:
    said = quoted("".join(character for character in text[:300] if character not in TURNS))
    plan = (
        f"plan {said}\nuse laws chinchilla, llama3\nhardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"
        f"data {said}: 9T tokens\nphase {said}: 100% linear\nrequire cost <= 3 USD because {said}\nprefer loss <= 1\n"
        f"reserve: 10% because {said}\n"
    )
    name = f"a{json.loads(said)[:80]}.plan".replace("/", "")
    report = report_of(name, Buffer(name, plan.encode(), Disk(HERE)), catalogue=LIBRARY)
    assert report.solutions, report.findings
    shown: list[tuple[Kind, object]] = [("report", report), ("comparison", compared_laws(report, None))]
    for kind, subject in shown:
        for format in offered(kind):
            for details in (False, True):
                check(format, rendered(kind, format, subject, Look(80, False, details)))
