"""A comparison to its document, `plan.compare/v1`, plain data that JSON and other programs read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.dsl.packs.quantities import Quantities
from runplan.engine.comparison.compare import Comparison
from runplan.engine.comparison.rows import TOKENS_PER_PARAM, Column, Row, row
from runplan.engine.decide.candidates import Measure
from runplan.engine.decide.flips import Flip
from runplan.engine.decide.knowing import Fate
from runplan.engine.decide.laws import UnderLaws
from runplan.engine.documents.check import finding_document
from runplan.engine.documents.decision import flip_document, knowing_document
from runplan.engine.documents.figures import amount, quantity, rounded
from runplan.engine.problem.told import LISTED


def document(comparison: Comparison) -> dict[str, object]:
    """The whole of a comparison; a cell that does not apply is null."""
    columns = comparison.columns
    return {
        "schema": "plan.compare/v1",
        "by": comparison.by,
        "columns": [_column(column) for column in columns],
        "rows": [_row(columns, found) for found in rows(columns)],
        "losses": {"comparable": not comparison.losses, "why": comparison.losses},
        "regret": _regret(comparison),
        "decision": _decision(comparison),
        "reasons": [{"kind": why.kind, "about": list(why.about), "text": why.text} for why in comparison.reasons],
        "findings": [finding_document(finding) for finding in comparison.findings],
    }


def rows(columns: tuple[Column, ...]) -> Iterator[Row]:
    """The quantities that are compared, in the order of a plan's report."""
    known = Quantities(pair for column in columns for pair in column.solution.problem.quantities.items())
    for name in known.rows(*LISTED):
        if found := row(columns, name):
            yield found
        if name == "tokens" and (found := row(columns, TOKENS_PER_PARAM)):
            yield found


def _column(column: Column) -> dict[str, object]:
    report, solution = column.report, column.solution
    return {
        "name": column.name,
        "file": report.source.path,
        "title": report.plan.title if report.plan else "",
        "law": solution.law,
        "resolved": solution.resolved,
        "status": solution.status,
        "corpus": solution.problem.law.corpus,
        "counts": solution.problem.law.counts or "total",
        "binding": list(solution.binding),
        "off_line": None if solution.off_line is None else rounded(solution.off_line),
    }


def _row(columns: tuple[Column, ...], found: Row) -> dict[str, object]:
    cells: list[dict[str, object] | None] = []
    for column, value, dim in zip(columns, found.values, found.dims, strict=True):
        there = column.solution.quantity(found.quantity)
        cell = None if value is None else quantity(there) if there else amount(value, dim)
        if cell is not None and (factor := column.beyond.get(found.quantity)):
            cell["beyond"] = rounded(factor)
        cells.append(cell)
    return {
        "quantity": found.quantity,
        "values": cells,
        "spread": None if found.spread is None else rounded(found.spread),
        "within": None if found.within is None else rounded(found.within),
    }


def _regret(comparison: Comparison) -> dict[str, object]:
    choices = []
    for i, column in enumerate(comparison.columns):
        under: dict[str, object] = {}
        for judge, verdict in zip(comparison.judges, comparison.verdicts[i], strict=True):
            name = comparison.columns[judge].name
            loss = comparison.columns[judge].solution.quantity("loss")
            found = amount(verdict.loss, loss.dim) if verdict and loss else None
            under[name] = {"regret": rounded(verdict.regret), "loss": found} if verdict else None
        worst = comparison.worst(i)
        choices.append({"choice": column.name, "under": under, "worst": None if worst is None else rounded(worst)})
    least, knowing = comparison.least_worst, comparison.knowing_law
    return {
        "judges": [comparison.columns[judge].name for judge in comparison.judges],
        "choices": choices if comparison.judges else [],
        "least_worst": None if least is None else comparison.columns[least].name,
        "knowing_law": None if knowing is None else rounded(knowing),
    }


def _decision(comparison: Comparison) -> dict[str, object] | None:
    """What to choose, where that changes, and what is worth knowing; null where there is nothing to choose by."""
    decision = comparison.decision
    if decision is None:
        return None
    names = [column.name for column in comparison.columns]
    out: dict[str, object] = {
        "by": str(decision.measure.name) if decision.measure else "worst regret",
        "choice": _called(names, decision.choice),
        "flips": [_flip(names, decision.choice, flip) for flip in decision.flips],
    }
    known, measure = decision.knowing, decision.measure
    if decision.laws is not None and measure is not None:
        out["laws"] = _under_laws(names, decision.laws, measure)
    if known is not None and measure is not None:
        out["draws"] = len(known.rows)
        out["over_draws"] = _called(names, known.choice)
        fates = zip(names, known.fates, strict=True)
        out["plans"] = [{"plan": name, **_fate(fate, measure)} for name, fate in fates]
        out |= knowing_document(known, measure)
    return out


def _under_laws(names: Sequence[str], found: UnderLaws, measure: Measure) -> dict[str, object]:
    """What choosing each plan costs under each law."""

    def told(value: float | None) -> dict[str, object] | None:
        return None if value is None else amount(value, measure.dim)

    return {
        "best": {law: names[best] for law, best in zip(found.laws, found.best, strict=True)},
        "regrets": [
            {"plan": name, "under": dict(zip(found.laws, map(told, row), strict=True)), "worst": told(found.worst(i))}
            for i, (name, row) in enumerate(zip(names, found.regrets, strict=True))
        ],
        "least_worst": _called(names, found.least_worst),
        "knowing_law": told(found.knowing_law),
    }


def _called(names: Sequence[str], index: int | None) -> str | None:
    return None if index is None else names[index]


def _flip(names: Sequence[str], now: int | None, flip: Flip) -> dict[str, object]:
    choose = {"choose": _called(names, flip.choose), "instead_of": _called(names, now)}
    return flip_document(flip, _called(names, flip.input.of), choose)


def _fate(fate: Fate, measure: Measure) -> dict[str, object]:
    regrets = {"regret": fate.regret, "regret_90": fate.far}
    told = {key: amount(value, measure.dim) for key, value in regrets.items() if math.isfinite(value)}
    return {"holds": rounded(fate.holds), "best": rounded(fate.best), **told}
