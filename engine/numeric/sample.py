"""Figures of samples, and of the normal distribution; to the bit those of Python's `statistics`, but for the deviation.

That module brings exact fractions and decimals with it, which take longer to import than all that is asked here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def _figures(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


# Wichura, Algorithm AS 241, PPND16 (Applied Statistics 37(3), 1988, 477-484): for the middle, for what is further out,
# and for the tails, the coefficients of a polynomial over those of another, the highest power first.
_MIDDLE = (
    _figures(
        "2509.0809287301226727 33430.575583588128105 67265.770927008700853 45921.953931549871457 13731.693765509461125 "
        "1971.5909503065514427 133.14166789178437745 3.3871328727963666080"
    ),
    _figures(
        "5226.4952788528545610 28729.085735721942674 39307.895800092710610 21213.794301586595867 5394.1960214247511077 "
        "687.18700749205790830 42.313330701600911252 1"
    ),
)
_OUTER = (
    _figures(
        "7.74545014278341407640e-4 2.27238449892691845833e-2 2.41780725177450611770e-1 1.27045825245236838258 "
        "3.64784832476320460504 5.76949722146069140550 4.63033784615654529590 1.42343711074968357734"
    ),
    _figures(
        "1.05075007164441684324e-9 5.47593808499534494600e-4 1.51986665636164571966e-2 1.48103976427480074590e-1 "
        "6.89767334985100004550e-1 1.67638483018380384940 2.05319162663775882187 1"
    ),
)
_TAIL = (
    _figures(
        "2.01033439929228813265e-7 2.71155556874348757815e-5 1.24266094738807843860e-3 2.65321895265761230930e-2 "
        "2.96560571828504891230e-1 1.78482653991729133580 5.46378491116411436990 6.65790464350110377720"
    ),
    _figures(
        "2.04426310338993978564e-15 1.42151175831644588870e-7 1.84631831751005468180e-5 7.86869131145613259100e-4 "
        "1.48753612908506148525e-2 1.36929880922735805310e-1 5.99832206555887937690e-1 1"
    ),
)


def normal_quantile(share: float) -> float:
    """Below what a share of the standard normal distribution lies, 0 < share < 1."""
    q = share - 0.5
    if abs(q) <= 0.425:
        over, under = (_polynomial(each, 0.180625 - q * q) for each in _MIDDLE)
        return over * q / under
    r = math.sqrt(-math.log(share if q <= 0.0 else 1.0 - share))
    parts, at = (_OUTER, r - 1.6) if r <= 5.0 else (_TAIL, r - 5.0)
    over, under = (_polynomial(each, at) for each in parts)
    return math.copysign(over / under, q)


def _polynomial(coefficients: Iterable[float], x: float) -> float:
    total = 0.0
    for each in coefficients:
        total = total * x + each
    return total


def mean(values: Iterable[float]) -> float:
    """The mean of some values, at least one."""
    found = list(values)
    return math.fsum(found) / len(found)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of some values, at least one, as of all that there are."""
    middle = mean(values)
    return math.sqrt(mean((value - middle) ** 2 for value in values))
