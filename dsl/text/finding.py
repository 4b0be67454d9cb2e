"""Findings: everything wrong, doubtful or worth knowing, as data that every output format renders."""

from __future__ import annotations

from collections.abc import Iterable

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.text.codes import CODES, Severity, silenceable
from runplan.dsl.text.later import Later, Texts
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import cut


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the text and what to say beside it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in place of a stretch of a file."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding: edits that belong together.

    Attributes:
        title: What it does, as an instruction.
        edits: None overlaps another.
        safe: Whether it says what was meant in any case; another one is for a person to decide.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """A file that says what every plan of a folder is to keep.

    Attributes:
        baseline: Whether a baseline may leave out what breaks it.
    """

    file: str
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, doubtful or worth knowing.

    >>> import runplan
    >>> runplan.check("plans/over-budget.plan", select=["B001"])
    (<error B001 over-budget, plans/over-budget.plan:10:9: `cost` is ...>,)

    Attributes:
        code: Permanent, such as `B001`.
        name: Its kebab name, such as `over-budget`.
        severity: `error`, `warning` or `info`.
        message: One line that stands alone, without a full stop, with the numbers in it.
        at: The place to blame; the first thing a reader sees.
        also: Every other place that took part, such as both sides of a conflict.
        notes: The values that went in.
        help: What to change, as instructions, with computed numbers where there are any: these are computed when it
            is first read.
        fixes: The ways to mend it, each by itself, the likeliest first: these, too, are worked out when they are read.
        key: The path of the node in the plan, such as `require[0]`; stable when lines move.
        laws: The laws under which it was found; empty where no law took part.
        data: The figures behind the sentence.
        budget: That of a folder which it breaks: nothing that a plan says silences it.
    """

    code: str
    name: str
    severity: Severity
    message: str
    at: Label
    also: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: Texts = ()
    fixes: tuple[Fix, ...] | Later[Fix] = ()
    key: str = ""
    laws: tuple[str, ...] = ()
    data: dict[str, float | str] = field(default_factory=dict)
    budget: Budget | None = None

    @property
    def silenceable(self) -> bool:
        """Whether it may be left out, by a comment or by what is asked for."""
        return self.budget is None and silenceable(self.code)

    def __repr__(self) -> str:
        span = self.at.span
        return (
            f"<{self.severity} {self.code} {self.name}, {span.source.path}:{span.line}:{span.column}: {self.message}>"
        )


# What a message quotes of a file and is no statement of it: nobody reads so much.
_ENDLESS = pattern(r"(?<=`)[^`]{200,}(?=`)")
MOST_HELP = 2_000  # characters of a help: what is longer is pasted by nobody


def finding(
    code: str,
    message: str,
    at: Span | Label,
    *,
    severity: Severity | None = None,
    name: str = "",
    also: Iterable[Label] = (),
    notes: Iterable[str] = (),
    help: Iterable[str] | Later[str] = (),
    fixes: Iterable[Fix] | Later[Fix] = (),
    key: str = "",
    laws: Iterable[str] = (),
    data: dict[str, float | str] | None = None,
) -> Finding:
    """A finding, with the name and the severity of its code where no others are given; a rule of a pack gives both.

    Raises:
        KeyError: For a code that the program does not have, without a name and a severity.
    """
    return Finding(
        code,
        name or CODES[code].name,
        severity or CODES[code].severity,
        _ENDLESS.sub(lambda quoted: cut(quoted[0]), message) if len(message) > 200 else message,
        at if isinstance(at, Label) else Label(at),
        tuple(also),
        tuple(notes),
        help if isinstance(help, Later) else tuple(one for one in help if len(one) <= MOST_HELP),
        fixes if isinstance(fixes, Later) else tuple(fixes),
        key,
        tuple(laws),
        data or {},
    )


def at_rest(findings: Iterable[Finding], *, help: bool = True, fixes: bool = True) -> tuple[Finding, ...]:
    """Findings with their help and fixes worked out, or without: they hold on to nothing of what these come from."""
    return tuple(
        replace(f, help=tuple(f.help) if help else (), fixes=tuple(f.fixes) if fixes else ()) for f in findings
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without repeats, sorted by file, place and code: the same input gives the same order."""
    unique: dict[tuple[str, int, int, str, str], Finding] = {}
    for f in findings:
        unique.setdefault((f.at.span.source.path, f.at.span.start, f.at.span.end, f.code, f.message), f)
    return tuple(unique[key] for key in sorted(unique))
