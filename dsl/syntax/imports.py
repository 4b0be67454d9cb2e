"""A path to the syntax tree of its file, with its imports resolved."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from runplan.dsl.expr.name import qualified
from runplan.dsl.syntax.cache import parsed
from runplan.dsl.syntax.statements import ASIDES, DEFINITIONS
from runplan.dsl.syntax.tree import NAMED_FIGURES, File, Imported, Node, Word, leaves, unquoted
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.limits import MAX_CHARACTERS, MAX_IMPORTS
from runplan.dsl.text.reader import Reader, decoded
from runplan.dsl.text.source import Source, Span
from runplan.dsl.text.words import FIELD

MAX_BROUGHT = 10_000


def read_file(path: str, reader: Reader) -> tuple[File, list[Finding]]:
    """A file by its path, in the spelling that its name tells, with its imports resolved.

    Raises:
        OSError: Where the file itself cannot be read; a missing import is a finding.
    """
    file, findings = _parsed(path, reader.read(path))
    imports = _Imports(reader)
    # A path is followed on the disk where another file may lead back to it.
    name = reader.resolve(path) if any(node.rule == "import_" for node in file.statements) else None
    statements = imports.resolved(file, (name or path,))
    findings = [*findings, *imports.findings]
    return File(
        file.source,
        tuple(statements),
        file.comments,
        blocks_of(findings),
        tuple(_lost(findings, statements)),
        tuple(imports.adrift),
        tuple(imports.plans_of(file)),
    ), findings


def blocks_of(findings: Iterable[Finding]) -> tuple[Span, ...]:
    """The block around each error: its lines from one that is not indented to the next such."""
    return tuple(_block_around(f.at.span) for f in findings if f.severity == "error")


def _lost(findings: Iterable[Finding], statements: Iterable[Node]) -> Iterator[Span]:
    """Around each error what was not read: from the last word before it that is in the tree to the next."""
    wrong = [f.at.span for f in findings if f.severity == "error"]
    if not wrong:
        return
    read = [leaf.span for node in statements for leaf in leaves(node)]
    for span in wrong:
        own = [word for word in read if word.source.path == span.source.path]
        start = max((word.end for word in own if word.start < span.start), default=0)
        end = min((word.start for word in own if word.start >= span.end), default=len(span.source.text))
        yield Span(span.source, min(start, span.start), end)


def _block_around(span: Span) -> Span:
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    while start > 0 and text[start : start + 1] in (" ", "\t", "}"):
        start = text.rfind("\n", 0, start - 1) + 1
    end = text.find("\n", span.end)
    while end >= 0 and text[end + 1 : end + 2] in (" ", "\t", "}"):
        end = text.find("\n", end + 1)
    return Span(span.source, start, len(text) if end < 0 else end)


def _parsed(path: str, content: bytes) -> tuple[File, list[Finding]]:
    source, wrong = decoded(path.replace(os.sep, "/"), content)
    if wrong:
        return File(source, ()), [wrong]
    return syntax_of(source)


def syntax_of(source: Source) -> tuple[File, list[Finding]]:
    """The syntax tree of a source in the spelling that its name tells."""
    return parsed(source, _parse_yaml if source.in_yaml else _parse_plan)


# The parsers are imported where a text is parsed: a tree from the cache needs neither Lark nor YAML.


def _parse_plan(source: Source) -> tuple[File, list[Finding]]:
    from runplan.dsl.syntax.parse import parse_file

    return parse_file(source)


def _parse_yaml(source: Source) -> tuple[File, list[Finding]]:
    from runplan.dsl.syntax.yaml import parse_yaml

    return parse_yaml(source)


IMPORTED = DEFINITIONS | {"let"}


class _Imports:
    """Follows imports; collects what is wrong, and the prefixes of what could not be brought."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.findings: list[Finding] = []
        self.adrift: list[str] = []
        self._read: dict[str, list[Node] | None] = {}
        # Of each file that was read its path, and the plans that it imports under a name; of the first file, too.
        self._paths: dict[str, str] = {}
        self._plans: dict[str, dict[str, Imported]] = {}
        self._broken: set[str] = set()
        self._characters = 0

    def plans_of(self, file: File) -> Iterable[Imported]:
        """The plans that a file which was resolved imports under a name, and those that they do."""
        return self._plans.get(file.source.path, {}).values()

    def resolved(self, file: File, chain: tuple[str, ...]) -> list[Node]:
        """The statements of a file, those of its imports first."""
        brought: dict[tuple[Span, str], Node] = {}
        own: list[Node] = []
        plans = self._plans[file.source.path] = {}
        for node in file.statements:
            if node.rule != "import_":
                own.append(node)
                continue
            spec = next(node.nodes())
            alias = spec.children[1]
            read = self._statements(file, spec.word(0), chain)
            if read is None:
                self.adrift.append(qualified(alias.text, "") if isinstance(alias, Word) else "")
                continue
            path, found = read
            if path in self._broken and isinstance(alias, Word):
                self.adrift.append(qualified(alias.text, ""))
            inner = self._plans[path]
            for name, plan in inner.items():
                outer = qualified(alias.text, name) if isinstance(alias, Word) else name
                plans.setdefault(outer, Imported(outer, plan.path, plan.span))
            if isinstance(alias, Word) and any(n.rule not in (*IMPORTED, *ASIDES) for n in found):
                if alias.text in plans:
                    also = [Label(plans[alias.text].span, "another plan")]
                    message = f"two plans are imported as `{alias.text}`"
                    self.findings.append(finding("N005", message, node.span, also=also))
                plans[alias.text] = Imported(alias.text, path, node.span)
            kept = [n for n in found if n.rule in IMPORTED]
            if len(brought) + len(kept) > MAX_BROUGHT:
                message = f"imports bring more than {MAX_BROUGHT:,} definitions"
                self.findings.append(finding("S004", message, node.span))
                self.adrift.append("")
                return own
            # Two ways to one file bring it once.
            for n in renamed(kept, alias.text, inner) if isinstance(alias, Word) else kept:
                brought.setdefault((n.span, _name_of(n).text), n)
        clashes = {name: (span, name) for (span, name), n in brought.items() if n.rule == "let"}
        for node in own:
            if node.rule == "let" and (name := _name_of(node).text) in clashes:
                also = [Label(clashes[name][0], "the import brings it")]
                message = f"`{name}` is given here and by an import"
                self.findings.append(finding("N005", message, node.span, also=also))
                brought.pop(clashes[name], None)
        return [*brought.values(), *own]

    def _statements(self, file: File, target: Word, chain: tuple[str, ...]) -> tuple[str, list[Node]] | None:
        """The path of an import and the statements that it brings; None, with a finding, where it cannot be read."""
        relative = unquoted(target.text)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file.source.path), relative))
        elsewhere = os.path.isabs(relative) or relative.startswith("~") or "://" in relative
        real = None if elsewhere else self.reader.resolve(path)
        if real is None:
            message = f"the import `{relative[:80]}` lies outside the project"
            help = ["imports are relative and stay inside the project's root"]
            self.findings.append(finding("N004", message, target.span, help=help))
            return None
        if real in chain:
            names = " -> ".join(posixpath.basename(p) for p in [*chain[chain.index(real) :], real])
            message = f"files import each other in a circle: {names}"
            self.findings.append(finding("N003", message, target.span))
            return None
        if real not in self._read:
            self._read[real] = None
            if len(self._read) > MAX_IMPORTS:
                message = f"more than {MAX_IMPORTS} files are imported"
                self.findings.append(finding("S004", message, target.span))
                return None
            try:
                inner, wrong = _parsed(path, self.reader.read(path))
            except OSError as error:
                reason = error.strerror or "cannot be read"
                message = f"the import `{relative[:80]}` cannot be read: {reason}"
                help = ["the path of an import is from the folder of the file that imports it"]
                self.findings.append(finding("N004", message, target.span, help=help))
                return None
            self.findings.extend(wrong)
            if any(f.severity == "error" for f in wrong):
                self._broken.add(inner.source.path)
            self._characters += len(inner.source.text)
            if self._characters > MAX_CHARACTERS:
                message = f"the imports have more than {MAX_CHARACTERS:,} characters"
                self.findings.append(finding("S004", message, target.span))
                return None
            self._paths[real] = inner.source.path
            self._read[real] = self.resolved(inner, (*chain, real))
        statements = self._read[real]
        return None if statements is None else (self._paths[real], statements)


def _name_of(node: Node) -> Word:
    """The word by which a definition is known."""
    if node.rule in ("let", "override"):
        return _name_of(next(node.nodes()))
    return node.word(1) if node.rule == "record" else next(node.words())


def renamed(statements: Sequence[Node], alias: str, plans: Iterable[str]) -> list[Node]:
    """Imported statements under `alias.name`, and each other's names in them; what overrides keeps its name.

    Args:
        plans: The names of the plans that they have results of.
    """
    results = tuple(qualified(plan, "") for plan in plans)
    named = {_name_of(n).text for n in statements if n.rule in ("law", "schedule_def") or _kind(n) not in ("", "mfu")}
    figures = {
        figure
        for node in statements
        if _kind(node) in NAMED_FIGURES
        for figure in (_name_of(node).text, *(f"{_name_of(node).text}.{key}" for key in _keys(node)))
    }
    values = {_name_of(node).text for node in statements if node.rule == "let"} | figures

    def under(item: Node | Word | None, names: set[str]) -> Node | Word | None:
        """The same with every name of some under the alias."""
        if isinstance(item, Word):
            named = item.text in names or (bool(results) and item.text.startswith(results))
            rename = item.type in ("NAME", "DEVICE") and named
            return Word(item.type, qualified(alias, item.text), item.span) if rename else item
        return item and Node(item.rule, tuple(under(child, names) for child in item.children), item.span)

    def field(m: re.Match[str]) -> str:
        return f"{{{qualified(alias, m[1])}{m[2]}}}" if m[1] in values else m[0]

    def part_of_rule(item: Node | Word | None) -> Node | Word | None:
        """A part of a rule; its examples are plans of their own."""
        if not isinstance(item, Node) or item.rule in ("rule_breaks", "rule_keeps"):
            return item
        if item.rule in ("rule_says", "rule_help"):
            text = item.word(0)
            return Node(item.rule, (Word(text.type, FIELD.sub(field, text.text), text.span),), item.span)
        return under(item, values)

    def definition(node: Node) -> Node:
        """A definition with its own name, and those of others that it mentions, under the alias."""
        children = list(node.children)
        if node.rule in ("let", "require"):
            children = [under(child, values) for child in children]
        elif node.rule == "override":
            children = [definition(child) for child in node.nodes()]
        elif node.rule == "rule":
            block = node.node("rule_block")
            assert block is not None
            children[-1] = Node(block.rule, tuple(map(part_of_rule, block.children)), block.span)
        for i in {"law": (0, 2), "record": (1,), "schedule_def": (0,)}.get(node.rule, ()):
            children[i] = under(children[i], named)
        if node.rule == "schedule_def":
            children[-1] = under(children[-1], named)  # the shapes of its phases
        return Node(node.rule, tuple(children), node.span)

    return list(map(definition, statements))


def _keys(record: Node) -> Iterator[str]:
    """What the figures of a record are called."""
    block = record.node("record_block")
    return (entry.word(0).text for entry in (block.nodes("entry") if block else ()))


def _kind(node: Node) -> str:
    """The kind of a record; empty for what is none."""
    return node.word(0).text if node.rule == "record" else ""
