"""`plan check`: what is shown is a matter of taste, whether a plan holds is not; and codes that there are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runplan.cli.main import main
from runplan.cli.show.formats import offered

HARDWARE = "hardware: 512 x H100 for 1 year at 40% MFU @ 2.50 USD/GPU/hour\n"
# What does not hold, with the exit code that says so.
FAIL = {
    "over": (HARDWARE + "require cost <= 8M USD\n", 1),
    "broken": ("model: 1B\ntokens: 20B\nrequire tokens / params >= 30\n", 1),
    "infeasible": ("hardware: 8 x H100 for 1 day at 40% MFU\nmodel: 70B\ntokens: 2T\n", 1),
    "open": ("model: ?\n", 1),
    "lawless": ("objective: MLM of text\nhardware: 8 x H100 for 1 day at 40% MFU\n", 1),
    "unread": ("tokenz: 2T\n", 1),
    "given-up": ("hardware: 8 x H100 for 30 days\nmodel: 1B\ntokens: 20B\nminimize fitting_gpus\n", 4),
}
HOLDS = HARDWARE + "require cost <= 12M USD\n"
WORDS = [
    "S",
    "N",
    "U",
    "C",
    "B",
    "B0",
    "b001",
    "B002",
    "over-budget",
    "L",
    "L004",
    "H",
    "D",
    "T",
    "R",
    "X",
    "C003",
    "c009",
]


def check(tmp_path: Path, plans: dict[str, str], *flags: str) -> int:
    for name, text in plans.items():
        (tmp_path / f"{name}.plan").write_text(text, encoding="utf-8")
    return main(["check", *(str(tmp_path / f"{name}.plan") for name in plans), *flags])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_choice_of_findings_makes_a_plan_hold(folder: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FAIL)))
    flags = []
    for option in ("--select", "--ignore"):
        if words := data.draw(st.lists(st.sampled_from(WORDS), max_size=3)):
            flags += [option, ",".join(words)]
    flags += ["--fail-on", data.draw(st.sampled_from(["error", "never"]))]
    flags += ["-o", data.draw(st.sampled_from(offered("findings")))]
    severity = data.draw(st.dictionaries(st.sampled_from(WORDS), st.sampled_from(["error", "warning", "info"])))
    said = "".join(f"{word} = {json.dumps(value)}\n" for word, value in severity.items())
    (folder / "runplan.toml").write_text(f"[severity]\n{said}", encoding="utf-8")
    raised = [value for value in severity.values() if value == "error"]
    assert check(folder, {name: FAIL[name][0]}, *flags) in ({FAIL[name][1]} | ({1} if raised else set()))
    assert check(folder, {name: FAIL[name][0]}, *flags, "--exit-zero") == 0


@pytest.mark.parametrize("name", FAIL)
def test_one_bad_plan_of_several_decides(name: str, tmp_path: Path) -> None:
    assert check(tmp_path, {"a": HOLDS, name: FAIL[name][0], "z": HOLDS}, "--select", "R") == FAIL[name][1]
    assert check(tmp_path, {"a": HOLDS, "z": HOLDS}, "--select", "R") == 0


def test_why_the_exit_is_not_0_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, {"over": FAIL["over"][0]}, "--select", "D", "-o", "json") == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert [f["code"] for f in document["findings"]] == []
    (verdict,) = document["verdicts"]
    assert (verdict["holds"], verdict["law"], verdict["code"]) == (False, "chinchilla.epoch", "B001")
    assert "error[B001] `cost` is 11.21M USD" in err and "decides" in err
    assert check(tmp_path, {"over": FAIL["over"][0]}, "-o", "json") == 1
    assert capsys.readouterr().err == ""


def test_a_severity_of_the_configuration_is_shown_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runplan.toml").write_text('severity = { H = "warning", H004 = "error", B001 = "info" }\n')
    assert check(tmp_path, {"a": HOLDS}, "-o", "concise") == 1
    assert "error[H004]" in capsys.readouterr().out
    assert check(tmp_path, {"over": FAIL["over"][0]}, "--ignore", "H", "-o", "concise") == 1
    assert "info[B001]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "near"),
    [
        (["--select", "BO01"], "B001"),
        (["--select", "over-budgett"], "over-budget"),
        (["--ignore", "b001,D0002"], "D002"),
        (["--ignore", "Z"], "`plan rule` lists them"),
        (["--select", "B001x"], "B001"),
    ],
)
def test_a_code_that_there_is_not_is_refused(
    flags: list[str], near: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for plans in ({"a": HOLDS}, {"a": HOLDS, "over": FAIL["over"][0]}):
        assert check(tmp_path, plans, *flags) == 2
        out, err = capsys.readouterr()
        assert out == "" and near in err


@pytest.mark.parametrize("key", ["select", "ignore", "severity"])
@pytest.mark.parametrize("file", ["runplan.toml", "pyproject.toml"])
def test_one_in_the_configuration_too(key: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = '{ BO01 = "info" }' if key == "severity" else '["D", "BO01"]'
    head = "[tool.runplan]\n" if file == "pyproject.toml" else "\n"
    (tmp_path / file).write_text(f"{head}{key} = {value}\n", encoding="utf-8")
    assert check(tmp_path, {"a": HOLDS}) == 2
    assert f"{file}:2: `{key}`: `BO01` is no code of a finding; did you mean `B001`?" in capsys.readouterr().err


def test_a_severity_that_there_is_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runplan.toml").write_text('severity = { D002 = "fatal" }\n')
    assert check(tmp_path, {"a": HOLDS}) == 2
    assert "error, warning, info" in capsys.readouterr().err


def test_rules_of_packs_and_of_plans_have_codes(tmp_path: Path) -> None:
    rule = 'rule {0} big-{0} info {{ when params > 1B param; says "large" }}\n'
    (tmp_path / "pack.plan").write_text(rule.format("ACME7").replace("; ", "\n"), encoding="utf-8")
    (tmp_path / "runplan.toml").write_text('packs = ["pack.plan"]\nignore = ["acme7"]\n')
    own = HOLDS + rule.format("OURS3").replace("; ", "\n")
    assert check(tmp_path, {"a": own}, "--select", "acme,OURS3") == 0
    assert check(tmp_path, {"a": own, "b": HOLDS}, "--select", "ours") == 0
    assert check(tmp_path, {"b": HOLDS}, "--select", "ours") == 2


def test_a_comment_names_codes_in_any_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        check(tmp_path, {"over": FAIL["over"][0].rstrip() + "  # ignore[b001] the board knows"}, "-o", "concise") == 0
    )
    assert "B001" not in capsys.readouterr().out


def test_a_comment_silences_what_is_decided_and_not_what_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = HARDWARE + "model: 70B\nrequire loss <= 1.7  # ignore[B002] so be it\n"
    assert check(tmp_path, {"a": text}, "-o", "concise") == 1
    out, err = capsys.readouterr()
    assert "B002" not in out and "decides" in err and "error[B002]" in err
