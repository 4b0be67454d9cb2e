"""The text of a configuration to its settings: JSON, TOML, YAML, or the arguments of a command line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence

from runplan.cli.importing.keys import Tree, Unreadable
from runplan.cli.importing.references import resolved
from runplan.cli.importing.shell import OPTION, arguments_of, typed
from runplan.dsl.syntax.yaml_scalars import Scalar
from runplan.dsl.syntax.yaml_values import Mapping, Value, composed
from runplan.dsl.text.source import YAML, Source


def tree_of(path: str, text: str, config: str = "") -> Tree:
    """The settings of a file, by its ending where that says it, else by its content.

    Args:
        config: Of a module of Python the function that is meant.

    Raises:
        Unreadable: Where it is in no form that is known, or breaks off.
    """
    if path.endswith(".json"):
        return _json(path, text)
    if path.endswith(".py"):
        from runplan.cli.importing.torchtitan_module import module

        return module(path, text, config)
    if path.endswith(".toml"):
        return _toml(path, text)
    if path.endswith(YAML):
        return _yaml(path, text)
    if text.lstrip()[:1] == "{":
        return _json(path, text)
    if OPTION.search(text):
        return arguments_of(text)
    return _toml(path, text) if re.search(r"^\[[\w.]+\]", text, re.MULTILINE) else _yaml(path, text)


def _json(path: str, text: str) -> Tree:
    def once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        if len(found := dict(pairs)) < len(pairs):
            twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
            raise Unreadable(f"{path}: `{twice}` is given twice")
        return found

    def refuse(constant: str) -> object:
        raise Unreadable(f"{path}: {constant} is no figure")

    try:
        found = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: no JSON: {str(error)[:80]}") from None
    return _mapping(path, found)


def _toml(path: str, text: str) -> Tree:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: no TOML: {str(error)[:80]}") from None


def _yaml(path: str, text: str) -> Tree:
    root, findings = composed(Source(path, text))
    wrong = next((finding for finding in findings if finding.severity == "error"), None)
    if wrong is not None or root is None:
        line = f"{path}:{wrong.at.span.line}: {wrong.message}" if wrong else f"{path}: it is empty"
        raise Unreadable(line)
    return resolved(_mapping(path, _plain(root)))


def _plain(value: Value) -> object:
    if isinstance(value, Mapping):
        return {key.text: _plain(item) for key, item in value.items}
    if isinstance(value, Scalar):
        return value.text if value.style in ("'", '"') else typed(value.text)
    return [_plain(item) for item in value.items]


def _mapping(path: str, found: object) -> Tree:
    if not isinstance(found, dict):
        raise Unreadable(f"{path}: settings are a mapping, and this is none")
    return found
