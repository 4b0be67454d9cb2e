"""Findings as Markdown, a verdict and a table, for a comment on a pull request or a job's summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runplan.cli.show.summary import Summary, plain
from runplan.dsl.text.finding import Finding

_PUNCTUATION = re.compile(r"[\\`*_{}\[\]<>|~$&]")
# GitHub makes mentions, references and links of these after it has undone the backslashes.
_LINKED = re.compile(r"@|#(?=\d)|:(?=//)|(?<=www)\.", re.IGNORECASE)


def render(findings: Sequence[Finding], summary: Summary) -> str:
    """The verdict in bold, then one row a finding; no table where there is none."""
    lines = [f"**plan check: {summary.line()}**"]
    if findings:
        lines += ["", "| severity | code | place | finding |", "| --- | --- | --- | --- |"]
        lines += [_row(finding) for finding in findings]
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    span = finding.at.span
    place = f"{span.source.path}:{span.line}:{span.column}"
    helps = [f"help: {line}" for text in finding.help for line in text.splitlines()]
    text = "<br>".join(inline(line) for line in (finding.message, *helps))
    return f"| {finding.severity} | {finding.code} | {inline(f'`{place}`')} | {text} |"


def inline(text: str) -> str:
    """Text as it reads, with what stands between a pair of backticks as code."""
    pieces = plain(text).split("`")
    # Odd, or two together: the backticks are not all ours, and Markdown would pair them its own way.
    if len(pieces) % 2 == 0 or "" in pieces[1:-1] or any("|" in piece for piece in pieces[1::2]):
        return literal(text)
    return "".join(f"`{piece}`" if i % 2 else literal(piece) for i, piece in enumerate(pieces))


def literal(text: str) -> str:
    """Text as it reads, with nothing in it that Markdown or GitHub would act on."""
    escaped = _PUNCTUATION.sub(r"\\\g<0>", plain(text))
    return _LINKED.sub(r"\g<0><!-- -->", escaped)
