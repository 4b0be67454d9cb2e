"""A mixture of experts to its sizes: experts to one that is active, what a token passes through, and all params.

A token's compute is that of the params that it passes through. How many there are in all follows from these and from
the experts by the default law of mixtures, where the plan does not count them; of what it says of the three, the third
follows, and what it leaves open is the law's choice.
"""

from __future__ import annotations

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.logic import SHORT
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, comparisons, names
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Given, Hole, Model, Within
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.units.base import PARAM
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import add_constants, default_law, function_expr
from runplan.engine.laws.form import cite_of, functions_for
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Variable

# Where the search for a number of experts, and for an active size, begins.
SOME_EXPERTS, SOME_PARAMS = 8.0, 1e9
# What is held where a plan leaves it open how many experts there are.
FITTED_EXPERTS = "experts of the law's runs"
ONE = Num(1.0)
# Figures stand for their digits: `8.03B` is not off by 8.0303B.
_DIGITS = SHORT
# What tells a size that is not free, though it may not count it.
SHAPE = (q.LAYERS, q.HIDDEN, q.FFN, q.HEADS)


# What of a shape may be looked for: a size, or what is wanted of the run, tells how much.
OPEN = (q.LAYERS, q.HIDDEN, q.FFN, q.EXPERT_FFN, q.ACTIVE_EXPERTS)


def add_experts(draft: Draft, model: Model) -> None:
    """The experts of a layer as the model's block has them: given, bounded or free."""
    amount = draft.take(model.architecture, q.EXPERTS.text, Given, Within, Hole)
    if amount is not None:
        draft.figure(q.EXPERTS, amount, SOME_EXPERTS, "experts")


def add_sizes(draft: Draft) -> None:
    """All params, those that are active, and the experts; what is not told of these is the law's choice."""
    model = draft.plan.model
    assert model is not None, "a mixture is a model"
    size, active, by = model.params, model.active, default_law(draft, "mixture")
    shaped = not draft.definitions.keys().isdisjoint(SHAPE)
    told = any(f.code == "C004" for f in draft.findings)
    if not told and (by is None or shaped) and size is None:
        help = [f"add to the model's block what it lacks of `params: 8B` and `active: {_example(model)}`"]
        draft.findings.append(finding("C004", "the sizes of a mixture of experts are not told", model.span, help=help))
    if active is None and (by is None or shaped or (isinstance(size, Given) and not _asks_for_active(draft, model))):
        draft.figure(q.PARAMS, size, SOME_PARAMS, "model")
        if draft.lawless or draft.law.counts in ("total", "any"):
            draft.define(q.LAW_PARAMS, Ref(q.PARAMS), "derived", "the law counts all params")
        return
    draft.figure(q.ACTIVE_PARAMS, active, SOME_PARAMS, "active")
    if by is not None:
        _relate(draft, by)
    else:
        draft.figure(q.PARAMS, size, SOME_PARAMS, "model")
    if isinstance(size, Given) and isinstance(active, Given) and active.value.value > size.value.value:
        also = [Label(size.span, "all of them")]
        draft.findings.append(finding("C001", "more params are active than there are", active.span, also=also))
    if isinstance(size, Given) and isinstance(active, Given):
        draft.constrain("active", Ref(q.ACTIVE_PARAMS), Ref(q.PARAMS), "line", active.span)
    add_count_of_law(draft)


def add_counted(draft: Draft) -> None:
    """A mixture whose params the model's block counts: its experts may be open, and a bound on all params with them."""
    model = draft.plan.model
    assert model is not None, "a mixture is a model"
    _expansion(draft, model)
    hold_to_size(draft)
    if draft.is_variable(q.ACTIVE_EXPERTS):
        text = "a token passes no more experts than there are"
        draft.constrain("active experts", Ref(q.ACTIVE_EXPERTS), Ref(q.EXPERTS), "line", model.span, text=text)
    without = Op("-", (Ref(q.ACTIVE_PARAMS), Ref(q.EMBEDDING_PARAMS)))
    draft.define(q.ACTIVE_PARAMS_NON_EMBEDDING, without, "derived", "active params but the tables of embeddings")
    add_count_of_law(draft)


def hold_to_size(draft: Draft) -> None:
    """A size that is stated beside a shape of which something is open: of whole layers and experts few sizes can be
    met to the last param, so that it is the most, to its digits.
    """
    model = draft.plan.model
    if model is None or not any(map(draft.is_variable, (q.EXPERTS, *OPEN))):
        return
    for name, size, said in ((q.PARAMS, model.params, "model"), (q.ACTIVE_PARAMS, model.active, "active")):
        if isinstance(size, Given):
            most = replace(size, value=replace(size.value, value=size.value.value * (1.0 + _DIGITS * _is_open(draft))))
            draft.limited(name, Within(None, most, size.span), said)
        elif not isinstance(size, Hole):
            draft.limited(name, size, said)


def _is_open(draft: Draft) -> bool:
    """Whether something of the shape is looked for, and not the experts alone."""
    return any(map(draft.is_variable, OPEN))


def _asks_for_active(draft: Draft, model: Model) -> bool:
    """Whether a plan that tells all params leaves the active size open: beside free experts, or under a bound."""
    free = isinstance(model.architecture.get(q.EXPERTS.text), Hole | Within)
    return free or any(q.ACTIVE_PARAMS in names(requirement.condition) for requirement in draft.plan.requires)


def add_count_of_law(draft: Draft) -> None:
    """The params of a mixture as the law counts them."""
    counts = "" if draft.lawless else draft.law.counts
    if counts == "active":
        draft.define(q.LAW_PARAMS, Ref(q.ACTIVE_PARAMS), "derived", "the law counts what a token passes through")
    elif counts == "non_embedding" and q.ACTIVE_PARAMS_NON_EMBEDDING in draft.definitions:
        tables = Op("-", (Ref(q.ACTIVE_PARAMS), Ref(q.ACTIVE_PARAMS_NON_EMBEDDING)))
        if q.PARAMS_NON_EMBEDDING not in draft.definitions:
            without = Op("-", (Ref(q.PARAMS), tables))
            draft.define(q.PARAMS_NON_EMBEDDING, without, "derived", "all params but the embeddings")
        draft.define(q.LAW_PARAMS, Ref(q.PARAMS_NON_EMBEDDING), "derived", "the law counts params without embeddings")
    else:
        said = "no law counts them here: all params" if draft.lawless else "the law counts all params"
        draft.define(q.LAW_PARAMS, Ref(q.PARAMS), "derived", said)


# ---- what holds the sizes and the experts together


def _relate(draft: Draft, by: Law) -> None:
    """The total and active size by the experts, or the experts by both, as the default law of mixtures has it."""
    model = draft.plan.model
    assert model is not None, "a mixture is a model"
    add_constants(draft, by)
    told = isinstance(model.params, Given) and isinstance(model.active, Given)
    if draft.knows(q.EXPERTS) or not told:
        _expansion(draft, model)
        if told and not draft.is_variable(q.EXPERTS):
            draft.figure(q.PARAMS, model.params, SOME_PARAMS, "model")
        else:
            _total(draft, model, by)
    else:
        draft.figure(q.PARAMS, model.params, SOME_PARAMS, "model")
        _define_by(draft, by, q.EXPANSION, "the plan tells no experts: by the sizes, ")
        _sparsity(draft)
    _define_by(draft, by, q.ACTIVE_PARAMS_NON_EMBEDDING, "")


def _expansion(draft: Draft, model: Model) -> None:
    """Experts to one that is active, from how many the block has of each; where it does not say, they are free."""
    if not draft.knows(q.EXPERTS):
        draft.variables.append(Variable(q.EXPERTS, NONE, SOME_EXPERTS, model.span))
    if q.ACTIVE_EXPERTS not in draft.definitions:
        draft.define(q.ACTIVE_EXPERTS, ONE, "assumed", "not given: one, of the MLP's width")
    draft.define(q.EXPANSION, _experts_to_one(draft), "derived", "experts over those that a token passes")
    _sparsity(draft)
    if draft.is_variable(q.EXPERTS):
        draft.constrain("experts", Ref(q.ACTIVE_EXPERTS), Ref(q.EXPERTS), "line", model.span)
        _hold_to_runs(draft, model)


def _experts_to_one(draft: Draft) -> Expr:
    """Experts over those that a token passes; shared ones, counted by the width of one, are of both."""
    every, some = Ref(q.EXPERTS), Ref(q.ACTIVE_EXPERTS)
    if {q.SHARED_FFN, q.EXPERT_FFN} <= draft.definitions.keys():
        shared: Expr = Op("/", (Ref(q.SHARED_FFN), Ref(q.EXPERT_FFN)))
    elif q.SHARED_EXPERTS in draft.definitions:
        shared = Ref(q.SHARED_EXPERTS)
    else:
        return Op("/", (every, some))
    return Op("/", (Op("+", (every, shared)), Op("+", (some, shared))))


def _sparsity(draft: Draft) -> None:
    passed = Op("/", (ONE, Ref(q.EXPANSION)))
    draft.define(q.SPARSITY, Op("-", (ONE, passed)), "derived", "share of the experts that a token does not pass")


def _total(draft: Draft, model: Model, by: Law) -> None:
    """All params by the active ones and the experts; a total that is given is one that they come to."""
    if not isinstance(model.params, Given):
        _define_by(draft, by, q.PARAMS, "")
        draft.limited(q.PARAMS, model.params, "model")
        return
    draft.figure(q.PARAMS, model.params, SOME_PARAMS, "model")
    counted = _formula(draft, by, q.PARAMS)
    # Of whole experts few sizes can be met to the last param: where both are stated, there is room for as many.
    exact = not isinstance(model.active, Given)
    draft.constrain("params", counted, Ref(q.PARAMS), "line", model.params.span, equal=exact, text="params")


def _define_by(draft: Draft, by: Law, name: Name, said: str) -> None:
    span = next(f.span for f in by.functions if f.output == name.text)
    source = f"{said}{by.title}: {cite_of(by)}"
    draft.define(name, _formula(draft, by, name), "assumed" if said else "derived", source, span, by=by.name)


def _formula(draft: Draft, by: Law, name: Name) -> Expr:
    function = next(f for f in by.functions if f.output == name.text)
    return function_expr(draft, by, function, q.PARAMS)


def _hold_to_runs(draft: Draft, model: Model) -> None:
    """Of more experts a law always says that they are better: where nothing says how many, as many as it has seen."""
    known = draft.law.fitted.get(q.EXPANSION.text)
    amount = model.architecture.get(q.EXPERTS.text)
    span = amount.span if amount else model.span
    least = _least_experts(draft)
    if isinstance(amount, Within) and amount.low is not None:
        least = max(least, amount.low.value.value)
    if draft.lawless or (isinstance(amount, Within) and amount.high is not None):
        return
    if known is None and not _bounded(draft, model):
        message = f"nothing in the plan bounds `experts`, and `{draft.law.name}` sets no limit to them"
        help = ["say how many, such as `experts: 64`, or `experts: up to 64`; a bound on `params` does as well"]
        draft.findings.append(finding("C002", message, span, help=help, laws=(draft.named,)))
    elif known is not None and least <= known[1]:
        most = Op("*", (Num(known[1]), Ref(q.ACTIVE_EXPERTS)))
        draft.constrain(FITTED_EXPERTS, Ref(q.EXPERTS), most, "line", span)


def _bounded(draft: Draft, model: Model) -> bool:
    """Whether the plan says anything of how many params or experts there may be."""
    of_all = {q.PARAMS, q.EXPERTS, q.EXPANSION, q.SPARSITY}
    required = (names(requirement.condition) for requirement in draft.plan.requires)
    return isinstance(model.params, Given | Within) or any(not of_all.isdisjoint(mentioned) for mentioned in required)


def _least_experts(draft: Draft) -> float:
    """How many experts a requirement asks for at least; 0 where none does."""
    least = 0.0
    for part in (part for requirement in draft.plan.requires for part in comparisons(requirement.condition)):
        if len(part.args) != 2:
            continue
        left, right = reversed(part.args) if part.op in (">=", ">") else part.args
        for side, other in ((left, right), *([(right, left)] if part.op == "==" else [])):
            if other == Ref(q.EXPERTS) and isinstance(side, Num):
                least = max(least, side.value)
    return least


# ---- what follows from the active size


def add_mixture(draft: Draft) -> None:
    """The compute of a mixture is that of the params that a token passes through, and of no others."""
    model = draft.plan.model
    if model is None or not draft.mixture:
        return
    draft.absent.add(q.OVERFIT_TOKENS)  # it is known of dense models only
    if not draft.knows(q.ACTIVE_PARAMS):
        draft.absent.update(_over_all_params(draft))
        if not any(f.code == "C004" for f in draft.findings):
            such = f"such as `active: {_example(model)}`"
            help = [f"add the params that a token passes through to the model's block, {such}"]
            message = "the compute of a mixture of experts is that of its active params, which are not told"
            draft.findings.append(finding("C004", message, model.span, help=help))
        return
    span = model.active.span if model.active else model.span
    expr = draft.formula(q.COMPUTE, {q.LAW_PARAMS: q.ACTIVE_PARAMS})
    said = "training compute: 6 a token and param that it passes through"
    draft.define(q.COMPUTE, expr, "derived", said, span)
    serving = draft.formula(q.INFERENCE_COMPUTE, {q.LAW_PARAMS: q.ACTIVE_PARAMS})
    said = "compute of serving: 2 a token and param that it passes through"
    draft.define(q.INFERENCE_COMPUTE, serving, "derived", said, span)


def say_dense(draft: Draft) -> None:
    """What a law of mixtures asks for, of a dense model: one expert, which every token passes."""
    if draft.mixture or draft.lawless:
        return
    asked = {p.quantity for function in functions_for(draft.law, draft.objective) for p in function.parameters}
    for name, value in ((q.EXPANSION, 1.0), (q.SPARSITY, 0.0)):
        if name.text in asked:
            draft.define(name, Num(value), "derived", "a dense model: one expert, which every token passes")


def say_active(draft: Draft) -> None:
    """What is active of a dense model: all of it. Of a mixture the plan says it, or nobody does."""
    if not draft.mixture:
        draft.define(q.ACTIVE_PARAMS, Ref(q.PARAMS), "derived", "a token passes all params of a dense model")


def _over_all_params(draft: Draft) -> list[Name]:
    """The quantities that are counted over all params of a dense model, and of no mixture."""
    return [quantity(text) for text, known in draft.quantities.items() if q.LAW_PARAMS.text in known.mentions]


def _example(model: Model) -> str:
    """A size that the active params might have, for a message: the experts' share of all, at most."""
    all_of_them = model.params.value.value if isinstance(model.params, Given) else 8e9
    sides = [model.architecture.get(name.text) for name in (q.ACTIVE_EXPERTS, q.EXPERTS)]
    some, of = (side.value.value if isinstance(side, Given) else None for side in sides)
    share = some / of if some and of and some < of else 0.125
    return show(all_of_them * share, PARAM, 2).removesuffix(" params")
