"""Columns of runs into what they are not, by their figures: tokens, losses, runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.words import counted, cut
from runplan.engine.fit.lack import ranks
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.choose import Chosen, by_column
from runplan.engine.fit.read.grid import Grid
from runplan.engine.fit.read.rows import Mask, told

# With fewer runs a pattern may be chance.
FEWEST = 8
# A rank correlation with size as large as this, and as many of its standard errors, is none of a loss.
RISES, SURE = 0.5, 2.5
# So few of the others, and so many times from the next of them, runs are that are the other way round.
FEW, AWAY = 0.15, 5.0
# What says how large a run is, the first choice first.
SIZE = ("compute", "tokens", "params")
# A step that is taken every so many of the rows.
POINTS = 0.9


def mistaken(grid: Grid, columns: Mapping[str, Chosen], kept: Mask, asked: Asked) -> Iterator[Finding]:
    """What the figures of the rows that are kept say of the names of their columns."""
    if kept.sum() < FEWEST or asked.log:
        return
    yield from _swapped(grid, columns, kept, asked)
    yield from _rises(grid, columns, kept, asked)
    yield from _one_run(grid, columns, kept, asked)


def _swapped(grid: Grid, columns: Mapping[str, Chosen], kept: Mask, asked: Asked) -> Iterator[Finding]:
    """Fewer tokens than params in each run: nobody trains so, and the two columns are the other way round."""
    names = ("params", "tokens")
    if any(name not in columns or columns[name].place < 0 or name in asked.columns for name in names):
        return
    params, tokens = (columns[name] for name in names)
    sizes, data = (one.figures.values[kept] for one in (params, tokens))
    known = (sizes > 0) & (data > 0)
    ratio = data[known] / sizes[known]
    if not len(ratio) or "tokens" not in asked.needs:
        return
    if not (ratio < 1.0).all():
        yield from _swapped_in(grid, params, tokens, kept)
        return
    own = [grid.headers[one.place] for one in (params, tokens)]
    one, other = map(cut, own)
    yield finding(
        "F016",
        f"each run has fewer tokens than params, {ratio.min():.2g} to {ratio.max():.2g} a param: `{one}` and "
        f"`{other}` seem to be the other way round",
        grid.header(params.place),
        also=[Label(grid.header(tokens.place), "and this one")],
        help=[
            f"if they are: `{by_column('params', own[1])} {by_column('tokens', own[0])}`",
            f"if they are not: `{by_column('params', own[0])} {by_column('tokens', own[1])}`",
        ],
    )


def _swapped_in(grid: Grid, params: Chosen, tokens: Chosen, kept: Mask) -> Iterator[Finding]:
    """Few runs of fewer tokens than params, far from all others, which the other way round are among them."""
    sizes, data = params.figures.values, tokens.figures.values
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(kept & (sizes > 0) & (data > 0), data / sizes, np.nan)
    odd = ratio < 1.0
    usual = np.isfinite(ratio) & ~odd
    if not odd.any() or odd.sum() > FEW * usual.sum() or ratio[odd].max() * AWAY > ratio[usual].min():
        return
    low, high = ratio[usual].min() / 2, ratio[usual].max() * 2
    rows = np.nonzero(odd & (1 / ratio > low) & (1 / ratio < high))[0]
    if not len(rows):
        return
    own = [grid.headers[one.place] for one in (params, tokens)]
    yield told(
        "F016",
        f"of {ratio[rows].min():.2g} tokens a param, where all others have {ratio[usual].min():.2g} and more: "
        f"`{cut(own[0])}` and `{cut(own[1])}` seem to be the other way round there",
        [grid.lines[int(row)] for row in rows],
        [grid.at(int(row), params.place) for row in rows],
        help=[
            "exchange the two there, or leave the run out: begin its line with `#`",
            f"if it is as it says: `{by_column('params', own[0])} {by_column('tokens', own[1])}`",
        ],
    )


def _rises(grid: Grid, columns: Mapping[str, Chosen], kept: Mask, asked: Asked) -> Iterator[Finding]:
    """A loss that grows with the size of runs is none."""
    loss, size = columns.get("loss"), next((name for name in SIZE if name in columns), "")
    if loss is None or loss.place < 0 or not size or "loss" not in asked.needs or "loss" in asked.columns:
        return
    values, spent = loss.figures.values[kept], columns[size].figures.values[kept]
    both = np.isfinite(values) & np.isfinite(spent)
    if both.sum() < FEWEST or np.ptp(values[both]) == 0 or np.ptp(spent[both]) == 0:
        return
    along = float(np.corrcoef(ranks(values[both]), ranks(spent[both]))[0, 1])
    if along < RISES or along * np.sqrt(both.sum() - 1) < SURE:
        return
    header = cut(grid.headers[loss.place])
    yield finding(
        "F016",
        f"`{header}` grows with `{size}`, by a rank correlation of {along:+.2f}: a loss falls, and this may be a score",
        grid.header(loss.place),
        help=[
            "name the column of the loss: `--column loss=HEADER`, or "
            f"`{by_column('loss', grid.headers[loss.place])}` if it is one",
            "a score has a form of its own, in a file: `--form mine.plan`",
        ],
        data={"correlation": along},
    )


def _one_run(grid: Grid, columns: Mapping[str, Chosen], kept: Mask, asked: Asked) -> Iterator[Finding]:
    """Points of one curve: its steps go up from row to row, and nothing else tells one row from another."""
    steps = columns.get("steps")
    if steps is None or steps.place < 0 or "loss" not in asked.needs or not _is_size(asked):
        return
    of_run = [
        columns[name] for name in ("params", "params_non_embedding", "batch", "layers", "hidden") if name in columns
    ]
    if any(np.ptp(one.figures.values[kept]) > 0 for one in of_run):
        return
    up = np.diff(steps.figures.values[kept]) > 0
    if up.mean() < POINTS:
        return
    yield finding(
        "F017",
        f"{counted(int(kept.sum()), 'row')} are points of one run, whose `{cut(grid.headers[steps.place])}` goes up: "
        "each is fitted as a run that ended there",
        grid.header(steps.place),
        help=[
            "a loss in the middle of a schedule lies above where the run would end: take the last row of each run",
            "along a schedule: `--form form.annealing.tissue2024`; against its plan: `plan track`",
        ],
    )


def _is_size(asked: Asked) -> bool:
    return bool({"tokens", "compute", "params", "params_non_embedding"} & {*asked.needs})
