"""Help that takes work is worked out for whoever reads it, once, and for nobody else."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import runplan
from runplan.cli.main import main
from runplan.dsl.dataclass import replace
from runplan.dsl.text.later import Later, changed
from runplan.engine.judge import changes
from runplan.engine.problem.either import Either
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.solution import Change, Solution

BROKEN = """laws: chinchilla, llama3
hardware: 64 x H100 for 30 days at 40% MFU @ 2.40 USD/GPU/hour
model: 7B
require cost <= 10k USD
"""


def test_work_is_done_once_and_for_the_first_reader() -> None:
    done: list[int] = []

    def work() -> list[str]:
        done.append(1)
        return ["a", "b"]

    texts = Later(work)
    louder = changed(texts, lambda each: (text.upper() for text in each))
    assert not done
    assert [*louder] == ["A", "B"] and done == [1]
    assert texts == ("a", "b") == Later(lambda: "ab") and hash(texts) == hash(("a", "b"))
    assert (len(texts), texts[1], repr(texts), bool(Later(tuple))) == (2, "b", "('a', 'b')", False)
    assert pickle.loads(pickle.dumps(texts)) == ("a", "b") and done == [1]
    assert changed(("a",), lambda each: each) == ("a",)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The laws under which changes were looked for."""
    laws: list[str] = []
    searched = changes.keeping

    def keeping(solution: Solution, *own: Constraint | Either) -> list[Change]:
        laws.append(solution.law)
        return searched(solution, *own)

    monkeypatch.setattr(changes, "keeping", keeping)
    return laws


def test_changes_are_looked_for_where_they_are_shown(
    asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "over.plan"
    plan.write_text(BROKEN)
    assert main(["check", str(plan), "-o", "concise"]) == 1
    assert "error[B001]" in capsys.readouterr().out and not asked
    assert main(["check", str(plan)]) == 1
    # Both laws break it; it is said once, of the first.
    assert "it fits with" in capsys.readouterr().out and asked == ["chinchilla"]


def test_a_finding_is_equal_to_one_with_its_help_at_hand() -> None:
    (found,) = runplan.Project(runplan.Files({"a.plan": BROKEN})).check("a.plan", select=["B001"])
    assert isinstance(found.help, Later)
    assert found == replace(found, help=tuple(found.help)) and found.help[0].startswith("it fits with")
