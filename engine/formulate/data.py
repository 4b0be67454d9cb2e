"""Sources of data to definitions: what there is, what share each has, how often it is seen, and what it caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runplan.dsl.expr.derivative import joined
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.plan.ir import DataSource, Given, Hole
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import TOKEN
from runplan.dsl.units.dims import NONE
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.formulate.law import add_constants, default_law, function_expr, line_of
from runplan.engine.formulate.schedule import Mix, PhasePlan, add_phases, phases_of, placed, shares_of
from runplan.engine.laws.form import cite_of, functions_for
from runplan.engine.problem.problem import Limit

# Passes over data that are nearly as good as fresh ones (arXiv:2305.16264).
NEARLY_FRESH = 4.0
# Names and domains of data that teach to reason.
REASONING = frozenset(("code", "math", "maths", "mathematics", "reasoning"))


def add_data(draft: Draft) -> None:
    """The sources of the stage, the phases of its schedule, and the mix of each phase."""
    sources = []
    for source in draft.stage.data:
        if not isinstance(source.amount, Given):
            draft.gave_up("data that is a range or a `?` is read, and not solved yet", source.amount.span)
        elif source.stage and not draft.transfer:
            message = f"data `for {source.stage}` where the objective has one stage"
            help = ["say `objective: transfer from CLM to MLM`, or leave it out"]
            draft.findings.append(finding("C001", message, source.span, help=help))
        else:
            sources.append(source)
    phases = phases_of(draft)
    if draft.transfer:
        target = [s for s in sources if s.stage != "pretrain"]
        _add_group(draft, target, "finetune_tokens", {})
        if len(target) == 1 and target[0].density and ("character", 1.0) in target[0].density.value.dim:
            dim, said = draft.dim("characters_per_token"), "of the target's data"
            density = Ref(f"density.{_label(target[0])}")
            if f"density.{_label(target[0])}" in draft.definitions:
                draft.define("characters_per_token", dim, density, "derived", said, target[0].span)
            else:
                draft.give("characters_per_token", dim, target[0].density)
        before = [s for s in sources if s.stage == "pretrain"]
        if draft.knows("pretrain_tokens"):  # else the law says nothing of the first stage
            _add_group(draft, before, "pretrain_tokens", {})
        _add_share_of_code(draft, before)
        _add_repeats(draft, sources)
        draft.sources = tuple(_label(s) for s in sources if f"share.{_label(s)}" in draft.definitions)
        add_phases(draft, phases, [{} for _ in phases])
        _must_tell_density(draft)
        return
    if not sources and any(p.quantity == "data_tokens" for f in draft.law.functions for p in f.parameters):
        draft.define("data_tokens", TOKEN, Ref("tokens"), "assumed", "not given: fresh data without end")
    by_hand = _mixed_by_hand(phases, sources)
    _add_group(draft, sources, "tokens", by_hand)
    if draft.repeats and sources:
        _discount(draft, [_label(s) for s in sources])
    draft.sources = tuple(_label(s) for s in sources)
    mixes = _mixes(draft, phases, sources, by_hand)
    add_phases(draft, phases, mixes)
    _add_quality(draft, sources, phases, mixes)
    _add_repeats(draft, sources)
    _add_enough(draft, sources)


def _must_tell_density(draft: Draft) -> None:
    """A law that counts characters needs to know how many a token has."""
    counted = any("finetune_characters" in f.needs for f in functions_for(draft.law, draft.objective))
    if counted and draft.stage.data and not draft.knows("characters_per_token"):
        source = next((s for s in draft.stage.data if s.stage != "pretrain"), draft.stage.data[0])
        message = f"`{draft.law.name}` counts characters; how many a token has is not said"
        help = ["add `at 4.2 characters/token` to the data, with the figure of your tokenizer"]
        draft.findings.append(finding("C004", message, source.span, help=help, laws=(draft.named,)))


def _label(source: DataSource) -> str:
    return source.name or "data"


def _mixed_by_hand(phases: Sequence[PhasePlan], sources: Sequence[DataSource]) -> dict[str, float]:
    """The share of each source over the whole run where every phase gives its mix; else nothing."""
    shares = shares_of(phases)
    if shares is None or not all(phase.mix for phase in phases) or not sources:
        return {}
    out = {_label(source): 0.0 for source in sources}
    for phase, share in zip(phases, shares, strict=True):
        for name, (start, end) in phase.mix.items():
            out[name] = out.get(name, 0.0) + share * (start + end) / 2
    return out


def _mixes(
    draft: Draft, phases: Sequence[PhasePlan], sources: Sequence[DataSource], by_hand: Mapping[str, float]
) -> list[Mix]:
    """The mix of each phase: by hand where it is given, else the placement of quality that the schedule asks for."""
    if by_hand or not sources:
        return [phase.mix for phase in phases]
    shares = shares_of(phases)
    mix = {}
    for source in sources:
        expr = draft.definitions[f"share.{_label(source)}"].expr
        assert isinstance(expr, Num)
        mix[_label(source)] = expr.value
    good = frozenset(_label(s) for s in sources if s.quality in ("high", "sft"))
    if shares is None or any(phase.mix for phase in phases):
        even = {name: (share, share) for name, share in mix.items()}
        return [phase.mix or even for phase in phases]
    schedule = draft.stage.schedule
    where = schedule.quality.text if schedule and schedule.quality else "late"
    return placed(phases, shares, mix, good, where)


def _discount(draft: Draft, labels: Sequence[str]) -> None:
    """The loss over effective tokens: a repeated token counts for less than a fresh one, by the default law."""
    loss = draft.definitions.get("loss")
    if loss is None:
        return
    known = "data_tokens" in names(loss.expr)  # the plan's own law counts repeats, of all sources together
    law = draft.law if known else default_law(draft, "repeats")
    formula = next((f for f in law.functions if f.output == "effective_tokens"), None) if law else None
    if law is None or formula is None or (known and len(labels) > 1):
        return
    prefix = "law" if known else law.name
    add_constants(draft, law, prefix)
    for label in labels:
        by: dict[str, Expr] = {"tokens": Ref(f"tokens.{label}"), "data_tokens": Ref(f"available.{label}")}
        worth = substitute(function_expr(draft, law, formula, prefix), by)
        draft.define(f"effective_tokens.{label}", TOKEN, worth, "law", cite_of(law), formula.span, by=law.name)
        once_more = Op("+", (Ref(f"tokens.{label}"), Ref(f"available.{label}")))
        gained = Op("-", (substitute(worth, {f"tokens.{label}": once_more}), Ref(f"effective_tokens.{label}")))
        said = "what a further pass over the source is worth, in fresh tokens"
        draft.define(f"next_epoch.{label}", TOKEN, gained, "derived", said, formula.span, by=law.name)
    if known:
        return
    total = joined("+", (f"effective_tokens.{label}" for label in labels))
    draft.define("effective_tokens", TOKEN, total, "law", cite_of(law), formula.span, "all sources", law.name)
    expr = substitute(loss.expr, {"tokens": Ref("effective_tokens")})
    note = "over effective tokens: some data are seen more than once"
    draft.definitions["loss"] = replace(loss, expr=expr, note="; ".join(text for text in (loss.note, note) if text))


def _add_quality(
    draft: Draft, sources: Sequence[DataSource], phases: Sequence[PhasePlan], mixes: Sequence[Mix]
) -> None:
    """Where data of high quality and SFT data end up, as quantities that a rule or a requirement may name."""
    good = [s for s in sources if s.quality == "high"]
    sft = [s for s in sources if s.quality == "sft"]
    if good:
        most, span = _most(draft, good)
        draft.define("high_quality_epochs", NONE, most, "derived", "the most repeated source of high quality", span)
    shares = shares_of(phases)
    if shares is None or not any(mixes):
        return
    by_hand = draft.stage.schedule is not None and draft.stage.schedule.name is None

    def part(kind: Sequence[DataSource], mix: Mix) -> float:
        return sum((mix[label][0] + mix[label][1]) / 2 for s in kind if (label := _label(s)) in mix)

    for name, kind in (("high_quality_early", good), ("sft_early", sft)):
        seen = [share * part(kind, mix) for share, mix in zip(shares, mixes, strict=True)]
        if sum(seen) > 0:
            early = max(0.0, 1.0 - seen[-1] / sum(seen))
            at = phases[max(range(len(seen)), key=lambda i: seen[i] if i < len(seen) - 1 else 0.0)].span
            placed_by = draft.stage.schedule.quality if draft.stage.schedule else None
            span = at if by_hand else placed_by.span if placed_by else kind[0].span
            draft.define(name, NONE, Num(early), "derived", "the mix of the phases", span)
    if sft:
        span = phases[-1].span if by_hand else sft[0].span
        draft.define("sft_in_decay", NONE, Num(part(sft, mixes[-1])), "derived", "the mix of the last phase", span)


def _most(draft: Draft, sources: Sequence[DataSource]) -> tuple[Expr, Span | None]:
    """The passes over the most repeated of some sources, and its place where there is but one."""
    most = joined("max", (f"epochs.{_label(s)}" for s in sources))
    return most, sources[0].span if len(sources) == 1 else None


def _add_repeats(draft: Draft, sources: Sequence[DataSource]) -> None:
    """How often the most repeated source is seen, and what share of the mix teaches to reason."""
    used = [s for s in sources if f"epochs.{_label(s)}" in draft.definitions]
    draft.define("source_count", NONE, Num(float(len(sources))), "derived", "the plan's sources")
    if used:
        most, span = _most(draft, used)
        draft.define("most_epochs", NONE, most, "derived", "the most repeated source", span)
    reasoning = [s for s in used if {_label(s).lower(), (s.domain or "").lower()} & REASONING]
    if reasoning and not draft.transfer:
        total = joined("+", (f"share.{_label(s)}" for s in reasoning))
        draft.define("reasoning_share", NONE, total, "derived", "sources of code and mathematics", reasoning[0].span)


def _add_share_of_code(draft: Draft, sources: Sequence[DataSource]) -> None:
    """How much of the data of the first stage is code, by their amounts."""
    code = [s for s in sources if {_label(s).lower(), (s.domain or "").lower()} & {"code", draft.objective.target}]
    if code:
        part, whole = (joined("+", map(_in_tokens, some)) for some in (code, sources))
        said = "code among the data of the first stage"
        draft.define("pretrain_code", NONE, Op("/", (part, whole)), "derived", said, code[0].span)


def _in_tokens(source: DataSource) -> Expr:
    """What there is of a source."""
    assert isinstance(source.amount, Given)
    amount = number(source.amount, source.amount.value.dim)
    return Op("/", (amount, number(source.density, source.density.value.dim))) if source.density else amount


def _add_enough(draft: Draft, sources: Sequence[DataSource]) -> None:
    """What the tokens are to the size: how many are as good as fresh, and how far their ratio is from the law's own."""
    tokens = draft.stage.tokens
    stated = tokens is not None and not isinstance(tokens, Hole)
    if sources:
        parts: list[Expr] = []
        for label in map(_label, sources):
            most = Op("*", (Num(NEARLY_FRESH), Ref(f"available.{label}")))
            parts.append(Op("min", (Ref(f"tokens.{label}"), most)))
        said = f"passes beyond {NEARLY_FRESH:g} over a source are not counted"
        draft.define("fresh_tokens", TOKEN, joined("+", parts), "derived", said)
    elif stated:
        draft.define("fresh_tokens", TOKEN, Ref("tokens"), "derived", "one pass")
    line = line_of(draft)
    model = draft.plan.model
    if model is not None and (model.active is not None or "experts" in model.architecture):
        return  # a mixture: what its ratio should be is not known
    if line is not None:
        # Along a budget, tokens a param go with the square of the tokens and of one over the params.
        chosen, asked = line.args
        pair = (chosen, asked) if chosen == Ref("tokens") else (asked, chosen)
        off = Op("^", (Op("/", pair), Num(2.0)))
        wanted = Op("/", (Ref("tokens_per_param"), off))
        draft.define("law_tokens_per_param", draft.dim("tokens_per_param"), wanted, "derived", "the law's optimum line")
    elif draft.objective.domain != "text":
        return
    ratio = Op("/", (Ref("tokens_per_param"), Ref("law_tokens_per_param")))
    draft.define("tokens_to_law", NONE, ratio, "derived", "tokens a param over what the law asks for")


def _add_group(draft: Draft, sources: Sequence[DataSource], base: str, by_hand: Mapping[str, float]) -> None:
    """Sources that are mixed into one run: their shares, tokens, epochs, and the cap on `base`."""
    if not sources:
        return
    labels = [_label(source) for source in sources]
    full: dict[str, float] = {}
    for label, source in zip(labels, sources, strict=True):
        assert isinstance(source.amount, Given)
        amount = source.amount.value.dim
        if amount == TOKEN:
            draft.define(f"available.{label}", TOKEN, number(source.amount, TOKEN), "given", "plan", source.span)
        elif source.density:
            draft.give(f"amount.{label}", amount, source.amount, source.span)
            draft.give(f"density.{label}", source.density.value.dim, source.density, source.span)
            there = Op("/", (Ref(f"amount.{label}"), Ref(f"density.{label}")))
            draft.define(f"available.{label}", TOKEN, there, "derived", "tokens of the source", source.span)
        if source.epochs:
            draft.give(f"max_epochs.{label}", NONE, source.epochs, source.span)
        else:
            draft.define(f"max_epochs.{label}", NONE, Num(1.0), "assumed", "not given: one pass", source.span)
        full[label] = draft.value(f"available.{label}") * draft.value(f"max_epochs.{label}")
    weights = {label: s.weight.value.value for label, s in zip(labels, sources, strict=True) if s.weight}
    rest = sum(full[label] for label in labels if label not in weights)
    left = max(0.0, 1.0 - sum(weights.values()))
    uneven = bool(weights or by_hand)
    caps: list[Limit] = []
    for label, source in zip(labels, sources, strict=True):
        if by_hand:
            share, said = by_hand.get(label, 0.0), "the mix of the phases"
        elif label in weights:
            share, said = weights[label], "weight given"
        else:
            share, said = left * full[label] / rest, "in proportion to amount and epochs"
        draft.define(f"share.{label}", NONE, Num(share), "derived", said, source.span)
        tokens = Op("*", (Ref(f"share.{label}"), Ref(base)))
        draft.define(f"tokens.{label}", TOKEN, tokens, "derived", "its share of the tokens", source.span)
        passes = Op("/", (Ref(f"tokens.{label}"), Ref(f"available.{label}")))
        draft.define(f"epochs.{label}", NONE, passes, "derived", "passes over the source", source.span)
        most = Op("*", (Ref(f"available.{label}"), Ref(f"max_epochs.{label}")))
        draft.define(
            f"left.{label}",
            TOKEN,
            Op("-", (most, Ref(f"tokens.{label}"))),
            "derived",
            "what is left over",
            source.span,
        )
        if share > 0 and (uneven or label == labels[0]):
            # In proportion to amount and epochs all sources run out together: one limit says it for all.
            name = f"data {source.name}" if uneven and source.name else "data"
            cap = Op("/", (most, Ref(f"share.{label}"))) if len(labels) > 1 else most
            caps.append(Limit(name, Ref(base), cap, "data", source.span))
    if base == "pretrain_tokens":
        # Fewer data than the transfer is worth make it worth less; they do not cap the second stage.
        fewest = joined("min", (cap.right for cap in caps))
        said = "data for the first stage, at most"
        draft.define("pretrain_data", TOKEN, fewest, "derived", said, sources[0].span)
    else:
        draft.limits.extend(caps)
        total = joined("+", (f"available.{label}" for label in labels))
        draft.define("data_tokens", TOKEN, total, "derived", "all sources, once")
        if draft.transfer:
            draft.define("epochs", NONE, Op("/", (Ref(base), Ref("data_tokens"))), "derived", "passes over the data")
