"""The report of a solved plan as data: the verdict first, then what it rests on, whatever the format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runplan.cli.show.report import run, size, stages
from runplan.cli.show.report.notes import notes
from runplan.cli.show.report.under import under
from runplan.cli.show.text.content import NOTHING, Cell, Line, Mood, Section, Table, table
from runplan.cli.show.text.figures import bare, figure, interval
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import BUDGET_LABELS, HEADLINE, known_of, label, number
from runplan.dsl.packs.pack import rows_of
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted
from runplan.dsl.units.show import show
from runplan.engine.document import told
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

_COMMENT = re.compile(r"(?:^|[ \t])#.*", re.MULTILINE)
_STATUS: dict[str, Mood] = {"solved": "good", "undecided": "doubtful", "infeasible": "bad"}
_NO_ROOM = "no change of this alone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the plan holds under its first law: a mood, a word, and a line that stands alone."""

    mood: Mood
    word: str
    said: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that a report for people says, safe to print.

    Attributes:
        title: The plan's; empty where it is but the file's name.
        budget: What there is, and what it costs: a name and a figure a row.
        solutions: A row a quantity and a column a law; a head names on a second line what the law's name stands for.
        notes: What must be known to read the table of solutions.
        sections: What cannot hold together, and the parts between the solutions and what they rest on.
        remarks: What a reader should know of the numbers: the law that it is about, empty where it is any, and a
            sentence.
        assumptions: The defaults that were taken: name, value, and what it rests on.
        findings: The worst first.
    """

    title: str
    path: str
    verdict: Verdict
    budget: Table
    solutions: Table
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    remarks: tuple[tuple[str, str], ...]
    assumptions: Table
    findings: tuple[Finding, ...]


def content(report: Report) -> Content:
    """All that there is to say of a report."""
    return Content(
        title=_title(report),
        path=plain(report.source.path),
        verdict=_verdict(report),
        budget=_budget(report),
        solutions=_solutions(report),
        notes=notes(report.solutions),
        sections=tuple(_sections(report)),
        remarks=tuple(_remarks(report)),
        assumptions=_assumptions(report),
        findings=tuple(sorted(report.findings, key=lambda finding: RANK[finding.severity])),
    )


# ---- the verdict


def _verdict(report: Report) -> Verdict:
    errors = [finding for finding in report.findings if finding.severity == "error"]
    warnings = [finding for finding in report.findings if finding.severity == "warning"]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    first = report.solutions[0] if report.solutions else None
    if first is None:
        return Verdict("bad", "Cannot be read", counted(len(errors), "error"))
    said = f"{plain(errors[0].message)}{more}" if errors else ""
    if first.status == "infeasible":
        return Verdict("bad", "Cannot be done", said or _together(first))
    if first.status == "undecided":
        return Verdict("doubtful", "Undecided", said or (plain(first.findings[0].message) if first.findings else ""))
    if errors:
        word = "Over budget" if errors[0].code == "B001" else "Does not hold"
        return Verdict("bad", word, said)
    line = ", ".join(_headline(first))
    if warnings:
        return Verdict("doubtful", f"Holds, with {counted(len(warnings), 'warning')}", line)
    return Verdict("good", "Holds", line)


def _title(report: Report) -> str:
    text = plain(report.plan.title) if report.plan else ""
    return "" if text == report.source.path.rpartition("/")[2] else text


def _together(solution: Solution) -> str:
    return " and ".join(f"`{plain(room.text)}`" for room in solution.conflict) + " cannot hold together"


def _headline(solution: Solution) -> Iterator[str]:
    for name in HEADLINE:
        value = solution.quantity(name)
        if value is not None and (name != "gpus" or value.kind == "solved"):
            text = figure(name, value.value, value.dim, solution.problem.quantities)
            yield {"loss": f"loss {text}", "gpus": f"{bare(text)} GPUs"}.get(name, text)


# ---- the budget


def hardware(report: Report) -> list[str]:
    """What the run is on, in the plan's own words."""
    plan = report.plan
    pools = [pool for stage in plan.stages for pool in stage.hardware] if plan else []
    texts = []
    for pool in pools:
        # A block's lines become one, without its braces and comments.
        lines = _COMMENT.sub("", pool.span.text.strip().strip("{}")).splitlines()
        lines = [line.strip().rstrip(",;") for line in lines]
        texts.append("; ".join(plain(line) for line in lines if line))
    return texts


def _budget(report: Report) -> Table:
    pools = hardware(report)
    rows: list[Line] = [("hardware" if len(pools) == 1 else f"pool {i + 1}", text) for i, text in enumerate(pools)]
    for name, value in report.budget.items():
        text = figure(name, value.value, value.dim, known_of(report))
        rows.append((BUDGET_LABELS.get(name, name), bare(text) if name == "gpu_hours" else text))
    return table(rows)


# ---- the solutions


def _solutions(report: Report) -> Table:
    """The table of solutions; what a section of its own tells is left to it."""
    solutions = report.solutions
    elsewhere = {"lifetime_compute"} | ({"regret"} if any(report.bands) else set())
    known = known_of(report)
    rows: list[tuple[str, Sequence[Cell]]] = []
    if any(solution.status != "solved" for solution in solutions):
        rows.append(("status", [Cell(solution.status, mood=_STATUS[solution.status]) for solution in solutions]))
    for name in rows_of(known, ""):
        if name not in elsewhere:
            rows.append((label(name, known), [_cell(solution, name) for solution in solutions]))
        if name == "tokens":
            rows.append(("tokens per param", [_ratio(solution) for solution in solutions]))
    rows.append(("limited by", [_limits(solution) for solution in solutions]))
    kept: list[tuple[str | Cell, ...]] = [
        (name, *cells) for name, cells in rows if any(cell.text != NOTHING for cell in cells)
    ]
    return table(kept, ("", *map(_head, solutions)))


def _head(solution: Solution) -> str:
    law, resolved = plain(solution.law), plain(solution.resolved)
    return law if law == resolved else f"{law}\n= {resolved}"


def _cell(solution: Solution, name: str) -> Cell:
    value = told(solution, name)
    if value is None:
        return Cell(NOTHING)
    known = solution.problem.quantities
    return Cell(bare(figure(name, value.value, value.dim, known)), interval(name, value, known))


def _ratio(solution: Solution) -> Cell:
    params, tokens = number(solution, "params"), number(solution, "tokens")
    return Cell(show(tokens / params, (), 3) if params and tokens else NOTHING)


def _limits(solution: Solution) -> Cell:
    return Cell("\n".join(map(plain, solution.binding)), code=True) if solution.binding else Cell(NOTHING)


# ---- what stands between the solutions and what they rest on


def _sections(report: Report) -> Iterator[Section]:
    for solution in report.solutions:
        if solution.conflict:
            title = under(report, "What cannot hold together, and a change that alone makes room", solution)
            yield Section(title, _conflict(solution))
    yield from size.sections(report)
    yield from stages.transfer(report)
    yield from stages.inference(report)
    yield from run.sections(report)


def _conflict(solution: Solution) -> Table:
    """What cannot hold together, and for each the change that makes room by itself."""
    rows: list[tuple[str | Cell, ...]] = []
    for room in solution.conflict:
        change = Cell(plain(room.change), code=True) if room.change else Cell(_NO_ROOM)
        rows.append((str(room.span.line) if room.span else "", Cell(plain(room.text), code=True), change))
    return table(rows, ("line", "the plan says", "there is room with"))


def _remarks(report: Report) -> Iterator[tuple[str, str]]:
    for note in report.notes:
        said = note.text if note.text.endswith(".") else f"{note.text}."
        yield plain(note.law), plain(f"{said} [{note.code}]" if note.code else said)


def _assumptions(report: Report) -> Table:
    rows: list[Line] = []
    before = ""
    for a in report.assumptions:
        source = plain(a.source) or NOTHING
        value = figure(a.name.text, a.value, a.dim, known_of(report))
        rows.append((plain(str(a.name)), value, "the same" if source == before else source))
        before = source
    return table(rows, ("name", "value", "rests on"), wrap=2)
