"""What an organisation requires of every plan of a folder holds, whatever a plan, or a folder in it, says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import runplan
from runplan.cli.main import main
from runplan.dsl.text.finding import Finding

BOARD = 'let cap = 1M USD  # for now\nrequire cost <= cap because "board, 2026-03"\n'
CONFIGURATION = '[budgets]\n"." = "policy/board.plan"\n"teams/vision" = ["policy/vision.plan"]\n'
OVER = "hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour"


def project(plans: dict[str, str], **policies: str) -> runplan.Project:
    files = {"runplan.toml": CONFIGURATION, "policy/board.plan": BOARD, "policy/vision.plan": "require gpus <= 64\n"}
    named = {f"policy/{name}.plan": text for name, text in policies.items()}
    return runplan.Project(runplan.Files({**files, **named, "teams/vision/x.txt": "", **plans}))


def broken(text: str, name: str = "teams/a.plan", **policies: str) -> list[Finding]:
    found = project({name: text}, **policies).check(name)
    return [f for f in found if f.severity == "error"]


def test_a_plan_over_the_budget_of_its_folder_fails_and_both_files_are_named() -> None:
    (found,) = broken(OVER)
    assert (found.code, found.at.span.source.path, found.at.span.line) == ("B001", "teams/a.plan", 1)
    assert "1M USD that `policy/board.plan` allows" in found.message
    assert [label.span.source.path for label in found.also] == ["policy/board.plan"]
    assert "because: board, 2026-03" in found.notes
    assert found.fixes and all(edit.span.source.path == "teams/a.plan" for fix in found.fixes for edit in fix.edits)


@pytest.mark.parametrize(
    "loosened",
    [
        f"let cap = 100M USD\n{OVER}\n",
        f"{OVER}  # ignore[B001] the team says so\n",
        f"# ignore[over-budget] the team says so\n{OVER}\n",
        f'import "caps.plan"\nlet budget = cap\n{OVER}\nrequire cost <= budget\n',
        f"{OVER}\nrequire cost <= 100M USD\n",
    ],
)
@pytest.mark.parametrize("spelling", [".plan", ".plan.yaml"])
def test_no_plan_loosens_it(loosened: str, spelling: str) -> None:
    name = f"teams/a{spelling}"
    if spelling.endswith("yaml"):
        if "import" in loosened:
            loosened = loosened.replace('import "caps.plan"', "import: caps.plan")
        loosened = loosened.replace("let cap = ", "let:\n  cap: ").replace("let budget = ", "let:\n  budget: ")
        loosened = loosened.replace("require cost", "require: cost")
    files = {name: loosened, "teams/caps.plan": "let cap = 100M USD\n"}
    gate = project(files).gate(name, ignore=["B"], select=["D"])
    assert [f.code for f in gate.findings if f.severity == "error"] == ["B001"] and not gate.verdict.holds
    assert project(files).gate(name, settings=["require=cost <= 100M USD"]).verdict.holds is False


def test_what_is_free_is_solved_within_it() -> None:
    text = "hardware: up to 100k x H100 for up to 30 days at 40% MFU @ 2.50 USD/GPU/hour\n"
    found = project({"teams/a.plan": text}).report("teams/a.plan")
    assert found.solutions[0]["cost"].value <= 1e6 < 1.05 * found.solutions[0]["cost"].value


def test_a_folder_has_those_of_the_folders_around_it() -> None:
    small = OVER.replace("1000", "100").replace("6 months", "1 month")
    assert broken(small) == []
    (found,) = broken(small, "teams/vision/deep/a.plan")
    assert found.message.endswith("64 GPU that `policy/vision.plan` allows")
    assert broken(small, "teams/visionary/a.plan") == []


def test_what_it_needs_and_a_plan_does_not_say_is_told_at_the_plan() -> None:
    (found,) = broken("hardware: 8 x H100 for 1 month\n")
    assert (found.code, found.at.span.source.path) == ("C004", "teams/a.plan")
    assert "policy/board.plan" in [label.span.source.path for label in found.also]
    assert found.message == "`cost` is not known: no `price` is given; `policy/board.plan` requires it"


def test_its_rates_are_its_own() -> None:
    euros = "rate EUR = 1.1 USD on 2026-01-15\nrequire cost <= 1M EUR\n"
    (found,) = broken(f"rate EUR = 100 USD on 2026-01-15\n{OVER}\n", board=euros)
    assert (found.code, found.at.span.source.path) == ("N005", "teams/a.plan")
    assert [f.code for f in broken(OVER, board=euros)] == ["B001"]


def test_it_says_what_is_required_and_nothing_else() -> None:
    found = broken(OVER, board="tokens: 2T\nrequire cost <= 1M USD\nrequier cost <= 1 USD\n")
    assert [(f.code, f.at.span.source.path, f.at.span.line) for f in found] == [
        ("N001", "policy/board.plan", 1),
        ("N001", "policy/board.plan", 3),
    ]


@pytest.mark.parametrize("emptied", ["", "# require cost <= 1M USD\n", "let cap = 1M USD\n"])
def test_one_that_requires_nothing_lets_no_plan_pass(emptied: str) -> None:
    (found,) = broken(OVER, board=emptied)
    assert (found.code, found.at.span.source.path) == ("S006", "policy/board.plan")


def test_a_file_that_only_defines_is_no_plan() -> None:
    assert broken("let x = 1 USD\n") == []


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ('[budgets]\n"." = "policy/bord.plan"\n', "the budget `policy/bord.plan`"),
        ('[budgets]\n"teems" = "policy/board.plan"\n', "the folder `teems` of `budgets` is not there"),
        ('[budgets]\n"policy/board.plan" = "policy/board.plan"\n', "`policy/board.plan` of `budgets` is a file"),
        ('budgets = ["policy/board.plan"]\n', "`budgets` is a table of folders"),
        ("baseline-budgets = 1\n", "`baseline-budgets` is true or false"),
    ],
)
def test_a_configuration_that_cannot_be_kept_is_refused(configuration: str, said: str) -> None:
    with pytest.raises(runplan.BadConfig, match=said.replace("[", "\\[")):
        project({"runplan.toml": configuration})


def test_a_nearer_configuration_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"runplan.toml": CONFIGURATION, "policy/board.plan": BOARD, "policy/vision.plan": "require gpus <= 64\n"}
    files |= {
        "teams/vision/runplan.toml": 'fail-on = "never"\nseverity = { B = "info" }\n',
        "teams/vision/a.plan": OVER,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["check", ".", "-o", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(f["code"], f["budget"], f["severity"]) for f in found if "budget" in f] == [
        ("B001", "policy/board.plan", "error"),
        ("B001", "policy/vision.plan", "error"),
    ]
    assert {f["file"] for f in found} == {"teams/vision/a.plan"}, "the budgets are no plans"
    for baselined, code in (("false", 1), ("true", 0)):
        (tmp_path / "runplan.toml").write_text(f"baseline-budgets = {baselined}\n{CONFIGURATION}")
        main(["check", ".", "--write-baseline"])
        assert main(["check", ".", "--baseline", "plan-baseline.json"]) == code
    capsys.readouterr()
