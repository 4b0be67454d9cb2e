"""What a law says of the stages of one objective together, to the run and to each of its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names, substitute
from runplan.dsl.plan.ir import DataSource
from runplan.dsl.text.finding import finding
from runplan.dsl.units.base import TOKEN
from runplan.engine.formulate.data import Seen, add_worth
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.sources import of
from runplan.engine.formulate.stages import Staged
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Definition


def add_trained(whole: Draft, run: Sequence[Staged]) -> None:
    """What the weights have seen up to each stage of one run to a law."""
    for trained, own in ((q.TRAINED_TOKENS, q.TOKENS), (q.TRAINED_COMPUTE, q.COMPUTE)):
        before: Expr | None = None
        for stage in run:
            mine = Ref(stage.of(own))
            total = mine if before is None else Op("+", (before, mine))
            whole.define(stage.of(trained), total, "derived", "with the stages before of its objective")
            before = Ref(stage.of(trained))


def add_losses(whole: Draft, run: Sequence[Staged], stages: Sequence[Staged]) -> None:
    """The loss when each stage of a run ends: that of the law over what the weights have seen by then.

    That of the last is the plan's.
    """
    loss = whole.definitions.get(q.LOSS)
    if loss is None:
        return
    if whole.transfer:  # it is of the stages that are transferred to, when they end
        whole.define(run[-1].of(q.LOSS), Ref(q.LOSS), "derived", loss.source, loss.span)
        return
    table = {d.name: d for d in whole.repeats}
    for at, stage in enumerate(run):
        later = [other for other in stages if other not in run[: at + 1]]
        whole.definitions[stage.of(q.LOSS)] = _loss_after(whole, loss, stage, run[: at + 1], later, {})
        perplexity = whole.formula(q.PERPLEXITY, {q.LOSS: stage.of(q.LOSS)})
        whole.define(stage.of(q.PERPLEXITY), perplexity, "derived", whole.quantities[q.PERPLEXITY.text].title)
        if q.LOSS in table:
            whole.repeats.append(_loss_after(whole, table[q.LOSS], stage, run[: at + 1], later, table))


def _loss_after(
    whole: Draft,
    loss: Definition,
    stage: Staged,
    seen: Sequence[Staged],
    later: Sequence[Staged],
    table: Mapping[Name, Definition],
) -> Definition:
    if not later:
        return replace(loss, name=stage.of(q.LOSS), expr=Ref(q.LOSS), kind="derived")
    nothing = Num(0.0, TOKEN)

    def seen_of(tokens: Name) -> Expr:
        """How much of some data the weights have seen by then."""
        if tokens.part("stage"):
            return nothing if tokens.part("stage") in {other.name for other in later} else Ref(tokens)
        mine = [other.of(tokens) for other in seen if whole.knows(other.of(tokens))]
        return joined("+", mine) if mine else nothing

    def worth_of(name: Name, d: Definition) -> Definition:
        """What data are worth: of none of them, nothing, whatever the law makes of no pass over no data."""
        unseen = name.scope and seen_of(Name(q.TOKENS.text, name.kind, name.scope)) == nothing
        return replace(d, expr=nothing) if unseen else d

    worth = {name: worth_of(name, d) for name, d in table.items() if name.text == q.EFFECTIVE_TOKENS.text}
    expr = expand(loss.expr, worth, {})
    by: dict[Name, Expr] = {q.TOKENS: Ref(stage.of(q.TRAINED_TOKENS)), q.COMPUTE: Ref(stage.of(q.TRAINED_COMPUTE))}
    by |= {name: seen_of(name) for name in names(expr) if name.text == q.TOKENS.text and name.scope}
    return replace(loss, name=stage.of(q.LOSS), expr=substitute(expr, by))


def of_run(whole: Draft, run: Sequence[Staged]) -> None:
    """What a law says of the tokens and the compute of a plan as what it says of some of its stages."""
    last = run[-1]
    by: dict[Name, Expr] = {q.TOKENS: Ref(last.of(q.TRAINED_TOKENS)), q.COMPUTE: Ref(last.of(q.TRAINED_COMPUTE))}
    for name, d in whole.definitions.items():
        if d.kind == "law" and d.by == whole.law.name and not name.scope and name != q.LOSS:
            whole.definitions[name] = replace(d, expr=substitute(d.expr, by))
    if q.LOSS in whole.definitions:
        last_of = Ref(last.of(q.LOSS))
        whole.definitions[q.LOSS] = replace(whole.definitions[q.LOSS], expr=last_of, kind="derived")
        whole.repeats = [d for d in whole.repeats if d.name != q.LOSS]


def add_worth_of_stages(whole: Draft, run: Sequence[Staged], sources: Sequence[DataSource]) -> None:
    """What data are worth that the stages of a run see more than once: of the plan's store, and of their own."""
    using = [stage for stage in run if stage.alone.shares_data]
    seen = [Seen(source, partial(of, source)) for source in sources] if using else []
    beside: list[Expr] = []
    for stage in run:
        if stage.alone.shares_data:
            continue
        if not stage.sources:
            beside.append(Ref(stage.of(q.TOKENS)))
        seen += [Seen(source, partial(stage.of_source, source)) for source in stage.sources]
    add_worth(whole, seen, beside)


def unheard(whole: Draft, stages: Sequence[Staged], run: Sequence[Staged]) -> None:
    """Stages after those that the law is for: it says nothing of them."""
    behind = stages[stages.index(run[-1]) + 1 :]
    for stage in behind:
        said = stage.alone.stage.objective.span if stage.alone.stage.objective else stage.alone.stage.span
        what = "which trains adapters" if stage.alone.trains_adapters else f"which is {stage.alone.objective}"
        message = f"`{whole.law.name}` gives no loss of `{stage.name}`, {what}"
        assert said is not None
        whole.lacking.append(finding("L004", message, said, severity="info", laws=(whole.named,)))
