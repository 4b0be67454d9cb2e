"""Names are a type: what a user calls something never becomes a quantity, or a constant of a law."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import Name, Words, constant, let, quantity, written
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.problem import quantities
from runplan.engine.report import Report


def solved(text: str) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)


CAPPED = """use laws chinchilla
let {name} = 100
hardware: 100 x H100 for 30 days at 40% MFU
require tokens / params <= {name} * 1 token / 1 param
"""


@pytest.mark.parametrize("name", ["law.alpha", "chinchilla.epoch.alpha", "phase.decay.mix.data", "alpha", "pool1.cost"])
def test_a_let_is_what_the_user_says(name: str) -> None:
    """A name of a law's constant used to be overwritten by it: 221.7B params in place of 29.8B."""
    plain, named = (solved(CAPPED.format(name=one)).solutions[0] for one in ("cap.alpha", name))
    assert named.get("params") == plain.get("params") == pytest.approx(29.83e9, rel=1e-3)


def test_an_import_under_the_name_of_a_scope(tmp_path: Path) -> None:
    (tmp_path / "ours.plan").write_text("let alpha = 100\n", encoding="utf-8")
    text = 'import "ours.plan" as law\n' + CAPPED.format(name="law.alpha").replace("let law.alpha = 100\n", "")
    (tmp_path / "p.plan").write_text(text, encoding="utf-8")
    report = report_of(str(tmp_path / "p.plan"), Disk(tmp_path), intervals=False)
    assert report.solutions[0].get("params") == pytest.approx(29.83e9, rel=1e-3)


POOLS = "hardware: 4 x H100 for 30 days at 40% MFU + 3 x A100 for 30 days at 40% MFU\ncompute: 1e21 FLOP\n"


def test_a_let_of_a_quantity_of_a_part_is_a_clash_at_both_places() -> None:
    (found,) = solved(f"{POOLS}let pool1.gpus = 100 GPU\nrequire gpus <= pool1.gpus\n").findings
    assert (found.code, found.at.span.text) == ("N005", "pool1.gpus")
    assert [label.span.text.split(" for")[0] for label in found.also] == ["4 x H100"]
    data = "data web: 10T tokens\ndata code: 1T tokens\ncompute: 1e21 FLOP\n"
    (found,) = solved(f"{data}let tokens.web = 1T tokens\n").findings
    assert (found.code, found.at.span.line, found.also[0].span.line) == ("N005", 4, 1)


def test_quantities_of_parts_can_be_required() -> None:
    found = solved(f"{POOLS}require pool2.gpus >= 4\nrequire pool1.gpus <= 4\n").findings
    assert [(f.code, f.at.span.text) for f in found if f.severity == "error"] == [("B002", "pool2.gpus >= 4")]


def test_a_let_of_a_phase_that_the_plan_does_not_name_is_a_let() -> None:
    report = solved("compute: 1e21 FLOP\nlet phase.decay.tokens = 1 token\nrequire tokens >= phase.decay.tokens\n")
    assert [f for f in report.findings if f.severity == "error"] == []


@pytest.mark.parametrize("name", [name for name, value in vars(quantities).items() if isinstance(value, Name)])
def test_what_the_engine_is_about_is_a_quantity(name: str) -> None:
    assert vars(quantities)[name].text in LIBRARY.quantities()


PARTS = st.lists(
    st.tuples(st.sampled_from(["pool", "phase", "source", "stage"]), st.text("ab1", min_size=1)), max_size=2
)


@given(st.text("xyz", min_size=1), st.sampled_from(["quantity", "let", "constant"]), PARTS)
def test_a_name_is_one_object(text: str, kind: str, parts: list[tuple[str, str]]) -> None:
    name = Name(text, kind, tuple(parts))  # type: ignore[arg-type]
    assert Name(text, kind, tuple(parts)) is name  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(name)) is name and copy.deepcopy(name) is name


@given(st.sampled_from(["tokens", "gpus", "share"]), st.text("abc", min_size=1), st.text("123", min_size=1))
def test_what_is_written_is_bound_to_what_it_was(text: str, source: str, pool: str) -> None:
    kinds = {
        "tokens": ("", "source", "phase", "stage"),
        "gpus": ("", "pool", "stage"),
        "share": ("source", "phase", "stage"),
    }
    words = Words(kinds, {"source": [source], "pool": [pool], "phase": [source], "stage": ["pretrain"]})
    names = [
        quantity(text).of(kind, pool if kind == "pool" else source) for kind in kinds[text] if kind not in ("", "stage")
    ]
    names += [quantity(text)] if "" in kinds[text] else []
    names += [Name(name.text, name.kind, (("stage", "pretrain"), *name.scope)) for name in names]
    for name in names:
        assert words.bind(str(name)) is name
    assert set(map(str, (n for n in names if not n.part("stage")))) <= set(words.spellings())


def test_three_spaces_never_meet() -> None:
    names = {quantity("alpha"), let("alpha"), constant("chinchilla", "alpha")}
    assert len(names) == 3
    assert written(names)["alpha"] == let("alpha")
