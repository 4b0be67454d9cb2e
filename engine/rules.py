"""Rules of packs over a solved plan to findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from runplan.dsl.expression import DimensionClash, Dimensions, Expr, Num, Op, Ref, Text, compiled, names, shown, walk
from runplan.dsl.finding import Finding, Severity, finding
from runplan.dsl.ir import Given, Plan
from runplan.dsl.nearest import nearest
from runplan.dsl.pack import Rule
from runplan.dsl.reader import Buffer, Disk
from runplan.dsl.source import Span
from runplan.dsl.syntax import Node
from runplan.dsl.units import Dim, show
from runplan.engine.catalogue import Catalogue
from runplan.engine.draft import first_statement
from runplan.engine.hardware import POOLED
from runplan.engine.pose import without_lets
from runplan.engine.problem import Definition, Limit
from runplan.engine.solution import Solution, Value

# What a rule may ask about that is a word and no quantity.
# `raised_by` says what finds a rule's matter before there is a solution: `reader`, `units` or `solver`. No plan has
# that word, so such a rule is never applied here; it gives a code of the engine its page, rows and examples.
TEXTS = (
    *("objective", "subject", "data", "inference", "law", "chosen_by", "source"),
    *("device", "precision", "schedule", "quality", "optimizer", "raised_by"),
)
# What is trained: a limit on one of these that binds is a choice of the plan, and not of its law.
TRAINED = frozenset(("params", "law_params", "active_params", "tokens", "tokens_per_param"))
# Where to point when the statement that a rule blames is not there: what else had a part in it.
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "tokens": ("model", "compute", "data"),
    "data": ("tokens", "model", "compute"),
    "model": ("tokens", "data", "compute"),
    "schedule": ("data",),
    "pretrain_share": ("objective",),
}

# The codes that no pack brings: how severe each is, and what it says. A test holds it against `dsl.finding.NAMES`.
ENGINE: dict[str, tuple[Severity, str]] = {
    "S001": ("error", "the text is not of the language: what was expected there is said"),
    "S002": ("error", "a YAML key stands twice"),
    "S003": ("error", "the file is no text: binary, a NUL, or not UTF-8"),
    "S004": ("error", "the file is too large, nested too deep, or has too many items"),
    "S005": ("error", "a feature of YAML that plans do not have: tag, anchor, alias, merge, several documents"),
    "S006": ("error", "the plan says nothing that could be solved"),
    "N001": ("error", "a statement or a field that there is not"),
    "N002": ("error", "a device, law, quantity or `let` that nothing defines"),
    "N003": ("error", "`let`s, imports or laws that refer to each other in a circle"),
    "N004": ("error", "an imported file is not there, or lies outside the project"),
    "N005": ("error", "a figure is given twice"),
    "U001": ("error", "dimensions that do not go together"),
    "U002": ("error", "a unit that there is not"),
    "U003": ("error", "a number without a unit where nothing implies one"),
    "U004": ("error", "a figure that cannot be: zero, negative, not finite, or a share over 100 %"),
    "C001": ("error", "figures of the plan contradict each other"),
    "C002": ("error", "nothing determines a `?`: what more would is said"),
    "C003": ("error", "the givens cannot hold together: what would make room is said"),
    "C004": ("error", "a requirement needs a figure that is not given, such as a price"),
    "C009": ("error", "a limit of the solver was reached, or a form is read and not solved yet"),
    "B001": ("error", "cost, compute, time, energy, emissions or hardware are over what the plan allows"),
    "B002": ("error", "a requirement is broken"),
    "B003": ("warning", "a preference is not met"),
    "L001": ("info", "a law is used outside the range of the runs that it was fitted to"),
    "L002": ("error", "laws, or plans, lie further apart than `plan compare --max-spread` allows"),
    "L003": ("info", "the plan moves a law off its optimum line"),
    "L004": ("error", "the plan asks of a law what it does not give"),
    "D009": ("warning", "a count has a binary suffix, such as `85Mi`"),
    "T035": ("warning", "one run mixes objectives"),
    "P001": ("error", "a definition in a pack is not whole, or not sound"),
    "P002": ("error", "a law does not give its golden value"),
    "X001": ("warning", "an `ignore` that ignores nothing"),
    "X002": ("warning", "an `ignore` of a code that there is not"),
    "X003": ("warning", "an `ignore` whose date has passed"),
    "X004": ("warning", "an `ignore` without a reason"),
    "R001": ("warning", "a pack is not pinned to a version"),
}

_FIELD = re.compile(r"\{([A-Za-z_][\w.]*)(%?)\}")


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a rule, solved.

    Attributes:
        text: The plan.
        solved: Whether it can be read and has a solution under its first law, or the rule is about its having none.
        flagged: Whether the rule, at its severity, is among the findings.
    """

    kind: Literal["breaks", "keeps"]
    text: str
    solved: bool
    flagged: bool

    @property
    def holds(self) -> bool:
        """Whether it does what the rule promises of it."""
        return self.solved and self.flagged == (self.kind == "breaks")


def examples(rule: Rule, catalogue: Catalogue) -> Iterator[Example]:
    """The examples of a rule, each put through the whole pipeline as a plan of its own."""
    from runplan.engine.pipeline import report_of  # which applies rules itself

    kinds: tuple[tuple[Literal["breaks", "keeps"], tuple[Node, ...]], ...]
    kinds = (("breaks", rule.breaks), ("keeps", rule.keeps))
    for kind, statements in kinds:
        if text := example(statements):
            name = f"{kind}.plan"
            report = report_of(name, Buffer(name, text.encode(), Disk(Path())), catalogue=catalogue, intervals=False)
            flagged = any((f.code, f.severity) == (rule.code, rule.severity) for f in report.findings)
            solved = report.solutions[:1] != () and report.solutions[0].status == "solved"
            yield Example(kind, text, solved or flagged, flagged)


def example(statements: tuple[Node, ...]) -> str:
    """The text of an example; empty where there is none."""
    return "".join(f"{node.span.text}\n" for node in statements)


def condition(rule: Rule) -> str:
    """When a rule is broken, as its pack writes it, in one line."""
    text = rule.when.span.text if rule.when.span else shown(rule.when)
    return " ".join(text.split())


def checked(rule: Rule, quantities: Mapping[str, Dim]) -> list[Finding]:
    """What is wrong with a rule itself: names that nobody gives, dimensions that do not go together."""
    found = []
    known = set(quantities) | set(TEXTS)
    asked = {item.args[0] for item in walk(rule.when) if isinstance(item, Op) and item.op == "assumed"}
    for name in sorted(names(rule.when) | {m[1] for m in _FIELD.finditer(rule.says + rule.help)}):
        if name not in known:
            close = nearest(name, sorted(known))
            help = [f"did you mean `{close[0]}`?"] if close else []
            found.append(
                finding("N002", f"rule `{rule.code}` names `{name}`, which nothing gives", rule.span, help=help)
            )
    if not found:
        dims: dict[str, Dim] = dict(quantities)
        condition = _without_texts(rule.when)
        try:
            Dimensions(dims).of(condition)
        except DimensionClash as clash:
            found.append(finding("U001", f"rule `{rule.code}`: {clash.message}", clash.at.span or rule.span))
    assert all(isinstance(item, Ref) for item in asked) or found, "`assumed` takes the name of a quantity"
    return found


def _without_texts(expr: Expr) -> Expr:
    """The condition with comparisons of words taken as true, so that only quantities are left to check."""
    if isinstance(expr, Op):
        mentioned = {item.name for item in expr.args if isinstance(item, Ref)}
        if expr.op in ("==", "!=") and mentioned & set(TEXTS):
            return Op("==", (Num(1.0), Num(1.0)))
        return Op(expr.op, tuple(_without_texts(arg) for arg in expr.args), expr.span)
    return expr


def applied(rules: tuple[Rule, ...], plan: Plan, solution: Solution) -> Iterator[Finding]:
    """The findings of the rules whose condition holds; a rule that asks for what the plan has not is passed over."""
    for rule in rules:
        for view in _views(rule, solution):
            yield from _applied(rule, plan, view)


def _views(rule: Rule, solution: Solution) -> Iterator[Solution]:
    """The solution as a rule sees it: once, or once a pool where it asks for what each pool has of its own."""
    own = (names(rule.when) & set(POOLED)) - solution.values.keys()
    prefixes = sorted({name.partition(".")[0] for name in solution.values if name.startswith("pool")}) if own else []
    for prefix in prefixes:
        values, definitions = solution.values, solution.problem.definitions
        of_pool = {name: f"{prefix}.{name}" for name in POOLED}
        yield replace(
            solution,
            values={**values, **{n: values[full] for n, full in of_pool.items() if full in values}},
            problem=replace(
                solution.problem,
                definitions={**definitions, **{n: definitions[f] for n, f in of_pool.items() if f in definitions}},
            ),
        )
    if not prefixes:
        yield solution


def _applied(rule: Rule, plan: Plan, solution: Solution) -> Iterator[Finding]:
    env: dict[str, float | str] = {name: value.value for name, value in solution.values.items()}
    env.update(texts(plan, solution))
    if largest := _largest(rule, solution):
        env["source"] = largest.name.partition(".")[2]
    folded = {name: value.lower() if isinstance(value, str) else value for name, value in env.items()}
    condition = _assumed_resolved(rule.when, solution)
    if condition is None or not names(condition) <= env.keys():
        return
    try:
        holds = bool(compiled(condition)(folded))
    except (ArithmeticError, ValueError, TypeError):
        at = _place(rule, plan, solution)
        yield finding("C009", f"rule `{rule.code}` cannot be evaluated here", at, laws=(solution.law,))
        return
    if holds:
        help = [_filled(rule.help, solution, env)] if rule.help else []
        yield finding(
            rule.code,
            _filled(rule.says, solution, env),
            _place(rule, plan, solution),
            name=rule.name,
            severity=rule.severity,
            help=help,
            notes=[cite.text for cite in rule.cites[:1]],
            laws=(solution.law,),
            key=f"rule {rule.code}",
        )


def texts(plan: Plan, solution: Solution) -> dict[str, str]:
    """The words of a plan that rules may ask about."""
    stage = plan.stages[0]
    out = {"objective": str(solution.problem.objective), "law": solution.resolved}
    out["subject"] = solution.problem.objective.domain
    out["data"] = "given" if stage.data else "none"
    model, tokens = plan.model, stage.tokens
    stated = (model is not None and isinstance(model.params, Given | None)) or isinstance(tokens, Given)
    out["chosen_by"] = "plan" if stated or _moved_by(plan, solution) else "law"
    out["inference"] = "given" if stage.inference is not None else "none"
    peak = solution.problem.definitions.get("peak")
    if peak is not None and peak.kind != "given" and "," in peak.source:
        out["device"] = peak.source.split(",")[0]
    if stage.hardware and stage.hardware[0].device:
        out.setdefault("device", stage.hardware[0].device.text)
        out["precision"] = stage.hardware[0].precision.text if stage.hardware[0].precision else "bf16"
    out["schedule"] = (
        stage.schedule.name.text if stage.schedule and stage.schedule.name else "by hand" if stage.schedule else ""
    )
    out["quality"] = stage.schedule.quality.text if stage.schedule and stage.schedule.quality else "late"
    out["optimizer"] = plan.optimizer.name.text if plan.optimizer else "AdamW"
    return out


def _assumed_resolved(expr: Expr, solution: Solution) -> Expr | None:
    """The condition with `assumed(x)` decided, words in lower case; None where it asks about what the plan has not."""
    if isinstance(expr, Text):
        return Text(expr.value.lower(), expr.span)
    if not isinstance(expr, Op):
        return expr
    if expr.op == "assumed":
        name = expr.args[0].name if isinstance(expr.args[0], Ref) else ""
        definition: Definition | None = solution.problem.definitions.get(name)
        if definition is None:
            return None
        return Op("==", (Num(1.0), Num(1.0 if definition.kind == "assumed" else 0.0)))
    args = [_assumed_resolved(arg, solution) for arg in expr.args]
    if any(arg is None for arg in args):
        return None
    return Op(expr.op, tuple(arg for arg in args if arg is not None), expr.span)


def _filled(template: str, solution: Solution, env: Mapping[str, float | str]) -> str:
    def one(m: re.Match[str]) -> str:
        value = solution.values.get(m[1])
        if value is None:
            return str(env.get(m[1], m[0]))
        about = "about " if value.kind == "assumed" else ""
        return about + (f"{value.value * 100:.3g} %" if m[2] else show(value.value, value.dim))

    return _FIELD.sub(one, template)


def _largest(rule: Rule, solution: Solution) -> Value | None:
    """What the figure that the rule blames is the largest of, such as the passes over a source of data."""
    blamed = solution.values.get(rule.blames)
    inputs = (solution.values.get(name) for name in (blamed.inputs if blamed else ()))
    return next((value for value in inputs if value and blamed and value.value == blamed.value), None)


def _place(rule: Rule, plan: Plan, solution: Solution) -> Span:
    """The figure that the rule blames where the plan states it, else its statement, else the plan's first."""
    blamed = solution.values.get(rule.blames)
    if blamed is not None:
        for value in (blamed, _largest(rule, solution)):
            if value is not None and value.span is not None and value.span.source is plan.source:
                return value.span
    stage = plan.stages[0]
    moved_by = _moved_by(plan, solution)
    statements: dict[str, Span | None] = {
        "hardware": stage.hardware[0].span if stage.hardware else None,
        "compute": stage.compute.span if stage.compute else None,
        "data": stage.data[0].span if stage.data else None,
        "tokens": stage.tokens.span if stage.tokens else moved_by.span if moved_by else None,
        "model": plan.model.span if plan.model else None,
        "objective": stage.objective.span if stage.objective else None,
        "schedule": stage.schedule.span if stage.schedule else None,
        "optimizer": plan.optimizer.span if plan.optimizer else None,
    }
    for name in (rule.blames, *ELSEWHERE.get(rule.blames, ()), "hardware"):
        span = statements.get(name)
        if span is not None:
            return span
    return first_statement(plan)


def _moved_by(plan: Plan, solution: Solution) -> Limit | None:
    """The limit on size or tokens that binds: data that run out, a range, a requirement."""
    for limit in solution.problem.limits:
        over = names(without_lets(Op("<=", (limit.left, limit.right)), plan))
        if limit.name in solution.binding and limit.kind in ("data", "range", "given", "require") and over & TRAINED:
            return limit
    return None
