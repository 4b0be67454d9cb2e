"""The documents that the command writes, each to its JSON Schema: `plan.NAME/vN`, as the document says of itself."""

from __future__ import annotations

from collections.abc import Callable

from runplan.cli.schemas.parts import (
    COUNT,
    FLAG,
    FLIPS_OF_NAMES,
    KNOWING,
    NUMBER,
    PLACE,
    SHARED,
    TEXT,
    Schema,
    by_name,
    document,
    listed,
    or_null,
    record,
    shared,
    standing,
    words,
)
from runplan.dsl.text.codes import RANK

_QUANTITY = shared("quantity")
_SCALAR: Schema = {"type": ["number", "string", "null"]}
# How a point of a sweep comes out; the list of `engine/sweep/job.py`, which brings numpy with it.
OF_POINTS = ("solved", "broken", "infeasible", "undecided", "refused")


def _solve() -> Schema:
    return record(
        {
            "plan": shared("file"),
            "budget": by_name(_QUANTITY),
            "solutions": listed(shared("solution")),
            "notes": listed(record({"text": TEXT}, {"law": TEXT, "code": TEXT})),
            "assumptions": listed(shared("assumption")),
            "verdict": shared("verdict"),
            "findings": shared("findings"),
        }
    )


def _check() -> Schema:
    return record(
        {"findings": shared("findings"), "summary": shared("summary")},
        {key: shared(key) for key in ("verdicts", "statistics")},
    )


def _error() -> Schema:
    return record({"error": record({"exit": {"enum": [2, 3]}, "message": TEXT})})


def _compare() -> Schema:
    column = {
        **dict.fromkeys(("name", "file", "title", "law", "resolved", "corpus", "counts"), TEXT),
        "status": shared("status"),
        "binding": listed(TEXT),
        "off_line": or_null(NUMBER),
    }
    cell = {**SHARED["quantity"], "properties": {**SHARED["quantity"]["properties"], "beyond": NUMBER}}
    seen = or_null(record({"regret": NUMBER, "loss": or_null(_QUANTITY)}))
    told = or_null(_QUANTITY)
    regrets = record({"plan": TEXT, "under": by_name(told), "worst": told})
    decision = record(
        {"by": TEXT, "choice": or_null(TEXT), "flips": FLIPS_OF_NAMES},
        {
            "laws": record(
                {
                    "best": by_name(TEXT),
                    "regrets": listed(regrets),
                    "least_worst": or_null(TEXT),
                    "knowing_law": told,
                }
            ),
            "draws": COUNT,
            "over_draws": or_null(TEXT),
            "plans": listed(
                record({"plan": TEXT, "holds": NUMBER, "best": NUMBER}, {"regret": _QUANTITY, "regret_90": _QUANTITY})
            ),
            **KNOWING,
        },
    )
    return record(
        {
            "by": words("law", "plan"),
            "columns": listed(record(column)),
            "rows": listed(
                record(
                    {
                        "quantity": TEXT,
                        "values": listed(or_null(cell)),
                        "spread": or_null(NUMBER),
                        "within": or_null(NUMBER),
                    }
                )
            ),
            "losses": record({"comparable": FLAG, "why": TEXT}),
            "regret": record(
                {
                    "judges": listed(TEXT),
                    "choices": listed(record({"choice": TEXT, "under": by_name(seen), "worst": or_null(NUMBER)})),
                    "least_worst": or_null(TEXT),
                    "knowing_law": or_null(NUMBER),
                }
            ),
            "decision": or_null(decision),
            "reasons": listed(record({"kind": TEXT, "about": listed(TEXT), "text": TEXT})),
            "findings": shared("findings"),
        }
    )


def _diff() -> Schema:
    commit = record({"name": TEXT}, {"commit": TEXT})
    side = record({"status": words("solved", "infeasible", "undecided", "unread")}, {"law": TEXT, "holds": FLAG})
    moves = by_name(_QUANTITY)
    said = record({}, {"text": TEXT, "file": TEXT, "line": PLACE})
    cause = record(
        {
            "kind": words("statement", "pack", "budget", "plan"),
            "name": TEXT,
            "status": words("solved", "infeasible", "undecided", "unread"),
            "moves": moves,
        },
        {"then": said, "now": said, "brings": listed(TEXT), "drops": listed(TEXT)},
    )
    value = record(
        {"quantity": TEXT}, {"then": _QUANTITY, "now": _QUANTITY, "by": _QUANTITY, "share": NUMBER, "why": TEXT}
    )
    plan = record(
        {
            "file": TEXT,
            "state": words("added", "removed", "changed", "same"),
            "values": listed(value),
            "kept": COUNT,
            "causes": listed(cause),
            **dict.fromkeys(("new", "grown", "gone"), shared("findings")),
        },
        {"was": TEXT, "then": side, "now": side, "trouble": TEXT, "together": moves},
    )
    total = {"quantity": TEXT, "plans": COUNT, "then": _QUANTITY, "now": _QUANTITY, "by": _QUANTITY}
    exceeded = record({"file": TEXT, "quantity": TEXT, "limit": NUMBER}, {"share": NUMBER, "why": TEXT})
    return record(
        {
            "then": commit,
            "now": commit,
            "summary": record(dict.fromkeys(("added", "removed", "changed", "renamed", "same"), COUNT)),
            "totals": listed(record(total)),
            "plans": listed(plan),
            "limits": listed(record({"quantity": TEXT, "share": NUMBER})),
            "exceeded": listed(exceeded),
        }
    )


def _frontier() -> Schema:
    point = {"x": _QUANTITY, "y": _QUANTITY}
    return record(
        {
            "plan": shared("file"),
            "points": listed(record({**point, "binding": listed(TEXT), "solution": by_name(_QUANTITY)})),
            "levels_without_a_solution": COUNT,
            "findings": shared("findings"),
        },
        {
            "law": TEXT,
            "axes": listed(record({"quantity": TEXT, "sense": words("minimize", "maximize"), "open": FLAG})),
            "plan_as_it_stands": record(point),
        },
    )


def _track() -> Schema:
    ends = record({"value": {"type": ["number", "string"]}, "unit": TEXT, "by": TEXT})
    return record(
        {
            "plan": record({"file": TEXT}, {"stage": TEXT, "frozen": TEXT}),
            "log": TEXT,
            "loss": record({"column": TEXT, "of": {"enum": ["training", "held out"]}}),
            "planned": by_name(_QUANTITY),
            "now": record({"line": PLACE, **dict.fromkeys(("tokens", "share", "loss"), _QUANTITY)}),
            "forecast": by_name(ends),
            "resumed": listed(record({"line": PLACE, "step": NUMBER, "tokens_again": NUMBER})),
            "pauses": listed(record({"line": PLACE, "seconds": NUMBER})),
            "findings": shared("findings"),
        },
        {"begins_anew": listed(PLACE)},
    )


def _ladder() -> Schema:
    design = {"design": TEXT, "runs": COUNT, "sizes": COUNT}
    told = {**dict.fromkeys(("compute", "largest", "loss", "best_size"), _QUANTITY), "why_not": TEXT}
    told["to_first_order"] = or_null(NUMBER)
    shape = dict.fromkeys(("layers", "hidden", "heads", "kv_heads", "ffn"), COUNT)
    settings = {"steps": COUNT, "warmup_steps": COUNT, "gpus": COUNT}
    figures = dict.fromkeys(("params", "params_non_embedding", "compute", "tokens", "batch", "loss"), _QUANTITY)
    may = dict.fromkeys(("time", "gpu_hours", "cost", "learning_rate", "budget"), _QUANTITY)
    scaled = dict.fromkeys(("head_dim", "kv_lora", "q_lora", "embedding_dim", "global_layers"), COUNT)
    warned = {"code": TEXT, "severity": words(*RANK), "message": TEXT, "runs": listed(TEXT)}
    return record(
        {
            "plan": shared("file"),
            "law": TEXT,
            "flagship": by_name(_QUANTITY),
            "design": TEXT,
            "share": NUMBER,
            "noise": NUMBER,
            "draws": COUNT,
            "seed": COUNT,
            "family": record({"name": TEXT, "source": TEXT}),
            "settings_by": listed(TEXT),
            "totals": by_name(_QUANTITY),
            "designs": listed(record(design, told)),
            "runs": listed(record({"name": TEXT, **shape, **settings, **figures}, {**may, **scaled})),
            "findings": listed(record(warned)),
        }
    )


def _explain() -> Schema:
    node = record(
        {
            "name": TEXT,
            "label": TEXT,
            "value": {"type": ["number", "string"]},
            "unit": TEXT,
            "kind": TEXT,
            "inputs": listed(TEXT),
        },
        {
            **dict.fromkeys(("low", "high", "real"), NUMBER),
            **dict.fromkeys(("formula", "substituted", "note", "source", "law", "file"), TEXT),
            "line": PLACE,
        },
    )
    return record(
        {
            "law": TEXT,
            "resolved": TEXT,
            "status": shared("status"),
            "quantity": TEXT,
            "nodes": listed(node),
            "changes": listed(shared("swing")),
            "decision": shared("decision"),
        }
    )


def _backtest() -> Schema:
    score = {
        **dict.fromkeys(("column", "group", "name"), TEXT),
        "runs": COUNT,
        **dict.fromkeys(("median", "low", "high", "within_2x"), NUMBER),
        "inside": or_null(NUMBER),
        "intervals": COUNT,
    }
    trial = {
        "reported": _QUANTITY,
        "predicted": _QUANTITY,
        "ratio": or_null(NUMBER),
        "inside": or_null(FLAG),
        "by": TEXT,
        "why": TEXT,
        "laws": by_name({}),
    }
    run = {**dict.fromkeys(("name", "title", "family", "file"), TEXT), "line": PLACE, "mixture": FLAG}
    told = dict.fromkeys(("objective", "device", "precision", "aside"), TEXT)
    figures = dict.fromkeys(("params", "active", "tokens", "gpus"), _QUANTITY)
    return record(
        {
            "scores": listed(record(score)),
            "runs": listed(record({**run, "columns": by_name(record({}, trial))}, {**told, **figures})),
        }
    )


def _fit() -> Schema:
    figure = or_null(NUMBER)
    ends = record({"low": figure, "high": figure})
    constant = record({"value": figure, "error": figure, "identified": FLAG, "within": by_name(ends)})
    minimum = record({"value": NUMBER, "starts": COUNT, "constants": by_name(figure)})
    objective = record({"kind": words("huber", "squares", "absolute"), "log": FLAG, "value": NUMBER}, {"delta": NUMBER})
    helps = record({"inputs": by_name(_QUANTITY), **dict.fromkeys(("before", "after", "cost"), figure)})
    of_a_run = record({"line": PLACE, "measured": NUMBER, "fitted": NUMBER, "residual": NUMBER}, {"label": TEXT})
    part = record(
        {
            "output": TEXT,
            "columns": by_name(TEXT),
            "objective": objective,
            "starts": COUNT,
            "minima": listed(minimum),
            "constants": by_name(constant),
            "coordinates": listed(TEXT),
            "covariance": listed(listed(figure)),
            "bootstrap": COUNT,
            **dict.fromkeys(("misfit", "drift", "noise", "future_error"), figure),
            "lack_of_fit": or_null(record({"ratio": figure, "p": figure})),
            "next_run": or_null(helps),
            "runs": listed(of_a_run),
        }
    )
    came = by_name(record({"bias": figure, "within": by_name(figure)}))
    tested = record({"output": TEXT, "sets": COUNT, "failed": COUNT, "holds": FLAG, "constants": came})
    return record(
        {
            **dict.fromkeys(("file", "digest", "form", "law", "counts", "pack"), TEXT),
            "runs": COUNT,
            "held": by_name(NUMBER),
            "fits": listed(part),
            "optimum": by_name(_QUANTITY),
            "forecasts": listed(record({"given": by_name(NUMBER), "outputs": by_name(_QUANTITY)})),
            "moved": or_null(listed(record({"name": TEXT, **dict.fromkeys(("before", "after", "error"), figure)}))),
            "tests": listed(tested),
            "findings": shared("findings"),
        },
        {"budget": _QUANTITY},
    )


def _fits() -> Schema:
    told = {**dict.fromkeys(("law", "output", "why_not"), TEXT), "constants": by_name(or_null(NUMBER))}
    figures = dict.fromkeys(("objective", "rms", "future_error", "expected_error"), or_null(NUMBER))
    more = {"forecasts": by_name(_QUANTITY), "findings": shared("findings")}
    return record({"chosen": or_null(TEXT), "forms": listed(record({"form": TEXT}, {**told, **figures, **more}))})


def _laws() -> Schema:
    law = {
        **dict.fromkeys(("name", "title", "cites", "evidence", "counts"), TEXT),
        **dict.fromkeys(("aliases", "gives", "needs", "objectives"), listed(TEXT)),
        "range": shared("range"),
    }
    return record({"laws": listed(record(law))})


def _law() -> Schema:
    formula = record(
        {
            **dict.fromkeys(("gives", "unit", "objective", "text"), TEXT),
            "needs": listed(TEXT),
            "optional": by_name(NUMBER),
        }
    )
    constant = record({"name": TEXT, "unit": TEXT}, {"value": NUMBER, "error": NUMBER, "free": {"const": True}})
    golden = record({"id": TEXT, "expected": by_name(NUMBER), "rtol": NUMBER})
    page = record(
        {
            **dict.fromkeys(("law", "title", "counts", "corpus", "start", "aside"), TEXT),
            "aliases": listed(TEXT),
            "extends": or_null(TEXT),
            "objectives": listed(TEXT),
            "formulas": listed(formula),
            "tables": listed(record({"gives": TEXT, "needs": listed(TEXT), "rows": listed(listed(NUMBER))})),
            "takes": by_name(TEXT),
            "constants": listed(constant),
            "range": shared("range"),
            "cites": listed(record({"text": TEXT, "evidence": TEXT})),
            "notes": listed(TEXT),
            "goldens": listed(golden),
        }
    )
    output = record(
        {"value": NUMBER, "unit": TEXT, "formula": TEXT, "inputs": listed(TEXT)}, {"low": NUMBER, "high": NUMBER}
    )
    given = {"given": by_name(_QUANTITY), "outputs": by_name(output), "beyond": listed(TEXT), "unused": listed(TEXT)}
    at_inputs = record({"law": TEXT, "objective": TEXT, "counts": TEXT, **given})
    either = [{"required": of["required"]} for of in (page, at_inputs)]
    return {"type": "object", "anyOf": either, "properties": {**page["properties"], **at_inputs["properties"]}}


def _records(kind: str) -> Callable[[], Schema]:
    return lambda: record({kind: listed(shared("record"))})


def _record() -> Schema:
    return SHARED["record"]


def _rules() -> Schema:
    return record({"rules": listed(shared("rule"))})


def _rule() -> Schema:
    rule = SHARED["rule"]
    more = {**dict.fromkeys(("when", "help", "breaks", "keeps"), TEXT), "notes": listed(TEXT)}
    keys = {**rule["properties"], "says": TEXT}
    return record({"rules": listed(record(keys, more))})


def _config() -> Schema:
    value: Schema = {"anyOf": [{"type": ["string", "boolean"]}, listed(TEXT)]}
    setting = record({"key": TEXT, "value": value}, {"origin": record({"file": TEXT, "line": PLACE})})
    return record({"root": TEXT, "settings": listed(setting)}, {"file": TEXT})


def _test() -> Schema:
    value: Schema = {"anyOf": [{"type": ["number", "null"]}, by_name({"type": ["number", "null"]})]}
    result = {
        "id": TEXT,
        "law": TEXT,
        "expected": value,
        "got": value,
        "rtol": NUMBER,
        "verdict": words("pass", "fail"),
    }
    return record(
        {
            "results": listed(record(result, {"note": TEXT})),
            "summary": record(dict.fromkeys(("passed", "failed", "findings"), COUNT)),
            "untested": listed(TEXT),
            "findings": shared("findings"),
        }
    )


def _sweep() -> Schema:
    return record(
        {
            "plan": TEXT,
            "laws": listed(TEXT),
            "varied": listed(record({"path": TEXT, "unit": TEXT})),
            "quantities": listed(record({"name": TEXT, "unit": TEXT})),
            "points": listed(
                {**record({"status": words(*OF_POINTS), "why": or_null(TEXT)}), "additionalProperties": _SCALAR}
            ),
        }
    )


def _baseline() -> Schema:
    return record(
        {
            "findings": listed(
                record(
                    {**dict.fromkeys(("code", "name", "file", "node", "laws"), TEXT), "off": NUMBER},
                    {"severity": words(*RANK)},
                ),
            )
        }
    )


def _lock() -> Schema:
    """Of TOML, and of what that is as JSON."""
    texts = by_name(TEXT)
    plan = record({"law": TEXT, "status": shared("status"), "text": TEXT}, {"defaults": texts, "values": texts})
    return record({"runplan": TEXT, "library": TEXT}, {"budgets": texts, "packs": texts, "plans": by_name(plan)})


# By name: the version, what it is, and what makes its body.
DOCUMENTS: dict[str, tuple[int, str, Callable[[], Schema]]] = {
    "check": (1, "What `plan check` found", _check),
    "solve": (1, "The report of one plan", _solve),
    "compare": (1, "Laws, or plans, side by side", _compare),
    "diff": (1, "Plans as of a commit and now: what moved, and why", _diff),
    "frontier": (1, "The best of one quantity for each value of another", _frontier),
    "ladder": (1, "The small runs whose fit sizes a plan", _ladder),
    "sweep": (1, "A plan at each point of a grid", _sweep),
    "track": (1, "A run in progress against its plan", _track),
    "explain": (1, "Where a number comes from", _explain),
    "backtest": (1, "Laws and default rates against runs that were done", _backtest),
    "fit": (1, "A law as runs tell it: constants with intervals, what it forecasts, its pack", _fit),
    "fits": (1, "Forms that were held to the same runs, the best forecaster first", _fits),
    "laws": (1, "All laws", _laws),
    "law": (1, "One law, or what it gives at some inputs", _law),
    "devices": (1, "All devices", _records("devices")),
    "device": (1, "One device", _record),
    "models": (1, "All models", _records("models")),
    "model": (1, "One model", _record),
    "rules": (1, "All rules and codes", _rules),
    "rule": (1, "The rules that go by one code", _rule),
    "config": (1, "The settings of a project, and where each comes from", _config),
    "test": (1, "Golden values and examples of packs, held against what they give", _test),
    "baseline": (1, "The findings that a project lives with, as `plan check --write-baseline` writes them", _baseline),
    "lock": (1, "What plans rest on, and what they come to: `runplan.lock`", _lock),
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
    finding, whole = SHARED["finding"], document("check", version, title, _check())
    summed = {key: of for key, of in whole["properties"].items() if key != "findings"}
    either = [
        record({"type": {"const": "finding"}, **{key: finding["properties"][key] for key in finding["required"]}}),
        record({"type": {"const": "summary"}, "schema": summed["schema"], "summary": summed["summary"]}),
    ]
    properties = {**finding["properties"], **summed, "type": words("finding", "summary")}
    return standing(f"plan.{LINE}/v{version}", f"{title}, by lines", {"anyOf": either, "properties": properties})
