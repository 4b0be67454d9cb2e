"""What solving gives: values with their interval and derivation, what binds, what conflicts, what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name, Scope, quantity, written
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr
from runplan.dsl.text.errors import NotThere
from runplan.dsl.text.finding import Edit, Finding, Fix
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.types import TYPE_CHECKING, Literal
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import iso_date, show
from runplan.engine.problem.either import Either
from runplan.engine.problem.laid_out import Layouts
from runplan.engine.problem.parts import Certainty, Constraint, Kind
from runplan.engine.problem.points import Points
from runplan.engine.problem.problem import Problem

if TYPE_CHECKING:
    from runplan.dsl.units.table import PintQuantity

Status = Literal["solved", "infeasible", "undecided"]
# What a solution says of itself in a line each.
TOLD = ("params", "tokens", "compute", "loss", "time", "cost")


@dataclass(frozen=True, slots=True)
class Value:
    """A number that can answer why.

    >>> import runplan
    >>> cost = runplan.solve("plans/thousand-h100.plan")["chinchilla"]["cost"]
    >>> print(cost, "=", cost.formula)
    10.8M USD = ...

    Attributes:
        value, low, high: In base units; the interval is the 80 % one of the law's constants, None where there is none.
        of: The expression that it is the value of, by the plan or the pack; for a solved value, what it solves.
        inputs: Names of the values that went in.
        source: Citation, record or statement.
        by: The law that gives it; empty where none does.
        real: Of a count that was made whole, what it was before; None where it was whole, or is no count.
    """

    name: Name
    value: float
    dim: Dim
    low: float | None
    high: float | None
    kind: Kind
    of: Expr | str
    inputs: tuple[Name, ...]
    source: str
    span: Span | None
    note: str = ""
    by: str = ""
    real: float | None = None

    @property
    def formula(self) -> str:
        """What it is the value of, as it is written; for a solved value, what it solves."""
        return self.of if isinstance(self.of, str) else shown(self.of)

    def __float__(self) -> float:
        """The number in base units."""
        return self.value

    def __str__(self) -> str:
        """As people write it, such as `226.5B params`, with the interval where there is one."""
        if self.dim == DATE:
            return iso_date(self.value)
        ends = [show(end, self.dim) for end in (self.low, self.high) if end is not None]
        return show(self.value, self.dim) + (f" ({' .. '.join(ends)})" if len(set(ends)) == 2 else "")

    def __repr__(self) -> str:
        return f"<{self.name} = {self}, {self.kind}{f': {self.formula}' if self.formula else ''}>"

    def to_pint(self) -> PintQuantity:
        """The value with its unit, for pint's arithmetic; in base units of `dsl/units/units.txt`.

        >>> import runplan
        >>> solution = runplan.solve("plans/thousand-h100.plan")["chinchilla"]
        >>> f"{solution['time'].to_pint().to('day'):.5g}"
        '180 day'

        A date is counted in seconds since 1970, a unit of its own.
        """
        from runplan.dsl.units.table import in_pint

        return in_pint(self.value, self.dim)


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that a reader of the numbers should know.

    Attributes:
        law: The law that it is about; empty where it is about any.
        code: The rule of the library that says it, and has its page; empty where none does.
    """

    text: str
    law: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what a plan says.

    Attributes:
        said: What is to hold: `gpus >= 728`, `pool2.time >= 85.3 days`.
        text: What is written so that it does: `728 x H100`, `for 85.3 days`.
        edits: What is written in the place of what; none where it cannot be said in one place.
        of: Which of several it is of, such as `pool2`; empty where there is one.
    """

    said: str
    text: str
    edits: tuple[tuple[Span, str], ...] = ()
    of: str = ""

    @property
    def written(self) -> str:
        """What is written, as code, and what of."""
        return f"`{self.text}`" + (f" of `{self.of}`" if self.of else "")

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What makes it: none where the file does not have, letter by letter, what it is written in the place of."""
        edits = tuple(Edit(span, text) for span, text in self.edits)
        exact = all("\n" not in span.text and span.text[:1] not in ("'", '"') for span, _ in self.edits)
        return (Fix(f"write {self.written}", edits),) if edits and exact else ()


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The smallest change to one constraint or given of a conflict that, by itself, makes room.

    Attributes:
        of: The constraint, or the figure of the plan.
        text: The constraint or given as the plan says it.
        change: None where no change of this one alone is enough.
        value: The new figure in base units, of the digits that the change is told with.
        others: Other changes of it, each of which is enough as well: more passes over a source.
    """

    of: Constraint | Either | Name
    text: str
    span: Span | None
    change: Change | None
    value: float | None
    dim: Dim
    others: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely something that the plan requires is, what is chosen being chosen before the rest is known.

    Attributes:
        text: The condition, as the plan writes it.
        over: The quantities that it names.
        share: Of all that may be, in which it holds.
        error: One standard deviation of the share, where it is of draws; 0 where it is exact.
        asked: The share that the plan asks for; None where it asks for none.
        most: Whether that is the most that it may be.
        certain: Whether nothing that is uncertain moves it.
    """

    text: str
    span: Span
    over: frozenset[Name]
    share: float
    error: float = 0.0
    asked: float | None = None
    most: bool = False
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """The plan under one law.

    >>> import runplan
    >>> solution = runplan.solve("plans/thousand-h100.plan")["chinchilla"]
    >>> solution.status, "loss" in solution, solution["gpus"].value
    ('solved', True, 1000.0)

    Attributes:
        law: As the plan names it; `resolved` is the law that this means.
        values: By name; what does not apply is absent.
        binding: The constraints that bind, and after them the figures of the plan that leave nothing to choose, as
            the plan says them.
        active: Keys of the constraints that bind.
        conflict: What cannot hold together, each with the change of it alone that makes room.
        conflicts: All that cannot hold together, where that is several things, with the changes that end each.
        reasons: Of each of these, sentences that say why.
        worst: Where the plan gives ranges on what nature decides, the solution at their worst ends, by which
            requirements are judged; `worst_at` says which ends.
        odds: How likely each thing is that the plan requires, where that has been asked.
        samples: Joint draws of all that is uncertain, each with the values that the plan has then: what the intervals
            are of, without the ranges that the plan gives.
        off_line: How far tokens are from the law's optimum line, as a factor, where it gives one.
        sources: Names of the data sources, in order.
        draws: From how many draws of the law's constants the intervals are, where fewer than usual.
        certainty: What proves that no plan is better by what is wanted first, of a plan that is solved.
        gap: Where bounds prove it, by how much at most another could be better, as a share.
        untaken: The problem before any alternative of a choice in it was taken; None where there was none to take.
        left_out: Ends of ranges that the intervals do not reach, since the plan cannot be done there.
        layouts: How the model may lie on the devices, of each stage and pool where that has been looked at.
    """

    law: str
    resolved: str
    status: Status
    values: Mapping[Name, Value]
    binding: tuple[str, ...]
    active: frozenset[str]
    conflict: tuple[Relaxation, ...]
    findings: tuple[Finding, ...]
    sources: tuple[str, ...]
    problem: Problem
    off_line: float | None = None
    interval_note: str = ""
    draws: int = 0
    left_out: str = ""
    conflicts: tuple[tuple[Relaxation, ...], ...] = ()
    reasons: tuple[tuple[str, ...], ...] = ()
    worst: Solution | None = None
    worst_at: str = ""
    odds: tuple[Odds, ...] = ()
    samples: Points = Points(0)
    certainty: Certainty = "convex"
    gap: float = 0.0
    untaken: Problem | None = None
    layouts: tuple[Layouts, ...] = ()
    _within: dict[Scope, dict[str, Value]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getitem__(self, text: str) -> Value:
        """A value as it is written, such as `solution["loss"]` or `solution["tokens.web"]`.

        Raises:
            NotThere: Where it does not apply; `quantity` gives None there.
        """
        found = self.quantity(text) or self.named(text)
        if found is None:
            (help,) = did_you_mean(text, written(self.values)) or [f"there are {', '.join(self)}"]
            raise NotThere(f"no `{text}` under `{self.law}`, which is {self.status}; {help}")
        return found

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and (self.quantity(text) or self.named(text)) is not None

    def __iter__(self) -> Iterator[str]:
        """The names of the quantities of the run."""
        return (name.text for name in self.values if name == quantity(name.text))

    def keys(self) -> list[str]:
        """The names of the quantities of the run: `dict(solution)` has them all."""
        return list(self)

    def __repr__(self) -> str:
        resolved = "" if self.resolved == self.law else f" ({self.resolved})"
        told = [value for name in TOLD if (value := self.quantity(name)) is not None]
        lines = [f"<Solution under {self.law}{resolved}: {self.status}>", *(f"  {v.name}: {v}" for v in told)]
        binding = [f"  binding: {', '.join(self.binding)}"] if self.binding else []
        return "\n".join([*lines, *binding])

    @property
    def lends(self) -> bool:
        """Whether the law that the plan names lends settings only, and another one chooses."""
        return any(self.law in (law.name, *law.aliases) for law in self.problem.default_laws)

    def quantity(self, text: str) -> Value | None:
        """A quantity of the run; None where it does not apply."""
        return self.values.get(quantity(text))

    def within(self, *scope: tuple[str, str]) -> dict[str, Value]:
        """The quantities of a part of the run, by their bare names.

        Args:
            scope: `("pool", "1")`, `("source", "web")`, `("phase", "decay")`, or a phase and then a source in it.
        """
        if not self._within:
            for name, value in self.values.items():
                self._within.setdefault(name.scope, {})[name.text] = value
        return dict(self._within.get(scope, ()))

    def get(self, name: str | Name) -> float | None:
        """The value of a quantity of the run, or of a name, in base units; None where it does not apply."""
        found = self.values.get(quantity(name) if isinstance(name, str) else name)
        return found.value if found else None

    def named(self, text: str) -> Value | None:
        """The value that is written so, such as `tokens.web` or the name of a `let`; None where there is none."""
        found = written(self.values).get(text)
        return None if found is None else self.values[found]
