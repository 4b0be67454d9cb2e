"""What is written of plans, each kind of document to the schema of its body."""

from __future__ import annotations

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
    listed,
    or_null,
    record,
    shared,
    words,
)
from runplan.dsl.text.codes import RANK

_QUANTITY = shared("quantity")
_SCALAR: Schema = {"type": ["number", "string", "null"]}
# How a point of a sweep comes out; the list of `engine/sweep/job.py`, which brings numpy with it.
OF_POINTS = ("solved", "broken", "infeasible", "undecided", "refused")


def solve() -> Schema:
    """`plan solve`: the report of one plan."""
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


def check() -> Schema:
    """`plan check`: findings and verdicts."""
    return record(
        {"findings": shared("findings"), "summary": shared("summary")},
        {key: shared(key) for key in ("verdicts", "statistics")},
    )


def explain() -> Schema:
    """`plan explain`: the way to a number."""
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


def compare() -> Schema:
    """`plan compare`: laws or plans side by side, and what to choose."""
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


def diff() -> Schema:
    """`plan diff`: what moved between two states of plans, and why."""
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


def frontier() -> Schema:
    """`plan frontier`: the curve of two quantities."""
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


def ladder() -> Schema:
    """`plan ladder`: the designs that were weighed, and the runs of the one that was chosen."""
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


def sweep() -> Schema:
    """`plan sweep`: a row a point."""
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


def track() -> Schema:
    """`plan track`: where a run is, and where it ends."""
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


def baseline() -> Schema:
    """What `plan check --write-baseline` writes."""
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


def lock() -> Schema:
    """`runplan.lock`, which is TOML, as what that is in JSON."""
    texts = by_name(TEXT)
    plan = record({"law": TEXT, "status": shared("status"), "text": TEXT}, {"defaults": texts, "values": texts})
    return record({"runplan": TEXT, "library": TEXT}, {"budgets": texts, "packs": texts, "plans": by_name(plan)})
