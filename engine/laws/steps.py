"""A law to the ways from inputs to outputs: formulas and tables, products of quantities, lines turned round, optima."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Unbound, names, substitute, words
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Function, Law, Parameter, Table
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.units.dims import Dim
from runplan.engine.laws.form import BUDGETS, CHOICES, OF_MIXTURES, functions_for, size_of, weighs
from runplan.engine.numeric import functions as smooth
from runplan.engine.numeric.closed_form import optimum_of_two_power_laws
from runplan.engine.numeric.functions import signomial
from runplan.engine.numeric.optimise import minimise

# What the cheapest size over training and serving is told by.
SERVED = ("loss", "inference_tokens")


@dataclass(frozen=True, slots=True)
class Step:
    """One way from inputs to an output; `value` raises where it has none."""

    output: str
    dim: Dim
    inputs: tuple[str, ...]
    formula: str
    value: Callable[[Mapping[str, float]], float]
    optional: tuple[str, ...] = ()


def surface(law: Law, objective: str | None = None) -> Function | None:
    """The law's loss over params and tokens alone, where it has one."""
    functions = functions_for(law, objective) if objective is not None else law.functions
    return next(
        (f for f in functions if f.output == "loss" and set(f.needs) == {"params", "tokens"}),
        None,
    )


def outputs_of(law: Law) -> tuple[str, ...]:
    """What a law's functions and tables give, each once, in order."""
    return tuple(dict.fromkeys([*(f.output for f in law.functions), *(t.output for t in law.tables)]))


# ---- formulas and tables


def formulas(law: Law, objective: str) -> Iterator[Step]:
    """The law's functions for an objective, and its tables."""
    for function in functions_for(law, objective):
        value = _of_function(law, function)
        may = tuple(p.quantity for p in function.parameters if p.default is not None)
        yield Step(function.output, function.counted.dim, function.needs, written(function), value, may)
    for table in law.tables:
        formula = f"table {table.output}({table.parameter.quantity}), between its rows on log-log axes"
        yield Step(table.output, table.counted.dim, (table.parameter.quantity,), formula, _of_table(table))


def written(function: Function) -> str:
    """A formula as its pack wrote it, on one line."""
    return function.span.said


def constants_of(law: Law) -> dict[str, float]:
    """The law's constants by name; without those that are free."""
    return {c.name: c.value for c in law.constants.values() if c.value is not None}


def _with_constants(law: Law, function: Function) -> Expr:
    """A formula over its inputs alone, by their local names; constants that are free stay in it."""
    by: dict[str, Expr] = {name: Num(value) for name, value in constants_of(law).items()}
    return substitute(expanded(function.body, law.lets), by)


def _local(parameter: Parameter, values: Mapping[str, float]) -> float:
    """The value of an input as the formula counts it."""
    if parameter.default is not None and parameter.quantity not in values:
        return parameter.default
    return values[parameter.quantity] / parameter.counted.factor


def _of_function(law: Law, function: Function) -> Callable[[Mapping[str, float]], float]:
    body = compiled(expanded(function.body, law.lets))
    constants = constants_of(law)

    def value(values: Mapping[str, float]) -> float:
        env = constants | {p.local: _local(p, values) for p in function.parameters}
        return float(body(env)) * function.counted.factor

    return value


def _of_table(table: Table) -> Callable[[Mapping[str, float]], float]:
    xs = [x for x, _ in table.rows]
    ys = [y for _, y in table.rows]

    def value(values: Mapping[str, float]) -> float:
        x = values[table.parameter.quantity]
        at = bisect_left(xs, x)
        if at < len(xs) and xs[at] == x:
            return ys[at]
        if not 0 < at < len(xs):
            raise ValueError("nothing is read beyond the ends of a table")
        if xs[at - 1] == 0:  # no logarithm has it
            return float(ys[0] + (ys[1] - ys[0]) * x / xs[1])
        part = math.log(x / xs[at - 1]) / math.log(xs[at] / xs[at - 1])
        return float(ys[at - 1] * (ys[at] / ys[at - 1]) ** part)

    return value


# ---- compute = 6 params tokens, epochs = tokens / data, and other products, as the catalogue says


@dataclass(frozen=True, slots=True)
class Relation:
    """A quantity and what it is a product of.

    Attributes:
        exponents: Of every member; -1 for the whole itself: with the coefficient, the whole product is 1.
    """

    whole: str
    coefficient: float
    exponents: Mapping[str, float]
    formula: str


def relations_of(law: Law, catalogue: Library) -> Iterator[Relation]:
    """The products that hold of a law's inputs; of a mixture of experts the compute is that of its active params."""
    mixture = any(p.quantity in OF_MIXTURES for f in law.functions for p in f.parameters)
    own_compute = not mixture or (law.counts == "active" and any(map(weighs, law.functions)))
    # The formula of compute is over the params that the law counts.
    own = {"law_params": size_of(law)}
    for relation in catalogue.quantities().kept(_products):
        factors = {name: e for name, e in relation.exponents.items() if name != relation.whole}
        # All params are not what a law counts, and of those of a mixture a token passes through some.
        if "params" in factors or ("law_params" in factors and not own_compute):
            continue
        exponents = {own.get(name, name): e for name, e in factors.items()}
        yield replace(relation, exponents={**exponents, relation.whole: -1.0})


def _products(quantities: Quantities) -> tuple[Relation, ...]:
    """The quantities that are products of others."""
    found = []
    for whole, definition in quantities.items():
        formula = definition.formula
        terms = signomial(formula) if formula is not None else None
        if formula is not None and terms is not None and len(terms) == 1 and terms[0].exponents:
            written = f"{whole} = {' '.join(shown(formula).split())}"
            found.append(Relation(whole, terms[0].coefficient, {**terms[0].exponents, whole: -1.0}, written))
    return tuple(found)


def relating(relation: Relation, catalogue: Library) -> Iterator[Step]:
    """For each member of a relation the step that finds it from the others."""
    quantities = catalogue.quantities()
    for wanted, exponent in relation.exponents.items():
        others = {name: e for name, e in relation.exponents.items() if name != wanted}

        def value(values: Mapping[str, float], others: Mapping[str, float] = others, e: float = exponent) -> float:
            rest = relation.coefficient
            for name, power in others.items():
                rest *= values[name] ** power
            return float(rest ** (-1.0 / e))

        yield Step(wanted, quantities[wanted].counted.dim, tuple(others), relation.formula, value)


def following(law: Law, catalogue: Library) -> Iterator[Step]:
    """What follows from the law's own outputs by formulas that are no products, such as the perplexity."""
    own = set(outputs_of(law)) - {*CHOICES, *BUDGETS}
    quantities = catalogue.quantities()
    for name, definition in quantities.items():
        inputs = definition.mentions
        if definition.formula is not None and inputs & own and name not in own and "params" not in inputs:
            text = f"{name} = {' '.join(shown(definition.formula).split())}"
            body = compiled(definition.formula)
            yield Step(name, definition.counted.dim, tuple(sorted(inputs)), text, lambda v, f=body: float(f(v)))  # type: ignore[misc]


def turned_round(law: Law, objective: str, catalogue: Library) -> Iterator[Step]:
    """The budget at which an optimum line, a single power law, gives a size or tokens."""
    for function in functions_for(law, objective):
        if function.output not in CHOICES or len(function.needs) != 1 or function.needs[0] not in BUDGETS:
            continue
        terms = signomial(_with_constants(law, function))
        (budget,) = (p for p in function.parameters if p.default is None)
        if terms is None or len(terms) != 1 or terms[0].exponents.keys() != {budget.local}:
            continue
        scale, power, counted = terms[0].coefficient, terms[0].exponents[budget.local], function.counted.factor

        def value(
            values: Mapping[str, float],
            name: str = function.output,
            scale: float = scale * counted,
            power: float = power,
            factor: float = budget.counted.factor,
        ) -> float:
            return float((values[name] / scale) ** (1.0 / power) * factor)

        dim = catalogue.quantities()[budget.quantity].counted.dim
        yield Step(budget.quantity, dim, (function.output,), f"where {written(function)} gives it", value)


# ---- the optimum of a loss surface


def optimum(law: Law, objective: str, values: Mapping[str, float], relation: Relation) -> Iterator[Step]:
    """The params and tokens of the least loss at a compute, where the law's loss is a surface over both."""
    free = tuple(name for name in relation.exponents if name not in values)
    if relation.whole not in values or len(free) != 2:
        return
    for function in functions_for(law, objective):
        known = [p for p in function.parameters if p.quantity in values or p.default is not None]
        locals_ = {p.quantity: p for p in function.parameters if p.quantity in free}
        if function.output != "loss" or len(locals_) != 2 or len(known) + 2 != len(function.parameters):
            continue
        loss = substitute(_with_constants(law, function), {p.local: Num(_local(p, values)) for p in known})
        point = _least(loss, [locals_[name] for name in free], relation, values[relation.whole], free)
        if point is None:
            continue
        for name, value in zip(free, point, strict=True):
            inputs = tuple(dict.fromkeys((relation.whole, *(p.quantity for p in known if p.quantity in values))))
            formula = f"least loss at this {relation.whole}"
            dim = locals_[name].counted.dim
            yield Step(name, dim, inputs, formula, _always(value))
        return


def served(law: Law, objective: str, values: Mapping[str, float], catalogue: Library) -> Iterator[Step]:
    """Params and tokens of the least compute of training and serving together that reaches a loss.

    Sardana et al. 2023 (arXiv:2401.00448), equation 1: least `6 N D + 2 N T` at `L(N, D) = l`.
    """
    function = surface(law, objective)
    if function is None or not set(SERVED) <= values.keys() or {"params", "tokens"} & values.keys():
        return
    by: dict[str, Expr] = {}
    for p in function.parameters:
        free = p.quantity in ("params", "tokens")
        by[p.local] = Op("/", (Unbound(p.quantity), Num(p.counted.factor))) if free else Num(_local(p, values))
    loss = Op("*", (substitute(_with_constants(law, function), by), Num(function.counted.factor)))
    formulas = {name: q.formula for name, q in catalogue.quantities().items() if q.formula is not None}
    told: dict[str, Expr] = {"law_params": Unbound("params"), "inference_tokens": Num(values["inference_tokens"])}
    whole = substitute(expanded(formulas["lifetime_compute"], formulas), told)
    variables = ("params", "tokens")
    point = cheapest(loss, whole, values["loss"], variables, (1e9, 1e11))
    for name, value in zip(variables, point or (), strict=False):
        formula = "least compute of training and serving for this loss"
        yield Step(name, catalogue.quantities()[name].counted.dim, SERVED, formula, _always(value))


def cheapest(
    loss: Expr, whole: Expr, at: float, variables: tuple[Name, Name] | tuple[str, str], start: tuple[float, float]
) -> tuple[float, float] | None:
    """The two variables of the least `whole` at which the loss is reached; None where that is not to be found.

    Sardana et al. 2023 (arXiv:2401.00448), equation 1, for the compute of training and of serving.
    """
    if not (names(loss) | words(loss) | names(whole) | words(whole)) <= set(variables):
        return None  # the loss needs more than these, or a constant is left free
    kept = smooth.limit(loss, Num(at), variables)
    found = minimise([smooth.objective(whole, variables)], [kept], start=tuple(map(math.log, start)))
    return (math.exp(found.x[0]), math.exp(found.x[1])) if found.outcome == "optimal" else None


def _always(value: float) -> Callable[[Mapping[str, float]], float]:
    return lambda _: value


def _least(
    loss: Expr, parameters: Sequence[Parameter], relation: Relation, compute: float, free: Sequence[str]
) -> tuple[float, float] | None:
    """Where a loss over two local names is least; None where no minimum was found."""
    x, y = (p.local for p in parameters)
    if not words(loss) <= {x, y}:
        return None
    scale = [p.counted.factor for p in parameters]
    powers = [relation.exponents[name] for name in free]
    k = relation.coefficient * scale[0] ** powers[0] * scale[1] ** powers[1]
    two = _two_power_laws(loss, x, y) if powers == [1.0, 1.0] else None
    if two is not None:
        at = optimum_of_two_power_laws(*two, k, compute)
    else:
        spent = Op(
            "*", (Num(k), Op("*", (Op("^", (Unbound(x), Num(powers[0]))), Op("^", (Unbound(y), Num(powers[1]))))))
        )
        middle = math.log(compute / k) / sum(powers)
        equality = smooth.limit(spent, Num(compute), (x, y))
        found = minimise([smooth.objective(loss, (x, y))], [], [equality], start=(middle, middle))
        if found.outcome != "optimal":
            return None
        at = (math.exp(found.x[0]), math.exp(found.x[1]))
    return float(at[0]) * scale[0], float(at[1]) * scale[1]


def _two_power_laws(loss: Expr, x: str, y: str) -> tuple[float, float, float, float] | None:
    """Coefficients and exponents of `E + A / x^p + B / y^q`; None where the loss is of another form."""
    terms = [term for term in signomial(loss) or () if term.exponents]
    by_name = {name: (term.coefficient, -e) for term in terms for name, e in term.exponents.items()}
    if len(terms) != 2 or sorted(by_name) != sorted((x, y)) or any(len(t.exponents) != 1 for t in terms):
        return None
    (c1, p), (c2, q) = by_name[x], by_name[y]
    return (c1, p, c2, q) if min(c1, p, c2, q) > 0 else None
