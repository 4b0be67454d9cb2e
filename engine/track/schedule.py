"""The schedule of a run into its learning rate at any token, what it has summed to, and what its decay brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.engine.fit.table import Floats
from runplan.engine.track.expected import Stretch

# A law of the library that tells what steps down of the rate bring, and its inputs.
LAW, OUTPUT = "multi_power.25M", "annealing"
# Points along the run at which all is computed.
POINTS = 601
# A rate of nothing is taken to be this share of the peak: the law has a power of it below the line.
_LEAST = 1e-6

_SHAPES: dict[str, Callable[[Floats], Floats]] = {
    "sqrt": np.sqrt,
    "one-sqrt": np.sqrt,
    "cosine": lambda x: (1 - np.cos(np.pi * x)) / 2,
    "cosine_to_1": lambda x: (1 - np.cos(np.pi * x)) / 2,
}
_GEOMETRIC = ("exponential", "decay")


@dataclass(frozen=True, slots=True)
class Path:
    """A schedule along the tokens.

    Attributes:
        tokens: Of each point, from 0 to those of the whole run.
        share: The learning rate over its peak.
        summed: The integral of the share over the tokens: tokens at the full rate, those before the run among them.
        annealed: What steps down have brought so far, as the law tells: 1 is a step from the peak to nothing, long ago.
    """

    tokens: Floats
    share: Floats
    summed: Floats
    annealed: Floats

    def at(self, tokens: Floats) -> tuple[Floats, Floats]:
        """`summed` and `annealed` at some tokens."""
        return np.interp(tokens, self.tokens, self.summed), np.interp(tokens, self.tokens, self.annealed)

    @property
    def warm(self) -> float:
        """The tokens at which the rate first is at its peak."""
        return float(self.tokens[int(np.argmax(self.share >= 0.999 * self.share.max()))])


def share_at(schedule: Sequence[Stretch], tokens: Floats) -> Floats:
    """The learning rate over its peak at some tokens; 1 all along where there is no schedule."""
    out = np.ones_like(tokens)
    begins = 0.0
    for stretch in schedule:
        inside = (tokens >= begins) & (tokens <= stretch.tokens * (1 + 1e-12))
        x = (tokens[inside] - begins) / max(stretch.tokens - begins, 1.0)
        if stretch.shape in _GEOMETRIC and stretch.start > 0 and stretch.end > 0:
            out[inside] = stretch.start * (stretch.end / stretch.start) ** x
        else:
            bend = _SHAPES.get(stretch.shape)
            x = x if bend is None else bend(x)
            out[inside] = stretch.start + (stretch.end - stretch.start) * x
        begins = stretch.tokens
    return out


def path_of(
    schedule: Sequence[Stretch],
    whole: float,
    steps: float,
    peak: float,
    library: Library,
    seen: tuple[Floats, Floats],
    before: float = 0.0,
) -> Path:
    """A schedule along the tokens: as it was in the log so far, then as it is planned.

    Args:
        whole: Tokens of the run.
        steps: Of the whole run.
        peak: The learning rate at its peak.
        seen: Tokens of the log, and the share of the peak there; empty where it does not tell.
        before: Tokens that the weights were trained on before the run.
    """
    tokens = np.linspace(0.0, whole, POINTS)
    share = share_at(schedule, tokens)
    if len(seen[0]):
        past = tokens <= seen[0][-1]
        share[past] = np.interp(tokens[past], *seen)
    summed = np.concatenate([[0.0], np.cumsum((share[1:] + share[:-1]) / 2 * np.diff(tokens))])
    return Path(tokens, share, before + summed, _annealed(share, summed / whole * steps * peak, peak, library))


def _annealed(share: Floats, rates: Floats, peak: float, library: Library) -> Floats:
    """What the steps down bring at each point.

    Args:
        rates: The sum of the learning rates of all steps to each point.
    """
    law = library.law(LAW)
    function = next((one for one in law.functions if one.output == OUTPUT), None) if law else None
    if law is None or function is None:
        return np.asarray(1.0 - share / share.max())
    before, after, since = (one.local for one in function.parameters)
    constants = {name: one.value for name, one in law.constants.items()}
    of = compiled(function.body, np)
    out = np.zeros_like(share)
    for k in np.nonzero(share[:-1] > share[1:])[0]:
        high, low = (max(float(each), _LEAST) * peak for each in share[k : k + 2])
        behind = np.maximum(rates[k + 1 :] - rates[k + 1], 0.0)
        out[k + 1 :] += of({**constants, before: high, after: low, since: behind}) / peak
    return out
