"""A solution to those of its stages: each with the quantities that are its own, and the model that all share."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Op, Ref, names, substitute
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Constraint, Definition, StageOf
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution, Value


def stages_of(solution: Solution) -> tuple[Solution, ...]:
    """The solution of each stage, by itself, its quantities named as those of a run; nothing where there are none."""
    stages = solution.problem.stages
    values: dict[str, dict[Name, Value]] = {stage.name: {} for stage in stages}
    for name, value in solution.values.items():
        if _shared(solution.problem, name) is not None:
            for own in values.values():
                own[name] = value
        elif name.scope and name.scope[0][0] == "stage":
            stage = name.scope[0][1]
            named = Name(name.text, name.kind, name.scope[1:])
            values[stage][named] = replace(value, name=named)
    return tuple(_of_stage(solution, stage, values[stage.name]) for stage in stages)


def _of_stage(solution: Solution, stage: StageOf, named: dict[Name, Value]) -> Solution:
    before = f"{stage.name}."
    values = {
        name: replace(value, inputs=tuple(_own(each, stage.name) or each for each in value.inputs))
        for name, value in named.items()
    }
    active = [c for c in solution.problem.constraints if c.stage == stage.name and c.key in solution.active]
    return replace(
        solution,
        values=values,
        binding=tuple(dict.fromkeys(c.text.removeprefix(before) for c in active)),
        active=frozenset(c.key.removeprefix(before) for c in active),
        conflict=(),
        conflicts=(),
        reasons=(),
        findings=(),
        odds=tuple(one for one in solution.odds if {name.part("stage") for name in one.over} == {stage.name}),
        sources=stage.sources,
        problem=_problem(solution.problem, stage, values),
        off_line=None,
        worst=None,
        layouts=tuple(one.of(one.scope[1:]) for one in solution.layouts if one.scope[:1] == (("stage", stage.name),)),
    )


def _own(name: Name, stage: str) -> Name | None:
    """A quantity of a stage as one of a run; None for any other."""
    if not name.scope or name.scope[0] != ("stage", stage):
        return None
    return Name(name.text, name.kind, name.scope[1:])


def _shared(problem: Problem, name: Name) -> Name | None:
    """What stages have in common: the model, and whatever is no quantity."""
    if name.part("stage"):
        return None
    known = problem.quantities.get(name.text) if name.kind == "quantity" else None
    return name if name.kind != "quantity" or (known is not None and known.facts.stages == "one") else None


def _problem(problem: Problem, stage: StageOf, values: dict[Name, Value]) -> Problem:
    """The problem of a solved stage: its values are figures."""
    definitions = {
        name: Definition(name, v.dim, Num(v.value, v.dim), v.kind, v.source, v.span, v.note, v.by)
        for name, v in values.items()
    }
    if q.ACTIVE_PARAMS in values and not problem.is_mixture:  # a token passes all of a dense model
        definitions[q.ACTIVE_PARAMS] = replace(definitions[q.ACTIVE_PARAMS], expr=Ref(q.PARAMS))
    before = f"{stage.name}."

    def renamed(c: Constraint) -> Constraint | None:
        if c.stage != stage.name:
            return None
        over = names(Op("-", (c.left, c.right)))
        by = {name: to for name in over if (to := _own(name, stage.name) or _shared(problem, name)) is not None}
        if len(by) < len(over):
            return None
        left, right = (substitute(side, {name: Ref(to) for name, to in by.items()}) for side in (c.left, c.right))
        # What is to be likely is so of the whole plan: here it is as it was found.
        return replace(c, key=c.key.removeprefix(before), left=left, right=right, chance=None)

    return replace(
        problem,
        objective=stage.objective,
        definitions=definitions,
        variables=(),
        constraints=tuple(made for c in problem.constraints if (made := renamed(c)) is not None),
        decided=(),
        givens={own: given for name, given in problem.givens.items() if (own := _own(name, stage.name)) is not None},
        sources=stage.sources,
        phases=stage.phases,
        inverses=(),
        repeats=(),
        held=(),
        either=(),
        unsaid={},
        evenly=(),
        stages=(),
        line=None,
    )
