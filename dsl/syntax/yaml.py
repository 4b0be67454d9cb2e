"""The YAML spelling to the same syntax tree: each scalar is raw text, parsed by the grammar rule of its key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from runplan.dsl.syntax.grammar import MAX_FINDINGS, RESERVED, comments, parse
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, Span, View
from runplan.dsl.text.words import cut

MAX_DEPTH = 32
MAX_NODES = 10_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# As the terminals of the grammar.
_NAME = re.compile(r"[A-Za-z_]\w*([.-][A-Za-z0-9_]+)*")
_NAMED = re.compile(r"\w[\w.-]*")
# Stands for a value that could not be read; what holds it is left out without another word.
POISON = "\ue000"


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
    root, findings = _composed(source)
    reader = _Reader(source, findings)
    statements: list[Node] = []
    if isinstance(root, Mapping):
        statements = list(reader.statements(root))
    elif root is not None and not reader.poisoned(root):
        help = ["begin with a statement, such as `hardware: 1000 x H100 for 6 months`"]
        message = "a plan is a mapping of statements"
        reader.findings.append(finding("S001", message, _first_line(root.span), help=help))
    return File(source, tuple(statements), comments(source)), reader.findings[:MAX_FINDINGS]


def _first_line(span: Span) -> Span:
    line_end = span.source.text.find("\n", span.start)
    return span if line_end < 0 else Span(span.source, span.start, max(span.start, min(span.end, line_end)))


def _composed(source: Source) -> tuple[Value | None, list[Finding]]:
    """The nodes of a text, and what is wrong with its YAML.

    A value that is no YAML is masked, and the text read again: all mistakes show in one run.
    """
    text, broken = source.text, list[Finding]()
    while True:
        composer = _Composer(source)
        try:
            root = composer.root(text)
        except _Refused as refused:
            return None, [*broken, *composer.findings, refused.finding]
        except yaml.MarkedYAMLError as error:
            broken.append(_yaml_finding(source, error))
            masked = _masked(text, error)
            if masked is None or len(broken) >= MAX_FINDINGS or POISON in source.text:
                return None, broken
            text = masked
        except yaml.YAMLError as error:
            at = min(getattr(error, "position", 0) or 0, max(len(source.text) - 1, 0))
            return None, [finding("S003", "a character that YAML does not allow", Span(source, at, at + 1))]
        else:
            return root, [*broken, *composer.findings]


# Mistakes that end with their value; after another one the rest of the text cannot be told apart.
_LOCAL = ("not allowed in this context", "cannot start any token", "alphabetic or numeric", "unexpected end of stream")
_PAIR = re.compile(r"([ ]*(?:-[ ]+)*(?:[\w.-]+|\"[^\"\n]*\")[ ]*:[ ]+|[ ]*-[ ]+)(\S.*)")


def _masked(text: str, error: yaml.MarkedYAMLError) -> str | None:
    """The text with the value at fault replaced by one that says nothing, as long as before."""
    mark = error.problem_mark
    if "unexpected end of stream" in (error.problem or ""):
        mark = error.context_mark
    if mark is None or not any(words in (error.problem or "") for words in _LOCAL):
        return None
    start = text.rfind("\n", 0, mark.index) + 1
    end = text.find("\n", start)
    m = _PAIR.fullmatch(text, start, len(text) if end < 0 else end)
    if m is None or POISON in m[2] or mark.index < m.start(2):
        return None
    return text[: m.start(2)] + POISON + " " * (len(m[2]) - 1) + text[m.end(2) :]


class _Composer:
    """Nodes from libyaml's events. Not yaml.compose: deep nesting kills the interpreter there, and a repeated
    key wins silently."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self._root: Value | None = None
        self._stack: list[Mapping | Sequence] = []
        # For each open collection the key that waits for its value, whether it is kept, and the keys so far.
        self._key: list[tuple[Scalar, bool] | None] = []
        self._keys: list[dict[str, Span]] = []

    def root(self, text: str) -> Value | None:
        """The one document of a text.

        Raises:
            _Refused: Where it is too deep or too long to be read, or no plan at all.
            yaml.YAMLError: Where it is no YAML.
        """
        documents = 0
        for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
            span = _span(self.source, event)
            if count > MAX_NODES:
                raise _Refused(finding("S004", f"the file has more than {MAX_NODES:,} values", span))
            tag = getattr(event, "tag", None)
            if tag:
                self._feature(f"tags are not read: `{cut(tag)}`", span, "leave the tag out")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                self._feature("anchors and aliases are not read", span, "name a value with `let:` instead")
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._feature("a plan is one YAML document; here a second one begins", span)
                    break
                if event.version or event.tags:
                    self._feature("YAML directives are not read", _first_line(span))
            elif isinstance(event, yaml.AliasEvent):
                self._put(Scalar(POISON, "", span))
            elif isinstance(event, yaml.ScalarEvent):
                self._put(Scalar(event.value, event.style or "", span))
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                node: Mapping | Sequence
                node = Mapping([], span) if isinstance(event, yaml.MappingStartEvent) else Sequence([], span)
                self._put(node)
                self._stack.append(node)
                self._key.append(None)
                self._keys.append({})
                if len(self._stack) > MAX_DEPTH:
                    raise _Refused(finding("S004", f"the file is nested more than {MAX_DEPTH} deep", span))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                ended = self._stack.pop()
                self._key.pop()
                self._keys.pop()
                ended.span = Span(self.source, ended.span.start, max(ended.span.start, span.end))
        return self._root

    def _feature(self, message: str, span: Span, help: str = "") -> None:
        """What YAML has and plans have not; the first use stands for all."""
        if not any(f.code == "S005" for f in self.findings):
            self.findings.append(finding("S005", message, span, help=[help] if help else []))

    def _put(self, node: Value) -> None:
        if not self._stack:
            self._root = node
            return
        top = self._stack[-1]
        if isinstance(top, Sequence):
            top.items.append(node)
            return
        waiting = self._key[-1]
        if waiting is not None:
            key, kept = waiting
            if kept:
                top.items.append((key, node))
            self._key[-1] = None
            return
        if not isinstance(node, Scalar):
            raise _Refused(finding("S001", "a key of a mapping is a plain word", _first_line(node.span)))
        first = self._keys[-1].setdefault(node.text, node.span)
        merges = node.text == "<<" and not node.style
        if merges:
            self._feature("merge keys are not read", node.span, "write the values out")
        elif first is not node.span:
            also = [Label(first, "the first is here")]
            self.findings.append(finding("S002", f"`{cut(node.text)}` is given twice", node.span, also=also))
        self._key[-1] = (node, first is node.span and not merges)


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
    problem = error.problem or "cannot be read"
    if error.context_mark and "quoted scalar" in (error.context or ""):
        at = error.context_mark.index
        span = Span(source, at, min(at + 1, len(source.text)))
        return finding("S001", "a quote that is not closed", span)
    span = Span(source, at, min(at + 1, len(source.text)))
    c = source.text[at : at + 1]
    line = source.line_text(span.line)
    if "\t" in line[: len(line) - len(line.lstrip())] or c == "\t":
        return finding("S001", "a tab where YAML wants blanks", span, help=["indent with blanks"])
    if "mapping keys are not allowed" in problem and c == "?":
        help = ['write `unknown`, or `"?"` in quotes']
        return finding("S001", "a YAML value cannot begin with `?`", span, help=help)
    if "alphabetic or numeric" in problem:  # `*name` or `&name` that is no alias
        return finding("S001", "a YAML value cannot begin with `*` or `&`", span, help=["put the value in quotes"])
    if "cannot start any token" in problem and c.strip():
        return finding("S001", f"a YAML value cannot begin with `{c}`", span, help=["put the value in quotes"])
    if "mapping values are not allowed" in problem:
        help = ["put a value that contains `: ` in quotes, and each statement on a line of its own"]
        return finding("S001", "a second `:` on the line", span, help=help)
    return finding("S001", f"not valid YAML: {problem}", _visible(span))


class _Reader:
    """Turns the keys of a mapping into statements. One method a shape of value, one row a key."""

    def __init__(self, source: Source, findings: list[Finding]) -> None:
        self.source = source
        self.findings = findings
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
            "objective": self.objective,
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
                help = [f"did you mean `{special}`?"] if special else did_you_mean(key.text, self.rows)
                if not help:
                    help = ["a plan's keys are " + ", ".join(f"`{name}`" for name in list(self.rows)[:9]) + ", ..."]
                self.findings.append(finding("N001", f"unknown statement `{cut(key.text)}`", key.span, help=help))
                continue
            yield from row(key, value)

    # ---- pieces

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
            self.findings.append(finding("S001", message, _first_line(value.span)))
            return None
        if not value.text.strip():
            self.findings.append(finding("S001", f"`{cut(what)}` has no value", _visible(value.span)))
            return None
        node, findings = parse(_view(value), start)
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
            self.findings.append(finding("S001", message, _visible(key.span), help=help))
        return None

    def field(self, key: Scalar) -> Word | None:
        """The name of a field; whether there is such a one is told later."""
        if _NAME.fullmatch(key.text):
            return Word("NAME", key.text, key.span)
        if not self.poisoned(key):
            self.findings.append(finding("N001", f"unknown field `{cut(key.text)}`", _visible(key.span)))
        return None

    def named(self, key: Scalar, what: str) -> Word | None:
        """A name that stands for itself: any word, or a quoted text."""
        if _NAMED.fullmatch(key.text):
            return Word("NAMED", key.text, key.span)
        if key.style in ("'", '"') and key.text.strip() and "\n" not in key.text:
            return Word("STRING", quoted(key.text), key.span)
        message = f"`{cut(key.text)}` is no name for {what}"
        help = ["a name is one word of letters, digits and `-._`, or is put in quotes"]
        self.findings.append(finding("S001", message, _visible(key.span), help=help))
        return None

    def mapping(self, value: Value, what: str) -> list[tuple[Scalar, Value]]:
        if isinstance(value, Mapping):
            return value.items
        if not self.poisoned(value):
            message = f"`{what}` is a mapping of names to values"
            self.findings.append(finding("S001", message, _visible(_first_line(value.span))))
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
        elif not self.poisoned(value):
            self.findings.append(finding("S001", "`plan` is a title", _visible(_first_line(value.span))))

    def laws(self, key: Scalar, value: Value) -> Iterator[Node]:
        words: list[Node | Word | None] = []
        for item in value.items if isinstance(value, Sequence) else [value]:
            node = self.parsed(item, "law_names", "laws")
            words.extend(node.words() if node else ())
        if words:
            yield Node("use", (Node("law_names", tuple(words), value.span),), value.span)

    def objective(self, key: Scalar, value: Value) -> Iterator[Node]:
        """One objective; or a list or a mapping with shares, which mixes several as `CLM 50%, MLM 50%` does."""
        if isinstance(value, Scalar) or len(value.items) < 2:
            yield from self.texts("objective", "obj_spec")(key, value)
            return
        domain: Node | Word | None = None
        parts: list[Node] = []
        for item in value.items:
            name, share = item if isinstance(item, tuple) else (item, None)
            node = self.parsed(name, "obj_spec", key.text)
            weight = self.parsed(share, "quantity", key.text) if share else None
            if node is None or (share and weight is None):
                return
            if node.rule != "single":
                self.findings.append(finding("S001", "an objective of several is CLM or MLM", node.span))
                return
            parts.append(Node("mixed_part", (node.children[0], weight), node.span))
            domain = domain or node.children[1]
        span = key.span.to(value.span)  # a list may begin below its key
        yield Node("objective", (Node("mixed", (None, *parts, domain), span),), span)

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
            word = self.field(key)
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
        if self.poisoned(value):
            return None
        wanted = "one word, such as bf16" if type_ == "NAME" else "a date (YYYY-MM-DD)"
        self.findings.append(finding("S001", f"`{what}` is {wanted}", _visible(_first_line(value.span))))
        return None

    def pair(self, rule: str, word: Word, value: Value) -> Iterator[Node]:
        node = self.parsed(value, "amount", word.text)
        if node is not None:
            yield Node(rule, (word, node), word.span.to(node.span))

    def pairs(self, rule: str, value: Mapping) -> tuple[Node, ...]:
        return tuple(
            node for key, item in value.items if (word := self.field(key)) for node in self.pair(rule, word, item)
        )

    def data(self, key: Scalar, value: Value) -> Iterator[Node]:
        if not isinstance(value, Mapping):
            yield from self.texts("data", "data_spec")(key, value)
            return
        for name, item in value.items:
            word, node = self.named(name, "a source"), self.parsed(item, "data_spec", name.text)
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
            word, node = self.named(name, "a phase"), self.parsed(item, "phase_spec", name.text)
            if word and node:
                yield Node("phase", (word, node), name.span.to(node.span))

    def stages(self, key: Scalar, value: Value) -> Iterator[Node]:
        for name, item in self.mapping(value, "stages"):
            word = self.named(name, "a stage")
            if word and isinstance(item, Mapping):
                block = Node("plan_block", tuple(self.statements(item)), item.span)
                yield Node("stage", (word, block), name.span.to(item.span))
            elif word and not self.poisoned(item):
                message = f"stage `{cut(name.text)}` is a mapping of statements"
                self.findings.append(finding("S001", message, _visible(_first_line(item.span))))

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
    text = span.source.text
    if text[span.start : span.end].strip():
        return span
    start = max(0, min(span.start, len(text) - 1))
    while start > 0 and text[start].isspace():
        start -= 1
    return Span(span.source, start, min(start + 1, len(text)))


# One character of a quoted scalar, as it is written.
_ESCAPED = re.compile(r"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|.", re.DOTALL)
_DOUBLED = re.compile(r"''|.", re.DOTALL)


def _view(scalar: Scalar) -> View:
    """The scalar's text with the way back to the file; exact unless it is written with escapes."""
    source, raw = scalar.span.source, scalar.span.text
    text = scalar.text.rstrip("\n")
    if scalar.style == "" and raw == text:
        return View(text, source, scalar.span.start)
    if scalar.style in ("'", '"') and raw[1:-1] == text:
        return View(text, source, scalar.span.start + 1)
    if scalar.style in ("'", '"') and "\n" not in raw:
        parts = list((_ESCAPED if scalar.style == '"' else _DOUBLED).finditer(raw, 1, len(raw) - 1))
        if len(parts) == len(text):
            return View(text, source, scalar.span.start, tuple(scalar.span.start + m.start() for m in parts))
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
