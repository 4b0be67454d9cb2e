"""What help says to write, pasted into the plan in the place of what stands there: the finding is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infeasible import applied, figure, plans
from known import LIBRARY

from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source
from runplan.engine.judge.at_once import at_once
from runplan.engine.judge.changes import changes_for
from runplan.engine.judge.requirements import broken_parts
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Change
from runplan.engine.report import Report
from runplan.engine.solve.conflict import with_another
from runplan.engine.solve.instead import together

FEW = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
BLOCK = "{{ gpus: {gpus}; device: H100; time: {days} days; mfu: 40%; price: 2 USD/GPU/hour }}"
LATE = """
hardware: { gpus: 256; device: H100; time: up to 18 days; from: 2027-01-11; mfu: 40% }
model: 13B\ntokens: 3T
"""
LINE = "{gpus} x H100 for {days} days at 40% MFU @ 2 USD/GPU/hour"


@st.composite
def staged(draw: st.DrawFn) -> str:
    """Stages, phases, mixes and blocks that need not go together."""

    def hardware() -> str:
        form = draw(st.sampled_from((BLOCK, LINE, f"up to {LINE}", f"{LINE} + {LINE}")))
        return form.format(gpus=8 * draw(st.integers(1, 40)), days=draw(st.integers(2, 60)))

    size = draw(st.sampled_from(("7B params", "30B", "up to 3B", "20B params, 4B active")))
    amount = figure(10 ** draw(st.floats(9, 12.3)))
    kind = draw(st.sampled_from(("stages", "phases", "mix", "block")))
    lines = [f"model: {size}"]
    if kind == "stages":
        for name in ("first", "second")[: draw(st.integers(1, 2))]:
            lines.append(f"stage {name} {{ hardware: {hardware()}; tokens: {amount} }}")
    elif kind == "phases":
        lines += [f"tokens: {amount}", f"hardware: {hardware()}", f"phase a: {figure(10 ** draw(st.floats(9, 12)))}"]
        lines[-1] += " tokens constant"
        lines.append(draw(st.sampled_from(("phase b: 20% linear", "phase b: rest linear"))))
    elif kind == "mix":
        lines += [f"tokens: {amount}", f"hardware: {hardware()}", "data web: 300B tokens weight 60%"]
        lines.append(draw(st.sampled_from(("data code: 9e10 tokens up to 2 epochs weight 40%",) * 2)))
    else:
        lines += [f"tokens: at least {amount}", f"hardware: {hardware()}"]
    wishes = (
        *("cost <= 50k USD", "time <= 4 days and tokens >= 1e9", "P(cost <= 90k USD) >= 90%", "energy <= 2e4 kWh"),
        *("time in 1 .. 4 days", "1k USD <= cost <= 50k USD", "not tokens in 1e8 .. 1e13"),
    )
    lines += [f"require {wish}" for wish in draw(st.lists(st.sampled_from(wishes), max_size=2, unique=True))]
    return "\n".join(lines) + "\n"


def reported(text: str, name: str) -> Report:
    return report_of(name, Files({name: text}), catalogue=LIBRARY, intervals=False)


def spelled(text: str) -> Iterator[tuple[str, str]]:
    """A plan in both spellings, each with the name of its file."""
    yield "a.plan", text
    yield "a.plan.yaml", formatted(Source("a.plan", text), "yaml")[0]


def changes_of(report: Report) -> Iterator[tuple[str, Change]]:
    """What the help of each finding offers, with the key of the requirement that it is about."""
    (solution,) = report.solutions
    solution = solution.worst or solution
    if solution.status == "infeasible":
        for one in solution.conflict if len(solution.conflicts) == 1 else ():
            yield from (("", change) for change in (one.change, *one.others) if change)
        if len(solution.conflicts) == 1 and (both := with_another(solution.problem, solution.conflict)):
            yield "", together(both)
        return
    env = {name: value.value for name, value in solution.values.items()}
    for requirement in solution.problem.decided:
        if broken := broken_parts(requirement, env):
            parts = [one.part for one in broken]
            yield from ((requirement.key, change) for change in changes_for(solution, requirement, parts))


def is_gone(report: Report, key: str) -> bool:
    """Whether a plan has room, or keeps a requirement."""
    assert report.solutions, [found.message for found in report.findings]
    (solution,) = report.solutions
    if not key:
        return (solution.worst or solution).status != "infeasible"
    return not any(found.key == key and found.severity == "error" for found in report.findings)


def holds_when_pasted(text: str) -> int:
    """How many changes were pasted."""
    count = 0
    for name, spelling in spelled(text):
        report = reported(spelling, name)
        if not report.solutions:
            continue
        for key, change in changes_of(report):
            new = applied(spelling, change)
            for piece in change.text.split("` with `"):
                assert piece in " ".join(new.split()), (piece, new)
            assert is_gone(reported(new, name), key), (change.text, spelling)
            count += 1
    return count


@FEW
@given(plans())
def test_what_makes_room_is_pasted(text: str) -> None:
    holds_when_pasted(text)


@FEW
@given(staged())
def test_what_makes_room_of_stages_phases_and_mixes_is_pasted(text: str) -> None:
    holds_when_pasted(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("model: 70B params\ntokens: 2T\nhardware: 256 x H100 for 30 days at 45% MFU\n", "728 x H100"),
        ("model: 70B params\ntokens: 2T\nhardware: 256 x H100 for 30 days at 45% MFU\n", "tokens: 703.4B"),
        ("model: 7B\ndata: 500B tokens\ntokens: 2T\n", "data: 500B tokens up to 4 epochs"),
        ("hardware: 8 x H100 for 9 days at 40% MFU @ 2 USD/GPU/hour\nrequire cost <= 1k USD\n", "@ 0.578 USD/GPU/hour"),
        ("compute: 1e21 FLOP\nrequire loss in 2.0 .. 2.2\n", "loss in 2.0 .. 2.306"),
        ("compute: 1e21 FLOP\nrequire 2.0 <= loss <= 2.2\n", "2.0 <= loss <= 2.306"),
        (f"{LATE}require finish <= 2027-01-31\n", "finish <= 2027-02-07` and `time: up to 26.74 days"),
    ],
)
def test_what_to_write_is_what_the_plan_has(text: str, written: str) -> None:
    for name, spelling in spelled(text):
        found = [one for one in reported(spelling, name).findings if one.severity == "error"]
        assert any(f"`{written}`" in line for one in found for line in one.help), [one.help for one in found]
    assert holds_when_pasted(text)


def test_help_of_all_that_is_wrong_is_pasted_at_once() -> None:
    """Each of these is mended by itself with what the other one takes away again."""
    hardware = "hardware: {} for {} days at 40% MFU @ 2 USD/GPU/hour\n"
    texts = (
        hardware.format("64 x H100", "up to 30") + "tokens: 20T\nrequire gpus <= 16\nrequire tokens / params <= 10\n",
        hardware.format("1000 x H100", "up to 90") + "model: 400B\nrequire gpus <= 250\nrequire tokens >= 3T\n",
        hardware.format("64 x H100", "90") + "tokens: at least 1T\nrequire loss <= 2.0\nrequire cost <= 10k USD\n",
    )
    for text, place in zip(texts, (0, 1, 0), strict=True):
        name, spelling = [*spelled(text)][place]
        report = reported(spelling, name)
        wrong = [one for one in report.findings if one.severity == "error"]
        assert len(wrong) == 2 and all(one.help[-2].startswith("all of this fits with ") for one in wrong), text
        new = applied(spelling, together(at_once(report.solutions[0])))
        assert all(piece in " ".join(new.split()) for piece in wrong[0].help[-1].split("`")[1::2]), new
        assert not [one.message for one in reported(new, name).findings if one.severity == "error"], new


@pytest.mark.parametrize("written", ["math: 80B tokens up to 3 epochs", "math: 83.34B tokens"])
def test_what_is_wished_of_a_source_is_mended_at_the_source(written: str) -> None:
    text = """model: 7B
hardware: 64 x H100 for 56 days at 40% MFU
data web: 3T tokens weight 70%
data code: 500B tokens weight 20%
data math: 80B tokens up to 4 epochs weight 10%
prefer epochs.math <= 3
"""
    for name, spelling in spelled(text):
        (found,) = (one for one in reported(spelling, name).findings if one.code == "B003")
        assert any(f"{written}`" in line for line in found.help), found.help
        assert found.help[0].count("data web weight") == 1, "of weights that of the source, which the others follow"
        stands = "80B tokens" if "83" in written else "80B tokens up to 4 epochs"
        pasted = spelling.replace(stands, written.partition(": ")[2])
        assert not any(one.code == "B003" for one in reported(pasted, name).findings)
