"""One version of a file, read: its tree, the names in it, and what is known where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from runplan import Project
from runplan.dsl.dataclass import replace
from runplan.dsl.packs.headers import Header
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law, Pack
from runplan.dsl.plan.lower import begun, lower
from runplan.dsl.plan.reading import Reading
from runplan.dsl.syntax.imports import read_file, syntax_of
from runplan.dsl.syntax.statements import ASIDES, BY_RULE, DEFINITIONS
from runplan.dsl.syntax.tree import File, Node, name_of, unquoted
from runplan.dsl.syntax.views import spec_of
from runplan.dsl.text.finding import Finding, in_order
from runplan.dsl.text.nearest import MAX_WORD
from runplan.dsl.text.reader import Buffer, decoded
from runplan.dsl.text.source import YAML, Source, Span
from runplan.dsl.units.table import table_of_units
from runplan.editor.buffers import Seen
from runplan.editor.ignores import codes_of
from runplan.editor.uses import Names, Use

# A key of YAML that is one word, as those of statements are.
_KEY = re.compile(r"(?<![a-z_])[a-z_]++(?=[\"']?[ \t]*:)")
_WORD = re.compile(r"\w[\w.-]*(?:/[\w/]+)?")
# Lines of YAML that are passed over, for the rest to be read.
MAX_PASSED_OVER = 5
# The kinds of a use that name a part of the plan itself.
PARTS = {"source": "data_named", "phase": "phase", "stage": "stage"}


class Document:
    """A file of a project as it is now. What is found out about it is found out once.

    Attributes:
        path: On disk.
        name: As the project's reader and findings call it.
        seen: What was read to know it.
        source: Its text.
        file: Its tree, without what it imports; of YAML that is none, without the lines that keep it from being some.
        findings: Why it is no text or is not of the language.
        resolved: Its tree with what it imports; of a pack its own.
        is_pack: Whether it is of a pack that the project knows in any case, or of the library.
    """

    def __init__(self, path: str, name: str, project: Project, seen: Seen, *, is_pack: bool) -> None:
        """Read a file.

        Raises:
            OSError: Where it cannot be read.
        """
        self.path, self.name, self.project, self.seen, self.is_pack = path, name, project, seen, is_pack
        source, wrong = decoded(name, seen.read(name))
        self.source: Source = source
        found = (File(source, ()), [wrong]) if wrong else syntax_of(source)
        self.findings: tuple[Finding, ...] = tuple(found[1])
        self.file: File = _readable(*found) if self.in_yaml and not wrong else found[0]
        # Read at once: what it imports is among what was seen, so that an edit of it is an edit of this.
        self.resolved: File = self.file if is_pack else self._resolved()

    @property
    def in_yaml(self) -> bool:
        """Whether it is spelled in YAML."""
        return self.name.endswith(YAML)

    @property
    def is_plan(self) -> bool:
        """Whether it says more than definitions and what others import."""
        others = {*DEFINITIONS, *ASIDES, "import_"}
        return not self.is_pack and any(node.rule not in others for node in self.file.statements)

    def _resolved(self) -> File:
        readable = self.file.source.text.encode("utf-8", "surrogatepass")
        file, _ = read_file(self.name, Buffer(self.name, readable, self.seen))
        # What imported plans come to is not solved for a name.
        return replace(file, adrift=(*file.adrift, *(f"{one.alias}." for one in file.imported)))

    @cached_property
    def _begun(self) -> tuple[Reading, Pack]:
        return begun(self.resolved, self.project.library.vocabulary())

    @property
    def reading(self) -> Reading:
        """What its statements are read by: names, money, `let`s."""
        return self._begun[0]

    @cached_property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong with it before anything is solved."""
        file, found = read_file(self.name, self.seen)
        if self.is_pack:
            own = (f for f in self.project.library.findings if f.at.span.source.path == self.name)
            return in_order([*self.findings, *own])
        lowered = lower(self.resolved, self.project.library.vocabulary())
        known = self.project.library.with_pack(lowered.pack, file.broken)
        return in_order([*found, *lowered.findings, *known.findings])

    @cached_property
    def library(self) -> Library:
        """What is known, with what it defines itself or imports."""
        known = self.project.library
        return known if self.is_pack else known.with_pack(self._begun[1], self.resolved.broken)

    @cached_property
    def aliases(self) -> Mapping[str, Span]:
        """The names under which it imports files, with where they are given."""
        specs = (spec_of(node) for node in self.file.statements if node.rule == "import_")
        return {spec.word(1).text: spec.word(1).span for spec in specs if len(spec.children) > 1 and spec.children[1]}

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every name in it, in order; of those at one place the widest first."""
        found = [*Names(self.reading.words, frozenset(self.aliases)).uses(self.file.statements)]
        found += [Use("rule", *code) for comment in self.file.comments for code in codes_of(comment)]
        return tuple(sorted(found, key=lambda use: (use.span.start, -use.span.end)))

    def uses_at(self, offset: int) -> tuple[Use, ...]:
        """The names at a place, the narrowest first; what ends there counts, too."""
        found = [use for use in self.uses if use.span.start <= offset <= use.span.end]
        if not found and self.statement_at(offset) is None:
            return tuple(self._unread(offset))
        return tuple(sorted(found, key=lambda use: (use.span.end - use.span.start, use.span.end == offset)))

    def _unread(self, offset: int) -> Iterator[Use]:
        """What a word of a line that could not be read may be the name of."""
        for word in _WORD.finditer(self.source.text, max(offset - MAX_WORD, 0), offset + MAX_WORD):
            if word.start() <= offset <= word.end():
                span = Span(self.source, word.start(), word.end())
                meant = self.reading.words.bind(word[0])
                if meant is not None:
                    yield Use(meant.kind, meant.text, span, value=meant)
                yield from (Use(kind, word[0], span) for kind in ("device", "law") if self.header(kind, word[0]))
                if word[0] in table_of_units().units:
                    yield Use("unit", word[0], span)

    @cached_property
    def statements(self) -> tuple[Node, ...]:
        """Its statements, those inside stages and examples too, outer ones first."""
        found: list[Node] = []
        waiting = list(reversed(self.file.statements))
        while waiting:
            node = waiting.pop()
            found.append(node)
            block = node.node("plan_block") if node.rule == "stage" else None
            waiting += reversed(list(block.nodes())) if block else ()
        return tuple(found)

    def statement_at(self, offset: int) -> Node | None:
        """The innermost statement at a place."""
        found = [node for node in self.statements if node.span.start <= offset <= node.span.end]
        return found[-1] if found else self._statement_of_key(offset)

    def _statement_of_key(self, offset: int) -> Node | None:
        """The statement that a key of YAML begins, which stands before what it says."""
        text = self.source.text
        begin, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
        for key in _KEY.finditer(text, begin, len(text) if end < 0 else end) if self.in_yaml else ():
            if key.start() <= offset <= key.end():
                behind = (node for node in self.statements if node.span.start >= key.start())
                return next((node for node in behind if BY_RULE[node.rule].fills == key[0]), None)
        return None

    def stage_at(self, offset: int) -> str:
        """The stage that a place is in; empty outside of all."""
        stages = (node for node in self.file.statements if node.rule == "stage")
        return next((name_of(node).text for node in stages if node.span.start <= offset <= node.span.end), "")

    def law_at(self, offset: int) -> Law | None:
        """The law whose definition a place is in, as the library knows it."""
        nodes = (node.node("law") or node if node.rule == "override" else node for node in self.file.statements)
        around = (n for n in nodes if n.rule == "law" and n.span.start <= offset <= n.span.end)
        found = next(around, None)
        return None if found is None else self.library.law(found.word(0).text)

    # ---- what is named where

    def let(self, name: str) -> Span | None:
        """Where a `let` is named, in this file or in one that it imports."""
        return self._lets.get(name)

    @cached_property
    def _lets(self) -> Mapping[str, Span]:
        specs = (spec_of(node).word(0) for node in self.resolved.statements if node.rule == "let")
        return {word.text: word.span for word in reversed(list(specs))}

    def part(self, kind: str, name: str) -> Span | None:
        """Where a part of the plan is named."""
        nodes = (node for node in self.statements if node.rule == PARTS[kind] and name_of(node).text == name)
        return next((name_of(node).span for node in nodes), None)

    def header(self, kind: str, name: str) -> Header | None:
        """The definition that a name means where this file stands."""
        if kind == "device" and (meant := self.library.device(name)):
            name = meant.name
        if kind == "model" and (model := self.reading.vocabulary.model(name)):
            name = model.name
        return self.library.index(kind).get(name.lower())

    def imports(self) -> Iterator[tuple[Span, str]]:
        """Each import: where its path is written, and that path."""
        for node in self.file.statements:
            if node.rule == "import_":
                word = spec_of(node).word(0)
                yield word.span, unquoted(word.text)


def _readable(file: File, findings: Sequence[Finding]) -> File:
    """A file of YAML, read without some lines where nothing of it can be read with them; the others stay in place."""
    source, at = file.source, findings[-1].at.span.line if findings else 0
    for _ in range(MAX_PASSED_OVER):
        if file.statements or at < 1:
            return file
        while at > 1 and not source.line_text(at).strip():  # a mistake may show on the line after
            at -= 1
        begin = sum(len(line) + 1 for line in source.text.split("\n")[: at - 1])
        line = source.line_text(at)
        source = Source(source.path, f"{source.text[:begin]}{' ' * len(line)}{source.text[begin + len(line) :]}")
        file, found = syntax_of(source)
        at = found[-1].at.span.line if found else 0
    return file
