"""Comments `# ignore[CODE] reason` to the findings that they leave, and what is wrong with such comments."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Set

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.codes import silenceable
from runplan.dsl.text.finding import Edit, Finding, Fix, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Source, Span
from runplan.dsl.units.calendar import seconds_of

_IGNORE = pattern(r"#\s*ignore\[([^\]\[]*)\]((?:(?!#\s*ignore\[).)*)")
_CODE = pattern(r"[^,\s](?:[^,]*[^,\s])?")
# What begins with a figure is to be a day, wherever the reason has it: one that is passed over would silence for ever.
_UNTIL = pattern(r"\b(?i:until):?\s*(\d[^\s,;:.)\]]*)[\s,;:.)\]]*")
_DAY = pattern(r"\d{4}-\d{2}-\d{2}")
# Empty lines and comments.
_SILENT = pattern(r"(?:\s*+#[^\n]*+)*+\s*+")
# What opens a block: what it says, and what is found of it, begins on the next line.
_OPENS = (":", "{", "-")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that silences findings.

    Attributes:
        codes: Where it names codes or names of rules; one empty place where it names none.
        until: Its last day, as written; empty where it has none.
        lines: The line that it stands on; where it stands there alone, also the next one that says something; and where
            that only opens a block, the first one in it.
    """

    codes: tuple[Span, ...]
    reason: str
    until: str
    lines: frozenset[int]
    span: Span

    def without(self, code: Span) -> Edit:
        """What takes a code out of it; with the last one it goes itself, and its line where nothing else is on that."""
        source, text, at = code.source, code.source.text, self.codes.index(code)
        if at + 1 < len(self.codes):
            return Edit(Span(source, code.start, self.codes[at + 1].start), "")
        if at:
            return Edit(Span(source, self.codes[at - 1].end, code.end), "")
        start, end = text.rfind("\n", 0, self.span.start) + 1, self.span.end
        said = text[start : self.span.start].rstrip()
        rest = re.compile(r"\s*?(?:\n|$)").match(text, end)
        if not said and rest:
            return Edit(Span(source, start, rest.end()), "")
        return Edit(Span(source, start + len(said), end), "")


def ignores(source: Source) -> tuple[Ignore, ...]:
    """The comments of a text that silence findings."""
    if "ignore[" not in source.text:
        return ()
    from runplan.dsl.syntax.commented import comments_of

    found = ((comment.span, m) for comment in comments_of(source) for m in _IGNORE.finditer(comment.text))
    return tuple(_read(m, span) for span, m in found)


def _read(m: re.Match[str], comment: Span) -> Ignore:
    source = comment.source
    begins = comment.start + m.start(1)
    span = Span(source, comment.start + m.start(), comment.start + m.start() + len(m[0].rstrip()))
    codes = tuple(Span(source, begins + code.start(), begins + code.end()) for code in _CODE.finditer(m[1]))
    until = _UNTIL.search(m[2])
    reason = (m[2][: until.start()] + m[2][until.end() :] if until else m[2]).strip(" \t:-,;.()")
    lines = frozenset(_lines(source, comment))
    return Ignore(codes or (Span(source, begins, begins),), reason, until[1] if until else "", lines, span)


def _lines(source: Source, comment: Span) -> Iterator[int]:
    """The lines on which a comment silences what is found."""

    def next_said(offset: int) -> int:
        silent = _SILENT.match(source.text, offset)
        assert silent is not None, "it matches nothing, too"
        return silent.end()

    yield comment.line
    start = source.text.rfind("\n", 0, comment.start) + 1
    said = source.text[start : comment.start].rstrip()
    end = comment.end
    if not said:
        at = next_said(end)
        yield source.line_column(at)[0]
        told = source.line_text(source.line_column(at)[0])
        said = re.split(r"\s#", told, maxsplit=1)[0].rstrip()
        end = at + len(told.lstrip())
    if said.endswith(_OPENS):
        yield source.line_column(next_said(end))[0]


def kept(findings: Iterable[Finding], source: Source, known: Set[tuple[str, str]], today: str) -> list[Finding]:
    """The findings of a plan without those that are ignored where they stand, and what is wrong with how they are.

    Args:
        source: The plan's own text. What another file ignores in vain, such as one that is imported, is not said:
            another plan may have need of it.
        known: Each code that a finding may have, with its name.
        today: As `2026-03-01`.
    """
    found = list(findings)
    out, wrong = set(range(len(found))), list[Finding]()
    words = {word for pair in known for word in pair}
    known_words = {word.lower() for word in words}
    # Rules were not applied to a plan that could not be solved: what would be silenced there is not known.
    solved = all(silenceable(f.code) for f in found)
    sources = {each.path: each for each in (*(f.at.span.source for f in found), source)}
    for ignore in (ignore for each in sources.values() for ignore in ignores(each)):
        late = _over(ignore.until, today)
        gone = [Fix("take the comment out", (ignore.without(ignore.codes[0]),))] if len(ignore.codes) == 1 else []
        if late:
            wrong.append(_of(ignore, "X003", f"this ignores until {ignore.until}, which is {late}", "look again", gone))
        if not ignore.reason:
            wrong.append(_of(ignore, "X004", "this ignores without a reason", "write why after the bracket"))
        for span in ignore.codes:
            code = span.text
            silenced = {i for i, f in enumerate(found) if f.silenceable and _is_at(f, ignore, span)}
            if not late:
                out -= silenced
            if code.lower() not in known_words:
                wrong.append(_unknown(ignore, span, words))
            elif held := next((f.budget for f in found if f.budget and _is_at(f, ignore, span)), None):
                message = f"`{code}` is not left out here: `{held.file}` requires it of every plan of the folder"
                wrong.append(_in_vain(ignore, span, message))
            elif solved and not silenced and not late and span.source.path == source.path:
                wrong.append(_in_vain(ignore, span, f"`{code}` is not found here"))
    return [*(found[i] for i in sorted(out)), *wrong]


def _unknown(ignore: Ignore, code: Span, words: Collection[str]) -> Finding:
    """A code of a comment that no finding has."""
    said = code.text
    (help,) = did_you_mean(said, words) or ["`plan rule` lists them"]
    message = f"`{said[:60]}` is no code of a finding" if said else "this names no code of a finding"
    return _of(ignore, "X002", message, help, respelled(code, said, words))


def _in_vain(ignore: Ignore, code: Span, message: str) -> Finding:
    """A code of a comment that silences nothing."""
    taken_out = Fix(f"take `{code.text}` out of the comment", (ignore.without(code),), safe=True)
    return _of(ignore, "X001", message, "take it out of the comment", [taken_out])


def _is_at(found: Finding, ignore: Ignore, code: Span) -> bool:
    """Whether a code of a comment is that of a finding, and stands where that is found."""
    named = code.text.lower() in (found.code.lower(), found.name.lower())
    there = found.at.span
    return named and there.line in ignore.lines and there.source.path == code.source.path


def _over(until: str, today: str) -> str:
    """Why an ignore holds no more; empty where it does."""
    if until and (not _DAY.fullmatch(until) or seconds_of(until) is None):
        return "no date of the calendar"
    return "past" if until and until < today else ""


def _of(ignore: Ignore, code: str, message: str, help: str, fixes: Iterable[Fix] = ()) -> Finding:
    return finding(code, message, ignore.span, help=[help], fixes=fixes)
