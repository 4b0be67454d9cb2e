"""A problem that leaves something open to what that is, what does not depend on it, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, islice

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Num, Ref, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.text.finding import finding
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import enumerated
from runplan.dsl.typed.fields import DERIVED
from runplan.dsl.units.dims import USUAL_MONEY
from runplan.dsl.units.table import currencies
from runplan.engine.problem import quantities as q
from runplan.engine.problem.derived import derive
from runplan.engine.problem.parts import Constraint, Goal
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.failed import place_of, without
from runplan.engine.solve.rounding import unwritten
from runplan.engine.solve.search import optimum_of
from runplan.engine.solve.values import solved

# Values and goals that differ by no more than this share are the same.
SAME = 1e-6
# A variable is open where the goals are as good at this many times its value.
MOVED = (2.0, 0.5)
# What is tried for a figure that is open: how a plan writes it, and its value in base units.
USUAL = {
    q.TOKENS.text: (("1T", 1e12), ("100B", 1e11), ("10B", 1e10)),
    q.PARAMS.text: (("7B", 7e9), ("1B", 1e9), ("70B", 7e10)),
    q.GPUS.text: (("64", 64.0), ("1024", 1024.0), ("8", 8.0)),
    q.GPU_HOURS.text: (("10k GPU-hours", 3.6e7), ("1M GPU-hours", 3.6e9), ("100 GPU-hours", 3.6e5)),
    q.RESERVED_TIME.text: (("30 days", 30 * 86400.0), ("365 days", 365 * 86400.0), ("1 day", 86400.0)),
    q.FINETUNE_TOKENS.text: (("50B tokens", 5e10), ("1B tokens", 1e9)),
    q.INFERENCE_TOKENS.text: (("2T tokens", 2e12),),
    q.COMPUTE.text: (("1e22 FLOP", 1e22), ("1e20 FLOP", 1e20), ("1e24 FLOP", 1e24)),
}
# The same of a date, in seconds since 1970.
A_DAY = (("2026-12-01", 1796083200.0),)
# What may be made small where no goal is stated, the first that there is.
GOALS = (q.COST, q.GPU_HOURS, q.COMPUTE)
# What a plan writes for what is open.
_OPEN = pattern(r"\?|\bunknown\b")
# Parts of a run, of which a plan would not limit what the whole comes to.
PARTS = ("pool", "source", "phase")
# At most so many ways to settle a plan are offered.
OFFERS = 5


def under_determined(problem: Problem) -> Solution:
    """What is known all the same of a problem that leaves something open, and what would settle it (C002)."""
    goals, loose = _least(problem)
    aimed = problem.aiming(*goals)
    held = aimed.fixed(loose)
    found = optimum_of(held)
    base = without(problem, "undecided", problem.findings)
    # What a law says of the run follows from it: no plan states that.
    free = [v.name for v in problem.variables if not v.name.part("law") and v.name != q.SURE_COMPUTE]
    if found.is_optimal:
        here = _every(held, found.values)
        moved = (
            (name, _elsewhere(held, here, name) if name not in loose else _turned(aimed, loose, name)) for name in free
        )
        others = {name: env for name, env in moved if env is not None}
        known = {n for n in here if all(n in env and _same(here[n], env[n]) for env in others.values())}
        free = [name for name in free if name in others or (loose and name not in known)] or free
        if others:
            told = solved(held, found.values, found.binding)
            base = replace(base, values={n: v for n, v in told.values.items() if n in known})
    said = enumerated([f"`{problem.said(q.PARAMS if name == q.LAW_PARAMS else name)}`" for name in free])
    # Of figures that make up for each other one has to be given: nothing else tells them apart.
    figures = _figures(problem, free)
    offered = figures if not problem.goals else (*_budgets(problem, aimed, free), *_offers(problem), *figures)
    offers = list(dict.fromkeys(offered))[:OFFERS]
    help = ["one more given would: " + ", or ".join(f"`{offer}`" for offer in offers)] if offers else []
    both = chain(_pairs(problem, free), _pairs_of_budget(problem, aimed, free))
    pairs = [] if offers else list(islice(both, OFFERS))
    help += (
        ["this would: " + ", or ".join(" and ".join(f"`{each}`" for each in both) for both in pairs)] if pairs else []
    )
    at = place_of(problem, free)
    message = f"nothing in the plan determines {said}"
    out = finding("C002", message, at, help=help, laws=(problem.named,))
    return replace(base, findings=(*problem.findings, out))


def has_least(problem: Problem) -> bool:
    """Whether the goals of a problem that are no ties have least values: then it is the ties that run off."""
    goals = problem.goals[: len(problem.goals) - problem.ties]
    return bool(goals) and optimum_of(problem.aiming(*goals)).is_optimal


# ---- what is open


def _least(problem: Problem) -> tuple[tuple[Goal, ...], dict[Name, float]]:
    """The goals that have a least value among those that do before them; none where the first has none. And what nature
    decides of which nothing tells the worst, each at some value: the rest is what it is for any.

    How many devices there are breaks no tie here: of a count and a time that are both open either end would do.
    """
    kept: tuple[Goal, ...] = ()
    loose: dict[Name, float] = {}
    if not problem.goals:  # where figures make up for each other the run is what it is without them
        aimed = next((aimed for aimed in problem.aimed() if aimed.goals), problem)
        problem = aimed.aiming(*(goal for goal in aimed.goals if not _is_of_nature(problem, goal)))
    wanted = len(problem.goals) - problem.ties
    for i, goal in enumerate(problem.goals):
        if i >= wanted and isinstance(goal.expr, Ref) and goal.expr.name.text == q.GPUS.text:
            continue
        if optimum_of(problem.fixed(loose).aiming(*kept, goal)).is_optimal:
            kept = (*kept, goal)
        elif _is_of_nature(problem, goal) and isinstance(goal.expr, Ref):
            loose |= {v.name: v.start for v in problem.variables if v.name == goal.expr.name}
        elif not kept:
            break
    return kept, loose


def _is_of_nature(problem: Problem, goal: Goal) -> bool:
    """Whether a goal is the worst of what nature decides: the run does not hang on it."""
    known = problem.quantities.get(goal.expr.name.text) if isinstance(goal.expr, Ref) else None
    return known is not None and known.facts.decided == "nature"


def _every(problem: Problem, values: dict[Name, float]) -> dict[Name, float]:
    every = dict(values)
    derive(problem.settled(), every)
    return every


def _elsewhere(problem: Problem, here: dict[Name, float], name: Name) -> dict[Name, float] | None:
    """All values at an optimum that is as good with another value of a variable; None where there is none."""
    for factor in MOVED:
        moved = problem.fixed({name: here[name] * factor})
        found = optimum_of(moved)
        if found.is_optimal:
            env = _every(moved, found.values)
            if all(_same(_reached(goal, here), _reached(goal, env)) for goal in problem.goals):
                return env
    return None


def _turned(problem: Problem, loose: Mapping[Name, float], name: Name) -> dict[Name, float] | None:
    """All values where one of what nature decides is another; None where there is none."""
    for factor in MOVED:
        moved = problem.fixed({**loose, name: loose[name] * factor})
        found = optimum_of(moved)
        if found.is_optimal:
            return _every(moved, found.values)
    return None


def _reached(goal: Goal, env: dict[Name, float]) -> float:
    value = float(compiled(goal.expr)(env))
    return value / float(compiled(goal.other)(env)) if goal.other is not None else value


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=SAME)


# ---- what would settle it


def _offers(problem: Problem) -> Iterator[str]:
    """What the plan could want or require besides, as it would write it; each was tried."""
    if not problem.stated:
        for name in GOALS:
            if name in problem.definitions and _settled_by_goal(problem, name):
                yield f"minimize{':' if problem.place.source.in_yaml else ''} {name}"
                break
    yield from _losses(problem)
    yield from _optimum(problem)


def _figures(problem: Problem, free: Iterable[Name]) -> Iterator[str]:
    """The figures that the plan could give besides, as it would write them; each was tried."""
    free = [q.PARAMS if name == q.LAW_PARAMS else name for name in free]
    bounded = any(c.text == q.COMPUTE.text for c in problem.constraints)
    for name in free if bounded or q.CAPACITY in problem.definitions else [*free, q.COMPUTE]:
        for text, value in _usual(problem, name):
            written = _written(problem, name, text)
            if written and _settled_by(problem, name, value):
                yield written
                if derived := _derived(problem, name):
                    yield derived
                break


def _derived(problem: Problem, name: Name) -> str:
    """The word by which a figure may follow, as the plan would write it; empty where it may not."""
    known = problem.quantities.get(name.text)
    field = known.facts.given if known else None
    return _written(problem, name, DERIVED) or "" if field is not None and DERIVED in field.named else ""


def _usual(problem: Problem, name: Name) -> tuple[tuple[str, float], ...]:
    """What is tried for a figure: how a plan writes it, and its value in base units."""
    if name.text == q.START.text:
        return A_DAY
    known = problem.quantities.get(name.text)
    field = known.facts.given if known else None
    if name.text in USUAL or field is None or not field.usual:
        return USUAL.get(name.text, ())
    money = next((unit for unit, _ in problem.dim(name) if unit in currencies()), USUAL_MONEY)
    return ((field.example.replace(USUAL_MONEY, money), field.usual),)


def _budgets(problem: Problem, held: Problem, free: Iterable[Name]) -> Iterator[str]:
    """A limit on what follows from a price or a power that is open: what a usual one comes to, in two digits."""
    for name in (name for name in free if name.text not in USUAL):
        for _, usual in _usual(problem, name):
            fixed = held.fixed({name: usual})
            found = optimum_of(fixed)
            every = _every(fixed, found.values) if found.is_optimal else {}
            for budget in problem.definitions:
                known = problem.quantities.get(budget.text)
                if not (known and known.facts.budget and budget in every) or any(map(budget.part, PARTS)):
                    continue
                as_written = unwritten(problem.dim(budget))
                most = as_written.rounded(every[budget], down=False, digits=2)
                limit = Constraint("offered", "offered", Ref(budget), Num(most, problem.dim(budget)), "require")
                limited = replace(problem, constraints=(*problem.constraints, limit))
                if name in names(problem.expanded(Ref(budget))) and _settled(limited):
                    yield _required(problem, f"{budget} <= {as_written.text(most)}")


def _pairs(problem: Problem, free: Iterable[Name]) -> Iterator[tuple[str, ...]]:
    """What the plan could say besides where one given more is too few; each pair was tried."""
    of_size = [q.PARAMS if name == q.LAW_PARAMS else name for name in free]
    for one, other in combinations((name for name in of_size if _usual(problem, name)), 2):
        text, value = _usual(problem, one)[0]
        first = Constraint("offered", "offered", Ref(one), Num(value, problem.dim(one)), "given", equal=True)
        held = replace(problem, constraints=(*problem.constraints, first))
        for further, figure in _usual(problem, other):
            both: tuple[str, ...] = (_written(problem, one, text), _written(problem, other, further))
            if line := _on_one_line(problem, ((one, text), (other, further))):
                both = (line,)
            if all(both) and _settled_by(held, other, figure):
                yield both
                break


def _pairs_of_budget(problem: Problem, held: Problem, free: Sequence[Name]) -> Iterator[tuple[str, str]]:
    """A figure of a price or a power, and a limit on what it makes with others that are open."""
    for name in (name for name in free if name.text not in USUAL):
        for text, usual in _usual(problem, name):
            fixed, others = problem.fixed({name: usual}), [other for other in free if other != name]
            for limit in _budgets(fixed, held.fixed({name: usual}), others):
                if written := _written(problem, name, text):
                    yield written, limit


def _settled(problem: Problem) -> bool:
    return any(_is_told(aimed, alone=bool(problem.goals)) for aimed in problem.aimed() if aimed.goals)


def _is_told(problem: Problem, *, alone: bool) -> bool:
    """Whether a problem tells what is wanted of it: figures that make up for each other are the same in any order.

    Args:
        alone: Whether there are no such figures.
    """
    found = optimum_of(problem)
    worsts = [goal for goal in problem.goals if _is_of_nature(problem, goal)]
    if alone or len(worsts) < 2 or not found.is_optimal:
        return found.is_optimal
    others = iter(reversed(worsts))
    turned = optimum_of(problem.aiming(*(next(others) if goal in worsts else goal for goal in problem.goals)))
    here, there = _every(problem, found.values), _every(problem, turned.values) if turned.is_optimal else {}
    return bool(there) and all(_same(_reached(goal, here), _reached(goal, there)) for goal in worsts)


def _settled_by(problem: Problem, name: Name, value: float) -> bool:
    """Whether a problem is settled by one more figure: at most so much compute or data, else just that."""
    figure = Num(value, problem.dim(name))
    most = name in (q.COMPUTE, q.FINETUNE_TOKENS)
    given = Constraint("offered", "offered", Ref(name), figure, "given", equal=not most)
    return _settled(replace(problem, constraints=(*problem.constraints, given)))


def _settled_by_goal(problem: Problem, name: Name) -> bool:
    return _settled(replace(problem.aiming(Goal("minimize", Ref(name)), *problem.goals), instead=()))


def _losses(problem: Problem) -> Iterator[str]:
    """A loss that could be required: that of a usual size, where none is required yet."""
    if q.LOSS not in problem.definitions or any(q.LOSS in names(c.left) for c in problem.constraints):
        return
    usual = {q.LAW_PARAMS: 7e9, q.PARAMS: 7e9, q.TOKENS: 1.4e11}
    try:
        loss = math.ceil(20 * float(compiled(problem.expanded(Ref(q.LOSS)))(usual))) / 20
    except (KeyError, ArithmeticError, ValueError):
        return
    limit = Num(loss, problem.dim(q.LOSS))
    required = Constraint("offered", "offered", Ref(q.LOSS), limit, "require")
    if _settled(replace(problem, constraints=(*problem.constraints, required))):
        yield _required(problem, f"loss <= {loss:g}")


def _optimum(problem: Problem) -> Iterator[str]:
    """The law's own optimum, of a size or of tokens that are given."""
    if q.TOKENS_TO_LAW not in problem.definitions:
        return
    required = Constraint("offered", "offered", Ref(q.TOKENS_TO_LAW), Num(1.0), "require", equal=True)
    if _settled(replace(problem, constraints=(*problem.constraints, required))):
        yield _required(problem, f"{q.TOKENS_TO_LAW} == 1")


def _required(problem: Problem, text: str) -> str:
    """A requirement as the plan would write it beside those that it has."""
    yaml = problem.place.source.in_yaml
    listed = yaml and any(c.kind == "require" for c in problem.constraints)
    return f"{'- ' if listed else 'require: ' if yaml else 'require '}{text}"


def _written(problem: Problem, name: Name, text: str) -> str:
    """A figure as the plan would say it; empty where it cannot be said at one place."""
    known = problem.quantities.get(name.text)
    if name.text == q.START.text or (known is not None and known.facts.statement == "hardware"):
        return _in_hardware(problem, name, text)
    if name == q.FINETUNE_TOKENS:
        return "" if problem.sources else f"data: {text}"
    return f"{problem.said(name)}: {text}"


def _in_hardware(problem: Problem, name: Name, text: str) -> str:
    """A figure of the hardware in place of its `?`, with the line where it stands; a field where nothing stands."""
    span = next((v.span for v in problem.variables if v.name == name), None)
    if span is None:
        return ""
    if span.text.split()[0] not in ("?", "unknown"):
        return f"{problem.said(name.bare)}: {text}" if span.text.lstrip().startswith(("{", "device", "-")) else ""
    return _line_with((span, text))


def _on_one_line(problem: Problem, figures: Sequence[tuple[Name, str]]) -> str:
    """Figures that stand on one line, as it then says; empty where they do not."""
    spans = {v.name: v.span for v in problem.variables}
    places = [(span, text) for name, text in figures if (span := spans.get(name)) and _OPEN.fullmatch(span.text)]
    lines = {(span.source.path, span.line) for span, _ in places}
    return _line_with(*places) if len(places) == len(figures) and len(lines) == 1 else ""


def _line_with(*figures: tuple[Span, str]) -> str:
    """The line on which some figures stand, with others in their place."""
    (first, _), source = figures[0], figures[0][0].source.text
    begin = source.rfind("\n", 0, first.start) + 1
    end = source.find("\n", first.end)
    line = source[begin : end if end >= 0 else len(source)]
    for span, text in sorted(figures, key=lambda one: -one[0].start):
        line = line[: span.start - begin] + text + line[span.end - begin :]
    return line.partition(" #")[0].strip()
