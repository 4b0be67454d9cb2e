"""A solved plan as JSON, `plan.solve/v1`: the document that other programs read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from runplan.cli.show.json_findings import document_text, finding_json
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import json_unit
from runplan.engine.problem.solution import Note, Room, Solution, Value
from runplan.engine.report import Assumption, Report

BUDGET = ("compute", "gpu_hours", "time", "cost", "energy", "emissions")
# The quantities that a plan may name, in the order of the report; figures that only lead to them stay out.
QUANTITIES = (
    "params params_non_embedding active_params tokens compute loss perplexity regret time finish gpus nodes gpu_hours"
    " price cost energy emissions idle_share epochs batch steps learning_rate memory_per_gpu mfu rate lifetime_compute"
).split()
TRANSFER = ("pretrain_tokens", "finetune_tokens", "transferred_tokens", "pretrain_share")
# What else is known of a transfer, and of the size that is cheapest over training and serving.
WORTH = (
    "effective_finetune_tokens data_multiplier finetune_characters transferred_characters effective_characters"
    " finetune_compute pretrain_compute scratch_loss scratch_compute crossover"
).split()
LIFETIME = ("lifetime_params", "lifetime_tokens", "lifetime_training", "lifetime_saving", "break_even_tokens")
# A share nearer to zero than this is rounding in the solver.
NOISE = 1e-9
# Digits beyond these are rounding in the solver, too, and may differ between machines.
DIGITS = 12


def render(report: Report) -> str:
    """The document as text."""
    return document_text(document(report))


def document(report: Report) -> dict[str, object]:
    """The document as plain data; a key that does not apply is absent."""
    plan: dict[str, object] = {"title": report.plan.title} if report.plan else {}
    return {
        "schema": "plan.solve/v1",
        "plan": {**plan, "file": report.source.path},
        "budget": {name: quantity(report.budget[name]) for name in BUDGET if name in report.budget},
        "solutions": [solution_json(solution) for solution in report.solutions],
        "notes": [_note(note) for note in report.notes],
        "assumptions": [_assumption(assumption) for assumption in report.assumptions],
        "findings": [finding_json(finding) for finding in report.findings],
    }


def solution_json(solution: Solution) -> dict[str, object]:
    """The object of one law."""
    out: dict[str, object] = {"law": solution.law, "resolved": solution.resolved, "status": solution.status}
    out.update((value.name, quantity(value)) for value in quantities(solution))
    lent = [v for v in solution.values.values() if v.kind == "law" and v.by != solution.resolved and "." not in v.name]
    if lent:
        out["by"] = {value.name: value.by for value in lent}  # quantities that another law gives
    out["binding"] = list(solution.binding)
    if phases := [phase for name in solution.problem.phases if len(phase := _phase(solution, name)) > 1]:
        out["phases"] = phases
    if mix := [source for name in solution.sources if len(source := _source(solution, name)) > 1]:
        out["mix"] = mix
    for key, members in (("transfer", (*TRANSFER, *WORTH)), ("lifetime", LIFETIME)):
        if found := {name: quantity(solution.values[name]) for name in members if name in solution.values}:
            out[key] = found
    if solution.conflict:
        out["conflict"] = [_room(room) for room in solution.conflict]
    return out


def quantities(solution: Solution) -> Iterator[Value]:
    """The values of a solution that are shown, in order."""
    for name in QUANTITIES:
        value = solution.values.get(name)
        # Where the figures contradict each other, less than nothing is left idle.
        if value is not None and not (name == "idle_share" and value.value < -NOISE):
            yield value


def quantity(value: Value) -> dict[str, object]:
    """A value in its unit of exchange, with its interval where there is one."""
    out = amount(value.value, value.dim)
    if value.low is not None and value.high is not None:
        low, high = amount(value.low, value.dim)["value"], amount(value.high, value.dim)["value"]
        if low != high:
            out |= {"low": low, "high": high}
    return out


def amount(value: float, dim: Dim) -> dict[str, object]:
    """A figure in base units as `value` and `unit`; a date as its ISO form."""
    if dim == DATE:
        return {"value": iso_date(value), "unit": "date"}
    unit, factor = json_unit(dim)
    figure = float(f"{value / factor:.{DIGITS}g}")
    return {"value": 0.0 if dim == () and abs(figure) < NOISE else figure, "unit": unit}


def iso_date(value: float) -> str:
    """A point in time as its day, in UTC."""
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")


def _source(solution: Solution, name: str) -> dict[str, object]:
    """One source of the mix; only its name where nothing is known of it."""
    keys = ("tokens", "share", "epochs", "effective_tokens", "next_epoch")
    found = {key: solution.values.get(f"{key}.{name}") for key in keys}
    return {"source": name, **{key: quantity(value) for key, value in found.items() if value}}


def _phase(solution: Solution, name: str) -> dict[str, object]:
    """One phase of the schedule; only its name where nothing is known of it."""
    out: dict[str, object] = {"name": name}
    for key in ("tokens", "steps", "share"):
        if value := solution.values.get(f"phase.{name}.{key}"):
            out[key] = quantity(value)
    rates = {side: solution.values.get(f"phase.{name}.learning_rate.{side}") for side in ("start", "end")}
    if rate := {side: amount(value.value, value.dim)["value"] for side, value in rates.items() if value}:
        out["learning_rate"] = rate
    batches = {side: solution.values.get(f"phase.{name}.batch.{side}") for side in ("start", "end")}
    if batch := {side: amount(value.value, value.dim)["value"] for side, value in batches.items() if value}:
        out["batch"] = batch
    mixed = {source: solution.values.get(f"phase.{name}.mix.{source}") for source in solution.sources}
    if mix := {source: amount(value.value, value.dim)["value"] for source, value in mixed.items() if value}:
        out["mix"] = mix
    return out


def _room(room: Room) -> dict[str, object]:
    out: dict[str, object] = {"text": room.text}
    if room.span is not None:
        out["line"] = room.span.line
    if room.change:
        out["change"] = room.change
    if room.value is not None:
        out["to"] = amount(room.value, room.dim)
    return out


def _note(note: Note) -> dict[str, object]:
    about = {"law": note.law, "code": note.code}
    return {"text": note.text, **{key: text for key, text in about.items() if text}}


def _assumption(assumption: Assumption) -> dict[str, object]:
    span = assumption.span
    return {
        "name": assumption.name,
        **amount(assumption.value, assumption.dim),
        "source": assumption.source,
        "file": span.source.path if span else None,
        "line": span.line if span else None,
    }
