"""What a comment expects of the line that it stands on, and whether a finding meets it."""

from __future__ import annotations

import re

from runplan.dsl.text.finding import Finding

EXPECTED = re.compile(
    r"(?P<above>\^ )?(?P<severity>error|warning|info): (?:(?P<column>\d+) )?\[(?P<code>[A-Z]\d{3})\]"
    r'(?: "(?P<text>[^"]*)")?(?: help "(?P<help>[^"]*)")?'
)


def met(found: Finding, line: int, m: re.Match[str]) -> bool:
    return (
        (found.severity, found.code) == (m["severity"], m["code"])
        and found.at.span.line == line
        and (m["column"] is None or found.at.span.column == int(m["column"]))
        and (m["text"] or "") in found.message
        and (m["help"] or "") in "\n".join(found.help)
    )


def said(found: Finding) -> str:
    span = found.at.span
    place = f"{span.source.path}:{span.line}:{span.column}"
    return f'{place}: {found.severity}: [{found.code}] "{found.message}" {list(found.help)}'
