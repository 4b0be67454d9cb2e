"""Where a number comes from, as a tree, as JSON and as a Mermaid flowchart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY
from reports import H100, PLANS, solved

from runplan.cli.main import main
from runplan.cli.show.derivation import json as json_format
from runplan.cli.show.derivation import mermaid, terminal
from runplan.cli.show.derivation.content import Derivation, derivation
from runplan.cli.show.derivation.names import public
from runplan.cli.show.text.content import NOTHING
from runplan.cli.show.text.look import Look
from runplan.cli.show.text.width import columns
from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.dsl.expr.values import value
from runplan.dsl.plan.ir import Lowered
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.text.source import Source
from runplan.engine.analysis.tornado import swings
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report


@pytest.fixture(params=PLANS, scope="module")
def derivations(request: pytest.FixtureRequest) -> list[Derivation]:
    """Where each value of a plan comes from, under each of its laws."""
    report = solved(PLANS[request.param])
    return [derivation(solution, name) for solution in report.solutions for name in solution.values]


@pytest.fixture
def h100() -> Report:
    return solved(H100)


def test_the_cost_explained(h100: Report) -> None:
    cost, hours = (_line(h100.solutions[0], name) for name in ("cost", "gpu_hours"))
    assert (
        terminal.tree(derivation(h100.solutions[0], _name(h100.solutions[0], "cost")), Look(80))
        == f"""\
cost = 10.8M USD  [derived]
│   = gpu_hours * price
│   = 4.32M GPU-hours * 2.5 USD/GPU/hour
│   cost of the hardware as paid · stdlib/quantities.plan:{cost}
├── gpu_hours = 4.32M GPU-hours  [derived]
│   │   = gpus * reserved_time
│   │   = 1000 GPU * 6 months
│   │   device hours paid for · stdlib/quantities.plan:{hours}
│   ├── gpus = 1000 GPU  [given]  small.plan:6
│   └── reserved_time = 6 months  [given]  small.plan:6
└── price = 2.5 USD/GPU/hour  [given]  small.plan:6
"""
    )
    found, dash = swings(h100.solutions[0], q.COST), NOTHING
    assert (
        terminal.changes_section(h100.solutions[0], q.COST, found, Look(80))
        == f"""
What would change it: figures 10 % off, or over their range, each solved anew
                 from .. to                cost                1 % more
  gpus           900 {dash} 1100 GPU            9.72M {dash} 11.88M USD  +1 %
  price          2.25 {dash} 2.75 USD/GPU/hour  9.72M {dash} 11.88M USD  +1 %
  reserved_time  162 {dash} 198 days            9.72M {dash} 11.88M USD  +1 %
"""
    )


def test_the_figures_put_in_give_the_value_again(h100: Report) -> None:
    """As the language reads them, which knows the brackets that each operand needs; shown to four digits."""
    texts: dict[str, float] = {}
    for name in h100.solutions[0].values:
        node = derivation(h100.solutions[0], name, 0)
        texts |= {one.substituted: one.value.value for one in node.nodes.values() if one.substituted}
    found = _read(texts)
    wrong = {one.at.span.line for one in found.findings if one.severity == "error"}
    fits = {text: was for i, (text, was) in enumerate(texts.items(), 1) if i not in wrong}
    assert len(fits) > 0.9 * len(texts), "but for what plans cannot say, such as the letters of laws"
    plan = _read(fits).plan
    assert plan is not None
    for (text, was), let in zip(fits.items(), plan.lets.values(), strict=True):
        assert value(let.expr, {}) == pytest.approx(was, rel=0.02), text


def _read(texts: Iterable[str]) -> Lowered:
    """A plan with a `let` for each expression, which a figure of four digits has no commas in."""
    lets = (f"let x{i} = {re.sub('(?<=[0-9]),(?=[0-9]{3})', '', text)}\n" for i, text in enumerate(texts))
    return lower(parse_file(Source("x.plan", "".join(lets) + "compute: 1e21 FLOP\n"))[0], LIBRARY.vocabulary())


def test_under_any_law(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.plan").write_text("compute: 1e22 FLOP\n")
    assert main(["explain", str(tmp_path / "x.plan"), "params", "--law", "llama3", "--depth", "0"]) == 0
    assert capsys.readouterr().out.startswith("params = 8.554B params")
    for refused in (["params", "--law", "lama3"], ["params", "--depth", "deep"]):
        assert main(["explain", str(tmp_path / "x.plan"), *refused]) == 2
    assert "did you mean `llama3`" in capsys.readouterr().err


def test_as_deep_as_is_asked_for(h100: Report) -> None:
    solution = h100.solutions[0]
    for depth, said in ((0, "└── … 2 deeper\n"), (1, "│   └── … 2 deeper\n├")):
        text = terminal.tree(derivation(solution, q.COST, depth), Look(80))
        assert said in text.replace("└── price", "├── price") and text.count("[derived]") == depth + 1
    for depth in range(8):
        found = derivation(solution, q.LOSS, depth)
        assert mermaid.flowchart(found).count(":::") == len(found.nodes)
    assert found.nodes.keys() == derivation(solution, q.LOSS).nodes.keys()


def _name(solution: Solution, text: str) -> Name:
    value = solution.named(text)
    if value is None:
        raise KeyError(text)
    return value.name


def _line(solution: Solution, name: str) -> int:
    span = solution.values[_name(solution, name)].span
    assert span is not None
    return span.line


def test_the_loss_explained(h100: Report) -> None:
    text = terminal.tree(derivation(h100.solutions[0], _name(h100.solutions[0], "loss")), Look(140))
    assert text.startswith("loss = 1.920")
    assert "= E + A / N^alpha + B / D^beta   N is params, D is tokens\n" in text
    assert "= 1.8172 nat/token + 482.01 / (226.5B params)^0.3478 + 2085.43 / (4.529T tokens)^0.3658\n" in text
    assert "├── alpha = 0.3478 ± 0.02  [constant]  stdlib/laws/chinchilla.plan:" in text
    assert "arXiv:2404.10102" in text.split("\n")[3]
    assert "law." not in text


def test_a_loss_over_repeats_is_over_effective_tokens() -> None:
    (solution,) = solved(PLANS["repeats"]).solutions
    text = terminal.tree(derivation(solution, _name(solution, "loss")), Look(140))
    assert "= E + A / N^alpha + B / D^beta   N is params, D is effective_tokens\n" in text


def test_what_is_solved_explained(h100: Report) -> None:
    text = terminal.tree(derivation(h100.solutions[0], _name(h100.solutions[0], "params")), Look(120))
    assert text.replace("\u2013", "to").split("\n")[:4] == [
        "params = 226.5B params  (177B to 226.5B)  [solved]",
        "│   solved: minimize loss, subject to compute, tokens / params >= 20",
        "│     model_compute <= capacity: 6.155e24 FLOP <= 6.155e24 FLOP",
        "│     20 <= tokens / params: 20 <= 4.529T tokens / 226.5B params",
    ]
    text = terminal.tree(derivation(h100.solutions[0], _name(h100.solutions[0], "tokens")), Look(120))
    assert text.replace("\u2013", "to").startswith("tokens = 4.529T tokens  (4.529T to 5.8T)  [solved]")


def test_every_value_is_opened_once(derivations: list[Derivation]) -> None:
    for one in derivations:
        document: Any = json_format.document(one)
        found = [node["name"] for node in document["nodes"]]
        assert len(found) == len(set(found))
        assert {child for node in document["nodes"] for child in node["inputs"]} <= set(found)
        json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("width", [40, 100])
def test_no_line_of_a_tree_is_longer_than_the_width(derivations: list[Derivation], width: int) -> None:
    for one in derivations:
        text = terminal.tree(one, Look(width))
        assert max(map(columns, text.split("\n"))) <= width
        assert "max_epochs." not in text and "available." not in text and "law." not in text


def test_a_deep_tree_stays_on_the_page(h100: Report) -> None:
    solution = h100.solutions[0]
    values, definitions = dict(solution.values), dict(solution.problem.definitions)
    base = values[q.COST]
    last = q.COST
    for i in range(2000):
        own, expr = quantity(f"x{i}"), Op("+", (Ref(last), Num(1.0, base.dim)))
        definitions[own] = Definition(own, base.dim, expr, "derived")
        values[own] = replace(base, name=own, of=f"{last} + 1 USD", inputs=(last,), span=None)
        last = own
    deep = replace(solution, values=values, problem=replace(solution.problem, definitions=definitions))
    text = terminal.tree(derivation(deep, last), Look(80))
    assert max(map(len, text.split("\n"))) <= 80
    assert text.count("cost = 10.8M USD") == 1


def test_a_let_has_the_unit_of_its_expression(h100: Report) -> None:
    solution = h100.solutions[0]
    assert (
        terminal.tree(derivation(solution, _name(solution, "budget")), Look(80))
        == "budget = 30M USD  [given]  small.plan:4\n"
    )
    assert {"budget", "cost", "tokens.web"} <= set(public(solution))
    assert {"capacity", "law.A", "available.web"}.isdisjoint(public(solution))


def test_explain_json_of_the_cost(h100: Report) -> None:
    document: Any = json_format.document(derivation(h100.solutions[0], _name(h100.solutions[0], "cost")))
    assert [node["name"] for node in document["nodes"]] == ["cost", "gpu_hours", "gpus", "reserved_time", "price"]
    cost, *_, price = document["nodes"]
    assert cost["value"] == 10.8e6 and cost["unit"] == "USD" and cost["inputs"] == ["gpu_hours", "price"]
    assert cost["substituted"] == "4.32M GPU-hours * 2.5 USD/GPU/hour"
    assert price["kind"] == "given" and price["file"] == "small.plan" and price["line"] == 6


def test_mermaid(h100: Report) -> None:
    solution = h100.solutions[0]
    lines = mermaid.flowchart(derivation(solution, _name(solution, "cost"))).split("\n")
    at = {name: f"#183; stdlib/quantities.plan:{_line(solution, name)}" for name in ("cost", "gpu_hours")}
    assert lines[:7] == [
        "flowchart TD",
        f'    n0["cost = 10.8M USD<br>gpu_hours * price<br>cost of the hardware as paid {at["cost"]}"]:::derived',
        '    n1["gpu_hours = 4.32M GPU-hours<br>gpus * reserved_time<br>'
        f'device hours paid for {at["gpu_hours"]}"]:::derived',
        '    n2["gpus = 1000 GPU<br>small.plan:6"]:::given',
        '    n3["reserved_time = 6 months<br>small.plan:6"]:::given',
        '    n4["price = 2.5 USD/GPU/hour<br>small.plan:6"]:::given',
        "    n1 --> n0",
    ]
    assert "chinchilla.epoch: arXiv:2404.10102" in mermaid.flowchart(derivation(solution, _name(solution, "loss")))
    assert mermaid._escaped('a"b<c>#`d`') == "a#34;b#60;c#62;#35;#96;d#96;"


def test_a_name_that_is_no_value_is_a_key_error(h100: Report) -> None:
    with pytest.raises(KeyError):
        derivation(h100.solutions[0], quantity("nothing"))
