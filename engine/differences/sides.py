"""A plan at two times to what of it moved: each quantity as it was, as it is, and how much more that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.money import exchanged
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import PackFile
from runplan.dsl.syntax.imports import IMPORTED
from runplan.dsl.syntax.statements import ASIDES
from runplan.dsl.syntax.tree import File
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Reader
from runplan.dsl.units.base import DATE, TIME
from runplan.dsl.units.dims import Dim
from runplan.engine.comparison.rows import Column, losses
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.problem.told import OWN, quantities
from runplan.engine.report import Report

# What is told first: what it takes in money, and what it gives.
FIRST = ("cost", "loss")
# Figures nearer to each other than this share are the same: what is left is rounding in the solver.
SAME = 1e-6
# What is told of each source of data.
_OF_SOURCE = ("tokens", "epochs")
_LOSSES = ("loss", "perplexity")


@dataclass(frozen=True)
class Side:
    """A plan at one time.

    Attributes:
        path: The reader's path.
        file: Its syntax tree, with its imports, and `found` what is wrong with it.
        library: What was known, without what the plan itself brings.
        base: What of that is there at any time.
        solve: Makes the report, when that is asked for.
    """

    path: str
    reader: Reader
    file: File
    found: tuple[Finding, ...]
    library: Library
    base: Library
    solve: Callable[[], Report]

    @cached_property
    def report(self) -> Report:
        """The plan, solved and judged."""
        return self.solve()

    @property
    def solution(self) -> Solution | None:
        """Under the law that decides; None where there is none that is solved."""
        first = next(iter(self.report.solutions), None)
        return first if first is not None and first.status == "solved" else None

    @property
    def status(self) -> str:
        """`solved`, `infeasible`, `undecided`; or `unread`, where it could not be read."""
        first = next(iter(self.report.solutions), None)
        return "unread" if first is None else first.status

    @property
    def is_plan(self) -> bool:
        """Whether it says anything but definitions, or nobody knows."""
        return bool(self.found) or any(node.rule not in (*IMPORTED, *ASIDES) for node in self.file.statements)

    @property
    def packs(self) -> Mapping[str, PackFile]:
        """The files of packs, by their paths."""
        return {one.source.path: one for one in self.library.shelf.brought}


@dataclass(frozen=True, slots=True)
class Moved:
    """A quantity as it was and as it is.

    Attributes:
        then, now: None where the plan had, or has, none.
        dim: Of what is now, else of what was.
        by: How much more it is, in base units of `dim`; of a date in seconds. None where one is missing, or they do
            not compare.
        why: Why they do not.
    """

    quantity: str
    then: Value | None
    now: Value | None
    dim: Dim
    by: float | None
    why: str = ""

    @property
    def share(self) -> float | None:
        """How much more it is, as a share of what it was; None where that says nothing."""
        if self.by is None or self.then is None or self.now is None or self.dim == DATE:
            return None
        was = self.now.value - self.by
        return self.by / abs(was) if abs(was) > SAME * abs(self.by) else None

    @property
    def by_dim(self) -> Dim:
        """The dimension of how much more it is."""
        return TIME if self.dim == DATE else self.dim


def is_same(then: Side, now: Side) -> bool:
    """Whether both say the same and rest on the same, so that they come to the same; nothing is solved for it."""
    files = [(s.file.statements, [c.text for c in s.file.comments], s.file.imported, s.found) for s in (then, now)]
    same_library = then.packs == now.packs and then.library.budgets == now.library.budgets
    return files[0] == files[1] and not now.file.imported and same_library


def alone(side: Side, *, is_now: bool) -> tuple[Moved, ...]:
    """The quantities of a plan that there was not, or is not any more."""
    found = {} if side.solution is None else told(side.solution)
    return tuple(
        Moved(name, None if is_now else value, value if is_now else None, value.dim, None)
        for name, value in found.items()
    )


def told(solution: Solution) -> dict[str, Value]:
    """What is told of a solution, by name, in order."""
    found = dict(quantities(solution, *OWN))
    for source in solution.sources:
        within = solution.within(("source", source))
        found |= {f"{name}.{source}": within[name] for name in _OF_SOURCE if name in within}
    return {name: found[name] for name in (*(one for one in FIRST if one in found), *found)}


def each(then: Side, now: Side) -> Iterator[Moved]:
    """Every quantity of two states that are solved, what is told first at the head."""
    assert then.solution is not None and now.solution is not None
    sides = told(then.solution), told(now.solution)
    columns = [Column(name, side.report, solution, {}) for name, side, solution in
               (("then", then, then.solution), ("now", now, now.solution))]  # fmt: skip
    apart = losses(columns)
    for name in dict.fromkeys((*FIRST, *sides[1], *sides[0])):
        was, is_ = (side.get(name) for side in sides)
        if was is None or is_ is None:
            if value := is_ or was:
                yield Moved(name, was, is_, value.dim, None)
        elif name in _LOSSES and apart:
            yield Moved(name, was, is_, is_.dim, None, apart)
        else:
            before = counted_in(was, is_.dim, (now.report, then.report))
            by, why = (None, "they are in different units") if before is None else (is_.value - before, "")
            yield Moved(name, was, is_, is_.dim, by, why)


def counted_in(value: Value, dim: Dim, reports: Sequence[Report]) -> float | None:
    """A value in a dimension: of money in another currency by a rate that one of the plans declares; else None."""
    if value.dim == dim:
        return value.value
    for plan in (report.plan for report in reports):
        assert plan is not None, "what has a solution has a plan"
        found = exchanged(Num(value.value, value.dim), plan.currency, plan.rates)
        if found.dim == dim:
            return found.value
    return None


def stays(one: Moved) -> bool:
    """Whether a quantity is what it was."""
    if one.by is None or one.then is None or one.now is None:
        return (
            one.then is not None
            and one.now is not None
            and one.then.dim == one.now.dim
            and (abs(one.then.value - one.now.value) <= SAME * abs(one.now.value))
        )
    return abs(one.by) <= SAME * max(abs(one.then.value), abs(one.now.value), SAME)
