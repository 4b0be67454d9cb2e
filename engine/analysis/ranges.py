"""A plan with ranges on what nature decides to three plans: at the middle, and at the worst and the best ends."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runplan.dsl.expr.tree import Num
from runplan.dsl.plan.ir import Amount, Given, Plan, Pool, Within
from runplan.dsl.units.show import show
from runplan.dsl.units.table import Quantity
from runplan.engine.formulate.hardware import NATURE
from runplan.engine.problem.solution import Solution, Value

# Of these more is better; of the others that nature decides, less is.
MORE_IS_BETTER = frozenset({"mfu", "rate", "availability"})


@dataclass(frozen=True, slots=True)
class Ends:
    """The plan at the middle of its ranges, and at their ends.

    Attributes:
        said: The worst ends in words.
    """

    middle: Plan
    worst: Plan
    best: Plan
    said: str


def ends_of(plan: Plan) -> Ends | None:
    """The three plans; None where no figure that nature decides is a range."""
    said: list[str] = []
    for stage in plan.stages:
        for pool in stage.hardware:
            for name, amount in pool.figures.items():
                if ends := _range(name, amount):
                    low, high = ends
                    end = low if name in MORE_IS_BETTER else high
                    said.append(f"{name} {show(end.value.value, end.value.dim)}")
    if not said:
        return None
    return Ends(_at(plan, "middle"), _at(plan, "worst"), _at(plan, "best"), ", ".join(said))


def _range(name: str, amount: Amount) -> tuple[Given, Given] | None:
    if name in NATURE and isinstance(amount, Within) and amount.low and amount.high:
        return amount.low, amount.high
    return None


def _at(plan: Plan, where: str) -> Plan:
    def figure(name: str, amount: Amount) -> Amount:
        ends = _range(name, amount)
        if ends is None:
            return amount
        low, high = ends
        if where == "middle":
            value = (low.value.value + high.value.value) / 2
            return Given(Quantity(value, low.value.dim), Num(value, low.value.dim), amount.span)
        end = low if (where == "worst") == (name in MORE_IS_BETTER) else high
        return replace(end, span=amount.span)

    def pool(one: Pool) -> Pool:
        return replace(one, figures={name: figure(name, amount) for name, amount in one.figures.items()})

    stages = tuple(replace(stage, hardware=tuple(map(pool, stage.hardware))) for stage in plan.stages)
    return replace(plan, stages=stages)


def spread(middle: Solution, worst: Solution, best: Solution, said: str) -> Solution:
    """The solution at the middle, each value with what the ends and the law's constants make of it, and the worst
    for judging."""

    def widened(value: Value) -> Value:
        others = [s.values[value.name] for s in (worst, best) if value.name in s.values]
        lows = [v.value if v.low is None else v.low for v in (value, *others)]
        highs = [v.value if v.high is None else v.high for v in (value, *others)]
        low, high = min(lows), max(highs)
        return replace(value, low=low, high=high) if high - low > 1e-9 * abs(value.value) else value

    values = {name: widened(value) for name, value in middle.values.items()}
    return replace(middle, values=values, worst=worst, worst_at=said)
