"""A report to how much the size matters: the sizes that lose little at the plan's compute, and what others cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.cli.show.report.under import by_law, under
from runplan.cli.show.text.content import NOTHING, Cell, Chart, Section, Stretch, table
from runplan.cli.show.text.curve import between
from runplan.cli.show.text.figures import bare, per_cent
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import number
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.analysis.band import COMPUTE, NATS, Band
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

_PARAM, _TOKEN, _FLOP = (unit(name).dim for name in ("param", "token", "FLOP"))
_LITTLE_LOSS = f"{NATS:g} nats"
_LITTLE_COMPUTE = f"{COMPUTE:.0%} compute"
# What a law counts, where it is not all params.
_COUNTED = (
    ("non_embedding", "without embeddings"),
    ("with_head", "without the input's embeddings"),
    ("active", "that are active"),
)
# The sizes of the table, as shares of the optimum.
_SIZES = (0.5, 2 / 3, 1.0, 1.5, 2.0)
# What is nearer to the optimum, or to its compute, is as good as there.
_SAME = 0.005
_NONE = 1e-6
# A regret that is worth a word.
_SHOWN = 5e-4


def sections(report: Report) -> Iterator[Section]:
    """The band of each law that has one; a chart, and what other sizes cost, under the first of them."""
    found = [(solution, band) for solution, band in zip(report.solutions, report.bands, strict=False) if band]
    if not found:
        return
    solution, band = found[0]
    columns = [_summary(*pair) for pair in found]
    labels = ("optimum", "its loss", f"within {_LITTLE_LOSS}", f"within {_LITTLE_COMPUTE}", "the plan's size")
    rows = [(label, *cells) for label, *cells in zip((*labels, "its regret"), *columns, strict=True)]
    yield Section(
        "Size" if len(found) > 1 else under(report, "Size", solution),
        by_law([solution for solution, _ in found], rows),
        chart=_chart(solution, band, named=len(found) > 1),
        said=tuple(_said(solution, band)),
        notes=tuple(_notes(found)),
    )
    yield _others(report, solution, band)


def in_a_line(report: Report) -> Iterator[str]:
    """How much the size matters, under the first law that says it."""
    found = [(solution, band) for solution, band in zip(report.solutions, report.bands, strict=False) if band]
    for solution, band in found[:1]:
        law = f"Under `{plain(solution.law)}` the" if len(report.solutions) > 1 else "The"
        counted = dict(_COUNTED).get(solution.problem.law.counts, "")
        optimum = f"{_size(band.optimum)}{f' params {counted}' if counted else ''}"
        low, high = map(_size, band.by_loss)
        regret = number(solution, "regret") or 0.0
        costs = f"; the plan's takes {_share(regret)} more compute for its loss" if regret > _SHOWN else ""
        far = " and takes more tokens than there are" if _out_of_reach(solution, band) else ""
        joined = "; " if far else ", and "
        yield f"{law} optimum is {optimum}{far}{joined}{low} to {high} lose less than {_LITTLE_LOSS} to it{costs}."


def _summary(solution: Solution, band: Band) -> tuple[str, ...]:
    size = number(solution, "law_params") or 0.0
    regret = number(solution, "regret")
    times = size / band.optimum
    apart = "" if abs(times - 1) < _SAME else f", {times:.2g}x the optimum"
    return (
        _size(band.optimum),
        f"{band.loss:.4f}",
        _between(band.by_loss),
        _between(band.by_compute),
        f"{_size(size)}{apart}",
        NOTHING if regret is None else "none" if regret < _NONE else f"{_share(regret)} more compute",
    )


def _said(solution: Solution, band: Band) -> Iterator[str]:
    """Why the optimum is out of reach, where it is."""
    if _out_of_reach(solution, band):
        wanted, have = show(band.tokens(band.optimum), _TOKEN), show(_most_tokens(solution), _TOKEN)
        yield f"The optimum is out of reach: it takes {wanted}, and the plan's data give {have}."


def _out_of_reach(solution: Solution, band: Band) -> bool:
    return band.tokens(band.optimum) > _most_tokens(solution) * (1 + _SAME)


def _notes(found: Sequence[tuple[Solution, Band]]) -> Iterator[str]:
    yield "The optimum is the law's own at the plan's compute, before any requirement."
    yield "Regret is compute beyond the least for the loss that the plan reaches."
    if any(number(solution, "inference_tokens") for solution, _ in found):
        yield "Both are of training alone; the inference makes smaller sizes cheaper."
    for counts, said in _COUNTED:
        laws = [f"`{plain(s.law)}`" for s, _ in found if s.problem.law.counts == counts]
        if laws:
            yield f"Under {' and '.join(laws)} the sizes here are params {said}."


def _others(report: Report, solution: Solution, band: Band) -> Section:
    """The table of a few sizes around the optimum."""
    most = _most_tokens(solution)
    losses = [(point.params, point.loss) for point in band.points]
    regrets = [(point.params, point.regret) for point in band.points]
    sizes = [(share, share * band.optimum) for share in _SIZES]
    beyond = [band.tokens(size) > most * (1 + _SAME) for _, size in sizes]
    lines = []
    for (share, size), is_beyond in zip(sizes, beyond, strict=True):
        x = math.log(size)
        regret = 0.0 if share == 1 else between(regrets, x)
        tokens = Cell(bare(show(band.tokens(size), _TOKEN)), mark=("*" if is_beyond else "") if any(beyond) else None)
        lines.append(
            (
                "optimum" if share == 1 else f"{share:.2g}x",
                _size(size),
                tokens,
                f"{between(losses, x) or band.loss:.4f}",
                "none is enough" if regret is None else f"+{_share(regret)}" if regret else "0%",
            )
        )
    notes = [f"All at {show(band.compute, _FLOP)}. Extra compute: what the size takes more for the optimum's loss."]
    if any(beyond):
        notes.append("* More tokens than the plan's data give.")
    heads = ("size", "params", "tokens", "loss", "extra compute")
    return Section(under(report, "Other sizes", solution), table(lines, heads, figures=True), notes=tuple(notes))


def _chart(solution: Solution, band: Band, named: bool) -> Chart:
    """Loss against size at the plan's compute; `named` where the title says under which law."""
    where = f", under {plain(solution.law)}" if named else ""
    return Chart(
        f"loss, nat/token, against params at {show(band.compute, _FLOP)}{where}",
        _PARAM,
        tuple((point.params, point.loss) for point in band.points),
        (band.optimum, band.loss),
        number(solution, "law_params") or band.optimum,
        tuple(
            Stretch(*ends, f"within {little}", little)
            for ends, little in ((band.by_loss, _LITTLE_LOSS), (band.by_compute, _LITTLE_COMPUTE))
        ),
    )


def _most_tokens(solution: Solution) -> float:
    """Tokens that the plan's data give at most."""
    most = math.inf
    for source in solution.sources:
        found = solution.within(("source", source))
        there, epochs, share = (found.get(key) for key in ("available", "max_epochs", "share"))
        if there and epochs and share and share.value:
            most = min(most, there.value * epochs.value / share.value)
    return most


def _size(params: float) -> str:
    return bare(show(params, _PARAM))


def _between(ends: tuple[float, float]) -> str:
    return f"{_size(ends[0])} {NOTHING} {_size(ends[1])}"


def _share(value: float) -> str:
    return "<0.01%" if value < 5e-5 else per_cent(float(f"{value:.2g}"))
