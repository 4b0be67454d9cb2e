"""A solution to its residuals, by other code than the solver's: what must hold of any plan, in plain arithmetic."""

from __future__ import annotations

import math

from runplan.dsl.expr.name import Name
from runplan.dsl.text.errors import RunplanError
from runplan.engine.problem import quantities as q
from runplan.engine.problem.of_stage import stages_of
from runplan.engine.problem.solution import Solution

# What sources of data are mixed into.
STAGES = frozenset((q.TOKENS, q.STORE_TOKENS, q.FINETUNE_TOKENS, q.PRETRAIN_TOKENS))


class BrokenInvariant(RunplanError):
    """Raised where a solved plan contradicts itself: a bug of ours, never a mistake of the user."""


def residuals(solution: Solution) -> dict[str, float]:
    """The relative error of each invariant that applies; all are zero up to rounding."""
    v = {
        name.text: value.value for name, value in solution.values.items() if name.kind == "quantity" and not name.scope
    }
    at = {name: value.value for name, value in solution.values.items()}
    out: dict[str, float] = {}

    def equal(name: str, left: float, right: float) -> None:
        out[name] = abs(left - right) / max(abs(left), abs(right), 1e-300)

    in_stages = any(name.text == q.ADAPTER_PARAMS.text and name.part("stage") for name in at)
    if {"compute", "law_params", "tokens"} <= v.keys() and not in_stages:
        # Of a mixture of experts each token passes the active params only; no gradient is computed of frozen ones.
        passed = v["active_params" if solution.problem.is_mixture else "law_params"]
        adapters = v.get(q.ACTIVE_ADAPTER_PARAMS.text)
        each = 6.0 * passed if adapters is None else 4.0 * passed + 6.0 * adapters
        equal("FLOP = 6 N D", v["compute"], each * v["tokens"])
    if {"gpus", "rate", "time", "model_compute", "availability", "hours_per_day", "reserve"} <= v.keys():
        given = v["availability"] * v["hours_per_day"] / 86400.0 * (1.0 - v["reserve"])
        equal("used GPU-hours x rate = FLOP", v["gpus"] * v["time"] * v["rate"] * given, v["model_compute"])
    if {"cost", "price", "gpu_hours"} <= v.keys():
        equal("paid GPU-hours x price = cost", v["cost"], v["price"] * v["gpu_hours"])
    if {"energy", "power", "pue", "gpu_hours"} <= v.keys():
        # In base units power is in watt-hours a second.
        equal("power x time = energy", v["energy"], v["power"] * v["pue"] * v["gpu_hours"])
    if {"gpu_hours", "gpus", "reserved_time", "hours_per_day"} <= v.keys():
        reserved = v["gpus"] * v["reserved_time"]
        paid = v["hours_per_day"] / 86400.0 * (1.0 - v.get("wait_share", 0.0))
        running = paid if v["gpu_hours"] < 0.999999 * reserved else 1.0
        equal("GPUs x time = paid GPU-hours", v["gpu_hours"], reserved * running)
    if "tokens" in v:
        for base, sources in _by_base(solution).items():
            said = f"the sources sum to the {str(base).replace('_', ' ')}"
            equal(said, sum(at[q.TOKENS.of("source", name)] for name in sources), at[base])
    if solution.problem.phases and "tokens" in v:
        phases = sum(at[q.TOKENS.of("phase", name)] for name in solution.problem.phases)
        equal("the phases sum to the tokens", phases, v["tokens"])
    if {"steps", "batch", "tokens"} <= v.keys():
        equal("steps x batch = tokens", v["steps"] * v["batch"], v["tokens"] * v.get("batch_ramp", 1.0))
    return out


def _by_base(solution: Solution) -> dict[Name, list[str]]:
    """The sources by the tokens that they are a share of: those of the run, or of one stage of a transfer."""
    out: dict[Name, list[str]] = {}
    for name in solution.sources:
        tokens, share = (solution.values[whole.of("source", name)] for whole in (q.TOKENS, q.SHARE))
        (base,) = STAGES & {*tokens.inputs, *share.inputs}
        out.setdefault(base, []).append(name)
    return out


def broken_constraints(solution: Solution) -> dict[str, float]:
    """By how much, relatively, each constraint of a solved plan is broken; nothing where all hold."""
    env = {name: value.value for name, value in solution.values.items()}
    out = {}
    for part in solution.problem.kept:
        excess = part.excess(env)
        if excess > 1e-6:
            out[part.text] = excess
    return out


def verify(solution: Solution) -> None:
    """Check a solution.

    Raises:
        BrokenInvariant: Where an invariant fails by more than rounding, or a value is not finite.
    """
    for name, value in solution.values.items():
        if not math.isfinite(value.value):
            raise BrokenInvariant(f"{name} is {value.value} under {solution.resolved}")
    if solution.status != "solved":
        return
    for whose in (solution, *stages_of(solution)):
        for invariant, error in residuals(whose).items():
            if error > 1e-9:
                raise BrokenInvariant(f"{invariant} fails by {error:.3g} under {solution.resolved}")
    for text, error in broken_constraints(solution).items():
        raise BrokenInvariant(f"the constraint `{text}` is broken by {error:.3g} under {solution.resolved}")
