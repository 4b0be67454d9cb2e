"""`action.yml` and the hooks: steps run by a shell as a runner would run them, with inputs of any text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from wheels import needs_repository

from runplan.cli.main import main
from runplan.dsl.dataclass import dataclass, field

pytestmark = [needs_repository, pytest.mark.skipif(sys.platform == "win32", reason="the steps are of a POSIX shell")]

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
OVER = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\nrequire cost <= 1k USD\n"
KEPT = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"
# What a shell, a workflow command, or git would take for something else, were it not one word.
HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "'\"$(touch pwned)",
    "--output=sarif=pwned",
    "a b*?.plan",
    "-x",
    "${{ github.token }}",
)
USES = re.compile(r"^\s*uses: \S+@[0-9a-f]{40} # v\d+(\.\d+)*$", re.M)
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return loaded


# ---- as it is written


def test_no_script_has_an_expression_in_it(action: dict[str, Any]) -> None:
    """Text that a workflow writes into a script is run; text in its environment is data."""
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert scripts and not [script for script in scripts if "${{" in script]
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"] if "run" in step)


def test_other_actions_are_pinned_by_commit(action: dict[str, Any]) -> None:
    used = [step for step in action["runs"]["steps"] if "uses" in step]
    assert len(USES.findall(ACTION.read_text(encoding="utf-8"))) == len(used) > 0


def test_every_input_is_used_and_every_expression_has_its_source(action: dict[str, Any]) -> None:
    steps, text = action["runs"]["steps"], json.dumps([action["runs"], action["outputs"]])
    assert {name for name in action["inputs"] if f"inputs.{name}" not in text} == set()
    known = {f"inputs.{name}" for name in action["inputs"]}
    written = {
        f"steps.{step['id']}.outputs.{name}"
        for step in steps
        for name in re.findall(r'echo "([\w-]+)=', step.get("run", ""))
    }
    known |= written | {"steps.python.outputs.python-path", "github.event.pull_request.base.sha"}
    known |= {"github.event.pull_request.number"}
    assert set(EXPRESSION.findall(text)) <= known
    assert all({"description"} <= set(entry) for entry in action["inputs"].values())


# ---- as it is run


@dataclass(frozen=True, slots=True)
class Runner:
    """A runner: a workspace with a checkout, a folder for temporary files, and stand-ins for programs.

    `plan` is the real one, and keeps a record of each call; `gh` keeps comments in a file.
    """

    action: dict[str, Any]
    work: Path
    temp: Path
    inputs: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, str] = field(default_factory=dict)
    ref: str = "refs/heads/main"

    def run(self, *steps: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """The steps of these names, or all that run in a shell, one after the other."""
        outputs: dict[str, str] = {"steps.install.outputs.plan": str(self.temp / "bin" / "plan")}
        outputs["steps.python.outputs.python-path"] = str(self.temp / "bin" / "python")
        done: dict[str, subprocess.CompletedProcess[str]] = {}
        for step in self.action["runs"]["steps"]:
            if "run" not in step or (steps and step["name"] not in steps) or not self._applies(step, outputs):
                continue
            done[step["name"]] = self._step(step, outputs)
        return done

    def calls(self) -> list[list[str]]:
        """The arguments of each call of `plan`."""
        log = self.temp / "calls"
        return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []

    def comments(self) -> list[str]:
        file = self.temp / "comments.json"
        return [str(body) for body in json.loads(file.read_text("utf-8"))] if file.exists() else []

    def _known(self, outputs: Mapping[str, str]) -> dict[str, str]:
        inputs = {name: str(entry.get("default", "")) for name, entry in self.action["inputs"].items()}
        return {**{f"inputs.{k}": v for k, v in {**inputs, **self.inputs}.items()}, **self.event, **outputs}

    def _applies(self, step: Mapping[str, Any], outputs: Mapping[str, str]) -> bool:
        """Of conditions no more than the file uses: something is equal to a text, or there."""
        known = self._known(outputs)
        for term in str(step.get("if", "")).split(" && "):
            name, _, text = term.partition(" == ")
            value = known.get(name.strip(), "")
            if name and not (value == text.strip("'") if text else value):
                return False
        return True

    def _step(self, step: Mapping[str, Any], outputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
        known = self._known(outputs)
        given = {key: EXPRESSION.sub(lambda match: known.get(match[1], ""), text) for key, text in step["env"].items()}
        output, script = self.temp / "output", self.temp / "step.sh"
        output.write_text("", "utf-8")
        script.write_text(step["run"], "utf-8")
        environment = {
            **{key: os.environ[key] for key in ("HOME", "TMPDIR", "XDG_CACHE_HOME") if key in os.environ},
            "PATH": f"{self.temp / 'bin'}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.temp / "step-summary.md"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": "some/where",
            "GITHUB_REF": self.ref,
            "GITHUB_WORKFLOW": "plans; touch pwned",
            "GITHUB_JOB": "check",
            "GITHUB_ACTION": "__runplan",
            **given,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
        )
        for line in output.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            outputs[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done


# Records its arguments.
RECORDED = """\
import json, os, sys
with open(os.environ["RUNNER_TEMP"] + "/calls", "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
"""
PLAN = """\
from runplan.cli.main import command
raise SystemExit(command())
"""
GH = """\
import json, os, pathlib, sys
file = pathlib.Path(os.environ["RUNNER_TEMP"]) / "comments.json"
said = json.loads(file.read_text()) if file.exists() else []
if "--method" not in sys.argv:
    marker = os.environ["MARKER"]
    assert 'startswith(env.MARKER)' in sys.argv[-1]
    print("\\n".join(str(i) for i, body in enumerate(said) if body.startswith(marker)))
    raise SystemExit(0)
assert os.environ["GH_TOKEN"]
if os.environ["GH_TOKEN"] == "read-only":
    raise SystemExit(1)
body = pathlib.Path(sys.argv[-1].partition("body=@")[2]).read_text()
if "PATCH" in sys.argv:
    said[int(sys.argv[5].rpartition("/")[2])] = body
else:
    assert sys.argv[5] == "repos/some/where/issues/7/comments"
    said.append(body)
file.write_text(json.dumps(said))
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def runner(action: dict[str, Any], tmp_path: Path) -> Runner:
    work, temp = tmp_path / "work space", tmp_path / "temp"
    (temp / "bin").mkdir(parents=True)
    work.mkdir()
    for name, text in (("plan", RECORDED + PLAN), ("gh", GH)):
        (temp / f"{name}.py").write_text(text, "utf-8")
        (temp / "bin" / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{temp}/{name}.py" "$@"\n', "utf-8")
        (temp / "bin" / name).chmod(0o755)
    git(work, "init", "-q")
    (work / "kept.plan").write_text(KEPT, "utf-8")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "first\n\nparent 0000")
    return Runner(action, work, temp)


PULL = {"github.event.pull_request.number": "7", "github.token": "t"}


def pull(runner: Runner, **inputs: str) -> Runner:
    """A pull request: the runner has its merge checked out, as actions/checkout leaves it."""
    base = git(runner.work, "rev-parse", "HEAD")
    git(runner.work, "checkout", "-q", "-b", "change")
    (runner.work / "over.plan").write_text(OVER, "utf-8")
    git(runner.work, "add", ".")
    git(runner.work, "commit", "-q", "-m", "change")
    git(runner.work, "checkout", "-q", "main")
    (runner.work / "other.txt").write_text("by others, after the pull request was opened\n", "utf-8")
    git(runner.work, "add", ".")
    git(runner.work, "commit", "-q", "-m", "other")
    git(runner.work, "merge", "-q", "--no-ff", "-m", "parent of nothing", "change")
    event = {**PULL, "github.event.pull_request.base.sha": base}
    given = {name.replace("_", "-"): value for name, value in {"token": "t", **inputs}.items()}
    return Runner(runner.action, runner.work, runner.temp, given, event, "refs/pull/7/merge")


def test_a_pull_request_from_check_to_comment(runner: Runner) -> None:
    on = pull(runner, comment="true", fail_on="warning")
    done = on.run("Check plans", "Sum up", "Comment", "Decide")
    assert {name: step.returncode for name, step in done.items()} == {
        "Check plans": 0, "Sum up": 0, "Comment": 0, "Decide": 1,
    }  # fmt: skip
    assert "::error title=plan (B001),file=over.plan,line=2," in done["Check plans"].stdout
    check, diff = on.calls()
    assert check[-3:] == ["--fail-on=warning", "--", "."]
    # Against what the merge was made onto, which is younger than the base that the event names.
    assert diff[:2] == ["diff", f"--base={git(on.work, 'rev-parse', 'HEAD^1')}"] and diff[-2:] == ["--", "."]
    report = on.temp / "runplan-report"
    assert json.loads((report / "plan.json").read_text("utf-8"))["summary"]["errors"] == 1
    assert json.loads((report / "plan.sarif").read_text("utf-8"))["version"] == "2.1.0"
    (comment,) = on.comments()
    assert comment.startswith("<!-- runplan ") and "B001" in comment and "other.txt" not in comment
    assert "<!-- runplan: plan diff -->" in comment and "| new | error | B001 |" in comment
    assert (on.temp / "step-summary.md").read_text("utf-8") == comment
    # The next push: what was written is written anew, also beside a comment of somebody else.
    file = on.temp / "comments.json"
    file.write_text(json.dumps(["hello", comment]), "utf-8")
    (on.work / "over.plan").write_text(KEPT, "utf-8")
    assert on.run("Check plans", "Sum up", "Comment", "Decide")["Decide"].returncode == 0
    first, second = on.comments()
    assert first == "hello" and "B001" in comment and "B001" not in second


def test_a_comment_that_may_not_be_written_fails_nothing(runner: Runner) -> None:
    on = pull(runner, comment="true", token="read-only")
    (on.work / "over.plan").unlink()
    done = on.run("Check plans", "Sum up", "Comment", "Decide")
    assert "::warning title=plan::the comment could not be written" in done["Comment"].stdout
    assert done["Decide"].returncode == 0 and on.comments() == []


def test_a_long_summary_is_cut_between_lines(runner: Runner) -> None:
    on = pull(runner, comment="true")
    summary = on.temp / "runplan-report" / "summary.md"
    summary.parent.mkdir()
    summary.write_text("<!-- runplan 1 -->\n" + "a line of the table\n" * 9_000, "utf-8")
    step = next(step for step in on.action["runs"]["steps"] if step["name"] == "Comment")
    on._step(step, {"steps.summary.outputs.summary": str(summary)})
    (comment,) = on.comments()
    assert len(comment) < 65_536 and comment.endswith("table\n\nThe rest is in the summary of the job.\n")


@pytest.mark.parametrize("where", ["paths", "fail-on", "baseline", "base"])
def test_inputs_are_data(where: str, runner: Runner) -> None:
    """Of every input each line, or the whole, is one argument, however it looks; and nothing else is run or written."""
    (runner.temp / "plan.py").write_text(RECORDED + "raise SystemExit(2)\n", "utf-8")
    before = sorted(path.name for path in runner.work.iterdir())
    texts = ["\r\n".join(HOSTILE) + "\r\n\r\n"] if where == "paths" else HOSTILE
    for text in texts:
        on = Runner(runner.action, runner.work, runner.temp, {where: text})
        done = on.run("Check plans", "Sum up", "Decide")
        assert done["Sum up"].returncode == 0 and done["Decide"].returncode == 2
    calls = runner.calls()
    if where == "paths":
        assert [call[call.index("--") + 1 :] for call in calls] == [list(HOSTILE)]
    else:
        option = {"fail-on": "--fail-on=", "baseline": "--baseline=", "base": "--base="}[where]
        said = [word.removeprefix(option) for call in calls for word in call if word.startswith(option)]
        assert said == list(HOSTILE)
    assert sorted(path.name for path in runner.work.iterdir()) == before


def test_what_cannot_run_says_so(runner: Runner) -> None:
    on = Runner(runner.action, runner.work, runner.temp, {"paths": "missing.plan", "base": "no-such-base"})
    done = on.run("Check plans", "Sum up", "Decide")
    assert done["Decide"].returncode == 2 and "missing.plan" in done["Check plans"].stderr
    assert "::warning title=plan::what changed since the base cannot be told" in done["Sum up"].stdout
    assert "could not run: exit code 2" in (on.temp / "step-summary.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("version", "asked"), [("", str(ROOT)), ("0.1.0", "runplan==0.1.0"), ("0 --x", "runplan==0 --x")]
)
def test_what_is_installed(version: str, asked: str, runner: Runner) -> None:
    """Into an environment outside the workspace, by a Python that imports nothing from the workspace."""
    python = runner.temp / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >> "$RUNNER_TEMP/asked"\nmkdir -p "$4/bin"\ncp "$0" "$4/bin/"\n')
    python.chmod(0o755)
    done = Runner(runner.action, runner.work, runner.temp, {"version": version}).run("Install runplan")
    assert done["Install runplan"].returncode == 0, done["Install runplan"].stderr
    asked_for = (runner.temp / "asked").read_text("utf-8").splitlines()
    assert asked_for[:4] == ["-I", "-m", "venv", str(runner.temp / "runplan")]
    assert asked_for[4:7] == ["-I", "-m", "pip"] and asked_for[-1] == asked


# ---- pre-commit


def test_the_hooks_are_what_pre_commit_reads() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["plan-check", "plan-fmt"]
    for hook in hooks:
        assert {"id", "name", "description", "entry", "language", "files", "require_serial"} == set(hook)
        assert hook["language"] == "python" and hook["entry"].startswith("plan ")
        for name, wanted in (("a.plan", 1), ("b/a.plan.yaml", 1), ("a.plan.yml", 1), ("a.plan.txt", 0), ("plan", 0)):
            assert bool(re.search(hook["files"], name)) == bool(wanted)


@pytest.mark.skipif(
    not os.environ.get("RUNPLAN_PRE_COMMIT"), reason="installs by pip: RUNPLAN_PRE_COMMIT=1 asks for it"
)
def test_pre_commit_runs_the_hooks(tmp_path: Path) -> None:
    """By `pre-commit try-repo`, on a repository with a plan that breaks its budget and is laid out otherwise."""
    git(tmp_path, "init", "-q")
    (tmp_path / "kept.plan").write_text(KEPT, "utf-8")
    (tmp_path / "over.plan").write_text(OVER.replace("require cost", "require  cost"), "utf-8")
    git(tmp_path, "add", ".")
    run = [sys.executable, "-m", "pre_commit", "try-repo", "--verbose", "--all-files", str(ROOT)]
    found = {
        hook: subprocess.run([*run, hook], cwd=tmp_path, capture_output=True, text=True)
        for hook in ("plan-check", "plan-fmt")
    }
    said = "\n".join(done.stdout + done.stderr for done in found.values())
    assert {hook: done.returncode for hook, done in found.items()} == {"plan-check": 1, "plan-fmt": 1}, said
    assert "over.plan:2:10: error[B001]" in found["plan-check"].stdout
    assert "files were modified by this hook" in found["plan-fmt"].stdout
    assert (tmp_path / "over.plan").read_text("utf-8") == OVER


# ---- the problem matcher


def test_the_matcher_reads_what_concise_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error and warning as GitHub is to show it, and nothing of what is but worth knowing."""
    (pattern,) = json.loads((ROOT / "editors" / "github-matcher.json").read_text("utf-8"))["problemMatcher"][0][
        "pattern"
    ]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "C: a[1]").mkdir()
    (tmp_path / "C: a[1]" / "over.plan").write_text(
        OVER + "prefer time <= 10 days\nmodel: 70B # ignore[H004]\n", "utf-8"
    )
    assert main(["check", "-o", "concise", "-o", "json=found.json"]) == 1
    read = [re.match(pattern["regexp"], line) for line in capsys.readouterr().out.splitlines()]
    groups = ("file", "line", "column", "severity", "code", "message")
    told = [tuple(match[pattern[group]] for group in groups) for match in read if match]
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))["findings"]
    assert told == [tuple(str(f[group]) for group in groups) for f in found if f["severity"] != "info"]
    assert {severity for *_, severity, _, _ in told} == {"error", "warning"} and len(told) < len(read)
