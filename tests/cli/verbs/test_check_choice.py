"""What `plan check` shows: what is selected and left out, counted, and again when something changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runplan.cli.main import main
from runplan.cli.watching import watched

# D002, H004 and L001 are found here.
PLAN = "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: 70B\ntokens: at most 80B\n"
ALL = {"D002", "H004", "L001"}


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.plan").write_text(PLAN)
    (tmp_path / "runplan.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> set[str]:
    main(["check", "a.plan", "-o", "json", *options])
    return {found["code"] for found in json.loads(capsys.readouterr().out)["findings"]} & ALL


@pytest.mark.parametrize(
    ("configured", "options", "found"),
    [
        ("", "", ALL),
        ("", "--select d", {"D002"}),
        ("", "--select D,h004 --ignore D002", {"H004"}),
        ("", "--select D002 --ignore D", {"D002"}),
        ("", "--select under-trained --ignore D002", set()),
        ("", "--ignore L,H --extend-select H004", {"D002", "H004"}),
        ('select = ["L"]', "", {"L001"}),
        ('select = ["L"]', "--extend-select D", {"L001", "D002"}),
        ('select = ["L"]', "--select D", {"D002"}),
        ('ignore = ["L", "H"]', "", {"D002"}),
        ('ignore = ["L", "H004"]', "--extend-select L", {"D002", "L001"}),
        ('ignore = ["L", "H004"]', "--extend-select H", {"D002"}),
        ('ignore = ["L", "H004"]', "--extend-select h004 --ignore H004", {"D002", "L001"}),
        ('ignore = ["L"]', "--select L001", {"L001"}),
    ],
)
def test_of_what_fits_the_longest_counts(
    configured: str, options: str, found: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("runplan.toml").write_text(configured)
    assert shown(capsys, *options.split()) == found


@pytest.mark.parametrize("option", ["--select", "--ignore", "--extend-select"])
def test_a_code_that_there_is_not_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "a.plan", option, "undertrained"]) == 2
    assert "did you mean `under-trained`?" in capsys.readouterr().err


def test_what_is_wrong_with_a_plan_itself_is_never_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.plan").write_text("tokenz: 2T\n")
    Path("runplan.toml").write_text('severity = { N = "info", N001 = "info" }\nfail-on = "never"\n')
    assert main(["check", "a.plan", "--ignore", "N001,n,D", "-o", "concise"]) == 1
    said = capsys.readouterr()
    assert "error[N001]" in said.out and "`n` is about what is wrong with a plan itself" in said.err
    assert "`D`" not in said.err


def test_findings_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "a.plan", "--statistics", "-o", "json", "--ignore", "L"])
    said = capsys.readouterr()
    assert {"code": "D002", "name": "under-trained", "count": 1} in json.loads(said.out)["statistics"]
    assert "    1  D002  under-trained" in said.err


def changing(*changes: Callable[[], object]) -> Callable[[float], None]:
    """What pauses between two looks, in which something changes each time; then it is interrupted."""
    left = list(changes)

    def pause(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    return pause


def test_a_change_of_what_it_rests_on_is_checked_again(capsys: pytest.CaptureFixture[str]) -> None:
    plan, checks = Path("a.plan"), list[int]()
    pause = changing(
        lambda: plan.write_text(f"{PLAN}# more\n"),
        lambda: plan.touch(),  # it is as it was
        lambda: Path("other.txt").touch(),
        lambda: Path("runplan.toml").write_text("fial-on = 1"),  # half written: said, and gone on
        lambda: Path("runplan.toml").write_text('ignore = ["H"]'),
        lambda: plan.unlink(),
    )
    options = ["check", "a.plan", "-o", "concise", "--no-cache"]

    def check() -> int:
        checks.append(main(options))
        return checks[-1]

    assert watched(check, options[1:], pause) == 0
    assert checks == [0, 0, 2, 0, 2]
    said = capsys.readouterr()
    assert "unknown key `fial-on`" in said.err and "\x1b" not in said.out


def test_it_is_ended_by_an_interrupt_and_that_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runplan.cli.watching.watched", lambda check, argv: watched(check, argv, changing()))
    assert main(["check", "a.plan", "--watch"]) == 0
