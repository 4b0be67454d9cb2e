"""A law and some of its inputs to every output that they determine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.dimensions import is_bare
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.packs.quantity import Counted
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show_dim
from runplan.engine.laws.form import BUDGETS, CHOICES, Refused, functions_for, size_of, weighs, without_domain
from runplan.engine.laws.inverted import best_at, reaching
from runplan.engine.laws.steps import (
    SERVED,
    Step,
    following,
    formulas,
    optimum,
    outputs_of,
    relating,
    relations_of,
    served,
    surface,
    turned_round,
)

# Three figures of which two give the third are taken as given together where they agree this well.
AGREE = 1e-3


@dataclass(frozen=True, slots=True)
class Output:
    """A value that a law gives.

    Attributes:
        value: In base units.
        formula: As the pack wrote it; what was minimised, where it was.
        inputs: Names of the values that went in.
    """

    name: str
    value: float
    dim: Dim
    formula: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A law at some inputs.

    Attributes:
        objective: The one that it was evaluated for, as the law names it.
        given: The inputs, in base units; `params` here and in the outputs are those that the law counts.
        outputs: By name, in the order in which they were found.
        beyond: Names of values outside the range that the law was fitted to.
        unused: Names of inputs that nothing was found from.
    """

    law: Law
    objective: str
    given: Mapping[str, float]
    outputs: Mapping[str, Output]
    beyond: tuple[str, ...]
    unused: tuple[str, ...]


def evaluate(law: Law, given: Mapping[str, float], objective: str | None = None, *, catalogue: Library) -> Evaluation:
    """Every output of a law that the inputs determine.

    Args:
        given: Inputs in base units; `params` are those that the law counts.
        objective: As `MLM` or `MLM of protein`; where none is named the first that takes all of the inputs.

    Raises:
        Refused: For an input that the law does not take, and for a value outside the domain.
    """
    taken = accepted(law, catalogue)
    for name, value in given.items():
        _refuse(law, name, value, taken, catalogue)
    objective = objective_of(law, objective, given)
    relations = [r for r in relations_of(law, catalogue) if r.exponents.keys() <= taken.keys()]
    products = [step for relation in relations for step in relating(relation, catalogue)]
    budgets = [relation for relation in relations if relation.whole in BUDGETS]
    _refuse_contradiction(products, given)
    found: dict[str, Output] = {}
    values = dict(given)
    # What two givens fix by definition comes before what a law says of one of them.
    _apply(products, values, found)
    own = tuple(formulas(law, objective))
    after = tuple(following(law, catalogue))
    while True:
        before = len(values)
        for some in (own, products, after):
            _apply(some, values, found)
        for relation in budgets if len(values) == before else ():
            _apply(optimum(law, objective, values, relation), values, found)
        if len(values) == before:
            _apply(served(law, objective, values, catalogue), values, found)
        if len(values) == before:
            _apply(turned_round(law, objective, catalogue), values, found)
        if len(values) == before:
            _apply(reaching(law, objective, values, catalogue), values, found)
        for relation in budgets if len(values) == before else ():
            _apply(best_at(law, objective, values, relation, catalogue), values, found)
        if len(values) == before:
            break
    _refuse_contradiction([step for step in own if step.output not in (*CHOICES, *BUDGETS)], given, values)
    beyond = tuple(
        name for name, (low, high) in law.fitted.items() if name in values and not low <= values[name] <= high
    )
    used = {name for output in found.values() for name in output.inputs}
    unused = tuple(name for name in given if name not in used)
    return Evaluation(law, objective, dict(given), found, beyond, unused)


def objective_of(law: Law, text: str | None, given: Iterable[str] = ()) -> str:
    """An objective as the law names it; where none is named the first whose formulas take all that is given.

    Raises:
        Refused: Where the law is not for it.
    """
    if text is None:
        own = {p.quantity for f in law.functions for p in f.parameters} & set(given)
        takes = (o for o in law.objectives if own <= {p.quantity for f in functions_for(law, o) for p in f.parameters})
        return next(takes, law.objectives[0] if law.objectives else "")
    wanted = " ".join(text.split()).lower()
    for known in law.objectives:
        if wanted in (known.lower(), without_domain(known).lower()):
            return known
    of = enumerated(law.objectives or ("no objective",))
    raise Refused(f"`{law.name}` is for {of}, not for {text}")


def inputs_of(law: Law, catalogue: Library) -> Mapping[str, Counted]:
    """What a law can be given, and the unit in which a number without one counts it.

    A quantity of plans counts as it does there, whatever the unit inside the law's formula.
    """
    quantities = catalogue.quantities()
    parameters = [*(p for f in law.functions for p in f.parameters), *(t.parameter for t in law.tables)]
    found = {p.quantity: quantities[p.quantity].counted if p.quantity in quantities else p.counted for p in parameters}
    touched = found.keys() | set(outputs_of(law))
    for relation in relations_of(law, catalogue):
        # A budget is of use to a law that knows more of it than the params.
        if relation.whole in BUDGETS and touched & (relation.exponents.keys() - {size_of(law)}):
            found |= {name: quantities[name].counted for name in relation.exponents if name not in found}
    if surface(law) is not None:
        # A loss to reach tells what is best for it, and with tokens to serve what is cheapest over both.
        found |= {name: quantities[name].counted for name in SERVED if name in quantities}
    elif any(map(weighs, law.functions)):
        found["loss"] = quantities["loss"].counted
    return found


def accepted(law: Law, catalogue: Library) -> Mapping[str, Counted]:
    """What a law can be given: its inputs, and what these are in a product with, such as epochs with the tokens."""
    found = dict(inputs_of(law, catalogue))
    touched = found.keys() | set(outputs_of(law))
    for relation in relations_of(law, catalogue):
        if touched & (relation.exponents.keys() - {size_of(law)}):
            found |= {name: catalogue.quantities()[name].counted for name in relation.exponents}
    return found


def in_base(name: str, number: Num, counted: Counted) -> float:
    """A figure in base units; without a unit it is counted as the input is.

    Raises:
        Refused: Where its unit is one of another dimension, or it is a share of nothing.
    """
    if not number.dim and (not counted.dim or is_bare(number)):
        return number.value * counted.factor
    if not number.dim:
        raise Refused(f"`{name}` is in {show_dim(counted.dim)}; `{number.text}` is a plain number")
    if number.dim != counted.dim:
        raise Refused(f"`{name}` is in {show_dim(counted.dim)}, not in {show_dim(number.dim)}")
    return number.value


# ---- what is refused


def _refuse(law: Law, name: str, value: float, taken: Mapping[str, Counted], catalogue: Library) -> None:
    if name not in taken:
        raise Refused(f"`{law.name}` does not take `{name}`; it takes {_listed(taken) or 'nothing'}")
    # Zero has a meaning only where its quantity says so, as a sparsity does, or the law, which takes it unless said.
    known = catalogue.quantities().get(name)
    unless_said = [p.default for function in law.functions for p in function.parameters if p.quantity == name]
    may_be_zero = known is None or known.facts.may_be_zero or 0.0 in unless_said
    if not (0.0 < value < math.inf or (value == 0.0 and may_be_zero)):
        least = "0 or more" if may_be_zero else "above 0"
        raise Refused(f"`{name}` must be a number {least}")


def _refuse_contradiction(
    steps: Sequence[Step], given: Mapping[str, float], values: Mapping[str, float] | None = None
) -> None:
    """Refuse a given that a step gives otherwise, from givens or from all the values that are known."""
    known = given if values is None else values
    for step in steps:
        if step.output not in given or not all(name in known for name in step.inputs):
            continue
        try:
            value = step.value(known)
        except KeyError:  # a constant is left free: the law says nothing
            continue
        except (ArithmeticError, ValueError):  # beyond what a float holds
            value = math.inf
        if not math.isclose(value, given[step.output], rel_tol=AGREE):
            raise Refused(f"{_listed([*step.inputs, step.output])} contradict each other: {step.formula}")


def _listed(items: Iterable[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)


# ---- steps


def _apply(steps: Iterable[Step], values: dict[str, float], found: dict[str, Output]) -> None:
    """Take every step whose inputs are known at the start; of two that give the same, the first counts.

    One that may be given more waits for the steps that find it: its default is for what nothing finds.
    """
    known = dict(values)
    ready = [s for s in steps if s.output not in known and all(name in known for name in s.inputs)]
    found_now = {step.output for step in ready}
    may_wait = [step for step in ready if found_now & (set(step.optional) - known.keys())]
    for step in (*(s for s in ready if s not in may_wait), *may_wait):
        waits = any(name in values and name not in known for name in step.optional)
        if step.output in values or waits:
            continue
        try:
            value = step.value(known)
        except (ArithmeticError, ValueError, KeyError):  # outside the domain, or a constant is left free
            continue
        if math.isfinite(value):
            values[step.output] = value
            inputs = (*step.inputs, *(name for name in step.optional if name in known))
            found[step.output] = Output(step.output, value, step.dim, step.formula, inputs)
