"""A problem to a solution: the values, what binds, or why there is none and what would make room."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runplan.dsl.build import DATE
from runplan.dsl.expression import Dimensions, Expr, Num, Op, Ref, compiled, names, shown
from runplan.dsl.finding import Finding, Label, finding
from runplan.dsl.source import Span
from runplan.dsl.units import Dim, show
from runplan.engine import smooth
from runplan.engine.draft import GPU, PARAM, SECOND, TOKEN
from runplan.engine.local import Smooth
from runplan.engine.optimise import Optimum, minimise
from runplan.engine.pose import OF_THE_RUN
from runplan.engine.problem import Aim, Limit, Problem
from runplan.engine.solution import Room, Solution, Value

# A limit may be off by this much, relatively, before it counts as broken: figures are rounded by those who write them.
TOLERANCE = 1e-9
# Leaving a law's own optimum line by less than this factor is rounding.
ON_THE_LINE = 1.01

# A logarithm beyond this is of no figure that there is: the search ran off.
ENDLESS = 300.0

Repose = Callable[[frozenset[str], Mapping[str, float]], Problem]

FAMILIAR = {"reserved_time": "time", "params": "model"}


def solve(problem: Problem, repose: Repose) -> Solution:
    """The solution of a problem.

    Args:
        repose: Poses the same plan and law again with givens left open and variables fixed, for whole GPUs and
            for the changes that make room.
    """
    blocking = [f for f in problem.findings if f.code != "C004"]
    if any(f.severity == "error" for f in blocking):
        return _without(problem, "undecided", problem.findings)
    if problem.variables and not problem.aims:
        # A goal that asks for what is not known has said so already.
        return _without(problem, "undecided", problem.findings) if problem.findings else _under_determined(problem)
    optimum, env = _optimum(problem, problem.aims, problem.limits)
    if optimum.outcome == "infeasible":
        return _infeasible(problem, repose)
    if optimum.outcome == "unbounded":
        return _endless(problem) or _under_determined(problem)
    if optimum.outcome == "gave-up":
        # A goal that nothing moves leaves all to the ties, which may run down to nothing.
        moved = names(problem.expanded(problem.aims[0].expr)) & {v.name for v in problem.variables}
        return _gave_up(problem) if moved else _under_determined(problem)
    whole = _whole_gpus(problem, env)
    if whole is not None:
        found = solve(repose(frozenset(), whole), repose)
        return _held(problem, found, [problem.limits[i].name for i in optimum.binding])
    return solved(problem, env, tuple(problem.limits[i].name for i in optimum.binding))


def solved(problem: Problem, env: Mapping[str, float], binding: Iterable[str]) -> Solution:
    """The solution at given values of the variables, everything else derived."""
    every = dict(env)
    evaluate(problem, every)
    bound = list(dict.fromkeys(binding))
    bound += [
        name for name in ("tokens", "params") if name in problem.givens and problem.variables and name not in bound
    ]
    off_line = _off_line(problem, every)
    if problem.frontier and off_line is not None and not 1 / ON_THE_LINE < off_line < ON_THE_LINE:
        # The law's loss is that of its optimum: off its line it says nothing.
        for name in ("loss", "perplexity"):
            every.pop(name, None)
    values = {name: _value(problem, name, every[name], bound) for name in every if _dim(problem, name) is not None}
    return Solution(
        problem.named,
        problem.law.name,
        "solved",
        values,
        tuple(bound),
        (),
        problem.findings,
        problem.sources,
        problem,
        off_line,
    )


def evaluate(problem: Problem, env: dict[str, float]) -> None:
    """Add every definition's value to the values of the variables; what cannot be computed stays out."""
    left = dict(problem.definitions)
    while left:
        ready = [name for name, d in left.items() if names(d.expr) <= env.keys()]
        if not ready:
            return
        for name in ready:
            try:
                value = compiled(left.pop(name).expr)(env)
            except (ArithmeticError, ValueError):
                continue
            if isinstance(value, int | float) and math.isfinite(value):
                env[name] = float(value)


def _dim(problem: Problem, name: str) -> Dim | None:
    if name in problem.definitions:
        return problem.definitions[name].dim
    return next((v.dim for v in problem.variables if v.name == name), None)


def _value(problem: Problem, name: str, value: float, binding: Sequence[str]) -> Value:
    d = problem.definitions.get(name)
    if d is not None:
        inputs = tuple(sorted(names(d.expr)))
        return Value(name, value, d.dim, None, None, d.kind, shown(d.expr), inputs, d.source, d.span, d.note, d.by)
    variable = next(v for v in problem.variables if v.name == name)
    mentioned: set[str] = set()
    # Later aims only break ties, but for that of staying near a law's line.
    for aim in (a for i, a in enumerate(problem.aims) if i == 0 or a.sense == "near"):
        mentioned |= names(aim.expr) | (names(aim.other) if aim.other is not None else set())
    for limit in problem.limits:
        if limit.name in binding:
            mentioned |= names(limit.left) | names(limit.right)
    formula = f"solved: {problem.goal}" + (f", subject to {', '.join(binding)}" if binding else "")
    inputs = tuple(sorted(mentioned - {v.name for v in problem.variables}))
    cite = problem.law.cites[0].text if problem.law.cites else ""
    return Value(
        name, value, variable.dim, None, None, "solved", formula, inputs, cite, variable.span, by=problem.law.name
    )


def _off_line(problem: Problem, env: Mapping[str, float]) -> float | None:
    line = problem.line
    if line is None:
        return None
    try:
        return float(compiled(line.args[0])(env)) / float(compiled(line.args[1])(env))
    except (KeyError, ArithmeticError, ValueError):
        return None


def _held(problem: Problem, found: Solution, binding: Iterable[str]) -> Solution:
    """A solution with whole GPUs held, told by the problem before they were: what is solved there is solved."""
    if found.status != "solved":
        return replace(found, problem=problem, binding=tuple(dict.fromkeys(binding)))
    out = solved(problem, {v.name: found.values[v.name].value for v in problem.variables}, binding)
    counts = [v.name for v in problem.variables if v.name.endswith("gpus")]
    whole = {name: replace(out.values[name], note="in whole devices") for name in counts}
    return replace(out, values={**out.values, **whole})


# ---- the search


def optimum_of(problem: Problem) -> tuple[Optimum, dict[str, float]]:
    """The optimum of a problem as it stands, and the values of its variables there."""
    return _optimum(problem, problem.aims, problem.limits)


def _optimum(problem: Problem, aims: Sequence[Aim], limits: Sequence[Limit]) -> tuple[Optimum, dict[str, float]]:
    variables = [v.name for v in problem.variables]
    inequalities: list[Smooth] = []
    equalities: list[Smooth] = []
    order: list[int] = []
    memo: dict[str, Expr] = {}
    for index, limit in enumerate(limits):
        left, right = (_over_variables(problem, side, memo) for side in (limit.left, limit.right))
        function = smooth.limit(left, right, variables)
        if limit.equal:
            equalities.append(function)
        else:
            inequalities.append(function)
            order.append(index)
    goals = [_goal(problem, aim, variables, memo) for aim in aims]
    start = tuple(math.log(v.start) for v in problem.variables)
    found = minimise(goals, inequalities, equalities, start=start)
    if found.outcome == "optimal" and max(map(abs, found.x), default=0.0) > ENDLESS:
        found = replace(found, outcome="unbounded")
    env = {name: math.exp(x) for name, x in zip(variables, found.x, strict=True)} if found.outcome == "optimal" else {}
    # Multipliers are those of the first aim; what stops a later one short of a law's line binds as well.
    tight = set(found.binding) | (set(found.active) if any(aim.sense == "near" for aim in aims) else set())
    binding = {order[i] for i in tight} | {i for i, limit in enumerate(limits) if limit.equal}
    return replace(found, binding=tuple(sorted(binding))), env


def _over_variables(problem: Problem, expr: Expr, memo: dict[str, Expr]) -> Expr:
    key = repr(id(expr))
    if key not in memo:
        memo[key] = problem.expanded(expr)
    return memo[key]


def _goal(problem: Problem, aim: Aim, variables: Sequence[str], memo: dict[str, Expr]) -> Smooth:
    expr = _over_variables(problem, aim.expr, memo)
    if aim.sense == "near":
        assert aim.other is not None
        return smooth.square(smooth.limit(expr, _over_variables(problem, aim.other, memo), variables))
    found = smooth.goal(expr, variables)
    return smooth.negated(found) if aim.sense == "maximize" else found


def _whole_gpus(problem: Problem, env: Mapping[str, float]) -> dict[str, float] | None:
    """Variables held for a second pass with whole GPUs, up to full nodes; None where they are whole already.

    Rounded up, the run stays as it was found; where a limit forbids that, the GPUs are rounded down and the run is
    found anew.
    """
    up: dict[str, float] = {}
    down: dict[str, float] = {}
    for variable in problem.variables:
        if not variable.name.endswith("gpus"):
            continue
        prefix = variable.name.removesuffix("gpus")
        node = problem.definitions.get(f"{prefix}nodes_of")
        step = node.expr.value if node is not None and isinstance(node.expr, Num) else 1.0
        count = env[variable.name] / step
        whole = max(1.0, math.ceil(count - 1e-6))
        if abs(whole - count) > 1e-6:
            up[variable.name] = whole * step
            down[variable.name] = max(1.0, math.floor(count)) * step
    if not up:
        return None
    run = {v.name: env[v.name] for v in problem.variables if v.name in OF_THE_RUN}
    return up | run if _keeps(problem, {**env, **up}) else down


def _keeps(problem: Problem, env: dict[str, float]) -> bool:
    """Whether values of the variables keep every limit."""
    evaluate(problem, env)
    for limit in problem.limits:
        left, right = float(compiled(limit.left)(env)), float(compiled(limit.right)(env))
        if left - right > 1e-6 * max(abs(left), abs(right)):
            return False
    return True


# ---- no solution


def _without(problem: Problem, status: str, findings: Sequence[Finding], conflict: tuple[Room, ...] = ()) -> Solution:
    assert status in ("undecided", "infeasible")
    base = solved(problem, {}, ())
    return replace(
        base,
        status="undecided" if status == "undecided" else "infeasible",
        values={n: v for n, v in base.values.items() if v.kind != "solved"},
        binding=(),
        conflict=conflict,
        findings=tuple(findings),
    )


def _place(problem: Problem) -> Span:
    """Where to point when no one statement is to blame: the first `?`, else what bounds, else the first statement."""
    spans = [v.span for v in problem.variables if v.span is not None and v.name in problem.asked]
    spans += [limit.span for limit in problem.limits if limit.span is not None]
    spans += [v.span for v in problem.variables if v.span is not None]
    return spans[0] if spans else problem.place


def _under_determined(problem: Problem) -> Solution:
    free = [FAMILIAR.get(v.name, v.name) for v in problem.variables]
    wanted = []
    if not any(limit.name == "compute" for limit in problem.limits) and "capacity" not in problem.definitions:
        wanted.append("hardware, or `compute: 5e24 FLOP`")
    wanted += [
        {"tokens": "`tokens: 1T`", "model": "`model: 7B`", "law_params": "`model: 7B`"}.get(n, f"`{n}`") for n in free
    ]
    words = " and ".join(f"`{n.replace('law_params', 'model')}`" for n in free)
    message = f"nothing in the plan determines {words}"
    help = ["one more given would: " + ", or ".join(dict.fromkeys(wanted))]
    found = finding("C002", message, _place(problem), help=help, laws=(problem.named,))
    return _without(problem, "undecided", [*problem.findings, found])


def _endless(problem: Problem) -> Solution | None:
    """Where a bounded compute leaves the law's loss without a least value: that is the law's fault, not the plan's."""
    loss = problem.definitions.get("loss")
    bounded = any(limit.name == "compute" for limit in problem.limits)
    if problem.aims[0] != Aim("minimize", Ref("loss")) or not bounded or loss is None or loss.span is None:
        return None
    if not {v.name for v in problem.variables} <= names(problem.expanded(loss.expr)):
        return None  # it leaves a choice open, and that is the plan's to make
    if "active_params" in problem.definitions:
        return None  # more experts cost nothing, and nothing bounds them
    message = f"the loss of `{problem.law.name}` has no least value: at a fixed compute it falls without end"
    help = ["check the signs of its constants and exponents"]
    also = [Label(_place(problem), "what is solved for it")]
    found = finding("C002", message, loss.span, also=also, help=help, laws=(problem.named,))
    return _without(problem, "undecided", [*problem.findings, found])


def _gave_up(problem: Problem) -> Solution:
    found = finding("C009", "the solver reached its limit of steps", _place(problem), laws=(problem.named,))
    return _without(problem, "undecided", [*problem.findings, found])


@dataclass(frozen=True, slots=True)
class _Member:
    """A given or a limit that may take part in a conflict."""

    name: str
    limit: Limit | None


def _infeasible(problem: Problem, repose: Repose) -> Solution:
    """The smallest set of givens and limits that cannot hold together, and for each the change that makes room."""
    members = [_Member(name, None) for name in problem.givens if name in problem.definitions or name == "compute"]
    movable = ("require", "range", "given", "data")
    # The two ends of a range, and the parts of a chain, are one thing that the plan says.
    said = {limit.name: limit for limit in reversed(problem.limits) if limit.kind in movable}
    members += [
        _Member(name, said[name]) for name in dict.fromkeys(limit.name for limit in problem.limits) if name in said
    ]
    culprits = list(members)
    for member in members:
        trial = [m for m in culprits if m is not member]
        if not _holds_with(problem, repose, members, trial):
            culprits = trial
    conflict = tuple(room for member in culprits if (room := _room(problem, repose, member)) is not None)
    # Where the plan can be solved without the requirements that conflict, those numbers are shown.
    requires = [m.limit for m in culprits if m.limit is not None and m.limit.kind == "require"]
    base = _without(problem, "infeasible", problem.findings, conflict)
    if requires:
        limits = tuple(limit for limit in problem.limits if limit not in requires)
        relaxed = replace(problem, limits=limits)
        optimum, env = _optimum(relaxed, relaxed.aims, limits)
        if optimum.outcome == "optimal":
            found = solved(relaxed, env, (limits[i].name for i in optimum.binding))
            base = replace(found, status="infeasible", conflict=conflict, problem=problem)
    return base


def _holds_with(problem: Problem, repose: Repose, members: Sequence[_Member], kept: Sequence[_Member]) -> bool:
    """Whether the problem has a solution when only some of its givens and limits are kept."""
    loose = frozenset(m.name for m in members if m.limit is None and m not in kept)
    dropped = [m.limit.name for m in members if m.limit is not None and m not in kept]
    posed = repose(loose, {})
    limits = tuple(limit for limit in posed.limits if limit.name not in dropped or limit.kind == "capacity")
    return _optimum(posed, (), limits)[0].outcome != "infeasible"


def _room(problem: Problem, repose: Repose, member: _Member) -> Room | None:
    if member.limit is None:
        return _room_of_given(problem, repose, member.name)
    limit = member.limit
    if limit.kind == "range":
        return _room_of_range(problem, limit)
    others = tuple(other for other in problem.limits if other is not limit)
    # How near to its bound can the left side come, all else kept?
    aim = Aim("minimize", Op("/", (limit.left, limit.right)))
    optimum, env = _optimum(problem, (aim,), others)
    text = limit.name
    if optimum.outcome != "optimal":
        return Room(limit.name, text, limit.span, "", None, ())
    every = dict(env)
    evaluate(problem, every)
    constraint = limit.constraint
    swapped = constraint is not None and isinstance(limit.left, Expr) and _is_bound(problem, limit.left)
    bounded, bound = (limit.right, limit.left) if swapped else (limit.left, limit.right)
    new = float(compiled(bounded)(every))
    dim = dim_of(problem, bound)
    if limit.kind == "data":
        said = show_plain(loosened(new, False, 4, dim), dim)
        return Room(limit.name, limit.name, limit.span, f"{limit.name} >= {said}", new, dim)
    sign = ">=" if swapped else "<="
    said = show_plain(loosened(new, swapped, 4, dim), dim)
    return Room(limit.name, text, limit.span, f"{shown(bounded)} {sign} {said}", new, dim)


def _room_of_range(problem: Problem, limit: Limit) -> Room:
    """The nearest that a bounded figure can come to one of its ends when the range is left out."""
    ends = [other for other in problem.limits if other.name == limit.name and other.kind == "range"]
    others = tuple(other for other in problem.limits if other not in ends)
    text = f"{limit.name}: {' '.join(limit.span.text.split())}" if limit.span else limit.name
    best: tuple[float, float, Expr, Dim] | None = None
    for end in ends:
        figure, bound = (end.left, end.right) if isinstance(end.right, Num) else (end.right, end.left)
        assert isinstance(bound, Num)
        optimum, env = _optimum(problem, (Aim("near", figure, bound),), others)
        if optimum.outcome != "optimal":
            continue
        every = dict(env)
        evaluate(problem, every)
        new = float(compiled(figure)(every))
        off = abs(math.log(new / bound.value))
        if best is None or off < best[0]:
            best = (off, new, figure, bound.dim)
            up = new > bound.value
    if best is None:
        return Room(limit.name, text, limit.span, "", None, ())
    _, new, figure, dim = best
    said = show_plain(loosened(new, not up, 4, dim), dim)
    return Room(limit.name, text, limit.span, f"{limit.name} {'>=' if up else '<='} {said}", new, dim)


def _is_bound(problem: Problem, expr: Expr) -> bool:
    """Whether an expression is a fixed bound: numbers and lets only."""
    variables = {v.name for v in problem.variables}
    return not (names(problem.expanded(expr)) & variables)


def dim_of(problem: Problem, expr: Expr) -> Dim:
    """The dimension of an expression over the problem's names."""
    dims = {name: d.dim for name, d in problem.definitions.items()} | {v.name: v.dim for v in problem.variables}
    lets = {name: d for name, d in problem.definitions.items() if d.source == "let"}
    checked = Dimensions(dims)
    for name in names(expr) & lets.keys():
        checked.dims = {**checked.dims, name: checked.of(lets[name].expr)}
    try:
        return checked.of(expr)
    except (ValueError, KeyError):
        return ()


def _room_of_given(problem: Problem, repose: Repose, name: str) -> Room | None:
    given = problem.givens[name]
    posed = repose(frozenset({name}), {})
    variable = next((v for v in posed.variables if v.name == name), None)
    text = f"{FAMILIAR.get(name, name)}: {shown(given.expr)}"
    if variable is None and name not in posed.definitions and name != "compute":
        return None
    dim = given.value.dim
    target = Num(given.value.value, dim)
    aim = Aim("near", Ref(name), target)
    optimum, env = _optimum(posed, (aim,), posed.limits)
    if optimum.outcome != "optimal":
        return Room(name, text, given.span, "", None, ())
    every = dict(env)
    evaluate(posed, every)
    new = every[name]
    up = new > given.value.value
    if name.endswith("gpus"):
        new = math.ceil(new - 1e-6) if up else max(1.0, math.floor(new + 1e-6))
    sign = ">=" if up else "<="
    said = show_plain(loosened(new, not up, 4, dim) if not name.endswith("gpus") else new, dim)
    return Room(name, text, given.span, f"{FAMILIAR.get(name, name)} {sign} {said}", new, dim)


def loosened(value: float, down: bool, digits: int = 4, dim: Dim = ()) -> float:
    """A bound rounded to a few digits, in the unit that it is shown in, on the side where it still makes room."""
    if value <= 0 or not math.isfinite(value):
        return value
    unit = _shown_in(value, dim)
    scale = 10.0 ** (math.floor(math.log10(value / unit)) - (digits - 1))
    steps = value / unit / scale
    return float((math.floor(steps + 1e-9) if down else math.ceil(steps - 1e-9)) * scale * unit)


def _shown_in(value: float, dim: Dim) -> float:
    """The size of the unit that a figure is shown in: times in days or hours, prices by the hour."""
    if dim == SECOND:
        return 86400.0 if value >= 2 * 86400 else 3600.0
    return 3600.0 ** dict(dim).get("second", 0.0) if dict(dim).get("GPU") else 1.0


def show_plain(value: float, dim: Dim, digits: int = 6) -> str:
    """A figure as one would write it in a plan."""
    if dim == DATE:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
    if dim == GPU:
        return f"{value:.10g}"
    text = show(value, dim, digits).replace(",", "")
    # `tokens <= 243.1B` says it all.
    return text.split(" ")[0] if dim in (TOKEN, PARAM) else text
