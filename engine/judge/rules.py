"""Rules of packs over a solved plan to findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.expr.logic import kleene
from runplan.dsl.expr.money import in_money
from runplan.dsl.expr.name import written
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Text, Unbound, names, walk, words
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.cards import TEXTS
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Rule
from runplan.dsl.plan.ir import Given, Hole, Plan, Pool
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import FIELD, IF_KNOWN, enumerated
from runplan.dsl.units.show import percent, show
from runplan.dsl.units.table import currencies
from runplan.engine.formulate.measured import REACHED
from runplan.engine.formulate.requirements import without_lets
from runplan.engine.problem import quantities as q
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.solution import Note, Solution, Value

# The words of a plan that rules may ask about: for each all that it goes by, first what messages call it.
Words = Mapping[str, tuple[str, ...]]
# The words that are known of a plan that is not solved.
OF_OBJECTIVE = frozenset(("objective", "subject"))
# What is trained: a limit on one of these that binds is a choice of the plan, and not of its law.
TRAINED = frozenset((q.PARAMS, q.LAW_PARAMS, q.ACTIVE_PARAMS, q.TOKENS, q.TOKENS_PER_PARAM))
# Where to point when the statement that a rule blames is not there: what else had a part in it.
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "tokens": ("model", "compute", "data"),
    "data": ("tokens", "model", "compute"),
    "model": ("tokens", "data", "compute"),
    "schedule": ("data",),
    "pretrain_share": ("objective",),
}


def example(statements: Iterable[Span]) -> str:
    """The text of an example; empty where there is none."""
    return "".join(f"{span.text}\n" for span in statements)


def condition(rule: Rule) -> str:
    """When a rule is broken, as its pack writes it, in one line."""
    text = rule.when.span.text if rule.when.span else shown(rule.when)
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class View:
    """A solved plan as a rule sees it: the whole of it, or one pool of devices and the rest.

    Attributes:
        words: The words of the plan that rules may ask about.
        values: Those of the solution, as rules write their names.
        stage: The stage that it is of, where it is of one.
        pool: Which of several pools it is of, counted from 0.
    """

    plan: Plan
    solution: Solution
    words: Words
    values: Mapping[str, Value]
    stage: str = ""
    pool: int = 0


def asked_of(views: Iterable[View]) -> frozenset[str]:
    """All that rules can ask some views about: a rule that cannot hold without more is passed over unread."""
    return frozenset(word for view in views for words in (view.values, view.words) for word in words)


def applied(rules: tuple[Rule, ...], views: Sequence[View]) -> Iterator[Finding]:
    """The findings of the rules whose condition holds; a rule that asks for what the plan has not is passed over.

    Of a plan that is not solved only its objective is judged: of one that no law is for, a rule says why.
    """
    solved = views[0].solution.status == "solved"
    for rule in rules:
        if rule.severity != "note" and (solved or rule.asks <= OF_OBJECTIVE):
            found = [(view, one) for view in _seen(rule, views) for one in _applied(rule, view)]
            yield from _once(found) if rule.severity == "info" else (_located(view, one) for view, one in found)


def _located(view: View, found: Finding) -> Finding:
    """A finding that says which stage it is of."""
    stage = _stage(view, found.at.span)
    return replace(found, message=f"in `{stage}` {found.message}") if stage else found


def _once(found: Sequence[tuple[View, Finding]]) -> Iterator[Finding]:
    """What is worth knowing, said once for all stages of which it is the same."""
    for message in dict.fromkeys(one.message for _, one in found):
        same = [(_stage(view, one.at.span), one) for view, one in found if one.message == message]
        stages, first = dict.fromkeys(stage for stage, _ in same), same[0][1]
        where = "" if "" in stages else f"in {enumerated([f'`{stage}`' for stage in stages])} "
        others = dict.fromkeys(one.at for _, one in same if one.at.span != first.at.span)
        yield replace(first, message=f"{where}{message}", also=(*first.also, *others))


def say_more(rules: tuple[Rule, ...], views: Sequence[View], words: Set[str]) -> bool:
    """Whether a rule that holds would say more where the plan had some words that it has not."""
    for rule in rules:
        said = {name for text in (rule.says, rule.help) for name, _ in FIELD.findall(text)} & words
        for view in _seen(rule, views) if said else ():
            with suppress(ArithmeticError, ValueError):
                if not said <= view.values.keys() and _holds(rule, view):
                    return True
    return False


def remarked(rules: tuple[Rule, ...], views: Sequence[View]) -> Iterator[Note]:
    """The notes of the library that bear on a solved plan: what is worth knowing, and what no plan can break."""
    for rule in rules if views[0].solution.status == "solved" else ():
        for view in _seen(rule, views) if rule.severity == "note" else ():
            with suppress(ArithmeticError, ValueError):  # what cannot be told of a plan is not said of it
                if _holds(rule, view):
                    yield Note(_filled(rule.says, view), code=rule.code)


def views_of(plan: Plan, solution: Solution, catalogue: Library) -> tuple[View, ...]:
    """The plan as a whole, and where it has several pools or stages, as each of them makes it: what rules judge."""
    whole = written(solution.values)
    pools = sorted({at for name in solution.values if (at := name.part("pool"))}, key=int)
    out = [_view(plan, solution, catalogue, {word: solution.values[name] for word, name in whole.items()}, 0)]
    for number, pool in enumerate(pools):
        own = {**out[0].values, **solution.within(("pool", pool))}
        out.append(_view(plan, solution, catalogue, own, number))
    stated = solution.problem.stages if len(plan.stages) > 1 else ()  # those of a transfer are the run's
    for stage, alone in zip(stated, stages_of(solution) if stated else (), strict=True):
        whole_of_stage, *pools_of_stage = views_of(stage.plan, alone, catalogue)
        out += [replace(view, stage=stage.name) for view in pools_of_stage or [whole_of_stage]]
    return tuple(out)


def _view(plan: Plan, solution: Solution, catalogue: Library, values: Mapping[str, Value], pool: int) -> View:
    return View(plan, solution, texts(plan, solution, catalogue, pool), values, pool=pool)


def _seen(rule: Rule, views: Sequence[View]) -> Sequence[View]:
    """The views that a rule is about: each pool or stage where it asks for what each has of its own, else the whole."""
    whole, *parts = views
    own = any((rule.asks & view.values.keys()) - whole.values.keys() for view in parts)
    return parts if parts and (own or rule.asks & {"device", "precision", "rate_from"}) else (whole,)


def _applied(rule: Rule, view: View) -> Iterator[Finding]:
    assert rule.severity != "note"
    if largest := _largest(rule, view):
        view = replace(view, words={**view.words, "source": (largest.name.part("source"),)})
    law = (view.solution.law,)
    try:
        holds = _holds(rule, view)
    except (ArithmeticError, ValueError) as error:
        help = [str(error)] if isinstance(error, _OtherMoney) else []
        message = f"rule `{rule.code}` cannot be evaluated here"
        yield finding("C009", message, _place(rule, view), severity=rule.severity, help=help, laws=law)
        return
    if holds:
        place = _place(rule, view)
        yield finding(
            rule.code,
            _filled(rule.says, view),
            place,
            name=rule.name,
            severity=rule.severity,
            help=[_filled(rule.help, view)] if rule.help and _is_known(IF_KNOWN.sub("", rule.help), view) else [],
            notes=[cite.text for cite in rule.cites[:1]],
            laws=law,
            key=f"rule {rule.code}",
        )


def _holds(rule: Rule, view: View) -> bool:
    """Whether the condition of a rule holds; it does not where that hangs on what the plan has not.

    Raises:
        ArithmeticError, ValueError: Where it has no value.
    """
    if not all(word in view.values or view.words.get(word) for word in rule.needs):
        return False

    def holds(part: Expr) -> bool | None:
        decided = _decided(part, view)
        asked = frozenset[str]() if decided is None else words(decided)
        if decided is None or not asked <= view.values.keys():
            return None
        return bool(value_of(_converted(decided, asked, view), {word: view.values[word].value for word in asked}))

    return kleene(rule.when, holds) is True


def texts(plan: Plan, solution: Solution, catalogue: Library, pool: int = 0) -> Words:
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
        "start_from": ("checkpoint" if plan.from_weights(stage) else "scratch",),
        "inference": ("given" if stage.inference is not None else "none",),
        "budget": ("hardware" if stage.hardware else "compute" if stage.compute else "none",),
        "data_domain": (next((source.domain for source in stage.data if source.domain), ""),),
    }
    domain = solution.problem.objective.domain
    hardware = stage.hardware[pool] if pool < len(stage.hardware) else None
    device = hardware.device.text if hardware is not None and hardware.device else ""
    if hardware is not None and hardware.device:
        usual = catalogue.number_format(domain, catalogue.record("device", device))
        out["precision"] = (hardware.precision.text if hardware.precision else usual,)
    if hardware is not None:
        out["rate_from"] = (_rate_from(hardware),)
    if device:
        record = catalogue.record("device", device)
        out["device"] = (record.name, *record.aliases) if record else (device,)
    named = stage.schedule.name.text if stage.schedule and stage.schedule.name else ""
    out["schedule"] = (named or ("by hand" if stage.schedule else ""),)
    out["quality"] = (stage.schedule.quality.text if stage.schedule and stage.schedule.quality else "late",)
    scope = (("pool", str(pool)),) if len(stage.hardware) > 1 else ()
    if regime := next((laid.regime for laid in solution.layouts if laid.scope == scope), ""):
        out["fitting_layout"] = (_in_regime(plan, regime),)
    out["optimizer"] = (plan.optimizer.name.text,) if plan.optimizer else catalogue.defaults(domain, "optimizer")
    return out


def _in_regime(plan: Plan, regime: str) -> str:
    """The plan's layout as it is written, in a regime that it does not name."""
    said = plan.layout.span.said if plan.layout is not None else "layout:"
    return f"{said} in {regime}"


def _rate_from(pool: Pool) -> str:
    """Who says what the devices of a pool reach: the plan, which may also ask for it, or the runs that were done."""
    said = [amount for name in REACHED if (amount := pool.figures.get(name.text)) is not None]
    return "runs" if not said else "asked" if any(isinstance(amount, Hole) for amount in said) else "plan"


def _decided(expr: Expr, view: View) -> Expr | None:
    """The condition with `assumed(x)` and words decided; None where it asks about what the plan has not."""
    if not isinstance(expr, Op):
        return expr
    if expr.op == "assumed":
        value = view.values.get(expr.args[0].name) if isinstance(expr.args[0], Unbound) else None
        return None if value is None else _truth(value.kind == "assumed")
    if any(isinstance(arg, Text) or (isinstance(arg, Unbound) and arg.name in TEXTS) for arg in expr.args):
        sides = [_names_of(arg, view.words) for arg in expr.args]
        return _truth((not sides[0].isdisjoint(sides[1])) == (expr.op == "==")) if all(sides) else None
    args = [_decided(arg, view) for arg in expr.args]
    if any(arg is None for arg in args):
        return None
    return Op(expr.op, tuple(arg for arg in args if arg is not None), expr.span)


def _names_of(expr: Expr, known: Words) -> frozenset[str]:
    """All that a word goes by, in lower case; nothing where the plan has it not."""
    said = (expr.value,) if isinstance(expr, Text) else known.get(expr.name, ()) if isinstance(expr, Unbound) else ()
    return frozenset(name.lower() for name in said)


def _truth(holds: bool) -> Expr:
    return Op("==", (Num(1.0), Num(1.0 if holds else 0.0)))


class _OtherMoney(ValueError):
    """A rule is in a currency that the plan does not convert; the message says how it would."""


def _converted(expr: Expr, asked: Iterable[str], view: View) -> Expr:
    """The condition, which asks for some values of the view, in the plan's money.

    Raises:
        _OtherMoney: Where the plan declares no rate for it.
    """
    plan = view.plan
    converted = in_money(expr, plan.currency, plan.rates)
    dims = [item.dim for item in walk(converted) if isinstance(item, Num)]
    dims += [view.values[word].dim for word in asked]
    left = sorted({name for dim in dims for name, _ in dim} & currencies() - {plan.currency})
    if left:
        raise _OtherMoney(f"declare the rate: `rate {left[0]} = ... {plan.currency} on YYYY-MM-DD`")
    return converted


def _is_known(template: str, view: View) -> bool:
    """Whether the plan has every value of a message."""
    return all(name in view.values or name in view.words for name, _ in FIELD.findall(template))


def _filled(template: str, view: View) -> str:
    """A message with its values, without the parts in brackets whose values the plan has not."""

    def known(m: re.Match[str]) -> str:
        return m[1] if _is_known(m[1], view) else ""

    def one(m: re.Match[str]) -> str:
        value = view.values.get(m[1])
        if value is None:
            return view.words.get(m[1], (m[0],))[0]
        about = "about " if value.kind == "assumed" else ""
        return about + (percent(value.value) if m[2] else show(value.value, value.dim))

    return FIELD.sub(one, IF_KNOWN.sub(known, template))


def _largest(rule: Rule, view: View) -> Value | None:
    """What the figure that the rule blames is the largest of, such as the passes over a source of data."""
    blamed = view.values.get(rule.blames)
    inputs = (view.solution.values.get(name) for name in (blamed.inputs if blamed else ()))
    return next((value for value in inputs if value and blamed and value.value == blamed.value), None)


def _stage(view: View, place: Span) -> str:
    """The stage that a finding is of, where its place is in one: what stands outside is of several, and of none."""
    own = view.plan.outer.span if view.stage else None
    inside = own is not None and own.source is place.source and own.start <= place.start and place.end <= own.end
    return view.stage if inside else ""


def _place(rule: Rule, view: View) -> Span:
    """The figure that the rule blames where the plan states it, else its statement, else the plan's first."""
    plan, solution = view.plan, view.solution
    blamed = view.values.get(rule.blames)
    if blamed is not None:
        for value in (blamed, _largest(rule, view)):
            if value is not None and value.span is not None and value.span.source is plan.source:
                return value.span
    stage = plan.stages[0]
    moved_by = _moved_by(plan, solution)
    statements: dict[str, Span | None] = {
        "hardware": stage.hardware[min(view.pool, len(stage.hardware) - 1)].span if stage.hardware else None,
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
    return plan.first_statement


def _moved_by(plan: Plan, solution: Solution) -> Constraint | None:
    """The constraint on size or tokens that binds: data that run out, a range, a requirement."""
    for constraint in solution.problem.constraints:
        over = names(without_lets(Op("<=", (constraint.left, constraint.right)), plan))
        chosen = constraint.kind in ("data", "range", "given", "require") and over & TRAINED
        if constraint.key in solution.active and chosen:
            return constraint
    return None
