"""What a law gives at some inputs to how sure it is, by what the law publishes of its constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import constant
from runplan.dsl.packs.pack import Law
from runplan.engine.laws.evaluate import Evaluation
from runplan.engine.laws.form import Refused
from runplan.engine.problem.draws import HIGH, LOW, Draw, is_uncertain, of_constants, quantile

# How often constants are drawn: an optimum is searched for anew at each.
DRAWS = 200


@dataclass(frozen=True, slots=True)
class Sure:
    """How sure what a law gives is.

    Attributes:
        ends: Of an output, by name, the ends of its 80 % interval in base units, where its constants move it.
        draws: By how many draws of the constants; 0 where the law publishes nothing of how sure they are.
        without: Of an output that has no interval for it, by name, how many of the draws gave none, such as those in
            which no size reaches a loss.
    """

    ends: Mapping[str, tuple[float, float]]
    draws: int
    without: Mapping[str, int]


def sure(found: Evaluation, anew: Callable[[Law], Evaluation]) -> Sure:
    """The 80 % interval of each output that the law's constants move, by draws of these.

    An output that is not found at every draw has none: what a part of them gives is no interval of all.

    Args:
        found: What the law gives with its constants as they are published.
        anew: What a law gives at the same inputs.
    """
    law = found.law
    if not found.outputs or not is_uncertain(law):
        return Sure({}, 0, {})
    drawn: dict[str, list[float]] = {name: [] for name in found.outputs}
    for draw in of_constants(law, DRAWS):
        try:
            outputs = anew(_at(law, draw)).outputs
        except (Refused, ArithmeticError):
            continue
        for name in drawn.keys() & outputs.keys():
            drawn[name].append(outputs[name].value)
    moved = {name: values for name, values in drawn.items() if not values or min(values) < max(values)}
    without = {name: DRAWS - len(values) for name, values in moved.items() if len(values) < DRAWS}
    whole = {name: values for name, values in moved.items() if name not in without}
    return Sure({name: (quantile(of, LOW), quantile(of, HIGH)) for name, of in whole.items()}, DRAWS, without)


def _at(law: Law, draw: Draw) -> Law:
    """A law with other constants."""
    moved = {text: replace(one, value=draw[constant(law.name, text)]) for text, one in law.constants.items()}
    return replace(law, constants=moved)
