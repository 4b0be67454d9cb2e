"""What is read at most, so that a stranger's file costs time and memory only up to a bound."""

MAX_CHARACTERS = 100_000
MAX_BYTES = 4 * MAX_CHARACTERS
MAX_IMPORTS = 100
