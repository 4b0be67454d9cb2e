"""Runs to what a form of two steps is held to: the best of each budget, by parabolas or by their envelope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.pack import Reads
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import counted
from runplan.dsl.units.show import show
from runplan.engine.fit.heads import header_at, heads_of
from runplan.engine.fit.identify import distinct, in_step
from runplan.engine.fit.lack import Noise
from runplan.engine.fit.read.grid import line_span
from runplan.engine.fit.table import Floats, RunTable

# Budgets that differ by less than this, as a share, are one; what runs spend is seldom to the digit what was planned.
ALIKE = 0.15
# A parabola has three constants; a line through budgets two, and no error of them by fewer points than these.
FEWEST = 3
# Of the envelope: how many points of a tenfold of compute.
PER_TENFOLD = 20
# How many lines a finding names.
NAMED = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """The runs of one budget, and the parabola through them.

    Attributes:
        budget: In base units: what a run of the best size spends, or their middle where there is none.
        rows: Which of the runs.
        sizes, values: Of these runs, in base units.
        along: Of these runs, the logarithm that the parabola is in: of what a token costs, or else of the size.
        fit: The parabola, its highest power first.
        size, value, tokens: At its lowest point; tokens where the runs tell them.
        error, value_error: Standard errors of the logarithms of that size and value; None where three points leave
            nothing to tell them by.
        curvature: By how much the value grows, to second order, for a factor e of the size, at the lowest point.
        left_out: Why there is no lowest point; empty where there is one.
    """

    budget: float
    rows: tuple[int, ...]
    sizes: tuple[float, ...]
    values: tuple[float, ...]
    along: tuple[float, ...]
    fit: tuple[float, ...] = ()
    size: float | None = None
    value: float | None = None
    tokens: float | None = None
    error: float | None = None
    value_error: float | None = None
    curvature: float | None = None
    left_out: str = ""

    def size_at(self, along: float) -> float:
        """The size of a run whose logarithm is that."""
        return float(np.exp(np.interp(along, self.along, np.log(self.sizes))))


@dataclass(frozen=True, slots=True)
class Reduced:
    """What runs were made into.

    Attributes:
        table: A row a budget; None where there are too few.
        profiles: Of minima: of each budget.
        findings: On budgets that were left out.
        noise: Of minima: of the columns of sizes and values, how uncertain all parabolas together leave them.
        coarse: Of an envelope: how far its sizes may lie from the best ones, of which none was run: the standard
            deviation of their logarithm.
    """

    table: RunTable | None
    profiles: tuple[Profile, ...] = ()
    findings: tuple[Finding, ...] = ()
    coarse: float = 0.0
    noise: Mapping[str, Noise] = field(default_factory=dict)


def reduced(table: RunTable, reads: Reads, size: str, source: Source) -> Reduced:
    """The runs of a table as a form of two steps reads them.

    Args:
        size: The column of the sizes; an envelope of the loss alone needs none.
        source: The file that they are from, for findings.
    """
    if reads.how == "minima":
        return _minima(table, reads, size, source)
    reasons = one_line(table, reads.at, size, source) if size in table.columns else ()
    return Reduced(None, (), reasons) if reasons else _envelope(table, reads, size, source)


# ---- parabolas, a budget each


def budgets(values: Floats) -> list[NDArray[np.intp]]:
    """The runs of each budget, the smallest budget first: a gap of more than `ALIKE` parts two."""
    order = np.argsort(values, kind="stable")
    gaps = np.diff(np.log(values[order])) > np.log1p(ALIKE)
    return np.split(order, np.nonzero(gaps)[0] + 1)


def _minima(table: RunTable, reads: Reads, size: str, source: Source) -> Reduced:
    spent, sizes, values = (table.values(name) for name in (reads.at, size, reads.of))
    tokens = tokens_of(table, reads.at)
    profiles = tuple(profile(rows, spent, sizes, values, tokens) for rows in budgets(spent))
    reasons = dict.fromkeys(p.left_out for p in profiles if p.left_out)
    found = tuple(_left_out([p for p in profiles if p.left_out == why], table, reads, source) for why in reasons)
    kept = [p for p in profiles if not p.left_out]
    if len(kept) < FEWEST:
        return Reduced(None, profiles, (*found, _too_few(len(kept), header_at(reads.at, table, source))))
    nearest = [p.rows[int(np.argmin(np.abs(np.log(np.array(p.sizes) / (p.size or 1.0)))))] for p in kept]
    rows = table.rows(np.array(nearest))
    best = {
        reads.at: np.array([p.budget for p in kept]),
        size: np.array([p.size for p in kept]),
        reads.of: np.array([p.value for p in kept]),
    }
    if tokens is not None:
        best["tokens"] = np.array([p.tokens for p in kept])
    noise = {size: _together(kept, [p.error for p in kept]), reads.of: _together(kept, [p.value_error for p in kept])}
    return Reduced(_with(rows, best), profiles, found, noise=noise)


def _together(profiles: Sequence[Profile], errors: Sequence[float | None]) -> Noise:
    """The error of a lowest point by all parabolas: each budget alone leaves a run or two to tell it by."""
    own = [(len(p.rows) - FEWEST, error**2) for p, error in zip(profiles, errors, strict=True) if error is not None]
    freedom = sum(free for free, _ in own)
    return Noise(float(np.sqrt(sum(free * square for free, square in own) / max(freedom, 1))), freedom)


def _with(table: RunTable, best: Mapping[str, Floats]) -> RunTable:
    """The table with other figures in place of its own, and without what no longer goes with them."""
    columns = {name: replace(table.columns[name], values=values) for name, values in best.items()}
    return replace(table, columns=columns, labels=tuple("" for _ in table.lines))


def tokens_of(table: RunTable, spent: str) -> Floats | None:
    """The tokens of runs, by which it is told what one costs; None where they do not stand beside compute."""
    return table.values("tokens") if spent == "compute" and "tokens" in table.columns else None


def profile(
    rows: NDArray[np.intp], spent: Floats, sizes: Floats, values: Floats, tokens: Floats | None = None
) -> Profile:
    """The parabola through the runs of a budget.

    It is in the logarithm of what a token costs where the runs tell that, which is 6 FLOP a param but for small models:
    their params, counted with embeddings, say little of their size. A. Grattafiori et al., The Llama 3 Herd of Models
    (2024), section 3.2.1, have the tokens of a budget on that axis, too.

    Args:
        rows: Which of all runs; the other figures are of all.
        tokens: None where the runs do not tell them: it is in the logarithm of the size, then.
    """
    own = np.log(sizes if tokens is None else spent / tokens)
    order = rows[np.lexsort((sizes[rows], own[rows]))]
    n, x, y, paid = sizes[order], own[order], values[order], np.log(spent[order])
    found = Profile(
        float(np.exp(np.mean(paid))), tuple(order.tolist()), tuple(n.tolist()), tuple(y.tolist()), tuple(x.tolist())
    )
    if (different := len(np.unique(n))) < FEWEST:
        return replace(found, left_out=f"{counted(different, 'size')}, and a parabola needs {FEWEST}")
    middle = float(np.mean(x))
    design = np.vander(x - middle, 3)
    fit, *_ = np.linalg.lstsq(design, y, rcond=None)
    bend, slope, level = (float(c) for c in fit)
    found = replace(found, fit=(bend, slope - 2 * bend * middle, level - slope * middle + bend * middle**2))
    if bend <= 0.0:
        return replace(found, left_out="the loss bends down over the sizes: there is no lowest point")
    at = -slope / (2 * bend)
    if not x[0] < at + middle < x[-1]:
        edge = "smallest" if at + middle <= x[0] else "largest"
        return replace(found, left_out=f"the lowest point lies beyond the {edge} size")
    # By how much the logarithm of the size grows with what the parabola is in, and that of what is spent.
    rise, more = (float(np.polyfit(x - middle, each, 1)[0]) for each in (np.log(n), paid))
    value = level - slope**2 / (4 * bend)
    error = value_error = None
    if len(x) > FEWEST:
        rest = y - design @ fit
        variance = float(rest @ rest) / (len(x) - 3)
        by = np.array([slope / (2 * bend**2), -1 / (2 * bend), 0.0])
        there = np.array([at**2, at, 1.0])  # the value is flat in where it is
        inside = variance * np.linalg.inv(design.T @ design)
        error = abs(rise) * float(np.sqrt(by @ inside @ by))
        value_error = float(np.sqrt(there @ inside @ there)) / value if value > 0.0 else None
    budget = found.budget * float(np.exp(more * at))
    return replace(
        found,
        budget=budget,
        size=found.size_at(at + middle),
        value=value,
        tokens=None if tokens is None else budget / float(np.exp(at + middle)),
        error=error,
        value_error=value_error,
        curvature=2 * bend / rise**2,
    )


def _left_out(profiles: Sequence[Profile], table: RunTable, reads: Reads, source: Source) -> Finding:
    """That budgets are left out, all for one reason."""
    rows = [row for profile in profiles for row in profile.rows]
    lines = ", ".join(str(table.lines[row]) for row in rows[:NAMED]) + (", ..." if len(rows) > NAMED else "")
    first = min(table.lines[row] for row in rows)
    of = [show(profile.budget, table.columns[reads.at].dim) for profile in profiles]
    if len(of) == 1:
        message = f"the budget of {of[0]} is left out: {profiles[0].left_out}"
    else:
        message = f"{len(of)} budgets are left out, {of[0]} to {of[-1]}: of each, {profiles[0].left_out}"
    help = ["runs of more sizes at it, on both sides of the best, would tell it"]
    return finding("F040", message, line_span(source, first), notes=[f"lines {lines}"], help=help)


def _too_few(count: int, at: Span) -> Finding:
    message = f"{counted(count, 'budget')} with a lowest point: a line through them needs {FEWEST} to tell its error"
    help = [
        f"run three sizes or more at each of {FEWEST} budgets or more",
        "a surface such as `--form chinchilla` needs no budgets",
    ]
    return finding("F041", message, at, help=help)


# ---- the envelope


def _envelope(table: RunTable, reads: Reads, size: str, source: Source) -> Reduced:
    """The runs that none beats with as much or less, of those of a small part of a tenfold the best one."""
    spent, values = table.values(reads.at), table.values(reads.of)
    rows = list(_unbeaten(spent, values))
    part = np.floor(np.log10(spent[rows]) * PER_TENFOLD)
    kept = [row for row, own, after in zip(rows, part, [*part[1:], np.inf], strict=True) if own != after]
    if len(kept) < FEWEST:
        return Reduced(None, (), (_few_best(len(kept), header_at(reads.of, table, source)),))
    best = table.rows(np.array(kept))
    if size not in table.columns:
        return Reduced(best)
    if (different := distinct(best.values(size))) < FEWEST:
        columns = {name: column for name, column in best.columns.items() if name != size}
        few = _few_sizes(different, header_at(size, table, source))
        return Reduced(replace(best, columns=columns), (), (few,))
    return Reduced(best, coarse=_coarse(spent, table.values(size), kept))


def _few_sizes(count: int, at: Span) -> Finding:
    message = f"{counted(count, 'size')} on the envelope: how the best size grows cannot be told from that"
    help = [f"run {counted(FEWEST - count, 'other size')} or more, a factor of two apart, at each budget"]
    return finding("F022", message, at, severity="warning", help=help)


def _coarse(spent: Floats, sizes: Floats, kept: Sequence[int]) -> float:
    """How far the best of a few sizes may lie from the best of all, as a standard deviation of the logarithm.

    The best of all lies about halfway to the next size on either side, at most, and anywhere between: that of an even
    distribution. Where each budget has the same grid of sizes, it is the same way off in all of them.
    """
    apart = []
    for row in kept:
        there = np.unique(np.log(sizes[np.abs(np.log(spent / spent[row])) <= ALIKE]))
        if len(there) > 1:
            apart.append(float(np.mean(np.diff(there))))
    return float(np.median(apart)) / 12**0.5 if apart else 0.0


def one_line(table: RunTable, spent: str, size: str, source: Source) -> tuple[Finding, ...]:
    """Why runs have no envelope: each size has a budget of its own, and the best size is what was chosen for it."""
    if len(table) < FEWEST:
        return ()
    heads = heads_of({spent: spent, size: size}, table, source)
    return tuple(in_step(spent, table.values(spent), size, table.values(size), heads))


def _unbeaten(spent: Floats, values: Floats) -> Iterator[int]:
    best = np.inf
    for row in np.lexsort((values, spent)).tolist():
        if values[row] < best:
            best = values[row]
            yield row


def _few_best(count: int, at: Span) -> Finding:
    message = f"{counted(count, 'run')} is on the envelope: a line through it needs {FEWEST} to tell its error"
    return finding("F041", message, at, help=["a run counts where no other reaches its loss with less"])
