"""The laws `usual` are the fits to the runs of the library, and their intervals hold for families not seen.

With `UPDATE_SNAPSHOTS=1` their constants, their ranges and the spreads in `stdlib/defaults.plan` are written anew.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from known import LIBRARY
from numpy.typing import NDArray
from reports import under

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Num, Text
from runplan.engine.formulate.settings import adamw_like
from runplan.engine.laws.used import Used, setting_of, spread_of, used_of
from runplan.engine.problem.parts import QUANTILE
from runplan.engine.runs.record import Run, runs_of

STDLIB = Path(__file__).resolve().parents[2] / "stdlib"
DEFAULTS = STDLIB / "defaults.plan"
TEXT = "CLM of text"
SIZE, TOKENS, MIXED = 1, 2, 3


@dataclass(frozen=True)
class Fit:
    """A law of usual settings.

    Attributes:
        objective: One that it is for.
        line: How its lines in the defaults of its domain begin after their key.
        constants: Of each output its factor, and the powers of the active size, of the tokens, and of all params over
            the active ones where that says more. A power that lowers the output stands with a minus in the law.
    """

    objective: str
    line: str
    constants: dict[str, dict[str, int]]


FITS = {
    "usual": Fit(
        TEXT,
        '"usual"',
        {"learning_rate": {"k": 0, "p": SIZE, "q": TOKENS}, "batch": {"b": 0, "s": SIZE, "r": TOKENS, "t": MIXED}},
    ),
    "usual.checkpoint": Fit(
        TEXT,
        'checkpoint "usual.checkpoint"',
        {"learning_rate": {"k": 0, "p": SIZE, "q": TOKENS}, "batch": {"b": 0, "r": TOKENS}, "replay_share": {"a": 0}},
    ),
    "usual.mlm": Fit(
        "MLM of text", 'MLM "usual.mlm"', {"learning_rate": {"k": 0, "p": SIZE}, "batch": {"b": 0, "r": TOKENS}}
    ),
    "usual.protein": Fit(
        "MLM of protein", '"usual.protein"', {"learning_rate": {"k": 0, "p": SIZE}, "batch": {"b": 0, "r": TOKENS}}
    ),
}
OUTPUTS = ["learning_rate", "batch"]
every = pytest.mark.parametrize(
    ("law", "output"), [(law, output) for law, fit in FITS.items() for output in fit.constants]
)
# Beyond so many standard deviations, about, a run counts by its side and not by its distance (Huber).
ROBUST = 0.5
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """The runs that tell a setting: logarithms of what the law says it by and of the setting, and a weight each."""

    runs: tuple[Run, ...]
    x: Matrix
    y: Matrix
    weight: Matrix

    def but(self, family: str) -> Sample:
        """The sample without a family."""
        kept = [run.family != family for run in self.runs]
        return sample_of([run for run in self.runs if run.family != family], self.x[kept], self.y[kept])


def sample_of(runs: list[Run], x: Matrix, y: Matrix) -> Sample:
    many = Counter(run.family for run in runs)
    return Sample(tuple(runs), x, y, np.array([many[run.family] ** -0.5 for run in runs]))


def logarithms(run: Run) -> tuple[float, ...]:
    """One, and the logarithms of active size, tokens, and all params over the active ones."""
    assert run.params and run.active and run.tokens
    return 1.0, math.log(run.active), math.log(run.tokens), math.log(run.params / run.active)


@cache
def used(law: str, output: str, objective: str = TEXT) -> tuple[Used, ...]:
    found = LIBRARY.law(law)
    assert found is not None
    return used_of(found, output, objective, LIBRARY, adamw_like(LIBRARY))


@cache
def sample(law: str, output: str) -> Sample:
    found = used(law, output, FITS[law].objective)
    by = list(FITS[law].constants[output].values())
    x = np.array([[logarithms(one.run)[i] for i in by] for one in found])
    return sample_of([one.run for one in found], x, np.array([math.log(one.used) for one in found]))


def fitted(of: Sample) -> Matrix:
    """Least squares on logarithms by Huber's loss, a run weighing one over the root of how many its family has."""
    weight = of.weight
    for _ in range(200):
        root = np.sqrt(weight)
        found = np.asarray(np.linalg.lstsq(of.x * root[:, None], of.y * root, rcond=None)[0], dtype=np.float64)
        weight = of.weight * np.minimum(1.0, ROBUST / np.maximum(np.abs(of.y - of.x @ found), 1e-12))
    return found


@cache
def held_back(law: str, output: str) -> tuple[Used, ...]:
    """Each run beside what the fit to all other families says of it."""
    of = sample(law, output)
    fits = {family: fitted(of.but(family)) for family in {run.family for run in of.runs}}
    said = [math.exp(float(x @ fits[run.family])) for run, x in zip(of.runs, of.x, strict=True)]
    return tuple(
        Used(run, math.exp(y), value, weight)
        for run, y, value, weight in zip(of.runs, of.y, said, of.weight, strict=True)
    )


# ---- the constants


def constant(law: str, output: str) -> dict[str, float]:
    """The constants as the fit has them: powers as the law writes them, the factor of four digits."""
    of = sample(law, output)
    found = fitted(of)
    powers = np.round(found[1:], 4)
    # The factor that goes with the rounded powers.
    factor = math.exp(float(np.mean(of.x @ found - of.x[:, 1:] @ powers)))
    return dict(zip(FITS[law].constants[output], (float(f"{factor:.4g}"), *map(abs, map(float, powers))), strict=True))


def spread(law: str, output: str) -> float:
    found = spread_of(held_back(law, output))
    assert found is not None
    return round(found, 2)


def ranges(law: str) -> list[tuple[float, float]]:
    """From the least to the most size and tokens of the runs, to two digits and so that all lie within."""
    runs = [run for output in FITS[law].constants for run in sample(law, output).runs]
    x = np.array([logarithms(run) for run in runs])
    sides = [(math.exp(min(x[:, i])), math.exp(max(x[:, i]))) for i in (SIZE, TOKENS)]
    return [(float(f"{0.95 * low:.2g}"), float(f"{1.05 * high:.2g}")) for low, high in sides]


def write(law: str) -> None:
    fit, path = FITS[law], STDLIB / "laws" / f"{law.replace('.', '-')}.plan"
    text = path.read_text(encoding="utf-8")
    for name, value in (pair for output in fit.constants for pair in constant(law, output).items()):
        text = re.sub(rf"(?<=[ {{]{name} = )[^; }}]+", f"{value:g}", text, count=1)
    (least, most), (few, many) = ranges(law)
    size = f"{least / 1e6:g}M param .. {most / 1e9:g}B param"
    said = f"active_params in {size}, tokens in {few / 1e9:g}B token .. {many / 1e12:g}T token"
    text = re.sub(r"(?<=fitted ).*", said, text)
    path.write_text(text, encoding="utf-8")
    text = DEFAULTS.read_text(encoding="utf-8")
    for output in fit.constants:
        text = re.sub(rf"(  {output} {fit.line}) [\d.]+", rf"\g<1> {spread(law, output):g}", text)
    DEFAULTS.write_text(text, encoding="utf-8")


@every
def test_the_constants_are_the_fit_to_the_runs(law: str, output: str) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        write(law)
        return
    found = LIBRARY.law(law)
    assert found is not None
    assert {name: found.constants[name].value for name in FITS[law].constants[output]} == pytest.approx(
        constant(law, output), rel=1e-3
    )


@pytest.mark.parametrize("law", FITS)
def test_its_range_is_that_of_the_runs(law: str) -> None:
    found = LIBRARY.law(law)
    assert found is not None
    if not os.environ.get("UPDATE_SNAPSHOTS"):
        told = [found.fitted[name] for name in ("active_params", "tokens")]
        assert told == [pytest.approx(one) for one in ranges(law)]


@pytest.mark.parametrize("law", ["usual", "usual.checkpoint"])
def test_its_weight_decay_is_that_of_most_runs(law: str) -> None:
    known = LIBRARY.law(law)
    found = Counter(one.used for one in used(law, "weight_decay"))
    assert known is not None and found
    (most, times), *_ = found.most_common()
    assert known.constants["d"].value == most
    assert times > 0.75 * found.total()


@every
def test_the_spread_is_that_of_families_held_back(law: str, output: str) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        return
    objective = FITS[law].objective
    lines = LIBRARY.default_lines(objective.rpartition(" ")[2], output, from_weights=law == "usual.checkpoint")
    (line,) = [one for one in lines if one.values[0] == Text(law)]
    assert isinstance(line.values[1], Num)
    assert line.values[1].value == pytest.approx(spread(law, output), abs=0.006)


@every
def test_the_interval_holds_four_of_five_runs_of_families_that_it_has_not_seen(law: str, output: str) -> None:
    """Runs of one family count for less than as many of several, as they do in the spread."""
    found, rounded = held_back(law, output), 0.005
    inside = [abs(one.off) <= QUANTILE * (spread(law, output) + rounded) for one in found]
    assert 0.70 <= np.average(inside, weights=[one.weight for one in found]) <= 0.95


# ---- what it is worth


@pytest.mark.parametrize(
    ("output", "low", "high", "near"), [("learning_rate", 0.6, 1.6, 0.55), ("batch", 0.7, 1.4, 0.6)]
)
def test_it_holds_for_families_that_it_has_not_seen(output: str, low: float, high: float, near: float) -> None:
    off = np.array([one.off for one in held_back("usual", output)])
    assert low <= math.exp(-float(np.median(off))) <= high
    assert np.mean(np.abs(off) <= math.log(2)) >= near


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("law", ["steplaw", "deepseek", "porian", "power_lines.batch"])
def test_no_law_of_experiments_says_better_what_runs_used(output: str, law: str) -> None:
    other = used(law, output)
    if other:
        ours = {one.run: abs(one.off) for one in held_back("usual", output)}
        assert np.mean([ours[one.run] for one in other]) < np.mean([abs(one.off) for one in other])


FORMS: dict[str, Callable[[Matrix], Matrix]] = {
    "size": lambda x: x[:, :2],
    "tokens": lambda x: x[:, [0, 2]],
    "compute": lambda x: np.column_stack([x[:, 0], x[:, 1] + x[:, 2]]),
}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("form", FORMS)
def test_size_and_tokens_say_more_than_either_or_their_product(output: str, form: str) -> None:
    of = sample("usual", output)
    off = []
    for family in {run.family for run in of.runs}:
        rest = of.but(family)
        found = fitted(Sample(rest.runs, FORMS[form](rest.x), rest.y, rest.weight))
        own = [run.family == family for run in of.runs]
        off += list(np.abs(of.y[own] - FORMS[form](of.x)[own] @ found))
    assert np.mean([abs(one.off) for one in held_back("usual", output)]) < np.mean(off)


# ---- runs as they were done


def as_done(run: Run) -> str:
    """A run as a plan that states its size, its tokens and what it set."""
    record, start = run.record, f"start: checkpoint {run.name}" if run.from_weights else "start: scratch"
    size = f"{{ params: {run.params}; active: {run.active} }}" if run.mixture else f"{run.params} params"
    batch = setting_of(run, "batch")
    stated = {"batch": f"{batch} tokens" if batch else "", "learning_rate": record.figure("learning_rate") or ""}
    settings = "; ".join(f"{name}: {value}" for name, value in stated.items() if value)
    optimizer = record.text("optimizer") or "AdamW"
    about = f"{start}\nmodel: {size}\nobjective: {record.text('objective')}\ntokens: {run.tokens} tokens\n"
    return f"{about}optimizer: {optimizer} {{ {settings} }}\n"


def test_no_run_that_was_done_is_warned_of_its_settings() -> None:
    told = [run for run in runs_of(LIBRARY) if run.active and run.tokens and run.record.entry("learning_rate")]
    assert len(told) > 50
    wrong = {
        run.name: [f.message for f in report.findings if f.code.startswith("T02") and f.severity != "info"]
        for run in told
        for report in [under(as_done(run))]
    }
    assert {name: found for name, found in wrong.items() if found} == {}
