"""Reports to a comparison: laws, or plans, side by side, what each choice costs under the others, and why."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Ref, Unbound, substitute, walk
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Law
from runplan.dsl.plan.ir import Objective, Plan
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.show import show
from runplan.engine.analysis.regret import regret_of, surface_of
from runplan.engine.document import NOISE
from runplan.engine.formulate.draft import first_statement
from runplan.engine.formulate.formulate import formulate, objective_of
from runplan.engine.judge.judge import beyond
from runplan.engine.laws.form import BUDGETS, CHOICES, functions_for
from runplan.engine.numeric.search import inverse
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report
from runplan.engine.solve.values import ON_THE_LINE, solved

TOKENS_PER_PARAM = "tokens_per_param"
# Quantities whose spread is what the laws, or the plans, disagree about.
CHOSEN = ("params", "tokens")
# Figures nearer to each other than this are the same: what is left is rounding in the solver.
SAME = 1e-6
# What a law's N counts, in a sentence.
COUNTED = {
    "total": "all params",
    "non_embedding": "the params without the embeddings",
    "active": "the params that one token passes through",
}
# What a law gives, by what its formula gives.
FORMS = {
    "loss": "the loss over params and tokens",
    "params": "the best params for a budget",
    "tokens": "the best tokens for a budget",
}

Key = TypeVar("Key", bound=Hashable)
Reason = Literal["form", "constants", "counts", "range", "line", "corpus"]


@dataclass(frozen=True, slots=True)
class Column:
    """One side of a comparison: a plan under a law.

    Attributes:
        name: What tells it from the other sides: the law, or the plan.
        beyond: How many times each quantity lies outside the range of the runs that the law was fitted to;
            without those inside.
    """

    name: str
    report: Report
    solution: Solution
    beyond: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """A quantity in every column.

    Attributes:
        values: In base units; None where a column has none.
        spread: The largest over the smallest of the columns that are solved; None where that says nothing.
    """

    quantity: str
    dim: Dim
    values: tuple[float | None, ...]
    spread: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a law says of a choice of params and tokens: its loss, and the extra compute, as a share, that it costs."""

    loss: float
    regret: float


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for which laws differ, and the laws, or the plans, that it is about."""

    kind: Reason
    about: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Laws, or plans, side by side.

    Attributes:
        by: What the columns are.
        judges: Indices of the columns whose laws have a loss surface.
        verdicts: For each column what each judge says of its choice; None where the column has none.
        least_worst: Index of the choice whose worst regret is the least; None where nobody judges them, or all cost
            the same.
        losses: Why losses of the columns must not be compared; empty where they may be.
        findings: Those of the plans, and L002.
        files: How many plans there were, also those that cannot be read.
    """

    by: Literal["law", "plan"]
    columns: tuple[Column, ...]
    judges: tuple[int, ...]
    verdicts: tuple[tuple[Verdict | None, ...], ...]
    least_worst: int | None
    losses: str
    reasons: tuple[Why, ...]
    findings: tuple[Finding, ...]
    files: int = 1

    def worst(self, choice: int) -> float | None:
        """The worst regret of a column's choice; None where nobody judges it."""
        return max((verdict.regret for verdict in self.verdicts[choice] if verdict), default=None)


def fitting(plan: Plan, catalogue: Library, first: str, variants: bool = False) -> tuple[str, ...]:
    """A law, then by name every other one that is for the plan's objective and can choose a size.

    Args:
        variants: Whether `kaplan.joint` is taken where there is a `kaplan`. They are where there is nothing else.
    """
    known = catalogue.with_pack(plan.definitions)
    taken = known.law(first)
    fit = [law for law in known.laws() if law != taken and can_choose(law, objective_of(plan))]
    fit = [law for law in fit if not _lacks(plan, law, known)]
    heads = {name for law in (*fit, *([taken] if taken else [])) for name in (law.name, *law.aliases)}
    plain = [law for law in fit if not (law.name.partition(".")[0] in heads and "." in law.name)]
    return (first, *(law.name for law in (fit if variants or not plain else plain)))


def can_choose(law: Law, objective: Objective) -> bool:
    """Whether a law is for an objective and says of a budget how it is best spent."""
    if str(objective) not in law.objectives:
        return False
    for function in functions_for(law, objective):
        inputs = set(function.needs)
        line = function.output in CHOICES and len(inputs) == 1 and inputs < set(BUDGETS)
        if line or (function.output == "loss" and inputs >= set(CHOICES)) or function.output == "transferred_tokens":
            return True
    return False


def _lacks(plan: Plan, law: Law, catalogue: Library) -> bool:
    """Whether a plan asks of a law what it does not give, or the law asks of the plan what that does not say."""
    problem = formulate(plan, law, law.name, catalogue)
    given = problem.line is not None or not {q.LOSS, q.TRANSFERRED_TOKENS}.isdisjoint(problem.definitions)
    return not given or any(found.code == "L004" for found in problem.findings)


def compared_laws(report: Report, most: float | None = None) -> Comparison:
    """The laws of one plan side by side; `most` is the spread of params or tokens above which they disagree."""
    columns = tuple(Column(s.law, report, s, beyond(s)) for s in report.solutions)
    judges, verdicts = _judged(columns)
    least = _least_worst(verdicts)
    findings = (*report.findings, *_disagreement("laws", columns, most))
    reasons = tuple(_reasons(columns))
    return Comparison("law", columns, judges, verdicts, least, _losses(columns), reasons, findings)


def compared_plans(reports: Sequence[tuple[str, Report]], most: float | None = None) -> Comparison:
    """Several plans by name side by side, each under its first law; one that cannot be read has no column."""
    columns = tuple(
        Column(name, report, report.solutions[0], beyond(report.solutions[0]))
        for name, report in reports
        if report.solutions
    )
    nobody = tuple(() for _ in columns)
    findings = (
        *(found for _, report in reports for found in report.findings),
        *_disagreement("plans", columns, most),
    )
    reasons = tuple(_reasons(columns))
    return Comparison("plan", columns, (), nobody, None, _losses(columns), reasons, findings, len(reports))


# ---- quantities


def row(columns: Sequence[Column], name: str) -> Row | None:
    """A quantity in every column; None where no column has it."""
    if name == TOKENS_PER_PARAM:
        pairs = [(column.solution.get("tokens"), column.solution.get("params")) for column in columns]
        values = tuple(tokens / params if tokens and params else None for tokens, params in pairs)
        dims: set[Dim] = {()}
    else:
        values = tuple(column.solution.get(name) for column in columns)
        dims = {found.dim for column in columns if (found := column.solution.quantity(name))}
    if all(value is None for value in values):
        return None
    counted = [
        value for value, c in zip(values, columns, strict=True) if value is not None and c.solution.status == "solved"
    ]
    comparable = len(dims) == 1 and len(counted) > 1 and not (name in ("loss", "perplexity") and _losses(columns))
    spread = _ratio(counted) if comparable else None
    # A date has no ratio to another.
    return Row(name, min(dims), values, spread if spread == 1.0 or DATE not in dims else None)


def _ratio(values: Sequence[float]) -> float | None:
    """The largest over the smallest; None where they differ and a ratio to next to nothing would say so."""
    low, high = min(values), max(values)
    if high - low <= SAME * abs(high) or high - low <= NOISE:
        return 1.0
    return high / low if low > NOISE else None


def _disagreement(who: str, columns: Sequence[Column], most: float | None) -> Iterator[Finding]:
    """Findings L002: params or tokens lie further apart than is allowed."""
    for name in CHOSEN if most is not None else ():
        found = row(columns, name)
        if found is None or found.spread is None or most is None or found.spread <= most * (1 + SAME):
            continue
        sides = [
            (value, column)
            for value, column in zip(found.values, columns, strict=True)
            if value is not None and column.solution.status == "solved"
        ]
        (low, least), (high, greatest) = (pick(sides, key=lambda side: side[0]) for pick in (min, max))
        plan = columns[0].report.plan
        assert plan is not None, "what has a solution has a plan"
        spans = {law.text: law.span for law in plan.laws}
        yield finding(
            "L002",
            f"the {who} disagree about {name}: {show(low, found.dim)} by `{least.name}`, {show(high, found.dim)} by "
            f"`{greatest.name}`, {times(found.spread)} where {times(most)} is allowed",
            spans.get(greatest.solution.law, spans.get(least.solution.law, first_statement(plan))),
            laws=tuple(dict.fromkeys((least.solution.law, greatest.solution.law))),
            key=f"spread {name}",
            data={"quantity": name, "value": found.spread, "limit": most, "unit": "1"},
        )


def _losses(columns: Sequence[Column]) -> str:
    """Why the losses must not be compared: not one corpus, or a law that names none; empty where they may be."""
    having = [column for column in columns if q.LOSS in column.solution.values]
    corpora = _grouped((column.solution.problem.law.corpus, column) for column in having)
    if len(having) < 2 or (len(corpora) == 1 and "" not in corpora):
        return ""
    parts = [
        f"{listed(names)} on {corpus}" if corpus else f"{listed(names)} {_verb(names, 'names', 'name')} no corpus"
        for corpus, names in corpora.items()
    ]
    return f"the losses are not comparable: {'; '.join(parts)}"


# ---- what each law says of the others' choices


def _judged(columns: Sequence[Column]) -> tuple[tuple[int, ...], tuple[tuple[Verdict | None, ...], ...]]:
    judges = tuple(
        i
        for i, column in enumerate(columns)
        if column.solution.status == "solved" and surface_of(column.solution) and _has_surface(column.solution)
    )
    verdicts = tuple(tuple(verdict_on(column.solution, columns[i].solution) for i in judges) for column in columns)
    return judges, verdicts


def _has_surface(solution: Solution) -> bool:
    functions = functions_for(solution.problem.law, solution.problem.objective)
    return any(f.output == "loss" and set(f.needs) >= set(CHOICES) for f in functions)


def verdict_on(choice: Solution, judge: Solution) -> Verdict | None:
    """What a law with a loss surface says of the params and tokens that another one chose for the same plan."""
    if choice.status != "solved":
        return None
    env: dict[Name, float] = {}
    for variable in judge.problem.variables:
        name = variable.name
        value = _counted_by(judge, choice) if name == q.LAW_PARAMS else choice.get(name)
        if value is None:
            return None
        env[name] = value
    there = solved(judge.problem, env, ())
    loss, regret = there.get("loss"), regret_of(there)
    return None if loss is None or regret is None else Verdict(loss, regret)


def _counted_by(judge: Solution, choice: Solution) -> float | None:
    """The params of a choice as another law counts them: the total is the same, and is turned back."""
    total = choice.get("params")
    definition = judge.problem.definitions.get(q.PARAMS)
    if total is None or definition is None:
        return total
    function = compiled(judge.problem.expanded(definition.expr))
    return inverse(lambda count: float(function({q.LAW_PARAMS: count})), total, 1.0, math.e * total)


def _least_worst(verdicts: Sequence[Sequence[Verdict | None]]) -> int | None:
    """The choice whose worst regret is the least, among those that all judges have an opinion of."""
    worst = {i: max(v.regret for v in said if v) for i, said in enumerate(verdicts) if said and all(said)}
    if not worst or max(worst.values()) - min(worst.values()) <= SAME:
        return None
    return min(worst, key=lambda i: worst[i])


# ---- why


def _reasons(columns: Sequence[Column]) -> Iterator[Why]:
    """Why the columns' laws differ, where it is known."""
    if len({column.solution.resolved for column in columns}) > 1:
        yield from _forms(columns)
        yield from _counts(columns)
    there = [column for column in columns if column.solution.status == "solved"]
    far = {c.name: ", ".join(f"{name} {times(by)}" for name, by in c.beyond.items()) for c in there if c.beyond}
    if far:
        text = f"outside the range of the law's runs: {_each(far)}"
        yield Why("range", tuple(far), text)
    if off := {column.name: said for column in there if (said := _off_line(column.solution))}:
        yield Why("line", tuple(off), f"off the law's optimum line: {_each(off)}")
    corpora = _grouped((column.solution.problem.law.corpus, column) for column in columns)
    corpora.pop("", None)
    if len(corpora) > 1:
        said = "; ".join(f"{listed(names)} to {corpus}" for corpus, names in corpora.items())
        yield Why("corpus", _all(corpora), f"fitted to other data: {said}")


def _off_line(solution: Solution) -> str:
    """How far a law's choice is from its optimum line; empty where it is on it, or there is none."""
    factor, line = solution.off_line, solution.problem.line
    if factor is None or line is None or 1 / ON_THE_LINE < factor < ON_THE_LINE:
        return ""
    return f"{times(factor)} its {'params' if line.args[0] == Ref(q.LAW_PARAMS) else 'tokens'}"


def _forms(columns: Sequence[Column]) -> Iterator[Why]:
    """What each law is: a surface of the loss, or a line of the optimum; and who shares a formula."""
    formed = [(form, c) for c in columns if (form := _form(c.solution.problem.law, c.solution.problem.objective))]
    kinds = _grouped((FORMS[form[0]], column) for form, column in formed)
    if len(kinds) > 1:
        said = "; ".join(f"{listed(names)} {_verb(names, 'gives', 'give')} {kind}" for kind, names in kinds.items())
        yield Why("form", _all(kinds), said)
    for names in _grouped(formed).values():
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
    by = _grouped((COUNTED[counts], column) for counts, column in counted if counts in COUNTED)
    if len(by) > 1:
        said = "; ".join(f"{listed(names)} {_verb(names, 'counts', 'count')} {what}" for what, names in by.items())
        yield Why("counts", _all(by), f"{said}; the table shows totals")


def _grouped(pairs: Iterable[tuple[Key, Column]]) -> dict[Key, list[str]]:
    """The laws that share a key, each once."""
    out: dict[Key, list[str]] = {}
    for key, column in pairs:
        names = out.setdefault(key, [])
        if column.solution.law not in names:
            names.append(column.solution.law)
    return out


def _all(groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(name for names in groups.values() for name in names)


def _each(said: Mapping[str, str]) -> str:
    return "; ".join(f"`{name}` ({text})" for name, text in said.items())


def times(factor: float) -> str:
    """A factor as people write it."""
    return f"{show(factor, (), 3)}x"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `a`, `b` and `c`."""
    return enumerated([f"`{name}`" for name in names])


def _verb(names: Sequence[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several
