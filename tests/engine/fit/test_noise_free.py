"""Runs without noise into the constants that they were made from: of every form of the library."""

from __future__ import annotations

import re

import numpy as np
import pytest
from known import LIBRARY

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Unbound, substitute
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.law_check import expanded
from runplan.engine.fit.fit import fit
from runplan.engine.fit.fitting import starts_for
from runplan.engine.fit.form import Form, forms_of
from runplan.engine.fit.outcome import Fitted, Objective
from runplan.engine.fit.pose import posed
from runplan.engine.fit.table import Column, Floats, RunTable
from runplan.engine.laws.steps import constants_of

# Where figures of runs lie: those of every input of a form that is held to them.
RANGES = {
    "params": (2e7, 3e9), "active_params": (2e7, 3e9), "tokens": (1e9, 3e11), "data_tokens": (3e8, 3e10),
    "compute": (1e18, 1e22), "context": (512, 65536), "loss": (1.8, 4.5), "finetune_tokens": (1e6, 1e10),
    "rate_sum": (1, 100), "annealing_area": (0.01, 3), "expansion": (2, 512), "samples": (1, 100), "factor": (10, 1e6),
    "sparsity": (0.05, 0.95), "replay_share": (0.001, 0.2), "languages": (1, 40), "batch": (1e5, 1e7),
    "min_steps": (1e3, 1e6), "granularity": (1, 32), "weight_bits": (3, 16), "streams": (1, 16),
    "teacher_loss": (1.8, 2.5), "student_loss": (2.3, 3.5), "activation_ratio": (0.01, 0.5),
    "equivalent_compute": (1e18, 1e22), "replicas": (1, 8), "experts": (2, 512),
}  # fmt: skip
# Constants of forms that have none.
VALUES = {
    "skaling": {"E": 1.6, "A": 2e4, "alpha": 0.75, "B": 3e5, "beta": 0.85, "k": 0.45},
    "three_term.loss": {"E": 1.6, "A": 400.0, "alpha": 0.34, "B": 2000.0, "beta": 0.36, "C": 1e6, "gamma": 0.35},
    "henighan": {"L_inf": 2.0, "C_0": 2e19, "alpha": 0.12},
    "atlas.loss": {"L_inf": 1.2, "A": 300.0, "B": 600.0, "alpha": 0.33, "beta": 0.3, "phi": 0.1, "psi": -0.05},
    "form.distillation": {
        "A": 300.0, "alpha": 0.33, "B": 600.0, "beta": 0.3, "gamma": 0.8,
        "c_0": 0.5, "c_1": 1.2, "d_1": 1.1, "f_1": 0.2,
    },
    "form.finetuning.zhang2024": {"A": 20.0, "alpha": 0.1, "beta": 0.12, "E": 1.0},
    "form.annealing.tissue2024": {"L_0": 2.6, "A": 0.6, "alpha": 0.5, "C": 0.2},
    "form.moe_sparsity.hparams": {"b": 300.0, "p": 0.4, "q": -0.3, "eta": 3.0, "r": -0.2, "s": 0.2},
    "form.cpt.hparams": {"b": 1e2, "p": 0.2, "eta": 5.0, "r": -0.2},
    "form.test_time.t2": {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 1500.0, "beta": 0.33, "G": 0.4, "gamma": 0.5},
    "form.rl.log_linear": {"K_max": 0.3, "N_0": 3e8, "E": 1.0},
}  # fmt: skip
RUNS, STARTS = 60, 128


def values_of(form: Form) -> dict[str, float]:
    known = {name: value for name, value in constants_of(form.law).items() if np.isfinite(value)}
    return {**known, **VALUES.get(form.law.name, {})}


def every_form() -> list[Form]:
    """One of each shape of formula, whose constants are known, and its inputs, too."""
    found: dict[str, Form] = {}
    for law in LIBRARY.laws():
        for form in forms_of(law, {}):
            inputs = {p.quantity for p in form.function.parameters}
            if set(form.free) <= values_of(form).keys() and inputs <= RANGES.keys() and form.output not in inputs:
                found.setdefault(shape_of(form), form)
    return list(found.values())


def shape_of(form: Form) -> str:
    """A formula without the names and figures in it."""
    bare = {name: Unbound("c") for name in form.free} | {p.local: Unbound("x") for p in form.function.parameters}
    return re.sub(r"\b[\d.]+(e[+-]?\d+)?\b", "1", shown(substitute(form.body, bare)))


def made(form: Form, noise: float = 0.0) -> tuple[Fitted, Floats]:
    """A fit to runs that came out as a form says, but for noise, and the coordinates that they were made from."""
    rng = np.random.default_rng(0)
    inputs: dict[str, Floats] = {}
    for parameter in form.function.parameters:
        low, high = RANGES[parameter.quantity]
        inputs[parameter.quantity] = np.exp(rng.uniform(np.log(low), np.log(high), RUNS))
    locals_ = {p.local: inputs[p.quantity] / p.counted.factor for p in form.function.parameters}
    values = values_of(form)
    given = compiled(expanded(form.function.body, form.law.lets), np)({**values, **locals_}) * np.ones(RUNS)
    given *= np.exp(noise * rng.standard_normal(RUNS))
    figures = {**inputs, form.output: given * form.function.counted.factor}
    columns = {name: Column(name, name, (), of) for name, of in figures.items()}
    table = RunTable("runs.csv", "0" * 64, columns, tuple(range(2, RUNS + 2)), ("",) * RUNS)
    model = posed(form, table, {name: name for name in figures})
    objective = Objective(log=model.log)
    # Of the others the values are where a search begins, too.
    most = starts_for(model) if form.law.name in VALUES else min(STARTS, starts_for(model))
    return fit(model, objective, starts=most, bootstrap=0), model.theta(values)


@pytest.mark.parametrize("form", every_form(), ids=lambda form: f"{form.law.name}:{form.output}")
def test_constants_come_back(form: Form) -> None:
    """To one of a million; or it is said that runs tell a combination of them alone, or all gave the same."""
    found, true = made(form)
    if not found.minima:
        assert {one.code for one in found.findings} <= {"F021", "F025"}, found.findings
        return
    np.testing.assert_allclose(found.minima[0].theta, true, rtol=1e-6, atol=1e-6)


def test_a_plain_constant_is_told_however_large_it_is() -> None:
    """A number of experts is no exponent, and its profile reaches further than that of one."""
    form = next(form for form in every_form() if form.law.name == "clark" and form.output == "loss")
    found, _ = made(form, noise=0.002)
    assert found.minima and found.known[form.free.index("E_max")].identified
