"""What a chunk of a sweep takes is given back when it is done, and not when garbage is next looked for."""

from __future__ import annotations

import gc

import numpy as np

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import Num, Op, Ref
from runplan.engine.sweep.arrays import Jets

X, Y = quantity("x"), quantity("y")


def test_derivatives_on_arrays_hold_each_other_in_no_cycle() -> None:
    expr = Op("+", (Op("^", (Ref(X), Num(-0.3))), Op("*", (Ref(X), Op("^", (Ref(Y), Num(1.5)))))))
    env = {X: np.linspace(1.0, 2.0, 50), Y: np.linspace(2.0, 3.0, 50)}
    gc.collect()
    gc.disable()
    try:
        assert Jets(env, {X: 0, Y: 1}).at(expr).value is not None
        assert gc.collect() == 0
    finally:
        gc.enable()
