"""The table of statements and the terminals of the grammar to patterns for what colours plans.

The patterns are of Python and of Oniguruma alike, and none is of more than a line: at each place the first that fits.
"""

from __future__ import annotations

import re
from functools import lru_cache

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.standard import standard
from runplan.dsl.syntax.grammar import FREE, grammar_text
from runplan.dsl.syntax.statements import ALL, KEYWORDS, RESERVED
from runplan.dsl.types import Literal

Kind = Literal[
    "comment", "ignored", "string", "date", "number", "unit", "keyword", "joining", "field", "function", "unknown",
    "operator", "punctuation", "name", "blank",
]  # fmt: skip
# How a word ends that is no part of a longer name.
_WHOLE = r"(?![\w.-])"
_TERMINAL = re.compile(r"^([A-Z]+)(?:\.\d+)?: /(.*)/$", re.MULTILINE)
_LITERAL = re.compile(r'(?<=")[A-Za-z]{2,}(?=")')


@dataclass(frozen=True, slots=True)
class Token:
    """A pattern, and what each of its groups is, or all of it where it has none."""

    pattern: str
    kinds: tuple[Kind, ...]


@lru_cache(1)
def terminals() -> dict[str, str]:
    """The patterns of the grammar's terminals by their names."""
    return {match[1]: match[2].replace(r"\/", "/") for match in _TERMINAL.finditer(grammar_text())}


@lru_cache(1)
def joining_words() -> tuple[str, ...]:
    """The words that stand inside statements, in packs too: all that the grammar spells out and are no quantities."""
    spelled = set(_LITERAL.findall(grammar_text())) - set(KEYWORDS) - set(standard().quantities())
    return tuple(sorted(spelled | set(RESERVED)))


@lru_cache(1)
def statement_words() -> tuple[str, ...]:
    """The words that begin statements, the longer first."""
    words = {word for row in ALL for word in (row.keyword, row.also) if word}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def tokens() -> tuple[Token, ...]:
    """All patterns, in the order in which they are tried."""
    known = terminals()
    begins = "|".join(statement_words()).replace(" ", r"[ \t]+")
    unit = FREE + r"(?!x(?![a-z]))" + _of_one(known["UNIT"])
    number = _of_one(known["NUMBER"])
    return (
        Token(rf"({_COMMENT_TO_CODES})({_CODES})([^\n]*)", ("comment", "ignored", "comment")),
        Token(known["COMMENT"], ("comment",)),
        Token(_of_one(known["STRING"]), ("string",)),
        Token(_of_one(known["DATE"]), ("date",)),
        Token(rf"({number})([ \t]*)({unit})", ("number", "blank", "unit")),
        Token(number, ("number",)),
        Token(rf"(^[ \t]*|(?<=[{{;])[ \t]*)({begins}){_WHOLE}", ("blank", "keyword")),
        Token(_of_one(known["NAMED"]), ("field",)),
        Token(rf"(?<![\w.-])(?:{'|'.join(joining_words())}){_WHOLE}", ("joining",)),
        Token(_of_one(known["TIMES"]) + r"(?:(?<!x)|(?![a-z]))", ("operator",)),
        Token(_of_one(known["HOLE"]), ("unknown",)),
        Token(_of_one(known["DEVICE"]) + r"(?=\()", ("function",)),
        Token(_of_one(known["DEVICE"]), ("name",)),
        Token(r"<=|>=|==|!=|\.\.|\+-|[<>≤≥=@+*/^%-]", ("operator",)),
        Token(r"[{}(),;:\[\].&|~]", ("punctuation",)),
        Token(r"[ \t\f\r]+", ("blank",)),
    )


# `# ignore[CODE] reason until DATE`
_COMMENT_TO_CODES = r"#[ \t]*"
_CODES = r"ignore\[[^\]\n]*\]"


def _of_one(pattern: str) -> str:
    """A pattern without groups of its own."""
    return "(?:" + re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern) + ")"
