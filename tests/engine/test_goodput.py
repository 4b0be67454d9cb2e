"""What stops leave of the time of a run: golden values, published outcomes, a simulation, and never twice."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.text.reader import Buffer, Disk, Files
from runplan.engine.document import document
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
    return report_of("x.plan", at, intervals=intervals, catalogue=library)


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
    parts = ("goodput", "checkpoint_share", "restart_share", "lost_share")
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
