"""A solved plan whose pools of devices run side by side to the memory that a device of each needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.engine.layout.added import added, names_in_stage, of_the_whole
from runplan.engine.layout.fit import ALL, Look, by_itself, most_of, with_memory
from runplan.engine.problem import quantities as q
from runplan.engine.problem.laid_out import Layouts
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.solution import Solution, Value


def with_pools(plan: Plan, solution: Solution, catalogue: Library, look: Look = ALL) -> Solution:
    """The solution with the memory of each pool's devices, each judged by its own: a pool is taken to hold the model by
    itself, and to pass its share of a batch.

    Of the whole `memory_per_gpu` is the most of them.
    """
    if solution.status != "solved":
        return solution
    if len(plan.stages) == 1:
        definitions, values, layouts = _of_run(plan, solution, catalogue, look)
        return replace(added(solution, definitions, values), layouts=(*solution.layouts, *layouts))
    for stage, alone in zip(solution.problem.stages, stages_of(solution), strict=True):
        definitions, values, layouts = _of_run(stage.plan, alone, catalogue, look)
        own = names_in_stage(stage.name, values, alone, solution)
        solution = added(solution, *of_the_whole(definitions, values, own))
        within = [one.of((("stage", stage.name), *one.scope)) for one in layouts]
        solution = replace(solution, layouts=(*solution.layouts, *within))
    return added(solution, *most_of(solution.values, "stage", catalogue))


def _of_run(
    plan: Plan, solution: Solution, catalogue: Library, look: Look
) -> tuple[list[Definition], dict[Name, Value], list[Layouts]]:
    """What is found of each pool of a run; nothing where it has but one."""
    values: dict[Name, Value] = {}
    definitions: list[Definition] = []
    layouts: list[Layouts] = []
    pools = _pools(solution)
    for pool in pools:
        view = _alone(solution, pool, pools)
        laid = with_memory(by_itself(plan, "pool", pool), view, catalogue, look)
        layouts += [one.of((("pool", pool),)) for one in laid.layouts]
        more = {name: value for name, value in laid.values.items() if name not in view.values}
        made = [one for name, one in laid.problem.definitions.items() if name in more]
        there = {name: name.of("pool", pool) for name in (*more, *view.values) if not name.scope}
        own = {name: named for name, named in there.items() if name in more or named in solution.values}
        defined, found = of_the_whole(made, more, own)
        values |= found
        definitions += defined
    whole, most = most_of(values, "pool", catalogue)
    return [*definitions, *whole], {**values, **most}, layouts


def _pools(solution: Solution) -> list[str]:
    """The pools of a run whose devices have a memory."""
    found = {name.part("pool") for name in solution.values if name.text == q.MEMORY.text and len(name.scope) == 1}
    return sorted(found - {""}, key=int)


def _alone(solution: Solution, pool: str, pools: list[str]) -> Solution:
    """The solution as if its devices were those of one pool, with the share of the batch that they pass."""
    own = {Name(text): replace(value, name=Name(text)) for text, value in solution.within(("pool", pool)).items()}
    values = {**{name: value for name, value in solution.values.items() if not name.part("pool")}, **own}
    speeds = [_speed(solution.within(("pool", each))) for each in pools]
    share = _speed(solution.within(("pool", pool))) / sum(speeds)
    if q.BATCH in values:
        values[q.BATCH] = replace(values[q.BATCH], value=values[q.BATCH].value * share)
    return replace(solution, values=values, findings=(), layouts=())


def _speed(own: Mapping[str, Value]) -> float:
    """How much of a step the devices of a pool do, in FLOP a second; by their count where no rate is known."""
    count = own[q.GPUS.text].value if q.GPUS.text in own else 1.0
    rates: Iterator[float] = (own[name.text].value for name in (q.RATE, q.PEAK) if name.text in own)
    return count * next(rates, 1.0)
