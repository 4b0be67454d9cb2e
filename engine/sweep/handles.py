"""Figures of a plan that are varied to names in its problem: what formulates it sees each as a number of its own.

A handle stands in a plan in the place of such a figure. Whatever is done with it but to pass it on is seen: what it is
compared with is a guard, and the problem holds where each guard comes out as it did; anything else raises `Opaque`, and
the figure is left as it is. So a problem with handles is that of every point at which its guards hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Ref
from runplan.dsl.packs.pack import Law
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.text.source import Span
from runplan.dsl.types import Any


class Opaque(BaseException):
    """A figure was worked with, and not only passed on; no `except` for what a figure may do wrong catches it."""

    def __init__(self, axis: int) -> None:
        self.axis = axis


@dataclass(frozen=True, slots=True)
class Guard:
    """What a figure was compared with, and how that came out."""

    name: Name
    holds: Callable[[float], bool]
    outcome: bool


class Handle:
    """A figure that is varied, in the place of a number."""

    __slots__ = ("axis", "guards", "name", "value")

    def __init__(self, axis: int, name: Name, value: float, guards: list[Guard]) -> None:
        self.axis, self.name, self.value, self.guards = axis, name, value, guards

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)  # a text tells of the figure; no figure is read from a text


def _comparison(op: str) -> Callable[[Handle, Any], bool]:
    def compared(self: Handle, other: Any) -> bool:
        if isinstance(other, Handle):
            if other.name is self.name:
                return op in ("__eq__", "__le__", "__ge__")
            raise Opaque(self.axis)
        if not isinstance(other, int | float):
            return op == "__ne__"

        def holds(value: float) -> bool:
            return bool(getattr(value, op)(float(other)))

        outcome = holds(self.value)
        self.guards.append(Guard(self.name, holds, outcome))
        return outcome

    return compared


def _opaque(self: Handle, *others: Any) -> Any:
    raise Opaque(self.axis)


for _op in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Handle, f"__{_op}__", _comparison(f"__{_op}__"))
for _op in (
    *("add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow divmod rdivmod".split()),
    *("neg pos abs float int bool round trunc floor ceil index complex".split()),
):
    setattr(Handle, f"__{_op}__", _opaque)

Path = tuple[str | int, ...]


class Unlike(BaseException):
    """Two values differ by more than by their figures: a way out of comparing them, and none of the errors."""


def differences(first: Any, other: Any, path: Path = ()) -> dict[Path, float]:
    """The figures by which two values of one make differ: those of the other, by their paths.

    Raises:
        Unlike: Where they differ by more.
    """
    if first is other:
        return {}
    if isinstance(first, float | int) and isinstance(other, float | int) and not isinstance(first, bool):
        return {} if first == other else {path: float(other)}
    if type(first) is not type(other):
        raise Unlike
    found: dict[Path, float] = {}
    if hasattr(first, "__fields__"):
        for name, one in first.__fields__.items():
            if one.compare:
                found |= differences(getattr(first, name), getattr(other, name), (*path, name))
    elif isinstance(first, Mapping):
        if list(first) != list(other):
            raise Unlike
        for key in first:
            found |= differences(first[key], other[key], (*path, key))
    elif isinstance(first, tuple | list):
        if len(first) != len(other):
            raise Unlike
        for at, (one, two) in enumerate(zip(first, other, strict=True)):
            found |= differences(one, two, (*path, at))
    elif first != other:
        raise Unlike
    return found


def placed(value: Any, handles: Mapping[Path, Handle], path: Path = ()) -> Any:
    """The value with handles at some paths."""
    if path in handles:
        return handles[path]
    if not any(one[: len(path)] == path for one in handles):
        return value
    if hasattr(value, "__fields__"):
        heads = {str(one[len(path)]) for one in handles if one[: len(path)] == path}
        return replace(value, **{name: placed(getattr(value, name), handles, (*path, name)) for name in heads})
    if isinstance(value, Mapping):
        return {key: placed(one, handles, (*path, key)) for key, one in value.items()}
    return tuple(placed(one, handles, (*path, at)) for at, one in enumerate(value))


def named(value: Any, memo: dict[int, Any]) -> Any:
    """The value with a name in the place of each number that is a handle; what has none stays itself."""
    key = id(value)
    if key not in memo:
        memo[key] = (value, _named(value, memo))  # with the value, so that no other takes its place in memory
    return memo[key][1]


def _named(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, Num):
        return Ref(value.value.name) if isinstance(value.value, Handle) else value
    if isinstance(value, Law | Quantities | Span):
        return value  # of packs and texts, in which no figure of a plan stands
    if hasattr(value, "__fields__"):
        changed = {}
        for name, one in value.__fields__.items():
            if one.init:
                old = getattr(value, name)
                new = named(old, memo)
                if new is not old:
                    changed[name] = new
        return replace(value, **changed) if changed else value
    if isinstance(value, Mapping):
        made = {key: named(one, memo) for key, one in value.items()}
        return made if any(made[key] is not value[key] for key in value) else value
    if isinstance(value, tuple | list):
        parts = tuple(named(one, memo) for one in value)
        return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    return value
