"""A law to definitions and a line: formulas over the quantities of plans, constants under names of their own."""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name, constant, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Function, Law, Parameter
from runplan.dsl.plan.ir import Objective, Plan
from runplan.dsl.text.finding import finding
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.dims import NONE
from runplan.engine.formulate.draft import Draft, is_mixture
from runplan.engine.laws.form import BUDGETS, CHOICES, cite_of, functions_for, size_of, without_domain
from runplan.engine.problem import quantities as q


def function_expr(draft: Draft, law: Law, function: Function, size: Name = q.LAW_PARAMS) -> Expr:
    """A law's formula over quantities: its inputs by their names in plans, its constants by the law's.

    Its `params` are those of `size`: what the plan's law counts, unless said; beside `active_params` they are all.
    An input that may be left out is noted with its default, for when all is there and the plan does not give it.
    """
    by: dict[str, Expr] = {name: Ref(constant(law.name, name)) for name in law.constants}
    own = size_of(law)
    if own == q.PARAMS.text and any(p.quantity == q.ACTIVE_PARAMS.text for p in function.parameters):
        size = q.PARAMS
    for p in function.parameters:
        if p.default is not None:
            draft.defaults.setdefault(p.quantity, (law.name, p))
        ref = Ref(size if p.quantity in (q.PARAMS.text, own) else quantity(p.quantity))
        by[p.local] = ref if p.counted.factor == 1.0 else Op("/", (ref, Num(p.counted.factor, p.counted.dim)))
    body = substitute(expanded(function.body, law.lets), by)
    return (
        body if function.counted.factor == 1.0 else Op("*", (body, Num(function.counted.factor, function.counted.dim)))
    )


def add_defaults(draft: Draft) -> None:
    """The inputs of laws that the plan leaves out, at their defaults."""
    for text, (law, p) in draft.defaults.items():
        if not draft.knows(quantity(text)):
            assert p.default is not None
            value = Num(p.default * p.counted.factor, p.counted.dim)
            said = f"not given: the default of `{law}`"
            draft.define(quantity(text), value, "assumed", said, p.span, dim=p.counted.dim)


def add_constants(draft: Draft, law: Law) -> None:
    """The law's constants as definitions; a law that is not the plan's own is a default law of it."""
    if law is not draft.law:
        draft.default_laws[law.name] = law
    if unfitted := said_unfitted(law):
        draft.does_not_give(unfitted, draft.law_span())
    for text, c in law.constants.items():
        if c.value is not None:
            dim = law.dims.get(text, NONE)
            value = Num(c.value, dim, c.text)
            draft.define(constant(law.name, text), value, "constant", cite_of(law), c.span, dim=dim, by=law.name)


def said_unfitted(law: Law) -> str:
    """That constants of a law are free, so that it gives nothing; empty where it has all of them."""
    free = [name for name, c in law.constants.items() if c.value is None]
    said = enumerated([f"`{name}`" for name in free]) if free else ""
    are = "constants {} of `{}` are free: fit them" if len(free) > 1 else "constant {} of `{}` is free: fit it"
    return f"the {are.format(said, law.name)} first" if free else ""


def add_function(
    draft: Draft,
    law: Law,
    function: Function,
    name: Name | None = None,
    size: Name = q.LAW_PARAMS,
    spread: float | None = None,
) -> None:
    """What a formula of a law gives, as a definition of its output, or under another name."""
    expr = function_expr(draft, law, function, size)
    own = name or quantity(function.output)
    dim = function.counted.dim
    draft.define(own, expr, "law", cite_of(law), function.span, dim=dim, by=law.name, spread=spread)


def hold_law_to_plan(draft: Draft) -> None:
    """Whether the law is for the plan's objective and model; what needs no law is solved without where it is not."""
    law, objective = draft.law, draft.objective
    if not begins_alike(draft, law):
        draft.lawless = True
        say_of_start(draft, law)
    elif unfitted := said_unfitted(law):
        draft.lawless = True
        draft.lacks(unfitted, draft.law_span(), ["`plan fit` fits them to runs, and writes a pack"])
    elif str(objective) not in law.objectives:
        draft.lawless = True
        if draft.plan.laws:
            message = f"`{law.name}` is for {enumerated(law.objectives)}, not for {objective}: it gives no loss here"
        else:
            message = f"no law here is for {objective}: no loss is predicted"
        draft.lacks(message, objective.span or draft.law_span(), _help_with_objective(draft))
    elif draft.mixture and not is_of_mixtures(draft.catalogue, law) and _judges_sizes(draft):
        draft.lawless = True
        model = draft.plan.model
        assert model is not None, "a mixture is a model"
        usual = usual_law(draft.plan, draft.objective, draft.catalogue)
        such = f", such as `{usual}`, or leave `laws` out" if draft.plan.laws and usual != draft.named else ""
        help = [f"name a law of mixtures{such or ' in `laws`; `plan law` lists what each needs'}"]
        message = f"`{law.name}` is a law of dense models: it gives no loss of a mixture of experts"
        draft.lacks(message, model.active.span if model.active else model.span, help)


def begins_alike(draft: Draft, law: Law) -> bool:
    """Whether a law is of runs that begin as the plan's does; one of transfers tells of both of its stages."""
    return law.from_weights == (draft.checkpoint is not None) or draft.objective.kind == "transfer"


def say_of_start(draft: Draft, law: Law) -> None:
    """That a law is of runs that begin otherwise than the plan's: nothing of it is taken."""
    checkpoint, named = draft.checkpoint, [draft.catalogue.law(name.text) for name in draft.plan.laws]
    if checkpoint is None:
        message = (
            f"`{law.name}` is of runs that go on from weights, and this one is from scratch: nothing of it is taken"
        )
        draft.lacks(message, draft.law_span(), ["say from which: `start: checkpoint llama-3-8b`"])
    elif law in named:
        help = ["name laws of fine-tuning in its place, such as `sft.learning_rate`, or leave `laws` out"]
        message = f"`{law.name}` is of runs from scratch, and this one goes on from weights: nothing of it is taken"
        draft.lacks(message, draft.law_span(), help)
    else:
        message = "laws of pre-training do not hold for a run that goes on from weights: no loss is predicted"
        draft.lacks(message, checkpoint.span, ["tokens, time, cost and the settings of fine-tuning need none"])


def _help_with_objective(draft: Draft) -> list[str]:
    """The laws that are for the plan's objective, where there are any, and the domain that its own law is for it in."""
    said = str(draft.objective)
    body = without_domain(said)
    own = draft.law.objectives if draft.plan.laws else ()
    elsewhere = [f"say what the data are of: `objective: {o}`" for o in own if without_domain(o) == body][:1]
    fit = [law.name for law in draft.catalogue.laws() if said in law.objectives and _gives_loss(law) and not law.aside]
    if not fit:
        return elsewhere or [f"bring a law for {said} in a pack; without one `model` and `tokens` tell the rest"]
    usual = draft.catalogue.law(usual_law(draft.plan, draft.objective, draft.catalogue))
    if usual is not None and usual.name in fit:
        return [f"name a law that is for it, such as `{usual.name}`, or leave `laws` out", *elsewhere]
    return [f"name a law that is for it, such as `{fit[0]}`", *elsewhere]


def _gives_loss(law: Law) -> bool:
    return any(function.output == q.LOSS.text for function in law.functions)


def _judges_sizes(draft: Draft) -> bool:
    """Whether the law gives a loss, or an optimum, of a size; else there is nothing that it could get wrong."""
    return line_of(draft) is not None or any(
        function.output == q.LOSS.text for function in functions_for(draft.law, draft.objective)
    )


def is_of_mixtures(catalogue: Library, law: Law) -> bool:
    """Whether a law knows mixtures of experts: by what it takes of them, or as an optimum line of the active size."""
    if law.counts == "active" and not _gives_loss(law):
        return True
    mixed = catalogue.quantities().of_kind("mixture")
    return any(p.quantity in mixed for function in law.functions for p in function.parameters)


def usual_law(plan: Plan, objective: Objective, catalogue: Library) -> str:
    """The law of a plan that names none: the first default of its domain that is for its objective and its model."""
    named = catalogue.defaults(objective.domain, "law") or catalogue.defaults("text", "law")
    fit = [name for name in named if (law := catalogue.law(name)) is not None and str(objective) in law.objectives]
    mixed = [name for name in fit if (law := catalogue.law(name)) is not None and is_of_mixtures(catalogue, law)]
    dense = [name for name in fit if name not in mixed]
    own, other = (mixed, dense) if is_mixture(plan.model, catalogue) else (dense, mixed)
    return next(iter([*own, *other, *named]))


def add_law(draft: Draft, settings: bool = True) -> None:
    """What the plan's law gives.

    Args:
        settings: Whether the optimizer has settings here; with stages each has its own.
    """
    law = draft.law
    if draft.lawless:
        return
    add_constants(draft, law)
    of_stages = () if settings else draft.quantities.given_by("optimizer")
    for function in functions_for(law, draft.objective):
        if function.output in of_stages:
            continue
        if function.output == q.TRANSFERRED_TOKENS.text and q.TRANSFERRED_TOKENS in draft.definitions:
            # Of what the transfer could be worth there is as much as there are data for it.
            add_function(draft, law, function, q.WORTH_TOKENS)
        known = draft.quantities.get(function.output)
        # What follows by a formula of its own, such as `compute`, a law only turns round.
        free = function.output not in CHOICES and not draft.knows(quantity(function.output))
        if free and (known is None or not known.is_derived):
            add_function(draft, law, function)
    _must_be_told(draft)
    _add_precision(draft)


# The fields of the model's block that tell what is no field itself.
MEANT = {
    "sparsity": ("experts", "active_experts"),
    "expansion": ("experts", "active_experts"),
    "active_params": ("active",),
}


def _must_be_told(draft: Draft) -> None:
    """What the law's loss needs of the model's block, where the block does not say it."""
    if draft.mixture and not draft.knows(q.ACTIVE_PARAMS):
        return  # the finding about that comes first
    losses = [f for f in functions_for(draft.law, draft.objective) if f.output == "loss"]
    fields = draft.quantities.given_by("model")
    mixed = draft.quantities.of_kind("mixture")
    of_block = {quantity(text) for text in mixed | fields.keys()}
    # What the law gives from a block's figures is known where these are.
    known = {n for n, d in draft.definitions.items() if all(map(draft.knows, names(d.expr) & of_block))}
    known |= {*draft.chosen(), q.PARAMS, quantity(size_of(draft.law))}
    mixture = draft.plan.model is not None and draft.plan.model.active is not None

    def asked(p: Parameter) -> bool:
        """Whether the block must say it; what may be left out of a dense model must be said of a mixture."""
        needed = p.default is None or (mixture and p.quantity in mixed)
        return needed and quantity(p.quantity) not in known and (p.quantity in fields or p.quantity in mixed)

    lacking = [[p.quantity for p in f.parameters if asked(p)] for f in losses]
    missing = min(lacking, key=len, default=[])
    if missing:
        written = [field for name in missing for field in MEANT.get(name, (name,))]
        examples = {field.name: field.example for field in fields.values()}
        help = [f"add {' and '.join(f'`{name}: {examples[name]}`' for name in written)} to the model's block"]
        said = enumerated([f"`{name}`" for name in missing])
        model = draft.plan.model
        message = f"`{draft.law.name}` needs {said} for its loss, which the plan does not give"
        at = model.span if model else draft.law_span()
        draft.findings.append(finding("C004", message, at, help=help, laws=(draft.named,)))


def default_law(draft: Draft, key: str) -> Law | None:
    """The law that stands in for what the plan's own does not know, by the defaults of the domain."""
    return draft.catalogue.law(draft.default(key))


def _add_precision(draft: Draft) -> None:
    """The loss over effective params: few bits of weights, activations or cache are worth fewer, by the default law."""
    bits = {quantity(text) for text in draft.quantities.of_kind("precision")} & draft.definitions.keys()
    loss = draft.definitions.get(q.LOSS)
    if not bits or loss is None or bits <= names(loss.expr):
        return
    at = next(draft.definitions[name].span for name in sorted(bits)) or draft.law_span()
    law = default_law(draft, "precision")
    formula = next((f for f in law.functions if f.output == q.PARAMS_SHARE.text), None) if law else None
    if law is None or formula is None or q.LAW_PARAMS not in names(loss.expr) or is_frontier(draft):
        draft.lacks(f"`{draft.law.name}` does not say what a loss in few bits is", at)
        del draft.definitions[q.LOSS]
        return
    add_constants(draft, law)
    add_function(draft, law, formula)
    worth = Op("*", (Ref(q.LAW_PARAMS), Ref(q.PARAMS_SHARE)))
    draft.define(q.EFFECTIVE_PARAMS, worth, "derived", "params in those of full precision", at)
    expr = substitute(loss.expr, {q.LAW_PARAMS: Ref(q.EFFECTIVE_PARAMS)})
    note = f"over effective params: {', '.join(f'`{name}`' for name in sorted(bits))} by `{law.name}`"
    draft.definitions[q.LOSS] = replace(loss, expr=expr, note=note)


def line_of(draft: Draft) -> Op | None:
    """The law's optimum line as an equation, over a budget of compute: params first, else tokens."""
    for output in () if draft.lawless else CHOICES:
        for function in functions_for(draft.law, draft.objective):
            inputs = function.needs
            if function.output == output and len(inputs) == 1 and inputs[0] in BUDGETS:
                tokens = q.FINETUNE_TOKENS if draft.transfer else q.TOKENS
                chosen = q.LAW_PARAMS if output == q.PARAMS.text else tokens
                return Op("==", (Ref(chosen), function_expr(draft, draft.law, function)), function.span)
    return None


def is_frontier(draft: Draft) -> bool:
    """Whether the law's loss is that of its optimum at a budget, and not a surface over size and tokens."""
    return any(f.output == "loss" and set(f.needs) <= set(BUDGETS) for f in functions_for(draft.law, draft.objective))
