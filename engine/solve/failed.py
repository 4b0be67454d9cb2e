"""A problem that is not solved to a solution that says so, with what is known all the same."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref, names
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.show import show
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Goal, bounds_compute
from runplan.engine.problem.problem import Problem
from runplan.engine.problem.solution import Relaxation, Solution, Status, Value
from runplan.engine.solve.search import optimum_of
from runplan.engine.solve.values import solved

# So few tokens are none.
NO_TOKENS = 1e3
# What is tried for the tokens of a stage: how a plan writes it, and its value.
USUAL_TOKENS = (("100B", 1e11), ("10B", 1e10), ("1B", 1e9), ("100M", 1e8), ("1M", 1e6))


def without(
    problem: Problem, status: Status, findings: Sequence[Finding], conflict: tuple[Relaxation, ...] = ()
) -> Solution:
    """What is known of a problem that has no solution."""
    assert status != "solved"
    base = solved(problem, {})
    return replace(
        base,
        status=status,
        values=_possible({n: v for n, v in base.values.items() if v.kind != "solved"}),
        binding=(),
        active=frozenset(),
        conflict=conflict,
        findings=tuple(findings),
    )


def _possible(values: Mapping[Name, Value]) -> dict[Name, Value]:
    """What is known, without phases or sources of which a share is no part of a whole, or that make up none."""
    kept = dict(values)
    for kind in ("phase", "source"):
        shares = [v.value for n, v in values.items() if n.text == q.SHARE.text and n.part(kind)]
        whole = round(sum(shares))  # each stage of a transfer is one
        no_whole = kind == "source" and abs(sum(shares) - whole) > 1e-6
        if no_whole or any(not -1e-9 <= share <= 1.0 + 1e-9 for share in shares):
            kept = {n: v for n, v in kept.items() if not n.part(kind) and n.text not in _OF_PHASES}
    return kept


_OF_PHASES = frozenset((q.DECAY_SHARE.text, q.WARMUP_SHARE.text))


def place_of(problem: Problem, names: Collection[Name] = ()) -> Span:
    """Where to point when no one statement is to blame: the first `?`, else what bounds, else the first statement.

    Args:
        names: The variables that it is about; all where there is none.
    """
    about = [v for v in problem.variables if not names or v.name in names]
    spans = [v.span for v in about if v.span is not None and v.name in problem.asked]
    spans += [one.span for one in problem.kept if one.span is not None]
    spans += [v.span for v in problem.variables if v.span is not None]
    return spans[0] if spans else problem.place


def _computes(problem: Problem) -> bool:
    """Whether something bounds the compute from above."""
    return any(map(bounds_compute, problem.constraints))


def endless(problem: Problem) -> Solution | None:
    """Where a bounded compute leaves the law's loss without a least value: that is the law's fault, not the plan's."""
    loss = problem.definitions.get(q.LOSS)
    if problem.goals[0] != Goal("minimize", Ref(q.LOSS)) or not _computes(problem) or loss is None or loss.span is None:
        return None
    if not {v.name for v in problem.variables} <= names(problem.expanded(loss.expr)):
        return None  # it leaves a choice open, and that is the plan's to make
    if problem.is_mixture:
        return None  # more experts cost nothing, and nothing bounds them
    message = f"the loss of `{problem.law.name}` has no least value: at a fixed compute it falls without end"
    help = ["check the signs of its constants and exponents"]
    also = [Label(place_of(problem), "what is solved for it")]
    found = finding("C002", message, loss.span, also=also, help=help, laws=(problem.named,))
    return without(problem, "undecided", [*problem.findings, found])


def no_run(problem: Problem, known: Solution) -> Solution | None:
    """Where figures that can each be leave a run of less than one param or token, or of more than there can be (U004).

    Args:
        known: The solution, or what is known of the problem where a search for one ran off.
    """
    for name, what, most in _SCALES:
        value = known.values.get(name)
        if value is None or 1.0 - ROUNDED <= value.value <= most:
            continue
        few = "less than one is no run" if value.value < 1.0 else "no run has so many"
        message = f"`{what}` comes to {show(value.value, value.dim)}: {few}"
        stated = value.kind == "given" and value.span is not None and value.span.source is problem.place.source
        at = value.span if stated and value.span is not None else place_of(problem)
        help = ["see to the suffixes (K, M, B, T) and units of the size, the tokens, the compute or the hardware"]
        found = finding("U004", message, at, help=help, laws=(problem.named,))
        return without(problem, "undecided", [*problem.findings, found])
    return None


# What a run has at least one of, what a plan calls it, and how many there may be, as many as a search takes for none.
_SCALES = (
    (q.PARAMS, q.PARAMS.text, 1e32),
    (q.TOKENS, q.TOKENS.text, 1e32),
    (q.COMPUTE_BUDGET, q.COMPUTE.text, 1e60),
    (q.CAPACITY, q.COMPUTE.text, 1e60),
)
ROUNDED = 1e-6


def vanishing(problem: Problem, values: Mapping[Name, float]) -> Solution | None:
    """Where the best is that a stage has no tokens: nothing says how many it has, and others have them for less."""
    some = (c for c in problem.constraints if c.kind == "some" and isinstance(c.right, Ref))
    gone = {name: c for c in some for name in names(c.right) if values.get(name, math.inf) < NO_TOKENS}
    if not gone:
        return None
    stages = enumerated([f"`{name.part('stage')}`" for name in gone])
    why = "to the law all stages of its objective are one run"
    message = f"nothing says how many tokens {stages} has, and none are best: {why}"
    at = next(iter(gone.values())).span or place_of(problem)
    tried = ((text, problem.fixed(dict.fromkeys(gone, tokens))) for text, tokens in USUAL_TOKENS)
    such = next((f", such as `tokens: {text}`" for text, fixed in tried if optimum_of(fixed).is_optimal), "")
    help = [f"say how many {stages} is trained on{such}"]
    found = finding("C002", message, at, help=help, laws=(problem.named,))
    return without(problem, "undecided", [*problem.findings, found])


def gave_up(problem: Problem) -> Solution:
    """A problem for which the solver reached its limit of steps (C009)."""
    found = finding("C009", "the solver reached its limit of steps", place_of(problem), laws=(problem.named,))
    return without(problem, "undecided", [*problem.findings, found])
