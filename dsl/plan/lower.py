"""A syntax tree to the plan: every figure typed, every name bound, every constraint checked for dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runplan.dsl.expr.name import let
from runplan.dsl.packs.pack import Entry, Pack, figures_of
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.packs.rule_check import checked
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.constraints import Constraints
from runplan.dsl.plan.ir import Amount, Lowered, Plan, Requirement, Stage
from runplan.dsl.plan.statements import Statements
from runplan.dsl.syntax.tree import DEFINITIONS, File, Mention, Node, leaves, name_of, unquoted
from runplan.dsl.text.finding import Label, finding, in_order
from runplan.dsl.text.limits import MAX_STAGES
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import COMPUTE, SERVED, TOKENS, Field
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show

_ONCE = (
    "plan use calendar hardware compute tokens model objective inference reserve schedule optimizer minimize maximize"
).split()
_NAMED = ("data_named", "phase", "stage")


def lower(file: File, vocabulary: Vocabulary) -> Lowered:
    """The plan of a resolved file, and all that is wrong with it before it stops.

    The plan is None where anything is an error, or where the file only defines things.
    """
    return _Lowering(file, vocabulary).lowered()


class _Lowering(Statements, Constraints):
    def lowered(self) -> Lowered:
        statements = self.file.statements
        if not statements:
            help = ["the smallest plan is one line: `hardware: 1000 x H100 for 6 months`"]
            empty = finding("S006", "the plan is empty", Span(self.file.source, 0, 0), help=help)
            return Lowered(None, Pack(), (empty,))
        self._collect_names(statements)
        self._money_and_months(statements)
        reader = PackReader({name: self._money(dim) for name, dim in self.vocabulary.quantities.items()})
        pack = reader.pack((node for node in statements if node.rule in DEFINITIONS), self.file.broken)
        figures = figures_of(pack.records)
        self.vocabulary = _with_own(self.vocabulary, pack, figures)
        self._collect_lets(statements, figures)
        for rule in pack.rules:
            if not rule.span.begins_in(self.file.broken):
                self.findings.extend(checked(rule, self._known()))
        own = [node for node in statements if node.rule not in DEFINITIONS]
        plan = self._plan(own, pack) if any(n.rule not in ("let", "rate", "calendar") for n in own) else None
        self._binary_prefixes()
        findings = in_order([*self.findings, *reader.findings])
        wrong = any(f.severity == "error" for f in findings)
        return Lowered(None if wrong else plan, pack, findings)

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
        laws: tuple[Mention, ...] = ()
        if "use" in first:
            laws = tuple(Mention(word.text, word.span) for word in next(first["use"].nodes()).words())
            for word in laws:
                self._must_be_known("law", word, self.vocabulary.laws)
        constraints = [n for n in statements if n.rule in ("require", "prefer")]
        counts = {"require": 0, "prefer": 0}
        lowered: list[Requirement] = []
        for node in constraints:
            made = self._constraint(node, f"{node.rule}[{counts[node.rule]}]")
            counts[node.rule] += 1
            if made:
                lowered.append(made)
        model = self._model(first["model"]) if "model" in first else None
        context = model.architecture.get("context") if model else None
        return Plan(
            title,
            self.file.source,
            laws,
            {let(name): replace(one, expr=self.bound(one.expr)) for name, one in self.lets.items()},
            self.currency,
            stages,
            model,
            tuple(c for c in lowered if not c.soft),
            tuple(c for c in lowered if c.soft),
            tuple(goal for node in statements if node.rule in ("minimize", "maximize") if (goal := self._goal(node))),
            self._reserve(first["reserve"]) if "reserve" in first else None,
            self._optimizer(first["optimizer"], context) if "optimizer" in first else None,
            pack,
            self.rates,
            self.words,
        )

    def _once(self, statements: list[Node]) -> dict[str, Node]:
        first: dict[str, Node] = {}
        for node in statements:
            rule = "minimize" if node.rule == "maximize" else node.rule
            key = f"{rule.removesuffix('_named')} {name_of(node).text}" if rule in _NAMED else rule
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
        return self._stage(name_of(node).text, node.span, list(block.nodes()))

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

    # ---- binary prefixes

    def _binary_prefixes(self) -> None:
        for node in self.file.statements:
            for leaf in leaves(node):
                if leaf.type == "NUMBER" and leaf.text.endswith("i"):
                    rest = leaf.span.source.text[leaf.span.end : leaf.span.end + 6].strip()
                    if rest.startswith("B"):
                        continue
                    plain = leaf.text[:-1].replace("G", "B")  # a decimal giga is a billion here
                    message = f"`{leaf.text}` is binary: {show(self.number(leaf), NONE, 6)}, not {plain}"
                    help = [f"counts are decimal: write `{plain}` if that is what is meant"]
                    self.findings.append(finding("D009", message, leaf.span, help=help))


def _with_own(vocabulary: Vocabulary, pack: Pack, figures: Mapping[str, Entry]) -> Vocabulary:
    """The vocabulary with what the file itself defines."""
    devices = {n for r in pack.records if r.kind == "device" for n in (r.name, *r.aliases)}
    laws = {n for law in pack.laws for n in (law.name, *law.aliases)}
    return replace(
        vocabulary,
        devices=vocabulary.devices | devices,
        laws=vocabulary.laws | laws,
        schedules=vocabulary.schedules | {s.name for s in pack.schedules},
        figures={**vocabulary.figures, **figures},
    )
