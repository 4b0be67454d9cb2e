"""Sources and phases to what rules ask of the data: where quality ends up, how often data are seen, whether they do."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.dsl.plan.ir import DataSource, Hole
from runplan.dsl.text.source import Span
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.schedule import Mix, PhasePlan, mean
from runplan.engine.formulate.sources import label_of, of
from runplan.engine.problem import quantities as q


def add_quality(draft: Draft, sources: Sequence[DataSource], phases: Sequence[PhasePlan], mixes: Sequence[Mix]) -> None:
    """Where data of high quality and SFT data end up, as quantities that a rule or a requirement may name."""
    good = [s for s in sources if s.quality == "high"]
    sft = [s for s in sources if s.quality == "sft"]
    if good:
        most, span = _most(good)
        draft.define(q.HIGH_QUALITY_EPOCHS, most, "derived", "the most repeated source of high quality", span)
    if not any(mixes):
        return
    schedule = draft.stage.schedule
    by_hand = schedule is not None and schedule.name is None
    for name, kind in ((q.HIGH_QUALITY_EARLY, good), (q.SFT_EARLY, sft)):
        labels = [label_of(source) for source in kind]
        seen = [_seen(phase, mix, labels) for phase, mix in zip(phases, mixes, strict=True)]
        used = [part for part in seen if part is not None]
        if not used:
            continue
        late = seen[-1] or Num(0.0)
        early = Op("max", (Num(0.0), Op("-", (Num(1.0), Op("/", (late, joined("+", used)))))))
        first = next(phase for phase, part in zip(phases, seen, strict=True) if part is not None)
        placed_by = schedule.quality if schedule else None
        span = first.span if by_hand else placed_by.span if placed_by else kind[0].span
        draft.define(name, early, "derived", "the mix of the phases", span)
    if sft:
        span = phases[-1].span if by_hand else sft[0].span
        part = mean(mixes[-1], [label_of(source) for source in sft]) or Num(0.0)
        draft.define(q.SFT_IN_DECAY, part, "derived", "the mix of the last phase", span)


def _seen(phase: PhasePlan, mix: Mix, labels: Sequence[str]) -> Expr | None:
    """The share of all tokens that some sources have in a phase; None where the phase has none of them."""
    part = mean(mix, labels)
    return None if part is None else Op("*", (phase.part, part))


def _most(sources: Sequence[DataSource]) -> tuple[Expr, Span | None]:
    """The passes over the most repeated of some sources, and its place where there is but one."""
    most = joined("max", (of(source, q.EPOCHS) for source in sources))
    return most, sources[0].span if len(sources) == 1 else None


def add_repeats(draft: Draft, sources: Sequence[DataSource]) -> None:
    """How often the most repeated source is seen, and what share of the mix teaches to reason."""
    used = [source for source in sources if of(source, q.EPOCHS) in draft.definitions]
    draft.define(q.SOURCE_COUNT, Num(float(len(sources))), "derived", "the plan's sources")
    if used:
        most, span = _most(used)
        draft.define(q.MOST_EPOCHS, most, "derived", "the most repeated source", span)
    teach = draft.default_words("reasoning")
    reasoning = [source for source in used if {label_of(source).lower(), (source.domain or "").lower()} & teach]
    if reasoning and not draft.transfer:
        total = joined("+", (of(source, q.SHARE) for source in reasoning))
        said = "sources of code and mathematics"
        draft.define(q.REASONING_SHARE, total, "derived", said, reasoning[0].span)


def add_enough(draft: Draft, sources: Sequence[DataSource]) -> None:
    """What the tokens are to the size: how many are as good as fresh, and how far their ratio is from the law's own."""
    tokens = draft.stage.tokens
    if sources:
        parts: list[Expr] = []
        for source in sources:
            most = Op("*", (Ref(q.FRESH_PASSES), Ref(of(source, q.AVAILABLE))))
            parts.append(Op("min", (Ref(of(source, q.TOKENS)), most)))
        said = "passes beyond `fresh_passes` over a source are not counted"
        draft.define(q.FRESH_TOKENS, joined("+", parts), "derived", said)
    elif tokens is not None and not isinstance(tokens, Hole):
        draft.define(q.FRESH_TOKENS, Ref(q.TOKENS), "derived", "one pass")
