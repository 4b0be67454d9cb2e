"""Rules of packs over a solved plan to findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from runplan.dsl.expression import Expr, Num, Op, Ref, Text, compiled, in_money, names, shown, walk
from runplan.dsl.finding import Finding, Severity, finding
from runplan.dsl.ir import Given, Plan
from runplan.dsl.pack import FIELD, Rule
from runplan.dsl.rule_check import TEXTS
from runplan.dsl.source import Span
from runplan.dsl.syntax import Node
from runplan.dsl.units import currencies, show
from runplan.engine.catalogue import Catalogue
from runplan.engine.draft import first_statement
from runplan.engine.hardware import POOLED
from runplan.engine.pose import without_lets
from runplan.engine.problem import Definition, Limit
from runplan.engine.report import Note
from runplan.engine.solution import Solution, Value

# The words of a plan that rules may ask about: for each all that it goes by, first what messages call it.
Words = Mapping[str, tuple[str, ...]]
# The words that are known of a plan that is not solved.
OF_OBJECTIVE = frozenset(("objective", "subject"))
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
    "P001": ("error", "a definition in a pack is not whole, or not sound"),
    "P002": ("error", "a law does not give its golden value, or a rule its examples"),
    "X001": ("warning", "an `ignore` that ignores nothing"),
    "X002": ("warning", "an `ignore` of a code that there is not"),
    "X003": ("warning", "an `ignore` whose date has passed, or is none"),
    "X004": ("warning", "an `ignore` without a reason"),
    "R001": ("warning", "a pack is not pinned to a version"),
}


def example(statements: tuple[Node, ...]) -> str:
    """The text of an example; empty where there is none."""
    return "".join(f"{node.span.text}\n" for node in statements)


def condition(rule: Rule) -> str:
    """When a rule is broken, as its pack writes it, in one line."""
    text = rule.when.span.text if rule.when.span else shown(rule.when)
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class View:
    """A solved plan as a rule sees it: the whole of it, or one pool of devices and the rest.

    Attributes:
        words: The words of the plan that rules may ask about.
        numbers: The values of the solution, in base units.
    """

    plan: Plan
    solution: Solution
    words: Words
    numbers: Mapping[str, float]


def applied(rules: tuple[Rule, ...], views: Sequence[View]) -> Iterator[Finding]:
    """The findings of the rules whose condition holds; a rule that asks for what the plan has not is passed over.

    Of a plan that is not solved only its objective is judged: of one that no law is for, a rule says why.
    """
    solved = views[0].solution.status == "solved"
    for rule in rules:
        if rule.severity != "note" and (solved or names(rule.when) <= OF_OBJECTIVE):
            for view in _seen(rule, views):
                yield from _applied(rule, view)


def remarked(rules: tuple[Rule, ...], views: Sequence[View]) -> Iterator[Note]:
    """The notes of the library that bear on a solved plan: what is worth knowing, and what no plan can break."""
    for rule in rules if views[0].solution.status == "solved" else ():
        for view in _seen(rule, views) if rule.severity == "note" else ():
            with suppress(ArithmeticError, ValueError):  # what cannot be told of a plan is not said of it
                if _holds(rule, view):
                    yield Note(_filled(rule.says, view), code=rule.code)


def views_of(plan: Plan, solution: Solution, catalogue: Catalogue) -> tuple[View, ...]:
    """The plan as a whole, and where it has several pools, as each of them makes it: what rules are applied to."""
    values, definitions = solution.values, solution.problem.definitions
    prefixes = sorted({name.partition(".")[0] for name in values if re.match(r"pool\d+\.", name)})
    seen = [(0, solution)]
    for number, prefix in enumerate(prefixes):
        of_pool = {name: f"{prefix}.{name}" for name in POOLED}
        own = {name: values[full] for name, full in of_pool.items() if full in values}
        defined = {name: definitions[full] for name, full in of_pool.items() if full in definitions}
        problem = replace(solution.problem, definitions={**definitions, **defined})
        seen.append((number, replace(solution, values={**values, **own}, problem=problem)))
    return tuple(
        View(plan, one, texts(plan, one, catalogue, pool), {name: value.value for name, value in one.values.items()})
        for pool, one in seen
    )


def _seen(rule: Rule, views: Sequence[View]) -> Sequence[View]:
    """The views that a rule is about: each pool where it asks for what each has of its own, else the whole."""
    whole, *pools = views
    own = names(rule.when) & (set(POOLED) - whole.solution.values.keys() | {"device", "precision"})
    return pools if pools and own else (whole,)


def _applied(rule: Rule, view: View) -> Iterator[Finding]:
    assert rule.severity != "note"
    if largest := _largest(rule, view.solution):
        view = replace(view, words={**view.words, "source": (largest.name.partition(".")[2],)})
    law = (view.solution.law,)
    try:
        holds = _holds(rule, view)
    except (ArithmeticError, ValueError) as error:
        help = [str(error)] if isinstance(error, _OtherMoney) else []
        message = f"rule `{rule.code}` cannot be evaluated here"
        yield finding("C009", message, _place(rule, view), severity=rule.severity, help=help, laws=law)
        return
    if holds:
        yield finding(
            rule.code,
            _filled(rule.says, view),
            _place(rule, view),
            name=rule.name,
            severity=rule.severity,
            help=[_filled(rule.help, view)] if rule.help else [],
            notes=[cite.text for cite in rule.cites[:1]],
            laws=law,
            key=f"rule {rule.code}",
        )


def _holds(rule: Rule, view: View) -> bool:
    """Whether the condition of a rule holds; it does not where it asks for what the plan has not.

    Raises:
        ArithmeticError, ValueError: Where it has no value.
    """
    condition = _decided(rule.when, view.solution, view.words)
    if condition is None or not names(condition) <= view.numbers.keys():
        return False
    return bool(compiled(_converted(condition, view))(view.numbers))


def texts(plan: Plan, solution: Solution, catalogue: Catalogue, pool: int = 0) -> Words:
    """The words of a plan that rules may ask about; device and precision are those of one of its pools."""
    stage = plan.stages[0]
    law = solution.problem.law
    model, tokens = plan.model, stage.tokens
    stated = (model is not None and isinstance(model.params, Given | None)) or isinstance(tokens, Given)
    out = {
        "objective": (str(solution.problem.objective), solution.problem.objective.kind),
        "law": (solution.resolved, *law.aliases),
        "subject": (solution.problem.objective.domain,),
        "data": ("given" if stage.data else "none",),
        "chosen_by": ("plan" if stated or _moved_by(plan, solution) else "law",),
        "inference": ("given" if stage.inference is not None else "none",),
        "budget": ("hardware" if stage.hardware else "compute" if stage.compute else "none",),
        "data_domain": (next((source.domain for source in stage.data if source.domain), ""),),
    }
    peak = solution.problem.definitions.get("peak")
    device = peak.source.split(",")[0] if peak is not None and peak.kind != "given" and "," in peak.source else ""
    hardware = stage.hardware[pool] if pool < len(stage.hardware) else None
    if hardware is not None and hardware.device:
        device = device or hardware.device.text
        out["precision"] = (hardware.precision.text if hardware.precision else "bf16",)
    if device:
        record = catalogue.record("device", device)
        out["device"] = (record.name, *record.aliases) if record else (device,)
    named = stage.schedule.name.text if stage.schedule and stage.schedule.name else ""
    out["schedule"] = (named or ("by hand" if stage.schedule else ""),)
    out["quality"] = (stage.schedule.quality.text if stage.schedule and stage.schedule.quality else "late",)
    out["optimizer"] = (plan.optimizer.name.text if plan.optimizer else "AdamW",)
    return out


def _decided(expr: Expr, solution: Solution, words: Words) -> Expr | None:
    """The condition with `assumed(x)` and words decided; None where it asks about what the plan has not."""
    if not isinstance(expr, Op):
        return expr
    if expr.op == "assumed":
        name = expr.args[0].name if isinstance(expr.args[0], Ref) else ""
        definition: Definition | None = solution.problem.definitions.get(name)
        return None if definition is None else _truth(definition.kind == "assumed")
    if any(isinstance(arg, Text) or (isinstance(arg, Ref) and arg.name in TEXTS) for arg in expr.args):
        sides = [_names_of(arg, words) for arg in expr.args]
        return _truth((not sides[0].isdisjoint(sides[1])) == (expr.op == "==")) if all(sides) else None
    args = [_decided(arg, solution, words) for arg in expr.args]
    if any(arg is None for arg in args):
        return None
    return Op(expr.op, tuple(arg for arg in args if arg is not None), expr.span)


def _names_of(expr: Expr, words: Words) -> frozenset[str]:
    """All that a word goes by, in lower case; nothing where the plan has it not."""
    said = (expr.value,) if isinstance(expr, Text) else words.get(expr.name, ()) if isinstance(expr, Ref) else ()
    return frozenset(name.lower() for name in said)


def _truth(holds: bool) -> Expr:
    return Op("==", (Num(1.0), Num(1.0 if holds else 0.0)))


class _OtherMoney(ValueError):
    """A rule is in a currency that the plan does not convert; the message says how it would."""


def _converted(expr: Expr, view: View) -> Expr:
    """The condition in the plan's money.

    Raises:
        _OtherMoney: Where the plan declares no rate for it.
    """
    plan = view.plan
    converted = in_money(expr, plan.currency, plan.rates)
    dims = [item.dim for item in walk(converted) if isinstance(item, Num)]
    dims += [view.solution.values[name].dim for name in names(converted)]
    left = sorted({name for dim in dims for name, _ in dim} & currencies() - {plan.currency})
    if left:
        raise _OtherMoney(f"declare the rate: `rate {left[0]} = ... {plan.currency} on YYYY-MM-DD`")
    return converted


def _filled(template: str, view: View) -> str:
    def one(m: re.Match[str]) -> str:
        value = view.solution.values.get(m[1])
        if value is None:
            return view.words.get(m[1], (m[0],))[0]
        about = "about " if value.kind == "assumed" else ""
        return about + (f"{value.value * 100:.3g} %" if m[2] else show(value.value, value.dim))

    return FIELD.sub(one, template)


def _largest(rule: Rule, solution: Solution) -> Value | None:
    """What the figure that the rule blames is the largest of, such as the passes over a source of data."""
    blamed = solution.values.get(rule.blames)
    inputs = (solution.values.get(name) for name in (blamed.inputs if blamed else ()))
    return next((value for value in inputs if value and blamed and value.value == blamed.value), None)


def _place(rule: Rule, view: View) -> Span:
    """The figure that the rule blames where the plan states it, else its statement, else the plan's first."""
    plan, solution = view.plan, view.solution
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
