"""A path to a report: every stage of the way of a plan, named in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import qualified
from runplan.dsl.packs.budgets import Statements, statements_of, with_budgets
from runplan.dsl.packs.library import Library, standard
from runplan.dsl.packs.pack import Law, Pack
from runplan.dsl.plan.ir import Plan
from runplan.dsl.plan.lower import lower
from runplan.dsl.plan.overrides import overridden
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.syntax.tree import File, leaves
from runplan.dsl.text.errors import UnknownLaw
from runplan.dsl.text.finding import Finding, in_order
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.reader import Reader
from runplan.dsl.text.source import Source
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.analysis.ranges import ends_of, spread
from runplan.engine.assumptions import assumptions_of
from runplan.engine.formulate.alone import objective_of
from runplan.engine.formulate.formulate import formulate
from runplan.engine.formulate.law import usual_law
from runplan.engine.formulate.regret import is_least_regret, least_worst
from runplan.engine.formulate.size import has_size_and_tokens
from runplan.engine.judge.blocks import fitted
from runplan.engine.judge.folder import in_plan
from runplan.engine.judge.judge import judge
from runplan.engine.judge.merge import together
from runplan.engine.judge.restated import restate
from runplan.engine.judge.rules import applied, asked_of, remarked, views_of
from runplan.engine.laws.form import is_of_settings
from runplan.engine.layout.fit import ALL, GLANCE, Kept, Look, with_memory
from runplan.engine.layout.short import needs_more
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Note, Solution, Value
from runplan.engine.report import Report
from runplan.engine.results import Results, results_of
from runplan.engine.solve.solve import solve
from runplan.engine.solve.verify import verify

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
        about: The value that is asked for; of a quantity that no layout decides layouts are looked at only for what may
            be wrong.
    """
    read = plan_at(path, reader, catalogue=catalogue, settings=settings, laws=laws)
    if read.plan is None:
        return Report(read.source, None, findings=read.findings)
    known = read.catalogue.quantities().get(about)
    look = Look(fitting=True) if known is None or known.facts.is_of_layout else GLANCE
    return Report(
        read.source,
        read.plan,
        solutions=tuple(islice(solutions_of(read, True, look=look), 1)),
        findings=read.findings,
    )


def first_solution(read: Read) -> Solution | None:
    """The solution of a plan under the law that decides, without intervals; None where it cannot be solved."""
    return next(solutions_of(read, False), None)


def solutions_of(
    read: Read,
    intervals: bool,
    *,
    why: bool = True,
    draws: int | None = None,
    workers: Workers | None = None,
    look: Look | None = ALL,
) -> Iterator[Solution]:
    """The solution of a plan under each law, with how likely it keeps what it requires, and how it lies on devices.

    Args:
        why: See `solve`.
        look: How closely to look at that; None where nothing that is asked, or required, hangs on it.
    """
    plan = read.plan
    if plan is None:
        return

    def found(problem: Problem) -> Solution:
        solution = solution_of(problem, intervals, why=why, draws=draws, workers=workers)
        if intervals and plan.requires:
            from runplan.engine.analysis.odds import with_odds

            solution = with_odds(plan, solution)
        verify(solution)
        return solution

    kept: Kept = {}
    for problem in read.problems():
        solution = found(problem)
        yield solution if look is None else _laid_out(plan, solution, read.catalogue, found, look, kept)


def within_memory(
    plan: Plan,
    solution: Solution,
    catalogue: Library,
    found: Callable[[Problem], Solution],
    look: Look,
    kept: Kept,
) -> tuple[Solution, Solution]:
    """A solution, and the same with the memory that it takes; where it breaks what is required of that, and more
    devices or a smaller model keep it, both are of the problem with these.

    Args:
        found: Solves a problem.
        kept: See `with_memory`.
    """
    laid = with_memory(plan, solution, catalogue, look, kept)
    if needs_more(plan, laid, catalogue):
        from runplan.engine.layout.bound import bounded, with_size

        problem = bounded(plan, solution, laid, catalogue)
        again = found(problem) if problem is not None else solution
        if problem is not None and again.status == "solved":
            solution, laid = again, with_memory(plan, again, catalogue, look, kept)
        laid = with_size(plan, solution, laid, catalogue)
    return solution, laid


def bare_solution(read: Read, problem: Problem) -> Solution:
    """The solution of a problem of a plan without intervals, and without what it conflicts with; of the devices and
    size with which it keeps what is required of memory, as `plan solve` has them.
    """
    assert read.plan is not None, "it has a problem"

    def found(problem: Problem) -> Solution:
        return solution_of(problem, intervals=False, why=False)

    return within_memory(read.plan, found(problem), read.catalogue, found, GLANCE, {})[0]


def _laid_out(
    plan: Plan,
    solution: Solution,
    catalogue: Library,
    found: Callable[[Problem], Solution],
    look: Look,
    kept: Kept,
) -> Solution:
    """A solution with how its model lies on the devices; one that breaks what is required of their memory is found
    anew, with what keeps it."""
    solution, laid = within_memory(plan, solution, catalogue, found, look, kept)
    if any(len(stage.hardware) > 1 for stage in plan.stages):
        from runplan.engine.layout.pools import with_pools

        laid = with_pools(plan, laid, catalogue, look)
    if plan.outer.inference is not None:
        from runplan.engine.layout.serve import with_serving

        laid = with_serving(plan, solution, laid, catalogue)
    return laid


@dataclass(frozen=True, slots=True)
class Read:
    """A plan as it is read, before anything of it is solved.

    Attributes:
        plan: None where it cannot be solved; the findings say why.
        catalogue: What is known, with what the plan itself defines.
        cases: What it is to be solved under, in order.
    """

    source: Source
    plan: Plan | None
    catalogue: Library
    findings: tuple[Finding, ...]
    cases: tuple[Case, ...] = ()

    def problems(self) -> Iterator[Problem]:
        """The problem of the plan under each law."""
        if self.plan is None:
            return
        each = (formulate(self.plan, case.law, case.named, self.catalogue, case.lenders) for case in self.cases)
        wanted = any(is_least_regret(goal, self.plan) for goal in self.plan.goals)
        yield from least_worst(tuple(each)) if wanted else each


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
    file, wrong = overridden(file, settings)
    return read_of(file, [*found, *wrong], reader, catalogue or standard(), laws, intervals, solved)


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
    named = _laws(plan, known) if laws is None else _known(laws, known)
    if unsound := [f for name in named for f in known.law_findings(name)]:
        return Read(file.source, None, known, tuple(in_order([*findings, *unsound])))
    cases = _cases(plan, named, known, apart=laws is not None)
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


def _laws(plan: Plan, catalogue: Library) -> tuple[str, ...]:
    """The plan's laws; where it names none the usual one."""
    if plan.laws:
        return tuple(dict.fromkeys(name.text for name in plan.laws))
    return (usual_law(plan, objective_of(plan), catalogue),)


def _known(laws: tuple[str, ...], catalogue: Library) -> tuple[str, ...]:
    for name in laws:
        if catalogue.law(name) is None:
            (help,) = did_you_mean(name, catalogue.vocabulary().laws) or ["`plan law` lists them"]
            raise UnknownLaw(f"unknown law `{name}`; {help}")
    return tuple(dict.fromkeys(laws))


@dataclass(frozen=True, slots=True)
class Case:
    """What a plan is solved under: a law, as it is named, and the laws of settings beside it."""

    named: str
    law: Law
    lenders: tuple[Law, ...] = ()


def _cases(plan: Plan, named: tuple[str, ...], catalogue: Library, *, apart: bool) -> tuple[Case, ...]:
    """A case a law; a law of settings lends them to the others, and where it stands alone to the usual one,
    but where the plan says the size and the tokens, and the law needs no loss.

    Args:
        apart: Whether a law of settings has a case of its own beside others, too.
    """
    settings = catalogue.quantities().fields.get("optimizer", {})
    laws = {name: law for name in named if (law := catalogue.law(name)) is not None}
    assert len(laws) == len(named), "lowering lets no unknown law pass"
    lenders = {name: law for name, law in laws.items() if is_of_settings(law, settings)}
    others = [Case(name, law) for name, law in laws.items() if name not in lenders]
    if others and not apart:
        return tuple(replace(case, lenders=tuple(lenders.values())) for case in others)
    if not others and has_size_and_tokens(plan):
        lenders = {name: law for name, law in lenders.items() if _reads_loss(law)}
    usual = catalogue.law(usual_law(plan, objective_of(plan), catalogue))
    base = others[0].law if others else usual
    assert base is not None, "the standard library has the usual law"
    return tuple(
        Case(name, base, (lenders[name],)) if name in lenders else Case(name, law) for name, law in laws.items()
    )


def _reads_loss(law: Law) -> bool:
    """Whether a law of settings tells them by the loss, which another law has to give."""
    return any(parameter.quantity == q.LOSS.text for function in law.functions for parameter in function.parameters)


def solution_of(
    problem: Problem, intervals: bool, *, why: bool = True, draws: int | None = None, workers: Workers | None = None
) -> Solution:
    """The solution of a problem; with ranges on what nature decides at their middle, with what the ends make of it.

    Args:
        why: See `solve`.
        draws, workers: See `report_of`.
    """

    def analysed(problem: Problem, why: bool = why) -> Solution:
        solution = _analysed(problem, why)
        return _with_intervals(solution, draws, workers) if intervals else solution

    worst, best = ends_of(problem)
    if not worst:
        return analysed(problem)
    # A conflict is told of the worst end alone: what conflicts elsewhere conflicts there.
    middle, at_worst = analysed(problem, False), analysed(problem.at(worst))
    if middle.status == "infeasible" and why:
        from runplan.engine.solve.conflict import beside

        middle = beside(middle.problem, at_worst.conflicts) if at_worst.status == "infeasible" else analysed(problem)
    return spread(middle, at_worst, analysed(problem.at(best), False))


def _analysed(problem: Problem, why: bool) -> Solution:
    """The solution of a problem, with what it is worth over a life."""
    solution = solve(problem, why=why)
    # What a plain check has no use for is imported where it is: docs/design/0004-what-check-does-not-import.md.
    if q.INFERENCE_TOKENS in solution.values:
        from runplan.engine.analysis.lifetime import with_lifetime

        solution = with_lifetime(solution)
    return solution


def _with_intervals(solution: Solution, draws: int | None, workers: Workers | None) -> Solution:
    """The solution with what it may lose, and with its intervals."""
    from runplan.engine.analysis.certainty import with_bounds
    from runplan.engine.analysis.intervals import with_intervals
    from runplan.engine.analysis.regret import with_regret

    return with_intervals(with_regret(with_bounds(solution)), draws, workers)


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


def pack_findings(path: str, reader: Reader, catalogue: Library) -> list[Finding]:
    """What is wrong with a file that only defines things.

    Raises:
        OSError: Where the file cannot be read.
    """
    return list(with_definitions(path, reader, catalogue)[2])


def with_definitions(path: str, reader: Reader, catalogue: Library) -> tuple[Library, Pack, tuple[Finding, ...]]:
    """What is known with the definitions of a file beside it, those definitions, and what is wrong with either.

    Raises:
        OSError: Where the file cannot be read.
    """
    file, found = read_file(path, reader)
    lowered = lower(file, catalogue.vocabulary())
    known = catalogue.with_pack(lowered.pack, file.broken)
    return known, lowered.pack, tuple(in_order([*found, *lowered.findings, *known.findings]))
