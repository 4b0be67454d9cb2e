"""The data and the phases of a plan to what of them can be changed: amounts, passes, weights, lengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num, Op, Ref, names
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import NONE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Change
from runplan.engine.solve.instead import Spot, put, together
from runplan.engine.solve.knob import ENOUGH, Knob, Member, Way, left_open, loosened, parameter_knob, without
from runplan.engine.solve.rounding import Written


def _at(name: Name, value: float) -> Way:
    return lambda problem: problem.at({name: value})


def phases(problem: Problem) -> Iterator[Member]:
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
        yield Member(name, f"{said}: {shown(definition.expr)}", definition.span, loosened(name), (knob,))
    for constraint in problem.constraints:
        # The amounts of a schedule by name are the schedule's.
        if constraint.kind == "given" and constraint.of is None and (constraint.otherwise or not of_phases):
            yield Member(constraint, constraint.text, constraint.span, without({constraint.key}), ())


_STATED = frozenset((q.STATED_TOKENS.text, q.STATED_STEPS.text, q.STATED_EPOCHS.text))


def data(problem: Problem) -> Iterator[Member]:
    """Each source that the plan tells the amount of: more of it, or more passes over it."""
    # Where the plan counts in passes over the data, more data are more tokens as well.
    in_passes = any(name.text == q.STATED_EPOCHS.text for name in problem.definitions)
    for source in problem.sources:
        name = _amount_of(problem, source)
        if name is None:
            continue
        said = _said(source)
        definition = problem.definitions[name]
        knobs = [parameter_knob(problem, name, said, ">=", "")]
        passes = q.MAX_EPOCHS.of("source", source)
        # What one more pass is worth is known where the plan allows for some.
        if problem.repeats or not _asks_for_loss(problem):
            more = passes_knob(problem, source, "up to", "")
            knobs += [] if more is None else [more]
        weight = weight_knob(problem, source)
        if weight is not None:
            knobs.append(weight)
        text = f"{said}: {shown(definition.expr)}"
        endless = passes if in_passes and problem.is_parameter(passes) else name
        yield Member(name, text, definition.span, _at(endless, ENOUGH), tuple(knobs))
    for stage in problem.stages:
        for source in stage.sources:
            yield from _of_stage(problem, stage.name, source)


def _of_stage(problem: Problem, stage: str, source: str) -> Iterator[Member]:
    """A source that is one stage's own, where the plan tells the amount of it."""
    amounts = (each.of("source", source).in_stage(stage) for each in (q.AMOUNT, q.AVAILABLE))
    for name in filter(problem.is_parameter, amounts):
        definition, said = problem.definitions[name], f"{_said(source)} of {stage}"
        knob = parameter_knob(problem, name, said, ">=", "")
        yield Member(name, f"{said}: {shown(definition.expr)}", definition.span, _at(name, ENOUGH), (knob,))
        return


def passes_knob(problem: Problem, source: str, more: str, less: str) -> Knob | None:
    """How often a source may be seen; None where nothing says how much of it there is."""
    passes, amount = q.MAX_EPOCHS.of("source", source), _amount_of(problem, source)
    if amount is None or not problem.is_parameter(passes):
        return None
    knob = parameter_knob(problem, passes, _said(source), more, less)
    epochs = Written(knob.written.dim, "epochs", 1.0, step=1.0)
    return replace(knob, written=epochs, spot=None, told=_told_of_passes(problem, knob, amount, epochs))


def amount_knob(problem: Problem, source: str) -> Knob | None:
    """How much of a source there is, to be more; None where nothing says it."""
    name = _amount_of(problem, source)
    return None if name is None else parameter_knob(problem, name, _said(source), ">=", "")


def _amount_of(problem: Problem, source: str) -> Name | None:
    """What says how much of a source there is."""
    amounts = (each.of("source", source) for each in (q.AMOUNT, q.AVAILABLE))
    return next((each for each in amounts if problem.is_parameter(each)), None)


def _said(source: str) -> str:
    return "data" if source == "data" else f"data {source}"


def _told_of_passes(problem: Problem, knob: Knob, amount: Name, epochs: Written) -> Callable[[float], Change] | None:
    """How often a source may be seen, beside its amount; added where the plan does not say it."""
    there = problem.definitions[amount].span
    if there is None:
        return None
    if knob.spot:
        spot, before = Spot(knob.spot.span, there.to(knob.spot.span)), ""
    else:
        spot, before = Spot(Span(there.source, there.end, there.end), there), " up to "
    return lambda value: put(spot, before + epochs.text(value), f"{knob.said} up to {epochs.text(value)}")


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

    def told(value: float) -> Change:
        return together(
            put(_spot_of_weight(problem, one), as_written.text(share), f"data {one} weight {as_written.text(share)}")
            for one, share in all_at(value).items()
        )

    def opened(p: Problem) -> Problem:
        left = Op("-", (Num(1.0), Ref(name)))
        follow = {_weight_of(p, other): Op("*", (Num(share / rest), left)) for other, share in others.items()}
        changed = {other: replace(p.definitions[other], expr=expr) for other, expr in follow.items()}
        return left_open(name, Num(own))(replace(p, definitions={**p.definitions, **changed}))

    name, as_written = _weight_of(problem, source), Written(NONE, "%", 0.01)
    return Knob(f"data {source}", Ref(name), own, as_written, "weight", "weight", at, opened, told=told)


def _spot_of_weight(problem: Problem, source: str) -> Spot:
    """Where the weight of a source stands, told with its amount."""
    weight = problem.definitions[_weight_of(problem, source)].span
    spans = (
        problem.definitions[each.of("source", source)].span
        for each in (q.AMOUNT, q.AVAILABLE)
        if problem.is_parameter(each.of("source", source))
    )
    assert weight is not None, "a weight is given"
    there = next((span for span in spans if span is not None), weight)
    return Spot(weight, there.to(weight))


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
