"""What every reader promises, held for a disk, a commit, a dictionary of files and a buffer in front of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from repositories import commit, repository

from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text.git import Git
from runplan.dsl.text.limits import MAX_BYTES
from runplan.dsl.text.reader import Buffer, Disk, Files, Reader
from runplan.dsl.text.revision import Revision

TREE = {"a.plan": "let a = 1\n", "packs/b.plan": "let b = 2\n", "packs/sub/c.plan": "let c = 3\n", "packs-2/d": "d"}
Made = Callable[[Path], Reader]


def on_disk(folder: Path) -> Reader:
    for name, text in TREE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Disk(folder)


def in_a_commit(folder: Path) -> Reader:
    top = repository(folder)
    commit(top, TREE)
    for name in TREE:
        (top / name).unlink()
    return Disk(top, on=Revision.of("HEAD", Git.of(str(top))))


def in_memory(folder: Path) -> Reader:
    return Files(TREE)


def behind_a_buffer(folder: Path) -> Reader:
    return Buffer("x.plan", b"let x = 0\n", Files(TREE))


@pytest.fixture(params=[on_disk, in_a_commit, in_memory, behind_a_buffer])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Reader:
    made: Made = request.param
    return made(tmp_path)


def test_a_file_is_read_however_its_path_is_spelled(reader: Reader) -> None:
    assert reader.read("packs/b.plan") == reader.read("./packs/sub/../b.plan") == b"let b = 2\n"


@pytest.mark.parametrize("path", ["none.plan", "packs/none.plan", "a.plan/b", "packs"])
def test_what_is_not_there_is_an_os_error(reader: Reader, path: str) -> None:
    with pytest.raises(OSError):
        reader.read(path)


def test_a_file_has_one_name(reader: Reader) -> None:
    names = [reader.resolve(path) for path in ("packs/b.plan", "packs/./b.plan", "packs/sub/../b.plan")]
    assert names == ["packs/b.plan"] * 3
    assert reader.resolve("packs/not-yet.plan") == "packs/not-yet.plan"


@pytest.mark.parametrize("path", ["../a.plan", "..", "packs/../../a.plan", "/etc/passwd"])
def test_what_lies_outside_the_root_has_none(reader: Reader, path: str) -> None:
    assert reader.resolve(path) is None


def test_the_files_below_a_folder_are_in_order(reader: Reader) -> None:
    assert reader.files("packs") == reader.files("packs/") == ("packs/b.plan", "packs/sub/c.plan")
    assert reader.files("") == reader.files(".") == ("a.plan", "packs/b.plan", "packs/sub/c.plan", "packs-2/d")
    assert reader.files("packs/b.plan") == ("packs/b.plan",)
    with pytest.raises(OSError):
        reader.files("none")


def test_a_disk_stays_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_disk(tmp_path)
    monkeypatch.chdir(tmp_path / "packs")
    here, there = Disk(tmp_path, os.curdir), Disk("..")
    monkeypatch.chdir("/")
    assert here.read("b.plan") == there.read("packs/b.plan")
    assert here.resolve("b.plan") == "packs/b.plan"


def test_a_link_that_leads_out_of_the_root_is_outside(tmp_path: Path) -> None:
    reader = on_disk(tmp_path / "project")
    (tmp_path / "secret.plan").write_text("let s = 1\n", encoding="utf-8")
    (tmp_path / "project" / "inside.plan").symlink_to(tmp_path / "secret.plan")
    (tmp_path / "project" / "again.plan").symlink_to(tmp_path / "project" / "a.plan")
    (tmp_path / "project" / "packs" / "round").symlink_to(tmp_path / "project")
    assert reader.resolve("inside.plan") is None
    assert reader.resolve("again.plan") == "a.plan"
    assert reader.files("packs") == ("packs/b.plan", "packs/sub/c.plan")


def test_a_file_beyond_the_limit_is_read_so_far_that_it_shows(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#" * (MAX_BYTES + 100))
    assert len(Disk(tmp_path).read("large")) == MAX_BYTES + 1


def test_a_buffer_stands_for_its_file_in_imports(tmp_path: Path) -> None:
    on_disk(tmp_path)
    (tmp_path / "p.plan").write_text('import "./packs/b.plan"\n', encoding="utf-8")
    reader = Buffer("packs/b.plan", b"let other = 9\n", Disk(tmp_path))
    file, findings = read_file("p.plan", reader)
    assert findings == [] and [node.span.text for node in file.statements] == ["let other = 9"]


def test_a_dictionary_is_copied() -> None:
    texts = {"a.plan": "let a = 1\n"}
    reader = Files(texts)
    texts["a.plan"] = ""
    assert reader.read("a.plan") == b"let a = 1\n"
    assert repr(reader) == "Files(a.plan)"
