"""The one expression type of plans, rules and laws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import is_

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name
from runplan.dsl.text.source import Span
from runplan.dsl.types import Any, TypeVar
from runplan.dsl.units.dims import NONE, Dim

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Num:
    """A number with its dimension, in base units.

    Attributes:
        text: As it was written; empty for a number that the engine made.
        binary: Whether it was written with a binary suffix, such as `85Mi`.
    """

    value: float
    dim: Dim = NONE
    text: str = field(default="", compare=False)
    binary: bool = field(default=False, compare=False)
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unbound:
    """A word as a plan or a pack writes it, before it is known what it means: a quantity, a `let`, a law's letter."""

    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Ref:
    """A quantity, a `let` or a law's constant."""

    name: Name
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text, only ever compared with another."""

    value: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Op:
    """An operator or function over expressions.

    Attributes:
        op: One of `+ - * / ^ neg < <= > >= == != and or not if` or a function of `FUNCTIONS`.
    """

    op: str
    args: tuple[Expr, ...]
    span: Span | None = field(default=None, compare=False)
    # The names in it, once they have been asked for: they are asked for often, of formulas that never change.
    _names: frozenset[Name] | None = field(default=None, compare=False, repr=False)
    # What `kept` has of it.
    _kept: Any = field(default=None, compare=False, repr=False)


Expr = Num | Unbound | Ref | Text | Op
NO_NAMES: frozenset[Name] = frozenset()
COMPARISONS = ("<=", ">=", "<", ">", "==", "!=")
# Functions by their arity. `P` is probability and `assumed` asks where a value comes from: neither is evaluated here.
FUNCTIONS = {"exp": 1, "ln": 1, "log10": 1, "sqrt": 1, "abs": 1, "ceil": 1, "min": 2, "max": 2, "P": 1, "assumed": 1}


# ---- walking


def joined(op: str, parts: Iterable[Expr | Name]) -> Expr:
    """One expression of several, or names of them, by a binary operator that may be grouped anyhow; at least one.

    It is as deep as the logarithm of how many there are.
    """
    exprs = [Ref(part) if isinstance(part, Name) else part for part in parts]
    while len(exprs) > 1:
        pairs = zip(exprs[::2], exprs[1::2], strict=False)
        exprs = [*(Op(op, pair) for pair in pairs), *(exprs[-1:] if len(exprs) % 2 else ())]
    return exprs[0]


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything in it, outermost first."""
    stack: list[Expr] = [expr]
    while stack:
        item = stack.pop()
        yield item
        if isinstance(item, Op):
            stack.extend(reversed(item.args))


def names(expr: Expr) -> frozenset[Name]:
    """The names that the expression mentions."""
    if isinstance(expr, Op):
        if expr._names is None:
            found = NO_NAMES.union(*map(names, expr.args))
            object.__setattr__(expr, "_names", found)
            return found
        return expr._names
    return frozenset((expr.name,)) if isinstance(expr, Ref) else NO_NAMES


def kept(expr: Op, work: Callable[[Op], T]) -> T:
    """What a function makes of an operator, worked out once for each: problems that differ in a figure or two have most
    of their formulas in common. It is kept for one function, whichever asks first.
    """
    if expr._kept is None:
        object.__setattr__(expr, "_kept", (work(expr),))
    found: T = expr._kept[0]
    return found


def words(expr: Expr) -> frozenset[str]:
    """The words in the expression of which it is not known yet what they mean."""
    return frozenset(item.name for item in walk(expr) if isinstance(item, Unbound))


def substitute(expr: Expr, by: Mapping[Name, Expr] | Mapping[str, Expr]) -> Expr:
    """The expression with names, or with words, replaced by expressions."""
    if isinstance(expr, (Ref, Unbound)):
        return by.get(expr.name, expr)  # type: ignore[arg-type]
    if isinstance(expr, Op):
        args = [substitute(arg, by) for arg in expr.args]
        same = all(map(is_, args, expr.args))
        return expr if same else Op(expr.op, tuple(args), expr.span)
    return expr


def bound(expr: Expr, name: Callable[[str], Name | None]) -> Expr:
    """The expression with each word in it as the name that it means; a word that means nothing stays."""
    if isinstance(expr, Unbound):
        found = name(expr.name)
        return expr if found is None else Ref(found, expr.span)
    if isinstance(expr, Op):
        return Op(expr.op, tuple(bound(arg, name) for arg in expr.args), expr.span)
    return expr


def comparisons(expr: Expr) -> Iterator[Op]:
    """The comparisons that must all hold for a condition to hold; the whole condition where it is not a conjunction."""
    if isinstance(expr, Op) and expr.op == "and":
        for arg in expr.args:
            yield from comparisons(arg)
    elif isinstance(expr, Op):
        yield expr
