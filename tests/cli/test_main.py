"""What the command says where its standard output takes nothing, and of an option that is said twice."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

from runplan.cli import stream, verbs
from runplan.cli.arguments import parser_of
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


@pytest.mark.parametrize("verb", [module.name for module in iter_modules(verbs.__path__)])
def test_no_option_passes_over_another(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of an option with one value the last would be taken, and what was said first be left out in silence."""
    run = import_module(f"{verbs.__name__}.{verb}").run
    for action in parser_of(run)._actions:
        if action.nargs is not None or not action.option_strings or "Append" in type(action).__name__:
            continue
        option, value = action.option_strings[-1], next(iter(action.choices or "1"))
        with pytest.raises(SystemExit) as stop:
            parser_of(run).parse_args([option, value, option, value])
        assert stop.value.code == 2
        assert f"argument {'/'.join(action.option_strings)}: given twice" in capsys.readouterr().err


@pytest.mark.parametrize("closed", [["stdin"], ["stdout"], ["stderr"], ["stdin", "stdout", "stderr"]])
@pytest.mark.parametrize(
    ("args", "code"),
    [(["--version"], 0), (["law", "chinchilla", "-o", "json"], 0), (["nonsense"], 2), (["fmt", "-", "--check"], 2)],
)
def test_a_stream_that_is_closed_changes_no_exit_code(
    args: list[str], code: int, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a process that is started by `plan ... >&-`, or by what gives it no stream at all."""
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    try:
        assert main(args) == code
    finally:
        for name in closed:
            getattr(sys, name).close()


@pytest.mark.parametrize("lines", [1, 10_000])  # what a buffer holds until the end, and more than that
@pytest.mark.parametrize("code", [0, 1, 2, 4])
def test_a_reader_that_has_enough_changes_no_exit_code(code: int, lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `plan check | head -1`: what breaks its plan fails, however much of that is read."""

    def answered(*_: object) -> int:
        stream.write("line\n" * lines)
        return code

    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as unread:
        monkeypatch.setattr(sys, "stdout", unread)
        monkeypatch.setattr("runplan.cli.main.answered", answered)
        assert main(["check"]) == code
        assert not stream.is_read()


@pytest.mark.parametrize("option", [["-o", "json"], ["-ojson"], ["--output=json"], ["--outp", "json"], ["--ou=json"]])
def test_where_json_was_asked_for_it_says_why_there_is_none(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["solve", "missing.plan", *option]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit"] == 2
