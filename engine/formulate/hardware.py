"""Pools of devices to definitions: rate, capacity, cost, energy of each, and the totals of those side by side."""

from __future__ import annotations

import math

from runplan.dsl.expr.derivative import joined
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.packs.pack import Record
from runplan.dsl.plan.ir import Given, Hole, Pool, Within
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.base import DATE, GPU, PARAM, TIME
from runplan.dsl.units.dims import NONE
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft, number
from runplan.engine.problem.problem import Kind

# What each pool has of its own; the totals of those in SUMMED are sums.
POOLED = (
    "gpus nodes nodes_of peak mfu rate reserved_time availability hours_per_day capacity gpu_hours price cost power"
    " pue energy carbon_intensity emissions memory ceiling plausible_mfu"
).split()
SUMMED = ("gpus", "nodes", "capacity", "gpu_hours", "cost", "energy", "emissions")
# What nature decides: a range there is uncertainty, not choice.
NATURE = ("mfu", "rate", "price", "pue", "carbon_intensity", "availability")


def add_hardware(draft: Draft) -> None:
    """The hardware of the stage; nothing where there is none."""
    pools = draft.stage.hardware
    reserve = draft.plan.reserve
    if pools and reserve:
        draft.give("reserve", NONE, reserve.share, reserve.span)
    elif pools:
        draft.define("reserve", NONE, Num(0.0), "assumed", "not given: all of the hardware is for the run")
    if len(pools) == 1:
        _pool(draft, pools[0], "")
        return
    if not pools:
        return
    prefixes = [f"pool{i + 1}." for i in range(len(pools))]
    for pool, prefix in zip(pools, prefixes, strict=True):
        _pool(draft, pool, prefix)
    for name in SUMMED:
        if all(_reachable(draft, f"{prefix}{name}") for prefix in prefixes):
            total = joined("+", (f"{prefix}{name}" for prefix in prefixes))
            draft.define(name, draft.dim(name), total, "derived", "all pools together")
        else:  # the formula over single figures does not hold for several pools
            draft.define(name, draft.dim(name), Ref(f"no.{name}"), "derived")
    longest = joined("max", (f"{prefix}reserved_time" for prefix in prefixes))
    draft.define("reserved_time", TIME, longest, "derived", "the longest of the pools")


def _reachable(draft: Draft, name: str) -> bool:
    if draft.is_variable(name):
        return True
    definition = draft.definitions.get(name)
    return definition is not None and all(_reachable(draft, n) for n in names(definition.expr))


def _pool(draft: Draft, pool: Pool, prefix: str) -> None:
    figures = pool.figures
    for name in NATURE:
        amount = figures.get(name)
        if isinstance(amount, Within | Hole):
            what = "a `?`" if isinstance(amount, Hole) else "a bound"
            draft.gave_up(f"{what} on `{name}` is read, and not solved yet", amount.span, ["give one value"])
    device = draft.catalogue.record("device", pool.device.text) if pool.device else None
    _time(draft, pool, prefix)
    draft.figure(f"{prefix}gpus", figures.get("gpus", Hole(pool.span)), GPU, 100.0, "gpus")
    _rate(draft, pool, device, prefix)
    for name in ("power", "memory"):
        _from_device(draft, pool, device, prefix, name)
    for name in ("price", "pue", "carbon_intensity", "nodes_of"):
        amount = figures.get(name)
        if isinstance(amount, Given):
            draft.give(f"{prefix}{name}", draft.dim(name), amount)
    if f"{prefix}nodes_of" in draft.definitions:
        expr = Op("/", (Ref(f"{prefix}gpus"), Ref(f"{prefix}nodes_of")))
        draft.define(f"{prefix}nodes", NONE, expr, "derived", "devices over devices a node", pool.span)
    for name, dim, usual, said in (
        ("availability", NONE, 1.0, "not given: the hardware is taken to be up all the time"),
        ("hours_per_day", TIME, 86400.0, "not given: day and night"),
    ):
        amount = figures.get(name)
        if isinstance(amount, Given):
            draft.give(f"{prefix}{name}", dim, amount)
        elif amount is None:
            draft.define(f"{prefix}{name}", dim, Num(usual, dim), "assumed", said)
    for name in POOLED if prefix else ():
        q = draft.catalogue.quantities()[name]
        if q.formula is not None and f"{prefix}{name}" not in draft.definitions:
            by: dict[str, Expr] = {other: Ref(f"{prefix}{other}") for other in POOLED}
            draft.define(f"{prefix}{name}", draft.dim(name), substitute(q.formula, by), "derived", q.title, q.span)


def _time(draft: Draft, pool: Pool, prefix: str) -> None:
    """The time that a pool is reserved for, and when it begins and must end."""
    time = pool.figures.get("time")
    begin, end = pool.dates.get("from"), pool.dates.get("until")
    name = f"{prefix}reserved_time"
    if begin and end and begin.value.value >= end.value.value:
        also = [Label(begin.span, "it begins here")]
        draft.findings.append(finding("C001", "the hardware's `until` is not after its `from`", end.span, also=also))
    if time is None and begin and end:
        span = pool.dates["until"].span
        value = Num(max(end.value.value - begin.value.value, 1.0), TIME)
        draft.define(name, TIME, value, "given", "from and until", span)
    else:
        draft.figure(name, time if time is not None else Hole(pool.span), TIME, 30 * 86400.0, "time")
    if begin and end and isinstance(time, Given) and begin.value.value + time.value.value > end.value.value + 1:
        days = (begin.value.value + time.value.value - end.value.value) / 86400
        also = [Label(time.span, f"ends {days:.4g} days after that")]
        message = f"the hardware is for {number(time, TIME).text} from {begin.span.text[-10:]}, past its `until`"
        draft.findings.append(finding("C001", message, end.span, also=also))
    if prefix:
        return
    if begin:
        draft.define("start", DATE, Num(begin.value.value, DATE, begin.span.text[-10:]), "given", "plan", begin.span)
    elif end:
        latest = Op("-", (Num(end.value.value, DATE, end.span.text[-10:]), Ref(name)))
        draft.define("start", DATE, latest, "derived", "so late that the reserved time ends at `until`", end.span)
    if begin or end:
        draft.define("finish", DATE, Op("+", (Ref("start"), Ref("time"))), "derived", "start and time of the run")


def _rate(draft: Draft, pool: Pool, device: Record | None, prefix: str) -> None:
    """The achieved rate: given, or the peak of the device at the precision times an MFU."""
    dim = draft.dim("rate")
    peak, rate, mfu = (pool.figures.get(name) for name in ("peak", "rate", "mfu"))
    precision = pool.precision.text if pool.precision else "bf16"
    if isinstance(peak, Given):
        draft.give(f"{prefix}peak", dim, peak)
    elif device is not None:
        entry = device.entry("peak", precision)
        if entry is not None and isinstance(entry.values[0], Num):
            kind: Kind = "given" if pool.precision else "assumed"
            said = f"{device.name}, dense {precision} peak: {entry.source}"
            draft.define(f"{prefix}peak", dim, entry.values[0], kind, said, entry.span)
        elif not isinstance(rate, Given):
            has = sorted(e.qualifier for e in device.entries if e.key == "peak")
            help = [f"say `in {p}`" for p in has[:3]]
            message = f"`{pool.device.text if pool.device else device.name}` has no {precision} peak"
            where = pool.precision.span if pool.precision else pool.span
            draft.findings.append(finding("N002", message, where, help=help))
    ceiling = device.entry("ceiling", precision) if device else None
    if ceiling is not None and isinstance(ceiling.values[0], Num):
        said = f"best measured matrix product on {device.name if device else ''}: {ceiling.source}"
        draft.define(f"{prefix}ceiling", dim, ceiling.values[0], "derived", said, ceiling.span)
    elif f"{prefix}peak" in draft.definitions:
        draft.define(
            f"{prefix}ceiling",
            dim,
            Ref(f"{prefix}peak"),
            "derived",
            "no matrix product is measured on it: the peak",
        )
    plausible = device.entry("plausible") if device else None
    if plausible is not None and isinstance(plausible.values[0], Num):
        said = plausible.source
        draft.define(f"{prefix}plausible_mfu", NONE, plausible.values[0], "derived", said, plausible.span)
    else:
        draft.define(
            f"{prefix}plausible_mfu",
            NONE,
            Num(0.6),
            "derived",
            "few published runs reach 60 % of the peak in 6ND",
        )
    if isinstance(rate, Given):
        draft.give(f"{prefix}rate", dim, rate)
        if f"{prefix}peak" in draft.definitions:
            expr = Op("/", (Ref(f"{prefix}rate"), Ref(f"{prefix}peak")))
            draft.define(f"{prefix}mfu", NONE, expr, "derived", "achieved rate over peak", rate.span)
    elif isinstance(mfu, Given):
        draft.give(f"{prefix}mfu", NONE, mfu)
    elif device is not None and mfu is None:
        value, said, span = _default_mfu(draft, device)
        draft.define(f"{prefix}mfu", NONE, Num(value), "assumed", said, span)
    elif mfu is None and rate is None:
        help = ["add `mfu: 40%` or `rate: 400 TFLOP/s`"]
        message = "nothing tells what rate the hardware achieves"
        draft.findings.append(finding("C004", message, pool.span, help=help))


def _default_mfu(draft: Draft, device: Record) -> tuple[float, str, Span | None]:
    """The measured MFU of the device at the nearest size, in the 6ND convention of its table."""
    table = draft.catalogue.record("mfu", device.name) or draft.catalogue.record("mfu", "any")
    rows = [
        (entry.values[0].value, entry.values[1].value, entry)
        for entry in (table.entries if table else ())
        if entry.key == "size" and isinstance(entry.values[0], Num) and isinstance(entry.values[1], Num)
    ]
    assert table is not None and rows, "the standard library has a table of MFU"
    model = draft.plan.model
    size = model.params.value.value if model and isinstance(model.params, Given) else draft.size
    params, value, entry = min(rows, key=lambda row: abs(math.log(row[0] / (size or 7e9))))
    of = table.name if table.name != "any" else "another device, for want of a measurement on this one"
    said = f"measured on {of} at {show(params, PARAM, 3)}, 6ND convention: {entry.source}"
    return value, said, entry.span


def _from_device(draft: Draft, pool: Pool, device: Record | None, prefix: str, name: str) -> None:
    """A figure of the pool, or of its device's record."""
    amount = pool.figures.get(name)
    if isinstance(amount, Given):
        draft.give(f"{prefix}{name}", draft.dim(name), amount)
        return
    entry = device.entry(name) if device else None
    if device is not None and entry is not None and isinstance(entry.values[0], Num):
        draft.define(
            f"{prefix}{name}",
            draft.dim(name),
            entry.values[0],
            "assumed",
            f"{device.name}: {entry.source}",
            entry.span,
        )
