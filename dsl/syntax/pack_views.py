"""A definition to its parts by name: the one place that knows at which position a rule has which."""

from __future__ import annotations

from typing import NamedTuple, Self

from runplan.dsl.syntax.tree import Node, Word, as_node, as_word, node_or_none, word_or_none


class LawHead(NamedTuple):
    """`law NAME [aliases ...] [extends NAME] ["TITLE"] {...}`."""

    name: Word
    aliases: Node | None
    parent: Word | None
    title: Word | None
    block: Node

    @classmethod
    def of(cls, law: Node) -> Self:
        """The parts of a `law`."""
        name, aliases, parent, title, block = law.children
        return cls(as_word(name), node_or_none(aliases), word_or_none(parent), word_or_none(title), as_node(block))


class ConstantSpec(NamedTuple):
    """`NAME = NUMBER [UNIT] [+- ERROR]`; a free constant has no number."""

    name: Word
    number: Node | None
    unit: Word | None
    error: Word | None

    @classmethod
    def of(cls, constant: Node) -> Self:
        """The parts of a `constant` or a `free_constant`."""
        if constant.rule == "free_constant":
            return cls(constant.word(0), None, None, None)
        name, number, unit, error = constant.children
        return cls(as_word(name), as_node(number), word_or_none(unit), word_or_none(error))


class ParameterSpec(NamedTuple):
    """`QUANTITY LOCAL [in UNIT] [else NUMBER]` of a law's function."""

    quantity: Word
    local: Word
    unit: Node | None
    default: Word | None

    @classmethod
    def of(cls, parameter: Node) -> Self:
        """The parts of a `parameter`."""
        quantity, local, unit, default = parameter.children
        return cls(as_word(quantity), as_word(local), node_or_none(unit), word_or_none(default))


class FunctionSpec(NamedTuple):
    """`NAME(PARAMETERS) [in UNIT] [for OBJECTIVE] = BODY` of a law; a table has rows for a body."""

    name: Word
    parameters: tuple[Node, ...]
    unit: Node | None
    objective: Node | None
    body: Node

    @classmethod
    def of(cls, function: Node) -> Self:
        """The parts of a `law_function`."""
        name, *_, unit, objective, body = function.children
        return cls(
            as_word(name),
            tuple(function.nodes("parameter")),
            node_or_none(unit),
            node_or_none(objective),
            as_node(body),
        )


class TableSpec(NamedTuple):
    """`table NAME(PARAMETER) [in UNIT] {ROWS}` of a law."""

    name: Word
    parameter: Node
    unit: Node | None
    rows: tuple[Node, ...]

    @classmethod
    def of(cls, table: Node) -> Self:
        """The parts of a `law_table`."""
        name, parameter, unit, *rows = table.children
        return cls(as_word(name), as_node(parameter), node_or_none(unit), tuple(map(as_node, rows)))


class GoldenSpec(NamedTuple):
    """`golden ID [for OBJECTIVE] [at ...] gives ... [within NUMBER]` of a law."""

    id: Word
    objective: Node | None
    at: Node | None
    gives: Node
    within: Word | None

    @classmethod
    def of(cls, golden: Node) -> Self:
        """The parts of a `law_golden`."""
        id, objective, at, gives, within = golden.children
        return cls(as_word(id), node_or_none(objective), node_or_none(at), as_node(gives), word_or_none(within))


class RangeSpec(NamedTuple):
    """`QUANTITY in LOW .. HIGH` of what a law is fitted to."""

    quantity: Word
    low: Node
    high: Node

    @classmethod
    def of(cls, fitted: Node) -> Self:
        """The parts of a `fitted_range`."""
        quantity, low, high = fitted.children
        return cls(as_word(quantity), as_node(low), as_node(high))


class CiteSpec(NamedTuple):
    """`cites "WORK" [evidence NAME]`."""

    work: Word
    evidence: Word | None

    @classmethod
    def of(cls, cites: Node) -> Self:
        """The parts of a `law_cites`."""
        work, evidence = cites.children
        return cls(as_word(work), word_or_none(evidence))


class RuleHead(NamedTuple):
    """`rule CODE NAME SEVERITY {...}`."""

    code: Word
    name: Word
    severity: Word
    block: Node

    @classmethod
    def of(cls, rule: Node) -> Self:
        """The parts of a `rule`."""
        code, name, severity, block = rule.children
        return cls(as_word(code), as_word(name), as_word(severity), as_node(block))


class RecordHead(NamedTuple):
    """`KIND NAME [aliases ...] ["TITLE"] {...}`."""

    kind: Word
    name: Word
    aliases: Node | None
    title: Word | None
    block: Node

    @classmethod
    def of(cls, record: Node) -> Self:
        """The parts of a `record`."""
        kind, name, aliases, title, block = record.children
        return cls(as_word(kind), as_word(name), node_or_none(aliases), word_or_none(title), as_node(block))


class EntrySpec(NamedTuple):
    """`KEY [QUALIFIER] VALUE+ [from "..."] [evidence NAME]` of a record."""

    key: Word
    qualifier: Word | None
    values: tuple[Node, ...]
    source: Word | None
    evidence: Word | None

    @classmethod
    def of(cls, entry: Node) -> Self:
        """The parts of an `entry`."""
        key, qualifier, *values, source, evidence = entry.children
        return cls(
            as_word(key),
            word_or_none(qualifier),
            tuple(map(as_node, values)),
            word_or_none(source),
            word_or_none(evidence),
        )


class ScheduleHead(NamedTuple):
    """`schedule NAME ["TITLE"] {...}`."""

    name: Word
    title: Word | None
    block: Node

    @classmethod
    def of(cls, schedule: Node) -> Self:
        """The parts of a `schedule_def`."""
        name, title, block = schedule.children
        return cls(as_word(name), word_or_none(title), as_node(block))


class RampStep(NamedTuple):
    """`SHARE [until SHARE]` of a schedule's batch."""

    share: Node
    until: Node | None

    @classmethod
    def of(cls, step: Node) -> Self:
        """The parts of a `ramp_step`."""
        share, until = step.children
        return cls(as_node(share), node_or_none(until))


class QuantitySpec(NamedTuple):
    """`quantity NAME in UNIT [= FORMULA] ["TITLE"]`."""

    name: Word
    unit: Node
    formula: Node | None
    title: Word | None

    @classmethod
    def of(cls, quantity: Node) -> Self:
        """The parts of a `quantity_def`."""
        name, unit, formula, title = quantity.children
        return cls(as_word(name), as_node(unit), node_or_none(formula), word_or_none(title))
