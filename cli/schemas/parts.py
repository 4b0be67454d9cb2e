"""What schemas are made of, in JSON Schema of draft 7, and the parts that several documents share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.text.codes import RANK
from runplan.dsl.types import Any

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PLACE: Schema = {"type": "integer", "minimum": 1}


def words(*choices: str) -> Schema:
    """One of a few words."""
    return {"enum": list(choices)}


def or_null(of: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [of, {"type": "null"}]}


def listed(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def by_name(of: Schema) -> Schema:
    """An object whose keys are names."""
    return {"type": "object", "additionalProperties": of}


def record(keys: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of keys that are always there, and of others.

    It says nothing of further keys: a later version of the program may add some, and a reader passes over them.
    """
    return {"type": "object", "required": list(keys), "properties": {**keys, **(optional or {})}}


def shared(name: str) -> Schema:
    """A part by its name in `SHARED`."""
    return {"$ref": f"#/definitions/{name}"}


def document(name: str, version: int, title: str, body: Schema) -> Schema:
    """The schema of a document that says under `schema` what it is, with the parts that it mentions."""
    said = {"schema": {"const": f"plan.{name}/v{version}"}}
    whole = {
        **body,
        "required": ["schema", *body.get("required", ())],
        "properties": {**said, **body.get("properties", {})},
    }
    return standing(f"plan.{name}/v{version}", title, whole)


def standing(id: str, title: str, body: Schema) -> Schema:
    """A schema that stands alone: what it mentions of the shared parts is in it."""
    parts: dict[str, Schema] = {}
    waiting = list(mentioned(body))
    while waiting:
        name = waiting.pop()
        if name not in parts:
            parts[name] = SHARED[name]
            waiting.extend(mentioned(SHARED[name]))
    found = {"definitions": dict(sorted(parts.items()))} if parts else {}
    return {"$schema": DRAFT, "$id": id, "title": title, **body, **found}


def mentioned(schema: object) -> Iterator[str]:
    """The names of the shared parts that a schema mentions."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from mentioned(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from mentioned(item)


_SPAN = {"file": TEXT, "line": PLACE, "column": PLACE, "end_line": PLACE, "end_column": PLACE}
_FIGURE = {"value": NUMBER, "unit": TEXT}
_QUANTITY, _FIGURES = shared("quantity"), by_name(shared("quantity"))
_LOW_HIGH_UNIT = record({"low": NUMBER, "high": NUMBER, "unit": TEXT})
_WORTH = {"changes": NUMBER, "worth": _QUANTITY, "fails_less": NUMBER}
_STARTS_ENDS = record({"start": NUMBER, "end": NUMBER})


def _flips(choice: Schema) -> Schema:
    """Where a choice changes; what is chosen is a name, or figures."""
    sides = {"now": _QUANTITY, "at": _QUANTITY, "before": _QUANTITY}
    chosen = {"choose": or_null(choice), "instead_of": or_null(choice)}
    who = {"input": TEXT, "of": or_null(TEXT), "side": words("below", "above")}
    return listed(record({**who, **sides, **chosen, "because": TEXT}))


KNOWING = {
    "knowing_all": record(_WORTH),
    "knowing": listed(record({"what": TEXT, "kind": words("law", "quantity"), **_WORTH})),
}
FLIPS_OF_NAMES = _flips(TEXT)

# A day; of a year beyond 9999 with its sign.
_DATE = {"type": "string", "pattern": r"^(\d{4}|[+-]\d{5,})-\d{2}-\d{2}$"}

# Parts by name; they may mention each other.
SHARED: dict[str, Schema] = {
    "quantity": {
        "description": "A figure in a unit of exchange, such as `param`, `token`, `FLOP`, `second`, `GPU*hour`, `USD`; "
        "with the ends of its 80 % interval where it has one. A date is text, with the unit `date`.",
        "type": "object",
        "required": ["value", "unit"],
        "properties": {"value": {}, "unit": TEXT, "low": {}, "high": {}, "real": NUMBER},
        "if": {"properties": {"unit": {"const": "date"}}},
        "then": {"properties": dict.fromkeys(("value", "low", "high"), _DATE)},
        "else": {"properties": dict.fromkeys(("value", "low", "high"), NUMBER)},
    },
    "finding": record(
        {
            "code": {"type": "string", "pattern": "^[A-Z]+[0-9]+$"},
            "name": TEXT,
            "severity": words(*RANK),
            "message": TEXT,
            **_SPAN,
            "help": listed(TEXT),
            "laws": listed(TEXT),
            "data": by_name({"type": ["number", "string"]}),
            "notes": listed(TEXT),
            "also": listed(record({**_SPAN, "text": TEXT})),
        },
        {
            "budget": TEXT,
            "fixes": listed(record({"title": TEXT, "safe": FLAG, "edits": listed(record({**_SPAN, "text": TEXT}))})),
        },
    ),
    "findings": listed(shared("finding")),
    "status": words("solved", "infeasible", "undecided"),
    "range": by_name(_LOW_HIGH_UNIT),
    "choice": {
        "description": "What a plan chooses, by quantity; `ways` are choices that are words.",
        "type": "object",
        "properties": {"ways": listed(TEXT)},
        "additionalProperties": _QUANTITY,
    },
    "decision": record(
        {},
        {
            "choice": or_null(shared("choice")),
            "by": TEXT,
            "flips": _flips(shared("choice")),
            "draws": COUNT,
            "over_draws": or_null(shared("choice")),
            "fails": NUMBER,
            **KNOWING,
        },
    ),
    "swing": record(
        {"name": TEXT, "kind": TEXT},
        {
            **_FIGURE,
            "value": {"type": ["number", "string"]},
            "elasticity": or_null(NUMBER),
            "elasticity_above": or_null(NUMBER),
            "elasticity_below": or_null(NUMBER),
            **{side: record({"to": or_null(_QUANTITY)}, {"at": _QUANTITY}) for side in ("low", "high")},
            "file": TEXT,
            "line": PLACE,
        },
    ),
    "phase": record(
        {"name": TEXT},
        {
            **dict.fromkeys(("tokens", "steps", "share"), _QUANTITY),
            "learning_rate": _STARTS_ENDS,
            "batch": _STARTS_ENDS,
            "mix": by_name(NUMBER),
        },
    ),
    "source": record(
        {"source": TEXT},
        dict.fromkeys(("tokens", "share", "epochs", "effective_tokens", "next_epoch"), _QUANTITY),
    ),
    "room": {
        **record({"text": TEXT}, {"line": PLACE, "change": TEXT, "write": TEXT, "to": _QUANTITY}),
        "description": "What takes part in a conflict, and the change to it that makes room.",
    },
    "worth": record(
        {},
        {
            "goal": TEXT,
            "sense": words("minimize", "maximize"),
            **_FIGURE,
            "limits": listed(
                record(
                    {"of": TEXT},
                    {
                        **dict.fromkeys(("more", "change", "solved", "without"), _QUANTITY),
                        "file": TEXT,
                        "line": PLACE,
                        "source": TEXT,
                    },
                )
            ),
        },
    ),
    "solution": {
        **record(
            {"law": TEXT, "resolved": TEXT, "status": shared("status"), "binding": listed(TEXT)},
            {
                "name": TEXT,
                "by": by_name(TEXT),
                "optimum": record({"proof": words("convex", "bounds", "local")}, {"gap": _QUANTITY}),
                "phases": listed(shared("phase")),
                "mix": listed(shared("source")),
                "transfer": _FIGURES,
                "lifetime": _FIGURES,
                "goodput": _FIGURES,
                "layouts": shared("layouts"),
                "pool_layouts": listed(shared("layouts")),
                "requirements": listed(
                    record(
                        {"text": TEXT, "line": PLACE, "probability": _QUANTITY},
                        {"error": _QUANTITY, "asked": _QUANTITY},
                    )
                ),
                "stages": listed(shared("solution")),
                "conflict": listed(shared("room")),
                "results": by_name(
                    {**record({"value": {"type": ["number", "string"]}, "unit": TEXT}, {"plan": TEXT})}
                    | {"additionalProperties": NUMBER}
                ),
                "worth": shared("worth"),
                "sensitivity": record({"quantity": TEXT, "inputs": listed(shared("swing"))}),
                "decision": shared("decision"),
            },
        ),
        "description": "A solution under one law: its quantities by name, and what is said of it.",
        "additionalProperties": _QUANTITY,
    },
    "layouts": record(
        {
            "first": listed(
                record(
                    {
                        **dict.fromkeys(("tp", "pp", "cp", "ep", "etp", "dp", "micro_batch", "accumulate"), COUNT),
                        "recompute": words("none", "selective", "full"),
                        "fits": words("fits", "tight", "does not fit"),
                        "memory_per_gpu": _QUANTITY,
                    },
                    {"shard": COUNT, "layout_time": _QUANTITY, "layout_mfu": _QUANTITY},
                )
            ),
            "others": listed(
                record({"layout": TEXT, "why": words("memory", "bubble", "links", "work", "alike"), "by": NUMBER})
            ),
            "undivided": listed(TEXT),
            "tried": COUNT,
        },
        {"pool": COUNT},
    ),
    "assumption": record(
        {
            "name": TEXT,
            "value": {"type": ["number", "string"]},
            "unit": TEXT,
            "source": TEXT,
            "file": or_null(TEXT),
            "line": or_null(PLACE),
        },
        {"low": {"type": ["number", "string"]}, "high": {"type": ["number", "string"]}},
    ),
    "verdict": record({"holds": FLAG}, {"law": TEXT, "code": TEXT}),
    "verdicts": listed(record({"file": TEXT, "holds": FLAG}, {"law": TEXT, "code": TEXT})),
    "statistics": listed(record({"code": TEXT, "name": TEXT, "count": COUNT})),
    "summary": record(dict.fromkeys((*(f"{severity}s" for severity in RANK), "files"), COUNT)),
    "file": record({"file": TEXT}, {"title": TEXT}),
    "figure": record({"key": TEXT, "qualifier": TEXT, **_FIGURE, "source": TEXT, "evidence": TEXT}),
    "record": {
        **record(
            {
                "name": TEXT,
                "title": TEXT,
                "aliases": listed(TEXT),
                "figures": listed(shared("figure")),
                "notes": listed(TEXT),
            }
        ),
        "description": "An entry of the library: its figures with their sources, and words such as `vendor`.",
        "additionalProperties": TEXT,
    },
    "rule": record(
        {
            "code": TEXT,
            "name": TEXT,
            "severity": words(*RANK, "note"),
            "rows": listed({"type": "integer"}),
            "cites": listed(TEXT),
        }
    ),
}
