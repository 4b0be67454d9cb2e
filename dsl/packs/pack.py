"""Knowledge as data: laws, rules, schedules and records of figures, as packs declare them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import qualified
from runplan.dsl.expr.tree import Expr, Num, Text
from runplan.dsl.packs.quantity import Counted, QuantityDef
from runplan.dsl.syntax.tree import NAMED_FIGURES
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.later import Later
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim


@dataclass(frozen=True, slots=True)
class Cite:
    """Where a figure or formula stands, and how well that is known.

    Attributes:
        evidence: `paper`, `authors_code`, `secondary`, `derived` or `memory`; empty where nothing is said.
    """

    text: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of a law.

    Attributes:
        value: In base units where it has a unit, as printed where not; None where it is free, for a fit to find.
        dim: None where it was given without a unit, and the formula tells it.
        error: Its standard error in the same units.
    """

    name: str
    value: float | None
    dim: Dim | None
    error: float | None
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input of a law's function: a quantity under a local name.

    Attributes:
        default: What the formula takes where the input is not given, in its own count; None where it must be.
    """

    quantity: str
    local: str
    counted: Counted
    span: Span = field(compare=False)
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One formula of a law: what it gives, from what.

    Attributes:
        output: The quantity that it gives.
        objective: As `CLM` or `transfer from CLM to MLM`; empty where it is for all that the law is for.
        body: Over the parameters' local names, the law's constants and its `let`s.
    """

    output: str
    parameters: tuple[Parameter, ...]
    counted: Counted
    objective: str
    body: Expr
    span: Span = field(compare=False)

    @property
    def signature(self) -> tuple[str, tuple[str, ...]]:
        """What it gives from what; with its objective no two functions of a law have the same."""
        return self.output, tuple(p.quantity for p in self.parameters)

    @property
    def needs(self) -> tuple[str, ...]:
        """The inputs without which it gives nothing."""
        return tuple(p.quantity for p in self.parameters if p.default is None)


@dataclass(frozen=True, slots=True)
class Table:
    """A published table, read between its rows: on log-log axes, beside a row at 0 on plain ones; never beyond."""

    output: str
    parameter: Parameter
    counted: Counted
    rows: tuple[tuple[float, float], ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Joint:
    """The joint uncertainty of constants, or of logarithms of them: names as written and their covariance."""

    terms: tuple[Expr, ...]
    covariance: tuple[tuple[float, ...], ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Golden:
    """A published value that the law must give.

    Attributes:
        objective: As a function's; empty where it is for the law's first.
        given: Inputs by name, in base units.
        gives: Expressions over outputs and constants, with what is expected of each.
        rtol: Relative tolerance.
    """

    id: str
    objective: str
    given: tuple[tuple[str, Num], ...]
    gives: tuple[tuple[Expr, Num], ...]
    rtol: float
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Reads:
    """What a fit makes of runs before a law is held to them.

    Attributes:
        how: `minima`, of a parabola through the runs of each budget, or `envelope`, the best runs whatever the budget.
        of: What is least there, such as the loss.
        at: What the budgets are of, such as compute.
    """

    how: str
    of: str
    at: str


@dataclass(frozen=True, slots=True)
class Drifts:
    """How well forecasts of a form held on runs that were published.

    Attributes:
        share: How far they were off of what a larger run gains, as a share of that: a standard deviation.
        cite: Which runs.
    """

    share: float
    cite: Cite


@dataclass(frozen=True, slots=True)
class Law:
    """A law as its pack declares it; inheritance is already applied where it comes from a catalogue.

    Attributes:
        objectives: As `CLM of text`, for each that it is for.
        counts: Which parameters its N counts: total, non_embedding, with_head (all but the
            table of the input), active, or any.
        corpus: What its losses are measured on; losses of two laws are compared only where this is the same.
        fitted: For each quantity the range of the runs that it was fitted to, in base units.
        dims: Dimension of each constant, once found.
        override: Whether it takes the place of the law of its name.
        reads: How a fit comes from runs to what the law gives; None where a run itself tells it.
        drifts: Of what it gives, how far forecasts of its form were off.
        aside: Why it is kept for the record and taken only by its name; empty for a law to plan by.
        start: What the runs that it is of begin from, `scratch` or `checkpoint`; from scratch where it does not say.
    """

    name: str
    aliases: tuple[str, ...]
    parent: str | None
    title: str
    objectives: tuple[str, ...]
    counts: str
    corpus: str
    constants: Mapping[str, Constant]
    joint: Joint | None
    lets: Mapping[str, Expr]
    functions: tuple[Function, ...]
    tables: tuple[Table, ...]
    fitted: Mapping[str, tuple[float, float]]
    cites: tuple[Cite, ...]
    goldens: tuple[Golden, ...] | Later[Golden]
    notes: tuple[str, ...]
    span: Span = field(compare=False)
    dims: Mapping[str, Dim] = field(default_factory=dict, compare=False)
    override: bool = False
    aside: str = ""
    start: str = ""
    reads: Reads | None = None
    drifts: Mapping[str, Drifts] = field(default_factory=dict, compare=False)

    @property
    def from_weights(self) -> bool:
        """Whether it is of runs that begin from weights that exist: continued pre-training and fine-tuning."""
        return self.start == "checkpoint"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a record: `peak bf16 989.4 TFLOP/s from "..."`."""

    key: str
    qualifier: str
    values: tuple[Num | Text, ...]
    source: str
    evidence: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """Figures of one thing: a device, a price, a region, a table of MFU.

    Attributes:
        said: What each entry without a qualifier says first, by its key: a figure in base units, or a text.
        override: Whether it takes the place of the record of its kind and name.
    """

    kind: str
    name: str
    aliases: tuple[str, ...]
    title: str
    entries: tuple[Entry, ...] | Later[Entry]
    said: Mapping[str, float | str] = field(compare=False)  # follows from the entries
    span: Span = field(compare=False)
    override: bool = False

    def entry(self, key: str, qualifier: str = "") -> Entry | None:
        """The first entry of a key and qualifier."""
        for entry in self.entries:  # asked of each run for each of its figures: no generator
            if entry.key == key and entry.qualifier == qualifier:
                return entry
        return None

    def figure(self, key: str, qualifier: str = "") -> float | None:
        """The figure of an entry, in base units; None where there is none."""
        if not qualifier:
            value = self.said.get(key)
            return None if isinstance(value, str) else value
        entry = self.entry(key, qualifier)
        first = entry.values[0] if entry and entry.values else None
        return first.value if isinstance(first, Num) else None

    def text(self, key: str) -> str:
        """The text of an entry; empty where there is none."""
        value = self.said.get(key)
        return value if isinstance(value, str) else ""


Spans = tuple[Span, ...] | Later[Span]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wise: a condition over a solved plan that is worth a finding where it holds.

    Attributes:
        severity: That of its findings; a `note` is none: it is a sentence in the report, for what no plan can break.
        breaks, keeps: The statements of an example plan that breaks it and of one that keeps it.
        blames: The statement to point at.
        places: Where its parts stand, by their keyword: `says`, `help`, `blames`.
        asks: The words in the condition.
        needs: Those of them without which it cannot hold.
        override: Whether it takes the place of all rules of its code.
    """

    code: str
    name: str
    severity: Severity | Literal["note"]
    rows: tuple[int, ...]
    when: Expr
    says: str
    help: str
    blames: str
    cites: tuple[Cite, ...]
    notes: tuple[str, ...]
    breaks: Spans
    keeps: Spans
    span: Span = field(compare=False)
    asks: frozenset[str]
    needs: frozenset[str]
    places: Mapping[str, Span] = field(default_factory=dict, compare=False)
    override: bool = False


@dataclass(frozen=True, slots=True)
class PhaseShape:
    """A phase of a named schedule.

    Attributes:
        length: A share of the tokens, tokens, steps or epochs; None where it takes what the others leave.
    """

    name: str
    length: Num | None
    shape: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class BatchStep:
    """A stretch of a batch ramp.

    Attributes:
        share: Its batch, as a share of the run's.
        until: Where it ends, as a share of the tokens, in tokens or in steps; a share of 1 is the end of the run.
    """

    share: float
    until: Num


@dataclass(frozen=True, slots=True)
class ScheduleShape:
    """A schedule by name: its phases in order, as shares of the tokens.

    Attributes:
        batch: How the batch is raised to the run's; empty where it is the same all along.
        override: Whether it takes the place of the schedule of its name.
    """

    name: str
    title: str
    phases: tuple[PhaseShape, ...]
    batch: tuple[BatchStep, ...]
    cites: tuple[Cite, ...]
    span: Span = field(compare=False)
    override: bool = False


# What says its name at a place.
Definition = Law | Record | Rule | ScheduleShape


@dataclass(frozen=True, slots=True)
class Pack:
    """All that a file, or a folder of files, defines."""

    laws: tuple[Law, ...] = ()
    records: tuple[Record, ...] = ()
    rules: tuple[Rule, ...] = ()
    schedules: tuple[ScheduleShape, ...] = ()
    quantities: tuple[QuantityDef, ...] = ()
    _at: dict[Span, list[Definition]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @staticmethod
    def of(every: Sequence[Definition]) -> Pack:
        """Definitions, in order."""
        return Pack(
            laws=tuple(one for one in every if isinstance(one, Law)),
            records=tuple(one for one in every if isinstance(one, Record)),
            rules=tuple(one for one in every if isinstance(one, Rule)),
            schedules=tuple(one for one in every if isinstance(one, ScheduleShape)),
        )

    def plus(self, other: Pack) -> Pack:
        """Both, in order."""
        return Pack(
            self.laws + other.laws,
            self.records + other.records,
            self.rules + other.rules,
            self.schedules + other.schedules,
            self.quantities + other.quantities,
        )

    def at(self, span: Span) -> Pack:
        """Those of the definitions that say their name at a place."""
        if not self._at:
            every: tuple[Definition, ...] = (*self.laws, *self.records, *self.rules, *self.schedules)
            for one in every:
                self._at.setdefault(one.span, []).append(one)
        return Pack.of(self._at.get(span, ()))


def figures_of(records: Iterable[Record]) -> dict[str, Entry]:
    """The figures of prices and regions by the names that a plan may call them: `NAME.KEY`, and a price's by NAME."""
    out: dict[str, Entry] = {}
    for record in records:
        for entry in record.entries if record.kind in NAMED_FIGURES else ():
            if len(entry.values) == 1 and isinstance(entry.values[0], Num):
                names = (record.name, *record.aliases)
                out |= {qualified(name, entry.key): entry for name in names}
                out |= {name: entry for name in names if entry.key == record.kind}
    return out
