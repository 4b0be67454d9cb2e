"""Comments `# ignore[CODE] reason` to the findings that they leave, and what is wrong with such comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.codes import silenceable
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, Span
from runplan.dsl.units.calendar import seconds_of

_IGNORE = re.compile(r"#\s*ignore\[([^\]]*)\](.*)")
_UNTIL = re.compile(r"\buntil\s+(\d{4}-\d{2}-\d{2})\s*$")
# Empty lines and comments.
_SILENT = re.compile(r"(?:\s*+#[^\n]*+)*+\s*+")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that silences findings.

    Attributes:
        codes: Codes or names of rules.
        until: Its last day, as written; empty where it has none.
        lines: The line that it stands on; where it stands there alone, also the next one that says something.
    """

    codes: tuple[str, ...]
    reason: str
    until: str
    lines: frozenset[int]
    span: Span


def ignores(source: Source) -> tuple[Ignore, ...]:
    """The comments of a text that silence findings."""
    if "ignore[" not in source.text:
        return ()
    from runplan.dsl.syntax.comments import comments

    return tuple(_read(m, comment.span) for comment in comments(source) if (m := _IGNORE.fullmatch(comment.text)))


def _read(m: re.Match[str], span: Span) -> Ignore:
    source, line = span.source, span.line
    lines = {line}
    if source.line_text(line).lstrip().startswith("#"):
        silent = _SILENT.match(source.text, span.end)
        assert silent is not None, "it matches nothing, too"
        lines.add(source.line_column(silent.end())[0])
    until = _UNTIL.search(m[2])
    reason = (m[2][: until.start()] if until else m[2]).strip(" \t:-,")
    codes = tuple(word.strip() for word in m[1].split(",") if word.strip())
    return Ignore(codes, reason, until[1] if until else "", frozenset(lines), span)


def kept(findings: Iterable[Finding], source: Source, known: Set[tuple[str, str]], today: str) -> list[Finding]:
    """The findings of a plan without those that it ignores, and what is wrong with how it does.

    Args:
        source: The plan's own text; another file's comments are not its business.
        known: Each code that a finding may have, with its name.
        today: As `2026-03-01`.
    """
    found = list(findings)
    out, wrong = set(range(len(found))), list[Finding]()
    known_words = {word.lower() for pair in known for word in pair}
    # Rules were not applied to a plan that could not be solved: what would be silenced there is not known.
    solved = all(silenceable(f.code) for f in found)
    for ignore in ignores(source):
        late = _over(ignore.until, today)
        if late:
            wrong.append(_of(ignore, "X003", f"this ignores until {ignore.until}, which is {late}", "look again"))
        if not ignore.reason:
            wrong.append(_of(ignore, "X004", "this ignores without a reason", "write why after the bracket"))
        for code in ignore.codes or ("",):
            silenced = {
                i
                for i, f in enumerate(found)
                if code.lower() in (f.code.lower(), f.name.lower())
                and f.at.span.line in ignore.lines
                and f.at.span.source is source
                and silenceable(f.code)
            }
            if not late:
                out -= silenced
            if code.lower() not in known_words:
                (help,) = did_you_mean(code, {word for pair in known for word in pair}) or ["`plan rule` lists them"]
                wrong.append(_of(ignore, "X002", f"`{code}` is no code of a finding", help))
            elif solved and not silenced and not late:
                wrong.append(_of(ignore, "X001", f"`{code}` is not found here", "take it out of the comment"))
    return [*(found[i] for i in sorted(out)), *wrong]


def _over(until: str, today: str) -> str:
    """Why an ignore holds no more; empty where it does."""
    if until and seconds_of(until) is None:
        return "no date of the calendar"
    return "past" if until and until < today else ""


def _of(ignore: Ignore, code: str, message: str, help: str) -> Finding:
    return finding(code, message, ignore.span, help=[help])
