"""A quantity that nothing gives to why, and to the statement to add."""

from __future__ import annotations

import math

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Num, Op, Ref, words
from runplan.dsl.expr.values import value
from runplan.dsl.units.base import TOKEN
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q
from runplan.engine.problem.problem import Definition, expand


def why_missing(draft: Draft, name: Name) -> tuple[str, list[str]]:
    """Why nothing gives a quantity, and what to add.

    The reason is `law` where it is the law's part to give it, and `active` where the compute of a mixture is not known,
    which has its finding.
    """
    if name in (q.LOSS, q.PERPLEXITY, q.REGRET):
        own = [line for lacking in draft.lacking for line in lacking.help]
        return "law", own or ["name a law with a loss surface in `laws`; `plan law` lists what each gives"]
    facts = draft.quantities[name.text].facts if name.text in draft.quantities else None
    if draft.absent and not draft.knows(q.COMPUTE) and _needs(draft, name, q.COMPUTE):
        return "active", []
    if facts is not None and facts.needs and draft.stage.hardware:
        known = {one.text for one in draft.definitions}
        lacking = [need for need in facts.needs if need[0] not in known] or list(facts.needs[:1])
        return f"no `{lacking[0][0].replace('start', 'from')}` is given", [text for _, text in lacking]
    if facts is not None and (facts.needs or facts.pools or name in (q.TIME, q.IDLE_SHARE)):
        return "the plan has no hardware", ["add `hardware: 1000 x H100 for 6 months`"]
    if name.part("source") or name == q.EPOCHS:
        return "the plan gives no data", ["add `data: 10T tokens`"]
    return "nothing in the plan or the law gives it", []


def how_to_choose(draft: Draft) -> list[str]:
    """What would choose the run where the law cannot: another law, or the plan itself."""
    if not draft.lawless:
        return ["name a law that can, such as `chinchilla`"]
    help = [line for lacking in draft.lacking for line in lacking.help]
    if {name.text for name in draft.chosen()} != {q.TOKENS.text}:
        return [*help, "or say the size and the tokens, such as `model: 7B` and `tokens: 140B`"]
    budgets = [c.right for c in draft.constraints if c.left == Ref(q.COMPUTE)]
    one = Definition(q.TOKENS, TOKEN, Num(1.0, TOKEN), "derived")
    most = [expand(Op("/", (each, Ref(q.COMPUTE))), {**draft.definitions, q.TOKENS: one}, {}) for each in budgets]
    try:
        tokens = min(float(value(each, {})) for each in most)
    except (ArithmeticError, ValueError, KeyError):
        return [*help, "or say the tokens, such as `tokens: 1T`"]
    digit = 10.0 ** (math.floor(math.log10(tokens)) - 2)
    fit = show(math.floor(tokens / digit) * digit, TOKEN, 3).removesuffix(" tokens")
    return [*help, f"or say the tokens: the compute has room for `tokens: {fit}`"]


def _needs(draft: Draft, name: Name, other: Name) -> bool:
    """Whether a quantity follows from another by the formulas of `quantities.plan`."""
    known = draft.quantities.get(name.text)
    inputs = [quantity(word) for word in words(known.formula)] if known and known.formula else []
    return name == other or any(_needs(draft, each, other) for each in inputs)
