"""A law's loss over size and tokens, at many constants at once: what runs fit it by, and what is best at a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.tree import Expr
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.pack import Function, Law, Parameter
from runplan.engine.fit.expression import FormulaModel, moving
from runplan.engine.fit.model import Coordinate
from runplan.engine.fit.table import Floats

# Budgets are searched for their best size between sizes so far from the square root of it, in logarithms.
REACH, STEPS, ROUNDS = 16.0, 65, 8


@dataclass(frozen=True, slots=True)
class Surface:
    """The loss of a law over the size that it counts and the tokens.

    Coordinates are the constants that the formula rests on, logarithms of those that are positive.

    Attributes:
        coordinates: Of the constants, k of them.
        centre: (k), the law's own.
        flop: FLOP a param and token.
    """

    law: Law
    function: Function
    coordinates: tuple[Coordinate, ...]
    centre: Floats
    flop: float
    _body: Expr = field(repr=False)
    _value: Evaluator = field(repr=False, compare=False)

    @staticmethod
    def of(law: Law, function: Function, flop: float) -> Surface:
        """The surface of a law's formula of the loss."""
        body = expanded(function.body, law.lets)
        values = {name: c.value for name, c in law.constants.items() if c.value is not None}
        names = tuple(moving(body, tuple(values)))
        log = {name: values[name] > 0 for name in names}
        centre = np.array([np.log(values[name]) if log[name] else values[name] for name in names])
        found = tuple(Coordinate(name, log[name], at - 1.0, at + 1.0) for name, at in zip(names, centre, strict=True))
        return Surface(law, function, found, centre, flop, body, compiled(body, np))

    def model(self, params: Floats, tokens: Floats) -> FormulaModel:
        """The form over (n) runs, whose losses are those of the law's own constants: what `plan fit` fits to runs."""
        measured = self.at(params, tokens) / self.function.counted.factor
        return FormulaModel(self.coordinates, measured, True, self._body, self._inputs(params, tokens))

    def loss(self, theta: Floats, params: Floats, tokens: Floats) -> Floats:
        """(s, k) coordinates, (n) or (s, n) params and tokens into (s, n) losses, in nats a token."""
        constants = {
            c.constant: np.exp(theta[:, i : i + 1]) if c.log else theta[:, i : i + 1]
            for i, c in enumerate(self.coordinates)
        }
        with np.errstate(all="ignore"):
            found = self._value({**constants, **self._inputs(params, tokens)}) * self.function.counted.factor
        out: Floats = np.array(np.broadcast_to(found, (len(theta), params.shape[-1])), dtype=np.float64)
        return out

    def _inputs(self, params: Floats, tokens: Floats) -> dict[str, Floats]:
        given: Mapping[str, Floats] = {"params": params, "tokens": tokens}
        return {parameter.local: _local(parameter, given) for parameter in self.function.parameters}

    def at(self, params: Floats, tokens: Floats) -> Floats:
        """(n) losses by the law's own constants."""
        losses: Floats = self.loss(self.centre[None], params, tokens)[0]
        return losses

    def over(self, compute: float, sizes: Sequence[float]) -> tuple[float, ...]:
        """The loss of each of some sizes at a compute in FLOP, by the law's own constants."""
        params = np.array(sizes, dtype=np.float64)
        return tuple(self.at(params, compute / self.flop / params).tolist())

    def slopes(self, params: Floats, tokens: Floats) -> Floats:
        """(n, k) derivatives of the logarithm of the loss by the coordinates, at the law's own constants."""
        losses, slopes = self.model(params, tokens).slopes(self.centre[None])
        out: Floats = (slopes[0] / losses[0]).T
        return out

    def best(self, compute: float, theta: Floats | None = None) -> Floats:
        """(s) sizes of least loss at a compute in FLOP, for (s, k) coordinates; the law's own unless said."""
        theta = self.centre[None] if theta is None else theta
        middle, reach = np.full(len(theta), 0.5 * np.log(compute / self.flop)), REACH
        for _ in range(ROUNDS):
            at = middle[:, None] + np.linspace(-reach, reach, STEPS)
            losses = self.loss(theta, np.exp(at), compute / self.flop / np.exp(at))
            middle = at[np.arange(len(at)), np.argmin(np.where(np.isnan(losses), np.inf, losses), axis=1)]
            reach *= 4.0 / (STEPS - 1)
        sizes: Floats = np.exp(middle)
        return sizes


def _local(parameter: Parameter, given: Mapping[str, Floats]) -> Floats:
    """An input as the formula counts it; one that may be given, and is not, as it is taken then."""
    if parameter.quantity not in given:
        return np.full_like(given["params"], parameter.default)
    return given[parameter.quantity] / parameter.counted.factor
