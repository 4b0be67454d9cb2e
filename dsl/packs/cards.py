"""A rule to what of it is known before it is read: enough to pass it over."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.pack import Rule
from runplan.dsl.text.source import Span


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a rule that was not read.

    Attributes:
        needs: The words without which its condition cannot hold.
        span: Where it says its code.
    """

    code: str
    name: str
    severity: str
    needs: frozenset[str]
    span: Span


def card(rule: Rule) -> Card:
    """The card of a rule."""
    return Card(rule.code, rule.name, rule.severity, rule.needs, rule.span)
