"""Settings of the optimizer to definitions: those that a law lends, and those that the plan states in their place."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, Text, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Function, Law
from runplan.dsl.plan.ir import Given, Hole, Optimizer, Within
from runplan.dsl.text.finding import finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.types import TYPE_CHECKING
from runplan.dsl.units.base import PARAM, SEQUENCE
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import (
    add_constants,
    add_function,
    begins_alike,
    default_law,
    said_unfitted,
    say_of_start,
)
from runplan.engine.formulate.model import conversion, params_with_head
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.laws.form import cite_of, functions_for
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Goal

if TYPE_CHECKING:
    from runplan.engine.laws.used import Used

# What the plan may set of its own, where what the law asks for is kept beside it, and how far runs lie about that.
KEPT = {
    q.BATCH: (q.LAW_BATCH, q.BATCH_SPREAD),
    q.LEARNING_RATE: (q.LAW_LEARNING_RATE, q.LEARNING_RATE_SPREAD),
}
# The record of the optimizers that have AdamW's step, and of those that have one of their own.
OPTIMIZERS, ADAMW, APART = "optimizers", "adamw", "apart"
# Settings of which a law holds whatever the optimizer is.
OF_ANY = (q.BATCH.text,)
# Sizes at which one count of params is made another, as powers of ten of a param, and how many a power.
_FIRST, _LAST, _EACH = 4, 16, 8


def add_settings(draft: Draft) -> None:
    """Each setting by the plan's law, else by a law of settings beside it, else by the default one.

    What the plan states wins, and what the law asks for is kept beside it.
    """
    _hold_lenders(draft)
    apart = _hold_optimizer(draft)
    for text in draft.quantities.given_by("optimizer"):
        own = draft.definitions.get(quantity(text))
        if apart and text not in OF_ANY:
            draft.definitions.pop(quantity(text), None)
        elif own is not None and own.name in KEPT:
            draft.definitions[own.name] = replace(own, spread=_spread(draft, draft.law, text))
        elif own is None and (found := lender(draft, text)) is not None:
            lend(draft, *found)
    _take_stated(draft)


def _hold_lenders(draft: Draft) -> None:
    """Laws of settings that are named, and are of no use to the plan: said, and not asked."""
    for law in draft.lenders:
        if not begins_alike(draft, law):
            say_of_start(draft, law)
        elif said := said_unfitted(law):
            draft.lacks(said, draft.law_span())


def _hold_optimizer(draft: Draft) -> bool:
    """Whether the plan's optimizer has a step of its own, of which laws of AdamW's say nothing; that is said."""
    named = draft.plan.optimizer.name if draft.plan.optimizer else None
    if named is None or named.text.lower() in adamw_like(draft.catalogue):
        return False
    settings = draft.plan.optimizer.settings if draft.plan.optimizer else {}
    none = "" if q.LEARNING_RATE.text in settings else ": no learning rate is given for it"
    known = sorted(word for key in (ADAMW, APART) for word in draft.catalogue.default_words(OPTIMIZERS, key))
    help = [f"say it: `optimizer: {named.text} {{ learning_rate: 1e-3 }}`"] if none else []
    if named.text.lower() not in {word.lower() for word in known}:
        message = f"`{named.text}` is no optimizer that is known here{none}"
        _say(draft, "T026", message, named.span, did_you_mean(named.text, known) or help)
    elif none:
        message = f"`{named.text}` has another step than AdamW, whose learning rate is what laws tell{none}"
        _say(draft, "T027", message, named.span, help)
    return True


def _say(draft: Draft, code: str, message: str, span: Span, help: Sequence[str]) -> None:
    draft.findings.append(finding(code, message, span, help=help, laws=(draft.named,)))


def adamw_like(catalogue: Library) -> frozenset[str]:
    """The optimizers, in lower case, with AdamW's step."""
    return frozenset(word.lower() for word in catalogue.default_words(OPTIMIZERS, ADAMW))


def lender(draft: Draft, output: str) -> tuple[Law, Function] | None:
    """The law that lends a setting: of those that are named beside the plan's law the first, else the default."""
    usual = (law for name in draft.choices(output) if (law := draft.catalogue.law(name)) is not None)
    for law in (*draft.lenders, *usual):
        for function in functions_for(law, draft.objective) if _is_for(draft, law) else ():
            if function.output == output:
                return law, function
    return None


def _is_for(draft: Draft, law: Law) -> bool:
    """Whether a law of settings is for the plan's objective, and for runs that begin as the plan's does.

    No law is of transfers: they take one of their domain.
    """
    return (
        law.from_weights == draft.from_weights
        and not said_unfitted(law)
        and (str(draft.objective) in law.objectives or draft.transfer)
    )


def lend(draft: Draft, law: Law, function: Function) -> None:
    """Define a setting by the law that lends it."""
    add_constants(draft, law)
    needs_size = any(p.quantity == q.PARAMS.text for p in function.parameters)
    size = _size(draft, law) if needs_size else q.LAW_PARAMS
    add_function(draft, law, function, size=size, spread=_spread(draft, law, function.output))
    if _is_usual(draft, law, function.output):
        _move_to_own(draft, law, function.output)


def _move_to_own(draft: Draft, law: Law, output: str) -> None:
    """Move a setting to what the runs of the user's own packs used: by the mean of their logarithms, shrunk to none.

    So one run moves it half of the way, and many runs all of it.
    """
    if not draft.catalogue.once(has_own_runs):
        return
    own = [one.off for one in _used(draft, law, output) if one.run.own]
    if own:
        factor = math.exp(sum(own) / (len(own) + 1))
        made, said = draft.definitions[quantity(output)], f"{len(own)} run{'s' * (len(own) > 1)} of your own"
        expr = Op("*", (Num(factor), made.expr))
        draft.definitions[quantity(output)] = replace(made, expr=expr, note=f"moved {factor:.3g} times by {said}")


def has_own_runs(catalogue: Library) -> bool:
    """Whether packs bring runs."""
    return any(header.layer != "standard" for header in catalogue.index("run").values())


def _spread(draft: Draft, law: Law, output: str) -> float | None:
    """How far runs lie about what a law says: of the default law as its line says, of others as it is found.

    Where too few runs tell it, it is taken to be as far as about the default law.
    """
    lines = {one.values[0].value: one for one in draft.default_lines(output) if isinstance(one.values[0], Text)}
    line = lines.get(law.name, next(iter(lines.values()), None))
    usual = line.values[1].value if line and len(line.values) > 1 and isinstance(line.values[1], Num) else None
    if law.name in lines:
        return usual
    from runplan.engine.laws.used import spread_of

    return spread_of(_used(draft, law, output)) or usual


def _is_usual(draft: Draft, law: Law, output: str) -> bool:
    """Whether a law is one of the domain's defaults for a setting."""
    return law.name in draft.choices(output)


def _used(draft: Draft, law: Law, output: str) -> tuple[Used, ...]:
    """What runs used of a setting, beside what a law says of it."""
    # What a plain check has no use for is imported where it is: docs/design/0004-what-check-does-not-import.md.
    from runplan.engine.laws.used import used_of

    found, key = draft.catalogue.once(_uses), (law.name, output, str(draft.objective))
    if key not in found:
        found[key] = used_of(law, output, key[2], draft.catalogue, adamw_like(draft.catalogue))
    return found[key]


def _uses(catalogue: Library) -> dict[tuple[str, str, str], tuple[Used, ...]]:
    """What runs used, by law, setting and objective, as far as plans have asked: it is of the library alone."""
    return {}


def _size(draft: Draft, law: Law) -> Name:
    """The size as a law counts it that is not the plan's; of a mixture of experts the params that a token passes."""
    if draft.mixture or law.counts in ("active", "any"):
        return q.ACTIVE_PARAMS
    if law.counts == "with_head":
        return params_with_head(draft)
    if law.counts != "non_embedding" or default_law(draft, "conversion") is None:
        return q.PARAMS
    if not draft.knows(q.PARAMS_NON_EMBEDDING):
        by, whole = conversion(draft)
        expr = _turned_round(draft, whole)
        note = f"`{law.name}` counts params without embeddings"
        source = f"{by.title}: {cite_of(by)}"
        draft.define(q.PARAMS_NON_EMBEDDING, expr, "assumed", source, by.functions[0].span, note=note, by=by.name)
    return q.PARAMS_NON_EMBEDDING


def _turned_round(draft: Draft, whole: Expr) -> Expr:
    """All params to those without embeddings, as a curve through what the conversion makes of these."""
    value = compiled(expand(whole, draft.definitions, {}))
    sizes = (10.0 ** (_FIRST + i / _EACH) for i in range((_LAST - _FIRST) * _EACH + 1))
    rows = ((Num(float(value({q.PARAMS_NON_EMBEDDING: n})), PARAM), Num(n, PARAM)) for n in sizes)
    return curve(Ref(q.PARAMS), rows)


def _take_stated(draft: Draft) -> None:
    """What the plan sets of the optimizer, in place of what a law asks for."""
    optimizer = draft.plan.optimizer
    for text in optimizer.settings if optimizer else ():
        assert optimizer is not None
        setting, output = draft.take(optimizer.settings, text, Given, Within, Hole), quantity(text)
        lent = draft.definitions.get(output)
        if setting is None or (isinstance(setting, Hole) and lent is not None and not _is_bounded(draft, output)):
            continue  # what is not mentioned and a `?` are the same
        if not isinstance(setting, Given) and lent is None:
            _say_open(draft, optimizer, output, setting.span)
            continue
        if output in KEPT and lent is not None:
            asked, apart = KEPT[output]
            draft.definitions[asked] = replace(lent, name=asked)
            if lent.spread is not None:
                draft.define(apart, Num(lent.spread), "derived", f"published runs about `{lent.by}`")
        if isinstance(setting, Given):
            draft.give(output, setting)
        elif lent is not None:
            # It is a choice, and nothing of the loss hangs on it: as near as may be to what the law asks for.
            del draft.definitions[output]
            draft.figure(output, setting, draft.quantities.given_by("optimizer")[text].usual, text)
            draft.last.append(Goal("near", Ref(output), Ref(KEPT[output][0]) if output in KEPT else lent.expr))
        if output == q.BATCH:
            _add_sequences(draft)


def _is_bounded(draft: Draft, setting: Name) -> bool:
    """Whether a requirement or a goal is about a setting, or about what follows from it."""
    conditions = [requirement.condition for requirement in draft.plan.requires]
    said = (without_lets(expr, draft.plan) for expr in (*conditions, *(goal.expr for goal in draft.plan.goals)))
    about = {name.text for expr in said for name in names(expr)}
    following = {text for text, known in draft.quantities.items() if setting.text in known.mentions}
    return bool(about & {setting.text, *following})


def _say_open(draft: Draft, optimizer: Optimizer, setting: Name, span: Span) -> None:
    field = draft.quantities.given_by("optimizer")[setting.text]
    message = f"nothing in the plan determines `{setting}`: no law that is used gives it for {draft.objective}"
    help = [f"one more given would: `optimizer: {optimizer.name.text} {{ {field.name}: {field.example} }}`"]
    draft.findings.append(finding("C002", message, span, help=help, laws=(draft.named,)))


def _add_sequences(draft: Draft) -> None:
    """The batch that a plan sets, counted in sequences."""
    known = q.CONTEXT in draft.definitions
    length: Expr = Op("/", (Ref(q.CONTEXT), Num(1.0, SEQUENCE))) if known else Ref(q.SEQUENCE_LENGTH)
    usual = draft.quantities[q.SEQUENCE_LENGTH.text].title
    said = "batch over context" if known else f"no context is given: {usual}"
    expr = Op("/", (Ref(q.BATCH), length))
    draft.define(q.BATCH_SEQUENCES, expr, "derived" if known else "assumed", said)
