"""What differs between two states of plans to its document, `plan.diff/v1`, plain data for other programs."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import Dim
from runplan.engine.differences.diff import Cause
from runplan.engine.differences.differences import Differences, Exceeded, PlanDifference, Total
from runplan.engine.differences.sides import Moved
from runplan.engine.documents.check import finding_document
from runplan.engine.documents.figures import amount, quantity, rounded


def document(found: Differences) -> dict[str, object]:
    """The whole of it; a key that does not apply is absent."""
    ends = [
        {"name": name, **({"commit": commit} if commit else {})}
        for name, commit in zip((found.then, found.now), found.commits, strict=True)
    ]
    counts = {state: sum(plan.state == state for plan in found.plans) for state in ("added", "removed", "changed")}
    renamed = 0 if found.apart else sum(bool(plan.was) for plan in found.plans)
    return {
        "schema": "plan.diff/v1",
        "then": ends[0],
        "now": ends[1],
        "summary": {**counts, "renamed": renamed, "same": found.same},
        "totals": [_total(total) for total in found.totals],
        "plans": [_plan(plan) for plan in found.plans],
        "limits": [{"quantity": limit.quantity, "share": rounded(limit.share)} for limit in found.limits],
        "exceeded": [_exceeded(one) for one in found.exceeded],
    }


def _plan(plan: PlanDifference) -> dict[str, object]:
    out: dict[str, object] = {"file": plan.file, "state": plan.state}
    if plan.was:
        out["was"] = plan.was
    for key, status, holds, side in zip(("then", "now"), plan.statuses, plan.holds, (plan.then, plan.now), strict=True):
        if side is not None and status:
            first = next(iter(side.report.solutions), None)
            law = {"law": first.resolved} if first else {}
            out[key] = {"status": status, **law, **({} if holds is None else {"holds": holds})}
    if plan.trouble:
        out["trouble"] = plan.trouble
    out["values"] = [_moved(one) for one in plan.values.moved]
    out["kept"] = plan.values.kept
    dims = {one.quantity: one.by_dim for one in plan.values.moved}
    out["causes"] = [_cause(cause, dims) for cause in plan.values.causes]
    if together := _moves(plan.values.together, dims):
        out["together"] = together
    for key, findings in (("new", plan.new), ("grown", plan.grown), ("gone", plan.gone)):
        out[key] = [finding_document(finding) for finding in findings]
    return out


def _moved(one: Moved) -> dict[str, object]:
    out: dict[str, object] = {"quantity": one.quantity}
    for key, value in (("then", one.then), ("now", one.now)):
        if value is not None:
            out[key] = quantity(value)
    if one.by is not None:
        out["by"] = amount(one.by, one.by_dim)
    if one.share is not None:
        out["share"] = rounded(one.share)
    if one.why:
        out["why"] = one.why
    return out


def _cause(cause: Cause, dims: Mapping[str, Dim]) -> dict[str, object]:
    out: dict[str, object] = {"kind": cause.kind, "name": cause.name, "status": cause.status}
    for key, text, span in zip(("then", "now"), cause.texts, (cause.then, cause.now), strict=True):
        if text or span:
            out[key] = {**({"text": text} if text else {}), **(_place(span) if span else {})}
    out["moves"] = _moves(cause.moves, dims)
    out.update({key: list(names) for key, names in (("brings", cause.brings), ("drops", cause.drops)) if names})
    return out


def _place(span: Span) -> dict[str, object]:
    return {"file": span.source.path, "line": span.line}


def _moves(moves: Mapping[str, float], dims: Mapping[str, Dim]) -> dict[str, object]:
    return {name: amount(by, dims[name]) for name, by in moves.items() if name in dims}


def _total(total: Total) -> dict[str, object]:
    return {
        "quantity": total.quantity,
        "plans": total.count,
        "then": amount(total.then, total.dim),
        "now": amount(total.now, total.dim),
        "by": amount(total.now - total.then, total.dim),
    }


def _exceeded(one: Exceeded) -> dict[str, object]:
    grown = {"share": rounded(one.moved.share)} if one.moved and one.moved.share is not None else {}
    limit = {"quantity": one.limit.quantity, "limit": rounded(one.limit.share)}
    return {"file": one.file, **limit, **grown, **({"why": one.why} if one.why else {})}
