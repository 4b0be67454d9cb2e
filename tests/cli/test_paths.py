"""Which files a search of folders finds, and what it says of those without a plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runplan.cli.main import main
from runplan.cli.paths import plan_files
from runplan.dsl.packs.configuration import Configuration

PLAN = "compute: 1e21 FLOP\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*paths: str, text: str = PLAN) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")


def test_what_is_hidden_or_installed_is_never_searched() -> None:
    foreign = ("venv", ".venv", ".git", "node_modules", "__pycache__", "a/site-packages", "a/.tox")
    write(*(f"{folder}/deep/x.plan" for folder in foreign), "a/mine.plan", "environment.plan")
    write("my-env/pyvenv.cfg", "my-env/lib/x.plan")
    assert plan_files(["."]) == ["environment.plan", "a/mine.plan"]
    assert plan_files(["venv/deep"]) == ["venv/deep/x.plan"], "what is named is searched"


@pytest.mark.parametrize(
    ("verb", "words"),
    [("solve", []), ("explain", ["loss"]), ("sweep", ["tokens=1T"]), ("export", ["--to", "slurm"]), ("ladder", [])],
)
def test_a_folder_is_the_plan_in_it(verb: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Of a verb of one plan; and one of several is not chosen for anybody."""
    write("one/x.plan", "two/x.plan", "two/y.plan")
    assert main([verb, "two", *words]) == 2
    assert "two has 2 plans: name one of them, such as two/x.plan" in capsys.readouterr().err
    main([verb, "one", *words])
    assert "directory" not in capsys.readouterr().err


def test_what_the_configuration_excludes() -> None:
    write("runplan.toml", text='exclude = ["drafts", "old/*.plan", "*-test.plan"]\n')
    write("a.plan", "drafts/b.plan", "c/drafts/d.plan", "old/e.plan", "c/old/f.plan", "c/g-test.plan")
    assert plan_files(["."]) == ["a.plan", "c/old/f.plan"]
    assert plan_files(["drafts/b.plan", "c"]) == ["drafts/b.plan", "c/old/f.plan"], "a file that is named is checked"


def test_each_project_excludes_its_own() -> None:
    write("one/runplan.toml", text='exclude = ["x.plan"]\n')
    write("two/pyproject.toml", text='[tool.runplan]\nexclude = ["y"]\n')
    write("one/x.plan", "one/y/z.plan", "two/x.plan", "two/y/z.plan")
    assert plan_files(["one", "two"]) == ["one/y/z.plan", "two/x.plan"]


@pytest.mark.parametrize(
    ("pattern", "path", "left_out"),
    [
        ("drafts", "a/drafts/x.plan", True),
        ("drafts/", "drafts/x.plan", True),
        ("./a/b", "a/b/c/x.plan", True),
        ("a/b", "c/a/b/x.plan", False),
        ("x.*", "a/x.plan", True),
        ("x", "a/x.plan", False),
    ],
)
def test_a_pattern(pattern: str, path: str, left_out: bool) -> None:
    assert Configuration(exclude=(pattern,)).excludes(path) is left_out


def test_a_wrong_exclude_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write("runplan.toml", text='exclude = "drafts"\n')
    write("a.plan")
    assert main(["check"]) == 2
    assert "`exclude` is a list of texts" in capsys.readouterr().err


def test_an_empty_folder_among_several_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.plan")
    Path("empty").mkdir()
    Path("other").mkdir()
    assert main(["check", "empty", "a.plan", "other", "-o", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["files"] == 1
    assert err == "no plan found in empty, other; plans end in .plan, .plan.yaml, .plan.yml\n"
    assert main(["check", "empty"]) == 2
    assert "no plan found in empty; plans end in" in capsys.readouterr().err


def test_standard_input_wants_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-"]) == 2
    assert "add `--stdin-filename x.plan`, or `x.plan.yaml` for YAML" in capsys.readouterr().err
