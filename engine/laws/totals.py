"""A law at inputs in which `params` are all of them, as in plans, whatever the law itself counts."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.engine.laws.evaluate import AGREE, Evaluation, Output, evaluate, objective_of
from runplan.engine.laws.form import Refused, domain_of
from runplan.engine.laws.steps import Step, formulas
from runplan.engine.numeric.search import inverse

TOTAL, OWN = "params", "params_non_embedding"


def in_totals(law: Law, given: Mapping[str, float], objective: str | None = None, *, catalogue: Library) -> Evaluation:
    """Every output of a law that the inputs determine, `params` being all of them, embeddings included.

    A law that counts params without embeddings is given what the published conversion makes of all of them, as a plan
    is solved. Where a domain has no conversion embeddings add nothing.

    Raises:
        Refused: For an input that the law does not take, and for a value outside the domain.
    """
    named = objective_of(law, objective, given)
    step = conversion_for(law, named, catalogue)
    if step is None:
        return evaluate(law, given, objective, catalogue=catalogue)
    counted = dict(given)
    if TOTAL in given and given[TOTAL] > 0 and math.isfinite(given[TOTAL]):
        counted[TOTAL] = inverse(lambda count: step.value({OWN: count}), given[TOTAL], 1e-9, given[TOTAL])
    if OWN in given:
        if TOTAL in given and not math.isclose(counted[TOTAL], given[OWN], rel_tol=AGREE):
            raise Refused(f"`{OWN}`, `{TOTAL}` contradict each other: {step.formula}")
        counted[TOTAL] = counted.pop(OWN)
    found = evaluate(law, counted, objective, catalogue=catalogue)
    own = {name: _of_own(output) for name, output in found.outputs.items()}
    value = counted.get(TOTAL) or (own[TOTAL].value if TOTAL in own else None)
    outputs = {name: output for name, output in own.items() if name != TOTAL}
    if value is not None and OWN not in given:
        inputs = own[TOTAL].inputs if TOTAL in own else (TOTAL,)
        formula = own[TOTAL].formula if TOTAL in own else f"where {step.formula}"
        outputs = {OWN: Output(OWN, value, step.dim, formula, inputs)} | outputs
    if value is not None and TOTAL not in given:
        outputs = {TOTAL: Output(TOTAL, step.value({OWN: value}), step.dim, step.formula, (OWN,))} | outputs
    return replace(
        found,
        given=dict(given),
        outputs=outputs,
        beyond=tuple(OWN if name == TOTAL else name for name in found.beyond),
        unused=tuple(name for name in found.unused if name != TOTAL),
    )


def conversion_for(law: Law, objective: str, catalogue: Library) -> Step | None:
    """The step from a law's own count to all params; None where it counts all, or embeddings add nothing."""
    if law.counts != "non_embedding" or any(p.quantity == OWN for f in law.functions for p in f.parameters):
        return None
    named = next(iter(catalogue.defaults(domain_of(objective), "conversion")), "")
    by = catalogue.law(named)
    return next((step for step in formulas(by, objective) if step.output == TOTAL), None) if by is not None else None


def _of_own(output: Output) -> Output:
    """An output that was found from params as the law counts them."""
    return replace(output, inputs=tuple(OWN if name == TOTAL else name for name in output.inputs))
