"""A backtest: each run is planned by the engine without its own family, and nothing is passed over."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.text.reader import Files
from runplan.engine.backtest.backtest import COLUMNS, Backtest, Column, Trial, Tried, backtest
from runplan.engine.backtest.plan import plan_of
from runplan.engine.backtest.scores import Score, scores
from runplan.engine.documents.backtest import document
from runplan.engine.pipeline import report_of
from runplan.engine.runs.record import Run, runs_of

RUNS = {run.name: run for run in runs_of(LIBRARY)}
HOURS, OWN_RATE, BATCH, LEARNING_RATE, LOSS = COLUMNS
# Of each kind: dense, a mixture in fp8, without hours, without tokens, without a device, a protein, set aside.
KINDS = (
    "llama-2-7b deepseek-v3 gpt-3-125m gpt-oss-120b chinchilla-70b esm-2-650m phi-2 palm-540b cerebras-gpt-13b".split()
)


def with_runs(text: str) -> Library:
    return LIBRARY.with_files(pack_files(Files({"packs/a.plan": text}), "packs", "packs", "pack"))


def own(library: Library) -> list[Run]:
    return [run for run in runs_of(library) if run.own]


@cache
def found() -> Backtest:
    return backtest([RUNS[name] for name in KINDS], LIBRARY)


def tried(name: str) -> Tried:
    return next(one for one in found().tried if one.run.name == name)


RUN = """run ours{n} "Ours" {{
  family "{family}"
  params 7B
  tokens 1T
  device "H100"
  gpu_hours {hours} GPU-hours
  batch 4M tokens
  learning_rate 3e-4
}}
"""


# ---- how a run is planned


@pytest.mark.parametrize("name", KINDS)
def test_a_prediction_is_what_the_engine_says_of_the_plan(name: str) -> None:
    run = RUNS[name]
    family = [other.name for other in RUNS.values() if other.family == run.family]
    trial = tried(name).trial("gpu_hours")
    if trial.why:
        return
    report = report_of("a.plan", Files({"a.plan": plan_of(run)}), catalogue=LIBRARY.without("run", family))
    value = report.solutions[0]["gpu_hours"]
    assert (trial.predicted, trial.low, trial.high) == (value.value, value.low, value.high)


@pytest.mark.parametrize("run", [run for run in RUNS.values() if run.params and run.tokens], ids=lambda run: run.name)
def test_every_run_of_the_library_is_a_plan_without_an_error(run: Run) -> None:
    for at_its_rate in (False, True):
        text = plan_of(run, at_its_rate=at_its_rate)
        report = report_of("a.plan", Files({"a.plan": text}), catalogue=LIBRARY, intervals=False)
        errors = {finding.code for finding in report.findings if finding.severity == "error"}
        assert report.plan is not None and report.solutions[0].status == "solved" and errors == set(), text


def test_the_rate_that_a_run_states_is_the_one_it_is_planned_with() -> None:
    """6 x 34.2B x 1T at 96.9 TFLOP/s."""
    library = with_runs(
        'run ours "Ours" { params 34.2B; tokens 1T; device "MI250X"; precision "bf16"; rate 96.9 TFLOP/s;'
        " gpu_hours 600k GPU-hours }"
    )
    (run,) = backtest(own(library), library).tried
    trial = run.trial("gpu_hours_at_its_rate")
    assert trial.predicted == pytest.approx(6 * 34.2e9 * 1e12 / 96.9e12, rel=1e-6)
    assert trial.ratio == pytest.approx(6 * 34.2e9 * 1e12 / 96.9e12 / 3600 / 600e3, rel=1e-6)
    assert trial.by == "rate"


def test_a_speed_in_tokens_is_the_hours() -> None:
    """1.4T tokens at 380 tokens/s/GPU, as LLaMA 65B states it, against the hours of its paper."""
    (run,) = backtest([RUNS["llama-65b"]], LIBRARY).tried
    trial = run.trial("gpu_hours_at_its_rate")
    assert trial.predicted == pytest.approx(1.4e12 / 380, rel=1e-6)
    assert trial.ratio == pytest.approx(1.4e12 / 380 / 3600 / 1022362, rel=1e-6)


# ---- no run is judged by itself


def test_what_its_own_family_reached_is_not_known_to_a_run() -> None:
    alone = with_runs(RUN.format(n=1, family="ours", hours="100k"))
    among = with_runs("".join(RUN.format(n=n, family="ours", hours="900k") for n in range(1, 9)))
    first, second = (backtest(own(library)[:1], library).tried[0] for library in (alone, among))
    for column in COLUMNS:
        one, other = (replace(run.trial(column.key), reported=None) for run in (first, second))
        assert one == other


def test_a_library_without_a_definition_does_not_know_it() -> None:
    library = with_runs(RUN.format(n=1, family="ours", hours="100k"))
    assert {run.name for run in runs_of(library)} - {
        run.name for run in runs_of(library.without("run", ["OURS1"]))
    } == {"ours1"}
    assert library.without("device", ["h100-sxm"]).record("device", "H100") is None


# ---- nothing is passed over


@pytest.mark.parametrize("name", KINDS)
def test_each_column_has_a_ratio_or_a_reason(name: str) -> None:
    one = tried(name)
    assert [trial.column for trial in one.trials] == list(COLUMNS)
    for trial in one.trials:
        assert bool(trial.why) == (trial.ratio is None)


@pytest.mark.parametrize(
    ("name", "column", "why"),
    [
        ("gpt-3-125m", "gpu_hours", "no GPU-hours in its record"),
        ("gpt-oss-120b", "gpu_hours", "no tokens in its record"),
        ("chinchilla-70b", "gpu_hours", "no GPU-hours in its record"),
        ("llama-2-7b", "gpu_hours_at_its_rate", "it states no rate of its own"),
        ("llama-2-7b", "loss", "no loss in its record"),
        ("palm-540b", "learning_rate", "Adafactor's, and laws are of AdamW's"),
    ],
)
def test_why_a_column_is_not_judged(name: str, column: str, why: str) -> None:
    assert tried(name).trial(column).why == why


def test_a_run_on_no_device_is_judged_by_its_settings() -> None:
    library = with_runs('run ours "Ours" { params 7B; tokens 1T; batch 4M tokens; gpu_hours 90k GPU-hours }')
    (run,) = backtest(own(library), library).tried
    assert run.trial("gpu_hours").why == "no device in its record"
    assert run.trial("batch").ratio


# ---- other laws


def test_other_laws_are_held_to_the_same() -> None:
    """Step Law and DeepSeek's for the settings, Kaplan's for the loss, each where it gives something."""
    laws = ("deepseek", "steplaw", "kaplan.joint")
    (run,) = backtest([RUNS["cerebras-gpt-13b"]], LIBRARY, laws).tried
    assert [(other.column.key, other.by) for other in run.others] == [
        ("batch", "deepseek"),
        ("learning_rate", "deepseek"),
        ("batch", "steplaw"),
        ("learning_rate", "steplaw"),
        ("loss", "kaplan.joint"),
    ]
    batch = next(other for other in run.others if (other.column, other.by) == (BATCH, "steplaw"))
    assert batch.predicted == pytest.approx(0.58 * 257.1e9**0.571, rel=1e-3)
    assert {
        (s.group, s.name) for s in scores(Backtest((run,), Quantities())) if s.column == LOSS and s.group == "law"
    } == {
        ("law", "chinchilla.epoch"),
        ("law", "kaplan.joint"),
    }


def test_a_law_that_says_less_than_nothing_is_not_scored() -> None:
    """Kaplan's learning rate falls below zero at 1.2e10 params."""
    (run,) = backtest([RUNS["gpt-3-175b"]], LIBRARY, ("kaplan.learning_rate",)).tried
    (other,) = run.others
    assert other.ratio is None and other.why.startswith("it gives -")


# ---- scores


def trial(ratio: float, column: Column = HOURS, inside: bool | None = None) -> Trial:
    """A trial of a reported 1 with an interval that holds it, or not, or none."""
    ends = {None: (None, None), True: (0.5, 2.0), False: (2.0, 3.0)}[inside]
    return Trial(column, 1.0, ratio, *ends)


def card(ratios: list[float], inside: bool | None = None) -> list[Score]:
    run = RUNS["llama-2-7b"]
    return list(
        scores(
            Backtest(
                tuple(
                    Tried(run, (trial(r, inside=inside), *(Trial(c, None, why="-") for c in COLUMNS[1:])))
                    for r in ratios
                ),
                Quantities(),
            )
        )
    )


def test_a_score() -> None:
    whole = card([0.4, 0.5, 1.0, 2.0, 2.1], inside=True)[0]
    assert (whole.group, whole.name, whole.count, whole.median, whole.within) == ("all", "all", 5, 1.0, 0.6)
    assert (whole.low, whole.high) == pytest.approx((0.4, 2.1))
    assert (whole.covered, whole.intervals) == (1.0, 5)
    assert card([1.0], inside=False)[0].covered == 0.0
    assert card([1.0])[0].covered is None


def test_the_groups_of_a_run() -> None:
    assert [(s.group, s.name) for s in card([1.0])] == [
        ("all", "all"),
        ("device", "a100-sxm-80gb"),
        ("size", "1B to 10B"),
        ("kind", "dense"),
    ]


def test_a_run_that_is_set_aside_is_judged_and_not_scored() -> None:
    one = backtest([RUNS["phi-2"]], LIBRARY)
    assert one.tried[0].trial("gpu_hours").ratio and one.tried[0].aside
    assert scores(one) == ()


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=30))
def test_a_score_lies_among_its_ratios(ratios: list[float]) -> None:
    for score in card(ratios):
        assert min(ratios) <= score.low <= score.median <= score.high <= max(ratios)
        assert score.within == sum(abs(math.log2(r)) <= 1 for r in ratios) / len(ratios)


# ---- the document


def test_the_document() -> None:
    told = document(found())
    assert told["schema"] == "plan.backtest/v1"
    runs = {run["name"]: run for run in told["runs"]}  # type: ignore[attr-defined]
    assert list(runs) == KINDS
    columns = runs["llama-2-7b"]["columns"]
    assert columns["gpu_hours"]["reported"] == {"value": 184320.0, "unit": "GPU*hour"}
    assert columns["gpu_hours"]["predicted"]["unit"] == "GPU*hour"
    assert columns["batch"]["reported"] == {"value": 4e6, "unit": "token"}
    assert columns["loss"] == {"why": "no loss in its record"}
    assert runs["deepseek-v3"]["mixture"] and runs["deepseek-v3"]["active"] == {"value": 37e9, "unit": "param"}
    assert runs["deepseek-v3"]["precision"] == "fp8" and "aside" in runs["phi-2"]
    assert {score["column"] for score in told["scores"]} == {c.key for c in COLUMNS}  # type: ignore[attr-defined]
