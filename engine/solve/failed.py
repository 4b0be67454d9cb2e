"""A problem that is not solved to a solution that says so, with what is known all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runplan.dsl.expr.tree import Ref, names
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.source import Span
from runplan.engine.problem.problem import Aim, Problem
from runplan.engine.problem.solution import Room, Solution
from runplan.engine.solve.rounding import FAMILIAR
from runplan.engine.solve.values import solved

# ---- no solution


def without(problem: Problem, status: str, findings: Sequence[Finding], conflict: tuple[Room, ...] = ()) -> Solution:
    """What is known of a problem that has no solution."""
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


def under_determined(problem: Problem) -> Solution:
    """A problem of which nothing determines the variables: what one more given would is said (C002)."""
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
    return without(problem, "undecided", [*problem.findings, found])


def endless(problem: Problem) -> Solution | None:
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
    return without(problem, "undecided", [*problem.findings, found])


def gave_up(problem: Problem) -> Solution:
    """A problem for which the solver reached its limit of steps (C009)."""
    found = finding("C009", "the solver reached its limit of steps", _place(problem), laws=(problem.named,))
    return without(problem, "undecided", [*problem.findings, found])
