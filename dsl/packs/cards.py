"""A rule to what of it is known before it is read: enough to pass it over."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Op, words
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
    return Card(rule.code, rule.name, rule.severity, needed(rule.when), rule.span)


def needed(condition: Expr, truth: bool = True) -> frozenset[str]:
    """The words without which it cannot be known that a condition holds; or, where that is asked, that it does not."""
    if isinstance(condition, Op) and condition.op == "not":
        return needed(condition.args[0], not truth)
    if isinstance(condition, Op) and condition.op in ("and", "or"):
        each = [needed(arg, truth) for arg in condition.args]
        # All that `and` joins must hold for it to hold, and one of them must not for it not to.
        return frozenset.union(*each) if (condition.op == "and") == truth else frozenset.intersection(*each)
    return words(condition)
