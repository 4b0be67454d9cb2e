"""What the library once said otherwise than its sources: each held to what the source says, on plans and at inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.packs.pack import Law
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report


def report(text: str) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)


def law(name: str) -> Law:
    found = LIBRARY.law(name)
    assert found is not None
    return found


def outputs(name: str, **given: float) -> dict[str, float]:
    return {key: o.value for key, o in evaluate(law(name), given, catalogue=LIBRARY).outputs.items()}


def cited(name: str) -> str:
    return " ".join(cite.text for cite in law(name).cites)


def evidence(name: str) -> set[str]:
    return {cite.evidence for cite in law(name).cites}


# ---- MiniCPM's release: T = 5,000 steps is the half-life of the rate, not the length of its decay


def test_the_release_of_minicpm_decays_long_enough_by_its_own_paper() -> None:
    text = "model: 2.4B\ntokens: 1.1T\nschedule: minicpm\n"
    found = report(text)
    (solution,) = found.solutions
    values = {str(name): value.value for name, value in solution.values.items()}
    assert values["decay_share"] == pytest.approx(0.09)
    assert "T002" not in {f.code for f in found.findings}


def test_a_decay_too_short_is_one_whatever_its_schedule_is_called() -> None:
    text = """schedule short "1.8 % of decay" {
  phase warmup: 0.2% warmup
  phase stable: 98% constant
  phase decay: 1.8% exponential
  cites "as MiniCPM's was read"
}
model: 2.4B
tokens: 1.1T
schedule: short
"""
    assert "T002" in {f.code for f in report(text).findings}


# ---- Sardana et al.: four published examples, with De Vries' constants


@pytest.mark.parametrize(
    ("quality", "served", "params", "ratio", "saving"),
    [
        (7e9, 1e11, 6.0e9, 1.18, None),
        (13e9, 2e12, 7.0e9, None, 0.17),
        (30e9, 1e13, 13.6e9, 2.84, 0.28),
        (70e9, 1e13, 41.6e9, 7.92e12 / 4.26e12, 0.12),
    ],
)
def test_the_examples_of_serving_come_out_with_the_constants_of_de_vries(
    quality: float, served: float, params: float, ratio: float | None, saving: float | None
) -> None:
    found = outputs("chinchilla.approach3_devries", quality_of_params=quality, inference_tokens=served)
    assert found["params"] == pytest.approx(params, rel=0.01)
    assert ratio is None or found["tokens_ratio"] == pytest.approx(ratio, rel=0.01)
    assert saving is None or found["saving"] == pytest.approx(saving, abs=0.005)


def test_they_do_not_come_out_with_those_of_the_papers_source() -> None:
    quality = outputs("chinchilla.approach3", params=30e9)["loss"]
    at = outputs("chinchilla.approach3", loss=quality, inference_tokens=1e13)
    assert at["params"] == pytest.approx(13.93e9, rel=2e-3)


def test_the_quality_of_a_size_is_its_loss_where_it_is_optimal() -> None:
    found = outputs("chinchilla.approach3_devries", quality_of_params=7e9)
    there = outputs("chinchilla.approach3_devries", params=7e9, tokens=found["optimal_tokens"])
    assert there["loss"] == pytest.approx(found["loss"], rel=1e-12)
    best = outputs("chinchilla.approach3_devries", compute=there["compute"])
    assert best["params"] == pytest.approx(7e9, rel=1e-6)


# ---- Porian et al. count the head and not the input's table, and have unrounded fits


def test_what_porian_counts_has_one_table_of_two() -> None:
    shape = "layers: 12; hidden: 768; heads: 12; ffn: 3072; vocab: 50257; mlp: plain"
    for tied, tables in (("true", 1), ("false", 2)):
        (solution,) = report(f"use laws porian\nmodel {{ {shape}; tied: {tied} }}\ntokens: 3B\n").solutions
        values = {str(name): value.value for name, value in solution.values.items()}
        counted = values["params"] - (tables - 1) * 50257 * 768
        assert values["learning_rate"] == pytest.approx(0.0047 * (counted / 108e6) ** (-1 / 3))


def test_the_unrounded_fits_of_porian() -> None:
    found = outputs("porian.unrounded", params=1e9)
    assert (found["batch_sequences"], found["learning_rate"]) == pytest.approx((786, 2.13e-3), rel=1e-3)
    assert found["batch"] == pytest.approx(2048 * found["batch_sequences"])


# ---- sizes, units, places, evidence


def test_the_two_shapes_of_t5_that_are_compared_are_of_one_size() -> None:
    wide = outputs("t5.params", layers=12, ffn=65536, hidden=1024, key_width=64, heads=32)["params"]
    deep = outputs("t5.params", layers=32, ffn=16384, hidden=1024, key_width=128, heads=32)["params"]
    assert wide == pytest.approx(3.556e9, rel=1e-3)
    assert deep / wide == pytest.approx(1.07, abs=0.01)


def test_the_rows_of_minimax_are_those_of_the_table_they_are_from() -> None:
    for ours, theirs in (("minimax.softmax", "llama"), ("minimax.lightning", "tnl")):
        at = {"compute": 7 * 8.64e19}
        assert outputs(ours, **at)["loss"] == outputs(f"linear_attention.{theirs}", **at)["loss"]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("compute.attention", "section 3.2, equation 2"),
        ("krajewski", "table 1 (section 5.4)"),
        ("krajewski.dense", "table 1 (section 5.4)"),
        ("hernandez", "equations 1.1 and 1.2"),
        ("clark", "equation 1 and table 3"),
        ("minicpm", "section 4.5, equations 2 and 3, figure 10 (later version)"),
        ("minimax", "table 2 (section 2.2.2)"),
    ],
)
def test_a_law_names_the_place_that_its_paper_has(name: str, place: str) -> None:
    assert place in cited(name)


@pytest.mark.parametrize(
    "name",
    [
        *("kaplan", "kaplan.size", "kaplan.data", "kaplan.compute", "kaplan.batch", "kaplan.learning_rate"),
        *(
            "deepseek",
            "minicpm.batch",
            "minicpm.mup",
            "krajewski",
            "chinchilla.approach2",
            "chinchilla.approach3_table",
        ),
    ],
)
def test_a_law_that_was_read_in_its_paper_says_so(name: str) -> None:
    assert evidence(name) == {"paper"}


def test_a_law_that_was_not_read_in_its_paper_says_so() -> None:
    assert evidence("kaplan.joint") == evidence("abnar") == evidence("chinchilla.approach3_devries") == {"secondary"}


def test_a_mixture_without_a_known_range_says_so() -> None:
    assert not law("abnar").fitted
    assert any("No range" in note for note in law("abnar").notes)
