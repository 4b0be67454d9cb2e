"""A name in a text to where it is defined, and to every place that means the same."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.text.source import Source, Span
from runplan.editor.document import PARTS, Document
from runplan.editor.uses import Use
from runplan.editor.workspace import Workspace

# The kinds of a use that a pack, or the plan, defines by a header.
HEADED = ("law", "device", "model", "schedule", "shape", "price", "region", "run", "rule", "mfu")


@dataclass(frozen=True, slots=True)
class Target:
    """What a name stands for: one thing, however it is written.

    Attributes:
        kind: As that of a use.
        name: As it is spelled where it is defined.
        span: Where its name stands in its definition; the start of a file for a file.
    """

    kind: str
    name: str
    span: Span

    @property
    def key(self) -> tuple[str, str, int]:
        """What two targets of one thing have in common, whichever file they were found from."""
        return self.kind, self.span.source.path, self.span.start


def target(document: Document, offset: int) -> tuple[Use, Target] | None:
    """The name at a place and what it stands for; None where nothing is named there that is defined anywhere."""
    for use in document.uses_at(offset):
        if found := meant(document, use):
            return use, found
    return None


def meant(document: Document, use: Use) -> Target | None:
    """What a use stands for; None where that is defined in no file."""
    span = _defined(document, use)
    if span is None:
        return None
    name = use.name.rpartition(":")[2] if use.kind == "letter" else span.text.strip('"')
    return Target(use.kind if use.kind != "result" else "file", name, span)


def _defined(document: Document, use: Use) -> Span | None:
    if use.kind == "let":
        return document.let(use.name) or _figure(document, use.name)
    if use.kind in PARTS:
        return document.part(use.kind, use.name)
    if use.kind == "alias":
        return document.aliases.get(use.name)
    if use.kind == "letter":
        named = (one.span for one in document.uses if one.names and one.kind == "letter" and one.name == use.name)
        return next(named, None)
    if use.kind == "quantity":
        known = document.library.quantities().get(use.value.text if use.value else use.name)
        return _name_of(known) if known else None
    if use.kind.startswith("field "):
        given = document.library.quantities().given_by(use.kind.removeprefix("field "))
        name = next((name for name, field in given.items() if field.name == use.name), "")
        return _name_of(document.library.quantities()[name]) if name else None
    if use.kind in HEADED:
        if use.names and not document.is_pack:
            return use.span
        header = document.header(use.kind, use.name)
        return header.span if header else None
    if use.kind in ("file", "result"):
        return _file(document, use)
    return None


def _name_of(quantity: QuantityDef) -> Span:
    """Where a quantity says its name."""
    span = quantity.span
    at = span.source.text.find(quantity.name, span.start, span.end)
    return span if at < 0 else Span(span.source, at, at + len(quantity.name))


def _figure(document: Document, name: str) -> Span | None:
    """Where a figure of a price or a region stands that a plan names like a `let`."""
    entry = document.reading.vocabulary.figures.get(name)
    return entry.span if entry else None


def _file(document: Document, use: Use) -> Span | None:
    """The beginning of a file that is imported; of a result, the imported plan's."""
    if use.kind == "result":
        named = [one for one in document.resolved.imported if use.name.startswith(f"{one.alias}.")]
        path = max(named, key=lambda one: len(one.alias)).path if named else ""
        path = posixpath.normpath(path) if path else ""
    else:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document.name), use.name))
    if not path:
        return None
    try:
        text = document.seen.read(path).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    except OSError:
        return None
    return Span(Source(path, text), 0, 0)


def references(
    workspace: Workspace,
    document: Document,
    found: Target,
    *,
    itself: bool = True,
    within: tuple[Document, ...] | None = None,
) -> Iterator[tuple[Document, Use]]:
    """Every use of what a name stands for, in its own file first, then in the other files of the project.

    Args:
        itself: Whether the place where it is defined counts.
        within: The files to look through; all that may use it unless said.
    """
    if within is None:
        own = found.kind in (*PARTS, "alias", "letter")
        within = (document, *(() if own else workspace.others(document, found.name)))
    for one in within:
        for use in one.uses:
            if (use.names and not itself) or not _may_be(use, found):
                continue
            other = meant(one, use)
            if other is not None and _same(workspace, (document, found), (one, other)):
                yield one, use


def _may_be(use: Use, found: Target) -> bool:
    """Whether it is worth to look up a use."""
    return use.kind == found.kind or (found.kind == "file" and use.kind == "result")


def _same(workspace: Workspace, one: tuple[Document, Target], other: tuple[Document, Target]) -> bool:
    """Whether two targets are one thing: projects call a file by different names."""
    (near, a), (by, b) = one, other
    if a.kind != b.kind or a.span.start != b.span.start:
        return False
    if near.project is by.project:
        return a.span.source.path == b.span.source.path
    return workspace.file_of(a.span.source, near) == workspace.file_of(b.span.source, by)
