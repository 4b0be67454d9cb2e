"""What a plan says that can be changed by itself: its figures, bounds and requirements, its data, its dates."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num, Ref
from runplan.dsl.units.base import DATE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.data_knobs import amount_knob, data, passes_knob, phases, weight_knob
from runplan.engine.solve.knob import ENOUGH, Knob, Member, Way, given_knob, loosened, parameter_knob

# Later than any plan, in seconds since 1970, and earlier.
LATE, EARLY = 1e12, -1e12


def members_of(problem: Problem) -> list[Member]:
    """Everything in a plan that may take part in a conflict: what is there, and then what is wished for."""
    # What a plan without a conflict has no use for: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.solve.bound_knobs import bounds

    return [
        *_givens(problem),
        *_stops(problem),
        *_dates(problem),
        *data(problem),
        *phases(problem),
        *bounds(problem),
    ]


def knobs_of(problem: Problem, about: Collection[str] = ()) -> list[Knob]:
    """What may be changed of a plan so that it keeps what it requires: figures that it gives, or pays by, and dates.

    Args:
        about: The sources that what is required names: then their amounts, their passes and their weights; where it
            names none the weights of all.
    """
    knobs = {name: given_knob(problem, name) for name in problem.givens if name in problem.definitions}
    knobs = {name: knob for name, knob in knobs.items() if knob.written.dim != DATE}
    for name, definition in problem.definitions.items():
        known = problem.quantities.get(name.text)
        if known and known.facts.knob and definition.kind == "given" and problem.is_parameter(name):
            knobs.setdefault(name, parameter_knob(problem, name, problem.said(name), ">=", "<="))
    order = list(problem.quantities)
    dates = [knob for member in _dates(problem) for knob in member.knobs]
    sources = [source for source in problem.sources if not about or source in about]
    own = [source for source in problem.sources if source in about]
    of_data = [
        knob for source in own for knob in (amount_knob(problem, source), passes_knob(problem, source, "", "up to"))
    ]
    of_data += [weight_knob(problem, source) for source in sources]
    weights = [knob for knob in of_data if knob is not None]
    return [knobs[name] for name in sorted(knobs, key=lambda name: (order.index(name.text), name))] + weights + dates


def _givens(problem: Problem) -> Iterator[Member]:
    for name, given in problem.givens.items():
        if name in problem.definitions and given.value.dim != DATE:
            text = f"{problem.said(name)}: {shown(given.expr)}"
            knob = given_knob(problem, name)
            yield Member(name, text, given.span, loosened(name), (knob,))


def _stops(problem: Problem) -> Iterator[Member]:
    """What a plan states of stops that another offer has otherwise, as devices on demand are never taken back."""
    for name, definition in problem.definitions.items():
        known = problem.quantities.get(name.text)
        if known is None or not (known.facts.kind == "goodput" and known.facts.knob):
            continue
        if definition.kind == "given" and problem.is_parameter(name):
            more = known.facts.better == "more"
            knob = parameter_knob(problem, name, problem.said(name), ">=" if more else "", "" if more else "<=")
            text = f"{knob.said}: {knob.written.text(knob.now)}"
            yield Member(name, text, definition.span, _never(name, ENOUGH if more else 1 / ENOUGH), (knob,))


def _never(name: Name, value: float) -> Way:
    """Without the stops that a figure tells of."""
    return lambda problem: problem.at({name: value})


def _undated(name: Name, value: float, after: Collection[str]) -> Way:
    """Without a date, and so without being too soon for the stage before."""
    return lambda problem: problem.without(after).at({name: value})


def _dates(problem: Problem) -> Iterator[Member]:
    """The dates between which the hardware is there."""
    for name, definition in problem.definitions.items():
        if definition.dim != DATE or definition.kind != "given" or not isinstance(definition.expr, Num):
            continue
        if name.text not in (q.START.text, q.DEADLINE.text):
            continue
        begins = name.text == q.START.text
        said = problem.said(name)
        after = {c.key for c in problem.constraints if c.kind == "date" and c.right == Ref(name)}  # the stage before
        knob = parameter_knob(problem, name, said, ">=" if after or not begins else "", "<=" if begins else "")
        text = f"{said}: {knob.written.text(knob.now)}"
        yield Member(name, text, definition.span, _undated(name, EARLY if begins else LATE, after), (knob,))
