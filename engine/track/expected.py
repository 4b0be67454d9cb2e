"""A solved plan into what its run is held to: the trajectory, as data that can be frozen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Op, Ref
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.units.dims import Dim
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.laws.form import Refused
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

# What goes with the time that hardware is had. The quantities of a run that a log tells, and so those of which a
# requirement can be held to it.
PAID = ("cost", "gpu_hours", "energy", "emissions")
FORECAST = ("time", *PAID, "loss", "finish", "tokens", "mfu")
# The schedule of a plan that names none.
USUAL = "WSD"
# At how many shares of the tokens the law's loss is told.
POINTS = 64
# What is taken of a solution as it is, by its name there.
_FIGURES = (
    *("params", "law_params", "tokens", "steps", "batch", "learning_rate", "context", "gpus", "peak", "mfu", "price"),
    *(
        "time",
        "reserved_time",
        "compute",
        "model_compute",
        *PAID,
        "start",
        "deadline",
        "vocab",
        "availability",
        "epochs",
    ),
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
    """What a plan gives or requires of a quantity that a log tells.

    Attributes:
        text: What it is, such as the requirement as the plan has it.
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
        limits: What is required, and the bounds that are stated.
        curve: Tokens and the loss of a run that ends with so many, by the law.
        frozen: The day on which it was frozen; empty where it is the plan as it is now.
        stage: Which it is of; empty where the plan has none.
        before, before_steps: Tokens that its weights were trained on before it began, and steps of earlier stages:
            where a log counts them as well, they are taken off.
    """

    plan: str
    digest: str
    law: str
    figures: Mapping[str, Figure]
    schedule: tuple[Stretch, ...]
    limits: tuple[Limit, ...]
    curve: tuple[tuple[float, float], ...]
    frozen: str = ""
    stage: str = ""
    before: float = 0.0
    before_steps: float = 0.0

    def get(self, name: str) -> float | None:
        """A figure in base units; None where the plan has none."""
        found = self.figures.get(name)
        return None if found is None else found.value

    @property
    def tokens(self) -> float:
        """The tokens of the whole run."""
        return self.figures["tokens"].value


def expected_of(report: Report, digest: str, library: Library) -> tuple[Expected, ...]:
    """What the run of a plan is held to: of a plan with stages one for each, in order.

    Raises:
        CannotTrack: Where the plan is not solved, or tells no tokens.
    """
    if not report.solutions or report.plan is None or report.solutions[0].status != "solved":
        raise CannotTrack(f"`{report.source.path}` is not solved: `plan check` says why")
    solution, plan = report.solutions[0], report.plan
    begins = plan.start.tokens.value.value if plan.start is not None and plan.start.tokens is not None else 0.0
    held = _Held(report.source.path, digest, library)
    if not solution.problem.stages:
        limits = (*_limits(plan, solution), *_bounds(solution))
        return (held.to(plan, solution, limits, before=begins),)
    out: list[Expected] = []
    steps = 0.0
    for stage, own in zip(solution.problem.stages, stages_of(solution), strict=True):
        limits = (*_limits(stage.plan, own), *_bounds(own), *_shared(plan, solution, own, stage.name))
        out.append(held.to(stage.plan, own, limits, stage=stage.name, before=begins, before_steps=steps))
        begins, steps = begins + out[-1].tokens, steps + (out[-1].get("steps") or 0.0)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Held:
    """What is of all runs of a plan."""

    path: str
    digest: str
    library: Library

    def to(
        self,
        plan: Plan,
        solution: Solution,
        limits: tuple[Limit, ...],
        *,
        before: float,
        stage: str = "",
        before_steps: float = 0.0,
    ) -> Expected:
        """What one run is held to.

        Raises:
            CannotTrack: Where nothing tells its tokens.
        """
        figures = {
            name: Figure(found.value, found.dim, found.low, found.high, found.kind == "given")
            for name in (*_FIGURES, "loss")
            if (found := solution.quantity(name)) is not None and math.isfinite(found.value)
        }
        if "tokens" not in figures:
            of = f"stage `{stage}` of `{self.path}`" if stage else f"`{self.path}`"
            raise CannotTrack(f"{of} comes to no tokens")
        return Expected(
            plan=self.path,
            digest=self.digest,
            law=solution.resolved if "loss" in figures else "",
            figures=figures,
            schedule=tuple(_schedule(solution, plan, self.library)),
            limits=limits,
            curve=() if before else tuple(_curve(solution, self.library)),
            stage=stage,
            before=before,
            before_steps=before_steps,
        )


def _shared(plan: Plan, whole: Solution, own: Solution, stage: str) -> Iterator[Limit]:
    """What is required of all stages together, or of one by its name: for that what the others are planned to take."""
    for one in _required(plan):
        bound, name, scope = _known(one.bound, whole), one.of, one.of.scope
        if bound is None or scope not in ((), (("stage", stage),)):
            continue
        text = f"`{one.text}`"
        if not scope:
            total, mine = whole.get(name.text), own.get(name.text)
            if name.text not in _ADDED or total is None or mine is None:
                continue
            bound, text = bound - (total - mine), f"{text}, with the other stages as they are planned"
        if bound > 0:
            yield Limit(text, name.text, one.sign, bound)


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
    law, params, tokens = solution.problem.law, solution.get("law_params"), solution.get("tokens")
    whole = solution.get("loss")
    if params is None or tokens is None or whole is None:
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
    for one in _required(plan):
        if not one.of.scope and (bound := _known(one.bound, solution)) is not None:
            yield Limit(f"`{one.text}`", one.of.text, one.sign, bound)


@dataclass(frozen=True, slots=True)
class _Required:
    """What is required of what a log tells.

    Attributes:
        text: The requirement as it is written.
        sign: `<=` or `>=`, between what it is of and its bound.
    """

    text: str
    of: Name
    sign: str
    bound: Expr


def _required(plan: Plan) -> Iterator[_Required]:
    """The requirements of what a log tells."""
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
            if isinstance(own, Ref) and own.name.text in FORECAST and sign in _TURNED:
                yield _Required(requirement.span.text, own.name, sign[:1] + "=", other)


def _bounds(solution: Solution) -> Iterator[Limit]:
    """What the plan states of what a log tells: what it gives, and the ends of what it leaves open.

    What a run was found to take is no bound: it may take all of the time that it is given.
    """
    for name, (quantity, text) in _STATED.items():
        found = solution.quantity(name)
        if found is not None and found.kind == "given":
            yield Limit(text, quantity, "<=", found.value)
    for constraint in solution.problem.constraints:
        if constraint.kind not in ("range", "budget") or constraint.of is None or constraint.of.scope:
            continue
        quantity, text = _STATED.get(constraint.of.text, (constraint.of.text, constraint.of.text))
        upper = constraint.left == Ref(constraint.of)
        bound = _known(constraint.right if upper else constraint.left, solution)
        # A run that needs less than it has to be reserved for is within it.
        if quantity in FORECAST and bound is not None and (upper or constraint.of.text not in _STATED):
            sign = "<=" if upper else ">="
            said = f" ({constraint.span.text})" if constraint.span else ""
            yield Limit(f"{text}{said}", quantity, sign, bound)
    scopes = dict.fromkeys(name.scope for name in solution.values if name.scope[:1] and name.scope[0][0] == "pool")
    longest = [_longest(solution.within(*scope)) for scope in scopes]
    if longest and None not in longest:
        yield Limit("the longest time of its hardware", "time", "<=", max(one for one in longest if one is not None))


def _longest(pool: Mapping[str, Value]) -> float | None:
    """How long a pool may be at work, from the beginning of the run; None where nothing says."""
    given = [one for name in ("longest", "reserved_time") if (one := pool.get(name)) is not None]
    if "start" in pool or not given:
        return None
    return given[0].value if given[0].kind == "given" else None


# What is stated of a run's hardware, as the forecast of it is called, and as it is told.
_STATED = {
    "reserved_time": ("time", "the time that the hardware is reserved for"),
    "deadline": ("finish", "the end of the reservation"),
}
# What all stages have together is the sum of what each has.
_ADDED = ("time", "tokens", *PAID)
_TURNED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}


def _known(expr: Expr, solution: Solution) -> float | None:
    try:
        return float(value_of(expr, {name: found.value for name, found in solution.values.items()}))
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return None
