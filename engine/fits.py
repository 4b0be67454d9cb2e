"""A file of runs and the name of a form into a fit, the pack that it makes, and what that pack says."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.law_check import checked
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text.reader import Files, Reader
from runplan.engine.fit.fitting import LawFit, Part
from runplan.engine.fit.forecast import Forecast, forecast
from runplan.engine.fit.moved import Moved
from runplan.engine.fit.pack import Origin, goldens_of, pack_text
from runplan.engine.fit.selftest import SelfTest
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.laws.form import Refused

PACK = "fitted.plan"


@dataclass(frozen=True)
class FitReport:
    """A fit, and what is said of it.

    Attributes:
        law: As its pack says it.
        text: Of the pack.
        forecasts: What it gives at inputs that were asked about, with these.
        before: The law that the pack takes the place of, and the constants of both; None where there is none.
        tested: Runs made from the fit, and how often intervals held; empty where it was not asked.
        optimum: What the law makes of the largest budget of the runs; empty where it has no best size.
        budget: That budget, in FLOP; None where the runs tell none.
    """

    found: LawFit
    law: Law
    library: Library
    text: str
    optimum: Mapping[str, Forecast]
    budget: float | None
    forecasts: tuple[tuple[Mapping[str, float], Mapping[str, Forecast]], ...] = ()
    before: tuple[Law, tuple[Moved, ...]] | None = None
    tested: tuple[tuple[Part, SelfTest], ...] = ()


def holds(tested: SelfTest) -> bool:
    """Whether every set of runs came to constants, and intervals hold as often as they say, up to chance."""
    return not tested.failed and all(tested.sure(coverage) for coverage in tested.held)


def report_of(found: LawFit, origin: Origin, library: Library) -> FitReport:
    """A fit with its pack, which is read again as any pack is."""
    law = read_back(pack_text(found, origin), library)
    values = [("first", *_at(found, law, library, 0)), ("last", *_at(found, law, library, -1))]
    budget = found.budget
    best = {} if budget is None else _optimum(law, budget, library)
    if best and budget is not None:
        values.append(("optimum", {"compute": budget}, best))
    lines = goldens_of(law, library, [value for value in values if value[2]])
    text = pack_text(found, origin, lines)
    law = read_back(text, library)
    optimum = forecast(law, {"compute": budget}, library) if best and budget is not None else {}
    return FitReport(found, law, library, text, optimum, budget)


def ahead(report: FitReport, times: float) -> Mapping[str, Forecast]:
    """What a fit forecasts at so many times the largest budget of its runs; nothing where it has no best size."""
    if report.budget is None:
        return {}
    try:
        return forecast(report.law, {"compute": times * report.budget}, report.library)
    except Refused:
        return {}


def read_back(text: str, library: Library) -> Law:
    """The law of a pack that was just written."""
    (law,) = laws_in(PACK, Files({PACK: text}), library)
    checked_, wrong = checked(law)
    assert not wrong, f"{wrong[0]!r} in {text}"
    return checked_


def laws_in(path: str, reader: Reader, library: Library) -> tuple[Law, ...]:
    """The laws of a file as it writes them.

    Raises:
        OSError: Where it cannot be read.
    """
    file, _ = read_file(path, reader)
    return lower(file, library.vocabulary()).pack.laws


def _at(found: LawFit, law: Law, library: Library, row: int) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """The inputs of a run, by the order of what was spent on it, and what the law gives there."""
    part = found.parts[0]
    at = found.by_size[row]
    given = {quantity: float(found.table.values(column)[at]) for quantity, column in part.columns.items()}
    given.pop(part.form.output)
    outputs = evaluate(law, given, catalogue=library).outputs
    return given, {part.form.output: outputs[part.form.output].value}


def _optimum(law: Law, budget: float, library: Library) -> Mapping[str, float]:
    try:
        outputs = evaluate(law, {"compute": budget}, catalogue=library).outputs
    except Refused:
        return {}
    return {name: outputs[name].value for name in ("params", "tokens", "loss") if name in outputs}
