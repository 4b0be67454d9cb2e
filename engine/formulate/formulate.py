"""A plan and a law to a problem: what is known, what is free, what must hold, what is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import parts, ways
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Plan, Stage
from runplan.engine.formulate.alone import Alone, alone, objective_of, runs_of
from runplan.engine.formulate.alternatives import add_pieces
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.goals import aims_of
from runplan.engine.formulate.law import is_frontier, line_of
from runplan.engine.formulate.length import seen_as_often
from runplan.engine.formulate.probable import is_solved
from runplan.engine.formulate.requirements import add_requirements
from runplan.engine.formulate.run import add_lets, add_run, add_run_of_stages, add_stage
from runplan.engine.formulate.stages import Staged
from runplan.engine.formulate.transferred import add_implied, transfer_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import StageOf
from runplan.engine.problem.problem import Problem


def formulate(plan: Plan, law: Law, named: str, catalogue: Library, lenders: tuple[Law, ...] = ()) -> Problem:
    """The problem of a plan under a law, as expressions only: no value is computed here.

    Args:
        named: The law as the plan names it.
        lenders: Laws of settings that are named beside it.
    """
    stages = alone(plan)
    if stages:
        return _staged(plan, stages, law, named, catalogue, lenders)
    draft = Draft(seen_as_often(plan), law, named, objective_of(plan), catalogue, lenders)
    _not_solved_yet(draft)
    if is_programme(plan):
        add_lets(draft)
        return _posed(draft)
    add_run(draft)
    implied = add_implied(draft)
    return replace(_posed(draft), stages=implied)


def _staged(
    plan: Plan, stages: Sequence[Alone], law: Law, named: str, catalogue: Library, lenders: tuple[Law, ...]
) -> Problem:
    """The problem of a plan with stages: each by itself, and all of them as one run."""
    runs = runs_of(stages)
    told = [run for run in runs if not run[0].trains_adapters] or runs
    heard = [run for run in told if str(run[0].objective) in law.objectives] or told
    before = runs[-2] if len(runs) > 1 and not runs[-1][0].trains_adapters else ()
    transfer = transfer_of(law, before, runs[-1]) if before else None
    run, objective = (runs[-1], transfer) if transfer else (heard[-1], heard[-1][0].objective)
    drafts = (Draft(seen_as_often(one.plan), law, named, one.objective, catalogue, lenders) for one in stages)
    made = [add_stage(draft, one) for draft, one in zip(drafts, stages, strict=True)]
    outer = replace(plan.outer, hardware=(), optimizer=None, objective=objective)
    whole = replace(plan, stages=(outer, *(replace(one.plan.outer, name=one.name) for one in stages)))
    draft = Draft(whole, law, named, objective, catalogue, lenders)
    _not_solved_yet(draft)
    spoken = [one for one in made if one.alone in run]
    add_run_of_stages(draft, plan, made, spoken, [one for one in made if one.alone in before] if transfer else ())
    posed = _posed(draft)
    parts = tuple(
        StageOf(one.name, one.alone.plan, one.alone.objective, one.draft.phases, _sources(one, draft)) for one in made
    )
    return replace(posed, stages=parts)


def _sources(stage: Staged, whole: Draft) -> tuple[str, ...]:
    """The sources of data that a stage is trained on."""
    named = whole.sources if stage.alone.shares_data else stage.draft.sources
    return tuple(name for name in named if whole.knows(stage.of(q.TOKENS.of("source", name))))


def is_programme(plan: Plan) -> bool:
    """Whether a plan says nothing of a run of its own, and asks something of what others come to."""
    own = plan.outer != Stage() or len(plan.stages) > 1 or plan.model or plan.start or plan.goals
    return not own and any(let.of for let in plan.lets.values())


def _posed(draft: Draft) -> Problem:
    """The problem of all that is known: with what the plan requires, and what it wants."""
    plan, law = draft.plan, draft.law
    decided = add_requirements(draft)
    line = line_of(draft)
    aim, *instead = aims_of(draft, line)
    add_pieces(draft)
    return Problem(
        named=draft.named,
        law=law,
        objective=draft.objective,
        definitions=draft.definitions,
        variables=tuple(draft.variables),
        constraints=tuple(draft.constraints),
        decided=decided,
        goals=(*aim.goals, *aim.ties),
        goal=aim.said,
        ties=len(aim.ties),
        instead=tuple(instead),
        stated=bool(plan.goals),
        givens=draft.givens,
        asked=tuple(draft.asked),
        sources=draft.sources,
        findings=draft.told(),
        place=plan.first_statement,
        line=line,
        frontier=is_frontier(draft),
        lawless=draft.lawless,
        phases=draft.phases,
        default_laws=tuple(draft.default_laws.values()),
        inverses=tuple(draft.inverses),
        repeats=tuple(draft.repeats),
        held=tuple(draft.held),
        either=tuple(draft.either),
        unsaid=draft.unsaid,
        evenly=tuple(draft.evenly),
        quantities=draft.catalogue.quantities(),
    )


def _not_solved_yet(draft: Draft) -> None:
    """What is read and typed, and not solved: said, never passed over."""
    plan = draft.plan
    for requirement in (*plan.requires, *plan.prefers):
        for part in parts(ways(requirement.condition)):
            if not is_solved(part):
                help = ["compare it alone with a share: `P(cost <= 30M USD) >= 90%`"]
                draft.gave_up("what is asked of a probability is read, and not solved yet", requirement.span, help)
