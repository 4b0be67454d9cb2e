"""Definitions of packs to plain data, which `marshal` holds, and back.

A record becomes a list, the number of its class before its fields; a stretch of the text its two offsets; a set its
words in order. What has a list in it is a list itself, so that nothing else needs to be looked into: a tuple of words
or of figures is stored as it is.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from itertools import chain

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Text, Unbound
from runplan.dsl.packs.pack import (
    BatchStep,
    Cite,
    Constant,
    Drifts,
    Entry,
    Function,
    Golden,
    Joint,
    Law,
    Parameter,
    PhaseShape,
    Reads,
    Record,
    Rule,
    ScheduleShape,
    Table,
)
from runplan.dsl.packs.quantity import Counted, QuantityDef, QuantityFacts
from runplan.dsl.syntax.tree import Node, Word
from runplan.dsl.text.later import Later
from runplan.dsl.text.source import Source, Span
from runplan.dsl.typed.fields import Field

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from typing import Any

# A class is stored as its place here: what is stored is of one version of this list.
CLASSES: tuple[Any, ...] = (
    *(Span, Num, Unbound, Ref, Text, Op, Word, Node, Field, Cite, Constant, Counted, Parameter, Function, Table, Joint),
    *(Golden, Law, Entry, Record, Rule, PhaseShape, BatchStep, ScheduleShape, QuantityFacts, QuantityDef),
    *(Reads, Drifts),
)
# Of each class its place, and the names of what it is made from; what begins with `_` is worked out again.
_FORMS = {
    cls: (number, tuple(name for name in getattr(cls, "__match_args__", ()) if not name.startswith("_")))
    for number, cls in enumerate(CLASSES)
}
_SPAN = CLASSES.index(Span)
# In place of the number of a class.
_SET, _TUPLE, _DICT = -1, -2, -3


def stored(item: object) -> Any:
    """A definition, or a part of one, as plain data.

    Raises:
        ValueError: For what is of no class that a definition is made of.
    """
    if item is None or isinstance(item, str | int | float):
        return item
    if isinstance(item, Later):
        item = item.items
    if isinstance(item, tuple):
        parts = tuple(map(stored, item))
        return [_TUPLE, *parts] if list in map(type, parts) else parts
    if isinstance(item, frozenset):
        return [_SET, *sorted(item)]
    if isinstance(item, dict):
        return [_DICT, *map(stored, chain.from_iterable(item.items()))]
    if isinstance(item, Span):
        return [_SPAN, item.start, item.end]
    if type(item) not in _FORMS:
        raise ValueError(f"a {type(item).__name__} is no part of a definition")
    number, names = _FORMS[type(item)]
    return [number, *(stored(getattr(item, name)) for name in names)]


def restored(data: Any, source: Source, classes: tuple[Any, ...] = CLASSES) -> Any:
    """What was stored, of a source.

    Args:
        classes: What makes each part, by the place of its class in `CLASSES`.
    """
    span = _SPAN  # looked up once: this is run for each part of each definition

    def made(item: list[Any]) -> Any:
        number, parts = item[0], []
        for part in item[1:]:
            if type(part) is list:
                part = Span(source, part[1], part[2]) if part[0] == span else made(part)
            parts.append(part)
        if number >= 0:
            return classes[number](*parts)
        if number == _TUPLE:
            return tuple(parts)
        return frozenset(parts) if number == _SET else dict(zip(parts[::2], parts[1::2], strict=True))

    return made([_TUPLE, data])[0]


def stored_quantities(items: Iterable[QuantityDef]) -> Any:
    """Quantities as plain data: what several have in common once, and each formula by itself."""
    common: dict[bytes, tuple[int, Any]] = {}

    def place(item: object) -> int:
        data = stored(item)
        return common.setdefault(marshal.dumps(data), (len(common), data))[0]

    rows = [
        (
            *(one.name, place(one.counted), marshal.dumps(stored(one.by)) if one.by else b"", one.title),
            *(one.span.start, one.span.end, place(one.facts), place(one.mentions)),
        )
        for one in items
    ]
    return [data for _, data in common.values()], rows


def quantities(data: Any, source: Source) -> Iterator[QuantityDef]:
    """The quantities that were stored, of a source; the formula of each waits until it is read."""
    shared, rows = data
    common = [restored(one, source) for one in shared]
    for name, counted, by, title, start, end, facts, mentions in rows:
        formula, span = StoredFormula(by, source) if by else (), Span(source, start, end)
        yield QuantityDef(name, common[counted], formula, title, span, common[facts], common[mentions])


class StoredFormula(Later[Expr]):
    """A formula of the library, which is made where it is read: most are of no use to most plans."""

    __slots__ = ("_data", "_source")

    def __init__(self, data: bytes, source: Source) -> None:
        super().__init__(self._restored)
        self._data, self._source = data, source

    def over_quantities(self) -> Expr:
        """It with each of its words as the quantity of the run that it names: as `bound` has it, made at once."""
        (made,) = self._restored(_OVER_QUANTITIES)
        return made

    def _restored(self, classes: tuple[Any, ...] = CLASSES) -> tuple[Expr, ...]:
        made: tuple[Expr, ...] = restored(marshal.loads(self._data), self._source, classes)
        return made


def _quantity(word: str, span: Span | None) -> Ref:
    return Ref(quantity(word), span)


_OVER_QUANTITIES = tuple(_quantity if cls is Unbound else cls for cls in CLASSES)
