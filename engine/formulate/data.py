"""Sources of data to definitions: what there is, what share each has, how often it is seen, and what it caps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runplan.dsl.expr.derivative import joined
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.plan.ir import DataSource, Given, Hole
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import EPOCH, TOKEN
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.formulate.durations import add_durations
from runplan.engine.formulate.law import add_constants, default_law, function_expr, line_of
from runplan.engine.formulate.schedule import (
    Mix,
    PhasePlan,
    add_phases,
    in_shares,
    mean,
    mixed_by_hand,
    phases_of,
    placed,
)
from runplan.engine.laws.form import cite_of, functions_for
from runplan.engine.problem import quantities as q

# Of the sources that are mixed into tokens of one kind: all that there is of those without a weight, and their share.
ALL_PASSES = {q.TOKENS: q.ALL_PASSES, q.FINETUNE_TOKENS: q.ALL_PASSES, q.PRETRAIN_TOKENS: q.ALL_PRETRAIN_PASSES}
UNWEIGHTED = {q.TOKENS: q.UNWEIGHTED, q.FINETUNE_TOKENS: q.UNWEIGHTED, q.PRETRAIN_TOKENS: q.UNWEIGHTED_PRETRAIN}


def add_data(draft: Draft) -> None:
    """The sources of the stage, the phases of its schedule, and the mix of each phase."""
    sources = [source for source in draft.stage.data if _is_known(draft, source)]
    phases = add_durations(draft, phases_of(draft))
    if draft.transfer:
        _add_transferred(draft, sources)
        add_phases(draft, phases, [{} for _ in phases])
        _must_tell_density(draft)
        return
    if not sources and any(p.quantity == q.DATA_TOKENS.text for f in draft.law.functions for p in f.parameters):
        draft.define(q.DATA_TOKENS, Ref(q.TOKENS), "assumed", "not given: fresh data without end")
    by_hand = in_shares(phases) and bool(sources) and all(phase.mix for phase in phases)
    _add_group(draft, sources, q.TOKENS, phases if by_hand else ())
    _add_worth(draft, sources)
    draft.sources = tuple(_label(s) for s in sources)
    mixes = _mixes(draft, phases, sources)
    add_phases(draft, phases, mixes)
    _add_quality(draft, sources, phases, mixes)
    _add_repeats(draft, sources)
    _add_enough(draft, sources)


def _is_known(draft: Draft, source: DataSource) -> bool:
    """Whether a source can be used: of what cannot there is a finding."""
    if not isinstance(source.amount, Given):
        draft.gave_up("data that is a range or a `?` is read, and not solved yet", source.amount.span)
    elif source.stage and not draft.transfer:
        message = f"data `for {source.stage}` where the objective has one stage"
        help = ["say `objective: transfer from CLM to MLM`, or leave it out"]
        draft.findings.append(finding("C001", message, source.span, help=help))
    else:
        return True
    return False


def _label(source: DataSource) -> str:
    return source.name or "data"


def _of(source: DataSource, name: Name) -> Name:
    """A quantity of a source."""
    return name.of("source", _label(source))


# ---- transfers


def _add_transferred(draft: Draft, sources: Sequence[DataSource]) -> None:
    """The data of both stages of a transfer: those of the target, and those of the stage before."""
    target = [s for s in sources if s.stage != "pretrain"]
    _add_group(draft, target, q.FINETUNE_TOKENS, ())
    if len(target) == 1 and target[0].density and ("character", 1.0) in target[0].density.value.dim:
        density = _of(target[0], q.DENSITY)
        if density in draft.definitions:
            said = "of the target's data"
            draft.define(q.CHARACTERS_PER_TOKEN, Ref(density), "derived", said, target[0].span)
        else:
            draft.give(q.CHARACTERS_PER_TOKEN, target[0].density)
    before = [s for s in sources if s.stage == "pretrain"]
    if draft.knows(q.PRETRAIN_TOKENS):  # else the law says nothing of the first stage
        _add_group(draft, before, q.PRETRAIN_TOKENS, ())
    _add_share_of_code(draft, before)
    _add_repeats(draft, sources)
    draft.sources = tuple(_label(s) for s in sources if _of(s, q.SHARE) in draft.definitions)


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
    code = [s for s in sources if {_label(s).lower(), (s.domain or "").lower()} & {"code", draft.objective.target}]
    if code:
        part, whole = (joined("+", map(_in_tokens, some)) for some in (code, sources))
        said = "code among the data of the first stage"
        draft.define(q.PRETRAIN_CODE, Op("/", (part, whole)), "derived", said, code[0].span)


def _in_tokens(source: DataSource) -> Expr:
    """What there is of a source."""
    assert isinstance(source.amount, Given)
    amount = number(source.amount)
    return Op("/", (amount, number(source.density))) if source.density else amount


# ---- shares and caps


def _add_group(draft: Draft, sources: Sequence[DataSource], base: Name, by_hand: Sequence[PhasePlan]) -> None:
    """Sources that are mixed into one run: their shares, tokens, epochs, and the cap on `base`.

    Args:
        by_hand: The phases, where each gives its mix: they say the shares.
    """
    if not sources:
        return
    for source in sources:
        _add_amount(draft, source)
    _add_unweighted(draft, sources, base)
    uneven = bool(by_hand) or any(source.weight for source in sources)
    caps: list[tuple[str, Expr, Span]] = []
    for at, source in enumerate(sources):
        share, said = _share(sources, source, by_hand, base)
        draft.define(_of(source, q.SHARE), share, "derived", said, source.span)
        tokens = Op("*", (Ref(_of(source, q.SHARE)), Ref(base)))
        draft.define(_of(source, q.TOKENS), tokens, "derived", "its share of the tokens", source.span)
        seen = Op("/", (Ref(_of(source, q.TOKENS)), Ref(_of(source, q.AVAILABLE))))
        passes = Op("*", (seen, Num(1.0, EPOCH)))
        draft.define(_of(source, q.EPOCHS), passes, "derived", "passes over the source", source.span)
        left = Op("-", (_all_of(source), Ref(_of(source, q.TOKENS))))
        draft.define(_of(source, q.LEFT), left, "derived", "what is left over", source.span)
        if _is_used(source, by_hand) and (uneven or at == 0):
            # In proportion to amount and epochs all sources run out together: one constraint says it for all.
            text = f"data {source.name}" if uneven and source.name else "data"
            cap = Op("/", (_all_of(source), Ref(_of(source, q.SHARE)))) if len(sources) > 1 else _all_of(source)
            caps.append((text, cap, source.span))
    if base == q.PRETRAIN_TOKENS:
        # Fewer data than the transfer is worth make it worth less; they do not cap the second stage.
        said = "data for the first stage, at most"
        fewest = joined("min", (cap for _, cap, _ in caps))
        draft.define(q.PRETRAIN_DATA, fewest, "derived", said, sources[0].span)
        return
    for text, cap, span in caps:
        draft.constrain(text, Ref(base), cap, "data", span)
    total = joined("+", (_of(source, q.AVAILABLE) for source in sources))
    draft.define(q.DATA_TOKENS, total, "derived", "all sources, once")
    if draft.transfer:
        passes = Op("*", (Op("/", (Ref(base), Ref(q.DATA_TOKENS))), Num(1.0, EPOCH)))
        draft.define(q.EPOCHS, passes, "derived", "passes over the data")


def _add_amount(draft: Draft, source: DataSource) -> None:
    """How many tokens there are of a source, and how often they may be seen."""
    assert isinstance(source.amount, Given)
    dim = source.amount.value.dim
    if dim == TOKEN:
        draft.define(_of(source, q.AVAILABLE), number(source.amount), "given", "plan", source.span)
    elif source.density:
        draft.give(_of(source, q.AMOUNT), source.amount, source.span, dim=dim)
        draft.give(_of(source, q.DENSITY), source.density, source.span, dim=source.density.value.dim)
        there = Op("/", (Ref(_of(source, q.AMOUNT)), Ref(_of(source, q.DENSITY))))
        draft.define(_of(source, q.AVAILABLE), there, "derived", "tokens of the source", source.span)
    if source.epochs:
        draft.give(_of(source, q.MAX_EPOCHS), source.epochs, source.span)
    else:
        draft.assume(_of(source, q.MAX_EPOCHS), source.span)


def _all_of(source: DataSource) -> Expr:
    """The tokens of a source in all the passes that it may be seen."""
    passes = Op("/", (Ref(_of(source, q.MAX_EPOCHS)), Num(1.0, EPOCH)))
    return Op("*", (Ref(_of(source, q.AVAILABLE)), passes))


def _share(
    sources: Sequence[DataSource], source: DataSource, by_hand: Sequence[PhasePlan], base: Name
) -> tuple[Expr, str]:
    """The share of the tokens that a source is, and who says so."""
    if by_hand:
        parts: list[Expr] = []
        for phase in by_hand:
            part = mean(mixed_by_hand(phase), [_label(source)])
            if part is not None:
                parts.append(Op("*", (Ref(phase.of(q.SHARE)), part)))
        return (joined("+", parts) if parts else Num(0.0)), "the mix of the phases"
    if source.weight:
        return number(source.weight), "weight given"
    said = "in proportion to amount and epochs"
    unweighted = sum(1 for s in sources if not s.weight)
    own: Expr = Op("/", (_all_of(source), Ref(ALL_PASSES[base]))) if unweighted > 1 else Num(1.0)
    return (Op("*", (Ref(UNWEIGHTED[base]), own)) if unweighted < len(sources) else own), said


def _add_unweighted(draft: Draft, sources: Sequence[DataSource], base: Name) -> None:
    """What there is of the sources without a weight together, and the share of the tokens that is left for them."""
    unweighted = [source for source in sources if not source.weight]
    if len(unweighted) > 1:
        said = "the sources without a weight, in all their passes"
        draft.define(ALL_PASSES[base], joined("+", map(_all_of, unweighted)), "derived", said)
    if unweighted and len(unweighted) < len(sources):
        weights = joined("+", (_of(source, q.SHARE) for source in sources if source.weight))
        left = Op("max", (Num(0.0), Op("-", (Num(1.0), weights))))
        draft.define(UNWEIGHTED[base], left, "derived", "what the weights leave")


def _is_used(source: DataSource, by_hand: Sequence[PhasePlan]) -> bool:
    """Whether a mix by hand takes anything of a source."""
    ends = [end.value.value for phase in by_hand for end in phase.mix.get(_label(source), ())]
    return any(ends) or not by_hand


# ---- what repeated data are worth


def _add_worth(draft: Draft, sources: Sequence[DataSource]) -> None:
    """Effective tokens where a source may be repeated: a repeated token counts for less, by the default law."""
    loss = draft.definitions.get(q.LOSS)
    if loss is None or not any(source.epochs and source.epochs.value.value > 1 for source in sources):
        return
    known = q.DATA_TOKENS in names(loss.expr)  # the plan's own law counts repeats, of all sources together
    law = draft.law if known else default_law(draft, "repeats")
    output = q.EFFECTIVE_TOKENS
    formula = next((f for f in law.functions if f.output == output.text), None) if law else None
    if law is None or formula is None or (known and len(sources) > 1):
        return
    add_constants(draft, law)
    for source in sources:
        seen, there = _of(source, q.TOKENS), _of(source, q.AVAILABLE)
        worth = substitute(function_expr(draft, law, formula), {q.TOKENS: Ref(seen), q.DATA_TOKENS: Ref(there)})
        own = _of(source, output)
        draft.repeats.append(draft.definition(own, worth, "law", cite_of(law), formula.span, by=law.name))
        once_more = substitute(worth, {seen: Op("+", (Ref(seen), Ref(there)))})
        said = "what a further pass over the source is worth, in fresh tokens"
        gained = Op("-", (once_more, Ref(own)))
        draft.repeats.append(
            draft.definition(_of(source, q.NEXT_EPOCH), gained, "derived", said, formula.span, by=law.name)
        )
    if known:
        return
    total = joined("+", (_of(source, output) for source in sources))
    draft.repeats.append(
        draft.definition(output, total, "law", cite_of(law), formula.span, note="all sources", by=law.name)
    )
    expr = substitute(loss.expr, {q.TOKENS: Ref(output)})
    note = "over effective tokens: some data are seen more than once"
    draft.repeats.append(replace(loss, expr=expr, note="; ".join(text for text in (loss.note, note) if text)))


# ---- the mix of each phase


def _mixes(draft: Draft, phases: Sequence[PhasePlan], sources: Sequence[DataSource]) -> list[Mix]:
    """The mix of each phase: by hand where it is given, else the placement of quality that the schedule asks for."""
    if not sources:
        return [mixed_by_hand(phase) for phase in phases]
    labels = [_label(source) for source in sources]
    if not in_shares(phases) or any(phase.mix for phase in phases):
        even = placed(draft, phases, labels, frozenset(), "throughout")
        return [mixed_by_hand(phase) or same for phase, same in zip(phases, even, strict=True)]
    good = frozenset(_label(s) for s in sources if s.quality in ("high", "sft"))
    schedule = draft.stage.schedule
    where = schedule.quality.text if schedule and schedule.quality else "late"
    return placed(draft, phases, labels, good, where)


def _add_quality(
    draft: Draft, sources: Sequence[DataSource], phases: Sequence[PhasePlan], mixes: Sequence[Mix]
) -> None:
    """Where data of high quality and SFT data end up, as quantities that a rule or a requirement may name."""
    good = [s for s in sources if s.quality == "high"]
    sft = [s for s in sources if s.quality == "sft"]
    if good:
        most, span = _most(good)
        draft.define(q.HIGH_QUALITY_EPOCHS, most, "derived", "the most repeated source of high quality", span)
    if not in_shares(phases) or not any(mixes):
        return
    schedule = draft.stage.schedule
    by_hand = schedule is not None and schedule.name is None
    for name, kind in ((q.HIGH_QUALITY_EARLY, good), (q.SFT_EARLY, sft)):
        labels = [_label(source) for source in kind]
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
        part = mean(mixes[-1], [_label(source) for source in sft]) or Num(0.0)
        draft.define(q.SFT_IN_DECAY, part, "derived", "the mix of the last phase", span)


def _seen(phase: PhasePlan, mix: Mix, labels: Sequence[str]) -> Expr | None:
    """The share of all tokens that some sources have in a phase; None where the phase has none of them."""
    part = mean(mix, labels)
    return None if part is None else Op("*", (Ref(phase.of(q.SHARE)), part))


def _most(sources: Sequence[DataSource]) -> tuple[Expr, Span | None]:
    """The passes over the most repeated of some sources, and its place where there is but one."""
    most = joined("max", (_of(source, q.EPOCHS) for source in sources))
    return most, sources[0].span if len(sources) == 1 else None


def _add_repeats(draft: Draft, sources: Sequence[DataSource]) -> None:
    """How often the most repeated source is seen, and what share of the mix teaches to reason."""
    used = [source for source in sources if _of(source, q.EPOCHS) in draft.definitions]
    draft.define(q.SOURCE_COUNT, Num(float(len(sources))), "derived", "the plan's sources")
    if used:
        most, span = _most(used)
        draft.define(q.MOST_EPOCHS, most, "derived", "the most repeated source", span)
    teach = draft.default_words("reasoning")
    reasoning = [source for source in used if {_label(source).lower(), (source.domain or "").lower()} & teach]
    if reasoning and not draft.transfer:
        total = joined("+", (_of(source, q.SHARE) for source in reasoning))
        said = "sources of code and mathematics"
        draft.define(q.REASONING_SHARE, total, "derived", said, reasoning[0].span)


def _add_enough(draft: Draft, sources: Sequence[DataSource]) -> None:
    """What the tokens are to the size: how many are as good as fresh, and how far their ratio is from the law's own."""
    tokens = draft.stage.tokens
    if sources:
        parts: list[Expr] = []
        for source in sources:
            most = Op("*", (Op("/", (Ref(q.FRESH_PASSES), Num(1.0, EPOCH))), Ref(_of(source, q.AVAILABLE))))
            parts.append(Op("min", (Ref(_of(source, q.TOKENS)), most)))
        said = "passes beyond `fresh_passes` over a source are not counted"
        draft.define(q.FRESH_TOKENS, joined("+", parts), "derived", said)
    elif tokens is not None and not isinstance(tokens, Hole):
        draft.define(q.FRESH_TOKENS, Ref(q.TOKENS), "derived", "one pass")
    line = line_of(draft)
    model = draft.plan.model
    if model is not None and (model.active is not None or q.EXPERTS.text in model.architecture):
        return  # a mixture: what its ratio should be is not known
    if line is not None:
        # Along a budget, tokens a param go with the square of the tokens and of one over the params.
        chosen, asked = line.args
        pair = (chosen, asked) if chosen == Ref(q.TOKENS) else (asked, chosen)
        off = Op("^", (Op("/", pair), Num(2.0)))
        wanted = Op("/", (Ref(q.TOKENS_PER_PARAM), off))
        draft.define(q.LAW_TOKENS_PER_PARAM, wanted, "derived", "the law's optimum line")
    elif draft.objective.domain != "text":
        return
    ratio = Op("/", (Ref(q.TOKENS_PER_PARAM), Ref(q.LAW_TOKENS_PER_PARAM)))
    draft.define(q.TOKENS_TO_LAW, ratio, "derived", "tokens a param over what the law asks for")
