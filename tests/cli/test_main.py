"""What the command says where its standard output takes nothing."""

from __future__ import annotations

import os
import sys

import pytest

from runplan.cli.main import main

FULL = "/dev/full"


@pytest.mark.skipif(not os.path.exists(FULL), reason="there is no such device here")
@pytest.mark.parametrize("buffering", [-1, 1])
@pytest.mark.parametrize("args", [["law"], ["schema"], ["--version"], ["--help"]])
def test_what_cannot_be_said_is_no_bug(
    args: list[str], buffering: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(FULL, "w", buffering=buffering, encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(args) == 2
    assert capsys.readouterr().err == "plan: standard output: No space left on device\n"
