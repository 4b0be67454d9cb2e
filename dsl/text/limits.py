"""What is read at most, so that a stranger's file costs time and memory only up to a bound."""

from __future__ import annotations

MAX_CHARACTERS = 100_000
MAX_BYTES = 4 * MAX_CHARACTERS
# A lock has some lines for each plan of a project.
LOCK, MAX_LOCK_BYTES = "runplan.lock", 100 * MAX_BYTES
# Runs that were measured, and logs: a line for each of a million steps, and more. What ends so is no plan.
MAX_RUNS_BYTES = 128 * 1024 * 1024
RUNS = (".csv", ".tsv", ".txt", ".log", ".out", ".json", ".jsonl", ".ndjson", ".parquet")
MAX_IMPORTS = 100
# Of the mistakes in one file.
MAX_FINDINGS = 50
# Brackets in brackets, and levels of a syntax tree, or of an expression with its `let`s written out.
MAX_BRACKETS = 64
MAX_DEPTH = 200
# Collections in collections of a YAML file, and its values.
MAX_YAML_DEPTH = 32
MAX_YAML_VALUES = 10_000
# Terms of an expression with its `let`s written out.
MAX_TERMS = 20_000
MAX_STAGES = 50
# Statements of a rule in all of a plan, and pools of one `hardware`: what is solved grows with them, and a conflict
# among requirements is looked for in all of them.
MAX_STATEMENTS = {"phase": 500, "require": 64, "prefer": 64}
MAX_POOLS = 50
# Files of the packs that a configuration names, and of a folder that is searched.
MAX_PACK_FILES = 1_000
MAX_FOLDER_FILES = 20_000
# Names with dots between them in a configuration.
MAX_DOTS = 32


def most_bytes(path: str) -> int:
    """How many bytes of a file are read."""
    return MAX_LOCK_BYTES if path.endswith(LOCK) else MAX_RUNS_BYTES if path.endswith(RUNS) else MAX_BYTES
