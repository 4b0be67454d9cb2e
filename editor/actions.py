"""Findings at a place to what can be done about them: their fixes, and a comment that leaves one out with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Span
from runplan.editor.document import Document

# What is written for a reason: an `ignore` without one is a finding itself.
REASON = "say why"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done about a finding.

    Attributes:
        safe: Whether it says what was meant in any case; what is not is for a person to decide.
        edits: Stretches of files, each with the text in its place.
        is_fix: Whether it mends the finding.
    """

    title: str
    finding: Finding
    edits: tuple[tuple[Span, str], ...]
    safe: bool = False
    is_fix: bool = True


def actions(document: Document, findings: Iterable[Finding], start: int, end: int) -> Iterator[Action]:
    """What can be done about the findings that touch a stretch of a document."""
    touched = [f for f in findings if f.at.span.source.path == document.name and _touches(f.at.span, start, end)]
    for found in touched:
        for fix in found.fixes:
            title = fix.title if fix.safe else f"{fix.title} (unsafe: it may change what the plan says)"
            yield Action(title, found, tuple((edit.span, edit.text) for edit in fix.edits), fix.safe)
    for found in touched:
        if found.silenceable and not found.code.startswith("X"):
            yield _ignoring(document, found)


def _touches(span: Span, start: int, end: int) -> bool:
    return span.start <= end and start <= span.end


def _ignoring(document: Document, found: Finding) -> Action:
    """A comment above the finding's line that leaves it out."""
    text, at = document.source.text, found.at.span.start
    begin = text.rfind("\n", 0, at) + 1
    line = document.source.line_text(found.at.span.line)
    ending = "\r\n" if text[begin + len(line) : begin + len(line) + 2] == "\r\n" else "\n"
    blanks = line[: len(line) - len(line.lstrip(" \t"))]
    comment = f"{blanks}# ignore[{found.code}] {REASON}{ending}"
    return Action(f"Ignore {found.code} here", found, ((Span(document.source, begin, begin), comment),), is_fix=False)
