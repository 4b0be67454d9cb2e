"""Dates and durations of pools to how long each is reserved, and to how long a run on several of them takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.dsl.plan.ir import Given, Hole, Pool, Within
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.units.base import TIME
from runplan.dsl.units.show import iso_date
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q

# Later than any run ends, of those that cannot be done by the pools that have begun.
NEVER = Num(1e15, TIME)
# A quantity of the pool at hand: of the run where there is one pool, else of that one.
Own = Callable[[Name], Name]
DAY = 86400.0
MONTH = 30 * DAY
# A pool that is reserved for a second longer than it may is not held to be.
SLACK = 1.0
# Where the search for a date begins, in seconds since 1970.
_SOME_DAY = 1.8e9


@dataclass(frozen=True, slots=True)
class Reserved:
    """How long one of several pools is reserved.

    Attributes:
        own: The quantities of the pool.
        begins: When it begins, in seconds after the first of the pools.
        most: The longest that it may be reserved; None where nothing bounds it.
        ends: What that comes to, in seconds after the first of the pools begins.
        fixed: Whether it is reserved for that long, used or not.
    """

    own: Own
    begins: float
    most: Expr | None
    ends: float
    fixed: bool


# ---- dates


def add_dates(draft: Draft, pool: Pool, own: Own) -> None:
    """When a pool begins, and when it must end."""
    for date, each in ((q.START, pool.begin), (q.DEADLINE, pool.end)):
        if isinstance(each, Given):
            draft.give(own(date), each)
        elif each is not None and (own(date).part("pool") or pool.bought) and not _ends_with_run(pool, date):
            help = ["give the date, or ask for it of hardware that is of one kind and reserved by the date"]
            draft.gave_up("a `?` in the dates of such hardware is read, and not solved yet", each.span, help)
    time, begin, end = pool.figures.get("time"), pool.begin, pool.end
    if not isinstance(begin, Given) or not isinstance(end, Given):
        return
    if not isinstance(time, Given):
        draft.givens[own(q.DEADLINE)] = end  # it bounds the time, and could be moved
    elif begin.value.value + time.value.value > end.value.value + SLACK:
        days = (begin.value.value + time.value.value - end.value.value) / DAY
        also = [Label(time.span, f"ends {days:.4g} days after that")]
        message = f"the hardware is for {time.number.text} from {iso_date(begin.value.value)}, past its `until`"
        draft.findings.append(finding("C001", message, end.span, also=also, help=[_in_time(begin, time, end)]))


def _in_time(begin: Given, time: Given, end: Given) -> str:
    """What to write of hardware that is reserved beyond its last date: for less, or until it is over."""
    days = (end.value.value - begin.value.value) / DAY
    over = math.ceil((begin.value.value + time.value.value - SLACK) / DAY) * DAY
    return f"write `for {days:.6g} days`, or `until {iso_date(over)}`"


def _ends_with_run(pool: Pool, date: Name) -> bool:
    """Whether a date that is asked for is when a pool ends that begins on a given one: when the run is done."""
    return date == q.DEADLINE and not pool.bought and isinstance(pool.begin, Given)


def _window(draft: Draft, own: Own) -> Expr | None:
    """The time between the dates of a pool, where it has both."""
    if not {own(q.START), own(q.DEADLINE)} <= draft.definitions.keys():
        return None
    return Op("-", (Ref(own(q.DEADLINE)), Ref(own(q.START))))


def _earliest(draft: Draft, owns: Sequence[Own]) -> None:
    """When the run begins and ends: on the first date of its pools, else so late that the first `until` is kept."""
    starts = [own(q.START) for own in owns if draft.knows(own(q.START))]
    if len(owns) > 1 and starts:
        draft.define(q.START, joined("min", starts), "derived", "the first of the pools")
    ends = [own for own in owns if own(q.DEADLINE) in draft.definitions]
    if not starts and ends:
        latest = [Op("-", (Ref(own(q.DEADLINE)), Ref(own(q.RESERVED_TIME)))) for own in ends]
        said = "so late that the reserved time ends at `until`"
        draft.define(q.START, joined("min", latest), "derived", said, draft.definitions[ends[0](q.DEADLINE)].span)
    if starts or ends:
        draft.define(q.FINISH, Op("+", (Ref(q.START), Ref(q.TIME))), "derived", "start and time of the run")


# ---- one pool


def add_reservation(draft: Draft, pool: Pool, own: Own) -> None:
    """The time that the one pool is reserved for, and when the run on it ends."""
    time = draft.take(pool.figures, "time", Given, Within, Hole)
    window, end = _window(draft, own), pool.end
    name = own(q.RESERVED_TIME)
    open_dates = [date for date in pool.dates.values() if isinstance(date, Hole)]
    if time is None and open_dates:  # how long it is reserved is what they ask for
        time = open_dates[0]
    if time is None and window is not None and end is not None:
        draft.define(name, window, "given", "from and until", end.span)
    elif not draft.knows(name):
        draft.figure(name, time or Hole(pool.span), MONTH, "time")
        if window is not None and end is not None and not isinstance(time, Given):
            draft.constrain("until", Ref(name), window, "date", end.span)
    _ask_for_dates(draft, pool, own)
    _earliest(draft, [own])


def _ask_for_dates(draft: Draft, pool: Pool, own: Own) -> None:
    """The dates that are asked for: the latest at which the pool may begin, and the earliest at which it may end."""
    begin, end = pool.begin, pool.end
    if isinstance(begin, Hole) and not isinstance(end, Given):
        draft.figure(own(q.START), begin, _SOME_DAY, "from")
    if isinstance(end, Hole) and begin is None:
        message = "nothing in the plan determines `until`: when the hardware begins is not told"
        help = ["one more given would: `from 2026-12-01`, or in the hardware's block `from: 2026-12-01`"]
        draft.findings.append(finding("C002", message, end.span, help=help, laws=(draft.named,)))
    elif isinstance(end, Hole):
        ends = Op("+", (Ref(own(q.START)), Ref(own(q.RESERVED_TIME))))
        draft.define(own(q.DEADLINE), ends, "derived", "when the reserved time ends", end.span)


# ---- pools side by side


def add_reservations(draft: Draft, pools: Sequence[Pool], owns: Sequence[Own]) -> None:
    """How long each of several pools is reserved, and the time of the run at the rate of those that are there.

    They work side by side until the run is done, each within its own reservation. One that is reserved for a time is
    paid for whole; one `for up to` it, or `for ?`, for as long as the run needs it.
    """
    dates = (pool.begin for pool in pools)
    begins = [date.value.value for date in dates if isinstance(date, Given)]
    first = min(begins, default=0.0)
    reserved = [_reserved(draft, pool, own, first) for pool, own in zip(pools, owns, strict=True)]
    for one, pool in zip(reserved, pools, strict=True):
        if one.fixed and one.most is not None and one.own(q.RESERVED_TIME) not in draft.definitions:
            draft.define(one.own(q.RESERVED_TIME), one.most, "given", "from and until", pool.span)
        elif not one.fixed:
            _as_long_as_needed(draft, pool, one)
        if isinstance(end := pool.end, Hole) and _ends_with_run(pool, q.DEADLINE):
            ends = Op("+", (Ref(one.own(q.START)), Ref(one.own(q.RESERVED_TIME))))
            draft.define(one.own(q.DEADLINE), ends, "derived", "when the reserved time ends", end.span)
    draft.define(q.TIME, _time(reserved), "derived", "all pools side by side until the run is done")
    draft.elastic = not all(one.fixed for one in reserved)
    if draft.elastic and all(one.most is not None for one in reserved):
        whole = joined("+", (_work(one) for one in reserved))
        draft.define(q.MOST_CAPACITY, whole, "derived", "all pools together, each for as long as it may be reserved")
    _earliest(draft, owns)


def _reserved(draft: Draft, pool: Pool, own: Own, first: float) -> Reserved:
    time = draft.take(pool.figures, "time", Given, Within, Hole)
    begin, end = pool.begin, pool.end
    begins = begin.value.value - first if isinstance(begin, Given) else 0.0
    if isinstance(time, Given):
        draft.giving(own(q.RESERVED_TIME), time)
        return Reserved(own, begins, Ref(own(q.RESERVED_TIME)), begins + time.value.value, True)
    bounds: list[tuple[Expr, float]] = []
    window = _window(draft, own)
    if window is not None and isinstance(begin, Given) and isinstance(end, Given):
        bounds.append((window, end.value.value - begin.value.value))
    if isinstance(time, Within) and time.high is not None:
        draft.giving(own(q.LONGEST), time.high)
        bounds.append((Ref(own(q.LONGEST)), time.high.value.value))
    most = joined("min", (expr for expr, _ in bounds)) if bounds else None
    ends = begins + min((value for _, value in bounds), default=math.inf)
    return Reserved(own, begins, most, ends, time is None and window is not None)


def _as_long_as_needed(draft: Draft, pool: Pool, one: Reserved) -> None:
    """The time that a pool is reserved for, where that is left to the run."""
    time, name = pool.figures.get("time"), one.own(q.RESERVED_TIME)
    if not isinstance(time, Within):
        draft.asked.append(name)
    needed: Expr = Ref(q.TIME)
    if one.begins:
        needed = Op("max", (Num(0.0, TIME), Op("-", (needed, Num(one.begins, TIME)))))
    if one.most is not None:
        needed = Op("min", (one.most, needed))
    if isinstance(time, Within) and time.low is not None:
        needed = Op("max", (time.low.number, needed))
    draft.define(name, needed, "derived", "as long as the run needs it", time.span if time else pool.span)


def _work(one: Reserved) -> Expr:
    """What a pool computes in all the time that it may be reserved."""
    assert one.most is not None
    return Op("*", (Ref(one.own(q.SPEED)), one.most))


def _time(reserved: Sequence[Reserved]) -> Expr:
    """The time in which pools compute what the run needs.

    What pools that begin together have computed by a time is the least, over those that may have ended by it, of what
    these compute in all and the others by that time; so the time is the most over them. Where pools begin one after
    the other, it is the least over how many have begun.
    """
    by_begin = sorted(reserved, key=lambda one: one.begins)
    time = _time_of(by_begin)
    for i in range(len(by_begin) - 1, 0, -1):
        if by_begin[i].begins == by_begin[i - 1].begins:
            continue
        before = by_begin[:i]
        sooner = _time_of(before)
        if all(one.most is not None for one in before):  # they may have ended without having done it all
            done = Op("<=", (Ref(q.MODEL_COMPUTE), joined("+", map(_work, before))))
            sooner = Op("if", (done, sooner, NEVER))
        time = Op("min", (sooner, time))  # which stands in it once: of fifty pools it would be written out 2^49 times
    return time


def _time_of(begun: Sequence[Reserved]) -> Expr:
    """The time in which the pools that have begun compute what the run needs."""
    by_end = sorted(begun, key=lambda one: one.ends)
    ended = [i for i in range(len(by_end)) if all(one.most is not None for one in by_end[:i])]
    return joined("max", (_time_after(by_end[:i], by_end[i:]) for i in ended))


def _time_after(ended: Sequence[Reserved], at_work: Sequence[Reserved]) -> Expr:
    """The time in which pools compute what those that have ended leave to them."""
    left: Expr = Ref(q.MODEL_COMPUTE)
    for one in ended:
        left = Op("-", (left, _work(one)))
    for one in at_work:
        if one.begins:
            left = Op("+", (left, Op("*", (Ref(one.own(q.SPEED)), Num(one.begins, TIME)))))
    return Op("/", (left, joined("+", (one.own(q.SPEED) for one in at_work))))
