"""The plans that a plan imports to their results, as far as it mentions them: each like a `let`, with its interval.

A plan that has no solution that holds gives none, and the import says why: no number rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.name import Name, qualified, written
from runplan.dsl.expr.tree import Num, names
from runplan.dsl.plan.ir import Let, Plan
from runplan.dsl.syntax.tree import File, Imported, Word, leaves
from runplan.dsl.syntax.views import spec_of
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.later import changed
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.units.base import DATE
from runplan.engine.gate import verdict_of
from runplan.engine.problem.draws import cholesky, is_deviate, uncertain_constants
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.problem.points import Points
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

# Draws that tell how results go together; a difference below which they are one; and in how many standard errors of a
# correlation one may be there by chance.
FEW, SAME, CHANCE = 20, 1e-6, 3.0
# What is said of a plan that does not hold.
STATES = {"infeasible": "has no solution", "undecided": "is undecided", "solved": "does not hold"}


@dataclass(slots=True)
class Results:
    """What the plans that a file imports come to.

    Attributes:
        lets: By name, as the file mentions them.
        findings: What keeps a plan from having results, and names that no result has.
        adrift: Prefixes of the names that those would have had.
    """

    lets: dict[str, Let] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    adrift: list[str] = field(default_factory=list)


def results_of(file: File, report: Callable[[str], Report]) -> Results:
    """The results that a resolved file mentions.

    Args:
        report: Solves the plan at a path, of which all files can be read.
    """
    out = Results()
    for imported in file.imported:
        mentioned = {word.text: word for word in _mentions(file, imported)}
        if not mentioned:
            continue
        found = report(imported.path)
        wrong = _wrong(imported, found)
        if wrong is not None:
            out.findings.append(wrong)
            out.adrift.append(qualified(imported.alias, ""))
            continue
        solution = found.solutions[0]
        values = written(solution.values)
        told: dict[str, Value] = {}
        for text, word in mentioned.items():
            name = text.removeprefix(qualified(imported.alias, ""))
            if name in values:
                told[text] = solution.values[values[name]]
                out.lets[text] = _let(text, imported, solution, told[text])
                continue
            message = f"`{imported.path}` comes to no `{name[:60]}` under `{solution.law}`"
            near = did_you_mean(name, values) or [f"it has {', '.join(solution)}"]
            fixes = respelled(word.span, text, [qualified(imported.alias, each) for each in values])
            out.findings.append(finding("N002", message, word.span, help=near, fixes=fixes))
            out.adrift.append(text)
        for text, off in _together(solution, {text: value for text, value in told.items() if _spread(value)}).items():
            out.lets[text] = replace(out.lets[text], off=off)
    return out


def imported_of(plan: Plan, solution: Solution) -> dict[str, tuple[Value, str]]:
    """The results of other plans that a plan rests on, each with that plan, and the `let`s that rest on these."""
    found = {name: one.of for name, one in plan.lets.items() if one.of}
    for _ in plan.lets if found else ():
        resting = {n: "" for n, one in plan.lets.items() if n not in found and names(one.expr) & found.keys()}
        if not resting:
            break
        found |= resting
    return {str(name): (solution.values[name], of) for name, of in found.items() if name in solution.values}


def _mentions(file: File, imported: Imported) -> Iterator[Word]:
    """The words of a file that name a result of a plan; what it brings as a definition, or of another, is none."""
    prefix = qualified(imported.alias, "")
    defined = {spec_of(node).word(0).text for node in file.statements if node.rule == "let"}
    longer = tuple(qualified(o.alias, "") for o in file.imported if o.alias.startswith(prefix))
    for leaf in (leaf for node in file.statements for leaf in leaves(node)):
        own = leaf.type == "NAME" and leaf.text.startswith(prefix) and not (longer and leaf.text.startswith(longer))
        if own and leaf.text not in defined:
            yield leaf


def _wrong(imported: Imported, report: Report) -> Finding | None:
    """What keeps a plan from having results; None where it holds."""
    if report.solutions:
        verdict = verdict_of(report)
        if verdict.holds and report.solutions[0].status == "solved":
            return None
        found, state = verdict.by[0], STATES[report.solutions[0].status]
    else:
        found = next(f for f in report.findings if f.severity == "error")
        state = "cannot be read"
    message = f"the import `{imported.path}` {state}: {found.message}"
    help = changed(found.help, lambda texts: (f"in `{imported.path}`: {text}" for text in texts))
    also = [Label(found.at.span, "what keeps it from that")]
    return finding(found.code, message, imported.span, severity="error", also=also, help=help)


def _let(text: str, imported: Imported, solution: Solution, value: Value) -> Let:
    source = f"{imported.path}: {value.name} under {solution.resolved}"
    return Let(text, Num(value.value, value.dim), imported.span, source, of=imported.path, spread=_spread(value))


def _spread(value: Value) -> float | None:
    """How far a value may be off, as the standard deviation of its logarithm; None where it has no interval."""
    if value.low is None or value.high is None or value.dim == DATE or not 0 < value.low < value.high:
        return None
    return math.log(value.high / value.low) / (2 * QUANTILE)


def _together(solution: Solution, told: Mapping[str, Value]) -> dict[str, tuple[tuple[str, float], ...]]:
    """How results of one plan are off together, as its draws have it: each by what is unknown of the plan, and by the
    deviates of those before it.

    What is unknown goes by its own name: an assumed rate is one, however many plans assume it.
    """
    own = [solution.samples.column(value.name) for value in told.values()]
    samples = solution.samples.only(
        [i for i, values in enumerate(zip(*own, strict=True)) if all(value and value > 0.0 for value in values)]
    )
    if not told or len(samples) < FEW:
        return {}
    from statistics import correlation  # not on the way of a check of a plan that imports none

    columns = {text: list(map(math.log, samples.told(value.name))) for text, value in told.items()}
    if any(max(column) - min(column) < SAME for column in columns.values()):
        return {}
    unknown = {name.text if is_deviate(name) else str(name): column for name, column in _unknown(solution, samples)}
    least = CHANCE / math.sqrt(len(samples))
    moving = {
        text: column
        for text, column in unknown.items()
        if any(abs(correlation(column, own)) > least for own in columns.values())
    }
    every = {**moving, **columns}
    root = cholesky([[correlation(one, other) for other in every.values()] for one in every.values()])
    weighed = {text: zip(every, row, strict=True) for text, row in zip(every, root, strict=True) if text in told}
    return {text: tuple((by, weight) for by, weight in row if abs(weight) > SAME) for text, row in weighed.items()}


def _unknown(solution: Solution, samples: Points) -> Iterator[tuple[Name, list[float]]]:
    """What is drawn of a plan and its law, with its value in each draw."""
    constants = uncertain_constants(solution.problem.law)
    for name in sorted(name for name in samples.moving if is_deviate(name) or name in constants):
        column = samples.told(name)
        if max(column) - min(column) > SAME * abs(column[0]):
            yield name, column
