"""A law the other way round: the budget at which a size, tokens or a loss are the best, and what reaches a loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.engine.laws.form import CHOICES, SIZES, Refused, functions_for
from runplan.engine.laws.steps import Relation, Step, formulas, optimum, relating
from runplan.engine.numeric.search import inverse, least

# Budgets, sizes and tokens are looked for between these.
LOWEST, HIGHEST = 1.0, 1e45
FAR = 1e40
# What is found agrees with what it was found from this well, or there is none.
CLOSE = 1e-6
# Where a loss is least is found to this, in logarithms: what reaches a loss lies well before it.
NEAR = 1e-3
# What the optimum of a surface has.
OF_OPTIMUM = (*SIZES, "tokens", "loss")


def best_at(
    law: Law, objective: str, values: Mapping[str, float], relation: Relation, catalogue: Library
) -> list[Step]:
    """The budget at which a law's optimum has a size or tokens that are given, or reaches a loss that is given.

    Raises:
        Refused: For a loss that no budget reaches.
    """
    known = [name for name in OF_OPTIMUM if name in values]
    if relation.whole in values or len(known) != 1:
        return []
    (name,) = known
    others = {other: value for other, value in values.items() if other != name}
    ways = [*relating(relation, catalogue), *formulas(law, objective)]

    def reached(budget: float) -> float:
        """What the optimum at a budget has of what is given: by the law's line, else where its loss is least."""
        found = others | {relation.whole: budget}
        lines = [step for step in ways if step.output in CHOICES and step.inputs == (relation.whole,)]
        for step in lines or optimum(law, objective, found, relation):
            found[step.output] = step.value(found)
        while name not in found:
            step = next(way for way in ways if way.output not in found and set(way.inputs) <= found.keys())
            found[step.output] = step.value(found)
        return found[name]

    inputs = tuple(other for other in values if other == name or _takes(law, objective, other))
    formula = (
        f"the {relation.whole} at which the optimum {'reaches this loss' if name == 'loss' else f'has these {name}'}"
    )
    found = _where(reached, name, values)
    if found is not None:
        return [
            Step(relation.whole, catalogue.quantities()[relation.whole].counted.dim, inputs, formula, lambda _: found)
        ]
    _refuse_loss(law.name, reached, relation.whole, name, values)
    return []


def reaching(law: Law, objective: str, values: Mapping[str, float], catalogue: Library) -> Iterator[Step]:
    """The size, or the tokens, at which a law's loss is one that is given, the other of them being known.

    Raises:
        Refused: For a loss that none reaches.
    """
    for function in functions_for(law, objective) if "loss" in values else ():
        lacking = [name for name in function.needs if name not in values]
        if function.output != "loss" or len(lacking) != 1 or lacking[0] not in (*SIZES, "tokens"):
            continue
        (wanted,) = lacking
        step = next(s for s in formulas(law, objective) if s.output == "loss" and s.inputs == function.needs)

        def at(value: float, wanted: str = wanted, step: Step = step) -> float:
            return step.value({**values, wanted: value})

        inputs = ("loss", *(name for name in (*function.needs, *step.optional) if name in values))
        found = _where(at, "loss", values)
        if found is None:
            _refuse_loss(law.name, at, wanted, "loss", values)
            continue
        dim = catalogue.quantities()[wanted].counted.dim
        yield Step(wanted, dim, inputs, f"the {wanted} at which the loss is this", lambda _, found=found: found)  # type: ignore[misc]


def _takes(law: Law, objective: str, name: str) -> bool:
    return any(p.quantity == name for f in functions_for(law, objective) for p in f.parameters if f.output == "loss")


def _where(function: Callable[[float], float], of: str, values: Mapping[str, float]) -> float | None:
    """The argument at which a function, falling where it is a loss and else rising, has a value; None without one.

    A loss may rise again far away, as with the drift of a fit: it is the first of two.
    """
    sign = -1.0 if of == "loss" else 1.0
    target = values[of]

    def rising(x: float) -> float:
        try:
            return sign * function(x)
        except (ArithmeticError, ValueError, KeyError, StopIteration):
            return math.inf if x > FAR else -math.inf  # beyond what a float holds

    again = of == "loss" and rising(HIGHEST) < sign * target
    found = inverse(rising, sign * target, LOWEST, _valley(function) if again else HIGHEST)
    return found if abs(rising(found) - sign * target) <= CLOSE * abs(target) else None


def _valley(loss: Callable[[float], float]) -> float:
    """Where a loss is least."""

    def at(log: float) -> float:
        try:
            return loss(math.exp(log))
        except (ArithmeticError, ValueError, KeyError, StopIteration):
            return math.inf

    low, high = math.log(LOWEST), math.log(HIGHEST)
    return math.exp(least(at, (low + high) / 2, (high - low) / 2, close=NEAR))


def _refuse_loss(
    law: str, function: Callable[[float], float], wanted: str, of: str, values: Mapping[str, float]
) -> None:
    """Refuse a loss below the least that any size, tokens or compute reach."""
    floor = -math.inf
    with suppress(ArithmeticError, ValueError, KeyError, StopIteration):
        floor = function(_valley(function)) if of == "loss" else floor
    if floor > values[of]:
        what = "compute brings" if wanted == "compute" else f"{wanted} bring"
        raise Refused(f"no {what} the loss to {values[of]:.5g}: under `{law}` it stays above {floor:.5g}")
