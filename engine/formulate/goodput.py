"""How often devices stop to the share of the time that goes into steps that count: the availability that follows.

The formulas stand in `stdlib/quantities.plan`, of the kind `goodput`; here is what they are given. A plan that asks for
none pays nothing. docs/design/0033-goodput.md says what asks for it, and what never counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, bound, joined, names
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Given, Hole, Pool, Within, Worded
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.words import counted
from runplan.dsl.units.base import TIME
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.reserved import Own
from runplan.engine.formulate.said_of_stops import asks, is_included, say_end_to_end, waits
from runplan.engine.formulate.stated import is_stated
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand
from runplan.engine.runs.stops import Stops, stops_in

_KIND = "goodput"
# A share of the time that is none: who asks for less has mistaken a figure.
_LEAST = 1e-3
# What of a checkpoint a regime says: weights, and what the optimizer keeps.
_KEPT = ("weight_bytes", "master_bytes", "optimizer_bytes")
# What pools that run side by side come to; of the last two they have one together, such as a checkpoint.
_TOGETHER = {"sum": "+", "least": "min", "most": "max"}
_SHARED = ("least", "most")
# What makes others needless: how long a checkpoint takes, and how large it is.
_INSTEAD = {
    q.CHECKPOINT_TIME: (q.CHECKPOINT_SIZE, q.CHECKPOINT_BYTES, q.STORAGE_BANDWIDTH, q.USUAL_STORAGE),
    q.CHECKPOINT_SIZE: (q.CHECKPOINT_BYTES,),
}


def add_goodput_of_pool(draft: Draft, pool: Pool, device: Record | None, own: Own) -> None:
    """What a pool that asks for it says of its stops, and its availability, which follows."""
    said = pool.figures.get(q.AVAILABILITY.text)
    if pool.bought:
        where = said or next(iter(pool.figures.values()))
        message = "how often devices stop the run hangs on how many there are, and the plan leaves that open"
        help = ["give the count and the time in place of the hours, such as `gpus: 512` and `time: ?`"]
        draft.findings.append(finding("C004", message, where.span, help=help))
        return
    fields = draft.quantities.given_by("hardware")
    best = draft.take(pool.figures, q.CHECKPOINT_INTERVAL.text, Given, Within, Hole)
    for name in _of_pools(draft):
        if name == q.CHECKPOINT_INTERVAL and isinstance(best, Hole):  # as where it is not mentioned
            continue
        if name.text in fields and not is_stated(draft, pool, name, own):
            _take(draft, device, name, own)
    if not draft.knows(own(q.INTERRUPTION_EVERY)):
        _on_demand(draft, pool, own)
    _say_once(draft, pool)
    if is_included(pool):
        say_end_to_end(draft, own)
    elif said is not None and not isinstance(said, Worded):
        draft.define(own(q.AVAILABILITY_COUNTED), Ref(own(q.AVAILABILITY)), "derived", "beside what stops leave")
    else:
        why = "what stops leave of the time: failures, checkpoints, what is done again"
        draft.define(own(q.AVAILABILITY), Ref(q.GOODPUT), "derived", why, said.span if said else None)


def _take(draft: Draft, device: Record | None, name: Name, own: Own) -> None:
    """A figure that the pool does not say: its device's, what fleets tell, or what `quantities.plan` takes."""
    facts, entry = draft.quantities[name.text].facts, device.entry(name.text) if device else None
    if device is not None and entry is not None and isinstance(entry.values[0], Num):
        draft.define(own(name), entry.values[0], "assumed", f"{device.name}: {entry.source}", entry.span)
    elif name == q.FAILURE_EVERY:
        if (stops := stops_in(draft.catalogue)) is not None:
            every = Num(stops.every, draft.dim(name))
            where = stops.own[0].record.span if stops.own else None
            draft.define(own(name), every, "assumed", _said(stops), where, spread=stops.spread)
    elif facts.otherwise is not None and facts.pools == "apart":
        draft.define(own(name), facts.otherwise[0], "assumed", facts.otherwise[1], spread=facts.spread)


def _said(stops: Stops) -> str:
    names = ", ".join(fleet.record.name for fleet in stops.own or stops.fleets)
    own = "of your own " if stops.own else ""
    return f"not given: the middle of {counted(len(stops.own or stops.fleets), 'fleet')} {own}({names})"


def _on_demand(draft: Draft, pool: Pool, own: Own) -> None:
    """Devices that nobody takes back."""
    for name in (q.INTERRUPTION_RATE, q.WAIT_TIME):
        draft.define(own(name), Num(0.0, draft.dim(name)), "derived", "on demand: no device is taken back")
    if (wait := pool.figures.get(q.WAIT_TIME.text)) is not None:
        message = f"`{q.WAIT_TIME}` is of devices that are taken back, and nothing tells how often they are"
        help = [f"add `{q.INTERRUPTION_EVERY}: 2000 GPU-hours` with the figure of your provider, or leave it out"]
        draft.findings.append(finding("C004", message, wait.span, help=help))


def _say_once(draft: Draft, pool: Pool) -> None:
    """A figure that another makes needless: what is said of a checkpoint is said in one way."""
    for name, others in _INSTEAD.items():
        for other in others:
            if {name.text, other.text} <= pool.figures.keys():
                message = f"`{name}` says it all, and `{other}` says it in another way"
                help = [f"leave out `{other}`, or `{name}`"]
                also = [Label(pool.figures[name.text].span, f"`{name}` is here")]
                at = pool.figures[other.text].span
                draft.findings.append(finding("C001", message, at, also=also, help=help))


# ---- all pools together


def add_goodput(draft: Draft, pools: Sequence[Pool], owns: Sequence[Own]) -> None:
    """What stops leave of the time of a run on some pools: one that stops stops all of them."""
    asking = [(pool, own) for pool, own in zip(pools, owns, strict=True) if asks(draft, pool) and not pool.bought]
    if not asking:
        return
    idle = _idle([pool for pool, _ in asking])
    _add_checkpoint_bytes(draft, idle)
    for name in _of_pools(draft):
        if name not in idle:
            _add_pooled(draft, name, [own for _, own in asking])
    if q.USUAL_STORAGE not in idle:
        _assume(draft, q.USUAL_STORAGE)
    for text, known in draft.quantities.items():
        name = quantity(text)
        if known.facts.kind == _KIND and known.formula is not None and not draft.knows(name) and name not in idle:
            draft.define(name, draft.formula(name), "derived", known.title, known.span)
    _some_is_done(draft, asking[0][0])


def _some_is_done(draft: Draft, pool: Pool) -> None:
    """A finding where stops, as the plan's figures alone tell, leave next to nothing of the time: no run is solved."""
    memo: dict[Name, Expr] = {}

    def known(expr: Expr) -> float | None:
        told = expand(expr, draft.definitions, memo)
        try:
            return None if names(told) else float(value_of(told, {}))
        except (ArithmeticError, ValueError):
            return 0.0

    restarted = Op("exp", (Op("neg", (Op("/", (Ref(q.MEAN_RESTART), Ref(q.MTBF))),)),))
    left = [share for share in (known(Ref(q.GOODPUT)), known(restarted)) if share is not None]
    if min(left, default=1.0) >= _LEAST:
        return
    often, takes, between = (known(Ref(name)) for name in (q.MTBF, q.CHECKPOINT_TIME, q.CHECKPOINT_INTERVAL))
    help = ["take fewer devices, or such as are taken back less often, or restart sooner: `restart_time: 1 minute`"]
    asked = [q.INTERRUPTION_EVERY, q.FAILURE_EVERY]
    if takes is not None and often is not None and takes > often:
        asked = [q.CHECKPOINT_TIME, q.CHECKPOINT_SIZE, q.STORAGE_BANDWIDTH, *asked]
        help = [f"write checkpoints sooner, or a part of them: one takes {show(takes, TIME)}", *help]
    elif between is not None and often is not None and between > often and not _is_open(pool):
        asked = [q.CHECKPOINT_INTERVAL, *asked]
        help = ["leave `checkpoint_interval` out: the best is taken", *help]
    said = (pool.figures.get(name.text) for name in asked)
    where = next((amount.span for amount in said if amount is not None), pool.span)
    every = show(often or 0.0, TIME)
    message = f"the run stops every {every}, and next to nothing of its time is left for steps that count"
    draft.findings.append(finding("C003", message, where, help=help))


def _is_open(pool: Pool) -> bool:
    """Whether a pool leaves to us how often a checkpoint is written."""
    return not isinstance(pool.figures.get(q.CHECKPOINT_INTERVAL.text), Given)


def _idle(pools: Sequence[Pool]) -> set[Name]:
    """What says nothing of some pools: what the plan says in another way, and shares of what there is none of."""
    said = frozenset().union(*(pool.figures for pool in pools))
    out = {other for name, others in _INSTEAD.items() if name.text in said for other in others}
    out |= {q.USUAL_STORAGE} if q.STORAGE_BANDWIDTH.text in said else set()
    out |= set() if q.INTERRUPTION_EVERY.text in said else {q.INTERRUPTIONS}
    out |= set() if q.STRAGGLERS.text in said else {q.STRAGGLER_SHARE}
    return out | (set() if any(map(waits, pools)) else {q.WAIT_SHARE})


def _of_pools(draft: Draft) -> Iterator[Name]:
    """The quantities of stops that pools have of their own, in the order in which one follows from another."""
    known = draft.quantities
    return (quantity(text) for text in known if known[text].facts.kind == _KIND and known[text].facts.pools)


def _add_pooled(draft: Draft, name: Name, owns: Sequence[Own]) -> None:
    """What each pool has of a quantity, and what that comes to together; where one of them says it, what that is."""
    known = draft.quantities[name.text]
    how = known.facts.pools
    stated = known.facts.given is not None and any(draft.knows(own(name)) for own in owns)
    if how not in _SHARED and known.formula is not None and not stated:
        for own in owns:
            if not draft.knows(own(name)):
                formula = bound(known.formula, lambda word, own=own: _of_pool(draft, word, own))  # type: ignore[misc]
                draft.define(own(name), formula, "derived", known.title, known.span)
    told = [own(name) for own in owns if draft.knows(own(name))]
    if how in _TOGETHER and told and name not in told:
        draft.define(name, joined(_TOGETHER[how], told), "derived", "all pools together")
    elif how in _SHARED and not told:
        _assume(draft, name)


def _of_pool(draft: Draft, word: str, own: Own) -> Name:
    """A name in a formula of a pool: its own where pools have one, but for what all of them share."""
    known = draft.quantities.get(word)
    if known is None or not known.facts.pools or (known.facts.kind == _KIND and known.facts.pools in _SHARED):
        return quantity(word)
    return own(quantity(word))


def _assume(draft: Draft, name: Name) -> None:
    facts = draft.quantities[name.text].facts
    if facts.otherwise is not None and not draft.knows(name):
        draft.define(name, facts.otherwise[0], "assumed", facts.otherwise[1], spread=facts.spread)


def _add_checkpoint_bytes(draft: Draft, idle: set[Name]) -> None:
    """Bytes of a checkpoint by what the plan's framework keeps, where it names that."""
    layout = draft.plan.layout
    if layout is None or layout.regime is None or q.CHECKPOINT_BYTES in idle or draft.knows(q.CHECKPOINT_BYTES):
        return
    record = draft.catalogue.record("regime", layout.regime.text)
    kept = [figure for key in _KEPT if record is not None and (figure := record.figure(key)) is not None]
    if record is not None and len(kept) == len(_KEPT):
        why = f"{record.name}: weights and what the optimizer keeps"
        draft.define(q.CHECKPOINT_BYTES, Num(sum(kept), draft.dim(q.CHECKPOINT_BYTES)), "derived", why, record.span)
