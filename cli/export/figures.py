"""Figures and documents to text, exactly: whole numbers without a point, floats as every reader of YAML takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

# What YAML or a person would read as something else than a text.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def number(value: float | int) -> str:
    """A figure: `128`, `0.1`, `3.0e-04`, which YAML 1.1 reads as a float, as it does not `3e-4`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = repr(value)
    if "e" not in text:
        return text
    digits, _, power = text.partition("e")
    return f"{digits if '.' in digits else f'{digits}.0'}e{int(power):+03d}"


def in_json(document: object) -> str:
    """A document as JSON, with a line end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def bundled(files: Mapping[str, str]) -> str:
    """Several files of JSON as one document, each under its name."""
    return in_json({name: json.loads(text) for name, text in files.items()})


def in_yaml(document: object, indent: int = 0) -> str:
    """A document of mappings, lists, texts and figures as YAML in block style."""
    pad = "  " * indent
    if isinstance(document, Mapping) and document:
        return "".join(f"{pad}{_text(str(key))}:{_below(value, indent)}" for key, value in document.items())
    if isinstance(document, Sequence) and not isinstance(document, str) and document:
        return "".join(f"{pad}-{_item(value, indent)}" for value in document)
    return f"{pad}{_scalar(document)}\n"


def _below(value: object, indent: int) -> str:
    if isinstance(value, str) and "\n" in value:
        lines = "".join(f"{'  ' * (indent + 1)}{line}\n" if line else "\n" for line in value.splitlines())
        return f" |\n{lines}"
    if isinstance(value, (Mapping, list, tuple)) and value:
        return "\n" + in_yaml(value, indent + 1)
    return f" {_scalar(value)}\n"


def _item(value: object, indent: int) -> str:
    if isinstance(value, (Mapping, list, tuple)) and value:
        return " " + in_yaml(value, indent + 1).lstrip(" ")
    return _below(value, indent)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return number(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return _text(str(value))


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
