"""Files grow to the same, wherever a run is interrupted, and have their names only when they are whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.cli.growing import JOURNAL, PART, growing
from runplan.cli.outcome import CannotRun

SIZE = 30
HEAD = b"0000\n"


@pytest.fixture(scope="module", autouse=True)
def _no_power_is_lost() -> Iterator[None]:
    """To wait for the disk would take the time of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def text(start: int, stop: int) -> bytes:
    return b"".join(f"{point},".encode() for point in range(start, stop))


def grow(folder: Path, stops: list[int], *, fails_at: int = SIZE, torn: bool = False, key: str = "key") -> None:
    """Add all points to two files; at a point the run is interrupted, with something written of it where it is torn."""
    with growing([str(folder / name) for name in "ab"], [HEAD, b""], lambda: key, resume=True) as files:
        for stop in [*(s for s in stops if s > files.state.point), SIZE]:
            start = files.state.point
            assert files.state.kept == (start or None)
            if start <= fails_at < stop:
                if torn:
                    files._streams[0].write(b"half of a po")
                raise KeyboardInterrupt
            files.add([text(start, stop)] * 2, stop, stop)
        files.rewrite([f"{SIZE:04}\n".encode(), b""])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(
    stops=st.lists(st.integers(1, SIZE - 1), unique=True).map(sorted),
    fails=st.lists(st.integers(0, SIZE - 1), unique=True, max_size=4).map(sorted),
    torn=st.booleans(),
)
def test_what_is_interrupted_goes_on_to_the_same(stops: list[int], fails: list[int], torn: bool) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for at in fails:
            with pytest.raises(KeyboardInterrupt):
                grow(folder, stops if at % 2 else [], fails_at=at, torn=torn)
            assert names(folder) == [f"a{JOURNAL}", f"a{PART}", f"b{PART}"]
        grow(folder, stops)
        assert names(folder) == ["a", "b"]
        assert (folder / "a").read_bytes() == b"0030\n" + text(0, SIZE)
        assert (folder / "b").read_bytes() == text(0, SIZE)


def interrupt(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        grow(folder, [10, 20], fails_at=15)


def test_what_is_not_resumed_begins_anew(tmp_path: Path) -> None:
    interrupt(tmp_path)
    with growing([str(tmp_path / "a")], [HEAD], lambda: "another", resume=False) as files:
        assert files.state.point == 0
        files.add([text(0, SIZE)], SIZE)
    assert (tmp_path / "a").read_bytes() == HEAD + text(0, SIZE)


def test_a_run_of_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    interrupt(tmp_path)
    with pytest.raises(CannotRun, match=r"a\.journal is of another run"):
        grow(tmp_path, [], key="another")
    (tmp_path / f"b{PART}").write_bytes(text(0, 3))
    with pytest.raises(CannotRun, match=r"b\.part is not as the interrupted run left it"):
        grow(tmp_path, [])
    (tmp_path / f"a{JOURNAL}").write_text("[1]")
    with pytest.raises(CannotRun, match=r"a\.journal: cannot be read"):
        grow(tmp_path, [])


def test_what_was_there_stays_until_the_new_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    interrupt(tmp_path)
    assert (tmp_path / "a").read_text() == "before"


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotRun, match=r"nowhere/a\.part: No such file or directory"),
        growing([str(tmp_path / "nowhere" / "a")], [b""], lambda: "key", resume=False),
    ):
        pass


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        pytest.raises(CannotRun, match=r"a\.part: No space left on device"),
        growing([str(tmp_path / "a")], [b""], lambda: "key", resume=False) as files,
    ):
        monkeypatch.setattr(os, "fsync", full)
        files.save()


def test_what_is_no_file_is_left_in_its_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with (
            pytest.raises(CannotRun, match="is no file that can be written anew"),
            growing([str(tmp_path / name)], [HEAD], lambda: "key", resume=False),
        ):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"] and not (tmp_path / "pipe").is_file()
