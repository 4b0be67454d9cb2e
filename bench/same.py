"""Whether an installed wheel says the same without what is made when it is built, and with a cache: to the byte.

`python bench/same.py --plans 500` makes plans of those in `plans/` with other figures, some in YAML and some with a
letter that is missing, and checks them all with each part of the wheel left out: the image of the library, the tables
of the driver, the code of its expressions, the table of units, the modules in one file, all of them; and twice with a
cache. `--python` is that of an environment with the wheel; it is built into a new one unless said. The exit code is 1
where anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cases import PLAN, PLAN_YAML
from environments import ROOT, of_checkout

# What is made when a wheel is built, as `setup.py` lists it.
IMAGE, TABLES, PATTERNS, UNITS, SEEDED, MODULES = MADE = (
    *("stdlib/image.bin", "dsl/syntax/plan_tables.py", "dsl/text/pattern_table.py", "dsl/units/unit_table.py"),
    *("engine/problem/seeded_table.py", "modules.bin"),
)
# What is left out of the wheel; nothing at first, which all others are held to.
VARIANTS: dict[str, Sequence[str]] = {
    "as it is": (),
    "without the image": (IMAGE, MODULES),
    "without the tables of the driver": (TABLES, MODULES),
    "without the code of its expressions": (PATTERNS, MODULES),
    "without the table of units": (UNITS, MODULES),
    "without the figures at random": (SEEDED, MODULES),
    "without the modules in one file": (MODULES,),
    "without any of them": MADE,
}
FORMATS = ("full", "json")
_FIGURE = re.compile(r"(?<![\w.-])(\d+)(?=[.\d]*\s?(?:[kMBT%]|days|USD|GPU))")


def plans(count: int, seed: int = 1) -> Iterator[tuple[str, str]]:
    """So many plans, each with the name of its file: the same each time."""
    draw = random.Random(seed)
    texts = [
        (path.name.partition(".")[2], path.read_text("utf-8")) for path in sorted((ROOT / "plans").glob("*.plan*"))
    ]
    texts += [("plan", PLAN), ("plan.yaml", PLAN_YAML)]
    for number in range(count):
        ending, text = texts[number % len(texts)]
        text = _FIGURE.sub(lambda found: str(max(1, round(int(found[1]) * draw.uniform(0.7, 1.4)))), text)
        if number % 6 == 5:  # a letter is missing, somewhere
            at = draw.randrange(len(text))
            text = text[:at] + text[at + 1 :]
        yield f"plan{number:04d}.{ending}", text


def said(python: Path, package: Path, folder: Path, formats: Sequence[str], **environment: str) -> list[str]:
    """What a package says of a folder of plans, in each format."""
    code = "import sys; from runplan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    own = {**os.environ, "PYTHONPATH": str(package), "COLUMNS": "100", **environment}
    out = []
    for name in formats:
        command = [str(python), "-c", code, "check", ".", "-o", name, "--exit-zero"]
        done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"plan check: exit {done.returncode}\n{done.stderr}")
        out.append(f"{done.stdout}\n{done.stderr}")
    return out


def differing(
    python: Path, installed: Path, folder: Path, count: int, formats: Sequence[str] = FORMATS
) -> Iterator[str]:
    """What says anything else than a package as it is installed."""
    there = folder / "plans"
    there.mkdir()
    for name, text in plans(count):
        (there / name).write_text(text, encoding="utf-8")
    first: list[str] = []
    for number, (variant, without) in enumerate(VARIANTS.items()):
        package = folder / f"{number}"
        shutil.copytree(installed, package / "runplan", ignore=shutil.ignore_patterns("__pycache__"))
        for path in without:
            (package / "runplan" / path).unlink()
        own = said(python, package, there, formats, RUNPLAN_NO_CACHE="1")
        first = first or own
        if own != first:
            yield variant
    for turn in ("with a new cache", "with what it kept"):
        own = said(python, folder / "0", there, formats, RUNPLAN_NO_CACHE="", XDG_CACHE_HOME=str(folder / "cache"))
        if own != first:
            yield turn


def main(arguments: Sequence[str]) -> int:
    """Tell what differs."""
    parser = argparse.ArgumentParser(prog="bench/same.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--plans", type=int, default=500, metavar="N")
    parser.add_argument("--python", type=Path, help="of an environment with the wheel; a new one unless said")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        python = (args.python or of_checkout(Path(place)) / "python").absolute()
        script = "import os, runplan; print(os.path.dirname(runplan.__file__))"
        found = subprocess.run([str(python), "-c", script], cwd=place, capture_output=True, text=True, check=True)
        wrong = list(differing(python, Path(found.stdout.strip()), Path(place), args.plans))
    for variant in wrong:
        print(f"{variant}: it says something else")
    print(f"{args.plans} plans, {len(VARIANTS) + 2} ways, {len(wrong)} that differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
