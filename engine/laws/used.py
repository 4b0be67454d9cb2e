"""A law of settings to how far what published runs used lies about what it says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.units.base import SEQUENCE
from runplan.engine.laws.steps import Step, formulas
from runplan.engine.laws.totals import OWN, conversion_for
from runplan.engine.numeric.search import inverse
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.runs.rates import holding
from runplan.engine.runs.record import Run, runs_of

SHARE = 0.80
# From fewer families than these nothing is said of how far runs lie apart.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Used:
    """A setting of a run, beside what a law says of it; the weight is that of the run among its family."""

    run: Run
    used: float
    said: float
    weight: float

    @property
    def off(self) -> float:
        """By how much the run lies above the law, as a natural logarithm."""
        return math.log(self.used / self.said)


def setting_of(run: Run, output: str) -> float | None:
    """A setting of a run in base units, a batch in tokens."""
    entry, figure = run.record.entry(output), run.record.figure(output)
    if entry is None or figure is None:
        return None
    if isinstance(entry.values[0], Num) and entry.values[0].dim == SEQUENCE:
        context = run.record.figure("context")
        return figure * context if context else None
    return figure


def used_of(law: Law, output: str, objective: str, library: Library, kin: Collection[str]) -> tuple[Used, ...]:
    """What runs of an objective used of a setting, where their records say it and all that the law asks for.

    Args:
        kin: The optimizers, in lower case, whose settings are those that the law is of.
    """
    own = [run for run in runs_of(library) if run.from_weights == law.from_weights]
    step = next((step for step in formulas(law, objective) if step.output == output), None)
    convert = conversion_for(law, objective, library)
    found = []
    for run in own if step is not None else ():
        used = setting_of(run, output)
        if step is None or used is None or not _is_of(run, law, kin):
            continue
        known = _figures(run, step.inputs, convert)
        if not known.keys() >= set(step.inputs):
            continue
        # Beyond its range a law may say less than nothing, which no run is near to or far from.
        if (said := step.value(known)) > 0:
            found.append((run, used, said))
    many = Counter(run.family for run, _, _ in found)
    return tuple(Used(run, used, said, many[run.family] ** -0.5) for run, used, said in found)


def spread_of(used: Collection[Used]) -> float | None:
    """The standard deviation of the natural logarithm with which four of five runs lie in the 80 % interval.

    Runs of one family count for less than as many of several: for the root of how many they are. None where there are
    too few families.
    """
    if len({one.run.family for one in used}) < FEWEST:
        return None
    return holding([abs(one.off) for one in used], [one.weight for one in used], SHARE) / QUANTILE


def _is_of(run: Run, law: Law, kin: Collection[str]) -> bool:
    optimizer = run.record.text("optimizer").lower()
    of = (run.record.text("objective") or "CLM of text") in law.objectives and not run.record.text("aside")
    return of and (not optimizer or optimizer in kin)


def _figures(run: Run, asked: Collection[str], convert: Step | None) -> dict[str, float]:
    """What a law asks of a run, as far as its record says it; its params are in the count of the law.

    They are those that a token passes, unless the law asks for these by their own name, too.
    """
    size, tokens, compute = run.active, run.tokens, run.compute
    if size is None or tokens is None or compute is None:
        return {}
    known = {"tokens": tokens, "active_params": size, "compute": compute}
    if "params" in asked:
        if "active_params" in asked and run.params is not None:
            known["params"] = run.params
        else:
            known["params"] = size if convert is None else inverse(lambda n: convert.value({OWN: n}), size, 1e-9, size)
    return known
