"""The stages of a plan to plans of one stage each: what a stage does not say is the plan's, and the model is shared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.plan.ir import Hole, Model, Objective, Plan, Pool, Stage, Start
from runplan.engine.problem import quantities as q

USUAL = Objective("CLM", None, None, "text", None)


@dataclass(frozen=True, slots=True)
class Alone:
    """A stage as a plan of its own.

    Attributes:
        stage: As the plan says it.
        plan: With what the stage does not say taken from the plan; time and data that stages share are left open.
        shares_hardware: Whether it runs on the plan's hardware, and has none of its own.
        shares_data: Whether it is trained on the plan's data, and has none of its own.
        takes_all: Whether it is there for its own data: a later stage trains on all of them, unless it says on how
            much. Of a plan that starts from a checkpoint every stage does, as far as its budget goes.
    """

    stage: Stage
    plan: Plan
    objective: Objective
    shares_hardware: bool
    shares_data: bool
    takes_all: bool

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.stage.name

    @property
    def trains_adapters(self) -> bool:
        """Whether it trains adapters in place of the weights: no law of losses speaks of that."""
        return self.plan.optimizer is not None and q.LORA.text in self.plan.optimizer.settings


def alone(plan: Plan) -> tuple[Alone, ...]:
    """Each stage of a plan with a name as a plan of its own; nothing where it has none."""
    return tuple(_alone(plan, stage) for stage in plan.stages[1:])


def objective_of(plan: Plan) -> Objective:
    """The plan's objective, that of its first stage with one, or the default: CLM of text."""
    return next((stage.objective for stage in plan.stages if stage.objective), USUAL)


def _alone(plan: Plan, stage: Stage) -> Alone:
    outer = plan.outer
    objective = stage.objective or outer.objective or USUAL
    shares_hardware = not stage.hardware and bool(outer.hardware)
    shares_data = not stage.data and bool(outer.data)
    own = replace(
        stage,
        name="",
        hardware=tuple(map(_open, outer.hardware)) if shares_hardware else stage.hardware,
        data=outer.data if shares_data else stage.data,
        objective=objective,
        schedule=stage.schedule or outer.schedule,
        reserve=stage.reserve or outer.reserve,
        optimizer=stage.optimizer or outer.optimizer,
        inference=None,
    )
    assert stage.span is not None, "it has a name"
    start = plan.start
    if plan.from_weights(stage) and (start is None or not start.from_weights):
        start = Start(True, None, None, stage.span)
    made = replace(plan, stages=(own,), model=_model(plan.model, stage), prefers=(), goals=(), start=start)
    later = start is not plan.start
    takes_all = later and bool(stage.data) and stage.tokens is None
    return Alone(stage, made, objective, shares_hardware, shares_data, takes_all)


def _open(pool: Pool) -> Pool:
    """A pool of the plan's hardware as a stage has it: for as long as the stage needs."""
    kept = {key: amount for key, amount in pool.figures.items() if key not in ("time", "gpu_hours")}
    bought = {"gpu_hours": Hole(pool.span)} if pool.bought else {}
    return replace(pool, figures={**kept, **bought}, dates={})


def _model(model: Model | None, stage: Stage) -> Model | None:
    """The model with sequences as long as those of a stage."""
    if stage.context is None:
        return model
    whole = model or Model(None, None, {}, stage.context.span)
    architecture = {**whole.architecture, q.CONTEXT.text: stage.context}
    return replace(whole, architecture=architecture, recorded=whole.recorded - {q.CONTEXT.text})


def runs_of(stages: Sequence[Alone]) -> list[tuple[Alone, ...]]:
    """Stages one after the other that are one run to a law: those of one objective and domain, that train the same."""
    return [tuple(run) for _, run in groupby(stages, key=lambda one: (str(one.objective), one.trains_adapters))]
