"""A solved plan into what its run is held to: the trajectory, as data that can be frozen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import COMPARISONS, Expr, Op, Ref
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.units.dims import Dim
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.laws.form import Refused
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# The quantities of a run that a log tells, and so those of which a requirement can be held to it.
FORECAST = ("time", "cost", "loss", "finish", "gpu_hours", "tokens", "mfu")
# The schedule of a plan that names none.
USUAL = "WSD"
# At how many shares of the tokens the law's loss is told.
POINTS = 64
# What is taken of a solution as it is, by its name there.
_FIGURES = (
    *("params", "law_params", "tokens", "steps", "batch", "learning_rate", "context", "gpus", "peak", "mfu", "price"),
    *("time", "reserved_time", "compute", "model_compute", "cost", "start", "deadline", "vocab", "availability"),
)


class CannotTrack(RunplanError):
    """Raised where a plan tells nothing that a run could be held to; the message says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the plan, in base units.

    Attributes:
        low, high: Its 80 % interval, where it has one.
        given: Whether the plan states it: a law or a default tells the others.
    """

    value: float
    dim: Dim
    low: float | None = None
    high: float | None = None
    given: bool = True


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase of the schedule.

    Attributes:
        tokens: At which it ends.
        start, end: The learning rate, as a share of its peak.
        shape: How it goes from one to the other.
    """

    name: str
    tokens: float
    start: float
    end: float
    shape: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What is required of a quantity that a log tells.

    Attributes:
        text: As the plan says it.
        sign: `<=` or `>=`.
        bound: In base units.
    """

    text: str
    quantity: str
    sign: str
    bound: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run is held to.

    Attributes:
        plan: The path of the plan.
        digest: Of what it says; what was frozen is compared by it.
        law: Which predicts the loss; empty where none does.
        figures: Of the plan, by quantity.
        schedule: The phases, in order; empty where the plan has none.
        limits: What is required.
        curve: Tokens and the loss of a run that ends with so many, by the law.
        frozen: The day on which it was frozen; empty where it is the plan as it is now.
    """

    plan: str
    digest: str
    law: str
    figures: Mapping[str, Figure]
    schedule: tuple[Stretch, ...]
    limits: tuple[Limit, ...]
    curve: tuple[tuple[float, float], ...]
    frozen: str = ""

    def get(self, name: str) -> float | None:
        """A figure in base units; None where the plan has none."""
        found = self.figures.get(name)
        return None if found is None else found.value

    @property
    def tokens(self) -> float:
        """The tokens of the whole run."""
        return self.figures["tokens"].value


def expected_of(report: Report, digest: str, library: Library) -> Expected:
    """What the run of a plan is held to.

    Raises:
        CannotTrack: Where the plan is not solved, or tells no tokens.
    """
    if not report.solutions or report.plan is None or report.solutions[0].status != "solved":
        raise CannotTrack(f"`{report.source.path}` is not solved: `plan check` says why")
    solution = report.solutions[0]
    if solution.problem.stages:
        raise CannotTrack(f"`{report.source.path}` has stages: a log is held to a plan of one run")
    figures = {
        name: Figure(found.value, found.dim, found.low, found.high, found.kind == "given")
        for name in (*_FIGURES, "loss")
        if (found := solution.quantity(name)) is not None and math.isfinite(found.value)
    }
    if "tokens" not in figures:
        raise CannotTrack(f"`{report.source.path}` comes to no tokens")
    return Expected(
        plan=report.source.path,
        digest=digest,
        law=solution.resolved if "loss" in figures else "",
        figures=figures,
        schedule=tuple(_schedule(solution, report.plan, library)),
        limits=tuple(_limits(report.plan, solution)),
        curve=tuple(_curve(solution, library)),
    )


def _schedule(solution: Solution, plan: Plan, library: Library) -> Iterator[Stretch]:
    peak = solution.get("learning_rate")
    named = library.schedule(
        plan.outer.schedule.name.text if plan.outer.schedule and plan.outer.schedule.name else USUAL
    )
    shapes = {phase.name: phase.shape for phase in named.phases} if named is not None else {}
    shapes |= {phase.name: phase.shape.text for phase in plan.outer.schedule.phases} if plan.outer.schedule else {}
    reached = 0.0
    for name in solution.problem.phases:
        part = solution.within(("phase", name))
        tokens, start, end = part.get("tokens"), part.get("learning_rate.start"), part.get("learning_rate.end")
        if tokens is None or start is None or end is None or not peak:
            return
        reached += tokens.value
        yield Stretch(name, reached, start.value / peak, end.value / peak, shapes.get(name, name))


def _curve(solution: Solution, library: Library) -> Iterator[tuple[float, float]]:
    """The law's loss of runs of the plan's size that end sooner; nothing where it takes more than these two."""
    law, params, tokens = library.law(solution.resolved), solution.get("law_params"), solution.get("tokens")
    whole = solution.get("loss")
    if law is None or params is None or tokens is None or whole is None:
        return
    for i in range(1, POINTS + 1):
        at = tokens * (i / POINTS) ** 2
        try:
            found = evaluate(law, {"params": params, "tokens": at}, catalogue=library).outputs.get("loss")
        except Refused:
            return
        if found is not None:
            yield at, found.value


def _limits(plan: Plan, solution: Solution) -> Iterator[Limit]:
    """What is required of what a log tells, where the other side is known before the run."""
    for requirement in plan.requires:
        condition = requirement.condition
        if (
            requirement.soft
            or not isinstance(condition, Op)
            or condition.op not in COMPARISONS
            or len(condition.args) != 2
        ):
            continue
        left, right = condition.args
        for own, other, sign in ((left, right, condition.op), (right, left, _TURNED.get(condition.op, ""))):
            if isinstance(own, Ref) and not own.name.scope and own.name.text in FORECAST and sign in _TURNED:
                bound = _known(other, solution)
                if bound is not None:
                    yield Limit(requirement.span.text, own.name.text, sign[:1] + "=", bound)


_TURNED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}


def _known(expr: Expr, solution: Solution) -> float | None:
    try:
        return float(value_of(expr, {name: found.value for name, found in solution.values.items()}))
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return None
