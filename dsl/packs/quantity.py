"""Quantities as data: what a plan may name, in which unit, by which formula, and what is known of it beside that."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.tree import Expr, Num
from runplan.dsl.text.later import Later
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import NONE, Dim


@dataclass(frozen=True, slots=True)
class Counted:
    """A unit in which a value is counted: base units a count, and the dimension that its number keeps."""

    factor: float
    dim: Dim
    text: str

    @property
    def local(self) -> Dim:
        """The dimension inside a formula: that of a base unit is kept, a count of other units is a plain number."""
        return self.dim if self.factor == 1.0 else NONE


@dataclass(frozen=True, slots=True)
class QuantityFacts:
    """What is known of a quantity beside its formula.

    Attributes:
        pools: What it comes to over pools that run side by side: their `sum`, the `least` or the `most` of them, or
            `apart` where the whole has none; empty where pools have none of their own.
        stages: What it comes to over stages: their `sum`, the `most` of them, that of the `last`, or `one` that they
            share, as the model; `apart` where each has its own, and the whole has none by them.
        parts: The kinds of parts that have one of their own: `pool`, `source`, `phase`, `stage`; an empty one is the
            run, and `phase+source` a source within a phase.
        statement: The statement with a field of this name; empty where none has.
        given: How that field is written, and its bounds; None where no statement has one.
        decided: By whom: `nature`, `hardware` (what is reserved decides it alone), `run` (a choice of the run).
        better: `more` or `less`, where one is.
        said: What a plan calls it, where its own name would not do.
        label: What reports call it, where its own name would not do.
        per_cent: Whether people read it in per cent.
        row: Its place among the rows of reports, by rising numbers; None where it has no row.
        section: What the row is of: empty for the solution's, `data` for one that tables for people leave out, else the
            part of a document that it stands in.
        budget: Whether a bound on it that is broken is over budget.
        knob: Whether help may propose another figure of it, to keep a budget.
        needs: What must be given for it, and the help that says how.
        may_be_zero: Whether it may be nothing, where it is an input of a law.
        otherwise: What is taken where nothing says it, and what that rests on.
        spread: How far that may be off: the standard deviation of its natural logarithm; None where nothing is told.
        kind: What group the engine knows it by: `memory` and `step`, which the layout decides, `goodput`,
            `mixture`, `precision`.
    """

    pools: str = ""
    stages: str = "apart"
    parts: tuple[str, ...] = ("",)
    statement: str = ""
    given: Field | None = None
    decided: str = ""
    better: str = ""
    said: str = ""
    label: str = ""
    per_cent: bool = False
    row: float | None = None
    section: str = ""
    budget: bool = False
    knob: bool = False
    may_be_zero: bool = False
    needs: tuple[tuple[str, str], ...] = ()
    otherwise: tuple[Num, str] | None = None
    spread: float | None = None
    kind: str = ""

    @property
    def is_of_layout(self) -> bool:
        """Whether how the model lies on its devices decides it, or it is a figure of that."""
        return self.kind in ("memory", "step") or self.statement == "layout"


@dataclass(frozen=True, slots=True)
class QuantityDef:
    """A quantity that a plan may name: its dimension, its display unit, and the formula that gives it, if one does.

    Attributes:
        by: That formula, or nothing: of the library made where it is read, as most are of no use to most plans.
        mentions: The words of that formula.
    """

    name: str
    counted: Counted
    by: tuple[Expr, ...] | Later[Expr]
    title: str
    span: Span = field(compare=False)
    facts: QuantityFacts = QuantityFacts()
    mentions: frozenset[str] = frozenset()

    @property
    def is_derived(self) -> bool:
        """Whether a formula gives it."""
        return isinstance(self.by, Later) or bool(self.by)

    @property
    def formula(self) -> Expr | None:
        """The formula that gives it; None where none does."""
        return next(iter(self.by), None)
