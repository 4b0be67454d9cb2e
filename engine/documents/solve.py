"""A report to its document, `plan.solve/v1`: what JSON, the public API and other programs read.

Figures stand in the units of exchange of `dsl/units/show.py`; a key that does not apply is absent.
"""

from __future__ import annotations

from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.documents.check import finding_document, verdict_document
from runplan.engine.documents.figures import amount, ends, quantity
from runplan.engine.gate import verdict_of
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.told import OWN, quantities
from runplan.engine.results import imported_of

if TYPE_CHECKING:
    from runplan.dsl.plan.ir import Plan
    from runplan.engine.problem.solution import Note, Odds, Relaxation, Solution
    from runplan.engine.report import Assumption, Report

# The objects within a solution's, by the sections of rows, as `quantities.plan` places them, of which each is made.
WITHIN = {"transfer": ("transfer", "worth"), "lifetime": ("lifetime",), "goodput": ("goodput",)}
OF_SOURCE = ("tokens", "share", "epochs", "effective_tokens", "next_epoch")
OF_PHASE = ("tokens", "steps", "share")
# Figures of a phase at its start and at its end.
LEARNING_RATE = ("learning_rate.start", "learning_rate.end")
BATCH = ("batch.start", "batch.end")


def document(report: Report, *, details: bool = False) -> dict[str, object]:
    """The whole of a report, `plan.solve/v1`.

    Args:
        details: Whether to tell, too, what the plan is solved anew for: what more of its limits is worth.
    """
    plan: dict[str, object] = {"title": report.plan.title} if report.plan else {}
    return {
        "schema": "plan.solve/v1",
        "plan": {**plan, "file": report.source.path},
        "budget": {name: quantity(value) for name, value in report.budget.items()},
        "solutions": [
            {**_solution(solution), **_results(report, solution), **(_worth(report.plan, solution) if details else {})}
            for solution in report.solutions
        ],
        "notes": [_note(note) for note in report.notes],
        "assumptions": [_assumption(assumption) for assumption in report.assumptions],
        "verdict": verdict_document(verdict_of(report)),
        "findings": [finding_document(finding) for finding in report.findings],
    }


def _solution(solution: Solution) -> dict[str, object]:
    out: dict[str, object] = {"law": solution.law, "resolved": solution.resolved, "status": solution.status}
    out.update((name, quantity(value)) for name, value in quantities(solution, *OWN))
    if by := _by_default(solution):
        out["by"] = by
    out["binding"] = list(solution.binding)
    if solution.status == "solved" and solution.problem.variables and solution.problem.goals:
        gap = {"gap": amount(solution.gap, ())} if solution.certainty == "bounds" else {}
        out["optimum"] = {"proof": solution.certainty, **gap}
    if phases := [phase for name in solution.problem.phases if len(phase := _phase(solution, name)) > 1]:
        out["phases"] = phases
    if mix := [source for name in solution.sources if len(source := _source(solution, name)) > 1]:
        out["mix"] = mix
    for key, sections in WITHIN.items():
        if found := {name: quantity(value) for name, value in quantities(solution, *sections)}:
            out[key] = found
    if solution.layouts:
        from runplan.engine.documents.layouts import layouts_of

        out.update(layouts_of(solution.layouts))
    if solution.odds:
        out["requirements"] = [_odds(one) for one in solution.odds]
    if stages := stages_of(solution):
        named = zip(solution.problem.stages, stages, strict=True)
        out["stages"] = [{"name": stage.name, **_solution(own)} for stage, own in named]
    if solution.conflict:
        out["conflict"] = [_relaxation(one) for one in solution.conflict]
    return out


def _odds(odds: Odds) -> dict[str, object]:
    """How likely something is that the plan requires; with one standard deviation where that is of draws."""
    shares = {"probability": odds.share, "error": odds.error or None, "asked": odds.asked}
    told = {key: amount(share, ()) for key, share in shares.items() if share is not None}
    return {"text": odds.text, "line": odds.span.line, **told}


def _worth(plan: Plan | None, solution: Solution) -> dict[str, object]:
    """What its limits are worth, what its answer hangs on most, and where what it chooses changes."""
    from runplan.engine.analysis.tornado import asked_of
    from runplan.engine.documents.decision import decision_document
    from runplan.engine.documents.worth import swings_document, worth_document

    found = {"worth": worth_document(solution)}
    if (name := asked_of(solution)) is not None:
        found["sensitivity"] = {"quantity": str(name), "inputs": swings_document(solution, name)}
    found["decision"] = decision_document(plan, solution)
    return {key: value for key, value in found.items() if value}


def _results(report: Report, solution: Solution) -> dict[str, object]:
    """What the plan rests on of other plans, and the `let`s of it that do; no key where it imports no results."""
    found = imported_of(report.plan, solution) if report.plan else {}
    named = {name: {**quantity(value), **({"plan": plan} if plan else {})} for name, (value, plan) in found.items()}
    return {"results": named} if named else {}


def _by_default(solution: Solution) -> dict[str, str]:
    """The quantities of the run that another law than the plan's gives, and which."""
    others = (v for v in solution.values.values() if v.kind == "law" and v.by != solution.resolved)
    return {str(value.name): value.by for value in others if not value.name.scope}


def _source(solution: Solution, name: str) -> dict[str, object]:
    """One source of the mix; only its name where nothing is known of it."""
    found = solution.within(("source", name))
    return {"source": name, **{key: quantity(found[key]) for key in OF_SOURCE if key in found}}


def _phase(solution: Solution, name: str) -> dict[str, object]:
    """One phase of the schedule; only its name where nothing is known of it."""
    found = solution.within(("phase", name))
    out: dict[str, object] = {"name": name, **{key: quantity(found[key]) for key in OF_PHASE if key in found}}
    for key, names in (("learning_rate", LEARNING_RATE), ("batch", BATCH)):
        if all(name in found for name in names):
            sides = zip(("start", "end"), (found[name] for name in names), strict=True)
            out[key] = {side: amount(value.value, value.dim)["value"] for side, value in sides}
    mixed = {source: solution.within(("phase", name), ("source", source)).get("mix") for source in solution.sources}
    if mix := {source: amount(value.value, value.dim)["value"] for source, value in mixed.items() if value}:
        out["mix"] = mix
    return out


def _relaxation(relaxation: Relaxation) -> dict[str, object]:
    out: dict[str, object] = {"text": relaxation.text}
    if relaxation.span is not None:
        out["line"] = relaxation.span.line
    if relaxation.change:
        out["change"] = relaxation.change.said
        out["write"] = relaxation.change.text
    if relaxation.value is not None:
        out["to"] = amount(relaxation.value, relaxation.dim)
    return out


# ---- what else a report says


def _note(note: Note) -> dict[str, object]:
    about = {"law": note.law, "code": note.code}
    return {"text": note.text, **{key: text for key, text in about.items() if text}}


def _assumption(assumption: Assumption) -> dict[str, object]:
    span = assumption.span
    return {
        "name": str(assumption.name),
        **_assumed(assumption),
        "source": assumption.source,
        "file": span.source.path if span else None,
        "line": span.line if span else None,
    }


def _assumed(assumption: Assumption) -> dict[str, object]:
    value = assumption.value
    if isinstance(value, str):
        return {"value": value, "unit": "name"}
    return {**amount(value, assumption.dim), **ends(assumption.low, assumption.high, assumption.dim)}
