"""Pictures: what is in them, that files of them are whole and the same each time, and terminals' previews of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import util
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.cli.main import main
from runplan.cli.plot.plot import plot
from runplan.cli.show.ladder.picture import picture
from runplan.cli.show.text.canvas import ROWS, canvas
from runplan.cli.show.text.content import PlotAxis
from runplan.cli.show.text.picture import Panel, Picture, Series
from runplan.dsl.text.reader import Files
from runplan.engine.ladder.ladder import Asked, Ladder, ladder_of

PLAN = "hardware: 8 x H100 for 3 days at 40% MFU\nmodel: llama-3.2-1b\n"
needs_matplotlib = pytest.mark.skipif(util.find_spec("matplotlib") is None, reason="an extra, not installed here")


@cache
def ladder() -> Ladder:
    return ladder_of("a.plan", Files({"a.plan": PLAN}), Asked(budgets=2, sizes=3), catalogue=LIBRARY)


def test_the_picture_of_a_ladder_has_each_run_and_the_flagship() -> None:
    where, expected, designs = picture(ladder()).panels
    dots = [p for s in where.series if s.kind == "points" and s.marker == "dot" for p in s.points]
    assert sorted(dots) == sorted((ladder().sizes.law[run.place], run.settings.tokens) for run in ladder().runs)
    assert [s.label for s in where.series if s.marker == "star"] == ["flagship"]
    rings = [p for s in expected.series if s.marker == "ring" for p in s.points]
    assert len(rings) == len({run.budget for run in ladder().runs})
    assert [s.label.split(":")[0] for s in designs.series] == ["isoflop", "ratio", "L", "best"]
    assert all(s.low[0] < s.y[0] < s.high[0] for s in designs.series)


@needs_matplotlib
def test_an_svg_is_the_same_each_time_and_has_its_words(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        plot(picture(ladder()), str(tmp_path / name))
    content = (tmp_path / "a.svg").read_bytes()
    assert content == (tmp_path / "b.svg").read_bytes()
    root = ElementTree.fromstring(content)
    texts = {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Where the runs lie", "flagship", "tokens", "loss, nat/token"} <= texts
    marks = list(root.iter("{http://www.w3.org/2000/svg}use"))
    assert len(marks) >= 2 * len(ladder().runs)


@needs_matplotlib
def test_a_png_is_one(tmp_path: Path) -> None:
    plot(picture(ladder()), str(tmp_path / "a.PNG"))
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_picture_that_cannot_be_drawn_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.plan").write_text(PLAN, "utf-8")
    assert main(["ladder", "a.plan", "--plot", "a.pdf"]) == 2
    assert "a picture is an .svg or a .png" in capsys.readouterr().err
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    assert main(["ladder", "a.plan", "--plot", "a.svg"]) == 2
    assert "pip install 'runplan[plot]'" in capsys.readouterr().err


def runs_of(path: Path, form: Callable[[float, float], float]) -> None:
    """Runs of four sizes at each of three budgets, exact."""
    rows = ["params,tokens,compute,loss"]
    for budget in (1e18, 1e19, 1e20):
        for off in (0.4, 0.8, 1.3, 2.5):
            size = off * (budget / 120) ** 0.5
            tokens = budget / 6 / size
            rows.append(f"{size:.6g},{tokens:.6g},{budget:g},{form(size, tokens):.7g}")
    path.write_text("\n".join([*rows, ""]), "utf-8")


@needs_matplotlib
@pytest.mark.parametrize("form", ["chinchilla", "isoflop"])
def test_a_fit_is_drawn_with_its_runs_and_their_lowest_points(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runs_of(tmp_path / "runs.csv", lambda n, d: 1.8 + 480 / n**0.35 + 2000 / d**0.37)
    assert main(["fit", "runs.csv", "--form", form, "--bootstrap", "0", "--plot", "a.svg"]) == 0
    root = ElementTree.fromstring((tmp_path / "a.svg").read_bytes())
    texts = {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}
    of = "loss" if form == "chinchilla" else "params"
    assert {"1e18 FLOP", "1e20 FLOP", f"Residuals of {of}", "the law", "parabolas"} <= texts
    assert len(list(root.iter("{http://www.w3.org/2000/svg}use"))) >= 12 + 3


@needs_matplotlib
def test_a_run_in_progress_is_drawn_beside_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.plan").write_text("hardware: 8 x H100 for ? at 40% MFU\nmodel: 1B\ntokens: 20B\n", "utf-8")
    rows = ["step,tokens,loss,learning_rate,seconds"]
    for step in range(100, 4000, 100):
        done = step * 1e6
        loss = 1.8172 + 482.01 / 1e9**0.3478 + 2085.43 / done**0.3658
        rows.append(f"{step},{done:.0f},{1.02 * loss:.5f},{3e-4 * min(step / 200, 1):.3g},{step * 2.0}")
    (tmp_path / "log.csv").write_text("\n".join([*rows, ""]), "utf-8")
    main(["track", "run.plan", "log.csv", "--plot", "a.svg", "--fail-on", "never"])
    root = ElementTree.fromstring((tmp_path / "a.svg").read_bytes())
    texts = {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Loss", "log", "planned", "so far", "Learning rate"} <= texts
    assert any(text.startswith("at the end") for text in texts)
    assert any("a run that ends here" in text for text in texts)


@needs_matplotlib
def test_a_log_is_drawn_whatever_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Losses of two kinds, no rate, and a stretch that was done again: the pace goes back there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.plan").write_text("hardware: 8 x H100 for ? at 40% MFU\nmodel: 1B\ntokens: 20B\n", "utf-8")
    rows = ["step,tokens,train_loss,val_loss,seconds"]
    for i, step in enumerate([*range(100, 4000, 100), *range(3000, 6000, 100)]):
        loss = 2.5 + step**-0.5
        rows.append(f"{step},{step * 1e6:.0f},{loss:.5f},{loss + 0.1 if i % 5 == 4 else ''},{i * 200.0}")
    (tmp_path / "log.csv").write_text("\n".join([*rows, ""]), "utf-8")
    main(["track", "run.plan", "log.csv", "--plot", "a.svg", "--preview", "--fail-on", "never"])
    root = ElementTree.fromstring((tmp_path / "a.svg").read_bytes())
    texts = {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"log", "held-out", "so far"} <= texts


@needs_matplotlib
def test_a_fit_of_what_is_no_loss_is_drawn_by_what_it_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ["params_non_embedding,tokens,learning_rate"]
    rows += [f"{n},{d},{1.8 * n**-0.71 * d**0.31:.7g}" for n in (1e8, 3e8, 1e9) for d in (1e9, 1e10, 1e11)]
    (tmp_path / "runs.csv").write_text("\n".join([*rows, ""]), "utf-8")
    assert main(["fit", "runs.csv", "--form", "steplaw", "--bootstrap", "0", "--plot", "a.svg"]) == 0
    assert "Measured and fitted" in (tmp_path / "a.svg").read_text("utf-8")


AXIS = PlotAxis("x", (), lambda value: f"{value:.3g}", False)
FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


@given(FIGURES, FIGURES, st.integers(30, 140), st.sampled_from(("points", "line", "dashes", "band", "bars")))
def test_a_preview_is_as_wide_as_it_may_be_and_has_its_points(
    xs: list[float], ys: list[float], width: int, kind: str
) -> None:
    count = min(len(xs), len(ys))
    x, y = tuple(xs[:count]), tuple(ys[:count])
    series = Series(kind, x, y, label="it", low=y, high=y)  # type: ignore[arg-type]
    lines = canvas(Panel("", AXIS, AXIS, (series,)), width)
    assert all(len(line) <= width for line in lines)
    assert not lines or len(lines) >= ROWS
    if lines and kind == "points":
        assert "●" in "".join(lines)


def test_nothing_is_drawn_of_nothing() -> None:
    empty = Panel("", AXIS, AXIS, (Series("line", (1.0, 2.0), (math.nan, math.inf)),))
    assert canvas(empty, 80) == []


@needs_matplotlib
def test_a_panel_without_points_is_drawn_empty(tmp_path: Path) -> None:
    empty = Panel("none", AXIS, AXIS, (Series("line", (1.0, 2.0), (math.nan, math.inf)),))
    plot(Picture("nothing", (empty,), "nowhere"), str(tmp_path / "a.svg"))
    assert ElementTree.fromstring((tmp_path / "a.svg").read_bytes()) is not None
