"""A solved plan as a report for people: the verdict first, then what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runplan.cli.show import solve_run, solve_size, solve_stages
from runplan.cli.show.figures import LABELS, NOTHING, Cell, bare, figure, interval
from runplan.cli.show.section import Section, under
from runplan.cli.show.summary import counted, plain
from runplan.cli.show.terminal import GAP, INDENT, Line, Page, columns, styled
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.show import show
from runplan.engine.document import BUDGET, NOISE, QUANTITIES, TRANSFER
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

if TYPE_CHECKING:
    from rich.text import Text

Mood = Literal["good", "doubtful", "bad"]

# What the rows of the report leave to the JSON: it says nothing that another row does not.
_LEFT_OUT = frozenset(("perplexity", "price", "rate"))

# Notes on the laws that a page has room for, about.
_NOTES = 6
_COMMENT = re.compile(r"(?:^|[ \t])#.*", re.MULTILINE)

_MOODS: dict[Mood, str] = {"good": "bold green", "doubtful": "bold yellow", "bad": "bold red"}


# ---- what is said, in whatever format


def verdict(report: Report) -> tuple[Mood, str, str]:
    """Whether the plan holds under its first law: a mood, a word, and a line that stands alone."""
    errors = [finding for finding in report.findings if finding.severity == "error"]
    warnings = [finding for finding in report.findings if finding.severity == "warning"]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    first = report.solutions[0] if report.solutions else None
    if first is None:
        return "bad", "Cannot be read", counted(len(errors), "error")
    said = f"{plain(errors[0].message)}{more}" if errors else ""
    if first.status == "infeasible":
        return "bad", "Cannot be done", said or _together(first)
    if first.status == "undecided":
        return "doubtful", "Undecided", said or (plain(first.findings[0].message) if first.findings else "")
    if errors:
        word = "Over budget" if errors[0].code == "B001" else "Does not hold"
        return "bad", word, said
    line = ", ".join(_headline(first))
    if warnings:
        return "doubtful", f"Holds, with {counted(len(warnings), 'warning')}", line
    return "good", "Holds", line


def title(report: Report) -> str:
    """The plan's title; empty where it is but the file's name."""
    text = plain(report.plan.title) if report.plan else ""
    return "" if text == report.source.path.rpartition("/")[2] else text


def _together(solution: Solution) -> str:
    return " and ".join(f"`{plain(room.text)}`" for room in solution.conflict) + " cannot hold together"


def _headline(solution: Solution) -> Iterator[str]:
    for name in ("params", "tokens", "loss", "gpus", "time", "cost"):
        value = solution.values.get(name)
        if value is not None and (name != "gpus" or value.kind == "solved"):
            text = figure(name, value.value, value.dim)
            yield {"loss": f"loss {text}", "gpus": f"{bare(text)} GPUs"}.get(name, text)


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


def budget(report: Report) -> list[Line]:
    """What there is, and what it costs: a name and a figure a row."""
    rows: list[Line] = [(name, text) for name, text in zip(_pool_names(report), hardware(report), strict=False)]
    labels = {"gpu_hours": "GPU-hours", "time": "reserved for"}
    for name in BUDGET:
        if value := report.budget.get(name):
            text = figure(name, value.value, value.dim)
            rows.append((labels.get(name, name), bare(text) if name == "gpu_hours" else text))
    return rows


def _pool_names(report: Report) -> list[str]:
    texts = hardware(report)
    return ["hardware"] if len(texts) == 1 else [f"pool {i + 1}" for i in range(len(texts))]


@dataclass(frozen=True, slots=True)
class Row:
    """A quantity, and what it is under each law: a figure and its interval."""

    label: str
    cells: tuple[Cell, ...]
    words: bool = False


def rows(report: Report) -> list[Row]:
    """The table of solutions, one row a quantity and one cell a law; what a section of its own tells is left to it."""
    solutions = report.solutions
    told = {"regret": any(report.bands), "lifetime_compute": True, **dict.fromkeys(TRANSFER, True)}
    left_out = _LEFT_OUT | {name for name, elsewhere in told.items() if elsewhere}
    out = []
    if any(solution.status != "solved" for solution in solutions):
        out.append(Row("status", tuple((solution.status, "") for solution in solutions)))
    for name in (*QUANTITIES, *TRANSFER):
        if name in left_out or not any(name in solution.values for solution in solutions):
            continue
        cells = tuple(_cell(solution, name) for solution in solutions)
        if any(text != NOTHING for text, _ in cells):
            out.append(Row(LABELS.get(name, name.replace("_", " ")), cells))
        if name == "tokens" and any({"params", "tokens"} <= solution.values.keys() for solution in solutions):
            out.append(Row("tokens per param", tuple(_ratio(solution) for solution in solutions)))
    bound = tuple(("\n".join(plain(name) for name in solution.binding) or NOTHING, "") for solution in solutions)
    if any(text != NOTHING for text, _ in bound):
        out.append(Row("limited by", bound, words=True))
    return out


def _cell(solution: Solution, name: str) -> Cell:
    value = solution.values.get(name)
    if value is None or (name == "idle_share" and value.value < -NOISE):
        return NOTHING, ""
    return bare(figure(name, value.value, value.dim)), interval(value)


def _ratio(solution: Solution) -> Cell:
    params, tokens = solution.get("params"), solution.get("tokens")
    return (show(tokens / params, (), 3), "") if params and tokens else (NOTHING, "")


def notes(solutions: Sequence[Solution]) -> list[str]:
    """What must be known to read the table of solutions."""
    out = []
    if any(interval(value) for solution in solutions for value in solution.values.values() if _is_shown(value)):
        ranges = " over the plan's ranges" if any(solution.worst for solution in solutions) else ""
        out.append(f"In brackets: the 80 % interval of a law's constants{ranges}.")
    unsure = [solution for solution in solutions if solution.interval_note]
    # The same that is said of several laws is said once.
    said = {solution.interval_note.replace(f"`{solution.resolved}` ", "") for solution in unsure}
    if len(unsure) > 1 and len(said) == 1:
        laws = enumerated([f"`{solution.resolved}`" for solution in unsure])
        out.append(f"No interval: each of {laws} {_sentence(said.pop())}.")
    else:
        out += [f"No interval: {_sentence(solution.interval_note)}." for solution in unsure]
    for solution in solutions:
        if solution.status == "undecided":
            why = [f.message for f in solution.findings] or ["nothing says why"]
            out.append(f"`{solution.law}` is undecided: {_sentence(why[0])}.")
        if solution.status == "infeasible":
            requires = [f"`{room.text}`" for room in solution.conflict if _is_require(solution, room.name)]
            if requires and "solved" in {value.kind for value in solution.values.values()}:
                out.append(f"The figures under `{solution.law}` are those without {' and '.join(requires)}.")
            else:
                out.append(f"The figures under `{solution.law}` are what the plan asks for, not what can be.")
    for (law, those), named in _others_by(solutions).items():
        where = "" if len(those) == len(solutions) else f" under {enumerated([f'`{name}`' for name in those])}"
        out.append(f"{_capital(enumerated(named))}{where} by `{law}`.")
    corpora = {s.problem.law.corpus for s in solutions if "loss" in s.values}
    if len(corpora) > 1:
        out.append("The losses are of different corpora or tokenizers: do not compare them.")
    return [plain(note) for note in out]


def _others_by(solutions: Sequence[Solution]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """What the table shows by a law that is not that of its column: by that law and the columns, the quantities."""
    under: dict[tuple[str, str], list[str]] = {}
    for solution in solutions:
        for value in solution.values.values():
            if value.kind == "law" and value.by != solution.resolved and _is_shown(value):
                under.setdefault((value.by, value.name), []).append(solution.law)
    out: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (law, name), laws in under.items():
        out.setdefault((law, tuple(laws)), []).append(LABELS.get(name, name.replace("_", " ")))
    return out


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return text.rstrip(".")


def _is_shown(value: Value) -> bool:
    return value.name in (*QUANTITIES, *TRANSFER) and value.name not in _LEFT_OUT


def _is_require(solution: Solution, name: str) -> bool:
    return any(limit.name == name and limit.kind == "require" for limit in solution.problem.limits)


ROOM = "What cannot hold together, and a change that alone makes room"
NO_ROOM = "no change of this alone"
CONFLICT = ("line", "the plan says", "there is room with")


def conflict(solution: Solution) -> list[Line]:
    """What cannot hold together, and for each the change that makes room by itself."""
    return [
        (
            str(room.span.line) if room.span else "",
            plain(room.text),
            plain(room.change) or NO_ROOM,
        )
        for room in solution.conflict
    ]


def assumptions(report: Report) -> list[Line]:
    """The defaults that were taken: name, value, and what it rests on."""
    out: list[Line] = []
    before = ""
    for a in report.assumptions:
        source = plain(a.source) or NOTHING
        out.append((plain(a.name), figure(a.name, a.value, a.dim), "the same" if source == before else source))
        before = source
    return out


def findings(report: Report) -> list[Finding]:
    """The findings, the worst first."""
    return sorted(report.findings, key=lambda finding: RANK[finding.severity])


def sections(report: Report) -> Iterator[Section]:
    """The parts of the report between the solutions and what they rest on."""
    yield from solve_size.sections(report)
    yield from solve_stages.transfer(report)
    yield from solve_stages.inference(report)
    yield from solve_run.sections(report)


def remarks(report: Report) -> list[tuple[str, str]]:
    """What a reader should know of the numbers: the law that it is about, empty where it is any, and a sentence."""
    out = []
    for note in report.notes:
        said = note.text if note.text.endswith(".") else f"{note.text}."
        out.append((plain(note.law), plain(f"{said} [{note.code}]" if note.code else said)))
    return out


# ---- on a terminal


def render(report: Report, *, width: int, color: bool) -> str:
    """The report, no line longer than `width` columns."""
    page = Page(max(width, 20), color)
    if said := title(report):
        page.line(said, style="bold")
    page.line(plain(report.source.path), style="dim")
    mood, word, said = verdict(report)
    page.blank()
    page.line(f"{word}: {said}", style=_MOODS[mood], upto=len(word) + 1)
    if lines := budget(report):
        page.heading("Budget")
        page.texts(lines, (), wrap=1)
    if report.solutions:
        _solutions(page, report)
    for solution in report.solutions:
        if solution.conflict:
            page.heading(under(report, ROOM, solution))
            page.texts(conflict(solution), CONFLICT, wrap=1)
    for section in sections(report):
        _section(page, section)
    if about := remarks(report):
        _remarks(page, about)
    if lines := assumptions(report):
        page.heading("Assumptions")
        page.texts(lines, ("name", "value", "rests on"), wrap=2)
    if report.findings:
        page.heading("Findings")
        page.findings(findings(report))
        page.blank()
        page.line(
            f"`plan check {plain(report.source.path)}` shows them in full, on the lines they are about.", style="dim"
        )
    return page.text()


def _section(page: Page, section: Section) -> None:
    page.heading(section.title)
    if section.heads:
        page.figures(section.lines, section.heads, apart=section.apart)
    else:
        page.texts(section.lines, (), wrap=1)
    if section.chart and (chart := section.chart(page.width - INDENT)):
        page.blank()
        for line in chart:
            page.put(styled(line))
    for i, text in enumerate((*section.said, *section.notes)):
        if not i:
            page.blank()
        page.line(text, style="" if i < len(section.said) else "dim", indent=INDENT)


def _remarks(page: Page, notes: list[tuple[str, str]]) -> None:
    """What is true of all laws, then of each law the first few notes, and where the others are."""
    page.heading("Notes")
    for law, text in notes:
        if not law:
            page.line(text, indent=INDENT)
    lines: list[Line] = []
    laws = list(dict.fromkeys(law for law, _ in notes if law))
    most = max(1, _NOTES // max(len(laws), 1))
    for law in laws:
        texts = [text for name, text in notes if name == law]
        if len(texts) > most:
            texts[most:] = [f"{len(texts) - most} more: `plan law {law}`"]
        lines += [("" if i else law, text) for i, text in enumerate(texts)]
    if lines:
        page.texts(lines, (), wrap=1)


# ---- the table of solutions


def _solutions(page: Page, report: Report) -> None:
    """The table, in as many parts as the width asks for, and what must be known to read it."""
    lines, solutions = rows(report), report.solutions
    if not lines:
        return
    laws = [_Law.of(solution, [(row, row.cells[i]) for row in lines]) for i, solution in enumerate(solutions)]
    first = min(max(columns(row.label) for row in lines), max(8, page.width // 2))
    room = page.width - INDENT - first
    # Intervals stand beside the figures, or under them where that saves a part.
    beside = len(_parts([law.wide for law in laws], room)) <= len(_parts([law.narrow for law in laws], room))
    widths = [min(law.wide if beside else law.narrow, max(room - GAP, 8)) for law in laws]
    page.heading("Solution" if len(solutions) == 1 else "Solutions")
    for part in _parts(widths, room):
        if part.start:
            page.blank()
        # What limits a solution takes what room is left, and wraps there.
        spare = room - sum(widths[i] + GAP for i in part)
        for i in part:
            more = max(0, min(laws[i].words - widths[i], spare))
            widths[i], spare = widths[i] + more, spare - more
        _table(page, [laws[i] for i in part], [widths[i] for i in part], first, beside)
    for i, note in enumerate(notes(solutions)):
        if not i:
            page.blank()
        page.line(note, style="dim", indent=INDENT)


def _table(page: Page, laws: Sequence[_Law], widths: Sequence[int], first: int, beside: bool) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    table.add_column("", width=first, overflow="fold")
    for law, width in zip(laws, widths, strict=True):
        head = styled(law.head[0], "bold")
        for line in law.head[1:]:
            head.append_text(styled(f"\n{line}", "dim", lines=True))
        table.add_column(head, width=width, overflow="fold")
    for i, (row, _) in enumerate(laws[0].cells):
        if any(law.cells[i][1][0] != NOTHING for law in laws):
            table.add_row(styled(row.label), *(law.cell(i, beside) for law in laws))
    page.put(table)


@dataclass(frozen=True, slots=True)
class _Law:
    """A column of the table of solutions.

    Attributes:
        figure: Columns of the widest figure that has an interval.
        wide, narrow: Columns that it takes with the intervals beside, or under, the figures.
        words: Columns of the longest of its texts.
    """

    head: tuple[str, ...]
    cells: Sequence[tuple[Row, Cell]]
    figure: int
    wide: int
    narrow: int
    words: int

    @classmethod
    def of(cls, solution: Solution, cells: Sequence[tuple[Row, Cell]]) -> _Law:
        law, resolved = plain(solution.law), plain(solution.resolved)
        head = (law,) if law == resolved else (law, f"= {resolved}")
        figures = [cell for row, cell in cells if not row.words]
        figure = max((columns(text) for text, ends in figures if ends), default=0)
        least = max(map(columns, (*head, *(text for text, _ in figures))))
        ends = max((columns(ends) for _, ends in figures), default=0)
        words = [columns(line) for row, cell in cells if row.words for line in cell[0].split("\n")]
        wide = max(least, figure + GAP + ends if ends else 0)
        return cls(head, cells, figure, wide, max(least, ends), max(words, default=0))

    def cell(self, i: int, beside: bool) -> Text:
        """A figure with its interval, or a text."""
        row, (text, ends) = self.cells[i]
        cell = styled(text, "dim" if text == NOTHING else _status_style(row, text), lines=row.words)
        if ends:
            cell.append(" " * (self.figure - columns(text) + GAP) if beside else "\n")
            cell.append_text(styled(ends, "dim"))
        return cell


def _parts(widths: Sequence[int], room: int) -> list[range]:
    """Neighbouring columns that fit beside each other; at least one a part."""
    out: list[range] = []
    at, used = 0, 0
    for i, width in enumerate(widths):
        if i > at and used + width + GAP > room:
            out.append(range(at, i))
            at, used = i, 0
        used += width + GAP
    return [*out, range(at, len(widths))]


def _status_style(row: Row, text: str) -> str:
    if row.label != "status":
        return ""
    return _MOODS["good" if text == "solved" else "doubtful" if text == "undecided" else "bad"]
