"""A report to its documents, plain data with a schema version: what JSON, the public API and other programs read.

Figures stand in the units of exchange of `dsl/units/show.py`; a key that does not apply is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from runplan.dsl.expr.name import Name
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding, Fix
from runplan.dsl.text.source import Span
from runplan.dsl.types import TYPE_CHECKING
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, json_unit
from runplan.engine.gate import Verdict, verdict_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.results import imported_of

if TYPE_CHECKING:
    from runplan.dsl.plan.ir import Plan
    from runplan.engine.problem.solution import Note, Odds, Relaxation, Solution, Value
    from runplan.engine.report import Assumption, Report

# The sections of rows, as `quantities.plan` places them, of which the solution's own object is made: those of tables
# for people, and those that are left out there.
OWN = ("", "data")
# The sections that are listed beside those, and the objects that stand within a solution's.
LISTED = (*OWN, "transfer", "goodput")
WITHIN = {"transfer": ("transfer", "worth"), "lifetime": ("lifetime",), "goodput": ("goodput",)}
OF_SOURCE = ("tokens", "share", "epochs", "effective_tokens", "next_epoch")
OF_PHASE = ("tokens", "steps", "share")
# Figures of a phase at its start and at its end.
LEARNING_RATE = ("learning_rate.start", "learning_rate.end")
BATCH = ("batch.start", "batch.end")
# A share nearer to zero than this is rounding in the solver.
NOISE = 1e-9
# Digits beyond these are rounding in the solver, too, and may differ between machines.
DIGITS = 12


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
        "verdict": _verdict(verdict_of(report)),
        "findings": [finding_document(finding) for finding in report.findings],
    }


def checked(findings: Iterable[Finding], files: int, verdicts: Iterable[Verdict] = ()) -> dict[str, object]:
    """What was found in so many files, and the verdict on each, `plan.check/v1`."""
    found = tuple(findings)
    count = Counter(finding.severity for finding in found)
    out: dict[str, object] = {
        "schema": "plan.check/v1",
        "findings": [finding_document(finding) for finding in found],
        "summary": {**{f"{severity}s": count[severity] for severity in RANK}, "files": files},
    }
    if judged := [{"file": verdict.file, **_verdict(verdict)} for verdict in verdicts]:
        out["verdicts"] = judged
    return out


# ---- figures


def amount(value: float, dim: Dim) -> dict[str, object]:
    """A figure in base units as `value` and `unit`; a date as its ISO form."""
    if dim == DATE:
        return {"value": iso_date(value), "unit": "date"}
    unit, factor = json_unit(dim)
    figure = float(f"{value / factor:.{DIGITS}g}")
    return {"value": 0.0 if dim == () and abs(figure) < NOISE else figure, "unit": unit}


def rounded(value: float) -> float:
    """A plain number without the solver's rounding."""
    return float(f"{value:.{DIGITS}g}") if abs(value) > NOISE else 0.0


def quantity(value: Value) -> dict[str, object]:
    """A value as an amount, with its interval where there is one; of a whole count what it was before, as `real`."""
    real = {} if value.real is None else {"real": amount(value.real, value.dim)["value"]}
    return {**amount(value.value, value.dim), **_ends(value.low, value.high, value.dim), **real}


# ---- a solution


def quantities(solution: Solution, *sections: str) -> Iterator[tuple[str, Value]]:
    """The quantities of the run that have a row in these sections, by name and in order."""
    for name in solution.problem.quantities.rows(*sections):
        value = applying(solution, name)
        if value is not None:
            yield name, value
    if "data" in sections:
        yield from ((str(name), value) for name, value in asked_for(solution))


# What has a name of its own while it is looked for, by what a plan calls it; or another key that says it.
_SOUGHT = {q.RUN_SHARE: q.RESERVE, q.AMOUNT: q.AVAILABLE}
_SAID_BY_OTHERS = (q.RESERVED_TIME, q.SHARED_TIME, q.SHARED_HOURS, q.LAW_PARAMS, q.SHARE)


def asked_for(solution: Solution) -> Iterator[tuple[Name, Value]]:
    """What the plan asks for by a `?` and has no row of its own, such as an availability, or what there is of a source.

    The quantities of parts are under their full name, such as `available.web` or `pool1.mfu`.
    """
    told = solution.problem.quantities.rows(*OWN)
    for name in dict.fromkeys(solution.problem.asked):
        shown = Name(_SOUGHT.get(name.bare, name).text, name.kind, name.scope)
        value = solution.values.get(shown)
        if value is not None and name.bare not in _SAID_BY_OTHERS and (shown.scope or shown.text not in told):
            yield shown, value


def applying(solution: Solution, name: str) -> Value | None:
    """A quantity of the run, where it says something.

    Where figures contradict each other that is not what less than nothing leaves idle, and not what a size costs beyond
    the best; of a dense model it is not what is active, which is all of it; and without attention the model's compute
    is the law's.
    """
    value = solution.quantity(name)
    if value is None or (name == "idle_share" and value.value < -NOISE):
        return None
    if name == "regret" and solution.status != "solved":
        return None
    if name == "model_compute" and q.ATTENTION_COMPUTE not in solution.values:
        return None
    return None if name == "active_params" and not solution.problem.is_mixture else value


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
        from runplan.engine.layouts_document import layouts_of

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
    from runplan.engine.decide_document import decision_document
    from runplan.engine.worth_document import swings_document, worth_document

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
    for key, ends in (("learning_rate", LEARNING_RATE), ("batch", BATCH)):
        if all(end in found for end in ends):
            sides = zip(("start", "end"), (found[end] for end in ends), strict=True)
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


def _verdict(verdict: Verdict) -> dict[str, object]:
    """Whether a plan holds, by its first law; and the code of what keeps it from that."""
    said = {"law": verdict.law, "code": "" if verdict.holds else verdict.by[0].code}
    return {"holds": verdict.holds, **{key: text for key, text in said.items() if text}}


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
    return {**amount(value, assumption.dim), **_ends(assumption.low, assumption.high, assumption.dim)}


def _ends(low: float | None, high: float | None, dim: Dim) -> dict[str, object]:
    """The ends of an interval; nothing where there is none, or it is none to the digits."""
    if low is None or high is None:
        return {}
    ends = {"low": amount(low, dim)["value"], "high": amount(high, dim)["value"]}
    return ends if ends["low"] != ends["high"] else {}


def finding_document(finding: Finding) -> dict[str, object]:
    """The object of one finding; lines and columns count from 1, columns in code points, ends exclusive."""
    result: dict[str, object] = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        **_place(finding.at.span),
        "help": list(finding.help),
        "laws": list(finding.laws),
        "data": dict(finding.data),
        "notes": list(finding.notes),
        "also": [{**_place(label.span), "text": label.text} for label in finding.also],
    }
    if finding.budget:
        result["budget"] = finding.budget.file
    if finding.fixes:
        result["fixes"] = [_fix(fix) for fix in finding.fixes]
    return result


def _fix(fix: Fix) -> dict[str, object]:
    edits = [{**_place(edit.span), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


def _place(span: Span) -> dict[str, object]:
    return {
        "file": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
