"""A document to the edits that give it the layout of `plan fmt`."""

from __future__ import annotations

from difflib import SequenceMatcher

from runplan.dsl.syntax.as_yaml import NoSpelling
from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.source import Span
from runplan.editor.document import Document

# Beyond so many lines the text is replaced as a whole: to find out what differs would take longer.
MAX_LINES = 2_000


def layout(document: Document) -> tuple[tuple[Span, str], ...]:
    """Stretches of a document, each with the text in its place; none where it cannot be read, or is laid out."""
    source = document.source
    if document.findings or not document.file.statements:
        return ()
    try:
        text, wrong = formatted(source)
    except NoSpelling:
        return ()
    if wrong or text == source.text:
        return ()
    before, after = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    if "\r" in source.text or max(len(before), len(after)) > MAX_LINES:
        return ((Span(source, 0, len(source.text)), text),)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return tuple(
        (Span(source, starts[a], starts[b]), "".join(after[c:d])) for kind, a, b, c, d in changes if kind != "equal"
    )
