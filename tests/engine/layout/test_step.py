"""The memory of a step against what was measured, what a framework estimates, and what a paper prints."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import laid_out
from steps import STAGES, STEPS, Figures, Row, called, mpt, needed, of_step_layout, regime, rows

from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.layout.layout import Layout
from runplan.engine.layout.memory import LEAST, MOST, USABLE, memory_of
from runplan.engine.pipeline import report_of
from runplan.engine.problem import quantities as q

MIB = 2.0**20


# ---- steps that were measured

EAGER = [row for row in STEPS if row["compile"] == "False" and row["outcome"] == "ran"]


def of_step(row: Row) -> Figures:
    return needed(*of_step_layout(row))


@pytest.mark.parametrize("row", EAGER, ids=called)
def test_a_measured_step_has_the_memory_that_is_told(row: Row) -> None:
    found = of_step(row)
    assert found["rank_params"] == float(row["params"])
    assert found["memory_static"] == pytest.approx(float(row["static_bytes"]), rel=1e-4)
    assert found["memory_per_gpu"] == pytest.approx(float(row["peak_allocated"]), rel=1e-5)
    assert found["least_memory"] <= float(row["peak_reserved"]) <= found["most_memory"]


@pytest.mark.parametrize("row", STEPS, ids=called)
def test_a_step_of_one_device_is_the_micro_batch_that_its_plan_states(row: Row) -> None:
    """A law's batch, which nobody stated, would have gradients kept from one micro-batch to the next."""
    shape = "; ".join(f"{name}: {row[name]}" for name in ("layers", "hidden", "heads", "kv_heads", "ffn", "vocab"))
    how = "compiled" if row["compile"] == "True" else "eager"
    kept = f"{how}_{'autocast' if row['precision'] == 'autocast' else 'bf16'}"
    text = f"""
hardware: 1 x H100 for ? at 30% MFU
model: {{ {shape}; context: {row["seq"]} tokens; tied: {row["tied"].lower()} }}
tokens: 1B
layout: micro_batch {row["micro_batch"]} sequences, recompute {row["recompute"]} in {kept}
"""
    solution = report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False).solutions[0]
    figures, layout, regime = of_step_layout(row)
    wanted = needed(figures, layout, regime)["allocated_memory"]
    assert solution["allocated_memory"].value == pytest.approx(wanted, rel=1e-9)


def test_a_compiled_step_lies_between_the_least_and_the_most() -> None:
    (row,) = (row for row in STEPS if row["compile"] == "True")
    found = of_step(row)
    assert found["memory_per_gpu"] == pytest.approx(float(row["peak_allocated"]), rel=0.1)
    assert found["least_memory"] <= float(row["peak_allocated"]) <= found["most_memory"]


def test_a_step_that_ran_fits_and_one_that_ran_out_of_memory_does_not() -> None:
    for row in STEPS:
        found = of_step(row)
        ran = row["outcome"] == "ran"
        assert (found["least_memory"] <= found["usable_memory"]) == ran, called(row)


# ---- a framework's own estimate

SHAPES: dict[str, Figures] = {
    "llama3-8b": {"layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "ffn": 14336, "vocab": 128256},
    "llama3-70b": {"layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8, "ffn": 28672, "vocab": 128256},
    "llama3-405b": {"layers": 126, "hidden": 16384, "heads": 128, "kv_heads": 8, "ffn": 53248, "vocab": 128256},
    "gpt3-175b": {
        **{"layers": 96, "hidden": 12288, "heads": 96, "ffn": 49152, "vocab": 51200},
        **{"mlp": 2, "embeddings": 1, "norm_biases": 1},
    },
}


@pytest.mark.parametrize("row", rows("megatron_memory.csv"), ids=lambda row: "-".join(row.values()))
def test_weights_gradients_and_states_are_as_megatron_counts_them(row: Row) -> None:
    tp, pp, devices = int(row["tp"]), int(row["pp"]), int(row["devices"])
    layout = Layout(tp, pp, dp=devices // (tp * pp), micro_batch=int(row["micro_batch"]))
    kept = regime("megatron", shard=1.0 if row["distributed_optimizer"] == "True" else 0.0)
    found = needed({**SHAPES[row["model"]], "context": float(row["context"])}, layout, kept)
    states = found["memory_weights"] + found["memory_gradients"] + found["memory_optimizer"]
    assert states / MIB == pytest.approx(float(row["weights_and_optimizer_mib"]), rel=1e-5)


@pytest.mark.parametrize(("shard", "billions"), [(0, 120.0), (1, 31.40625), (2, 16.640625), (3, 1.875)])
def test_states_are_those_of_the_table_of_zero(shard: int, billions: float) -> None:
    """arXiv:1910.02054, figure 1: 7.5B params on 64 devices, 2 + 2 + 12 byte a param."""
    kept = regime("deepspeed", shard=float(shard))
    memory = memory_of({quantity("rank_params"): 7.5e9}, shaped=True, mixture=False, catalogue=LIBRARY)
    found = {**kept, **Layout(dp=64).figures, **memory.known}
    parts = ("memory_weights", "memory_gradients", "memory_optimizer")
    for step in memory.steps:
        if step.name.text in ("shards", "gradient_rate", "keeps_gathered", *parts):
            found[step.name] = float(step.of(found))
    states = sum(found[quantity(part)] for part in parts)
    assert states == pytest.approx(billions * 1e9, rel=1e-12)


# ---- runs of which it is known that they fitted

CAPACITY = {"h100_80gb": 81_559, "a100_80gb": 81_920, "a100_40gb": 40_960}


def test_no_run_that_fitted_is_told_not_to() -> None:
    fits = 0
    for row in rows("fitted_runs.csv"):
        layout = Layout(
            dp=int(row["gpus"]),
            micro_batch=int(row["micro_batch"]),
            accumulate=int(row["accumulate"]),
            recompute=row["recompute"] == "True",
        )
        model = {**mpt(float(row["params"])), "context": float(row["context"])}
        found = needed(model, layout, regime("llm-foundry", shard=STAGES.get(row["sharding"], 0.0)))
        usable = CAPACITY[row["gpu"]] * MIB - 2 * 1024 * MIB
        assert found["least_memory"] <= usable, row
        fits += found["most_memory"] <= usable
    assert fits > 150  # of 216: that it is tight is no answer to most


# ---- what holds of any model

shapes = st.builds(
    lambda layers, heads, width, ffn, vocab, context: {
        **{"layers": layers, "hidden": heads * width, "heads": heads, "ffn": ffn, "vocab": vocab, "context": context}
    },
    st.integers(1, 64),
    st.sampled_from([4, 8, 16]),
    st.sampled_from([64, 128]),
    st.integers(256, 16384),
    st.integers(256, 200_000),
    st.integers(128, 32_768),
)
regimes = st.sampled_from([record.name for record in LIBRARY.records("regime")])


@settings(max_examples=60, deadline=None)
@given(shapes, regimes, st.integers(1, 8), st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4]), st.integers(1, 16))
def test_more_of_anything_takes_no_less_and_more_devices_no_more(
    model: Figures, name: str, micro_batch: int, tp: int, pp: int, dp: int
) -> None:
    kept = regime(name)

    def least(layout: Layout, **other: float) -> float:
        found = needed({**model, **other}, layout, kept)
        assert 0 < found["least_memory"] <= found["memory_per_gpu"] <= found["most_memory"]
        return found["least_memory"]

    one = Layout(tp, pp, dp=dp, micro_batch=micro_batch)
    here, nearly = least(one), 1 + 1e-12
    assert least(Layout(tp, pp, dp=dp, micro_batch=micro_batch + 1)) >= here
    assert least(one, layers=model["layers"] + pp) >= here
    assert least(one, vocab=2 * model["vocab"]) >= here
    assert least(one, context=2 * model["context"]) >= here
    assert least(Layout(tp, pp, dp=2 * dp, micro_batch=micro_batch)) <= here * nearly
    assert least(Layout(2 * tp, pp, dp=dp, micro_batch=micro_batch)) <= here * nearly
    assert least(Layout(tp, pp, dp=dp, micro_batch=micro_batch, recompute=True)) <= here * nearly


def test_what_is_left_is_that_of_the_device() -> None:
    found = needed({**SHAPES["llama3-8b"], "context": 2048.0}, Layout(), regime("eager"))
    assert found[USABLE.text] == 80 * 2**30 - 2**30
    assert found[LEAST.text] <= found[q.MEMORY_PER_GPU.text] <= found[MOST.text]


def test_what_a_plan_says_of_its_layout_is_given_and_the_rest_is_found() -> None:
    text = "hardware: 8 x H100 for up to 60 days at 40% MFU\nmodel: llama-3-8b\ntokens: 160B\n"
    (solution,) = laid_out(text + "layout: tp 2, dp ?, micro_batch 2 sequences in megatron\n").solutions
    found = {name: (solution[name].value, solution[name].kind) for name in ("tp", "micro_batch", "dp", "pp")}
    assert found == {"tp": (2, "given"), "micro_batch": (2, "given"), "dp": (4, "derived"), "pp": (1, "derived")}
    memory = solution["memory_per_gpu"]
    assert memory.low is not None and memory.high is not None and memory.low <= memory.value <= memory.high


@pytest.mark.parametrize("named", [" in megatron", ""])
def test_what_a_plan_says_of_a_framework_is_taken_before_its_record(named: str) -> None:
    text = "hardware: 8 x H100 for up to 60 days at 40% MFU\nmodel: llama-3-8b\ntokens: 160B\n"
    (solution,) = laid_out(f"{text}layout: optimizer_bytes 2 byte/param, shard 2, dp 8{named}\n").solutions
    assert (solution["optimizer_bytes"].value, solution["optimizer_bytes"].kind) == (2, "given")
    assert (solution["shard"].value, solution["shard"].kind) == (2, "given")
    kept = solution["master_bytes"].value + 2
    assert solution["memory_optimizer"].value == pytest.approx(8030261248 * kept / 8, rel=1e-12)


def test_what_is_required_of_the_memory_of_a_run_that_cannot_be_has_no_finding_of_its_own() -> None:
    report = laid_out(
        "hardware: 8 x H100 for 1 day at 40% MFU\nmodel: 70B\ntokens: 2T\nrequire memory_per_gpu <= 70 GB\n"
    )
    assert {found.code for found in report.findings if found.severity == "error"} == {"C003"}
