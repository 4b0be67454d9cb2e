"""The data of a plan to definitions: the sources of each stage, what repeats are worth, and the mix of each phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names, substitute
from runplan.dsl.plan.ir import DataSource, Given
from runplan.dsl.text.finding import finding
from runplan.engine.formulate.data_figures import add_enough, add_quality, add_repeats
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.durations import add_durations
from runplan.engine.formulate.law import add_constants, default_law, function_expr
from runplan.engine.formulate.placement import placed
from runplan.engine.formulate.replay import add_replay, with_replay
from runplan.engine.formulate.schedule import Mix, PhasePlan, add_phases, mixed_by_hand, phases_of
from runplan.engine.formulate.sources import add_group, label_of, of, there_is
from runplan.engine.laws.form import cite_of, functions_for
from runplan.engine.problem import quantities as q


def add_data(draft: Draft) -> None:
    """The sources of the stage, the phases of its schedule, and the mix of each phase."""
    sources = known_sources(draft)
    phases = add_durations(draft, phases_of(draft))
    if draft.transfer:
        _must_not_mix(draft, phases)
        _add_transferred(draft, sources)
        add_phases(draft, phases, [{} for _ in phases])
        _must_tell_density(draft)
        return
    if not sources and any(p.quantity == q.DATA_TOKENS.text for f in draft.law.functions for p in f.parameters):
        draft.define(q.DATA_TOKENS, Ref(q.TOKENS), "assumed", "not given: fresh data without end")
    mixes = mixed(draft, sources, q.TOKENS, phases)
    add_worth(draft, [Seen(source, partial(of, source)) for source in sources])
    add_phases(draft, phases, mixes)
    add_enough(draft, sources)


def add_data_of_stage(draft: Draft, *, own: bool) -> tuple[Sequence[PhasePlan], Sequence[DataSource]]:
    """The phases of a stage, and its data where they are its `own`; those of the plan are mixed into all stages."""
    sources = known_sources(draft) if own else []
    phases = add_durations(draft, phases_of(draft))
    mixes = mixed(draft, sources, q.TOKENS, phases) if sources else [mixed_by_hand(phase) for phase in phases]
    add_phases(draft, phases, mixes)
    add_enough(draft, sources)
    return phases, sources


def mixed(draft: Draft, sources: Sequence[DataSource], base: Name, phases: Sequence[PhasePlan]) -> list[Mix]:
    """Sources that are mixed into one run, and the mix of each of its phases."""
    add_group(draft, sources, base, phases)
    add_replay(draft, sources, base)
    draft.sources = tuple(label_of(s) for s in sources)
    mixes = _mixes(draft, phases, sources)
    add_quality(draft, sources, phases, mixes)
    add_repeats(draft, sources)
    return mixes


def known_sources(draft: Draft) -> list[DataSource]:
    """The sources of the stage that can be used: of what cannot there is a finding."""
    return with_replay(draft, [source for source in draft.stage.data if _is_known(draft, source)])


def _is_known(draft: Draft, source: DataSource) -> bool:
    """Whether a source can be used: of what cannot there is a finding."""
    if source.stage and draft.objective.kind == "transfer" and draft.lawless:
        draft.gave_up(f"no law says how the tokens of a {draft.objective} divide between its stages", source.span)
    elif source.stage and not (draft.transfer or draft.from_weights):
        message = f"data `for {source.stage}` where the objective has one stage"
        help = ["say `objective: transfer from CLM to MLM`, or leave it out"]
        draft.findings.append(finding("C001", message, source.span, help=help))
    else:
        return True
    return False


# ---- transfers


def _add_transferred(draft: Draft, sources: Sequence[DataSource]) -> None:
    """The data of both stages of a transfer: those of the target, and those of the stage before."""
    target = [s for s in sources if s.stage != "pretrain"]
    add_group(draft, target, q.FINETUNE_TOKENS)
    if len(target) == 1 and target[0].density and ("character", 1.0) in target[0].density.value.dim:
        density = of(target[0], q.DENSITY)
        if density in draft.definitions:
            said = "of the target's data"
            draft.define(q.CHARACTERS_PER_TOKEN, Ref(density), "derived", said, target[0].span)
        else:
            draft.give(q.CHARACTERS_PER_TOKEN, target[0].density)
    before = [s for s in sources if s.stage == "pretrain"]
    if draft.knows(q.PRETRAIN_TOKENS):  # else the law says nothing of the first stage
        add_group(draft, before, q.PRETRAIN_TOKENS)
    _add_share_of_code(draft, before)
    add_repeats(draft, sources)
    draft.sources = tuple(label_of(s) for s in sources if of(s, q.SHARE) in draft.definitions)


def _must_not_mix(draft: Draft, phases: Sequence[PhasePlan]) -> None:
    """Each stage of a transfer has data of its own, and no law says which stage a phase falls into."""
    mixed = next((phase for phase in phases if phase.mix), None)
    if mixed is not None:
        message = f"the mix of `{mixed.name}` is used by no stage: in a transfer each has data of its own"
        help = ["leave out the `mix`, and say the shares of a stage by `weight` of its sources"]
        draft.findings.append(finding("C001", message, mixed.span, help=help))


def _must_tell_density(draft: Draft) -> None:
    """A law that counts characters needs to know how many a token has."""
    needed = q.FINETUNE_CHARACTERS.text
    counted = any(needed in f.needs for f in functions_for(draft.law, draft.objective))
    if counted and draft.stage.data and not draft.knows(q.CHARACTERS_PER_TOKEN):
        source = next((s for s in draft.stage.data if s.stage != "pretrain"), draft.stage.data[0])
        message = f"`{draft.law.name}` counts characters; how many a token has is not said"
        help = ["add `at 4.2 characters/token` to the data, with the figure of your tokenizer"]
        draft.findings.append(finding("C004", message, source.span, help=help, laws=(draft.named,)))


def _add_share_of_code(draft: Draft, sources: Sequence[DataSource]) -> None:
    """How much of the data of the first stage is code, by their amounts."""
    sources = [source for source in sources if draft.knows(of(source, q.AVAILABLE)) or isinstance(source.amount, Given)]
    code = [s for s in sources if {label_of(s).lower(), (s.domain or "").lower()} & {"code", draft.objective.target}]
    if code:
        part, whole = (joined("+", (there_is(draft, source) for source in some)) for some in (code, sources))
        said = "code among the data of the first stage"
        draft.define(q.PRETRAIN_CODE, Op("/", (part, whole)), "derived", said, code[0].span)


# ---- what repeated data are worth


@dataclass(frozen=True, slots=True)
class Seen:
    """A source of data that is trained on, and its quantities: of the run, or of one of its stages."""

    source: DataSource
    of: Callable[[Name], Name]


def add_worth(draft: Draft, sources: Sequence[Seen], beside: Sequence[Expr] = ()) -> None:
    """Effective tokens where a source may be repeated: a repeated token counts for less, by the default law.

    Args:
        beside: Tokens that are of none of the sources, each as good as it is.
    """
    loss = draft.definitions.get(q.LOSS)
    if loss is None or not any(seen.source.may_repeat for seen in sources):
        return
    known = q.DATA_TOKENS in names(loss.expr)  # the plan's own law counts repeats, of all sources together
    law = draft.law if known else default_law(draft, "repeats")
    if known and len(sources) > 1:
        _take_unique(draft, sources)
        return
    output = q.EFFECTIVE_TOKENS
    formula = next((f for f in law.functions if f.output == output.text), None) if law else None
    if law is None or formula is None:
        return
    add_constants(draft, law)
    used = [seen for seen in sources if draft.definitions[seen.of(q.SHARE)].expr != Num(0.0)]
    for source in used:
        seen, there = source.of(q.TOKENS), source.of(q.AVAILABLE)
        worth = substitute(function_expr(draft, law, formula), {q.TOKENS: Ref(seen), q.DATA_TOKENS: Ref(there)})
        own = source.of(output)
        draft.repeats.append(draft.definition(own, worth, "law", cite_of(law), formula.span, by=law.name))
        once_more = substitute(worth, {seen: Op("+", (Ref(seen), Ref(there)))})
        said = "what a further pass over the source is worth, in fresh tokens"
        gained = Op("-", (once_more, Ref(own)))
        draft.repeats.append(
            draft.definition(source.of(q.NEXT_EPOCH), gained, "derived", said, formula.span, by=law.name)
        )
    if known:
        return
    total = joined("+", (*(source.of(output) for source in used), *beside))
    draft.repeats.append(
        draft.definition(output, total, "law", cite_of(law), formula.span, note="all sources", by=law.name)
    )
    expr = substitute(loss.expr, {q.TOKENS: Ref(output)})
    note = "over effective tokens: some data are seen more than once"
    draft.repeats.append(replace(loss, expr=expr, note="; ".join(text for text in (loss.note, note) if text)))


def _take_unique(draft: Draft, sources: Sequence[Seen]) -> None:
    """What a law of repeats takes for all that there is: the tokens that are seen at all, where sources differ."""
    seen = (Op("min", (Ref(source.of(q.TOKENS)), Ref(source.of(q.AVAILABLE)))) for source in sources)
    draft.define(q.UNIQUE_TOKENS, joined("+", seen), "derived", "each source as far as it is seen, once")
    by = {q.DATA_TOKENS: Ref(q.UNIQUE_TOKENS)}
    for name, definition in draft.definitions.items():
        if definition.by == draft.law.name:
            draft.definitions[name] = replace(definition, expr=substitute(definition.expr, by))


# ---- the mix of each phase


def _mixes(draft: Draft, phases: Sequence[PhasePlan], sources: Sequence[DataSource]) -> list[Mix]:
    """The mix of each phase: by hand where given, else the plan's, with quality where the schedule asks for it."""
    if not sources or all(phase.mix for phase in phases):
        return [mixed_by_hand(phase) for phase in phases]
    if any(phase.mix for phase in phases):
        planned = {label_of(source): Ref(of(source, q.UNMIXED_SHARE)) for source in sources}
        return [mixed_by_hand(phase) or {name: (share, share) for name, share in planned.items()} for phase in phases]
    good = frozenset(label_of(s) for s in sources if s.quality in ("high", "sft"))
    schedule = draft.stage.schedule
    usual = "throughout" if draft.from_weights else "late"  # what a fine-tune is of is no annealing
    where = schedule.quality.text if schedule and schedule.quality else usual
    return placed(phases, [label_of(source) for source in sources], good, where)
