"""What is exported comes back: any run that a format carries whole is the same plan once it is read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as set_up
from hypothesis import strategies as st
from known import LIBRARY

from runplan.cli.export.formats import FORMATS
from runplan.cli.export.solved import Solved, training_of
from runplan.cli.importing.formats import read
from runplan.cli.importing.imported import Imported
from runplan.cli.importing.plan_text import plan_of
from runplan.cli.importing.tree import tree_of
from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import first_of, plan_at
from runplan.engine.report import Report

HARDWARE = "64 x H100 for 300 days at 40% MFU in nodes of 8"
SHAPES = (
    "llama-3-8b",
    "llama-3.2-1b",
    "tinyllama-1.1b",
    "qwen3-0.6b",
    "olmo-2-7b",
    "smollm2-135m",
    "gemma-2b",
    "gpt-2",
)
SAME = ("params", "context", "tokens", "steps", "batch", "learning_rate", "beta1", "beta2", "weight_decay", "clip",
        "micro_batch")  # fmt: skip


CURVES = ("cosine", "linear", "sqrt")
# What each format can say, of which runs are drawn: shapes, falls, and whether activations are computed again.
FITS = {
    "hf": (SHAPES, CURVES, ("none", "full")), "megatron": (SHAPES, CURVES, ("none", "full")),
    "torchtitan": (SHAPES[:3], CURVES, ("none", "full")), "litgpt": (SHAPES[:-1], CURVES[:1], ("none",)),
    "nanotron": (("llama-3-8b", "llama-3.2-1b", "tinyllama-1.1b"), CURVES, ("none", "full")),
    "olmo-core": (("llama-3-8b", "llama-3.2-1b", "qwen3-0.6b"), CURVES[:2], ("none", "full")),
    "deepspeed": (SHAPES, CURVES[:2], ("none",)),
    "torchtitan-0.2": (("llama-3-8b", "llama-3-70b"), CURVES, ("none", "full")),
}  # fmt: skip


@st.composite
def runs(draw: st.DrawFn, shapes: tuple[str, ...], curves: tuple[str, ...], again: tuple[str, ...]) -> str:
    """Runs of published shapes with a batch, a rate, a schedule and a layout that are stated."""
    micro, accumulate, steps = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(st.integers(1000, 500_000))
    warmup, decay = draw(st.integers(10, steps // 4)), draw(st.integers(100, steps // 2))
    shape, floor = draw(st.sampled_from(curves)), draw(st.sampled_from((0, 1, 10, 25)))
    stable = draw(st.booleans()) and shape != "cosine"
    rate = draw(st.floats(1e-6, 1e-2).map(lambda rate: float(f"{rate:.3g}")))
    settings = f"batch: {micro * accumulate * 64} sequences; learning_rate: {rate}; weight_decay: 0.1; clip: 1.0"
    return f"""\
hardware: {HARDWARE}
model: {draw(st.sampled_from(shapes))} {{ context: {draw(st.sampled_from((512, 1024, 2048)))} tokens }}
tokens: {steps} steps
optimizer: AdamW {{ {settings}; beta1: 0.9; beta2: 0.95 }}
shape falling "Falls" {{ curve "{shape}"; end {floor}% }}
phase warmup: {warmup} steps warmup
{"phase stable: rest constant" if stable else ""}
phase decay: {f"{decay} steps" if stable else "rest"} falling
layout: tp 1, pp 1, cp 1, micro_batch {micro} sequences, recompute {draw(st.sampled_from(again))}
"""


def solved(text: str) -> Report:
    return first_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY)


def back(files: dict[str, str], devices: int) -> str:
    """The plan of the files of a run."""
    found: Imported | None = None
    for name, text in files.items():
        if name != "runplan.json":
            one = read(name, tree_of(name, text), "x")
            found = one if found is None else found.beside(one)
    assert found is not None
    return plan_of(found, HARDWARE, devices)


@pytest.mark.parametrize("to", FITS)
@set_up(max_examples=6, deadline=None)
@given(st.data())
def test_a_run_comes_back_as_it_was(to: str, data: st.DataObject) -> None:
    text = data.draw(runs(*FITS[to]))
    there = solved(text)
    own = plan_at("x.plan", Files({"x.plan": text}), catalogue=LIBRARY).catalogue  # with the plan's own shapes
    assert there.plan is not None and not [one.message for one in there.findings if one.severity == "error"]
    run, _ = training_of(Solved(there, there.plan, there.solutions[0], own))
    written = FORMATS[to].write(run)
    if written.lost or FORMATS[to].unplaced(run):
        return
    beside = FORMATS["hf-config"].write(run).files if to == "deepspeed" else {}  # it knows no model
    again = solved(back({**written.files, **beside}, 64))
    old, new = there.solutions[0].values, again.solutions[0].values
    names = [quantity(name) for name in SAME if to not in ("hf", "deepspeed") or name != "context"]
    phases = [
        quantity(name).of("phase", phase) for name in ("steps", "learning_rate.end") for phase in ("warmup", "decay")
    ]
    for name in (*names, *phases):
        if name in old:
            assert new[name].value == pytest.approx(old[name].value, rel=1e-6), str(name)


@pytest.mark.parametrize("form", ["hf", "megatron"])
@pytest.mark.parametrize("model", ["deepseek-v2", "deepseek-v3", "kimi-k2"])
def test_the_groups_of_experts_come_back(form: str, model: str) -> None:
    """Without them a token would pass experts of any node, or of four of eight, as their reader's defaults have it."""
    report = solved(f"hardware: {HARDWARE}\nmodel: {model}\ntokens: 10B\nlayout: tp 1, recompute none\n")
    assert report.plan is not None
    run, _ = training_of(Solved(report, report.plan, report.solutions[0], LIBRARY))
    again = solved(back(dict(FORMATS[form].write(run).files), 64))
    groups = [report.solutions[0].values.get(quantity(name)) for name in ("expert_groups", "routed_groups")]
    told = [again.solutions[0].values.get(quantity(name)) for name in ("expert_groups", "routed_groups")]
    assert [one and one.value for one in told] == [one and one.value for one in groups]
