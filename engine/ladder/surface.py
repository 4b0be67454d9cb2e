"""A law's loss over size and tokens, at many constants at once, and what of it is best at a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.tree import words
from runplan.dsl.expr.values import Evaluator, compiled
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.pack import Function, Law, Parameter
from runplan.engine.fit.table import Floats

# Steps of central differences in a coordinate: far above what rounding leaves, far below what bends.
STEP = 1e-5
# Budgets are searched for their best size between sizes so far from the square root of it, in logarithms.
REACH, STEPS, ROUNDS = 16.0, 65, 8


@dataclass(frozen=True, slots=True)
class Surface:
    """The loss of a law over the size that it counts and the tokens.

    Coordinates are the constants that the formula rests on, logarithms of those that are positive.

    Attributes:
        constants: Their names, k of them.
        centre: (k), the law's own, in coordinates.
        log: (k), which are logarithms.
        flop: FLOP a param and token.
    """

    law: Law
    function: Function
    constants: tuple[str, ...]
    centre: Floats
    log: np.ndarray
    flop: float
    _body: Evaluator = field(repr=False, compare=False)

    @staticmethod
    def of(law: Law, function: Function, flop: float) -> Surface:
        """The surface of a law's formula of the loss."""
        body = expanded(function.body, law.lets)
        used = words(body)
        values = {c.name: c.value for c in law.constants.values() if c.name in used and c.value is not None}
        own = np.array(list(values.values()), dtype=float)
        log = own > 0
        centre = np.where(log, np.log(np.where(log, own, 1.0)), own)
        return Surface(law, function, tuple(values), centre, log, flop, compiled(body, np))

    def loss(self, theta: Floats, params: Floats, tokens: Floats) -> Floats:
        """(s, k) coordinates, (n) params and tokens into (s, n) losses, in nats a token."""
        values = np.where(self.log, np.exp(theta), theta)
        env: dict[str, Floats] = {name: values[:, i, None] for i, name in enumerate(self.constants)}
        given: Mapping[str, Floats] = {"params": params, "tokens": tokens}
        for parameter in self.function.parameters:
            env[parameter.local] = _local(parameter, given)
        found = np.asarray(self._body(env) * self.function.counted.factor, dtype=np.float64)
        out: Floats = np.array(np.broadcast_to(found, (len(theta), len(params))))
        return out

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
        moved = np.concatenate(
            [self.centre + STEP * np.eye(len(self.centre)), self.centre - STEP * np.eye(len(self.centre))]
        )
        up, down = np.split(np.log(self.loss(moved, params, tokens)), 2)
        slopes: Floats = ((up - down) / (2 * STEP)).T
        return slopes

    def best(self, compute: float, theta: Floats | None = None) -> Floats:
        """(s) sizes of least loss at a compute in FLOP, for (s, k) coordinates; the law's own unless said."""
        theta = self.centre[None] if theta is None else theta
        middle, reach = np.full(len(theta), 0.5 * np.log(compute / self.flop)), REACH
        for _ in range(ROUNDS):
            at = middle[:, None] + np.linspace(-reach, reach, STEPS)
            losses = np.stack([
                self.loss(one[None], np.exp(x), compute / self.flop / np.exp(x))[0]
                for one, x in zip(theta, at, strict=True)
            ])  # fmt: skip
            middle = at[np.arange(len(at)), np.argmin(losses, axis=1)]
            reach *= 4.0 / (STEPS - 1)
        sizes: Floats = np.exp(middle)
        return sizes


def _local(parameter: Parameter, given: Mapping[str, Floats]) -> Floats:
    """An input as the formula counts it; one that may be given, and is not, as it is taken then."""
    if parameter.quantity not in given:
        return np.array(parameter.default)
    return given[parameter.quantity] / parameter.counted.factor
