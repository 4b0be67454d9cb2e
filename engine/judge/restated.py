"""A plan's own text to whether a solution does what it says: by what is written, and by no expression of the solver.

Figures are those of the statements, in base units. What is bounded lies within its bounds; what is there is enough for
what is done with it, pool by pool and source by source; and a requirement that the numbers break has its finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.logic import SHORT
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import COMPARISONS, Expr, Op, names, walk
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.plan.ir import Amount, Given, Hole, Plan, Pool, Stage, Within
from runplan.dsl.text.finding import Finding
from runplan.dsl.units.base import EPOCH, TOKEN
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.digits import NOTE
from runplan.engine.solve.verify import BrokenInvariant

# What is said is done to this share: a search ends where limits are kept to less.
DONE = 1e-6
# A count is whole when it is off by no more than this share of one.
WHOLE = 1e-6
DAY = 86400.0
# Figures of devices that mean what they say; what a rate counts depends on the model's attention.
PLAIN = frozenset("gpus time gpu_hours price power pue carbon_intensity availability hours_per_day nodes_of".split())
OTHERWISE_NAMED = {"time": q.RESERVED_TIME.text}
# The least and the most that something may be.
Ends = tuple[Given | None, Given | None]


@dataclass(frozen=True, slots=True)
class Said:
    """That a value lies between two ends."""

    text: str
    value: float
    low: float
    high: float

    def is_done(self, within: float) -> bool:
        """Whether it does, but for a share."""
        return self.value >= self.low - within * abs(self.low) and self.value <= self.high + within * abs(self.high)


def restate(plan: Plan, solution: Solution, findings: Iterable[Finding]) -> None:
    """Check a solution against the text of its plan.

    Args:
        findings: What was found of the plan under this law.

    Raises:
        BrokenInvariant: Where a solved plan is not what it says, and nothing says so.
    """
    if solution.status != "solved":
        return
    eased = any(d.note == NOTE for d in solution.problem.definitions.values())
    within = SHORT if eased else DONE
    for said in _said(plan, solution):
        if not said.is_done(within):
            ends = f"{said.low:.6g} .. {said.high:.6g}"
            raise BrokenInvariant(f"`{said.text}` is {said.value:.9g} under {solution.resolved}, not in {ends}")
    told = {found.key for found in findings if found.key}
    env = {name: value.value for name, value in solution.values.items()}
    for requirement in plan.requires:
        if requirement.key not in told and _holds(requirement.condition, env) is False:
            text = requirement.span.said
            raise BrokenInvariant(f"`{text}` is broken under {solution.resolved}, and nothing says so")


def _holds(condition: Expr, env: Mapping[Name, float]) -> bool | None:
    """Whether a condition holds of values; None where they do not tell, or are at its bound, to rounding."""
    if not isinstance(condition, Op):
        return None
    if condition.op in ("and", "or"):
        parts = [_holds(arg, env) for arg in condition.args]
        decisive = condition.op == "or"
        return decisive if decisive in parts else None if None in parts else not decisive
    if condition.op == "not":
        inner = _holds(condition.args[0], env)
        return None if inner is None else not inner
    if condition.op not in COMPARISONS or any(isinstance(item, Op) and item.op == "P" for item in walk(condition)):
        return None
    try:
        left, right = (float(value_of(side, env)) for side in condition.args)
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return None
    if abs(left - right) <= DONE * max(abs(left), abs(right)):
        return None
    return condition.op == "!=" if condition.op in ("==", "!=") else (left < right) == (condition.op in ("<", "<="))


# ---- what statements say


def _said(plan: Plan, solution: Solution) -> Iterator[Said]:
    """What a plan says of its values, as far as it says it in figures."""
    if plan.model is not None:
        low, high = _ends(plan.model.params)
        # Of experts that are asked for, whole ones, a stated size is the most that they may come to.
        asked = isinstance(plan.model.params, Given) and q.EXPERTS in solution.problem.asked
        # Beside a shape that counts them a size is what the model is called, and has its finding where it is another.
        size = solution.problem.definitions.get(q.PARAMS)
        counted = size is not None and q.EMBEDDING_PARAMS in names(size.expr)
        if asked or not counted:
            yield from _between(solution, q.PARAMS, (None, high) if asked else (low, high))
    staged = len(plan.stages) > 1
    for stage in plan.stages:
        if not (staged and not stage.name):  # what stands outside of stages is for all of them
            yield from _of_stage(stage, solution)


def _of_stage(stage: Stage, solution: Solution) -> Iterator[Said]:
    scope = (("stage", stage.name),) if stage.name else ()
    transfer = stage.objective is not None and stage.objective.kind == "transfer"
    if not transfer:
        yield from _between(solution, Name(q.TOKENS.text, scope=scope), _ends(stage.tokens))
    yield from _between(solution, Name(q.COMPUTE.text, scope=scope), (None, _ends(stage.compute)[1]))
    several = len(stage.hardware) > 1
    for at, pool in enumerate(stage.hardware, 1):
        own = (*scope, ("pool", str(at))) if several else scope
        for field, amount in pool.figures.items():
            # Hours that stand beside a count or a time agree with these to their digits.
            if field in PLAIN and (field != "gpu_hours" or pool.bought):
                yield from _between(solution, Name(OTHERWISE_NAMED.get(field, field), scope=own), _ends(amount))
        yield from _whole(solution, pool, own)
    if stage.hardware:
        yield from _enough(solution, stage, scope)
    if not transfer:
        yield from _sources(solution, stage, scope)


def _between(solution: Solution, name: Name, ends: Ends) -> Iterator[Said]:
    """That a quantity lies between what is said; nothing where that is said in another unit."""
    value = solution.get(name)
    known = [end.value for end in ends if end is not None]
    if value is None or not known or any(end.dim != solution.values[name].dim for end in known):
        return
    low, high = (end.value.value if end is not None else None for end in ends)
    yield Said(str(name), value, -math.inf if low is None else low, math.inf if high is None else high)


def _ends(amount: Amount | None) -> Ends:
    """The least and the most that an amount may be, as far as the plan says it."""
    if isinstance(amount, Given):
        return amount, amount
    return (amount.low, amount.high) if isinstance(amount, Within) else (None, None)


def _whole(solution: Solution, pool: Pool, scope: tuple[tuple[str, str], ...]) -> Iterator[Said]:
    """That devices that are asked for come in full nodes."""
    count = solution.get(Name(q.GPUS.text, scope=scope))
    node = pool.figures.get("nodes_of")
    step = node.value.value if isinstance(node, Given) else 1.0
    if count is not None and isinstance(pool.figures.get("gpus"), Hole):
        nodes = count / step
        yield Said(f"nodes of {step:g}", nodes, round(nodes) - WHOLE, round(nodes) + WHOLE)


def _enough(solution: Solution, stage: Stage, scope: tuple[tuple[str, str], ...]) -> Iterator[Said]:
    """That the devices can do what is done with them, each pool in its time."""
    several = len(stage.hardware) > 1
    there = 0.0
    for at in range(1, len(stage.hardware) + 1):
        own = (*scope, ("pool", str(at))) if several else scope
        names = (q.GPUS, q.RATE, q.RESERVED_TIME, q.AVAILABILITY, q.HOURS_PER_DAY)
        figures = [solution.get(Name(name.text, scope=own)) for name in names]
        if None in figures:
            return
        gpus, rate, time, up, hours = (figure or 0.0 for figure in figures)
        there += gpus * rate * time * up * hours / DAY
    kept = _ends(stage.reserve.share)[0] if stage.reserve is not None else None
    share = kept.value.value if kept is not None else 0.0
    done = solution.get(Name(q.MODEL_COMPUTE.text, scope=scope))
    if done is not None:
        yield Said("what the devices give", done, 0.0, there * (1.0 - share))


def _sources(solution: Solution, stage: Stage, scope: tuple[tuple[str, str], ...]) -> Iterator[Said]:
    """That no source is seen more often than it may be, and that a weight is its share."""
    mixed = stage.schedule is not None and any(phase.mix for phase in stage.schedule.phases)
    once = _passes(stage.tokens)
    for source in stage.data:
        own = (*scope, ("source", source.name or "data"))
        used, share = (solution.get(Name(name.text, scope=own)) for name in (q.TOKENS, q.SHARE))
        if source.stage is not None or not isinstance(source.amount, Given):
            continue
        there = source.amount.value.value
        if source.density is not None and source.amount.value.dim != TOKEN:
            there /= source.density.value.value
        passes = source.epochs.value.value if isinstance(source.epochs, Given) else once
        if used is not None and (source.epochs is None or isinstance(source.epochs, Given)):
            yield Said(f"tokens of {source.name or 'the data'}", used, 0.0, there * passes)
        if share is not None and not mixed:
            low, high = (end.value.value if end is not None else None for end in _ends(source.weight))
            yield Said(f"weight of {source.name}", share, low or 0.0, 1.0 if high is None else high)


def _passes(tokens: Amount | None) -> float:
    """How often a source may be seen that says no epochs: once, or as often as the tokens are told in passes."""
    low, high = _ends(tokens)
    if not any(end is not None and end.value.dim == EPOCH for end in (low, high)):
        return 1.0
    return high.value.value if high is not None else math.inf
