"""What is written of laws, records, rules and the runs that they are held to, each kind of document to the schema of
its body."""

from __future__ import annotations

from collections.abc import Callable

from runplan.cli.schemas.parts import (
    COUNT,
    FLAG,
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

_QUANTITY = shared("quantity")


def fit() -> Schema:
    """`plan fit`: the constants of a law, and how well runs tell them."""
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
    of_all = {
        **dict.fromkeys(("digest", "law", "counts", "pack"), TEXT),
        "runs": COUNT,
        "held": by_name(NUMBER),
        "optimum": by_name(_QUANTITY),
        "forecasts": listed(record({"given": by_name(NUMBER), "outputs": by_name(_QUANTITY)})),
        "moved": or_null(listed(record({"name": TEXT, **dict.fromkeys(("before", "after", "error"), figure)}))),
        "tests": listed(tested),
    }
    return {
        **record(
            {"file": TEXT, "form": TEXT, "fits": listed(part), "findings": shared("findings")},
            {**of_all, "budget": _QUANTITY},
        ),
        # Where the runs do not tell it there is no fit, and the findings say why.
        "if": {"properties": {"fits": {"minItems": 1}}},
        "then": {"required": [*of_all]},
    }


def fits() -> Schema:
    """`plan fit` of several forms, side by side."""
    told = {**dict.fromkeys(("law", "output", "why_not"), TEXT), "constants": by_name(or_null(NUMBER))}
    figures = dict.fromkeys(("objective", "rms", "future_error", "expected_error"), or_null(NUMBER))
    more = {"forecasts": by_name(_QUANTITY), "findings": shared("findings")}
    return record({"chosen": or_null(TEXT), "forms": listed(record({"form": TEXT}, {**told, **figures, **more}))})


def laws() -> Schema:
    """`plan law`: all of them."""
    law = {
        **dict.fromkeys(("name", "title", "cites", "evidence", "counts"), TEXT),
        **dict.fromkeys(("aliases", "gives", "needs", "objectives"), listed(TEXT)),
        "range": shared("range"),
    }
    return record({"laws": listed(record(law))})


def law() -> Schema:
    """`plan law NAME`: its page, or what it gives at some inputs."""
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
            "drifts": by_name(record({"share": NUMBER, "text": TEXT, "evidence": TEXT})),
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


def entries(kind: str) -> Callable[[], Schema]:
    """`plan device`, `plan model`: all of a kind."""
    return lambda: record({kind: listed(shared("record"))})


def entry() -> Schema:
    """`plan device NAME`, `plan model NAME`."""
    return SHARED["record"]


def rules() -> Schema:
    """`plan rule`: all of them."""
    return record({"rules": listed(shared("rule"))})


def rule() -> Schema:
    """`plan rule CODE`."""
    rule = SHARED["rule"]
    more = {**dict.fromkeys(("when", "help", "breaks", "keeps"), TEXT), "notes": listed(TEXT)}
    keys = {**rule["properties"], "says": TEXT}
    return record({"rules": listed(record(keys, more))})


def backtest() -> Schema:
    """`plan backtest`: each run, and how near its plan came."""
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


def test() -> Schema:
    """`plan test`: what goldens and examples give."""
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
