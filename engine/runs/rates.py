"""Runs that were done to the rate that another may be expected to reach end to end: its middle, and its spread.

The logarithm of the MFU is fitted to what tells of held-back families of runs: the generation of the device, and the
precision. `docs/how-numbers-are-made.md` says how, what else was tried, and how it does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.engine.numeric.algebra import Matrix, Vector, backward, cholesky, dot, forward
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.runs.record import Run, runs_of

# The precisions of 16 bits have one peak, and runs in them one rate.
HALF = ("bf16", "fp16")
# How far generations lie apart before a run of theirs is seen: a standard deviation of ln(MFU).
APART = 0.4
# A precision that gains less in its peak than twice is as little known as one that gains twice.
LEAST_HALF = math.log(2) / 2
# How alike runs of one family are: the share of the variance that they have in common.
ALIKE = 0.5
# Residuals count in full up to so many of their spread; beyond, what is further off counts less (Huber 1964).
FULL = 1.345
ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Sort:
    """What a rate is of.

    Attributes:
        gain: The peak at the precision over that of 16 bits.
    """

    generation: str
    precision: str
    gain: float

    @property
    def terms(self) -> dict[str, float]:
        """What the fit knows it by, each with its weight."""
        out = {"": 1.0, f"generation {self.generation}": 1.0}
        return out if self.precision in HALF else {**out, f"precision {self.precision}": max(self._half, LEAST_HALF)}

    @property
    def base(self) -> float:
        """What the peak alone leaves of an MFU: half of a gain is taken to be seen, of the logarithm."""
        return 0.0 if self.precision in HALF else -max(self._half, 0.0)

    @property
    def _half(self) -> float:
        return math.log(self.gain) / 2


def sort_of(device: Record, precision: str, peak: float | None = None) -> Sort | None:
    """What a rate on a device is of; None where its peak cannot be compared with that of 16 bits.

    Args:
        peak: Where it is not the device's own.
    """
    reached = peak or device.figure("peak", precision)
    half = next((found for name in HALF if (found := device.figure("peak", name))), None)
    if precision in HALF:
        return Sort(device.text("generation") or device.name, precision, 1.0)
    return Sort(device.text("generation") or device.name, precision, reached / half) if reached and half else None


def _sort(run: Run) -> Sort | None:
    return sort_of(run.device, run.precision, run.peak) if run.device is not None else None


def tells_rate(run: Run) -> bool:
    """Whether a run tells what others may reach: its size, tokens and hours are known, and it is not set aside."""
    return _reached(run) is not None


def _reached(run: Run) -> tuple[float, Sort] | None:
    """The MFU that a run reached, and what it is of; None where it tells no rate."""
    mfu, sort = run.mfu, _sort(run)
    return (mfu, sort) if mfu is not None and mfu < 1.0 and sort is not None and not run.record.text("aside") else None


@dataclass(frozen=True, slots=True)
class Expected:
    """The rate that a run may be expected to reach end to end; log-normal.

    Attributes:
        mfu: 6ND over device-hours and the peak at the precision, in the middle.
        spread: The standard deviation of its logarithm.
        generation: The runs among `all` on devices of the generation.
        precision: Those in the precision; every one of 16 bits where it is one.
        own: Those of the user's own.
    """

    mfu: float
    spread: float
    all: tuple[Run, ...]
    generation: tuple[Run, ...]
    precision: tuple[Run, ...]
    own: tuple[Run, ...]

    @property
    def low(self) -> float:
        """The lower end of the 80 % interval."""
        return self.mfu * math.exp(-QUANTILE * self.spread)

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mfu * math.exp(QUANTILE * self.spread)


@dataclass(frozen=True, slots=True)
class Rates:
    """What runs reached, fitted.

    Attributes:
        effects: Of ln(MFU), by term.
        covariance: Of the effects, in their order.
        residual: The standard deviation of ln(MFU) of a run beside what its terms say.
        impossible: Runs that were left out since nothing could be done in the hours that they tell.
    """

    runs: tuple[Run, ...]
    effects: Mapping[str, float]
    covariance: Matrix
    residual: float
    impossible: tuple[Run, ...] = ()

    def expected(self, sort: Sort) -> Expected:
        """The rate that a run of a sort may be expected to reach.

        Runs of one's own are of one's own family: the share of what they lie off that is the family's is taken as said,
        and leaves less to be told.
        """
        known = {term: weight for term, weight in sort.terms.items() if term in self.effects}
        at = [known.get(term, 0.0) for term in self.effects]
        middle = sort.base + sum(weight * self.effects[term] for term, weight in known.items())
        variance = dot(at, [dot(row, at) for row in self.covariance])
        variance += sum((weight * _prior(term)) ** 2 for term, weight in sort.terms.items() if term not in known)
        own = tuple(run for run in self.runs if run.own)
        kept = ALIKE * len(own) / (1 - ALIKE + ALIKE * len(own))
        if own:
            middle += kept * sum(map(self.off, own)) / len(own)
        variance += self.residual**2 * (1 - ALIKE * kept)
        return Expected(
            mfu=math.exp(middle),
            spread=math.sqrt(variance),
            all=self.runs,
            generation=self._of(lambda one: one.generation == sort.generation),
            precision=self._of(
                lambda one: one.precision == sort.precision or {one.precision, sort.precision} <= {*HALF}
            ),
            own=own,
        )

    def off(self, run: Run) -> float:
        """How far a run lies off what its terms say, in ln(MFU)."""
        sort = _sort(run)
        assert run.mfu is not None and sort is not None, "it tells a rate"
        return math.log(run.mfu) - sort.base - sum(w * self.effects.get(t, 0.0) for t, w in sort.terms.items())

    def _of(self, fits: Callable[[Sort], bool]) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if (sort := _sort(run)) is not None and fits(sort))


def rates_of(runs: Iterable[Run]) -> Rates:
    """The fit to those of some runs that tell a rate.

    Least squares with priors, on weights that let a family of many runs count little more than one of a single run,
    with large residuals held back; the spread of the residuals is what holds 80 % of them.
    """
    runs = tuple(run for run in runs if not run.record.text("aside"))
    every = [(run, _reached(run)) for run in runs]
    told = tuple(run for run, found in every if found is not None)
    impossible = tuple(run for run, found in every if found is None and (run.mfu or 0.0) >= 1.0)
    reached = [found for _, found in every if found is not None]
    sorts = [sort for _, sort in reached]
    terms = list(dict.fromkeys(term for sort in sorts for term in sort.terms))
    rows = [[sort.terms.get(term, 0.0) for term in terms] for sort in sorts]
    of = [math.log(mfu) - sort.base for mfu, sort in reached]
    sizes = Counter(run.family for run in told)
    weights = [1 / (1 + (sizes[run.family] - 1) * ALIKE) for run in told]
    held, spread = [1.0] * len(told), APART
    effects, lower = [0.0] * len(terms), list[Vector]()
    for _ in range(ROUNDS):
        sure = [weight * hold / spread**2 for weight, hold in zip(weights, held, strict=True)]
        effects, lower = _least_squares(terms, rows, of, sure)
        left = [abs(y - dot(row, effects)) for row, y in zip(rows, of, strict=True)]
        spread = max(holding(left, weights, 0.8) / QUANTILE, 1e-3)
        held = [min(1.0, FULL * spread / max(each, 1e-12)) for each in left]
    unit = [[float(i == j) for j in range(len(terms))] for i in range(len(terms))]
    covariance = [backward(lower, forward(lower, column)) for column in unit]
    return Rates(told, dict(zip(terms, effects, strict=True)), covariance, spread, impossible)


def held_back(runs: Iterable[Run]) -> list[tuple[Run, Expected]]:
    """Each run that tells a rate, with what the runs of all other families let expect of it."""
    told = [run for run in runs if tells_rate(run)]
    without = {family: rates_of(run for run in told if run.family != family) for family in {r.family for r in told}}
    return [(run, without[run.family].expected(sort)) for run in told if (sort := _sort(run)) is not None]


def rates_in(library: Library) -> Rates:
    """The fit to the runs that a library knows, made once for it."""
    while library.base is not None and not any(record.kind in ("run", "device") for record in library.own.records):
        library = library.base
    return library.once(_fitted)


def _fitted(library: Library) -> Rates:
    return rates_of(runs_of(library))


def _prior(term: str) -> float:
    """The standard deviation of an effect before a run is seen: nothing is known of the first, the rate itself.

    Of a precision the ends of the 80 % interval are that none of the gain of its peak is seen, and that all of it is.
    """
    return 10.0 if not term else APART if term.startswith("generation ") else 1 / QUANTILE


def _least_squares(terms: Sequence[str], rows: Matrix, of: Vector, sure: Vector) -> tuple[Vector, Matrix]:
    """The effects, and the lower factor of the inverse of their covariance."""
    normal = [[float(i == j) / _prior(term) ** 2 for j in range(len(terms))] for i, term in enumerate(terms)]
    right = [0.0] * len(terms)
    for row, y, each in zip(rows, of, sure, strict=True):
        some = [(i, weight) for i, weight in enumerate(row) if weight]
        for i, weight in some:
            right[i] += each * weight * y
            for j, other in some:
                normal[i][j] += each * weight * other
    lower = cholesky(normal)
    assert lower is not None, "a prior on each effect makes it positive definite"
    return backward(lower, forward(lower, right)), lower


def holding(values: Vector, weights: Vector, share: float) -> float:
    """The least of some values that holds a share of all weights at or below it; 0 for none."""
    total, reached = share * sum(weights), 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        reached += weight
        if reached >= total:
            return value
    return 0.0
