"""Settings that refer to each other, as `${max_seq_len}` does in YAML for OmegaConf, to those with what they stand for.

What refers to no setting of the file, such as an environment's variable, stays as it is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from runplan.cli.importing.keys import Tree

_REFERENCE = re.compile(r"\$\{\s*([\w.-]+)\s*\}")
# What NeMo's launcher works out of two settings: `${multiply:4, ${.hidden_size}}`.
_WORKED_OUT = re.compile(r"\$\{\s*(multiply|divide_floor|divide_ceil)\s*:\s*([\d.]+)\s*,\s*([\d.]+)\s*\}")
_OF_TWO: Mapping[str, Callable[[float, float], float]] = {
    "multiply": lambda x, y: x * y,
    "divide_floor": lambda x, y: x // y,
    "divide_ceil": lambda x, y: math.ceil(x / y),
}
_DEPTH = 8  # a setting that refers to itself ends there
# The sections that a setting stands in, from the top.
_Chain = tuple[Mapping[str, object], ...]


def resolved(tree: Tree) -> Tree:
    """The settings with each reference replaced: a whole text by what it names, of any type, and a part of one as text.

    A name is looked for from the top, with dots for sections, and one with a dot before it from its own section.
    """
    found = _within(tree, (tree,), _DEPTH)
    assert isinstance(found, dict)
    return found


def _within(value: object, chain: _Chain, depth: int) -> object:
    if isinstance(value, Mapping):
        inner = chain if value is chain[-1] else (*chain, value)
        return {name: _within(item, inner, depth) for name, item in value.items()}
    if isinstance(value, list):
        return [_within(item, chain, depth) for item in value]
    if not isinstance(value, str) or "${" not in value or not depth:
        return value
    if whole := _REFERENCE.fullmatch(value.strip()):
        return _within(*_named(whole[1], chain, value), depth - 1)
    return _worked_out(_REFERENCE.sub(lambda one: _told(one, chain, depth), value))


def _worked_out(text: str) -> object:
    """What a text comes to that is worked out of two numbers; the text where it is not."""
    found = _WORKED_OUT.fullmatch(text.strip())
    if found is None:
        return text
    try:
        number = _OF_TWO[found[1]](float(found[2]), float(found[3]))
    except (ValueError, ArithmeticError):
        return text
    return int(number) if float(number).is_integer() else number


def _told(found: re.Match[str], chain: _Chain, depth: int) -> str:
    named = _within(*_named(found[1], chain, None), depth - 1)
    return str(named) if isinstance(named, str | int | float) else found[0]


def _named(path: str, chain: _Chain, otherwise: object) -> tuple[object, _Chain]:
    """The setting of a name, which may be null, and where it stands; another value where there is none."""
    name = path.lstrip(".")
    above = len(path) - len(name)  # one dot is the section that the reference stands in, two that above it
    if above > len(chain):
        return otherwise, chain
    start = chain[: len(chain) - above + 1] if above else chain[:1]
    value: object = start[-1]
    inner = start
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return otherwise, chain
        inner = inner if value is inner[-1] else (*inner, value)
        value = value[part]
    return value, inner
