"""What differs between two states of plans, as plain data: values, causes, findings, totals, limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import quantity
from runplan.dsl.text.finding import Finding
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim
from runplan.engine.differences.diff import Difference
from runplan.engine.differences.sides import Moved, Side

# What adds up over plans.
TOTALS = ("cost", "gpu_hours", "energy", "emissions", "compute")
NOTHING = Difference((), 0)
State = Literal["added", "removed", "changed", "same"]


@dataclass(frozen=True)
class PlanDifference:
    """A plan as it was and as it is.

    Attributes:
        file: Its path; of one that is gone, the path that it had.
        was: The path that it had, where that is another one; empty else.
        state: `same` where neither its values nor its findings differ, whatever it says otherwise.
        then, now: None where there was none, or is none, or it could not be read: `trouble` says why then.
        new, gone, grown: Findings that it has now, had then, and has still but further off or more severe.
        holds: Whether it held then, and holds now; None where there is nothing to hold.
    """

    file: str
    was: str
    state: State
    then: Side | None
    now: Side | None
    values: Difference = NOTHING
    new: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    grown: tuple[Finding, ...] = ()
    holds: tuple[bool | None, bool | None] = (None, None)
    trouble: str = ""

    @property
    def statuses(self) -> tuple[str, str]:
        """What it was and what it is: `solved`, `infeasible`, `undecided` or `unread`; empty where it is none."""
        then, now = ("" if side is None else side.status for side in (self.then, self.now))
        return then, now


@dataclass(frozen=True, slots=True)
class Total:
    """A quantity of all plans that differ, in base units; `count` of them have it."""

    quantity: str
    then: float
    now: float
    dim: Dim
    count: int


@dataclass(frozen=True, slots=True)
class Limit:
    """By how much a quantity of a plan may grow, as a share of what it was."""

    quantity: str
    share: float


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A quantity of a plan that has grown by more than it may; or of which nobody can say, and why."""

    file: str
    limit: Limit
    moved: Moved | None
    why: str = ""


@dataclass(frozen=True)
class Differences:
    """All that differs between two states of plans.

    Attributes:
        then, now: What is compared, such as `main (1a2b3c)` and `the working tree`.
        commits: The names of the commits, where they are any.
        plans: Those that differ, in order, and of the same those of another name and those that say something else.
        same: How many are the same.
        least: The share below which a value counts as the same.
        apart: Whether they are other plans, and not the same ones as they were.
    """

    then: str
    now: str
    commits: tuple[str, str]
    plans: tuple[PlanDifference, ...]
    same: int
    limits: tuple[Limit, ...] = ()
    exceeded: tuple[Exceeded, ...] = ()
    least: float = 0.0
    apart: bool = False

    @property
    def totals(self) -> tuple[Total, ...]:
        """What adds up, over the plans that are solved wherever they are; only of what they all have in one unit."""
        return tuple(_totals(self.plans))


def beyond(plan: PlanDifference, limit: Limit) -> Exceeded | None:
    """What a plan has of a limit that it passes; None where it keeps it. One that is new, or gone, has not grown."""
    then, now = plan.statuses
    if plan.state != "changed":
        return None
    if then != "solved":
        return None  # there is nothing that it could have grown from, and a plan of now is judged by `plan check`
    if now != "solved":
        return Exceeded(plan.file, limit, None, "it cannot be read now" if now == "unread" else f"it is {now} now")
    moved = next((one for one in plan.values.moved if one.quantity == limit.quantity), None)
    if moved is None or moved.then is None:
        return None
    if moved.share is None and (moved.by is None or moved.by > 0):
        why = moved.why or ("the plan has none now" if moved.now is None else "there was none")
        return Exceeded(plan.file, limit, moved, why)
    return Exceeded(plan.file, limit, moved) if (moved.share or 0.0) > limit.share * (1 + 1e-9) else None


def _totals(plans: Sequence[PlanDifference]) -> Iterator[Total]:
    counted = [plan for plan in plans if set(plan.statuses) <= {"solved", ""}]
    for name in TOTALS if len(counted) > 1 else ():
        sides = [
            [None if side is None or side.solution is None else side.solution.values.get(quantity(name)) for side in
             (plan.then, plan.now)]
            for plan in counted
        ]  # fmt: skip
        having = [pair for pair in sides if any(pair)]
        dims = {value.dim for pair in having for value in pair if value}
        if len(dims) == 1 and len(having) > 1:
            then, now = (sum(value.value for pair in having if (value := pair[i])) for i in (0, 1))
            yield Total(name, then, now, dims.pop(), len(having))
