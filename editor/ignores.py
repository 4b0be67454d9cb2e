"""Comments that silence findings to the code at a place in them."""

from __future__ import annotations

import re

from runplan.dsl.syntax.comments import without_comment
from runplan.dsl.text.source import Source, Span
from runplan.editor.document import Document

_CODES = re.compile(r"#\s*ignore\[([^\]\n]*)\]?")
_WORD = re.compile(r"[\w-]+")


def code_at(document: Document, offset: int) -> tuple[str, Span] | None:
    """The code or name at a place in the brackets of an `ignore`, and where it stands; None where there is none."""
    brackets = inside(document.source, offset)
    if brackets is None:
        return None
    for word in _WORD.finditer(document.source.text, brackets.start, brackets.end):
        if word.start() <= offset <= word.end():
            return word[0], Span(document.source, word.start(), word.end())
    return None


def inside(source: Source, offset: int) -> Span | None:
    """The brackets of an `ignore` that a place is in; they need not be closed yet. None where it is in none."""
    line, column = source.line_column(offset)
    text = source.line_text(line)
    begin = offset - (column - 1)
    for found in _CODES.finditer(text, len(without_comment(text))):
        start, end = begin + found.start(1), begin + found.end(1)
        if start <= offset <= end:
            return Span(source, start, end)
    return None
