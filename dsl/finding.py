"""Findings: everything wrong, doubtful or worth knowing, as data that every output format renders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from runplan.dsl.source import Span

Severity = Literal["error", "warning", "info"]
RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}

# The codes that the engine and the reader raise themselves; a rule of a pack brings its own.
# A code is permanent and is never used again for another thing.
NAMES: dict[str, str] = {
    "S001": "syntax",
    "S002": "duplicate-key",
    "S003": "not-text",
    "S004": "too-large",
    "S005": "yaml-feature",
    "S006": "empty-plan",
    "N001": "unknown-statement",
    "N002": "unknown-name",
    "N003": "cyclic",
    "N004": "import-not-found",
    "N005": "given-twice",
    "U001": "dimension-mismatch",
    "U002": "unknown-unit",
    "U003": "unit-missing",
    "U004": "out-of-domain",
    "C001": "conflicting-values",
    "C002": "under-determined",
    "C003": "infeasible",
    "C004": "missing-price",
    "C009": "gave-up",
    "B001": "over-budget",
    "B002": "requirement-broken",
    "B003": "preference-missed",
    "L001": "beyond-fitted-range",
    "L002": "laws-disagree",
    "L003": "left-the-line",
    "L004": "law-does-not-give",
    "D009": "binary-prefix",
    "P001": "pack-invalid",
    "P002": "golden-value-off",
    "X001": "unused-ignore",
    "X002": "unknown-code-in-ignore",
    "X003": "ignore-expired",
    "X004": "ignore-without-reason",
    "R001": "unpinned-pack",
}


def cut(text: str) -> str:
    """Text of a file for a sentence: its first 39 characters where it is long."""
    return text if len(text) <= 40 else text[:39] + "…"


def enumerated(texts: Sequence[str]) -> str:
    """At least one text in a sentence: a, b and c."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the text and what to say beside it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of text that mends a finding; `safe` where it cannot change the meaning."""

    title: str
    span: Span
    text: str
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, doubtful or worth knowing.

    Attributes:
        code: Permanent, such as `B001`.
        name: Its kebab name, such as `over-budget`.
        severity: `error`, `warning` or `info`.
        message: One line that stands alone, without a full stop, with the numbers in it.
        at: The place to blame; the first thing a reader sees.
        also: Every other place that took part, such as both sides of a conflict.
        notes: The values that went in.
        help: What to change, as instructions, with computed numbers where there are any.
        edits: Replacements that mend it.
        key: The path of the node in the plan, such as `require[0]`; stable when lines move.
        laws: The laws under which it was found; empty where no law took part.
        data: The figures behind the sentence.
    """

    code: str
    name: str
    severity: Severity
    message: str
    at: Label
    also: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    key: str = ""
    laws: tuple[str, ...] = ()
    data: dict[str, float | str] = field(default_factory=dict)


def finding(
    code: str,
    message: str,
    at: Span | Label,
    *,
    severity: Severity = "error",
    name: str = "",
    also: Iterable[Label] = (),
    notes: Iterable[str] = (),
    help: Iterable[str] = (),
    edits: Iterable[Edit] = (),
    key: str = "",
    laws: Iterable[str] = (),
    data: dict[str, float | str] | None = None,
) -> Finding:
    """A finding; the name is looked up by code unless a rule brings its own."""
    return Finding(
        code,
        name or NAMES[code],
        severity,
        message,
        at if isinstance(at, Label) else Label(at),
        tuple(also),
        tuple(notes),
        tuple(help),
        tuple(edits),
        key,
        tuple(laws),
        data or {},
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without repeats, sorted by file, place and code: the same input gives the same order."""
    unique: dict[tuple[str, int, int, str, str], Finding] = {}
    for f in findings:
        unique.setdefault((f.at.span.source.path, f.at.span.start, f.at.span.end, f.code, f.message), f)
    return tuple(unique[key] for key in sorted(unique))
