"""Random laws and limits as plans, and the best point of a fine grid for each, by arithmetic of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from hypothesis import strategies as st

from runplan.dsl.dataclass import dataclass

Array = np.ndarray
Values = Mapping[str, Array]

# The sizes and the tokens between which a plan is to choose, and how many of each are tried.
SIZES, TOKENS, EACH = (1e6, 1e13), (1e8, 1e15), 400
# A limit is kept by a point that is off by no more than this, as a share.
KEPT = 1e-9


@dataclass(frozen=True)
class Case:
    """A plan, and what it says as arithmetic.

    Attributes:
        limits: What is at most zero, as a share of what it is a difference of.
        goal: What is made small.
    """

    text: str
    loss: Callable[[Array, Array], Array]
    limits: tuple[Callable[[Values], Array], ...]
    goal: Callable[[Values], Array]

    def values(self, params: Array, tokens: Array) -> Values:
        """Everything that the plan speaks of, of sizes and tokens."""
        loss = self.loss(params, tokens)
        return {"params": params, "tokens": tokens, "compute": 6.0 * params * tokens, "loss": loss}

    def excess(self, at: Values) -> Array:
        """By how much the limits are broken, as a share, at most."""
        worst: Array = np.max([limit(at) for limit in self.limits], axis=0)
        return worst

    def best(self) -> float:
        """The least of the goal on the grid; inf where no point of it keeps the limits."""
        params, tokens = np.meshgrid(np.geomspace(*SIZES, EACH), np.geomspace(*TOKENS, EACH))
        at = self.values(params, tokens)
        kept = self.excess(at) <= 0.0
        return float(np.min(np.where(kept, self.goal(at), np.inf)))


def _figure(value: float) -> str:
    return f"{value:.6g}"


# Forms of a loss: as a pack writes it, and as arithmetic; over the constants E, A, a, B, b, c and r.
def _power(n: Array, d: Array, k: dict[str, float]) -> Array:
    return k["E"] + k["A"] / n ** k["a"] + k["B"] / d ** k["b"]


FORMS: dict[str, tuple[str, Callable[[Array, Array, dict[str, float]], Array]]] = {
    "sum": ("E + A / N^a + B / D^b", _power),
    "joint": (
        "E + 1 nat/token * ((A * (1 param) / N)^(a / b) + B * (1 token) / D)^b",
        lambda n, d, k: k["E"] + ((k["A"] / n) ** (k["a"] / k["b"]) + k["B"] / d) ** k["b"],
    ),
    "crossed": (
        "E + A / N^a + B / D^b + c * A / (N / (1 param) * D / (1 token))^(a / 3)",
        lambda n, d, k: _power(n, d, k) + k["c"] * k["A"] / (n * d) ** (k["a"] / 3.0),
    ),
    "kinked": (
        "E + 1 nat/token * max(A / (N / (1 param))^a, B / (D / (1 token))^b)",
        lambda n, d, k: k["E"] + np.maximum(k["A"] / n ** k["a"], k["B"] / d ** k["b"]),
    ),
    "humped": (
        "E + A / N^a + B / D^b + 1 nat/token * c * (1 - exp(-(ln(D / (1 token) / (N / (1 param)) / r))^2))",
        lambda n, d, k: _power(n, d, k) + k["c"] * (1.0 - np.exp(-(np.log(d / n / k["r"]) ** 2))),
    ),
    "sunk": (
        "E + A / N^a + B / D^b + 1 nat/token * c * exp(-(ln(D / (1 token) / (N / (1 param)) / r))^2)",
        lambda n, d, k: _power(n, d, k) + k["c"] * np.exp(-(np.log(d / n / k["r"]) ** 2)),
    ),
}

GOALS: dict[str, Callable[[Values], Array]] = {
    "minimize loss": lambda v: v["loss"],
    "minimize compute": lambda v: v["compute"],
    "minimize params": lambda v: v["params"],
    "minimize tokens": lambda v: v["tokens"],
    "maximize params": lambda v: 1.0 / v["params"],
    "maximize tokens": lambda v: 1.0 / v["tokens"],
    "maximize tokens / params": lambda v: v["params"] / v["tokens"],
    "minimize tokens / (1 token) + 50 * params / (1 param)": lambda v: v["tokens"] + 50.0 * v["params"],
    "maximize tokens / (1 token) + 50 * params / (1 param)": lambda v: 1.0 / (v["tokens"] + 50.0 * v["params"]),
    "maximize loss": lambda v: 1.0 / v["loss"],
}


def _at_most(what: Callable[[Values], Array], limit: float) -> Callable[[Values], Array]:
    return lambda v: what(v) / limit - 1.0


def _at_least(what: Callable[[Values], Array], limit: float) -> Callable[[Values], Array]:
    return lambda v: 1.0 - what(v) / limit


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A law, a budget and limits around what the law does with it, which need not go together."""

    def times(low: float, high: float) -> float:
        return float(10.0 ** draw(st.floats(low, high)))

    form = draw(st.sampled_from(sorted(FORMS)))
    a, b = draw(st.floats(0.15, 0.6)), draw(st.floats(0.15, 0.6))
    # Each term is about as large at a size and tokens in the middle.
    size, tokens = times(8.0, 10.5), times(10.0, 12.5)
    term_n, term_d = draw(st.floats(0.05, 1.0)), draw(st.floats(0.05, 1.0))
    joint = form == "joint"
    k = {
        "E": draw(st.floats(0.5, 2.0)),
        "A": term_n ** (1.0 / a) * size if joint else term_n * size**a,
        "B": term_d ** (1.0 / b) * tokens if joint else term_d * tokens**b,
        "a": a,
        "b": b,
        "c": draw(st.floats(0.01, 0.5)),
        "r": tokens / size * times(-1.0, 1.0),
    }
    k = {name: float(_figure(value)) for name, value in k.items()}
    written, loss = FORMS[form]
    used = [name for name in k if name in written.replace("nat", "").replace("param", "").replace("exp", "")]
    unit = {"E": " nat/token"}
    constants = "; ".join(f"{name} = {_figure(k[name])}{unit.get(name, '')}" for name in used)
    compute = float(_figure(6.0 * size * tokens))
    n_figure, d_figure = (float(_figure(x)) for x in (size * times(-1.0, 1.0), tokens * times(-1.0, 1.0)))
    ratio = float(_figure(tokens / size * times(-1.0, 1.0)))
    at = float(loss(np.array(size), np.array(tokens), k))
    wanted = float(_figure(at * draw(st.floats(0.9, 1.2))))
    both = float(_figure((tokens + 20.0 * size) * times(-0.5, 0.7)))
    limits: dict[str, Callable[[Values], Array]] = {
        f"loss <= {_figure(wanted)}": _at_most(lambda v: v["loss"], wanted),
        f"loss >= {_figure(wanted)}": _at_least(lambda v: v["loss"], wanted),
        f"params <= {_figure(n_figure)}": _at_most(lambda v: v["params"], n_figure),
        f"params >= {_figure(n_figure)}": _at_least(lambda v: v["params"], n_figure),
        f"tokens <= {_figure(d_figure)}": _at_most(lambda v: v["tokens"], d_figure),
        f"tokens >= {_figure(d_figure)}": _at_least(lambda v: v["tokens"], d_figure),
        f"tokens / params >= {_figure(ratio)}": _at_least(lambda v: v["tokens"] / v["params"], ratio),
        f"tokens / params <= {_figure(ratio)}": _at_most(lambda v: v["tokens"] / v["params"], ratio),
        f"tokens / (1 token) + 20 * params / (1 param) <= {_figure(both)}": _at_most(
            lambda v: v["tokens"] + 20.0 * v["params"], both
        ),
        f"tokens / (1 token) + 20 * params / (1 param) >= {_figure(both)}": _at_least(
            lambda v: v["tokens"] + 20.0 * v["params"], both
        ),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(limits)), max_size=3, unique=True))
    goal = draw(st.sampled_from(sorted(GOALS)))
    text = (
        f'law random "Random" {{ objective CLM of text; counts total params; constants {{ {constants} }}\n'
        f'  loss(params N, tokens D) = {written}\n  cites "nobody" evidence seed\n}}\n'
        f"use laws random\ncompute: {_figure(compute)} FLOP\nmodel: 1M .. 10T params\ntokens: 100M .. 1000T\n"
        + "".join(f"require {each}\n" for each in chosen)
        + f"{goal}\n"
    )
    every = (_at_most(lambda v: v["compute"], compute), *(limits[each] for each in chosen))
    return Case(text, lambda n, d: loss(n, d, k), every, GOALS[goal])


def is_close(a: float, b: float) -> bool:
    """Whether two figures are one to rounding."""
    return math.isclose(a, b, rel_tol=1e-9)
