"""Days as Python's own calendar has them."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.dsl.units.calendar import day_of, last_day, seconds_of


@given(st.dates())
def test_a_day_and_its_seconds(day: date) -> None:
    seconds = seconds_of(day.isoformat())
    assert seconds == datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    assert day_of(seconds) == day_of(seconds + 86_399.0) == (day.year, day.month, day.day)
    assert last_day(day.year, day.month) == monthrange(day.year, day.month)[1]


@pytest.mark.parametrize(
    ("seconds", "day"),
    [(-62_167_219_200.0, (0, 1, 1)), (-62_167_219_201.0, (-1, 12, 31)), (253_402_300_800.0, (10000, 1, 1))],
)
def test_the_calendar_goes_on_beyond_the_years_of_python(seconds: float, day: tuple[int, int, int]) -> None:
    assert day_of(seconds) == day


@pytest.mark.parametrize("text", ["2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "0000-01-01", "2026-01", "x"])
def test_what_is_no_day(text: str) -> None:
    assert seconds_of(text) is None
