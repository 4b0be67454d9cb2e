"""A report as a document: what it says, that it follows its schema, and that it is plain data."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from reports import H100, PLANS, solved

from runplan.dsl.units.parse import unit
from runplan.engine.documents.figures import amount
from runplan.engine.documents.solve import document as document_of
from runplan.engine.report import Report

SCHEMA = json.loads(Path(__file__).with_name("schema_solve.json").read_text(encoding="utf-8"))


@pytest.fixture(params=PLANS)
def report(request: pytest.FixtureRequest) -> Report:
    return solved(PLANS[request.param])


@pytest.fixture
def h100() -> Report:
    return solved(H100)


def wrong(value: Any, schema: Mapping[str, Any], path: str = "$") -> Iterator[str]:
    """What is wrong with a document, by the part of JSON Schema that the schema uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,),
        "array": (list,),
        "string": (str,),
        "number": (int, float),
        "integer": (int,),
        "boolean": (bool,),
        "null": (type(None),),
    }
    types = schema.get("type", [])
    if types and not any(isinstance(value, kinds[t]) for t in ([types] if isinstance(types, str) else types)):
        yield f"{path}: {value!r} is no {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} is not {schema['pattern']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value} is too small"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{path}: too short"
        for i, item in enumerate(value):
            yield from wrong(item, schema.get("items", {}), f"{path}[{i}]")
    if isinstance(value, dict):
        yield from (f"{path}: no `{key}`" for key in schema.get("required", ()) if key not in value)
        for key, item in value.items():
            other = schema.get("additionalProperties", {})
            inner = schema.get("properties", {}).get(key, other)
            if inner is False:
                yield f"{path}: `{key}` is unknown"
            else:
                yield from wrong(item, inner, f"{path}.{key}")


def test_a_document_follows_the_schema(report: Report) -> None:
    document = document_of(report)
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document, "it is plain data"
    assert list(wrong(document, SCHEMA)) == []
    assert text == json.dumps(document_of(report))


def test_the_schema_finds_what_is_wrong(h100: Report) -> None:
    document: Any = document_of(h100)
    document["solutions"][0]["loss"]["unit"] = "nat"
    document["solutions"][1]["status"] = "done"
    document["solutions"][1]["law_params"] = {"value": 1.0}
    del document["plan"]["file"]
    assert len(list(wrong(document, SCHEMA))) == 4


def test_json_of_the_example(h100: Report) -> None:
    document: Any = document_of(h100)
    assert document["plan"] == {"title": "Thousand H100s, half a year", "file": "small.plan"}
    assert document["budget"]["compute"] == {"value": 6.15485952e24, "unit": "FLOP"}
    assert document["budget"]["gpu_hours"] == {"value": 4.32e6, "unit": "GPU*hour"}
    first, second = document["solutions"]
    assert (first["law"], first["resolved"], first["status"]) == ("chinchilla", "chinchilla.epoch", "solved")
    assert first["binding"] == ["compute", "tokens / params >= 20"]
    assert first["cost"] == {"value": 10.8e6, "unit": "USD"}
    assert first["idle_share"] == {"value": 0.0, "unit": "1"}
    assert first["loss"]["low"] < first["loss"]["value"] < first["loss"]["high"]
    assert "loss" not in second
    assert [source["source"] for source in first["mix"]] == ["web", "code", "math"]
    assert math.isclose(sum(s["tokens"]["value"] for s in first["mix"]), first["tokens"]["value"], rel_tol=1e-9)
    assert [phase["name"] for phase in first["phases"]] == ["warmup", "stable", "decay"]
    assert sum(phase["share"]["value"] for phase in first["phases"]) == pytest.approx(1)
    assert "conflict" not in first and "transfer" not in first


def test_json_of_a_contradiction() -> None:
    document: Any = document_of(solved(PLANS["contradiction"]))
    (solution,) = document["solutions"]
    assert solution["status"] == "infeasible"
    rooms = {room["to"]["unit"]: room for room in solution["conflict"]}
    assert rooms["GPU"] == {
        "text": "gpus: 64",
        "line": 1,
        "change": "gpus >= 790",
        "write": "790 x H100",
        "to": {"value": 790.0, "unit": "GPU"},
    }
    assert rooms["second"]["to"]["value"] == pytest.approx(246.8 * 86400)  # as the change says
    assert "idle_share" not in solution, "less than nothing is left idle"


def test_json_of_what_is_undecided() -> None:
    document: Any = document_of(solved(PLANS["requirement"]))
    second = document["solutions"][1]
    assert second["status"] == "undecided"
    assert {"params", "tokens", "loss"}.isdisjoint(second)


def test_json_of_a_date_and_of_a_text_that_is_no_plan() -> None:
    document: Any = document_of(solved(PLANS["energy"]))
    assert document["solutions"][0]["finish"] == {"value": "2027-01-30", "unit": "date"}
    document = document_of(solved(PLANS["wrong"]))
    assert document["plan"] == {"file": "small.plan"} and document["solutions"] == []
    assert document["findings"][0]["code"] == "N002"


@pytest.mark.parametrize(
    ("value", "dim", "shown"),
    [
        (1e-13, (), {"value": 0.0, "unit": "1"}),
        (-2e-15, (), {"value": 0.0, "unit": "1"}),
        (3600.0, unit("GPU*second").dim, {"value": 1.0, "unit": "GPU*hour"}),
        (299999999999.99976, unit("token").dim, {"value": 3e11, "unit": "token"}),
        (2.5 / 3600, unit("USD/GPU/second").dim, {"value": 2.5, "unit": "USD/GPU/hour"}),
        (2e-10, unit("FLOP").dim, {"value": 2e-10, "unit": "FLOP"}),
        (1796083200.0, unit("date").dim, {"value": "2026-12-01", "unit": "date"}),
    ],
)
def test_an_amount_in_json(value: float, dim: Any, shown: dict[str, object]) -> None:
    assert amount(value, dim) == shown
