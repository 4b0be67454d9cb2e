"""Where a text leaves the grammar, and what stands around that place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.repairs import Parses
from runplan.dsl.syntax.statements import BY_KEY, OF_PLANS, Statement
from runplan.dsl.text.source import View

NEAR = 24  # characters of a line, before and after a mistake, that may have caused it
IS_WORD = re.compile(r"[A-Za-z_]")
# What may go on with any value: that is not told where something else may stand.
GOING_ON = {"PLUS", "MINUS", "STAR", "SLASH", "CIRCUMFLEX", "LPAR", "UNIT"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a text leaves the grammar.

    Attributes:
        view: The text.
        start, end: The stretch of it that does not fit.
        terminal: What that was read as, such as `NAME`; empty where it was read as nothing.
        expected: The terminals that would have been right, in the order in which they are told.
        law_item: The word that was taken for a formula of a law, where one was just begun.
        spelled: How each terminal that is a word is spelled.
        rule: The start rule that reads the text.
        parses: Whether a text can be read by a rule.
    """

    view: View
    start: int
    end: int
    terminal: str
    expected: tuple[str, ...]
    law_item: str
    spelled: Mapping[str, str]
    rule: str
    parses: Parses

    @property
    def line(self) -> tuple[int, int]:
        """Where its line begins and ends."""
        text = self.view.text
        end = text.find("\n", self.start)
        return text.rfind("\n", 0, self.start) + 1, len(text) if end < 0 else end

    @property
    def token(self) -> str:
        """The text that does not fit; empty at the end of the file, and where there is no token."""
        at_end = self.terminal in ("", "$END", "_NL")
        return "" if at_end else self.view.text[self.start : self.end]

    @property
    def begins_statement(self) -> bool:
        """Whether a word stands here as those do that begin a statement: with a colon."""
        return re.match(r"[\w.-]+[ \t]*:", self.view.text[self.start : self.start + 64]) is not None

    @property
    def at_statement(self) -> bool:
        """Whether a statement could begin here."""
        return "LET" in self.expected and "HARDWARE" in self.expected

    @property
    def near(self) -> tuple[int, int]:
        """What of its line is near it: a line may be long, and another mistake in it is not this one."""
        start, end = self.line
        return max(start, self.start - NEAR), min(end, self.start + NEAR)

    @property
    def key(self) -> str:
        """What stands before the value of a key on its line."""
        source, at = self.view.source, self.view.span(0, 0).start
        return source.text[source.text.rfind("\n", 0, at) + 1 : at].strip(" \t\"'")

    @property
    def row(self) -> Statement | None:
        """The statement that the text, or the value of a key, is of; None where that is not known."""
        if self.rule == "file":
            m = re.match(r"[ \t]*([a-z]+)\b", self.view.text[slice(*self.line)])
            return next((row for row in OF_PLANS if m and m[1] in (row.keyword.split()[0], row.also)), None)
        by_rule = {"constraint": "require"} if self.key == "-" else {}
        return BY_KEY.get(by_rule.get(self.rule, self.key.rstrip(":")))

    @property
    def words(self) -> list[str]:
        """The words of the language that a word may stand for which does not fit."""
        if not IS_WORD.match(self.token):
            return []
        words = [word for name in self.expected if (word := self.spelled.get(name, "")).isalpha()]
        return [*words, "up to"] if "UPTO" in self.expected else words
