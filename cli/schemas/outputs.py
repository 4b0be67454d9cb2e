"""The documents that the command writes, each to its JSON Schema: `plan.NAME/vN`, as the document says of itself."""

from __future__ import annotations

from collections.abc import Callable

from runplan.cli.schemas import of_knowledge, of_plans
from runplan.cli.schemas.parts import PLACE, SHARED, TEXT, Schema, document, listed, record, standing, words


def _config() -> Schema:
    value: Schema = {"anyOf": [{"type": ["string", "boolean"]}, listed(TEXT)]}
    setting = record({"key": TEXT, "value": value}, {"origin": record({"file": TEXT, "line": PLACE})})
    return record({"root": TEXT, "settings": listed(setting)}, {"file": TEXT})


def _error() -> Schema:
    return record({"error": record({"exit": {"enum": [2, 3]}, "message": TEXT})})


# By name: the version, what it is, and what makes its body.
DOCUMENTS: dict[str, tuple[int, str, Callable[[], Schema]]] = {
    "check": (1, "What `plan check` found", of_plans.check),
    "solve": (1, "The report of one plan", of_plans.solve),
    "compare": (1, "Laws, or plans, side by side", of_plans.compare),
    "diff": (1, "Plans as of a commit and now: what moved, and why", of_plans.diff),
    "frontier": (1, "The best of one quantity for each value of another", of_plans.frontier),
    "ladder": (1, "The small runs whose fit sizes a plan", of_plans.ladder),
    "sweep": (1, "A plan at each point of a grid", of_plans.sweep),
    "track": (1, "A run in progress against its plan", of_plans.track),
    "explain": (1, "Where a number comes from", of_plans.explain),
    "backtest": (1, "Laws and default rates against runs that were done", of_knowledge.backtest),
    "fit": (1, "A law as runs tell it: constants with intervals, what it forecasts, its pack", of_knowledge.fit),
    "fits": (1, "Forms that were held to the same runs, the best forecaster first", of_knowledge.fits),
    "laws": (1, "All laws", of_knowledge.laws),
    "law": (1, "One law, or what it gives at some inputs", of_knowledge.law),
    "devices": (1, "All devices", of_knowledge.entries("devices")),
    "device": (1, "One device", of_knowledge.entry),
    "models": (1, "All models", of_knowledge.entries("models")),
    "model": (1, "One model", of_knowledge.entry),
    "rules": (1, "All rules and codes", of_knowledge.rules),
    "rule": (1, "The rules that go by one code", of_knowledge.rule),
    "config": (1, "The settings of a project, and where each comes from", _config),
    "test": (1, "Golden values and examples of packs, held against what they give", of_knowledge.test),
    "baseline": (
        1,
        "The findings that a project lives with, as `plan check --write-baseline` writes them",
        of_plans.baseline,
    ),
    "lock": (1, "What plans rest on, and what they come to: `runplan.lock`", of_plans.lock),
    "error": (1, "Why a command could not run to its end", _error),
}


# What is no document but a line of one that grows: `jsonl` of `plan check`.
LINE = "check-line"


def output_schema(name: str) -> Schema:
    """The schema of the documents that go by a name."""
    version, title, body = DOCUMENTS[name]
    return document(name, version, title, body())


def line_schema() -> Schema:
    """The schema of a line of `plan check -o jsonl`: a finding, or what sums them up."""
    version, title, _ = DOCUMENTS["check"]
    finding, whole = SHARED["finding"], document("check", version, title, of_plans.check())
    summed = {key: of for key, of in whole["properties"].items() if key != "findings"}
    either = [
        record({"type": {"const": "finding"}, **{key: finding["properties"][key] for key in finding["required"]}}),
        record({"type": {"const": "summary"}, "schema": summed["schema"], "summary": summed["summary"]}),
    ]
    properties = {**finding["properties"], **summed, "type": words("finding", "summary")}
    return standing(f"plan.{LINE}/v{version}", f"{title}, by lines", {"anyOf": either, "properties": properties})
