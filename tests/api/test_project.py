"""One project by every way: the command, the API, a dictionary of files; and what changes between two questions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

import runplan
from runplan import Buffer, Disk, Files, Project
from runplan.cli.main import main
from runplan.cli.show.text.json_text import document_text

DEVICE = 'device x1 aliases X1 {{ peak bf16 {peak} TFLOP/s from "data sheet"; memory 96 GB from "data sheet" }}\n'
RULE = 'rule ACME1 too-long warning { when time > most; says "the run takes {time}"; blames time }\n'
TREE = {
    "runplan.toml": 'packs = ["packs", "ours.plan"]\nignore = ["L001"]\n',
    "packs/acme.plan": DEVICE.format(peak=400),
    "packs/quantities.plan": 'quantity fun in token = tokens * 2 "what else"\n',
    "ours.plan": (
        'run x7 { device "X1"; params 7B; tokens 1T; gpu_hours 90k GPU-hours }\n'
        'price spot { price 2 USD/GPU/hour from "list" }\n'
    ),
    "lib/rules.plan": "let most = 20 days\n" + RULE,
    "plans/p.plan": (
        'import "../lib/rules.plan"\nuse laws chinchilla, llama3\nhardware: 64 x X1 for 30 days @ spot.price\n'
        "require cost <= 1k USD\n"
    ),
}
PLAN = "plans/p.plan"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on disk, and the current folder."""
    root = tmp_path / "project"
    for name, text in TREE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def command(capsys: pytest.CaptureFixture[str], path: str, *argv: str, code: int = 1) -> str:
    assert main(["solve", path, "-o", "json", *argv]) == code
    return capsys.readouterr().out


def printed(report: runplan.Report) -> str:
    return document_text(report.to_dict())


# ---- the same bytes by every way


def by_the_api(root: Path) -> runplan.Report:
    return runplan.solve(PLAN)


def by_an_open_project(root: Path) -> runplan.Report:
    os.chdir("/")
    return Project.open(root).report(PLAN)


def by_a_dictionary(root: Path) -> runplan.Report:
    shutil.rmtree(root / "packs")  # what is on disk is not asked
    (root / "runplan.toml").write_text("nonsense = 1\n", encoding="utf-8")
    (root / "lib" / "rules.plan").write_text("let most = 1 day\n", encoding="utf-8")
    return Project(Files(TREE)).report(PLAN)


def by_a_text(root: Path) -> runplan.Report:
    (root / PLAN).write_text("hardware: 3 x H100\n", encoding="utf-8")
    return Project.open(".").report(PLAN, text=TREE[PLAN])


def by_a_buffer(root: Path) -> runplan.Report:
    (root / "packs" / "acme.plan").write_text("", encoding="utf-8")
    name = os.path.join(root, "packs", "acme.plan")  # as an editor names it
    return Project(Buffer(name, TREE["packs/acme.plan"].encode(), Disk(root))).report(PLAN)


@pytest.mark.parametrize(
    "way", [by_the_api, by_an_open_project, by_a_dictionary, by_a_text, by_a_buffer], ids=lambda way: way.__name__
)
def test_the_same_plan_has_the_same_bytes(
    way: Callable[[Path], runplan.Report], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = command(capsys, PLAN)
    said = {f["code"]: f for f in json.loads(wanted)["findings"]}
    assert said["ACME1"]["file"] == PLAN and "B001" in said and "N002" not in said
    assert "packs/acme.plan" in wanted and "ours.plan" in wanted, "packs are shown by their paths from the root"
    assert printed(way(project)) == wanted


def test_the_working_directory_is_not_in_the_answer(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(project / PLAN)
    here = command(capsys, path)
    for folder in (project / "plans", project.parent, Path("/")):
        monkeypatch.chdir(folder)
        assert command(capsys, path) == here == printed(runplan.solve(path))


def test_standard_input_is_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [sys.executable, "-m", "runplan", "solve", "-", "--stdin-filename", PLAN, "-o", "json"]
    done = subprocess.run(argv, input=TREE[PLAN], capture_output=True, text=True)
    assert done.stdout == command(capsys, PLAN), done.stderr


def test_settings_and_laws_reach_the_plan(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = command(capsys, PLAN, "--set", "tokens=2T", "--set", "hardware.mfu=45%")
    said = {"tokens": "2T", "hardware.mfu": "45%"}
    one = Project.open(".")
    assert printed(one.report(PLAN, settings=said)) == wanted
    assert printed(one.report(PLAN, settings=[f"{path}={value}" for path, value in said.items()])) == wanted
    assert list(one.report(PLAN, laws="llama3")) == list(one.report(PLAN, laws=["llama3"])) == ["llama3"]
    with pytest.raises(runplan.UnknownLaw, match="did you mean `llama3`"):
        one.report(PLAN, laws=["lama3"])


def test_findings_are_those_of_the_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", PLAN, "-o", "concise"])
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith((f"{PLAN}:", "runplan.toml:"))]
    found = runplan.check(PLAN)
    assert "R001" in {f.code for f in found}, "nothing pins the packs"
    assert [f"{f.severity}[{f.code}]" in line for f, line in zip(found, shown, strict=True)] == [True] * len(shown)
    assert "L001" not in {f.code for f in found}, "the configuration leaves it out"
    assert "L001" in {f.code for f in runplan.check(PLAN, ignore=())}
    assert {f.code for f in runplan.check(PLAN, select=["ACME"])} == {"ACME1"}


# ---- what changes


def test_a_pack_that_is_edited_is_seen_by_the_next_question(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def peak() -> list[float | None]:
        given: Any = json.loads(command(capsys, PLAN))
        (shown,) = [one["value"] for one in given["assumptions"] if one["name"] == "peak"]
        return [shown, runplan.solve(PLAN, intervals=False).solutions[0].get("peak")]

    before = peak()
    (project / "packs" / "acme.plan").write_text(DEVICE.format(peak=800), encoding="utf-8")
    assert peak() == pytest.approx([2 * (each or 0) for each in before])


def test_packs_that_are_taken_out_are_gone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(command(capsys, PLAN))["solutions"]
    (project / "runplan.toml").write_text("packs = []\n", encoding="utf-8")
    assert {f["code"] for f in json.loads(command(capsys, PLAN))["findings"]} == {"N002"}
    assert {f.code for f in runplan.solve(PLAN).findings} == {"N002"}


def test_a_project_does_not_change(project: Path) -> None:
    one = Project.open(".")
    before = printed(one.report(PLAN))
    shutil.rmtree(project / "packs")
    (project / "runplan.toml").unlink()
    assert printed(one.report(PLAN)) == before
    assert [f.code for f in Project.open(".").report(PLAN).findings if f.severity == "error"][:1] == ["N002"]
    with pytest.raises(AttributeError):
        one.root = "elsewhere"  # type: ignore[misc]


def test_projects_share_what_is_known_and_nothing_else(project: Path) -> None:
    with_packs = Project.open(".", base=LIBRARY)
    without = Project(Files({PLAN: TREE[PLAN], "lib/rules.plan": TREE["lib/rules.plan"]}), base=LIBRARY)
    assert with_packs.report(PLAN).solutions and not without.report(PLAN).solutions
    assert with_packs.packs == ("packs/acme.plan", "packs/quantities.plan", "ours.plan") and without.packs == ()
    assert LIBRARY.record("device", "x1") is None


def test_one_command_reads_each_plan_in_its_own_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, peak in (("a", 400), ("b", 800)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "runplan.toml").write_text('packs = ["x1.plan"]\n', encoding="utf-8")
        (tmp_path / name / "x1.plan").write_text(DEVICE.format(peak=peak), encoding="utf-8")
        (tmp_path / name / "p.plan").write_text("hardware: 64 x X1 for 30 days at 40% MFU\n", encoding="utf-8")
    plans = [str(tmp_path / name / "p.plan") for name in ("a", "b")]
    assert main(["compare", *plans, "-o", "json"]) == 0
    peaks = [runplan.solve(path, intervals=False).solutions[0].get("peak") for path in plans]
    assert peaks == [400e12, 800e12]
    rows = {row["quantity"]: row["values"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert rows["compute"][1]["value"] == pytest.approx(2 * rows["compute"][0]["value"])


# ---- where a project begins


@pytest.mark.parametrize(
    ("files", "root"),
    [
        ({"runplan.toml": "", "a/p.plan": ""}, "."),
        ({"runplan.toml": "", "a/runplan.toml": "", "a/b/p.plan": ""}, "a"),
        ({"runplan.toml": "", "a/pyproject.toml": "[project]\n", "a/p.plan": ""}, "."),
        ({"runplan.toml": "", "a/pyproject.toml": "[tool.runplan]\n", "a/p.plan": ""}, "a"),
        ({"runplan.toml": "", "a/.git/HEAD": "", "a/b/p.plan": ""}, "a"),
        ({"runplan.toml": "", "a/pyproject.toml": "[tool.runplan\n", "a/p.plan": ""}, "a"),
    ],
)
def test_the_root_is_where_the_configuration_is(tmp_path: Path, files: dict[str, str], root: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    plan = next(tmp_path.rglob("p.plan"))
    if "runplan\n" in "".join(files.values()):
        with pytest.raises(runplan.BadConfig, match=r"a/pyproject\.toml"):
            Project.open(plan, base=LIBRARY)
        return
    for path in (plan, plan.parent):
        assert Path(Project.open(path, base=LIBRARY).root) == tmp_path / root


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pack = []", "unknown key `pack`; did you mean `packs`"),
        ('packs = "packs"', "`packs` is a list of texts"),
        ("packs = [1]", "`packs` is a list of texts"),
        ('packs = ["none"]', "the pack `none` is not there"),
        ('packs = ["../outside"]', r"the pack `\.\./outside` is not there"),
        ('fail-on = "info"', "`fail-on` is one of error, warning, never"),
        ("packs = [", "runplan.toml: "),
        ("# " + "x" * 400_000, "larger than 400,000 bytes"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_why(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(runplan.BadConfig, match=message):
        Project(Files({"runplan.toml": text}), base=LIBRARY)
    (tmp_path / "runplan.toml").write_text(text, encoding="utf-8")
    (tmp_path / "p.plan").write_text("hardware: 3 x H100 for 3 days\n", encoding="utf-8")
    for verb in ("check", "solve"):
        assert main([verb, str(tmp_path / "p.plan")]) == 2
        assert capsys.readouterr().err.startswith(f"plan {verb}: ")


def test_a_pack_beside_the_project_is_shown_by_its_path_from_it(project: Path) -> None:
    shutil.move(project / "packs", project.parent / "shared")
    (project / "runplan.toml").write_text('packs = ["../shared", "ours.plan"]\n', encoding="utf-8")
    one = Project.open(".")
    assert one.packs == ("../shared/acme.plan", "../shared/quantities.plan", "ours.plan")
    assert one.report(PLAN).solutions
    (project / "runplan.toml").write_text(f'packs = ["{project.parent}/shared", "{project}/ours.plan"]\n', "utf-8")
    assert Project.open("plans").packs == (
        f"{project.parent}/shared/acme.plan",
        f"{project.parent}/shared/quantities.plan",
        "ours.plan",
    )


def test_a_project_prints_itself_in_a_line(project: Path) -> None:
    assert repr(Project.open(".")) == f"<Project {project}: packs packs/acme.plan, packs/quantities.plan, ours.plan>"
    assert repr(Project(Files({"a.plan": ""}), base=LIBRARY)) == "<Project Files(a.plan)>"
