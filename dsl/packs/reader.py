"""Syntax nodes to packs: laws, rules, schedules, quantities and records of figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from runplan.dsl.expr.tree import Num, Text
from runplan.dsl.packs.law_reader import LawReader
from runplan.dsl.packs.pack import BatchStep, Entry, Pack, PhaseShape, QuantityDef, Record, Rule, ScheduleShape
from runplan.dsl.packs.quantity_reader import QuantityReader
from runplan.dsl.syntax.tree import Node, Word, name_of, unquoted
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import CLOSED, OF_A_PRECISION, RECORDS, SHARE, TEXTS, Field

SEVERITIES: tuple[Severity | Literal["note"], ...] = ("error", "warning", "info", "note")


class PackReader(LawReader, QuantityReader):
    """Reads definitions of all kinds."""

    def pack(self, statements: Iterable[Node], broken: Sequence[Span] = ()) -> Pack:
        """The definitions among the statements.

        Args:
            broken: Blocks of which a part could not be read: what they lack for that is no mistake of its own.
        """
        out = Pack()
        for node in statements:
            inner = next(node.nodes()) if node.rule == "override" else node
            read = self._defined(inner)
            if inner is not node:
                read = Pack(
                    tuple(replace(law, override=True) for law in read.laws),
                    tuple(replace(record, override=True) for record in read.records),
                    tuple(replace(rule, override=True) for rule in read.rules),
                    tuple(replace(schedule, override=True) for schedule in read.schedules),
                )
            out = out.plus(read)
        self.given_once(((r.code, r.severity), f"{r.code} {r.severity}", r.span) for r in out.rules)
        self.findings = [f for f in self.findings if not f.at.span.begins_in(broken)]
        return out

    def _defined(self, node: Node) -> Pack:
        if node.rule == "law":
            return Pack(laws=(self.law(node),))
        if node.rule == "record":
            return Pack(records=(self.record(node),))
        if node.rule == "rule":
            rule = self.rule(node)
            return Pack(rules=(rule,) if rule else ())
        if node.rule == "schedule_def":
            return Pack(schedules=(self.schedule(node),))
        return Pack(quantities=(self.quantity_def(node),)) if node.rule == "quantity_def" else Pack()

    # ---- records

    def record(self, node: Node) -> Record:
        """One `record` block: a device, a price or the like, line by line."""
        kind, name, aliases, title = node.children[:4]
        assert isinstance(kind, Word) and isinstance(name, Word)
        block = node.node("record_block")
        assert block is not None
        entries = tuple(self._entry(item, kind.text) for item in block.nodes("entry"))
        # A table has a row a size; all else is said once.
        self.given_once(
            ((e.key, e.qualifier, e.values[:1] if e.key == "size" else ()), f"{e.key} {e.qualifier}".rstrip(), e.span)
            for e in entries
            if e.key not in TEXTS
        )
        known = RECORDS.get(kind.text, {})
        if kind.text in CLOSED and all(e.key in TEXTS for e in entries):
            message = f"{kind.text} `{name.text}` has no {' or '.join(f'`{key}`' for key in known)}"
            self.findings.append(finding("P001", message, name.span))
        return Record(
            kind.text,
            name.text,
            self.words(aliases),
            unquoted(title.text) if isinstance(title, Word) else "",
            entries,
            name.span,
        )

    def _entry(self, node: Node, kind: str) -> Entry:
        key, qualifier, *rest = node.children
        assert isinstance(key, Word)
        evidence, source = rest.pop(), rest.pop()
        values = tuple(self.expr(item) for item in rest if isinstance(item, Node))
        entry = Entry(
            key.text,
            qualifier.text if isinstance(qualifier, Word) else "",
            tuple(value for value in values if isinstance(value, Num | Text)),
            unquoted(source.text) if isinstance(source, Word) else "",
            self.evidence(evidence),
            node.span,
        )
        known = RECORDS.get(kind, {})
        if key.text in known:
            self._figures(entry, known[key.text])
        elif kind in CLOSED and key.text not in TEXTS:
            self.unknown_field(key, kind, [*known, *TEXTS])
        return entry

    def _figures(self, entry: Entry, fields: Sequence[Field]) -> None:
        """Hold the figures of an entry to what the engine reads them as."""
        if entry.key in OF_A_PRECISION and not entry.qualifier:
            help = [f"write `{entry.key} bf16 ...`"]
            message = f"`{entry.key}` does not say of which precision it is"
            self.findings.append(finding("P001", message, entry.span, help=help))
        if len(entry.values) != len(fields) or not all(isinstance(value, Num) for value in entry.values):
            help = [f"write it like `{' '.join((entry.key, *(field.example for field in fields)))}`"]
            message = f"`{entry.key}` is followed by {'one figure' if len(fields) == 1 else f'{len(fields)} figures'}"
            self.findings.append(finding("P001", message, entry.span, help=help))
            return
        for value, field in zip(entry.values, fields, strict=True):
            self.figure(value, field, entry.span)

    # ---- rules

    def rule(self, node: Node) -> Rule | None:
        """One `rule` block; None, with a finding, where it lacks what it needs to be tried."""
        code, name, severity = node.word(0), node.word(1), node.word(2)
        block = node.node("rule_block")
        assert block is not None
        if severity.text not in SEVERITIES:
            self._unknown("severity", severity, SEVERITIES)
            return None
        self.given_once(
            (item.rule, item.rule.removeprefix("rule_"), item.span)
            for item in block.nodes()
            if item.rule.startswith("rule_")
        )
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
            {
                item.rule.removeprefix("rule_"): item.word(0).span
                for item in block.nodes("rule_says", "rule_help", "rule_blames")
            },
        )

    # ---- schedules, quantities

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
            figure = self.figure(self.expr(share), SHARE, share.span)
            phases.append(PhaseShape(name_of(item).text, math.nan if figure is None else figure, shape.text, item.span))
        self.given_once((phase.name, f"phase {phase.name}", phase.span) for phase in phases)
        total = sum(phase.share for phase in phases)  # of figures that are none, nothing is said again
        if abs(total - 1.0) > 1e-9:
            message = f"the phases of `{name.text}` share {total * 100:.4g} % of the tokens, not 100 %"
            self.findings.append(finding("P001", message, name.span))
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
            parts = [part for part in (share, until) if part is not None]
            figures = [f for part in parts if (f := self.figure(self.expr(part), SHARE, part.span)) is not None]
            if len(figures) < len(parts):
                return ()
            steps.append(BatchStep(figures[0], figures[1] if until is not None else 1.0))
        ends = [0.0, *(step.until for step in steps)]
        if node is not None and not (all(a < b for a, b in pairwise(ends)) and ends[-1] == 1.0):
            help = ["write it like `batch 25% until 1%, 50% until 20%, 100%`"]
            message = "a batch ramp goes from one share of the tokens to a later one, and its last step to the end"
            self.findings.append(finding("P001", message, node.span, help=help))
            return ()
        return tuple(steps)

    def quantity_def(self, node: Node) -> QuantityDef:
        """A quantity that a pack adds to those that a plan may name."""
        name, unit_node, formula, title, block = node.children
        assert isinstance(name, Word)
        text = unquoted(name.text)
        counted = self.counted(unit_node, text, name.span)
        return QuantityDef(
            text,
            counted,
            self.expr(formula) if formula is not None else None,
            unquoted(title.text) if isinstance(title, Word) else "",
            node.span,
            self.facts(block, text, counted),
        )
