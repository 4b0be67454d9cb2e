"""A mistake in a text to the finding that says what is wrong, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from runplan.dsl.syntax.statements import KEYWORDS, LAW_FIELDS, RESERVED
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import View
from runplan.dsl.text.words import cut, listing

# How terminals are said that are no word of the language.
SAID = {
    "TIMES": "`x`",
    "NAMED": "a name",
    "_NL": "end of line",
    "$END": "end of file",
    "NUMBER": "a number",
    "NAME": "a name",
    "STRING": "a quoted string",
    "UNIT": "a unit",
    "DEVICE": "a device name",
    "PATH": "a path",
    "DATE": "a date (YYYY-MM-DD)",
    "CMP": "a comparison (<=, >=, ...)",
    "HOLE": "`?`",
    "UPTO": "`up to`",
    "KIND": "`device`",
}
# What a mistake looks like in its line, and the way to write it; `\1` is what the writer wrote.
HINTS = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"\d,\d{3}", "write thousands without commas, or with underscores: 1_000"),
        (r"(\d[\d_.]*)\s+([kKMBTQ])\s+([A-Za-z]\w*)", r"join the multiplier to the number: `\1\2 \3`"),
        (r"(\d[\d_.]*)([mbt])(?=\s+[A-Za-z])", r"multipliers are K, M, B and T: did you mean `\g<0>` with a capital?"),
        (r"[$€£]\s*\d", "write money with its currency after it: `30M USD`"),
        (r"\bMFU\s*(?:=|of|:)?\s*(\d[\d.]*)\s*%?", r"write `at \1% MFU`"),
        (r"at(\d[\d.]*)\s*%\s*MFU", r"write `at \1% MFU`"),
        (r"(\d[\d.]*)\s*%\s*MFU", r"write `at \1% MFU`"),
        (r"\bupto\b", "write `up to`"),
        (r"=([<>])", r"write `\1=`"),
        (r"\bdata\s+([\w.-]+)\s+(\d\S*)", r"write `data \1: \2 ...`"),
    )
)
NEAR = 24  # characters of a line, before and after a mistake, that may have caused it
_NOT_A_NUMBER = re.compile(r"[+-]?\b(?:nan|inf|infinity)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_]")


class Mistake(NamedTuple):
    """Where a text leaves the grammar.

    Attributes:
        view: The text.
        start, end: The stretch of it that does not fit.
        terminal: What that was read as, such as `NAME`; empty where it was read as nothing.
        expected: The terminals that would have been right, in the order in which they are told.
        law_item: The word that was taken for a formula of a law, where one was just begun.
        spelled: How each terminal that is a word is spelled.
    """

    view: View
    start: int
    end: int
    terminal: str
    expected: tuple[str, ...]
    law_item: str
    spelled: Mapping[str, str]

    @property
    def token(self) -> str:
        """The text that does not fit; empty at the end of the file, and where there is no token."""
        at_end = self.terminal in ("", "$END", "_NL")
        return "" if at_end else self.view.text[self.start : self.end]

    @property
    def at_statement(self) -> bool:
        """Whether a statement could begin here."""
        return "LET" in self.expected and "HARDWARE" in self.expected


def finding_of(mistake: Mistake) -> Finding:
    """The finding for a mistake."""
    return (
        _unknown_statement(mistake)
        or _unknown_law_field(mistake)
        or _not_a_number(mistake)
        or finding("S001", _unexpected(mistake), mistake.view.span(mistake.start, mistake.end), help=_help(mistake))
    )


def _unknown_statement(mistake: Mistake) -> Finding | None:
    if not mistake.at_statement or not _WORD.match(mistake.token):
        return None
    word = re.match(r"[\w.-]+", mistake.view.text[mistake.start :])
    name = word[0] if word else mistake.token
    listed = "a statement begins with " + listing(KEYWORDS[:9]) + ", ..."
    span = mistake.view.span(mistake.start, mistake.start + len(name))
    help = did_you_mean(name, KEYWORDS) or [listed]
    return finding("N001", f"unknown statement `{cut(name)}`", span, help=help)


def _unknown_law_field(mistake: Mistake) -> Finding | None:
    field = mistake.law_item
    if not field or mistake.expected != ("LPAR",):
        return None
    at = mistake.view.text.rfind(field, 0, mistake.start)
    help = did_you_mean(field, LAW_FIELDS) or [f"a law has {listing(LAW_FIELDS)}, and formulas"]
    return finding("N001", f"unknown field `{cut(field)}` in `law`", mistake.view.span(at, at + len(field)), help=help)


def _not_a_number(mistake: Mistake) -> Finding | None:
    for m in _NOT_A_NUMBER.finditer(mistake.view.text, *_near(mistake)):
        if m.start() <= mistake.start <= m.end() + 1:
            message = f"`{m[0]}` is not a number that a plan can use"
            return finding("U004", message, mistake.view.span(m.start(), m.end()))
    return None


def _near(mistake: Mistake) -> tuple[int, int]:
    """What of its line is near a mistake: a line may be long, and another mistake in it is not this one."""
    text, start = mistake.view.text, mistake.start
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    return max(line_start, start - NEAR), min(len(text) if line_end < 0 else line_end, start + NEAR)


def _help(mistake: Mistake) -> list[str]:
    """How what stands there is written: of all that may help the most certain."""
    token, expected = mistake.token, mistake.expected
    for pattern, hint in HINTS:
        for m in pattern.finditer(mistake.view.text, *_near(mistake)):
            if m.start() - 1 <= mistake.start <= m.end() + 1:
                return [m.expand(hint)]
    if expected == ("TIMES",):
        return ["write `COUNT x DEVICE`, such as `1000 x H100`"]
    if token == "=" and "CMP" in expected:
        return ["compare with `<=`, `>=` or `==`"]
    if token in RESERVED and {"NAME", "NAMED"} & set(expected):
        return [f"`{token}` is a word of the language: as a name it is put in quotes, where a name may be quoted"]
    if not _WORD.match(token):
        return []
    words = [word for name in expected if (word := mistake.spelled.get(name, "")).isalpha()]
    return did_you_mean(token, [*words, "up to"] if "UPTO" in expected else words)


def _unexpected(mistake: Mistake) -> str:
    """What stands there, and what would have been right."""
    message = f"unexpected {_what(mistake)}"
    if mistake.at_statement:
        return f"{message}; expected a statement"
    said = list(dict.fromkeys(SAID.get(name) or f"`{mistake.spelled.get(name, name)}`" for name in mistake.expected))
    return f"{message}; expected {', '.join(said[:6])}{', ...' * (len(said) > 6)}" if said else message


def _what(mistake: Mistake) -> str:
    if mistake.terminal in ("$END", "_NL"):
        return SAID[mistake.terminal]
    if mistake.terminal:
        return f"`{cut(mistake.token)}`"
    c = mistake.view.text[mistake.start]
    return "a quote that is not closed on its line" if c == '"' else f"character {c!r}"
