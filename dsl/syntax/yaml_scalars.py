"""A scalar of YAML to the text that it stands for, with the way back from each character to the file."""

from __future__ import annotations

import re

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span, View


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar: its value as raw text, and how it is written."""

    text: str
    style: str
    span: Span


def quoted(text: str) -> str:
    """A raw text as the DSL would quote it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def visible(span: Span) -> Span:
    """A span of at least one character, so that there is something to point at."""
    text = span.source.text
    if text[span.start : span.end].strip():
        return span
    start = max(0, min(span.start, len(text) - 1))
    while start > 0 and text[start].isspace():
        start -= 1
    return Span(span.source, start, min(start + 1, len(text)))


def first_line(span: Span) -> Span:
    """The part of a span that stands on its first line."""
    line_end = span.source.text.find("\n", span.start)
    return span if line_end < 0 else Span(span.source, span.start, max(span.start, min(span.end, line_end)))


# One character of a quoted scalar, as it is written.
_ESCAPED = pattern(r"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.|.", re.DOTALL)
_DOUBLED = pattern(r"''|.", re.DOTALL)


def view(scalar: Scalar) -> View:
    """The scalar's text with the way back to the file; exact unless it is written with escapes."""
    source, raw = scalar.span.source, scalar.span.text
    text = scalar.text.rstrip("\n")
    if scalar.style == "" and raw == text:
        return View(text, source, scalar.span.start)
    if scalar.style in ("'", '"') and raw[1:-1] == text:
        return View(text, source, scalar.span.start + 1)
    if scalar.style in ("'", '"') and "\n" not in raw:
        parts = list((_ESCAPED if scalar.style == '"' else _DOUBLED).finditer(raw, 1, len(raw) - 1))
        if len(parts) == len(text):
            return View(text, source, scalar.span.start, tuple(scalar.span.start + m.start() for m in parts))
    places = _places(text, raw, scalar.style)
    if places is None:
        return View(text, source, whole=scalar.span)
    return View(text, source, scalar.span.start, tuple(scalar.span.start + at for at in places))


def _places(text: str, raw: str, style: str) -> list[int] | None:
    """Where each character of a text stands in its raw form; None where the blanks left out do not explain that."""
    places = []
    at = raw.find("\n") + 1 if style in ("|", ">") else int(style in ("'", '"'))
    for c in text:
        while at < len(raw) and raw[at] != c:
            if c == " " and raw[at] == "\n":  # a folded line end
                break
            if not raw[at].isspace():
                return None
            at += 1
        if at >= len(raw):
            return None
        places.append(at)
        at += 1
    return places
