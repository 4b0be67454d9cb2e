"""The problems of a plan under several laws to the same with one goal: the least worst regret over them all.

The regret of a run under a law is the compute that it takes beyond the least with which that law reaches the same loss.
What every law grants the run is a variable: no more than that least compute by any of them. It is made large where a
statement bounds the compute, and else what is spent over it is made small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, bound, names, substitute
from runplan.dsl.plan.ir import Optimize, Plan
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint, Definition, Goal, Inverse, Variable
from runplan.engine.problem.problem import Problem

# Where the search begins for what every law grants, in FLOP.
START = 1e22


def is_least_regret(goal: Optimize, plan: Plan) -> bool:
    """Whether a goal is the least regret, by whatever name."""
    return goal.sense == "minimize" and without_lets(goal.expr, plan) == Ref(q.REGRET)


def least_worst(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Each problem with the least worst regret over all the laws that can tell one, where these are several."""
    judges = [problem for problem in problems if problem.goals and q.LEAST_COMPUTE in problem.definitions]
    for problem in problems:
        others = [judge for judge in judges if judge is not problem]
        yield _among(problem, others) if problem in judges and others else problem


def _among(problem: Problem, others: Sequence[Problem]) -> Problem:
    """The problem with what other laws say of its run, and the least worst regret as its goal."""
    views = [_view(problem, other) for other in others]
    sure = [_sure(problem.named, q.COMPUTE, q.LEAST_COMPUTE), *(view.sure for view in views)]
    formula = problem.quantities[q.WORST_REGRET.text].formula
    assert formula is not None, "the standard library has it"
    laws = ", ".join(f"`{each.named}`" for each in (problem, *others))
    worst = Definition(q.WORST_REGRET, (), bound(formula, quantity), "derived", f"the largest under {laws}")
    definitions = {**problem.definitions, q.WORST_REGRET: worst}
    for view in views:
        definitions |= view.definitions

    def sured(goals: Iterable[Goal]) -> tuple[Goal, ...]:
        by: Mapping[Name, Expr] = {q.LEAST_COMPUTE: Ref(q.SURE_COMPUTE)}
        return tuple(replace(goal, expr=substitute(goal.expr, by)) for goal in goals)

    said = f"the least worst regret under {laws}"
    return replace(
        problem,
        definitions=definitions,
        variables=(
            *problem.variables,
            *(each for view in views for each in view.variables),
            Variable(q.SURE_COMPUTE, problem.dim(q.COMPUTE), START),
        ),
        constraints=(*problem.constraints, *(each for view in views for each in view.links), *sure),
        inverses=(*problem.inverses, *(each for view in views for each in view.inverses)),
        repeats=(*problem.repeats, *(each for view in views for each in view.repeats)),
        goals=sured(problem.goals),
        goal=said,
        instead=tuple(replace(aim, goals=sured(aim.goals), said=said) for aim in problem.instead),
    )


def _sure(law: str, compute: Name, least: Name) -> Constraint:
    """What every law grants is no more than this law does, in its own count of the compute."""
    granted = Op("*", (Ref(q.SURE_COMPUTE), Op("/", (Ref(compute), Ref(q.COMPUTE)))))
    left = Ref(q.SURE_COMPUTE) if compute == q.COMPUTE else granted
    return Constraint(f"regret under {law}", f"regret under {law}", left, Ref(least), "link")


@dataclass(frozen=True, slots=True)
class _View:
    """What another law says of a run.

    Attributes:
        links: What holds its own count of the params to those of the run.
    """

    sure: Constraint
    definitions: Mapping[Name, Definition]
    variables: tuple[Variable, ...]
    links: tuple[Constraint, ...]
    inverses: tuple[Inverse, ...]
    repeats: tuple[Definition, ...]


def _view(problem: Problem, other: Problem) -> _View:
    """What the law of another problem of the same plan says of a run: what is its own goes under names of its own."""
    law, own = other.named, _own(problem, other)
    by: dict[Name, Expr] = {name: Ref(name.of("law", law)) for name in own}

    def called(name: Name) -> Name:
        return name.of("law", law) if name in own else name

    def told(definition: Definition) -> Definition:
        # What this law assumes of the run it tells where it is the plan's own; here it follows.
        kind = "derived" if definition.kind == "assumed" and definition.name in own else definition.kind
        return replace(definition, name=called(definition.name), expr=substitute(definition.expr, by), kind=kind)

    def is_new(name: Name) -> bool:
        return name in own or (name not in problem.definitions and not any(v.name == name for v in problem.variables))

    inverses = [turned for turned in other.inverses if turned.definition.name in own]
    said = [*(turned.expr for turned in inverses), *(d.expr for d in other.repeats)]
    wanted = {q.REGRET, q.PARAMS}.union(*map(names, said))
    taken = _leading_to(other, wanted)
    text = f"params of {law}"
    link = Constraint(text, text, Ref(q.PARAMS), Ref(called(q.PARAMS)), "link", equal=True)
    return _View(
        sure=_sure(law, called(q.COMPUTE), called(q.LEAST_COMPUTE)),
        definitions={called(n): told(d) for n, d in other.definitions.items() if n in taken and is_new(n)},
        variables=tuple(replace(v, name=called(v.name)) for v in other.variables if v.name in own),
        links=(link,) if q.PARAMS in own else (),
        inverses=tuple(Inverse(told(t.definition), told(t.of), substitute(t.expr, by)) for t in inverses),
        repeats=tuple(told(d) for d in other.repeats if is_new(d.name)),
    )


def _own(problem: Problem, other: Problem) -> frozenset[Name]:
    """The names that mean another thing under the other law: what it says otherwise, and all that follows from that.

    The run is what all of them judge: its tokens, and all its params, but where these follow from a count of the law's.
    """
    here, there = (_said(each) for each in (problem, other))
    sized = other.definitions.get(q.PARAMS)
    follows = sized is not None and not isinstance(sized.expr, Num) and here.get(q.PARAMS) != there[q.PARAMS]
    shared = {q.TOKENS} if follows else {q.TOKENS, q.PARAMS}
    own = {name for name, said in there.items() if here.get(name, said) != said} - shared
    while more := {name for name, said in there.items() if name not in own and _mentioned(said) & own} - shared:
        own |= more
    return frozenset(own)


def _said(problem: Problem) -> dict[Name, tuple[Expr, ...]]:
    """Each name of a problem by all that says what it is; what is to be found, by itself."""
    out: dict[Name, tuple[Expr, ...]] = {variable.name: (Ref(variable.name),) for variable in problem.variables}
    told = (*problem.definitions.items(), *((d.name, d) for d in problem.repeats))
    for name, expr in (*((n, d.expr) for n, d in told), *((t.definition.name, t.expr) for t in problem.inverses)):
        out[name] = (*out.get(name, ()), expr)
    return out


def _mentioned(said: tuple[Expr, ...]) -> frozenset[Name]:
    return frozenset().union(*map(names, said))


def _leading_to(problem: Problem, wanted: Collection[Name]) -> frozenset[Name]:
    """The names that some names lead to."""
    seen: set[Name] = set()
    left = [*wanted]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            if name in problem.definitions:
                left.extend(names(problem.definitions[name].expr))
    return frozenset(seen)
