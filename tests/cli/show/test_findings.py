"""Every format of findings, against the text it must print."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.cli.show.findings import concise, full, github, markdown
from runplan.cli.show.findings import json as json_format
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import Look
from runplan.dsl.dataclass import replace
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Edit, Finding, Fix, Label, finding
from runplan.dsl.text.source import Source, Span
from runplan.engine.documents.check import finding_document

H100 = Source(
    "plans/h100.plan",
    """\
# Half a year of a thousand H100s.
plan "Thousand H100s"
use laws chinchilla

let budget = 8M USD

hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data web: 10T tokens

objective: CLM
schedule: WSD


require cost <= budget because "board, 2026-03"
""",
)


def at(source: Source, text: str, said: str = "") -> Label:
    start = source.text.index(text)
    return Label(Span(source, start, start + len(text)), said)


OVER_BUDGET = finding(
    "B001",
    "`cost` is 10.8M USD, 1.35x the 8M USD that the plan allows",
    at(H100, "cost <= budget", "8M USD from `budget`, line 5"),
    also=[at(H100, "1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour", "4.32M GPU-hours at 2.50 USD")],
    notes=["cost = gpus * time * price = 1000 GPU * 4320 hour * 2.50 USD/GPU/hour"],
    help=["it fits with gpus <= 740, or time <= 4.44 months, or price <= 1.85 USD/GPU/hour, one at a time"],
    laws=["chinchilla"],
    data={"quantity": "cost", "value": 1.08e7, "limit": 8e6, "unit": "USD"},
)
OUT_OF_RANGE = finding("L001", "`tokens` is 3.1x past the fitted range", at(H100, "chinchilla"), severity="info")
UNUSED = finding("X001", "`# ignore[T001]` silences nothing", at(H100, "10T tokens"), severity="warning")
ALL = [OUT_OF_RANGE, UNUSED, OVER_BUDGET]


def shown(it: Finding, color: bool = False) -> str:
    """The block of one finding, without the summary."""
    return full.render(Checked.of([it], 1), Look(color=color)).rpartition("\n\n")[0]


def syntax(text: str, start: int, end: int, said: str = "here") -> str:
    return shown(finding("S001", "odd", Label(Span(Source("a.plan", text), start, end), said)))


# Summary


@pytest.mark.parametrize(
    ("findings", "files", "line"),
    [
        ([OVER_BUDGET] * 2 + [UNUSED] + [OUT_OF_RANGE] * 3, 4, "2 errors, 1 warning, 3 infos, 4 files"),
        ([*ALL, UNUSED], 1, "1 error, 2 warnings, 1 info, 1 file"),
        ([UNUSED], 4, "1 warning, 4 files"),
        ([], 4, "no findings, 4 files"),
        ([], 0, "no findings, 0 files"),
    ],
)
def test_the_summary_counts_by_severity(findings: list[Finding], files: int, line: str) -> None:
    assert Checked.of(findings, files).summary() == line


# full


def test_full_is_as_specified() -> None:
    assert (
        full.render(Checked.of([OVER_BUDGET], 1))
        == """\
error[B001]: `cost` is 10.8M USD, 1.35x the 8M USD that the plan allows
  --> plans/h100.plan:14:9
   |
 7 | hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
   |           ------------------------------------------------------- 4.32M GPU-hours at 2.50 USD
14 | require cost <= budget because "board, 2026-03"
   |         ^^^^^^^^^^^^^^ 8M USD from `budget`, line 5
   |
   = note: cost = gpus * time * price = 1000 GPU * 4320 hour * 2.50 USD/GPU/hour
   = help: it fits with gpus <= 740, or time <= 4.44 months, or price <= 1.85 USD/GPU/hour, one at a time

1 error, 1 file
"""
    )


def test_full_separates_findings_by_a_blank_line() -> None:
    assert (
        full.render(Checked.of([OUT_OF_RANGE, UNUSED], 1))
        == """\
info[L001]: `tokens` is 3.1x past the fitted range
 --> plans/h100.plan:3:10
  |
3 | use laws chinchilla
  |          ^^^^^^^^^^

warning[X001]: `# ignore[T001]` silences nothing
 --> plans/h100.plan:8:11
  |
8 | data web: 10T tokens
  |           ^^^^^^^^^^

1 warning, 1 info, 1 file
"""
    )


def test_full_of_nothing_is_the_summary() -> None:
    assert full.render(Checked.of([], 3)) == "no findings, 3 files\n"


def test_full_with_several_labels_on_a_line_and_one_said_twice() -> None:
    cost = at(H100, "cost", "10.8M USD")
    it = finding("B001", "too dear", cost, also=[at(H100, "budget because"), at(H100, "<= budget", "8M USD"), cost])
    assert (
        shown(it)
        == """\
error[B001]: too dear
  --> plans/h100.plan:14:9
   |
14 | require cost <= budget because "board, 2026-03"
   |         ^^^^ 10.8M USD
   |              --------- 8M USD
   |                 --------------"""
    )


def test_full_with_spans_in_another_file() -> None:
    prices = Source("packs/prices.plan", "# prices\n" * 120 + "price H100 = 2.50 USD/GPU/hour\n")
    it = replace(OVER_BUDGET, also=(at(prices, "2.50 USD/GPU/hour", "the price"),), notes=(), help=())
    assert (
        shown(it)
        == """\
error[B001]: `cost` is 10.8M USD, 1.35x the 8M USD that the plan allows
   --> plans/h100.plan:14:9
    |
 14 | require cost <= budget because "board, 2026-03"
    |         ^^^^^^^^^^^^^^ 8M USD from `budget`, line 5
    |
   ::: packs/prices.plan:121:14
    |
121 | price H100 = 2.50 USD/GPU/hour
    |              ----------------- the price"""
    )


def test_full_keeps_carets_under_what_they_mark_behind_tabs() -> None:
    assert (
        syntax("\tx\t= 1\n", 3, 6)
        == """\
error[S001]: odd
 --> a.plan:1:4
  |
1 |     x    = 1
  |          ^^^ here"""
    )


def test_full_counts_wide_and_combining_characters_as_a_terminal_does() -> None:
    # Two characters of two columns, then an e with its accent as a character of its own.
    assert syntax("let 予算 = cafe\u0301 + x\n", 4, 6).splitlines()[-1] == "  |     ^^^^ here"
    assert syntax("let 予算 = cafe\u0301 + x\n", 9, 14).splitlines()[-1] == "  |            ^^^^ here"
    assert syntax("let 予算 = cafe\u0301 + x\n", 17, 18).splitlines()[-1] == "  |                   ^ here"


def test_full_reads_windows_line_ends() -> None:
    assert (
        syntax("let a = 1\r\nlet b\r\nlet c = 2\r\n", 16, 16)
        == """\
error[S001]: odd
 --> a.plan:2:6
  |
2 | let b
  |      ^ here"""
    )


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("", 1, 1), ("plan", 1, 5), ("plan\n", 2, 1)],
)
def test_full_at_the_end_of_the_text(text: str, line: int, column: int) -> None:
    printed = syntax(text, len(text), len(text)).splitlines()
    assert printed[1] == f" --> a.plan:{line}:{column}"
    assert printed[-2] == f"{line} | {text if line == 1 else ''}".rstrip()
    assert printed[-1] == f"  | {' ' * (column - 1)}^ here"


def test_full_underlines_a_span_of_several_lines_to_the_end_of_its_first() -> None:
    assert (
        syntax("hardware {\n  gpus: 3\n}\n", 0, 22)
        == """\
error[S001]: odd
 --> a.plan:1:1
  |
1 | hardware {
  | ^^^^^^^^^^ here"""
    )


def test_full_shows_a_window_of_a_long_line() -> None:
    text = "tokens: " + "1 + " * 500 + "oops" + " + 2" * 500
    printed = syntax(text, text.index("oops"), text.index("oops") + 4).splitlines()
    assert len(printed[3]) == len("1 | ") + full.WIDTH
    assert printed[3].startswith("1 | …") and printed[3].endswith("…")
    assert printed[3].index("oops") == printed[4].index("^^^^ here")


def test_full_shows_the_start_of_a_span_longer_than_the_window() -> None:
    printed = syntax("x" * 50 + "y" * 5000, 50, 5050).splitlines()
    assert printed[3] == "1 | …" + "x" * 24 + "y" * 134 + "…"
    assert printed[4] == "  | " + " " * 25 + "^" * 134 + " here"


def test_full_prints_a_long_line_again_for_a_mark_far_away() -> None:
    source = Source("a.plan", "left" + " " * 1000 + "right")
    it = finding("C001", "odd", at(source, "left", "one"), also=[at(source, "right", "other")])
    assert shown(it).splitlines()[3:] == [
        "1 | left" + " " * 154 + "…",
        "  | ^^^^ one",
        "1 | …" + " " * 153 + "right",
        "  | " + " " * 154 + "----- other",
    ]


def test_full_bounds_marks_piled_on_one_letter() -> None:
    printed = syntax("a" + "\u0301" * 100_000 + "b", 100_001, 100_002).splitlines()
    assert max(map(len, printed)) < 200
    assert printed[-1].endswith("^ here")


def test_full_lets_no_control_character_through() -> None:
    hostile = "let \x1b[31mx\x9b = \u202e1\u2028\ud800\x07"
    source = Source("a\x1b.plan", hostile)
    it = finding(
        "S001",
        f"bad {hostile}",
        Label(Span(source, 4, 5), hostile),
        notes=["one\x1b\n::error::two"],
        help=["\x00"],
    )
    assert (
        shown(it)
        == """\
error[S001]: bad let \ufffd[31mx\ufffd = \ufffd1\ufffd\ufffd\ufffd
 --> a\ufffd.plan:1:5
  |
1 | let \ufffd[31mx\ufffd = \ufffd1\ufffd\ufffd\ufffd
  |     ^ let \ufffd[31mx\ufffd = \ufffd1\ufffd\ufffd\ufffd
  |
  = note: one\ufffd
  |       ::error::two
  = help: \ufffd"""
    )


def test_full_color_only_adds_styles() -> None:
    plain, colored = shown(OVER_BUDGET), shown(OVER_BUDGET, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain
    assert colored.startswith("\x1b[1;31merror[B001]\x1b[0m\x1b[1m: `cost`")
    assert "\x1b[36m14 |\x1b[0m require cost" in colored
    assert "\x1b[1;31m^^^^^^^^^^^^^^ 8M USD from `budget`, line 5\x1b[0m" in colored


@settings(deadline=None)
@given(text=st.text(max_size=400), data=st.data())
def test_every_format_survives_any_text_and_span(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    severity: Severity = data.draw(st.sampled_from(["error", "warning", "info"]))
    source = Source(text[:20] or "a.plan", text)
    label = Label(Span(source, start, end), text)
    it = finding("S001", text, label, severity=severity, also=[label], notes=[text], help=[text])
    checked = Checked.of([it], 1)
    for render in (full, concise, github, markdown):
        printed = render.render(checked)
        assert printed.endswith("\n")
        assert {c for c in printed if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} == {"\n"}
        assert not any(line.lstrip().startswith("::") for line in printed.splitlines() if render is not github)
    assert len(concise.render(checked).splitlines()) == 1
    assert len(github.render(checked).splitlines()) == 1
    printed = json_format.render(checked)
    printed.encode()
    assert json.loads(printed)["findings"][0]["severity"] == severity
    caret = [line for line in full.render(checked).splitlines() if "^" in line]
    assert caret


# concise


def test_concise_is_one_line_a_finding() -> None:
    assert (
        concise.render(Checked.of(ALL, 1))
        == """\
plans/h100.plan:3:10: info[L001] `tokens` is 3.1x past the fitted range
plans/h100.plan:8:11: warning[X001] `# ignore[T001]` silences nothing
plans/h100.plan:14:9: error[B001] `cost` is 10.8M USD, 1.35x the 8M USD that the plan allows
"""
    )
    assert concise.render(Checked.of([], 1)) == ""


def test_concise_begins_no_line_with_a_workflow_command() -> None:
    it = finding("S001", "odd\n::error::x", Label(Span(Source("::add-mask::a.plan", "x"), 0, 1)))
    assert concise.render(Checked.of([it], 1)) == "./::add-mask::a.plan:1:1: error[S001] odd\ufffd::error::x\n"


# json


def test_json_is_as_specified() -> None:
    assert (
        json_format.render(Checked.of([OVER_BUDGET], 1))
        == """\
{
  "schema": "plan.check/v1",
  "findings": [
    {
      "code": "B001",
      "name": "over-budget",
      "severity": "error",
      "message": "`cost` is 10.8M USD, 1.35x the 8M USD that the plan allows",
      "file": "plans/h100.plan",
      "line": 14,
      "column": 9,
      "end_line": 14,
      "end_column": 23,
      "help": [
        "it fits with gpus <= 740, or time <= 4.44 months, or price <= 1.85 USD/GPU/hour, one at a time"
      ],
      "laws": [
        "chinchilla"
      ],
      "data": {
        "quantity": "cost",
        "value": 10800000.0,
        "limit": 8000000.0,
        "unit": "USD"
      },
      "notes": [
        "cost = gpus * time * price = 1000 GPU * 4320 hour * 2.50 USD/GPU/hour"
      ],
      "also": [
        {
          "file": "plans/h100.plan",
          "line": 7,
          "column": 11,
          "end_line": 7,
          "end_column": 66,
          "text": "4.32M GPU-hours at 2.50 USD"
        }
      ]
    }
  ],
  "summary": {
    "errors": 1,
    "warnings": 0,
    "infos": 0,
    "files": 1
  }
}
"""
    )


def test_json_has_fixes_only_where_there_are_any() -> None:
    fix = Fix("add the unit", (Edit(at(H100, "8M").span, "8M USD"),), safe=True)
    place = {"file": "plans/h100.plan", "line": 5, "column": 14, "end_line": 5, "end_column": 16}
    assert "fixes" not in finding_document(UNUSED)
    assert finding_document(replace(UNUSED, fixes=(fix,)))["fixes"] == [
        {"title": "add the unit", "safe": True, "edits": [{**place, "text": "8M USD"}]}
    ]


def test_json_always_has_its_lists() -> None:
    it = finding_document(OUT_OF_RANGE)
    assert (it["laws"], it["help"], it["data"], it["notes"], it["also"]) == ([], [], {}, [], [])


def test_json_keeps_text_and_escapes_what_steers_a_terminal() -> None:
    text = document_text("préval \x1b\x9b\x7f\u2028\u202e\ud800", indent=None)
    assert text == '"préval \\u001b\\u009b\\u007f\\u2028\\u202e\ufffd"\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_what_json_cannot_say(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_format.render(Checked.of([replace(UNUSED, data={"value": value})], 1))


# github


def test_github_puts_errors_first_and_annotates_no_infos() -> None:
    assert github.render(Checked.of(ALL, 1)) == (
        "::error title=plan (B001),file=plans/h100.plan,line=14,col=9,endLine=14,endColumn=23::"
        "`cost` is 10.8M USD, 1.35x the 8M USD that the plan allows%0A"
        "  help: it fits with gpus <= 740, or time <= 4.44 months, or price <= 1.85 USD/GPU/hour, "
        "one at a time\n"
        "::warning title=plan (X001),file=plans/h100.plan,line=8,col=11,endLine=8,endColumn=21::"
        "`# ignore[T001]` silences nothing\n"
        "1 info besides: `plan check` lists what is worth knowing\n"
    )


def test_github_escapes() -> None:
    source = Source("a,b:100%\n.plan", "x\ny\n")
    it = finding("S001", "50%: a, b\r\n::error::c", Label(Span(source, 0, 1)), help=["one\ntwo\x1b"])
    assert github.render(Checked.of([it], 1)) == (
        "::error title=plan (S001),file=a%2Cb%3A100%25%0A.plan,line=1,col=1,endLine=1,endColumn=2::"
        "50%25: a, b\ufffd\ufffd::error::c%0A  help: one%0A  help: two\ufffd\n"
    )


def test_github_drops_the_columns_of_several_lines() -> None:
    it = finding("S001", "odd", Label(Span(Source("a.plan", "x\ny\n"), 0, 3)))
    assert github.render(Checked.of([it], 1)) == "::error title=plan (S001),file=a.plan,line=1,endLine=2::odd\n"


def test_github_says_how_many_it_will_not_render() -> None:
    assert len(github.render(Checked.of([UNUSED] * 10, 1)).splitlines()) == 10
    lines = github.render(Checked.of([*[UNUSED] * 11, OVER_BUDGET], 1)).splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("::error ")
    assert lines[9] == "::notice title=plan::3 more findings in the log of this step"


# markdown


def test_markdown_is_a_verdict_and_a_table() -> None:
    assert (
        markdown.render(Checked.of([OVER_BUDGET, UNUSED], 4))
        == """\
**plan check: 1 error, 1 warning, 4 files**

| severity | code | place | finding |
| --- | --- | --- | --- |
| error | B001 | `plans/h100.plan:14:9` | `cost` is 10.8M USD, 1.35x the 8M USD that the plan allows<br>\
help: it fits with gpus \\<= 740, or time \\<= 4.44 months, or price \\<= 1.85 USD/GPU/hour, one at a time |
| warning | X001 | `plans/h100.plan:8:11` | `# ignore[T001]` silences nothing |
"""
    )
    assert markdown.render(Checked.of([], 4)) == "**plan check: no findings, 4 files**\n"


@pytest.mark.parametrize(
    ("message", "cell"),
    [
        ("a | b", r"a \| b"),
        ("<img src=x> *b* _c_ [d](e)", r"\<img src=x\> \*b\* \_c\_ \[d\](e)"),
        ("ask @team, see #12", "ask @<!-- -->team, see #<!-- -->12"),
        ("https://example.org www.example.org", "https:<!-- -->//example.org www.<!-- -->example.org"),
        ("`a|b` c", r"\`a\|b\` c"),
        ("`one` and ` odd @team", r"\`one\` and \` odd @<!-- -->team"),
        ("``x``", r"\`\`x\`\`"),
        ("back\\`slash`", r"back\\`slash`"),
        ("two\nlines", "two\ufffdlines"),
    ],
)
def test_markdown_escapes(message: str, cell: str) -> None:
    it = finding("S001", message, Label(Span(Source("a.plan", "x"), 0, 1)))
    assert markdown.render(Checked.of([it], 1)).splitlines()[-1] == (f"| error | S001 | `a.plan:1:1` | {cell} |")
