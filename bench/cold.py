"""Cold starts as ratios against named baselines, interleaved in one run: `python bench/cold.py [ROUNDS]`.

Each command runs as a whole process; the figure is the median of user and system time over the rounds, the ratio the
median of the ratios within a round. Run it from an installed wheel: without compiled bytecode it measures compiling.
"""

from __future__ import annotations

import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PLAN = """\
laws: [chinchilla]
let:
  budget: 30M USD
hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data:
  web: 10T tokens
require:
  - cost <= budget
  - tokens / params >= 20
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """What is timed, the baseline first."""
    file = folder / "bench.plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    run = [sys.executable, "-m", "runplan"]
    return {
        "import yaml": [sys.executable, "-c", "import yaml"],
        "import numpy": [sys.executable, "-c", "import numpy"],
        "plan --version": [*run, "--version"],
        "plan law chinchilla": [*run, "law", "chinchilla"],
        "plan check": [*run, "check", str(file)],
        "plan solve": [*run, "solve", str(file)],
    }


def cpu(command: list[str]) -> float:
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Time all commands and print one table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        named = commands(Path(folder))
        baseline = next(iter(named))
        times: dict[str, list[float]] = {name: [] for name in named}
        for command in named.values():  # once each to warm the disk and our own cache
            cpu(command)
        for _ in range(rounds):
            order = list(named)
            random.shuffle(order)
            for name in order:
                times[name].append(cpu(named[name]))
    print(f"{'command':<22}{'CPU ms':>8}{'x ' + baseline:>16}")
    for name, found in times.items():
        ratio = statistics.median(a / b for a, b in zip(found, times[baseline], strict=True))
        print(f"{name:<22}{statistics.median(found) * 1000:>8.0f}{ratio:>16.2f}")


if __name__ == "__main__":
    main()
