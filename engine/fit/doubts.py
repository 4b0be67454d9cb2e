"""A fit into what is doubtful of it: constants that are not told, misfit, other minima, runs that stand apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import counted, enumerated, listing
from runplan.engine.fit.covariance import Local, usual
from runplan.engine.fit.future import NOTHING, Future
from runplan.engine.fit.lack import Repeats, trend
from runplan.engine.fit.model import Coordinate, Model
from runplan.engine.fit.outcome import Known
from runplan.engine.fit.search import Searched
from runplan.engine.fit.table import Floats
from runplan.engine.fit.told import between

# A chance below this is told.
SELDOM = 0.01
# A run stands apart by more than so many of the usual residuals; one in a million does, of a normal distribution.
APART = 5.0
# Two constants move together where only their combination is known.
TOGETHER = 0.999
MOST_NAMED = 6


def of_search(found: Searched, at: Span) -> Iterator[Finding]:
    """That a lower value was met than that of any minimum: then none of them is the best fit."""
    if found.certain:
        return
    rest = "below every minimum that was reached" if found.minima else "and no minimum was reached"
    yield finding(
        "F026",
        f"from some of {counted(found.starts, 'start')} the objective falls on and on, {rest}: the runs leave some "
        "constants open",
        at,
        severity="error",
        help=["a form with fewer constants, or runs that tell them, has a minimum; more starts seldom help"],
        data={"starts": found.starts},
    )


def of_constants(
    coordinates: Sequence[Coordinate], known: Sequence[Known], covariance: Floats, at: Span
) -> Iterator[Finding]:
    """Constants that the runs do not tell, and pairs of which they tell only a combination."""
    open_ = [c.constant for c, k in zip(coordinates, known, strict=True) if not k.identified]
    if open_:
        ends = "; ".join(
            f"`{c.constant}` {between(c, k)}" for c, k in zip(coordinates, known, strict=True) if not k.identified
        )
        yield finding(
            "F024",
            f"the runs do not tell {listing(open_)}: {ends}",
            at,
            help=["runs further out tell it: at four times the largest compute, or at a tenth of a size that is there"],
            data={"constants": ", ".join(open_)},
        )
    errors = np.sqrt(np.maximum(np.diagonal(covariance), 1e-300))
    correlations = covariance / np.outer(errors, errors)
    pairs = [
        (coordinates[j].constant, coordinates[i].constant, float(correlations[i, j]))
        for i in range(len(coordinates))
        for j in range(i)
        if abs(correlations[i, j]) >= TOGETHER and _wide(coordinates, known, i, j)
    ]
    if pairs:
        said = enumerated([f"`{a}` and `{b}` ({c:+.4f})" for a, b, c in pairs[:MOST_NAMED]])
        yield finding(
            "F025",
            f"only combinations are told of {said}: their correlation is nearly one",
            at,
            help=["runs further apart in size or tokens tell them apart; a forecast near the runs is not worse for it"],
            data={"correlation": pairs[0][2]},
        )


def _wide(coordinates: Sequence[Coordinate], known: Sequence[Known], *which: int) -> bool:
    """Whether all are told, and one of them not to a factor of ten.

    A factor and its exponent always move together: the factor is what is had at a size of one, far from all runs.
    """
    widths = [known[i].within[0.8].high - known[i].within[0.8].low for i in which if coordinates[i].log]
    return all(known[i].identified for i in which) and max(widths, default=0.0) > math.log(10)


def rounding(model: Model, log: bool) -> float:
    """What is no misfit of a run, as residuals take it."""
    return NOTHING * (1.0 if log else float(np.mean(np.abs(model.measured))))


def of_residuals(
    figures: Mapping[str, Floats],
    here: Local,
    rounding: float,
    repeated: Repeats | None,
    labels: Sequence[str],
    at: Span,
) -> Iterator[Finding]:
    """Misfit against noise, and runs that stand apart.

    Args:
        rounding: Residuals below it say nothing.
    """
    k = len(here.slopes)
    typical = max(usual(here.residuals, k), rounding)
    if typical <= rounding:
        pass
    elif repeated is not None:
        if repeated.chance < SELDOM:
            yield finding(
                "F028",
                f"the form leaves {math.sqrt(repeated.ratio):.1f} times the noise that repeated runs show: "
                f"by chance in {_percent(repeated.chance)}",
                at,
                help=["try another form, or fewer runs: `--where` leaves out those that are far from what is forecast"],
                data={"ratio": repeated.ratio, "chance": repeated.chance, "noise": repeated.noise},
            )
    elif (bent := trend(figures, here.residuals)) is not None and bent.chance < SELDOM:
        yield finding(
            "F028",
            f"what the form leaves is no noise: it bends along `{bent.name}`, by chance in {_percent(bent.chance)}",
            at,
            help=["try another form, or fewer runs: `--where` leaves out those that are far from what is forecast"],
            data={"figure": bent.name, "chance": bent.chance},
        )
    far = np.flatnonzero(np.abs(here.residuals) > APART * typical)
    if len(far):
        far = far[np.argsort(-np.abs(here.residuals[far]), kind="stable")]
        named = [
            f"{labels[i] if labels else f'run {i + 1}'} ({here.residuals[i] / typical:+,.0f})" for i in far.tolist()
        ]
        rest = f" and {len(far) - MOST_NAMED} more" if len(far) > MOST_NAMED else ""
        yield finding(
            "F029",
            f"{counted(len(far), 'run')} further from the form than {APART:g} usual residuals: "
            f"{', '.join(named[:MOST_NAMED])}{rest}",
            at,
            help=["none is left out; Huber's loss lets each pull no more than any other"],
            data={"runs": len(far), "usual": typical},
        )


def of_future(later: Future, drift: float | None, at: Span) -> Iterator[Finding]:
    """Larger runs that came out further from what the smaller told than a right form and chance would have it."""
    cut = later.missed
    if cut is None:
        return
    side = "lower" if float(np.mean(cut.errors)) > 0 else "higher"
    runs = counted(len(cut.errors), "largest run")
    yield finding(
        "F030",
        f"the {runs} came out {cut.error * 100:.2g} % from what the smaller ones forecast, mostly {side}; "
        f"{cut.expected * 100:.2g} % was expected",
        at,
        help=["intervals of forecasts are wider for it; without `--form` the usual ones are compared by this"],
        data={"error": cut.error, "expected": cut.expected, "drift": drift or 0.0},
    )


def _percent(chance: float) -> str:
    return "one of a million" if chance < 1e-6 else f"{chance * 100:.2g} %"
