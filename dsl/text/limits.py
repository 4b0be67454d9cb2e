"""What is read at most, so that a stranger's file costs time and memory only up to a bound."""

from __future__ import annotations

MAX_CHARACTERS = 100_000
MAX_BYTES = 4 * MAX_CHARACTERS
MAX_IMPORTS = 100


MAX_TERMS = 20_000


MAX_STAGES = 50
