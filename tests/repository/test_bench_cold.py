"""The bench of cold starts runs; how fast anything is, is for its reader and no test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from wheels import needs_repository

BENCH = Path(__file__).resolve().parents[2] / "bench" / "cold.py"

pytestmark = needs_repository


def test_the_bench_of_cold_starts_runs() -> None:
    command = [sys.executable, str(BENCH), "--quick", "--against", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split()[0] == "command" and head.endswith("this / against")
    titles = [row.split("  ")[0] for row in rows]
    assert {f"plan check, {cache}" for cache in ("empty cache", "warm")} <= set(titles)
    assert rows[0].split()[3:6] == ["1.00", "[1.00,", "1.00]"]


def test_a_command_that_fails_is_said(tmp_path: Path) -> None:
    plan = tmp_path / "wrong.plan"
    plan.write_text("hardware: 6 x\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(BENCH), "--quick", "--plan", str(plan)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "plan check" not in done.stdout and "runplan check" in done.stderr
