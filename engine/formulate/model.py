"""The model's block to its size, and one count of params to another."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Amount, Given
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import PARAM
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import add_constants, default_law, function_expr
from runplan.engine.laws.form import cite_of
from runplan.engine.numeric.search import inverse
from runplan.engine.problem.problem import expand

# What a model's block must say for its params to be counted.
COUNTED = ("layers", "hidden", "ffn", "heads", "vocab")


def add_architecture(draft: Draft) -> bool:
    """The figures of the model's block, and its params counted from them; whether they could be counted."""
    model = draft.plan.model
    if model is None or not model.architecture:
        return False
    given = {name: a for name, a in model.architecture.items() if isinstance(a, Given)}
    for name, amount in model.architecture.items():
        if name in given:
            draft.give(name, draft.dim(name), given[name])
        else:
            draft.gave_up(f"a range or a `?` on `{name}` is read, and not solved yet", amount.span)
    if "experts" in given and model.params is None:
        help = ["add the size, all experts counted: `params: 671B`"]
        draft.findings.append(finding("C004", "the size of a mixture of experts is not told", model.span, help=help))
        return False
    tied = given.get("tied")
    tables = 1.0 if tied and tied.value.value else 2.0
    said = "tied" if tables == 1.0 else "input and output tables apart"
    if "vocab" in given:
        draft.define("embeddings", NONE, Num(tables), "given" if tied else "assumed", said, tied.span if tied else None)
    missing = [name for name in COUNTED if name not in given] if "experts" not in given else []
    if missing and model.params is None and len(missing) < len(COUNTED):
        help = [f"add {', '.join(f'`{name}`' for name in missing)}, or the size: `params: 7B`"]
        draft.findings.append(finding("C004", "the model's block does not tell its size", model.span, help=help))
    if missing:
        _estimate_width(draft, given, model.params)
        return False
    if "kv_heads" not in given:
        draft.define("kv_heads", NONE, Ref("heads"), "assumed", "not given: a key and value for each head")
    by = default_law(draft, "architecture")
    for function in by.functions if by and model.params is None else ():  # a size that is given stands
        assert by is not None
        expr = function_expr(draft, by, function, by.name)
        draft.define(function.output, PARAM, expr, "derived", f"{by.title}: {cite_of(by)}", function.span, by=by.name)
    return by is not None


# The aspect at which a width is estimated where the depth is not given either: published models have 30 to 130.
USUAL_ASPECT = 64.0


def _estimate_width(draft: Draft, given: Mapping[str, Given], size: Amount | None) -> None:
    """A width from the size and the depth, for the rules that judge by it, where the block has none."""
    if "hidden" in given or "experts" in given or not {"layers", "vocab"} & given.keys() or not isinstance(size, Given):
        return
    layer = Op("/", (Ref("params"), Num(12.0, PARAM)))
    if "layers" in given:
        width = Op("^", (Op("/", (layer, Ref("layers"))), Num(0.5)))
        said = "estimated: params = 12 layers hidden^2"
    else:
        width = Op("^", (Op("*", (layer, Num(USUAL_ASPECT))), Num(1 / 3)))
        said = f"estimated: params = 12 layers hidden^2 at an aspect of {USUAL_ASPECT:g}"
    draft.define("hidden", NONE, width, "assumed", said)


def counts_without_embeddings(draft: Draft) -> bool:
    """Whether the law's count is another one than all params, in a domain where embeddings matter."""
    return draft.law.counts == "non_embedding" and default_law(draft, "conversion") is not None


def _conversion(draft: Draft) -> tuple[Law, Expr]:
    """The published conversion of params without embeddings: the law, and all params by `params_non_embedding`."""
    by = default_law(draft, "conversion")
    assert by is not None and by.functions, "only asked for where there is one"
    add_constants(draft, by, by.name)
    return by, function_expr(draft, by, by.functions[0], by.name)


def add_converted_params(draft: Draft) -> None:
    """Total params from the law's own count without embeddings, by the published conversion."""
    by, expr = _conversion(draft)
    note = "conversion of params without embeddings"
    source = f"{by.title}: {cite_of(by)}"
    draft.define("params", PARAM, expr, "assumed", source, by.functions[0].span, note, by.name)
    said = "the law counts params without embeddings"
    draft.define("params_non_embedding", PARAM, Ref("law_params"), "derived", said)


def add_converted_back(draft: Draft) -> None:
    """The law's own count without embeddings from a total that is given, by the published conversion."""
    by, expr = _conversion(draft)
    params = draft.value("params")
    function = compiled(expand(expr, draft.definitions, {}))
    count = inverse(lambda x: float(function({"params_non_embedding": x})), params, 1.0, params)
    note = f"solves params = {shown(by.functions[0].body)} at {show(params, PARAM)}"
    source = f"{by.title}: {cite_of(by)}"
    draft.define("law_params", PARAM, Num(count, PARAM), "assumed", source, by.functions[0].span, note, by.name)
    said = "the law counts params without embeddings"
    draft.define("params_non_embedding", PARAM, Ref("law_params"), "derived", said)
