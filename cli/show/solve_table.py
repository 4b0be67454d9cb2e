"""A solved plan as a report for people: the verdict first, then what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runplan.cli.show.figures import LABELS, NOTHING, Cell, bare, figure, interval, part, per_cent
from runplan.cli.show.solve_json import BUDGET, NOISE, QUANTITIES, TRANSFER
from runplan.cli.show.summary import counted, plain
from runplan.cli.show.terminal import GAP, INDENT, Line, Page, column_widths, columns, console, printed, styled
from runplan.dsl.finding import RANK, Finding
from runplan.dsl.units import show
from runplan.engine.report import Report
from runplan.engine.solution import Solution, Value

if TYPE_CHECKING:
    from rich.text import Text

_Page, _GAP, _bare, _widths = Page, GAP, bare, column_widths  # until compare_* has the public names
Mood = Literal["good", "doubtful", "bad"]

# What the rows of the report leave to the JSON: it says nothing that another row does not.
_LEFT_OUT = frozenset(("perplexity", "price", "rate"))

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


def rows(solutions: Sequence[Solution]) -> list[Row]:
    """The table of solutions, one row a quantity and one cell a law."""
    out = []
    if any(solution.status != "solved" for solution in solutions):
        out.append(Row("status", tuple((solution.status, "") for solution in solutions)))
    for name in (*QUANTITIES, *TRANSFER):
        if name in _LEFT_OUT or not any(name in solution.values for solution in solutions):
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
        out.append("In brackets: the 80 % interval of a law's constants.")
    unsure = [solution for solution in solutions if solution.interval_note]
    # The same that is said of several laws is said once.
    said = {solution.interval_note.replace(f"`{solution.resolved}` ", "") for solution in unsure}
    if len(unsure) > 1 and len(said) == 1:
        out.append(f"No interval: each of {_listed([s.resolved for s in unsure])} {_sentence(said.pop())}.")
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
    corpora = {s.problem.law.corpus for s in solutions if "loss" in s.values}
    if len(corpora) > 1:
        out.append("The losses are of different corpora or tokenizers: do not compare them.")
    return [plain(note) for note in out]


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _sentence(text: str) -> str:
    return text.rstrip(".")


def _is_shown(value: Value) -> bool:
    return value.name in (*QUANTITIES, *TRANSFER) and value.name not in _LEFT_OUT


def _is_require(solution: Solution, name: str) -> bool:
    return any(limit.name == name and limit.kind == "require" for limit in solution.problem.limits)


def mix(report: Report) -> tuple[Solution, list[Line]] | None:
    """The mix of data under the first law that has one, a source a row; None where the plan has no data."""
    for solution in report.solutions:
        if any(f"tokens.{source}" in solution.values for source in solution.sources):
            return solution, [_source(solution, source) for source in solution.sources]
    return None


MIX = ("source", "tokens", "share", "epochs", "left over")


def _source(solution: Solution, source: str) -> Line:
    def at(name: str) -> float | None:
        return solution.get(f"{name}.{source}")

    tokens, share, epochs, most, there = map(at, ("tokens", "share", "epochs", "max_epochs", "available"))
    dim = solution.values[f"tokens.{source}"].dim if tokens is not None else ()
    passes, left = NOTHING, NOTHING
    if epochs is not None:
        passes = f"{show(epochs, (), 3)} of {show(most, (), 3)}" if most else show(epochs, (), 3)
    if tokens is not None and there is not None:
        over = there * (most or 1.0) - tokens
        left = bare(show(over, dim, 3)) if over > 1e-6 * there else "none"
    return (
        plain(source),
        NOTHING if tokens is None else bare(show(tokens, dim)),
        NOTHING if share is None else part(share),
        passes,
        left,
    )


def phases(report: Report) -> tuple[Solution, list[str], list[Line]] | None:
    """The schedule's phases under the first law that has them: columns and rows; None where there are none."""
    for solution in report.solutions:
        rows = [_phase(solution, name) for name in solution.problem.phases]
        if any(len(row) > 1 for row in rows):
            keys = ["phase", "share", "tokens", "time", "steps", "learning rate"]
            if len(solution.sources) > 1:
                keys += [_OF + source for source in solution.sources]
            used = [key for key in keys if any(row.get(key) for row in rows)]
            heads = [plain(key) for key in used]
            return solution, heads, [tuple(row.get(key) or NOTHING for key in used) for row in rows]
    return None


def _phase(solution: Solution, name: str) -> dict[str, str]:
    row = {"phase": plain(name)}
    for key in ("share", "tokens", "time", "steps"):
        if value := solution.values.get(f"phase.{name}.{key}"):
            row[key] = part(value.value) if key == "share" else bare(figure(key, value.value, value.dim))
    start, end = (solution.get(f"phase.{name}.learning_rate.{side}") for side in ("start", "end"))
    if start is not None and end is not None:
        row["learning rate"] = _ramp(*(figure("learning_rate", level, ()) for level in (start, end)))
    for source in solution.sources:
        first, last = (solution.get(f"phase.{name}.mix_{side}.{source}") for side in ("start", "end"))
        mean = solution.get(f"phase.{name}.mix.{source}")
        if first is not None and last is not None:
            row[_OF + source] = _ramp(part(first), part(last))
        elif mean is not None:
            row[_OF + source] = part(mean)
    return row


def _ramp(start: str, end: str) -> str:
    return start if start == end else f"{start} → {end}"


# Before a source's name, as the head of the column of its shares.
_OF = "of "

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


def heading(report: Report, text: str, solution: Solution) -> str:
    """A heading of what is true under one law, which it names where there are several."""
    return f"{text}, under {plain(solution.law)}" if len(report.solutions) > 1 else text


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
        _solutions(page, report.solutions)
    for solution in report.solutions:
        if solution.conflict:
            page.heading(heading(report, ROOM, solution))
            page.texts(conflict(solution), CONFLICT, wrap=1)
    if found := mix(report):
        page.heading(heading(report, "Data", found[0]))
        page.figures(found[1], MIX)
    if staged := phases(report):
        page.heading(heading(report, "Schedule", staged[0]))
        page.figures(staged[2], staged[1], apart=sum(not head.startswith(_OF) for head in staged[1]))
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


# ---- the table of solutions


def _solutions(page: Page, solutions: Sequence[Solution]) -> None:
    """The table, in as many parts as the width asks for, and what must be known to read it."""
    lines = rows(solutions)
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
