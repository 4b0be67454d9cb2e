"""A path to a report: every stage of the way of a plan, named in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runplan.dsl.packs.library import Library, standard
from runplan.dsl.plan.ir import Plan
from runplan.dsl.plan.lower import lower
from runplan.dsl.plan.overrides import overridden
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text.errors import UnknownLaw
from runplan.dsl.text.finding import Finding, in_order
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.reader import Reader
from runplan.engine.analysis.band import band_of
from runplan.engine.analysis.intervals import with_intervals
from runplan.engine.analysis.lifetime import with_lifetime
from runplan.engine.analysis.ranges import ends_of, spread
from runplan.engine.analysis.regret import regret_of
from runplan.engine.formulate.formulate import objective_of, pose
from runplan.engine.judge.judge import judge
from runplan.engine.judge.merge import together
from runplan.engine.judge.rules import applied, remarked, views_of
from runplan.engine.laws.form import cite_of
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Note, Solution, Value
from runplan.engine.report import Assumption, Report
from runplan.engine.solve.solve import solve
from runplan.engine.solve.verify import verify

# A default MFU depends on the size that it helps to find, and whether data repeat on the tokens; after a step or two
# all of them agree.
ROUNDS = 5


def report_of(
    path: str,
    reader: Reader,
    *,
    catalogue: Library | None = None,
    settings: Sequence[str] = (),
    laws: tuple[str, ...] | None = None,
    intervals: bool = True,
) -> Report:
    """Everything that is known of the plan at a path.

    Args:
        catalogue: What is known; the standard library as its files are now unless said.
        settings: `path=value` each, in place of what the plan says.
        laws: Names of laws, in place of the plan's own.
        intervals: Whether to draw the laws' constants for the intervals; checks do without.

    Raises:
        OSError: Where the file cannot be read.
        UnknownLaw: For a name in `laws` that no law has.
    """
    known = catalogue or standard()
    file, found = read_file(path, reader)
    file, wrong = overridden(file, settings)
    found += wrong
    lowered = lower(file, known.vocabulary())
    findings = [*found, *(f for f in lowered.findings if not (f.code == "S006" and found))]
    known = known.with_pack(lowered.pack, file.broken)
    findings += known.findings
    plan = lowered.plan
    if plan is None or any(f.severity == "error" for f in findings):
        return Report(file.source, None, findings=in_order(findings))
    named = _laws(plan, known) if laws is None else _known(laws, known)
    if unsound := [f for name in named for f in known.law_findings(name)]:
        return Report(file.source, None, findings=in_order([*findings, *unsound]))
    solutions = tuple(_solved(plan, name, known, intervals) for name in named)
    for solution in solutions:
        verify(solution)
    rules = known.rules()
    seen = [views_of(plan, solution, known) for solution in solutions]
    judged = together(
        (i == 0, [*s.findings, *judge(plan, s), *applied(rules, views)])
        for i, (s, views) in enumerate(zip(solutions, seen, strict=True))
    )
    return Report(
        file.source,
        plan,
        _budget(solutions[0]),
        solutions,
        _assumptions(plan, solutions, known),
        in_order([*findings, *judged]),
        tuple(band_of(s) for s in solutions) if intervals else (),
        (*dict.fromkeys(note for views in seen for note in remarked(rules, views)), *_notes(solutions)),
    )


def _notes(solutions: tuple[Solution, ...]) -> tuple[Note, ...]:
    """What the laws say of themselves, and over what their loss is taken."""
    out: list[Note] = []
    for solution in {s.resolved: s for s in solutions if s.status != "undecided"}.values():
        loss = solution.values.get("loss")
        if loss is not None and loss.note:
            out.append(Note(f"The loss is {loss.note}", solution.resolved))
        out.extend(Note(note, solution.resolved) for note in solution.problem.law.notes)
    return tuple(out)


def _laws(plan: Plan, catalogue: Library) -> tuple[str, ...]:
    """The plan's laws; where it names none the first default of its domain that is for its objective."""
    if plan.laws:
        return tuple(dict.fromkeys(name.text for name in plan.laws))
    objective = objective_of(plan)
    named = catalogue.defaults(objective.domain, "law") or catalogue.defaults("text", "law")
    fit = (name for name in named if (law := catalogue.law(name)) is not None and str(objective) in law.objectives)
    return (next(fit, named[0]),)


def _known(laws: tuple[str, ...], catalogue: Library) -> tuple[str, ...]:
    for name in laws:
        if catalogue.law(name) is None:
            (help,) = did_you_mean(name, catalogue.vocabulary().laws) or ["`plan law` lists them"]
            raise UnknownLaw(f"unknown law `{name}`; {help}")
    return tuple(dict.fromkeys(laws))


def _solved(plan: Plan, named: str, catalogue: Library, intervals: bool) -> Solution:
    """The plan under a law; with ranges on what nature decides at their middle, with what the ends make of it."""
    ends = ends_of(plan)
    if ends is None:
        return _solved_at(plan, named, catalogue, intervals)
    middle, worst, best = (_solved_at(one, named, catalogue, intervals) for one in (ends.middle, ends.worst, ends.best))
    return spread(middle, worst, best, ends.said)


def _solved_at(plan: Plan, named: str, catalogue: Library, intervals: bool) -> Solution:
    law = catalogue.law(named)
    if law is None:
        raise AssertionError(f"lowering let an unknown law pass: {named}")
    size: float | None = None
    repeats = False
    for _ in range(ROUNDS):

        def repose(
            loosened: frozenset[str], fixed: Mapping[str, float], at: float | None = size, again: bool = repeats
        ) -> Problem:
            return pose(plan, law, named, catalogue, size=at, loosened=loosened, fixed=fixed, repeats=again)

        solution = solve(repose(frozenset(), {}), repose)
        size = solution.get("params")
        again = _repeats(solution)
        settled = _mfu(solution) == _mfu_at(plan, solution, catalogue, size) and again == repeats
        if solution.status == "undecided" or settled:
            break
        repeats = repeats or again
    solution = with_lifetime(solution)
    if not intervals:
        return solution
    return with_intervals(_with_regret(solution))


def _with_regret(solution: Solution) -> Solution:
    """The solution with the extra compute that its size costs, where its law can tell."""
    regret = regret_of(solution) if solution.status == "solved" else None
    if regret is None:
        return solution
    formula = "compute / (the least compute for the same loss) - 1"
    source = cite_of(solution.problem.law)
    value = Value("regret", regret, (), None, None, "derived", formula, ("compute", "loss"), source, None)
    return replace(solution, values={**solution.values, "regret": value})


def _repeats(solution: Solution) -> bool:
    """Whether any source is seen more than once."""
    return any((solution.get(f"epochs.{name}") or 0.0) > 1 + 1e-9 for name in solution.sources)


def _mfu(solution: Solution) -> list[str]:
    return [
        d.source for n, d in sorted(solution.problem.definitions.items()) if n.endswith("mfu") and d.kind == "assumed"
    ]


def _mfu_at(plan: Plan, solution: Solution, catalogue: Library, size: float | None) -> list[str]:
    """The sources of the default MFUs that a size would take."""
    if not _mfu(solution):
        return []
    posed = pose(plan, solution.problem.law, solution.law, catalogue, size=size)
    return [d.source for n, d in sorted(posed.definitions.items()) if n.endswith("mfu") and d.kind == "assumed"]


def _budget(solution: Solution) -> dict[str, Value]:
    """What the hardware gives and costs, or the compute that is stated."""
    v = solution.values
    out = {}
    for name, held in (
        ("compute", "capacity" if "capacity" in v else "compute_budget"),
        ("gpu_hours", "gpu_hours"),
        ("time", "reserved_time"),
        ("cost", "cost"),
        ("energy", "energy"),
        ("emissions", "emissions"),
    ):
        if held in v:
            out[name] = v[held]
    return out


def _assumptions(plan: Plan, solutions: tuple[Solution, ...], catalogue: Library) -> tuple[Assumption, ...]:
    """Every default that was taken, once."""
    out: dict[tuple[str, str], Assumption] = {}
    for solution in solutions:
        for name, value in solution.values.items():
            # A law that the plan does not name is a default, too; of several sources it is said once, of the sum.
            lent = value.kind == "law" and value.by != solution.problem.law.name and "." not in name
            if value.kind == "assumed" or lent:
                source = f"{value.by}: {value.source}" if lent else value.source
                key = (name, f"{value.value:.9g}")  # what laws agree on differs by rounding
                out.setdefault(key, Assumption(name, value.value, value.dim, source, value.span))
    return tuple(out.values())


def pack_findings(path: str, reader: Reader, catalogue: Library) -> list[Finding]:
    """What is wrong with a file that only defines things.

    Raises:
        OSError: Where the file cannot be read.
    """
    file, found = read_file(path, reader)
    lowered = lower(file, catalogue.vocabulary())
    return list(in_order([*found, *lowered.findings, *catalogue.with_pack(lowered.pack, file.broken).findings]))
