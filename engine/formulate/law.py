"""A law to definitions and a line: formulas over the quantities of plans, constants under names of their own."""

from __future__ import annotations

from dataclasses import replace

from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.pack import Function, Law, Parameter
from runplan.dsl.plan.ir import Given
from runplan.dsl.text.finding import finding
from runplan.dsl.text.words import enumerated
from runplan.dsl.typed.fields import ARCHITECTURE
from runplan.dsl.units.base import PARAM, SEQUENCE, TOKEN
from runplan.dsl.units.dims import NONE, over
from runplan.engine.formulate.draft import Draft
from runplan.engine.laws.form import BUDGETS, CHOICES, OF_MIXTURES, cite_of, functions_for

# How long a sequence is taken to be where a batch is counted in them and the model's block gives no context.
SEQUENCE_TOKENS = 2048.0


def function_expr(draft: Draft, law: Law, function: Function, prefix: str = "law") -> Expr:
    """A law's formula over quantities: its inputs by their names in plans, its constants as `PREFIX.NAME`.

    An input that may be left out is noted with its default, for when all is posed and the plan does not give it.
    """
    by: dict[str, Expr] = {name: Ref(f"{prefix}.{name}") for name in law.constants}
    for p in function.parameters:
        if p.default is not None:
            draft.defaults.setdefault(p.quantity, (law.name, p))
        ref = Ref("law_params" if p.quantity == "params" else p.quantity)
        by[p.local] = ref if p.counted.factor == 1.0 else Op("/", (ref, Num(p.counted.factor, p.counted.dim)))
    body = substitute(expanded(function.body, law.lets), by)
    return (
        body if function.counted.factor == 1.0 else Op("*", (body, Num(function.counted.factor, function.counted.dim)))
    )


def add_defaults(draft: Draft) -> None:
    """The inputs of laws that the plan leaves out, at their defaults."""
    for name, (law, p) in draft.defaults.items():
        if not draft.knows(name):
            assert p.default is not None
            value = Num(p.default * p.counted.factor, p.counted.dim)
            draft.define(name, p.counted.dim, value, "assumed", f"not given: the default of `{law}`", p.span)


def add_constants(draft: Draft, law: Law, prefix: str = "law") -> None:
    """The law's constants as definitions; a law that is not the plan's own is lent to it."""
    if law is not draft.law:
        draft.lent[law.name] = law
    free = [name for name, constant in law.constants.items() if constant.value is None]
    if free:
        said = enumerated([f"`{name}`" for name in free])
        are = "constants {} of `{}` are free: fit them" if len(free) > 1 else "constant {} of `{}` is free: fit it"
        draft.does_not_give(f"the {are.format(said, law.name)} first", draft.law_span())
    for name, constant in law.constants.items():
        if constant.value is not None:
            dim = law.dims.get(name, NONE)
            value = Num(constant.value, dim, constant.text)
            draft.define(f"{prefix}.{name}", dim, value, "constant", cite_of(law), constant.span, by=law.name)


def add_law(draft: Draft) -> None:
    """What the plan's law gives, and for batch and learning rate a default law where it does not."""
    law = draft.law
    if str(draft.objective) not in law.objectives:
        help = ["name a law that is for it, or leave `laws` out"]
        message = f"`{law.name}` is for {' and '.join(law.objectives)}, not for {draft.objective}"
        draft.does_not_give(message, draft.objective.span or draft.law_span(), help)
        return
    add_constants(draft, law)
    quantities = draft.catalogue.quantities()
    for function in functions_for(law, draft.objective):
        known = quantities.get(function.output)
        # What follows by a formula of its own, such as `compute`, a law only turns round.
        free = function.output not in CHOICES and function.output not in draft.definitions
        if free and (known is None or known.formula is None):
            expr = function_expr(draft, law, function)
            draft.define(function.output, function.counted.dim, expr, "law", cite_of(law), function.span, by=law.name)
    _must_be_told(draft)
    _add_precision(draft)
    _add_settings(draft)


# The fields of the model's block that tell what is no field itself.
MEANT = {"sparsity": ("experts", "active_experts"), "active_params": ("active",)}


def _must_be_told(draft: Draft) -> None:
    """What the law's loss needs of the model's block, where the block does not say it."""
    losses = [f for f in functions_for(draft.law, draft.objective) if f.output == "loss"]
    of_block = OF_MIXTURES | ARCHITECTURE.keys()
    # What the law gives from a block's figures is known where these are.
    known = {name for name, d in draft.definitions.items() if names(d.expr) & of_block <= draft.definitions.keys()}
    known.add("params")
    mixture = draft.plan.model is not None and draft.plan.model.active is not None

    def asked(p: Parameter) -> bool:
        """Whether the block must say it; what may be left out of a dense model must be said of a mixture."""
        needed = p.default is None or (mixture and p.quantity in OF_MIXTURES)
        return needed and p.quantity not in known and (p.quantity in ARCHITECTURE or p.quantity in OF_MIXTURES)

    lacking = [[p.quantity for p in f.parameters if asked(p)] for f in losses]
    missing = min(lacking, key=len, default=[])
    if missing:
        fields = [field for name in missing for field in MEANT.get(name, (name,))]
        examples = " and ".join(f"`{name}: {ARCHITECTURE[name].example}`" for name in fields)
        said = enumerated([f"`{name}`" for name in missing])
        model = draft.plan.model
        at = model.span if model else draft.law_span()
        message = f"`{draft.law.name}` needs {said} for its loss, which the plan does not give"
        help = [f"add {examples} to the model's block"]
        draft.findings.append(finding("C004", message, at, help=help, laws=(draft.named,)))


def default_law(draft: Draft, key: str) -> Law | None:
    """The law that stands in for what the plan's own does not know, by the defaults of the domain."""
    return draft.catalogue.law(draft.default(key))


# What the model's block says of precision, and the share of its params that this leaves.
BITS = frozenset(("weight_bits", "activation_bits", "kv_bits"))


def _add_precision(draft: Draft) -> None:
    """The loss over effective params: few bits of weights, activations or cache are worth fewer, by the default law."""
    bits = BITS & draft.definitions.keys()
    loss = draft.definitions.get("loss")
    if not bits or loss is None or bits <= names(loss.expr):
        return
    at = next(draft.definitions[name].span for name in sorted(bits)) or draft.law_span()
    law = default_law(draft, "precision")
    formula = next((f for f in law.functions if f.output == "params_share"), None) if law else None
    if law is None or formula is None or "law_params" not in names(loss.expr) or is_frontier(draft):
        draft.does_not_give(f"`{draft.law.name}` does not say what a loss in few bits is", at)
        return
    add_constants(draft, law, law.name)
    share = function_expr(draft, law, formula, law.name)
    draft.define("params_share", NONE, share, "law", cite_of(law), formula.span, by=law.name)
    worth = Op("*", (Ref("law_params"), Ref("params_share")))
    draft.define("effective_params", PARAM, worth, "derived", "params in those of full precision", at)
    expr = substitute(loss.expr, {"law_params": Ref("effective_params")})
    note = f"over effective params: {', '.join(f'`{name}`' for name in sorted(bits))} by `{law.name}`"
    draft.definitions["loss"] = replace(loss, expr=expr, note=note)


def _add_settings(draft: Draft) -> None:
    """Batch and learning rate by the plan's law, else the default one; what the plan sets wins, and both are kept."""
    for output in ("batch", "learning_rate"):
        _add_default(draft, output)
        optimizer = draft.plan.optimizer
        setting = optimizer.settings.get(output) if optimizer else None
        if isinstance(setting, Given):
            if output in draft.definitions:
                draft.definitions[f"law_{output}"] = replace(draft.definitions[output], name=f"law_{output}")
            draft.give(output, draft.dim(output), setting)
            if output == "batch":
                _add_sequences(draft)


def _add_sequences(draft: Draft) -> None:
    """The batch that a plan sets, counted in sequences."""
    known = "context" in draft.definitions
    length: Expr = (
        Op("/", (Ref("context"), Num(1.0, SEQUENCE))) if known else Num(SEQUENCE_TOKENS, over(TOKEN, SEQUENCE))
    )
    said = "batch over context" if known else f"no context is given: sequences of {SEQUENCE_TOKENS:,.0f} tokens"
    expr = Op("/", (Ref("batch"), length))
    draft.define("batch_sequences", SEQUENCE, expr, "derived" if known else "assumed", said)


def _add_default(draft: Draft, output: str) -> None:
    law = default_law(draft, output) if output not in draft.definitions else None
    for function in law.functions if law else ():
        if law is not None and function.output == output:
            add_constants(draft, law, law.name)
            expr = function_expr(draft, law, function, law.name)
            draft.define(output, function.counted.dim, expr, "law", cite_of(law), function.span, by=law.name)


def line_of(draft: Draft) -> Op | None:
    """The law's optimum line as an equation, over a budget of compute: params first, else tokens."""
    for output in CHOICES:
        for function in functions_for(draft.law, draft.objective):
            inputs = function.needs
            if function.output == output and len(inputs) == 1 and inputs[0] in BUDGETS:
                chosen = "law_params" if output == "params" else ("finetune_tokens" if draft.transfer else "tokens")
                return Op("==", (Ref(chosen), function_expr(draft, draft.law, function)), function.span)
    return None


def gives(draft: Draft, output: str) -> bool:
    """Whether the law has a formula for an output under the plan's objective."""
    return any(function.output == output for function in functions_for(draft.law, draft.objective))


def is_frontier(draft: Draft) -> bool:
    """Whether the law's loss is that of its optimum at a budget, and not a surface over size and tokens."""
    return any(f.output == "loss" and set(f.needs) <= set(BUDGETS) for f in functions_for(draft.law, draft.objective))
