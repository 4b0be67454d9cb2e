"""What `plan import-config` makes of a file, for the tests of every format."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.cli.main import main
from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import first_of
from runplan.engine.report import Report


def imported(name: str, text: str, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[str, Report]:
    """The plan of a file, which passes its check, and its solution."""
    Path(name).write_text(text, encoding="utf-8")
    assert main(["import-config", *more, name]) == 0, capsys.readouterr().err
    plan = capsys.readouterr().out
    return plan, first_of("x.plan", Files({"x.plan": plan}), catalogue=LIBRARY)


def holds(report: Report, wanted: dict[str, float]) -> None:
    """Whether quantities come to figures in base units; `learning_rate@warmup` is that of a phase."""
    values = report.solutions[0].values
    for name, value in wanted.items():
        text, _, phase = name.partition("@")
        found = values[quantity(text).of("phase", phase) if phase else quantity(text)].value
        assert found == pytest.approx(value), name
