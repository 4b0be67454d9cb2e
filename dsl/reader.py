"""Where text comes from: disk, standard input, a buffer; and bytes to a `Source`, or to why they are none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runplan.dsl.finding import Finding, Label, finding
from runplan.dsl.grammar import MAX_CHARACTERS, parse_file
from runplan.dsl.source import Source, Span
from runplan.dsl.syntax import File, Node, Word

MAX_BYTES = 4 * MAX_CHARACTERS
MAX_IMPORTS = 100


class Reader(Protocol):
    """Gives the bytes of a file by the path that a user or an import named."""

    def read(self, path: str) -> bytes:
        """The bytes.

        Raises:
            OSError: Where there is no such file, or it cannot be read.
        """

    def inside(self, path: str) -> bool:
        """Whether the path lies inside the project's root once links are followed."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Reads files. The root is the nearest folder above that holds `.git`, `pyproject.toml` or `runplan.toml`."""

    root: Path

    def read(self, path: str) -> bytes:
        """See `Reader`; a file beyond the limit is read only so far that the limit shows."""
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES + 1)

    def inside(self, path: str) -> bool:
        """See `Reader`."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))


@dataclass(frozen=True, slots=True)
class Buffer:
    """Standard input or an editor's buffer under a name, with a disk behind it for imports."""

    name: str
    content: bytes
    behind: Reader

    def read(self, path: str) -> bytes:
        """See `Reader`."""
        return self.content if path == self.name else self.behind.read(path)

    def inside(self, path: str) -> bool:
        """See `Reader`."""
        return self.behind.inside(path)


def project_root(path: Path) -> Path:
    """The root of the project in which a plan lies, else the plan's own folder."""
    folder = (path if path.is_dir() else path.parent).absolute()
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in (".git", "pyproject.toml", "runplan.toml")):
            return candidate
    return folder


def decoded(path: str, content: bytes) -> tuple[Source, Finding | None]:
    """The text of a file, and why it is no text where it is none."""
    empty = Source(path, "")
    start = Span(empty, 0, 0)
    if len(content) > MAX_BYTES:
        return empty, finding("S004", f"the file is larger than {MAX_BYTES:,} bytes", start)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return empty, finding("S003", "the file is UTF-16; plans are UTF-8", start, help=["save it as UTF-8"])
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        text = content[: error.start].decode("utf-8")
        source = Source(path, text)
        end = Span(source, len(text), len(text))
        return source, finding("S003", f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8 text", end)
    source = Source(path, text)
    for at, c in enumerate(text):
        if c < " " and c not in "\t\n\r\f":
            message = f"a control character (0x{ord(c):02x}): this is no text"
            return source, finding("S003", message, Span(source, at, at + 1))
    return source, None


def read_file(path: str, reader: Reader) -> tuple[File, list[Finding]]:
    """A file by its path, in the spelling that its name tells, with its imports resolved.

    Raises:
        OSError: Where the file itself cannot be read; a missing import is a finding.
    """
    file, findings = _parsed(path, reader.read(path))
    statements, found = _resolved(file, reader, (os.path.realpath(path),))
    return File(file.source, tuple(statements), file.comments), [*findings, *found]


def _parsed(path: str, content: bytes) -> tuple[File, list[Finding]]:
    source, wrong = decoded(path.replace(os.sep, "/"), content)
    if wrong:
        return File(source, ()), [wrong]
    if path.endswith((".yaml", ".yml")):
        from runplan.dsl.yaml_reader import parse_yaml

        return parse_yaml(source)
    return parse_file(source)


IMPORTED = frozenset({"let", "law", "record", "rule", "schedule_def", "quantity_def"})


def _resolved(file: File, reader: Reader, chain: tuple[str, ...]) -> tuple[list[Node], list[Finding]]:
    """The statements of a file, those of its imports first."""
    brought: list[Node] = []
    findings: list[Finding] = []
    own: list[Node] = []
    for node in file.statements:
        if node.rule != "import_":
            own.append(node)
            continue
        spec = next(node.nodes())
        target, alias = spec.word(0), spec.children[1]
        relative = target.text.strip('"')
        folder = os.path.dirname(file.source.path)
        path = os.path.normpath(os.path.join(folder, relative))
        real = os.path.realpath(path)
        if os.path.isabs(relative) or "://" in relative or not reader.inside(path):
            message = f"the import `{relative[:80]}` lies outside the project"
            help = ["imports are relative and stay inside the project's root"]
            findings.append(finding("N004", message, target.span, help=help))
            continue
        if real in chain:
            names = " -> ".join(os.path.basename(p) for p in [*chain[chain.index(real) :], real])
            findings.append(finding("N003", f"files import each other in a circle: {names}", target.span))
            continue
        if len(chain) > MAX_IMPORTS:
            findings.append(finding("S004", f"imports are more than {MAX_IMPORTS} deep", target.span))
            continue
        try:
            inner, wrong = _parsed(path, reader.read(path))
        except OSError as error:
            reason = error.strerror or "cannot be read"
            findings.append(finding("N004", f"the import `{relative[:80]}` cannot be read: {reason}", target.span))
            continue
        findings.extend(wrong)
        statements, found = _resolved(inner, reader, (*chain, real))
        findings.extend(found)
        kept = [n for n in statements if n.rule in IMPORTED]
        brought.extend(_renamed(kept, alias.text) if isinstance(alias, Word) else kept)
    clashes = {_let_name(n).text: n for n in brought if n.rule == "let"}
    for node in own:
        if node.rule == "let" and (name := _let_name(node)).text in clashes:
            also = [Label(clashes[name.text].span, "the import brings it")]
            findings.append(finding("N005", f"`{name.text}` is given here and by an import", node.span, also=also))
            brought = [n for n in brought if n is not clashes[name.text]]
    return [*brought, *own], findings


def _let_name(node: Node) -> Word:
    return next(node.nodes()).word(0)


def _renamed(statements: list[Node], alias: str) -> list[Node]:
    """Imported statements under `alias.name`, and each other's names in them."""
    lets = {_let_name(node).text for node in statements if node.rule == "let"}

    def walk(item: Node | Word | None) -> Node | Word | None:
        if isinstance(item, Word):
            rename = item.type == "NAME" and item.text in lets
            return Word(item.type, f"{alias}.{item.text}", item.span) if rename else item
        if item is None:
            return None
        return Node(item.rule, tuple(walk(child) for child in item.children), item.span)

    out = []
    for node in statements:
        renamed = walk(node) if node.rule == "let" else node
        assert isinstance(renamed, Node)
        if renamed.rule in ("law", "record"):
            index = 0 if renamed.rule == "law" else 1
            word = renamed.word(index)
            children = list(renamed.children)
            children[index] = Word(word.type, f"{alias}.{word.text}", word.span)
            renamed = Node(renamed.rule, tuple(children), renamed.span)
        out.append(renamed)
    return out
