"""The findings of a plan to what is shown of them, and to those that decide its verdict whatever is shown.

What is selected, ignored or given another severity is a matter of what one wants to read. Whether a plan holds is not:
one that is undecided, infeasible or over budget says so in its verdict with none of its findings left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.library import Library
from runplan.dsl.text.codes import Severity, silenceable
from runplan.dsl.text.codes import pairs as raised_here
from runplan.dsl.text.errors import UnknownCode
from runplan.dsl.text.finding import Finding, in_order
from runplan.dsl.text.nearest import did_you_mean
from runplan.engine.judge.ignores import kept
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# What may be left out of a report, and decides all the same: a requirement that is broken, or that no law can judge.
_DECIDES = frozenset(("B001", "B002", "L004"))
# Each code with its name.
Codes = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is shown of findings, by codes, names and prefixes of codes in any case: of several that fit the longest
    counts, of two as long what is asked for before what is configured, and then what leaves it out.

    Attributes:
        select: Those to show; all where there is none.
        ignore: Those to leave out.
        severity: Those to show as another severity.
        also, but: Those that are asked for beside these: to show, and to leave out.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    but: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a plan holds, by its first law.

    Attributes:
        file: The plan.
        law: The law that decides; empty where the plan could not be read.
        by: The findings that keep it from holding.
        solved: Whether it was solved: of what was not, no finding may be left out of the verdict.
    """

    file: str
    law: str
    by: tuple[Finding, ...]
    solved: bool = True

    @property
    def holds(self) -> bool:
        """Whether nothing keeps it from holding."""
        return not self.by


@dataclass(frozen=True, slots=True)
class Gate:
    """What a check makes of a plan.

    Attributes:
        findings: Those that are shown.
        codes: The codes and names that its findings may have; None where its own rules could not be read.
    """

    findings: tuple[Finding, ...]
    verdict: Verdict
    codes: Codes | None


def verdict_of(report: Report, left: Iterable[Finding] | None = None) -> Verdict:
    """The verdict of a report.

    Args:
        left: What the comments of the plan leave of its findings. They may silence a broken requirement of a plan that
            is solved, with their reason, and nothing else.
    """
    first = report.solutions[0] if report.solutions else None
    found = report.findings if left is None or not _is_solved(first) else left
    by = tuple(f for f in found if f.severity == "error" and (not silenceable(f.code) or f.code in _DECIDES))
    return Verdict(report.source.path, first.resolved if first else "", by, _is_solved(first))


def _is_solved(solution: Solution | None) -> bool:
    return solution is not None and solution.status == "solved"


def codes_of(library: Library) -> Codes:
    """Each code that the finding of a plan may have, with its name: of the program, and of the rules that are known."""
    return raised_here() | library.rule_names()


def gate(report: Report, known: Codes, choice: Choice, today: str) -> Gate:
    """A report as a check shows it.

    Args:
        known: Codes and names without those of the plan's own rules.
        today: As `2026-03-01`.
    """
    own = report.plan.definitions.rules if report.plan else ()
    codes = known | {(rule.code, rule.name) for rule in own} if own else known
    left = kept(report.findings, report.source, codes, today)
    shown = (_weighed(f, choice.severity) for f in left if _is_shown(f, choice))
    return Gate(in_order(shown), verdict_of(report, left), codes if report.plan else None)


def unknown(words: Iterable[str], gates: Iterable[Gate]) -> UnknownCode | None:
    """The refusal of the first word that is no code, name or prefix in any of these plans; None for none."""
    known = [each.codes for each in gates]
    codes = frozenset[tuple[str, str]]().union(*(each for each in known if each is not None))
    for word in words if None not in known else ():
        if not any(_means(word, code, name) for code, name in codes):
            (help,) = did_you_mean(word, {each for pair in codes for each in pair}) or ["`plan rule` lists them"]
            return UnknownCode(f"`{word[:60]}` is no code of a finding; {help}")
    return None


def _means(word: str, code: str, name: str) -> bool:
    """Whether a word stands for a finding: its name, its code, or what its code begins with, in any case."""
    word = word.lower()
    return word != "" and (code.lower().startswith(word) or name.lower() == word)


def firm(words: Iterable[str], gates: Iterable[Gate]) -> list[str]:
    """The words that only mean findings which are always shown, at their own severity."""
    codes = raised_here().union(*(gate.codes or () for gate in gates))
    meant = {word: [code for code, name in codes if _means(word, code, name)] for word in words}
    return [word for word, found in meant.items() if found and not any(map(silenceable, found))]


def _is_shown(found: Finding, choice: Choice) -> bool:
    """What is wrong with a plan itself always is."""

    def fit(words: Iterable[str], own: float) -> float:
        lengths = (len(word) if len(word) < len(found.code) else len(found.code) for word in words if means(word))
        return max(lengths, default=-own) + own

    def means(word: str) -> bool:
        return _means(word, found.code, found.name)

    if not found.silenceable:
        return True
    selected = max(fit(choice.select, 0.0), fit(choice.also, 0.5))
    ignored = max(fit(choice.ignore, 0.0), fit(choice.but, 0.5))
    return ignored < selected or (not ignored and not choice.select)


def _weighed(found: Finding, severities: Mapping[str, Severity]) -> Finding:
    """A finding at the severity that is set for it, where one may be."""
    fit = [word for word in severities if _means(word, found.code, found.name)]
    if not fit or not found.silenceable:
        return found
    return replace(found, severity=severities[max(fit, key=len)])
