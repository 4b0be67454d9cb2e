"""A form and a table of runs into the model that a fit is made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runplan.dsl.expr.tree import Unbound, substitute
from runplan.dsl.packs.pack import Parameter
from runplan.engine.fit.expression import FormulaModel
from runplan.engine.fit.form import Form
from runplan.engine.fit.scale import coordinates
from runplan.engine.fit.table import Floats, RunTable


def posed(form: Form, table: RunTable, columns: Mapping[str, str]) -> FormulaModel:
    """The model of a form over runs.

    Args:
        columns: Of each input, and of what the form gives, the column of the runs; none for a default.
    """
    # By the names that people know: a law's letters are its own.
    names = {p.local: p.quantity for p in form.function.parameters if p.quantity not in form.law.constants}
    body = substitute(form.body, {local: Unbound(name) for local, name in names.items()})
    inputs = {names.get(p.local, p.local): input_of(p, table, columns) for p in form.function.parameters}
    measured = table.values(columns[form.output]) / form.function.counted.factor
    known = {name: c.value for name in form.free if (c := form.law.constants[name]).value is not None}
    found = coordinates(body, form.free, inputs, measured, known)
    # What may be at or below zero has no logarithm.
    return FormulaModel(found, measured, bool(np.all(measured > 0.0)), body, inputs)


def input_of(parameter: Parameter, table: RunTable, columns: Mapping[str, str]) -> Floats:
    """The figures of an input, (runs), as the formula counts it."""
    if parameter.quantity not in columns and parameter.default is not None:
        return np.full(len(table), parameter.default)
    return table.values(columns[parameter.quantity]) / parameter.counted.factor
