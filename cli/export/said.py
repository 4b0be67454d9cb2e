"""What a plan says of a run that a trainer or a scheduler may have no place for, statement by statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runplan.cli.export.training import Said, Subject
from runplan.dsl.expr.name import quantity
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import DataSource, Given, Plan
from runplan.dsl.text.source import Span
from runplan.dsl.units.show import show
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution

# Fields that no format has a setting for, of an optimizer and of a model; and of a layout what some have none for.
ADAPTERS = ("lora", "lora_on", "frozen_bits")
BITS = ("weight_bits", "activation_bits", "kv_bits")
UNCARRIED: Mapping[str, Subject] = {"sequence_parallel": "layout", "interleave": "interleave"}


def said_of(plan: Plan, solution: Solution, catalogue: Library, top: Span) -> Iterator[Said]:
    """All of it, in the order of the statements of docs/language.md."""
    yield from _data(plan, solution)
    yield from _objective(plan, solution, top)
    yield from _batch_ramp(plan, catalogue)
    yield from _unspoken(plan)
    yield from _hardware(plan, solution)


def _data(plan: Plan, solution: Solution) -> Iterator[Said]:
    sources, schedule = plan.outer.data, plan.outer.schedule
    if len(sources) > 1:
        shares = [(name, solution.values.get(q.SHARE.of("source", name))) for name in solution.sources]
        told = ", ".join(f"{name} {share.value * 100:.4g}%" for name, share in shares if share is not None)
        yield Said("mix", f"the mix of the data{f', {told}' if told else ''}", _over(sources))
    for source in sources:
        passes = solution.values.get(quantity("epochs").of("source", source.name or "data"))
        if passes is not None and passes.value > 1 + 1e-9:
            yield Said("repeats", f"{passes.value:.3g} passes over `{source.name or 'data'}`", source.span)
    for phase in schedule.phases if schedule else ():
        if phase.mix:
            yield Said("phase mix", f"the mix of phase `{phase.name}`", phase.span)
    placed = [source for source in sources if source.quality and source.quality != "ordinary"]
    if placed and (schedule is None or not any(phase.mix for phase in schedule.phases)):
        told = ", ".join(f"`{source.name or 'data'}`" for source in placed)
        yield Said("phase mix", f"where in the schedule {told} of another quality stand", placed[0].span)


def _over(sources: Sequence[DataSource]) -> Span:
    """The place of several sources: the first that has a weight, else the first."""
    return next((source.span for source in sources if source.weight is not None), sources[0].span)


def _objective(plan: Plan, solution: Solution, top: Span) -> Iterator[Said]:
    objective = plan.outer.objective
    if objective is not None and objective.kind != "CLM":
        yield Said("objective", f"the objective, {objective}", objective.span or top)
    elif solution.problem.objective.kind not in ("CLM", "transfer"):
        yield Said("objective", f"the objective, {solution.problem.objective}", top)
    if plan.start is not None and plan.start.from_weights:
        named = f" `{plan.start.name.text}`" if plan.start.name else ""
        yield Said("checkpoint", f"the weights that it begins from{named}", plan.start.span)


def _batch_ramp(plan: Plan, catalogue: Library) -> Iterator[Said]:
    schedule = plan.outer.schedule
    known = catalogue.schedule(schedule.name.text) if schedule and schedule.name else None
    if schedule is not None and known is not None and known.batch:
        steps = ", ".join(f"{step.share:.0%}" for step in known.batch)
        yield Said("batch ramp", f"the batch that `{known.name}` raises, {steps}", schedule.span)


def _unspoken(plan: Plan) -> Iterator[Said]:
    """Fields that a run of a trainer has none of: each that a plan states is told, and none is left out in silence."""
    for name, one in plan.outer.optimizer.settings.items() if plan.outer.optimizer else ():
        if name in ADAPTERS:
            yield Said("adapters", f"the adapters' `{name}`", one.span)
    for name, one in plan.model.architecture.items() if plan.model else ():
        if name in BITS:
            yield Said("bits", f"`{name}` of training", one.span)
    for name, one in plan.layout.figures.items() if plan.layout else ():
        if name in UNCARRIED:
            yield Said(UNCARRIED[name], f"the layout's `{name}`", one.span)


def _hardware(plan: Plan, solution: Solution) -> Iterator[Said]:
    pools = plan.outer.hardware
    if len(pools) > 1:
        yield Said("pools", f"{len(pools)} kinds of devices side by side", pools[1].span)
    for pool in pools:
        if pool.dates:
            yield Said("dates", f"the dates, {' and '.join(pool.dates)}", pool.span)
        hours = pool.figures.get("hours_per_day")
        if isinstance(hours, Given):
            yield Said("hours", f"{show(hours.value.value, hours.value.dim)} a day", hours.span)
