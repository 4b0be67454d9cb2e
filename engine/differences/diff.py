"""A plan as it was and as it is to what moved, and to which change of it, or of what it rests on, moved that.

Each change is made alone to the plan as it was, and the plan is solved with it: what that moves is the change's. What
all of them move together beyond that is theirs together, and is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import PackFile
from runplan.dsl.plan.fields_changed import by_field
from runplan.dsl.syntax.changes import Change, Slot, changes, with_change
from runplan.dsl.syntax.imports import read_file, syntax_of
from runplan.dsl.syntax.tree import File, Node
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Reader
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal
from runplan.dsl.units.dims import Dim
from runplan.engine.differences.sides import SAME, Moved, Side, counted_in, each, stays, told
from runplan.engine.pipeline import read_of
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report
from runplan.engine.solutions import first_solution

# Each change costs a solution; what goes beyond is told together.
MOST_CHANGES = 24


@dataclass(frozen=True, slots=True)
class Cause:
    """One change, and what it moves alone.

    Attributes:
        kind: Of a statement of the plan, of a definition in a pack, of what a folder asks of its plans, or of another
            plan that this one imports.
        name: What it is of, such as `hardware: gpus` or `packs/team.plan: price team`.
        texts: What was said, and what is.
        then, now: Where; None where it was added, or taken out.
        moves: By how much it moves each quantity, in base units; only those that it does move.
        brings, drops: The quantities that there are with it, or are not any more.
        status: What the plan is with this change alone: `solved`, or why there is no figure.
    """

    kind: Literal["statement", "pack", "budget", "plan"]
    name: str
    texts: tuple[str, str]
    then: Span | None
    now: Span | None
    moves: Mapping[str, float]
    status: str = "solved"
    brings: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What is between two states of a plan.

    Attributes:
        moved: What differs, what is told first at the head.
        kept: How many quantities do not differ.
        causes: What the plan, or what it rests on, says otherwise; where nothing moved, the plan alone.
        together: What the changes move together, beyond what each moves alone.
    """

    moved: tuple[Moved, ...]
    kept: int
    causes: tuple[Cause, ...] = ()
    together: Mapping[str, float] = field(default_factory=dict)


def difference(then: Side, now: Side) -> Difference:
    """What moved between two states of a plan, and why, or what it says otherwise that moves nothing.

    Nothing moves where one of them is not solved.
    """
    solved = then.solution is not None and now.solution is not None
    all_moved = tuple(each(then, now)) if solved else ()
    moved = tuple(one for one in all_moved if not stays(one))
    # Not that its statements stand in another order.
    said = tuple(cause for cause, _ in _statements(then, now) if any(cause.texts)) if not moved else ()
    causes, together = _why(then, now, moved) if moved else (said, {})
    return Difference(moved, len(all_moved) - len(moved), causes, together)


def _why(then: Side, now: Side, moved: Sequence[Moved]) -> tuple[tuple[Cause, ...], Mapping[str, float]]:
    """The changes with what each moves, and what they move together beyond that."""
    whole = {one.quantity: one.by for one in moved if one.by is not None}
    come = tuple(one.quantity for one in moved if one.then is None)
    gone = tuple(one.quantity for one in moved if one.now is None)
    every = [*_statements(then, now), *_packs(then, now), *_budgets(then, now), *_plans(then, now)]
    if len(every) == 1:
        return (replace(every[0][0], moves=whole, brings=come, drops=gone),), {}
    assert then.solution is not None
    dims, reports = {name: one.dim for one in moved if (name := one.quantity) in whole}, (now.report, then.report)
    was, causes = told(then.solution), list[Cause]()
    for cause, made in every:
        found = _solved(made, then.found)
        if found is None or found.status != "solved":
            causes.append(replace(cause, status="unread" if found is None else found.status))
            continue
        is_ = told(found)
        brings = tuple(name for name in come if name in is_)
        drops = tuple(name for name in gone if name not in is_)
        causes.append(replace(cause, moves=_moves(was, is_, dims, reports), brings=brings, drops=drops))
    rest = {name: by - sum(cause.moves.get(name, 0.0) for cause in causes) for name, by in whole.items()}
    sizes = {one.quantity: max(abs(v.value) for v in (one.then, one.now) if v) for one in moved}
    return tuple(causes), {name: by for name, by in rest.items() if abs(by) > SAME * sizes[name]}


@dataclass(frozen=True, slots=True)
class _Made:
    """What a plan with one change alone is read from."""

    file: File
    reader: Reader
    library: Library


def _moves(
    was: Mapping[str, Value], is_: Mapping[str, Value], dims: Mapping[str, Dim], reports: Sequence[Report]
) -> dict[str, float]:
    """By how much quantities moved, each in the dimension that it is told in."""
    moves = {}
    for name, dim in dims.items():
        before, after = (counted_in(side[name], dim, reports) if name in side else None for side in (was, is_))
        if before is not None and after is not None and abs(after - before) > SAME * abs(before):
            moves[name] = after - before
    return moves


def _solved(made: _Made, found: Sequence[Finding]) -> Solution | None:
    return first_solution(read_of(made.file, found, made.reader, made.library, intervals=False))


def _statements(then: Side, now: Side) -> Iterator[tuple[Cause, _Made]]:
    found = changes(then.file.statements, now.file.statements)
    parts = [part for change in found for part in by_field(change)]
    if not parts and then.file.statements != now.file.statements:
        order = Cause("statement", "the order of statements", ("", ""), None, None, {})
        yield order, _Made(replace(then.file, statements=now.file.statements), then.reader, then.library)
    if len(parts) > MOST_CHANGES:
        rest = found[MOST_CHANGES - 1 :]
        parts = [*found[: MOST_CHANGES - 1], _joined(rest)]
    for change in parts:
        name = change.name if len(change.slots) <= MOST_CHANGES else f"{len(change.slots)} other statements"
        texts = change.texts if change.part else (_text(change.then), _text(change.now))
        spans = [side[0].span if side else None for side in (change.then, change.now)]
        cause = Cause("statement", name, texts, spans[0], spans[1], {})
        file = replace(then.file, statements=with_change(then.file.statements, change))
        yield cause, _Made(file, then.reader, then.library)


def _joined(found: Sequence[Change]) -> Change:
    slots: tuple[Slot, ...] = tuple(slot for change in found for slot in change.slots)
    return Change(
        slots,
        tuple(node for change in found for node in change.then),
        tuple(node for change in found for node in change.now),
    )


def _text(nodes: Sequence[Node]) -> str:
    return "; ".join(node.span.said for node in nodes)


def _packs(then: Side, now: Side) -> Iterator[tuple[Cause, _Made]]:
    """The files of packs that differ, each with the definitions that do."""
    was, is_ = then.packs, now.packs
    for path in dict.fromkeys((*is_, *was)):
        if was.get(path) == is_.get(path):
            continue
        trees = [syntax_of(side[path].source)[0].statements if path in side else () for side in (was, is_)]
        found = changes(*trees)
        joined = _joined(found)
        names = [change.name for change in found]
        what = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        spans = [side[0].span if side else None for side in (joined.then, joined.now)]
        files = {**was, path: is_[path]} if path in is_ else {name: one for name, one in was.items() if name != path}
        texts = (_text(joined.then), _text(joined.now)) if len(found) == 1 else ("", "")
        cause = Cause("pack", f"{path}: {what}" if what else path, texts, spans[0], spans[1], {})
        yield cause, _Made(then.file, then.reader, _with_packs(then, files))


def _with_packs(side: Side, files: Mapping[str, PackFile]) -> Library:
    """What is known with other packs; those of wheels are in what is there at any time."""
    there = {one.source.path for one in side.base.shelf.brought}
    own = side.base.with_files(one for path, one in files.items() if path not in there)
    return own.with_budgets(side.library.budgets)


def _budgets(then: Side, now: Side) -> Iterator[tuple[Cause, _Made]]:
    """What the folders of the plans ask of them, where that differs."""
    was, is_ = ({one.source.path: one for one in side.library.budgets} for side in (then, now))
    other = [path for path in dict.fromkeys((*is_, *was)) if was.get(path) != is_.get(path)]
    if other:
        cause = Cause("budget", ", ".join(other), ("", ""), None, None, {})
        yield cause, _Made(then.file, then.reader, then.library.with_budgets(now.library.budgets))


def _plans(then: Side, now: Side) -> Iterator[tuple[Cause, _Made]]:
    """The plans whose results it imports, where one of them says something else."""
    if not then.file.imported or not now.file.imported:
        return
    sides = [[_read(one.path, side.reader) for one in side.file.imported] for side in (then, now)]
    if sides[0] == sides[1]:
        return
    was = {one.alias: said for one, said in zip(then.file.imported, sides[0], strict=True)}
    other = [one for one, said in zip(now.file.imported, sides[1], strict=True) if was.get(one.alias) != said]
    names = ", ".join(one.path for one in other)
    span = other[0].span if other else None
    cause = Cause("plan", names or "the plans that it imports", ("", ""), None, span, {})
    yield cause, _Made(replace(then.file, imported=now.file.imported), now.reader, then.library)


def _read(path: str, reader: Reader) -> tuple[Node, ...]:
    try:
        return read_file(path, reader)[0].statements
    except OSError:
        return ()
