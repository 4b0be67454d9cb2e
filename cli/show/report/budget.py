"""What a plan's run is on and what that gives and costs, as it was solved: in the plan's words, of its settings too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from runplan.cli.show.text.figures import bare, figure
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import RESERVED, Known, known_of, label
from runplan.dsl.expr.tree import Num
from runplan.dsl.plan.ir import Given, Hole, Pool, Within
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import iso_date
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

_TIME = unit("second").dim
# Fields of a pool in the order of its one-line form, and how that says each; others follow as `name figure`.
_SPOKEN: dict[str, Callable[[str], str]] = {
    "time": "for {}".format,
    "mfu": "at {} MFU".format,
    "rate": "at {}".format,
    "throughput": "at {}".format,
    "joint_throughput": "at {}".format,
    "step_time": "at {}".format,
    "price": "@ {}".format,
    "nodes_of": "in nodes of {}".format,
}


def hardware(report: Report) -> tuple[str, ...]:
    """What the run is on, a pool a text."""
    pools = [pool for stage in report.plan.stages for pool in stage.hardware] if report.plan else []
    found = _found(report) if len(pools) == 1 else {}
    return tuple(plain(_pool(pool, found, known_of(report))) for pool in pools)


def _found(report: Report) -> dict[str, str]:
    """What was solved for of the hardware, where all laws agree on it."""
    out = {}
    for field, name in (("gpus", "gpus"), ("time", "reserved_time"), ("gpu_hours", "gpu_hours")):
        said = {told(s, name, value) for s in report.solutions if (value := s.quantity(name))}
        if len(said) == 1:
            out[field] = said.pop() if field == "gpu_hours" else bare(said.pop())
    return out


def budget(report: Report) -> tuple[str, ...]:
    """What that gives, and what it costs, a figure a text; of the time it is not plain what it is of."""
    return tuple(
        f"{RESERVED} {text}" if name == "time" else text
        for name, value in report.budget.items()
        for text in [told(report.solutions[0], name, value)]
    )


def told(solution: Solution, name: str, value: Value) -> str:
    """A figure of a solution; a duration that the plan states, in the plan's own unit."""
    if value.dim == _TIME:
        for stated in solution.values.values():
            alike = stated.kind == "given" and stated.dim == _TIME and abs(stated.value / value.value - 1) < 1e-9
            if alike and re.fullmatch(r"[\d_.]+ \w+", stated.formula):
                return plain(stated.formula)
    return figure(name, value.value, value.dim, solution.problem.quantities)


def _pool(pool: Pool, found: Mapping[str, str], known: Known) -> str:
    """A pool in one line, whichever form it has in the plan."""
    figures = {
        name: found.get(name, "?") if isinstance(amount, Hole) else _amount(name, amount, known)
        for name, amount in pool.figures.items()
    }
    device = pool.device.text if pool.device else ""
    if pool.bought:
        words = [f"{figures.pop('gpu_hours')}{f' of {device}' if device else ''}"]
    else:
        count = figures.pop("gpus", found.get("gpus", "?"))
        words = [f"{count} x {device}" if device else f"{count} GPUs"]
    if pool.precision:
        words.append(f"in {pool.precision.text}")
    words += [say(figures.pop(name)) for name, say in _SPOKEN.items() if name in figures]
    words += [f"{name} {iso_date(day.value.value)}" for name, day in pool.dates.items()]
    words += [f"paid {pool.paid.text}"] if pool.paid else []
    return ", ".join([" ".join(words), *(f"{label(name, known)} {text}" for name, text in figures.items())])


def _amount(name: str, amount: Given | Within, known: Known) -> str:
    if isinstance(amount, Given):
        # What is worked out, such as a `let`, is said as what it comes to.
        value, text = amount.value, amount.span.text.strip()
        return text if isinstance(amount.expr, Num) else bare(figure(name, value.value, value.dim, known))
    low, high = (_amount(name, end, known) if end else "" for end in (amount.low, amount.high))
    return f"{low} .. {high}" if low and high else f"at least {low}" if low else f"up to {high}"
