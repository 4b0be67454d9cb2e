"""Sources of what the weights were trained on before to their share of a run from a checkpoint: its replay."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names
from runplan.dsl.expr.values import value
from runplan.dsl.plan.ir import DataSource, Given
from runplan.dsl.units.base import TOKEN
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.table import Quantity
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.settings import lend, lender
from runplan.engine.formulate.sources import UNWEIGHTED, of
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand


def keep_asked(draft: Draft) -> None:
    """What a law of continued pre-training asks for, beside what the plan replays."""
    if asked := draft.definitions.pop(q.REPLAY_SHARE, None):
        draft.definitions[q.LAW_REPLAY_SHARE] = replace(asked, name=q.LAW_REPLAY_SHARE)


def with_replay(draft: Draft, sources: Sequence[DataSource]) -> list[DataSource]:
    """The sources, those of what came before with the share that published runs gave it where no share is said.

    The plan calls them `for pretrain`. Without a share they would be seen as often as the new data, and be most of it.
    """
    old, new = _parted(sources)
    schedule = draft.stage.schedule
    shared = any(s.weight for s in sources) or any(p.mix for p in (schedule.phases if schedule else ()))
    usual = lender(draft, q.REPLAY_SHARE.text) if draft.checkpoint and old and new and not shared else None
    if usual is None:
        return list(sources)
    lend(draft, *usual)
    whole = expand(Ref(q.REPLAY_SHARE), draft.definitions, {})
    if names(whole):  # it moves with what is chosen, and no weight does
        del draft.definitions[q.REPLAY_SHARE]
        return list(sources)
    share, total = float(value(whole, {})), sum(map(_tokens, old))
    weights = {id(s): Quantity(share * _tokens(s) / total, NONE) for s in old}
    return [
        replace(s, weight=Given(weights[id(s)], Num(weights[id(s)].value), s.span)) if id(s) in weights else s
        for s in sources
    ]


def add_replay(draft: Draft, sources: Sequence[DataSource], base: Name) -> None:
    """How much of the run is replay: by the usual share, which those of its sources then follow, or by the plan."""
    old, new = _parted(sources)
    if draft.checkpoint is None or not new:
        return
    if q.REPLAY_SHARE not in draft.definitions:
        share: Expr = joined("+", (of(s, q.SHARE) for s in old)) if old else Num(0.0)
        said = "sources `for pretrain`" if old else "no source is `for pretrain`"
        draft.define(q.REPLAY_SHARE, share, "derived", said, old[0].span if old else None)
        return
    total = sum(map(_tokens, old))
    said = "not given: its part of the replay"
    for source in old:
        part: Expr = Ref(q.REPLAY_SHARE)
        part = Op("*", (Num(_tokens(source) / total), part)) if len(old) > 1 else part
        draft.define(of(source, q.SHARE), part, "derived", said, source.span)
    left = Op("-", (Num(1.0), Ref(q.REPLAY_SHARE)))
    draft.define(UNWEIGHTED[base], left, "derived", "what the replay leaves")


def _parted(sources: Sequence[DataSource]) -> tuple[list[DataSource], list[DataSource]]:
    """Sources of what the weights were trained on before, and the others."""
    return [s for s in sources if s.stage == "pretrain"], [s for s in sources if s.stage != "pretrain"]


def _tokens(source: DataSource) -> float:
    """What there is of a source, in tokens."""
    assert isinstance(source.amount, Given)
    amount = source.amount.number.value
    return amount / source.density.value.value if source.density and source.amount.value.dim != TOKEN else amount
