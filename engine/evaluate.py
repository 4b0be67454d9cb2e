"""A law and some of its inputs to every output that they determine, and a law's golden values to verdicts."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runplan.dsl.expression import Expr, Num, Op, Ref, compiled, names, shown, substitute
from runplan.dsl.law_check import expanded
from runplan.dsl.pack import Counted, Function, Golden, Law, Parameter, Table
from runplan.dsl.units import NONE, Dim, show_dim
from runplan.engine import smooth
from runplan.engine.catalogue import Catalogue
from runplan.engine.closed_form import optimum_of_two_power_laws
from runplan.engine.lawuse import BUDGETS, CHOICES, OF_MIXTURES, functions_for
from runplan.engine.optimise import minimise
from runplan.engine.smooth import signomial

# Three figures of which two give the third are taken as given together where they agree this well.
AGREE = 1e-3
# What the cheapest size over training and serving is told by.
SERVED = ("loss", "inference_tokens")
# How the formula of compute names the params that a law counts; here `params` are always those.
COUNTED = {"law_params": "params"}


class Refused(ValueError):
    """An input that a law cannot be evaluated at; the message says which and why."""


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


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """A golden value and what came of it.

    Attributes:
        expected: What each expression should be, in base units.
        got: What it is; without those that the law does not give.
        note: Why there is no value, where there is none.
    """

    id: str
    law: str
    expected: Mapping[str, float]
    got: Mapping[str, float]
    rtol: float
    verdict: Literal["pass", "fail"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """One way from inputs to an output; `value` raises where it has none."""

    output: str
    dim: Dim
    inputs: tuple[str, ...]
    formula: str
    value: Callable[[Mapping[str, float]], float]


def evaluate(law: Law, given: Mapping[str, float], objective: str | None = None, *, catalogue: Catalogue) -> Evaluation:
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
    relations = [r for r in _relations(law, catalogue) if r.exponents.keys() <= taken.keys()]
    relating = [step for relation in relations for step in _relating(relation, catalogue)]
    budgets = [relation for relation in relations if relation.whole in BUDGETS]
    _refuse_contradiction(relating, given)
    found: dict[str, Output] = {}
    values = dict(given)
    # What two givens fix by definition comes before what a law says of one of them.
    _apply(relating, values, found)
    steps = tuple(_steps(law, objective))
    following = tuple(_following(law, catalogue))
    while True:
        before = len(values)
        for some in (steps, relating, following):
            _apply(some, values, found)
        for relation in budgets if len(values) == before else ():
            _apply(_optimum(law, objective, values, relation), values, found)
        if len(values) == before:
            _apply(_served(law, objective, values, catalogue), values, found)
        if len(values) == before:
            _apply(_turned_round(law, objective, catalogue), values, found)
        if len(values) == before:
            break
    _refuse_contradiction([step for step in steps if step.output not in (*CHOICES, *BUDGETS)], given, values)
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
        if wanted in (known.lower(), _without_domain(known).lower()):
            return known
    raise Refused(f"`{law.name}` is for {' and '.join(law.objectives) or 'no objective'}, not for {text}")


def inputs_of(law: Law, catalogue: Catalogue) -> Mapping[str, Counted]:
    """What a law can be given, and the unit in which a number without one counts it.

    A quantity of plans counts as it does there, whatever the unit inside the law's formula.
    """
    quantities = catalogue.quantities()
    parameters = [*(p for f in law.functions for p in f.parameters), *(t.parameter for t in law.tables)]
    found = {p.quantity: quantities[p.quantity].counted if p.quantity in quantities else p.counted for p in parameters}
    touched = found.keys() | set(outputs_of(law))
    for relation in _relations(law, catalogue):
        # A budget is of use to a law that knows more of it than the params.
        if relation.whole in BUDGETS and touched & (relation.exponents.keys() - set(COUNTED.values())):
            found |= {name: quantities[name].counted for name in relation.exponents if name not in found}
    if _surface(law) is not None:
        # A loss to reach and tokens to serve afterwards tell the size that is cheapest over both.
        found |= {name: quantities[name].counted for name in SERVED if name in quantities}
    return found


def accepted(law: Law, catalogue: Catalogue) -> Mapping[str, Counted]:
    """What a law can be given: its inputs, and what these are in a product with, such as epochs with the tokens."""
    found = dict(inputs_of(law, catalogue))
    touched = found.keys() | set(outputs_of(law))
    for relation in _relations(law, catalogue):
        if touched & (relation.exponents.keys() - set(COUNTED.values())):
            found |= {name: catalogue.quantities()[name].counted for name in relation.exponents}
    return found


def _surface(law: Law, objective: str | None = None) -> Function | None:
    """The law's loss over params and tokens alone, where it has one."""
    functions = functions_for(law, objective) if objective is not None else law.functions
    return next(
        (f for f in functions if f.output == "loss" and set(f.needs) == {"params", "tokens"}),
        None,
    )


def outputs_of(law: Law) -> tuple[str, ...]:
    """What a law's functions and tables give, each once, in order."""
    return tuple(dict.fromkeys([*(f.output for f in law.functions), *(t.output for t in law.tables)]))


def in_base(name: str, number: Num, counted: Counted) -> float:
    """A figure in base units; without a unit it is counted as the input is.

    Raises:
        Refused: Where its unit is one of another dimension.
    """
    if not number.dim:
        return number.value * counted.factor
    if number.dim != counted.dim:
        raise Refused(f"`{name}` is in {show_dim(counted.dim)}, not in {show_dim(number.dim)}")
    return number.value


# ---- what is refused


def _refuse(law: Law, name: str, value: float, taken: Mapping[str, Counted], catalogue: Catalogue) -> None:
    if name not in taken:
        raise Refused(f"`{law.name}` does not take `{name}`; it takes {_listed(taken) or 'nothing'}")
    # Zero has a meaning only where a law of its own says so, as for a sparsity.
    may_be_zero = name not in catalogue.quantities()
    if not (0.0 < value < math.inf or (value == 0.0 and may_be_zero)):
        least = "0 or more" if may_be_zero else "above 0"
        raise Refused(f"`{name}` must be a number {least}")


def _refuse_contradiction(
    steps: Sequence[_Step], given: Mapping[str, float], values: Mapping[str, float] | None = None
) -> None:
    """Refuse a given that a step gives otherwise, from givens or from all the values that are known."""
    known = given if values is None else values
    for step in steps:
        if step.output not in given or not all(name in known for name in step.inputs):
            continue
        try:
            value = step.value(known)
        except (ArithmeticError, ValueError, KeyError):  # beyond what a float holds, or a constant is left free
            value = math.inf
        if not math.isclose(value, given[step.output], rel_tol=AGREE):
            raise Refused(f"{_listed([*step.inputs, step.output])} contradict each other: {step.formula}")


def _listed(items: Iterable[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)


# ---- steps


def _apply(steps: Iterable[_Step], values: dict[str, float], found: dict[str, Output]) -> None:
    """Take every step whose inputs are known at the start; of two that give the same, the first counts."""
    known = dict(values)
    for step in steps:
        if step.output in values or not all(name in known for name in step.inputs):
            continue
        try:
            value = step.value(known)
        except (ArithmeticError, ValueError, KeyError):  # outside the domain, or a constant is left free
            continue
        if math.isfinite(value):
            values[step.output] = value
            found[step.output] = Output(step.output, value, step.dim, step.formula, step.inputs)


def _without_domain(objective: str) -> str:
    return objective.rsplit(" of ", 1)[0]


def _steps(law: Law, objective: str) -> Iterator[_Step]:
    for function in functions_for(law, objective):
        value = _of_function(law, function)
        yield _Step(function.output, function.counted.dim, function.needs, written(function), value)
    for table in law.tables:
        formula = f"table {table.output}({table.parameter.quantity}), between its rows on log-log axes"
        yield _Step(table.output, table.counted.dim, (table.parameter.quantity,), formula, _of_table(table))


def written(function: Function) -> str:
    """A formula as its pack wrote it, on one line."""
    return " ".join(function.span.text.split())


def _constants(law: Law) -> dict[str, float]:
    return {c.name: c.value for c in law.constants.values() if c.value is not None}


def _local(parameter: Parameter, values: Mapping[str, float]) -> float:
    """The value of an input as the formula counts it."""
    if parameter.default is not None and parameter.quantity not in values:
        return parameter.default
    return values[parameter.quantity] / parameter.counted.factor


def _of_function(law: Law, function: Function) -> Callable[[Mapping[str, float]], float]:
    body = compiled(expanded(function.body, law.lets))
    constants = _constants(law)

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
        part = math.log(x / xs[at - 1]) / math.log(xs[at] / xs[at - 1])
        return float(ys[at - 1] * (ys[at] / ys[at - 1]) ** part)

    return value


# ---- compute = 6 params tokens, epochs = tokens / data, and other products, as the catalogue says


@dataclass(frozen=True, slots=True)
class _Relation:
    """A quantity and what it is a product of.

    Attributes:
        exponents: Of every member; -1 for the whole itself: with the coefficient, the whole product is 1.
    """

    whole: str
    coefficient: float
    exponents: Mapping[str, float]
    formula: str


def _relations(law: Law, catalogue: Catalogue) -> Iterator[_Relation]:
    """The products that hold of a law's inputs; of a mixture of experts the compute is that of its active params."""
    mixture = any(p.quantity in OF_MIXTURES for f in law.functions for p in f.parameters)
    for whole, definition in catalogue.quantities().items():
        formula = definition.formula
        terms = signomial(formula) if formula is not None else None
        if formula is None or terms is None or len(terms) != 1 or not terms[0].exponents:
            continue
        # All params are not what a law counts, and of those of a mixture a token passes through some.
        if "params" in terms[0].exponents or (mixture and "law_params" in terms[0].exponents):
            continue
        exponents = {COUNTED.get(name, name): e for name, e in terms[0].exponents.items()}
        written = f"{whole} = {' '.join(shown(formula).split())}"
        yield _Relation(whole, terms[0].coefficient, {**exponents, whole: -1.0}, written)


def _relating(relation: _Relation, catalogue: Catalogue) -> Iterator[_Step]:
    """For each member of a relation the step that finds it from the others."""
    quantities = catalogue.quantities()
    for wanted, exponent in relation.exponents.items():
        others = {name: e for name, e in relation.exponents.items() if name != wanted}

        def value(values: Mapping[str, float], others: Mapping[str, float] = others, e: float = exponent) -> float:
            rest = relation.coefficient
            for name, power in others.items():
                rest *= values[name] ** power
            return float(rest ** (-1.0 / e))

        yield _Step(wanted, quantities[wanted].counted.dim, tuple(others), relation.formula, value)


def _following(law: Law, catalogue: Catalogue) -> Iterator[_Step]:
    """What follows from the law's own outputs by formulas that are no products, such as the perplexity."""
    own = set(outputs_of(law)) - {*CHOICES, *BUDGETS}
    quantities = catalogue.quantities()
    for name, definition in quantities.items():
        inputs = names(definition.formula) if definition.formula is not None else frozenset()
        if definition.formula is not None and inputs & own and name not in own and "params" not in inputs:
            text = f"{name} = {' '.join(shown(definition.formula).split())}"
            body = compiled(definition.formula)
            yield _Step(name, definition.counted.dim, tuple(sorted(inputs)), text, lambda v, f=body: float(f(v)))  # type: ignore[misc]


def _turned_round(law: Law, objective: str, catalogue: Catalogue) -> Iterator[_Step]:
    """The budget at which an optimum line, a single power law, gives a size or tokens."""
    for function in functions_for(law, objective):
        if function.output not in CHOICES or len(function.needs) != 1 or function.needs[0] not in BUDGETS:
            continue
        by: dict[str, Expr] = {name: Num(value) for name, value in _constants(law).items()}
        terms = signomial(substitute(expanded(function.body, law.lets), by))
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
        yield _Step(budget.quantity, dim, (function.output,), f"where {written(function)} gives it", value)


# ---- the optimum of a loss surface


def _optimum(law: Law, objective: str, values: Mapping[str, float], relation: _Relation) -> Iterator[_Step]:
    """The params and tokens of the least loss at a compute, where the law's loss is a surface over both."""
    free = tuple(name for name in relation.exponents if name not in values)
    if relation.whole not in values or len(free) != 2:
        return
    for function in functions_for(law, objective):
        known = [p for p in function.parameters if p.quantity in values or p.default is not None]
        locals_ = {p.quantity: p for p in function.parameters if p.quantity in free}
        if function.output != "loss" or len(locals_) != 2 or len(known) + 2 != len(function.parameters):
            continue
        by: dict[str, Expr] = {name: Num(value) for name, value in _constants(law).items()}
        by |= {p.local: Num(_local(p, values)) for p in known}
        loss = substitute(expanded(function.body, law.lets), by)
        point = _least(loss, [locals_[name] for name in free], relation, values[relation.whole], free)
        if point is None:
            continue
        for name, value in zip(free, point, strict=True):
            inputs = tuple(dict.fromkeys((relation.whole, *(p.quantity for p in known if p.quantity in values))))
            formula = f"least loss at this {relation.whole}"
            dim = locals_[name].counted.dim
            yield _Step(name, dim, inputs, formula, lambda _, value=value: value)  # type: ignore[misc]
        return


def _served(law: Law, objective: str, values: Mapping[str, float], catalogue: Catalogue) -> Iterator[_Step]:
    """Params and tokens of the least compute of training and serving together that reaches a loss.

    Sardana et al. 2023 (arXiv:2401.00448), equation 1: least `6 N D + 2 N T` at `L(N, D) = l`.
    """
    function = _surface(law, objective)
    if function is None or not set(SERVED) <= values.keys() or {"params", "tokens"} & values.keys():
        return
    by: dict[str, Expr] = {name: Num(value) for name, value in _constants(law).items()}
    for p in function.parameters:
        free = p.quantity in ("params", "tokens")
        by[p.local] = Op("/", (Ref(p.quantity), Num(p.counted.factor))) if free else Num(_local(p, values))
    loss = Op("*", (substitute(expanded(function.body, law.lets), by), Num(function.counted.factor)))
    formulas = {name: q.formula for name, q in catalogue.quantities().items() if q.formula is not None}
    whole = formulas["lifetime_compute"]
    while inner := names(whole) & formulas.keys():
        whole = substitute(whole, {name: formulas[name] for name in inner})
    whole = substitute(whole, {"law_params": Ref("params"), "inference_tokens": Num(values["inference_tokens"])})
    variables = ("params", "tokens")
    kept = smooth.limit(loss, Num(values["loss"]), variables)
    found = minimise([smooth.goal(whole, variables)], [kept], start=(math.log(1e9), math.log(1e11)))
    if found.outcome != "optimal":
        return
    for name, x in zip(variables, found.x, strict=True):
        formula = "least compute of training and serving for this loss"
        dim = catalogue.quantities()[name].counted.dim
        yield _Step(name, dim, SERVED, formula, _always(math.exp(x)))


def _always(value: float) -> Callable[[Mapping[str, float]], float]:
    return lambda _: value


def _least(
    loss: Expr, parameters: Sequence[Parameter], relation: _Relation, compute: float, free: Sequence[str]
) -> tuple[float, float] | None:
    """Where a loss over two local names is least; None where no minimum was found."""
    x, y = (p.local for p in parameters)
    if not names(loss) <= {x, y}:
        return None
    scale = [p.counted.factor for p in parameters]
    powers = [relation.exponents[name] for name in free]
    k = relation.coefficient * scale[0] ** powers[0] * scale[1] ** powers[1]
    two = _two_power_laws(loss, x, y) if powers == [1.0, 1.0] else None
    if two is not None:
        at = optimum_of_two_power_laws(*two, k, compute)
    else:
        spent = Op("*", (Num(k), Op("*", (Op("^", (Ref(x), Num(powers[0]))), Op("^", (Ref(y), Num(powers[1])))))))
        middle = math.log(compute / k) / sum(powers)
        equality = smooth.limit(spent, Num(compute), (x, y))
        found = minimise([smooth.goal(loss, (x, y))], [], [equality], start=(middle, middle))
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


# ---- golden values


def check_goldens(law: Law, catalogue: Catalogue) -> list[GoldenResult]:
    """Each golden value that a law declares, held against what it gives."""
    return [_checked(law, golden, catalogue) for golden in law.goldens]


def _checked(law: Law, golden: Golden, catalogue: Catalogue) -> GoldenResult:
    quantities = catalogue.quantities()
    units = {f.output: f.counted for f in law.functions} | {t.output: t.counted for t in law.tables}
    units |= {name: q.counted for name, q in quantities.items()}
    expected: dict[str, float] = {}
    got: dict[str, float] = {}
    note = ""
    try:
        taken = accepted(law, catalogue)
        for expr, number in golden.gives:
            one = Counted(1.0, number.dim, "")
            expected[shown(expr)] = in_base(shown(expr), number, units.get(shown(expr), one))
        plain = Counted(1.0, NONE, "1")
        given = {name: in_base(name, number, taken.get(name, plain)) for name, number in golden.given}
        found = evaluate(law, given, golden.objective or None, catalogue=catalogue)
        env = _constants(law) | given | {name: output.value for name, output in found.outputs.items()}
        for expr, _ in golden.gives:
            try:
                got[shown(expr)] = float(compiled(expanded(expr, law.lets))(env))
            except KeyError as missing:
                note = f"the law does not give `{missing.args[0]}` there"
            except (ArithmeticError, ValueError):
                note = f"`{shown(expr)}` has no value there"
    except Refused as refused:
        note = str(refused)
    right = all(name in got and math.isclose(got[name], value, rel_tol=golden.rtol) for name, value in expected.items())
    verdict: Literal["pass", "fail"] = "pass" if right and expected and not note else "fail"
    return GoldenResult(golden.id, law.name, expected, got, golden.rtol, verdict, note)
