"""The report of a solved plan as data: the verdict first, then what it rests on, whatever the format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set

from runplan.cli.show.report import layouts, programme, run, size, stages, stops, timeline
from runplan.cli.show.report.assumptions import assumptions, weighty
from runplan.cli.show.report.budget import budget, hardware, told
from runplan.cli.show.report.notes import notes
from runplan.cli.show.report.under import under
from runplan.cli.show.text.content import NOTHING, Cell, Mood, Section, Table, table
from runplan.cli.show.text.figures import bare, figure, interval
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import HEADLINE, known_of, label, number
from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.dsl.plan.ir import Given
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted
from runplan.dsl.units.show import show
from runplan.engine.problem.solution import Solution
from runplan.engine.problem.told import applying, asked_for
from runplan.engine.report import Report

_STATUS: dict[str, Mood] = {"solved": "good", "undecided": "doubtful", "infeasible": "bad"}
_NO_ROOM = "no change of this alone"
# An idle share below this is the rounding of whole devices.
_IDLE = 5e-4
# What is as near as this is the same figure.
_SAME = 1e-6
# Beside more laws than these a screen has no room for the intervals of the settings.
_ROOMY, _SETTINGS = 2, ("batch", "steps", "learning_rate")
_MEMORY = "memory_per_gpu"
# What a long report leaves to the details: of serving what leads to how many devices it takes, and what H004 says.
_SPARE = frozenset("serving_weights cache_per_sequence serving_sequences serving_bits cache_bits availability".split())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the plan holds under its first law: a mood, a word, and a line that stands alone.

    Attributes:
        about: The finding that decides it, whose help goes with it; None where none does.
    """

    mood: Mood
    word: str
    said: str
    about: Finding | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """All that a report for people says, safe to print.

    Attributes:
        title: The plan's; empty where it is but the file's name.
        hardware: What the run is on: a pool a text.
        budget: What that gives, and what it costs: a figure a text.
        conflicts: What cannot hold together.
        solutions: A row a quantity and a column a law; a head names on a second line what the law's name stands for.
        said: What the table of solutions leaves out.
        notes: What must be known to read it.
        sections: The parts between the solutions and what they rest on.
        spare: More of them, worked out for a screen that has room for what nobody asked for.
        remarks: What a reader should know of the numbers: the law that it is about, empty where it is any, and a
            sentence; among the details.
        assumptions: The defaults that were taken: name, value, and what it rests on.
        more: What else there is among the details.
        findings: The worst first.
    """

    title: str
    path: str
    verdict: Verdict
    hardware: tuple[str, ...]
    budget: tuple[str, ...]
    conflicts: tuple[Section, ...]
    solutions: Table
    said: tuple[str, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    spare: Callable[[], tuple[Section, ...]]
    remarks: tuple[tuple[str, str], ...]
    assumptions: Table
    more: tuple[str, ...]
    findings: tuple[Finding, ...]


def content(report: Report, *, details: bool = True, anew: bool = False) -> Content:
    """What there is to say of a report: all of it, or what a screen has room for.

    Args:
        anew: Whether to tell, too, what the plan is solved anew for: what more of its limits is worth.
    """
    weighed = assumptions(report) if details else weighty(report)
    laid_out = details or layouts.are_asked(report)
    return Content(
        title=_title(report),
        path=plain(report.source.path),
        verdict=_verdict(report),
        hardware=hardware(report),
        budget=budget(report),
        conflicts=tuple(_conflicts(report)),
        solutions=_solutions(report, details),
        said=() if details else (*size.in_a_line(report), *stops.in_a_line(report)),
        notes=notes(report.solutions, details),
        sections=tuple(_sections(report, details, anew, laid_out)),
        spare=tuple if laid_out else lambda: tuple(layouts.sections(report, details)),
        remarks=tuple(_remarks(report)) if details else (),
        assumptions=weighed,
        more=() if details else _more(report, weighed),
        findings=tuple(sorted(report.findings, key=lambda finding: RANK[finding.severity])),
    )


def in_brief(shown: Content, report: Report) -> Content:
    """What a screen has room for without the rows that nobody asked for."""
    spare = _SPARE - _asked_of(report)
    weighed = weighty(report, spare)
    return replace(shown, solutions=_solutions(report, False, spare), assumptions=weighed, more=_more(report, weighed))


# ---- the verdict


def _verdict(report: Report) -> Verdict:
    errors = [finding for finding in report.findings if finding.severity == "error"]
    warnings = [finding for finding in report.findings if finding.severity == "warning"]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    first = report.solutions[0] if report.solutions else None
    if first is None:
        return Verdict("bad", "Cannot be read", counted(len(errors), "error"))
    about = errors[0] if errors else None
    said = f"{plain(about.message)}{more}" if about else ""
    if first.status == "infeasible":
        return Verdict("bad", "Cannot be done", said or _together(first), about)
    if first.status == "undecided":
        why = plain(first.findings[0].message) if first.findings else ""
        return Verdict("doubtful", "Undecided", said or why, about)
    if errors:
        word = "Over budget" if errors[0].code == "B001" else "Does not hold"
        return Verdict("bad", word, said, about)
    line = ", ".join(_headline(first)) or ", ".join(programme.headline(report))
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
            text = told(solution, name, value)
            yield {"loss": f"loss {text}", "gpus": f"{bare(text)} GPUs"}.get(name, text)


# ---- the solutions


def _solutions(report: Report, details: bool, spare: Set[str] = frozenset()) -> Table:
    """The table of solutions; what another part of the report tells is left to it, and what is spare to the details."""
    solutions = report.solutions
    known = known_of(report)
    left_out = _left_out(report) if not details else _with_bands if any(report.bands) else _none
    rows: list[tuple[str, Sequence[Cell]]] = []
    if len(solutions) > 1 and any(solution.status != "solved" for solution in solutions):
        rows.append(("status", [Cell(solution.status, mood=_STATUS[solution.status]) for solution in solutions]))
    for name in known.rows(""):
        if name != "lifetime_compute" and name not in spare and not left_out(name):
            alone = name in _SETTINGS and len(solutions) > _ROOMY and not details
            rows.append((label(name, known), [_cell(solution, name, alone) for solution in solutions]))
        if name == "tokens":
            rows.append(("tokens per param", [_ratio(solution) for solution in solutions]))
    if not left_out(_MEMORY):  # a bound, that laws are not compared by
        rows.append((label(_MEMORY, known), [_cell(solution, _MEMORY, False) for solution in solutions]))
    asked = dict.fromkeys(name for solution in solutions for name, _ in asked_for(solution))
    for one in (one for one in asked if known[one.text].facts.statement != "hardware"):
        rows.append((label(str(one), known), [_asked(solution, one) for solution in solutions]))
    # Under one law they have room for a line.
    apart = ", " if len(solutions) == 1 and not details else "\n"
    rows.append(("limited by", [_limits(solution, apart) for solution in solutions]))
    kept: list[tuple[str | Cell, ...]] = [
        (name, *cells) for name, cells in rows if any(cell.text != NOTHING for cell in cells)
    ]
    # A plan that names none, and that no law is for, has the figures of none.
    unnamed = report.plan is not None and not report.plan.laws
    heads = ("no law" if unnamed and one.problem.lawless else _head(one) for one in solutions)
    return table(kept, ("", *heads))


def _asked_of(report: Report) -> frozenset[str]:
    """What the plan requires something of, or prefers, by name."""
    stated = (*report.plan.requires, *report.plan.prefers) if report.plan else ()
    return frozenset(name.text for one in stated for name in names(one.condition))


def _asked(solution: Solution, name: Name) -> Cell:
    """What the plan asks for of a part of the run."""
    value = solution.values.get(name)
    return Cell(figure(name.text, value.value, value.dim, solution.problem.quantities) if value else NOTHING)


def _none(name: str) -> bool:
    return False


def _with_bands(name: str) -> bool:
    """Whether a section on the sizes tells of a quantity."""
    return name == "regret"


def _has_room(solution: Solution) -> bool:
    """Whether a device surely has the memory that it needs."""
    most, usable = solution.get("most_memory"), solution.get("usable_memory")
    return most is None or usable is None or most <= usable


def _left_out(report: Report) -> Callable[[str], bool]:
    """Whether a screen does without a quantity: the budget has said it, the plan gives it, or there is none of it."""
    pools = [pool for stage in report.plan.stages for pool in stage.hardware] if report.plan else []
    fields = {field for pool in pools for field in pool.figures}
    given = {field for pool in pools for field, amount in pool.figures.items() if isinstance(amount, Given)}
    mixed = run.has_mix(report)

    def left_out(name: str) -> bool:
        found = [value for solution in report.solutions if (value := solution.quantity(name))]
        if name == "gpu_hours" and "cost" in report.budget:  # the cost says it
            return True
        if name == _MEMORY:  # there is room, and nobody asked
            asked = report.plan is not None and report.plan.layout is not None
            return not asked and all(map(_has_room, report.solutions))
        there = report.budget.get(name)
        if there and all(abs(value.value - there.value) <= _SAME * abs(there.value) for value in found):
            return not any(value.low for value in found)
        if name == "idle_share":
            return all(value.value < _IDLE for value in found)
        if name in ("epochs", "regret"):
            return mixed or name == "regret"
        if name == "nodes":
            return {"gpus", "nodes_of"} <= given
        settled = name in fields or name == "mfu"
        return settled and all(value.kind in ("given", "assumed") and value.low is None for value in found)

    return left_out


def _head(solution: Solution) -> str:
    law, resolved = plain(solution.law), plain(solution.resolved)
    if solution.lends:
        return f"{resolved}\nwith {law}"
    return law if law == resolved else resolved if resolved.startswith(f"{law}.") else f"{law}\n= {resolved}"


def _cell(solution: Solution, name: str, alone: bool) -> Cell:
    value = applying(solution, name)
    if value is None:
        return Cell(NOTHING)
    return Cell(bare(told(solution, name, value)), "" if alone else interval(name, value, solution.problem.quantities))


def _ratio(solution: Solution) -> Cell:
    params, tokens = number(solution, "params"), number(solution, "tokens")
    return Cell(show(tokens / params, (), 3) if params and tokens else NOTHING)


def _limits(solution: Solution, apart: str) -> Cell:
    return Cell(apart.join(map(plain, solution.binding)), code=True) if solution.binding else Cell(NOTHING)


# ---- what stands between the solutions and what they rest on


def _conflicts(report: Report) -> Iterator[Section]:
    for solution in report.solutions:
        if solution.conflict:
            title = under(report, "What cannot hold together, and a change that alone makes room", solution)
            yield Section(title, _conflict(solution))


def _sections(report: Report, details: bool, anew: bool, laid_out: bool) -> Iterator[Section]:
    if details:
        yield from size.sections(report)
        yield from stops.sections(report)
    yield from timeline.sections(report, details)
    yield from stages.transfer(report, details)
    yield from stages.inference(report)
    yield from programme.sections(report)
    yield from run.sections(report, details)
    if laid_out:
        yield from layouts.sections(report, details)
    if anew:
        from runplan.cli.show.report import worth

        yield from worth.sections(report)


def _conflict(solution: Solution) -> Table:
    """What cannot hold together, and for each the change that makes room by itself."""
    rows: list[tuple[str | Cell, ...]] = []
    for room in solution.conflict:
        change = Cell(plain(room.change.text), code=True) if room.change else Cell(_NO_ROOM)
        rows.append((str(room.span.line) if room.span else "", Cell(plain(room.text), code=True), change))
    return table(rows, ("line", "the plan says", "there is room with"))


def _more(report: Report, weighed: Table) -> tuple[str, ...]:
    assumed = len(report.assumptions) - len(weighed.rows)
    more = {"sizes": any(report.bands), "notes": bool(report.notes), counted(assumed, "more assumption"): assumed > 0}
    return tuple(what for what, is_there in more.items() if is_there)


def _remarks(report: Report) -> Iterator[tuple[str, str]]:
    for note in report.notes:
        said = note.text if note.text.endswith(".") else f"{note.text}."
        yield plain(note.law), plain(f"{said} [{note.code}]" if note.code else said)
