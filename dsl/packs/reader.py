"""Syntax nodes to packs: laws, rules, schedules, quantities and records of figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.tree import words
from runplan.dsl.packs.laws import law
from runplan.dsl.packs.pack import Pack
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.packs.quantity_reader import QuantityReader
from runplan.dsl.packs.records import record
from runplan.dsl.packs.rules import rule
from runplan.dsl.packs.schedules import schedule
from runplan.dsl.syntax.pack_views import QuantitySpec
from runplan.dsl.syntax.tree import Node, text_of
from runplan.dsl.text.source import Span


class PackReader(QuantityReader):
    """Reads definitions of all kinds."""

    def pack(self, statements: Iterable[Node], broken: Sequence[Span] = ()) -> Pack:
        """The definitions among the statements.

        Args:
            broken: Blocks of which a part could not be read: what they lack for that is no mistake of its own.
        """
        out = Pack()
        for node in statements:
            if node.rule == "override":
                out = out.plus(_overriding(self._defined(next(node.nodes()))))
            else:
                out = out.plus(self._defined(node))
        self.given_once(((r.code, r.severity), f"{r.code} {r.severity}", r.span) for r in out.rules)
        self.findings = [f for f in self.findings if not f.at.span.begins_in(broken)]
        return out

    def _defined(self, node: Node) -> Pack:
        """One definition; nothing where the statement is none."""
        match node.rule:
            case "law":
                return Pack(laws=(law(self, node),))
            case "record":
                return Pack(records=(record(self, node),))
            case "rule":
                found = rule(self, node)
                return Pack(rules=(found,) if found else ())
            case "schedule_def":
                return Pack(schedules=(schedule(self, node),))
            case "quantity_def":
                return Pack(quantities=(self.quantity_def(node),))
        return Pack()

    def quantity_def(self, node: Node) -> QuantityDef:
        """A quantity that a pack adds to those that a plan may name."""
        spec = QuantitySpec(node)
        name = text_of(spec.name)
        counted = self.counted(spec.unit, name, spec.name.span)
        by = (self.expr(spec.formula),) if spec.formula else ()
        return QuantityDef(
            name=name,
            counted=counted,
            by=by,
            title=text_of(spec.title),
            span=node.span,
            facts=self.facts(spec.block, name, counted),
            mentions=frozenset[str]().union(*map(words, by)),
        )


def _overriding(pack: Pack) -> Pack:
    """A pack of which all takes the place of what has its name."""
    return Pack(
        laws=tuple(replace(law, override=True) for law in pack.laws),
        records=tuple(replace(record, override=True) for record in pack.records),
        rules=tuple(replace(rule, override=True) for rule in pack.rules),
        schedules=tuple(replace(schedule, override=True) for schedule in pack.schedules),
    )
