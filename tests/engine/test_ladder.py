"""The small runs whose fit sizes a big one: designs within a budget, exact shapes, plans that hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.documents.ladder import document
from runplan.engine.fit.outcome import Objective
from runplan.engine.ladder.designs import DESIGNS, Design, Room, Run, ell, isoflop, ratio
from runplan.engine.ladder.flagship import flagship_of
from runplan.engine.ladder.ladder import Asked, Ladder, ladder_of
from runplan.engine.ladder.refused import NoLadder, Reason
from runplan.engine.ladder.side_by_side import devices, finished
from runplan.engine.ladder.width import Target, spread_by
from runplan.engine.pipeline import report_of
from runplan.engine.problem import quantities as q

BIG = """
plan "Flagship"
import "prices.plan"
hardware: 1024 x H100 for 3 months at 40% MFU @ ours
data web: 10T tokens
model: llama-3-8b
tokens: 1.5T
require cost <= 10M USD
"""
PRICES = "let ours = 2.50 USD/GPU/hour\n"
# A byte-level model.
BYTES = """
use laws chinchilla
compute: 3.6e17 FLOP
model { layers: 8; hidden: 512; heads: 8; ffn: 1376; vocab: 256; tied: true; context: 1024 tokens }
"""
# No law of the library has a loss of proteins over size and tokens.
PROTEIN = """
law ours "Ours" {
  objective MLM of protein
  counts total params
  constants { E = 2.0 nat/token; A = 60; B = 300; alpha = 0.3; beta = 0.3 }
  loss(params N, tokens D) = E + A / N^alpha + B / D^beta
  cites "ours"
}
use laws ours
hardware: 64 x H100 for 30 days
objective: MLM of protein
"""


def ladder(text: str, asked: Asked, name: str = "big.plan") -> Ladder:
    return ladder_of(name, Files({name: text, "prices.plan": PRICES}), asked, catalogue=LIBRARY)


@cache
def designed(design: Design) -> Ladder:
    return ladder(BIG, Asked(design, budgets=3, sizes=4, draws=200))


def big(design: Design = "isoflop") -> Ladder:
    return designed(design)


def test_a_design_stays_within_its_share_and_nearly_takes_it() -> None:
    total = 0.05 * big().flagship.compute
    assert [one.design for one in big().compared] == list(DESIGNS)
    for one in big().compared:
        assert 0.9 * total < one.compute <= total * (1 + 1e-9)
        assert one.sizes >= 3


@pytest.mark.parametrize("design", ["isoflop", "best"])
def test_whole_steps_of_whole_batches_take_no_more_than_the_share(design: Design) -> None:
    spent = big(design).total(q.COMPUTE)
    assert spent is not None and spent <= 0.05 * big().flagship.compute
    assert len({run.name for run in big(design).runs}) == len(big(design).runs)


@pytest.mark.parametrize("design", ["isoflop", "best"])
def test_each_run_is_a_plan_that_holds(design: Design) -> None:
    """What is told of a run is what its plan comes to."""
    for run in big(design).runs[::6]:
        files = Files({"run.plan": run.text, "prices.plan": PRICES})
        report = report_of("run.plan", files, catalogue=LIBRARY, intervals=False)
        assert [f for f in report.findings if f.severity == "error"] == []
        (solution,) = report.solutions
        for name, told in ((q.TOKENS, run.settings.tokens), (q.BATCH, run.settings.batch), (q.GPUS, run.gpus)):
            assert solution.get(name) == told
        assert solution.get(q.LEARNING_RATE) == run.settings.learning_rate
        assert solution.get(q.STEPS) == run.settings.steps
        assert solution.get(q.LOSS) == pytest.approx(run.loss, rel=1e-9)


def test_shapes_are_counted_exactly_and_have_the_proportions_of_their_family() -> None:
    """Every matrix of a Llama of so many layers, told apart, and two tables of embeddings."""
    for run in big().runs:
        shape, width = run.shape, run.shape["hidden"]
        keys = width * shape["kv_heads"] // shape["heads"]
        layer = 2 * width**2 + 2 * width * keys + 3 * width * shape["ffn"] + 2 * width
        body = shape["layers"] * layer + width
        assert run.value(q.PARAMS_NON_EMBEDDING) == body
        assert run.value(q.PARAMS) == body + 2 * 128256 * width
        assert width % shape["heads"] == 0 == shape["heads"] % shape["kv_heads"]
        assert 128 / 1.36 <= width / shape["layers"] <= 128 * 1.36
        assert shape["ffn"] / width == pytest.approx(3.5, rel=0.05)


def test_isoflop_runs_lie_around_the_best_size_of_each_budget() -> None:
    found = big()
    surface = found.flagship.surface
    for budget in {run.budget for run in found.runs}:
        assert budget is not None
        of = [run for run in found.runs if run.budget == budget]
        sizes = [found.sizes.law[run.place] for run in of]
        losses = [run.loss for run in of]
        assert len(of) == 4
        assert min(sizes) < float(surface.best(budget)[0]) < max(sizes)
        assert losses.index(min(losses)) in (1, 2)
        assert all(run.value(q.COMPUTE) == pytest.approx(budget, rel=0.02) for run in of)


def test_the_best_design_tells_most() -> None:
    widths = {one.design: one.width.loss.half for one in big().compared}
    assert widths["best"] < 0.7 * min(width for design, width in widths.items() if design != "best")
    assert big("best").chosen.width.loss.half == widths["best"]


@pytest.mark.parametrize("maker", [isoflop, ratio, ell])
def test_the_width_by_simulated_fits_is_that_of_the_slopes(maker: Callable[[Room], tuple[Run, ...]]) -> None:
    """Of some twenty runs, as many as a ladder has unless said."""
    at = big().flagship
    runs = maker(Room(big().sizes, at.surface, 0.05 * at.compute))
    params, tokens = big().sizes.law[[run.size for run in runs]], np.array([run.tokens for run in runs])
    width = Target.of(at.surface, at.size, at.tokens, at.compute).width(params, tokens, 0.003)
    assert width.loss.half == pytest.approx(width.loss.half_to_first_order(big().loss), rel=0.15)
    assert width.size.half == pytest.approx(width.size.half_to_first_order(big().best_size), rel=0.25)
    assert width.loss.low < big().loss < width.loss.high


def test_the_spread_of_an_objective_is_between_those_of_squares_and_of_absolute_residuals() -> None:
    assert spread_by(Objective("squares"), 0.003) == 1.0
    assert spread_by(Objective(delta=1e-9), 0.003) == pytest.approx(math.pi / 2, rel=1e-4)
    # The bound of 1.345 standard deviations has 95 % of the efficiency: Huber's own table.
    assert spread_by(Objective(delta=1.345), 1.0) == pytest.approx(1 / 0.95, rel=1e-3)


def test_too_few_runs_do_not_tell_a_law() -> None:
    found = ladder(BYTES, Asked(budgets=1, sizes=3))
    assert not found.chosen.width.loss.is_told
    assert "low" not in document(found)["designs"][0]["loss"]  # type: ignore[index]


def test_a_width_is_as_large_as_the_noise() -> None:
    wide, narrow = (ladder(BYTES, Asked(noise=noise, sizes=4, budgets=3)).chosen.width for noise in (0.002, 0.001))
    assert wide.loss.half == pytest.approx(2 * narrow.loss.half, rel=0.2)


def test_slopes_of_the_law_are_its_derivatives() -> None:
    """Against the derivatives of E + A / N^alpha + B / D^beta by ln E, ln A, ln B, ln alpha, ln beta."""
    surface = big().flagship.surface
    constants = {c.constant: math.exp(at) for c, at in zip(surface.coordinates, surface.centre, strict=True)}
    size, tokens = np.array([1e8, 3e9]), np.array([5e9, 1e11])
    ofsize, oftokens = constants["A"] / size ** constants["alpha"], constants["B"] / tokens ** constants["beta"]
    loss = constants["E"] + ofsize + oftokens
    by = {
        "E": constants["E"] + 0 * size,
        "A": ofsize,
        "B": oftokens,
        "alpha": -ofsize * constants["alpha"] * np.log(size),
        "beta": -oftokens * constants["beta"] * np.log(tokens),
    }
    expected = np.array([by[name] / loss for name in constants]).T
    assert surface.slopes(size, tokens) == pytest.approx(expected, rel=1e-7)


def test_a_small_byte_level_ladder_is_as_one_that_was_run() -> None:
    """15 runs of 1e14 to 3e15 FLOP, byte-level on Python, were 3 to 6 layers of 64 to 320, at 0.0025 to 0.0057, in
    batches of 16,384 and 32,768: what is designed for as much compute is of their kind.
    """
    found = ladder(BYTES, Asked(budgets=3, sizes=3))
    for run in found.runs:
        assert 2 <= run.shape["layers"] <= 8
        assert 64 <= run.shape["hidden"] <= 512
        assert run.settings.learning_rate is not None
        assert 0.0025 < run.settings.learning_rate < 0.0065
        assert run.settings.batch in (8192, 16384, 32768, 65536)
    assert found.seconds is None and found.total(q.COST) is None


REFUSED: list[tuple[str, Asked, Reason]] = [
    ("hardware: 8 x H100 for 1 day\nuse laws llama3\n", Asked(), "surface"),
    (BYTES, Asked(share=1e-6), "budget"),
    (BYTES, Asked("best", share=1e-6), "budget"),
    (PROTEIN, Asked(), "family"),
    ("hardware: 64 x H100 for 30 days\nmodel: 671B params, 37B active\n", Asked(), "family"),
    (BIG, Asked(family="mixtral-8x7b"), "family"),
    ("hardware: 64 x H100 for 30 days\nstart: checkpoint\nmodel: 7B\n", Asked(), "start"),
    ("hardware: 8 x H100 for 1 day\nmodel: 70B\ntokens: 2T\n", Asked(), "plan"),
    ("hardware: 8 x Z9 for 1 day\n", Asked(), "plan"),
    ("hardware: 8 x H100 for 10 days\nobjective: MLM of protein\nuse laws plm\n", Asked(), "surface"),
    (BIG, Asked(stage="one"), "stages"),
    ("model: 1B\nstage a { compute: 1e20 FLOP }\nstage b { compute: 1e18 FLOP }\n", Asked(stage="b"), "stages"),
    ("model: 1B\nstage a { compute: 1e20 FLOP }\nstage b { compute: 1e18 FLOP }\n", Asked(stage="c"), "stages"),
]


STAGES = """
plan "Two stages"
data web: 10T tokens
model: 1B
stage one { hardware: 8 x H100 for ? at 40% MFU @ 2 USD/GPU/hour; TOKENS }
stage two { hardware: 4 x H100 for ? at 30% MFU @ 2 USD/GPU/hour; tokens: 1B }
require one.cost <= 50k USD
require cost <= 100k USD
"""
ALONE = """
plan "Two stages"
data web: 10T tokens
model: 1B
hardware: 8 x H100 for ? at 40% MFU @ 2 USD/GPU/hour
tokens: 20B
"""


def test_a_ladder_of_stages_leads_to_the_one_from_scratch() -> None:
    asked = Asked(budgets=2, sizes=3, draws=50)
    alone = ladder(ALONE, asked)
    for text in (STAGES.replace("TOKENS", "tokens: 20B"), STAGES.replace("TOKENS", "compute: 1.2e20 FLOP; tokens: ?")):
        found = ladder(text, asked)
        assert found.flagship.stage == "one" and alone.flagship.stage == ""
        assert [run.text for run in found.runs] == [run.text for run in alone.runs]
        assert found.flagship.tokens == pytest.approx(20e9) and found.total(q.COST) == alone.total(q.COST)
    named = ladder(STAGES.replace("TOKENS", "tokens: 20B"), Asked(budgets=2, sizes=3, draws=50, stage="one"))
    assert named.flagship.stage == "one"


def test_a_plan_that_names_no_law_has_one_with_a_loss() -> None:
    text = "hardware: 8 x H100 for 10 days\nobjective: MLM of protein\n"
    found = ladder(text, Asked("L", family="esm2-650m", budgets=2, sizes=3, draws=50))
    assert found.flagship.solution.resolved == "plm.tableA9" and found.flagship.instead_of == ("plm",)


@pytest.mark.parametrize(("text", "asked", "reason"), REFUSED)
def test_what_has_no_ladder_is_refused_by_kind(text: str, asked: Asked, reason: Reason) -> None:
    with pytest.raises(NoLadder) as refused:
        ladder(text, asked)
    assert refused.value.reason == reason
    assert len(str(refused.value)) > 20


def test_a_plan_without_a_model_has_one_of_usual_shape_and_says_so() -> None:
    found = ladder("hardware: 64 x H100 for 30 days @ 2.50 USD/GPU/hour\n", Asked("ratio", budgets=2, sizes=3))
    assert found.family.name == "a model of usual shape"
    assert "not given" in found.family.source
    assert found.total(q.COST) is not None


def test_a_protein_model_keeps_its_vocabulary() -> None:
    found = ladder(PROTEIN, Asked("L", family="esm2-650m", budgets=2, sizes=3))
    assert all("vocab: 33" in run.text and "mlp: plain" in run.text for run in found.runs)


def test_a_document_has_all_runs_and_designs() -> None:
    found = document(big())
    assert [one["design"] for one in found["designs"]] == list(DESIGNS)  # type: ignore[attr-defined]
    assert len(found["runs"]) == 12  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from((1, 2, 4, 8)), st.floats(1.0, 100.0)), min_size=1, max_size=12))
def test_runs_side_by_side_take_no_less_than_their_work_and_no_more_than_one_after_the_other(
    runs: list[tuple[int, float]],
) -> None:
    room = 8
    time = finished(runs, room)
    assert time >= max(max(t for _, t in runs), sum(g * t for g, t in runs) / room) - 1e-9
    assert time <= sum(t for _, t in runs) + 1e-9
    assert finished(runs, None) == max(t for _, t in runs)


def test_a_run_has_room_on_its_devices() -> None:
    """A dozen billion params in 80 GB: on one device there is none."""
    found = ladder("hardware: 256 x H100 for 90 days at 40% MFU\n", Asked(budgets=2, sizes=3))
    assert max(run.value(q.PARAMS) or 0.0 for run in found.runs) > 8e9
    assert [one for run in found.runs for one in run.findings if one.severity == "error"] == []


def test_whole_nodes_are_taken_where_they_are_bought() -> None:
    text = "hardware: 64 nodes x H100 for 30 days @ 24 USD/node/hour in nodes of 8\n"
    found = ladder(text, Asked(budgets=2, sizes=3))
    assert all(run.gpus % 8 == 0 for run in found.runs)


def test_a_plan_of_a_run_stands_alone() -> None:
    assert all("import" not in run.text and "let ours = 2.50 USD/GPU/hour" in run.text for run in big().runs)


def test_a_run_takes_as_many_devices_as_keep_pace() -> None:
    assert devices(3600.0, 900.0, 16, 64, each=8) == 8
    assert devices(3600.0, 900.0, 8, 64) == 4
    assert devices(3600.0, 1.0, 8, 64) == 8
    assert devices(3600.0, 1.0, 8, 3) == 2
    assert devices(1.0, 900.0, 8, 64) == 1
    assert devices(3600.0, 1.0, None, math.inf) == 4096


def test_the_flagship_keeps_what_is_required_of_memory() -> None:
    plan = "hardware: 8 x H100 for 30 days at 40% MFU\nrequire memory_per_gpu <= 12 GB\n"
    (solution,) = report_of("big.plan", Files({"big.plan": plan}), catalogue=LIBRARY, intervals=False).solutions
    flagship = flagship_of("big.plan", Files({"big.plan": plan}), catalogue=LIBRARY)
    assert flagship.size == solution["params"].value < 6e9  # of the compute alone it would be 8.2B
