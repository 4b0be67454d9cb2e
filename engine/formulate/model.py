"""One count of params to another."""

from __future__ import annotations

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Amount, Given
from runplan.dsl.units.base import PARAM
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import add_constants, default_law, function_expr
from runplan.engine.laws.form import cite_of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Inverse, Variable


def counts_without_embeddings(draft: Draft) -> bool:
    """Whether the law's count is another one than all params, in a domain where embeddings matter."""
    of_law = draft.law.counts == "non_embedding" and not draft.lawless
    return of_law and default_law(draft, "conversion") is not None


def params_with_head(draft: Draft) -> Name:
    """The quantity of all params but for the table of the input, where that is not the head's, as far as it is told."""
    if not {q.EMBEDDINGS, q.VOCAB, q.HIDDEN} <= draft.definitions.keys():
        return q.PARAMS
    if q.PARAMS_WITH_HEAD not in draft.definitions:
        table = Op("*", (Op("*", (Ref(q.VOCAB), Ref(q.HIDDEN))), Num(1.0, PARAM)))
        of_input = Op("*", (Op("-", (Ref(q.EMBEDDINGS), Num(1.0))), table))
        said = "all params but the table of the input, where that is not the head's"
        draft.define(q.PARAMS_WITH_HEAD, Op("-", (Ref(q.PARAMS), of_input)), "derived", said)
    return q.PARAMS_WITH_HEAD


def add_conversion(draft: Draft, size: Amount | None) -> None:
    """The law's own count of params without embeddings, and the total, one from the other by the published conversion.

    A total that is given is one, and the law's count is what leads to it. Else the law's count is to be found.
    """
    if isinstance(size, Given) and {q.EMBEDDINGS, q.VOCAB, q.HIDDEN} <= draft.definitions.keys():
        draft.figure(q.PARAMS, size, 1e9, "model")
        tables = Op("*", (Op("*", (Ref(q.EMBEDDINGS), Ref(q.VOCAB))), Op("*", (Ref(q.HIDDEN), Num(1.0, PARAM)))))
        draft.define(q.LAW_PARAMS, Op("-", (Ref(q.PARAMS), tables)), "derived", "all params but the embeddings")
        draft.define(q.PARAMS_NON_EMBEDDING, Ref(q.LAW_PARAMS), "derived", "the law counts params without embeddings")
        return
    by, total = conversion(draft)
    source, span = f"{by.title}: {cite_of(by)}", by.functions[0].span
    if isinstance(size, Given):
        draft.figure(q.PARAMS, size, 1e9, "model")
        note = f"solves params = {shown(by.functions[0].body)} at {show(size.value.value, PARAM)}"
        placeholder = Num(size.value.value, PARAM)
        count = draft.definition(q.LAW_PARAMS, placeholder, "assumed", source, span, note=note, by=by.name)
        draft.inverses.append(Inverse(count, draft.definitions[q.PARAMS], total))
    else:
        draft.variables.append(Variable(q.LAW_PARAMS, PARAM, 1e9, size.span if size is not None else None))
        note = "conversion of params without embeddings"
        draft.define(q.PARAMS, total, "assumed", source, span, note=note, by=by.name)
        draft.limited(q.PARAMS, size, "model")
    said = "the law counts params without embeddings"
    draft.define(q.PARAMS_NON_EMBEDDING, Ref(q.LAW_PARAMS), "derived", said)


def conversion(draft: Draft) -> tuple[Law, Expr]:
    """The published conversion of params without embeddings: the law, and all params by `params_non_embedding`."""
    by = default_law(draft, "conversion")
    assert by is not None and by.functions, "only asked for where there is one"
    add_constants(draft, by)
    return by, function_expr(draft, by, by.functions[0])
