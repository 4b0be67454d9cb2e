"""One objective, from a point, to where it comes to rest: sequential quadratic programming, exact second derivatives.

Each iteration solves a convex quadratic program; damping as in Levenberg and Marquardt stands in for a trust region
(Nocedal & Wright 2006, chapters 4, 10.3 and 18). Two runs share it: `Feasibility` for phase one, whose objective is
the violation, and `Minimisation` for phase two. `newton.polish` finishes either.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal
from runplan.engine.numeric.algebra import Matrix, Vector, dot, size_of, times
from runplan.engine.numeric.extrapolation import along_faint_coordinates, doubled
from runplan.engine.numeric.local import STEEP, At, Elastic, Local, Objective, lagrangian, residual_of
from runplan.engine.numeric.merit import Penalties, reduction_ratio
from runplan.engine.numeric.newton import polish
from runplan.engine.numeric.quadratic import FEASIBLE, Step
from runplan.engine.numeric.subproblem import FAR, regularised, solved_in_box

Ending = Literal["optimal", "unbounded", "inconsistent", "stalled", "enough"]

# A least violation above this is a proof, below it is arithmetic: a hundred times FEASIBLE.
INFEASIBLE = 1e-7
# The logarithm of a positive objective that has run down to nothing: exp(-640) is 1e-278, and no figure is that small.
# It has to be above -708, where doubles end.
VANISHED = -640.0
# A multiplier below this, relative to the gradient of the objective, is not binding.
MATTERS = 1e-9
# A force below this, relative to the largest, may stay unbalanced, once nothing else has helped.
FAINT = 1e-12

# Steps below this are left to Newton's method, which squares the error: 1e-6, 1e-12, rounding.
SHORT = 1e-6
# Steps below this change nothing: some fifty units in the last place of a logarithm near 10.
NOTHING = 1e-13
# A settled point may look for better multipliers this often: after two, the curvature is that of the last ones.
REFRESHES = 2
# What the lift of the Hessian has of the gradient at first (see `subproblem.regularised`), and to what it is cut when
# all has settled but a force that is faint beside others; a third value would be below the rounding of the factor.
BALLAST, LEAST_BALLAST, CUT = 1e-8, 1e-9, 1e-2
# Phase one goes on only for as long as a step takes off more than this share of the violation.
WORTH = 1e-3
# In phase one, the lift of coordinates that no violated constraint holds, as a share of the violation.
IDLE = 1e-6

# Ratios of actual to predicted reduction: below the first a step is refused, below the next two it is corrected and
# damped more, above the last damped less. The usual 1e-4, 0.1, 1/4 and near 3/4 (Nocedal & Wright, chapter 4).
REFUSED, SPOILED, POOR, GOOD = 1e-4, 0.1, 0.25, 0.7
# Damping: less after a good step, more after a poor one, more still after a refused one; at least this share of the
# force along the step.
LESS, MORE, MUCH_MORE, PULL = 0.1, 4.0, 8.0, 0.1
# The first damping, of the gradient. Phase one is linear in t and nearly so in x, and may begin with longer steps.
FIRST_DAMPING, FIRST_DAMPING_OF_VIOLATION = 0.1, 1e-3
# A refused step shorter than this, or damping beyond this, and nothing more can be gained.
SHORTEST, STIFF = 1e-14, 1e280
# A violation that a step may add before curvature is to blame: rounding of a constraint, ten times.
BEYOND_ROUNDING = 1e-10
# Refused this often in a row at an infeasible point, the way back is not a matter of damping: phase one takes over.
PATIENCE = 4
# A factor of exp(100) = 1e43 in a variable: far further than any two plausible values of a quantity are apart.
LONG_WAY = 100.0
# What is left of the first gradient where an objective has died away to a constant that it never reaches.
DIED = 1e-20


@dataclass(slots=True)
class Descent:
    """Where minimising one objective came to rest, and how."""

    here: Local
    c_multipliers: Vector
    e_multipliers: Vector
    outcome: Ending
    steps: int


class _Run(ABC):
    """The iterations of one descent: where they stand, and the steps that both phases share.

    Attributes:
        at: The objective and constraints at a point.
        first: Where the run began.
        here: Where it stands.
        c_multipliers: Those of the last accepted step, (m), as `e_multipliers`, (p).
        damping: What the Hessian is lifted by, in units of curvature.
        steps: Quadratic programs solved.
        at_rest: Set where nothing more can be gained.
        end: The result, once there is one.
    """

    def __init__(self, at: At, here: Local, damping: float) -> None:
        self.at = at
        self.first = self.here = here
        self.c_multipliers, self.e_multipliers = [0.0] * len(here.c), [0.0] * len(here.e)
        self.penalties = Penalties([0.0] * len(here.c), [0.0] * len(here.e))
        self.damping = damping * size_of(here.gradient)
        self.ballast = BALLAST
        self.faint = 0.0
        self.steps = self.refreshes = self.refusals = 0
        self.at_rest = False
        self.end: Descent | None = None

    def run(self, budget: int, enough: float = -math.inf) -> Descent:
        """Iterate until there is a result, or an objective of no more than `enough`, or the budget is spent."""
        while not self.at_rest and self.steps < budget and self.here.value > enough:
            self.steps += 1
            self._iterate()
            if self.end is not None:
                return self.end
        outcome: Ending = "enough" if self.here.value <= enough else self.outcome_at_rest()
        return Descent(self.here, self.c_multipliers, self.e_multipliers, outcome, self.steps)

    # ---- what the phases differ in

    def prepare(self) -> bool:
        """Put the objective into the form to iterate on; False where that ends the run."""
        return True

    def idle(self) -> float:
        """The largest lift of coordinates without a part in the objective."""
        return math.inf

    def proven(self, step: Step) -> bool:
        """Whether the multipliers of a step prove that there is nothing more to gain."""
        return False

    def settled(self, step: Step) -> bool:
        """Whether a step is so short that the active set is found."""
        return size_of(step.d) <= SHORT and self.here.violation <= SHORT

    def searched_on(self, step: Step) -> bool:
        """Look for what a settled point, which is not an optimum, has missed; whether that changed anything."""
        return False

    def extended(self, there: Local, d: Vector) -> Local:
        """A point further along an accepted step."""
        return there

    @abstractmethod
    def most_damping(self) -> float:
        """The largest damping after an accepted step."""

    def outcome_at_rest(self) -> Ending:
        """What it means that nothing more was gained."""
        return "stalled"

    # ---- what they share

    def finish(self, outcome: Ending, step: Step | None = None) -> None:
        """End here, with the multipliers of a step, or of the last accepted one."""
        c_multipliers, e_multipliers = self.c_multipliers, self.e_multipliers
        if step is not None:
            c_multipliers, e_multipliers = step.c_multipliers, step.e_multipliers
        self.end = Descent(self.here, c_multipliers, e_multipliers, outcome, self.steps)

    def _iterate(self) -> None:
        if not self.prepare():
            return
        here = self.here
        h, _, diagonal = lagrangian(here, self.c_multipliers, self.e_multipliers)
        unbalanced, _ = residual_of(here, self.c_multipliers, self.e_multipliers)
        lower = regularised(
            h, diagonal, here.gradient, unbalanced, damping=self.damping, ballast=self.ballast, idle=self.idle()
        )
        step = solved_in_box(here, lower, here.c, here.e)
        if step is None:
            self.finish("inconsistent")
        elif self.proven(step):
            self.at_rest = True
        elif not (self.settled(step) and self._concluded(step)):
            self._advance(step, h, lower)

    def _concluded(self, step: Step) -> bool:
        """End a settled run, or set it on again; False where the step is to be tried all the same."""
        _, terms = residual_of(self.here, step.c_multipliers, step.e_multipliers)
        if any(weight > MATTERS * terms[i % len(terms)] for i, weight in enumerate(step.box)):
            self.finish("unbounded", step)  # nothing but the box holds it
            return True
        if self._polished(step):
            return True
        stale = step.c_multipliers != self.c_multipliers or step.e_multipliers != self.e_multipliers
        self.c_multipliers, self.e_multipliers = step.c_multipliers, step.e_multipliers
        if self.refreshes < REFRESHES and stale:
            self.refreshes += 1  # the curvature was that of other multipliers
            return True
        if self.searched_on(step):
            return True
        self.at_rest = size_of(step.d) <= NOTHING
        return self.at_rest

    def _polished(self, step: Step) -> bool:
        found = polish(self.at, self.here, step.working, step.c_multipliers, step.e_multipliers, 0.0)
        if found is None and self.faint:
            found = polish(self.at, self.here, step.working, step.c_multipliers, step.e_multipliers, self.faint)
        if found is None:
            return False
        outcome: Ending = "unbounded" if _died_along_a_coordinate(self.first, found.here) else "optimal"
        self.end = Descent(found.here, found.c_multipliers, found.e_multipliers, outcome, self.steps)
        return True

    def _advance(self, step: Step, h: Matrix, lower: Matrix) -> None:
        """Try a step: accept it, or damp it."""
        self.penalties.follow(step.c_multipliers, step.e_multipliers)
        there, ratio, d = self._trial(step, h, lower)
        if there is None or ratio < REFUSED:
            self._refuse(d, h, size_of(step.d))
            return
        self.refreshes = self.refusals = 0
        if ratio > GOOD:
            self.damping *= LESS
        elif ratio < POOR:
            self.damping *= MORE
        self.c_multipliers, self.e_multipliers = step.c_multipliers, step.e_multipliers
        self.here = self.extended(there, d)
        self.damping = min(self.damping, self.most_damping())

    def _trial(self, step: Step, h: Matrix, lower: Matrix) -> tuple[Local | None, float, Vector]:
        """Where a step leads, its ratio of actual to predicted reduction, and the step.

        Where curvature of the constraints spoils a good step, it is corrected to second order: aimed at them as they
        are over there (Nocedal & Wright 2006, section 18.3, after Fletcher 1982).
        """
        here, d = self.here, step.d
        there = self.at([a + b for a, b in zip(here.x, d, strict=True)])
        if there is None:
            return None, -1.0, d
        ratio = reduction_ratio(here, there, h, d, self.penalties)
        if not ratio < SPOILED or there.violation <= max(here.violation, BEYOND_ROUNDING):
            return there, ratio, d
        shifted_c = [a - dot(row, d) for a, row in zip(there.c, here.c_rows, strict=True)]
        shifted_e = [a - dot(row, d) for a, row in zip(there.e, here.e_rows, strict=True)]
        second = solved_in_box(here, lower, shifted_c, shifted_e)
        corrected = None if second is None else self.at([a + b for a, b in zip(here.x, second.d, strict=True)])
        if second is None or corrected is None:
            return there, ratio, d
        better = reduction_ratio(here, corrected, h, d, self.penalties)
        return (corrected, better, second.d) if better > ratio else (there, ratio, d)

    def _refuse(self, d: Vector, h: Matrix, size: float) -> None:
        """Damp more: by a factor, and to no less than the curvature along the step and a share of the force."""
        length = dot(d, d) or 1e-300
        bend = 0.5 * dot(d, times(h, d)) / length
        pull = PULL * abs(dot(self.here.gradient, d)) / length
        self.damping = max(MUCH_MORE * self.damping, bend, pull)
        if size <= SHORTEST or not self.damping < STIFF:
            self.at_rest = True
            return
        self.refusals += 1
        if self.refusals > PATIENCE and self.here.violation > FEASIBLE:
            self.finish("inconsistent")  # damping does not shorten the way back


def _died_along_a_coordinate(first: Local, here: Local) -> bool:
    """Whether the objective once depended on a coordinate that has since run to where it no longer does."""
    return any(
        g == 0.0 and curve == 0.0 and was != 0.0 and abs(a - b) > LONG_WAY
        for g, curve, was, a, b in zip(here.gradient, here.spread, first.gradient, here.x, first.x, strict=True)
    )


class Feasibility(_Run):
    """Phase one: the least violation. Ends early at a point that is feasible, or once it is proven that none is."""

    def __init__(self, at: Elastic, here: Local) -> None:
        super().__init__(at, here, FIRST_DAMPING_OF_VIOLATION)
        self.proof: Vector | None = None

    def idle(self) -> float:
        """A share of the violation, so that coordinates that nothing violated holds stay near."""
        return IDLE * self.here.value

    def proven(self, step: Step) -> bool:
        """Whether the violation is proven, and what is left to gain of it lies far away, as a falling exponential's."""
        proves = least_violation(self.here, step.c_multipliers) > INFEASIBLE
        self.proof = step.c_multipliers if proves else None
        return proves and not self._worth(step) and size_of(step.d) > SHORT

    def settled(self, step: Step) -> bool:
        """As for any run, but that the violation must no longer go to nothing."""
        return super().settled(step) and not self._worth(step)

    def most_damping(self) -> float:
        """The violation, which has a slope near 1 in t alone."""
        return self.here.value

    def outcome_at_rest(self) -> Ending:
        """Optimal, with the multipliers that prove it, where the violation is proven."""
        if self.proof is None:
            return "stalled"
        self.c_multipliers = self.proof
        return "optimal"

    def _worth(self, step: Step) -> bool:
        return -step.d[-1] > WORTH * self.here.x[-1]


class Minimisation(_Run):
    """Phase two: an objective, from a feasible point."""

    at: Objective

    def __init__(self, at: Objective, here: Local) -> None:
        super().__init__(at, here, FIRST_DAMPING)
        self.rays = 0

    def prepare(self) -> bool:
        """Leave the logarithm of the objective where that is not convex; end where the objective has vanished."""
        if not self.at.suits(self.here):
            again = self.at(self.here.x)
            if again is None:
                self.at_rest = True
                return False
            factor = size_of(again.gradient) / (size_of(self.here.gradient) or 1.0)
            self.here, self.damping = again, self.damping * factor
            self.penalties.scale(factor)
            self.c_multipliers = [a * factor for a in self.c_multipliers]
            self.e_multipliers = [a * factor for a in self.e_multipliers]
        if self.at.in_logs and self.here.value < VANISHED and self.here.violation <= FEASIBLE:
            self.finish("unbounded")
            return False
        return True

    def searched_on(self, step: Step) -> bool:
        """With less ballast; then along single coordinates, n times at most; from then on with faint forces left."""
        if self.ballast > LEAST_BALLAST:  # a force may be faint beside others that balance
            self.ballast, self.damping = CUT * self.ballast, CUT * self.damping
            return True
        if self.faint:
            return False
        self.rays += 1
        beyond = along_faint_coordinates(self.at, self.here, step.c_multipliers, step.e_multipliers)
        if beyond is not None:
            self.here = beyond
            if size_of(beyond.x) >= FAR:
                self.finish("unbounded", step)
        if beyond is None or self.rays > len(self.here.x):
            self.faint = FAINT
        return True

    def extended(self, there: Local, d: Vector) -> Local:
        """On for as long as doubling the step helps."""
        return doubled(self.at, self.here, there, d)

    def most_damping(self) -> float:
        """The gradient: a step of length 1 is then damped by its own force."""
        return size_of(self.here.gradient)

    def outcome_at_rest(self) -> Ending:
        """Unbounded where all that is left of the objective is a constant that it never reaches."""
        ran = max((abs(a - b) for a, b in zip(self.here.x, self.first.x, strict=True)), default=0.0)
        left = size_of(self.here.gradient) + max(self.here.spread)
        if ran > LONG_WAY and self.here.violation <= FEASIBLE and left <= DIED * size_of(self.first.gradient):
            return "unbounded"
        return "stalled"


def least_violation(here: Local, weights: Vector) -> float:
    """A bound from below on the violation in all of |x| <= 1e3, from the multipliers of `Elastic`.

    A convex c_i is nowhere below its tangent, nor the largest below a weighted mean of tangents.
    """
    total, t = sum(weights), here.x[-1]
    if not 0.0 < total < math.inf or t > STEEP:
        return 0.0
    bound = sum(a * (c + t) for a, c in zip(weights, here.c, strict=True))
    for j, x in enumerate(here.x[:-1]):
        slope = sum(a * row[j] for a, row in zip(weights, here.c_rows, strict=True))
        bound -= abs(slope) * (FAR + abs(x))
    return bound / total


def minimised(at: Objective, here: Local, budget: int) -> Descent:
    """An objective minimised from a point, in at most `budget` quadratic programs."""
    return Minimisation(at, here).run(budget)


def made_feasible(at: Elastic, here: Local, budget: int, enough: float) -> Descent:
    """The violation minimised from a point until it is `enough` or proven to be no less than it is."""
    return Feasibility(at, here).run(budget, enough)
