"""A plan and a law to a problem: definitions, variables, limits and goals, all in the one expression type.

Nothing here knows a law, a device or a verb by name. A figure that the plan gives is a definition; one that it bounds
or leaves open is a variable; everything else follows by the formulas of `stdlib/quantities.plan` and of the law.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from runplan.dsl.build import DATE
from runplan.dsl.expression import Expr, Num, Op, Ref, comparisons, names, shown, substitute, walk
from runplan.dsl.finding import Finding, finding
from runplan.dsl.ir import Amount, Constraint, Given, Hole, Objective, Plan, Pool, Stage, Within
from runplan.dsl.pack import Function, Law, Record, expanded
from runplan.dsl.source import Span
from runplan.dsl.units import NONE, Dim, show, unit
from runplan.engine.catalogue import Catalogue

Kind = Literal["given", "assumed", "derived", "law", "constant", "solved"]

GPU, SECOND, TOKEN, PARAM, FLOP = (unit(u).dim for u in ("GPU", "second", "token", "param", "FLOP"))

# What each pool of devices has of its own; the totals of those in SUMMED are sums.
POOLED = (
    "gpus nodes nodes_of peak mfu rate reserved_time availability hours_per_day capacity gpu_hours price cost power"
    " pue energy carbon_intensity emissions memory"
).split()
SUMMED = frozenset("gpus nodes capacity gpu_hours cost energy emissions".split())
# What the hardware that a plan reserves decides by itself: it is judged, and does not move the solution.
RESERVED = frozenset(
    "time finish cost gpu_hours energy emissions gpus nodes mfu rate price peak power pue carbon_intensity availability"
    " capacity reserved_time".split()
)
# What nature decides: a range there is uncertainty, not choice.
NATURE = ("mfu", "rate", "price", "pue", "carbon_intensity", "availability")


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a value comes from.

    Attributes:
        expr: The value by other names, or a number.
        source: The citation, the record, or what the assumption rests on.
        span: The place in the plan, or in the pack, that says so.
    """

    name: str
    dim: Dim
    expr: Expr
    kind: Kind
    source: str = ""
    span: Span | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A quantity to be found, positive; `start` is where the search begins, in base units."""

    name: str
    dim: Dim
    start: float
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """`left <= right`, or equal where `equal`, that the solution keeps.

    Attributes:
        name: As reports say what binds: `compute`, or the requirement's own text.
        kind: Where it comes from; a `capacity` cannot be loosened by itself, its givens can.
    """

    name: str
    left: Expr
    right: Expr
    kind: Literal["capacity", "budget", "data", "range", "given", "require", "line"]
    span: Span | None = None
    equal: bool = False
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """One of the goals, in order: make an expression small or large, or stay near a line."""

    sense: Literal["minimize", "maximize", "near"]
    expr: Expr
    other: Expr | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved, for one law.

    Attributes:
        named: The law as the plan names it.
        givens: Figures of the plan that could be changed to make room, by name.
        decided: Requirements that the givens alone decide.
        goal: In words, for derivations.
        findings: What keeps it from being solved: L004, C009 and the like.
        line: Whether the law gives an optimum line and no loss to minimise.
    """

    named: str
    law: Law
    objective: Objective
    definitions: Mapping[str, Definition]
    variables: tuple[Variable, ...]
    limits: tuple[Limit, ...]
    decided: tuple[Constraint, ...]
    aims: tuple[Aim, ...]
    goal: str
    givens: Mapping[str, Given]
    asked: tuple[str, ...]
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]
    line: Expr | None = None

    def expanded(self, expr: Expr) -> Expr:
        """The expression over variables alone; names without a definition stay."""
        return _expanded(expr, self.definitions, {})


def _expanded(expr: Expr, definitions: Mapping[str, Definition], memo: dict[str, Expr]) -> Expr:
    by = {}
    for name in names(expr):
        if name in definitions:
            if name not in memo:
                memo[name] = _expanded(definitions[name].expr, definitions, memo)
            by[name] = memo[name]
    return substitute(expr, by) if by else expr


def objective_of(plan: Plan) -> Objective:
    """The plan's objective, or the default: CLM of text."""
    found = next((stage.objective for stage in plan.stages if stage.objective), None)
    return found or Objective("CLM", None, None, "text", None)


def pose(
    plan: Plan,
    law: Law,
    named: str,
    catalogue: Catalogue,
    *,
    size: float | None = None,
    loosened: frozenset[str] = frozenset(),
    fixed: Mapping[str, float] | None = None,
) -> Problem:
    """The problem of a plan under a law.

    Args:
        size: Params at which a default MFU is looked up, where the plan gives none.
        loosened: Names of givens that are left open, to find what change makes room.
        fixed: Variables set to a value, such as a number of GPUs rounded to whole nodes.
    """
    return _Posing(plan, law, named, catalogue, size, loosened, fixed or {}).problem()


@dataclass(slots=True)
class _Posing:
    plan: Plan
    law: Law
    named: str
    catalogue: Catalogue
    size: float | None
    loosened: frozenset[str]
    fixed: Mapping[str, float]
    definitions: dict[str, Definition] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    givens: dict[str, Given] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    objective: Objective = field(init=False)

    @property
    def stage(self) -> Stage:
        return self.plan.stages[0]

    def problem(self) -> Problem:
        self.objective = objective_of(self.plan)
        self._unsolved()
        for let in self.plan.lets.values():
            self.define(let.name, NONE, let.expr, "given", "let", let.span)
        self._quantity("reserve", *self._reserve())
        self._model_and_tokens()
        self._law()
        self._hardware()
        sources = self._data()
        formulas = self.catalogue.quantities()
        for name, q in formulas.items():
            if q.formula is not None and name not in self.definitions and not self._is_variable(name):
                self.define(name, self._money(q.counted.dim), q.formula, "derived", q.title, q.span)
        self._prune()
        self._compute_limits()
        decided = self._requirements()
        aims, goal, line = self._aims()
        return Problem(
            self.named,
            self.law,
            self.objective,
            self.definitions,
            tuple(self.variables),
            tuple(self.limits),
            decided,
            aims,
            goal,
            self.givens,
            tuple(self.asked),
            sources,
            tuple(self.findings),
            line,
        )

    # ---- pieces

    def define(
        self, name: str, dim: Dim, expr: Expr, kind: Kind, source: str = "", span: Span | None = None, note: str = ""
    ) -> None:
        self.definitions[name] = Definition(name, dim, expr, kind, source, span, note)

    def _is_variable(self, name: str) -> bool:
        return any(variable.name == name for variable in self.variables)

    def _money(self, dim: Dim) -> Dim:
        return tuple(sorted((self.plan.currency if n == "currency" else n, e) for n, e in dim))

    def _quantity(self, name: str, dim: Dim, expr: Expr, kind: Kind, source: str, span: Span | None) -> None:
        self.define(name, dim, expr, kind, source, span)

    def gave_up(self, message: str, span: Span | None, help: Sequence[str] = ()) -> None:
        """Something is read and typed, but not solved: said, never passed over."""
        at = span or Span(self.plan.source, 0, 0)
        self.findings.append(finding("C009", message, at, help=help, laws=(self.named,)))

    def figure(self, name: str, amount: Amount | None, dim: Dim, start: float, what: str) -> None:
        """A figure of the plan as a definition where it is given, else as a variable with its limits."""
        if name in self.fixed:
            note = "rounded up to whole nodes" if name.endswith("gpus") else ""
            span = amount.span if amount is not None else None
            self.define(name, dim, Num(self.fixed[name], dim), "solved", "rounded", span, note)
            return
        if isinstance(amount, Given):
            self.givens[name] = amount
            if name not in self.loosened:
                self.define(name, dim, Num(amount.value.value, dim, shown(amount.expr)), "given", "plan", amount.span)
                return
            start = amount.value.value
        if isinstance(amount, Hole):
            self.asked.append(name)
        if isinstance(amount, Within):
            for side, low in ((amount.low, True), (amount.high, False)):
                if side is None:
                    continue
                bound = Num(side.value.value, dim, shown(side.expr))
                left, right = (bound, Ref(name)) if low else (Ref(name), bound)
                self.limits.append(Limit(what, left, right, "range", amount.span))
            ends = [side.value.value for side in (amount.low, amount.high) if side]
            start = math.exp(sum(map(math.log, ends)) / len(ends))
        self.variables.append(Variable(name, dim, start, amount.span if amount is not None else None))

    def _unsolved(self) -> None:
        plan = self.plan
        if len(plan.stages) > 1 or plan.stages[0].name:
            span = next((s.span for s in plan.stages if s.span), None)
            self.gave_up("stages are read, and not solved yet", span, ["plan each stage in a file of its own"])
        if self.stage.inference is not None:
            self.gave_up("`inference` is read, and not solved yet", self.stage.inference.span)
        if plan.model and plan.model.active:
            self.gave_up("active params are read, and not solved yet", plan.model.active.span)
        for pool in self.stage.hardware:
            for name in NATURE:
                amount = pool.figures.get(name)
                if isinstance(amount, Within | Hole):
                    what = "a `?`" if isinstance(amount, Hole) else "a range"
                    self.gave_up(f"{what} on `{name}` is read, and not solved yet", amount.span, ["give one value"])
        for constraint in (*plan.requires, *plan.prefers):
            for item in walk(constraint.condition):
                if isinstance(item, Op) and item.op in ("P", "or", "not"):
                    said = "P(...)" if item.op == "P" else f"`{item.op}`"
                    self.gave_up(f"{said} in a requirement is read, and not solved yet", constraint.span)
                    break

    def _reserve(self) -> tuple[Dim, Expr, Kind, str, Span | None]:
        reserve = self.plan.reserve
        if reserve is None:
            return NONE, Num(0.0), "assumed", "not given: all of the hardware is for the run", None
        return NONE, Num(reserve.share.value.value, NONE, shown(reserve.share.expr)), "given", "plan", reserve.span

    # ---- what is trained

    def _model_and_tokens(self) -> None:
        model = self.plan.model
        size = model.params if model else None
        self.figure("tokens", self.stage.tokens, TOKEN, 1e11, "tokens")
        counts = self.law.counts
        if counts == "non_embedding" and self.objective.domain != "protein":
            # The law's own count is the variable; the total follows from it.
            self.variables.append(Variable("law_params", PARAM, 1e9))
            self.define("params_non_embedding", PARAM, Ref("law_params"), "derived", "the law counts params without embeddings")
            by_law = self.catalogue.law("params.pearce")
            total = _function_expr(by_law, by_law.functions[0]) if by_law else Ref("law_params")
            source = by_law.cites[0].text if by_law and by_law.cites else ""
            converted = substitute(total, {"params_non_embedding": Ref("law_params")})
            for name, constant in (by_law.constants if by_law else {}).items():
                value = Num(constant.value or 0.0, by_law.dims.get(name, NONE) if by_law else NONE, constant.text)
                converted = substitute(converted, {f"law.{name}": value})
            self.define("params", PARAM, converted, "assumed", source, None, "conversion of params without embeddings")
            if isinstance(size, Given):
                self.givens["params"] = size
                if "params" not in self.loosened:
                    given = Num(size.value.value, PARAM, shown(size.expr))
                    self.limits.append(Limit("params", Ref("params"), given, "given", size.span, equal=True))
            elif isinstance(size, Within):
                for side, low in ((size.low, True), (size.high, False)):
                    if side:
                        bound = Num(side.value.value, PARAM, shown(side.expr))
                        left, right = (bound, Ref("params")) if low else (Ref("params"), bound)
                        self.limits.append(Limit("model", left, right, "range", size.span))
            elif isinstance(size, Hole):
                self.asked.append("params")
            return
        self.figure("params", size, PARAM, 1e9, "model")
        said = "the law counts all params"
        if counts == "non_embedding":
            said = "a vocabulary of amino acids adds 0.02 % to the params that the law counts"
        self.define("law_params", PARAM, Ref("params"), "derived", said)

    def _law(self) -> None:
        law = self.law
        if str(self.objective) not in law.objectives:
            help = ["name a law that is for it, or leave `laws` out"]
            message = f"`{law.name}` is for {' and '.join(law.objectives)}, not for {self.objective}"
            self._does_not_give(message, self.objective.span or self._law_span(), help)
            return
        cite = law.cites[0].text if law.cites else ""
        for name, constant in law.constants.items():
            if constant.value is None:
                self._does_not_give(f"the constant `{name}` of `{law.name}` is free: fit it first", self._law_span())
                continue
            value = Num(constant.value, law.dims.get(name, NONE), constant.text)
            self.define(f"law.{name}", law.dims.get(name, NONE), value, "constant", cite, constant.span)
        for function in self.functions():
            outside = {"params", "tokens", "compute"} | {name for name in self.catalogue.quantities()}
            if any(p.quantity not in outside for p in function.parameters):
                continue
            if function.output in ("params", "tokens"):
                continue  # the optimum line: an aim, not a definition
            dim = function.counted.dim
            self.define(function.output, dim, _function_expr(law, function), "law", cite, function.span)

    def functions(self) -> Iterator[Function]:
        """The law's formulas that are for the plan's objective."""
        said = str(self.objective).rsplit(" of ", 1)[0]
        for function in self.law.functions:
            if function.objective in ("", said):
                yield function

    def _law_span(self) -> Span:
        for name in self.plan.laws:
            if name.text == self.named:
                return name.span
        return Span(self.plan.source, 0, 0)

    def _does_not_give(self, message: str, span: Span, help: Sequence[str] = ()) -> None:
        self.findings.append(finding("L004", message, span, help=help, laws=(self.named,)))

    # ---- what it runs on

    def _hardware(self) -> None:
        pools = self.stage.hardware
        if not pools:
            return
        if len(pools) == 1:
            self._pool(pools[0], "")
            return
        prefixes = [f"pool{i + 1}." for i in range(len(pools))]
        for pool, prefix in zip(pools, prefixes, strict=True):
            self._pool(pool, prefix)
        for name in sorted(SUMMED):
            dim = self._money(self.catalogue.quantities()[name].counted.dim)
            if all(self._reachable(f"{prefix}{name}") for prefix in prefixes):
                total: Expr = Ref(f"{prefixes[0]}{name}")
                for prefix in prefixes[1:]:
                    total = Op("+", (total, Ref(f"{prefix}{name}")))
                self.define(name, dim, total, "derived", "all pools together")
        longest: Expr = Ref(f"{prefixes[0]}reserved_time")
        for prefix in prefixes[1:]:
            longest = Op("max", (longest, Ref(f"{prefix}reserved_time")))
        self.define("reserved_time", SECOND, longest, "derived", "the longest of the pools")

    def _reachable(self, name: str) -> bool:
        if self._is_variable(name):
            return True
        definition = self.definitions.get(name)
        return definition is not None and all(self._reachable(n) for n in names(definition.expr))

    def _pool(self, pool: Pool, prefix: str) -> None:
        figures = pool.figures
        device = self.catalogue.record("device", pool.device.text) if pool.device else None
        time = figures.get("time", Hole(pool.span))
        if "time" not in figures and {"from", "until"} <= pool.dates.keys():
            begin, end = pool.dates["from"].value.value, pool.dates["until"].value.value
            span = pool.dates["until"].span
            if end <= begin:
                self.findings.append(finding("U004", "the hardware's `until` is not after its `from`", span))
            self.define(f"{prefix}reserved_time", SECOND, Num(max(end - begin, 1.0), SECOND), "given", "plan", span)
        else:
            self.figure(f"{prefix}reserved_time", time, SECOND, 30 * 86400.0, "time")
        self.figure(f"{prefix}gpus", figures.get("gpus", Hole(pool.span)), GPU, 100.0, "gpus")
        self._rate(pool, device, prefix)
        self._from_device(pool, device, prefix, "power", self.catalogue.quantities()["power"].counted.dim)
        self._from_device(pool, device, prefix, "memory", self.catalogue.quantities()["memory"].counted.dim)
        for name in ("price", "pue", "carbon_intensity", "nodes_of"):
            amount = figures.get(name)
            if isinstance(amount, Given):
                dim = self._money(self.catalogue.quantities()[name].counted.dim)
                value = Num(amount.value.value, dim, shown(amount.expr))
                self.define(f"{prefix}{name}", dim, value, "given", "plan", amount.span)
        if f"{prefix}nodes_of" in self.definitions:
            expr = Op("/", (Ref(f"{prefix}gpus"), Ref(f"{prefix}nodes_of")))
            self.define(f"{prefix}nodes", NONE, expr, "derived", "nodes", pool.span)
        for name, dim, usual, said in (
            ("availability", NONE, 1.0, "not given: the hardware is taken to be up all the time"),
            ("hours_per_day", SECOND, 86400.0, "not given: day and night"),
        ):
            amount = figures.get(name)
            if isinstance(amount, Given):
                number = Num(amount.value.value, dim, shown(amount.expr))
                self.define(f"{prefix}{name}", dim, number, "given", "plan", amount.span)
            else:
                self.define(f"{prefix}{name}", dim, Num(usual, dim), "assumed", said)
        if "from" in pool.dates and not prefix:
            start = pool.dates["from"]
            self.define("start", DATE, Num(start.value.value, DATE), "given", "plan", start.span)
            self.define("finish", DATE, Op("+", (Ref("start"), Ref("time"))), "derived", "start and time of the run")
        for name in POOLED if prefix else ():
            q = self.catalogue.quantities()[name]
            if q.formula is not None and f"{prefix}{name}" not in self.definitions:
                by: dict[str, Expr] = {other: Ref(f"{prefix}{other}") for other in POOLED}
                self.define(
                    f"{prefix}{name}", self._money(q.counted.dim), substitute(q.formula, by), "derived", q.title, q.span
                )

    def _rate(self, pool: Pool, device: Record | None, prefix: str) -> None:
        rate_dim = self.catalogue.quantities()["rate"].counted.dim
        peak = pool.figures.get("peak")
        precision = pool.precision.text if pool.precision else "bf16"
        if isinstance(peak, Given):
            self.define(f"{prefix}peak", rate_dim, Num(peak.value.value, rate_dim, shown(peak.expr)), "given", "plan", peak.span)
        elif device is not None:
            entry = device.entry("peak", precision)
            if entry is not None and isinstance(entry.values[0], Num):
                said = f"{device.name}, dense {precision} peak: {entry.source}"
                kind: Kind = "given" if pool.precision else "assumed"
                self.define(f"{prefix}peak", rate_dim, entry.values[0], kind, said, entry.span)
            elif not isinstance(pool.figures.get("rate"), Given):
                has = sorted(e.qualifier for e in device.entries if e.key == "peak")
                help = [f"say `in {p}`" for p in has[:3]]
                message = f"`{pool.device.text if pool.device else device.name}` has no {precision} peak"
                where = pool.precision.span if pool.precision else pool.span
                self.findings.append(finding("N002", message, where, help=help))
        rate = pool.figures.get("rate")
        if isinstance(rate, Given):
            self.define(f"{prefix}rate", rate_dim, Num(rate.value.value, rate_dim, shown(rate.expr)), "given", "plan", rate.span)
            if f"{prefix}peak" in self.definitions:
                expr = Op("/", (Ref(f"{prefix}rate"), Ref(f"{prefix}peak")))
                self.define(f"{prefix}mfu", NONE, expr, "derived", "achieved rate over peak", rate.span)
            return
        mfu = pool.figures.get("mfu")
        if isinstance(mfu, Given):
            self.define(f"{prefix}mfu", NONE, Num(mfu.value.value, NONE, shown(mfu.expr)), "given", "plan", mfu.span)
        elif device is not None and not isinstance(mfu, Within | Hole):
            value, said, span = self._default_mfu(device)
            self.define(f"{prefix}mfu", NONE, Num(value), "assumed", said, span)

    def _default_mfu(self, device: Record) -> tuple[float, str, Span | None]:
        """The measured MFU of the device at the nearest size, in the 6ND convention of its table."""
        table = self.catalogue.record("mfu", device.name) or self.catalogue.record("mfu", "any")
        rows = [
            (entry.values[0].value, entry.values[1].value, entry)
            for entry in (table.entries if table else ())
            if entry.key == "size" and isinstance(entry.values[0], Num) and isinstance(entry.values[1], Num)
        ]
        assert table is not None and rows, "the standard library has a table of MFU"
        model = self.plan.model
        size = self.size
        if model and isinstance(model.params, Given):
            size = model.params.value.value
        params, value, entry = min(rows, key=lambda row: abs(math.log(row[0] / (size or 7e9))))
        of = table.name if table.name != "any" else "another device, for want of a measurement on this one"
        said = f"measured on {of} at {show(params, PARAM, 3)}, 6ND convention: {entry.source}"
        return value, said, entry.span

    def _from_device(self, pool: Pool, device: Record | None, prefix: str, name: str, dim: Dim) -> None:
        amount = pool.figures.get(name)
        if isinstance(amount, Given):
            value = Num(amount.value.value, dim, shown(amount.expr))
            self.define(f"{prefix}{name}", dim, value, "given", "plan", amount.span)
        elif device is not None:
            entry = device.entry(name)
            if entry is not None and isinstance(entry.values[0], Num):
                said = f"{device.name}: {entry.source}"
                self.define(f"{prefix}{name}", dim, entry.values[0], "assumed", said, entry.span)

    # ---- what it eats

    def _data(self) -> tuple[str, ...]:
        """Sources as definitions, and what they cap; the names of the sources."""
        sources = [s for s in self.stage.data if isinstance(s.amount, Given)]
        for source in self.stage.data:
            if not isinstance(source.amount, Given):
                self.gave_up("data that is a range or a `?` is read, and not solved yet", source.amount.span)
        if not sources:
            return ()
        labels = [source.name or "data" for source in sources]
        there: dict[str, float] = {}
        full: dict[str, float] = {}
        for label, source in zip(labels, sources, strict=True):
            assert isinstance(source.amount, Given)
            amount = Num(source.amount.value.value, source.amount.value.dim, shown(source.amount.expr))
            expr: Expr = amount
            if source.density:
                per = Num(source.density.value.value, source.density.value.dim, shown(source.density.expr))
                expr = Op("/", (amount, per))
                there[label] = amount.value / per.value
            else:
                there[label] = amount.value
            epochs = source.epochs.value.value if source.epochs else 1.0
            full[label] = there[label] * epochs
            self.define(f"available.{label}", TOKEN, expr, "given", "plan", source.span)
            said = "not given: one pass"
            kind: Kind = "given" if source.epochs else "assumed"
            number = Num(epochs, NONE, shown(source.epochs.expr) if source.epochs else "")
            self.define(f"max_epochs.{label}", NONE, number, kind, "plan" if source.epochs else said, source.span)
        weighted = {la: s.weight.value.value for la, s in zip(labels, sources, strict=True) if s.weight}
        rest = sum(full[label] for label in labels if label not in weighted)
        left = max(0.0, 1.0 - sum(weighted.values()))
        cap: Expr | None = None
        for label, source in zip(labels, sources, strict=True):
            share = weighted[label] if label in weighted else left * full[label] / rest
            said = "weight given" if label in weighted else "in proportion to amount and epochs"
            self.define(f"share.{label}", NONE, Num(share), "derived", said, source.span)
            tokens = Op("*", (Ref(f"share.{label}"), Ref("tokens")))
            self.define(f"tokens.{label}", TOKEN, tokens, "derived", "its share of the tokens", source.span)
            passes = Op("/", (Ref(f"tokens.{label}"), Ref(f"available.{label}")))
            self.define(f"epochs.{label}", NONE, passes, "derived", "passes over the source", source.span)
            most = Op("*", (Ref(f"available.{label}"), Ref(f"max_epochs.{label}")))
            own = Op("/", (most, Ref(f"share.{label}"))) if len(labels) > 1 else most
            if share > 0:
                name = f"data {source.name}" if weighted and source.name else "data"
                if weighted or cap is None:
                    self.limits.append(Limit(name, Ref("tokens"), own, "data", source.span))
                cap = own
        total: Expr = Ref(f"available.{labels[0]}")
        for label in labels[1:]:
            total = Op("+", (total, Ref(f"available.{label}")))
        self.define("data_tokens", TOKEN, total, "derived", "all sources, once")
        return tuple(labels)

    def _prune(self) -> None:
        """Leave out what needs a figure that is not there, such as a cost without a price."""
        alive = {variable.name for variable in self.variables}
        left = dict(self.definitions)
        while True:
            ready = [name for name, d in left.items() if names(d.expr) <= alive]
            if not ready:
                break
            alive.update(ready)
            for name in ready:
                del left[name]
        for name in left:
            del self.definitions[name]

    # ---- limits and goals

    def _compute_limits(self) -> None:
        span = self.stage.hardware[0].span if self.stage.hardware else None
        if "capacity" in self.definitions:
            self.limits.append(Limit("compute", Ref("compute"), Ref("capacity"), "capacity", span))
        budget = self.stage.compute
        if isinstance(budget, Given | Within):
            high = budget if isinstance(budget, Given) else budget.high
            low = None if isinstance(budget, Given) else budget.low
            if high is not None:
                self.givens["compute"] = high
                if "compute" not in self.loosened:
                    bound = Num(high.value.value, FLOP, shown(high.expr))
                    if "capacity" not in self.definitions:
                        self.define("budget", FLOP, bound, "given", "plan", high.span)
                        self.limits.append(Limit("compute", Ref("compute"), Ref("budget"), "budget", high.span))
                    else:
                        self.limits.append(Limit("compute", Ref("compute"), bound, "budget", high.span))
            if low is not None:
                bound = Num(low.value.value, FLOP, shown(low.expr))
                self.limits.append(Limit("compute", bound, Ref("compute"), "range", low.span))

    def _requirements(self) -> tuple[Constraint, ...]:
        """Requirements that the solution keeps become limits; those that the givens decide are returned."""
        decided: list[Constraint] = []
        variables = {variable.name for variable in self.variables}
        reserved = not any(v.name.endswith(("gpus", "reserved_time")) for v in self.variables)
        reserved = reserved and "capacity" in self.definitions
        memo: dict[str, Expr] = {}
        for constraint in self.plan.requires:
            condition = constraint.condition
            mentioned = names(_lets_replaced(condition, self.plan))
            missing = self._missing(mentioned)
            if missing:
                self._missing_finding(constraint, missing)
                continue
            free = names(_expanded(condition, self.definitions, memo)) & variables
            if not free or (reserved and mentioned <= RESERVED):
                decided.append(constraint)
                continue
            for part in comparisons(condition):
                left, right = part.args
                if part.op in (">=", ">"):
                    left, right = right, left
                elif part.op == "!=":
                    self.gave_up("`!=` in a requirement is read, and not solved", constraint.span)
                    continue
                text = " ".join(constraint.span.text.split())
                equal = part.op == "=="
                self.limits.append(Limit(text, left, right, "require", constraint.span, equal, constraint))
        return tuple(decided)

    def _missing(self, mentioned: frozenset[str]) -> list[str]:
        """Quantities that a requirement names and that nothing here gives."""
        return sorted(n for n in mentioned if n not in self.definitions and not self._is_variable(n))

    def _missing_finding(self, constraint: Constraint, missing: list[str]) -> None:
        name = missing[0]
        reason, help = self._why_missing(name)
        if reason == "law":
            message = f"`{self.law.name}` does not give `{name}`"
            self.findings.append(finding("L004", message, constraint.span, help=help, key=constraint.key, laws=(self.named,)))
        else:
            message = f"`{name}` is not known: {reason}"
            self.findings.append(finding("C004", message, constraint.span, help=help, key=constraint.key))

    def _why_missing(self, name: str) -> tuple[str, list[str]]:
        given = self.definitions
        if name in ("loss", "perplexity", "regret"):
            giving = "a law with a loss surface, such as `chinchilla`"
            return "law", [f"name {giving}, in `laws`"]
        needs = {
            "cost": ("price", "add `@ PRICE` to the hardware, such as `@ 2.50 USD/GPU/hour`"),
            "energy": ("pue", "add `pue: 1.1` (a power usage effectiveness) to the hardware's block"),
            "emissions": ("carbon_intensity", "add `carbon_intensity: 385 gCO2eq/kWh` to the hardware's block"),
            "nodes": ("nodes_of", "add `in nodes of 8` to the hardware"),
            "finish": ("from", "add `from 2026-12-01` to the hardware"),
        }
        if not self.stage.hardware:
            return "the plan has no hardware", ["add `hardware: 1000 x H100 for 6 months`"]
        if name in needs:
            lacking = [need for need in needs if need == name]
            chain = [name, "energy"] if name == "emissions" else lacking
            missing = [needs[n] for n in chain if needs[n][0] not in given and needs[n][0] != "from"] or [needs[name]]
            return f"no `{missing[0][0]}` is given", [text for _, text in missing]
        if name.startswith(("tokens.", "epochs.", "share.")) or name == "epochs":
            return "the plan gives no data", ["add `data: 10T tokens`"]
        if name == "time" or name in POOLED:
            return "the hardware does not tell it", []
        return "nothing in the plan or the law gives it", []

    def _aims(self) -> tuple[tuple[Aim, ...], str, Expr | None]:
        line = self._line()
        ties = [name for name in ("gpu_hours", "reserved_time") if self._moves(name)]
        ties += [v.name for v in self.variables if v.name.endswith(("gpus", "params")) and v.name not in ties]
        last = tuple(Aim("minimize", Ref(name)) for name in ties)
        goals = self.plan.goals
        if goals:
            goal = goals[0]
            mentioned = names(_lets_replaced(goal.expr, self.plan))
            if mentioned == {"loss"} and "loss" not in self.definitions and line is not None:
                return (*self._along(line), *last), "the law's optimum line", line
            missing = self._missing(mentioned)
            if missing:
                reason, help = self._why_missing(missing[0])
                what = f"`{self.law.name}` does not give `{missing[0]}`" if reason == "law" else f"`{missing[0]}`: {reason}"
                code = "L004" if reason == "law" else "C004"
                self.findings.append(finding(code, what, goal.span, help=help, laws=(self.named,)))
                return (), "", line
            sense: Literal["minimize", "maximize"] = "minimize" if goal.sense == "minimize" else "maximize"
            return (Aim(sense, goal.expr), *last), f"{goal.sense} {shown(goal.expr)}", line
        asked = [name for name in self.asked if name.endswith(("gpus", "reserved_time"))]
        if asked or not any(limit.name == "compute" for limit in self.limits):
            asked = asked or self.asked
            if len(asked) > 1:
                asked = ["cost" if "cost" in self.definitions else "gpu_hours"] if "capacity" in self.definitions else asked
            if asked:
                first = tuple(Aim("minimize", Ref(name)) for name in asked)
                return (*first, *last), f"the least `{asked[0].replace('reserved_', '')}`", line
        if "loss" in self.definitions and not self._frontier():
            return (Aim("minimize", Ref("loss")), *last), "minimize loss", None
        if line is not None:
            return (*self._along(line), *last), "the law's optimum line", line
        if self.variables and not self.findings:
            message = f"`{self.law.name}` gives no loss and no optimum: it cannot choose the size"
            self._does_not_give(message, self._law_span(), ["name a law that can, such as `chinchilla`"])
        return (), "", None

    def _moves(self, name: str) -> bool:
        variables = {variable.name for variable in self.variables if variable.name not in ("params", "tokens", "law_params")}
        if name in variables:
            return True
        return name in self.definitions and bool(names(_expanded(Ref(name), self.definitions, {})) & variables)

    def _frontier(self) -> bool:
        """Whether the law's loss is that of its optimum at a budget, and not a surface over size and tokens."""
        return any(
            f.output == "loss" and all(p.quantity == "compute" for p in f.parameters) for f in self.functions()
        )

    def _line(self) -> Expr | None:
        """The law's optimum line as an equation's two sides, over `compute`: params first, else tokens."""
        for output in ("params", "tokens"):
            for function in self.functions():
                if function.output == output and [p.quantity for p in function.parameters] == ["compute"]:
                    expr = _function_expr(self.law, function)
                    name = "law_params" if output == "params" else "tokens"
                    return Op("==", (Ref(name), expr), function.span)
        return None

    def _along(self, line: Expr) -> tuple[Aim, ...]:
        assert isinstance(line, Op)
        return (Aim("maximize", Ref("compute")), Aim("near", line.args[0], line.args[1]))


def _lets_replaced(expr: Expr, plan: Plan) -> Expr:
    for _ in range(len(plan.lets) + 1):
        if not names(expr) & plan.lets.keys():
            break
        expr = substitute(expr, {name: let.expr for name, let in plan.lets.items()})
    return expr


def _function_expr(law: Law | None, function: Function) -> Expr:
    """A law's formula over quantities: its inputs by their names in plans, its constants as `law.NAME`."""
    assert law is not None
    by: dict[str, Expr] = {name: Ref(f"law.{name}") for name in law.constants}
    for p in function.parameters:
        ref = Ref("law_params" if p.quantity == "params" else p.quantity)
        by[p.local] = ref if p.counted.factor == 1.0 else Op("/", (ref, Num(p.counted.factor, p.counted.dim)))
    body = substitute(expanded(function.body, law.lets), by)
    return body if function.counted.factor == 1.0 else Op("*", (body, Num(function.counted.factor, function.counted.dim)))
