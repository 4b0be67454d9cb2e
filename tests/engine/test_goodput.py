"""What stops leave of the time of a run: golden values, published outcomes, a simulation, and never twice."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.text.reader import Buffer, Disk, Files
from runplan.engine.documents.solve import document
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Value
from runplan.engine.report import Report
from runplan.engine.runs.stops import stops_in

HOUR, DAY = 3600.0, 86400.0
BASE = {"gpus": "1024", "device": "H100", "time": "30 days", "mfu": "40%"}


def hardware(**fields: str) -> str:
    """A block of hardware; a field that is empty is left out."""
    block = "; ".join(f"{name}: {text}" for name, text in {**BASE, **fields}.items() if text)
    return f"hardware {{ {block} }}\n"


def solved(
    block: str, rest: str = "model: 7B\ntokens: 1T\n", intervals: bool = False, library: Library | None = None
) -> Report:
    at = Buffer("x.plan", f"{block}{rest}".encode(), Disk(Path()))
    return report_of("x.plan", at, intervals=intervals, catalogue=library or LIBRARY)


def value(report: Report, name: str) -> Value:
    found = report.solutions[0].quantity(name)
    assert found is not None, [f.message for f in report.findings]
    return found


def figure(report: Report, name: str) -> float:
    return value(report, name).value


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


# ---- golden values


def test_the_best_interval_is_young_s() -> None:
    """Five minutes a checkpoint and a day between stops: two hours (Young 1974)."""
    report = solved(hardware(failure_every="24576 GPU-hours", checkpoint_time="5 minutes"))
    assert figure(report, "mtbf") == pytest.approx(DAY, rel=1e-12)
    assert figure(report, "checkpoint_interval") == pytest.approx(2 * HOUR, rel=1e-12)


def test_the_time_of_a_segment_is_daly_s() -> None:
    """M exp(R/M) (exp((tau + delta)/M) - 1), by hand for a day, two hours, five minutes and ten."""
    report = solved(hardware(failure_every="24576 GPU-hours", checkpoint_time="5 minutes", restart_time="10 minutes"))
    segment = DAY * math.exp(600 / DAY) * (math.exp(7500 / DAY) - 1)
    assert figure(report, "segment_time") == pytest.approx(segment, rel=1e-12)
    assert figure(report, "goodput") == pytest.approx(7200 / segment, rel=1e-12)
    report = solved(hardware(failure_every="24576 GPU-hours", stragglers="5%"))
    parts = ("goodput", "checkpoint_share", "restart_share", "lost_share", "straggler_share")
    assert sum(figure(report, name) for name in parts) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("every", "restart"), [(24576, 10), (2048, 30)])
def test_a_simulation_of_stops_reaches_it(every: int, restart: int) -> None:
    stops = {"failure_every": f"{every} GPU-hours", "restart_time": f"{restart} minutes"}
    report = solved(hardware(**stops, checkpoint_time="5 minutes"))
    mtbf, interval, draw = every / 1024 * HOUR, figure(report, "checkpoint_interval"), random.Random(7)
    done = clock = 0.0
    while done < 40000 * interval:
        stop = draw.expovariate(1 / mtbf)
        if stop > interval + 300.0:
            clock, done = clock + interval + 300.0, done + interval
            continue
        clock += stop
        while (again := draw.expovariate(1 / mtbf)) < restart * 60.0:
            clock += again
        clock += restart * 60.0
    assert done / clock == pytest.approx(figure(report, "goodput"), rel=0.02)


# ---- published outcomes


LLAMA = {"gpus": "16384", "time": "54 days"}
OF_405B = "model: 405B\ntokens: ?\n"


def test_llama_3_was_effective_for_more_than_nine_tenths() -> None:
    """arXiv:2407.21783, section 3.3.4 and table 5: more than 90 %, and 419 stops in 54 days, one in three hours."""
    told = solved(hardware(failure_every="21.23M GPU-hours / 419", **LLAMA), OF_405B)
    assert figure(told, "goodput") > 0.90 and figure(told, "availability") == figure(told, "goodput")
    assert figure(told, "mtbf") / HOUR == pytest.approx(3.1, abs=0.05)
    taken = solved(hardware(availability="derived", **LLAMA), OF_405B, intervals=True)
    stops, goodput = value(taken, "failures"), value(taken, "goodput")
    assert stops.low and stops.high and stops.low < 419 < stops.high
    assert goodput.value > 0.90 and goodput.low and goodput.high and goodput.low < 0.9 < goodput.high


def test_rsc_1_stops_as_often_as_its_paper_projects() -> None:
    """arXiv:2410.21680: 1.8 hours at 16,384 devices, and 0.23 at 131,072."""
    every = {fleet.record.name: fleet.every for fleet in stops_in(LIBRARY).fleets}["rsc-1"] / HOUR  # type: ignore[union-attr]
    assert every / 16384 == pytest.approx(1.8, abs=0.05) and every / 131072 == pytest.approx(0.23, abs=0.01)


def test_checkpoints_of_bloom_and_what_a_stop_lost() -> None:
    """2.3 TB in 40 seconds on 384 devices, and half of three hours a stop (its chronicles)."""
    bloom = {"gpus": "384", "device": "A100", "checkpoint_interval": "3 hours", "failure_every": "44.8k GPU-hours"}
    report = solved(hardware(**bloom), "model: 176B\ntokens: ?\n", intervals=True)
    for name, published in (("checkpoint_size", 2.3e12), ("checkpoint_time", 40.0)):
        found = value(report, name)
        assert found.low and found.high and found.low < published < found.high
    lost = figure(report, "lost_share") * figure(report, "mtbf")
    assert lost / HOUR == pytest.approx(1.5, rel=0.02)


def test_most_fleets_lie_where_the_others_tell() -> None:
    """Each of the fleets left out in turn, and looked for in the 80 % interval of the others."""
    stops = stops_in(LIBRARY)
    assert stops is not None
    logs = {fleet.record.name: math.log(fleet.every) for fleet in stops.fleets}
    outside = []
    for name, own in logs.items():
        rest = [log for other, log in logs.items() if other != name]
        middle = sum(rest) / len(rest)
        spread = math.sqrt(sum((log - middle) ** 2 for log in rest) / (len(rest) - 1) * (1 + 1 / len(rest)))
        outside += [name] if abs(own - middle) > 1.2816 * spread else []
    assert outside in ([], ["opt-175b"]), outside


def test_one_s_own_fleet_is_the_middle() -> None:
    own = 'fleet ours { gpus 512; time 100 days; stops 12; device "H100" }\n'
    library = LIBRARY.with_files(pack_files(Files({"packs/a.plan": own}), "packs", "packs", "pack"))
    report = solved(hardware(availability="derived"), library=library)
    assert figure(report, "failure_every") / HOUR == pytest.approx(512 * 2400 / 12)
    assert "of your own" in value(report, "failure_every").source


# ---- what asks for it


def test_a_figure_of_stops_asks_as_the_word_does() -> None:
    asked, told = solved(hardware(availability="derived")), solved(hardware(restart_time="11 minutes"))
    assert figure(asked, "availability") == figure(told, "availability") < 1.0
    assert solved(hardware()).solutions[0].quantity("goodput") is None


@pytest.mark.parametrize("word", ["derived", "included"])
def test_both_spellings_and_a_setting_say_it(word: str) -> None:
    plain = solved(hardware(availability=word))
    text = f"hardware:\n  gpus: 1024\n  device: H100\n  time: 30 days\n  mfu: 40%\n  availability: {word}\n"
    yaml = Buffer("x.plan.yaml", f"{text}model: 7B\ntokens: 1T\n".encode(), Disk(Path()))
    other = report_of("x.plan.yaml", yaml, intervals=False)
    text = "hardware { gpus: 1024; device: H100; time: 30 days; mfu: 40% }\nmodel: 7B\ntokens: 1T\n"
    at = Buffer("x.plan", text.encode(), Disk(Path()))
    third = report_of("x.plan", at, intervals=False, settings=[f"hardware.availability={word}"])
    assert figure(plain, "time") == figure(other, "time") == figure(third, "time")


def test_the_document_has_the_parts() -> None:
    found: Any = document(solved(hardware(availability="derived", price="2 USD/GPU/hour")))["solutions"]
    assert {"goodput", "failures", "mtbf", "checkpoint_interval", "useful_price"} <= found[0]["goodput"].keys()


def test_a_checkpoint_is_what_the_framework_keeps() -> None:
    """Megatron-LM: 2 byte of weights, 4 of their copy, 8 of Adam's states."""
    report = solved(hardware(availability="derived"), "model: 7B\ntokens: 1T\nlayout: in megatron\n")
    assert figure(report, "checkpoint_size") == pytest.approx(14 * 7e9)
    report = solved(hardware(availability="derived"), "model: 7B\ntokens: 1T\nlayout: in eager\n")
    assert figure(report, "checkpoint_size") == pytest.approx(12 * 7e9)


def test_the_run_of_llama_3_took_the_hours_that_follow() -> None:
    """30.84M GPU-hours (its model card) lie within what 41 % MFU of the steps and goodput come to."""
    block = hardware(gpus="16384", time="?", mfu="41%", availability="derived", storage_bandwidth="2 TB/s")
    hours = value(solved(block, "model: llama-3.1-405b\ntokens: 15.6T\n", intervals=True), "gpu_hours")
    assert hours.low and hours.high and hours.low < 30.84e6 * HOUR < hours.high
    assert hours.value == pytest.approx(30.84e6 * HOUR, rel=0.05)


# ---- never twice

SIZED = "model: 70B\ntokens: 2T\n"


def end_to_end(**fields: str) -> Report:
    return solved(hardware(gpus="512", time="?", mfu="", **fields), SIZED)


def test_a_rate_that_runs_reached_has_stops_in_it() -> None:
    plain, derived = end_to_end(), end_to_end(availability="derived")
    assert figure(derived, "time") == pytest.approx(figure(plain, "time"), rel=1e-9)
    assert figure(derived, "availability") < 1.0
    found = next(finding for finding in derived.findings if finding.code == "H021")
    assert found.severity == "info" and "mfu: 40%" in found.help[0]


def test_what_stops_take_beyond_those_of_runs_counts() -> None:
    """Of spot that leaves a half, what is below the 85 % of published runs."""
    plain, spot = end_to_end(), end_to_end(interruption_every="500 GPU-hours", wait_time="30 minutes")
    assert figure(spot, "goodput") < 0.7
    assert figure(spot, "time") == pytest.approx(figure(plain, "time") * 0.85 / figure(spot, "goodput"), rel=1e-9)


@pytest.mark.parametrize("mfu", ["", "40%"])
def test_a_rate_that_is_said_to_be_end_to_end_counts_once(mfu: str) -> None:
    block = {"gpus": "512", "time": "?", "mfu": mfu, "availability": "included"}
    said = solved(hardware(**block), SIZED)
    beside = solved(hardware(**block, restart_time="20 minutes"), SIZED)
    assert "H004" not in codes(said) and figure(said, "availability") == 1.0
    assert figure(beside, "time") == figure(said, "time") and "H021" in codes(beside)
    assert figure(beside, "goodput") < 1.0


def test_a_rate_of_steps_has_none() -> None:
    plain, derived = solved(hardware(time="?"), SIZED), solved(hardware(time="?", availability="derived"), SIZED)
    up = figure(derived, "availability")
    assert figure(derived, "time") == pytest.approx(figure(plain, "time") / up, rel=1e-9)
    assert "H004" in codes(plain) and not {"H004", "H021"} & {*codes(derived)}


# ---- what is stated beside it


def test_a_question_mark_is_the_least_that_the_plan_needs() -> None:
    report = solved(hardware(availability="?", restart_time="20 minutes"), "model: 7B\ntokens: 10T\n")
    assert figure(report, "availability") < figure(report, "goodput") and "H022" not in codes(report)
    report = solved(hardware(availability="?"), "model: 7B\n")
    found = next(finding for finding in report.findings if finding.code == "C002")
    assert "availability: derived" in found.help[0]


def test_more_than_stops_leave_is_found() -> None:
    report = solved(hardware(gpus="16384", availability="99%", restart_time="15 minutes"))
    assert "H022" in codes(report) and figure(report, "availability") == 0.99


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"wait_time": "30 minutes"}, "C004", "interruption_every: 2000 GPU-hours"),
        ({"checkpoint_time": "1 minute", "storage_bandwidth": "1 TB/s"}, "C001", "leave out `storage_bandwidth`"),
        ({"interruption_every": "2000 GPU-hours"}, "H023", "wait_time: 30 minutes"),
        ({"interruption_every": "0.1 GPU-hours"}, "C003", "restart_time: 1 minute"),
        ({"gpus": "", "time": "", "gpu_hours": "1M GPU-hours", "availability": "derived"}, "C004", "gpus: 512"),
        ({"availability": "derive"}, "N002", "did you mean `derived`?"),
    ],
)
def test_what_does_not_go_together_is_found(fields: dict[str, str], code: str, said: str) -> None:
    found = [finding for finding in solved(hardware(**fields)).findings if finding.code == code]
    assert len(found) == 1 and said in " ".join(found[0].help), found


def test_what_is_asked_of_stops_that_nobody_asked_for_says_what_to_add() -> None:
    report = solved(hardware(), "model: 7B\ntokens: 1T\nrequire goodput >= 90%\n")
    found = next(finding for finding in report.findings if finding.code == "C004")
    assert "availability: derived" in found.help[0]


# ---- spot

SPOT = {"interruption_every": "600 GPU-hours", "wait_time": "30 minutes", "price": "1 USD/GPU/hour", "time": "?"}


def test_nobody_pays_for_devices_that_are_not_there() -> None:
    reserved, running = solved(hardware(**SPOT)), solved(hardware(**SPOT, paid="running"))
    share = figure(running, "wait_share")
    assert 0 < share < figure(running, "restart_share")
    assert figure(running, "cost") == pytest.approx(figure(reserved, "cost") * (1 - share), rel=1e-9)
    assert figure(running, "time") == figure(reserved, "time")


def test_the_price_of_an_hour_that_counts() -> None:
    report = solved(hardware(**SPOT))
    assert figure(report, "useful_price") * HOUR == pytest.approx(1 / figure(report, "goodput"), rel=1e-9)


def test_interruptions_are_of_the_hours_of_devices() -> None:
    report = solved(hardware(**SPOT))
    hours = 1024 * figure(report, "time") / HOUR
    assert figure(report, "interruptions") == pytest.approx(hours / 600, rel=1e-9)


def test_one_pool_that_stops_stops_all() -> None:
    """Two pools of one kind are one of both."""
    half = {"gpus": "512", "availability": "derived", "time": "up to 90 days"}
    both = solved(f"hardware {hardware(**half)[9:-1]} + {hardware(**half)[9:]}", SIZED)
    one = solved(hardware(availability="derived", time="up to 90 days"), SIZED)
    for name in ("goodput", "failures", "mtbf", "checkpoint_time", "time", "cost", "useful_price"):
        if one.solutions[0].quantity(name):
            assert figure(both, name) == pytest.approx(figure(one, name), rel=1e-6), name


def test_a_price_that_is_named_says_how_often_it_is_taken_back() -> None:
    offer = (
        'price spot "Spot" { price 1 USD/GPU/hour from "list"; interruption_every 600 GPU-hours from "log"'
        '; wait_time 30 minutes from "log" }\n'
    )
    named = {"price": "spot", "interruption_every": "spot.interruption_every", "wait_time": "spot.wait_time"}
    report = solved(offer + hardware(**named, time="?"))
    assert figure(report, "cost") == pytest.approx(figure(solved(hardware(**SPOT)), "cost"))


# ---- what is chosen with it


@pytest.mark.parametrize("law", ["llama3", "kaplan", "chinchilla"])
def test_a_size_that_is_chosen_is_the_one_at_the_availability_that_follows(law: str) -> None:
    """A smaller model has smaller checkpoints: that is no reason to take one of no size."""
    derived = solved(hardware(availability="derived"), f"laws: {law}\n")
    up = figure(derived, "availability")
    stated = solved(hardware(availability=f"{up:.17g}"), f"laws: {law}\n")
    assert figure(derived, "params") == pytest.approx(figure(stated, "params"), rel=0.02)
    assert figure(derived, "compute") == pytest.approx(figure(stated, "compute"), rel=1e-6)


@pytest.mark.parametrize("asked", ["gpus", "time"])
def test_how_many_and_how_long_are_found_with_it(asked: str) -> None:
    found = solved(hardware(**{asked: "?", "availability": "derived"}), SIZED)
    spent = figure(found, "gpus") * figure(found, "reserved_time") * figure(found, "availability")
    plain = solved(hardware(**{asked: "?"}), SIZED)
    assert spent == pytest.approx(figure(plain, "gpus") * figure(plain, "reserved_time"), rel=2e-3)
    assert found.solutions[0].status == "solved"


# ---- what holds of any figures

FIGURES = {
    "gpus": st.integers(1, 200_000).map(str),
    "failure_every": st.floats(100, 1e6).map("{:.6g} GPU-hours".format),
    "interruption_every": st.none() | st.floats(100, 1e6).map("{:.6g} GPU-hours".format),
    "restart_time": st.floats(0, 120).map("{:.6g} minutes".format),
    "checkpoint_time": st.floats(0.1, 600).map("{:.6g} seconds".format),
    "checkpoint_interval": st.none() | st.floats(1, 600).map("{:.6g} minutes".format),
    "stragglers": st.none() | st.floats(0, 50).map("{:.6g}%".format),
}
PARTS = ("goodput", "checkpoint_share", "restart_share", "lost_share", "straggler_share")


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries(FIGURES))
def test_any_figures_make_a_whole_or_have_a_finding(drawn: dict[str, str | None]) -> None:
    """What counts and what stops take are all of the time, and stops that come less often leave more of it."""
    stated = {name: text for name, text in drawn.items() if text is not None}
    fields = {
        "device": "",
        "mfu": "",
        "rate": "400 TFLOP/s",
        "time": "?",
        **stated,
    }  # no device has no layout to be found
    report = solved(hardware(**fields))
    if not report.solutions:
        assert codes(report) == ["U004"], "a figure that is too small to be used"
        return
    if "C003" in codes(report):
        assert report.solutions[0].status == "undecided"
        return
    shares = [found.value for name in PARTS if (found := report.solutions[0].quantity(name)) is not None]
    assert all(-1e-9 <= share <= 1.0 + 1e-9 for share in shares) and sum(shares) == pytest.approx(1.0, rel=1e-6)
    seldom = solved(hardware(**{**fields, "failure_every": "10M GPU-hours"}))
    assert figure(seldom, "goodput") >= figure(report, "goodput") * (1 - 1e-9)
    assert figure(report, "time") >= figure(seldom, "time") * (1 - 1e-9)


def test_a_range_is_solved_in_the_middle_and_judged_at_its_worst() -> None:
    often, seldom = ({"failure_every": f"{n}k GPU-hours", "gpus": "4096", "time": "?"} for n in (1, 3))
    between = {**often, "failure_every": "1k GPU-hours .. 3k GPU-hours"}
    worst, best = figure(solved(hardware(**often)), "time"), figure(solved(hardware(**seldom)), "time")
    report = solved(hardware(**between), intervals=True)
    time = value(report, "time")
    assert time.low is not None and time.high is not None
    assert time.low <= best * 1.001 and time.high >= worst * 0.999 and best < time.value < worst
    limit = f"model: 7B\ntokens: 1T\nrequire time <= {(worst + best) / 2 / HOUR:.6f} hours\n"
    assert "B001" in codes(solved(hardware(**between), limit))


@pytest.mark.parametrize(
    ("field", "figure", "said"),
    [
        ("checkpoint_interval", "30 days", "leave `checkpoint_interval` out"),
        ("checkpoint_time", "12 days", "write checkpoints sooner, or a part of them: one takes 12 days"),
        ("failure_every", "100 GPU-hours", "take fewer devices"),
    ],
)
def test_what_leaves_next_to_nothing_is_told_what_would_leave_more(field: str, figure: str, said: str) -> None:
    report = solved(hardware(gpus="16384", time="?", availability="derived", **{field: figure}))
    (found,) = (one for one in report.findings if one.code == "C003")
    assert found.help[0].startswith(said) and found.at.span.text.startswith(figure)


def test_a_deadline_that_spot_does_not_keep_is_told_what_another_offer_would_have_to_be() -> None:
    """How seldom devices are taken back, as none are on demand, or how soon others are there: each is enough."""
    spot = {"gpus": "256", "time": "up to 60 days", "from": "2027-01-11", "mfu": "40%", "storage_bandwidth": "40 GB/s"}
    spot |= {"interruption_every": "600 GPU-hours", "wait_time": "25 minutes"}
    rest = "model: llama-2-13b\ntokens: 3T\nrequire finish <= 2027-02-12\n"
    (found,) = (one for one in solved(hardware(**spot), rest).findings if one.code == "B001")
    for name in ("interruption_every", "wait_time"):
        offer = next(re.findall(f"`{name}: ([^`]+)`", line) for line in found.help if line.startswith("write"))
        assert "B001" not in codes(solved(hardware(**{**spot, name: offer[0]}), rest))
