"""An expression to its dimension, and to those of constants that were given without a unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.evenly import EVENLY
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Ref, Text, Unbound, walk
from runplan.dsl.expr.values import compiled
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.types import Any
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import is_number
from runplan.dsl.units.show import said_dim


def is_bare(expr: Expr, lets: Collection[str] = ()) -> bool:
    """Whether an expression is of numbers without any unit; a per cent is one, though it has no dimension.

    Args:
        lets: The names that stand for such an expression themselves.
    """
    return all(
        is_number(item.text or "1") if isinstance(item, Num) else item.name in lets
        for item in walk(expr)
        if isinstance(item, (Num, Unbound))
    )


class DimensionClash(RunplanError, ValueError):
    """Raised where two dimensions do not go together.

    Attributes:
        message: A sentence that names both.
        at: The expression to blame; None where it was made by the engine.
        left, right: The two dimensions, where there are two.
    """

    def __init__(self, message: str, at: Expr, left: Dim | None = None, right: Dim | None = None) -> None:
        super().__init__(message)
        self.message, self.at, self.left, self.right = message, at, left, right


@dataclass(slots=True)
class Form:
    """A dimension that may still hold unknowns: exponents of base units, and of the dimensions of bare constants."""

    known: dict[str, float]
    unknown: dict[str, float]

    def scaled(self, by: float) -> Form:
        """The form of a power: every exponent multiplied by `by`."""
        return Form({k: v * by for k, v in self.known.items()}, {k: v * by for k, v in self.unknown.items()})

    def plus(self, other: Form) -> Form:
        """The form of a product: the exponents of both added."""
        return Form(_merged(self.known, other.known), _merged(self.unknown, other.unknown))

    @property
    def dim(self) -> Dim:
        """The part made of base units, whatever is still unknown left out."""
        return tuple(sorted((k, round(v, 9)) for k, v in self.known.items() if abs(v) > 1e-9))


def _merged(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    out = dict(a)
    for key, value in b.items():
        total = out.get(key, 0.0) + value
        if abs(total) > 1e-12:
            out[key] = total
        else:
            out.pop(key, None)
    return out


class Dimensions:
    """Finds the dimension of expressions, and of constants that were given without a unit.

    The dimension of an empirical constant follows from the formula that it balances (as in Kennedy's unit
    inference): in `E + A / N^alpha` with E in nat/token and N in param, A is in nat/token*param^alpha.

    Args:
        dims: The known dimensions by name, or by word where the expression is not bound yet.
        unknown: Names whose dimension is to be found.
        values: Values of names that stand in exponents.
    """

    def __init__(
        self,
        dims: Mapping[Any, Dim],
        unknown: frozenset[str] = frozenset(),
        values: Mapping[Any, float] | None = None,
    ) -> None:
        self.dims = dims
        self.unknown = unknown
        self.values = values or {}
        self.found: dict[str, Form] = {}

    def of(self, expr: Expr) -> Dim:
        """The dimension of an expression; unknowns that nothing fixes are plain numbers.

        Raises:
            DimensionClash: Where two sides do not go together.
            KeyError: For a name that is not known.
        """
        return self._settled(self._form(expr)).dim

    def constant(self, name: str) -> Dim:
        """The dimension found for a bare constant."""
        return self._settled(Form({}, {name: 1.0})).dim

    def require(self, expr: Expr, dim: Dim) -> None:
        """State that an expression has a dimension."""
        self._same(self._form(expr), Form(dict(dim), {}), expr, "the formula", "what it is declared to give")

    def _settled(self, form: Form) -> Form:
        known, unknown = dict(form.known), dict(form.unknown)
        while True:
            name = next((n for n in unknown if n in self.found), None)
            if name is None:
                return Form(known, unknown)
            by = self.found[name].scaled(unknown.pop(name))
            known, unknown = _merged(known, by.known), _merged(unknown, by.unknown)

    def _same(self, left: Form, right: Form, at: Expr, said_left: str, said_right: str) -> None:
        gap = self._settled(left.plus(right.scaled(-1.0)))
        if gap.unknown:
            name = sorted(gap.unknown)[0]
            share = gap.unknown[name]
            rest = Form(gap.known, {k: v for k, v in gap.unknown.items() if k != name})
            self.found[name] = rest.scaled(-1.0 / share)
        elif gap.dim:
            a, b = self._settled(left).dim, self._settled(right).dim
            raise DimensionClash(f"{said_left} is {said_dim(a)}, {said_right} is {said_dim(b)}", at, a, b)

    def _form(self, expr: Expr) -> Form:
        if isinstance(expr, Num):
            return Form(dict(expr.dim), {})
        if isinstance(expr, (Ref, Unbound)):
            if expr.name in self.unknown:
                return Form({}, {expr.name: 1.0})
            return Form(dict(self.dims[expr.name]), {})
        if isinstance(expr, Text):
            raise DimensionClash("a text stands where a quantity is wanted", expr)
        op, args = expr.op, expr.args
        if op in ("*", "/"):
            return self._form(args[0]).plus(self._form(args[1]).scaled(1.0 if op == "*" else -1.0))
        if op in ("neg", "abs", "ceil"):
            return self._form(args[0])
        if op in ("+", "-", "min", "max") or op in COMPARISONS:
            if any(isinstance(arg, Text) for arg in args):
                if op not in ("==", "!="):
                    raise DimensionClash("texts are compared with == or != only", expr)
                return Form({}, {})
            left, right = self._form(args[0]), self._form(args[1])
            self._same(left, right, expr, f"`{shown(args[0])}`", f"`{shown(args[1])}`")
            return Form({}, {}) if op in COMPARISONS else left
        if op == "^":
            self._plain(args[1], "an exponent")
            base = self._settled(self._form(args[0]))
            if not base.known and not base.unknown:
                return base
            return base.scaled(self._exponent(args[1]))
        if op == "curve":
            self._same(self._form(args[0]), self._form(args[1]), expr, f"`{shown(args[0])}`", "the table's rows")
            return self._form(args[2])
        if op == EVENLY:
            return self._form(args[0]).plus(self._form(args[1]).scaled(-1.0))
        if op == "sqrt":
            return self._form(args[0]).scaled(0.5)
        if op == "if":
            self._form(args[0])
            left, right = self._form(args[1]), self._form(args[2])
            self._same(left, right, expr, f"`{shown(args[1])}`", f"`{shown(args[2])}`")
            return left
        if op in ("exp", "ln", "log10"):
            self._plain(args[0], f"what `{op}` takes")
            return Form({}, {})
        for arg in args:  # and, or, not, P
            self._form(arg)
        return Form({}, {})

    def _plain(self, expr: Expr, what: str) -> None:
        self._same(self._form(expr), Form({}, {}), expr, f"`{shown(expr)}`", what)

    def _exponent(self, expr: Expr) -> float:
        try:
            return float(compiled(expr)(self.values))
        except (KeyError, ArithmeticError, ValueError) as error:
            message = f"the exponent `{shown(expr)}` is not a fixed number, and its base has a dimension"
            raise DimensionClash(message, expr) from error
