"""The table of statements and the fields of the library to the JSON Schema of a plan in YAML, for editors.

It says which keys there are and what shape stands at each. What a text says is not told: the language has a grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.cli.schemas.parts import DRAFT, Schema
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.hardware import NAMED
from runplan.dsl.syntax.statements import OF_PLANS, Statement
from runplan.dsl.typed.fields import Field

PAGE = "https://github.com/runplan/runplan/blob/main/docs/language.md"
# A scalar is raw text to us, whatever YAML makes of it: `7B`, `0.4`, `no`.
TEXT: Schema = {"type": ["string", "number", "boolean"]}
_TEXT: Schema = {"$ref": "#/definitions/text"}


def plan_schema(vocabulary: Vocabulary) -> Schema:
    """The schema of a `.plan.yaml` file, in the draft that editors know best."""
    stage = {row.key: {"$ref": f"#/properties/{row.key}"} for row in OF_PLANS if row.key and row.in_stage}
    return {
        "$schema": DRAFT,
        "$id": "plan/v1",
        "title": "A plan of a training run",
        "markdownDescription": f"[The language]({PAGE})",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {row.key: _statement(row, vocabulary) for row in OF_PLANS if row.key},
        "definitions": {
            "text": TEXT,
            "stage": {"type": "object", "additionalProperties": False, "properties": stage},
        },
    }


def _statement(row: Statement, vocabulary: Vocabulary) -> Schema:
    told = f"The statement `{row.keyword}`"
    return {
        **SHAPES[row.shape](row, vocabulary),
        "description": told,
        "markdownDescription": f"{told}: [the language]({PAGE}#statements)",
    }


# ---- shapes of values, by the names that the table of statements has for them


def _text(row: Statement, vocabulary: Vocabulary) -> Schema:
    return dict(TEXT)


def _texts(row: Statement, vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}


def _named(row: Statement, vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [_TEXT, _names(_TEXT)]}


def _lets(row: Statement, vocabulary: Vocabulary) -> Schema:
    return _names(_TEXT)


def _laws(row: Statement, vocabulary: Vocabulary) -> Schema:
    known: Schema = {"anyOf": [{"enum": sorted(vocabulary.laws)}, _TEXT]}
    return {"anyOf": [known, {"type": "array", "items": known, "minItems": 1}]}


def _objective(row: Statement, vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}, _names(_TEXT)]}


def _hardware(row: Statement, vocabulary: Vocabulary) -> Schema:
    pool = {"anyOf": [_TEXT, _block(vocabulary.fields[row.key], NAMED)]}
    return {"anyOf": [*pool["anyOf"], {"type": "array", "items": pool, "minItems": 1}]}


def _model(row: Statement, vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [_TEXT, _block(vocabulary.fields[row.key], ("name",))]}


def _optimizer(row: Statement, vocabulary: Vocabulary) -> Schema:
    return {"anyOf": [_TEXT, {**_block(vocabulary.fields[row.key], ("name",)), "required": ["name"]}]}


def _stages(row: Statement, vocabulary: Vocabulary) -> Schema:
    return _names({"$ref": "#/definitions/stage"})


SHAPES: dict[str, Callable[[Statement, Vocabulary], Schema]] = {
    "text": _text,
    "title": _text,
    "texts": _texts,
    "named": _named,
    "laws": _laws,
    "lets": _lets,
    "objective": _objective,
    "hardware": _hardware,
    "model": _model,
    "optimizer": _optimizer,
    "stages": _stages,
}


def _names(of: Schema) -> Schema:
    return {"type": "object", "minProperties": 1, "additionalProperties": of}


def _block(fields: Mapping[str, Field], named: tuple[str, ...]) -> Schema:
    """A mapping of the fields of a statement that are figures, and of those that are names."""
    figures = {name: {**TEXT, "examples": [field.example]} for name, field in fields.items()}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**dict.fromkeys(named, _TEXT), **figures},
    }
