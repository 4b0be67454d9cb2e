"""Optima of scaling laws whose form has a closed solution; on floats and, element by element, on numpy arrays."""

from __future__ import annotations

from runplan.dsl.types import Any

# A float, or an array that arithmetic goes through element by element; numpy itself is not needed here.
Number = Any


def optimum_of_two_power_laws(
    c1: Number, p: Number, c2: Number, q: Number, k: Number, budget: Number
) -> tuple[Number, Number]:
    """The x and y that minimise `c1 x^-p + c2 y^-q` subject to `k x y = budget`; a constant added changes nothing.

    At the optimum `p c1 x^-p = q c2 y^-q`: both terms fall equally fast along the budget. Hence, with
    `G = (p c1 / (q c2))^(1 / (p + q))`,

        x = G (budget / k)^(q / (p + q))        y = (budget / k)^(p / (p + q)) / G

    For x = N, y = D, k = 6 this is equation 4 of Hoffmann et al. 2022 (arXiv:2203.15556): `N = G (C / 6)^a`,
    `D = (C / 6)^b / G` with `a = beta / (alpha + beta)` and `b = alpha / (alpha + beta)`.

    Args:
        c1: Coefficient of the first term; like all arguments positive, and any of them may be an array.
        p: Exponent of the first term.
        c2: Coefficient of the second term.
        q: Exponent of the second term.
        k: Cost of one x and one y together.
        budget: What there is to spend.
    """
    g = (p * c1 / (q * c2)) ** (1.0 / (p + q))
    pairs = budget / k
    return g * pairs ** (q / (p + q)), pairs ** (p / (p + q)) / g
