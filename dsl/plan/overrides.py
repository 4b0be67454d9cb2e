"""`--set path=value` to a changed syntax tree: the same statement as if the plan had said so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runplan.dsl.syntax.statements import OF_PLANS
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, Span, View

SETTABLE = {row.key: row for row in OF_PLANS if row.settable}
# Fields of hardware that its one-line form spells with words of their own.
_SPELLED = {"mfu": "mfu", "achieved": "rate", "price": "price", "nodes_of": "nodes_of"}


def _parse(view: View, start: str) -> tuple[Node | None, list[Finding]]:
    from runplan.dsl.syntax.grammar import parse

    return parse(view, start)


def overridden(file: File, settings: Sequence[str]) -> tuple[File, list[Finding]]:
    """The file with each `path=value` applied, and what is wrong with them.

    Paths are a statement (`tokens`), a field of the hardware (`hardware.time`), a source of data (`data.web`) or a
    `let` by its name.
    """
    findings: list[Finding] = []
    for setting in settings:
        path, sign, text = setting.partition("=")
        source = Source("--set", setting)
        if not sign or not path.strip() or not text.strip():
            help = ["write it like `--set tokens=2T` or `--set hardware.time='3 months'`"]
            findings.append(finding("S001", "a setting is `path=value`", Span(source, 0, len(setting)), help=help))
            continue
        base = len(path) + 1 + len(text) - len(text.lstrip())
        view = View(text.strip(), source, base)
        statements, found = _set(list(file.statements), path.strip(), view)
        findings.extend(found)
        file = replace(file, statements=tuple(statements))
    return file, findings


def _set(statements: list[Node], path: str, view: View) -> tuple[list[Node], list[Finding]]:
    head, _, rest = path.partition(".")
    lets = {next(n.nodes()).word(0).text: i for i, n in enumerate(statements) if n.rule == "let"}
    if path in lets:
        node, findings = _parse(view, "goal")
        if node is None:
            return statements, findings
        spec = next(statements[lets[path]].nodes())
        body = Node("let_spec", (spec.children[0], node.children[0]), node.span)
        statements[lets[path]] = Node("let", (body,), node.span)
        return statements, []
    if head == "hardware" and rest:
        return _set_field(statements, rest, view)
    if head == "data" and rest:
        node, findings = _parse(view, "data_spec")
        return (_put_source(statements, rest, node), []) if node else (statements, findings)
    row = SETTABLE.get(path)
    if row is not None:
        node, findings = _parse(view, row.value)
        if node is None:
            return statements, findings
        replaced = {other.rule for other in OF_PLANS if other.fills == row.fills}
        return _put(statements, replaced, Node(row.rule, (node,), node.span)), []
    known = [*SETTABLE, *lets, "hardware.time", "hardware.gpus", "hardware.price", "data.NAME"]
    listed = "paths are " + ", ".join(f"`{k}`" for k in known[:8]) + ", ..."
    help = did_you_mean(path, known) or [listed]
    return statements, [finding("N002", f"nothing to set at `{path[:60]}`", Span(view.source, 0, len(path)), help=help)]


def _put(statements: list[Node], replaces: Iterable[str], made: Node) -> list[Node]:
    """The statements with one in the place of those that it replaces."""
    replaces = set(replaces)
    at = next((i for i, node in enumerate(statements) if node.rule in replaces), len(statements))
    kept = [node for node in statements if node.rule not in replaces]
    return [*kept[:at], made, *kept[at:]]


def _put_source(statements: list[Node], name: str, spec: Node) -> list[Node]:
    made = Node("data_named", (Word("NAME", name, spec.span), spec), spec.span)
    for i, node in enumerate(statements):
        if node.rule == "data_named" and node.word(0).text == name:
            return [*statements[:i], made, *statements[i + 1 :]]
    return [*statements, made]


def _set_field(statements: list[Node], field: str, view: View) -> tuple[list[Node], list[Finding]]:
    """A field of the plan's only pool, which is turned into the block that means the same."""
    at = next((i for i, node in enumerate(statements) if node.rule == "hardware"), None)
    spec = next(statements[at].nodes()) if at is not None else Node("hw_spec", (), view.span(0, 0))
    pools = list(spec.nodes("pool", "hw_block"))
    if len(pools) > 1:
        message = "the hardware has several pools: set all of it, `--set hardware=...`"
        return statements, [finding("N002", message, Span(view.source, 0, len(view.source.text)))]
    pairs = _pairs(pools[0]) if pools else {}
    if field in ("device", "precision", "from", "until"):
        node, findings = _parse(view, "device") if field == "device" else (None, [])
        leaf = node or Word("NAME" if field == "precision" else "DATE", view.text, view.span(0, len(view.text)))
        pairs[field] = Node(f"hw_{field}", (leaf,), leaf.span)
    else:
        node, findings = _parse(view, "amount")
        if node is not None:
            pairs[field] = Node("hw_pair", (Word("NAME", field, node.span), node), node.span)
            # An achieved rate stands in place of peak x MFU, and an MFU in place of a rate.
            for other in {"rate": ("mfu",), "mfu": ("rate",)}.get(field, ()):
                pairs.pop(other, None)
    if findings:
        return statements, findings
    span = view.span(0, len(view.text))
    block = Node("hw_block", tuple(pairs.values()), pools[0].span if pools else span)
    made = Node("hardware", (Node("hw_spec", (block,), block.span),), block.span)
    return _put(statements, {"hardware"}, made), []


def _pairs(pool: Node) -> dict[str, Node]:
    """The fields of a pool in either form."""
    if pool.rule == "hw_block":
        return {(n.word(0).text if n.rule == "hw_pair" else n.rule.removeprefix("hw_")): n for n in pool.nodes()}
    up_to_count, count, _, device, precision, up_to_time, time, *options = pool.children
    pairs: dict[str, Node] = {}

    def pair(name: str, value: Node | Word | None, at_most: bool = False) -> None:
        assert isinstance(value, Node)
        body = Node("at_most", (value,), value.span) if at_most and value.rule != "hole" else value
        pairs[name] = Node("hw_pair", (Word("NAME", name, value.span), body), value.span)

    pair("gpus", count, up_to_count is not None)
    pair("time", time, up_to_time is not None)
    assert isinstance(device, Node)
    pairs["device"] = Node("hw_device", (device,), device.span)
    if isinstance(precision, Word):
        pairs["precision"] = Node("hw_precision", (precision,), precision.span)
    for option in options:
        assert isinstance(option, Node)
        inner = option.children[-1]
        if option.rule in _SPELLED:
            pair(_SPELLED[option.rule], inner)
        else:
            name = option.rule.removesuffix("_date")
            pairs[name] = Node(f"hw_{name}", (inner,), option.span)
    return pairs
