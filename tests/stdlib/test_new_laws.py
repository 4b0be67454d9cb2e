"""Laws by families: the figures of their papers, forms that refuse numbers, tables with a row at nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.laws.form import is_form
from runplan.engine.pipeline import report_of

FACTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "facts" / "new_laws.json").read_text(encoding="utf-8")
)
FORMS = [law.name for law in LIBRARY.laws() if is_form(law)]
# A digest rounds the saving to three digits.
ROUNDED = {"saving": 0.005}


def law(name: str) -> Law:
    found = LIBRARY.law(name)
    assert found is not None, name
    return found


def outputs(name: str, **given: float) -> dict[str, float]:
    return {key: o.value for key, o in evaluate(law(name), given, catalogue=LIBRARY).outputs.items()}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact['law']}-{list(fact['given'].values())}")
def test_a_law_gives_what_its_paper_or_its_formula_gives(fact: dict[str, Any]) -> None:
    found = outputs(fact["law"], **fact["given"])
    for name, value in fact["expected"].items():
        # `given` says of a size what the law counts, as the papers do.
        assert found[name] == pytest.approx(value, rel=ROUNDED.get(name, fact["rtol"])), name


# ---- what is secondary, or left out, says so


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        *(
            (name, "paper")
            for name in ("moonlight.adamw", "moonlight.loss.muon", "ling.moe.hparams", "ling.allocation.moe")
        ),
        *((name, "paper") for name in ("linear_attention.hgrn2", "diloco.joint", "diloco.m4", "diloco.bandwidth.405B")),
        *((name, "secondary") for name in ("cmr.460M", "ibrahim2024.replay", "forgetting", "atlas.languages")),
        *((name, "secondary") for name in ("hunyuan_large", "kimi_linear.mla", "qat.w4a4", "skaling", "scalerl")),
        *((name, "authors_code") for name in ("parscale.pile", "multi_power.100M", "sft.learning_rate.tinker.qwen")),
        ("power_lines.batch", "memory"),
    ],
)
def test_a_law_says_how_well_it_is_known(name: str, evidence: str) -> None:
    assert {cite.evidence for cite in law(name).cites} == {evidence}


def test_a_law_in_a_unit_that_is_not_known_is_not_shipped_or_gives_no_loss() -> None:
    assert LIBRARY.law("microsoft.learning_rate") is None
    assert "batch" not in outputs("diloco.joint", params=1e9, replicas=2)
    assert "loss" not in outputs("code.chinchilla_form", params=1e9, tokens=1e11)


@pytest.mark.parametrize("name", ["ling.allocation.dense", "ling.allocation.moe", "moe.holistic"])
def test_the_tokens_and_the_flop_of_one_are_the_compute(name: str) -> None:
    for compute in (1e18, 1e20, 1e24):
        found = outputs(name, compute=compute)
        assert found["flops_per_token"] * found["tokens"] == pytest.approx(compute, rel=1e-3)


# ---- replay, DiLoCo, four bits, weight decay


def test_replay_takes_back_what_is_forgotten_and_costs_little() -> None:
    before = outputs("ibrahim2024.replay", replay_share=0)
    for share in (0.002, 0.01, 0.03, 0.05, 0.2, 0.5):
        now = outputs("ibrahim2024.replay", replay_share=share)
        assert now["loss_on_old"] < before["loss_on_old"]
        assert now["loss_on_new"] >= before["loss_on_new"]
        before = now
    assert "loss_on_old" not in outputs("ibrahim2024.replay", replay_share=0.6)  # beyond the table


def test_between_nothing_and_the_next_row_a_table_is_read_on_plain_axes() -> None:
    half = outputs("ibrahim2024.replay.slimpajama", replay_share=0.0025)
    assert half["loss_on_old"] == pytest.approx((2.44 + 2.27) / 2)


def test_a_share_of_domain_data_is_never_below_nothing() -> None:
    found = outputs("cmr.460M", tokens=0.2e9)
    assert (found["domain_share"], found["replay_share"]) == (0.0, 1.0)


def test_more_replicas_have_a_higher_loss_and_rate() -> None:
    one, eight = (outputs("diloco", params=1e9, replicas=m) for m in (1, 8))
    assert eight["loss"] / one["loss"] == pytest.approx(8**0.0116)
    assert eight["learning_rate"] / one["learning_rate"] == pytest.approx(8**0.2929)


@pytest.mark.parametrize("name", [law.name for law in LIBRARY.laws() if law.name.startswith("qat.")])
def test_four_bits_cost_more_on_more_tokens_and_less_of_larger_models(name: str) -> None:
    def added(**other: float) -> float:
        return outputs(name, **{"params": 5e8, "tokens": 5e10, "group": 128.0} | other)["loss_added"]

    assert added(tokens=1e11) > added() > added(params=1e9)
    assert added(group=256.0) > added()


def test_the_weight_decay_of_power_lines_is_what_gives_its_timescale() -> None:
    given = {"params": 610e6, "tokens": 610e6 * 20, "batch": 5e5, "learning_rate": 0.01}
    found = outputs("power_lines", **given)
    tau = given["batch"] / (given["learning_rate"] * found["weight_decay"] * given["tokens"])
    assert tau == pytest.approx(found["timescale"]) == pytest.approx(0.22356, rel=1e-4)


def test_the_batches_of_three_laws_agree() -> None:
    for tokens in (1e10, 1e11, 1e12):
        three, step = outputs("three_term", tokens=tokens)["batch"], outputs("steplaw", tokens=tokens)["batch"]
        assert three == pytest.approx(step, rel=0.025)


def test_more_streams_are_worth_more_params() -> None:
    more = outputs("parscale.pile", params=1.6e9, streams=8)
    as_many = outputs("parscale.pile", params=1.6e9 * more["params_multiplier"])
    assert as_many["loss"] == pytest.approx(more["loss"], rel=1e-9)


def test_a_mixture_of_tencent_has_its_least_loss_where_it_says() -> None:
    given = {"params": 30e9, "tokens": 1e12}
    best = outputs("moe.tencent", **given)
    own = {"granularity": best["best_granularity"], "shared_share": best["best_shared_share"]}
    at = {"active_params": best["best_active_params"]}
    least = outputs("moe.tencent", **given, **own, **at)["loss"]
    for other in ({"active_params": 1.1 * at["active_params"]}, {"granularity": 8}, {"shared_share": 0.4}):
        assert outputs("moe.tencent", **given | own | at | other)["loss"] > least


def test_a_default_gives_way_to_what_another_formula_finds() -> None:
    step = {"rate_before": 3e-4, "rate_after": 3e-5, "rate_sum_since": 0.1}
    lower = outputs("multi_power.100M", rate_sum=10, **step)
    constant = outputs("multi_power.100M", rate_sum=10)
    gain = (3e-4 - 3e-5) * (1 - (1 + 2.13246 * 3e-5**-0.65524 * 0.1) ** -0.59785)
    assert lower["annealing"] == pytest.approx(gain)
    assert constant["loss_along"] - lower["loss_along"] == pytest.approx(437.946 * gain)
    assert "annealing" not in constant


# ---- forms


def test_forms_are_known_as_such() -> None:
    named = {"skaling", "farseer", "forgetting", "atlas.loss", "three_term.loss", "ling.efficiency_leverage"}
    assert named <= set(FORMS)
    assert not {"henighan", "scalerl", "hernandez.loss", "chinchilla.epoch"} & set(FORMS)
    assert {name for name in FORMS if name.startswith("form.")} == {
        law.name for law in LIBRARY.laws() if law.name.startswith("form.")
    }


@pytest.mark.parametrize("name", FORMS)
def test_a_form_says_that_it_is_one_and_refuses_numbers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "form" in law(name).title
    assert main(["law", name, "--at", "params=1e9", "tokens=20e9"]) == 2
    said = capsys.readouterr().err
    assert "is a form to be fitted and gives no numbers" in said
    assert all(f"`{c.name}`" in said for c in law(name).constants.values() if c.value is None)


def test_a_form_that_is_fitted_gives_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = tmp_path / "ours.plan"
    pack.write_text(
        """law ours.skaling extends skaling "Ours" {
  constants { E = 1.8; A = 400; alpha = 0.34; B = 2000; beta = 0.36; k = 1 }
  cites "ours"
  golden "ours" at params = 1e9, tokens = 20e9 gives loss = %.6f within 1e-5
}
"""
        % (1.8 + 400 * 1e9**-0.34 + 2000 * 20e9**-0.36)
    )
    assert main(["test", str(pack)]) == 0, capsys.readouterr()


def test_the_best_size_of_skaling_does_not_depend_on_its_power() -> None:
    text = """law ours extends skaling "Ours" {{
  counts total params
  constants {{ E = 1.6; A = 400; alpha = 0.34; B = 2000; beta = 0.36; k = {} }}
  cites "ours"
}}
use laws ours
compute: 1e21 FLOP
"""
    found = []
    for k in (0.35, 1.0):
        buffer = Buffer("x.plan", text.format(k).encode(), Disk(Path()))
        (solution,) = report_of("x.plan", buffer, catalogue=LIBRARY, intervals=False).solutions
        found.append((solution.get("params"), solution.get("tokens")))
    ratio = (0.34 * 400 / (0.36 * 2000)) ** (1 / 0.7)
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    assert found[1][0] == pytest.approx(ratio * (1e21 / 6) ** (0.36 / 0.7), rel=1e-6)
