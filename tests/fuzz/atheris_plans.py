"""Coverage-guided fuzzing of both spellings: `pip install -e '.[fuzz]'`, then `python tests/fuzz/atheris_plans.py DIR`.

DIR keeps the texts that reach new code; `plans/` is a good beginning. All that libFuzzer takes may follow, such as
`-max_total_time=3600 -rss_limit_mb=512 -timeout=5`. What it finds becomes a case of `tests/dsl/test_hostile.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import atheris

with atheris.instrument_imports(include=["runplan"]):
    from mutants import judged


def one(data: bytes) -> None:
    """A text in either spelling, told by its first byte: a plan or a finding, and nothing worse."""
    judged("x.plan.yaml" if data[:1] > b"\x7f" else "x.plan", data[1:], solve=data[:1] == b"!")


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
