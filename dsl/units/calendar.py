"""Days of the Gregorian calendar to seconds since 1970, and back, without what `datetime` costs to import."""

from __future__ import annotations

DAY = 86_400
# The calendar repeats after so many years, which are so many days.
_YEARS, _DAYS = 400, 146_097
# Days from the first of March of the year 0, which a leap day ends, to the first of January of 1970.
_BEFORE_1970 = 719_468
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def last_day(year: int, month: int) -> int:
    """The last day of a month."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % _YEARS == 0)
    return 29 if month == 2 and leap else _LENGTHS[month - 1]


def seconds_of(text: str) -> float | None:
    """A day such as `2026-02-01` in seconds since 1970, where it begins in UTC; None for no day of a year from 1 on."""
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    year, month, day = map(int, parts)
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= last_day(year, month)):
        return None
    # Years begin in March here, so that a leap day is the last of one.
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    rounds, year = divmod(year, _YEARS)
    days = year * 365 + year // 4 - year // 100 + (153 * month + 2) // 5 + day - 1
    return float((rounds * _DAYS + days - _BEFORE_1970) * DAY)


def day_of(seconds: float) -> tuple[int, int, int]:
    """Year, month and day, in UTC, of a point in time in seconds since 1970."""
    rounds, day = divmod(int(round(seconds, 6) // DAY) + _BEFORE_1970, _DAYS)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= year * 365 + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    return rounds * _YEARS + year + (month > 9), month + 3 if month < 10 else month - 9, day
