"""A model that is served to the memory of its weights and its cache, and to the devices that this takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Ref
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Given, Plan
from runplan.engine.layout.added import added
from runplan.engine.layout.fit import OF_SERVING
from runplan.engine.layout.memory import Step, formulas_of, in_order
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Definition
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.solve.values import valued

_SAID = tuple(map(quantity, OF_SERVING))
_OF_THE_MODEL = tuple(map(quantity, ("serving_weights", "cache_per_sequence")))
_SERVING, _MEMORY, _ROOM = map(quantity, ("serving_gpus", "serving_memory", "serving_room"))
_OF_DEVICES = (_MEMORY, _ROOM, quantity("serving_sequences"))
_LATENT = {
    quantity("cache_width"): quantity("latent_cache_width"),
    quantity("cache_parts"): quantity("latent_cache_parts"),
}
_USUAL = {
    quantity("cache_width"): quantity("usual_cache_width"),
    quantity("cache_parts"): quantity("usual_cache_parts"),
}
_MOST_DEVICES = 1 << 12


def served(plan: Plan, solution: Solution, catalogue: Library) -> tuple[tuple[Definition, ...], dict[Name, Value]]:
    """What serving takes of a model whose size is known: of its weights and a sequence, and how many of the plan's
    devices that is, where they are of one kind."""
    known = {name: value.value for name, value in solution.values.items()}
    if q.INFERENCE_TOKENS not in known or not {q.PARAMS, q.ACTIVE_PARAMS} <= known.keys():
        return (), {}
    said = tuple(_said(plan, catalogue))
    known |= {one.name: one.expr.value for one in said if isinstance(one.expr, Num)}
    own = _formulas(known, catalogue)
    caches = _caches(solution)
    steps = list(in_order(own, known, _OF_THE_MODEL if caches else _OF_THE_MODEL[:1]))
    definitions = [*said, *_found(steps, known, catalogue)]
    if q.MEMORY in known and caches:
        steps = list(in_order(own, {*known, _SERVING}, _OF_DEVICES))
        fewest = _fewest(steps, known)
        if fewest is not None:
            source = "the first of 1, 2, 4 and so on that have room for its weights and one sequence"
            dim = catalogue.quantities()[_SERVING.text].counted.dim
            known[_SERVING] = fewest
            definitions.append(Definition(_SERVING, dim, Num(fewest, dim), "derived", source))
            definitions += _found(steps, known, catalogue)
    return tuple(definitions), {one.name: valued(one, known[one.name]) for one in definitions}


def _caches(solution: Solution) -> bool:
    """Whether tokens are served one after the other, so that keys and values of those before are cached."""
    objective = solution.problem.objective
    return (objective.target if objective.kind == "transfer" else objective.kind) != "MLM"


def _said(plan: Plan, catalogue: Library) -> Iterator[Definition]:
    """What the plan says of serving, else what is taken."""
    figures = plan.layout.figures if plan.layout is not None else {}
    for name in _SAID:
        stated, known = figures.get(name.text), catalogue.quantities()[name.text]
        if isinstance(stated, Given):
            number = Num(stated.value.value, known.counted.dim)
            yield Definition(name, number.dim, number, "given", "plan", stated.span)
        elif known.facts.otherwise is not None:
            yield Definition(name, known.counted.dim, known.facts.otherwise[0], "assumed", known.facts.otherwise[1])


def _formulas(known: Mapping[Name, float], catalogue: Library) -> Mapping[Name, Expr]:
    shaped = q.EMBEDDING_PARAMS in known
    own = formulas_of(known, shaped, q.EXPERTS in known, catalogue)
    if q.KV_LORA in known:
        own.update({name: Ref(other) for name, other in _LATENT.items()})
    elif not shaped:
        own.update({name: Ref(other) for name, other in _USUAL.items()})
    if {q.WINDOW, q.GLOBAL_LAYERS, q.LAYERS, q.CONTEXT} <= known.keys():
        own[quantity("cached_tokens")] = Ref(quantity("cached_in_window"))
    return own


def _found(steps: list[Step], known: dict[Name, float], catalogue: Library) -> Iterator[Definition]:
    """The definitions of what follows; it is worked out, too."""
    for step in steps:
        if step.name not in known:
            known[step.name] = float(step.of(known))
            facts = catalogue.quantities()[step.name.text]
            yield Definition(step.name, facts.counted.dim, step.formula, "derived", facts.title, facts.span)


def _fewest(steps: list[Step], known: Mapping[Name, float]) -> float | None:
    """The first of 1, 2, 4 and so on devices that have room for the model and a sequence; None where none have."""
    devices = 1
    while devices <= _MOST_DEVICES:
        found = {**known, _SERVING: float(devices)}
        for step in steps:
            if step.name not in found:
                found[step.name] = float(step.of(found))
        if found[_MEMORY] <= found[_ROOM]:
            return float(devices)
        devices *= 2
    return None


def with_serving(plan: Plan, solution: Solution, laid: Solution, catalogue: Library) -> Solution:
    """The solution as it is laid out with what serving takes, of a plan that says what is served."""
    definitions, values = served(plan, solution, catalogue)
    return added(laid, definitions, values) if values else laid
