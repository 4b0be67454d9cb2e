"""A ladder as data for people: its runs, the designs side by side, what it costs, and how to read it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from runplan.cli.show.text.content import NOTHING, Cell, Table, table
from runplan.cli.show.text.figures import bare, figure, from_to, per_cent
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.text.words import counted
from runplan.dsl.units.base import FLOP, PARAM, TIME, TOKEN
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.documents.ladder import TOTALS
from runplan.engine.ladder.designs import DESIGNS
from runplan.engine.ladder.ladder import NOISE_SOURCE, Compared, Ladder, Small
from runplan.engine.problem import quantities as q


@dataclass(frozen=True, slots=True)
class Content:
    """All that is said of a ladder for people, safe to print.

    Attributes:
        headline: What its runs will tell of the flagship, in a line that stands alone.
        runs: One row a run.
        designs: One row a design within the same budget.
        totals: What all runs come to, beside the flagship.
        findings: Severity, code, what is said, and of how many runs.
        notes: How to read it.
    """

    path: str
    what: str
    headline: str
    runs: Table
    designs: Table
    totals: Table
    findings: Table
    notes: tuple[str, ...]


def content(ladder: Ladder) -> Content:
    """All that there is to say of a ladder."""
    return Content(
        path=plain(ladder.flagship.plan.source.path),
        what=f"{counted(len(ladder.runs), 'run')} by design `{ladder.design}`",
        headline=_headline(ladder),
        runs=_runs(ladder),
        designs=table(map(_design, *zip(*((ladder, one) for one in ladder.compared), strict=True)), _DESIGN_HEADS,
                      figures=True),
        totals=table(_totals(ladder), ("", "ladder", "flagship", "share"), figures=True),
        findings=table(_findings(ladder), ("severity", "code", "finding"), wrap=2),
        notes=tuple(map(plain, _notes(ladder))),
    )  # fmt: skip


def _headline(ladder: Ladder) -> str:
    spent = sum(run.value(q.COMPUTE) or 0.0 for run in ladder.runs) / ladder.flagship.compute
    width = ladder.chosen.width
    told = f"{per_cent(spent)} of the flagship's compute"
    if not width.loss.is_told:
        return f"{told}, and they do not tell its loss: a direction of the law's constants stays open"
    return f"{told} tells its loss to {width.loss.low:.3f} {NOTHING} {width.loss.high:.3f} nat/token (80 %)"


# ---- the runs


def _runs(ladder: Ladder) -> Table:
    columns = ["run", "layers", "hidden", "heads", "params", "tokens", "D/N", "batch", "steps", "warmup", "rate"]
    columns += ["compute", "loss"]
    priced = ladder.total(q.COST) is not None
    timed = ladder.seconds is not None
    columns += [*(["GPUs", "time"] if timed else []), *(["cost"] if priced else [])]
    return table((_row(ladder, run, timed, priced) for run in ladder.runs), tuple(columns), figures=True)


def _row(ladder: Ladder, run: Small, timed: bool, priced: bool) -> Iterator[str]:
    settings, known = run.settings, run.solution.problem.quantities
    shape = run.shape
    params = run.value(q.PARAMS) or math.nan
    yield plain(run.name)
    heads = str(shape["heads"]) if shape["heads"] == shape["kv_heads"] else f"{shape['heads']}/{shape['kv_heads']}"
    yield from (str(shape["layers"]), str(shape["hidden"]), heads)
    yield bare(show(params, PARAM))
    yield bare(show(settings.tokens, TOKEN))
    yield f"{settings.tokens / params:.3g}"
    yield bare(show(settings.batch, TOKEN, 3))
    yield f"{settings.steps:,}"
    yield f"{run.warmup:,}"
    rate = settings.learning_rate
    yield NOTHING if rate is None else figure("learning_rate", rate, (), known)
    yield f"{run.value(q.COMPUTE) or math.nan:.3g}"
    yield f"{run.loss:.3f}"
    if timed:
        yield f"{run.gpus:,}"
        yield _said(run, q.TIME)
    if priced:
        yield _said(run, q.COST)


def _said(run: Small, name: Name) -> str:
    value = run.solution.values.get(name)
    return NOTHING if value is None else plain(show(value.value, value.dim, 3))


# ---- the designs

_DESIGN_HEADS = ("design", "runs", "sizes", "largest run", "flagship's loss", "±", "1st order", "its best size")


def _design(ladder: Ladder, one: Compared) -> tuple[Cell, ...]:
    name = Cell(one.design, mark="*" if one.design == ladder.design else "")
    if one.why_not:
        return (name, *(Cell(NOTHING) for _ in _DESIGN_HEADS[1:]))
    figures = (str(len(one.runs)), str(one.sizes), show(one.largest, FLOP, 3))
    loss, size = one.width.loss, one.width.size
    if not loss.is_told:
        return (name, *map(Cell, figures), *(Cell("not told") for _ in _DESIGN_HEADS[4:]))
    first = loss.half_to_first_order(ladder.loss)
    sizes = from_to(bare(show(size.low, PARAM, 3)), bare(show(size.high, PARAM, 3))) if size.is_told else "not told"
    told = (f"{loss.low:.3f} {NOTHING} {loss.high:.3f}", f"{loss.half:.4f}", f"{first:.4f}", sizes)
    return (name, *map(Cell, (*figures, *told)))


# ---- what it costs


def _totals(ladder: Ladder) -> Iterator[tuple[str, ...]]:
    """What all runs come to, beside the flagship; what the flagship has none of stands alone."""
    solution = ladder.flagship.solution
    for name in TOTALS:
        own = ladder.total(name)
        if own is not None:
            dim = ladder.runs[0].solution.values[name].dim
            yield _total(name.text.replace("_", "-" if name == q.GPU_HOURS else " "), own, solution.get(name), dim)
    if ladder.seconds is not None:
        yield _total("time, side by side", ladder.seconds, solution.get(q.TIME), TIME)


def _total(name: str, own: float, whole: float | None, dim: Dim) -> tuple[str, ...]:
    beside = (NOTHING, NOTHING) if whole is None else (plain(show(whole, dim, 3)), per_cent(own / whole))
    return (name, plain(show(own, dim, 3)), *beside)


# ---- how to read it


def _findings(ladder: Ladder) -> Iterator[tuple[str, ...]]:
    for one in ladder.warned():
        of = "every run" if len(one.runs) == len(ladder.runs) else counted(len(one.runs), "run")
        yield one.first.severity, one.first.code, plain(f"{of}, such as {one.runs[0]}: {one.first.message}")


def _notes(ladder: Ladder) -> Iterator[str]:
    flagship, asked = ladder.flagship, ladder.asked
    if flagship.stage:
        yield f"Of stage `{flagship.stage}`, the one that is trained from scratch: all shares are of its compute."
    if flagship.instead_of:
        others = " and ".join(f"`{name}`" for name in flagship.instead_of)
        yield f"Not {others}, with no loss over size and tokens: `{flagship.solution.resolved}`; `--law` says another."
    for one in ladder.compared:
        said = f": {one.why_not}" if one.why_not else ""
        yield f"`{one.design}`: {DESIGNS[one.design]}{said}."
    far = flagship.compute / ladder.chosen.largest
    yield (
        f"The flagship is {far:,.3g} times the largest run: as far as the law itself holds there, which no small run "
        f"tells. The widths are of {asked.draws:,} ladders simulated by `{flagship.solution.resolved}` (seed "
        f"{asked.seed}), each fitted as `plan fit` fits, and beside them to first order; a loss is off by "
        f"{per_cent(ladder.noise)}{NOISE_SOURCE if asked.noise is None else ', as `--noise` says'}."
    )
    if asked.share is None:
        yield f"{per_cent(ladder.share)} of the flagship's compute: not given; `--share` says another."
    yield f"Proportions of {ladder.family.name} ({ladder.family.source}); each size is counted exactly."
    if ladder.settings_by:
        by = " and ".join(f"`{name}`" for name in ladder.settings_by)
        yield f"Batch and rate by {by}, the batch a power of two of sequences; L001 says where beyond its range."
    if ladder.seconds is not None:
        yield "Times at the MFU of the plan, or at what runs reach: small models reach less, most of all on many GPUs."
    yield "`loss` is what the law expects of each run. Write the runs out by `--out ladder.csv` and `--plans DIR`."
