"""The text of a YAML file to its values as they are written; all that YAML has and plans have not is a finding."""

from __future__ import annotations

import re

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.statements import BY_KEY
from runplan.dsl.syntax.yaml_scalars import Scalar, first_line, visible
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.limits import MAX_FINDINGS, MAX_YAML_DEPTH, MAX_YAML_VALUES
from runplan.dsl.text.pattern import pattern, uncompiled
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import cut

with uncompiled():
    import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Stands for a value that could not be read; what holds it is left out without another word.
POISON = "\ue000"


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


def composed(source: Source) -> tuple[Value | None, list[Finding]]:
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
_PAIR = pattern(r"([ ]*(?:-[ ]+)*(?:[\w.-]+|\"[^\"\n]*\")[ ]*:[ ]+|[ ]*-[ ]+)(\S.*)")


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
    """Values from libyaml's events.

    Not yaml.compose: deep nesting kills the interpreter there, and a repeated key wins silently.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self._root: Value | None = None
        self._documents = 0
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
        for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
            span = _span(self.source, event)
            if count > MAX_YAML_VALUES:
                raise _Refused(finding("S004", f"the file has more than {MAX_YAML_VALUES:,} values", span))
            self._no_features(event, span)
            if isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    break
            elif isinstance(event, yaml.AliasEvent):
                self._put(Scalar(POISON, "", span))
            elif isinstance(event, yaml.ScalarEvent):
                # What is refused of a value is said, and what it says is not looked into.
                refused = (event.anchor or event.tag) and self._at_value
                self._put(Scalar(POISON if refused else event.value, event.style or "", span))
            elif isinstance(event, yaml.MappingStartEvent):
                self._open(Mapping([], span))
            elif isinstance(event, yaml.SequenceStartEvent):
                self._open(Sequence([], span))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._close(span)
        return self._root

    def _open(self, node: Mapping | Sequence) -> None:
        self._put(node)
        self._stack.append(node)
        self._key.append(None)
        self._keys.append({})
        if len(self._stack) > MAX_YAML_DEPTH:
            raise _Refused(finding("S004", f"the file is nested more than {MAX_YAML_DEPTH} deep", node.span))

    def _close(self, span: Span) -> None:
        ended = self._stack.pop()
        self._key.pop()
        self._keys.pop()
        ended.span = Span(self.source, ended.span.start, max(ended.span.start, span.end))

    def _no_features(self, event: yaml.Event, span: Span) -> None:
        """Say what an event has that plans have not."""
        tag = getattr(event, "tag", None)
        if tag:
            self._feature(f"tags are not read: `{cut(tag)}`", span, "leave the tag out")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._feature("anchors and aliases are not read", span, "name a value with `let:` instead")
        if isinstance(event, yaml.DocumentStartEvent):
            if self._documents:
                self._feature("a plan is one YAML document; here a second one begins", span, "leave the `---` out")
            elif event.version or event.tags:
                self._feature("YAML directives are not read", first_line(span))

    def _feature(self, message: str, span: Span, help: str = "") -> None:
        """What YAML has and plans have not; the first use stands for all."""
        if not any(f.code == "S005" for f in self.findings):
            self.findings.append(finding("S005", message, span, help=[help] if help else []))

    @property
    def _at_value(self) -> bool:
        """Whether what comes next is a value, and no key."""
        return bool(self._stack) and (isinstance(self._stack[-1], Sequence) or self._key[-1] is not None)

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
            raise _Refused(finding("S001", "a key of a mapping is a plain word", first_line(node.span)))
        first = self._keys[-1].setdefault(node.text, node.span)
        merges = node.text == "<<" and not node.style
        if merges:
            self._feature("merge keys are not read", node.span, "write the values out")
        elif first is not node.span:
            also = [Label(first, "the first is here")]
            message, help = f"`{cut(node.text)}` is given twice", ["give it once; where it may say several, as a list"]
            self.findings.append(finding("S002", message, node.span, also=also, help=help))
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
    if keyless := _keyless(source, error):
        return keyless
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
    before = source.line_text(span.line - 1) if span.line > 1 else ""
    if "mapping values are not allowed" in problem and _depth(line) > _depth(before) and line.count(": ") < 2:
        help = [f"write it below the line before: `{before[: _depth(before)]}{line.strip()}`"]
        return finding("S001", "the line is indented deeper than the one before, which has a value", span, help=help)
    title = re.fullmatch(r"plan: ([^\"'].*)", line)
    if "mapping values are not allowed" in problem and title:
        return finding("S001", "a second `:` on the line", span, help=[f'write `plan: "{title[1]}"`'])
    if "mapping values are not allowed" in problem:
        help = ["put a value that contains `: ` in quotes, and each statement on a line of its own"]
        return finding("S001", "a second `:` on the line", span, help=help)
    bound = re.fullmatch(r"(\s*(?:- )?[\w.-]+:\s*)([<>])=?\s*(\S.*)", line)
    if bound:
        said = f"{bound[1].strip()} at {'least' if bound[2] == '>' else 'most'} {bound[3]}"
        return finding("S001", f"a YAML value cannot begin with `{bound[2]}`", span, help=[f"write `{said}`"])
    if "{" in line and ";" in line:
        help = [f"between braces YAML has commas: write `{line.strip().replace(';', ',')}`"]
        return finding("S001", f"not valid YAML: {problem}", visible(span), help=help)
    help = ["leave the `-` out"] if line.startswith("- ") else []
    if not help and ("expected key" in problem or "<block end>" in problem) and _depth(line) != _depth(before):
        help = [f"indent it as the line before: `{before[: _depth(before)]}{line.strip()}`"]
    return finding("S001", f"not valid YAML: {problem}", visible(span), help=help)


def _keyless(source: Source, error: yaml.MarkedYAMLError) -> Finding | None:
    """A line of a mapping that is no key with its value, which YAML takes for the beginning of the line below."""
    text, mark = source.text, error.problem_mark
    if error.context == "while scanning a simple key" and error.context_mark is not None:
        at = error.context_mark.index
    elif mark is not None and "mapping values are not allowed" in (error.problem or ""):
        below = text.rfind("\n", 0, mark.index) + 1
        above = text[:below].rstrip()
        at = above.rfind("\n") + 1
        said = above[at:]
        if (
            not said
            or _depth(said) != _depth(source.line_text(mark.line + 1))
            or ":" in said
            or said[_depth(said)] in "#-"
        ):
            return None
    else:
        return None
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[start : len(text) if end < 0 else end].partition(" #")[0].rstrip()
    span = Span(source, start + _depth(line), start + len(line))
    word = re.match(r"([A-Za-z_][\w.-]*)\s*[=;]?\s*(.*)", line.strip())
    if word is None or (word[1] == line.strip() and word[1] not in BY_KEY):
        return finding("S001", "a value without its key", span, help=["write its key before it, with a `:` between"])
    key, value = word.groups()
    return finding(
        "S001", "a key without its `:`", span, help=[f"write `{key}: {value}`" if value else f"write `{key}:`"]
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
