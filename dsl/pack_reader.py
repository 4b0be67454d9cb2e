"""Syntax nodes to packs: laws, rules, schedules, quantities and records of figures."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from runplan.dsl.build import unquoted
from runplan.dsl.expression import Num, Text
from runplan.dsl.finding import Severity, finding
from runplan.dsl.law_reader import LawReader
from runplan.dsl.pack import BatchStep, Entry, Pack, PhaseShape, QuantityDef, Record, Rule, ScheduleShape
from runplan.dsl.syntax import Node, Word

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


class PackReader(LawReader):
    """Reads definitions of all kinds."""

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
            self._batch_ramp(block.node("schedule_batch")),
            tuple(self.cite(item) for item in block.nodes("law_cites")),
            name.span,
        )

    def _batch_ramp(self, node: Node | None) -> tuple[BatchStep, ...]:
        """A `batch` line: shares of the run's batch, each up to a share of the tokens, the last to the end."""
        steps = []
        for item in node.nodes() if node else ():
            share, until = item.children
            assert share is not None
            end = self._figure(self.expr(until), item.span) if until is not None else 1.0
            steps.append(BatchStep(self._figure(self.expr(share), item.span), end))
        ends = [0.0, *(step.until for step in steps)]
        rising = all(a < b for a, b in pairwise(ends)) and ends[-1] == 1.0
        if node is not None and not (rising and all(0.0 < step.share <= 1.0 for step in steps)):
            help = ["write it like `batch 25% until 1%, 50% until 20%, 100%`"]
            message = (
                "a batch ramp has shares of the batch, each until a later share of the tokens, the last to the end"
            )
            self.findings.append(finding("P001", message, node.span, help=help))
            return ()
        return tuple(steps)

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
