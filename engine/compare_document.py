"""A comparison to its document, `plan.compare/v1`, plain data that JSON and other programs read."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.dsl.packs.pack import rows_of
from runplan.engine.compare import Comparison
from runplan.engine.compare_rows import TOKENS_PER_PARAM, Column, Row, row
from runplan.engine.document import DIGITS, LISTED, NOISE, amount, finding_document, quantity


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
        "reasons": [{"kind": why.kind, "about": list(why.about), "text": why.text} for why in comparison.reasons],
        "findings": [finding_document(finding) for finding in comparison.findings],
    }


def rows(columns: tuple[Column, ...]) -> Iterator[Row]:
    """The quantities that are compared, in the order of a plan's report."""
    known = {name: q for column in columns for name, q in column.solution.problem.quantities.items()}
    for name in rows_of(known, *LISTED):
        if found := row(columns, name):
            yield found
        if name == "tokens" and (found := row(columns, TOKENS_PER_PARAM)):
            yield found


def rounded(value: float) -> float:
    """A plain number without the solver's rounding."""
    return float(f"{value:.{DIGITS}g}") if abs(value) > NOISE else 0.0


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
    least = comparison.least_worst
    return {
        "judges": [comparison.columns[judge].name for judge in comparison.judges],
        "choices": choices if comparison.judges else [],
        "least_worst": None if least is None else comparison.columns[least].name,
    }
