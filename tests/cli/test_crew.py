"""Options say who does long work, or why nobody does."""

from __future__ import annotations

import pytest

from runplan.cli.main import main


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--draws 19", "`--draws 19`: write how many, from 20 to 20,000"),
        ("--draws many", "`--draws many`: write how many"),
        ("--workers 0", "`--workers 0`: write how many, from 1 to 1,024"),
        ("--workers 2 --scheduler tcp://a:1", "leave out one of the two"),
        ("--scheduler nowhere", "`nowhere` is no address of a scheduler"),
    ],
)
def test_what_cannot_be_used_is_refused(options: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "x.plan", *options.split()]) == 2
    assert said in capsys.readouterr().err
