"""The findings of all laws to one list."""

from __future__ import annotations

from collections.abc import Iterable

from runplan.dsl.dataclass import replace
from runplan.dsl.text.finding import Finding

# ---- all laws together


def together(per_law: Iterable[tuple[bool, Iterable[Finding]]]) -> list[Finding]:
    """The findings of all laws: those of the first decide, the others' are warnings at most, and what several
    share is said once and names them."""
    merged: dict[tuple[str, int, int, str], Finding] = {}
    for first, findings in per_law:
        for item in findings:
            if not first and item.severity == "error":
                item = replace(item, severity="warning")
            span = item.at.span
            shared = item.message if item.code == "L004" else item.key or item.message
            key = (item.code, span.start, span.end, shared)
            known = merged.get(key)
            if known is None:
                merged[key] = item
            else:
                merged[key] = replace(known, laws=tuple(dict.fromkeys((*known.laws, *item.laws))))
    return list(merged.values())
