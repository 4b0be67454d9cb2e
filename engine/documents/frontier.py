"""A frontier to its document, `plan.frontier/v1`, plain data that JSON and other programs read."""

from __future__ import annotations

from runplan.engine.documents.check import finding_document
from runplan.engine.documents.figures import quantity
from runplan.engine.frontier.curve import Axis, Point
from runplan.engine.frontier.frontier import Frontier
from runplan.engine.problem.told import OWN, quantities


def document(frontier: Frontier) -> dict[str, object]:
    """The whole of a frontier; without a curve the findings say why."""
    report = frontier.report
    plan: dict[str, object] = {"title": report.plan.title} if report.plan else {}
    out: dict[str, object] = {"schema": "plan.frontier/v1", "plan": {**plan, "file": report.source.path}}
    if frontier.axes:
        out["law"] = frontier.law
        out["axes"] = [_axis(axis) for axis in frontier.axes]
    out["points"] = [{**_point(point), "binding": list(point.limits), **_solved(point)} for point in frontier.points]
    if frontier.own is not None:
        out["plan_as_it_stands"] = _point(frontier.own)
    out["levels_without_a_solution"] = frontier.missed
    out["findings"] = [finding_document(finding) for finding in frontier.findings]
    return out


def _axis(axis: Axis) -> dict[str, object]:
    return {"quantity": axis.text, "sense": axis.sense, "open": axis.open}


def _point(point: Point) -> dict[str, object]:
    return {"x": quantity(point.x), "y": quantity(point.y)}


def _solved(point: Point) -> dict[str, object]:
    """The quantities of a point's solution, as a solution of `plan.solve/v1` has them."""
    return {"solution": {name: quantity(value) for name, value in quantities(point.solution, *OWN)}}
