"""A sweep is the same to the byte, whoever works on it, wherever it is cut off, and whoever is killed on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from clusters import local

from runplan.cli import sweeping
from runplan.cli.main import main
from runplan.engine.scatter import order
from runplan.engine.scatter.work import Done
from runplan.engine.sweep.parts import Part

PLAN = """\
hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour
data: 2T tokens
require cost <= 300k USD
"""
AXES = ["hardware.gpus=64..512:log4", "hardware.time=10..40 days:4", "--laws", "chinchilla,kaplan"]
FORMATS = ("csv", "jsonl", "json", "npy", "parquet")
CHOICES = [(), ("--where", "loss <= 2.6"), ("--pareto", "cost,loss"), ("--top", "5", "--by", "loss")]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.plan").write_text(PLAN, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(order, "GROWTH", 2)  # more chunks than of so few points


def sweep(name: str, *more: str) -> int:
    return main(["sweep", "small.plan", *AXES, *more, *(f"-o{format}={name}.{format}" for format in FORMATS)])


def same(one: str, other: str) -> bool:
    return all(Path(f"{one}.{format}").read_bytes() == Path(f"{other}.{format}").read_bytes() for format in FORMATS)


def cut(after: int, chunks: Iterable[Done[Part]], size: int) -> Iterator[Done[Part]]:
    """So many chunks, and then an interruption."""
    yield from islice(chunks, after)
    raise KeyboardInterrupt


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: " ".join(choice) or "all")
def test_a_sweep_that_is_cut_off_goes_on_to_the_same(
    choice: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("whole", *choice) == 0
    for after in (0, 3, 2):
        with monkeypatch.context() as patch:
            patch.setattr(sweeping, "progress", partial(cut, after))
            assert sweep("cut", *choice, "--resume") == 130
    assert "7 of 32 points are done; the same with `--resume` goes on from there" in capsys.readouterr().err
    assert not Path("cut.csv").exists()
    assert sweep("cut", *choice, "--resume") == 0
    assert same("whole", "cut")
    assert not [path for path in Path().iterdir() if path.suffix in (".part", ".journal")]


def test_what_another_sweep_left_is_not_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "progress", partial(cut, 3))
        assert sweep("cut") == 130
    for changed in (["--where", "loss <= 2"], ["--set", "hardware.mfu=41%"], ["--ask", "loss"]):
        assert sweep("cut", *changed, "--resume") == 2
        assert "cut.csv.journal is of another run" in capsys.readouterr().err
    Path("small.plan").write_text(PLAN.replace("300k", "310k"), "utf-8")
    assert sweep("cut", "--resume") == 2


@pytest.mark.parametrize("outputs", [[], ["-ocsv"], ["-ocsv=a.csv", "-otable"], ["-onpz=a.npz"]], ids=str)
def test_only_files_that_grow_are_gone_on_with(outputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "small.plan", *AXES, "--resume", *outputs]) == 2
    assert "`--resume` goes on with files that grow, such as `-o csv=FILE`: csv, jsonl" in capsys.readouterr().err


def test_two_processes_do_what_one_does() -> None:
    assert sweep("one") == 0
    assert sweep("two", "--workers", "2") == 0
    assert same("one", "two")


def test_a_cluster_does_what_one_process_does_though_a_worker_is_killed() -> None:
    assert sweep("one") == 0
    with local(2) as cluster:
        first = next(iter(cluster.workers.values()))

        def killing(chunks: Iterable[Done[Part]], size: int) -> Iterator[Done[Part]]:
            for done in chunks:
                if done.start == 3:
                    os.kill(first.pid, 9)
                yield done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sweeping, "progress", killing)
            assert sweep("two", "--scheduler", cluster.scheduler_address) == 0
    assert same("one", "two")


def test_another_process_goes_on_with_what_one_left_that_was_killed() -> None:
    """What a sweep follows from is told the same by any process, whatever order its sets have."""
    argv = [sys.executable, "-m", "runplan", "sweep", "small.plan", *AXES, "-ocsv=cut.csv"]
    assert main(["sweep", "small.plan", *AXES, "-ocsv=whole.csv"]) == 0
    code = (
        "import os, runpy, sys\n"
        "from runplan.cli import growing, sweeping\n"
        "growing.APART = 0.0\n"
        "def killed(chunks, size):\n"
        "    for count, done in enumerate(chunks):\n"
        "        if count == 2:\n"
        "            os.kill(os.getpid(), 9)\n"
        "        yield done\n"
        "sweeping.progress = killed\n"
        f"sys.argv = {['plan', *argv[3:]]!r}\n"
        "runpy.run_module('runplan', run_name='__main__')\n"
    )
    left = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": "1"}, check=False)
    assert left.returncode == -9 and Path("cut.csv.journal").exists()
    done = subprocess.run([*argv, "--resume"], env={**os.environ, "PYTHONHASHSEED": "2"}, check=False)
    assert done.returncode == 0
    assert Path("cut.csv").read_bytes() == Path("whole.csv").read_bytes()
