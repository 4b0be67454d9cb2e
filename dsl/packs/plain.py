"""Definitions of packs to plain data, which `marshal` holds, and back.

A record becomes a list: the number of its class, in which places of it there are stretches of the text, in which there
are records, and its fields. So none of the others needs to be looked at. A stretch becomes its two offsets, an
operator with all that is in it a row of its parts, each behind its operands. What has none of these in it is stored as
it is.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from runplan.dsl.types import Any

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
_UNBOUND = CLASSES.index(Unbound)
# The version of `marshal` in which what is the same is written the same: later ones tell who else holds an object.
_ALIKE = 2
# In place of the number of a class.
_TUPLE, _DICT, _OPERATOR, _LATER = -1, -2, -3, -4
# In place of how many operands a part of an operator has.
_WORD, _NUMBER, _TEXT = -1, -2, -3
# What few who ask for a definition read: it is made where somebody does.
_LATE = {(Record, "entries"), (Rule, "breaks"), (Rule, "keeps"), (Law, "goldens")}


def stored(item: object) -> Any:
    """A definition, or a part of one, as plain data.

    Raises:
        ValueError: For what is of no class that a definition is made of.
    """
    if item is None or isinstance(item, str | int | float):
        return item
    if isinstance(item, Later):
        item = item.items
    if isinstance(item, Span):
        return _Offsets((item.start, item.end))
    if isinstance(item, frozenset):
        return item
    if isinstance(item, tuple):
        parts = tuple(map(stored, item))
        return parts if all(map(_is_plain, parts)) else _row(_TUPLE, parts)
    if isinstance(item, dict):
        parts = tuple(map(stored, chain.from_iterable(item.items())))
        return dict(item) if all(map(_is_plain, parts)) else _row(_DICT, parts)
    if isinstance(item, Op):
        return _row(_OPERATOR, (tuple(_parts(item)),))
    if type(item) not in _FORMS:
        raise ValueError(f"a {type(item).__name__} is no part of a definition")
    number, names = _FORMS[type(item)]
    return _row(number, [_field(item, name) for name in names])


class _Offsets(tuple[int, int]):
    """Where a stretch begins and ends, told from other tuples until it is written."""


def _is_plain(data: object) -> bool:
    return not isinstance(data, list | _Offsets)


def _row(number: int, parts: Sequence[Any]) -> list[Any]:
    """The list that stands for a record."""
    spans = tuple(at for at, part in enumerate(parts) if isinstance(part, _Offsets))
    inner = tuple(at for at, part in enumerate(parts) if isinstance(part, list))
    return [number, spans, inner, *(tuple(part) if isinstance(part, _Offsets) else part for part in parts)]


def _field(item: object, name: str) -> Any:
    data = stored(getattr(item, name))
    is_late = (type(item), name) in _LATE and not _is_plain(data)
    return _row(_LATER, (marshal.dumps(data, _ALIKE),)) if is_late else data


def _parts(expr: Expr) -> Iterator[tuple[Any, int, int, int]]:
    """The parts of an expression, each behind its operands: what it is, how many of these, and where it stands."""
    start, end = (expr.span.start, expr.span.end) if expr.span is not None else (-1, -1)
    if isinstance(expr, Op):
        for arg in expr.args:
            yield from _parts(arg)
        yield expr.op, len(expr.args), start, end
    elif isinstance(expr, Num):
        yield (expr.value, expr.dim, expr.text, expr.binary), _NUMBER, start, end
    elif isinstance(expr, Unbound):
        yield expr.name, _WORD, start, end
    elif isinstance(expr, Text):
        yield expr.value, _TEXT, start, end
    else:
        raise ValueError(f"a {type(expr).__name__} is no part of a definition")


def restored(data: Any, source: Source, classes: tuple[Any, ...] = CLASSES) -> Any:
    """What was stored, of a source.

    Args:
        classes: What makes each part, by the place of its class in `CLASSES`.
    """

    def made(item: list[Any]) -> Any:
        number, spans, inner, *parts = item
        for at in spans:
            start, end = parts[at]
            parts[at] = Span(source, start, end)
        for at in inner:
            parts[at] = made(parts[at])
        if number >= 0:
            return classes[number](*parts)
        if number == _OPERATOR:
            return _operator(parts[0], source, classes[_UNBOUND])
        if number == _TUPLE:
            return tuple(parts)
        return StoredParts(parts[0], source) if number == _LATER else dict(zip(parts[::2], parts[1::2], strict=True))

    return made(data) if isinstance(data, list) else data


def _operator(
    parts: Iterable[tuple[Any, int, int, int]], source: Source, word: Callable[[str, Span | None], Expr]
) -> Expr:
    """An operator with all that is in it, of its parts."""
    made: list[Expr] = []
    for what, operands, start, end in parts:
        span = Span(source, start, end) if start >= 0 else None
        if operands > 0:
            args = tuple(made[-operands:])
            del made[-operands:]
            made.append(Op(what, args, span))
        elif operands == _WORD:
            made.append(word(what, span))
        elif operands == _TEXT:
            made.append(Text(what, span))
        else:
            value, dim, text, binary = what
            made.append(Num(value, dim, text, binary, span))
    return made[0]


def stored_quantities(items: Iterable[QuantityDef]) -> Any:
    """Quantities as plain data: what several have in common once, and each formula by itself."""
    common: dict[bytes, tuple[int, Any]] = {}

    def place(item: object) -> int:
        data = stored(item)
        return common.setdefault(marshal.dumps(data, _ALIKE), (len(common), data))[0]

    rows = [
        (
            *(one.name, place(one.counted), marshal.dumps(stored(one.by)) if one.by else b"", one.title),
            *(one.span.start, one.span.end, place(one.facts), place(one.mentions)),
        )
        for one in items
    ]
    every = tuple(data for _, data in common.values())
    return (every if all(map(_is_plain, every)) else _row(_TUPLE, every)), rows


def quantities(data: Any, source: Source) -> Iterator[QuantityDef]:
    """The quantities that were stored, of a source; the formula of each waits until it is read."""
    shared, rows = data
    common = restored(shared, source)
    for name, counted, by, title, start, end, facts, mentions in rows:
        formula, span = StoredFormula(by, source) if by else (), Span(source, start, end)
        yield QuantityDef(name, common[counted], formula, title, span, common[facts], common[mentions])


class StoredParts(Later[Any]):
    """Parts of a definition of the library, which are made where they are read."""

    __slots__ = ("_data", "_source")

    def __init__(self, data: bytes, source: Source) -> None:
        super().__init__(self._restored)
        self._data, self._source = data, source

    def _restored(self, classes: tuple[Any, ...] = CLASSES) -> tuple[Any, ...]:
        made: tuple[Any, ...] = restored(marshal.loads(self._data), self._source, classes)
        return made


class StoredFormula(StoredParts):
    """A formula of the library: most are of no use to most plans."""

    __slots__ = ()

    def over_quantities(self) -> Expr:
        """It with each of its words as the quantity of the run that it names: as `bound` has it, made at once."""
        made: tuple[Expr] = self._restored(_OVER_QUANTITIES)
        return made[0]


def _quantity(word: str, span: Span | None) -> Ref:
    return Ref(quantity(word), span)


_OVER_QUANTITIES = tuple(_quantity if cls is Unbound else cls for cls in CLASSES)
