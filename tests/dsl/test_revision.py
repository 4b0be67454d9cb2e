"""A project as of a commit: what is read out of git, and what git is never made to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from repositories import commit, git, repository, write

from runplan import Project
from runplan.dsl.text import disk
from runplan.dsl.text.errors import BadConfig, NoRevision
from runplan.dsl.text.git import Git
from runplan.dsl.text.limits import MAX_BYTES
from runplan.dsl.text.reader import Disk
from runplan.dsl.text.revision import Revision

PLAN = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return repository(tmp_path / "repository")


def at(top: Path, ref: str = "HEAD") -> Revision:
    return Revision.of(ref, Git.of(str(top)))


def test_a_project_is_read_with_its_packs_and_settings_as_they_were(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(top, {"runplan.toml": 'packs = ["packs"]\nignore = ["L"]\n', "lets.plan": "let hourly = 3 USD/GPU/hour\n"})
    write(top, {"packs/x.plan": 'price team { price 3 USD/GPU/hour from "a contract" }\n'})
    first = commit(top, {"plans/a.plan": PLAN.replace("3 USD/GPU/hour", "hourly") + "import ../lets.plan\n"})
    commit(top, {"runplan.toml": "", "lets.plan": "let hourly = 4 USD/GPU/hour\n"})
    shutil.rmtree(top / "packs")
    monkeypatch.chdir(top / "plans")
    then = at(top, first)
    project = Project(Disk(str(top), os.curdir, then), str(top))
    assert project.configuration.ignore == ("L",)
    assert project.packs == ("packs/x.plan",)
    costs = [p.report("a.plan").solutions[0]["cost"].value for p in (project, Project.open("a.plan"))]
    assert costs[1] / costs[0] == pytest.approx(4 / 3)


def test_a_tree_is_walked_as_a_disk_is(top: Path) -> None:
    write(top, {"plans/a.plan": PLAN, "plans/deep/b.plan": PLAN, "other/c.plan": PLAN, "plan.txt": ""})
    (top / "link.plan").symlink_to("plans/a.plan")
    (top / "linked").symlink_to("plans/deep")
    (top / "out").symlink_to("/")
    (top / "nowhere").symlink_to("none")
    (top / "round").symlink_to("round")
    commit(top)
    then = at(top)
    for folder in (".", "plans", "plans/deep", "linked"):
        path = str(top / folder)
        assert then.entries(path) == tuple(one for one in disk.entries(path) if one[0] != ".git"), folder
        assert Disk(path, on=then).files(".") == tuple(f for f in Disk(path).files(".") if not f.startswith(".git/"))
    for name in ("link.plan", "linked/b.plan", "plans/../plans/a.plan", "out", "nowhere", "plans", "none", "linked"):
        path = str(top / name)
        assert then.real(path) == disk.real(path)
        for look in ("is_file", "is_folder", "is_there"):
            assert getattr(then, look)(path) == getattr(disk, look)(path), (look, name)
    assert then.content(str(top / "link.plan")) == PLAN.encode()
    assert then.is_there(str(top / ".git")), "the root of a project is found by it"
    with pytest.raises(OSError):
        then.content(str(top / "round"))


def test_a_link_out_of_the_repository_leads_out_of_the_project(top: Path) -> None:
    (top / "passwd.plan").symlink_to("/etc/passwd")
    commit(top, {"a.plan": "import passwd.plan\n" + PLAN})
    project = Project(Disk(str(top), on=at(top)))
    assert [f.code for f in project.report("a.plan").findings if f.severity == "error"] == ["N004"]


def test_what_lies_in_another_repository_is_not_there(top: Path) -> None:
    inner = repository(top / "module")
    commit(inner, {"x.plan": PLAN})
    commit(top, {"a.plan": PLAN, "runplan.toml": 'packs = ["module"]\n'})
    then = at(top)
    assert not then.is_there(str(top / "module" / "x.plan"))
    with pytest.raises(BadConfig, match="the pack `module` is not there"):
        Project(Disk(str(top), on=then))


def test_a_large_file_is_read_up_to_the_limit(top: Path) -> None:
    commit(top, {"large.plan": "#" * (2 * MAX_BYTES), "a.plan": PLAN})
    assert len(at(top).content(str(top / "large.plan"))) == MAX_BYTES + 1


@pytest.mark.parametrize(
    "ref", ["--output=x", "-h", "", "a b", "HEAD\n", "\0", "no/such", "HEAD~99", "HEAD:a.plan", "a..b"]
)
def test_what_means_no_commit_is_refused(top: Path, ref: str) -> None:
    commit(top, {"a.plan": PLAN})
    with pytest.raises(NoRevision):
        Git.of(str(top)).commit(ref)
    assert [path.name for path in top.iterdir() if path.name != ".git"] == ["a.plan"]


def test_help_is_of_the_case(top: Path, tmp_path: Path) -> None:
    with pytest.raises(NoRevision, match="nothing is committed yet"):
        Git.of(str(top)).commit("HEAD")
    with pytest.raises(NoRevision, match="is in no git repository"):
        Git.of(str(tmp_path))
    commit(top, {"a.plan": PLAN})
    commit(top, {"a.plan": PLAN + "tokens: 2T\n"})
    with pytest.raises(NoRevision, match="did you mean `main`"):
        Git.of(str(top)).commit("mian")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{top}", "shallow")
    shallow = Git.of(str(tmp_path / "shallow"))
    assert shallow.is_shallow
    with pytest.raises(NoRevision, match="git fetch --unshallow"):
        shallow.commit("HEAD~1")


def test_git_is_found_in_a_subfolder_a_worktree_and_a_checkout_of_no_branch(top: Path, tmp_path: Path) -> None:
    first = commit(top, {"plans/a.plan": PLAN})
    commit(top, {"plans/a.plan": PLAN + "tokens: 2T\n"})
    assert Git.of(str(top / "plans")).top == str(top)
    git(top, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "HEAD")
    tree = Git.of(str(tmp_path / "tree"))
    assert tree.top == str((tmp_path / "tree").resolve())
    then = Revision.of(first, tree)
    assert then.content(str(tmp_path / "tree" / "plans" / "a.plan")) == PLAN.encode()
    git(tmp_path, "clone", "-q", "--bare", str(top), "bare.git")
    assert Git.of(str(tmp_path / "bare.git")).bare


def test_the_environment_and_the_settings_of_a_repository_run_nothing(
    top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(top, {"a.plan": PLAN, ".gitattributes": "*.plan filter=evil diff=evil\n"})
    git(top, "mv", "a.plan", "b.plan")
    commit(top)
    evil, ran = tmp_path / "evil", tmp_path / "ran"
    evil.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n", encoding="utf-8")
    evil.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "diff.evil.textconv",
                 "diff.evil.command", "filter.evil.smudge", "filter.evil.clean", "gpg.program", "core.editor",
                 "remote.origin.uploadpack", "credential.helper", "alias.ls-tree"):  # fmt: skip
        git(top, "config", name, str(evil))
    for name, value in (("log.showSignature", "true"), ("extensions.partialClone", "origin"),
                        ("remote.origin.url", f"ext::{evil}"), ("protocol.ext.allow", "always"),
                        ("remote.origin.promisor", "true")):  # fmt: skip
        git(top, "config", name, value)
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(evil))
    for name, value in (("GIT_DIR", "/none"), ("GIT_WORK_TREE", "/none"), ("GIT_INDEX_FILE", "/none"),
                        ("GIT_OBJECT_DIRECTORY", "/none"), ("GIT_CONFIG_COUNT", "x"),
                        ("GIT_TRACE", str(ran)), ("GIT_TRACE2", str(ran))):  # fmt: skip
        monkeypatch.setenv(name, value)
    then = at(top, "HEAD~1")
    assert then.content(str(top / "a.plan")) == PLAN.encode()
    assert dict(then.git.renames(then.commit, "HEAD", [".plan"])) == {"b.plan": "a.plan"}
    with pytest.raises(NoRevision):
        then.git.contents(["0" * 40], MAX_BYTES)
    assert not ran.exists()


def test_a_file_is_followed_through_several_names(top: Path) -> None:
    text = PLAN + "".join(f"# {line} of a long comment\n" for line in range(20))
    first = commit(top, {"a.plan": text})
    for was, now in (("a.plan", "plans/b.plan"), ("plans/b.plan", "plans/\N{GREEK SMALL LETTER GAMMA} c.plan")):
        write(
            top, {was: (top / was).read_text("utf-8").replace("64 x", "65 x").replace("of a long", f"in {now}, long")}
        )
        commit(top)
        (top / now).parent.mkdir(exist_ok=True)
        git(top, "mv", was, now)
        commit(top)
    assert dict(Git.of(str(top)).renames(first, "HEAD", [".plan"])) == {
        "plans/\N{GREEK SMALL LETTER GAMMA} c.plan": "a.plan"
    }
