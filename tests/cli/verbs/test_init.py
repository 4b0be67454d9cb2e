"""`plan init` writes plans that hold, never overwrites, and says what it did."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import runplan
from runplan.cli.main import main
from runplan.cli.verbs.init import CONFIGURATION, INCLUDED, JOBS, PLANS, SCHEMA, TEMPLATES
from runplan.dsl.packs.configuration import KEYS
from runplan.dsl.text.reader import Disk
from runplan.engine.pipeline import report_of

(WORKFLOW,) = JOBS["github"].values()


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("template", PLANS)
def test_what_is_written_checks(template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "runs", "--template", template]) == 0
    out, err = capsys.readouterr()
    names = [PLANS[template], CONFIGURATION, *([SCHEMA] if template == "yaml" else []), WORKFLOW]
    assert out.splitlines() == [f"written  {Path('runs', name)}" for name in names]
    assert f"plan check {Path('runs', PLANS[template])}" in err
    os.chdir("runs")
    assert main(["check", "-o", "json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["files"], summary["errors"], summary["warnings"]) == (1, 0, 0)
    assert main(["solve", PLANS[template], "-o", "json"]) == 0
    solutions = json.loads(capsys.readouterr().out)["solutions"]
    assert {solution["status"] for solution in solutions} == {"solved"}


@pytest.mark.parametrize("template", PLANS)
def test_a_written_plan_tells_what_to_do(template: str) -> None:
    text = (TEMPLATES / PLANS[template]).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert f"plan check {PLANS[template]}" in text or f"plan compare {PLANS[template]}" in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_plan_in_yaml_names_its_schema_beside_it() -> None:
    assert main(["init", "--template", "yaml"]) == 0
    first = Path("training.plan.yaml").read_text("utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA}"
    assert json.loads(Path(SCHEMA).read_text("utf-8"))["properties"]["hardware"]


def test_both_spellings_are_one_plan() -> None:
    plans = [report_of(str(TEMPLATES / PLANS[name]), Disk(TEMPLATES)).plan for name in ("training", "yaml")]
    assert plans[0] == plans[1] is not None


def test_every_template_is_written_by_some_name() -> None:
    jobs = {name for names in JOBS.values() for name in names}
    assert {path.name for path in TEMPLATES.iterdir()} == {*PLANS.values(), CONFIGURATION, *jobs}


def test_the_configuration_is_empty() -> None:
    text = (TEMPLATES / "runplan.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text) == {}
    # What stands in comments is what may be said.
    said = [line.removeprefix("# ") for line in text.splitlines() if " = " in line]
    assert set(tomllib.loads("\n".join(said))) == set(KEYS)


def test_the_workflow_checks() -> None:
    workflow = yaml.safe_load((TEMPLATES / "github.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["check"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["pip install runplan", "plan check -o github"]
    pinned = [step["uses"] for step in steps if "uses" in step]
    assert pinned and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name) for name in pinned)


def test_of_gitlab_the_job_is_a_file_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Its reports are those that its script writes; an older pipeline is told what includes it."""
    assert main(["init", "--ci", "gitlab"]) == 0
    assert yaml.safe_load(Path(".gitlab-ci.yml").read_text("utf-8")) == yaml.safe_load(INCLUDED)
    job = yaml.safe_load(Path(".gitlab/plan.yml").read_text("utf-8"))["plan"]
    assert "pip install" in job["script"][0] and job["artifacts"]["when"] == "always"
    capsys.readouterr()
    (argv,) = [shlex.split(line)[1:] for line in job["script"] if line.startswith("plan ")]
    assert main(argv) == 0
    reports = job["artifacts"]["reports"]
    assert set(reports) == {"codequality", "junit"} and all(Path(file).exists() for file in reports.values())
    assert not Path(".github").exists()
    Path("older").mkdir()
    os.chdir("older")
    Path(".gitlab-ci.yml").write_text("stages: [test]\n", "utf-8")
    assert main(["init", "--ci", "gitlab"]) == 0
    assert f"next     add to .gitlab-ci.yml: {INCLUDED}" in capsys.readouterr().err
    assert Path(".gitlab-ci.yml").read_text("utf-8") == "stages: [test]\n" and Path(".gitlab/plan.yml").exists()


def test_without_ci_nothing_is_written_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--ci", "none"]) == 0
    assert sorted(path.name for path in Path().iterdir()) == ["runplan.toml", "training.plan"]
    assert capsys.readouterr().err == "next     plan check training.plan\n"
    assert main(["init", "--ci", "gitlob"]) == 2
    assert "unknown system of CI `gitlob`; did you mean `gitlab`?" in capsys.readouterr().err


def test_in_a_repository_the_workflow_stands_where_github_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("repository/.git").mkdir(parents=True)
    Path("repository/runs").mkdir()
    os.chdir("repository/runs")
    assert main(["init", "first"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"written  {Path('..', WORKFLOW)}" and "GitHub reads" not in err
    assert Path("first/training.plan").exists() and not Path("first/.github").exists()
    os.chdir("../..")
    assert main(["init", "elsewhere"]) == 0
    assert "GitHub reads it at the root of a repository: this is to be one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("origin", "command", "by_hand"),
    [
        (None, f"pip install runplan=={runplan.__version__}", ""),
        (
            {"url": "https://example.org/r.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            'pip install "git+https://example.org/r.git@abc"',
            "",
        ),
        ({"url": "https://example.org/r.whl", "archive_info": {}}, 'pip install "https://example.org/r.whl"', ""),
        (
            {"url": "file:///my/r%20p", "dir_info": {"editable": True}},
            f"pip install .github/runplan-{runplan.__version__}-py3-none-any.whl",
            "pip wheel --no-deps -w .github '/my/r p'   # in .: the job installs it",
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths are others there")
def test_the_workflow_installs_what_is_installed_here(
    origin: object, command: str, by_hand: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr("runplan.cli.verbs.init.distribution", lambda name: Installed())
    assert main(["init"]) == 0
    steps = yaml.safe_load(Path(WORKFLOW).read_text(encoding="utf-8"))["jobs"]["check"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [command, "plan check -o github"]
    err = capsys.readouterr().err
    assert f"next     {by_hand}" in err and ("pip wheel" in err) == bool(by_hand)


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runplan.toml").write_text("# mine\n", encoding="utf-8")
    assert main(["init"]) == 0
    out, err = capsys.readouterr()
    assert "written  training.plan" in out
    assert "exists   runplan.toml, left as it is" in err
    assert Path("runplan.toml").read_text(encoding="utf-8") == "# mine\n"
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert main(["init"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "training.plan, runplan.toml, .github/workflows/plan.yml are there already" in err
    assert "`plan check training.plan` checks the plan, another DIR or --template NAME writes another" in err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.plan"
    Path("training.plan").symlink_to(target)
    assert main(["init"]) == 0
    assert not target.exists()


@pytest.mark.parametrize(("name", "help"), [("protien", "did you mean `protein`?"), ("x", "it is one of training")])
def test_an_unknown_template(name: str, help: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--template", name]) == 2
    assert help in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_a_file_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs").write_text("a file\n", encoding="utf-8")
    assert main(["init", "runs"]) == 2
    assert "runs" in capsys.readouterr().err
    assert Path("runs").read_text(encoding="utf-8") == "a file\n"


def test_the_example_of_the_help_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--help"]) == 0
    example = capsys.readouterr().out.split("example: plan ")[1].split()
    assert main(example) == 0
