"""A path to a report: every stage of the way of a plan, named in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import qualified
from runplan.dsl.packs.budgets import Statements, statements_of, with_budgets
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.standard import standard
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.syntax.tree import File, leaves
from runplan.dsl.text.finding import Finding, in_order
from runplan.dsl.text.reader import Reader
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.assumptions import assumptions_of
from runplan.engine.judge.blocks import fitted
from runplan.engine.judge.folder import in_plan
from runplan.engine.judge.judge import judge
from runplan.engine.judge.merge import together
from runplan.engine.judge.restated import restate
from runplan.engine.judge.rules import applied, asked_of, remarked, say_more, views_of
from runplan.engine.layout.fit import ALL, GLANCE, Look, asked_of_layout, decided_by_layout
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Note, Solution, Value
from runplan.engine.read import Read, cases_of, known_laws, own_laws
from runplan.engine.report import Report
from runplan.engine.results import Results, results_of
from runplan.engine.solutions import solutions_of

if TYPE_CHECKING:
    from runplan.engine.analysis.band import Band
    from runplan.engine.scatter.work import Workers


def report_of(
    path: str,
    reader: Reader,
    *,
    catalogue: Library | None = None,
    settings: Sequence[str] = (),
    laws: tuple[str, ...] | None = None,
    intervals: bool = True,
    draws: int | None = None,
    workers: Workers | None = None,
    solved: dict[str, Report] | None = None,
    look: Look | None = None,
) -> Report:
    """Everything that is known of the plan at a path.

    Args:
        catalogue: What is known; the standard library as its files are now unless said.
        settings: `path=value` each, in place of what the plan says.
        laws: Names of laws, in place of the plan's own.
        intervals: Whether to draw the laws' constants for the intervals; checks do without.
        draws, workers: How often, and by whom; as often as takes no time, and by this process unless said.
        solved: The reports of imported plans so far, by path; it grows.
        look: How closely to look at how the model may lie on its devices; as closely as there is unless said.

    Raises:
        OSError: Where the file cannot be read.
        UnknownLaw: For a name in `laws` that no law has.
    """
    read = plan_at(path, reader, catalogue=catalogue, settings=settings, laws=laws, intervals=intervals, solved=solved)
    return reported(read, intervals=intervals, draws=draws, workers=workers, look=look)


def reported(
    read: Read,
    *,
    intervals: bool = True,
    draws: int | None = None,
    workers: Workers | None = None,
    look: Look | None = None,
) -> Report:
    """Everything that is known of a plan that is read; arguments are those of `report_of`."""
    plan, known, findings = read.plan, read.catalogue, read.findings
    if plan is None:
        return Report(read.source, None, findings=findings)
    look = look or ALL
    solutions = tuple(solutions_of(read, intervals, draws=draws, workers=workers, look=look))
    seen = [views_of(plan, solution, known) for solution in solutions]
    rules = known.rules_over(asked_of(view for views in seen for view in views))
    if look.later and any(say_more(rules, views, decided_by_layout(known)) for views in seen):
        return reported(read, intervals=intervals, draws=draws, workers=workers)
    found = [[in_plan(plan, one) for one in (*s.findings, *judge(plan, s))] for s in solutions]
    for solution, own in zip(solutions, found, strict=True):
        restate(plan, solution, own)
    judged = together((i == 0, [*own, *applied(rules, seen[i])]) for i, own in enumerate(found))
    return Report(
        read.source,
        plan,
        _budget(solutions[0]),
        solutions,
        assumptions_of(plan, solutions, known),
        in_order([*findings, *fitted(plan, judged)]),
        _bands(solutions) if intervals else (),
        (
            *dict.fromkeys(note for views in seen for note in remarked(rules, views)),
            *(_corpora(solutions, known) if intervals else ()),
            *_notes(solutions),
        ),
    )


def first_of(
    path: str,
    reader: Reader,
    *,
    catalogue: Library | None = None,
    settings: Sequence[str] = (),
    laws: tuple[str, ...] | None = None,
    about: str = "",
) -> Report:
    """The solution of the plan at a path under its first law, unjudged: what tells where a value comes from.

    The other arguments, and errors, are those of `report_of`.

    Args:
        about: The value that is asked for; no layouts are looked at where none decides it, or what the plan asks for.
    """
    read = plan_at(path, reader, catalogue=catalogue, settings=settings, laws=laws)
    if read.plan is None:
        return Report(read.source, None, findings=read.findings)
    known = read.catalogue.quantities().get(about)
    look: Look | None = Look(fitting=True)
    if known is not None and not known.facts.is_of_layout:
        look = GLANCE if asked_of_layout(read.plan, read.catalogue) else None
    return Report(
        read.source,
        read.plan,
        solutions=tuple(islice(solutions_of(read, True, look=look, about=about), 1)),
        findings=read.findings,
    )


def plan_at(
    path: str,
    reader: Reader,
    *,
    catalogue: Library | None = None,
    settings: Sequence[str] = (),
    laws: tuple[str, ...] | None = None,
    intervals: bool = True,
    solved: dict[str, Report] | None = None,
) -> Read:
    """The plan at a path, and the laws that it is to be solved under; arguments and errors are those of `report_of`."""
    file, found = read_file(path, reader)
    if settings:
        # What a plain check has no use for is imported where it is: docs/design/0004-what-check-does-not-import.md.
        from runplan.dsl.plan.overrides import overridden

        file, wrong = overridden(file, settings)
        found = [*found, *wrong]
    return read_of(file, found, reader, catalogue or standard(), laws, intervals, solved)


def read_of(
    file: File,
    findings: Sequence[Finding],
    reader: Reader,
    known: Library,
    laws: tuple[str, ...] | None = None,
    intervals: bool = True,
    solved: dict[str, Report] | None = None,
) -> Read:
    """The plan of a syntax tree, and the laws that it is to be solved under.

    Args:
        findings: What is wrong with the tree so far.
        reader: Gives the plans whose results it imports.
        known, laws, intervals, solved: See `report_of`.

    Raises:
        UnknownLaw: See `report_of`.
    """
    file, wrong = with_budgets(file, known.once(_budgets), reader) if known.budgets else (file, [])
    found = [*findings, *wrong]
    if any(f.severity == "error" for f in found):  # such as plans that import each other
        results = Results(adrift=[qualified(imported.alias, "") for imported in file.imported])
    else:
        results = _results(file, reader, known, intervals, {} if solved is None else solved)
    found += results.findings
    file = replace(file, adrift=(*file.adrift, *results.adrift))
    lowered = lower(file, known.vocabulary(), results.lets)
    findings = [*found, *(f for f in lowered.findings if not (f.code == "S006" and found))]
    known = known.with_pack(lowered.pack, file.broken)
    findings += known.findings
    plan = lowered.plan
    if plan is None or any(f.severity == "error" for f in findings):
        return Read(file.source, None, known, tuple(in_order(findings)))
    named = own_laws(plan, known) if laws is None else known_laws(laws, known)
    if unsound := [f for name in named for f in known.law_findings(name)]:
        return Read(file.source, None, known, tuple(in_order([*findings, *unsound])))
    cases = cases_of(plan, named, known, apart=laws is not None)
    return Read(file.source, plan, known, tuple(findings), cases)


def _budgets(library: Library) -> tuple[Statements, ...]:
    return tuple(map(statements_of, library.budgets))


def _results(file: File, reader: Reader, known: Library, intervals: bool, solved: dict[str, Report]) -> Results:
    """What the plans that a file imports come to; with their intervals where those decide anything."""
    judged = any(node.rule in ("require", "prefer") for node in file.statements)  # also by how often it fails
    uncertain = intervals or judged or any(leaf.text == "P" for node in file.statements for leaf in leaves(node))

    def report(path: str) -> Report:
        if path not in solved:
            solved[path] = report_of(path, reader, catalogue=known, intervals=uncertain, solved=solved)
        return solved[path]

    return results_of(file, report)


def _notes(solutions: tuple[Solution, ...]) -> tuple[Note, ...]:
    """What the laws say of themselves, and over what their loss is taken."""
    out: list[Note] = []
    told = (s for s in solutions if s.status != "undecided" and not s.problem.is_programme)
    for solution in {s.resolved: s for s in told}.values():
        loss = solution.values.get(q.LOSS)
        if loss is not None and loss.note:
            out.append(Note(f"The loss is {loss.note}", solution.resolved))
        out.extend(Note(note, solution.resolved) for note in solution.problem.law.notes)
    return tuple(out)


def _bands(solutions: Iterable[Solution]) -> tuple[Band | None, ...]:
    """How much the size matters, for each solution."""
    from runplan.engine.analysis.band import band_of

    return tuple(map(band_of, solutions))


def _corpora(solutions: Sequence[Solution], catalogue: Library) -> Iterator[Note]:
    """What laws of other corpora would choose, where the plan rests on the optimum of one."""
    from runplan.engine.analysis.corpora import corpora_of

    found = corpora_of(solutions[0], catalogue) if len(solutions) == 1 else None
    if found is not None:
        yield found


def _budget(solution: Solution) -> dict[str, Value]:
    """What the hardware gives and costs, or the compute that is stated."""
    v = solution.values
    out = {}
    for name, held in (
        (q.COMPUTE, q.CAPACITY if q.CAPACITY in v else q.COMPUTE_BUDGET),
        (q.GPU_HOURS, q.GPU_HOURS),
        (q.TIME, q.RESERVED_TIME),
        (q.COST, q.COST),
        (q.ENERGY, q.ENERGY),
        (q.EMISSIONS, q.EMISSIONS),
    ):
        if held in v:
            out[name.text] = v[held]
    return out
