"""A formula and the runs to where its constants may lie: their signs, and the ranges that a search starts between.

Nothing is known of a form but its formula. What it gives is known, by the runs: from there each part is told how large
it may be, down to the constants. An exponent lies between 0.05 and 1.5; a factor is such that its term is of the size
of the whole; what is added alone is at most the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Num, Op, Unbound, joined, words
from runplan.dsl.expr.values import compiled
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.table import Floats

# Exponents of power laws that were published lie between these.
EXPONENTS = (0.05, 1.5)
# A term of a sum is at least this share of it, or the runs could not tell it.
SHARE = 0.02
# What nothing tells the size of.
UNKNOWN = (0.1, 10.0)
# How wide a range in logarithms may be, how far its middle may lie, and how large what stands in an exponential may be.
WIDEST, FURTHEST = 80.0, 300.0
STEEP = 6.0
# Of an exponent whose base is to be told: how far on either side of its middle it is taken to be, as a factor.
NEAR = 4.0
# Of how many exponents both ends are tried together.
CORNERS = 6
Range = tuple[float, float]


def coordinates(
    body: Expr, constants: Sequence[str], inputs: Mapping[str, Floats], measured: Floats, signs: Mapping[str, float]
) -> tuple[Coordinate, ...]:
    """The coordinates of a form's constants, in their order.

    Args:
        body: Over constants and inputs.
        inputs: (n) each, as the formula counts them.
        measured: (n), as the formula gives it.
        signs: Of constants whose value is known elsewhere, that value.
    """
    middles = {name: _middle(values) for name, values in inputs.items()}
    scale = _Scale(frozenset(constants), middles, {}, set(), [])
    low, high = float(np.min(measured)), float(np.max(measured))
    scale.tell_all(body, (low, high) if high > low else (low / 2, high * 2))
    return tuple(_coordinate(name, scale, signs.get(name)) for name in constants)


def _middle(values: Floats) -> float:
    """The middle of a figure over the runs: of its logarithm where it is positive."""
    return float(np.exp(np.mean(np.log(values)))) if np.all(values > 0) else float(np.mean(values))


def _coordinate(name: str, scale: _Scale, known: float | None) -> Coordinate:
    low, high = scale.ranges.get(name, UNKNOWN)
    if name in scale.plain or (known is not None and known < 0.0) or low <= 0.0:
        if known is not None and known < 0.0 < low:
            low, high = -high, -low
        return Coordinate(name, False, low, high, known)
    elsewhere = float(np.log(known)) if known else None
    return Coordinate(name, True, *_narrowed(float(np.log(low)), float(np.log(high))), elsewhere)


def _narrowed(low: float, high: float) -> Range:
    middle, half = min(max((low + high) / 2, -FURTHEST), FURTHEST), min((high - low) / 2, WIDEST / 2)
    return middle - half, middle + half


@dataclass(slots=True)
class _Scale:
    """What is found of the constants on the way down a formula.

    Attributes:
        middles: Of each input.
        ranges: Of each constant that was met.
        plain: Those whose logarithm is not looked for: exponents, and what is added up inside an exponential.
        later: Parts that are as large as they look, once all else is told.
        all_told: Whether it is: sizes are then those at the middle of what exponents may be.
    """

    constants: frozenset[str]
    middles: Mapping[str, float]
    ranges: dict[str, Range]
    plain: set[str]
    later: list[Expr]
    all_told: bool = False

    def tell_all(self, body: Expr, wanted: Range) -> None:
        """Tell a whole formula how large it is: first what a constant alone makes up for, then what is left."""
        self.tell(body, wanted)
        self.all_told = True
        while self.later:
            item = self.later.pop(0)
            self.tell(item, self._looks(item))

    def tell(self, item: Expr, wanted: Range) -> None:
        """Tell a part of a formula, and what is in it, how small and how large it may be, above 0."""
        if words(item).isdisjoint(self.constants):
            return
        if isinstance(item, Unbound):
            self._set(item.name, wanted)
            return
        assert isinstance(item, Op), "constants stand in operators"
        op, args, (low, high) = item.op, item.args, wanted
        if op in ("+", "-"):
            for term in _terms(item):
                # What stands alone is below the least of the runs; a term may be as large as the largest.
                self.tell(term, (SHARE * low, low if isinstance(term, Unbound) else high))
        elif op == "neg":
            self.tell(args[0], wanted)
        elif op in ("*", "/"):
            self._product(item, wanted)
        elif op == "^":
            self._power(args[0], args[1], wanted)
        elif op == "exp":
            self._exponent(args[0], (float(np.log(low)), float(np.log(high))))
        elif op in ("ln", "log10"):
            base = 10.0 if op == "log10" else float(np.e)
            self.tell(args[0], _powers(base, wanted))
        elif op == "sqrt":
            self.tell(args[0], (low * low, high * high))
        else:  # if, min, max, abs: each branch may be the whole
            for arg in args[1:] if op == "if" else args:
                self.tell(arg, wanted)

    def _set(self, name: str, wanted: Range) -> None:
        """The first place that tells a constant counts: it is the nearest to what the runs give."""
        low, high = wanted
        if name not in self.ranges and np.isfinite(low) and np.isfinite(high) and low < high:
            self.ranges[name] = wanted

    def _exponents_in(self, item: Expr) -> None:
        """Give the constants of an exponent the range that exponents have; one that is a figure of the runs for which
        an exponent turns, as N_0 of `1 + N_0 / N`, is of the size of that figure.
        """
        sized: set[str] = set()
        for term in _terms(item):
            above, below = _factors(term)
            if len(above) == 1 and words(_product_of(below)) & self.middles.keys():
                small, large = self._size(_product_of(below))
                for name in self._own(above):
                    sized.add(name)
                    self._set(name, (UNKNOWN[0] * small, UNKNOWN[1] * large))
        for name in (words(item) & self.constants) - sized:
            self.plain.add(name)
            self._set(name, EXPONENTS)

    def _product(self, item: Op, wanted: Range) -> None:
        """Of each factor with constants that are not known: what the others leave for it."""
        top, bottom = _factors(item)
        # The exponents come first: by them it is known how large the powers of the runs' figures are.
        for factor in (*top, *bottom):
            self._powers_of(factor)
        sizes = {id(f): self._size(f) for f in (*top, *bottom)}
        open_ = [f for f in (*top, *bottom) if not words(f) <= self.ranges.keys() | self.middles.keys()]
        # A constant that stands alone makes up for all that the others are; what is made of several is as it looks.
        open_.sort(key=lambda f: not isinstance(f, Unbound))
        for factor in open_:
            low, high = wanted
            for other in (*top, *bottom):
                a, b = sizes[id(other)]
                if other is not factor:
                    low, high = (low / b, high / a) if other in top else (low * a, high * b)
            if isinstance(open_[0], Unbound) and factor is not open_[0]:
                inner = factor.args[0] if isinstance(factor, Op) and factor.op == "^" else factor
                self.later.append(inner)
            else:
                self.tell(factor, (low, high) if factor in top else (1.0 / high, 1.0 / low))
            sizes[id(factor)] = self._size(factor)

    def _powers_of(self, factor: Expr) -> None:
        """The exponents of a factor that is a power, or an exponential of logarithms."""
        if isinstance(factor, Op) and factor.op == "^":
            self._exponents_in(factor.args[1])
        elif isinstance(factor, Op) and factor.op == "exp":
            for term in _terms(factor.args[0]):
                above, below = _factors(term)
                if any(map(_is_log, above)):
                    for item in (f for f in (*above, *below) if not _is_log(f)):
                        self._exponents_in(item)

    def _power(self, base: Expr, exponent: Expr, wanted: Range) -> None:
        self._exponents_in(exponent)
        self.tell(base, self._root(wanted, self._size(exponent)))

    def _root(self, wanted: Range, exponent: Range) -> Range:
        """What a base is, of which a power is wanted."""
        middle = (exponent[0] * exponent[1]) ** 0.5
        logs = [float(np.log(w)) / e for w in wanted for e in (middle / NEAR, middle * NEAR)]
        low, high = _narrowed(min(logs), max(logs))
        return float(np.exp(low)), float(np.exp(high))

    def _exponent(self, item: Expr, wanted: Range) -> None:
        """What stands in an exponential: a sum of plain numbers of either sign.

        Args:
            wanted: Of the logarithm.
        """
        for term in _terms(item):
            if isinstance(term, Unbound) and term.name in self.constants:  # the level
                self.plain.add(term.name)
                self._set(term.name, (wanted[0] - STEEP, wanted[1] + STEEP))
                continue
            above, below = _factors(term)
            log = next((f for f in above if _is_log(f) and not words(f).isdisjoint(self.constants)), None)
            if any(map(_is_log, above)):
                for factor in (*above, *below):
                    if not _is_log(factor):
                        self._exponents_in(factor)
            if isinstance(log, Op):
                size = self._size(_product_of([f for f in above if f is not log]))
                ends = self._root((float(np.exp(wanted[0])), float(np.exp(wanted[1]))), size)
                # What a number is added to, as in a soft step, makes up for nothing: it is of the size of that number.
                own = [item.value for item in _terms(log.args[0]) if isinstance(item, Num) and item.value > 0.0]
                self.tell(log.args[0], (own[0], NEAR * own[0]) if own else ends)
            for name in sorted(self._own(above) - self.ranges.keys()):
                self.plain.add(name)
                by = self._size(_product_of([f for f in above if f != Unbound(name)]))
                self._set(name, (-STEEP / max(by), STEEP / max(by)))
            for name in sorted(self._own(below) - self.ranges.keys()):
                by = self._size(_product_of(above))
                self._set(name, (min(by) / STEEP, max(by) * STEEP))

    def _own(self, factors: Collection[Expr]) -> frozenset[str]:
        """The constants that are among some factors."""
        return frozenset(f.name for f in factors if isinstance(f, Unbound)) & self.constants

    def _middle(self, name: str) -> float:
        """Of what is told of a constant; 1 of one that is not told yet."""
        low, high = self.ranges.get(name, (1.0, 1.0))
        return (low + high) / 2 if name in self.plain or low <= 0.0 else float(np.sqrt(low * high))

    def _looks(self, item: Expr) -> Range:
        """How large a part is at the middle of what is told of its constants, and a little on either side."""
        low, high = self._sizes(item, [{}])
        return low / NEAR, high * NEAR

    def _size(self, item: Expr) -> Range:
        """How small and how large a part is at the middle of the runs, over what its exponents may be."""
        if self.all_told:
            return self._looks(item)
        corners: list[dict[str, float]] = [{}]
        for name in sorted(words(item) & self.plain & self.ranges.keys())[:CORNERS]:
            corners = [{**c, name: end} for c in corners for end in self.ranges[name]]
        return self._sizes(item, corners)

    def _sizes(self, item: Expr, corners: Sequence[Mapping[str, float]]) -> Range:
        known = {**self.middles, **{name: self._middle(name) for name in words(item) & self.constants}}
        function, found = compiled(item, np), []
        for corner in corners:
            with np.errstate(all="ignore"), suppress(ArithmeticError):
                found.append(abs(float(function({**known, **corner}))))
        found = [x for x in found if np.isfinite(x) and x > 0.0]
        return (min(found), max(found)) if found else (1.0, 1.0)


def _is_log(item: Expr) -> bool:
    return isinstance(item, Op) and item.op == "ln"


def _product_of(factors: Sequence[Expr]) -> Expr:
    return joined("*", factors) if factors else Num(1.0)


def _powers(base: float, wanted: Range) -> Range:
    low, high = (min(w * np.log(base), STEEP * 5) for w in wanted)
    return float(np.exp(low)), float(np.exp(high))


def _factors(item: Expr) -> tuple[list[Expr], list[Expr]]:
    """What a product is of, above and below its line."""
    if isinstance(item, Op) and item.op == "neg":
        return _factors(item.args[0])
    if not isinstance(item, Op) or item.op not in ("*", "/"):
        return [item], []
    top, bottom = _factors(item.args[0])
    more, less = _factors(item.args[1])
    return (top + more, bottom + less) if item.op == "*" else (top + less, bottom + more)


def _terms(item: Expr) -> Collection[Expr]:
    """What a sum is of, whatever its signs."""
    if isinstance(item, Op) and item.op in ("+", "-"):
        return [term for arg in item.args for term in _terms(arg)]
    if isinstance(item, Op) and item.op == "neg":
        return _terms(item.args[0])
    return [item]
