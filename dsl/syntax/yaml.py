"""The YAML spelling to the same syntax tree: each scalar is raw text, parsed by the grammar rule of its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from runplan.dsl.syntax.comments import said_until
from runplan.dsl.syntax.parse import parse
from runplan.dsl.syntax.statements import BY_KEY, OF_PLANS, RESERVED, Statement
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.syntax.yaml_help import as_text
from runplan.dsl.syntax.yaml_scalars import Scalar, first_line, quoted, view, visible
from runplan.dsl.syntax.yaml_values import POISON, Mapping, Sequence, Value, composed
from runplan.dsl.text.elsewhere import answer, renamed
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.limits import MAX_FINDINGS
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import cut, listing

_COMMENT = pattern(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)
# As the terminals of the grammar.
_NAME = pattern(r"[A-Za-z_]\w*([.-][A-Za-z0-9_]+)*")
NAMED = pattern(r"\w[\w.-]*")
_DATE = pattern(r"\d{4}-\d{2}-\d{2}")
# What a name in a mapping stands for, by the rule of the statement that it makes.
_NAMED_THINGS = {"data_named": "a source", "phase": "a phase"}


def parse_yaml(source: Source) -> tuple[File, list[Finding]]:
    """A `.plan.yaml` file as a syntax tree equal to that of the DSL, and what is wrong with it."""
    root, findings = composed(source)
    reader = Reader(findings)
    statements: list[Node] = []
    if isinstance(root, Mapping):
        statements = list(reader.statements(root))
    elif root is not None and not reader.poisoned(root):
        help = ["begin with a statement, such as `hardware: 1000 x H100 for 6 months`"]
        message = "a plan is a mapping of statements"
        reader.findings.append(finding("S001", message, first_line(root.span), help=help))
    return File(source, tuple(statements), comments_in_yaml(source, root)), reader.findings[:MAX_FINDINGS]


def comments_in_yaml(source: Source, root: Value | None) -> tuple[Word, ...]:
    """The comments of a text, each with its `#`: what begins like one inside a scalar is none."""
    spans = sorted(_text_span(scalar) for scalar in _scalars(root))
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(source.text)]
    found = (m for at, end in zip(ends, starts, strict=True) for m in _COMMENT.finditer(source.text, at, end))
    return tuple(Word("COMMENT", m[0], Span(source, m.start(), m.end())) for m in found)


def _text_span(scalar: Scalar) -> tuple[int, int]:
    """Where a scalar's text stands: that of a block begins below the line of its mark, which may have a comment."""
    start, end = scalar.span.start, scalar.span.end
    if scalar.style in ("|", ">"):
        below = scalar.span.source.text.find("\n", start, end)
        start = below if below >= 0 else end
    return start, end


def _scalars(value: Value | None) -> Iterator[Scalar]:
    if isinstance(value, Scalar):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items:
            yield key
            yield from _scalars(item)
    elif value is not None:
        for item in value.items:
            yield from _scalars(item)


class Reader:
    """Turns values into nodes of the tree; collects what is wrong with them."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def statements(self, root: Mapping) -> Iterator[Node]:
        """The statements of a mapping, in its order."""
        for key, value in root.items:
            row = BY_KEY.get(key.text)
            if row is None:
                self.unknown_statement(key, value)
            else:
                yield from SHAPES[row.shape](self, row, key, value)

    def unknown_statement(self, key: Scalar, value: Value) -> None:
        """Say of a key that it is no statement's."""
        meant = next((row.fills for row in OF_PLANS if row.keyword == key.text or row.rule == key.text), None)
        said = value.text if isinstance(value, Scalar) else ""
        help = [f"did you mean `{meant}`?"] if meant else answer(key.text, said, key.span.source.text, in_yaml=True)
        alias = meant or renamed(key.text, said, help)
        fixes = respelled(key.span, key.text, BY_KEY, alias) if alias or not help else ()
        help = help or did_you_mean(key.text, BY_KEY) or ["a plan's keys are " + listing(BY_KEY)]
        self.findings.append(finding("N001", f"unknown statement `{cut(key.text)}`", key.span, help=help, fixes=fixes))

    # ---- pieces

    def wrong(self, value: Value, message: str, help: Iterable[str] = ()) -> None:
        """Say what is wrong with a value, unless it stands for one of which that is said."""
        if not self.poisoned(value):
            self.findings.append(finding("S001", message, visible(first_line(value.span)), help=help))

    def poisoned(self, value: Value) -> bool:
        """Whether a value stands for one that could not be read, which has been said."""
        return isinstance(value, Scalar) and value.text == POISON and bool(self.findings)

    def parsed(self, value: Value, start: str, what: str) -> Node | None:
        """A scalar's tree by a start rule; None, with a finding, where there is none."""
        if self.poisoned(value):
            return None
        if not isinstance(value, Scalar):
            shape = "a list" if isinstance(value, Sequence) else "a mapping"
            message = f"`{cut(what)}` takes one value here, not {shape}"
            help = as_text(what, value, start)
            self.findings.append(finding("S001", message, first_line(value.span), help=help))
            return None
        if not value.text.strip():
            help = [f"write one, or leave `{cut(what)}` out"]
            at = said_until(value.span.source.text, value.span.start)
            self.findings.append(
                finding("S001", f"`{cut(what)}` has no value", Span(value.span.source, at, at), help=help)
            )
            return None
        node, findings = parse(view(value), start)
        self.findings.extend(findings)
        return node

    def name(self, key: Scalar, what: str) -> Word | None:
        """A name that expressions may use."""
        if _NAME.fullmatch(key.text) and key.text not in RESERVED:
            return Word("NAME", key.text, key.span)
        if not self.poisoned(key):
            why = "is a word of the language and" if key.text in RESERVED else "is"
            message = f"`{cut(key.text)}` {why} no name for {what}"
            help = ["a name is one word of letters, digits and `-._`, a letter first"]
            joined = re.sub(r"\W+", "_", key.text)
            help = [f"write `{joined}`"] if _NAME.fullmatch(joined) and joined not in RESERVED else help
            self.findings.append(finding("S001", message, visible(key.span), help=help))
        return None

    def field(self, key: Scalar) -> Word | None:
        """The name of a field; whether there is such a one is told later."""
        if _NAME.fullmatch(key.text):
            return Word("NAME", key.text, key.span)
        if not self.poisoned(key):
            self.findings.append(finding("N001", f"unknown field `{cut(key.text)}`", visible(key.span)))
        return None

    def named(self, key: Scalar, what: str) -> Word | None:
        """A name that stands for itself: any word, or a quoted text."""
        if NAMED.fullmatch(key.text):
            return Word("NAMED", key.text, key.span)
        if key.style in ("'", '"') and key.text.strip() and "\n" not in key.text:
            return Word("STRING", quoted(key.text), key.span)
        message = f"`{cut(key.text)}` is no name for {what}"
        help = ["a name is one word of letters, digits and `-._`, or is put in quotes"]
        self.findings.append(finding("S001", message, visible(key.span), help=help))
        return None

    def leaf(self, value: Value, type: str, form: re.Pattern[str], wrong: str, such: str) -> Word | None:
        """A scalar that is one word."""
        m = form.match(value.text.strip()) if isinstance(value, Scalar) else None
        if m is not None and m.end() == len(m.string):
            return Word(type, m.string, value.span)
        if isinstance(value, Scalar) and not self.poisoned(value):
            value = self.behind(value, m.end() if m else 0)
        self.wrong(value, wrong, [f"write it like `{such}`"])
        return None

    def behind(self, value: Scalar, end: int) -> Scalar:
        """What of a scalar stands behind what of it was read."""
        shown = view(value)
        start = end + len(shown.text[end:]) - len(shown.text[end:].lstrip())
        return Scalar(shown.text[start:], "", shown.span(start, len(shown.text)))

    def mapping(self, value: Value, what: str) -> list[tuple[Scalar, Value]]:
        """The items of what has to be a mapping."""
        if isinstance(value, Mapping):
            return value.items
        if not self.poisoned(value):
            message = f"`{what}` is a mapping of names to values"
            place = visible(first_line(value.span))
            self.findings.append(finding("S001", message, place, help=as_text(what, value, "")))
        return []

    def pair(self, rule: str, word: Word, value: Value) -> Iterator[Node]:
        """A field of a block."""
        node = self.parsed(value, "amount", word.text)
        if node is not None:
            yield Node(rule, (word, node), word.span.to(node.span))

    def pairs(self, rule: str, items: list[tuple[Scalar, Value]]) -> tuple[Node, ...]:
        """The fields of a block."""
        return tuple(node for key, item in items if (word := self.field(key)) for node in self.pair(rule, word, item))

    # ---- shapes of values: what each makes of a row of the table

    def text(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """One text by the rule of the statement's value."""
        node = self.parsed(value, row.value, key.text)
        if node is not None:
            yield Node(row.rule, (node,), node.span)

    def texts(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """A text, or a list of them, each a statement of its own."""
        for item in value.items if isinstance(value, Sequence) else [value]:
            yield from self.text(row, key, item)

    def named_texts(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """A text; or a mapping of names, each a statement of its own that fills the same slot."""
        if not isinstance(value, Mapping) or {name.text for name, _ in value.items} <= {"type", "name", "kind"}:
            yield from self.text(row, key, value)
            return
        each = next(other for other in OF_PLANS if other.slot == row.fills and other.times == "name")
        for name, item in value.items:
            word, node = self.named(name, _NAMED_THINGS[each.rule]), self.parsed(item, each.value, name.text)
            if word and node:
                yield Node(each.rule, (word, node), name.span.to(node.span))

    def title(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """A text that stands for itself."""
        if isinstance(value, Scalar) and value.text.strip():
            word = Word("STRING", quoted(value.text), value.span)
            yield Node(row.rule, (Node(row.value, (word,), value.span),), value.span)
        else:
            self.wrong(value, f"`{row.key}` is a title", [f'write it in quotes, such as `{row.key}: "My plan"`'])

    def laws(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """Names, in one text or in a list."""
        words: list[Node | Word | None] = []
        for item in value.items if isinstance(value, Sequence) else [value]:
            node = self.parsed(item, row.value, row.key)
            words.extend(node.words() if node else ())
        if words:
            yield Node(row.rule, (Node(row.value, tuple(words), value.span),), value.span)

    def lets(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """Names with their values, each a statement of its own."""
        for name, item in self.mapping(value, row.key):
            word, node = self.name(name, "a value"), self.parsed(item, "goal", name.text)
            if word and node:
                span = name.span.to(node.span)
                yield Node(row.rule, (Node(row.value, (word, node.children[0]), span),), span)

    def objective(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """One objective; or a list or a mapping with shares, which mixes several as `CLM 50%, MLM 50%` does."""
        if isinstance(value, Scalar) or len(value.items) < 2:
            yield from self.text(row, key, value)
            return
        domain: Node | Word | None = None
        parts: list[Node] = []
        for item in value.items:
            name, share = item if isinstance(item, tuple) else (item, None)
            node = self.parsed(name, row.value, key.text)
            weight = self.parsed(share, "quantity", key.text) if share else None
            if node is None or (share and weight is None):
                return
            if node.rule != "single":
                self.findings.append(finding("S001", "an objective of several is CLM or MLM", node.span))
                return
            kind, of_domain = node.children
            parts.append(Node("mixed_part", (kind, weight), node.span))
            domain = domain or of_domain
        span = key.span.to(value.span)  # a list may begin below its key
        yield Node(row.rule, (Node("mixed", (None, *parts, domain), span),), span)

    def hardware(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """Pools as texts and as mappings, one or a list."""
        pools: list[Node] = []
        for item in value.items if isinstance(value, Sequence) else [value]:
            if isinstance(item, Mapping):
                pools.append(Node("hw_block", tuple(self.pool_fields(item)), item.span))
            else:
                node = self.parsed(item, row.value, row.key)
                pools.extend(node.nodes() if node else ())
        if pools:
            yield Node(row.rule, (Node(row.value, tuple(pools), value.span),), value.span)

    def pool_fields(self, value: Mapping) -> Iterator[Node]:
        """The fields of a pool."""
        for key, item in value.items:
            word = self.field(key)
            if word is None:
                continue
            inner: Node | Word | None
            if key.text == "device":
                inner = self.device(item)
            elif key.text in ("precision", "paid"):
                such = "bf16" if key.text == "precision" else "running"
                inner = self.leaf(item, "NAME", _NAME, f"`{key.text}` is one word", such)
            elif key.text in ("from", "until"):
                inner = self.date(key, item)
            else:
                yield from self.pair("hw_pair", word, item)
                continue
            if inner is not None:
                yield Node(f"hw_{key.text}", (inner,), key.span.to(inner.span))

    def date(self, key: Scalar, value: Value) -> Word | None:
        """A date, or what asks for it."""
        if isinstance(value, Scalar) and value.text in ("?", "unknown"):
            return Word("HOLE", value.text, value.span)
        return self.leaf(value, "DATE", _DATE, f"`{key.text}` is a date (YYYY-MM-DD)", "2026-02-01")

    def device(self, value: Value) -> Node | None:
        """The name of a device, which needs no quotes here where it has blanks."""
        if isinstance(value, Scalar) and re.search(r"\S\s+\S", value.text) and not value.text.startswith('"'):
            word = Word("STRING", quoted(value.text.strip()), value.span)
            return None if self.poisoned(value) else Node("device", (word,), value.span)
        return self.parsed(value, "device", "device")

    def model(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """A size or a name, or a mapping of the architecture, with the name of a model among them or without."""
        if not isinstance(value, Mapping) or (
            value.items and all(name.text in ("min", "max") for name, _ in value.items)
        ):
            yield from self.text(row, key, value)
            return
        named = [item for name, item in value.items if name.text == "name"]
        spec = self.parsed(named[0], row.value, row.key) if named else None
        pairs = self.pairs("model_pair", [pair for pair in value.items if pair[0].text != "name"])
        block = Node("model_block", pairs, value.span)
        lead = spec.children[:-1] if spec else ()
        yield Node(row.rule, (Node(row.value, (*lead, block), value.span),), value.span)

    def optimizer(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """A name, or a mapping of settings with the name among them."""
        if not isinstance(value, Mapping):
            yield from self.text(row, key, value)
            return
        named = [item for name, item in value.items if name.text == "name"]
        if not named:
            help = ["add `name: AdamW`"]
            self.findings.append(finding("S001", "`optimizer` names none", first_line(value.span), help=help))
            return
        spec = self.parsed(named[0], row.value, "name")
        if spec is not None and spec.node("opt_block"):
            self.wrong(named[0], "`name` is one word", ["write it like `AdamW`, and the settings beside it"])
        word = Word("NAME", "AdamW", named[0].span) if spec is None else spec.word(0)
        settings = self.pairs("opt_pair", [pair for pair in value.items if pair[0].text != "name"])
        spec = Node(row.value, (word, Node("opt_block", settings, value.span)), value.span)
        yield Node(row.rule, (spec,), value.span)

    def stages(self, row: Statement, key: Scalar, value: Value) -> Iterator[Node]:
        """Names with mappings of statements."""
        for name, item in self.mapping(value, row.key):
            word = self.named(name, "a stage")
            if word and isinstance(item, Mapping):
                block = Node("plan_block", tuple(self.statements(item)), item.span)
                yield Node(row.rule, (word, block), name.span.to(item.span))
            elif word:
                said = item.text if isinstance(item, Scalar) and item.text.strip() else "10B"
                help = [f"write `{name.text}: {{tokens: {said}}}`"]
                self.wrong(item, f"stage `{cut(name.text)}` is a mapping of statements", help)


Shape = Callable[[Reader, Statement, Scalar, Value], Iterator[Node]]
# What reads the value of a key, by the name that the table of statements has for it.
SHAPES: dict[str, Shape] = {
    "text": Reader.text,
    "texts": Reader.texts,
    "named": Reader.named_texts,
    "title": Reader.title,
    "laws": Reader.laws,
    "lets": Reader.lets,
    "objective": Reader.objective,
    "hardware": Reader.hardware,
    "model": Reader.model,
    "optimizer": Reader.optimizer,
    "stages": Reader.stages,
}
