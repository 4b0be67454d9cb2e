"""Fits beside SciPy's solvers, as one table: `python bench/fits.py [--data RUNS.csv] [--rounds N]`.

    python bench/fits.py --data epoch_chinchilla.csv --drop-highest 5

Chinchilla's form, fitted to a file of runs with the columns N, D and loss, or to 240 runs that are made here. All have
the same objective, Huber's loss with delta 1e-3 of residuals of logarithms. What is shown is CPU time of this process:
the median over the rounds, in which all take turns. SciPy's solvers are timed for some of their starts, and scaled.

- *one fit*: ours, whole, and SciPy's L-BFGS-B with finite differences from the 4,500 starts that T. Besiroglu et al.
  (2024) took of the grid of Hoffmann et al. (2022).
- *4,000 draws*: ours, and SciPy's BFGS from the optimum, with analytic gradients, and with those of `autograd` where
  it is installed.
- *a process*: `plan fit` without a bootstrap, and `python -c "import numpy, scipy.optimize"`.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from surfaces import Chinchilla, chinchilla  # noqa: E402

from runplan.engine.fit.bootstrap import counts, drawn, resampled  # noqa: E402
from runplan.engine.fit.covariance import local  # noqa: E402
from runplan.engine.fit.fit import fit  # noqa: E402
from runplan.engine.fit.outcome import Objective  # noqa: E402

DELTA, STARTS, DRAWS = 1e-3, 4500, 4000
GRID = (
    [0.0, 5, 10, 15, 20, 25],
    [0.0, 5, 10, 15, 20, 25],
    [-1, -0.5, 0, 0.5, 1],
    [0, 0.5, 1, 1.5, 2],
    [0, 0.5, 1, 1.5, 2],
)
Floats = np.ndarray


def runs_of(path: str | None, dropped: int) -> Chinchilla:
    """The runs of a file, or those that are made."""
    if path is None:
        return chinchilla(0.005, 16, 15)
    with open(path, encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: float(row["loss"]))
    n, d, loss = (np.array([float(row[c]) for row in rows[: len(rows) - dropped]]) for c in ("N", "D", "loss"))
    return Chinchilla(np.log(n), np.log(d), loss)


def value(theta: Floats, runs: Chinchilla, np: object = np, weights: Floats | float = 1.0) -> float:
    """The objective as a user of SciPy writes it."""
    a, b, e, alpha, beta = theta
    predicted = np.log(np.exp(a - alpha * runs.params) + np.exp(b - beta * runs.tokens) + np.exp(e))
    r = predicted - np.log(runs.measured)
    size = np.abs(r)
    return (weights * np.where(size <= DELTA, 0.5 * r**2, DELTA * (size - 0.5 * DELTA))).sum()


def with_slope(theta: Floats, runs: Chinchilla, weights: Floats) -> tuple[float, Floats]:
    """The same with its gradient."""
    a, b, e, alpha, beta = theta
    first, second, level = np.exp(a - alpha * runs.params), np.exp(b - beta * runs.tokens), np.exp(e)
    whole = first + second + level
    r = np.log(whole) - np.log(runs.measured)
    pull = np.clip(r, -DELTA, DELTA)
    q = weights * pull / whole
    slopes = [q @ first, q @ second, q.sum() * level, -(q * first) @ runs.params, -(q * second) @ runs.tokens]
    return float((weights * pull * (r - 0.5 * pull)).sum()), np.array(slopes)


def cpu(work: Callable[[], object]) -> float:
    """Seconds of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def of_child(command: Sequence[str], folder: str) -> float:
    """Seconds of a process."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def works(
    runs: Chinchilla, starts: int, draws: int, again: int
) -> tuple[dict[str, Callable[[], object]], dict[str, float]]:
    """What is timed by its name, and of what is done in part only how much more the whole is."""
    objective = Objective()
    best = fit(runs, objective, bootstrap=0).minima[0].theta
    here = local(runs, objective, best)
    at = best[[1, 2, 0, 3, 4]]
    grid = [*itertools.product(*GRID)]
    some = [grid[i] for i in np.random.default_rng(0).choice(len(grid), starts, replace=False)]
    weights = counts(np.arange(len(here.residuals)), 0, 0, draws)
    every: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "fit": lambda: [fit(runs, objective, bootstrap=0) for _ in range(again)],
        "L-BFGS-B": lambda: [minimize(value, s, (runs,), method="L-BFGS-B") for s in some],
        "draws": lambda: drawn(resampled(runs, objective, best, here, 0, None), DRAWS),
        "BFGS": lambda: [minimize(with_slope, at, (runs, w), jac=True, method="BFGS") for w in weights],
    }
    more = {"fit": 1 / again, "L-BFGS-B": STARTS / starts, "BFGS": DRAWS / draws}
    try:
        import autograd
        from autograd import numpy as traced
    except ImportError:
        return every, more
    slope = autograd.grad(value)
    few = weights[: max(2, draws // 10)]
    every["autograd"] = lambda: [
        minimize(value, at, (runs, traced, w), jac=lambda x, *rest: slope(x, *rest), method="BFGS") for w in few
    ]
    return every, more | {"autograd": DRAWS / len(few)}


def measured(runs: Chinchilla, folder: str, starts: int, draws: int, again: int) -> dict[str, float]:
    """Seconds of one round, each whole."""
    every, more = works(runs, starts, draws, again)
    return {name: cpu(work) * more.get(name, 1.0) for name, work in every.items()} | {
        "plan fit": of_child(
            [sys.executable, "-m", "runplan", "fit", "runs.csv", "--form", "chinchilla", "--bootstrap", "0"], folder
        ),
        "import": of_child([sys.executable, "-c", "import numpy, scipy.optimize"], folder),
    }


ROWS = (
    ("one fit / 4,500 starts of L-BFGS-B, finite differences", "fit", "L-BFGS-B", 5000.0, True),
    ("4,000 draws / BFGS with analytic gradients", "draws", "BFGS", 25.0, True),
    ("4,000 draws / BFGS with automatic differentiation", "draws", "autograd", 100.0, True),
    ("`plan fit` without draws / importing numpy and scipy.optimize", "plan fit", "import", 1.5, False),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", metavar="RUNS.csv", help="with the columns N, D and loss")
    parser.add_argument("--drop-highest", type=int, default=0, metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--starts", type=int, default=100, help="of L-BFGS-B that are timed")
    parser.add_argument("--draws", type=int, default=100, help="of BFGS that are timed")
    # One takes less than what a process takes more one time than another.
    parser.add_argument("--again", type=int, default=50, help="times that our fit is done over")
    parser.add_argument("--do", metavar="WORK", help="do one of what is timed, and nothing else: for speed.py")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    runs = runs_of(args.data, args.drop_highest)
    if args.do:
        works(runs, args.starts, args.draws, args.again)[0][args.do]()
        return
    with tempfile.TemporaryDirectory() as folder:
        table = np.column_stack([np.exp(runs.params), np.exp(runs.tokens), runs.measured])
        head = "params [params],tokens [tokens],loss [nat/token]"
        np.savetxt(Path(folder, "runs.csv"), table, fmt="%.17g", delimiter=",", header=head, comments="")
        rounds = [measured(runs, folder, args.starts, args.draws, args.again) for _ in range(args.rounds)]
    best = fit(runs, Objective(), bootstrap=0)
    print(f"{len(runs.measured)} runs; objective {best.minima[0].value:.15g}, {len(best.minima)} minimum/a")
    for name, ours, theirs, goal, less in ROWS:
        if theirs not in rounds[0]:
            print(f"{name}: not measured, {theirs} is not installed")
            continue
        ratio = statistics.median((r[theirs] / r[ours]) if less else (r[ours] / r[theirs]) for r in rounds)
        mine, others = (statistics.median(r[key] for r in rounds) for key in (ours, theirs))
        asked = f"{'at least' if less else 'at most'} {goal:g}"
        right = ratio >= goal if less else ratio <= goal
        print(f"{name}: {ratio:.4g} x ({asked}{'' if right else ', falls short'}); {mine:.4g} s / {others:.4g} s")


if __name__ == "__main__":
    main()
