"""A rule to what of it is known before it is read, enough to pass it over; and the words that rules may ask about."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.pack import Rule
from runplan.dsl.text.source import Span

# What a rule may ask about that is a word and no quantity.
# `raised_by` says what finds a rule's matter before there is a solution: `reader`, `units` or `solver`. No plan has
# that word, so such a rule is never applied here; it gives a code of the engine its page, rows and examples.
TEXTS = (
    *("objective", "subject", "data", "inference", "law", "chosen_by", "source", "budget", "data_domain"),
    *("start_from", "device", "precision", "rate_from", "schedule", "quality", "optimizer", "fitting_layout"),
    "raised_by",
)


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
