"""The findings of a plan to what an editor shows in its text: those of other files at what brings them in."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Span
from runplan.editor.document import Document


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding as it is shown in a file.

    Attributes:
        span: Where in that file.
        message: What is said there.
    """

    finding: Finding
    span: Span
    message: str


def problems(document: Document, findings: Iterable[Finding]) -> Iterator[Problem]:
    """What is shown in a document: its own findings, and the errors of what it rests on at the import or the top."""
    for found in findings:
        at = found.at.span
        if at.source.path == document.name:
            yield Problem(found, at, _said(found))
        elif found.severity == "error":
            yield Problem(found, _brings(document, at.source.path), f"{at.source.path}:{at.line}: {_said(found)}")


def elsewhere(document: Document, findings: Iterable[Finding]) -> Iterator[Problem]:
    """What is shown in other files: the findings of a document that stand there."""
    for found in findings:
        if found.at.span.source.path != document.name:
            yield Problem(found, found.at.span, _said(found))


def _said(found: Finding) -> str:
    """The message of a finding with its notes and its help, a line each."""
    return "\n".join(
        (found.message, *(f"note: {note}" for note in found.notes), *(f"help: {help}" for help in found.help))
    )


def _brings(document: Document, path: str) -> Span:
    """The import of a file; where there is none the first statement's beginning."""
    folder = posixpath.dirname(document.name)
    for span, name in document.imports():
        if posixpath.normpath(posixpath.join(folder, name)) == path:
            return span
    return Span(document.source, 0, 0)
