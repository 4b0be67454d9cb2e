"""Shares of sources to the mix of each phase: data of quality late, early or throughout."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.engine.formulate.schedule import Mix, PhasePlan, minus
from runplan.engine.problem import quantities as q


def placed(phases: Sequence[PhasePlan], sources: Sequence[str], good: frozenset[str], where: str) -> list[Mix]:
    """The mix of each phase when good data is placed late, early or throughout; the totals stay those of the sources.

    Late: in the last phase, as at most half of it, or twice their share of all data where that is more; what is left
    over in the others. Early: a higher share at first that falls through the longest phase, the last phase going on
    with what that ends with.
    """
    of = {name: Ref(q.SHARE.of("source", name)) for name in sources}
    even: list[Mix] = [{name: (share, share) for name, share in of.items()} for _ in phases]
    if where == "throughout" or not good or good >= set(sources) or len(phases) < 2:
        return even
    quality = joined("+", (share for name, share in of.items() if name in good))
    ordinary = minus(Num(1.0), quality)
    shares = [phase.part for phase in phases]
    levels = _late(quality, shares) if where == "late" else _early(quality, shares, phases)

    def level(name: str, at: Expr) -> Expr:
        whole = (at, quality) if name in good else (minus(Num(1.0), at), ordinary)
        return Op("/", (Op("*", (whole[0], of[name])), whole[1]))

    return [{name: (level(name, start), level(name, end)) for name in sources} for start, end in levels]


def _late(quality: Expr, shares: Sequence[Expr]) -> list[tuple[Expr, Expr]]:
    # Twice the share that good data have of all: so the last phase has more of them than those before, however many.
    twice = Op("min", (Num(1.0), Op("*", (Num(2.0), quality))))
    most = Op("max", (Ref(q.QUALITY_AT_MOST), twice))
    last: Expr = Op("min", (most, Op("/", (quality, shares[-1]))))
    left = Op("max", (Num(0.0), minus(quality, Op("*", (last, shares[-1])))))
    rest: Expr = Op("/", (left, minus(Num(1.0), shares[-1])))
    return [(rest, rest)] * (len(shares) - 1) + [(last, last)]


def _early(quality: Expr, shares: Sequence[Expr], phases: Sequence[PhasePlan]) -> list[tuple[Expr, Expr]]:
    longest = max(range(len(phases) - 1), key=lambda i: _long(phases[i]))
    half = Op("*", (Num(0.5), shares[longest]))
    before = joined("+", (*shares[:longest], half))
    after = joined("+", (half, *shares[longest + 1 :]))
    low: Expr = Op("*", (Num(0.5), quality))
    high: Expr = Op("/", (minus(quality, Op("*", (low, after))), before))
    # No phase is more than good data: what does not fit at first is seen later.
    full = Op(">", (high, Num(1.0)))
    low = Op("if", (full, Op("/", (minus(quality, before), after)), low))
    high = Op("min", (Num(1.0), high))
    first, falling, last = (high, high), (high, low), (low, low)
    return [*[first] * longest, falling, *[last] * (len(phases) - longest - 1)]


def _long(phase: PhasePlan) -> float:
    """How long a phase is beside others: one that takes the rest is the longest, and shares are longer than amounts."""
    if phase.length is None:
        return 1.0
    return phase.share or 0.0
