"""Where a choice changes, and what is worth knowing for it, as plain data: for JSON and other programs."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.plan.ir import Plan
from runplan.engine.decide.alone import Choice, decided_alone
from runplan.engine.decide.candidates import Measure
from runplan.engine.decide.flips import Flip
from runplan.engine.decide.knowing import Knowing, Worth
from runplan.engine.documents.figures import amount, rounded
from runplan.engine.problem.solution import Solution


def decision_document(plan: Plan | None, solution: Solution) -> dict[str, object]:
    """What one plan chooses, where that changes, and what is worth knowing; nothing where it is undecided."""
    found = None if plan is None else decided_alone(plan, solution)
    if found is None:
        return {}
    now = _choice(found.now, solution)
    out: dict[str, object] = {"choice": now}
    if found.measure is not None:
        out["by"] = str(found.measure.name)
    out["flips"] = [
        flip_document(flip, None, {"choose": _choice(choice, solution), "instead_of": now})
        for flip, choice in found.flips
    ]
    known = found.knowing
    if known is not None and found.measure is not None:
        over = None if known.choice is None else found.candidates[known.choice]
        fails = {} if known.choice is None else {"fails": rounded(1.0 - known.fates[known.choice].holds)}
        out |= {"draws": len(known.rows), "over_draws": _choice(over, solution), **fails}
        out |= knowing_document(known, found.measure)
    return out


def _choice(choice: Choice | None, solution: Solution) -> dict[str, object] | None:
    """What is chosen; null where the plan does not hold."""
    if choice is None:
        return None
    figures = {str(name): amount(value, solution.problem.dim(name)) for name, value in choice.figures.items()}
    return {**figures, **({"ways": list(choice.ways)} if choice.ways else {})}


def flip_document(flip: Flip, of: str | None, choose: Mapping[str, object]) -> dict[str, object]:
    """Where a choice changes: `at` lies on the side of the other choice, `before` on that of the present one.

    Args:
        of: The plan whose figure alone it is.
        choose: What is chosen there, and instead of what.
    """
    dim = flip.input.lever.written.dim
    return {
        "input": flip.input.said,
        "of": of,
        "side": "below" if flip.below else "above",
        "now": amount(flip.input.lever.now, dim),
        "at": amount(flip.at, dim),
        "before": amount(flip.before, dim),
        **choose,
        "because": flip.broken,
    }


def knowing_document(known: Knowing, measure: Measure) -> dict[str, object]:
    """What knowing each thing that is uncertain is worth, and all of it."""
    each = [
        {"what": worth.what, "kind": "law" if worth.is_law else "quantity", **_worth(worth, measure)}
        for worth in known.each
    ]
    return {"knowing_all": _worth(known.everything, measure), "knowing": each}


def _worth(worth: Worth, measure: Measure) -> dict[str, object]:
    """What knowing something is worth: less than nothing where a choice that fails less often costs more."""
    gain = amount(worth.gain, measure.dim)
    return {"changes": rounded(worth.changes), "worth": gain, "fails_less": rounded(worth.saves)}
