"""The plan as data: typed quantities, givens, unknowns, constraints and goals over a tuple of stages.

Spans and spellings do not take part in equality: a plan in either spelling is the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name, Words
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num
from runplan.dsl.packs.pack import Pack, Record
from runplan.dsl.syntax.tree import Mention
from runplan.dsl.text.finding import Budget, Finding
from runplan.dsl.text.source import Source, Span
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.table import Quantity

# Which way a quantity is better.
Sense = Literal["minimize", "maximize"]
SENSES: tuple[Sense, ...] = ("minimize", "maximize")


@dataclass(frozen=True, slots=True)
class Given:
    """A figure that the plan states.

    Attributes:
        value: In base units.
        expr: What was written, with its `let`s not yet replaced.
    """

    value: Quantity
    expr: Expr
    span: Span = field(compare=False)

    @property
    def number(self) -> Num:
        """The figure in base units, with the plan's own spelling."""
        return Num(self.value.value, self.value.dim, shown(self.expr))


@dataclass(frozen=True, slots=True)
class Within:
    """A bounded figure: `up to`, `at least`, or a range."""

    low: Given | None
    high: Given | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Hole:
    """`?`: the figure to solve for."""

    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Worded:
    """A word in the place of a figure that says where it is from, such as `derived`."""

    text: str
    span: Span = field(compare=False)


Amount = Given | Within | Hole | Worded


@dataclass(frozen=True, slots=True)
class Pool:
    """Devices that run side by side.

    Attributes:
        device: None where the block names none.
        precision: bf16 and the like, where it is given.
        paid: For which hours it is paid, `reserved` or `running`, where it is given.
        figures: Amounts by field: gpus, time, gpu_hours, mfu, rate, price, peak, memory, power, pue, carbon_intensity,
            availability, hours_per_day, nodes_of.
        dates: Seconds since 1970 by `from` and `until`; a hole where one is asked for.
    """

    device: Mention | None
    precision: Mention | None
    paid: Mention | None
    figures: Mapping[str, Amount]
    dates: Mapping[str, Given | Hole]
    span: Span = field(compare=False)

    @property
    def bought(self) -> bool:
        """Whether it is bought by the hour: its count and its time are left open."""
        return "gpu_hours" in self.figures and not {"gpus", "time"} & self.figures.keys()

    @property
    def begin(self) -> Given | Hole | None:
        """The date from which they are there."""
        return self.dates.get("from")

    @property
    def end(self) -> Given | Hole | None:
        """The date until which they are there."""
        return self.dates.get("until")


@dataclass(frozen=True, slots=True)
class DataSource:
    """Data that there is.

    Attributes:
        name: Empty for the one source of a plan that names none.
        amount: Tokens; characters or bytes are converted by `density`.
        density: Characters or bytes a token, where the amount is in those.
        epochs: At most how many passes, or a hole where that is asked for; one unless said.
        weight: Its share of the mix, where the plan says anything of it.
    """

    name: str
    amount: Amount
    density: Given | None
    epochs: Given | Hole | None
    weight: Amount | None
    quality: str | None
    domain: str | None
    stage: str | None
    span: Span = field(compare=False)

    @property
    def may_repeat(self) -> bool:
        """Whether it may be seen more than once."""
        return isinstance(self.epochs, Hole) or (self.epochs is not None and self.epochs.value.value > 1)


@dataclass(frozen=True, slots=True)
class Objective:
    """What is trained for: `CLM`, `MLM`, or a transfer between two of them or between two domains."""

    kind: str
    start: str | None
    target: str | None
    domain: str
    span: Span | None = field(compare=False)

    def __str__(self) -> str:
        body = f"transfer from {self.start} to {self.target}" if self.kind == "transfer" else self.kind
        return f"{body} of {self.domain}"


@dataclass(frozen=True, slots=True)
class Model:
    """The model: its size, or its architecture by field.

    Attributes:
        record: The published model that it is named after.
        recorded: The fields of the architecture that are that model's, and not the plan's own.
        heading: The sizes that stand where the statement begins, `671B params, 37B active`, and in no block.
    """

    params: Amount | None
    active: Amount | None
    architecture: Mapping[str, Amount]
    span: Span = field(compare=False)
    record: Record | None = None
    recorded: frozenset[str] = frozenset()
    heading: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Start:
    """The weights that a run begins from: none, or those of a checkpoint.

    Attributes:
        name: What the checkpoint is called; None from scratch, or where it is not said.
        tokens: What it was trained on before, where the plan says it.
    """

    from_weights: bool
    name: Mention | None
    tokens: Given | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class MixItem:
    """A source's share of a phase, from its start to its end."""

    source: Mention
    start: Given
    end: Given


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the schedule: how long it is, its shape, its data.

    Attributes:
        length: A share of the tokens, tokens, steps or epochs; a hole takes what the others leave.
    """

    name: str
    length: Given | Hole
    shape: Mention
    mix: tuple[MixItem, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule by name, or phases by hand."""

    name: Mention | None
    quality: Mention | None
    phases: tuple[Phase, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Optimizer:
    """The optimizer and its settings."""

    name: Mention
    settings: Mapping[str, Amount]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the model lies on the devices, and what the framework keeps.

    Attributes:
        figures: Amounts by field: tp, pp, dp, micro_batch, recompute and so on.
        regime: The record that says what the framework keeps, where it is named.
    """

    figures: Mapping[str, Amount]
    regime: Mention | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A `require`, or a `prefer` where `soft`.

    Attributes:
        condition: The comparison, with bare numbers given the dimension of the other side.
        because: The reason given for it.
        key: `require[0]` and so on.
        budget: That of a folder which asks for it; None where the plan does.
    """

    condition: Expr
    because: str | None
    soft: bool
    key: str
    span: Span = field(compare=False)
    budget: Budget | None = None

    @property
    def by(self) -> str:
        """Who asks for it, as messages call him."""
        return f"`{self.budget.file}`" if self.budget else "the plan"


@dataclass(frozen=True, slots=True)
class Optimize:
    """What is to be made small, or large."""

    sense: Sense
    expr: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Reserve:
    """A share of the hardware that is not for the run."""

    share: Amount
    because: str | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Let:
    """A name for an expression.

    Attributes:
        source: Where the figure of a price or a region, or the result of another plan, is from; empty for a `let` of
            the plan.
        dim: That of its expression.
        of: The plan that it is a result of; empty where it is of none.
        spread: Of a result, how far it may be off, as in `Definition.spread`; None where it has no interval.
        off: Of one that goes with others of its plan, as in `Definition.off`.
    """

    name: str
    expr: Expr
    span: Span = field(compare=False)
    source: str = ""
    dim: Dim = NONE
    of: str = ""
    spread: float | None = None
    off: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of training, or what a plan says outside of its stages: that has no name, and comes first.

    Attributes:
        context: How long its sequences are, where that is not the model's.
    """

    name: str = ""
    hardware: tuple[Pool, ...] = ()
    compute: Amount | None = None
    data: tuple[DataSource, ...] = ()
    tokens: Amount | None = None
    objective: Objective | None = None
    schedule: Schedule | None = None
    inference: Amount | None = None
    context: Given | None = None
    reserve: Reserve | None = None
    optimizer: Optimizer | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan.

    Attributes:
        laws: As named, in order; empty where the default is to be taken.
        currency: The dimension of the plan's money, such as `USD`.
        stages: What stands outside of the stages, and then those with a name.
        definitions: Laws, devices and rules that the plan or its imports bring.
        start: What it begins from, of several stages the first; None where it does not say: from scratch.
        layout: How the model lies on the devices, as far as the plan says it.
        rates: The value of one of each other currency that the plan converts, in its own.
        words: What each word of the plan means.
    """

    title: str
    source: Source = field(compare=False)
    laws: tuple[Mention, ...]
    lets: Mapping[Name, Let]
    currency: str
    stages: tuple[Stage, ...]
    model: Model | None
    requires: tuple[Requirement, ...]
    prefers: tuple[Requirement, ...]
    goals: tuple[Optimize, ...]
    definitions: Pack = field(compare=False)
    start: Start | None = None
    layout: Layout | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    words: Words = field(default=Words({}), compare=False)

    def from_weights(self, stage: Stage) -> bool:
        """Whether a stage begins from weights that there are by then: a checkpoint's, or those of the stage before."""
        first = next((one.name for one in self.stages if one.name), "")
        later = bool(stage.name) and stage.name != first
        return later or (self.start is not None and self.start.from_weights)

    @property
    def outer(self) -> Stage:
        """What stands outside of the stages; all of a plan that has none."""
        return self.stages[0]

    @property
    def reserve(self) -> Reserve | None:
        """The share of the hardware that is not for the run."""
        return self.outer.reserve

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, where the plan says one outside of its stages."""
        return self.outer.optimizer

    @property
    def first_statement(self) -> Span:
        """The first line that says something, to point at where no statement is to blame."""
        start = 0
        for line in self.source.text.splitlines(keepends=True):
            said = line.strip()
            if said and not said.startswith("#"):
                return Span(self.source, start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
            start += len(line)
        return Span(self.source, 0, 0)


@dataclass(frozen=True, slots=True)
class Lowered:
    """What lowering gives: a plan where nothing is wrong with it, and all that is."""

    plan: Plan | None
    pack: Pack
    findings: tuple[Finding, ...]
