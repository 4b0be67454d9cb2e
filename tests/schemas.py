"""The schemas of documents as tests use them: closed, so that a key that none tells of is found."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft7Validator
from known import LIBRARY

from runplan.cli.schemas.named import schema

# Keywords under which names stand, and those whose schemas see only a part of an object.
_NAMES, _PARTIAL = ("properties", "definitions"), ("if", "then", "else", "anyOf")


def closed(of: Any, *, partial: bool = False) -> Any:
    """A schema that takes no keys beyond those that it tells of; readers are told that there may be more."""
    if isinstance(of, list):
        return [closed(item, partial=partial) for item in of]
    if not isinstance(of, dict):
        return of
    whole = "properties" in of and not partial
    found: dict[str, Any] = {}
    for key, value in of.items():
        if key in _NAMES:
            found[key] = {name: closed(item) for name, item in value.items()}
        else:
            found[key] = closed(value, partial=key in _PARTIAL and (whole or key != "anyOf"))
    return {"additionalProperties": False, **found} if whole else found


@cache
def validator(name: str) -> Draft7Validator:
    whole = schema(name, LIBRARY.vocabulary())
    Draft7Validator.check_schema(whole)
    return Draft7Validator(closed(whole))


def wrong(document: Any, name: str = "") -> list[str]:
    """What is wrong with a document, by the schema of a name, or by the one that it says it has."""
    name = name or document["schema"].removeprefix("plan.").rpartition("/")[0]
    found = validator(name).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]
