"""The sides of a comparison to why they differ, where that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Ref, Unbound, substitute, walk
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Objective
from runplan.dsl.text.words import enumerated
from runplan.dsl.types import Literal
from runplan.engine.comparison.rows import Column, grouped, listed, times, verb
from runplan.engine.laws.form import BUDGETS, CHOICES, functions_for
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution
from runplan.engine.solve.values import ON_THE_LINE

# What a law's N counts, in a sentence.
COUNTED = {
    "total": "all params",
    "non_embedding": "the params without the embeddings",
    "with_head": "the params without the table of the input",
    "active": "the params that one token passes through",
}
# What a law gives, by what its formula gives.
FORMS = {
    "loss": "the loss over params and tokens",
    "params": "the best params for a budget",
    "tokens": "the best tokens for a budget",
}

Reason = Literal["form", "constants", "counts", "range", "line", "corpus"]


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for which laws differ, and the laws, or the plans, that it is about."""

    kind: Reason
    about: tuple[str, ...]
    text: str


def reasons_of(columns: Sequence[Column]) -> Iterator[Why]:
    """Why the columns' laws differ, where it is known."""
    if len({column.solution.resolved for column in columns}) > 1:
        yield from _forms(columns)
        yield from _counts(columns)
    there = [column for column in columns if column.solution.status == "solved"]
    far = {c.name: _beyond(c) for c in there if c.beyond}
    if far:
        text = f"outside the range of the law's runs: {_each(far)}"
        yield Why("range", tuple(far), text)
    if off := {column.name: said for column in there if (said := _off_line(column.solution))}:
        yield Why("line", tuple(off), f"off the law's optimum line: {_each(off)}")
    corpora = grouped((column.solution.problem.law.corpus, column) for column in columns)
    corpora.pop("", None)
    if len(corpora) > 1:
        said = "; ".join(f"{listed(names)} to {corpus}" for corpus, names in corpora.items())
        yield Why("corpus", _all(corpora), f"fitted to other data: {said}")


def _beyond(column: Column) -> str:
    """How far the law's runs end from what it is asked: from each quantity, and from what a setting is told by."""
    told = column.solution.problem.quantities.fields.get("optimizer", {})
    said = [f"{name} {times(by)}" for name, by in column.beyond.items() if name not in told]
    by: dict[str, list[str]] = {}
    for name, factor in column.beyond.items():
        if name in told:
            by.setdefault(times(factor), []).append(name)
    return ", ".join([*said, *(f"what tells {enumerated(names)} {factor}" for factor, names in by.items())])


def _off_line(solution: Solution) -> str:
    """How far a law's choice is from its optimum line; empty where it is on it, or there is none."""
    factor, line = solution.off_line, solution.problem.line
    if factor is None or line is None or 1 / ON_THE_LINE < factor < ON_THE_LINE:
        return ""
    return f"{times(factor)} its {'params' if line.args[0] == Ref(q.LAW_PARAMS) else 'tokens'}"


def _forms(columns: Sequence[Column]) -> Iterator[Why]:
    """What each law is: a surface of the loss, or a line of the optimum; and who shares a formula."""
    formed = [(form, c) for c in columns if (form := _form(c.solution.problem.law, c.solution.problem.objective))]
    kinds = grouped((FORMS[form[0]], column) for form, column in formed)
    if len(kinds) > 1:
        said = "; ".join(f"{listed(names)} {verb(names, 'gives', 'give')} {kind}" for kind, names in kinds.items())
        yield Why("form", _all(kinds), said)
    for names in grouped(formed).values():
        if len({c.solution.resolved for c in columns if c.solution.law in names}) > 1:
            yield Why("constants", tuple(names), f"{listed(names)} are one formula with other constants")


def _form(law: Law, objective: Objective) -> tuple[str, float, Expr] | None:
    """The formula by which a law chooses, its constants and inputs under names that do not depend on who wrote it."""
    for output in (*CHOICES, "loss"):
        for function in functions_for(law, objective):
            inputs = function.needs
            if function.output != output or (output != "loss" and (len(inputs) != 1 or inputs[0] not in BUDGETS)):
                continue
            body = expanded(function.body, law.lets)
            order = [item.name for item in walk(body) if isinstance(item, Unbound) and item.name in law.constants]
            by: dict[str, Expr] = {name: Unbound(f"constant {i}") for i, name in enumerate(dict.fromkeys(order))}
            for p in function.parameters:
                by[p.local] = Unbound(f"{p.quantity} in {p.counted.factor:g}")
            return output, function.counted.factor, substitute(body, by)
    return None


def _counts(columns: Sequence[Column]) -> Iterator[Why]:
    counted = ((column.solution.problem.law.counts or "total", column) for column in columns)
    by = grouped((COUNTED[counts], column) for counts, column in counted if counts in COUNTED)
    if len(by) > 1:
        said = "; ".join(f"{listed(names)} {verb(names, 'counts', 'count')} {what}" for what, names in by.items())
        yield Why("counts", _all(by), f"{said}; the table shows totals")


def _all(groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(name for names in groups.values() for name in names)


def _each(said: Mapping[str, str]) -> str:
    return "; ".join(f"`{name}` ({text})" for name, text in said.items())
