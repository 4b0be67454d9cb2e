"""A text to its comments; also how they and quoted texts are passed over."""

from __future__ import annotations

from runplan.dsl.syntax.tree import Word
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span

# A quote that is not closed reaches to the end of its line; possessive, so that no text makes it slow.
QUOTED_OR_COMMENT = pattern(r'"(?:\\.|[^"\\\n])*+"?|#[^\r\n]*')


def comments(source: Source) -> tuple[Word, ...]:
    """The comments of a text, each with its `#`."""
    return tuple(
        Word("COMMENT", m[0], Span(source, m.start(), m.end()))
        for m in QUOTED_OR_COMMENT.finditer(source.text)
        if m[0].startswith("#")
    )


def without_comment(line: str) -> str:
    """A line as far as it says anything: without its comment, and the blanks before it."""
    found = (m.start() for m in QUOTED_OR_COMMENT.finditer(line) if m[0].startswith("#"))
    return line[: next(found, len(line))].rstrip()


def said_until(text: str, end: int) -> int:
    """Where that ends which a text says before an offset: blanks behind it, and a comment on its line, say nothing."""
    end = len(text[:end].rstrip())
    begin = text.rfind("\n", 0, end) + 1
    said = without_comment(text[begin:end])
    return begin + len(said) if said.strip() else end
