"""`plan lock`: what plans rest on is pinned, and a check tells of what has moved though the plan has not."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from repositories import write
from schemas import wrong

from runplan import Project
from runplan.cli.main import main
from runplan.dsl.text import limits
from runplan.engine import lock

PLAN = "use laws chinchilla\nhardware: 64 x H100 for 30 days at 40% MFU @ team\n"
PRICE = 'price team { price 3 USD/GPU/hour from "a contract" }\n'
FILES = {"runplan.toml": 'packs = ["packs"]\n', "packs/team.plan": PRICE, "plans/a.plan": PLAN}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    main(["check", "-o", "json", "--select", "R", *words])
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["findings"]
    return told


def test_a_pack_that_nothing_pins_is_told_once_and_as_information(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, {"plans/b.plan": PLAN})
    (one,) = found(capsys, "plans")
    assert (one["code"], one["severity"], one["file"], one["line"]) == ("R001", "info", "runplan.toml", 1)
    assert "packs/team.plan" in one["message"]
    assert main(["check", "plans", "--fail-on", "warning"]) == 0
    assert main(["lock", "plans"]) == 0
    assert found(capsys, "plans") == []
    write(here, {"packs/more.plan": PRICE.replace("team", "other")})
    assert [one["code"] for one in found(capsys, "plans")] == ["R001"]


def test_a_project_without_packs_is_quiet(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"runplan.toml": "", "plans/a.plan": PLAN.replace("team", "3 USD/GPU/hour")})
    assert found(capsys, "plans") == []


def test_what_a_pack_moves_is_told_with_both_values(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "plans"]) == 0
    write(here, {"packs/team.plan": PRICE.replace("price 3", "price 4")})
    (one,) = found(capsys, "plans")
    assert (one["code"], one["severity"]) == ("R002", "warning")
    was, why = "was 138,240 USD when it was locked", "the pack `packs/team.plan` has changed, and the plan has not"
    assert one["message"] == f"`cost` is 184,320 USD, and {was}: {why}"
    assert (one["data"]["locked"], one["data"]["value"]) == (138240.0, 184320.0)
    assert main(["check", "plans", "--fail-on", "warning", "--select", "R"]) == 1
    assert found(capsys, "plans", "--set", "tokens=1T") == [], "another plan than the one that is locked"
    assert main(["lock"]) == 0
    assert "plans/a.plan: cost 184,320 USD, was 138,240 USD" in capsys.readouterr().out
    assert found(capsys, "plans") == []


def test_what_the_plan_itself_moves_is_its_own_affair(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"lets.plan": "let many = 64\n", "plans/a.plan": "import ../lets.plan\n" + PLAN.replace("64", "many")})
    assert main(["lock", "plans"]) == 0
    write(here, {"lets.plan": "let many = 65\n"})
    assert found(capsys, "plans") == []
    assert main(["lock", "plans", "--check"]) == 1
    assert "plans/a.plan: the plan has changed; cost" in capsys.readouterr().out


def test_a_pack_that_moves_nothing_is_not_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "plans"]) == 0
    write(here, {"packs/team.plan": "# a comment\n" + PRICE})
    assert found(capsys, "plans") == []
    assert main(["lock", "--check"]) == 1


def test_what_a_folder_asks_is_named_from_the_root(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        here,
        {"runplan.toml": 'packs = ["packs"]\n[budgets]\nplans = "org.plan"\n', "org.plan": "require params >= 1B\n"},
    )
    assert main(["lock", "plans"]) == 0
    monkeypatch.chdir(here / "plans")
    assert main(["lock", "--check"]) == 0
    write(here, {"org.plan": "require params <= 1B\n"})
    assert "the budget `org.plan` has changed" in found(capsys, "a.plan")[0]["message"]


def test_another_program_or_library_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["lock", "plans"]) == 0
    text = (here / "runplan.lock").read_text("utf-8")
    other = text.replace('library = "sha256:', 'library = "sha256:0').replace("138240 USD", "138000 USD")
    write(here, {"runplan.lock": other.replace('runplan = "', 'runplan = "0.0')})
    (one,) = found(capsys, "plans")
    assert "the standard library has changed" in one["message"] and "runplan 0.0" in one["message"]


def test_it_is_the_same_each_time_and_each_line_is_one_fact(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"plans/b.plan": "hardware: 64 x H100 for 20 days at 40% MFU\nmodel: 30B\ntokens: 3T\n"})
    write(here, {'plans/"ünï\u202e cöde".plan': "compute: 1e21 FLOP\n"})
    assert main(["lock"]) == 0
    first = (here / "runplan.lock").read_bytes()
    told = tomllib.loads(first.decode())
    assert wrong(told) == [] and sorted(told["plans"]) == list(told["plans"])
    assert told["plans"]["plans/b.plan"]["status"] == "infeasible" and "values" not in told["plans"]["plans/b.plan"]
    assert told["plans"]["plans/a.plan"]["values"]["cost"] == "138240 USD"
    assert told["plans"]["plans/a.plan"]["defaults"]["precision"] == "bf16"
    (here / "runplan.lock").unlink()
    assert main(["lock"]) == 0
    assert (here / "runplan.lock").read_bytes() == first
    assert main(["lock", "--check"]) == 0
    assert lock.text_of(lock.lock_of(first, "runplan.lock")).encode() == first


def test_rounding_of_another_machine_is_no_difference(here: Path) -> None:
    assert main(["lock", "plans"]) == 0
    path = here / "runplan.lock"
    text = path.read_text("utf-8")
    path.write_text(text.replace("138240 USD", "138240.001 USD"), "utf-8")
    assert main(["lock", "--check"]) == 0
    assert main(["lock"]) == 0 and "138240.001 USD" in path.read_text("utf-8")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert main(["lock", "--check"]) == 0, "git may write the line ends of Windows"


def test_what_is_locked_stays_and_what_is_gone_goes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"plans/b.plan": PLAN, "plans/c.plan": "hardwear: 3\n"})
    assert main(["lock", "plans/a.plan"]) == 0
    assert main(["lock", "plans/b.plan", "plans/c.plan"]) == 0
    assert "plans/c.plan is not locked, it cannot be read" in capsys.readouterr().err
    assert list(tomllib.loads((here / "runplan.lock").read_text("utf-8"))["plans"]) == ["plans/a.plan", "plans/b.plan"]
    (here / "plans/a.plan").unlink()
    assert main(["lock", "--check"]) == 1
    assert "plans/a.plan: gone" in capsys.readouterr().out
    assert main(["lock"]) == 0
    assert list(tomllib.loads((here / "runplan.lock").read_text("utf-8"))["plans"]) == ["plans/b.plan"]
    (here / "plans/b.plan").unlink()
    os.mkfifo(here / "plans/b.plan")  # there, and not to be read
    assert main(["lock"]) == main(["diff", "plans/b.plan", "plans/c.plan"]) == 2
    assert capsys.readouterr().err.count("plans/b.plan: not a regular file") == 2
    assert list(tomllib.loads((here / "runplan.lock").read_text("utf-8"))["plans"]) == ["plans/b.plan"]


BROKEN = ["<<<<<<< HEAD\n", 'schema = "plan.lock/v2"\n', 'schema = "plan.lock/v1"\nplans = 3\n', "\0"]


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_lock_is_refused_and_written_anew(here: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(here, {"runplan.lock": text})
    assert main(["check", "plans"]) == 2 and main(["lock", "--check"]) == 2
    assert "runplan.lock: " in capsys.readouterr().err
    assert main(["solve", "plans/a.plan"]) == 0
    assert main(["lock"]) == 0 and main(["check", "plans"]) == 0


def test_a_lock_is_as_long_as_it_takes_and_read_where_it_is_asked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lock", "plans"]) == 0
    text = (here / "runplan.lock").read_text("utf-8")
    head, _, plan = text.partition("\n[plans.")
    more = "".join(f"\n[plans.{plan}".replace("plans/a.plan", f"plans/{i:04}.plan") for i in range(400))
    assert len(more) > limits.MAX_BYTES
    write(
        here, {"runplan.lock": head + more + f"\n[plans.{plan}", "packs/team.plan": PRICE.replace("price 3", "price 4")}
    )
    assert [one["code"] for one in found(capsys, "plans")] == ["R002"]
    known = Project.open(".").lock()
    assert known is not None and len(known.plans) == 401
    write(here, {"runplan.lock": f'{head}\n[plans.{plan}\n[plans."plans/b.plan"]\nlaw = 3\n<<<<<<<\n'})
    assert [one["code"] for one in found(capsys, "plans")] == ["R002"], "what it says of another plan is not asked"
    assert main(["lock", "--check"]) == 2
    write(here, {"runplan.lock": text + more + f"\n[plans.{plan}"})
    assert main(["check", "plans"]) == 2 and "stands twice" in capsys.readouterr().err


def test_the_lock_lies_beside_the_configuration(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here / "plans")
    assert main(["lock", "a.plan"]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["packs", "plans", "runplan.lock", "runplan.toml"]
    assert Project.open("a.plan").gate("a.plan").findings == Project.open("a.plan").check("a.plan")
    for words in (["-"], ["none.plan"]):
        assert main(["lock", *words]) == 2
