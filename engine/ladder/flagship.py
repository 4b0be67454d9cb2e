"""A plan into the flagship that small runs are to size: its solution, and the law whose constants they tell."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.plan.ir import Plan
from runplan.dsl.plan.overrides import overridden
from runplan.dsl.syntax.imports import read_file, syntax_of
from runplan.dsl.syntax.tree import File
from runplan.dsl.syntax.views import spec_of
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Reader, decoded
from runplan.engine.analysis.regret import surface_of
from runplan.engine.formulate.alone import objective_of
from runplan.engine.ladder.refused import NoLadder
from runplan.engine.ladder.stage import first_stage
from runplan.engine.ladder.surface import Surface
from runplan.engine.laws.steps import surface
from runplan.engine.pipeline import read_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.read import Read
from runplan.engine.solutions import bare_solution


@dataclass(frozen=True, slots=True)
class Flagship:
    """The run that a ladder leads to.

    Attributes:
        read: The plan as it is read.
        file: Its tree, imports not followed, settings applied: what small runs are written from.
        solution: Under the law of the surface.
        surface: The loss that the small runs are to tell.
        size: As that law counts it.
        tokens: Of the run.
        compute: In FLOP, as the law counts it.
        stage: Of the plan, that it is; empty where that has none.
        instead_of: The plan's laws, where none of them has a loss over size and tokens.
    """

    read: Read
    file: File
    solution: Solution
    surface: Surface
    size: float
    tokens: float
    compute: float
    stage: str = ""
    instead_of: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """The plan."""
        assert self.read.plan is not None, "it was solved"
        return self.read.plan


def flagship_of(
    path: str,
    reader: Reader,
    *,
    catalogue: Library,
    settings: Sequence[str] = (),
    law: str | None = None,
    stage: str | None = None,
) -> Flagship:
    """The flagship of a plan.

    Args:
        law: Whose loss the small runs tell; the first of the plan's that has one over size and tokens unless said, of a
            plan that names none the first of the library's.
        stage: Of a plan with stages the first, which alone is trained from scratch.

    Raises:
        OSError: Where the file cannot be read.
        UnknownLaw: Where no law is called so.
        NoLadder: Where the plan has no such run, or no such law.
    """
    laws = (law,) if law else None
    file, findings = read_file(path, reader)
    file, unset = overridden(file, settings)
    findings = [*findings, *unset]
    file, of_stage = first_stage(file, findings, reader, catalogue, stage)
    read = read_of(file, findings, reader, catalogue, laws, intervals=False)
    if read.plan is None:
        wrong = _first(read.findings)
        why = f"the plan cannot be read: {wrong}; `plan check` says all" if wrong else "the file has no run in it"
        raise NoLadder("plan", why)
    _refuse_kinds(read.plan)
    problem, instead = _with_surface(read, read.plan, read.catalogue, named=law is not None or bool(read.plan.laws))
    if instead:
        own = flagship_of(path, reader, catalogue=catalogue, settings=settings, law=instead, stage=stage)
        return replace(own, instead_of=tuple(each.law.name for each in read.problems()))
    solution = bare_solution(read, problem)
    of_run = surface_of(solution)
    values = [solution.get(name) for name in (q.LAW_PARAMS, q.TOKENS, q.COMPUTE)]
    if solution.status != "solved" or of_run is None or None in values:
        found = [*read.findings, *solution.findings]
        raise NoLadder("plan", f"the plan is {solution.status}: {_first(found) or 'see `plan solve`'}")
    size, tokens, compute = (float(value) for value in values if value is not None)
    function = surface(problem.law, str(problem.objective))
    assert function is not None, "its problem was taken for it"
    return Flagship(
        read,
        _tree(path, reader, settings, catalogue),
        solution,
        Surface.of(problem.law, function, of_run.flop),
        size,
        tokens,
        compute,
        of_stage,
    )


def _refuse_kinds(plan: Plan) -> None:
    """Refuse plans of which a ladder would be of something else than of one run from scratch."""
    if objective_of(plan).kind == "transfer":
        raise NoLadder("stages", "a transfer is two runs, and its law no loss over size and tokens: plan one of them")
    if plan.start is not None and plan.start.from_weights:
        raise NoLadder("start", "the run starts from a checkpoint: no small run has the same weights to start from")
    if plan.model is not None and (plan.model.active is not None or "experts" in plan.model.architecture):
        raise NoLadder("family", "a ladder of mixtures of experts varies more than size and tokens: there is none here")


def _with_surface(read: Read, plan: Plan, catalogue: Library, *, named: bool) -> tuple[Problem, str]:
    """The problem under the first law with a loss over size and tokens; another law where none is named, and the
    usual one has no such loss.

    Raises:
        NoLadder: Where none has.
    """
    problems = list(read.problems())
    for problem in problems:
        has = surface(problem.law, str(problem.objective)) is not None and not problem.lawless
        if has and not problem.is_mixture:
            return problem, ""
    laws, objective = " and ".join(f"`{problem.law.name}`" for problem in problems), objective_of(plan)
    usual = (law for name in catalogue.defaults(objective.domain, "law") if (law := catalogue.law(name)) is not None)
    others = (law for law in (*usual, *catalogue.laws()) if str(objective) in law.objectives and not law.aside)
    other = next((law.name for law in others if surface(law, str(objective)) is not None), "")
    if other and not named:
        return problems[0], other
    help = f"name one that does: `--law {other}`" if other else f"no law of the library does for {objective}: write one"
    gives = "give" if len(problems) > 1 else "gives"
    raise NoLadder("surface", f"{laws} {gives} no loss over size and tokens, which a ladder is to tell; {help}")


def _first(findings: Sequence[Finding]) -> str:
    return next((f"{f.code}: {f.message}" for f in findings if f.severity == "error"), "")


def _tree(path: str, reader: Reader, settings: Sequence[str], catalogue: Library) -> File:
    """The plan's tree, with its settings: what it imports in it, so that a small run's plan stands alone.

    What is imported under a name stays an import: the name is part of how it is mentioned.
    """
    source, _ = decoded(path, reader.read(path))
    own, _ = syntax_of(source)
    named = any(node.rule == "import_" and spec_of(node).children[1] is not None for node in own.statements)
    file, found = overridden(own if named else read_file(path, reader)[0], settings)
    return first_stage(file, found, reader, catalogue, None)[0]
