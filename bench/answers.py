"""Makes random plans from their answers and solves them: `python bench/answers.py [COUNT [SEED]]`.

Every plan that does not give its answer back is printed, with what it gave. Exit code 1 where there is one.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from answers import Answer, answers, missed
from known import LIBRARY

from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import report_of


def _wrong(made: Answer) -> str:
    """What is wrong with the solution of a plan; empty where nothing is."""
    try:
        report = report_of("a.plan", Files({"a.plan": made.text}), catalogue=LIBRARY, intervals=False)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    # What they are made from says nothing of memory.
    errors = [f"{f.code}: {f.message}" for f in report.findings if f.severity == "error" and f.code != "H001"]
    if errors or not report.solutions:
        return "; ".join(errors) or "no solution"
    solution = report.solutions[0]
    off = missed(made, solution) if solution.status == "solved" else {}
    return str(off) if off else "" if solution.status == "solved" else solution.status


def main(count: int = 10_000, seed: int = 1) -> int:
    """So many plans from a seed on; what was made, and what was wrong."""
    made: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for answer in islice(answers(seed), count):
        made[answer.kind] += 1
        if said := _wrong(answer):
            wrong[answer.kind] += 1
            print(f"--- {answer.kind}: {said}\n{answer.text}")
    for kind in sorted(made):
        print(f"{kind:14} {made[kind] - wrong[kind]:6} of {made[kind]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
