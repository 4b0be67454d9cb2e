"""The solution of one plan to where what it chooses changes, and to what is worth knowing before it is chosen.

What is chosen is whether the run can be done, which alternative of a requirement it takes, and how large the model is.
A size is another choice where the present one would need over one per cent more compute, or whatever else is made
small, to come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref
from runplan.dsl.plan.ir import Plan
from runplan.engine.analysis.counted import total_of
from runplan.engine.analysis.regret import surface_of
from runplan.engine.analysis.resolve import SLOW_DRAWS, Evaluator, evaluator
from runplan.engine.decide.candidates import BY, Measure, Outcome, broken_by, outcome_at
from runplan.engine.decide.flips import Chosen, Flip, flips_of, nearest
from runplan.engine.decide.knowing import MOST, PARTS, Drawn, Knowing, known_of
from runplan.engine.decide.levers import Input, inputs_of
from runplan.engine.decide.standing import Standing
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import drawn
from runplan.engine.problem.either import Either
from runplan.engine.problem.points import Points
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.likely import outcomes
from runplan.engine.solve.reach import reached
from runplan.engine.solve.solve import solve
from runplan.engine.solve.values import solved
from runplan.engine.solve.whole import counts

# A size that differs by less than SAME is no other, and one that costs at most DEARER more is as good.
SAME, DEARER = 0.02, 0.01
# Parts of the draws, where there are few.
FEW = 3
_AMOUNTS = (q.TOKENS.text, q.PRETRAIN_TOKENS.text, q.FINETUNE_TOKENS.text)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen.

    Attributes:
        figures: The size, and what else is chosen, in base units.
        ways: The alternatives that are taken, as the plan writes them.
    """

    figures: Mapping[Name, float]
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alone:
    """What a plan chooses, where that changes, and what is worth knowing for it.

    Attributes:
        now: What is chosen; None where the plan cannot be done or does not hold.
        flips: Where that changes, the nearest first, with what is chosen there; None where nothing holds.
        knowing: What is chosen at joint draws, of `candidates`; None where nothing uncertain leaves a choice.
        measure: What the choices are told apart by.
    """

    now: Choice | None
    flips: tuple[tuple[Flip, Choice | None], ...]
    knowing: Knowing | None = None
    candidates: tuple[Choice, ...] = ()
    measure: Measure | None = None


def decided_alone(plan: Plan, solution: Solution) -> Alone | None:
    """What one plan chooses; None where it is undecided."""
    if solution.status == "undecided" or solution.problem.is_programme:
        return None
    problem = solution.untaken or solution.problem
    present = _Present(Standing.of(problem))

    def search(moved: Input, value: float) -> Chosen:
        (there,) = moved.moved([problem], value)
        return Chosen(present.sought(there))

    def choose(moved: Input, value: float) -> Chosen:
        (there,) = moved.moved([problem], value)
        found = present.standing.moved(there)
        return Chosen(present.index_of(there, found), lambda index: broken_by(there, found))

    def chosen(flip: Flip) -> Choice | None:
        (there,) = flip.input.moved([problem], flip.at)
        return None if flip.choose is None else choice_of(there, present.standing.moved(there))

    now = 0 if present.outcome.holds else None
    measure = _measure(solution)
    about = () if measure is None else (Ref(measure.name),)
    flips = nearest(flips_of(now, inputs_of([problem], about), search, choose))
    told = tuple((flip, chosen(flip)) for flip in flips)
    candidates, knowing = _known(plan, solution, measure) if now == 0 and measure is not None else ((), None)
    return Alone(choice_of(problem, present.outcome), told, knowing, candidates, measure)


def choice_of(problem: Problem, outcome: Outcome) -> Choice | None:
    """What is chosen where a plan comes to this; None where it does not hold."""
    if not outcome.holds or outcome.values is None:
        return None
    size = dict.fromkeys(_shown(name) for name in _size(problem))
    figures = {name: outcome.values[name] for name in size if name in outcome.values}
    return Choice(figures, tuple(_ways(problem, outcome.values)))


def _size(problem: Problem) -> tuple[Name, ...]:
    """What is chosen of the model."""
    known = problem.quantities
    run = (v.name for v in problem.variables if v.name.text in known and known[v.name.text].facts.decided == "run")
    return tuple(name for name in run if name.text not in _AMOUNTS)


def _shown(name: Name) -> Name:
    return q.PARAMS if name == q.LAW_PARAMS else name


def _ways(problem: Problem, values: Mapping[Name, float]) -> Iterator[str]:
    """The alternatives that values keep, of each choice the first that they do."""
    for choice in problem.either:
        if choice.requirement is not None and isinstance(choice, Either):
            way = min(choice.alternatives, key=lambda one: max(one.excess(values), 0.0))
            yield " and ".join(dict.fromkeys(part.text for part in way.constraints))


@dataclass(frozen=True)
class _Present:
    """What a plan chooses as it stands.

    Attributes:
        last: The variables where it was solved last with another figure: they may do with the next one.
    """

    standing: Standing
    last: dict[Name, float] = field(default_factory=dict)

    @property
    def problem(self) -> Problem:
        """The plan as it stands."""
        return self.standing.problem

    @property
    def outcome(self) -> Outcome:
        """What becomes of it."""
        return self.standing.outcome

    @cached_property
    def size(self) -> dict[Name, float]:
        """What is chosen of the model, in base units."""
        values = self.outcome.values or {}
        return {name: values[name] for name in _size(self.problem) if name in values}

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """The alternatives that are taken."""
        return tuple(_ways(self.problem, self.outcome.values or {}))

    @cached_property
    def leaves_choice(self) -> bool:
        """Whether there is more than one that it could choose, all of which hold."""
        return bool(self.ways or self.size or self.problem.either)

    def index_of(self, there: Problem, found: Outcome) -> int | None:
        """What is chosen where a figure is another: this, or something else; None where nothing holds."""
        if not found.holds:
            return None
        return 0 if self.is_of(there, found) else 1

    def sought(self, there: Problem) -> int | None:
        """The same, in the quickest way that tells."""
        if not self.leaves_choice:
            for known in (self.standing.found.found.values, self.last):
                holds = self.standing.holds(there, known)
                if holds is not None:
                    return 0 if holds else None
        same = self.standing.same(there)
        if same is not None:
            return self.index_of(there, same)
        near = self._nearby(there)
        solved = reached(near)
        self.last.update(solved.found.values)
        return self.index_of(near, outcome_at(near, solved))

    def _nearby(self, there: Problem) -> Problem:
        """The problem where a figure is another, to be searched for from here."""
        values = self.outcome.values or {}
        starts = tuple(replace(v, start=values.get(v.name) or v.start) for v in there.variables)
        return replace(there, variables=starts, nearby=self.outcome.values is not None)

    def is_of(self, there: Problem, found: Outcome) -> bool:
        """Whether it is as good a choice as another one where a figure is another; any is that holds, if none does."""
        if not self.outcome.holds:
            return True
        if not self.leaves_choice:
            return True
        values = found.values or {}
        if tuple(_ways(there, values)) != self.ways:
            return False
        if all(abs(values[name] - size) <= SAME * size for name, size in self.size.items()):
            return True
        kept = reached(there.fixed(self.size))
        return kept.is_optimal and not _is_dearer(there, {**kept.values, **self.size}, values)


def _is_dearer(problem: Problem, kept: Mapping[Name, float], best: Mapping[Name, float]) -> bool:
    """Whether values cost more than they need to by what the plan wants; where no law tells, they do not."""
    goal = next((goal for goal in problem.goals if goal.sense != "near"), None)
    if goal is None or not isinstance(goal.expr, Ref) or goal.expr.name not in kept or goal.expr.name not in best:
        return False
    wanted, own = best[goal.expr.name], kept[goal.expr.name]
    if goal.expr.name != q.LOSS:
        return (wanted - own if goal.sense == "maximize" else own - wanted) > DEARER * abs(wanted)
    surface = surface_of(solved(problem, {v.name: best[v.name] for v in problem.variables}))
    size = kept.get(q.LAW_PARAMS, kept.get(q.PARAMS))
    if surface is None or size is None:
        return False
    return surface.loss(size, kept[q.TOKENS] * (1.0 + DEARER)) > wanted


# ---- what is worth knowing


def _measure(solution: Solution) -> Measure | None:
    """What choices are told apart by: what the plan wants, else the first of some that it comes to."""
    goals = [g for g in solution.problem.goals[:1] if isinstance(g.expr, Ref) and g.sense != "near"]
    wanted = [(g.expr.name, g.sense == "maximize") for g in goals if isinstance(g.expr, Ref)]
    for name, more in (*wanted, *((name, False) for name in BY)):
        if name in solution.values:
            return Measure(name, solution.values[name].dim, more)
    return None


def _known(plan: Plan, solution: Solution, measure: Measure) -> tuple[tuple[Choice, ...], Knowing | None]:
    """What is chosen where all that is uncertain is drawn, and what knowing it is worth."""
    if solution.status != "solved" or solution.problem.is_of_chance:
        return (), None
    ranging = replace(solution, problem=solution.problem.ranging())
    evaluate, count = evaluator(ranging)
    draws = drawn(ranging.problem.deviating(), min(MOST, count))
    if len(draws) < PARTS or not draws.moving:
        return (), None
    _, found = evaluate(draws)
    # Each size is solved at each draw, where it takes long at few of them.
    of_size = _candidates(_size(solution.problem), found, solution, PARTS if count > SLOW_DRAWS else FEW)
    if of_size:
        solutions = [solve(solution.problem.fixed(size), why=False) for size in of_size]
        each = [Drawn.of(plan, one, measure) for one in solutions if one.status == "solved"]
        chosen = [size for size, one in zip(of_size, solutions, strict=True) if one.status == "solved"]
    else:
        chosen = _candidates(counts(solution.problem), found, solution, PARTS)
        each = [_of_devices(plan, solution, measure, held) for held in chosen]
    if len(chosen) < 2:
        return (), None
    choices = tuple(Choice({_shown(n): _total(solution, n, v) for n, v in held.items()}) for held in chosen)
    return choices, known_of(each, measure)


def _candidates(names: Iterable[Name], found: Points, solution: Solution, parts: int) -> list[dict[Name, float]]:
    """What to choose among: what the plan chooses, and what is best in the middle of each part of the draws."""
    chosen = [name for name in names if name in solution.values]
    if not chosen or not found:
        return []
    order = sorted(found.rows(chosen), key=lambda values: [values[name] for name in chosen])
    middles = (order[(2 * i + 1) * len(order) // (2 * parts)] for i in range(parts))
    out = [{name: solution.values[name].value for name in chosen}]
    for values in middles:
        held = {name: values[name] for name in chosen}
        if all(any(abs(held[n] - one[n]) > SAME * one[n] for n in chosen) for one in out):
            out.append(held)
    return out


def _of_devices(plan: Plan, solution: Solution, measure: Measure, held: Mapping[Name, float]) -> Drawn:
    """A plan with so many devices: the run is the same, and takes as long as it does."""
    problem = solution.problem.settled()
    values = {v.name: solution.values[v.name].value for v in problem.variables} | dict(held)
    at = outcomes(problem, values)
    return Drawn(plan, problem.ranging().deviating(), Evaluator(at), MOST, measure)


def _total(solution: Solution, name: Name, value: float) -> float:
    return total_of(solution, value) if name == q.LAW_PARAMS else value
