"""`plan fit`: runs and a form into a pack that is as good as any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runplan.cli.main import main
from runplan.engine.fit.pack import MARK

FACTS = Path(__file__).resolve().parents[2] / "facts"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("h100_ladder.csv", "gadre_rpj.csv"):
        shutil.copy(FACTS / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return tmp_path


def fit(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> dict[str, object]:
    capsys.readouterr()
    assert main(["fit", *argv, "--bootstrap", "0", "-o", "json"]) == code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_pack_works_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "h100_ladder.csv", "--form", "chinchilla", "--out", "ours.plan"]) == 0
    assert "Huber loss, delta 0.001" in capsys.readouterr().out
    text = (folder / "ours.plan").read_text("utf-8")
    assert text.startswith(MARK) and "SHA-256" in text and "2026-01-01" in text
    (folder / "p.plan").write_text("import ours.plan\nuse laws ours, chinchilla\ncompute: 1e16 FLOP\n", "utf-8")
    assert main(["fmt", "--check", "ours.plan"]) == 0
    assert main(["test", "ours.plan"]) == 0
    capsys.readouterr()
    assert main(["solve", "p.plan", "-o", "json"]) == 0
    loss = json.loads(capsys.readouterr().out)["solutions"][0]["loss"]
    assert loss["low"] < loss["value"] < loss["high"]
    assert main(["compare", "p.plan", "--laws", "ours,chinchilla"]) == 0
    assert main(["explain", "p.plan", "loss"]) == 0
    assert "misfit" in capsys.readouterr().out


def test_the_same_runs_are_the_same_pack(folder: Path) -> None:
    argv = ["fit", "h100_ladder.csv", "--form", "kaplan", "--bootstrap", "200", "--out", "ours.plan"]
    assert main(argv) == 0
    before = (folder / "ours.plan").read_bytes()
    assert main(argv) == 0 and (folder / "ours.plan").read_bytes() == before


def test_what_is_not_ours_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.plan").write_text("hardware: 8 x H100 for 1 day\n", "utf-8")
    argv = ["fit", "h100_ladder.csv", "--form", "chinchilla", "--bootstrap", "0", "--out", "mine.plan"]
    assert main(argv) == 2 and "--force" in capsys.readouterr().err
    assert main([*argv, "--force"]) == 0


def test_params_are_counted_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    total = fit(capsys, "h100_ladder.csv", "--form", "chinchilla")
    own = fit(capsys, "h100_ladder.csv", "--form", "chinchilla", "--counts", "non_embedding")
    assert (total["counts"], own["counts"]) == ("total", "non_embedding")
    assert "counts non_embedding params" in str(own["pack"])


def test_some_of_the_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(capsys, "h100_ladder.csv", "--form", "chinchilla", "--where", "compute < 2e15")["runs"] == 12
    assert fit(capsys, "h100_ladder.csv", "--form", "chinchilla", "--drop-highest", "2")["runs"] == 13


def test_a_form_of_ones_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "my.plan").write_text(
        "law mine {\n  objective CLM of text\n  counts total params\n"
        "  constants { E = free; A = free; alpha = free; B = free; beta = free }\n"
        "  loss(params N, tokens D) = E + A / N^alpha + B / D^beta\n"
        '  cites "ours"\n}\n',
        "utf-8",
    )
    own = fit(capsys, "h100_ladder.csv", "--form", "my.plan:mine", "--out", "ours.plan")
    theirs = fit(capsys, "h100_ladder.csv", "--form", "chinchilla")
    assert own["fits"][0]["objective"]["value"] == pytest.approx(theirs["fits"][0]["objective"]["value"], rel=1e-9)  # type: ignore[index]
    assert main(["test", "ours.plan"]) == 0


@pytest.mark.parametrize("form", ["isoflop", "envelope", "henighan", "skaling", "steplaw"])
def test_forms_of_every_kind_make_packs(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = fit(capsys, "h100_ladder.csv", "--form", form, "--out", "ours.plan")
    assert found["fits"] and main(["test", "ours.plan"]) == 0


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        ("nope.csv --form chinchilla", 2, "nope.csv"),
        ("h100_ladder.csv --form chinchila", 2, "did you mean `chinchilla`?"),
        ("h100_ladder.csv --form nope.plan", 2, "nope.plan"),
        ("h100_ladder.csv --form muennighoff", 1, "data_tokens"),
        ("h100_ladder.csv --form chinchilla --where tokns<3", 2, "did you mean `tokens`?"),
        ("h100_ladder.csv --form chinchilla --where tokens<loss", 2, "in tokens"),
        ("h100_ladder.csv --form chinchilla --where tokens", 2, "no condition"),
        ("h100_ladder.csv --form chinchilla --hold alfa=0.3", 2, "alpha"),
        ("h100_ladder.csv --form chinchilla --hold alpha", 2, "--hold alpha=0.34"),
        ("h100_ladder.csv --form chinchilla --objective hubr", 2, "did you mean `huber`?"),
        ("h100_ladder.csv --form chinchilla --delta nan", 2, "write a number"),
        ("h100_ladder.csv --form chinchilla --name chinchilla", 2, "law of the library"),
        ("h100_ladder.csv --form chinchilla --name 7up", 2, "no name of a law"),
        ("h100_ladder.csv --form chinchilla --counts all", 2, "total"),
    ],
)
def test_what_cannot_be_done_is_said(argv: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", *argv.split()]) == code
    printed = capsys.readouterr()
    assert said in printed.err
