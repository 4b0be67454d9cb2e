"""`--set path=value` to a changed syntax tree: the same statement as if the plan had said so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from runplan.dsl.syntax.statements import BY_RULE, OF_PLANS
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.syntax.views import PoolField, pool_fields, pools_of, spec_of
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, Span, View
from runplan.dsl.text.words import listing

SETTABLE = {row.key: row for row in OF_PLANS if row.settable}
# An achieved rate stands in place of peak x MFU, and an MFU in place of a rate.
_INSTEAD = {"rate": "mfu", "mfu": "rate"}


class _Wrong(Exception):
    """A setting that cannot be applied."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings


def overridden(file: File, settings: Sequence[str]) -> tuple[File, list[Finding]]:
    """The file with each `path=value` applied, and what is wrong with them.

    Paths are a statement (`tokens`), a field of the hardware (`hardware.time`), a source of data (`data.web`) or a
    `let` by its name.
    """
    findings: list[Finding] = []
    for setting in settings:
        try:
            file = replace(file, statements=_applied(file.statements, setting))
        except _Wrong as wrong:
            findings.extend(wrong.findings)
    return file, findings


def _applied(statements: tuple[Node, ...], setting: str) -> tuple[Node, ...]:
    """The statements with a setting applied.

    Raises:
        _Wrong: Where it cannot be read, or there is nothing to set at its path.
    """
    path, sign, text = setting.partition("=")
    source = Source("--set", setting)
    if not sign or not path.strip() or not text.strip():
        help = ["write it like `--set tokens=2T` or `--set hardware.time='3 months'`"]
        raise _Wrong(finding("S001", "a setting is `path=value`", Span(source, 0, len(setting)), help=help))
    view = View(text.strip(), source, len(path) + 1 + len(text) - len(text.lstrip()))
    path = path.strip()
    lets = {spec_of(node).word(0).text for node in statements if node.rule == "let"}
    if path in lets:
        return _with_let(statements, path, view)
    head, _, rest = path.partition(".")
    if head in _PARTS and rest:
        return _PARTS[head](statements, rest, view)
    if path in SETTABLE:
        row = SETTABLE[path]
        value = _parsed(view, row.value)
        return _put(statements, Node(row.rule, (value,), value.span))
    known = [*SETTABLE, *sorted(lets), "hardware.time", "hardware.gpus", "hardware.price", "data.NAME"]
    help = did_you_mean(path, known) or [f"paths are {listing(known[:8])}, ..."]
    raise _Wrong(finding("N002", f"nothing to set at `{path[:60]}`", Span(source, 0, len(path)), help=help))


def _parsed(view: View, start: str) -> Node:
    from runplan.dsl.syntax.grammar import parse  # only where something is set: it needs Lark

    node, findings = parse(view, start)
    if node is None or findings:
        raise _Wrong(*findings)
    return node


def _put(statements: Iterable[Node], made: Node) -> tuple[Node, ...]:
    """The statements with one in the place of those that fill the same."""
    statements = list(statements)
    fills = BY_RULE[made.rule].fills
    replaced = {row.rule for row in OF_PLANS if row.fills == fills}
    at = next((i for i, node in enumerate(statements) if node.rule in replaced), len(statements))
    kept = [node for node in statements if node.rule not in replaced]
    return (*kept[:at], made, *kept[at:])


def _with_let(statements: tuple[Node, ...], name: str, view: View) -> tuple[Node, ...]:
    """The statements with the value of the last `let` of a name set."""
    goal = _parsed(view, "goal")
    at = max(i for i, node in enumerate(statements) if node.rule == "let" and spec_of(node).word(0).text == name)
    spec = Node("let_spec", (spec_of(statements[at]).word(0), next(goal.nodes())), goal.span)
    return (*statements[:at], Node("let", (spec,), goal.span), *statements[at + 1 :])


def _with_source(statements: tuple[Node, ...], name: str, view: View) -> tuple[Node, ...]:
    """The statements with a source of data set, or added where there is none of the name."""
    spec = _parsed(view, "data_spec")
    made = Node("data_named", (Word("NAME", name, spec.span), spec), spec.span)
    for i, node in enumerate(statements):
        if node.rule == "data_named" and node.word(0).text == name:
            return (*statements[:i], made, *statements[i + 1 :])
    return (*statements, made)


def _with_field(statements: tuple[Node, ...], field: str, view: View) -> tuple[Node, ...]:
    """The statements with a field of the plan's only pool set: that is turned into the block that means the same."""
    stated = next((node for node in statements if node.rule == "hardware"), None)
    pools = pools_of(spec_of(stated)) if stated is not None else []
    if len(pools) > 1:
        message = "the hardware has several pools: set all of it, `--set hardware=...`"
        raise _Wrong(finding("N002", message, Span(view.source, 0, len(view.source.text))))
    pairs = {part.name: _pair(part) for pool in pools for part in pool_fields(pool)}
    pairs[field] = _pair(_field(field, view))
    pairs.pop(_INSTEAD.get(field, ""), None)
    span = pools[0].span if pools else view.span(0, len(view.text))
    block = Node("hw_block", tuple(pairs.values()), span)
    return _put(statements, Node("hardware", (Node("hw_spec", (block,), span),), span))


def _field(name: str, view: View) -> PoolField:
    """A field by the text of its value."""
    if name in ("precision", "from", "until"):
        span = view.span(0, len(view.text))
        return PoolField(name, Word("NAME" if name == "precision" else "DATE", view.text, span), span)
    value = _parsed(view, "device" if name == "device" else "amount")
    return PoolField(name, value, value.span)


def _pair(field: PoolField) -> Node:
    """A field of a pool as its block has it."""
    value = field.value
    if isinstance(value, Word) or field.name == "device":
        return Node(f"hw_{field.name}", (value,), field.span)
    if field.at_most and value.rule != "hole":
        value = Node("at_most", (value,), value.span)
    if field.word is None:
        return Node("hw_pair", (Word("NAME", field.name, value.span), value), value.span)
    return Node("hw_pair", (field.word, value), field.span)


# What may be set of a statement's parts.
_PARTS: dict[str, Callable[[tuple[Node, ...], str, View], tuple[Node, ...]]] = {
    "hardware": _with_field,
    "data": _with_source,
}
