"""Phases last what the plan says, whether that is a share, tokens, steps, passes over the data, or the rest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import under

from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

RUN = "model: 3B\noptimizer: AdamW { batch: 4M tokens; learning_rate: 4e-4 }\n"


def solution_of(text: str) -> Solution:
    """The one solution of a plan of which the givens are no contradiction."""
    (solution,) = report_of(text).solutions
    assert solution.status == "solved"
    return solution


def report_of(text: str) -> Report:
    return under(RUN + text, "chinchilla")


def of_phases(solution: Solution, what: str) -> list[float]:
    values = {str(name): value.value for name, value in solution.values.items()}
    return [values[f"phase.{phase}.{what}"] for phase in solution.problem.phases]


def test_a_warm_up_in_steps_and_a_rest() -> None:
    text = "tokens: 100B\nphase warmup: 2000 steps warmup\nphase stable: rest constant\nphase decay: 10% linear\n"
    solution = solution_of(text)
    assert of_phases(solution, "tokens") == pytest.approx([8e9, 82e9, 10e9])
    assert of_phases(solution, "steps") == pytest.approx([2000, 20500, 2500])
    assert of_phases(solution, "share") == pytest.approx([0.08, 0.82, 0.1])
    assert of_phases(solution_of(text.replace("rest", "?")), "steps") == pytest.approx([2000, 20500, 2500])


def test_a_phase_in_passes_over_the_data() -> None:
    """Half a pass over 100B, 3,000 steps and a tenth: 62B tokens are nine tenths of the run."""
    text = "data: 100B tokens\nphase a: 3000 steps warmup\nphase b: 0.5 epochs constant\nphase c: 10% linear\n"
    solution = solution_of(text)
    assert of_phases(solution, "tokens") == pytest.approx([12e9, 50e9, 62e9 / 9])


def test_steps_that_do_not_make_up_the_run_contradict_it() -> None:
    """2,000 steps of a million tokens and 99 % of 3T are no 3T."""
    text = "tokens: 3T\nphase warmup: 2000 steps warmup\nphase decay: 99% cosine\n"
    report = report_of(text)
    (solution,) = report.solutions
    assert solution.status == "infeasible"
    assert of_phases(solution, "steps")[0] == pytest.approx(2000)
    (found,) = [f for f in report.findings if f.severity == "error"]
    assert found.code == "C003" and "phase decay: rest cosine" in found.help[0]
    assert solution_of(text.replace("99%", "rest")).status == "solved"


def test_more_steps_than_the_run_has_leave_no_rest() -> None:
    text = "tokens: 10B\nphase warmup: 3000 steps warmup\nphase stable: rest constant\n"
    assert [f.code for f in report_of(text).findings if f.severity == "error"] == ["C003"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("phase a: rest warmup\nphase b: rest linear\n", "N005", "`rest` is given twice"),
        ("phase a: 40% warmup\nphase b: 60% linear\nphase c: rest linear\n", "U004", "leave nothing for the rest"),
        ("phase a: 40% warmup\nphase b: 60% linear\nphase c: 2000 steps linear\n", "U004", "no room for the others"),
        ("phase a: 40% warmup\nphase b: 50% linear\n", "U004", "less than 100 %"),
        ("phase a: 3 days warmup\nphase b: rest linear\n", "U001", "in seconds"),
        ("phase a: 2 nodes warmup\nphase b: rest linear\n", "U001", "in nodes"),
        ("phase a: 0 steps warmup\nphase b: rest linear\n", "U004", "more than zero"),
        ("phase a: 0.5 epochs warmup\nphase b: rest linear\n", "C004", "how many an epoch has"),
    ],
)
def test_what_is_no_length(text: str, code: str, said: str) -> None:
    (found,) = [f for f in report_of(f"tokens: 100B\n{text}").findings if f.severity == "error"]
    assert (found.code, said in found.message) == (code, True), found.message


def test_steps_need_a_batch() -> None:
    # Of fine-tunes of protein models no run is known that would tell one.
    run = "start: checkpoint\nobjective: MLM of protein\nmodel: 85M\ntokens: 10B\n"
    text = f"{run}phase a: 100 steps warmup\nphase b: rest linear\n"
    (found,) = [f for f in under(text, "plm").findings if f.code == "C004"]
    assert found.help == ("add the batch: `optimizer: AdamW { batch: 4M tokens }`",)
    assert not [f for f in under(text + found.help[0].split("`")[1], "plm").findings if f.severity == "error"]


# ---- a batch that is raised

RAMP = """schedule ramp {{
  phase warmup: {warmup} warmup
  phase stable: rest constant
  phase decay: {decay} linear
  batch {batch}
  cites "ours"
}}
tokens: 100B
schedule: ramp
"""


@pytest.mark.parametrize(
    ("batch", "steps"),
    [
        ("25% until 2%, 50% until 4%, 100%", 2000 + 1000 + 24_000),
        ("25% until 2B tokens, 50% until 4B tokens, 100%", 2000 + 1000 + 24_000),
        ("25% until 2000 steps, 50% until 3000 steps, 100%", 2000 + 1000 + 24_000),
        ("50% until 200B tokens, 100%", 50_000),
    ],
)
@pytest.mark.parametrize("warmup", ["1%", "1B tokens", "500 steps"])
@pytest.mark.parametrize("decay", ["20%", "20B tokens", "5000 steps"])
def test_a_batch_is_raised_by_shares_tokens_or_steps(batch: str, steps: float, warmup: str, decay: str) -> None:
    """The same ramp and the same phases, said in any unit, have the same steps, phase by phase."""
    solution = solution_of(RAMP.format(batch=batch, warmup=warmup, decay=decay))
    assert solution["steps"].value == pytest.approx(steps)
    own = of_phases(solution, "steps")
    assert sum(own) == pytest.approx(steps) and sum(of_phases(solution, "tokens")) == pytest.approx(100e9)
    for length, got in ((warmup, own[0]), (decay, own[2])):
        if length.endswith("steps"):
            assert got == pytest.approx(float(length.split()[0]))
    if "until 200B" not in batch:
        assert of_phases(solution, "batch.start")[0] == pytest.approx(1e6)
        assert of_phases(solution, "batch.end")[2] == pytest.approx(4e6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 9_000), min_size=1, max_size=3),
    st.integers(1, 4_000),
    st.integers(1, 4_000),
)
def test_steps_are_steps_under_any_ramp(ends: list[int], warmup: int, decay: int) -> None:
    """Phases in steps have those steps, whatever the batch is on the way."""
    stretches = [f"{100 * (i + 1) // (len(ends) + 1)}% until {sum(ends[: i + 1])} steps" for i in range(len(ends))]
    batch = ", ".join([*stretches, "100%"])
    solution = solution_of(RAMP.format(batch=batch, warmup=f"{warmup} steps", decay=f"{decay} steps"))
    own = of_phases(solution, "steps")
    assert [own[0], own[2]] == pytest.approx([warmup, decay], rel=1e-9)
    assert sum(own) == pytest.approx(solution["steps"].value, rel=1e-9)


@pytest.mark.parametrize(
    "batch",
    ["25% until 2B tokens, 50% until 4%, 100%", "25% until 4B tokens, 50% until 2B tokens, 100%", "50% until 2B token"],
)
def test_a_ramp_goes_on_in_one_unit_to_the_end(batch: str) -> None:
    text = RAMP.format(batch=batch, warmup="1%", decay="10%")
    assert [f.code for f in report_of(text).findings if f.severity == "error"] == ["P001"]


def test_published_steps_of_ramps() -> None:
    """A quarter of the batch for 250B tokens and half of it up to 500B, of 1T: 158,946 steps of 3,072 x 4,096."""
    text = """schedule ramp "by tokens" {
  phase warmup: 1% warmup
  phase stable: 89% constant
  phase decay: 10% linear
  batch 25% until 250B tokens, 50% until 500B tokens, 100%
  cites "ours"
}
model: 1.5B
tokens: 1T
schedule: ramp
optimizer: AdamW { batch: 3072 * 4096 tokens }
"""
    (solution,) = under(text, "chinchilla").solutions
    assert solution["steps"].value == pytest.approx(158945.71940104166)


# ---- the run itself


@pytest.mark.parametrize(
    "batch",
    [
        "25% until 2%, 50% until 4%, 100%",
        "25% until 2B tokens, 50% until 4B tokens, 100%",
        "25% until 2000 steps, 50% until 3000 steps, 100%",
    ],
)
@pytest.mark.parametrize("length", ["27000 steps", "27k steps", "25000 .. 27000 steps"])
def test_a_run_in_steps_is_as_long_as_its_batches_are(batch: str, length: str) -> None:
    """27,000 steps under the ramp are 100B tokens, as 100B tokens are 27,000 steps."""
    text = RAMP.format(batch=batch, warmup="1000 steps", decay="5000 steps").replace(
        "tokens: 100B", f"tokens: {length}"
    )
    solution = solution_of(text)
    assert solution["tokens"].value == pytest.approx(100e9) and solution["steps"].value == pytest.approx(27_000)
    assert of_phases(solution, "steps") == pytest.approx([1000, 21_000, 5000])


def test_a_published_run_in_steps() -> None:
    """63,900 steps of 1,024 sequences of 2,048 tokens: 134.0B tokens."""
    text = """hardware: 440 x A100 for 9.5 days at 40% MFU @ 2 USD/GPU/hour
model { params: 6.65B; context: 2048 tokens }
tokens: 63900 steps
optimizer: AdamW { batch: 1024 sequences }
"""
    (solution,) = under(text, "chinchilla").solutions
    assert solution["tokens"].value == pytest.approx(134_008_012_800)
    assert solution["steps"].value == pytest.approx(63_900)


DATA = "data web: 50B tokens up to 4 epochs\ndata code: 10B tokens up to 1 epoch\ndata math: 20B tokens\n"


@pytest.mark.parametrize(
    ("data", "length", "tokens"),
    [
        ("data: 50B tokens up to 4 epochs\n", "3 epochs", 150e9),
        ("data: 50B tokens\n", "3 epochs", 150e9),
        ("data: 50B tokens\n", "0.5 epochs", 25e9),
        ("data: 200 GB at 4 bytes/token\n", "2 epochs", 100e9),
        (DATA, "3 epochs", 150e9 + 10e9 + 60e9),
        (DATA, "0.5 epochs", 40e9),
        (DATA.replace("math: 20B tokens", "math: 20B tokens weight 25%"), "1 epoch", 80e9),
    ],
)
def test_a_run_in_passes_sees_every_source_as_often_up_to_its_epochs(data: str, length: str, tokens: float) -> None:
    solution = solution_of(f"{data}tokens: {length}\n")
    assert solution["tokens"].value == pytest.approx(tokens)


def test_bounds_in_passes_and_steps() -> None:
    """A loss wants all the tokens that it can have: those are what the bounds allow."""
    for bound, tokens in (("up to 3 epochs", 220e9), ("1 .. 3 epochs", 220e9), ("up to 2000 steps", 8e9)):
        solution = solution_of(f"{DATA}tokens: {bound}\n")
        assert solution["tokens"].value == pytest.approx(tokens), bound


def test_more_passes_than_any_source_may_be_seen_contradict_it() -> None:
    text = "data: 50B tokens up to 1 epoch\ntokens: 2 epochs\n"
    (found,) = [f for f in report_of(text).findings if f.severity == "error"]
    assert (found.code, found.help) == ("C001", ("say `up to 2 epochs` of the data",))
    assert solution_of(text.replace("up to 1 epoch", "up to 2 epochs"))["tokens"].value == pytest.approx(100e9)
    assert solution_of(text.replace("tokens: 2", "tokens: up to 2"))["tokens"].value == pytest.approx(50e9)


@pytest.mark.parametrize(
    ("text", "texts", "changes"),
    [
        (  # 200B less 50B of the others are 150B; a warm-up that takes the rest would have none
            "data web: 1T tokens\ndata code: 40B tokens up to 2 epochs\nphase a: 10B tokens warmup\n"
            "phase b: 300B tokens constant\nphase c: 40B tokens linear mix code 100%\nrequire tokens <= 200B\n",
            ["phase b: 300B tokens", "tokens <= 200B"],
            ["phase b <= 150B tokens", "tokens <= 350B"],
        ),
        (
            "tokens: 500B\ndata web: 1T tokens\ndata sft: 5B tokens\nphase a: 1% warmup\nphase b: rest constant\n"
            "phase c: 50B tokens linear mix sft 100%\n",
            ["data sft: 5B tokens", "phase c: 50B tokens"],
            ["data sft >= 50B tokens", "phase c <= 5B tokens"],
        ),
        (
            "tokens: 100B\nphase a: 1B tokens warmup\nphase b: 90B tokens linear\n",
            ["tokens: 100B", "phase a: 1B tokens", "phase b: 90B tokens"],
            ["tokens <= 91B", "phase a >= 10B tokens", "phase b >= 99B tokens"],
        ),
        (  # 8B are nine tenths of 8.889B; 90 % of 7B are 1,575 steps
            "tokens: 7B\nphase a: 2000 steps warmup\nphase b: rest constant\nphase c: 10% linear\n",
            ["tokens: 7B", "phase a: 2000 steps"],
            ["tokens >= 8.889B", "phase a <= 1575 steps"],
        ),
        (  # two passes over 100B and one over 50B are less than 300B
            "tokens: 2 epochs\ndata web: 100B tokens\ndata sft: 50B tokens up to 1 epochs\nphase a: 90% constant\n"
            "phase b: 10% linear mix sft 100%\n",
            ["tokens: 2 epochs", "data web: 100B tokens", "data sft: 50B tokens"],
            ["tokens <= 1.666 epochs", "data web up to 3 epochs", "data sft up to 2 epochs"],
        ),
    ],
)
def test_phases_that_are_amounts_take_part_in_a_conflict(text: str, texts: list[str], changes: list[str]) -> None:
    (solution,) = report_of(text).solutions
    assert solution.status == "infeasible"
    assert [one.text for one in solution.conflict] == texts
    assert [one.change and one.change.said for one in solution.conflict] == changes


def test_a_rest_is_offered_where_it_has_room() -> None:
    text = "tokens: 3T\nphase a: 2000 steps warmup\nphase b: {} cosine\n"
    (solution,) = report_of(text.format("99%")).solutions
    assert [one.change and one.change.said for one in solution.conflict][-1] == "phase b: rest cosine"
    (solution,) = report_of("phase c: 3T tokens constant\n" + text.format("50%")).solutions
    assert "phase b: rest cosine" not in [one.change and one.change.said for one in solution.conflict]


def test_no_phase_is_less_than_nothing_or_more_than_all() -> None:
    text = "tokens: 7B\nphase a: 2000 steps warmup\nphase b: rest constant\nphase c: 10% linear\n"
    (solution,) = report_of(text).solutions
    assert not any(name.part("phase") for name in solution.values if name.text in ("share", "tokens", "steps"))
