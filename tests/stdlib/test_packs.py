"""Packs of users: what a definition must be, what it may replace, and how it reaches a plan, by every way.

What each kind of definition must be stands in `tests/engine/spec/packs.md`. Here are the parts of laws and rules, case
by case and with what is expected of them written as there, and the ways.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from expected import EXPECTED, met, said
from known import LIBRARY, known_of
from wheels import built

import runplan
from runplan.cli.main import main
from runplan.dsl.packs.headers import headers, headers_of
from runplan.dsl.packs.quantity_check import checked as quantity_findings
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.plan.pack_file import with_definitions
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.reader import Buffer, Disk, decoded
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

ROOT = Path(__file__).resolve().parents[2]
STDLIB = Path(runplan.__file__).resolve().parent / "stdlib"
PLAN = "use laws acme.loss, chinchilla\nhardware: 64 x X1 for 30 days at 40% MFU\n"
HEAD = 'objective CLM of text; counts total params; cites "x"'
GOOD = """\
law acme.loss aliases acme "Our own runs" {
  objective CLM of text
  counts total params
  constants { E = 1.72 nat/token +- 0.02; A = 410; B = 415 }
  loss(params N, tokens D) = E + A / N^0.34 + B / D^0.28
  cites "internal report"
  golden "acme.1B" at params = 1B, tokens = 20B gives loss = 2.61880 within 1e-5
}
device x1 aliases X1 { peak bf16 400 TFLOP/s; memory 96 GB; power 500 W }
rule ACME1 too-long warning {
  when time > 20 days
  says "the run takes {time}"
  blames time
  breaks { hardware: 64 x H100 for 30 days at 40% MFU }
  keeps { hardware: 64 x H100 for 3 days at 40% MFU }
}
rule CORP1 slow-device info {
  when device == "x1" and rate < 300 TFLOP/s
  says "{device} at {rate}"
  blames rate
  cites "our own practice"
}
"""


def report(text: str) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(ROOT)), catalogue=LIBRARY, intervals=False)


def held(text: str) -> None:
    """Hold a pack to the findings that its comments expect, as the suites in `tests/engine/spec/` do."""
    _, _, findings = with_definitions("x.plan", Buffer("x.plan", text.encode(), Disk(ROOT)), LIBRARY)
    left = list(findings)
    for number, line in enumerate(text.split("\n"), 1):
        for m in EXPECTED.finditer(line):
            hit = next((f for f in left if met(f, number, m)), None)
            assert hit, f"line {number}: not found: {m[0]} among {list(map(said, left))}"
            left.remove(hit)
    assert list(map(said, left)) == []


# ---- rules

RULES = """\
when costs > 3 USD; says "x"         # error: 6 [N002] "names `costs`" help "`cost`"
when cost > 3 GB; says "x"           # error: 6 [U001] "`cost` is in USD and `3 GB` is in bytes"
when cost; says "x"                  # error: [P001] "is no condition"
when not time + time; says "x"       # error: 10 [P001]
when objective > 3; says "x"         # error: [U001] help "`==` or `!=`"
when objective == 3; says "x"        # error: [U001]
when cost == "high"; says "x"        # error: [U001]
when memory > 5; says "x"            # error: 15 [U003] "`5` has no unit"
when assumed(3); says "x"            # error: [P001] "`assumed`"
when mfu > 3 ZZ; says "x"            # error: [U002]
when mfu > 3; says "{costs} is"      # error: 20 [N002] "`{costs}`" help "`cost`"
when mfu > 3; says "{cost:.2f}"      # error: [N002]
when mfu > 3; says "{cost%}"         # error: [U001] "no per cent" help "`{cost}`"
when mfu > 3; says "{device%}"       # error: [U001] "a word"
when mfu > 3; says "x"; help "{moo}" # error: 30 [N002]
when mfu > 3; says "x"; blames foo   # error: 32 [N002] "blames `foo`"
when tokens / params > 100 and not (cost in 1k USD .. 2k EUR) or device == "H100"; says "{mfu%} {law}"; blames model
"""


@pytest.mark.parametrize("text", RULES.splitlines())
def test_a_rule_asks_for_what_there_is(text: str) -> None:
    held(f"rule ACME1 of-a-test error {{\n{text}\n}}\n")


def test_a_rule_of_a_plan_may_mention_its_lets_and_sources() -> None:
    text = """\
let most = 1k USD
rule ACME1 too-dear error { when cost > most and tokens.web > 1B; says "{cost}"; blames cost }
data web: 10T tokens
hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour
"""
    assert [f.code for f in report(text).findings if f.severity == "error"] == ["ACME1"]


DEAR = 'rule ACME1 too-dear {severity} {{ when cost > 100k USD; says "{{cost}}"; blames cost }}\n'
IN_EUROS = "hardware: 64 x H100 for 30 days at 40% MFU @ {price} EUR/GPU/hour\n"


def test_money_of_a_rule_is_converted_by_the_rate_of_the_plan() -> None:
    rate = "rate USD = 0.5 EUR on 2026-01-15\n"
    for price, codes in ((1.0, []), (2.0, ["ACME1"])):  # 46,080 or 92,160 EUR, the limit being 50,000
        found = report(DEAR.format(severity="error") + rate + IN_EUROS.format(price=price)).findings
        assert [f.code for f in found if f.severity == "error"] == codes


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_money_that_is_not_converted_gives_no_verdict(severity: str) -> None:
    found = report(DEAR.format(severity=severity) + IN_EUROS.format(price=9)).findings
    (one,) = [f for f in found if "ACME1" in f.message]
    assert (one.code, one.severity) == ("C009", severity)
    assert one.help == ("declare the rate: `rate USD = ... EUR on YYYY-MM-DD`",)


@pytest.mark.parametrize("name", ["H100", "h100", "h100-sxm", "H100 80GB HBM3"])
def test_a_device_and_a_law_go_by_all_their_names(name: str) -> None:
    rule = f'rule ACME1 of-a-test error {{ when device == "{name}" and law == "chinchilla"; says "{{device}}" }}\n'
    found = report(rule + "hardware: 64 x H100-SXM for 30 days at 40% MFU\n").findings
    assert [f.message for f in found if f.code == "ACME1"] == ["h100-sxm"]


# ---- money of packs in a plan of another currency

RATE = "rate EUR = 1.2 USD on 2026-01-15\n"
IN_DOLLARS = "hardware: 8 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"
FEE = "quantity fee in EUR = 100 EUR/GPU * gpus\n"


@pytest.mark.parametrize(
    ("plan_text", "code"),
    [
        ("require fee <= 959 USD\n" + RATE, "B002"),
        ("require fee <= 961 USD\n" + RATE, None),
        ("require fee <= 799 EUR\n" + RATE, "B002"),
        ("require fee <= 801 EUR\n", None),
        ("require fee <= 961 USD\n", "U001"),
        ('rule ACME1 too-dear error { when fee > 900 USD; says "{fee}" }\n' + RATE, "ACME1"),
        ('rule ACME1 too-dear error { when fee > cost; says "{fee}" }\n', "C009"),
    ],
)
def test_a_quantity_in_euros_is_converted_and_never_relabelled(
    project: Path, plan: Run, plan_text: str, code: str | None
) -> None:
    by_configuration(project, "")
    (project / "packs" / "quantities.plan").write_text(FEE, encoding="utf-8")
    (project / "p.plan").write_text(plan_text + IN_DOLLARS, encoding="utf-8")
    found = json.loads(plan("check", "p.plan", "-o", "json")[1])["findings"]
    assert [f["code"] for f in found if f["severity"] == "error"] == [code] * (code is not None)


def test_a_price_in_euros_is_converted_by_the_rate_of_the_plan(project: Path, plan: Run) -> None:
    by_configuration(project, 'price spot { price 2 EUR/GPU/hour from "list" }\n')
    for rate, cost in (("", None), (RATE, 8 * 720 * (3 + 2.4))):
        text = rate + IN_DOLLARS.rstrip() + " + 8 x H100 for 30 days at 40% MFU @ spot\n"
        (project / "p.plan").write_text(text, encoding="utf-8")
        found = document(plan("solve", "p.plan", "-o", "json"), 1 if cost is None else 0)
        if cost is None:
            assert [f["help"] for f in found["findings"]] == [["declare the rate: `rate EUR = ... USD on YYYY-MM-DD`"]]
        else:
            assert found["solutions"][0]["cost"]["value"] == pytest.approx(cost)


# ---- names of prices


def test_the_let_of_a_plan_wins_over_the_price_of_a_configured_pack(project: Path, plan: Run) -> None:
    by_configuration(project, "price budget { price 9 USD/GPU/hour }\nprice web { price 9 USD/GPU/hour }\n")
    text = "let budget = 17k USD\ndata web: 1T tokens\nrequire cost <= budget\n" + IN_DOLLARS
    (project / "p.plan").write_text(text, encoding="utf-8")
    assert places(document(plan("check", "p.plan", "-o", "json"), 1)) == [("B001", "p.plan", 3)]


@pytest.mark.parametrize("price", ["price cost { price 9 USD/GPU/hour }", "region tokens aliases web { pue 1.1 }"])
def test_a_price_does_not_take_the_name_of_a_quantity(way: Way, project: Path, plan: Run, price: str) -> None:
    file = way(project, GOOD + price + "\n")
    assert places(document(plan("check", "p.plan", "-o", "json"), 1)) == [("N005", file, GOOD.count("\n") + 1)]


# ---- quantities

QUANTITIES = """\
quantity fee in EUR = 100 EUR/GPU * gpu           # error: 37 [N002] "`fee` names `gpu`" help "`gpus`"
quantity fee in EUR = 100 EUR/GPU * gpus
quantity fee in currency = cost * 10%
quantity fee in EUR = gpus * 1 second             # error: 23 [U001] "`fee`: the formula is in GPU*second"
quantity fee in EUR = cost + 3 EUR                # error: 23 [U001] "`cost` is in currency, `3 EUR` is in EUR"
quantity fee in EUR = 3 EUR + 3 USD               # error: 23 [U001]
quantity fee in ZZ = cost + 3 EUR                 # error: 17 [U002]
quantity fee in EUR = 3 ZZ                        # error: 25 [U002]
quantity fee in 1 = fee / 2                       # error: 21 [N003] "`fee` is defined by itself"
quantity fee in 1 = more; quantity more in 1 = fee + 1  # error: [N003] "by itself"
quantity fee in 1 = assumed(gpus)                 # error: 21 [P001] "no value of its own"
quantity fee in 1 { lable "Fee" }                 # error: 21 [N002] "item of a quantity `lable`" help "`label`"
quantity fee in 1 { pools summ }                  # error: 27 [N002] "word after `pools` `summ`" help "`sum`"
quantity fee in 1 { pools }                       # error: 21 [P001] "missing after `pools`" help "sum, least"
quantity fee in 1 { pools 5 }                     # error: 27 [N002] "`5`"
quantity fee in 1 { pools sum apart }             # error: 31 [P001] "`apart` is too much after `pools`"
quantity fee in 1 { parts phas }                  # error: 27 [N002] help "`phase`"
quantity fee in 1 { only }                        # error: 21 [P001] "missing after `only`"
quantity fee in 1 { zero 5 }                      # error: 26 [P001] "`5` is too much"
quantity fee in 1 { label }                       # error: 21 [P001] "text is missing after `label`"
quantity fee in 1 { label "a"; label "b" }        # error: 32 [N005] "`label` is given twice"
quantity fee in 1 { row }                         # error: 21 [P001] "a number is missing after `row`"
quantity fee in 1 { row 5 GB }                    # error: 25 [U001] "`row`"
quantity fee in 1 { row transfr 10 }              # error: 25 [N002] help "`transfer`"
quantity fee in 1 { row transfer 10 }
quantity status in 1 { row 10 }                   # error: 24 [N005] "`status` is the name of something else"
quantity fee in 1 { needs gpu "add it" }          # error: [N002] "`fee` needs `gpu`" help "`gpus`"
quantity fee in 1 { needs gpus }                  # error: 27 [P001] "text is missing after `gpus`"
quantity fee in second { otherwise 5 GB "a" }     # error: 36 [U001] "`fee` is in seconds"
quantity fee in second { otherwise "a" 5 }        # error: 36 [P001] "a number is missing"
quantity fee in second { field hardwre "5 h" }    # error: 32 [N002] help "`hardware`"
quantity fee in second { field hardware "5 h" }   # error: 24 [P001] "over pools" help "`pools apart`"
quantity fee in second { field model "5 h" mots 6 h }  # error: 44 [N002] help "`most`"
quantity fee in second { field model "5 h" most 6 GB }  # error: 49 [U001]
quantity fee in second { field model "5 h" most }  # error: 44 [P001] "a number is missing"
quantity fee in second { field model }            # error: 32 [P001] "text is missing after `model`"
quantity fee in second { field model toll "5 h" most 6 h whole; said "toll"; better less; decided run; knob }
"""


@pytest.mark.parametrize("text", QUANTITIES.splitlines())
def test_a_quantity_is_made_of_what_there_is(project: Path, text: str) -> None:
    (project / "packs").mkdir()
    (project / "packs" / "quantities.plan").write_text(text + "\n", encoding="utf-8")
    known = LIBRARY.with_files(pack_files(Disk(project), "packs", "packs", "pack"))
    wanted = list(EXPECTED.finditer(text))
    assert len(known.findings) == len(wanted), list(map(said, known.findings))
    assert all(met(found, 1, m) for found, m in zip(known.findings, wanted, strict=True)), said(known.findings[0])


def test_the_quantities_of_the_library_are_sound() -> None:
    known = LIBRARY.quantities()
    assert list(quantity_findings(known.values(), known)) == []


# ---- laws

LAW = """\
constants { E = 1.7 nat/token; A = 400 token }; loss(params N) = E + A / N     # error: 66 [U001]
constants { E = 1.7 nat/token; A = 400 }; loss(params N) = E + F / N           # error: [N002]
constants { E = 1 nat/token; E = 2 nat/token }; loss(params N) = E             # error: 30 [N005] "`E`"
constants { E = 1 nat/token }; let E = 3 nat/token; loss(params N) = E         # error: [N005]
constants { N = 1 nat/token }; loss(params N) = N * 1 nat/token/param          # error: [N005]
constants { E = 1 nat/token }; loss(params N, tokens N) = E                    # error: [N005]
constants { E = 1 nat/token }; loss(params N) = E; loss(params N) = E          # error: 52 [N005]
constants { E = 1 nat/token }; loss(params N) = E; loss(tokens N) = E
constants { E = 1 nat/token }; loss(params N) = E for MLLM = E                 # error: [S001]
constants { E = 1 nat/token +- 0 }; loss(params N) = E                         # error: [P001] "standard error"
constants { E = 1 nat/token; A = 0 }; loss(params N) = E / A                   # error: [U004] "not a finite"
constants { E = 1 nat/token }; loss(params N) = E * ln(0 - 1)                  # error: [U004]
constants { E = 1 nat/token }; lost(params N) = E                              # error: 32 [U003] "`lost`"
constants { E = 1 nat/token }; loss(parms N) = E * N                           # error: [U003] "`parms`" help "`params`"
let p = q; let q = p; loss(params N) = p                                       # error: [N003] "defined by itself"
let p = p + 1; loss(params N) = p                                              # error: [N003]
fitted params in 3B param .. 1B param                                          # error: [U004] "runs down"
fitted params in 3 GB .. 5 GB      # error: 18 [U001] "in bytes"   # error: 26 [U001]
fitted parms in 1B param .. 3B param                                           # error: 8 [N002] help "`params`"
fitted params in 1B .. 3B, tokens in 1B token .. 1B token
cites ""                                                                       # error: [P001] "names nothing"
golden "a" at params = 1B gives loss = 3 within 5                              # error: 49 [P001] "between 0 and 1"
golden "a" at params = 1B gives loss = 3 within 0                              # error: [P001]
golden "a" gives loss = 3; golden "a" gives loss = 3                           # error: 28 [N005]
table loss(params N) { 1B: 3 nat/token; 1B: 2 nat/token }                      # error: [P001] "rising order"
constants { A = 1; B = 2 }; jointly A, B { 1, 2; 3, 4 }                        # error: [P001] "symmetric"
constants { A = 1; B = 2 }; jointly A, B { 1, 2; 2, 1 }                        # error: [P001] "negative variance"
constants { A = 1; B = 2 }; jointly A, B { -1, 0; 0, 1 }                       # error: [P001]
constants { A = 1; B = 2 }; jointly A, B { 1, 2; 2, 4 }
constants { A = 1; B = 2 }; jointly A, ln(C) { 1, 0; 0, 1 }                    # error: [N002] "`C`"
constants { E = 1 nat/token }; loss(params N) = E; drifts loss 0.1 from "x" evidence derived
constants { E = 1 nat/token }; loss(params N) = E; drifts los 0.1 from "x"     # error: 59 [N002] help "`loss`"
constants { E = 1 nat/token }; loss(params N) = E; drifts loss 0 from "x"      # error: 64 [P001] "some share"
constants { E = 1 nat/token }; loss(params N) = E; drifts loss 0.1 from ""     # error: [P001] "names no runs"
constants { E = 1 nat/token }; loss(params N) = E; drifts loss 0.1             # error: 67 [S001] "expected `from`"
"""


@pytest.mark.parametrize("text", LAW.splitlines())
def test_a_law_is_sound(text: str) -> None:
    held(f"law ours {{\n{text}\n{HEAD}\n}}\n")


def test_a_law_may_not_grow_beyond_measure(project: Path, plan: Run) -> None:
    lets = "; ".join(f"let a{i} = a{i + 1} * a{i + 1}" for i in range(60))
    golden = 'golden "g" at params = 1B gives loss = 1'
    text = f"law ours {{ {HEAD}; {lets}; let a60 = 2 nat/token; loss(params N) = a0; {golden} }}\n"
    (found,) = promised(project, plan, text, code=1)["findings"]
    assert found["code"] == "S004"


@pytest.mark.parametrize(
    "text",
    [
        'law ours { objective CLMM of text; counts total params; cites "x" }  # error: 22 [N002] help "`CLM`"',
        'law ours { objective transfer from CLMM to MLM; counts any params; cites "x" }  # error: [N002]',
        'law ours { objective transfer from text to python; counts any params; cites "x" }',
        'law ours { objective CLM of text; cites "x" }  # error: 5 [P001] "which params it counts"',
        'law ours { objective CLM of text; counts total params }  # error: [P001] "cites nothing"',
        'law ours { counts total params; cites "x" }  # error: [P001] "no objective"',
        'law ours extends nothing { counts total params; objective CLM; cites "x" }  # error: [N002] "`nothing`"',
        f'law ours {{ {HEAD} }}\nlaw ours {{ {HEAD} }}  # error: 5 [N005] "in line 1"',
    ],
)
def test_a_law_says_what_it_is_for(text: str) -> None:
    held(text + "\n")


ENDLESS = "no least value"
OPEN = "nothing in the plan determines `tokens`"
MODEL = "model: 7B\n"


@pytest.mark.parametrize(
    ("formula", "more", "code", "message"),
    [
        ("E * exp(N / (1 param)) + B / D^0.28", "", "C002", ENDLESS),
        ("E * exp(N / (1 param)) + B / D^0.28", MODEL, "C009", "limit of steps"),
        ("E - A / N^0.34 + B / D^0.28", "", "C002", ENDLESS),
        ("E - A / N^0.34 + B / D^0.28", MODEL, None, ""),
        ("E + A * N / (1 param)", "", "L004", "cannot choose the size"),
        ("E + A * N / (1 param)", MODEL, "C002", OPEN),
        ("E + A / N^0.34", "", "L004", "cannot choose the size"),
        ("E + A / N^0.34", MODEL, "C002", OPEN),
        ("E + A / N^0.34", "minimize loss\n", "C002", OPEN),
        ("E + A / N^0.34", "tokens: 1T\n", None, ""),
    ],
)
def test_a_law_without_an_optimum_is_no_bug(formula: str, more: str, code: str | None, message: str) -> None:
    inputs = "params N, tokens D" if "D" in formula else "params N"
    law = f"law ours {{ {HEAD}\nconstants {{ E = 1.7 nat/token; A = 400; B = 410 }}\nloss({inputs}) = {formula}\n}}\n"
    errors = [f for f in report(f"{law}use laws ours\ncompute: 1e22 FLOP\n{more}").findings if f.severity == "error"]
    assert [f.code for f in errors] == [code] * (code is not None)
    assert all(message in f.message for f in errors)
    assert [f.at.span.line for f in errors if ENDLESS in f.message] == [3] * (message == ENDLESS), "the law's own line"


# ---- names


@pytest.mark.parametrize("path", sorted(STDLIB.rglob("*.plan")), ids=lambda path: path.stem)
def test_the_first_lines_of_the_library_say_what_the_grammar_reads(path: Path) -> None:
    source, _ = decoded(path.name, path.read_bytes())
    file, _ = syntax_of(source)
    pack = PackReader(*known_of(LIBRARY)).pack(file.statements)
    assert sorted(headers(source, "standard"), key=repr) == sorted(headers_of(pack, "standard"), key=repr)


def test_the_first_line_of_what_overrides() -> None:
    text = 'override law a.b aliases c, "d e" extends f "x" {\noverride  rule A1 b-c error {\ndevice h {\n'
    source, _ = decoded("x.plan", text.encode())
    found = [(h.kind, h.name, h.aliases, h.override) for h in headers(source, "pack")]
    assert found == [("law", "a.b", ("c", "d e"), True), ("rule", "A1", ("b-c",), True), ("device", "h", (), False)]


def test_what_overrides_wins_wherever_it_is_named() -> None:
    text = """\
override law chinchilla.epoch extends chinchilla.epoch "Ours" { constants { E = 3 nat/token }; cites "us" }
law ours extends chinchilla { cites "us" }
override device H100 { peak bf16 500 TFLOP/s; memory 80 GB; power 700 W }
override schedule WSD { phase first: 50% warmup; phase last: 50% linear }
override rule H002 implausible-mfu warning { when mfu > 30%; says "{mfu%} is much"; blames mfu }
use laws chinchilla, ours, chinchilla.approach3
hardware: 64 x h100-sxm for 30 days at 39% MFU
"""
    found = report(text)
    first, ours, other = found.solutions
    loss = first.get("loss")
    assert first.resolved == "chinchilla.epoch" and loss is not None and loss > 3
    assert ours.get("loss") == pytest.approx(loss)
    assert (other.get("loss") or 9) < 3
    assert first.get("peak") == 500e12
    assert first.problem.phases == ("first", "last")
    assert [(f.severity, f.message) for f in found.findings if f.code == "H002"] == [("warning", "39 % is much")]
    assert LIBRARY.law("chinchilla") != found.solutions[0].problem.law, "only where the plan reaches"


def test_what_extends_takes_all_that_it_does_not_say_itself() -> None:
    text = f"""\
law ours extends chinchilla {{ cites "us" }}
law other extends chinchilla {{ constants {{ E = 1.7 nat/token }}; cites "us" }}
law table {{ {HEAD}; table learning_rate(compute C) {{ 1e20 FLOP: 3e-4; 1e22 FLOP: 1e-4 }} }}
law longer extends table {{ cites "us" }}
use laws ours
compute: 1e22 FLOP
"""
    plan = report(text).plan
    assert plan is not None
    known = LIBRARY.with_pack(plan.definitions)
    ours, other, table, longer = (known.law(name) for name in ("ours", "other", "table", "longer"))
    assert ours and other and table and longer
    assert ours.joint is not None and other.joint is None, "what varied jointly varies no more beside a new value"
    assert (other.constants["E"].error, other.constants["alpha"].error is None) == (None, False)
    assert longer.tables == table.tables != ()


# ---- ways to a plan: the plan itself, an import, the configuration, a wheel


Way = Callable[[Path, str], str]
fresh = itertools.count()


def in_the_plan(project: Path, pack: str) -> str:
    (project / "p.plan").write_text(pack + PLAN, encoding="utf-8")
    return "p.plan"


def by_import(project: Path, pack: str) -> str:
    (project / "acme.plan").write_text(pack, encoding="utf-8")
    (project / "p.plan").write_text('import "acme.plan"\n' + PLAN, encoding="utf-8")
    return "acme.plan"


def by_configuration(project: Path, pack: str) -> str:
    (project / "packs" / "sub.plan").mkdir(parents=True)  # a folder whose name ends like a file's
    (project / "packs" / "acme.plan").write_text(pack, encoding="utf-8")
    (project / "runplan.toml").write_text('packs = ["packs"]\n', encoding="utf-8")
    (project / "p.plan").write_text(PLAN, encoding="utf-8")
    return "packs/acme.plan"


def by_wheel(project: Path, pack: str) -> str:
    site, package = project / "site", f"acme_pack{next(fresh)}"
    (site / package).mkdir(parents=True)
    (site / package / "acme.plan").write_text(pack, encoding="utf-8")
    info = site / "acme-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[runplan.packs]\nacme = {package}\n", encoding="utf-8")
    (project / "p.plan").write_text(PLAN, encoding="utf-8")
    return f"{package}/acme.plan"


@pytest.fixture(params=[in_the_plan, by_import, by_configuration, by_wheel])
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, the current folder, in which `site` is where wheels are installed."""
    (tmp_path / "runplan.toml").touch()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*argv: str) -> tuple[int, str, str]:
        code = main(list(argv))
        out, err = capsys.readouterr()
        return code, out, err

    return run


Run = Callable[..., tuple[int, str, str]]


def document(found: tuple[int, str, str], code: int = 0) -> Any:
    assert found[0] == code, found
    return json.loads(found[1])


def places(found: Any) -> list[tuple[str, str, int]]:
    return [(f["code"], f["file"], f["line"]) for f in found["findings"] if f["severity"] == "error"]


def test_a_sound_pack_is_solved_beside_chinchilla(way: Way, project: Path, plan: Run) -> None:
    way(project, GOOD)
    solved = document(plan("solve", "p.plan", "-o", "json"))
    assert [s["resolved"] for s in solved["solutions"]] == ["acme.loss", "chinchilla.epoch"]
    assert {"ACME1", "CORP1"} <= {f["code"] for f in solved["findings"]}
    assert plan("compare", "p.plan")[0] == 0
    assert plan("explain", "p.plan", "loss")[0] == 0


WRONG = [
    ("A / N^0.34", "E / N^0.34", "U001", 5),
    ("E + A", "E + F", "N002", 5),
    ("E = 1.72 nat/token", "E = NaN", "U004", 4),
    ("peak bf16 400 TFLOP/s", "peak bf16 400", "U003", 9),
    ("when time > 20 days", "when times > 20 days", "N002", 11),
    ("when time > 20 days", "when time > 20 GB", "U001", 11),
    ('says "the run', 'says "{what} the run', "N002", 12),
    ("aliases X1", "aliases X1, H100", "N005", 9),
    ("rule ACME1 too-long", "rule B001 too-long", "N005", 10),
]


@pytest.mark.parametrize(("old", "new", "code", "line"), WRONG)
def test_a_mistake_is_found_at_its_line_and_gives_no_number(
    way: Way, project: Path, plan: Run, old: str, new: str, code: str, line: int
) -> None:
    file = way(project, GOOD.replace(old, new))
    for verb in ("check", "solve", "compare"):
        found = document(plan(verb, "p.plan", "-o", "json"), 1)
        wanted = [(code, file, line)]
        assert places(found) == wanted, verb
        assert not found.get("solutions") and not found.get("columns")
    exit_code, out, err = plan("explain", "p.plan", "loss")
    assert (exit_code, out) == (2, "")
    assert f"[{code}]" in err


def test_a_law_that_is_wrong_is_not_evaluated(project: Path, plan: Run) -> None:
    file = by_configuration(project, GOOD.replace("A / N^0.34", "E / N^0.34"))
    at = ("--at", "params=1B", "tokens=20B", "-o", "json")
    code, out, err = plan("law", "acme", *at)
    assert (code, json.loads(out)["schema"]) == (2, "plan.error/v1")
    assert f"{file}:5:" in err and "[U001]" in err
    assert "[U001]" in plan("law")[2]
    assert document(plan("law", "chinchilla", *at))["outputs"]


@pytest.mark.parametrize("one", [by_configuration, by_wheel])
def test_the_catalogues_know_what_a_project_has(one: Way, project: Path, plan: Run) -> None:
    one(project, GOOD)
    outputs = document(plan("law", "acme", "--at", "params=1B", "tokens=20B", "-o", "json"))["outputs"]
    assert outputs["loss"]["value"] == pytest.approx(2.6188, rel=1e-5)
    assert "400 TFLOP/s" in plan("device", "X1")[1]
    assert "the run takes" in plan("rule", "too-long")[1]


def test_a_quantity_of_the_library_is_not_replaced(project: Path, plan: Run) -> None:
    by_configuration(project, GOOD)
    text = 'quantity loss in nat/token "mine"\nquantity fun in token "new"\n'
    (project / "packs" / "quantities.plan").write_text(text, encoding="utf-8")
    assert places(document(plan("check", "p.plan", "-o", "json"), 1)) == [("N005", "packs/quantities.plan", 1)]


def test_a_definition_that_comes_on_two_ways_is_one(project: Path, plan: Run) -> None:
    by_configuration(project, GOOD)
    (project / "p.plan").write_text('import "packs/acme.plan"\n' + PLAN, encoding="utf-8")
    assert plan("check", "p.plan")[0] == 0
    (project / "p.plan").write_text(
        'import "packs/acme.plan" as a\n' + PLAN.replace("acme", "a.acme"), encoding="utf-8"
    )
    assert plan("check", "p.plan")[0] == 0


def test_two_packs_that_define_the_same_are_told_at_the_second(project: Path, plan: Run) -> None:
    by_configuration(project, GOOD)
    (project / "packs" / "other.plan").write_text(f"\nlaw acme {{ {HEAD} }}\n", encoding="utf-8")
    assert places(document(plan("check", "p.plan", "-o", "json"), 1)) == [("N005", "packs/other.plan", 2)]
    (project / "packs" / "other.plan").write_text('override law acme extends acme { cites "x" }\n', encoding="utf-8")
    assert plan("check", "p.plan")[0] == 0


def test_every_definition_of_an_import_goes_by_the_name_of_the_import(project: Path, plan: Run) -> None:
    (project / "acme.plan").write_text(
        """\
shape to_a_third { end 33% }
schedule corp-steps { phase a: 90% warmup; phase b: 10% to_a_third }
law base { objective CLM of text; counts total params; cites "x"; constants { r = 40 token/param }
  params(compute C) = sqrt(C / (6 FLOP/param/token * r)) }
law derived extends base { constants { r = 30 token/param } }
device x1 { peak bf16 400 TFLOP/s }
mfu x1 { size 7B 33% }
let hour = 2 USD/GPU/hour
""",
        encoding="utf-8",
    )
    text = (
        'import "acme.plan" as c\nuse laws c.derived\nschedule: c.corp-steps\nhardware: 9 x c.x1 for 3 days @ c.hour\n'
    )
    (project / "p.plan").write_text(text, encoding="utf-8")
    (solution,) = document(plan("solve", "p.plan", "-o", "json"))["solutions"]
    assert solution["resolved"] == "c.derived"
    assert solution["phases"][-1]["learning_rate"]["end"] == pytest.approx(
        0.33 * solution["learning_rate"]["value"], rel=1e-9
    )


def test_what_a_pack_says_of_itself_holds_under_the_name_of_the_import(project: Path, plan: Run) -> None:
    pack = """\
price spot { price 2 USD/GPU/hour from "list" }
let double = 2 * spot
let treble = spot.price + double
let most = 1k USD
rule ACME1 too-dear error { when cost > most; says "{cost}"; help "keep to {most}"; blames cost
  breaks { hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour; let most = 3 USD; require cost <= most } }
override law chinchilla.epoch extends base { cites "us" }
law base extends chinchilla.approach3 { cites "us" }
"""
    text = "{}hardware: 8 x H100 for 30 days at 40% MFU @ {}treble\n"
    for head, prefix in (("import acme.plan\n", ""), ("import acme.plan as q\n", "q."), (pack, "")):
        (project / "acme.plan").write_text(pack, encoding="utf-8")
        (project / "p.plan").write_text(text.format(head, prefix), encoding="utf-8")
        found = document(plan("check", "p.plan", "-o", "json"), 1)
        (one,) = [f for f in found["findings"] if f["severity"] == "error"]
        assert (one["code"], one["message"]) == ("ACME1", "34,560 USD"), head
        assert one["help"][0].startswith("keep to 1,000 USD"), head


# ---- what a rule stands for


def test_what_a_rule_stands_for_is_a_claim_or_a_number_of_the_packs_own(project: Path, plan: Run) -> None:
    by_configuration(
        project, GOOD.replace("rule ACME1 too-long warning {", "rule ACME1 too-long warning {\n  rows 4, 55")
    )
    assert "claims\n  docs/claims.md#claim-55, docs/claims.md#claim-56\n" in plan("rule", "T031")[1]
    assert "rows\n  4, 55\n" in plan("rule", "ACME1")[1]
    assert not {"rows", "claims"} & set(plan("rule", "CORP1")[1].split())


# ---- silencing


@pytest.mark.parametrize("words", ["ACME1,CORP1", "ACME,CORP", "too-long,slow-device"])
def test_the_rules_of_a_pack_can_be_left_out_whatever_they_begin_with(project: Path, plan: Run, words: str) -> None:
    by_import(project, GOOD)
    found = document(plan("check", "p.plan", "-o", "json"))
    assert {"ACME1", "CORP1"} <= {f["code"] for f in found["findings"]}
    found = document(plan("check", "p.plan", "--ignore", words, "-o", "json"))
    assert not {"ACME1", "CORP1"} & {f["code"] for f in found["findings"]}
    found = document(plan("check", "p.plan", "--select", "ACME1", "-o", "json"))
    assert {f["code"] for f in found["findings"]} == {"ACME1"}


def test_what_is_wrong_with_a_pack_cannot_be_left_out(project: Path, plan: Run) -> None:
    by_configuration(project, GOOD.replace('cites "internal report"', ""))
    found = document(plan("check", "p.plan", "--ignore", "P", "-o", "json"), 1)
    assert places(found) == [("P001", "packs/acme.plan", 1)]


# ---- plan test


def promised(project: Path, plan: Run, text: str, *argv: str, code: int) -> Any:
    (project / "acme.plan").write_text(text, encoding="utf-8")
    return document(plan("test", "acme.plan", "-o", "json", *argv), code)


def test_a_sound_pack_passes(project: Path, plan: Run) -> None:
    found = promised(project, plan, GOOD, code=0)
    assert [r["id"] for r in found["results"]] == ["acme.1B", "rule.ACME1.warning.breaks", "rule.ACME1.warning.keeps"]
    assert (found["summary"], found["findings"]) == ({"passed": 3, "failed": 0, "findings": 0}, [])
    assert found["untested"] == ["CORP1 info"]


def test_a_golden_value_that_is_off_is_found_where_it_stands(project: Path, plan: Run) -> None:
    found = promised(project, plan, GOOD.replace("2.61880", "2.7"), code=1)
    (one,) = found["findings"]
    assert (one["code"], one["name"], one["file"], one["line"]) == ("P002", "golden-value-off", "acme.plan", 7)
    assert one["message"] == "`acme.1B`: loss is 2.618796147, not 2.7 (within 1e-05)"
    assert one["data"] == {"expected loss": 2.7, "got loss": pytest.approx(2.6188, rel=1e-5)}
    assert "acme.plan:7:3: error[P002]" in plan("test", "acme.plan")[1]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("for 30 days", "for 10 days", 14, "the example is not flagged"),
        ("for 3 days", "for 40 days", 15, "the example is flagged"),
        ("keeps { hardware: 64 x H100", "keeps { hardware: 64 x H1000", 15, "keeps.plan:1: unknown device `H1000`"),
    ],
)
def test_an_example_that_does_not_hold_is_found_where_it_stands(
    project: Path, plan: Run, old: str, new: str, line: int, message: str
) -> None:
    found = promised(project, plan, GOOD.replace(old, new), code=1)
    assert places(found) == [("P002", "acme.plan", line)]
    assert message in found["findings"][0]["message"]


@pytest.mark.parametrize("line", ['golden "what E gives here" at params', 'golden "acme.1B"\tat params'])
@pytest.mark.parametrize("gives", [" gives", "\tgives\t", "\n  gives"])
def test_a_golden_value_is_read_by_its_words_and_not_its_text(project: Path, plan: Run, line: str, gives: str) -> None:
    text = GOOD.replace('golden "acme.1B" at params', line).replace(" gives loss", f"{gives} loss")
    assert promised(project, plan, text, code=0)["summary"]["failed"] == 0


def test_a_constant_may_be_negative(project: Path, plan: Run) -> None:
    text = GOOD.replace("E = 1.72 nat/token", "# = -\n E = -\t1.72 nat/token").replace(
        "loss = 2.61880", "-loss = 0.821204"
    )
    assert promised(project, plan, text, code=0)["summary"]["failed"] == 0


def test_a_mistake_has_one_finding(project: Path, plan: Run) -> None:
    """A golden value that is off for what is wrong with the law is not told beside it."""
    found = promised(project, plan, GOOD.replace("A / N^0.34", "E / N^0.34"), code=1)
    assert places(found) == [("U001", "acme.plan", 5)]


@pytest.mark.parametrize(
    ("text", "untested"),
    [
        (f"law ours {{ {HEAD} }}\n", ["ours"]),
        ("device x1 { memory 96 GB }\n", []),
        ('rule A1 a-b info { when mfu > 3; says "x" }\n', ["A1 info"]),
    ],
)
def test_what_promises_nothing_fails_only_where_that_is_asked(
    project: Path, plan: Run, text: str, untested: list[str]
) -> None:
    found = promised(project, plan, text, code=0)
    assert (found["results"], found["findings"], found["untested"]) == ([], [], untested)
    assert promised(project, plan, text, "--coverage", code=1 if untested else 0)["untested"] == untested


def test_what_files_import_is_tested_once(project: Path, plan: Run) -> None:
    (project / "acme.plan").write_text(GOOD, encoding="utf-8")
    for name, alias in (("a", ""), ("b", " as c")):
        (project / f"{name}.plan").write_text(f'import "acme.plan"{alias}\nlet x = 1\n', encoding="utf-8")
    found = document(plan("test", ".", "-o", "json"))
    assert [r["id"] for r in found["results"]] == ["acme.1B", "rule.ACME1.warning.breaks", "rule.ACME1.warning.keeps"]
    assert {r["law"] for r in found["results"]} == {"acme.loss", "rule ACME1 warning"}


def test_a_copy_such_as_a_build_leaves_is_no_second_definition(project: Path, plan: Run) -> None:
    for folder in ("packs", "packs/build/lib"):
        (project / folder).mkdir(parents=True)
        (project / folder / "acme.plan").write_text(GOOD, encoding="utf-8")
    found = document(plan("test", "packs", "-o", "json"))
    assert (len(found["results"]), found["findings"]) == (3, [])


# ---- a wheel, as the document has it


def test_the_wheel_of_the_document(project: Path, plan: Run) -> None:
    """What `docs/packs.md` says of a wheel builds one that is found where it is installed."""
    text = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
    (toml,) = re.findall(r"```toml\n(\[build-system\].*?)```", text, re.DOTALL)
    tree = project / "tree"
    (tree / "acme_pack" / "devices").mkdir(parents=True)
    (tree / "pyproject.toml").write_text(toml, encoding="utf-8")
    law, device = GOOD.split("device x1", 1)
    (tree / "acme_pack" / "laws.plan").write_text(law, encoding="utf-8")
    (tree / "acme_pack" / "devices" / "x1.plan").write_text("device x1" + device, encoding="utf-8")
    wheel = built(tree, project)
    shutil.rmtree(tree)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(project / "site")
    (project / "p.plan").write_text(PLAN, encoding="utf-8")
    assert plan("check", "p.plan")[0] == 0
    assert plan("law", "acme.loss")[0] == 0
