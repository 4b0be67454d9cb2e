"""Comments that silence findings to the codes in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.dsl.syntax.comments import without_comment
from runplan.dsl.syntax.tree import Word
from runplan.dsl.text.source import Source, Span

_CODES = re.compile(r"#\s*ignore\[([^\]\[\n]*)\]?")
_WORD = re.compile(r"[\w-]+")


def codes_of(comment: Word) -> Iterator[tuple[str, Span]]:
    """The codes and names that a comment ignores, each with where it stands."""
    source, begin = comment.span.source, comment.span.start
    for found in _CODES.finditer(comment.text):
        for word in _WORD.finditer(comment.text, found.start(1), found.end(1)):
            yield word[0], Span(source, begin + word.start(), begin + word.end())


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
