"""Syntax nodes to knowledge: laws, rules, schedules, quantities and records of figures, checked for dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from runplan.dsl.build import Builder, unquoted
from runplan.dsl.expression import DimensionClash, Dimensions, Expr, Num, Text, compiled, names, shown
from runplan.dsl.finding import Finding, Label, Severity, finding
from runplan.dsl.nearest import nearest
from runplan.dsl.source import Span
from runplan.dsl.syntax import Node, Word
from runplan.dsl.units import NONE, Dim, show_dim


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
class Parameter:
    """An input of a law's function: a quantity under a local name."""

    quantity: str
    local: str
    counted: Counted
    span: Span = field(compare=False)


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


@dataclass(frozen=True, slots=True)
class Table:
    """A published table, read between its rows on log-log axes; nothing is read beyond its ends."""

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
class Law:
    """A law as its pack declares it; inheritance is already applied where it comes from a catalogue.

    Attributes:
        objectives: As `CLM of text`, for each that it is for.
        counts: Which parameters its N counts: total, non_embedding or active.
        corpus: What its losses are measured on; losses of two laws are compared only where this is the same.
        fitted: For each quantity the range of the runs that it was fitted to, in base units.
        dims: Dimension of each constant, once found.
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
    goldens: tuple[Golden, ...]
    notes: tuple[str, ...]
    span: Span = field(compare=False)
    dims: Mapping[str, Dim] = field(default_factory=dict, compare=False)


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
    """Figures of one thing: a device, a price, a region, a table of MFU."""

    kind: str
    name: str
    aliases: tuple[str, ...]
    title: str
    entries: tuple[Entry, ...]
    span: Span = field(compare=False)

    def entry(self, key: str, qualifier: str = "") -> Entry | None:
        """The first entry of a key and qualifier."""
        return next((e for e in self.entries if e.key == key and e.qualifier == qualifier), None)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wise: a condition over a solved plan that is worth a finding where it holds.

    Attributes:
        breaks, keeps: Statements of an example plan that breaks it and of one that keeps it.
        blames: The statement to point at.
    """

    code: str
    name: str
    severity: Severity
    rows: tuple[int, ...]
    when: Expr
    says: str
    help: str
    blames: str
    cites: tuple[Cite, ...]
    notes: tuple[str, ...]
    breaks: tuple[Node, ...]
    keeps: tuple[Node, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class PhaseShape:
    """A phase of a named schedule."""

    name: str
    share: float
    shape: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ScheduleShape:
    """A schedule by name: its phases in order, as shares of the tokens."""

    name: str
    title: str
    phases: tuple[PhaseShape, ...]
    cites: tuple[Cite, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class QuantityDef:
    """A quantity that a plan may name: its dimension, its display unit, and the formula that gives it, if one does."""

    name: str
    counted: Counted
    formula: Expr | None
    title: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pack:
    """All that a file, or a folder of files, defines."""

    laws: tuple[Law, ...] = ()
    records: tuple[Record, ...] = ()
    rules: tuple[Rule, ...] = ()
    schedules: tuple[ScheduleShape, ...] = ()
    quantities: tuple[QuantityDef, ...] = ()

    def plus(self, other: Pack) -> Pack:
        """Both, in order."""
        return Pack(
            self.laws + other.laws,
            self.records + other.records,
            self.rules + other.rules,
            self.schedules + other.schedules,
            self.quantities + other.quantities,
        )


DEFINITIONS = frozenset({"law", "record", "rule", "schedule_def", "quantity_def"})
EVIDENCE = ("paper", "authors_code", "secondary", "derived", "memory", "seed")
COUNTS = ("total", "non_embedding", "active", "any")
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


class PackReader(Builder):
    """Reads definitions; what is wrong is collected in `findings`.

    Args:
        quantities: Dimension of each quantity that a law may take or give without saying `in`.
    """

    def __init__(self, quantities: Mapping[str, Dim]) -> None:
        super().__init__()
        self.quantities = quantities

    def pack(self, statements: Iterable[Node]) -> Pack:
        """The definitions among the statements."""
        out = Pack()
        for node in statements:
            if node.rule == "law":
                out = out.plus(Pack(laws=(self.law(node),)))
            elif node.rule == "record":
                out = out.plus(Pack(records=(self.record(node),)))
            elif node.rule == "rule":
                rule = self.rule(node)
                out = out.plus(Pack(rules=(rule,) if rule else ()))
            elif node.rule == "schedule_def":
                out = out.plus(Pack(schedules=(self.schedule(node),)))
            elif node.rule == "quantity_def":
                out = out.plus(Pack(quantities=(self.quantity_def(node),)))
        return out

    # ---- small pieces

    def cite(self, node: Node) -> Cite:
        """A `cites` line: the work, and how its figures were come by where that is said."""
        evidence = node.children[1]
        kind = evidence.text if isinstance(evidence, Word) else ""
        if isinstance(evidence, Word) and kind not in EVIDENCE:
            self._unknown("evidence", evidence, EVIDENCE)
        return Cite(unquoted(node.word(0).text), kind)

    def _unknown(self, what: str, word: Word, choices: Iterable[str]) -> None:
        choices = list(choices)
        help = [f"did you mean `{name}`?" for name in nearest(word.text, choices)[:1]]
        help = help or ["it is one of " + ", ".join(choices)]
        self.findings.append(finding("N002", f"unknown {what} `{word.text}`", word.span, help=help))

    def words(self, node: Node | Word | None) -> tuple[str, ...]:
        """The members of a list such as the aliases, unquoted; none where the list is left out."""
        if not isinstance(node, Node):
            return ()
        return tuple(unquoted(word.word(0).text) for word in node.nodes("word"))

    def counted(self, node: Node | Word | None, quantity: str, span: Span) -> Counted:
        """A declared unit, or that of the quantity where none is declared."""
        if isinstance(node, Node):
            words = list(node.words())
            count = self.number(words[0]) if words[0].type == "NUMBER" else 1.0
            factor, dim = self.unit(words[-1]) if words[-1].type == "UNIT" else (1.0, NONE)
            return Counted(count * factor, dim, node.span.text)
        if quantity in self.quantities:
            dim = self.quantities[quantity]
            return Counted(1.0, dim, show_dim(dim))
        help = ["say what it is counted in: `in UNIT`"]
        self.findings.append(finding("U003", f"`{quantity}` is no quantity of plans, and has no unit", span, help=help))
        return Counted(1.0, NONE, "1")

    # ---- definitions

    def law(self, node: Node) -> Law:
        """One `law` block as it is written: what it inherits is added by `inherit`."""
        name, aliases, parent, title = node.children[:4]
        assert isinstance(name, Word)
        block = node.node("law_block")
        assert block is not None
        single: dict[str, Node] = {}
        for item in block.nodes("law_objective", "law_counts", "law_corpus", "law_jointly", "law_fitted"):
            if item.rule in single:
                also = [Label(single[item.rule].span, "the first is here")]
                what = item.rule.removeprefix("law_")
                self.findings.append(finding("N005", f"`{what}` is given twice", item.span, also=also))
            single[item.rule] = item
        counts = ""
        if "law_counts" in single:
            word = single["law_counts"].word(0)
            counts = word.text
            if counts not in COUNTS:
                self._unknown("way to count params", word, COUNTS)
        fitted = {}
        for item in single["law_fitted"].nodes() if "law_fitted" in single else ():
            quantity, low, high = item.children
            assert isinstance(quantity, Word) and low is not None and high is not None
            pair = (self._figure(self.expr(low), item.span), self._figure(self.expr(high), item.span))
            fitted[quantity.text] = pair
        objectives: tuple[str, ...] = ()
        if "law_objective" in single:
            objectives = tuple(objective_text(item) for item in single["law_objective"].nodes())
        corpus = unquoted(single["law_corpus"].word(0).text) if "law_corpus" in single else ""
        lets = {}
        for item in block.nodes("law_let"):
            body = item.children[1]
            assert body is not None
            lets[item.word(0).text] = self.expr(body)
        return Law(
            name.text,
            self.words(aliases),
            parent.text if isinstance(parent, Word) else None,
            unquoted(title.text) if isinstance(title, Word) else "",
            objectives,
            counts,
            corpus,
            {c.name: c for item in block.nodes("law_constants") for c in self._constants(item)},
            self._joint(single["law_jointly"]) if "law_jointly" in single else None,
            lets,
            tuple(self._function(item) for item in block.nodes("law_function")),
            tuple(self._table(item) for item in block.nodes("law_table")),
            fitted,
            tuple(self.cite(item) for item in block.nodes("law_cites")),
            tuple(self._golden(item) for item in block.nodes("law_golden")),
            tuple(unquoted(item.word(0).text) for item in block.nodes("law_note")),
            name.span,
        )

    def _constants(self, node: Node) -> Iterable[Constant]:
        for item in node.nodes():
            name = item.word(0)
            if item.rule == "free_constant":
                yield Constant(name.text, None, None, None, "free", item.span)
                continue
            _, number, unit_word, error = item.children
            assert isinstance(number, Word)
            sign = -1.0 if item.span.text.split("=", 1)[1].lstrip().startswith("-") else 1.0
            factor, dim = self.unit(unit_word) if isinstance(unit_word, Word) else (1.0, None)
            yield Constant(
                name.text,
                sign * self.number(number) * factor,
                dim,
                self.number(error) * factor if isinstance(error, Word) else None,
                item.span.text.split("=", 1)[1].strip(),
                item.span,
            )

    def _joint(self, node: Node) -> Joint:
        terms = tuple(self.expr(item) for item in node.nodes() if item.rule != "number_row")
        rows = tuple(
            tuple((-1.0 if cell.rule == "negative" else 1.0) * self.number(cell.word(0)) for cell in row.nodes())
            for row in node.nodes("number_row")
        )
        if len(rows) != len(terms) or any(len(row) != len(terms) for row in rows):
            message = f"a covariance of {len(terms)} constants has {len(terms)} rows of {len(terms)} numbers"
            self.findings.append(finding("P001", message, node.span))
            rows = tuple((0.0,) * len(terms) for _ in terms)
        return Joint(terms, rows, node.span)

    def _parameter(self, node: Node) -> Parameter:
        quantity, local, unit_node = node.children
        assert isinstance(quantity, Word) and isinstance(local, Word)
        return Parameter(quantity.text, local.text, self.counted(unit_node, quantity.text, quantity.span), node.span)

    def _function(self, node: Node) -> Function:
        name = node.word(0)
        unit_node = node.node("out_unit")
        body = node.children[-1]
        assert body is not None
        return Function(
            name.text,
            tuple(self._parameter(item) for item in node.nodes("parameter")),
            self.counted(unit_node, name.text, name.span),
            self._for(node),
            self.expr(body),
            node.span,
        )

    def _table(self, node: Node) -> Table:
        name = node.word(0)
        parameter = node.node("parameter")
        assert parameter is not None
        counted = self.counted(node.node("out_unit"), name.text, name.span)
        read = self._parameter(parameter)
        rows = []
        for item in node.nodes("table_row"):
            left, right = item.nodes()
            x, y = self.expr(left), self.expr(right)
            assert isinstance(x, Num) and isinstance(y, Num)
            rows.append(
                (
                    x.value if x.dim else x.value * read.counted.factor,
                    y.value if y.dim else y.value * counted.factor,
                )
            )
        if sorted(rows) != rows or len(rows) < 2:
            self.findings.append(finding("P001", "a table has two rows or more, in rising order", node.span))
        return Table(name.text, read, counted, tuple(rows), node.span)

    def _golden(self, node: Node) -> Golden:
        text = node.span.text
        gives_at = text.find(" gives ") + node.span.start
        given: list[tuple[str, Num]] = []
        gives: list[tuple[Expr, Num]] = []
        for item in node.nodes("binding"):
            left, right = (self.expr(child) for child in item.children if child is not None)
            value = Num(self._figure(right, item.span), right.dim if isinstance(right, Num) else NONE, span=right.span)
            if item.span.start < gives_at:
                given.append((shown(left), value))
            else:
                gives.append((left, value))
        tolerance = node.children[-1]
        rtol = self.number(tolerance) if isinstance(tolerance, Word) and tolerance.type == "NUMBER" else 1e-5
        objective = self._for(node)
        return Golden(unquoted(node.word(0).text), objective, tuple(given), tuple(gives), rtol, node.span)

    def _for(self, node: Node) -> str:
        """The objective that a function or a golden value says that it is for; empty where it says none."""
        objective = next(node.nodes("single", "transfer"), None)
        return objective_text(objective, domain=False) if objective else ""

    def _figure(self, expr: Expr, span: Span) -> float:
        try:
            return float(compiled(expr)({}))
        except (KeyError, ArithmeticError, ValueError):
            self.findings.append(finding("P001", f"`{shown(expr)}` is not a fixed number", expr.span or span))
            return 1.0

    def record(self, node: Node) -> Record:
        """One `record` block: a device, a price or the like, line by line."""
        kind, name, aliases, title = node.children[:4]
        assert isinstance(kind, Word) and isinstance(name, Word)
        block = node.node("record_block")
        assert block is not None
        return Record(
            kind.text,
            name.text,
            self.words(aliases),
            unquoted(title.text) if isinstance(title, Word) else "",
            tuple(self._entry(item) for item in block.nodes("entry")),
            name.span,
        )

    def _entry(self, node: Node) -> Entry:
        key, qualifier, *rest = node.children
        assert isinstance(key, Word)
        evidence, source = rest.pop(), rest.pop()
        values = tuple(self.expr(item) for item in rest if isinstance(item, Node))
        return Entry(
            key.text,
            qualifier.text if isinstance(qualifier, Word) else "",
            tuple(value for value in values if isinstance(value, Num | Text)),
            unquoted(source.text) if isinstance(source, Word) else "",
            evidence.text if isinstance(evidence, Word) else "",
            node.span,
        )

    def rule(self, node: Node) -> Rule | None:
        """One `rule` block; None, with a finding, where it lacks what it needs to be tried."""
        code, name, severity = node.word(0), node.word(1), node.word(2)
        block = node.node("rule_block")
        assert block is not None
        if severity.text not in SEVERITIES:
            self._unknown("severity", severity, SEVERITIES)
            return None
        when = block.node("rule_when")
        says = block.node("rule_says")
        if when is None or says is None:
            missing = "`when`" if when is None else "`says`"
            self.findings.append(finding("P001", f"rule `{code.text}` has no {missing}", code.span))
            return None
        condition = when.children[0]
        assert condition is not None
        rows = block.node("rule_rows")

        def text(rule: str) -> str:
            item = block.node(rule)
            return unquoted(item.word(0).text) if item else ""

        def example(rule: str) -> tuple[Node, ...]:
            item = block.node(rule)
            inner = item.node("plan_block") if item else None
            return tuple(inner.nodes()) if inner else ()

        return Rule(
            code.text,
            name.text,
            next(s for s in SEVERITIES if s == severity.text),
            tuple(int(self.number(word)) for word in rows.words()) if rows else (),
            self.expr(condition),
            text("rule_says"),
            text("rule_help"),
            text("rule_blames"),
            tuple(self.cite(item) for item in block.nodes("law_cites")),
            tuple(unquoted(item.word(0).text) for item in block.nodes("law_note")),
            example("rule_breaks"),
            example("rule_keeps"),
            code.span,
        )

    def schedule(self, node: Node) -> ScheduleShape:
        """A named schedule, its phases held to share all of the tokens."""
        name, title = node.children[:2]
        assert isinstance(name, Word)
        block = node.node("schedule_block")
        assert block is not None
        phases = []
        for item in block.nodes("phase"):
            spec = item.node("phase_spec")
            assert spec is not None
            share, shape = spec.children[0], spec.children[1]
            assert share is not None and isinstance(shape, Word)
            phases.append(
                PhaseShape(item.word(0).text, self._figure(self.expr(share), spec.span), shape.text, item.span)
            )
        if abs(sum(phase.share for phase in phases) - 1.0) > 1e-9:
            total = sum(phase.share for phase in phases)
            self.findings.append(
                finding("P001", f"the phases of `{name.text}` share {total:.4g} of the tokens, not 1", name.span)
            )
        return ScheduleShape(
            name.text,
            unquoted(title.text) if isinstance(title, Word) else "",
            tuple(phases),
            tuple(self.cite(item) for item in block.nodes("law_cites")),
            name.span,
        )

    def quantity_def(self, node: Node) -> QuantityDef:
        """A quantity that a pack adds to those that a plan may name."""
        name, unit_node, formula, title = node.children
        assert isinstance(name, Word)
        return QuantityDef(
            name.text,
            self.counted(unit_node, name.text, name.span),
            self.expr(formula) if formula is not None else None,
            unquoted(title.text) if isinstance(title, Word) else "",
            node.span,
        )


def objective_text(node: Node, domain: bool = True) -> str:
    """An objective as laws name it: `CLM of text`; without its domain where that is not wanted."""
    words = [child.text if isinstance(child, Word) else None for child in node.children]
    where = f" of {words[-1] or 'text'}" if domain else ""
    if node.rule == "single":
        return f"{words[0]}{where}"
    return f"transfer from {words[0]} to {words[1]}{where}"


# ---- inheritance and dimensions


def inherit(law: Law, lookup: Callable[[str], Law | None]) -> tuple[Law, list[Finding]]:
    """The law with what its parents declare, its own declarations winning."""
    findings: list[Finding] = []
    chain = [law]
    while (parent_name := chain[-1].parent) is not None:
        parent = lookup(parent_name)
        if parent is None:
            findings.append(finding("N002", f"unknown law `{parent_name}` to extend", chain[-1].span))
            break
        if any(parent.name == known.name for known in chain):
            names_ = " -> ".join(known.name for known in [*chain, parent])
            findings.append(finding("N003", f"laws extend each other in a circle: {names_}", law.span))
            break
        chain.append(parent)
    merged = chain.pop()
    while chain:
        child = chain.pop()
        own = {(f.output, f.objective, tuple(p.quantity for p in f.parameters)) for f in child.functions}
        kept = [
            f for f in merged.functions if (f.output, f.objective, tuple(p.quantity for p in f.parameters)) not in own
        ]
        merged = replace(
            child,
            objectives=child.objectives or merged.objectives,
            counts=child.counts or merged.counts,
            corpus=child.corpus or merged.corpus,
            constants={**merged.constants, **child.constants},
            lets={**merged.lets, **child.lets},
            functions=(*kept, *child.functions),
            fitted=child.fitted or merged.fitted,
            cites=child.cites or merged.cites,
        )
    return merged, findings


def checked(law: Law) -> tuple[Law, list[Finding]]:
    """The law with the dimension of each constant found, and what does not fit together.

    A constant without a unit takes the dimension that its formula needs; one with a unit is held to it.
    """
    findings: list[Finding] = []
    if not law.cites:
        findings.append(finding("P001", f"law `{law.name}` cites nothing", law.span, help=['add `cites "..."`']))
    if not law.objectives:
        help = ["add `objective CLM of text`"]
        findings.append(finding("P001", f"law `{law.name}` is for no objective", law.span, help=help))
    bare = frozenset(c.name for c in law.constants.values() if c.dim is None)
    known = {c.name: c.dim for c in law.constants.values() if c.dim is not None}
    values = {c.name: c.value for c in law.constants.values() if c.value is not None}
    derived = set(law.lets)
    dimensions = Dimensions(known, bare, values)
    for function in law.functions:
        dims = {**known, **{p.local: p.counted.local for p in function.parameters}}
        body = expanded(function.body, law.lets)
        for item in sorted(names(body) - dims.keys() - bare - derived):
            close = nearest(item, [*dims, *bare])
            help = [f"did you mean `{close[0]}`?"] if close else []
            findings.append(finding("N002", f"unknown name `{item}` in `{function.output}`", function.span, help=help))
            dims[item] = (("?", 1.0),)
        dimensions.dims = dims
        try:
            dimensions.require(body, function.counted.local)
        except DimensionClash as clash:
            at = clash.at.span or function.span
            findings.append(
                finding("U001", f"{clash.message}", at, notes=[f"in `{function.output}` of law `{law.name}`"])
            )
    return replace(law, dims=known | {name: dimensions.constant(name) for name in bare}), findings


def expanded(expr: Expr, lets: Mapping[str, Expr]) -> Expr:
    """An expression with `let`s replaced, and those in them; a circle of them is cut after their number."""
    from runplan.dsl.expression import substitute

    for _ in range(len(lets)):
        if not names(expr) & lets.keys():
            break
        expr = substitute(expr, lets)
    return expr
