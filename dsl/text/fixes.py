"""What was misspelled, or lacks something, to the edits that mend it.

A fix is an edit of what is written: where the text of a place is not, letter by letter, what was read from it, as in a
YAML value that is folded, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from runplan.dsl.text.finding import Edit, Fix
from runplan.dsl.text.later import Later
from runplan.dsl.text.nearest import is_plain, nearest
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span

_WORD = pattern(r"[\w.-]+")
_WRITE = pattern(r"write `([^`]+)`")
_OFFERED = pattern(r"`([^`]+)`")


def respelled(span: Span, word: str, choices: Collection[str], alias: str = "") -> Later[Fix]:
    """The fixes of a misspelled name: each name that is near; safe where no other is as near.

    Args:
        word: What was read there.
        choices: The names that there are.
        alias: What another tool's word is called here: where there is such a name, it is the one.
    """

    def fixes() -> Iterator[Fix]:
        known = alias in choices
        near = [alias] if known else nearest(word, choices)
        sure = known or is_plain(word, near)
        for at, name in enumerate(near):
            # A name of several words is put in quotes, unless it stands where such a one did.
            if _WORD.fullmatch(name) or not _WORD.fullmatch(word):
                yield from instead(span, word, name, safe=sure and at == 0)

    return Later(fixes)


def offered(span: Span, was: str, help: str) -> Later[Fix]:
    """The fixes that a help offers: each text in its backquotes in place of what was read; safe where it is one."""

    def fixes() -> Iterator[Fix]:
        texts = _OFFERED.findall(help)
        for text in texts:
            yield from instead(span, was, text, safe=len(texts) == 1)

    return Later(fixes)


def united(span: Span, word: str, part: str, hint: str | None, near: Sequence[str]) -> Later[Fix]:
    """The fixes of a word that is no unit: what its hint says to write, or each unit that is near.

    Args:
        part: The part of the word that is no unit: `hur` of `USD/GPU/hur`.
        near: The units near to it, the nearest first.
    """

    def fixes() -> Iterator[Fix]:
        told = _WRITE.fullmatch(hint) if hint else None
        units = [told[1]] if told else near
        for unit in units:
            safe = told is not None or (unit == near[0] and is_plain(part, near))
            yield from instead(span, word, unit if part == word else _part(word, part, unit), safe=safe)

    return Later(fixes)


def _part(word: str, part: str, unit: str) -> str:
    """A word with one of its parts as another unit."""
    return re.sub(rf"(?<![^\W\d_]){re.escape(part)}(?![^\W\d_])", unit, word, count=1)


def instead(span: Span, was: str, text: str, *, safe: bool) -> Iterable[Fix]:
    """The fix that writes a text in place of another one; none where the file does not have that one there."""
    inner = Span(span.source, span.start + 1, span.end - 1)
    place = inner if inner.text == was else span
    if place.text == was:
        yield Fix(f"write `{text}` instead of `{was}`", (Edit(place, text),), safe)


# ---- what fixes make of a text


def apart(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """Fixes that can be made at once: of those that touch one place the first."""
    taken: list[Span] = []
    made: list[Fix] = []
    for fix in fixes:
        places = [edit.span for edit in fix.edits]
        if not any(_touch(one, other) for one in places for other in taken):
            taken += places
            made.append(fix)
    return tuple(made)


def _touch(one: Span, other: Span) -> bool:
    return one.source.path == other.source.path and one.start <= other.end and other.start <= one.end


def edited(source: Source, fixes: Iterable[Fix]) -> str:
    """The text of a source with fixes made that are apart."""
    text = source.text
    edits = [edit for fix in fixes for edit in fix.edits if edit.span.source.path == source.path]
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def landed(fixes: Iterable[Fix], one: Fix) -> Iterator[tuple[str, int, int]]:
    """Where the edits of one of some fixes stand in the texts that these make: a path, and two offsets."""
    edits = [edit for fix in fixes for edit in fix.edits]
    for edit in one.edits:
        path, start = edit.span.source.path, edit.span.start
        moved = sum(
            len(other.text) - (other.span.end - other.span.start)
            for other in edits
            if other.span.source.path == path and other.span.start < start
        )
        yield path, start + moved, start + moved + len(edit.text)
