"""What a plan says that can be changed by itself: its figures, bounds and requirements, its data, its dates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.text.finding import Fix
from runplan.dsl.text.fixes import instead
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.problem import quantities as q
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Chance, Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.rounding import Written, written
from runplan.engine.solve.values import dim_of
from runplan.engine.solve.whole import step_of

# More than any plan has of anything, in base units.
ENOUGH = 1e30
# Later than any plan, in seconds since 1970, and earlier.
LATE, EARLY = 1e12, -1e12
Change = Callable[[Problem], Problem]


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Move:
    """A change of what a plan says.

    Attributes:
        text: As one would write it, such as `gpus <= 740`.
        fixes: What makes it: none where it is not of one figure that stands there.
    """

    text: str
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Knob:
    """A figure that can be changed by itself.

    Attributes:
        said: What stands before the figure where a change is told: `tokens`, `data web`, `cost`.
        figure: The quantity that it is a figure of.
        now: Its value, in base units.
        more: The sign that tells of more of it, such as `>=`; empty where more of it makes no room.
        less: The same for less of it.
        at: The problem with another value of it.
        freed: The problem in which it is left open, and comes as near to what it is as it can; None where it can only
            be tried.
        told: The change as one would write it, where that is more than this figure.
        number: The figure where the plan has it, where to write another one there makes the change.
    """

    said: str
    figure: Expr
    now: float
    written: Written
    more: str
    less: str
    at: Callable[[Problem, float], Problem]
    freed: Change | None
    told: Callable[[float], str] | None = None
    number: Num | None = None

    def change(self, value: float) -> str:
        """The change as one would write it."""
        if self.told:
            return self.told(value)
        return f"{self.said} {self.more if value > self.now else self.less} {self.written.text(value)}"

    def move(self, value: float) -> Move:
        """The change, and what makes it."""
        number, figure = self.number, self.written
        # Of a text that is folded in YAML the place is not known.
        if number is None or number.span is None or not (figure.factor or _DAY.fullmatch(number.text)):
            return Move(self.change(value))
        return Move(self.change(value), tuple(instead(number.span, number.text, figure.text(value), safe=False)))


@dataclass(frozen=True, slots=True)
class Member:
    """One thing that the plan says, which may take part in a conflict.

    Attributes:
        left_out: The problem as if the plan did not say it.
        knobs: The ways to say it otherwise.
    """

    of: Constraint | Either | Name
    text: str
    span: Span | None
    left_out: Change
    knobs: tuple[Knob, ...]


def _loosened(name: Name) -> Change:
    return lambda problem: problem.loosened({name})


def _without(keys: Collection[str]) -> Change:
    return lambda problem: problem.without(keys)


def _undated(name: Name, value: float, after: Collection[str]) -> Change:
    """Without a date, and so without being too soon for the stage before."""
    return lambda problem: problem.without(after).at({name: value})


def _at(name: Name, value: float) -> Change:
    return lambda problem: problem.at({name: value})


def members_of(problem: Problem) -> list[Member]:
    """Everything in a plan that may take part in a conflict: what is there, and then what is wished for."""
    return [*_givens(problem), *_dates(problem), *_data(problem), *_phases(problem), *_bounds(problem)]


def knobs_of(problem: Problem) -> list[Knob]:
    """What may be changed of a plan so that it keeps what it requires: figures that it gives, or pays by, and dates."""
    knobs = {name: given_knob(problem, name) for name in problem.givens if name in problem.definitions}
    knobs = {name: knob for name, knob in knobs.items() if knob.written.dim != DATE}
    for name, definition in problem.definitions.items():
        known = problem.quantities.get(name.text)
        if known and known.facts.knob and definition.kind == "given" and problem.is_parameter(name):
            knobs.setdefault(name, parameter_knob(problem, name, problem.said(name), ">=", "<="))
    order = list(problem.quantities)
    dates = [knob for member in _dates(problem) for knob in member.knobs]
    weights = [knob for source in problem.sources if (knob := weight_knob(problem, source)) is not None]
    return [knobs[name] for name in sorted(knobs, key=lambda name: (order.index(name.text), name))] + weights + dates


# ---- figures that the plan gives


def _givens(problem: Problem) -> Iterator[Member]:
    for name, given in problem.givens.items():
        if name in problem.definitions and given.value.dim != DATE:
            text = f"{problem.said(name)}: {shown(given.expr)}"
            knob = given_knob(problem, name)
            yield Member(name, text, given.span, _loosened(name), (knob,))


def given_knob(problem: Problem, name: Name) -> Knob:
    """A figure of the plan that may be more or less."""
    value = problem.givens[name].value
    expr = problem.givens[name].expr
    number = figure_of(problem, expr)
    if isinstance(expr, Ref) and expr.name in problem.definitions:
        expr = problem.definitions[expr.name].expr
    step = step_of(problem, name)
    as_written = written(_num(expr, value.value, value.dim), value.dim, step)

    said = problem.said(name)
    opened = _left_open(name, Num(value.value, value.dim))
    return Knob(
        said, Ref(name), value.value, as_written, ">=", "<=", lambda p, v: p.given({name: v}), opened, number=number
    )


def _num(expr: Expr, value: float, dim: Dim) -> Num:
    """A figure of the plan as a number that says how it is written."""
    return Num(value, dim, shown(expr)) if isinstance(expr, Num) else Num(value, dim)


def parameter_knob(problem: Problem, name: Name, said: str, more: str, less: str) -> Knob:
    """A figure that can be tried at other values, and is not left open."""
    definition = problem.definitions[name]
    assert isinstance(definition.expr, Num)
    number = definition.expr
    as_written = written(number, definition.dim)
    opened = None if definition.dim == DATE else _left_open(name, number)
    own = figure_of(problem, number)
    return Knob(said, Ref(name), number.value, as_written, more, less, lambda p, v: p.at({name: v}), opened, number=own)


def _left_open(name: Name, now: Num) -> Change:
    """The problem that comes as near to a figure as it can, where that is left open."""
    near = Goal("near", Ref(name), Num(now.value, now.dim))
    return lambda problem: problem.loosened({name}).keeping_decided().aiming(near)


# ---- bounds and requirements


def _bounds(problem: Problem) -> Iterator[Member]:
    """Requirements and ranges; the ends of a range, and the parts of a requirement, are one thing that it says."""
    said: dict[tuple[str, str], list[Constraint | Either]] = {}
    for one in problem.kept:
        if one.kind in ("require", "range"):
            said.setdefault((one.kind, one.text), []).append(one)
    for several in said.values():
        first = several[0]
        text = first.text
        if first.kind == "range" and first.span:
            text = f"{first.text}: {' '.join(first.span.text.split())}"
        keys = {one.key for one in several}
        figures = [part for one in several for part in one.parts if part.kind == first.kind]
        knobs = tuple(knob for part in figures for knob in _knobs_of_bound(problem, part))
        yield Member(first, text, first.span, _without(keys), knobs)


def _knobs_of_bound(problem: Problem, part: Constraint) -> Iterator[Knob]:
    """The ways to say a bound otherwise: of a probability the bound in it, or how likely it is to be."""
    if part.chance is not None:
        yield from chance_knobs(problem, part, part.chance)
    elif (knob := _bound_knob(problem, part)) is not None:
        yield knob


def chance_knobs(problem: Problem, part: Constraint, chance: Chance) -> Iterator[Knob]:
    """What is asked of a probability, said otherwise: with another bound in it, or with another share.

    The sides of the constraint are those of a draw in which it is just kept, so that they tell the bound which would.
    """
    inner, level = chance.condition, chance.level
    if negated := isinstance(inner, Op) and inner.op == "not":
        inner = inner.args[0]
        assert isinstance(level, Op), "the rest of the share that the plan says"
        level = level.args[1]
    share = number_of(problem, level)

    def at_level(p: Problem, value: float) -> Problem:
        new = Op("-", (Num(1.0), Num(value))) if negated else Num(value)
        return p.replacing(replace(part, chance=replace(chance, level=new)))

    if isinstance(inner, Op) and inner.op in ("<=", "<", ">=", ">"):
        at = 0 if _is_figure(inner.args[0]) and not _is_figure(inner.args[1]) else 1
        bound = number_of(problem, inner.args[at])
        if bound is not None:
            yield _bound_in_chance(
                problem, part, chance, inner, at, bound, f"{'<=' if negated else '>='} {shown(level)}"
            )
    if share is not None:
        more, less = ("<=", "") if negated else ("", ">=")
        own, as_written = figure_of(problem, level), written(share, NONE)
        yield Knob(f"P({shown(inner)})", share, share.value, as_written, more, less, at_level, None, number=own)


def _bound_in_chance(
    problem: Problem, part: Constraint, chance: Chance, inner: Op, at: int, bound: Num, asked: str
) -> Knob:
    """The bound of the one comparison that is to be likely."""
    figure = inner.args[1 - at]
    step = step_of(problem, figure.name) if isinstance(figure, Ref) else 0.0
    as_written = written(bound, bound.dim, step)

    def compared(side: Expr) -> Op:
        return Op(inner.op, (figure, side) if at else (side, figure))

    def changed(p: Problem, value: float) -> Problem:
        new: Expr = compared(Num(value, bound.dim))
        if isinstance(chance.condition, Op) and chance.condition.op == "not":
            new = Op("not", (new,))
        return p.replacing(replace(part, chance=replace(chance, condition=new)))

    def told(value: float) -> str:
        return f"P({shown(compared(Num(value, bound.dim, as_written.text(value))))}) {asked}"

    # What is bounded stands on the left of the constraint where the bound is an upper one that is to be likely.
    upper = (inner.op in ("<=", "<")) == bool(at)
    above = upper == (chance.condition is inner)
    ratio = Op("/", (part.left, part.right))
    least: Expr = Op("*", (Num(bound.value), ratio)) if above else Op("/", (Num(bound.value), ratio))
    more, less = ("<=", "") if above else ("", ">=")
    opened = Goal("minimize", ratio)

    def left_open(p: Problem) -> Problem:
        return p.without({part.key}).aiming(opened)

    number = figure_of(problem, inner.args[at])
    return Knob("", least, bound.value, as_written, more, less, changed, left_open, told, number)


def _bound_knob(problem: Problem, part: Constraint) -> Knob | None:
    """The bound of a comparison, or what it is a multiple of."""
    below = _is_figure(part.left) and not _is_figure(part.right)  # `1T <= tokens`
    figure, bound = (part.right, part.left) if below else (part.left, part.right)
    said = shown(figure) if part.kind == "require" else part.text
    nearest = Goal("near" if part.equal else "minimize", part.left, part.right)
    if not part.equal:
        nearest = Goal("minimize", Op("/", (part.left, part.right)))

    def opened(p: Problem) -> Problem:
        return p.without({part.key}).aiming(nearest)

    def at(p: Problem, value: float) -> Problem:
        new = Num(value, dim_of(problem, bound))
        sides = {"left": new} if below else {"right": new}
        return p.replacing(replace(part, **sides))  # type: ignore[arg-type]

    number = number_of(problem, bound)
    if number is None:
        return None
    step = step_of(problem, figure.name) if isinstance(figure, Ref) else 0.0
    sign = "==" if part.equal else ">=" if below else "<="
    if part.kind == "range":  # `up to 64 GPUs` has room with `gpus >= 72`
        sign = {"<=": ">=", ">=": "<="}.get(sign, sign)
    more, less = ("", sign) if below else (sign, "")
    if part.equal:
        more = less = sign
    as_written, own = written(number, number.dim, step), figure_of(problem, bound)
    return Knob(said, figure, number.value, as_written, more, less, at, opened, number=own)


def _is_figure(expr: Expr) -> bool:
    """Whether a side of a comparison is a bound: numbers and lets, no quantity."""
    return all(name.kind == "let" for name in names(expr))


def figure_of(problem: Problem, expr: Expr) -> Num | None:
    """The figure of a plan that an expression is: a number where it stands, or that of a `let` that nothing else names.

    None where there is none, or to write another one there would change something else, too.
    """
    lets: set[str] = set()
    while isinstance(expr, Ref) and expr.name.kind == "let" and expr.name in problem.definitions:
        lets.add(expr.name.text)
        expr = problem.definitions[expr.name].expr
    if not isinstance(expr, Num) or expr.span is None or expr.span.text != expr.text:
        return None
    words = Counter(re.findall(r"[\w.-]+", expr.span.source.text))
    return expr if all(words[name] == 2 for name in lets) else None


def number_of(problem: Problem, bound: Expr) -> Num | None:
    """The value of a bound, as it is written where it is one figure."""
    while isinstance(bound, Ref) and bound.name in problem.definitions:
        bound = problem.definitions[bound.name].expr
    expanded = problem.expanded(bound)
    if names(expanded):
        return None
    return Num(float(value_of(expanded, {})), dim_of(problem, bound), shown(bound) if isinstance(bound, Num) else "")


# ---- phases, data and dates


def _phases(problem: Problem) -> Iterator[Member]:
    """Phases that the plan gives as amounts, which must come to the tokens of the run, or leave some for the rest."""
    of_phases = [
        name
        for name, definition in problem.definitions.items()
        if name.text in _STATED and name.part("phase") and definition.kind == "given" and problem.is_parameter(name)
    ]
    for name in of_phases:
        definition = problem.definitions[name]
        said = f"phase {name.part('phase')}"
        knob = parameter_knob(problem, name, said, ">=", "<=")
        yield Member(name, f"{said}: {shown(definition.expr)}", definition.span, _loosened(name), (knob,))
    for constraint in problem.constraints:
        # The amounts of a schedule by name are the schedule's.
        if constraint.kind == "given" and constraint.of is None and (constraint.otherwise or not of_phases):
            yield Member(constraint, constraint.text, constraint.span, _without({constraint.key}), ())


_STATED = frozenset((q.STATED_TOKENS.text, q.STATED_STEPS.text, q.STATED_EPOCHS.text))


def _data(problem: Problem) -> Iterator[Member]:
    """Each source that the plan tells the amount of: more of it, or more passes over it."""
    # Where the plan counts in passes over the data, more data are more tokens as well.
    in_passes = any(name.text == q.STATED_EPOCHS.text for name in problem.definitions)
    for source in problem.sources:
        amounts = (each.of("source", source) for each in (q.AMOUNT, q.AVAILABLE))
        name = next((each for each in amounts if problem.is_parameter(each)), None)
        if name is None:
            continue
        said = "data" if source == "data" else f"data {source}"
        definition = problem.definitions[name]
        knobs = [parameter_knob(problem, name, said, ">=", "")]
        passes = q.MAX_EPOCHS.of("source", source)
        # What one more pass is worth is known where the plan allows for some.
        if problem.is_parameter(passes) and (problem.repeats or not _asks_for_loss(problem)):
            more = parameter_knob(problem, passes, said, "up to", "")
            knobs.append(replace(more, written=Written(more.written.dim, "epochs", 1.0, step=1.0)))
        weight = weight_knob(problem, source)
        if weight is not None:
            knobs.append(weight)
        told = problem.definitions.get(passes)
        span = (told and told.span) or definition.span
        text = f"{said}: {shown(definition.expr)}"
        endless = passes if in_passes and problem.is_parameter(passes) else name
        yield Member(name, text, span, _at(endless, ENOUGH), tuple(knobs))


def weight_knob(problem: Problem, source: str) -> Knob | None:
    """The weight of a source, with those of the others, which keep to each other and make up the whole with it."""
    now = _weights(problem, source)
    own, others = now.get(source, 0.0), {one: share for one, share in now.items() if one != source}
    rest = sum(others.values())
    if not own or not others or abs(own + rest - 1.0) > WHOLE:
        return None
    largest = max(others, key=lambda one: others[one])

    def all_at(value: float) -> dict[str, float]:
        new = {one: value if one == source else round(share / rest * (1.0 - value), 4) for one, share in now.items()}
        return {**new, largest: round(1.0 - sum(share for one, share in new.items() if one != largest), 10)}

    def at(p: Problem, value: float) -> Problem:
        if value >= 1.0:  # that leaves the others nothing: no change
            return p
        return p.at({_weight_of(p, one): share for one, share in all_at(value).items()})

    def told(value: float) -> str:
        return " with ".join(f"data {one} weight {as_written.text(share)}" for one, share in all_at(value).items())

    def opened(p: Problem) -> Problem:
        left = Op("-", (Num(1.0), Ref(name)))
        follow = {_weight_of(p, other): Op("*", (Num(share / rest), left)) for other, share in others.items()}
        changed = {other: replace(p.definitions[other], expr=expr) for other, expr in follow.items()}
        return _left_open(name, Num(own))(replace(p, definitions={**p.definitions, **changed}))

    name, as_written = _weight_of(problem, source), Written(NONE, "%", 0.01)
    return Knob(f"data {source}", Ref(name), own, as_written, "weight", "weight", at, opened, told)


# Weights make up a whole to this much.
WHOLE = 1e-9


def _weights(problem: Problem, source: str) -> dict[str, float]:
    """The weights that a plan gives the sources which are mixed with one."""
    weights = {}
    for name in problem.sources:
        definition = problem.definitions[_weight_of(problem, name)]
        if (
            definition.kind == "given"
            and isinstance(definition.expr, Num)
            and _run_of(problem, name) == _run_of(problem, source)
        ):
            weights[name] = definition.expr.value
    return weights


def _weight_of(problem: Problem, source: str) -> Name:
    """The share of a source in the plan's mix."""
    unmixed = q.UNMIXED_SHARE.of("source", source)
    return unmixed if unmixed in problem.definitions else q.SHARE.of("source", source)


def _run_of(problem: Problem, source: str) -> frozenset[Name]:
    """The tokens that a source is mixed into: those of the run, or of one stage of a transfer."""
    tokens = problem.definitions[q.TOKENS.of("source", source)].expr
    return names(tokens) - {q.SHARE.of("source", source)}


def _asks_for_loss(problem: Problem) -> bool:
    """Whether a requirement is on the loss, or on what follows from it."""
    sides = (Op("-", (c.left, c.right)) for c in problem.parts if c.requirement is not None)
    return any(names(side) & {q.LOSS, q.PERPLEXITY, q.REGRET} for side in sides)


def _dates(problem: Problem) -> Iterator[Member]:
    """The dates between which the hardware is there."""
    for name, definition in problem.definitions.items():
        if definition.dim != DATE or definition.kind != "given" or not isinstance(definition.expr, Num):
            continue
        if name.text not in (q.START.text, q.DEADLINE.text):
            continue
        begins = name.text == q.START.text
        said = str(Name("from" if begins else "until", name.kind, name.scope))
        after = {c.key for c in problem.constraints if c.kind == "date" and c.right == Ref(name)}  # the stage before
        knob = parameter_knob(problem, name, said, ">=" if after or not begins else "", "<=" if begins else "")
        text = f"{said}: {knob.written.text(knob.now)}"
        yield Member(name, text, definition.span, _undated(name, EARLY if begins else LATE, after), (knob,))
