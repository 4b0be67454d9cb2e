"""Solutions to the defaults that were taken: figures that are assumed, and what a plan leaves unsaid of what it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Text
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Entry
from runplan.dsl.plan.ir import Plan
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.words import enumerated, listing
from runplan.dsl.units.base import TIME
from runplan.dsl.units.dims import NONE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import QUANTILE, Definition
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Assumption

# A figure in months, outside of comments and of texts.
_ASIDE = pattern(r'#[^\n]*|"[^"\n]*"')
_IN_MONTHS = pattern(r"\d\s*months?\b|/\s*month\b")
# In seconds, as `dsl/units/units.txt` has it.
MONTH = 30 * 86400.0
_CALENDAR = pattern(r"\bcalendar\b")


def assumptions_of(plan: Plan, solutions: Sequence[Solution], catalogue: Library) -> tuple[Assumption, ...]:
    """Every default that was taken, once: of figures first, then of what the run is."""
    out: dict[tuple[Name, str], Assumption] = {}
    for solution in (one for one in solutions if not one.problem.is_programme):
        for found in (*_figures(solution), *_unsaid(plan, solution, catalogue)):
            value = found.value if isinstance(found.value, str) else f"{found.value:.9g}"
            out.setdefault((found.name, value), found)  # what laws agree on differs by rounding
    out = _once_for_all_stages(out, solutions)
    return (*(a for a in out.values() if not isinstance(a.value, str)), *(a for a in out.values() if _is_text(a)))


def _once_for_all_stages(
    found: dict[tuple[Name, str], Assumption], solutions: Sequence[Solution]
) -> dict[tuple[Name, str], Assumption]:
    """What is taken of every stage alike is told of the run."""
    stages = [stage.name for stage in solutions[0].problem.stages] if solutions else []
    out: dict[tuple[Name, str], Assumption] = {}
    for (name, value), one in found.items():
        bare = Name(name.text, name.kind, name.scope[1:]) if name.part("stage") else name
        same = [other for stage in stages if (other := found.get((bare.in_stage(stage), value))) is not None]
        if bare is not name and len(same) == len(stages) and all(other.source == one.source for other in same):
            out.setdefault((bare, value), replace(one, name=bare))
        else:
            out[name, value] = one
    return out


def _is_text(assumption: Assumption) -> bool:
    return isinstance(assumption.value, str)


def _figures(solution: Solution) -> Iterator[Assumption]:
    for name, value in solution.values.items():
        # A law that the plan does not name is a default, too; of several sources it is said once, of the sum.
        default = value.kind == "law" and value.by != solution.problem.law.name and not name.scope
        if value.kind == "assumed" or default:
            source = f"{value.by}: {value.source}" if default else value.source
            low, high = _interval(solution.problem.definitions.get(name), value.value)
            yield Assumption(name, value.value, value.dim, source, value.span, low, high)


def _interval(definition: Definition | None, middle: float) -> tuple[float | None, float | None]:
    """The ends of the 80 % interval of what is assumed, where its spread is known."""
    if definition is None or not definition.spread:
        return None, None
    far = math.exp(QUANTILE * definition.spread)
    return middle / far, middle * far


def _unsaid(plan: Plan, solution: Solution, catalogue: Library) -> Iterator[Assumption]:
    """What stands in a plan's report and in none of its statements."""
    stages, problem, domain = plan.stages, solution.problem, solution.problem.objective.domain
    if _IN_MONTHS.search(text := _ASIDE.sub("", plan.source.text)) and not _CALENDAR.search(text):
        yield Assumption(quantity("month"), MONTH, TIME, "not given: a month is 30 days, without a `calendar`", None)
    if plan.model is not None and (record := plan.model.record):
        source = f"{record.title}: {record.text('config')}"
        yield Assumption(quantity("model"), record.name, NONE, source, record.span)
    if not plan.laws:
        yield _law(solution, catalogue)
    split = [v.name for v in problem.variables if v.name.part("stage") and v.name.text == q.TOKENS.text]
    if len(split) > 1:
        which = enumerated([f"`{name.part('stage')}`" for name in split])
        why = f"the law knows the sum of {which} alone: where they cost alike, another split is as good"
        yield _text("split", "what was found first", why)
    if not any(stage.objective for stage in stages):
        yield _text("objective", str(problem.objective), "not given: text, each token from those before it")
    if not any(stage.data for stage in stages):
        yield _text("data", "fresh without end", "not given: no token is seen twice")
    if not plan.goals and problem.variables and problem.goal:
        yield _text("goal", problem.goal, "not given: what the plan asks for, else the least loss")
    phases = problem.phases or any(stage.phases for stage in problem.stages)
    if phases and not any(stage.schedule for stage in stages):
        lines = catalogue.default_lines(domain, "schedule", from_weights=plan.from_weights(plan.outer))
        yield _default("schedule", catalogue, domain, line=next(iter(lines), None))
    if not any(stage.optimizer for stage in stages) and q.STEPS in solution.values:
        yield _default("optimizer", catalogue, domain)
    yield from _devices(plan, catalogue)
    if q.PEAK.text in {name.text for name in solution.values}:
        pools = [pool for stage in stages for pool in stage.hardware]
        unsaid = [pool.device.text for pool in pools if pool.precision is None and pool.device is not None]
        for taken in dict.fromkeys(catalogue.number_format(domain, catalogue.record("device", one)) for one in unsaid):
            yield _default("number_format", catalogue, domain, "precision", taken)


def _devices(plan: Plan, catalogue: Library) -> Iterator[Assumption]:
    """The devices that a plan calls by the name of a family."""
    for stage in plan.stages:
        for pool in stage.hardware:
            found = catalogue.device(pool.device.text) if pool.device else None
            if pool.device and found and found.others:
                others = listing(found.others)
                why = f"the usual form: `{pool.device.text}` may be {others}, too"
                yield Assumption(quantity("device"), found.name, NONE, why, pool.device.span)


def _law(solution: Solution, catalogue: Library) -> Assumption:
    """The law that was taken; of one that is not for the plan, why there is none."""
    if solution.problem.lawless:
        why = next((f.message for f in solution.findings if f.code == "L004"), "no law is for the plan")
        return _text("law", "none", why)
    named = [solution.law, solution.resolved]
    for entry in _entries(catalogue, solution.problem.objective.domain, "law"):
        if any(isinstance(value, Text) and value.value in named for value in entry.values):
            return Assumption(quantity("law"), solution.resolved, NONE, entry.source, entry.span)
    return _text("law", solution.resolved, "not given: the usual one")


def _default(
    key: str, catalogue: Library, domain: str, name: str = "", taken: str = "", line: Entry | None = None
) -> Assumption:
    """A word of the domain's defaults, with its source: the first, or the one of them that is taken."""
    entry = line or next(iter(_entries(catalogue, domain, key)), None)
    if entry is None or not isinstance(entry.values[0], Text):
        return _text(name or key, "none", f"not given, and {domain} has no default")
    return Assumption(quantity(name or key), taken or entry.values[0].value, NONE, entry.source, entry.span)


def _entries(catalogue: Library, domain: str, key: str) -> Sequence[Entry]:
    known = domain if catalogue.record("defaults", domain) else "text"
    return catalogue.default_lines(known, key)


def _text(name: str, value: str, source: str) -> Assumption:
    return Assumption(quantity(name), value, NONE, source, None)
