"""A point in time, or how long something took, as logs write it, into seconds."""

from __future__ import annotations

from runplan.dsl.text.pattern import pattern
from runplan.dsl.units.calendar import seconds_of

_MOMENT = pattern(
    r"\[?(?:(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{1,2})/(\d{1,2})/(\d{4}))"
    r"(?:[T ,]+(\d{1,2}):(\d\d)(?::(\d\d(?:[.,]\d+)?))?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?\]?"
)
_DURATION = pattern(r"(?:(\d+)\s*d(?:ays?)?,?\s*)?(\d+):(\d\d):(\d\d(?:[.,]\d+)?)")
_DAY, _HOUR, _MINUTE = 86400.0, 3600.0, 60.0


def moment(text: str) -> float | None:
    """Seconds since 1970 of `2026-12-01T06:15:28.5+01:00`, `2026-12-01 06:15` or `12/01/2026 06:15:28`, month first.

    UTC where no zone is said; None for what is no such point in time.
    """
    m = _MOMENT.fullmatch(text.strip())
    if m is None:
        return None
    year, month, day = (m[1], m[2], m[3]) if m[1] else (m[6], m[4], m[5])
    begins = seconds_of(f"{year}-{month}-{day}")
    if begins is None:
        return None
    hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in m.group(7, 8, 9))
    if hours > 24 or minutes >= 60 or seconds > 60:
        return None
    return begins + hours * _HOUR + minutes * _MINUTE + seconds - _zone(m[10] or "")


def _zone(text: str) -> float:
    """Seconds by which the clock of a zone is ahead of UTC."""
    if text[:1] not in ("+", "-"):
        return 0.0
    digits = text[1:].replace(":", "")
    return (int(digits[:2]) * _HOUR + int(digits[2:]) * _MINUTE) * (-1 if text[0] == "-" else 1)


def duration(text: str) -> float | None:
    """Seconds of `9:45:51`, `1 day, 3:04:05.2` or `2d 03:04:05`; None for what is no such duration."""
    m = _DURATION.fullmatch(text.strip())
    if m is None:
        return None
    days, hours, minutes = (float(part or 0) for part in m.group(1, 2, 3))
    return days * _DAY + hours * _HOUR + minutes * _MINUTE + float(m[4].replace(",", "."))
