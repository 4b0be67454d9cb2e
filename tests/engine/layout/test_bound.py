"""A size, or a count of devices, that is open is kept to what is required of memory; else it is told what would fit."""

from __future__ import annotations

import re

import pytest
from reports import laid_out

from runplan.engine.report import Report

RESERVED = "hardware: 8 x H100 for 3000 days at 40% MFU\n"
COUNTED = "hardware: ? x H100 for 900 days at 40% MFU\nmodel: 13B\ntokens: 260B\n"


def errors(report: Report) -> set[str]:
    return {one.code for one in report.findings if one.severity == "error"}


@pytest.mark.parametrize("model", ["", "model: 13B .. 100B\n"])
def test_an_open_size_is_kept_to_what_is_required(model: str) -> None:
    report = laid_out(f"{RESERVED}{model}require memory_per_gpu <= 60 GB\n")
    (solution,) = report.solutions
    assert not errors(report)
    assert "memory_per_gpu <= 60 GB" in solution.binding
    assert solution["memory_per_gpu"].value <= 60e9
    assert solution["most_memory"].value <= solution["usable_memory"].value
    (free,) = laid_out(RESERVED + model).solutions
    assert solution["params"].value < free["params"].value
    assert solution["compute"].value == pytest.approx(free["compute"].value)  # tokens take what the size leaves


def test_an_open_count_is_the_fewest_that_keep_what_is_required() -> None:
    report = laid_out(f"{COUNTED}require memory_per_gpu <= 60 GB\n")
    (solution,) = report.solutions
    assert not errors(report)
    assert solution["gpus"].value == 4
    one_less = laid_out(f"{COUNTED.replace('?', '3')}require memory_per_gpu <= 60 GB\n")
    assert errors(one_less)


def test_what_no_choice_keeps_is_judged() -> None:
    report = laid_out("hardware: 2 x H100 for 900 days at 40% MFU\nmodel: 30B\nrequire memory_per_gpu <= 60 GB\n")
    assert errors(report) == {"B002", "H001"}


def test_a_chosen_size_that_does_not_fit_is_told_the_one_that_would() -> None:
    report = laid_out(RESERVED)
    (solution,) = report.solutions
    (found,) = (one for one in report.findings if one.code == "H001")
    assert "at the most" in found.help[0]
    size = solution["fitting_params"].value
    for share, code in ((0.99, set[str]()), (1.02, {"H001"})):
        report = laid_out(f"{RESERVED}model: {size * share / 1e9:.4f}B\n")
        assert {one.code for one in report.findings if one.code == "H001"} == code


@pytest.mark.parametrize(
    ("gpus", "model", "layout", "helped"),
    [
        (16, "llama-3-70b", "", True),
        (16, "llama-3-70b", "layout: micro_batch 1", True),
        (1, "6B", "", True),
        (16, "llama-3-70b", "layout: tp 8, pp 2", False),
        (3, "llama-2-13b", "layout: in fsdp2", False),
    ],
)
def test_what_is_tight_is_told_a_regime_only_where_it_fits_by_one(
    gpus: int, model: str, layout: str, helped: bool
) -> None:
    run = f"hardware: {gpus} x H100 for up to 9000 days at 1% MFU\nmodel: {model}\ntokens: 1B\n"
    (found,) = (one for one in laid_out(f"{run}{layout}\n").findings if one.code == "H001")
    assert found.severity == "warning"
    pasted = re.findall(r"`(layout: [^`]*in [^`]*)`", found.help[0])
    assert bool(pasted) is helped
    (fewest,) = map(int, re.findall(r"over (\d+) GPU", found.help[0]))
    spread = f"{run.replace(f'{gpus} x', f'{fewest} x')}{layout}\n"
    for text in (spread, *(f"{run}{one}\n" for one in pasted)):
        assert "H001" not in {one.code for one in laid_out(text).findings}


RUN = "hardware: 8 x H100 for up to 900 days at 40% MFU\nmodel: llama-3-8b\ntokens: 10B\n"


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("require P(memory_per_gpu <= 60 GB) >= 90%", "require most_memory <= 60 GB"),
        ("minimize fitting_gpus", "require fitting_gpus <= 64"),
    ],
)
def test_what_the_layout_cannot_be_asked_for_is_told_with_what_can(line: str, written: str) -> None:
    (found,) = (one for one in laid_out(f"{RUN}{line}\n").findings if one.severity == "error")
    assert found.code == "C009" and any(written in help for help in found.help)
    assert not [one for one in laid_out(f"{RUN}{written}\n").findings if one.severity == "error"]


@pytest.mark.parametrize("memory", ["?", "40 GB .. 80 GB"])
def test_memory_that_is_open_is_told_what_to_write(memory: str) -> None:
    block = f"hardware: {{ gpus: 8; device: H100; time: up to 900 days; mfu: 40%; memory: {memory} }}\n"
    (found,) = (one for one in laid_out(block + RUN.split("\n", 1)[1]).findings if one.severity == "error")
    assert found.code == "C009" and "require memory_per_gpu <= 40 GB" in found.help[1]


def test_the_layout_that_needs_the_least_at_the_most_is_chosen_where_that_is_wanted() -> None:
    (free,), (least,) = (laid_out(RUN + goal).solutions for goal in ("", "minimize most_memory\n"))
    assert least["most_memory"].value < free["most_memory"].value


@pytest.mark.parametrize(
    ("stages", "required"),
    [
        ("stage pretrain { hardware: 64 x H100 for 30 days at 40% MFU }", "memory_per_gpu"),
        ("stage pretrain { hardware: 64 x H100 for 30 days at 40% MFU; require memory_per_gpu <= 2 GB }", ""),
        ("stage pretrain { hardware: 64 x H100 for 30 days at 40% MFU }", "pretrain.memory_per_gpu"),
    ],
)
def test_a_stage_has_the_size_that_keeps_what_is_required_of_its_memory(stages: str, required: str) -> None:
    (alone,) = laid_out("hardware: 64 x H100 for 30 days at 40% MFU\nrequire memory_per_gpu <= 2 GB\n").solutions
    report = laid_out(f"{stages}\n" + (f"require {required} <= 2 GB\n" if required else ""))
    assert not [one for one in report.findings if one.severity == "error"]
    (solution,) = report.solutions
    assert solution["params"].value == pytest.approx(alone["params"].value, rel=1e-6)
    assert solution["memory_per_gpu"].value <= 2e9
