"""`plan config`: what holds for plans, and where it is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runplan.cli.main import main
from runplan.dsl.packs.configuration import KEYS

FILES = {
    "pyproject.toml": '[project]\nname = "x"\n\n[tool.runplan]\nselect = ["B",\n  "under-trained"]\n'
    'severity = { H004 = "error" }\n\n[tool.runplan.budgets]\n"." = "board.plan"\n',
    "board.plan": "require gpus <= 64\n",
    "in/runplan.toml": 'fail-on = "never"\n',
    "in/a.plan": "compute: 1e21 FLOP\n",
}


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {**FILES, ".git/HEAD": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


def told(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, tuple[object, str]]:
    assert main(["config", *args, "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    origin = ((one["key"], one["value"], one.get("origin")) for one in found["settings"])
    return {key: (value, f"{at['file']}:{at['line']}" if at else "") for key, value, at in origin}


def test_each_setting_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys)
    assert found["select"] == (["B", "under-trained"], "pyproject.toml:5")
    assert found["severity.H004"] == ("error", "pyproject.toml:7")
    assert found['budgets."."'] == (["board.plan"], "pyproject.toml:10")
    assert found["fail-on"] == ("error", "")
    assert {key.partition(".")[0] for key in found} == set(KEYS)


def test_the_nearest_configuration_holds_and_budgets_from_above_do_too(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "in/a.plan")
    assert found["fail-on"] == ("never", "in/runplan.toml:1") and found["select"] == ([], "")
    assert found['budgets."."'] == (["board.plan"], "pyproject.toml:10")


def test_people_are_told_where_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "in"]) == 0
    assert "runplan.toml:1" not in capsys.readouterr().out
    assert main(["config", "in", "--show-origin"]) == 0
    out = capsys.readouterr().out
    assert 'fail-on           in/runplan.toml:1  "never"' in out and "default" in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ignore = ["B99"]', "in/runplan.toml:1: `ignore`: `B99` is no code of a finding"),
        ('fial-on = "never"', "unknown key `fial-on`; did you mean `fail-on`?"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/runplan.toml").write_text(text)
    assert main(["config", "in"]) == 2
    assert said in capsys.readouterr().err
