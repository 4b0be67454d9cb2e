"""The YAML spelling to the same syntax tree: each scalar is raw text, parsed by the grammar rule of its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from runplan.dsl.finding import Finding, Label, finding
from runplan.dsl.grammar import comments, nearest, parse
from runplan.dsl.source import Source, Span, View
from runplan.dsl.syntax import File, Node, Word

MAX_DEPTH = 32
MAX_NODES = 50_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAME = re.compile(r"[A-Za-z_]\w*([.-][A-Za-z0-9_]+)*")
_QUOTE_HELP = "this character cannot begin a plain YAML value: put the value in quotes"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar: its value as raw text, and how it is written."""

    text: str
    style: str
    span: Span


@dataclass(slots=True)
class Mapping:
    """A YAML mapping in the order of its keys."""

    items: list[tuple[Scalar, Value]]
    span: Span


@dataclass(slots=True)
class Sequence:
    """A YAML list."""

    items: list[Value]
    span: Span


Value = Scalar | Mapping | Sequence


class _Refused(Exception):
    def __init__(self, found: Finding) -> None:
        self.finding = found


def parse_yaml(source: Source) -> tuple[File, list[Finding]]:
    """A `.plan.yaml` file as a syntax tree equal to that of the DSL, and what is wrong with it."""
    try:
        root = _compose(source)
    except _Refused as refused:
        return File(source, ()), [refused.finding]
    reader = _Reader(source)
    if root is None:
        statements: list[Node] = []
    elif isinstance(root, Mapping):
        statements = list(reader.statements(root))
    else:
        statements = []
        help = ["begin with a statement, such as `hardware: 1000 x H100 for 6 months`"]
        reader.findings.append(finding("S001", "a plan is a mapping of statements", _first_line(root.span), help=help))
    return File(source, tuple(statements), comments(source)), reader.findings


def _first_line(span: Span) -> Span:
    line_end = span.source.text.find("\n", span.start)
    return span if line_end < 0 else Span(span.source, span.start, max(span.start, min(span.end, line_end)))


def _compose(source: Source) -> Value | None:
    """Nodes from libyaml's events. Not yaml.compose: deep nesting kills the interpreter there, and a
    repeated key wins silently."""
    stack: list[Mapping | Sequence] = []
    keys: list[Scalar | None] = []
    root: Value | None = None
    count = 0
    documents = 0

    def put(node: Value) -> None:
        nonlocal root
        if not stack:
            root = node
            return
        top = stack[-1]
        if isinstance(top, Sequence):
            top.items.append(node)
            return
        key = keys[-1]
        if key is not None:
            top.items.append((key, node))
            keys[-1] = None
            return
        if not isinstance(node, Scalar):
            raise _Refused(finding("S001", "a key of a mapping is a plain word", _first_line(node.span)))
        for other, _ in top.items:
            if other.text == node.text:
                also = [Label(other.span, "the first is here")]
                raise _Refused(finding("S002", f"`{node.text}` is given twice", node.span, also=also))
        keys[-1] = node

    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            span = _span(source, event)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _Refused(
                    finding(
                        "S005",
                        "anchors and aliases are not read",
                        span,
                        help=["name a value with `let:` instead"],
                    )
                )
            tag = getattr(event, "tag", None)
            if tag:
                raise _Refused(finding("S005", f"tags are not read: `{_cut(tag)}`", span, help=["leave the tag out"]))
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused(finding("S005", "a plan is one YAML document; here a second one begins", span))
                if event.version or event.tags:
                    raise _Refused(finding("S005", "YAML directives are not read", span))
            elif isinstance(event, yaml.ScalarEvent):
                if event.value == "<<" and event.style is None:
                    raise _Refused(finding("S005", "merge keys are not read", span, help=["write the values out"]))
                put(Scalar(event.value, event.style or "", span))
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                node: Mapping | Sequence
                node = Mapping([], span) if isinstance(event, yaml.MappingStartEvent) else Sequence([], span)
                put(node)
                stack.append(node)
                keys.append(None)
                if len(stack) > MAX_DEPTH:
                    raise _Refused(finding("S004", f"the file is nested more than {MAX_DEPTH} deep", span))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                ended = stack.pop()
                keys.pop()
                ended.span = Span(source, ended.span.start, max(ended.span.start, span.end))
            count += 1
            if count > MAX_NODES:
                raise _Refused(finding("S004", f"the file has more than {MAX_NODES:,} values", span))
    except yaml.MarkedYAMLError as error:
        raise _Refused(_yaml_finding(source, error)) from None
    except yaml.YAMLError as error:
        position = min(getattr(error, "position", 0) or 0, max(len(source.text) - 1, 0))
        raise _Refused(
            finding("S003", "a character that YAML does not allow", Span(source, position, position + 1))
        ) from None
    return root


def _span(source: Source, event: yaml.Event) -> Span:
    assert event.start_mark is not None and event.end_mark is not None
    start, end = event.start_mark.index, event.end_mark.index
    # A plain scalar's end mark may stand after the blanks that follow it.
    while end > start and source.text[end - 1 : end].isspace():
        end -= 1
    return Span(source, start, max(start, end))


def _yaml_finding(source: Source, error: yaml.MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    at = min(mark.index if mark else 0, len(source.text))
    span = Span(source, at, min(at + 1, len(source.text)))
    problem = error.problem or "cannot be read"
    line = source.line_text(span.line)
    help = []
    if "\t" in line[: len(line) - len(line.lstrip())] or source.text[at : at + 1] == "\t":
        return finding("S001", "a tab where YAML wants blanks", span, help=["indent with blanks"])
    if "cannot start any token" in problem or "alphabetic or numeric" in problem or "comment or line break" in problem:
        help.append(_QUOTE_HELP)
    if "mapping values are not allowed" in problem:
        help.append("a value that contains `: ` is put in quotes")
    if "alphabetic or numeric" in problem:  # `*name` or `&name` that is no alias
        problem = "a value that begins with `*` or `&`"
    return finding("S001", f"not valid YAML: {problem}", span, help=help)


class _Reader:
    """Turns the keys of a mapping into statements. One method a shape of value, one row a key."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.rows: dict[str, Callable[[Scalar, Value], Iterator[Node]]] = {
            "plan": self.title,
            "laws": self.laws,
            "let": self.lets,
            "import": self.texts("import_", "import_spec"),
            "rate": self.texts("rate", "rate_spec"),
            "calendar": self.texts("calendar", "calendar_spec"),
            "hardware": self.hardware,
            "compute": self.texts("compute", "amount"),
            "data": self.data,
            "tokens": self.texts("tokens", "amount"),
            "model": self.model,
            "objective": self.texts("objective", "obj_spec"),
            "inference": self.texts("inference", "amount"),
            "reserve": self.texts("reserve", "reserve_spec"),
            "schedule": self.schedule,
            "stages": self.stages,
            "optimizer": self.optimizer,
            "require": self.texts("require", "constraint"),
            "prefer": self.texts("prefer", "constraint"),
            "minimize": self.texts("minimize", "goal"),
            "maximize": self.texts("maximize", "goal"),
        }

    def statements(self, root: Mapping) -> Iterator[Node]:
        """The statements of a mapping, in its order."""
        for key, value in root.items:
            row = self.rows.get(key.text)
            if row is None:
                special = {"use": "laws", "stage": "stages", "phase": "schedule"}.get(key.text)
                names = [special] if special else nearest(key.text, list(self.rows))[:1]
                help = [f"did you mean `{name}`?" for name in names]
                if not help:
                    help = ["a plan's keys are " + ", ".join(f"`{name}`" for name in list(self.rows)[:9]) + ", ..."]
                self.findings.append(finding("N001", f"unknown statement `{_cut(key.text)}`", key.span, help=help))
                continue
            yield from row(key, value)

    # ---- pieces

    def parsed(self, value: Value, start: str, what: str) -> Node | None:
        """A scalar's tree by a start rule; None, with a finding, where there is none."""
        if not isinstance(value, Scalar):
            self.findings.append(finding("S001", f"`{what}` is one text here", _first_line(value.span)))
            return None
        if not value.text.strip():
            self.findings.append(finding("S001", f"`{what}` has no value", _visible(value.span)))
            return None
        node, findings = parse(_view(value), start)
        self.findings.extend(findings)
        return node

    def name(self, key: Scalar, what: str) -> Word | None:
        if not _NAME.fullmatch(key.text):
            message = f"`{_cut(key.text)}` is no name for {what}"
            help = ["a name is one word of letters, digits and `-._`"]
            self.findings.append(finding("S001", message, _visible(key.span), help=help))
            return None
        return Word("NAME", key.text, key.span)

    def mapping(self, value: Value, what: str) -> list[tuple[Scalar, Value]]:
        if isinstance(value, Mapping):
            return value.items
        self.findings.append(finding("S001", f"`{what}` is a mapping", _first_line(value.span)))
        return []

    def texts(self, rule: str, start: str) -> Callable[[Scalar, Value], Iterator[Node]]:
        """A statement whose value is one text, or a list of texts."""

        def read(key: Scalar, value: Value) -> Iterator[Node]:
            many = value.items if isinstance(value, Sequence) and rule in _LISTED else [value]
            for item in many:
                node = self.parsed(item, start, key.text)
                if node is not None:
                    yield Node(rule, (node,), node.span)

        return read

    # ---- keys with a shape of their own

    def title(self, key: Scalar, value: Value) -> Iterator[Node]:
        if isinstance(value, Scalar) and value.text.strip():
            word = Word("STRING", quoted(value.text), value.span)
            yield Node("plan", (Node("title", (word,), value.span),), value.span)
        else:
            self.findings.append(finding("S001", "`plan` is a title", _visible(_first_line(value.span))))

    def laws(self, key: Scalar, value: Value) -> Iterator[Node]:
        words: list[Node | Word | None] = []
        for item in value.items if isinstance(value, Sequence) else [value]:
            node = self.parsed(item, "law_names", "laws")
            words.extend(node.words() if node else ())
        if words:
            yield Node("use", (Node("law_names", tuple(words), value.span),), value.span)

    def lets(self, key: Scalar, value: Value) -> Iterator[Node]:
        for name, item in self.mapping(value, "let"):
            word, node = self.name(name, "a value"), self.parsed(item, "goal", name.text)
            if word and node:
                span = name.span.to(node.span)
                yield Node("let", (Node("let_spec", (word, node.children[0]), span),), span)

    def hardware(self, key: Scalar, value: Value) -> Iterator[Node]:
        pools: list[Node] = []
        for item in value.items if isinstance(value, Sequence) else [value]:
            if isinstance(item, Mapping):
                pools.append(self.hardware_block(item))
            else:
                node = self.parsed(item, "hw_spec", "hardware")
                pools.extend(node.nodes() if node else ())
        if pools:
            yield Node("hardware", (Node("hw_spec", tuple(pools), value.span),), value.span)

    def hardware_block(self, value: Mapping) -> Node:
        pairs: list[Node] = []
        for key, item in value.items:
            word = self.name(key, "a field")
            if word is None:
                continue
            if key.text == "device":
                node = self.parsed(item, "device", "device")
                pairs.extend([Node("hw_device", (node,), key.span.to(node.span))] if node else [])
            elif key.text in ("precision", "from", "until"):
                leaf = self.leaf(item, key.text)
                pairs.extend([Node(f"hw_{key.text}", (leaf,), key.span.to(leaf.span))] if leaf else [])
            else:
                pairs.extend(self.pair("hw_pair", word, item))
        return Node("hw_block", tuple(pairs), value.span)

    def leaf(self, value: Value, what: str) -> Word | None:
        type_, pattern = ("NAME", _NAME) if what == "precision" else ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}"))
        if isinstance(value, Scalar) and pattern.fullmatch(value.text.strip()):
            return Word(type_, value.text.strip(), value.span)
        wanted = "one word, such as bf16" if type_ == "NAME" else "a date (YYYY-MM-DD)"
        self.findings.append(finding("S001", f"`{what}` is {wanted}", _visible(_first_line(value.span))))
        return None

    def pair(self, rule: str, word: Word, value: Value) -> Iterator[Node]:
        node = self.parsed(value, "amount", word.text)
        if node is not None:
            yield Node(rule, (word, node), word.span.to(node.span))

    def pairs(self, rule: str, value: Mapping) -> tuple[Node, ...]:
        return tuple(
            node
            for key, item in value.items
            if (word := self.name(key, "a field"))
            for node in self.pair(rule, word, item)
        )

    def data(self, key: Scalar, value: Value) -> Iterator[Node]:
        if not isinstance(value, Mapping):
            yield from self.texts("data", "data_spec")(key, value)
            return
        for name, item in value.items:
            word, node = self.name(name, "a source"), self.parsed(item, "data_spec", name.text)
            if word and node:
                yield Node("data_named", (word, node), name.span.to(node.span))

    def model(self, key: Scalar, value: Value) -> Iterator[Node]:
        if isinstance(value, Mapping):
            block = Node("model_block", self.pairs("model_pair", value), value.span)
            yield Node("model", (Node("model_spec", (block,), value.span),), value.span)
        else:
            yield from self.texts("model", "model_spec")(key, value)

    def schedule(self, key: Scalar, value: Value) -> Iterator[Node]:
        if not isinstance(value, Mapping):
            yield from self.texts("schedule", "sched_spec")(key, value)
            return
        for name, item in value.items:
            word, node = self.name(name, "a phase"), self.parsed(item, "phase_spec", name.text)
            if word and node:
                yield Node("phase", (word, node), name.span.to(node.span))

    def stages(self, key: Scalar, value: Value) -> Iterator[Node]:
        for name, item in self.mapping(value, "stages"):
            word = self.name(name, "a stage")
            if word and isinstance(item, Mapping):
                block = Node("plan_block", tuple(self.statements(item)), item.span)
                yield Node("stage", (word, block), name.span.to(item.span))
            elif word:
                self.findings.append(finding("S001", f"stage `{name.text}` is a mapping", _visible(item.span)))

    def optimizer(self, key: Scalar, value: Value) -> Iterator[Node]:
        if not isinstance(value, Mapping):
            yield from self.texts("optimizer", "opt_spec")(key, value)
            return
        named = [item for name, item in value.items if name.text == "name"]
        if not named or not isinstance(named[0], Scalar) or not (word := self.name(named[0], "an optimizer")):
            help = ["add `name: AdamW`"]
            self.findings.append(finding("S001", "`optimizer` names none", _first_line(value.span), help=help))
            return
        rest = Mapping([pair for pair in value.items if pair[0].text != "name"], value.span)
        block = Node("opt_block", self.pairs("opt_pair", rest), value.span)
        yield Node("optimizer", (Node("opt_spec", (word, block), value.span),), value.span)


# Statements that may stand several times in the DSL, and so are a list in YAML.
_LISTED = frozenset({"import_", "rate", "require", "prefer", "minimize", "maximize"})


def quoted(text: str) -> str:
    """A raw text as the DSL would quote it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _visible(span: Span) -> Span:
    """A span of at least one character, so that there is something to point at."""
    if span.end > span.start:
        return span
    start = max(0, min(span.start, len(span.source.text) - 1))
    return Span(span.source, start, min(start + 1, len(span.source.text)))


def _view(scalar: Scalar) -> View:
    """The scalar's text with the way back to the file; exact unless it is written with escapes."""
    source, raw = scalar.span.source, scalar.span.text
    text = scalar.text.rstrip("\n")
    if scalar.style == "" and raw == text:
        return View(text, source, scalar.span.start)
    if scalar.style in ("'", '"') and raw[1:-1] == text:
        return View(text, source, scalar.span.start + 1)
    places = []
    at = raw.find("\n") + 1 if scalar.style in ("|", ">") else int(scalar.style in ("'", '"'))
    for c in text:
        while at < len(raw) and raw[at] != c:
            if not raw[at].isspace() and not (c == " " and raw[at] == "\n"):
                return View(text, source, whole=scalar.span)
            if c == " " and raw[at] == "\n":  # a folded line end
                break
            at += 1
        if at >= len(raw):
            return View(text, source, whole=scalar.span)
        places.append(scalar.span.start + at)
        at += 1
    return View(text, source, scalar.span.start, tuple(places))


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
