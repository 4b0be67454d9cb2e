"""What an editor shows of a plan: what hovers, figures beside the text, outline, colours, layout, what can be done."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from editing import Open, one

from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.finding import Edit, Fix, finding
from runplan.editor.actions import REASON, actions
from runplan.editor.definition import target
from runplan.editor.hints import hints
from runplan.editor.hover import hover
from runplan.editor.layout import layout
from runplan.editor.outline import Symbol, folds, outline
from runplan.editor.rename import Change, applied
from runplan.editor.tokens import tokens
from runplan.editor.values import Known

PLAN = """\
# How large?
# And how good?
plan "A 🙂 plan"
use laws chinchilla, llama3
let budget = 2 * 6M USD
hardware: ? x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data web: 10T tokens
model: 70B
tokens: 1.4T
phase warm: 1% warmup
phase main: rest constant
require cost <= budget because "board"
"""
YAML = """\
# How large?
# And how good?
plan: A 🙂 plan
laws: [chinchilla, llama3]
let:
  budget: 2 * 6M USD
hardware: "? x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour"
data:
  web: 10T tokens
model: 70B
tokens: 1.4T
schedule:
  warm: 1% warmup
  main: rest constant
require: cost <= budget because "board"
"""
BOTH = pytest.mark.parametrize(("name", "text"), [("a.plan", PLAN), ("a.plan.yaml", YAML)])


def shown(there: Open, word: str, known: Known | None = None) -> str:
    document = there.document()
    found = hover(document, document.source.text.index(word) + 1, there.known() if known is None else known)
    return found.text if found else ""


# ---- hover


@BOTH
@pytest.mark.parametrize(
    ("word", "parts"),
    [
        (
            "cost <=",
            ["**quantity** `cost`", "USD** under `chinchilla` · derived", "gpu_hours * price", "under `llama3`"],
        ),
        ("budget because", ["**let** `budget`", "**12M USD**", "= 2 * 6M USD"]),
        ("H100", ["NVIDIA H100 SXM5", "989.4 TFLOP/s"]),
        ("chinchilla", ["Besiroglu", "loss(params N, tokens D)"]),
        ("6 months", ["`6 months` = `15552000 second`"]),
        ("USD/GPU/hour", ["USD/GPU/second"]),
        ("web", ["**source** `web`", "`tokens.web`"]),
        ("70B", ["`70B` = `7e+10`"]),
    ],
)
def test_what_hovers(tmp_path: Path, name: str, text: str, word: str, parts: list[str]) -> None:
    said = shown(one(tmp_path, text, name), word)
    assert [part for part in parts if part not in said] == []


def test_an_interval_hovers_once_it_is_there(tmp_path: Path) -> None:
    there = one(tmp_path, "compute: 1e22 FLOP\nminimize loss\n")
    assert "*its interval is being computed*" in shown(there, "loss")
    said = shown(there, "loss", Known(there.solved(intervals=True)))
    assert "loss` in `nat/token`" in said and "** `(" in said and "being computed" not in said
    assert "E + A / N^alpha + B / D^beta" in said and "N is params" in said


@BOTH
def test_a_broken_plan_says_what_is_still_known(tmp_path: Path, name: str, text: str) -> None:
    there = one(tmp_path, text, name)
    before = there.solved()
    there.edit(there.name, text.replace("model: 70B", "model: 70B of what"))
    assert there.solved().solutions == ()
    assert "**12M USD**" in shown(there, "budget because", Known())
    assert "989.4 TFLOP/s" in shown(there, "H100", Known())
    assert "in `USD`" in shown(there, "cost <=", Known())
    assert "*being solved*" in shown(there, "cost <=", Known(waiting=True))
    stale = shown(there, "cost <=", Known(before, stale=True))
    assert "USD**" in stale and "*as the plan was before it was last edited*" in stale


@BOTH
def test_a_line_that_cannot_be_read_says_what_its_words_may_be(tmp_path: Path, name: str, text: str) -> None:
    there = one(tmp_path, text.replace("require cost <= budget", "require cost <= <= budget + H100"), name)
    if name == "a.plan.yaml":
        there.edit(name, text.replace("require: cost <= budget", "require: cost <= <= budget + H100"))
    assert "**quantity** `cost` in `USD`" in shown(there, "cost <=", Known())
    assert "**12M USD**" in shown(there, "budget + H100", Known())
    document = there.document()
    found = target(document, document.source.text.index("budget + H100") + 2)
    assert found is not None and found[1].span.text == "budget"


def test_fields_statements_and_codes_hover(tmp_path: Path) -> None:
    there = one(tmp_path, "hardware: {\n  gpus: 64\n  device: H100\n  time: 30 days\n}  # ignore[H004] why not\n")
    assert "like `gpus: 1000`" in shown(there, "gpus") and "64 GPU" in shown(there, "gpus")
    assert "**hardware** · once in a plan, also in a `stage`" in shown(there, "hardware")
    assert "availability-assumed" in shown(there, "H004")
    there = one(tmp_path, "model: { layers: 3; hidden: 8; ffn: 9; heads: 2; vocab: 100 }\ntokens: 1B\n")
    assert "transformer layers" in shown(there, "layers")


def test_the_letters_of_a_law_hover(tmp_path: Path) -> None:
    text = "law mine {\n  objective CLM\n  constants { E = 1.8 nat/token +- 0.1 }\n  let part = 2\n"
    there = one(tmp_path, f'{text}  loss(params N) in nat/token = E / N^part\n  cites "nobody"\n}}\n')
    assert "**constant** `E` of `mine` in `nat/token`" in shown(there, "E / N", Known())
    assert "E = 1.8 nat/token +- 0.1" in shown(there, "E / N", Known())
    assert "let part = 2" in shown(there, "part\n", Known())


def test_nothing_of_a_text_is_acted_on(tmp_path: Path) -> None:
    there = one(tmp_path, 'let x = 3 USD\ndata "`<b>*[a](b)`": 1T tokens\nrequire cost <= x because "</b>"\n')
    assert shown(there, "`<b>") == "**source** `` `<b>*[a](b)` ``"


# ---- figures beside the text


@BOTH
def test_solved_values_stand_beside_what_asks_for_them(tmp_path: Path, name: str, text: str) -> None:
    there = one(tmp_path, text, name)
    document = there.document()
    found = hints(document, there.solved(), 0, len(document.source.text))
    source = document.source
    beside = {source.text[hint.at - 1]: hint.text for hint in found}
    gpus = beside["?"].removeprefix("= ").split()
    assert gpus[1] == "GPU" and float(gpus[0].replace(",", "")) == 96
    assert beside["D"] == "budget = 12M USD"
    assert beside["t"].startswith("cost = ")


def test_hints_are_of_the_text_as_it_is_and_of_the_stretch_that_is_asked(tmp_path: Path) -> None:
    there = one(tmp_path, PLAN)
    solved, document = there.solved(), there.document()
    assert hints(document, solved, 0, PLAN.index("let")) == ()
    there.edit(there.name, f"\n{PLAN}")
    assert hints(there.document(), solved, 0, len(PLAN)) == ()


# ---- outline, folding, colours


def names(symbols: tuple[Symbol, ...]) -> list[object]:
    return [(s.kind, s.name, names(s.inside)) if s.inside else (s.kind, s.name) for s in symbols]


def test_the_outline_of_a_plan(tmp_path: Path) -> None:
    text = "let a = 3 USD\ndata web: 1T tokens\nstage pre {\n  tokens: 1T\n  hardware: { gpus: 8; device: H100 }\n}\n"
    assert names(outline(one(tmp_path, text).document())) == [
        ("let", "a"),
        ("data", "web"),
        ("stage", "pre", [("tokens", "tokens"), ("hardware", "hardware", [("field", "gpus"), ("field", "device")])]),
    ]
    law = "law mine {\n  objective CLM\n  constants { E = 1.8 }\n  loss(params N) in nat/token = E\n}\n"
    assert names(outline(one(tmp_path, law).document())) == [("law", "mine", [("field", "E"), ("field", "loss")])]


@BOTH
def test_an_outline_has_each_name_inside_its_statement(tmp_path: Path, name: str, text: str) -> None:
    for symbol in outline(one(tmp_path, text, name).document()):
        assert symbol.span.start <= symbol.at.start <= symbol.at.end <= symbol.span.end


def test_what_can_be_folded(tmp_path: Path) -> None:
    text = "# a\n# b\nstage pre {\n  hardware: {\n    gpus: 8\n    device: H100\n  }\n}\nlet x = 3\n"
    found = [(fold.first, fold.last, fold.comment) for fold in folds(one(tmp_path, text).document())]
    assert found == [(0, 1, True), (2, 7, False), (3, 6, False)]


@BOTH
def test_colours_do_not_overlap_and_tell_names_from_words(tmp_path: Path, name: str, text: str) -> None:
    document = one(tmp_path, text, name).document()
    found = tokens(document)
    assert all(a.end <= b.start for a, b in pairwise(found))
    said = {(document.source.text[t.start : t.end], t.type) for t in found}
    assert {("hardware", "keyword"), ("H100", "class"), ("web", "variable"), ("cost", "property")} <= said
    assert {("# How large?", "comment"), ("months", "type"), ("6", "number")} <= said


# ---- layout and actions


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@BOTH
def test_the_layout_is_that_of_fmt(tmp_path: Path, name: str, text: str, ends: str) -> None:
    crooked = text.replace(": ", ":   ").replace("\n", ends)
    there = one(tmp_path, crooked, name)
    changes = [Change("", span, new) for span, new in layout(there.document())]
    after = applied(changes)
    assert (after, []) == formatted(there.document().source)
    there.edit(there.name, after)
    assert layout(there.document()) == ()
    there.edit(there.name, "hardware: 3 x\n")
    assert layout(there.document()) == ()


@BOTH
def test_a_fix_mends_and_an_ignore_asks_why(tmp_path: Path, name: str, text: str) -> None:
    there = one(tmp_path, text.replace("cost <= budget", "cost <= budgte"), name)
    document, findings = there.document(), there.solved().findings
    at = document.source.text.index("budgte")
    (fix,) = actions(document, findings, at, at)
    assert fix.safe and fix.is_fix
    assert applied([Change("", *edit) for edit in fix.edits]) == text


def test_an_ignore_stands_above_the_line_and_asks_for_a_reason(tmp_path: Path) -> None:
    there = one(tmp_path, "tokens: 1T\r\nhardware: {\r\n  gpus: 8; device: H100; time: 90 days; mfu: 40%\r\n}\r\n")
    document, findings = there.document(), there.solved().findings
    (found,) = [a for a in actions(document, findings, 0, 99) if a.finding.code == "H004"]
    assert not found.is_fix
    after = applied([Change("", *edit) for edit in found.edits])
    assert f"\r\n  # ignore[H004] {REASON}\r\n  gpus: 8" in after or f"\r\n# ignore[H004] {REASON}\r\nhardware" in after
    there.edit(there.name, after)
    assert "H004" not in {f.code for f in there.solved().findings}


def test_what_may_change_the_meaning_is_told_to_be_unsafe(tmp_path: Path) -> None:
    document = one(tmp_path, "tokens: 1T\n").document()
    at = document.statements[0].span
    fix = Fix("write `tokens: 2T`", (Edit(at, "tokens: 2T"),))
    found = finding("C003", "too few", at, fixes=[fix])
    (action,) = actions(document, [found], 0, 1)
    assert not action.safe and action.is_fix and "unsafe" in action.title
    assert [one.title for one in actions(document, [found], 11, 11)] == []
