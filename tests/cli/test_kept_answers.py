"""An answer is given again where nothing has changed that it rests on, and found out anew where anything has."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from random import Random

import pytest

from runplan.cli import answers, main
from runplan.cli.paths import Projects, plan_files
from runplan.cli.stream import write
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text import store
from runplan.dsl.text.errors import RunplanError

FILES = {
    "runplan.toml": 'packs = ["packs"]\n',
    "packs/ours.plan": 'rule Z001 big-budget info {\n  when cost > 1 USD\n  says "this costs"\n  cites "us"\n}\n',
    "plans/shared/budget.plan": "let budget = 1M USD\n",
    "plans/deep/a.plan": 'import "../shared/budget.plan"\nrequire cost <= budget\n'
    "hardware: 64 x H100 for 30 days at 40% MFU @ 2.50 USD/GPU/hour\n",
    "plans/b.plan.yaml": "hardware: 64 x H100 for 30 days at 40% MFU\ntokens: 1T\n",
}
Change = Callable[[Path], object]
RUN, VERBS = main._run, frozenset(("check",))


def written(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def told_of(args: Sequence[str]) -> str:
    """All that a check of these plans begins with; what it makes of that is a function of it, and takes longer."""
    lines = []
    projects = Projects()
    for file in plan_files([word for word in args if not word.startswith("-")]):
        path, project = projects.of(file)
        tree, findings = read_file(path, project.reader)
        packs = [pack.source.text for pack in project.library.shelf.brought]
        lines.append(repr((path, project.configuration, packs, [node.span.text for node in tree.statements], findings)))
    return "\n".join(lines) + "\n"


class Command:
    """`plan check` in a folder, what it says, and how often it had to find that out."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.runs = 0
        self.run: Callable[[str, list[str]], int] = self.begin
        self._capsys = capsys
        patch.setattr(main, "_run", self._counted)

    def begin(self, verb: str, args: list[str]) -> int:
        """What a check begins with, told."""
        try:
            write(told_of(args))
        except RunplanError as error:
            write(str(error))
        return 0

    def _counted(self, verb: str, args: list[str]) -> int:
        self.runs += 1
        return self.run(verb, args)

    def __call__(self, *args: str) -> tuple[int, str, str]:
        code = main.main(["check", *args])
        return code, *self._capsys.readouterr()

    def is_kept(self, *args: str) -> bool:
        """Whether the answer is one that was kept; it is the right one."""
        before = self.runs
        answer = self(*args)
        found = self.runs > before
        assert answer == self(*args, "--no-cache")
        return not found


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command where what it finds out is what a check begins with."""
    written(tmp_path / "project", FILES)
    monkeypatch.setattr(answers, "VERBS", VERBS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RUNPLAN_NO_CACHE", raising=False)
    monkeypatch.chdir(tmp_path / "project")
    return Command(monkeypatch, capsys)


@pytest.fixture
def whole(check: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command as it is."""
    check.run = RUN
    return check


@pytest.mark.parametrize(
    "args",
    [
        ["plans/deep", "-o", "github", "-o", "full=told.txt", "--statistics"],
        ["plans/deep/a.plan", "--set", "hardware.gpus=1", "-o", "json", "--select", "Z", "--fail-on", "warning"],
    ],
)
def test_an_answer_is_given_again(whole: Command, args: list[str]) -> None:
    first = whole(*args)
    told = Path("told.txt")
    written_first = told.exists() and told.read_text("utf-8")
    told.unlink(missing_ok=True)
    assert whole(*args) == first
    assert (told.exists() and told.read_text("utf-8")) == written_first
    assert whole.runs == 1
    assert whole(*args, "--no-cache") == first


def changed(name: str, text: str) -> Change:
    return lambda folder: written(folder, {name: text})


CHANGES: dict[str, Change] = {
    "the plan": changed("plans/deep/a.plan", FILES["plans/deep/a.plan"].replace("64", "65")),
    "another plan": changed("plans/b.plan.yaml", "hardware: 64 x A100 for 30 days at 40% MFU\n"),
    "an import": changed("plans/shared/budget.plan", "let budget = 1 USD\n"),
    "an import is gone": lambda folder: (folder / "plans/shared/budget.plan").unlink(),
    "a pack": changed("packs/ours.plan", FILES["packs/ours.plan"].replace("info", "warning")),
    "a pack gains a file": changed("packs/in/more.plan", FILES["packs/ours.plan"].replace("001 big", "002 large")),
    "a pack is gone": lambda folder: (folder / "packs/ours.plan").unlink(),
    "the configuration": changed("runplan.toml", FILES["runplan.toml"] + 'ignore = ["H"]\n'),
    "the configuration is gone": lambda folder: (folder / "runplan.toml").unlink(),
    "a nearer configuration": changed("plans/runplan.toml", 'severity = { H004 = "error" }\n'),
    "a nearer one among others": changed("plans/deep/pyproject.toml", '[tool.runplan]\nfail-on = "warning"\n'),
    "a nearer root": lambda folder: (folder / "plans/deep/.git").mkdir(),
    "a plan more": changed("plans/deep/down/c.plan", "compute: 1e21 FLOP\n"),
    "a plan less": lambda folder: (folder / "plans/b.plan.yaml").unlink(),
    "a plan is excluded": changed("runplan.toml", FILES["runplan.toml"] + 'exclude = ["b.*"]\n'),
    "a folder becomes an environment": changed("plans/deep/pyvenv.cfg", ""),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen(check: Command, what: str) -> None:
    assert not check.is_kept("plans")
    assert check.is_kept("plans")
    CHANGES[what](Path.cwd())
    assert not check.is_kept("plans")
    assert check.is_kept("plans")


def test_another_time_is_no_change(check: Command) -> None:
    check("plans")
    for path in Path.cwd().rglob("*"):
        os.utime(path, (1, 1))
    assert check.is_kept("plans")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_that_leads_elsewhere_is_seen(check: Command) -> None:
    written(Path.cwd(), {"one/budget.plan": "let budget = 1 USD\n", "two/budget.plan": "let budget = 1 USD\n"})
    shared = Path("plans/shared")
    (shared / "budget.plan").unlink()
    shared.rmdir()
    shared.symlink_to("../one")
    check("plans")
    assert check.is_kept("plans")
    shared.unlink()
    shared.symlink_to("../../../outside")
    assert not check.is_kept("plans")


def test_a_repository_that_begins_further_up_is_seen(whole: Command) -> None:
    args = ["plans/b.plan.yaml", "-o", "gitlab"]
    assert '"path": "plans/b.plan.yaml"' in whole(*args)[1]
    (Path.cwd().parent / ".git").mkdir()
    assert '"path": "project/plans/b.plan.yaml"' in whole(*args)[1]


def test_what_is_asked_and_where_is_part_of_it(check: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    check("plans")
    assert not check.is_kept("plans", "--exit-zero")
    assert not check.is_kept("./plans")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not check.is_kept("plans")
    monkeypatch.chdir("plans")
    assert not check.is_kept(".")


def test_a_day_more_is_a_change(check: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    check("plans")
    tomorrow = time.localtime(time.time() + 86_400)
    monkeypatch.setattr(time, "localtime", lambda: tomorrow)
    assert not check.is_kept("plans")


def test_what_is_installed_is_part_of_it(check: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(tmp_path, {"site/packs-1.dist-info/METADATA": ""})
    monkeypatch.syspath_prepend(tmp_path / "site")
    check("plans")
    assert check.is_kept("plans")
    written(tmp_path, {"site/packs-1.dist-info/entry_points.txt": "[runplan.packs]\nx = nowhere\n"})
    assert not check.is_kept("plans")


@pytest.mark.parametrize(
    "args", [["none.plan"], ["plans/deep", "--select", "Q"], ["plans/deep", "--nonsense"], ["--help"]]
)
def test_what_did_not_run_to_its_end_is_not_kept(whole: Command, args: list[str]) -> None:
    assert whole(*args)[:2] == whole(*args)[:2]
    assert whole.runs == 2


def test_standard_input_is_not_kept(whole: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, code in ((b"nonsense: 1\n", "N001"), (b"# nothing\n", "S006")):
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text)))
        assert code in whole("-", "--stdin-filename", "a.plan", "-o", "concise")[1]
    assert not list(Path("../cache").rglob("*.answer"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_a_pipe_gave_is_not_kept(whole: Command) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"# nothing\n")
    os.close(writing)
    assert "S006" in whole(f"/dev/fd/{reading}", "-o", "concise")[1]
    os.close(reading)
    assert not list(Path("../cache").rglob("*.answer"))


def test_off_by_a_word_of_the_environment(check: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNPLAN_NO_CACHE", "1")
    check("plans")
    check("plans")
    assert check.runs == 2
    assert not Path("../cache").exists()


def test_an_answer_that_is_torn_is_found_out_anew(check: Command) -> None:
    check("plans")
    (kept,) = Path("../cache").rglob("*.answer")
    for content in (kept.read_bytes()[:-1], b"", b"\0" * 100):
        kept.write_bytes(content)
        assert not check.is_kept("plans")
        assert check.is_kept("plans")


def test_a_file_that_cannot_be_written_again_is_told(whole: Command) -> None:
    args = ["plans/deep", "-o", "concise", "-o", "json=out/told.json"]
    Path("out").mkdir()
    assert whole(*args)[0] == 0
    Path("out/told.json").unlink()
    Path("out").rmdir()
    code, _, wrong = whole(*args)
    assert (code, wrong) == (2, "plan check: out/told.json: No such file or directory\n")


def test_an_edit_while_it_runs_is_seen_later(check: Command) -> None:
    def edited(verb: str, args: list[str]) -> int:
        code = check.begin(verb, args)
        written(Path.cwd(), {"plans/b.plan.yaml": "hardware: 64 x A100 for 30 days at 40% MFU\n"})
        return code

    check.run = edited
    check("plans")
    check.run = check.begin
    assert not check.is_kept("plans")


def test_any_walk_of_edits_is_followed(check: Command) -> None:
    """Files come, change and go at random; the answer is always that of a check without a cache."""
    random = Random(7)
    names = [*FILES, "plans/runplan.toml", "packs/more.plan", "plans/c.plan", "plans/deep/pyproject.toml"]
    texts = [*FILES.values(), "let budget = 2 USD\n", 'exclude = ["deep"]\n', "[tool.runplan]\nselect = ['S']\n", "?\n"]
    for _ in range(40):
        name = random.choice(names)
        if random.random() < 0.3:
            Path(name).unlink(missing_ok=True)
        else:
            written(Path.cwd(), {name: random.choice([FILES.get(name, ""), random.choice(texts)])})
        check.is_kept("plans")


def test_nothing_is_opened_that_was_not_seen(tmp_path: Path) -> None:
    written(tmp_path, FILES)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("RUNPLAN_NO_CACHE", None)
    code = (
        "import sys\nfrom runplan.cli.main import main\nopened = []\n"
        "def told(event, args):\n    if event in ('open', 'os.scandir', 'os.listdir'): opened.append(str(args[0]))\n"
        "sys.addaudithook(told)\nmain(['check', 'plans'])\nprint(*opened, sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    (kept,) = (tmp_path / "cache" / "runplan").glob("*.answer")
    seen = {os.path.abspath(tmp_path / path) for (_, path), _ in marshal.loads(kept.read_bytes()[16:])[0]}
    opened = {os.path.abspath(tmp_path / path) for path in done.stderr.splitlines()}
    own = {path for path in opened if path.startswith(str(tmp_path)) and not path.startswith(str(tmp_path / "cache"))}
    assert own and own <= seen


def test_what_is_given_again_needs_no_engine(tmp_path: Path) -> None:
    written(tmp_path, {"a.plan": "compute: 1e21 FLOP\n"})
    code = (
        "import sys\nfrom runplan.cli.main import main\nmain(['check', 'a.plan'])\n"
        "print(*(name for name, module in sys.modules.items() if module), file=sys.stderr)"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("RUNPLAN_NO_CACHE", None)
    loaded = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        loaded.append({name for name in done.stderr.split() if name.startswith("runplan.")})
    first, again = loaded
    assert "runplan.engine.pipeline" in first
    light = ("installation", "disk", "store", "limits")
    assert again == {
        *("runplan.cli", "runplan.cli.main", "runplan.cli.answers", "runplan.cli.stream", "runplan.dsl"),
        *("runplan.dsl.text", *(f"runplan.dsl.text.{name}" for name in light)),
    }


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RUNPLAN_NO_CACHE", raising=False)
    monkeypatch.setattr(store, "MAX_KEPT", 10_000)
    monkeypatch.setattr(store, "LOOKED_IN", 1)
    for i in range(20):
        store.keep(f"{i}", b"x" * 1_000)
        os.utime(tmp_path / "runplan" / f"{i}", (i, i))
    monkeypatch.setattr(store, "_bounded", set())
    store.keep("last", b"x")
    assert sum(path.stat().st_size for path in (tmp_path / "runplan").iterdir()) <= 10_000
    assert store.kept("last") == b"x" and store.kept("19") and store.kept("0") is None
    store.keep("too large", b"x" * (store.MAX_ONE + 1))
    assert store.kept("too large") is None


@pytest.mark.parametrize("told", ["", "cache", "./cache", "../cache"])
def test_a_cache_folder_that_is_not_absolute_is_none(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", told)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("RUNPLAN_NO_CACHE", raising=False)
    assert store.folder() == "/home/someone/.cache/runplan"
    monkeypatch.delenv("HOME")
    assert store.folder() is None
