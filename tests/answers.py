"""Random plans that are made from their answer: all but one thing is said, and that one is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.engine.problem.solution import Solution

# Answers that differ by no more than this share are the same.
SAME = 1e-9
HOUR, DAY = 3600.0, 86400.0
# The refit of Hoffmann's third approach, arXiv:2404.10102, equation 4: `chinchilla`.
E, A, B, ALPHA, BETA = 1.8172, 482.01, 2085.43, 0.3478, 0.3658


@dataclass(frozen=True)
class Answer:
    """A plan and what it must come to.

    Attributes:
        kind: What is asked.
        values: Values in base units, as `solution[...]` names them.
    """

    kind: str
    text: str
    values: dict[str, float]


@dataclass(frozen=True)
class Pool:
    """Devices that are known: how many, how fast each is in FLOP/s, what each costs an hour, and for how many days."""

    gpus: int
    rate: float
    price: float
    days: float

    @property
    def flop(self) -> float:
        """What the pool gives in all its time."""
        return self.gpus * self.rate * self.days * DAY

    @property
    def cost(self) -> float:
        """What it costs in all its time."""
        return self.gpus * self.days * 24.0 * self.price

    def written(self, gpus: str = "", time: str = "", rate: str = "", price: str = "", rest: str = "") -> str:
        """The pool as a plan says it, with something else in the place of a figure."""
        at = rate or f"at {self.rate / 1e12!r} TFLOP/s"
        return (
            f"{gpus or self.gpus} x H100 {time or f'for {self.days!r} days'} {at}"
            f" @ {price or f'{self.price!r} USD/GPU/hour'}{rest}"
        )


def answers(seed: int) -> Iterator[Answer]:
    """Plans without end, the same for the same seed."""
    dice = random.Random(seed)
    while True:
        yield KINDS[dice.choice(sorted(KINDS))](dice)


def answer(seed: int) -> Answer:
    """One plan."""
    return next(answers(seed))


# ---- figures


def _digits(value: float, digits: int = 5) -> float:
    return float(f"{value:.{digits}g}")


def _between(dice: random.Random, low: float, high: float) -> float:
    return _digits(math.exp(dice.uniform(math.log(low), math.log(high))))


def _pool(dice: random.Random) -> Pool:
    gpus = 8 * round(_between(dice, 1, 400))
    return Pool(gpus, 1e12 * _between(dice, 60, 600), _between(dice, 0.5, 6), _between(dice, 2, 200))


def _reserve(dice: random.Random) -> tuple[float, str]:
    """What is left of the hardware, and the statement that says so."""
    if dice.random() < 0.7:
        return 1.0, ""
    share = dice.randrange(1, 40)
    return 1.0 - share / 100.0, f"reserve: {share}%\n"


def _split(dice: random.Random, compute: float) -> tuple[float, float]:
    """A size and tokens that take a compute; the tokens in all their digits."""
    params = _digits(math.sqrt(compute / 6.0 / _between(dice, 5, 300)))
    return params, compute / 6.0 / params


def _run(params: float, tokens: float) -> str:
    return f"model: {params!r} params\ntokens: {tokens!r} tokens\n"


# ---- kinds


def _tokens(dice: random.Random) -> Answer:
    """One to three pools side by side, as long as each other, and a size: how many tokens?"""
    first = _pool(dice)
    pools = [first, *(Pool(p.gpus, p.rate, p.price, first.days) for p in map(_pool, [dice] * dice.randrange(3)))]
    left, reserve = _reserve(dice)
    compute = left * sum(pool.flop for pool in pools)
    params, tokens = _split(dice, compute)
    text = f"hardware: {' + '.join(pool.written() for pool in pools)}\n{reserve}model: {params!r} params\n"
    values = {"tokens": tokens, "compute": compute, "cost": sum(pool.cost for pool in pools)}
    return Answer("tokens", text, {**values, "time": first.days * DAY, "gpus": sum(pool.gpus for pool in pools)})


def _params(dice: random.Random) -> Answer:
    pool = _pool(dice)
    left, reserve = _reserve(dice)
    params, tokens = _split(dice, left * pool.flop)
    text = f"hardware: {pool.written()}\n{reserve}tokens: {tokens!r} tokens\n"
    return Answer("params", text, {"params": params, "cost": pool.cost, "gpu_hours": pool.gpus * pool.days * DAY})


def _time(dice: random.Random) -> Answer:
    pool = _pool(dice)
    left, reserve = _reserve(dice)
    text = f"hardware: {pool.written(time='for ?')}\n{reserve}{_run(*_split(dice, left * pool.flop))}"
    return Answer("time", text, {"time": pool.days * DAY, "cost": pool.cost})


def _gpus(dice: random.Random) -> Answer:
    """The least whole count, or whole nodes, beside pools that are known."""
    pool = _pool(dice)
    others = [Pool(p.gpus, p.rate, p.price, pool.days) for p in map(_pool, [dice] * dice.randrange(2))]
    node = dice.choice((1, 8))
    need = (pool.gpus - node * dice.uniform(0.05, 0.95)) / pool.gpus * pool.flop + sum(p.flop for p in others)
    nodes = " in nodes of 8" if node > 1 else ""
    pools = [pool.written(gpus="?", rest=nodes), *(p.written() for p in others)]
    text = f"hardware: {' + '.join(pools)}\n{_run(*_split(dice, need))}"
    return Answer("gpus", text, {"gpus": pool.gpus + sum(p.gpus for p in others)})


def _rate(dice: random.Random) -> Answer:
    pool = _pool(dice)
    text = f"hardware: {pool.written(rate='at ? MFU')}\n{_run(*_split(dice, pool.flop))}"
    return Answer("rate", text, {"rate": pool.rate, "cost": pool.cost})


def _price(dice: random.Random) -> Answer:
    pool = _pool(dice)
    most = pool.cost
    run = _run(*_split(dice, pool.flop * dice.uniform(0.5, 0.99)))
    text = f"hardware: {pool.written(price='?')}\n{run}require cost <= {most!r} USD\n"
    return Answer("price", text, {"price": pool.price / HOUR, "cost": most})


def _budget(dice: random.Random) -> Answer:
    """Bought for as long as money lasts."""
    pool = _pool(dice)
    params, tokens = _split(dice, pool.flop)
    longer = f"for up to {_digits(pool.days * dice.uniform(1.1, 3.0))!r} days"
    text = f"hardware: {pool.written(time=longer)}\nmodel: {params!r} params\nrequire cost <= {pool.cost!r} USD\n"
    return Answer("budget", text, {"tokens": tokens, "cost": pool.cost, "time": pool.days * DAY})


def _loss(dice: random.Random) -> Answer:
    """The least compute for a loss, at the law's own optimum."""
    compute = _between(dice, 1e18, 1e25)
    a = BETA / (ALPHA + BETA)
    g = (ALPHA * A / (BETA * B)) ** (1.0 / (ALPHA + BETA))
    params, tokens = g * (compute / 6.0) ** a, (compute / 6.0) ** (1.0 - a) / g
    loss = E + A / params**ALPHA + B / tokens**BETA
    goal = dice.choice(("", "minimize compute\n"))
    text = f"use laws chinchilla\nrequire loss <= {loss!r}\n{goal}"
    return Answer("loss", text, {"params": params, "tokens": tokens, "compute": compute, "loss": loss})


def _optimum(dice: random.Random) -> Answer:
    """A budget of compute, at the law's own optimum, by any of the ways to say a budget."""
    pool = _pool(dice)
    compute = pool.flop
    a = BETA / (ALPHA + BETA)
    g = (ALPHA * A / (BETA * B)) ** (1.0 / (ALPHA + BETA))
    params, tokens = g * (compute / 6.0) ** a, (compute / 6.0) ** (1.0 - a) / g
    said = dice.choice((f"hardware: {pool.written()}", f"compute: {compute!r} FLOP"))
    values = {"params": params, "tokens": tokens, "loss": E + A / params**ALPHA + B / tokens**BETA}
    return Answer("optimum", f"use laws chinchilla\n{said}\n", values)


def _data(dice: random.Random) -> Answer:
    """Sources with weights: the one that is used up first caps the tokens."""
    weights = sorted(dice.sample(range(1, 100), 2))
    shares = [weights[0], weights[1] - weights[0], 100 - weights[1]]
    tokens = _between(dice, 1e10, 1e13)
    scarce = dice.randrange(3)
    lines, values = [], {"tokens": tokens}
    for at, share in enumerate(shares):
        epochs = dice.choice((1, 2, 4))
        used = tokens * share / 100.0
        there = used / epochs * (1.0 if at == scarce else dice.uniform(1.01, 5.0))
        lines.append(f"data s{at}: {there!r} tokens up to {epochs} epochs weight {share}%\n")
        values[f"tokens.s{at}"] = used
    params = _between(dice, 1e8, 1e11)
    text = f"compute: {6.0 * params * tokens * dice.uniform(1.5, 9.0)!r} FLOP\nmodel: {params!r} params\n"
    return Answer("data", text + "".join(lines), values)


def _energy(dice: random.Random) -> Answer:
    """The most that a watt of devices may become with what cools them."""
    pool = _pool(dice)
    watts, pue = dice.randrange(200, 1200), _digits(dice.uniform(1.05, 1.9))
    most = watts * pue * pool.gpus * pool.days * 24.0 / 1000.0
    block = (
        f"hardware {{ gpus: {pool.gpus}; device: H100; time: {pool.days!r} days; rate: {pool.rate / 1e12!r} TFLOP/s;"
        f" power: {watts} W; pue: ? }}\n"
    )
    run = _run(*_split(dice, pool.flop * dice.uniform(0.5, 0.99)))
    return Answer("energy", f"{block}{run}require energy <= {most!r} kWh\n", {"pue": pue})


def _steps(dice: random.Random) -> Answer:
    """Steps of a batch, passes over the data, or sequences in place of tokens."""
    batch, steps = 1024 * dice.randrange(64, 8192), dice.randrange(2000, 400000)
    tokens = float(batch * steps)
    params = _between(dice, 1e8, 1e11)
    text = f"model: {params!r} params\ntokens: {steps} steps\noptimizer: AdamW {{ batch: {batch} tokens }}\n"
    return Answer("steps", text, {"tokens": tokens, "compute": 6.0 * params * tokens, "steps": steps})


def _stages(dice: random.Random) -> Answer:
    """Two to four stages on hardware of their own, each for as long as it takes."""
    pools = [_pool(dice) for _ in range(dice.randrange(2, 5))]
    params = _between(dice, 1e8, 1e11)
    lines, values = [], {"cost": sum(p.cost for p in pools), "time": sum(p.days for p in pools) * DAY}
    for at, pool in enumerate(pools):
        tokens = pool.flop / 6.0 / params
        lines.append(f"stage s{at} {{ hardware: {pool.written(time='for ?')}; tokens: {tokens!r} tokens }}\n")
        values |= {f"s{at}.time": pool.days * DAY, f"s{at}.cost": pool.cost, f"s{at}.tokens": tokens}
    total = sum(p.flop for p in pools) / 6.0 / params
    values |= {"tokens": total, "compute": 6.0 * params * total, "gpus": max(p.gpus for p in pools)}
    return Answer("stages", f"model: {params!r} params\n{''.join(lines)}", values)


def _split_budget(dice: random.Random) -> Answer:
    """One budget over stages: what the others leave of it is the open one's."""
    pools = [_pool(dice) for _ in range(dice.randrange(2, 4))]
    open_ = dice.randrange(len(pools))
    params = _between(dice, 1e8, 1e11)
    lines, values = [], {"cost": sum(p.cost for p in pools)}
    for at, pool in enumerate(pools):
        tokens = pool.flop / 6.0 / params
        said = "tokens: ?" if at == open_ else f"tokens: {tokens!r} tokens"
        lines.append(f"stage s{at} {{ hardware: {pool.written(time='for ?')}; {said} }}\n")
        values[f"s{at}.tokens"] = tokens
    budget = f"require cost <= {sum(p.cost for p in pools)!r} USD\nminimize loss\n"
    return Answer("split budget", f"model: {params!r} params\n{''.join(lines)}{budget}", values)


def _shared_store(dice: random.Random) -> Answer:
    """One source for all stages: what the first leaves of its epochs is the last one's."""
    there, epochs = _between(dice, 1e10, 1e12), dice.choice((1, 2, 3))
    whole = there * epochs
    first = _digits(whole * dice.uniform(0.1, 0.9))
    params = _between(dice, 1e8, 1e10)
    pool = _pool(dice)
    text = (
        f"model: {params!r} params\ndata: {there!r} tokens up to {epochs} epochs\n"
        f"stage s0 {{ hardware: {pool.written(time='for ?')}; tokens: {first!r} tokens }}\n"
        f"stage s1 {{ hardware: {pool.written(time='for ?')}; tokens: ? }}\nmaximize tokens\n"
    )
    cost = 6.0 * params * whole / pool.rate / HOUR * pool.price
    return Answer("shared store", text, {"tokens": whole, "s1.tokens": whole - first, "cost": cost})


def _spans(dice: random.Random) -> Answer:
    """Pools that are reserved for spans of their own: they finish together, each within its own."""
    pools = [_pool(dice) for _ in range(2)]
    params, tokens = _split(dice, sum(pool.flop for pool in pools))
    text = f"hardware: {' + '.join(pool.written() for pool in pools)}\nmodel: {params!r} params\n"
    return Answer("spans", text, {"tokens": tokens, "cost": sum(pool.cost for pool in pools)})


def _dates(dice: random.Random) -> Answer:
    """From a date on, for as long as it takes."""
    pool = _pool(dice)
    text = f"hardware: {pool.written(time='for ?', rest=' from 2027-01-01')}\n{_run(*_split(dice, pool.flop))}"
    start = 1798761600.0  # 2027-01-01, in seconds since 1970
    return Answer("dates", text, {"finish": start + pool.days * DAY, "cost": pool.cost})


def _hours(dice: random.Random) -> Answer:
    """Hours that are bought, of devices that are there for some hours of each day and break down."""
    pool = _pool(dice)
    there, daily = dice.randrange(50, 100), dice.randrange(8, 24)
    compute = pool.flop * there / 100.0 * daily / 24.0
    params, tokens = _split(dice, compute)
    text = (
        f"hardware {{ gpus: {pool.gpus}; device: H100; time: {pool.days!r} days; rate: {pool.rate / 1e12!r} TFLOP/s;"
        f" availability: {there}%; hours_per_day: {daily} }}\nmodel: {params!r} params\n"
    )
    return Answer("hours", text, {"tokens": tokens, "compute": compute, "time": pool.days * DAY})


KINDS: dict[str, Callable[[random.Random], Answer]] = {
    function.__name__.strip("_"): function
    for function in (
        *(_tokens, _params, _time, _gpus, _rate, _price, _budget, _loss, _optimum, _data, _energy, _steps),
        *(_stages, _split_budget, _shared_store, _spans, _dates, _hours),
    )
}


def missed(made: Answer, solution: Solution) -> dict[str, tuple[float | None, float]]:
    """What a solution says otherwise than the plan was made from, to nine digits; and what that was."""
    out: dict[str, tuple[float | None, float]] = {}
    for name, value in made.values.items():
        found = solution[name].value if name in solution else None
        if found is None or not math.isclose(found, value, rel_tol=SAME):
            out[name] = (found, value)
    return out
