"""A problem while it is being posed: what the stages of posing add to, and read from each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runplan.dsl.expr.money import in_money
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law, Parameter
from runplan.dsl.plan.ir import Amount, Given, Hole, Objective, Plan, Stage, Within
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import NONE, Dim, in_currency
from runplan.engine.problem.problem import Definition, Kind, Limit, Variable, expand


@dataclass(slots=True)
class Draft:
    """Definitions, variables and limits so far.

    Attributes:
        size: Params at which a default MFU is looked up, where the plan gives none.
        loosened: Names of givens that are left open.
        fixed: Variables that are set to a value.
        repeats: Whether repeated data are discounted.
        scaled: A figure that is given or assumed, by name, and a factor to it: to see what would change.
        lent: Laws that stand in for what the plan's own does not know.
        defaults: Inputs that laws can do without, each with the law and what it then takes.
    """

    plan: Plan
    law: Law
    named: str
    objective: Objective
    catalogue: Library
    size: float | None
    loosened: frozenset[str]
    fixed: Mapping[str, float]
    repeats: bool = False
    scaled: tuple[str, float] = ("", 1.0)
    definitions: dict[str, Definition] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    givens: dict[str, Given] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sources: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    lent: dict[str, Law] = field(default_factory=dict)
    defaults: dict[str, tuple[str, Parameter]] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """The stage that is solved."""
        return self.plan.stages[0]

    @property
    def transfer(self) -> bool:
        """Whether the objective has a stage that is transferred from and one that is transferred to."""
        return self.objective.kind == "transfer"

    def define(
        self,
        name: str,
        dim: Dim,
        expr: Expr,
        kind: Kind,
        source: str = "",
        span: Span | None = None,
        note: str = "",
        by: str = "",
    ) -> None:
        """Say where a value comes from; a formula of a pack may have money that the plan converts."""
        if name == self.scaled[0] and kind in ("given", "assumed"):
            expr = Op("*", (expr, Num(self.scaled[1])))
        expr = in_money(expr, self.plan.currency, self.plan.rates)
        self.definitions[name] = Definition(name, self.money(dim), expr, kind, source, span, note, by)

    def give(self, name: str, dim: Dim, given: Given, span: Span | None = None) -> None:
        """A figure that the plan states."""
        let = self.plan.lets.get(given.expr.name) if isinstance(given.expr, Ref) else None
        note = f"{let.source}, {let.span.source.path}:{let.span.line}" if let and let.source else ""
        self.define(name, dim, number(given, dim), "given", "plan", span or given.span, note)

    def value(self, name: str) -> float:
        """The value of a figure that the plan states, or that is assumed."""
        return float(compiled(expand(self.definitions[name].expr, self.definitions, {}))({}))

    def is_variable(self, name: str) -> bool:
        """Whether a quantity is to be found."""
        return any(variable.name == name for variable in self.variables)

    def knows(self, name: str) -> bool:
        """Whether a quantity is found, given or follows."""
        return name in self.definitions or self.is_variable(name)

    def money(self, dim: Dim) -> Dim:
        """A dimension with the plan's currency in place of money, and of what it converts."""
        return in_currency(dim, self.plan.currency, self.plan.rates)

    def formula(self, quantity: str, **by: str) -> Expr:
        """The formula of a quantity of plans, with other names in place of some of its own."""
        formula = self.catalogue.quantities()[quantity].formula
        assert formula is not None, "the standard library has it"
        return substitute(formula, {name: Ref(other) for name, other in by.items()})

    def default(self, key: str) -> str:
        """The name of what the plan's domain takes where nothing is said; empty where it takes nothing."""
        return next(iter(self.catalogue.defaults(self.objective.domain, key)), "")

    def dim(self, quantity: str) -> Dim:
        """The dimension of a quantity of plans."""
        known = self.catalogue.quantities().get(quantity)
        return self.money(known.counted.dim) if known else NONE

    def bound(self, what: str, name: str, amount: Within) -> None:
        """The limits of a bounded figure."""
        for side, low in ((amount.low, True), (amount.high, False)):
            if side is not None:
                end = number(side, side.value.dim)
                left, right = (end, Ref(name)) if low else (Ref(name), end)
                self.limits.append(Limit(what, left, right, "range", amount.span))

    def figure(self, name: str, amount: Amount | None, dim: Dim, start: float, what: str) -> None:
        """A figure of the plan as a definition where it is given, else as a variable with its limits."""
        span = amount.span if amount is not None else None
        if name in self.fixed:
            self.define(name, dim, Num(self.fixed[name], dim), "solved", "held for whole devices", span)
            return
        if isinstance(amount, Given):
            self.givens[name] = amount
            if name not in self.loosened:
                self.give(name, dim, amount)
                return
            start = amount.value.value
        if isinstance(amount, Hole):
            self.asked.append(name)
        if isinstance(amount, Within):
            self.bound(what, name, amount)
            ends = [side.value.value for side in (amount.low, amount.high) if side]
            start = math.exp(sum(map(math.log, ends)) / len(ends))
        self.variables.append(Variable(name, dim, start, span))

    def gave_up(self, message: str, span: Span | None, help: Sequence[str] = ()) -> None:
        """Something is read and typed, but not solved: said, never passed over."""
        at = span or Span(self.plan.source, 0, 0)
        self.findings.append(finding("C009", message, at, help=help, laws=(self.named,)))

    def does_not_give(self, message: str, span: Span, help: Sequence[str] = ()) -> None:
        """The law lacks what the plan asks of it."""
        self.findings.append(finding("L004", message, span, help=help, laws=(self.named,)))

    def law_span(self) -> Span:
        """Where the plan names the law; its first statement where it names none."""
        for name in self.plan.laws:
            if name.text == self.named:
                return name.span
        return first_statement(self.plan)

    def prune(self) -> None:
        """Leave out what needs a figure that is not there, such as a cost without a price."""
        alive = {variable.name for variable in self.variables}
        left = dict(self.definitions)
        while ready := [name for name, d in left.items() if names(d.expr) <= alive]:
            alive.update(ready)
            for name in ready:
                del left[name]
        for name in left:
            del self.definitions[name]


def number(given: Given, dim: Dim) -> Num:
    """A figure of the plan as a number, with the plan's own spelling."""
    return Num(given.value.value, dim, shown(given.expr))


def first_statement(plan: Plan) -> Span:
    """The first line of a plan that says something, to point at where no statement is to blame."""
    text = plan.source.text
    start = 0
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            begin = start + len(line) - len(line.lstrip())
            return Span(plan.source, begin, start + len(line.rstrip()))
        start += len(line)
    return Span(plan.source, 0, 0)
