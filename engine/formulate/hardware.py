"""Pools of devices to definitions: rate, capacity, cost, energy of each, and the totals of those side by side."""

from __future__ import annotations

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, bound, joined, names, substitute
from runplan.dsl.packs.pack import Record
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.plan.ir import Amount, Given, Hole, Pool, Within
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import RESERVE
from runplan.dsl.units.base import GPU
from runplan.engine.formulate.asked import wanted
from runplan.engine.formulate.availability import add_availability, add_stops, is_settled, running
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.measured import REACHED, add_convention, add_throughput
from runplan.engine.formulate.reserved import Own, add_dates, add_reservation, add_reservations
from runplan.engine.formulate.stated import ask_for_figure, is_stated
from runplan.engine.formulate.usual import add_benchmark, add_usual_rate, hold_size_to_throughput
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Kind

# What to write in place of a memory that is open.
_MEMORY_INSTEAD = (
    "give one value, such as `memory: 80 GB`",
    "and bound what a run needs: `require memory_per_gpu <= 40 GB`",
)
# What pools come to together, by the word that `quantities.plan` has for it.
_TOTALS = {
    "sum": ("+", "all pools together"),
    "least": ("min", "the smallest of the pools"),
    "most": ("max", "the largest of the pools"),
}


def add_hardware(draft: Draft) -> None:
    """The hardware of the stage; nothing where there is none."""
    pools = draft.stage.hardware
    if not pools:
        return
    _add_reserve(draft)
    if len(pools) == 1:
        _pool(draft, pools[0], lambda name: name)
        if not pools[0].bought:
            add_reservation(draft, pools[0], lambda name: name)
        add_stops(draft, pools, [lambda name: name])
        return
    numbers = [str(i + 1) for i in range(len(pools))]
    owns = [_in_pool(at) for at in numbers]
    for pool, own in zip(pools, owns, strict=True):
        _pool(draft, pool, own)
    if any(pool.bought for pool in pools):  # how long those are at work, nobody says
        draft.absent.add(q.TIME)
        for pool, own in zip(pools, owns, strict=True):
            if not pool.bought:
                add_reservation(draft, pool, own)
    else:
        add_reservations(draft, pools, owns)
    add_stops(draft, pools, owns)
    for text, known in draft.quantities.kept(_of_pools):
        _total(draft, quantity(text), known.facts.pools, numbers)


def _add_reserve(draft: Draft) -> None:
    """The share that is kept from the run: given; bounded, a choice; or asked for, as much as the run can spare."""
    reserve = draft.plan.reserve
    if reserve is None:
        draft.assume(q.RESERVE)
    elif isinstance(reserve.share, Given):
        draft.give(q.RESERVE, reserve.share, reserve.span)
    else:
        asked = reserve.share if isinstance(reserve.share, Hole) else None
        draft.figure(q.RUN_SHARE, asked, 1.0 - RESERVE.usual, "reserve")
        draft.constrain("reserve", Ref(q.RUN_SHARE), Num(1.0), "line", reserve.span)
        rest = Op("-", (Num(1.0), Ref(q.RUN_SHARE)))
        draft.define(q.RESERVE, rest, "derived", "what the run leaves", reserve.span)
        draft.limited(q.RESERVE, None if asked else reserve.share, "reserve")


def _in_pool(at: str) -> Own:
    return lambda name: name.of("pool", at)


def _total(draft: Draft, name: Name, how: str, pools: list[str]) -> None:
    """What pools side by side come to together; the formula over single figures does not hold for them."""
    own = [name.of("pool", at) for at in pools]
    if how in _TOTALS and all(_reachable(draft, one) for one in own):
        op, said = _TOTALS[how]
        draft.define(name, joined(op, own), "derived", said)
    else:
        draft.absent.add(name)


def _reachable(draft: Draft, name: Name) -> bool:
    if draft.is_variable(name) or name in (q.MODEL_COMPUTE, q.PARAMS):  # what it is follows later
        return True
    definition = draft.definitions.get(name)
    return definition is not None and all(_reachable(draft, n) for n in names(definition.expr))


def _pool(draft: Draft, pool: Pool, own: Own) -> None:
    figures = pool.figures
    device = draft.catalogue.record("device", pool.device.text) if pool.device else None
    add_dates(draft, pool, own)
    hours = draft.take(figures, "gpu_hours", Given, Within, Hole)
    if hours is not None and pool.bought:
        _bought(draft, pool, device, hours, own)
        return
    gpus = draft.take(figures, "gpus", Given, Within, Hole)
    draft.figure(own(q.GPUS), gpus or Hole(pool.span), 100.0, str(own(q.GPUS)))
    _some(draft, gpus, own(q.GPUS), 1.0)
    _figures(draft, pool, device, own)
    if pool.paid is not None and pool.paid.text == "running":
        hours_paid = Op("*", (Op("*", (Ref(own(q.GPUS)), Ref(own(q.RESERVED_TIME)))), running(pool, own)))
        said = "hours in which it is stopped are not paid"
        draft.define(own(q.GPU_HOURS), hours_paid, "derived", said, pool.paid.span)
    draft.limited(own(q.GPU_HOURS), hours, str(own(q.GPU_HOURS)))
    _follow(draft, own)


def _some(draft: Draft, amount: Amount | None, name: Name, least: float) -> None:
    """Beside others a pool that is not worth its price would shrink to nothing: it has one device, for an hour."""
    open_below = not isinstance(amount, Given) and not (isinstance(amount, Within) and amount.low)
    if name.part("pool") and open_below:
        span = amount.span if amount is not None else None
        draft.constrain(f"some {name}", Num(least, draft.dim(name)), Ref(name), "line", span, text=str(name))


def _bought(draft: Draft, pool: Pool, device: Record | None, hours: Amount, own: Own) -> None:
    """Hours of devices, whose count and time are left open: what they give is what one device would in so long."""
    draft.figure(own(q.GPU_HOURS), hours, 3.6e8, str(own(q.GPU_HOURS)))
    _some(draft, hours, own(q.GPU_HOURS), 3600.0)
    _figures(draft, pool, device, own)
    known = draft.quantities[q.CAPACITY.text]
    assert known.formula is not None, "the standard library has it"
    reserved: Expr = Op("/", (Ref(own(q.GPU_HOURS)), Num(1.0, GPU)))
    if pool.paid is not None and pool.paid.text == "running":
        reserved = Op("/", (reserved, running(pool, own)))
    formula = bound(known.formula, lambda word: _of_pool(draft, word, own))
    one: dict[Name, Expr] = {own(q.GPUS): Num(1.0, GPU), own(q.RESERVED_TIME): reserved}
    draft.define(own(q.CAPACITY), substitute(formula, one), "derived", known.title, known.span)
    _follow(draft, own)


def _figures(draft: Draft, pool: Pool, device: Record | None, own: Own) -> None:
    """What is stated or taken of the devices, but for how many there are and for how long."""
    add_availability(draft, pool, device, own)
    _rate(draft, pool, device, own)
    taken = {q.RESERVED_TIME, q.GPUS, q.GPU_HOURS, q.PEAK, q.MFU_CONVENTION, *REACHED}
    of_stops = draft.quantities.of_kind("goodput")
    if isinstance(pool.figures.get(q.MEMORY.text), Hole | Within):
        memory = draft.take(pool.figures, q.MEMORY.text, Hole, Within)
        message = "`memory` that is open is not solved for: how the model lies on devices follows from what they have"
        draft.gave_up(message, memory.span if memory is not None else None, _MEMORY_INSTEAD)
        taken.add(q.MEMORY)
    for name in (quantity(text) for text in draft.quantities.given_by("hardware") if text not in of_stops):
        if name not in taken and not is_settled(draft, pool, name, own):
            _figure(draft, pool, device, name, own)
    if own(q.NODES_OF) in draft.definitions:
        draft.define(own(q.BOUGHT_BY), Ref(own(q.NODES_OF)), "derived", "whole nodes")


def _follow(draft: Draft, own: Own) -> None:
    """What follows for one of several pools, by the formulas over single figures."""
    for text, known in draft.quantities.kept(_of_pools):
        if known.is_derived:
            name = own(quantity(text))
            if name.scope and not draft.knows(name):
                assert known.formula is not None, "it is derived"
                formula = bound(known.formula, lambda word: _of_pool(draft, word, own))
                draft.define(name, formula, "derived", known.title, known.span)


def _of_pools(quantities: Quantities) -> tuple[tuple[str, QuantityDef], ...]:
    """The quantities of which each pool has its own."""
    return tuple((text, known) for text, known in quantities.items() if _is_of_pools(known))


def _is_of_pools(known: QuantityDef) -> bool:
    """Whether each pool has a quantity of its own, which follows from its figures: what stops leave follows from all of
    them, and the layout is found for the run that is solved."""
    found_later = known.facts.is_of_layout and known.facts.statement != "hardware"
    return bool(known.facts.pools) and known.facts.kind != "goodput" and not found_later


def _of_pool(draft: Draft, word: str, own: Own) -> Name:
    known = draft.quantities.get(word)
    return own(quantity(word)) if known is not None and known.facts.pools else quantity(word)


def _figure(draft: Draft, pool: Pool, device: Record | None, name: Name, own: Own) -> None:
    """A figure of the pool, else of its device's record, else what `quantities.plan` takes."""
    facts = draft.quantities[name.text].facts
    if is_stated(draft, pool, name, own):
        return
    if facts.decided and (asked := wanted(draft, own(name))) is not None:
        ask_for_figure(draft, name, asked, own)
        return
    entry = device.entry(name.text) if device and not _follows(draft, pool, name) else None
    if device is not None and entry is not None and isinstance(entry.values[0], Num):
        draft.define(own(name), entry.values[0], "assumed", f"{device.name}: {entry.source}", entry.span)
    elif facts.otherwise is not None:
        draft.define(own(name), facts.otherwise[0], "assumed", facts.otherwise[1])


def _follows(draft: Draft, pool: Pool, name: Name) -> bool:
    """Whether a figure follows from one that the pool says, and is then not that of the device's record."""
    mentions, fields = draft.quantities[name.text].mentions, draft.quantities.given_by("hardware")
    return any(fields[word].name in pool.figures for word in mentions & fields.keys())


def _rate(draft: Draft, pool: Pool, device: Record | None, own: Own) -> None:
    """The achieved rate: stated in one of its ways, or the peak of the device at the precision times an MFU."""
    fields = draft.quantities.given_by("hardware")
    stated = {name for name in REACHED if fields[name.text].name in pool.figures}
    if not is_stated(draft, pool, q.PEAK, own):
        _peak(draft, pool, device, own, needed=stated <= {q.MFU})
    _ceiling(draft, pool, device, own)
    for name in stated:
        is_stated(draft, pool, name, own)
    add_throughput(draft, pool, own)
    if device is not None:
        hold_size_to_throughput(draft, device, _precision(draft, pool, device), own)
    add_convention(draft, pool, own)
    if draft.knows(own(q.RATE)):
        if draft.knows(own(q.PEAK)):
            reached = Op("/", (Ref(own(q.RATE)), Ref(own(q.PEAK))))
            span = next(pool.figures[fields[name.text].name].span for name in REACHED if name in stated)
            draft.define(own(q.MFU), reached, "derived", "achieved rate over peak", span)
    elif not stated and device is not None:
        if (asked := _wanted_rate(draft, own)) is not None:
            ask_for_figure(draft, q.MFU, asked, own)
        else:
            add_usual_rate(draft, pool, device, _precision(draft, pool, device), own)
    elif not stated:
        help = ["add `mfu: 40%`, `rate: 400 TFLOP/s` or `throughput: 12k tokens/second/GPU`"]
        message = "nothing tells what rate the hardware achieves"
        draft.findings.append(finding("C004", message, pool.span, help=help))


def _wanted_rate(draft: Draft, own: Own) -> Span | None:
    """Where the plan's goal is about what the devices of a pool reach."""
    return next((span for name in (q.MFU, q.RATE, q.NEEDED_MFU) if (span := wanted(draft, own(name)))), None)


def _precision(draft: Draft, pool: Pool, device: Record | None) -> str:
    return pool.precision.text if pool.precision else draft.catalogue.number_format(draft.objective.domain, device)


def _peak(draft: Draft, pool: Pool, device: Record | None, own: Own, *, needed: bool) -> None:
    """The peak of the device at the precision; a finding where it has none and one is needed."""
    if device is None:
        return
    precision = _precision(draft, pool, device)
    entry = device.entry("peak", precision)
    if entry is not None and isinstance(entry.values[0], Num):
        kind: Kind = "given" if pool.precision else "assumed"
        said = f"{device.name}, dense {precision} peak: {entry.source}"
        draft.define(own(q.PEAK), entry.values[0], kind, said, entry.span)
    elif needed:
        help = [f"say `in {p}`" for p in sorted(e.qualifier for e in device.entries if e.key == "peak")[:3]]
        help = help or ["state what is reached, such as `at 100 TFLOP/s` or `at 12k tokens/second/GPU`"]
        message = f"`{pool.device.text if pool.device else device.name}` has no {precision} peak"
        where = pool.precision.span if pool.precision else pool.span
        draft.findings.append(finding("N002", message, where, help=help))


def _ceiling(draft: Draft, pool: Pool, device: Record | None, own: Own) -> None:
    """What has been measured of the device, by which a rate is judged; the formulas say what stands in for it."""
    ceiling = device.entry("ceiling", _precision(draft, pool, device)) if device else None
    if device is not None and ceiling is not None and isinstance(ceiling.values[0], Num):
        said = f"best measured matrix product on {device.name}: {ceiling.source}"
        draft.define(own(q.CEILING), ceiling.values[0], "derived", said, ceiling.span)
    if device is not None:
        add_benchmark(draft, device, _precision(draft, pool, device), own)
    plausible = device.entry("plausible") if device else None
    if plausible is not None and isinstance(plausible.values[0], Num):
        draft.define(own(q.PLAUSIBLE_MFU), plausible.values[0], "derived", plausible.source, plausible.span)
