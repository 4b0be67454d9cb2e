"""Rules of packs over a solved plan to findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runplan.dsl.expression import DimensionClash, Dimensions, Expr, Num, Op, Ref, compiled, names, walk
from runplan.dsl.finding import Finding, finding
from runplan.dsl.ir import Plan
from runplan.dsl.nearest import nearest
from runplan.dsl.pack import Rule
from runplan.dsl.source import Span
from runplan.dsl.units import Dim, show
from runplan.engine.draft import first_statement
from runplan.engine.problem import Definition
from runplan.engine.solution import Solution

# What a rule may ask about that is a word and no quantity.
TEXTS = ("objective", "device", "precision", "schedule", "quality", "optimizer", "law")

_FIELD = re.compile(r"\{([A-Za-z_][\w.]*)(%?)\}")


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
    env: dict[str, float | str] = {name: value.value for name, value in solution.values.items()}
    env.update(texts(plan, solution))
    for rule in rules:
        condition = _assumed_resolved(rule.when, solution)
        if condition is None or not names(condition) <= env.keys():
            continue
        try:
            holds = bool(compiled(condition)(env))
        except (ArithmeticError, ValueError, TypeError):
            at = _place(rule, plan, solution)
            yield finding("C009", f"rule `{rule.code}` cannot be evaluated here", at, laws=(solution.law,))
            continue
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
    """The condition with `assumed(x)` decided; None where it asks about what the plan has not."""
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
        return f"{value.value * 100:.3g} %" if m[2] else show(value.value, value.dim)

    return _FIELD.sub(one, template)


def _place(rule: Rule, plan: Plan, solution: Solution) -> Span:
    """The figure that the rule blames where the plan states it, else its statement, else the plan's first."""
    blamed = solution.values.get(rule.blames)
    if blamed is not None and blamed.span is not None and blamed.span.source is plan.source:
        return blamed.span
    stage = plan.stages[0]
    statements: dict[str, Span | None] = {
        "hardware": stage.hardware[0].span if stage.hardware else None,
        "data": stage.data[0].span if stage.data else None,
        "tokens": stage.tokens.span if stage.tokens else None,
        "model": plan.model.span if plan.model else None,
        "objective": stage.objective.span if stage.objective else None,
        "schedule": stage.schedule.span if stage.schedule else None,
        "optimizer": plan.optimizer.span if plan.optimizer else None,
    }
    for name in (rule.blames, "hardware"):
        span = statements.get(name)
        if span is not None:
            return span
    return first_statement(plan)
