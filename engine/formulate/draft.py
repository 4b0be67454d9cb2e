"""A problem while it is being formulated: what the stages of formulating add to, and read from each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.money import in_money
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Op, Ref, names, substitute
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Entry, Law, Parameter
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.plan.ir import Amount, Given, Hole, Model, Objective, Plan, Stage, Start, Within
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.types import TYPE_CHECKING
from runplan.dsl.units.dims import NONE, Dim, in_currency
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import in_order
from runplan.engine.problem.either import Either
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import (
    Constraint,
    ConstraintKind,
    Definition,
    Evenly,
    Goal,
    Inverse,
    Kind,
    Otherwise,
    Variable,
)

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    class More(TypedDict, total=False):
        """What a definition may say beside where it comes from: see `Definition`."""

        note: str
        by: str
        between: tuple[float, float] | None
        spread: float | None


# The figures of a statement, by field.
Figures = Mapping[str, Amount]


@dataclass(slots=True)
class Draft:
    """Definitions, variables and constraints so far.

    Attributes:
        absent: Quantities that have no value for the whole, though a formula would give them one.
        lenders: Laws of settings that are named beside the plan's own.
        default_laws: Laws that stand in for what the plan's own does not know.
        elastic: Whether pools side by side are reserved for as long as the run needs them.
        defaults: Inputs that laws can do without, each with the law and what it then takes.
        lacking: What the law does not give of this plan: information, unless the plan asks for it.
        last: What breaks the last ties, in order.
        lawless: Whether the law is not for this objective or model at all: what needs no law is solved without.
    """

    plan: Plan
    law: Law
    named: str
    objective: Objective
    catalogue: Library
    lenders: tuple[Law, ...] = ()
    definitions: dict[Name, Definition] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    inverses: list[Inverse] = field(default_factory=list)
    repeats: list[Definition] = field(default_factory=list)
    held: list[Constraint | Either] = field(default_factory=list)
    either: list[Either] = field(default_factory=list)
    unsaid: dict[str, Finding] = field(default_factory=dict)
    evenly: list[Evenly] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    givens: dict[Name, Given] = field(default_factory=dict)
    asked: list[Name] = field(default_factory=list)
    absent: set[Name] = field(default_factory=set)
    elastic: bool = False
    sources: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    default_laws: dict[str, Law] = field(default_factory=dict)
    defaults: dict[str, tuple[str, Parameter]] = field(default_factory=dict)
    lacking: list[Finding] = field(default_factory=list)
    last: list[Goal] = field(default_factory=list)
    lawless: bool = False
    _taken: set[tuple[int, str]] = field(default_factory=set)

    # ---- asking

    @property
    def stage(self) -> Stage:
        """The stage that is solved."""
        return self.plan.stages[0]

    @property
    def transfer(self) -> bool:
        """Whether the law tells of a stage that is transferred from and one that is transferred to."""
        return self.objective.kind == "transfer" and not self.lawless

    @property
    def checkpoint(self) -> Start | None:
        """The weights from elsewhere that the plan starts from; None where it starts from scratch."""
        start = self.plan.start
        return start if start is not None and start.from_weights else None

    @property
    def from_weights(self) -> bool:
        """Whether the stage begins from weights that exist: what is known of runs from scratch does not hold then."""
        return self.plan.from_weights(self.stage)

    @property
    def trains_adapters(self) -> bool:
        """Whether adapters are trained in place of the weights."""
        return self.plan.optimizer is not None and q.LORA.text in self.plan.optimizer.settings

    @property
    def mixture(self) -> bool:
        """Whether the model is a mixture of experts, by any word of its block."""
        return is_mixture(self.plan.model, self.catalogue)

    @property
    def quantities(self) -> Quantities:
        """What is known of each quantity that plans may name."""
        return self.catalogue.quantities()

    def is_variable(self, name: Name) -> bool:
        """Whether a quantity is to be found."""
        return any(variable.name == name for variable in self.variables)

    def knows(self, name: Name) -> bool:
        """Whether a quantity is found, given or follows."""
        return (
            name in self.definitions
            or self.is_variable(name)
            or any(turned.definition.name == name for turned in self.inverses)
        )

    def chosen(self) -> frozenset[Name]:
        """What is to be found by choice; what an inverse finds from a figure is none."""
        return frozenset(v.name for v in self.variables)

    @property
    def is_pinned(self) -> bool:
        """Whether equalities leave nothing to choose: as many of them as there are variables, and each in one."""
        equal = [names(expand(Op("-", (c.left, c.right)), self.definitions, {})) for c in self.constraints if c.equal]
        free = self.chosen()
        return len(equal) >= len(free) and free <= frozenset().union(*equal)

    def default(self, key: str) -> str:
        """The name of what the plan's domain takes where nothing is said; empty where it takes nothing."""
        return next(iter(self.choices(key)), "")

    def choices(self, key: str) -> tuple[str, ...]:
        """The names of all that the plan's domain may take where nothing is said, the first choice first."""
        return self.catalogue.defaults(
            self.objective.domain, key, from_weights=self.from_weights, adapters=self.trains_adapters
        )

    def default_words(self, key: str) -> frozenset[str]:
        """All the words of a line of the domain's defaults."""
        return self.catalogue.default_words(self.objective.domain, key)

    def default_lines(self, key: str) -> tuple[Entry, ...]:
        """The lines of the domain's defaults of a key."""
        return self.catalogue.default_lines(
            self.objective.domain, key, from_weights=self.from_weights, adapters=self.trains_adapters
        )

    def dim(self, name: Name) -> Dim:
        """The dimension of a quantity of plans, of the run or of a part of it."""
        known = self.quantities.get(name.text)
        return self.money(known.counted.dim) if known else NONE

    def money(self, dim: Dim) -> Dim:
        """A dimension with the plan's currency in place of money, and of what it converts."""
        return in_currency(dim, self.plan.currency, self.plan.rates)

    def formula(self, name: Name, by: Mapping[Name, Name] | None = None) -> Expr:
        """The formula of a quantity of plans, with other names in place of some of its own."""
        formula = self.quantities.formulas[quantity(name.text)]
        return substitute(formula, {old: Ref(new) for old, new in by.items()}) if by else formula

    # ---- saying

    def define(
        self,
        name: Name,
        expr: Expr,
        kind: Kind,
        source: str = "",
        span: Span | None = None,
        *,
        dim: Dim | None = None,
        **more: Unpack[More],
    ) -> None:
        """Say where a value comes from; its dimension is that of the quantity unless it is said."""
        self.definitions[name] = self.definition(name, expr, kind, source, span, dim=dim, **more)

    def definition(
        self,
        name: Name,
        expr: Expr,
        kind: Kind,
        source: str = "",
        span: Span | None = None,
        *,
        dim: Dim | None = None,
        **more: Unpack[More],
    ) -> Definition:
        """Where a value comes from; a formula of a pack may have money that the plan converts."""
        expr = in_money(expr, self.plan.currency, self.plan.rates)
        dim = self.dim(name) if dim is None else self.money(dim)
        return Definition(name, dim, expr, kind, source, span, **more)

    def give(self, name: Name, given: Given, span: Span | None = None, *, dim: Dim | None = None) -> None:
        """A figure that the plan states."""
        let = self.plan.lets.get(given.expr.name) if isinstance(given.expr, Ref) else None
        note = f"{let.source}, {let.span.source.path}:{let.span.line}" if let and let.source else ""
        self.define(name, given.number, "given", "plan", span or given.span, dim=dim, note=note)

    def assume(self, name: Name, span: Span | None = None) -> None:
        """A figure that nothing says, at what `quantities.plan` takes otherwise."""
        otherwise = self.quantities[name.text].facts.otherwise
        assert otherwise is not None, "the standard library has it"
        self.define(name, otherwise[0], "assumed", otherwise[1], span)

    def constrain(
        self,
        key: str,
        left: Expr,
        right: Expr,
        kind: ConstraintKind,
        span: Span | None = None,
        *,
        text: str = "",
        equal: bool = False,
        of: Name | None = None,
        otherwise: Otherwise | None = None,
        figure: Span | None = None,
    ) -> None:
        """Something that the solution keeps; a key that is there already gets a number."""
        taken = {constraint.key for constraint in self.constraints}
        own = next(k for i in range(len(taken) + 1) if (k := f"{key}#{i}" if i else key) not in taken)
        made = Constraint(own, text or key, left, right, kind, span, equal, of, otherwise=otherwise, figure=figure)
        self.constraints.append(made)

    def bound(self, name: Name, amount: Within, text: str) -> None:
        """The constraints of a bounded figure."""
        for side, low in ((amount.low, True), (amount.high, False)):
            if side is not None:
                left, right = (side.number, Ref(name)) if low else (Ref(name), side.number)
                key = f"{name} {'>=' if low else '<='}"
                self.constrain(key, left, right, "range", amount.span, text=text, of=name, figure=side.span)

    def figure(self, name: Name, amount: Amount | None, start: float, text: str) -> None:
        """A figure of the plan as a definition where it is given, else as a variable with its bounds."""
        if isinstance(amount, Given):
            self.giving(name, amount)
            return
        if isinstance(amount, Hole):
            self.asked.append(name)
        if isinstance(amount, Within):
            self.bound(name, amount, text)
            ends = [side.value.value for side in (amount.low, amount.high) if side]
            start = math.exp(sum(map(math.log, ends)) / len(ends))
        self.variables.append(Variable(name, self.dim(name), start, amount.span if amount is not None else None))

    def giving(self, name: Name, given: Given) -> None:
        """A figure of the plan that could be changed to make room."""
        self.givens[name] = given
        self.give(name, given)

    def limited(self, name: Name, amount: Amount | None, text: str) -> None:
        """A figure of the plan on a quantity that follows from others: a constraint."""
        if isinstance(amount, Given):
            self.givens[name] = amount
            self.constrain(str(name), Ref(name), amount.number, "given", amount.span, equal=True, of=name, text=text)
        elif isinstance(amount, Within):
            self.bound(name, amount, text)
        elif isinstance(amount, Hole):
            self.asked.append(name)

    # ---- taking what a statement says

    def take(self, figures: Figures, key: str, *forms: type[Amount]) -> Amount | None:
        """A figure of a statement, in a form that its taker knows; one in another form has its finding, and is none.

        What is never taken becomes a finding when the problem is made: no figure is passed over.
        """
        self._taken.add((id(figures), key))
        amount = figures.get(key)
        if amount is None or isinstance(amount, forms):
            return amount
        what = "a `?`" if isinstance(amount, Hole) else "a bound" if isinstance(amount, Within) else "a figure"
        self.gave_up(f"{what} on `{key}` is read, and not solved yet", amount.span, [self._example(key)])
        return None

    def _example(self, key: str) -> str:
        every = (field for fields in self.quantities.fields.values() for field in fields.values())
        example = next((field.example for field in every if field.name == key), "")
        return f"give one value, such as `{key}: {example}`" if example else "give one value"

    def given(self, figures: Figures, key: str) -> Given | None:
        """A figure of a statement of which only one value is known what to do with."""
        found = self.take(figures, key, Given)
        return found if isinstance(found, Given) else None

    def unread(self) -> Iterator[tuple[str, Amount]]:
        """The figures of statements that nothing took."""
        bags = [pool.figures for pool in self.stage.hardware]
        bags += [self.plan.model.architecture] if self.plan.model else []
        bags += [self.plan.optimizer.settings] if self.plan.optimizer else []
        for figures in bags:
            yield from ((key, amount) for key, amount in figures.items() if (id(figures), key) not in self._taken)

    # ---- what cannot be solved

    def gave_up(self, message: str, span: Span | None, help: Sequence[str] = ()) -> None:
        """Something is read and typed, but not solved: said, never passed over."""
        at = span or Span(self.plan.source, 0, 0)
        self.findings.append(finding("C009", message, at, help=help, laws=(self.named,)))

    def does_not_give(self, message: str, span: Span, help: Sequence[str] = ()) -> None:
        """The law lacks what the plan asks of it."""
        self.findings.append(finding("L004", message, span, help=help, laws=(self.named,)))

    def lacks(self, message: str, span: Span, help: Sequence[str] = ()) -> None:
        """The law lacks what the plan may do without."""
        self.lacking.append(finding("L004", message, span, severity="info", help=help, laws=(self.named,)))

    def lacks_of(self, name: Name) -> str:
        """Why the law does not give a quantity that the plan asks for."""
        known = (lacking.message for lacking in self.lacking)
        return next(known, f"`{self.law.name}` does not give `{name}`")

    def told(self) -> tuple[Finding, ...]:
        """What was found: what the law lacks is information, or why it does not give what the plan asks of it."""
        if not any(f.code == "L004" for f in self.findings):
            return (*self.findings, *self.lacking)
        why = [f.message for f in self.lacking]
        return tuple(
            replace(f, notes=(*f.notes, *(each for each in why if each != f.message))) if f.code == "L004" else f
            for f in self.findings
        )

    def law_span(self) -> Span:
        """Where the plan names the law; its first statement where it names none."""
        for name in self.plan.laws:
            if name.text == self.named:
                return name.span
        return self.plan.first_statement

    # ---- the end

    def follow(self) -> None:
        """Define what follows by the formulas of `quantities.plan`, and leave out what needs what is not there."""
        quantities = self.quantities
        alive = {variable.name for variable in self.variables} | {turned.definition.name for turned in self.inverses}
        needs = {name: names(definition.expr) for name, definition in self.definitions.items()}
        taken = self.absent.union(needs, alive)
        further = {name: others for name, others in quantities.kept(_mentioned).items() if name not in taken}
        alive.update(in_order(needs | further, alive))
        for name in self.definitions.keys() - alive:
            del self.definitions[name]
        for name in further:
            if name in alive:
                known = quantities[name.text]
                self.define(name, quantities.formulas[name], "derived", known.title, known.span)


def _mentioned(quantities: Quantities) -> dict[Name, frozenset[Name]]:
    """What each formula mentions, but those of a layout, which is chosen for what is solved, and of what stops take,
    which is not told unless asked.
    """
    known = {name: quantities[name.text] for name in quantities.formulas}
    return {
        name: frozenset(map(quantity, one.mentions))
        for name, one in known.items()
        if not one.facts.is_of_layout and one.facts.kind != "goodput"
    }


def is_mixture(model: Model | None, catalogue: Library) -> bool:
    """Whether a model is a mixture of experts, by any word of its block."""
    told = catalogue.quantities().of_kind("mixture") | {q.ACTIVE_EXPERTS.text}
    return model is not None and (model.active is not None or not told.isdisjoint(model.architecture))
