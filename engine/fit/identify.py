"""Runs and a form into why they cannot tell its constants, before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import counted, listing
from runplan.engine.fit.heads import Head
from runplan.engine.fit.model import Model
from runplan.engine.fit.table import Floats

# Figures that are nearer to each other than this share are one: sizes are rounded to whole heads and layers.
SAME = 0.01
# Two figures move together where one leaves less than this of the logarithm of the other: a few per cent is rounding.
IN_STEP = 0.05
# What a figure that enters as a power needs, beside what is added to it: a level, a size and a slope.
VALUES = 3


def untold(model: Model, at: Span, heads: Mapping[str, Head]) -> tuple[Finding, ...]:
    """Why the constants of a form cannot be told from runs of this design, whatever they gave; empty where they can.

    Args:
        at: The runs, in their file.
        heads: What its figures are called there, and where; of those that are called nothing else than they are, none.
    """
    every = {name: heads.get(name, Head(f"`{name}`", at)) for name in model.inputs}
    return tuple(_reasons(model, at, every))


def _reasons(model: Model, at: Span, heads: Mapping[str, Head]) -> Iterator[Finding]:
    n, k = len(model.measured), len(model.coordinates)
    names = listing(c.constant for c in model.coordinates)
    if n <= k:
        yield finding(
            "F020",
            f"{counted(n, 'run')} cannot tell {counted(k, 'constant')}, {names}, and how sure they are",
            at,
            help=[f"measure {counted(k + 1 - n, 'run')} more at the least; three for each constant tell an interval"],
            data={"runs": n, "constants": k},
        )
        return
    if _alike(model.measured):
        yield finding(
            "F021",
            f"all {n} runs gave the same, {model.measured[0]:.6g}: there is nothing to explain",
            at,
            help=["look at the column: it may be a setting, or a figure that was cut off"],
            data={"runs": n, "measured": float(model.measured[0])},
        )
        return
    varied = {name: values for name, values in model.inputs.items() if (values > 0).all()}
    few = {name: count for name, values in varied.items() if (count := distinct(values)) < VALUES}
    for name, count in few.items():
        said = "one value" if count == 1 else f"{count} values"
        yield finding(
            "F022",
            f"{heads[name].said} has {said} over {n} runs: how it enters the form cannot be told from that",
            heads[name].at,
            help=[f"add runs at {counted(VALUES - count, 'other value')} of `{name}`, a factor of two or more apart"],
            data={"input": name, "values": count},
        )
    wide = [name for name in varied if name not in few]
    for i, name in enumerate(wide):
        for other in wide[:i]:
            yield from in_step(other, varied[other], name, varied[name], heads)


def in_step(name: str, x: Floats, other: str, y: Floats, heads: Mapping[str, Head]) -> Iterator[Finding]:
    """A finding where two figures of runs move together."""
    u, v = np.log(x), np.log(y)
    power = float(np.cov(u, v)[0, 1] / np.var(u, ddof=1))
    left = float(np.std(v - power * u))
    if left >= IN_STEP:
        return
    ratio = float(np.exp(np.mean(v - u)))
    how = f"grows as {heads[name].said} to the power of {power:.2f}"
    if abs(power - 1) < 0.02:
        how = f"is {ratio:.3g} times {heads[name].said}"
    yield finding(
        "F023",
        f"in every run {heads[other].said} {how}: what each of them does cannot be told apart",
        heads[other].at,
        also=[Label(heads[name].at, "in step with this")],
        help=[
            f"add runs at a fourth and at four times the `{other}` for their `{name}`: "
            "two off the line tell more than ten on it"
        ],
        data={"first": name, "second": other, "power": power, "left": left},
    )


def distinct(values: Floats) -> int:
    """How many different values there are, of those above zero."""
    return 1 + int((np.diff(np.sort(np.log(values))) > SAME).sum())


def _alike(values: Floats) -> bool:
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())
