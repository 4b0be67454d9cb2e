"""`--set path=value` to a changed syntax tree: the same statement as if the plan had said so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.plan.hardware import REACHED
from runplan.dsl.syntax.statements import BY_KEY, BY_RULE, OF_PLANS
from runplan.dsl.syntax.tree import File, Node, Word, leaves, unquoted
from runplan.dsl.syntax.views import PoolField, pool_fields, pools_of, spec_of
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span, View

SETTABLE = {row.key: row for row in OF_PLANS if row.settable}
# What settings are shown to stand in.
ORIGIN = "--set"
# Paths of parts, as help lists them.
PARTS = (
    "hardware.FIELD", "hardware.pool1.FIELD", "model.FIELD", "optimizer.FIELD", "data.NAME", "data.NAME.FIELD",
    "schedule.PHASE", "require[0]", "prefer[0]", "stages.NAME.PATH",
)  # fmt: skip
# Fields of a source of data, by the rule of the option that gives each; its amount comes first.
_OF_SOURCE = {"epochs": "up_to", "weight": "weight", "quality": "quality", "domain": "domain", "density": "at_density"}
# For each statement with a block: the block, and what gives a field in it.
_BLOCKS = {"model": ("model_block", "model_pair"), "optimizer": ("opt_block", "opt_pair")}
_INDEXED = pattern(r"(require|prefer)\[(\d+)\]")

Statements = tuple[Node, ...]


class _Wrong(Exception):
    """A setting that cannot be applied."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings


def overridden(file: File, settings: Sequence[str]) -> tuple[File, list[Finding]]:
    """The file with each `path=value` applied, and what is wrong with them.

    Paths are a statement (`tokens`), a `let` by its name, or one of `PARTS`.
    """
    findings: list[Finding] = []
    for setting in settings:
        try:
            file = replace(file, statements=_applied(file.statements, setting))
        except _Wrong as wrong:
            findings.extend(wrong.findings)
    return file, findings


def _applied(statements: Statements, setting: str) -> Statements:
    """The statements with a setting applied.

    Raises:
        _Wrong: Where it cannot be read, or there is nothing to set at its path.
    """
    path, sign, text = setting.partition("=")
    source = Source(ORIGIN, setting)
    if not sign or not path.strip() or not text.strip():
        help = ["write it like `--set tokens=2T` or `--set hardware.time='3 months'`"]
        raise _Wrong(finding("S001", "a setting is `path=value`", Span(source, 0, len(setting)), help=help))
    view = View(text.strip(), source, len(path) + 1 + len(text) - len(text.lstrip()))
    return _set(statements, path.strip(), view)


def _set(statements: Statements, path: str, view: View) -> Statements:
    """The statements of a plan, or of a stage, with what stands at a path set."""
    lets = {spec_of(node).word(0).text for node in statements if node.rule == "let"}
    if path in lets:
        return _with_let(statements, path, view)
    head, _, rest = path.partition(".")
    if head in _SETTERS and rest:
        return _SETTERS[head](statements, rest, view)
    if indexed := _INDEXED.fullmatch(path):
        return _with_numbered(statements, indexed[1], int(indexed[2]), view)
    if path in SETTABLE:
        row = SETTABLE[path]
        value = _parsed(_quoted(view) if row.key == "plan" else view, row.value)
        return _put(statements, Node(row.rule, (value,), value.span))
    known = [*SETTABLE, *sorted(lets), *PARTS]
    fields = [f"{key}.{name}" for key, names in _USUAL.items() for name in names.split()]
    field = next((f"did you mean `{one}`?" for one in fields if one.endswith(f".{path}")), None)
    help = [field] if field else did_you_mean(path, [*known, *fields]) or [f"paths are {', '.join(known)}"]
    raise _nothing(path, view, help)


def _nothing(path: str, view: View, help: Sequence[str]) -> _Wrong:
    end = view.source.text.index("=")
    return _Wrong(finding("N002", f"nothing to set at `{path[:60]}`", Span(view.source, 0, end), help=list(help)))


def _parsed(view: View, start: str) -> Node:
    from runplan.dsl.syntax.parse import parse  # only where something is set: it needs Lark

    node, findings = parse(view, start)
    if node is None or findings:
        raise _Wrong(*findings)
    return node


def _quoted(view: View) -> View:
    """A title as a `.plan` file has it; as YAML, settings need no quotes."""
    import json  # only where a title is set

    text = view.text if view.text.startswith('"') else json.dumps(view.text, ensure_ascii=False)
    return View(text, view.source, whole=view.span(0, len(view.text)))


def _whole(view: View, type: str) -> Word:
    """The value of a setting as one word."""
    return Word(type, view.text, view.span(0, len(view.text)))


def _put(statements: Statements, made: Node) -> Statements:
    """The statements with one in the place of those that fill the same; of what may be said often, of the plan's."""
    row = BY_RULE[made.rule]
    replaced = {other.rule for other in OF_PLANS if other.fills == row.fills}
    gone = [
        i for i, node in enumerate(statements) if node.rule in replaced and not (row.times == "likes" and _is_set(node))
    ]
    at = gone[0] if gone else len(statements)
    kept = [(i, node) for i, node in enumerate(statements) if i not in gone]
    return (*(node for i, node in kept if i < at), made, *(node for i, node in kept if i > at))


def _is_set(node: Node) -> bool:
    """Whether a statement comes of a setting: what is required by several of them holds together."""
    return node.span.source.path == ORIGIN


def _with_numbered(statements: Statements, rule: str, number: int, view: View) -> Statements:
    """The statements with one of the plan's requirements in place of another, counted from 0 as in JSON."""
    places = [i for i, node in enumerate(statements) if node.rule == rule]
    if number >= len(places):
        there = f"there are {len(places)}, counted from 0" if places else "there is none"
        raise _nothing(f"{rule}[{number}]", view, [f"{there}; `--set {rule}=...` says what holds in place of all"])
    value = _parsed(view, BY_KEY[rule].value)
    return _replaced(statements, places[number], Node(rule, (value,), value.span))


def _replaced(statements: Statements, at: int, made: Node) -> Statements:
    return (*statements[:at], made, *statements[at + 1 :])


def _with_let(statements: Statements, name: str, view: View) -> Statements:
    """The statements with the value of the last `let` of a name set."""
    goal = _parsed(view, "goal")
    at = max(i for i, node in enumerate(statements) if node.rule == "let" and spec_of(node).word(0).text == name)
    spec = Node("let_spec", (spec_of(statements[at]).word(0), next(goal.nodes())), goal.span)
    return _replaced(statements, at, Node("let", (spec,), goal.span))


# ---- parts of statements


def _with_source(statements: Statements, path: str, view: View) -> Statements:
    """The statements with a source of data, or a field of one, set; added where there is none of the name.

    A source that has no name is called `data`, as reports call it.
    """
    places = {unquoted(node.word(0).text): i for i, node in enumerate(statements) if node.rule == "data_named"}
    unnamed = next((i for i, node in enumerate(statements) if node.rule == "data"), None)
    if unnamed is not None:
        places.setdefault("data", unnamed)
    name, _, field = path.rpartition(".")
    if path not in places and "data" in places and path in ("amount", *_OF_SOURCE):
        name, field = "data", path
    if path in places or field not in ("amount", *_OF_SOURCE):
        made = _parsed(view, "data_spec")
        if path in places:
            return _replaced(statements, places[path], _source(statements[places[path]], made))
        return (*statements, Node("data_named", (Word("NAME", path, made.span), made), made.span))
    if name not in places:
        raise _nothing(f"data.{path}", view, did_you_mean(name, places) or ["the plan has no such source of data"])
    stated = statements[places[name]]
    return _replaced(statements, places[name], _source(stated, _with_option(stated, field, view)))


def _source(stated: Node, spec: Node) -> Node:
    """A statement of data with another specification."""
    return Node(stated.rule, (*stated.children[:-1], spec), spec.span)


def _with_option(stated: Node, field: str, view: View) -> Node:
    """The specification of a source with its amount, or what is said after that, set."""
    spec = stated.children[-1]
    assert isinstance(spec, Node)
    amount, options = next(spec.nodes()), list(spec.nodes())[1:]
    if field == "amount":
        made = _parsed(view, "data_spec")
        said = {option.rule for option in made.nodes()}
        return Node("data_spec", (*made.children, *(one for one in options if one.rule not in said)), made.span)
    rule = _OF_SOURCE[field]
    value = _whole(view, "NAME") if field in ("quality", "domain") else _parsed(view, "sum")
    mark = (Word("UPTO", "up to", value.span),) if rule == "up_to" else ()
    made = Node(rule, (*mark, value), value.span)
    return Node("data_spec", (amount, *(one for one in options if one.rule != rule), made), spec.span)


def _with_phase(statements: Statements, name: str, view: View) -> Statements:
    """The statements with a phase of a schedule set, or added after the others; a schedule by name has none to set."""
    if named := [node for node in statements if node.rule == "schedule"]:
        text = named[0].span.text.strip()
        raise _nothing(f"schedule.{name}", view, [f"the plan has `{text}`: `--set schedule=NAME` says another"])
    spec = _parsed(view, "phase_spec")
    made = Node("phase", (Word("NAMED", name, spec.span), spec), spec.span)
    phases = [i for i, node in enumerate(statements) if node.rule == "phase"]
    at = next((i for i in phases if unquoted(statements[i].word(0).text) == name), None)
    if at is not None:
        return _replaced(statements, at, made)
    after = phases[-1] + 1 if phases else len(statements)
    return (*statements[:after], made, *statements[after:])


def _in_stage(statements: Statements, path: str, view: View) -> Statements:
    """The statements with what stands at a path in a stage set."""
    name, _, rest = path.partition(".")
    places = {unquoted(node.word(0).text): i for i, node in enumerate(statements) if node.rule == "stage"}
    if name not in places or not rest:
        raise _nothing(f"stages.{path}", view, did_you_mean(name, places) or ["write `--set stages.NAME.PATH=VALUE`"])
    stage = statements[places[name]]
    block = stage.node("plan_block")
    assert block is not None
    inside = Node("plan_block", _set(tuple(block.nodes()), rest, view), block.span)
    return _replaced(statements, places[name], Node("stage", (stage.children[0], inside), stage.span))


def _in_block(rule: str) -> Callable[[Statements, str, View], Statements]:
    """What sets a field of a model or an optimizer: its statement is turned into the block that means the same."""
    block_rule, pair_rule = _BLOCKS[rule]

    def with_field(statements: Statements, field: str, view: View) -> Statements:
        value = _parsed(view, "amount")
        stated = next((spec_of(node) for node in statements if node.rule == rule), None)
        lead = _lead(stated, statements) if rule == "model" else ()
        pairs = {pair.word(0).text: pair for pair in _pairs(stated, block_rule, pair_rule, named=bool(lead))}
        pairs[field] = Node(pair_rule, (Word("NAMED", field, value.span), value), value.span)
        span = stated.span if stated else value.span
        block = Node(block_rule, tuple(pairs.values()), span)
        names = tuple(stated.words()) if stated else (Word("NAME", "AdamW", span),)
        spec = Node(BY_RULE[rule].value, (*(names if rule == "optimizer" else lead), block), span)
        return _put(statements, Node(rule, (spec,), span))

    return with_field


def _lead(spec: Node | None, statements: Statements) -> tuple[Node, ...]:
    """The name of a published model, where a specification begins with one."""
    lead = spec and (spec.node("model_name") or spec.node("amount"))
    if not lead:
        return ()
    lets = {spec_of(node).word(0).text for node in statements if node.rule == "let"}
    words = {leaf.text for leaf in leaves(lead) if leaf.type in ("NAME", "STRING")}
    return (lead,) if words - lets else ()


def _pairs(spec: Node | None, block_rule: str, pair_rule: str, *, named: bool) -> Iterable[Node]:
    """The fields that a specification gives, in a block or beside its name."""
    if spec is None:
        return
    block = spec.node(block_rule)
    yield from block.nodes() if block else ()
    sizes = [] if named else [part for part in spec.nodes() if part.rule != block_rule]
    for name, part in zip(("params", "active"), sizes, strict=False):
        value = part if part.rule == "amount" or name == "params" else Node("amount", (part,), part.span)
        yield Node(pair_rule, (Word("NAMED", name, part.span), value), part.span)


def _in_hardware(statements: Statements, path: str, view: View) -> Statements:
    """The statements with a field of a pool set: that pool is turned into the block that means the same."""
    stated = next((node for node in statements if node.rule == "hardware"), None)
    pools = pools_of(spec_of(stated)) if stated is not None else []
    numbered = re.fullmatch(r"pool(\d+)\.(\w+)", path)
    at, field = (int(numbered[1]) - 1, numbered[2]) if numbered else (0, path)
    if numbered and not 0 <= at < len(pools):
        raise _nothing(f"hardware.{path}", view, [f"the hardware has {len(pools)} pools, from `pool1` on"])
    if len(pools) > 1 and not numbered:
        raise _nothing(f"hardware.{path}", view, [f"the hardware has several pools: say `hardware.pool1.{field}`"])
    pairs = {part.name: in_block(part) for part in (pool_fields(pools[at]) if pools else ())}
    pairs[field] = in_block(_field(field, view))
    if field in REACHED:
        pairs = {name: pair for name, pair in pairs.items() if name == field or name not in REACHED}
    span = pools[at].span if pools else view.span(0, len(view.text))
    block = Node("hw_block", tuple(pairs.values()), span)
    spec = Node("hw_spec", (*pools[:at], block, *pools[at + 1 :]), spec_of(stated).span if stated else span)
    return _put(statements, Node("hardware", (spec,), spec.span))


def _field(name: str, view: View) -> PoolField:
    """A field by the text of its value."""
    if name in ("precision", "from", "until"):
        word = _whole(view, "NAME" if name == "precision" else "DATE")
        return PoolField(name, word, word.span)
    value = _parsed(_quoted(view), "device") if name == "device" else _parsed(view, "amount")
    return PoolField(name, value, value.span)


def in_block(field: PoolField) -> Node:
    """A field of a pool as its block has it."""
    value = field.value
    if isinstance(value, Word) or field.name == "device":
        return Node(f"hw_{field.name}", (value,), field.span)
    if field.at_most and value.rule != "hole":
        value = Node("at_most", (value,), value.span)
    if field.word is None:
        return Node("hw_pair", (Word("NAME", field.name, value.span), value), value.span)
    return Node("hw_pair", (field.word, value), field.span)


# What sets the parts of a statement, by its key.
_SETTERS: dict[str, Callable[[Statements, str, View], Statements]] = {
    "hardware": _in_hardware,
    "data": _with_source,
    "model": _in_block("model"),
    "optimizer": _in_block("optimizer"),
    "schedule": _with_phase,
    "stages": _in_stage,
}
# Fields that are meant by what is near to them.
_USUAL = {
    "hardware": "device gpus time mfu rate price availability from until",
    "model": "params active layers hidden context vocab",
    "optimizer": "batch learning_rate",
}
