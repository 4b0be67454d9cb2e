"""A plan as it stands to what becomes of it where one of its figures is another, solving no more than tells.

What only follows from the solution, such as a price, or decides nothing that it keeps, leaves the solution as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cached_property

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.engine.decide.candidates import Outcome, outcome_at, outcome_of
from runplan.engine.problem.derived import derive
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint, leads_to
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.margin import broken_of, compared, has_other, keeps_all, rests_on
from runplan.engine.solve.reach import reached
from runplan.engine.solve.whole import Reached, rounded_up


@dataclass(frozen=True)
class Standing:
    """A plan as it stands.

    Attributes:
        found: Its solution, if it has one as its figures stand.
    """

    problem: Problem
    found: Reached

    @classmethod
    def of(cls, problem: Problem) -> Standing:
        """The standing of a plan, solved as it is meant."""
        return cls(problem, reached(problem))

    @cached_property
    def outcome(self) -> Outcome:
        """What becomes of it."""
        return outcome_at(self.problem, self.found)

    def moved(self, there: Problem) -> Outcome:
        """What becomes of it where a figure is another.

        Args:
            there: The plan with that, made of this one.
        """
        return self.same(there) or outcome_of(there)

    def same(self, there: Problem) -> Outcome | None:
        """The same where its solution is that of the plan as it stands; None where it has to be found."""
        if not self.found.is_optimal or there.is_of_chance or has_other(self.problem, there, self._rests):
            return None
        own = self.problem.definitions
        behind = {name: d for name, d in there.definitions.items() if own.get(name) is not d}
        solved = self.found.problem
        moved = replace(solved, definitions={**solved.definitions, **behind}, held=there.held)
        return outcome_at(there, replace(self.found, problem=moved))

    def holds(self, there: Problem, known: Mapping[Name, float]) -> bool | None:
        """Whether it can be done and keeps what it requires where a figure is another, as far as a solution tells that
        may be one there; None where that is none.

        Args:
            known: Values of the variables, in base units.
        """
        if there.is_of_chance or there.either or any(v.name not in known for v in there.variables):
            return None
        tried = there.repeating().settled()
        if rounded_up(tried, known):
            return None
        if not self.found.is_optimal or known is not self.found.found.values:
            return None if not keeps_all(tried, known, tried.constraints) else not broken_of(tried, known)
        own = self._whole.definitions
        moved = frozenset([name for name, d in tried.definitions.items() if own.get(name) is not d])
        stays = self._beside(moved)
        if not keeps_all(tried, stays, self._moved(moved, self._whole.constraints, tried.constraints)):
            return None
        if self.outcome.holds:
            tried = replace(tried, held=tuple(self._moved(moved, self._whole.held, tried.held)))
        return not broken_of(tried, stays)

    def _moved(
        self, moved: Set[Name], olds: Sequence[Constraint | Either], news: Sequence[Constraint | Either]
    ) -> list[Constraint | Either]:
        """Of what is kept what is another where some definitions are, or comes to something else."""
        pairs = zip(olds, news, strict=True)
        return [new for old, new in pairs if old is not new or moved & self._leads[old.key]]

    def _beside(self, moved: frozenset[Name]) -> Mapping[Name, float]:
        """What the solution comes to where some definitions are others, but for what rests on these."""
        if moved not in self._stays:
            definitions, known = self._whole.definitions, self.found.found.values
            other = set(moved)
            stays = self._stays[moved] = dict(known)
            for name, value in self._values.items():  # each after all that it rests on
                if name not in known:
                    if name in other or not other.isdisjoint(names(definitions[name].expr)):
                        other.add(name)
                    else:
                        stays[name] = value
        return self._stays[moved]

    @cached_property
    def _stays(self) -> dict[frozenset[Name], dict[Name, float]]:
        """What stays of what it comes to, by what moved: a figure is tried at many values."""
        return {}

    @cached_property
    def _values(self) -> dict[Name, float]:
        """What all comes to that is compared in what it keeps."""
        values = dict(self.found.found.values)
        derive(self._whole, values, [side for one in self._kept for side in compared(one)])
        return values

    @cached_property
    def _leads(self) -> dict[str, frozenset[Name]]:
        """What each constraint rests on, and what its givens decide, by its key."""
        return {one.key: leads_to(compared(one), self._whole.definitions) for one in self._kept}

    @cached_property
    def _kept(self) -> tuple[Constraint | Either, ...]:
        return (*self._whole.constraints, *self._whole.held)

    @cached_property
    def _whole(self) -> Problem:
        """The plan with all that it rests on."""
        return self.problem.repeating().settled()

    @cached_property
    def _rests(self) -> frozenset[Name]:
        return rests_on(self.problem, ())
