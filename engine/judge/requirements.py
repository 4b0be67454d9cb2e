"""A requirement or preference that a solution breaks to its finding: by how much, how it came to be, what would fit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.logic import failing, sides_at, verdict
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown, with_figures
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, walk
from runplan.dsl.plan.ir import Plan, Requirement
from runplan.dsl.text.finding import Edit, Finding, Fix, Label, finding
from runplan.dsl.text.later import Later
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import iso_time, json_unit, show
from runplan.dsl.units.table import UnknownUnit, currencies
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Definition, leads_to
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change, Solution
from runplan.engine.solve.rounding import TOLERANCE, written
from runplan.engine.solve.values import dim_of, number_of


def broken(plan: Plan, solution: Solution, requirement: Requirement) -> Iterator[Finding]:
    """The finding of a requirement that a solution breaks, if it does; where its values do not tell, of what lacks."""
    env = {name: value.value for name, value in solution.values.items()}
    found = broken_parts(requirement, env)
    if found:
        yield _broken_finding(plan, solution, requirement, found)
    elif requirement.key in solution.problem.unsaid and verdict(requirement.condition, env, TOLERANCE) is None:
        lacking = solution.problem.unsaid[requirement.key]
        # What is found for a run that is solved has no finding of its own where something keeps it from being solved.
        is_said = solution.status != "solved" or any(one.code == lacking.code for one in solution.findings)
        if lacking.code != "C009" or not is_said:
            yield lacking


@dataclass(frozen=True, slots=True)
class Broken:
    """A comparison that values break, and what both of its sides come to, in base units."""

    part: Op
    left: float
    right: float


def broken_parts(
    requirement: Requirement, env: Mapping[Name, float], tolerance: float = TOLERANCE
) -> tuple[Broken, ...]:
    """The comparisons by which values break a requirement: several where any of them would do; none where it holds."""
    found = []
    for part in failing(requirement.condition, env, tolerance):
        sides = sides_at(part, env)
        assert sides is not None, "what fails has its values"
        found.append(Broken(part, *sides))
    return tuple(found)


def _is_fixed(problem: Problem, expr: Expr, plan: Plan) -> bool:
    """Whether a side of a comparison is a bound: numbers and lets, no quantity."""
    for _ in range(len(plan.lets) + 1):
        mentioned = names(expr)
        if not mentioned:
            return True
        if not mentioned <= plan.lets.keys():
            return False
        expr = Op("and", tuple(plan.lets[name].expr for name in sorted(mentioned, key=str)))
    return False


@dataclass(frozen=True, slots=True)
class Sides:
    """A comparison as a bound.

    Attributes:
        bounded, value: The side that is bounded, and what it comes to, in base units.
        bound, limit: The other one.
        upper: Whether the bound is an upper one.
    """

    bounded: Expr
    value: float
    bound: Expr
    limit: float
    upper: bool


def sides_of(plan: Plan, problem: Problem, broken: Broken) -> Sides:
    """A comparison as a bound: where one side alone is fixed by the plan, that is it."""
    left, right = broken.part.args
    if _is_fixed(problem, left, plan) and not _is_fixed(problem, right, plan):
        return Sides(right, broken.right, left, broken.left, broken.part.op in (">=", ">"))
    return Sides(left, broken.left, right, broken.right, broken.part.op in ("<=", "<"))


def budget_quantity(problem: Problem, bounded: Expr, upper: bool) -> str | None:
    """The budget that a bound is on, where it is on one."""
    if not upper:
        return None
    mentioned = (item.name for item in walk(bounded) if isinstance(item, Ref))
    return next((str(name) for name in mentioned if _is_budget(problem, name)), None)


def _is_budget(problem: Problem, name: Name) -> bool:
    """Whether a name is a quantity that budgets are of, such a result of another plan, or a `let` of these."""
    lets = {each: d for each, d in problem.definitions.items() if each.kind == "let"}
    known = (problem.quantities.get(_quantity_of(each, lets)) for each in leads_to([Ref(name)], lets))
    return any(quantity is not None and quantity.facts.budget for quantity in known)


def _quantity_of(name: Name, lets: Mapping[Name, Definition]) -> str:
    """The quantity that a name is, here or as a result of another plan; empty for a `let` of these."""
    if name.kind != "let":
        return name.text
    _, dot, result = name.text.rpartition(".")
    return result if dot and name in lets and isinstance(lets[name].expr, Num) else ""


def _broken_finding(plan: Plan, solution: Solution, requirement: Requirement, parts: Sequence[Broken]) -> Finding:
    told = [_told(plan, solution, requirement, one) for one in parts]
    code = "B003" if requirement.soft else "B001" if all(one.budget for one in told) else "B002"
    (first, *others) = told
    changes = Later(lambda: _changes(solution, requirement, parts))
    message = first.message
    if others:
        text = requirement.span.said
        message = f"`{text}` does not hold: {'; '.join(one.message for one in told)}"
    return finding(
        code,
        message,
        Label(requirement.span, first.label),
        severity="warning" if requirement.soft else "error",
        also=_inputs_labels(solution, first.bounded),
        notes=(
            *(note for one in told for note in _notes(solution, one.bounded)),
            *((f"because: {requirement.because}",) if requirement.because else ()),
        ),
        help=Later(lambda: [*fits_with(changes), *_spread_over(solution, requirement)]),
        fixes=Later(lambda: fixes_of(changes)),
        key=requirement.key,
        laws=(solution.law,),
        data=first.data,
    )


def _changes(solution: Solution, requirement: Requirement, parts: Sequence[Broken]) -> list[Change]:
    # What a plan with nothing wrong has no use for: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.judge.changes import changes_for

    return changes_for(solution, requirement, [one.part for one in parts])


def _spread_over(solution: Solution, requirement: Requirement) -> Iterator[str]:
    """Of what is required of memory the fewest devices on which it is kept, where that is more than there are."""
    fewest, there = solution.values.get(q.FITTING_GPUS), solution.values.get(q.GPUS)
    facts = (solution.problem.quantities.get(name.text) for name in names(requirement.condition))
    of_memory = any(known is not None and known.facts.kind == "memory" for known in facts)
    if of_memory and fewest is not None and there is not None and fewest.value > there.value:
        yield f"spread it over {fewest.value:,.0f} devices: there it is kept, whatever the framework"


@dataclass(frozen=True, slots=True)
class _Told:
    """How a comparison is broken, in words and as data.

    Attributes:
        budget: The budget that is over, if one is.
        label: What stands at the requirement.
    """

    message: str
    bounded: Expr
    budget: str | None
    label: str
    data: dict[str, float | str]


def _told(plan: Plan, solution: Solution, requirement: Requirement, broken: Broken) -> _Told:
    problem, sides = solution.problem, sides_of(plan, solution.problem, broken)
    bounded, dim = sides.bounded, dim_of(problem, sides.bounded)
    budget = budget_quantity(problem, bounded, sides.upper)
    if broken.part.op == "!=":
        compared = f"{show(sides.value, dim)}, which {requirement.by} leaves out"
    else:
        known = problem.quantities.get(bounded.name.text) if isinstance(bounded, Ref) else None
        read_as = PER_CENT if known and known.facts.per_cent else _in_own_money(problem, sides.bound, dim)
        wanted = f"{requirement.by} {'prefers' if requirement.soft else 'allows' if sides.upper else 'asks for'}"
        compared = _compared(sides.value, sides.limit, sides.upper, wanted, read_as)
    in_json, factor = json_unit(dim)
    data: dict[str, float | str] = {"value": sides.value / factor, "limit": sides.limit / factor, "unit": in_json}
    data = {"quantity": budget or shown(bounded), **data}
    label = _bound_label(plan, sides.bound, sides.limit, dim)
    return _Told(f"`{shown(bounded)}` is {compared}", bounded, budget, label, data)


# What one of what figures are read in is in base units, and its dimension; None for per cent.
ReadAs = tuple[float, Dim | None]
PER_CENT: ReadAs = (0.01, None)


def _in_own_money(problem: Problem, bound: Expr, dim: Dim) -> ReadAs:
    """What one of a bound's own currency is in base units, and its dimension, where it is not the plan's."""
    number = number_of(problem, bound)
    own = written(number, dim).unit if number is not None else ""
    try:
        found = unit(own) if own else None
    except UnknownUnit:
        found = None
    if number is None or found is None or found.dim == dim or not {name for name, _ in found.dim} & currencies():
        return 1.0, dim
    return written(number, dim).factor / found.factor, found.dim


def _compared(value: float, limit: float, upper: bool, wanted: str, read_as: ReadAs) -> str:
    """A value and the limit that it breaks, in words that tell how far they are apart.

    Args:
        wanted: Who wants it how, such as `the plan allows`.
    """
    one, dim = read_as
    value, limit = value / one, limit / one

    def said(amount: float, digits: int = 4) -> str:
        return f"{show(amount, NONE, digits)} %" if dim is None else show(amount, dim, digits)

    said_value, said_limit = said(value), said(limit)
    if said_value == said_limit:
        said_value, said_limit = said(value, 8), said(limit, 8)
    if dim == DATE:
        if said_value == said_limit:  # a date is where its day begins
            said_value, said_limit = iso_time(value), iso_time(limit)
        return f"{said_value}, {'after' if upper else 'before'} the {said_limit} that {wanted}"
    if math.isclose(value, limit, rel_tol=TOLERANCE):
        return f"{said_value}; {wanted} {'less' if upper else 'more'} than that"
    ratio = value / limit if limit else math.inf
    if not upper or not 0 < ratio < 1e6:
        return f"{said_value}; {wanted} {said_limit}"
    times = show(ratio, NONE, 3)
    far = f"{times}x" if times != "1" else f"{said(value - limit, 3)} above"
    return f"{said_value}, {far} the {said_limit} that {wanted}"


def _bound_label(plan: Plan, bound: Expr, limit: float, dim: Dim) -> str:
    if isinstance(bound, Ref) and bound.name in plan.lets:
        at = plan.lets[bound.name].span
        where = f"line {at.line}" if at.source.path == plan.source.path else f"{at.source.path}:{at.line}"
        return f"{shown(plan.lets[bound.name].expr)} from `{bound.name}`, {where}"
    return ""


def _inputs_labels(solution: Solution, bounded: Expr) -> list[Label]:
    """The hardware, with what it amounts to, where the bounded side depends on it."""
    if not isinstance(bounded, Ref) or bounded.name not in solution.values:
        return []
    for constraint in solution.problem.constraints:
        if constraint.kind == "capacity" and constraint.span is not None:
            hours, price = (solution.values.get(name) for name in (q.GPU_HOURS, q.PRICE))
            said = show(hours.value, hours.dim, 3) if hours else ""
            if bounded.name == q.COST and price:
                said += f" at {show(price.value, price.dim)}"
            return [Label(constraint.span, said)]
    return []


def _notes(solution: Solution, bounded: Expr) -> Iterator[str]:
    """How the bounded side was computed: its formula and the values that went in."""
    if not isinstance(bounded, Ref):
        return
    definition = solution.problem.definitions.get(bounded.name)
    if definition is None or definition.kind != "derived":
        return
    expr = definition.expr
    formula = shown(expr)

    def text(name: Name) -> str | None:
        value = solution.values.get(name)
        return show(value.value, value.dim) if value else None

    with_values = with_figures(expr, text)
    yield (f"{bounded.name} = {formula} = {with_values}" if with_values != formula else f"{bounded.name} = {formula}")


def fixes_of(changes: Iterable[Change]) -> Iterator[Fix]:
    """What makes each of some changes."""
    return (fix for change in dict.fromkeys(changes) for fix in change.fixes)


def fits_together(what: str, changes: Sequence[Change] | Later[Change]) -> list[str]:
    """The lines of help that offer changes to be made together; none for none.

    Args:
        what: What then fits: `it`.
    """
    if not len(changes):
        return []
    said = f"{what} fits with {enumerated([one.said for one in changes])}{' together' if len(changes) > 1 else ''}"
    return [said, *(fix.title for fix in all_of(changes))]


def all_of(changes: Sequence[Change] | Later[Change]) -> list[Fix]:
    """What makes all of some changes at once; nothing for none."""
    title = f"write {' and '.join(one.written for one in changes)}"
    return [Fix(title, tuple(Edit(*e) for c in changes for e in c.edits))] if len(changes) else []


def fits_with(changes: Iterable[Change]) -> list[str]:
    """The lines of help that offer changes, each of them enough, and say what to write; none for none."""
    every = tuple(dict.fromkeys(changes))
    said = list(dict.fromkeys(one.said for one in every))
    if not said:
        return []
    written = [one.written for one in every if one.text != one.said]
    out = [f"it fits with {', or '.join(said)}" + (", one at a time" if len(said) > 1 else "")]
    return [*out, f"write {', or '.join(written)}"] if written else out
