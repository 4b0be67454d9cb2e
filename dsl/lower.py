"""A syntax tree to the plan: every figure typed, every name bound, every constraint checked for dimensions."""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runplan.dsl.build import DATE, Builder, unquoted
from runplan.dsl.expression import (
    COMPARISONS,
    DimensionClash,
    Dimensions,
    Expr,
    Num,
    Op,
    Ref,
    compiled,
    names,
    said_dim,
    shown,
    walk,
)
from runplan.dsl.finding import Finding, Label, finding, in_order
from runplan.dsl.ir import (
    Amount,
    Constraint,
    DataSource,
    Given,
    Goal,
    Hole,
    Let,
    Lowered,
    MixItem,
    Model,
    Name,
    Objective,
    Optimizer,
    Phase,
    Plan,
    Pool,
    Reserve,
    Schedule,
    Stage,
    Vocabulary,
    Within,
)
from runplan.dsl.nearest import nearest
from runplan.dsl.pack import DEFINITIONS, Pack, PackReader
from runplan.dsl.source import Span
from runplan.dsl.syntax import File, Node, Word
from runplan.dsl.units import (
    NONE,
    Dim,
    Quantity,
    UnknownUnit,
    currencies,
    mismatch,
    over,
    show,
    unit,
)


@dataclass(frozen=True, slots=True)
class Field:
    """What a figure of a statement is.

    Attributes:
        dim: Its dimension; money is `currency`.
        example: How one writes it, for help.
        least, most: Bounds in base units; `least` itself is allowed only where `zero` is.
        per_gpu: Whether `X/GPU` is read as X, the figure being that of one device.
        whole: Whether it is counted in whole numbers.
    """

    name: str
    dim: Dim
    example: str
    least: float = 0.0
    most: float = math.inf
    zero: bool = False
    per_gpu: bool = False
    whole: bool = False


def _dim(text: str) -> Dim:
    return unit(text).dim


TIME, GPU, PARAM, TOKEN, FLOP = _dim("second"), _dim("GPU"), _dim("param"), _dim("token"), _dim("FLOP")
PRICE: Dim = (("GPU", -1.0), ("currency", 1.0), ("second", -1.0))

HARDWARE = {
    f.name: f
    for f in (
        Field("gpus", GPU, "1000", whole=True),
        Field("time", TIME, "6 months"),
        Field("mfu", NONE, "40%", most=1.0),
        Field("rate", _dim("FLOP/s"), "400 TFLOP/s", per_gpu=True),
        Field("price", PRICE, "2.50 USD/GPU/hour", zero=True),
        Field("peak", _dim("FLOP/s"), "989 TFLOP/s", per_gpu=True),
        Field("memory", _dim("byte"), "80 GB", per_gpu=True),
        Field("power", _dim("W"), "700 W", per_gpu=True),
        Field("pue", NONE, "1.1", least=1.0, zero=True),
        Field("carbon_intensity", _dim("gCO2eq/kWh"), "385 gCO2eq/kWh", zero=True),
        Field("availability", NONE, "90%", most=1.0),
        Field("hours_per_day", TIME, "20 hours", most=86400.0),
        Field("nodes_of", GPU, "8", whole=True),
    )
}
ARCHITECTURE = {
    f.name: f
    for f in (
        Field("params", PARAM, "7B"),
        Field("active", PARAM, "37B"),
        Field("layers", NONE, "32", whole=True),
        Field("hidden", NONE, "4096", whole=True),
        Field("heads", NONE, "32", whole=True),
        Field("kv_heads", NONE, "8", whole=True),
        Field("ffn", NONE, "14336", whole=True),
        Field("vocab", NONE, "128256", whole=True),
        Field("context", TOKEN, "8192 tokens", whole=True),
        Field("experts", NONE, "256", whole=True),
        Field("active_experts", NONE, "8", whole=True),
        Field("granularity", NONE, "8"),
        Field("weight_bits", NONE, "4", most=64.0),
    )
}
COMPUTE = Field("compute", FLOP, "5e24 FLOP")
TOKENS = Field("tokens", TOKEN, "2T")
PARAMS = Field("model", PARAM, "7B")
SERVED = Field("inference", TOKEN, "2T tokens")
EPOCHS = Field("epochs", NONE, "4 epochs")
WEIGHT = Field("weight", NONE, "30%", most=1.0)
SHARE = Field("share", NONE, "15%", most=1.0)
RESERVE = Field("reserve", NONE, "15%", most=1.0)
SETTINGS = {
    "batch": Field("batch", TOKEN, "4M tokens"),
    "learning_rate": Field("learning_rate", NONE, "3e-4", most=1.0),
}
DATA = Field("data", TOKEN, "10T tokens")

# Dimensions of which everybody counts in one unit: there a bare number says it all.
_NATURAL = frozenset({"token", "param", "FLOP", "GPU", "nat", "character", "sequence", "currency"})
_ONCE = (
    "plan use calendar hardware compute tokens model objective inference reserve schedule optimizer minimize maximize"
).split()
MAX_TERMS = 20_000
MAX_STAGES = 50
_NAMED = ("data_named", "phase", "stage")
# What users of other tools write.
_ALSO_KNOWN = {
    "n_params": "params", "parameters": "params", "size": "params", "flops": "compute", "flop": "compute",
    "budget": "cost", "lr": "learning_rate", "batch_size": "batch", "duration": "time", "co2": "emissions",
    "num_hidden_layers": "layers", "n_layers": "layers", "num_layers": "layers", "hidden_size": "hidden",
    "d_model": "hidden", "intermediate_size": "ffn", "num_attention_heads": "heads", "n_heads": "heads",
    "num_key_value_heads": "kv_heads", "vocab_size": "vocab", "seq_len": "context", "count": "gpus", "n": "gpus",
    "utilization": "mfu", "duration_days": "time", "tdp": "power", "per_node": "nodes_of", "hours": "gpu_hours",
    "gpu_time": "gpu_hours", "num_gpus": "gpus", "n_gpus": "gpus", "ppl": "perplexity", "money": "cost",
}  # fmt: skip


def lower(file: File, vocabulary: Vocabulary) -> Lowered:
    """The plan of a resolved file, and all that is wrong with it before it stops.

    The plan is None where anything is an error, or where the file only defines things.
    """
    return _Lowering(file, vocabulary).lowered()


class _Lowering(Builder):
    def __init__(self, file: File, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.file = file
        self.vocabulary = vocabulary
        self.lets: dict[str, Let] = {}
        self.let_dims: dict[str, Dim] = {}
        self.let_values: dict[str, float] = {}
        self.let_terms: dict[str, int] = {}
        self._base: dict[str, Dim] = {}
        self.sources: list[str] = []
        self.currency = "USD"
        self.stage_names: list[str] = []
        lines = " ".join(span.text for span in file.broken)
        self.broken = frozenset(re.findall(r"\w+", lines))

    def _excused(self, name: str) -> bool:
        """Whether a name that is not known may stand in what could not be read: then that is the mistake."""
        words = {name, *re.findall(r"\w+", name)} - {"tokens", "share", "epochs"}
        return not self.broken.isdisjoint(words) or any(name.startswith(prefix) for prefix in self.file.adrift)

    def lowered(self) -> Lowered:
        statements = self.file.statements
        if not statements:
            help = ["the smallest plan is one line: `hardware: 1000 x H100 for 6 months`"]
            empty = finding("S006", "the plan is empty", Span(self.file.source, 0, 0), help=help)
            return Lowered(None, Pack(), (empty,))
        self._collect_names(statements)
        self._money_and_months(statements)
        reader = PackReader({name: self._money(dim) for name, dim in self.vocabulary.quantities.items()})
        pack = reader.pack(node for node in statements if node.rule in DEFINITIONS)
        self.vocabulary = _with_own(self.vocabulary, pack)
        self._collect_lets([node for node in statements if node.rule == "let"])
        own = [node for node in statements if node.rule not in DEFINITIONS]
        plan = self._plan(own, pack) if any(n.rule not in ("let", "rate", "calendar") for n in own) else None
        self._binary_prefixes()
        findings = in_order([*self.findings, *reader.findings])
        wrong = any(f.severity == "error" for f in findings)
        return Lowered(None if wrong else plan, pack, findings)

    # ---- money and months

    def _money_and_months(self, statements: Iterable[Node]) -> None:
        """Find the plan's currency (that of its first price, else of its first sum), its rates and its month."""
        priced: list[tuple[bool, int, str]] = []
        for node in statements:
            if node.rule in DEFINITIONS:
                continue
            for leaf in _leaves(node):
                if leaf.type == "UNIT":
                    try:
                        found = [name for name, _ in unit(leaf.text).dim if name in currencies()]
                    except UnknownUnit:
                        continue
                    priced.extend((node.rule != "hardware", len(priced), name) for name in found[:1])
        self.currency = min(priced)[2] if priced else "USD"
        for node in statements:
            if node.rule == "rate":
                self._rate(node)
            elif node.rule == "calendar":
                self._calendar(node)

    def _rate(self, node: Node) -> None:
        spec = next(node.nodes())
        name, value_node = spec.word(0), spec.children[1]
        assert value_node is not None
        expr = self.expr(value_node)
        self.date(spec.word(2))
        help = ["write it like `rate EUR = 1.08 USD on 2026-01-15`"]
        if name.text not in currencies():
            close = [f"did you mean `{code}`?" for code in nearest(name.text, currencies())[:1]]
            message = f"unknown currency `{name.text[:60]}`"
            self.findings.append(finding("U002", message, name.span, help=close or [_listed(sorted(currencies()))]))
            return
        dim = self._checked(expr)
        value = self._value(expr) if dim is not None else None
        if dim is None:
            return
        if len(dim) != 1 or dim[0][1] != 1.0 or dim[0][0] not in currencies() or value is None:
            message = f"`{shown(expr)}` is {said_dim(dim)}; a rate is one currency in another"
            self.findings.append(finding("U001", message, value_node.span, help=help))
        elif name.text == dim[0][0]:
            message = f"a rate of {name.text} in {name.text} says nothing"
            self.findings.append(finding("C001", message, spec.span, help=help))
        elif not 0 < value < math.inf:
            message = f"a rate is `{shown(expr)}`; it must be more than zero"
            self.findings.append(finding("U004", message, value_node.span, help=help))
        elif dim[0][0] == self.currency:
            self.rates[name.text] = (value, self.currency)
        elif name.text == self.currency:
            self.rates[dim[0][0]] = (1 / value, self.currency)

    def _calendar(self, node: Node) -> None:
        spec = next(node.nodes())
        value_node = spec.children[1]
        assert value_node is not None
        expr = self.expr(value_node)
        value = self._value(expr) if self._checked(expr) == TIME else None
        days = value / 86400 if value is not None else 0.0
        if spec.word(0).text != "month" or not 28 <= days <= 31:
            help = ["write `calendar month = 30.4375 days`"]
            self.findings.append(finding("U004", "a calendar sets the month, to 28 to 31 days", spec.span, help=help))
        else:
            self.month = days

    def _money(self, dim: Dim) -> Dim:
        return tuple(sorted((self.currency if name == "currency" else name, exponent) for name, exponent in dim))

    # ---- names

    def _collect_names(self, statements: Sequence[Node]) -> None:
        """The names of stages and sources: an expression may mention them before they are read."""
        stages = [node for node in statements if node.rule == "stage"]
        if len(stages) > MAX_STAGES:
            message = f"the plan has {len(stages):,} stages; at most {MAX_STAGES} are read"
            self.findings.append(finding("S004", message, stages[MAX_STAGES].span))
        self.stage_names = [_named(node).text for node in stages[:MAX_STAGES]]
        self.sources = [_named(n).text for n in _with_stages(statements) if n.rule == "data_named"]

    def _collect_lets(self, nodes: list[Node]) -> None:
        for node in nodes:
            spec = next(node.nodes())
            name, body = spec.word(0), spec.children[1]
            assert body is not None
            if name.text in self.lets:
                also = [Label(self.lets[name.text].span, "the first is here")]
                self.findings.append(finding("N005", f"`{name.text}` is given twice", spec.span, also=also))
            elif name.text in self.vocabulary.quantities:
                message = f"`{name.text}` is a quantity of the plan and cannot be a `let`"
                self.findings.append(finding("N005", message, name.span, help=["choose another name"]))
            else:
                self.lets[name.text] = Let(name.text, self.expr(body), spec.span)
        for let in list(self.lets.values()):
            self._settle_let(let)

    def _settle_let(self, let: Let) -> None:
        """Find the dimension and value of a `let`, those that it rests on first."""
        chain = [let.name]
        while chain:
            name = chain[-1]
            waits = names(self.lets[name].expr) & self.lets.keys() - self.let_dims.keys()
            following = min(waits, default="")
            if name in self.let_dims:
                chain.pop()
            elif not following:
                self._settle(self.lets[name])
                chain.pop()
            elif following in chain:
                circle = [*chain[chain.index(following) :], following]
                shown_circle = " -> ".join(circle if len(circle) < 9 else [*circle[:4], "...", *circle[-3:]])
                message = f"`{name}` is defined by itself: {shown_circle}"
                self.findings.append(finding("N003", message, self.lets[name].span))
                self.lets[name] = Let(name, Num(1.0, (("?", 1.0),)), self.lets[name].span)
                self.let_dims[name] = (("?", 1.0),)
                chain.pop()
            else:
                chain.append(following)

    def _settle(self, let: Let) -> None:
        dim = self._checked(let.expr)
        self.let_terms[let.name] = self._terms(let.expr)
        value = self._value(let.expr) if dim is not None else None
        if value is not None:
            self.let_values[let.name] = value
        self.let_dims[let.name] = (("?", 1.0),) if dim is None else dim

    def _terms(self, expr: Expr) -> int:
        """How many terms an expression has with its `let`s written out."""
        return sum(self.let_terms.get(item.name, 1) if isinstance(item, Ref) else 1 for item in walk(expr))

    def _known(self) -> Mapping[str, Dim]:
        """Every name that an expression may use, with its dimension."""
        if self._base:
            return ChainMap(self.let_dims, self._base)
        out = {name: self._money(dim) for name, dim in self.vocabulary.quantities.items()}
        for source in self.sources:
            out[f"tokens.{source}"] = TOKEN
            out[f"share.{source}"] = NONE
            out[f"epochs.{source}"] = NONE
        plain = [(name, dim) for name, dim in out.items() if "." not in name]
        for stage in self.stage_names:
            out.update({f"{stage}.{name}": dim for name, dim in plain})
        self._base = out
        return ChainMap(self.let_dims, out)

    def _checked(self, expr: Expr) -> Dim | None:
        """The dimension of an expression; None, with findings, where it has none."""
        known = self._known()
        if self._terms(expr) > MAX_TERMS:
            assert expr.span is not None
            message = f"with its `let`s written out this has more than {MAX_TERMS:,} terms"
            self.findings.append(finding("S004", message, expr.span))
            return None
        unfit = self._not_finite(expr)
        if unfit is not None:
            message = f"`{shown(unfit)}` is not a finite number"
            assert unfit.span is not None
            self.findings.append(finding("U004", message, unfit.span))
            return None
        unknown = [item for item in walk(expr) if isinstance(item, Ref) and item.name not in known]
        for item in unknown:
            if not self._excused(item.name):
                self._unknown_quantity(item, known)
        if unknown or any(isinstance(item, Num) and ("?", 1.0) in item.dim for item in walk(expr)):
            return None
        if any(self.let_dims.get(name) == (("?", 1.0),) for name in names(expr)):
            return None
        try:
            return Dimensions(known, values=self.let_values).of(expr)
        except DimensionClash as clash:
            self.findings.append(self._clash(clash, expr))
            return None

    def _not_finite(self, expr: Expr) -> Expr | None:
        """The innermost part of numbers and settled lets that has no finite value."""
        for item in reversed(list(walk(expr))):
            if not isinstance(item, Op) or item.op in ("P", "assumed") or not names(item) <= self.let_dims.keys():
                continue
            value = self._value(item)
            if value is not None and not math.isfinite(value):
                return item
        return None

    def _unknown_quantity(self, item: Ref, known: Mapping[str, Dim]) -> None:
        span = item.span
        assert span is not None
        close = _ALSO_KNOWN.get(item.name.lower())
        choices = [close] if close in known else nearest(item.name, list(known))[:1]
        help = [f"did you mean `{name}`?" for name in choices if name]
        if item.name.lower() in ("nan", "inf", "infinity"):
            self.findings.append(finding("U004", f"`{item.name}` is not a number that can be used", span))
            return
        if "-" in item.name:
            help.append("to subtract, put blanks round the `-`")
        if not help:
            help = ["name a quantity, such as " + ", ".join(f"`{q}`" for q in ("params", "tokens", "cost", "loss"))]
        self.findings.append(finding("N002", f"unknown name `{item.name}`", span, help=help))

    def _clash(self, clash: DimensionClash, whole: Expr) -> Finding:
        span = clash.at.span or whole.span
        assert span is not None
        help = []
        if clash.left is not None and clash.right is not None:
            said = mismatch(clash.left, clash.right)
            money = [n for n, _ in (*clash.left, *clash.right) if n in currencies()]
            if len(set(money)) == 2:
                a, b = sorted(set(money), key=lambda c: c == self.currency)
                help.append(f"declare the rate: `rate {a} = ... {b} on YYYY-MM-DD`")
            elif said:
                help.append(said)
        return finding("U001", clash.message, span, help=help)

    def _value(self, expr: Expr) -> float | None:
        """The value of an expression of numbers and lets; None where it depends on what is solved."""
        try:
            return float(compiled(expr)(self.let_values))
        except (KeyError, TypeError):
            return None
        except (ArithmeticError, ValueError):
            return math.nan

    # ---- figures

    def given(self, expr: Expr, field: Field, span: Span) -> Given | None:
        """A figure of a field: of its dimension, in its domain; None with a finding where it is not."""
        dim = self._checked(expr)
        if dim is None:
            return None
        wanted = self._money(field.dim)
        value = self._value(expr)
        if value is None:
            message = f"`{shown(expr)}` depends on what is solved; `{field.name}` is a figure"
            help = ["state the bound with `require` instead"]
            self.findings.append(finding("N002", message, span, help=help))
            return None
        if dim != wanted:
            if field.per_gpu and dim == over(wanted, GPU):
                pass
            elif field.name == "hours_per_day" and dim in (NONE, over(TIME, TIME)):
                # `20` and `20 hours/day` both count hours of a day.
                value = value * 86400 if "/" in shown(expr) else value * 3600
            elif dim == NONE and all(name in _NATURAL for name, _ in field.dim) and field.dim:
                pass
            elif dim == NONE and wanted:
                help = [f"write it with its unit, such as `{field.example}`"]
                if field.name == "rate" and "%" in shown(expr):
                    help = [f"write `at {shown(expr)} MFU`"]
                message = f"`{shown(expr)}` has no unit; `{field.name}` is {said_dim(wanted)}"
                self.findings.append(finding("U003", message, span, help=help))
                return None
            else:
                message = f"`{shown(expr)}` is {said_dim(dim)}; `{field.name}` is {said_dim(wanted)}"
                said = mismatch(wanted, dim, "right")
                money = {n for n, _ in dim if n in currencies()}
                help = [f"write it like `{field.example}`"]
                if money and money != {self.currency} and any(n == self.currency for n, _ in wanted):
                    help = [f"declare the rate: `rate {money.pop()} = ... {self.currency} on YYYY-MM-DD`"]
                elif said:
                    help.append(said.replace("the right side", "it"))
                self.findings.append(finding("U001", message, span, help=help))
                return None
        low = value > field.least or (value == field.least and field.zero)
        whole = not field.whole or abs(value - round(value)) <= 1e-9 * abs(value)
        if not (math.isfinite(value) and low and value <= field.most and whole):
            self._out_of_domain(expr, value, field, span)
            return None
        return Given(Quantity(value, wanted), expr, span)

    def _out_of_domain(self, expr: Expr, value: float, field: Field, span: Span) -> None:
        least = show(field.least, self._money(field.dim))
        if not math.isfinite(value):
            message = f"`{shown(expr)}` is not a finite number"
        elif value > field.most:
            said = "100 %" if field.most == 1.0 else show(field.most, field.dim)
            message = f"`{field.name}` is `{shown(expr)}`, more than {said}"
        elif value > field.least:
            message = f"`{field.name}` is `{shown(expr)}`; it must be a whole number"
        elif field.least:
            message = f"`{field.name}` is `{shown(expr)}`, less than {least}"
        else:
            must = "must not be negative" if field.zero else "must be more than zero"
            message = f"`{field.name}` is `{shown(expr)}`; it {must}"
        self.findings.append(finding("U004", message, span, help=[f"write it like `{field.example}`"]))

    def amount(self, node: Node | Word | None, field: Field, up_to: bool = False) -> Amount | None:
        """A given, bounded or free figure."""
        assert isinstance(node, Node)
        rule = node.rule
        if rule == "hole":
            return Hole(node.span)
        if rule == "between":
            low, high = (self.given(self.expr(part), field, part.span) for part in node.children if part is not None)
            if low is None or high is None:
                return None
            if low.value.value > high.value.value:
                message = f"the range runs down: from {shown(low.expr)} to {shown(high.expr)}"
                self.findings.append(finding("U004", message, node.span, help=["write the smaller end first"]))
                return None
            return Within(low, high, node.span)
        inner = node.children[-1] if rule in ("at_least", "at_most") else node
        assert inner is not None
        found = self.given(self.expr(inner), field, inner.span)
        if found is None:
            return None
        if rule == "at_least":
            return Within(found, None, node.span)
        if rule == "at_most" or up_to:
            return Within(None, found, node.span)
        return found

    # ---- the plan

    def _plan(self, statements: list[Node], pack: Pack) -> Plan | None:
        first = self._once(statements)
        inner = [node for node in statements if node.rule == "stage"][:MAX_STAGES]
        if inner:
            stages = tuple(self._stage_block(node) for node in inner)
            outer = self._stage("", None, statements)
            if outer != Stage("", (), None, (), None, None, None, None, None):
                stages = (outer, *stages)
        else:
            stages = (self._stage("", None, statements),)
        title = self.file.source.path.rsplit("/", 1)[-1]
        if "plan" in first:
            title = unquoted(next(first["plan"].nodes()).word(0).text)
        laws: tuple[Name, ...] = ()
        if "use" in first:
            laws = tuple(Name(word.text, word.span) for word in next(first["use"].nodes()).words())
            for word in laws:
                self._must_be_known("law", word, self.vocabulary.laws)
        constraints = [n for n in statements if n.rule in ("require", "prefer")]
        counts = {"require": 0, "prefer": 0}
        lowered: list[Constraint] = []
        for node in constraints:
            made = self._constraint(node, f"{node.rule}[{counts[node.rule]}]")
            counts[node.rule] += 1
            if made:
                lowered.append(made)
        return Plan(
            title,
            self.file.source,
            laws,
            self.lets,
            self.currency,
            stages,
            self._model(first["model"]) if "model" in first else None,
            tuple(c for c in lowered if not c.soft),
            tuple(c for c in lowered if c.soft),
            tuple(goal for node in statements if node.rule in ("minimize", "maximize") if (goal := self._goal(node))),
            self._reserve(first["reserve"]) if "reserve" in first else None,
            self._optimizer(first["optimizer"]) if "optimizer" in first else None,
            pack,
        )

    def _once(self, statements: list[Node]) -> dict[str, Node]:
        first: dict[str, Node] = {}
        for node in statements:
            rule = "minimize" if node.rule == "maximize" else node.rule
            key = f"{rule.removesuffix('_named')} {_named(node).text}" if rule in _NAMED else rule
            if key not in first:
                first[key] = node
                first.setdefault(rule, node)
            elif rule in _ONCE or rule in ("data", *_NAMED):
                what = {"use": "laws", "minimize": "the goal"}.get(rule, key)
                help = {
                    "hardware": ["join pools that run side by side with `+`"],
                    "data": ["name the sources"],
                }.get(rule, [])
                also = [Label(first[key].span, "the first is here")]
                self.findings.append(finding("N005", f"`{what}` is given twice", node.span, also=also, help=help))
        if "data" in first:
            named = next((n for n in statements if n.rule == "data_named"), None)
            if named is not None:
                also = [Label(first["data"].span, "this has no name")]
                message = "sources of data are named, all or none"
                self.findings.append(finding("N005", message, named.span, also=also))
        if "phase" in first and "schedule" in first:
            also = [Label(first["phase"].span, "a phase by hand")]
            message = "the schedule is given by name and by phases"
            self.findings.append(finding("N005", message, first["schedule"].span, also=also))
        return first

    def _must_be_known(self, what: str, name: Name, known: Iterable[str]) -> None:
        known = set(known)
        folded = {k.lower() for k in known}
        if name.text.lower() not in folded and not self._excused(name.text):
            close = nearest(name.text, known)
            listed = f"`plan {what}` lists them" if len(folded) > 9 else f"there are {_listed(sorted(known))}"
            help = [f"did you mean `{close[0]}`?" if close else listed]
            self.findings.append(finding("N002", f"unknown {what} `{name.text[:60]}`", name.span, help=help))

    def _stage_block(self, node: Node) -> Stage:
        block = node.node("plan_block")
        assert block is not None
        allowed = (
            "hardware",
            "compute",
            "data",
            "data_named",
            "tokens",
            "objective",
            "schedule",
            "phase",
            "inference",
        )
        for item in block.nodes():
            if item.rule not in allowed:
                message = f"`{item.rule}` does not stand inside a stage"
                self.findings.append(finding("N001", message, item.span, help=["write it outside the stages"]))
        self._once(list(block.nodes()))
        return self._stage(_named(node).text, node.span, list(block.nodes()))

    def _stage(self, name: str, span: Span | None, statements: list[Node]) -> Stage:
        def one(rule: str) -> Node | None:
            return next((node for node in statements if node.rule == rule), None)

        hardware, compute, tokens, inference = (one(rule) for rule in ("hardware", "compute", "tokens", "inference"))
        objective = one("objective")
        return Stage(
            name,
            self._hardware(hardware) if hardware else (),
            self._top_amount(compute, COMPUTE) if compute else None,
            self._data([node for node in statements if node.rule in ("data", "data_named")]),
            self._top_amount(tokens, TOKENS) if tokens else None,
            self._objective(objective) if objective else None,
            self._schedule(statements),
            self._top_amount(inference, SERVED) if inference else None,
            span,
        )

    def _top_amount(self, node: Node, field: Field) -> Amount | None:
        return self.amount(node.children[-1], field)

    # ---- hardware

    def _hardware(self, node: Node) -> tuple[Pool, ...]:
        spec = next(node.nodes())
        return tuple(
            self._pool_text(item) if item.rule == "pool" else self._pool_block(item)
            for item in spec.nodes("pool", "hw_block")
        )

    def _pool_text(self, node: Node) -> Pool:
        up_to_count, count, _, device, precision, up_to_time, time, *options = node.children
        figures: dict[str, Amount | None] = {
            "gpus": self.amount(count, HARDWARE["gpus"], up_to_count is not None),
            "time": self.amount(time, HARDWARE["time"], up_to_time is not None),
        }
        dates: dict[str, Given] = {}
        seen: dict[str, Span] = {}
        for option in options:
            assert isinstance(option, Node)
            rule = {"achieved": "rate", "mfu": "mfu", "price": "price"}.get(option.rule, option.rule)
            slot = "mfu" if rule == "rate" else rule
            if slot in seen:
                also = [Label(seen[slot], "the first is here")]
                self.findings.append(finding("N005", f"`{rule}` is given twice", option.span, also=also))
                continue
            seen[slot] = option.span
            inner = option.children[-1]
            if rule in ("from_date", "until_date"):
                assert isinstance(inner, Word)
                moment = self.date(inner)
                dates[rule.removesuffix("_date")] = Given(Quantity(moment.value, DATE), moment, inner.span)
            else:
                figures[rule] = self.amount(inner, HARDWARE[rule])
        return self._pool(self._device(device), precision, figures, dates, node.span)

    def _pool_block(self, node: Node) -> Pool:
        figures: dict[str, Amount | None] = {}
        dates: dict[str, Given] = {}
        seen: dict[str, Span] = {}
        device: Name | None = None
        precision: Word | None = None
        unknown = False
        for item in node.nodes():
            key = item.word(0).text if item.rule == "hw_pair" else item.rule.removeprefix("hw_")
            if key in seen:
                also = [Label(seen[key], "the first is here")]
                self.findings.append(finding("N005", f"`{key}` is given twice", item.span, also=also))
                continue
            seen[key] = item.span
            if item.rule == "hw_device":
                device = self._device(item.children[-1])
            elif item.rule == "hw_precision":
                precision = item.word(0)
            elif item.rule in ("hw_from", "hw_until"):
                moment = self.date(item.word(0))
                dates[key] = Given(Quantity(moment.value, DATE), moment, item.span)
            elif key in HARDWARE:
                figures[key] = self.amount(item.children[1], HARDWARE[key])
            else:
                unknown = True
                self._unknown_field(item.word(0), "hardware", [*HARDWARE, "device", "precision", "from", "until"])
        return self._pool(device, precision, figures, dates, node.span, unknown)

    def _pool(
        self,
        device: Name | None,
        precision: Node | Word | None,
        figures: Mapping[str, Amount | None],
        dates: dict[str, Given],
        span: Span,
        unknown: bool = False,
    ) -> Pool:
        if "from" in dates and "until" in dates and dates["from"].value.value >= dates["until"].value.value:
            message = f"the hardware ends {shown(dates['until'].expr)}, before it begins"
            also = [Label(dates["from"].span, "it begins here")]
            self.findings.append(finding("U004", message, dates["until"].span, also=also))
        if device is None and not {"rate", "peak"} & figures.keys() and not self.broken and not unknown:
            help = ["add `device: H100`, or `rate` or `peak`"]
            self.findings.append(finding("C004", "the hardware names no device", span, help=help))
        name = Name(precision.text.lower(), precision.span) if isinstance(precision, Word) else None
        return Pool(device, name, {k: v for k, v in figures.items() if v is not None}, dates, span)

    def _device(self, node: Node | Word | None) -> Name:
        assert isinstance(node, Node)
        name = Name(unquoted(node.word(0).text), node.span)
        self._must_be_known("device", name, self.vocabulary.devices)
        return name

    def _unknown_field(self, word: Word, where: str, known: Iterable[str]) -> None:
        known = list(known)
        also_known = _ALSO_KNOWN.get(word.text.lower())
        close = [also_known] if also_known in known else nearest(word.text, known)[:1]
        help = [f"did you mean `{name}`?" for name in close]
        help = help or [f"the fields of `{where}` are " + ", ".join(f"`{name}`" for name in known)]
        self.findings.append(finding("N001", f"unknown field `{word.text[:60]}` in `{where}`", word.span, help=help))

    # ---- data

    def _data(self, nodes: list[Node]) -> tuple[DataSource, ...]:
        out = [source for node in nodes if (source := self._source(node))]
        weights = [source.weight.value.value for source in out if source.weight]
        all_read = len(weights) == len(nodes) and not self.file.broken
        if weights and (sum(weights) > 1 + 1e-9 or (all_read and sum(weights) < 1 - 1e-9)):
            more = "more" if sum(weights) > 1 else "less"
            message = f"the weights of the sources sum to {sum(weights) * 100:.4g} %, {more} than 100 %"
            span = next(source.weight.span for source in out if source.weight)
            also = [Label(s.weight.span) for s in out if s.weight and s.weight.span != span]
            self.findings.append(finding("U004", message, span, also=also))
        return tuple(out)

    def _source(self, node: Node) -> DataSource | None:
        name = _named(node).text if node.rule == "data_named" else ""
        spec = node.node("data_spec")
        assert spec is not None
        amount_node, *options = spec.children
        parts: dict[str, Node] = {}
        for option in options:
            assert isinstance(option, Node)
            if option.rule in parts:
                also = [Label(parts[option.rule].span, "the first is here")]
                what = option.rule.replace("_", " ")
                self.findings.append(finding("N005", f"`{what}` is given twice", option.span, also=also))
            parts[option.rule] = option

        def figure(rule: str, field: Field) -> Given | None:
            if rule not in parts:
                return None
            inner = parts[rule].children[-1]
            assert inner is not None
            return self.given(self.expr(inner), field, inner.span)

        def word(rule: str, allowed: tuple[str, ...] = ()) -> str | None:
            if rule not in parts:
                return None
            leaf = parts[rule].word(-1)
            if allowed and leaf.text not in allowed:
                close = nearest(leaf.text, allowed)
                help = [f"did you mean `{close[0]}`?"] if close else ["it is one of " + ", ".join(allowed)]
                what = rule.replace("_", " ").removesuffix(" stage")
                self.findings.append(finding("N002", f"unknown {what} `{leaf.text}`", leaf.span, help=help))
            return unquoted(leaf.text)

        density: Given | None = None
        field = DATA
        if "at_density" in parts:
            inner = parts["at_density"].children[-1]
            assert inner is not None
            expr = self.expr(inner)
            per = {over(_dim(u), TOKEN): _dim(u) for u in ("character", "byte")}
            dim = self._checked(expr)
            if dim is not None and dim not in per:
                help = ["write `at 4.2 characters/token` or `at 4.2 bytes/token`"]
                message = f"`{shown(expr)}` is {said_dim(dim)}; here are characters or bytes a token"
                self.findings.append(finding("U001", message, inner.span, help=help))
                return None
            if dim is None:
                return None
            density = self.given(expr, Field("density", dim, "4.2 characters/token"), inner.span)
            field = Field("data", per[dim], "300 GB" if per[dim] == _dim("byte") else "3e12 characters")
        amount = self._data_amount(amount_node, field, density)
        if amount is None:
            return None
        return DataSource(
            name,
            amount,
            density,
            figure("up_to", EPOCHS),
            figure("weight", WEIGHT),
            word("quality", ("high", "ordinary", "sft")),
            word("domain"),
            word("for_stage", ("finetune", "pretrain")),
            node.span,
        )

    def _data_amount(self, node: Node | Word | None, field: Field, density: Given | None) -> Amount | None:
        assert isinstance(node, Node)
        if node.rule not in ("hole", "between"):
            expr = self.expr(node)
            dim = self._checked(expr)
            if dim is None:
                return None
            if density is None and dim in (_dim("character"), _dim("byte")):
                unit_name = "characters" if dim == _dim("character") else "bytes"
                message = f"`{shown(expr)}` is in {unit_name}; how many {unit_name} a token has is not said"
                help = [f"add `at 4.2 {unit_name}/token` with the figure of your tokenizer"]
                self.findings.append(finding("C004", message, node.span, help=help))
                return None
            if dim == NONE:
                help = [f"write `{shown(expr)} tokens`"]
                message = f"`{shown(expr)}` has no unit; data are in tokens, characters or bytes"
                self.findings.append(finding("U003", message, node.span, help=help))
                return None
        return self.amount(node, field)

    # ---- the rest

    def _model(self, node: Node) -> Model | None:
        spec = next(node.nodes())
        block = spec.node("model_block")
        if block is None:
            size, active = spec.children
            params = self.amount(size, PARAMS)
            active_given = self.given(self.expr(active), ARCHITECTURE["active"], active.span) if active else None
            return Model(params, active_given, {}, node.span)
        figures: dict[str, Amount] = {}
        for pair in block.nodes():
            word = pair.word(0)
            if word.text == "tied":
                said = pair.children[1]
                built = self.expr(said) if said is not None else None
                value = built.name.lower() if isinstance(built, Ref) else ""
                if "tied" in figures:
                    self.findings.append(finding("N005", "`tied` is given twice", pair.span))
                elif value in ("true", "yes", "false", "no"):
                    number = Num(1.0 if value in ("true", "yes") else 0.0)
                    figures["tied"] = Given(Quantity(number.value, NONE), number, pair.span)
                else:
                    self.findings.append(finding("U003", "`tied` is true or false", pair.span))
            elif word.text in figures:
                self.findings.append(finding("N005", f"`{word.text}` is given twice", pair.span))
            elif word.text in ARCHITECTURE:
                found = self.amount(pair.children[1], ARCHITECTURE[word.text])
                if found:
                    figures[word.text] = found
            else:
                self._unknown_field(word, "model", [*ARCHITECTURE, "tied"])
        active_amount = figures.pop("active", None)
        return Model(
            figures.pop("params", None),
            active_amount if isinstance(active_amount, Given) else None,
            figures,
            node.span,
        )

    def _objective(self, node: Node) -> Objective | None:
        spec = next(node.nodes())
        words = [child if isinstance(child, Word) else None for child in spec.children]
        domain = words[-1].text if words[-1] else "text"
        known = {"clm": "CLM", "mlm": "MLM"}
        if spec.rule == "transfer":
            start, target = words[0], words[1]
            assert start is not None and target is not None
            ends = [known.get(w.text.lower(), w.text) for w in (start, target)]
            if ends[0] == ends[1]:
                self.findings.append(finding("C001", f"a transfer from {ends[0]} to itself", spec.span))
            return Objective("transfer", ends[0], ends[1], domain, spec.span)
        assert words[0] is not None
        kind = known.get(words[0].text.lower())
        if kind is None:
            help = ["it is CLM, MLM, or `transfer from CLM to MLM`"]
            self.findings.append(finding("N002", f"unknown objective `{words[0].text[:60]}`", words[0].span, help=help))
            return None
        return Objective(kind, None, None, domain, spec.span)

    def _schedule(self, statements: list[Node]) -> Schedule | None:
        named = next((node for node in statements if node.rule == "schedule"), None)
        phases = [self._phase(node) for node in statements if node.rule == "phase"]
        if named is not None:
            spec = next(named.nodes())
            name = spec.word(0)
            quality = spec.children[1]
            self._must_be_known("schedule", Name(name.text, name.span), self.vocabulary.schedules)
            if isinstance(quality, Word) and quality.text not in ("late", "early", "throughout"):
                help = ["it is late, early or throughout"]
                message = f"unknown placement of quality `{quality.text}`"
                self.findings.append(finding("N002", message, quality.span, help=help))
            placed = Name(quality.text, quality.span) if isinstance(quality, Word) else None
            return Schedule(Name(name.text, name.span), placed, (), named.span)
        made = tuple(phase for phase in phases if phase)
        if not made:
            return None
        shares = [phase.share for phase in made if phase.share.value.dim == NONE]
        total = sum(share.value.value for share in shares)
        all_read = len(made) == len(phases) and not self.file.broken
        if total > 1 + 1e-9 or (all_read and len(shares) == len(made) and total < 1 - 1e-9):
            more = "more" if total > 1 else "less"
            message = f"the phases share {total * 100:.4g} % of the tokens, {more} than 100 %"
            also = [Label(share.span) for share in shares[:-1]]
            self.findings.append(finding("U004", message, shares[-1].span, also=also))
        return Schedule(None, None, made, made[0].span)

    def _phase(self, node: Node) -> Phase | None:
        spec = node.node("phase_spec")
        assert spec is not None
        share_node, shape, mix = spec.children
        assert share_node is not None and isinstance(shape, Word)
        expr = self.expr(share_node)
        dim = self._checked(expr)
        share = self.given(expr, TOKENS if dim == TOKEN else SHARE, share_node.span) if dim is not None else None
        items: list[MixItem] = []
        seen: set[str] = set()
        for item in mix.nodes() if isinstance(mix, Node) else ():
            source, start_node, end_node = item.children
            assert isinstance(source, Word) and start_node is not None
            start = self.given(self.expr(start_node), SHARE_OR_NONE, start_node.span)
            end = self.given(self.expr(end_node), SHARE_OR_NONE, end_node.span) if end_node is not None else start
            name = Name(unquoted(source.text), source.span)
            if self.sources:
                self._must_be_known("source", name, self.sources)
            if name.text in seen:
                self.findings.append(finding("N005", f"`{name.text}` is given twice", item.span))
            seen.add(name.text)
            if start and end:
                items.append(MixItem(name, start, end))
        for which in ("start", "end"):
            total = sum((item.start if which == "start" else item.end).value.value for item in items)
            if isinstance(mix, Node) and len(items) == len(list(mix.nodes())) and abs(total - 1) > 1e-9:
                message = f"the mix of `{_named(node).text}` sums to {total * 100:.4g} % at its {which}, not 100 %"
                self.findings.append(finding("U004", message, mix.span))
                break
        if share is None:
            return None
        return Phase(_named(node).text, share, Name(shape.text, shape.span), tuple(items), node.span)

    def _optimizer(self, node: Node) -> Optimizer:
        spec = next(node.nodes())
        name = spec.word(0)
        settings: dict[str, Amount] = {}
        seen: set[str] = set()
        for pair in spec.children[1].nodes() if isinstance(spec.children[1], Node) else ():
            word = pair.word(0)
            if word.text in seen:
                self.findings.append(finding("N005", f"`{word.text}` is given twice", pair.span))
            seen.add(word.text)
            # Momenta and the like are plain numbers; the batch and the learning rate are quantities of the plan.
            key = _ALSO_KNOWN.get(word.text.lower(), word.text)
            known = SETTINGS.get(key, Field(word.text, NONE, "0.1", zero=True))
            found = self.amount(pair.children[1], known)
            if found:
                settings[key if key in SETTINGS else word.text] = found
        return Optimizer(Name(name.text, name.span), settings, node.span)

    def _reserve(self, node: Node) -> Reserve | None:
        spec = next(node.nodes())
        share_node, because = spec.children
        assert share_node is not None
        share = self.given(self.expr(share_node), RESERVE, share_node.span)
        if share is not None and share.value.value >= 1.0:
            self.findings.append(finding("U004", "the reserve is all of the hardware", share_node.span))
            return None
        text = unquoted(because.text) if isinstance(because, Word) else None
        return Reserve(share, text, node.span) if share else None

    def _goal(self, node: Node) -> Goal | None:
        inner = next(node.nodes())
        expr = self.expr(inner)
        if self._checked(expr) is None:
            return None
        if self._value(expr) is not None:
            message = f"`{shown(expr)}` is a fixed number: there is nothing to {node.rule}"
            self.findings.append(finding("C001", message, inner.span))
            return None
        return Goal(node.rule, expr, inner.span)

    # ---- constraints

    def _constraint(self, node: Node, key: str) -> Constraint | None:
        spec = next(node.nodes())
        logic, because = spec.children
        assert logic is not None
        expr = self._implied(self.expr(logic))
        if expr is None:
            if not (self.findings or self.file.broken):
                raise AssertionError("a constraint was dropped without a finding")
            return None
        if not isinstance(expr, Op) or expr.op not in (*COMPARISONS, "and", "or", "not"):
            help = ["write a comparison, such as `cost <= 30M USD`"]
            self.findings.append(finding("S001", f"`{shown(expr)}` compares nothing", logic.span, help=help))
            return None
        text = unquoted(because.text) if isinstance(because, Word) else None
        return Constraint(expr, text, node.rule == "prefer", key, logic.span)

    def _implied(self, expr: Expr) -> Expr | None:
        """The condition with bare numbers in the dimension of the other side; None, with findings, if it is wrong."""
        if isinstance(expr, Op) and expr.op in ("and", "or", "not", "P"):
            args = [self._implied(arg) for arg in expr.args]
            if any(arg is None for arg in args):
                return None
            return Op(expr.op, tuple(arg for arg in args if arg is not None), expr.span)
        if not (isinstance(expr, Op) and expr.op in COMPARISONS):
            expr = self._implied_inside(expr)
            return None if self._checked(expr) is None else expr
        left, right = (self._implied_inside(side) for side in expr.args)
        dims = []
        for side in (left, right):
            if isinstance(side, Op) and side.op == "P":
                inner = self._implied(side.args[0])
                if inner is None:
                    return None
                left = Op("P", (inner,), side.span) if side is left else left
                right = Op("P", (inner,), side.span) if side is right else right
                dims.append(NONE)
                continue
            dim = self._checked(side)
            if dim is None:
                return None
            dims.append(dim)
        if dims[0] == dims[1]:
            return Op(expr.op, (left, right), expr.span)
        for i in (0, 1):
            side, dim = (left, right)[i], dims[1 - i]
            if dims[i] == NONE and self._value(side) is not None:
                if all(name in _NATURAL or name == self.currency for name, _ in dim):
                    meant = (
                        Num(side.value, dim, side.text, side.binary, side.span)
                        if isinstance(side, Num)
                        else Op("*", (side, Num(1.0, dim)), side.span)
                    )
                    return Op(expr.op, (meant, right) if i == 0 else (left, meant), expr.span)
                example = next((f.example for f in HARDWARE.values() if self._money(f.dim) == dim), None)
                help = [f"write it with its unit, such as `{example or show(1.0, dim)}`"]
                message = f"`{shown(side)}` has no unit; `{shown((left, right)[1 - i])}` is {said_dim(dim)}"
                assert side.span is not None
                self.findings.append(finding("U003", message, side.span, help=help))
                return None
        clash = DimensionClash(
            f"`{shown(left)}` is {said_dim(dims[0])}, `{shown(right)}` is {said_dim(dims[1])}",
            expr,
            dims[0],
            dims[1],
        )
        self.findings.append(self._clash(clash, expr))
        return None

    def _implied_inside(self, expr: Expr) -> Expr:
        """The expression with what its `if`s test in one dimension; what is wrong in a test stays as it is."""
        if not isinstance(expr, Op):
            return expr
        args = [self._implied_inside(arg) for arg in expr.args]
        if expr.op == "if":
            before = len(self.findings)
            args[0] = self._implied(args[0]) or args[0]
            del self.findings[before:]  # the whole is checked again, and says it then
        return Op(expr.op, tuple(args), expr.span)

    # ---- binary prefixes

    def _binary_prefixes(self) -> None:
        for node in self.file.statements:
            for leaf in _leaves(node):
                if leaf.type == "NUMBER" and leaf.text.endswith("i"):
                    rest = leaf.span.source.text[leaf.span.end : leaf.span.end + 6].strip()
                    if rest.startswith("B"):
                        continue
                    plain = leaf.text[:-1].replace("G", "B")  # a decimal giga is a billion here
                    message = f"`{leaf.text}` is binary: {show(self.number(leaf), NONE, 6)}, not {plain}"
                    help = [f"counts are decimal: write `{plain}` if that is what is meant"]
                    self.findings.append(finding("D009", message, leaf.span, severity="warning", help=help))


SHARE_OR_NONE = Field("share", NONE, "60%", most=1.0, zero=True)


def _with_own(vocabulary: Vocabulary, pack: Pack) -> Vocabulary:
    """The vocabulary with what the file itself defines."""
    devices = {n for r in pack.records if r.kind == "device" for n in (r.name, *r.aliases)}
    laws = {n for law in pack.laws for n in (law.name, *law.aliases)}
    return replace(
        vocabulary,
        devices=vocabulary.devices | devices,
        laws=vocabulary.laws | laws,
        schedules=vocabulary.schedules | {s.name for s in pack.schedules},
    )


def _named(node: Node) -> Name:
    """The name that a statement gives to what it declares."""
    word = node.word(0)
    return Name(unquoted(word.text), word.span)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _with_stages(statements: Iterable[Node]) -> Iterable[Node]:
    for node in statements:
        yield node
        block = node.node("plan_block") if node.rule == "stage" else None
        if block:
            yield from block.nodes()


def _leaves(node: Node) -> Iterable[Word]:
    stack: list[Node | Word | None] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Word):
            yield item
        elif item is not None:
            stack.extend(reversed(item.children))
