"""Files as an editor has them, before the disk; and files to open for what stands in none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from editing import Open, one

from runplan.dsl.text import store
from runplan.dsl.text.source import Source
from runplan.editor.buffers import Seen
from runplan.editor.rename import CannotRename, renamed

PLAN = "import lets.plan\nmodel: size\ntokens: 1T\n"


def test_what_is_open_is_read_in_place_of_the_disk_and_of_links_to_it(tmp_path: Path) -> None:
    there = Open(tmp_path, {"a.plan": PLAN, "lets.plan": "let size = 1B\n"})
    (tmp_path / "link.plan").symlink_to(tmp_path / "lets.plan")
    assert there.document().faults == ()
    there.edit("lets.plan", "let other = 1B\n")
    assert [f.code for f in there.document().faults] == ["N002"]
    there.edit("a.plan", PLAN.replace("lets", "link"))
    assert [f.code for f in there.document().faults] == ["N002"]
    there.workspace.drop(there.path("lets.plan"))
    assert there.document().faults == ()


def test_a_document_is_the_same_until_something_that_it_rests_on_is_not(tmp_path: Path) -> None:
    there = Open(tmp_path, {"a.plan": PLAN, "lets.plan": "let size = 1B\n", "other.plan": ""})
    before = there.document()
    there.edit("other.plan", "let unrelated = 3\n")
    assert there.document() is before
    there.edit("lets.plan", "let size = 2B\n")
    assert there.document() is not before
    before = there.document()
    (tmp_path / "runplan.toml").write_text('ignore = ["H004"]\n', encoding="utf-8")
    there.workspace.touched()
    assert there.document() is not before


def test_a_reader_that_remembers_sees_what_is_gone_and_what_is_new(tmp_path: Path) -> None:
    there = Open(tmp_path, {"a.plan": "", "b.plan": "let x = 3\n"})
    files = there.workspace.opened(there.path("a.plan")).files
    seen = Seen(files)
    assert seen.read("b.plan") == b"let x = 3\n" and seen.files(".") == ("a.plan", "b.plan", "runplan.toml")
    with pytest.raises(OSError):
        seen.read("c.plan")
    assert seen.same_by(files)
    (tmp_path / "c.plan").touch()
    assert not seen.same_by(files)


def test_what_stands_in_no_file_is_shown_by_a_copy_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RUNPLAN_NO_CACHE", raising=False)
    (tmp_path / "project").mkdir()
    there = one(tmp_path / "project", "model: 1B\n")
    packed = Source("stdlib/../../laws/of-a-zip.plan", "law x { }\n")
    path = there.workspace.file_of(packed, there.document())
    assert path is not None and Path(path).is_relative_to(tmp_path / "cache" / "runplan" / store.SHOWN)
    assert Path(path).read_text(encoding="utf-8") == packed.text and not os.stat(path).st_mode & 0o222
    assert there.workspace.file_of(packed, there.document()) == path
    assert there.workspace.is_of_library(path)
    monkeypatch.setenv("RUNPLAN_NO_CACHE", "1")
    assert there.workspace.file_of(packed, there.document()) is None
    assert sorted(p.name for p in (tmp_path / "project").iterdir()) == ["a.plan", "runplan.toml"]


def test_a_folder_called_like_the_library_is_the_projects_own(tmp_path: Path) -> None:
    there = Open(tmp_path, {"a.plan": "hardware: 8 x H1▮00 for 3 months\n", "stdlib/devices/h100-sxm.plan": ""})
    document = there.document()
    header = document.header("device", "H100")
    assert header is not None
    found = there.workspace.file_of(header.span.source, document)
    assert found is not None and not found.startswith(str(tmp_path))
    with pytest.raises(CannotRename, match="library"):
        renamed(document, there.workspace, there.at, "mine")
