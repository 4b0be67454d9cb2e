"""What a plan's run is on and what that gives and costs, as it was solved: in the plan's words, of its settings too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from runplan.cli.show.text.figures import bare, figure
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import RESERVED, Known, known_of, label
from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import Num
from runplan.dsl.plan.ir import Given, Hole, Pool, Within, Worded
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import iso_date
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

_TIME = unit("second").dim
_RESERVED = q.RESERVED_TIME.text
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


# The dates of a pool, by the quantity that each is.
_DATES = {"start": "from", "deadline": "until"}


def hardware(report: Report) -> tuple[str, ...]:
    """What the run is on, a pool a text."""
    stages = report.plan.stages if report.plan else ()
    out = []
    for stage in stages:
        for at, pool in enumerate(stage.hardware):
            # What stands outside of stages is of those that have none of their own.
            own = [stage.name] if stage.name else [s.name for s in stages[1:] if not s.hardware]
            of_pool = [("pool", str(at + 1))] if len(stage.hardware) > 1 else []
            parts = [(("stage", name), *of_pool) for name in own] if len(stages) > 1 else [(*of_pool,)]
            out.append(plain(_pool(pool, _found(report, parts), known_of(report))))
    return tuple(out)


def _found(report: Report, parts: Sequence[tuple[tuple[str, str], ...]]) -> dict[str, str]:
    """What was solved for of a pool of the hardware, where all laws agree on it.

    Args:
        parts: The stages that run on it, one after the other.
    """
    out = {}
    for name, known in known_of(report).items():
        field = _DATES.get(name) or (known.facts.given.name if known.facts.given else "")
        if known.facts.statement != "hardware" and name not in _DATES:
            continue
        every = [[value for part in parts if (value := s.within(*part).get(name))] for s in report.solutions]
        if name == _RESERVED:
            every = [[replace(values[0], value=sum(v.value for v in values))] if values else [] for values in every]
        said = {told(s, name, value) for s, values in zip(report.solutions, every, strict=True) for value in values}
        if len(said) == 1:
            out[field] = bare(said.pop()) if name in ("gpus", _RESERVED) else said.pop()
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
            close = abs(stated.value - value.value) < 1e-9 * abs(value.value)
            alike = stated.kind == "given" and stated.dim == _TIME and close
            if alike and re.fullmatch(r"[\d_.]+ \w+", stated.formula):
                return plain(stated.formula)
    return figure(name, value.value, value.dim, solution.problem.quantities)


def _pool(pool: Pool, found: Mapping[str, str], known: Known) -> str:
    """A pool in one line, whichever form it has in the plan."""
    figures = {
        name: found.get(name, "?") if isinstance(amount, Hole | Worded) else _amount(name, amount, known)
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
    days = {
        name: found.get(name, "?") if isinstance(day, Hole) else iso_date(day.value.value)
        for name, day in pool.dates.items()
    }
    words += [f"{name} {day}" for name, day in days.items()]
    words += [f"paid {pool.paid.text}"] if pool.paid else []
    return ", ".join([" ".join(words), *(f"{label(name, known)} {text}" for name, text in figures.items())])


def _amount(name: str, amount: Given | Within, known: Known) -> str:
    if isinstance(amount, Given):
        # What is worked out, such as a `let`, is said as what it comes to.
        value, text = amount.value, amount.span.text.strip()
        said = figure(name, value.value, value.dim, known)
        return text if isinstance(amount.expr, Num) else bare(said) if name == "gpus" else said
    low, high = (_amount(name, end, known) if end else "" for end in (amount.low, amount.high))
    return f"{low} .. {high}" if low and high else f"at least {low}" if low else f"up to {high}"
