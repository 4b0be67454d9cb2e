"""A rule held to what there is: its condition to names and dimensions, its messages to values, its blame to a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.expr.dimensions import DimensionClash, Dimensions, is_bare
from runplan.dsl.expr.money import in_money
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Text, Unbound, walk, words
from runplan.dsl.packs.cards import TEXTS
from runplan.dsl.packs.pack import Rule
from runplan.dsl.syntax.statements import OF_PLANS
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import FIELD
from runplan.dsl.typed.fields import natural
from runplan.dsl.units.dims import MONEY, NONE, UNKNOWN, USUAL_MONEY, Dim, in_currency
from runplan.dsl.units.show import said_dim
from runplan.dsl.units.table import currencies

# What a rule may blame, apart from quantities.
BLAMED = tuple(row.rule for row in OF_PLANS if row.blamed)
# Of money only the dimension is checked, in one currency: in which a plan has it, and at what rates, it says itself.
AT_PAR = dict.fromkeys((MONEY, *currencies()), 1.0)


def checked(rule: Rule, quantities: Mapping[str, Dim]) -> list[Finding]:
    """What is wrong with a rule itself.

    Args:
        quantities: The dimension of each name that its condition may ask for.
    """
    known = {name: in_currency(dim, USUAL_MONEY, AT_PAR) for name, dim in quantities.items()}
    unknown = [*_unknown_names(rule, known), *_unknown_fields(rule, known)]
    if rule.blames and rule.blames not in known and rule.blames not in BLAMED:
        message = f"rule `{rule.code}` blames `{rule.blames}`, which is no statement and no quantity"
        help = did_you_mean(rule.blames, [*BLAMED, *known])
        fixes = respelled(rule.places["blames"], rule.blames, [*BLAMED, *known])
        unknown.append(finding("N002", message, rule.places["blames"], help=help, fixes=fixes))
    return unknown or list(_unfit(rule, known))


def _unknown_names(rule: Rule, known: Mapping[str, Dim]) -> Iterator[Finding]:
    for item in walk(rule.when):
        if isinstance(item, Unbound) and item.name not in known and item.name not in TEXTS:
            message = f"rule `{rule.code}` names `{item.name}`, which nothing gives"
            at, choices = item.span or rule.span, [*known, *TEXTS]
            fixes = respelled(at, item.name, choices)
            yield finding("N002", message, at, help=did_you_mean(item.name, choices), fixes=fixes)


def _unknown_fields(rule: Rule, known: Mapping[str, Dim]) -> Iterator[Finding]:
    for part, text in (("says", rule.says), ("help", rule.help)):
        for name, per_cent in FIELD.findall(text):
            at = rule.places[part]
            if name not in known and name not in TEXTS:
                message = f"rule `{rule.code}` says `{{{name}{per_cent}}}`, which nothing gives"
                yield finding("N002", message, at, help=did_you_mean(name, [*known, *TEXTS]))
            elif per_cent and known.get(name, UNKNOWN) != NONE:
                what = said_dim(known[name]) if name in known else "a word"
                message = f"rule `{rule.code}` says `{{{name}%}}`: `{name}` is {what}, and has no per cent"
                yield finding("U001", message, at, help=[f"write `{{{name}}}`"])


def _unfit(rule: Rule, known: Mapping[str, Dim]) -> Iterator[Finding]:
    """What does not go together in the condition: of each part the first clash."""
    for part in _parts(rule.when):
        at = part.span or rule.span
        if any(isinstance(item, Num) and item.dim == UNKNOWN for item in walk(part)):
            continue
        if not isinstance(part, Op) or part.op not in (*COMPARISONS, "assumed"):
            help = ["compare it with something: `<=`, `>=`, `==`"]
            yield finding("P001", f"rule `{rule.code}`: `{shown(part)}` is no condition", at, help=help)
        elif part.op == "assumed":
            if not isinstance(part.args[0], Unbound):
                yield finding("P001", f"rule `{rule.code}`: `assumed` takes the name of a quantity", at)
        elif words(part) & set(TEXTS) or any(isinstance(arg, Text) for arg in part.args):
            asked = [isinstance(arg, Text) or (isinstance(arg, Unbound) and arg.name in TEXTS) for arg in part.args]
            if not all(asked) or part.op not in ("==", "!="):
                message = f"rule `{rule.code}`: `{shown(part)}` does not compare a word with a word"
                help = ['words are compared with `==` or `!=`, such as `objective == "MLM"`']
                yield finding("U001", message, at, help=help)
        else:
            yield from _unlike(rule, part, known, at)


def _unlike(rule: Rule, part: Op, known: Mapping[str, Dim], at: Span) -> Iterator[Finding]:
    """A comparison of two dimensions; a bare number takes that of the other side where everybody counts it so."""
    try:
        left, right = (Dimensions(known).of(in_money(side, USUAL_MONEY, AT_PAR)) for side in part.args)
    except DimensionClash as clash:
        yield finding("U001", f"rule `{rule.code}`: {clash.message}", clash.at.span or at)
        return
    if left == right:
        return
    bare, other = (0, right) if left == NONE and not words(part.args[0]) else (1, left)
    if words(part.args[bare]) or (left, right)[bare] != NONE:
        sides = " and ".join(f"`{shown(s)}` is {said_dim(d)}" for s, d in zip(part.args, (left, right), strict=True))
        yield finding("U001", f"rule `{rule.code}`: {sides}", at)
    elif not natural(other) or not is_bare(part.args[bare]):
        message = f"rule `{rule.code}`: `{shown(part.args[bare])}` has no unit; the other side is {said_dim(other)}"
        yield finding("U003", message, part.args[bare].span or at)


def _parts(expr: Expr) -> Iterator[Expr]:
    """What `and`, `or` and `not` join."""
    if isinstance(expr, Op) and expr.op in ("and", "or", "not"):
        for arg in expr.args:
            yield from _parts(arg)
    else:
        yield expr
