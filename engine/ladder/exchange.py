"""A budget into the runs of least expected width of the flagship's forecast, by exchange.

A design is I-optimal where the variance of its forecast, by the slopes of the law (to first order), is least on average
over a region: here around the flagship, so that no constant is left untold. Runs are exchanged one by one for the
candidate that lowers it most within the budget, from several designs on, until none does
(Fedorov 1972; Cook and Nachtsheim 1980, Technometrics 22(3)).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from runplan.dsl.dataclass import replace
from runplan.engine.fit.table import Floats
from runplan.engine.ladder.designs import Room, Run, as_fitted, candidates
from runplan.engine.ladder.refused import NoLadder

# Tokens a param of candidates, as shares of what the law asks for at a run's own compute; wider is no language model.
RATIOS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16)
# Around the flagship, as factors of its size and of its tokens.
_REGION = (0.5, 1.0, 2.0)
# No run takes more of the budget than this: one run that fails would be all of it.
_LARGEST = 0.25
# A run that is done twice tells the noise; done more often it tells nothing that another run does not.
_ALIKE = 2
_ROUNDS = 40
# What keeps a design that tells nothing of a constant from being infinitely bad, as a share of what the others tell.
_RIDGE = 1e-9


def best(room: Room, flagship: tuple[float, float], starts: Sequence[Sequence[Run]]) -> tuple[Run, ...]:
    """The best design that is found from others.

    Args:
        flagship: Its size, as the law counts it, and its tokens.
        starts: Designs within the budget, each to begin from.

    Raises:
        NoLadder: Where the budget has room for no three sizes.
    """
    size, tokens = flagship
    asked = tokens_a_param(room)
    there = as_fitted(room, tuple(candidates(room, _LARGEST * room.total, [share * asked for share in RATIOS])))
    if len({run.size for run in there}) < 3:
        raise NoLadder("budget", f"{room.total:.3g} FLOP is too small for three sizes: take a larger `--share`")
    around = np.array([(size * a, tokens * b) for a in _REGION for b in _REGION])
    region = room.surface.slopes(around[:, 0], around[:, 1])
    found = [_exchanged(room, there, start, region) for start in starts if start]
    return min(found, key=lambda runs: variance(room, runs, region))


def tokens_a_param(room: Room) -> float:
    """Tokens a param that the law asks for at the budget of a large run."""
    compute = _LARGEST * room.total
    best = float(room.surface.best(compute)[0])
    return compute / room.surface.flop / best**2


def variance(room: Room, runs: Sequence[Run], region: Floats) -> float:
    """The mean variance of the forecasts over (m, k) slopes, for runs of unit noise."""
    slopes = _slopes(room, runs)
    return float(np.einsum("mi,ij,mj->m", region, np.linalg.inv(_information(slopes)), region).mean())


def _slopes(room: Room, runs: Sequence[Run]) -> Floats:
    params = room.sizes_there.law[[run.size for run in runs]]
    return room.surface.slopes(params, np.array([run.tokens for run in runs]))


def _information(slopes: Floats) -> Floats:
    whole: Floats = slopes.T @ slopes
    return whole + _RIDGE * np.diag(np.diag(whole) + 1e-300)


def _exchanged(room: Room, there: Sequence[Run], start: Sequence[Run], region: Floats) -> tuple[Run, ...]:
    """The design that no exchange of one run makes better, from another on."""
    runs, own = [replace(run, budget=None) for run in start], _slopes(room, start)
    offered = _slopes(room, there)
    costs = np.array([room.compute([run]) for run in there])
    spent = np.array([room.compute([run]) for run in runs])
    for _ in range(_ROUNDS):
        changed = False
        for i in range(len(runs)):
            rest = np.delete(own, i, axis=0)
            inverse = np.linalg.inv(_information(rest))
            # What each candidate takes from the variance: Sherman and Morrison's formula.
            seen = offered @ inverse
            gain = ((seen @ region.T) ** 2).mean(axis=1) / (1 + np.einsum("ck,ck->c", seen, offered))
            there_now = Counter(runs[:i] + runs[i + 1 :])
            free = np.array([there_now[one] < _ALIKE for one in there])
            gain = np.where(free & (costs + spent.sum() - spent[i] <= room.total), gain, -np.inf)
            now = own[i] @ inverse
            kept = ((now @ region.T) ** 2).mean() / (1 + now @ own[i])
            place = int(np.argmax(gain))
            if gain[place] > kept * (1 + 1e-6):
                runs[i], own[i], spent[i], changed = there[place], offered[place], costs[place], True
        if not changed:
            break
    return tuple(sorted(runs, key=lambda run: (run.size, run.tokens)))
