"""Sources that are seen equally often to the stretches between which their formulas bend, each with smooth ones.

Where a source has reached its limit the others go on faster: shares, passes and what repeats are worth bend there. Each
stretch is a problem of its own, in which it is known who has reached what; the best of their optima is that of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import NO_NAMES, Expr, Num, Op, Ref, joined
from runplan.engine.problem.parts import Constraint, Evenly, leads_to
from runplan.engine.problem.problem import Problem

# More sources than this whose order is open are not told apart: their formulas stay as they are.
OPEN = 4


def stretches(problem: Problem) -> tuple[Problem, ...]:
    """The problem by stretches; the problem alone where nothing that it is about bends."""
    out: tuple[Problem, ...] = (problem,)
    about = about_of(problem) if problem.evenly else NO_NAMES
    for group in problem.evenly:
        if group.level in about:
            out = tuple(part for one in out for part in _stretches(one, group))
    return out


def about_of(problem: Problem) -> frozenset[Name]:
    """The names that goals, constraints and choices lead to."""
    # What a piece of a name that bends rests on counts where that name does.
    choices = (part for choice in problem.either if choice.requirement is not None for part in choice.parts)
    over = [side for c in (*problem.constraints, *choices) for side in (c.left, c.right)]
    over += [side for goal in problem.goals for side in (goal.expr, goal.other) if side is not None]
    return leads_to(over, problem.definitions)


def _stretches(problem: Problem, group: Evenly) -> Iterator[Problem]:
    limits = [problem.expanded(part.limit) for part in group.parts]
    known = sorted({limit.value for limit in limits if isinstance(limit, Num)})
    fixed = [limit.value if isinstance(limit, Num) else None for limit in limits]
    free = [at for at, limit in enumerate(fixed) if limit is None]
    if len(free) > OPEN:
        yield problem
        return
    for reached, choice in product([0.0, *known], product((True, False), repeat=len(free))):
        done = [limit <= reached if limit is not None else choice[free.index(at)] for at, limit in enumerate(fixed)]
        if not all(done):
            yield _stretch(problem, group, done)


def _stretch(problem: Problem, group: Evenly, done: Sequence[bool]) -> Problem:
    """The problem where it is known who has reached the limit."""
    full = [part for part, reached in zip(group.parts, done, strict=True) if reached]
    going = [part for part, reached in zip(group.parts, done, strict=True) if not reached]
    left = group.whole
    for part in full:
        left = Op("-", (left, Op("*", (part.amount, part.limit))))
    level = Op("/", (left, joined("+", (part.amount for part in going))))
    by: dict[Name, Expr] = {group.level: level}
    by |= {part.seen: part.limit for part in full} | {part.seen: Ref(group.level) for part in going}
    definitions = {name: replace(problem.definitions[name], expr=expr) for name, expr in by.items()}
    # Where all that go on have one limit, what there is of data says it already, and is what binds.
    ends = full if len({part.limit for part in going}) == 1 else group.parts
    between = []
    for part in ends:
        low, high = (part.limit, Ref(group.level)) if part in full else (Ref(group.level), part.limit)
        between.append(Constraint(f"stretch of {part.seen}", "data", low, high, "data"))
    return replace(
        problem,
        definitions={**problem.definitions, **definitions},
        constraints=(*problem.constraints, *between),
        evenly=(),
    )
