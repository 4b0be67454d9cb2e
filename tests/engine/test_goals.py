"""What a plan wants where it does not say: goals by what is given, bounded and open, and what settles the rest."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

H100 = "H100 for {} at 40% MFU @ 2 USD/GPU/hour\n"
# What 60B tokens of MLM at 500M params are worth before them, by the law's formula.
WORTH = 3.65e5 * 60e9**0.137 * 500e6**0.369
TRANSFER = "objective: transfer from CLM to MLM of protein\n"


def report(text: str, path: str = "x.plan") -> Report:
    return report_of(path, Files({path: text}), catalogue=LIBRARY, intervals=False)


def value(text: str, name: str) -> float | None:
    solution = report(text).solutions[0]
    assert solution.status == "solved", [f.message for f in report(text).findings]
    return solution.get(name)


# ---- a `?` is what is not mentioned

HELD = {
    "model": ("", "model: 7B\n", "model: ?\n"),
    "tokens": ("", "tokens: 500B\n", "tokens: ?\n"),
    "compute": ("", "compute: 1e22 FLOP\n", "compute: ?\n"),
}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from((0, 1)), min_size=3, max_size=3),
    st.sampled_from(("", "require loss <= 2.3\n", "data: 2T tokens\n", "require compute >= 1e21 FLOP\n")),
    st.sampled_from(("", "hardware: ? x " + H100.format("30 days"), "hardware: 64 x " + H100.format("?"))),
    st.sampled_from(("chinchilla", "llama3", "kaplan")),
)
def test_a_hole_is_what_is_not_mentioned(held: list[int], more: str, hardware: str, law: str) -> None:
    rest = f"use laws {law}\n{hardware}{more}"
    left_out, written = (
        "".join(texts[1] if given_ else texts[open_] for given_, texts in zip(held, HELD.values(), strict=True))
        for open_ in (0, 2)
    )
    one, other = (document(report(rest + text)) for text in (left_out, written))
    assert one.get("solutions") == other.get("solutions")


def test_a_hole_in_a_block_of_hardware_is_what_is_not_mentioned() -> None:
    block = "hardware {{ gpus: 64; device: H100; mfu: 40%; {} }}\nmodel: 7B\ntokens: 1T\n"
    one, other = (document(report(block.format(time))) for time in ("", "time: ?"))
    assert one["solutions"] == other["solutions"]


# ---- each row of the table of `docs/language.md`


@pytest.mark.parametrize(
    ("plan", "name", "wanted"),
    [
        # No statement bounds the compute: as little of it as a required loss takes.
        ("require loss <= 2.1\n", "compute", 2.1410e22),
        ("compute: ?\nrequire loss <= 2.1\n", "compute", 2.1410e22),
        ("model: 1B\nrequire loss <= 2.8\n", "tokens", 4.2716e9),
        ("model: 1B\ndata: 10T tokens\nrequire loss <= 2.8\n", "tokens", 4.2716e9),
        ("model: 7B\nrequire compute >= 1e22 FLOP\n", "tokens", 1e22 / 6 / 7e9),
        ("require params >= 7B\nrequire tokens / params >= 20\n", "tokens", 140e9),
        # The data and the size bound it: the least loss.
        ("model: 1B\ndata: 100B tokens\n", "tokens", 1e11),
        # A `?` in the hardware: the least of it that will do, and the least loss among that.
        ("hardware: ? x " + H100.format("30 days") + "model: 7B\ntokens: 1T\n", "gpus", 41),
        ("hardware: ? x " + H100.format("30 days") + "require compute >= 1e22 FLOP\n", "gpus", 10),
        ("hardware: ? x " + H100.format("30 days") + "require compute >= 1e22 FLOP\n", "params", 9.0448e9),
        ("hardware: 64 x " + H100.format("?") + "require loss <= 2.1\n", "compute", 2.1410e22),
        # Nothing says how much will do: what bounds it is spent on the loss.
        ("hardware: ? x A100 for 90 days at 55.2% MFU\ncompute: 3e24 FLOP\n", "gpus", 2241),
        ("hardware: 512 x " + H100.format("?") + "require cost <= 2M USD\n", "cost", 2e6),
        ("hardware: 64 x " + H100.format("?") + "model: 7B\ndata: 2T tokens\n", "tokens", 2e12),
        ("hardware: 64 x " + H100.format("?") + "require gpu_hours <= 10k GPU-hours\n", "gpu_hours", 3.6e7),
        # A goal of the plan's own leaves to a `?` what it does not decide.
        ("hardware: ? x " + H100.format("up to 30 days") + "require cost <= 30k USD\nminimize loss\n", "gpus", 21),
        ("model: 7B\nrequire loss <= 2.2\nminimize compute\n", "loss", 2.2),
    ],
)
def test_what_is_wanted(plan: str, name: str, wanted: float) -> None:
    assert value(plan, name) == pytest.approx(wanted, rel=2e-4)


@pytest.mark.parametrize(
    ("rest", "known"),
    [
        ("model: 7B\ntokens: 2T\n", {"compute": 8.4e22, "cost": 117_916.58, "gpu_hours": 58_958.29 * 3600}),
        ("require loss <= 2.1\n", {"compute": 2.1410e22, "params": 1.3362e10, "loss": 2.1}),
        ("require cost <= 100k USD\n", {"cost": 1e5, "gpu_hours": 5e4 * 3600}),
        ("compute: 1e22 FLOP\n", {"compute": 1e22, "params": 9.0448e9}),
        ("require gpu_hours >= 1000 GPU-hours\n", {"gpu_hours": 3.6e6}),
    ],
)
def test_what_does_not_depend_on_the_choice_is_solved(rest: str, known: dict[str, float]) -> None:
    found = report("hardware: ? x " + H100.format("?") + rest)
    (solution,) = found.solutions
    assert solution.status == "undecided"
    assert {name: solution.get(name) for name in known} == pytest.approx(known, rel=2e-4)
    assert not {"gpus", "time", "reserved_time"} & set(solution.keys())
    (open_,) = (f for f in found.findings if f.severity == "error")
    assert open_.code == "C002"
    assert open_.message == "nothing in the plan determines `gpus` and `time`"


def test_a_date_does_not_tell_a_count_from_a_time() -> None:
    found = report("hardware: ? x H100 for ? at 40% MFU from 2026-01-01 until 2026-02-01\nmodel: 7B\ntokens: 500B\n")
    assert [f.code for f in found.findings if f.severity == "error"] == ["C002"]
    assert found.solutions[0].get("gpu_hours") == pytest.approx(2.1e22 / (0.4 * 989.4e12), rel=1e-4)


def test_what_runs_off_is_under_determined() -> None:
    found = report("use laws compute.6nd\ndata: 2T tokens\nrequire tokens / params >= 20\n")
    assert [f.code for f in found.findings if f.severity == "error"] == ["C002"]


# ---- what would settle a plan that leaves something open


def settled(text: str, offer: str, path: str) -> str:
    """The plan with an offer: in place of the line of its statement, else as a line of its own."""
    key = offer.partition(":")[0] if ":" in offer else None
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if key and line.startswith(key + ":")), None)
    if at is None:
        return f"{text}{offer}\n"
    return "\n".join([*lines[:at], offer, *lines[at + 1 :], ""])


@pytest.mark.parametrize(
    ("plan", "path"),
    [
        (text.replace('"', "") if path == "x.plan" else text, path)
        for text, path in product(
            (
                "model: 7B\n",
                'model: "?"\ntokens: "?"\n',
                "tokens: 1T\n",
                'hardware: "? x H100 for 30 days"\n',
                'hardware: "? x H100 for ? @ 2 USD/GPU/hour"\nmodel: 7B\ntokens: 2T\n',
                "hardware: 64 x H100 for unknown\nmodel: 7B\n",
                TRANSFER + "model: 500M\n",
                TRANSFER + "data: 60B tokens\nhardware: 8 x H100 for unknown\ntokens: at least 10B\n",
            ),
            ("x.plan", "x.plan.yaml"),
        )
    ],
)
def test_each_offer_settles_the_plan(plan: str, path: str) -> None:
    open_ = [f for f in report(plan, path).findings if f.code == "C002"]
    if not open_:
        assert report(plan, path).solutions[0].status == "solved"
        return
    offers = re.findall(r"`([^`]+)`", open_[0].help[0])
    assert offers
    for offer in offers:
        after = report(settled(plan, offer, path), path)
        assert [f.code for f in after.findings if f.severity == "error"] == [], offer


# ---- transfers are plans like others


@pytest.mark.parametrize(
    ("rest", "known"),
    [
        ("hardware: 8 x H100 for 10 days at 40% MFU\ndata: 60B tokens\n", {"idle_share": 0.0, "finetune_tokens": 6e10}),
        ("compute: 1e20 FLOP\ndata: 10B tokens\n", {"compute": 1e20, "finetune_tokens": 1e10}),
        ("compute: 1e20 FLOP\nrequire tokens <= 50B\n", {"compute": 1e20, "tokens": 5e10}),
        ("compute: 1e20 FLOP\nrequire pretrain_share <= 10%\n", {"compute": 1e20, "pretrain_share": 0.1}),
        ("compute: 1e20 FLOP\nrequire params >= 500M\n", {"compute": 1e20, "params": 5e8}),
        ("hardware: 8 x H100 for 10 days at 40% MFU\nmodel: 3B .. 10B\n", {"params": 3e9, "idle_share": 0.0}),
    ],
)
def test_a_transfer_moves_along_its_budget_and_says_so(rest: str, known: dict[str, float]) -> None:
    found = report(TRANSFER + rest)
    assert "L003" in {f.code for f in found.findings}
    assert [f.code for f in found.findings if f.severity == "error"] == []
    assert {name: found.solutions[0].get(name) for name in known} == pytest.approx(known, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("rest", "finetune", "pretrain"),
    [
        # The target's data are used whole where neither tokens nor compute bounds them, also with a `?` in hardware.
        (
            "model: 500M\nhardware: ? x H100 for 10 days at 40% MFU\ndata: 60B tokens\n",
            60e9,
            3.65e5 * 60e9**0.137 * 500e6**0.369,
        ),
        (
            "model: 500M\nhardware: 8 x H100 for ? at 40% MFU\ndata: 60B tokens\n",
            60e9,
            3.65e5 * 60e9**0.137 * 500e6**0.369,
        ),
        ("hardware: 8 x H100 for ? at 40% MFU\ndata: 60B tokens\n", 60e9, 8.6530e9),
        # What there is for the first stage counts.
        ("model: 85M\ndata a: 48B tokens for finetune\ndata b: 5B tokens for pretrain\n", 48e9, 5e9),
        ("model: 85M\ntokens: 60B\ndata a: 100B tokens for finetune\ndata b: 5B tokens for pretrain\n", 55e9, 5e9),
    ],
)
def test_the_data_of_a_transfer_are_used(rest: str, finetune: float, pretrain: float) -> None:
    plan = TRANSFER + rest
    assert value(plan, "finetune_tokens") == pytest.approx(finetune, rel=1e-4)
    assert value(plan, "pretrain_tokens") == pytest.approx(pretrain, rel=1e-4)
    assert value(plan, "transferred_tokens") == pytest.approx(pretrain, rel=1e-4)
    assert value(plan, "data_multiplier") == pytest.approx((finetune + pretrain) / finetune, rel=1e-4)


# ---- what needs no law is chosen without one


@pytest.mark.parametrize("model", ["model: 671B params, 7B active\n", "objective: MLM\nmodel: 7B\n"])
@pytest.mark.parametrize("hardware", ["up to 64 x H100 for up to 30 days", "up to 64 x H100 for 30 days"])
def test_hardware_is_chosen_where_the_law_gives_no_loss(model: str, hardware: str) -> None:
    """The size and the tokens are given: 4.2e22 FLOP at 395.76 TFLOP/s are 29,479 GPU-hours."""
    plan = f"{model}tokens: 1T\nhardware: {hardware} at 40% MFU @ 2 USD/GPU/hour\n"
    whole = 41 * 720.0 if "for 30" in hardware else 4.2e22 / (0.4 * 989.4e12) / 3600
    assert value(plan, "gpus") == pytest.approx(41 if "for 30" in hardware else 64)
    assert value(plan, "gpu_hours") == pytest.approx(whole * 3600)


def test_a_floor_of_the_compute_is_no_budget() -> None:
    """At least so much, and no more than that: the least that will do."""
    assert value("compute: at least 1e21 FLOP\n", "compute") == pytest.approx(1e21)
    assert value("compute: at least 1e21 FLOP\nrequire loss <= 2.2\n", "loss") == pytest.approx(2.2)
    hardware = "hardware: 8 x H100 for 10 days at 40% MFU\n"
    assert value(f"{hardware}compute: at least 1e21 FLOP\n", "idle_share") == pytest.approx(0, abs=1e-9)
