"""A condition of a plan to how likely it is to hold: what is chosen is held, and what nature decides is drawn.

The choice comes before nature decides, so the size, the tokens and the devices are those of the plan, and what follows
from them is what it then comes to. Hardware that is paid by the hour, or that is looked for, runs for as long as the
run needs it; what is reserved for a time ends with that time, and with it the run, whose tokens are what was done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.columns import Column
from runplan.dsl.expr.logic import ways
from runplan.dsl.expr.name import Name, factor
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names, substitute
from runplan.dsl.expr.values import compiled
from runplan.engine.numeric.functions import signomial
from runplan.engine.problem import quantities as q
from runplan.engine.problem.draws import Draw, deviated, drawn, is_deviate, quantile, uncertain_constants
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.following import Following
from runplan.engine.problem.natural import natural
from runplan.engine.problem.parts import Constraint, Definition
from runplan.engine.problem.points import Points
from runplan.engine.problem.problem import Problem
from runplan.engine.solve.scores import Columns, Joined, Part, Values, in_draw, made_of, parts_of, score_of, scores_of

# Joint draws: a share of them is off by two points where it is nine in ten, as one draw in twenty has it.
DRAWS = 2000
# What just holds is no failure.
KEPT = 1e-9
# Shares at which it is seen whether a condition goes one way with what is uncertain.
TRIED = tuple((i + 0.5) / 24 for i in range(24))
# How near the share is found from which on a condition fails.
NEAR = 1e-9
# Draws near the quantile whose mean tells how it moves with what is chosen.
ABOUT = 60


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a condition is.

    Attributes:
        share: Of all that may be.
        error: One standard deviation of that, where it is of draws; 0 where it is exact.
        edge: The deviate at which it begins to fail, where one thing alone decides it.
    """

    share: float
    error: float = 0.0
    edge: float | None = None


# The score in a draw, with the comparison that it is of.
Scored = tuple[float, Part, Draw]


@dataclass(frozen=True)
class Likely:
    """A condition of a problem, over what is uncertain of it.

    Attributes:
        problem: In which what is uncertain is off by its deviates.
        over: What is uncertain that the condition hangs on.
    """

    problem: Problem
    over: frozenset[Name]
    _joined: Joined

    @staticmethod
    def of(problem: Problem, condition: Expr) -> Likely:
        """A condition of a problem that is settled."""
        return Uncertain.of(problem).likely(condition)

    # ---- asking

    def is_told(self, values: Values) -> bool:
        """Whether all that it is about has a value."""
        over = (names(part.left) | names(part.right) for part in parts_of(self._joined))
        return frozenset[Name]().union(*over) <= values.keys() | self.over

    def likelihood(self, values: Values) -> Likelihood:
        """How likely it is at what is chosen."""
        if not self.over:
            return Likelihood(1.0 if self._score(values)[0] <= 1.0 + KEPT else 0.0)
        rises = self._rises(values)
        if rises is not None:
            return self._below(values, rises)
        share = sum(score <= 1.0 + KEPT for score, _, _ in self._drawn(values)) / DRAWS
        return Likelihood(share, math.sqrt(share * (1.0 - share) / DRAWS))

    def holds(self, values: Values, draw: Values) -> bool:
        """Whether it holds at what is chosen, in a draw of what is uncertain."""
        return self._score({**values, **draw})[0] <= 1.0 + KEPT

    def quantile(self, values: Values, level: float) -> float:
        """The score that it is at or below in a share of what may be: above 1, it holds in fewer."""
        rises = self._rises(values)
        if rises is not None:
            return self._at(values, level if rises else 1.0 - level)[0]
        return quantile([score for score, _, _ in self._drawn(values)], level)

    def about(self, values: Values, level: float) -> tuple[Draw, ...]:
        """The draws whose mean moves with what is chosen as the quantile does: those about it.

        Of one thing that decides it is the draw at its quantile, and of a product of powers any draw.
        """
        rises = self._rises(values)
        if rises is not None:
            return (self._single(level if rises else 1.0 - level),)
        drawn = sorted(self._drawn(values), key=lambda one: one[0])
        middle = min(max(round(level * len(drawn) - 0.5), 0), len(drawn) - 1)
        _, part, draw = drawn[middle]
        if _is_power(self.problem, *in_draw(part, draw)):
            return (draw,)
        first = max(0, min(middle - ABOUT // 2, len(drawn) - ABOUT))
        about = tuple(draw for score, _, draw in drawn[first : first + ABOUT] if math.isfinite(score) and score > 0)
        return about or (draw,)

    def just_kept(self, values: Values, level: float, about: Sequence[Draw]) -> tuple[Expr, Expr]:
        """The sides of a comparison that is kept, near what is chosen, just where the condition is likely enough.

        Args:
            about: The draws whose mean it is.
        """
        at = self.quantile(values, level)
        scored = [(*self._score({**values, **draw}), draw) for draw in about]
        sides = [in_draw(part, draw) for _, part, draw in scored]
        mean = sum(score for score, _, _ in scored) / len(scored)
        far = mean / at if math.isfinite(mean) and 0 < at < math.inf else 1.0
        if len(sides) == 1:
            ((left, right),) = sides
        else:  # each as a share of its bound here: one may be of money, another of time
            sizes = [float(part.sides[1]({**values, **draw})) for _, part, draw in scored]
            left, right = (
                joined("+", (_times(side[i], 1.0 / size) for side, size in zip(sides, sizes, strict=True)))
                for i in (0, 1)
            )
        return left, right if far == 1.0 else _times(right, far)

    # ---- what one thing decides

    def _rises(self, values: Values) -> bool | None:
        """Whether the score rises with the one thing that decides it; None where there are several, or it turns."""
        if len(self.over) != 1 or not all(map(is_deviate, self.over)):
            return None
        scores = [self._at(values, share)[0] for share in TRIED]
        pairs = list(pairwise(scores))
        if all(a <= b for a, b in pairs):
            return True
        return False if all(a >= b for a, b in pairs) else None

    def _single(self, share: float) -> Draw:
        """The draw below which a share of what may be lies, of the one thing that decides."""
        (name,) = self.over
        return {name: deviated(share, self.problem.definitions[name].between)}

    def _at(self, values: Values, share: float) -> tuple[float, Part]:
        return self._score({**values, **self._single(share)})

    def _below(self, values: Values, rises: bool) -> Likelihood:
        """How likely it is, where the score goes one way with the one thing that decides it."""
        low, high = 0.0, 1.0
        holds = {end: self._at(values, end)[0] <= 1.0 + KEPT for end in (low, high)}
        if holds[low] == holds[high]:
            return Likelihood(1.0 if holds[low] else 0.0)
        while high - low > NEAR:
            middle = (low + high) / 2
            low, high = (middle, high) if (self._at(values, middle)[0] <= 1.0 + KEPT) == rises else (low, middle)
        (edge,) = self._single(middle := (low + high) / 2).values()
        return Likelihood(middle if rises else 1.0 - middle, edge=edge)

    # ---- what several things decide

    @cached_property
    def _points(self) -> Points:
        return drawn(self.problem, DRAWS)

    @cached_property
    def _draws(self) -> list[Draw]:
        return list(self._points.rows(self.over))

    @cached_property
    def _columns(self) -> Columns:
        columns = ((name, self._points.column(name)) for name in self.over)
        return {name: Column([*column]) for name, column in columns}

    @cached_property
    def _last(self) -> dict[str, tuple[Values, list[Scored]]]:
        """What was drawn last: about one choice it is asked where the end of the draws lies, and what lies about it."""
        return {}

    def _drawn(self, values: Values) -> list[Scored]:
        """The score in each draw, with the comparison that it is of."""
        known = self._last.get("drawn")
        if known is not None and known[0] == values:
            return known[1]
        together = scores_of(self._joined, {**values, **self._columns}, DRAWS)
        if together is None:
            together = [self._score({**values, **draw}) for draw in self._draws]
        scored = [(score, part, draw) for (score, part), draw in zip(together, self._draws, strict=True)]
        self._last["drawn"] = (dict(values), scored)
        return scored

    def _score(self, env: Values) -> tuple[float, Part]:
        return score_of(self._joined, env)


@dataclass(frozen=True, slots=True)
class Uncertain:
    """What is uncertain of a problem, for all conditions of it.

    Attributes:
        problem: In which that is off by its deviates.
        drawn: What is drawn.
        at: An expression over what is chosen, and what is drawn.
    """

    problem: Problem
    drawn: frozenset[Name]
    at: Callable[[Expr], Expr]

    @staticmethod
    def of(problem: Problem) -> Uncertain:
        """That of a problem that is settled."""
        uncertain = natural(problem).ranging().deviating()
        drawn = frozenset(filter(is_deviate, uncertain.definitions)) | uncertain_constants(problem.law)
        following = follows(problem)
        told = _moved(uncertain, drawn | following.keys())
        middles = {name: _middle(name) for name in told if problem.is_parameter(name) and problem.number(name)}
        for name, middle in middles.items():
            off = Op("/", (told[name].expr, Num(problem.number(name))))
            told[name] = replace(told[name], expr=Op("*", (Ref(middle), off)))
        memo: dict[Name, Expr] = {}
        named: dict[Name, Expr] = {middle: Ref(name) for name, middle in middles.items()}
        after = {name: substitute(expand(expr, told, memo), named) for name, expr in following.items()} | named

        def at(expr: Expr) -> Expr:
            return substitute(expand(expr, told, memo), after)

        return Uncertain(uncertain, drawn, at)

    def likely(self, condition: Expr) -> Likely:
        """A condition, over what is uncertain."""
        made = made_of(ways(condition), self.at)
        over = self.drawn & frozenset().union(*(names(part.left) | names(part.right) for part in parts_of(made)))
        return Likely(self.problem, over, made)


def _middle(name: Name) -> Name:
    """A figure that may be off, as the middle of what it may be: by how much it is off is a factor of it."""
    return factor(f"middle of {name.kind} {name.text}", name.scope)


# ---- what follows


def follows(problem: Problem) -> dict[Name, Expr]:
    """What comes out otherwise than it is planned where devices are faster or slower, by what is planned."""
    out: dict[Name, Expr] = {}
    for capacity in problem.constraints:
        if capacity.kind == "capacity" and isinstance(capacity.left, Ref):
            out |= _followed(problem, capacity)
    return out


def outcomes(problem: Problem, values: Values) -> Callable[[Draw], dict[Name, float]]:
    """All values of a problem that is settled, at a draw: what is chosen held, and what follows as it comes out.

    Args:
        values: Those of its solution.
    """
    uncertain = problem.ranging().deviating()
    chosen = {v.name: values[v.name] for v in problem.variables if v.name in values}
    constants = uncertain_constants(problem.law)
    known = chosen.keys() | constants | set(filter(is_deviate, uncertain.definitions))
    middle = {name: uncertain.number(name) for name in known if uncertain.is_parameter(name)}
    following = Following(uncertain.definitions, known)
    moves = {name: compiled(expr) for name, expr in follows(problem).items()}
    after = Following(uncertain.definitions, known | moves.keys())

    def at(draw: Draw) -> dict[Name, float]:
        env = following({**middle, **chosen, **draw})
        if not moves:
            return env
        moved = {name: value(env) for name, value in moves.items()}
        return after({**middle, **chosen, **draw, **moved})

    return at


def _followed(problem: Problem, capacity: Constraint) -> Iterator[tuple[Name, Expr]]:
    assert isinstance(capacity.left, Ref)
    stage = capacity.left.name.part("stage")
    found = [v.name for v in problem.variables if v.name.part("stage") == stage]
    needed = Op("/", (capacity.left, capacity.right))
    times = [name for name in found if name.text in _TIMES]
    reserved = [n for n in problem.definitions if n.text == q.RESERVED_TIME.text and n.part("stage") == stage]
    shared = {v.name.text for v in problem.variables if v.name.part("stage") in ("", stage)}
    if not times and q.GPUS.text in shared:
        times = [name for name in reserved if problem.definitions[name].kind == "given"]
    if times:
        yield from ((name, Op("*", (Ref(name), needed))) for name in times)
    elif not any(name.part("pool") and problem.definitions[name].kind == "derived" for name in reserved):
        done = Op("min", (Num(1.0), Op("/", (capacity.right, capacity.left))))
        yield from ((name, Op("*", (Ref(name), done))) for name in found if name.text in _TOKENS)


_TIMES = frozenset((q.RESERVED_TIME.text, q.GPU_HOURS.text))
_TOKENS = frozenset((q.TOKENS.text, q.FINETUNE_TOKENS.text, q.PRETRAIN_TOKENS.text))


def _moved(problem: Problem, by: frozenset[Name]) -> dict[Name, Definition]:
    """The definitions that some names move, but for those names."""
    moves: dict[Name, bool] = dict.fromkeys(by, True)
    left = {name: names(d.expr) for name, d in problem.definitions.items() if name not in moves}
    while found := [name for name, inner in left.items() if any(moves.get(each) for each in inner)]:
        for name in found:
            moves[name] = True
            del left[name]
    return {name: problem.definitions[name] for name in moves if name in problem.definitions and name not in by}


# ---- sides of comparisons


def _times(expr: Expr, factor: float) -> Expr:
    return Op("*", (expr, Num(factor)))


def _is_power(problem: Problem, left: Expr, right: Expr) -> bool:
    """Whether the left side over the right one is a product of powers of what is chosen."""
    terms = signomial(problem.expanded(Op("/", (left, right))))
    return terms is not None and len(terms) == 1
