"""What differs between two states of plans as data for people: figures, reasons and findings as texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from runplan.cli.show.text.content import NOTHING, Line, Table, table
from runplan.cli.show.text.figures import apart, bare, figure, per_cent
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import Known, is_share, label
from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.text.codes import RANK
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.words import counted
from runplan.dsl.units.base import TIME
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.differences.diff import Cause
from runplan.engine.differences.differences import Differences, Exceeded, PlanDifference, Total
from runplan.engine.differences.sides import FIRST, Moved, Side
from runplan.engine.problem.solution import Value

ARROW = "\N{RIGHTWARDS ARROW}"
# So many quantities are told of one change.
MOST_MOVES = 5
# Of a plan that is new, or gone.
_OF_ONE = ("cost", "loss", "gpu_hours", "time", "params", "tokens", "compute")
# What follows from how the model lies on its devices, and what of that changes with their count alone.
_OF_LAYOUT = ("memory_per_gpu", "layout_time", "layout_mfu")
_OF_COPIES = ("dp", "accumulate")
_STATES = {"infeasible": "cannot be kept", "undecided": "is undecided", "unread": "cannot be read"}


@dataclass(frozen=True, slots=True)
class Reason:
    """A change, what was said and is, and what it moves.

    Attributes:
        place: Where, as `FILE:LINE`; empty where it has no place.
        texts: What was said, and what is; empty where there is nothing of it.
    """

    place: str
    name: str
    texts: tuple[str, str]
    moves: str


@dataclass(frozen=True, slots=True)
class PlanContent:
    """What is said of one plan.

    Attributes:
        title: Its path, and the one that it had.
        headline: What became of it, in a line that stands alone.
        values: One row a quantity: then, now, by how much more.
        notes: What must be known to read them.
        because: What stands above the reasons.
    """

    title: str
    headline: str
    values: Table
    notes: tuple[str, ...]
    because: str
    reasons: tuple[Reason, ...]
    findings: Table


@dataclass(frozen=True, slots=True)
class Content:
    """All that is said of what differs, safe to print.

    Attributes:
        ends: What is compared.
        headline: How much differs, in a line that stands alone.
        exceeded: What has grown by more than it may.
    """

    ends: str
    headline: str
    exceeded: tuple[str, ...]
    totals: Table
    plans: tuple[PlanContent, ...]


def content(found: Differences) -> Content:
    """All that there is to say of what differs."""
    known = _known(found.plans)
    return Content(
        ends=plain(f"{found.then} {ARROW} {found.now}"),
        headline=_headline(found),
        exceeded=tuple(plain(_passed(one, known)) for one in found.exceeded),
        totals=table([_total_row(total, known) for total in found.totals], ("", "then", "now", "change"), figures=True),
        plans=tuple(_plan(plan, found.apart) for plan in found.plans),
    )


def _known(plans: Sequence[PlanDifference]) -> Known:
    return Quantities(
        pair for plan in plans for side in (plan.now, plan.then) if side is not None for pair in _of(side).items()
    )


def _of(side: Side) -> Known:
    return side.report.solutions[0].problem.quantities if side.report.solutions else Quantities()


def _headline(found: Differences) -> str:
    counts = {
        "changed": sum(plan.state == "changed" for plan in found.plans),
        "new": sum(plan.state == "added" for plan in found.plans),
        "gone": sum(plan.state == "removed" for plan in found.plans),
        "renamed": 0 if found.apart else sum(bool(plan.was) for plan in found.plans),
    }
    told = [f"{count} {word}" for word, count in counts.items() if count]
    if told:
        count, word = told[0].split()
        told[0] = f"{counted(int(count), 'plan')} {word}"
    same = f"{counted(found.same, 'plan')} the same" if found.same else ""
    least = f", changes below {per_cent(found.least)} left out" if found.least else ""
    restated = sum(plan.state == "same" and bool(plan.values.causes) for plan in found.plans)
    same += f", {restated} of them by other statements" if restated else ""
    return ", ".join(filter(None, [*told, same])) + least if told else f"Nothing differs: {same or 'no plan'}{least}"


def _plan(plan: PlanDifference, apart: bool) -> PlanContent:
    known = _known([plan])
    title = f"{plan.file} (was {plan.was})" if plan.was else plan.file
    if apart and plan.was:
        title = f"{plan.was} {ARROW} {plan.file}"
    one = plan.state in ("added", "removed")
    there = {m.quantity: m for m in plan.values.moved}
    rows: list[Line] = [(label(name, known), *_row(m, known)) for name, m in there.items()]
    if one:
        told = {name: there[name].now or there[name].then for name in _OF_ONE if name in there}
        rows = [(label(name, known), _figure(name, value, known)) for name, value in told.items()]
    heads = ("", "now" if plan.state == "added" else "then") if one else ("", "then", "now", "change")
    return PlanContent(
        title=plain(title),
        headline=plain(_became(plan, known, apart)),
        values=table(rows, heads, figures=True),
        notes=tuple(map(plain, _notes(plan))),
        because="Why" if plan.values.moved else "What it says",
        reasons=tuple(_reasons(plan, known)),
        findings=table(_findings(plan), ("", "severity", "code", "finding"), wrap=3),
    )


def _became(plan: PlanDifference, known: Known, apart: bool) -> str:
    """What became of a plan, in a line."""
    same = "says something else, and moves nothing" if plan.values.causes else "nothing else"
    same = f"renamed, {same}" if plan.was and not apart else same
    word = {"added": "new", "removed": "gone", "changed": "changed", "same": same}[plan.state]
    parts = [word]
    then, now = plan.statuses
    if plan.state == "changed" and then != now:
        parts = [f"it {_state(then)} then, and {_state(now)} now"]
    elif plan.state == "changed" and now in _STATES:
        parts = [f"it {_STATES[now]}, then and now"]
    elif plan.state in ("added", "removed") and (status := now or then) in _STATES:
        parts.append(f"it {_STATES[status]}")
    else:
        told = [m for m in plan.values.moved if m.quantity in FIRST and m.by is not None]
        parts += [f"{_short(m.quantity, known)} {_change(m, known)}" for m in told]
    if plan.state == "changed" and plan.holds == (True, False):
        parts.append("it holds no more")
    elif plan.state == "changed" and plan.holds == (False, True):
        parts.append("it holds now")
    return ", ".join(parts)


def _state(status: str) -> str:
    return _STATES.get(status, "was no plan" if not status else "is solved").replace("is solved", "could be solved")


def _notes(plan: PlanDifference) -> Iterator[str]:
    if plan.trouble:
        yield f"It could not be read as it was: {plan.trouble}."
    laws = [side.solution.resolved for side in (plan.then, plan.now) if side is not None and side.solution is not None]
    if len(set(laws)) == 2:
        yield f"By `{laws[0]}` then, and by `{laws[1]}` now."
    elif laws and any(len(side.report.solutions) > 1 for side in (plan.then, plan.now) if side is not None):
        yield f"By `{laws[0]}`, the first law of the plan."
    if plan.values.kept:
        more = " more" if plan.values.moved else ""
        yield f"{plan.values.kept}{more} {'quantity is' if plan.values.kept == 1 else 'quantities are'} the same."
    yield from _laid_out(plan)
    for why, names in _apart(plan.values.moved).items():
        yield f"{', '.join(names)}: {why}."


def _laid_out(plan: PlanDifference) -> Iterator[str]:
    """Where the model lies otherwise on its devices, on more than that there are more copies or fewer: memory and the
    time of a step follow from that, too."""
    if not any(one.quantity in _OF_LAYOUT for one in plan.values.moved):
        return
    sides = [
        {one.scope: one.first[0] for one in side.solution.layouts}
        for side in (plan.then, plan.now)
        if side is not None and side.solution is not None
    ]
    for scope in sides[0].keys() & sides[-1].keys():
        then, now = sides[0][scope], sides[-1][scope]
        moved = [name for name, figure in then.figures.items() if now.figures.get(name) != figure]
        if set(moved) - {*_OF_COPIES} and then.text != now.text:
            of = "".join(f" of {name}" if part == "stage" else f" of {part} {name}" for part, name in scope)
            yield f"The first layout{of} is another one: {then.text} then, and {now.text} now."


def _apart(moved: Sequence[Moved]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in moved:
        if one.why:
            found.setdefault(one.why, []).append(one.quantity)
    return found


# ---- figures


def _row(one: Moved, known: Known) -> tuple[str, str, str]:
    then, now = (_figure(one.quantity, side, known) for side in (one.then, one.now))
    beside = "" if one.by_dim == TIME else apart(now)[1]
    return then, now, _change(one, known, beside=beside)


def _figure(name: str, value: Value | None, known: Known) -> str:
    return NOTHING if value is None else bare(figure(name, value.value, value.dim, known))


def _change(one: Moved, known: Known, *, beside: str = "") -> str:
    """By how much more, and as a share.

    Args:
        beside: The unit that stands beside it already; of bytes and rates a small change has another one.
    """
    if one.by is None:
        return NOTHING
    share = "" if one.share is None or is_share(one.quantity, known) else f" ({_signed(one.share, per_cent)})"
    by = _by(one.quantity, one.by, one.by_dim, known)
    number, unit = apart(by)
    return f"{number if unit == beside else by}{share}"


def _by(name: str, by: float, dim: Dim, known: Known) -> str:
    if dim == TIME:
        return _signed(by, lambda size: show(size, TIME, 3))
    if is_share(name, known):
        return _signed(by, lambda size: f"{100 * size:.3g} points")
    if name == "loss":
        return f"{by:+.3f}" if abs(by) >= 0.0005 else f"{by:+.1g}"
    return _signed(by, lambda size: bare(figure(name, size, dim, known) if name != "steps" else show(size, dim)))


def _short(name: str, known: Known) -> str:
    """What a quantity is called in a sentence, without its unit."""
    return label(name, known).partition(",")[0]


def _signed(value: float, said: Callable[[float], str]) -> str:
    return f"{'+' if value > 0 else '-'}{said(abs(value))}"


def _total_row(total: Total, known: Known) -> Line:
    by = total.now - total.then
    share = f" ({_signed(by / total.then, per_cent)})" if total.then > 0 and by else ""
    sides = (bare(figure(total.quantity, value, total.dim, known)) for value in (total.then, total.now))
    change = f"{_by(total.quantity, by, total.dim, known)}{share}" if by else "same"
    return (label(total.quantity, known), *sides, change)


def _passed(one: Exceeded, known: Known) -> str:
    name, most = _short(one.limit.quantity, known), per_cent(one.limit.share)
    if one.why or one.moved is None:
        return f"{one.file}: {name} may grow by {most}, and nobody can say by how much it did: {one.why}"
    return f"{one.file}: {name} {_change(one.moved, known)}, and may grow by {most}"


# ---- reasons and findings


def _reasons(plan: PlanDifference, known: Known) -> Iterator[Reason]:
    dims = {one.quantity: one for one in plan.values.moved}
    for cause in plan.values.causes:
        place = cause.now or cause.then
        where = f"{place.source.path}:{place.line}" if place is not None else ""
        texts = (plain(cause.texts[0]), plain(cause.texts[1]))
        yield Reason(plain(where), plain(cause.name), texts, plain(_moves_of(cause, dims, known)))
    if plan.values.together and (told := _moves(plan.values.together, dims, known)):
        name = "together, beyond what each moves alone" if plan.values.causes else "what nothing here explains"
        yield Reason("", name, ("", ""), plain(told))


def _moves_of(cause: Cause, dims: Mapping[str, Moved], known: Known) -> str:
    if cause.status != "solved":
        return "alone it leaves a plan that cannot be solved: what it moves is told with the others"
    told = [_moves(cause.moves, dims, known)]
    for word, names in (("there is", cause.brings), ("there is no more", cause.drops)):
        told += [f"{word} {', '.join(_short(name, known) for name in names)}"] if names else []
    return "; ".join(filter(None, told)) or ("moves nothing alone" if dims else "moves nothing")


def _moves(moves: Mapping[str, float], dims: Mapping[str, Moved], known: Known) -> str:
    told = [name for name in dims if name in moves]
    parts = [f"{_short(name, known)} {_by(name, moves[name], dims[name].by_dim, known)}" for name in told[:MOST_MOVES]]
    return ", ".join(parts) + (f", and {len(told) - MOST_MOVES} more" if len(told) > MOST_MOVES else "")


def _findings(plan: PlanDifference) -> list[Line]:
    """Errors and warnings; of a plan that is gone, none."""
    out: list[Line] = []
    for word, findings in (("new", plan.new), ("grown", plan.grown), ("gone", plan.gone)):
        for found in sorted(findings, key=lambda one: RANK[one.severity]):
            if found.severity != "info" and plan.state != "removed":
                out.append((word, found.severity, found.code, plain(_said(found))))
    return out


def _said(found: Finding) -> str:
    return f"line {found.at.span.line}: {found.message}"
