"""What a law gives at some inputs to how sure it is, by what the law publishes of its constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import constant
from runplan.dsl.packs.pack import Law
from runplan.engine.laws.evaluate import Evaluation
from runplan.engine.laws.form import Refused
from runplan.engine.problem.draws import HIGH, LOW, Draw, is_uncertain, of_constants, quantile

# How often constants are drawn: an optimum is searched for anew at each.
DRAWS = 200


def ends(found: Evaluation, anew: Callable[[Law], Evaluation]) -> Mapping[str, tuple[float, float]]:
    """The 80 % interval of each output that the law's constants move, in base units.

    An output that is not found at every draw has none: what a part of them gives is no interval of all.

    Args:
        found: What the law gives with its constants as they are published.
        anew: What a law gives at the same inputs.
    """
    law = found.law
    if not found.outputs or not is_uncertain(law):
        return {}
    drawn: dict[str, list[float]] = {name: [] for name in found.outputs}
    for draw in of_constants(law, DRAWS):
        try:
            outputs = anew(_at(law, draw)).outputs
        except (Refused, ArithmeticError):
            return {}
        for name in drawn.keys() & outputs.keys():
            drawn[name].append(outputs[name].value)
    whole = {name: values for name, values in drawn.items() if len(values) == DRAWS}
    between = {name: (quantile(values, LOW), quantile(values, HIGH)) for name, values in whole.items()}
    return {name: (low, high) for name, (low, high) in between.items() if low < high}


def _at(law: Law, draw: Draw) -> Law:
    """A law with other constants."""
    moved = {text: replace(one, value=draw[constant(law.name, text)]) for text, one in law.constants.items()}
    return replace(law, constants=moved)
