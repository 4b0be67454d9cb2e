"""Settings that refer to each other, as `${max_seq_len}` does in YAML for OmegaConf, to those with what they stand for.

What refers to no setting of the file, such as an environment's variable, stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runplan.cli.importing.keys import Tree

_REFERENCE = re.compile(r"\$\{\s*([\w.-]+)\s*\}")
_DEPTH = 8  # a setting that refers to itself ends there


def resolved(tree: Tree) -> Tree:
    """The settings with each reference replaced: a whole text by what it names, of any type, and a part of one as text.

    A name is looked for from the top, with dots for sections.
    """
    found = _within(tree, tree, _DEPTH)
    assert isinstance(found, dict)
    return found


def _within(value: object, root: Tree, depth: int) -> object:
    if isinstance(value, Mapping):
        return {name: _within(item, root, depth) for name, item in value.items()}
    if isinstance(value, list):
        return [_within(item, root, depth) for item in value]
    if not isinstance(value, str) or "${" not in value or not depth:
        return value
    if whole := _REFERENCE.fullmatch(value.strip()):
        return _within(_named(whole[1], root, value), root, depth - 1)
    return _REFERENCE.sub(lambda one: _told(one, root, depth), value)


def _told(found: re.Match[str], root: Tree, depth: int) -> str:
    named = _within(_named(found[1], root, None), root, depth - 1)
    return str(named) if isinstance(named, str | int | float) else found[0]


def _named(path: str, root: Tree, otherwise: object) -> object:
    """The setting of a name, which may be null; another value where there is none."""
    value: object = root
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return otherwise
        value = value[name]
    return value
