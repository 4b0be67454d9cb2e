"""What a problem is made of: definitions, variables, constraints and goals, as expressions over names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, deviate
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.plan.ir import Objective, Plan, Requirement, Sense
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim
from runplan.engine.problem import quantities as q

# The 90 % quantile of a standard normal: an 80 % interval reaches so many standard deviations to each side.
QUANTILE = 1.2815515655446004
# What tells one side of a figure from the other, as a share: more than a search is off, less than a digit shows.
HAIR = 1e-6
Kind = Literal["given", "assumed", "derived", "law", "constant", "solved"]
# What proves that an answer is the best there is: convexity in logarithms, or bounds; `local` where nothing does.
Certainty = Literal["convex", "bounds", "local"]
# An alternative that is taken: the key of the choice, and which of its alternatives.
Taken = tuple[str, int]
ConstraintKind = Literal["capacity", "budget", "data", "range", "given", "require", "line", "date", "link", "some"]


def weakest(certainties: Iterable[Certainty]) -> Certainty:
    """How certain a whole is of parts that are so."""
    order: tuple[Certainty, ...] = ("convex", "bounds", "local")
    return max(certainties, key=order.index, default="convex")


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a value comes from.

    Attributes:
        expr: The value by other names, or a number: then it is a parameter.
        source: The citation, the record, or what the assumption rests on.
        span: The place in the plan, or in the pack, that says so.
        by: The law that says so; empty where none does.
        between: Of a parameter that nature decides, the ends that the plan gives it.
        spread: Of a figure that is assumed, the standard deviation of its natural logarithm: it is log-normal, with the
            value as its middle, and its 80 % interval reaches from `exp(-1.2816 * spread)` to `exp(1.2816 * spread)`
            of that.
        off: Whose deviates it is off by, each with its weight, where these are not its own alone: results of one plan
            are off together.
    """

    name: Name
    dim: Dim
    expr: Expr
    kind: Kind
    source: str = ""
    span: Span | None = None
    note: str = ""
    by: str = ""
    between: tuple[float, float] | None = None
    spread: float | None = None
    off: tuple[tuple[str, float], ...] = ()

    @property
    def deviates(self) -> tuple[tuple[Name, float], ...]:
        """The deviates that it is off by, each with its weight."""
        return tuple((deviate(text), weight) for text, weight in self.off) or ((deviate(self.name.text), 1.0),)


@dataclass(frozen=True, slots=True)
class Variable:
    """A quantity to be found, positive; `start` is where the search begins, in base units."""

    name: Name
    dim: Dim
    start: float
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What the plan may say in the place of something that has no figure which could be moved.

    Attributes:
        text: As one would write it.
        new: What of that is written in the place of what the constraint is about.
        name: The quantity that follows from the others then, by `expr`.
        left, right: What is kept then: `left <= right`.
    """

    text: str
    new: str
    name: Name
    expr: Expr
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a condition is to hold over all that is uncertain, what is chosen being chosen before that is known.

    Attributes:
        condition: Comparisons, joined by `and` and `or`.
        level: The share of the draws in which it is to hold, at least.
    """

    condition: Expr
    level: Expr


@dataclass(frozen=True, slots=True)
class Constraint:
    """`left <= right`, or equal where `equal`, that the solution keeps.

    Attributes:
        key: Which it is: no two of a problem share one.
        text: As reports say what binds: `compute`, or the requirement as the plan writes it.
        kind: Where it comes from; a `capacity` and a `date` cannot be loosened by themselves, their givens can. A
            `link` is none of the plan's: it holds names of one thing together. A `some` keeps a stage from having no
            tokens, where nothing says how many.
        of: The figure of the plan that it holds, of the kinds `given`, `budget` and `range`.
        otherwise: What the plan may say in its place.
        strict: Whether it is kept with a hair to spare, as `<` is: it tells one alternative from another.
        figure: Where the one figure stands that bounds it, within `span`.
        chance: Of a requirement on a probability, that: the sides are then those of a draw in which it is just kept,
            which `engine/solve/chances.py` finds.
        stage: The stage that it came with; empty for what the plan itself holds.
    """

    key: str
    text: str
    left: Expr
    right: Expr
    kind: ConstraintKind
    span: Span | None = None
    equal: bool = False
    of: Name | None = None
    requirement: Requirement | None = None
    otherwise: Otherwise | None = None
    chance: Chance | None = None
    strict: bool = False
    figure: Span | None = None
    stage: str = ""

    @property
    def parts(self) -> tuple[Constraint, ...]:
        """Itself, as a choice has several."""
        return (self,)

    def replacing(self, other: Constraint) -> Constraint:
        """The other one, where it is of this key."""
        return other if other.key == self.key else self

    @property
    def most(self) -> Expr:
        """What the left side is at most."""
        return Op("*", (self.right, Num(1.0 - HAIR))) if self.strict else self.right

    def excess(self, env: Mapping[Name, float]) -> float:
        """By how much, relatively, values break it: 0 or less where they keep it, and as far as they do not tell."""
        try:
            left, right = float(value_of(self.left, env)), float(value_of(self.most, env))
        except (KeyError, ArithmeticError, ValueError):
            return 0.0
        return (abs(left - right) if self.equal else left - right) / max(abs(left), abs(right), 1e-300)


def bounds_compute(constraint: Constraint) -> bool:
    """Whether a constraint bounds the compute from above: what the hardware gives, or a budget of it."""
    return constraint.text == q.COMPUTE.text and constraint.left in (Ref(q.COMPUTE), Ref(q.MODEL_COMPUTE))


@dataclass(frozen=True, slots=True)
class Goal:
    """One of the goals, in order: make an expression small or large, or stay near a line."""

    sense: Sense | Literal["near"]
    expr: Expr
    other: Expr | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What is wanted: goals in order, each later one choosing among what those before leave.

    Attributes:
        said: What is wanted first, in words.
        ties: What chooses among what the goals leave, in order.
    """

    goals: tuple[Goal, ...]
    said: str
    ties: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Inverse:
    """A quantity by what it leads to: `name` is such that the expression, which grows with it, is `of`.

    Where `of` is left open it is turned round: `of` is the expression, and `name` is to be found.
    """

    definition: Definition
    of: Definition
    expr: Expr


@dataclass(frozen=True, slots=True)
class EvenPart:
    """A source of an `Evenly`: the name of how often it is seen, its amount, and how often it may be."""

    seen: Name
    amount: Expr
    limit: Expr


@dataclass(frozen=True, slots=True)
class Evenly:
    """Sources that make up a whole, each seen as often as the others until it has reached its limit.

    Attributes:
        level: The name of how often those that go on are seen.
    """

    level: Name
    whole: Expr
    parts: tuple[EvenPart, ...]


@dataclass(frozen=True, slots=True)
class StageOf:
    """A stage of a problem.

    Attributes:
        plan: The stage as a plan of its own: what it does not say is the whole plan's.
        phases: Names of its schedule's phases, in order.
        sources: Names of the data that it is trained on.
    """

    name: str
    plan: Plan
    objective: Objective
    phases: tuple[str, ...]
    sources: tuple[str, ...]


def leads_to(
    exprs: Iterable[Expr], definitions: Mapping[Name, Definition], known: Iterable[Name] = ()
) -> frozenset[Name]:
    """The names in expressions, and those in what defines them; names that are known already lead no further."""
    seen = set(known)
    left = list(exprs)
    while left:
        for name in names(left.pop()) - seen:
            seen.add(name)
            if name in definitions:
                left.append(definitions[name].expr)
    return frozenset(seen)
