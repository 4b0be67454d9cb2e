"""What there is to say of a fit, as data that every format lays out in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runplan.cli.show.text.figures import from_to
from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import percent, show, show_dim
from runplan.engine.fit.fitting import Part
from runplan.engine.fit.forecast import Forecast
from runplan.engine.fit.pack import objective_said
from runplan.engine.fit.selftest import SelfTest
from runplan.engine.fits import FitReport, holds
from runplan.engine.laws.evaluate import accepted

Rows = tuple[tuple[str, ...], ...]
# How many of the runs that are furthest from the form, of the pairs that go together, and of other minima are shown.
WORST, PAIRS, MINIMA = 5, 4, 3
# From here on two constants cannot be told apart by much.
TOGETHER = 0.9
# A share from here on is the whole, but for rounding.
ALL = 0.99
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, rows below it, and sentences below these."""

    title: str
    rows: Rows = ()
    heads: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """All that is said, in order."""

    headline: str
    sections: tuple[Section, ...]


def content(report: FitReport, *, details: bool = False) -> Content:
    """What is said of a fit.

    Args:
        details: Whether all of it is wanted, or what a screen has room for.
    """
    found = report.found
    of = f"the form of `{found.law.name}`" + (f", for `{found.named}`" if found.named != found.law.name else "")
    headline = f"{counted(len(found.runs), 'run')} of {found.table.path}, {of}, counting {_counts(found.counts)}"
    sections: list[Section] = [_profiles(report)] if found.profiles else []
    for part in found.parts:
        sections += _part(part, report, details)
    if report.optimum:
        sections.append(_optimum(report))
    sections += [_asked(given, told, report) for given, told in report.forecasts]
    sections += [_tested(part, tested) for part, tested in report.tested]
    if report.before is not None:
        sections.append(_moved(report))
    if found.findings:
        sections.append(Section("Findings", finding_rows(found.findings)))
    return Content(headline, tuple(sections))


def finding_rows(findings: Iterable[Finding]) -> Rows:
    """A row a finding, and one beneath it for each help."""
    rows: list[tuple[str, ...]] = []
    for found in findings:
        rows += [(found.severity, found.code, found.message), *(("", "", f"help: {help}") for help in found.help)]
    return tuple(rows)


def _counts(counts: str) -> str:
    return {"non_embedding": "params without embeddings", "with_head": "params with the head"}.get(
        counts, f"{counts} params"
    )


def _part(part: Part, report: FitReport, details: bool) -> Iterator[Section]:
    fitted, law = part.fitted, report.law
    best = fitted.minima[0]
    narrow, wide = part.within(0.8), part.within(0.95)
    rows = []
    for name, value in part.constants.items():
        told = [_between(by[name]) if name in by else "not told" for by in (narrow, wide)]
        rows.append((name, f"{value:.6g}", *told, _unit(law.dims.get(name, ()))))
    said = [f"Objective: {objective_said(part)}: {best.value:.12g}."]
    said.append(_searched(part))
    yield Section(f"Constants of `{part.form.output}`", tuple(rows), ("", "value", "80 %", "95 %", "unit"), tuple(said))
    yield Section("How well the form holds", _holds(part), said=(*_together(part), *_next_run(part)))
    if details or not part.exact:
        yield _residuals(part, report, WORST if not details else len(report.found.table))


def _profiles(report: FitReport) -> Section:
    """The parabola of each budget: where it is lowest, and how sure that is."""
    law, rows = report.found.law, []
    assert law.reads is not None, "budgets are of a form that reads minima"
    dims = {name: column.dim for name, column in report.found.runs.columns.items()}
    for one in report.found.profiles:
        budget, sizes = show(one.budget, dims[law.reads.at]), counted(len(set(one.sizes)), "size")
        if one.size is None or one.value is None or one.curvature is None:
            rows.append((budget, sizes, NOTHING, NOTHING, NOTHING, f"left out: {one.left_out}"))
            continue
        error = NOTHING if one.error is None else f"{100 * one.error:.2g} %"
        figures = (show(one.size, dims["params"]), error, f"{one.value:.4g}", f"{one.curvature:.3g}")
        rows.append((budget, sizes, *figures))
    heads = ("budget", "sizes", "best size", "error", f"its {law.reads.of}", "curvature")
    said = (
        "Curvature: by how much the loss grows with the square of ln(size / best). Three sizes tell no error.",
        "Parabolas are off where sizes reach far, or lie to one side of the best: a surface is no parabola.",
    )
    return Section("The lowest point of each budget", tuple(rows), heads, said)


def _searched(part: Part) -> str:
    """From how many starts each minimum was reached, in words that hold where it was met on another's way."""
    best, *others = part.fitted.minima
    starts = f"Search: {part.fitted.starts:,} starts, {f'{len(others) + 1} minima' if others else 'one minimum'}"
    if not others:
        return f"{starts}."
    said = f"{starts}; {best.starts:,} of them lie in the basin of the best"
    if not best.starts:
        said = f"{starts}; the best was reached from the bottom of another's basin, and none of them lies in its own"
    rest = ", ".join(f"{m.value:.6g}" + (f" ({m.starts:,} starts)" if m.starts else "") for m in others[:MINIMA])
    return f"{said}; others at {rest}" + (", and more." if len(others) > MINIMA else ".")


def _holds(part: Part) -> Rows:
    fitted, rows = part.fitted, []
    rms = percent(part.rms) if part.model.log else f"{part.rms:.3g}"
    rows.append(("residuals", rms, "root mean square"))
    if fitted.future_error is not None:
        rows.append(("left out", percent(fitted.future_error), "the largest runs, predicted from the smaller ones"))
    if fitted.noise is not None:
        rows.append(("noise", percent(fitted.noise), "by runs that repeat"))
    if fitted.lack_of_fit is not None:
        ratio, p = fitted.lack_of_fit
        verdict = "more than noise" if p < 0.05 else "no more than noise"
        rows.append(("lack of fit", f"{ratio:.3g}", f"what the form leaves, over the noise: {verdict} (p = {p:.2g})"))
    rows.append(("model error", percent(part.misfit), "in the pack as `misfit`, which widens every forecast"))
    if part.drift:
        said = "more for each e-fold beyond the largest run: in the pack as `drift`"
        rows.append(("", percent(part.drift), said))
    return tuple(rows)


def _together(part: Part) -> Iterator[str]:
    """Constants of which the runs tell one by the other."""
    pairs = [pair for pair in part.together if abs(pair[2]) >= TOGETHER]
    if pairs:
        told = ", ".join(f"{a} and {b} ({r:.3f})" for a, b, r in pairs[:PAIRS])
        yield f"The runs hardly tell apart: {told}, by their correlation."


def _next_run(part: Part) -> Iterator[str]:
    """The run that would help most; where a constant is not told, the finding on that says it."""
    best = part.fitted.next_run
    if best is not None and all(known.identified for known in part.fitted.known):
        run = ", ".join(show(value, dim, 2) for value, dim in part.in_base(best.inputs).values())
        share = (
            "of as much compute as the largest"
            if best.cost > ALL
            else f"of {100 * best.cost:.2g} % of the largest compute"
        )
        yield (
            f"Most would help a run {share}, with {run}: what the constants leave open of a forecast at ten times the "
            f"largest falls from {_off(part, best.before)} to {_off(part, best.after)}."
        )


def _off(part: Part, error: float) -> str:
    return f"{100 * error:.2g} %" if part.model.log else f"{error:.2g}"


def _residuals(part: Part, report: FitReport, most: int) -> Section:
    table, residuals = report.found.table, part.fitted.residuals
    predicted, order = part.predicted, part.furthest[:most]
    inputs = [(q, column) for q, column in part.columns.items() if q != part.form.output]
    rows = []
    for i in order:
        label = table.labels[i] or f"line {table.lines[i]}"
        figures = [show(float(table.values(column)[i]), table.columns[column].dim) for _, column in inputs]
        off = f"{100 * residuals[i]:+.2f} %" if part.model.log else f"{residuals[i]:+.3g}"
        rows.append((label, *figures, f"{part.model.measured[i]:.4g}", f"{predicted[i]:.4g}", off))
    heads = ("run", *(q for q, _ in inputs), "measured", "fitted", "off")
    return Section("Runs furthest from the form" if most == WORST else "Runs", tuple(rows), heads)


def _optimum(report: FitReport) -> Section:
    assert report.budget is not None, "an optimum is at a budget"
    rows = [forecast_row(report.optimum[n]) for n in ("params", "tokens", "loss") if n in report.optimum]
    return Section(f"At the largest budget, {show(report.budget, (('FLOP', 1.0),))}, the best is", tuple(rows))


def _asked(given: Mapping[str, float], told: Mapping[str, Forecast], report: FitReport) -> Section:
    taken = accepted(report.law, report.library)
    at = ", ".join(f"{name} {show(value, taken[name].dim)}" for name, value in given.items())
    beyond = [name for name in given if not _inside(report, name, given[name])]
    said = [f"Beyond the runs: {', '.join(beyond)}."] if beyond else []
    return Section(f"Forecast at {at}", forecasts(told), said=tuple(said))


def _inside(report: FitReport, name: str, value: float) -> bool:
    low, high = report.law.fitted.get(name, (0.0, float("inf")))
    return low <= value <= high


def _tested(part: Part, tested: SelfTest) -> Section:
    rows = [
        (name, *(f"{100 * tested.held[coverage][i]:.0f} %" for coverage in tested.held), f"{tested.bias[i]:+.2f}")
        for i, name in enumerate(part.constants)
    ]
    heads = ("", *(f"in its {100 * coverage:.0f} %" for coverage in tested.held), "off by, in its errors")
    verdict = "as often as they say" if holds(tested) else "less often than they say"
    said = f"{tested.sets - tested.failed} of {tested.sets} sets of runs came to constants; intervals hold {verdict}."
    return Section(
        f"Self-test of `{part.form.output}`: runs made from the fit, and fitted", tuple(rows), heads, (said,)
    )


def _moved(report: FitReport) -> Section:
    assert report.before is not None, "something was there before"
    _, constants = report.before
    rows = [
        (m.name, f"{m.before:.6g}", f"{m.after:.6g}", NOTHING if m.by is None else f"{m.by:+.2f} of its errors")
        for m in constants
    ]
    return Section("Since the pack that this one takes the place of", tuple(rows), ("", "then", "now", "moved by"))


def forecast_row(forecast: Forecast) -> tuple[str, str, str]:
    """What is forecast: its name, the figure, and the interval."""
    low, high = (_figure(end, forecast.dim) for end in (forecast.low, forecast.high))
    # What follows from what is given alone is as sure as that.
    return forecast.name, _figure(forecast.value, forecast.dim), "" if low == high else f"80 %: {from_to(low, high)}"


def _figure(value: float, dim: Dim) -> str:
    return show(value, dim, 4)


def _between(ends: tuple[float, float]) -> str:
    return from_to(*(f"{end:.4g}" for end in ends))


def _unit(dim: Dim) -> str:
    return show_dim(dim) if dim else NOTHING


def forecasts(found: Mapping[str, Forecast]) -> Rows:
    """Rows of what is forecast."""
    return tuple(forecast_row(one) for one in found.values())
