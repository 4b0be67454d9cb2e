"""`plan fmt`: what it writes, prints and exits with."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from runplan.cli.main import main

UNTIDY, TIDY = "tokens:2T\nmodel :  7B # ours\n", "tokens: 2T\nmodel: 7B  # ours\n"
YAML = "tokens: 2T\nmodel: 7B  # ours\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.plan").write_text(UNTIDY, "utf-8")
    (tmp_path / "b.plan").write_text(TIDY, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_laid_out_in_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a.plan").chmod(0o640)
    assert main(["fmt"]) == 0
    assert (here / "a.plan").read_text("utf-8") == TIDY
    assert (here / "a.plan").stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr() == ("", "1 file laid out, 1 file as it is\n")
    assert main(["fmt", "."]) == 0
    assert capsys.readouterr() == ("", "2 files as they are\n")
    assert sorted(path.name for path in here.iterdir()) == ["a.plan", "b.plan"]


@pytest.mark.parametrize(
    ("text", "gone"), [("model: 7B\r\n", "-model: 7B^M"), ("model: 7B", "-\\ No newline at end of file")]
)
def test_how_lines_end_is_shown(here: Path, capsys: pytest.CaptureFixture[str], text: str, gone: str) -> None:
    (here / "a.plan").write_bytes(text.encode())
    assert main(["fmt", "--diff", "a.plan"]) == 1
    assert gone in capsys.readouterr().out.splitlines()


def test_check_and_diff_write_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "."]) == 1
    assert capsys.readouterr() == ("", "would lay out a.plan\n1 file would be laid out, 1 file as it is\n")
    assert main(["fmt", "--diff", "a.plan"]) == 1
    printed = capsys.readouterr().out
    assert printed.splitlines() == [
        "--- a.plan",
        "+++ a.plan (laid out)",
        "@@ -1,2 +1,2 @@",
        "-tokens:2T",
        "-model :  7B # ours",
        "+tokens: 2T",
        "+model: 7B  # ours",
    ]
    assert (here / "a.plan").read_text("utf-8") == UNTIDY
    assert main(["fmt", "--check", "--diff", "b.plan"]) == 0


def test_standard_input_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def said(text: str, *arguments: str) -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["fmt", "-", *arguments]) == 0
        return capsys.readouterr().out

    assert said(UNTIDY, "--stdin-filename", "x.plan") == TIDY
    assert said(TIDY, "--stdin-filename", "x.plan") == TIDY
    assert said(UNTIDY, "--stdin-filename", "x.plan", "--to", "yaml") == YAML
    assert said(YAML, "--stdin-filename", "x.plan.yaml", "--to", "plan") == TIDY


def test_the_other_spelling_is_printed_and_no_file_changes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "a.plan", "--to", "yaml"]) == 0
    assert capsys.readouterr() == (YAML, "")
    assert (here / "a.plan").read_text("utf-8") == UNTIDY
    assert main(["fmt", "--to", "yaml"]) == 2
    assert "name one" in capsys.readouterr().err


def test_what_cannot_be_read_stays_and_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "a.plan").write_text("tokens: 2T\nhardwear: 8\n", "utf-8")
    assert main(["fmt"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("a.plan:2:1: error[N001] ")
    assert (here / "a.plan").read_text("utf-8") == "tokens: 2T\nhardwear: 8\n"
    (here / "a.plan").write_text('law mine "M" {\n  counts total params\n}\n', "utf-8")
    assert main(["fmt", "a.plan", "--to", "yaml"]) == 2
    assert "a.plan:1: `law` has no YAML" in capsys.readouterr().err


def test_a_link_is_followed(here: Path) -> None:
    (here / "c.plan").symlink_to(here / "a.plan")
    assert main(["fmt", "c.plan"]) == 0
    assert (here / "c.plan").is_symlink()
    assert (here / "a.plan").read_text("utf-8") == TIDY
