"""The time of a step by its layout: against what was measured, what published runs were laid out as, what holds of any.

What a plan states above the roofline of all layouts is `tests/stdlib/test_rules_rows.py`.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from known import LIBRARY
from reports import laid_out
from scipy.optimize import least_squares
from steps import STAGES, STEPS, Figures, Row, called, mpt, of_step_layout, regime, rows

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.text.reader import Files
from runplan.engine.layout.fit import ALL
from runplan.engine.layout.layout import Layout, Room, layouts, splits
from runplan.engine.layout.memory import memory_of
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution
from runplan.project import Project

DEVICES = {"h100_80gb": "h100-sxm", "a100_80gb": "a100-sxm-80gb", "a100_40gb": "a100-sxm-40gb"}


def priced(
    model: Figures, layout: Layout, kept: dict[Name, float], device: str, gpus: float, precision: str = "bf16"
) -> Figures:
    """All quantities of the time of a step of a dense model."""
    record = LIBRARY.record("device", device)
    assert record is not None
    entries = {name: record.entry(name) for name in ("memory", "bandwidth", "interconnect", "internode")}
    peak = record.entry("peak", precision)
    entries |= {"peak": peak, "ceiling": record.entry("ceiling", precision) or peak}
    device_figures = {name: entry.values[0].value for name, entry in entries.items() if entry is not None}
    tokens = 1e9
    attention = 12 * model["layers"] * model["hidden"] * model["context"] / 2 * tokens
    whole = {
        **{"gpus": gpus, "biases": 0.0, "mlp": 3.0, "embeddings": 2.0, "kv_heads": model["heads"], "tokens": tokens},
        **{"head_dim": model["hidden"] / model["heads"], "active_params": model["params"], **device_figures, **model},
        **{"attention_compute": attention, "model_compute": 6 * model["params"] * tokens + attention},
    }
    known = {quantity(text): float(figure) for text, figure in whole.items()}
    found = memory_of(known, shaped=True, mixture=False, catalogue=LIBRARY).at(layout, kept)
    return {name.text: figure for name, figure in found.items()}


# ---- steps that were measured


@cache
def of_llm_foundry() -> tuple[tuple[Row, Figures, float], ...]:
    """Each measured run with what is told of a step, and the seconds that one took."""
    out = []
    for row, reached in zip(rows("fitted_runs.csv"), rows("throughput.csv"), strict=True):
        assert (row["gpu"], row["gpus"], row["params"]) == (reached["gpu"], reached["gpus"], reached["params"])
        layout = Layout(
            dp=int(row["gpus"]),
            micro_batch=int(row["micro_batch"]),
            accumulate=int(row["accumulate"]),
            recompute=float(row["recompute"] == "True"),
        )
        model = {**mpt(float(row["params"])), "params": float(row["params"]), "context": float(row["context"])}
        kept = regime("llm-foundry", shard=STAGES.get(row["sharding"], 0.0))
        precision = "fp8" if "fp8" in row["precision"] else "bf16"
        found = priced(model, layout, kept, DEVICES[row["gpu"]], float(row["gpus"]), precision)
        took = found["layout_tokens"] / (float(reached["tokens_per_s_gpu"]) * float(row["gpus"]))
        out.append((row, found, took))
    return tuple(out)


def test_no_measured_run_is_faster_than_its_roofline() -> None:
    ratios = [took / found["least_layout_time"] for _, found, took in of_llm_foundry()]
    assert len(ratios) == 216 and min(ratios) > 1
    assert 1.5 < np.median(ratios) < 2


def test_what_is_told_of_a_step_is_as_runs_have_it_in_the_middle() -> None:
    ratios = [took / found["layout_time"] for row, found, took in of_llm_foundry() if "fp8" not in row["precision"]]
    assert np.median(ratios) == pytest.approx(1, abs=0.05)
    large = [took / found["layout_time"] for row, found, took in of_llm_foundry() if float(row["params"]) > 6e9]
    assert np.percentile(large, 10) > 0.85 and np.percentile(large, 75) < 1.2


def test_the_usual_shares_are_those_of_least_squares_over_the_runs() -> None:
    """`usual_product`, `usual_traffic` and `usual_overlap` say that they are."""
    parts = []
    for row, found, took in of_llm_foundry():
        if "fp8" not in row["precision"]:
            times = found["accumulate"]
            product = times * found["least_product_time"]
            traffic = times * found["micro_traffic"] / found["bandwidth"]
            rest = found["update_time"] + times * found["micro_gradients"] / found["bandwidth"]
            parts.append([each / took for each in (product, traffic, found["copying_time"], rest)])
    given = np.array(parts)
    assert len(given) == 209

    def off(x: np.ndarray) -> np.ndarray:
        return np.asarray(given[:, :3] @ x + given[:, 3] - 1)

    product, traffic, exposed = least_squares(off, [1.2, 5, 0.2], loss="soft_l1", f_scale=0.05, bounds=(0, 50)).x
    formulas = {name: found[name] for name in ("usual_product", "usual_traffic", "usual_overlap")}
    assert formulas["usual_product"] == pytest.approx(1 / product, abs=0.01)
    assert formulas["usual_traffic"] == pytest.approx(traffic, rel=0.02)
    assert formulas["usual_overlap"] == pytest.approx(1 - exposed, abs=0.01)


@pytest.mark.parametrize("row", [row for row in STEPS if row["outcome"] == "ran"], ids=called)
def test_no_measured_step_is_faster_than_its_roofline(row: Row) -> None:
    model, layout, kept = of_step_layout(row)
    found = priced({**model, "params": float(row["params"])}, layout, kept, "h100-sxm", 1.0)
    assert float(row["step_ms"]) / 1e3 > found["least_layout_time"]


# ---- layouts of published runs

PUBLISHED = rows("published_layouts.csv")
CUTS = ("tp", "pp", "cp", "ep")


def text_of(row: Row) -> str:
    """A plan of a published run: what it had, and not how it was laid out."""
    shape = "; ".join(
        f"{name}: {row[name]}"
        for name in ("layers", "hidden", "heads", "kv_heads", "ffn", "mlp", "vocab", "tied")
        if row[name]
    )
    model = (
        f"{row['model']} {{ context: {row['context']} }}"
        if row["model"]
        else f"{{ {shape}; context: {row['context']} }}"
    )
    return (
        f"hardware: {row['gpus']} x {row['device']} for up to 9000 days at 20% MFU\n"
        f"model {model}\ntokens: 300B\noptimizer: AdamW {{ batch: {row['sequences']} sequences }}\n"
    )


def solved(text: str) -> Solution:
    report = report_of("a.plan", Files({"a.plan": text}), catalogue=LIBRARY, intervals=False, look=ALL)
    assert report.solutions, report.findings
    return report.solutions[0]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["run"])
def test_the_layout_of_a_published_run_is_among_the_first_five(row: Row) -> None:
    """Or is where the plan names the framework of the run, or is not, where the facts say so: what is known of a run
    does not tell why."""
    named = f"layout: {row['first_five']}\n" if row["first_five"].startswith("in ") else ""
    (told,) = solved(text_of(row) + named).layouts
    first = [tuple(round(choice.figures[name]) for name in CUTS) for choice in told.first]
    assert (tuple(int(row[name]) for name in CUTS) in first) == (row["first_five"] != "no"), first


def test_of_published_runs_three_of_four_are_told_and_four_of_five_where_their_framework_is_named() -> None:
    told = [row["first_five"] for row in PUBLISHED]
    assert told.count("yes") >= 3 / 4 * len(told) and told.count("no") <= len(told) / 5
    assert all(row["source"] and row["evidence"] in ("paper", "secondary", "memory") for row in PUBLISHED)


def as_it_was(row: Row) -> str:
    """A plan of a published run with how it was laid out, and how it passed a step, where that is told."""
    parts = [f"{name} {row[name]}" for name in CUTS]
    parts += [f"micro_batch {row['micro_batch']} sequences"] * bool(row["micro_batch"])
    parts += [f"interleave {row['interleave']}"] * bool(row["interleave"])
    return text_of(row) + f"layout: {', '.join(parts)}\n"


@cache
def measured() -> tuple[tuple[float, float, float], ...]:
    """Of published layouts whose rate was measured: the time of a step over the one that is told, the experts of a
    device, 0 of a dense model, and the share of what is told that they wait for one another; none is below its
    roofline.

    By the tokens a second where they are published, as frameworks count the FLOP of attention and of windows each in
    their own way.
    """
    ratios = []
    for row in PUBLISHED:
        if row["tflops"] or row["tokens_per_s"]:
            solution = solved(as_it_was(row))
            told, least = solution["layout_time"].value, solution["least_layout_time"].value
            if row["tokens_per_s"]:
                rate = int(row["gpus"]) * float(row["tokens_per_s"])
                took = int(row["sequences"]) * int(row["context"]) / rate
            else:
                took = told * solution["layout_rate"].value / (float(row["tflops"]) * 1e12)
            assert took > least, row["run"]
            experts = solution.values.get(quantity("experts"))
            many, waits = 0.0, 0.0
            if experts is not None:
                many = experts.value / int(row["ep"])
                parts = ("accumulate", "slowest_stage", "expert_waits")
                waits = math.prod(solution[part].value for part in parts) * (1 + solution["least_bubble"].value)
            ratios.append((took / told, many, waits / told))
    return tuple(ratios)


def test_of_dense_layouts_with_pipelines_and_parts_of_sequences_the_rate_is_as_measured() -> None:
    dense = [ratio for ratio, experts, _ in measured() if not experts]
    assert len(dense) == 29 and np.median(dense) == pytest.approx(0.95, abs=0.05)
    assert min(dense) > 0.7 and max(dense) < 1.25


def test_of_mixtures_of_experts_the_rate_is_as_measured() -> None:
    ratios = [ratio for ratio, experts, _ in measured() if experts]
    assert len(ratios) == 22 and np.median(ratios) == pytest.approx(1, abs=0.05)
    assert min(ratios) > 0.75 and max(ratios) < 2
    many = [ratio for ratio, experts, _ in measured() if experts >= 16]
    assert len(many) == 10 and np.median(many) == pytest.approx(1, abs=0.1)


def test_what_a_pass_of_an_expert_takes_is_what_is_nearest_to_measured_rates() -> None:
    """`expert_wait` says that it is."""

    def off(times: float) -> float:
        shares = [(ratio, waits) for ratio, experts, waits in measured() if experts]
        return float(np.mean([abs(math.log(ratio / (1 + (times - 1) * waits))) for ratio, waits in shares]))

    assert off(1) < min(off(0.7), off(1.4)) and off(1) < 0.6 * off(0)


# ---- what holds of any plan

PLAN = "hardware: 64 x H100 for up to 90 days at 40% MFU\nmodel: llama-3-8b\ntokens: 160B\n"


def test_the_first_layouts_are_told_with_what_keeps_the_others_from_it() -> None:
    solution = solved(PLAN)
    (told,) = solution.layouts
    assert len(told.first) == 5 and told.fallen and told.tried > 100
    first = told.first[0]
    assert first.time is not None and first.mfu is not None
    assert first.time.low <= first.time.value <= first.time.high
    assert first.mfu.high <= solution["roofline_mfu"].value * (1 + 1e-9) <= 1
    assert solution["layout_time"].value == pytest.approx(first.time.value)
    assert solution["tp"].value == first.figures["tp"]
    assert all(fallen.by > 1 for fallen in told.fallen if fallen.why == "memory")
    assert told.undivided == ()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("tp 4", {"tp": {4}}),
        ("pp 2 .. 4", {"pp": {2, 4}}),
        ("micro_batch 2 sequences, recompute full", {"micro_batch": {2}, "recompute": {1}}),
        ("tp 2, dp ? in megatron", {"tp": {2}}),
        ("accumulate at least 8, pp 2", {"pp": {2}}),
    ],
)
def test_what_a_plan_says_of_its_layout_is_kept_by_all(said: str, kept: dict[str, set[float]]) -> None:
    (told,) = solved(f"{PLAN}layout: {said}\n").layouts
    for choice in told.first:
        for name, figures in kept.items():
            assert choice.figures[name] in figures


@pytest.mark.parametrize(("context", "longest"), [(4096, 1), (8192, 1), (16384, 2), (32768, 4)])
def test_sequences_are_cut_short_in_one_of_them_at_the_most(context: int, longest: int) -> None:
    (told,) = solved(
        f"hardware: 64 x H100 for up to 90 days at 40% MFU\nmodel llama-3-8b {{ context: {context} }}\ntokens: 160B\n"
    ).layouts
    short = [choice.figures["cp"] for choice in told.first if choice.figures["cp"] > longest]
    assert short in ([], [2 * longest]) and (context > 4096 or not short)
    assert told.first[0].figures["cp"] == 1, "as layouts that do not cut them are enough, and as fast"


def test_sequences_are_cut_shorter_where_nothing_else_fits() -> None:
    text = (
        "hardware: { gpus: 8; device: H100; memory: 28 GB; time: up to 900 days; mfu: 40% }\n"
        "model llama-3-8b { context: 8192 }\ntokens: 160B\nlayout: tp 1, pp 1, micro_batch 1 sequence in megatron\n"
    )
    (told,) = solved(text).layouts
    assert {choice.figures["cp"] for choice in told.first} >= {1, 2}


def test_interleaving_that_is_stated_is_taken() -> None:
    once, often = (
        solved(f"{PLAN}layout: tp 1, pp 4, micro_batch 1 sequence, interleave {n}\n")["layout_time"].value
        for n in (1, 4)
    )
    assert often < once


def test_slower_links_and_a_slower_device_take_no_less_time() -> None:
    block = (
        "hardware: {{ gpus: 64; device: H100; time: up to 90 days; mfu: 40%; {} }}\nmodel: llama-3-8b\ntokens: 160B\n"
    )
    layout = "layout: tp 2, pp 2, micro_batch 1 sequence, recompute none in megatron\n"
    times = [
        solved(block.format(said) + layout)["layout_time"].value
        for said in ("internode: 400 Gbit/s", "internode: 50 Gbit/s", "interconnect: 64 GB/s", "bandwidth: 1 TB/s")
    ]
    assert times[0] < min(times[1:])


def test_what_is_not_known_of_links_is_an_interval() -> None:
    text = (
        "hardware: { gpus: 64; time: up to 90 days; peak: 900 TFLOP/s; memory: 80 GB; mfu: 40% }\n"
        "model: llama-3-8b\ntokens: 160B\n"
    )
    time, known = solved(text)["layout_time"], solved(PLAN)["layout_time"]
    assert time.low is not None and time.high is not None and known.low is not None and known.high is not None
    assert time.high / time.low > known.high / known.low


def test_a_check_says_what_a_report_does() -> None:
    project = Project(Files({}))
    for text in (PLAN, "hardware: 1000 x H100 for 6 months at 58% MFU\n", f"{PLAN}require tp <= 2\n"):
        report = project.report("a.plan", text=text)
        assert project.gate("a.plan", text=text).findings == project.judged(report).findings


def test_the_fewest_devices_are_told_where_they_are_asked_for() -> None:
    report = laid_out(f"{PLAN}require fitting_gpus <= gpus\n")
    (solution,) = report.solutions
    assert not [found for found in report.findings if found.severity == "error"]
    assert solution["fitting_gpus"].value in (1, 2, 4, 8)


def test_uneven_pipelines_are_those_of_published_runs() -> None:
    assert splits(126, 16) and splits(61, 16) and splits(105, 35) and not splits(126, 40) and not splits(4, 8)
    room = Room(6144, 4096, 118, 48, 0, math.inf, 2048.0)
    assert any(one.tp == 12 for one in layouts(room, {}))


@pytest.mark.parametrize("size", ["1M", "20M", "125M", "1B"])
def test_a_step_takes_time_whatever_the_table_is_worth(size: str) -> None:
    # Of a small size by itself the table of a usual vocabulary is more than all else there is.
    plan = f"use laws kaplan.joint\nhardware: 64 x H100 for 20 days at 40% MFU\nmodel: {size}\n"
    (found,) = laid_out(plan).solutions
    times = [one.time.value for layouts in found.layouts for one in layouts.first if one.time is not None]
    assert times and min(times) > 0 and found["layout_mfu"].value > 0
