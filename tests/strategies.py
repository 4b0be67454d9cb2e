"""Random valid plans as data, in every form of statement, and the two spellings of each.

Strategies are made once: to make and to validate one anew costs hypothesis more than to draw from it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache

from hypothesis import strategies as st

from runplan.dsl.syntax.statements import RESERVED

Value = str | list["Value"] | dict[str, "Value"]
Data = dict[str, Value]

# Words that YAML would make something else of, that are words of the language, or units, or begin with a digit.
NAMES = (
    "web code math sft no yes on off null true NaN x for at MFU up to in GB hours B plan law price tokens weight"
    " 2024-crawl cc_2 web.en 1 12 forever inf-ini unit"
).split()
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*([.-][A-Za-z0-9_]+)*")
LETS = ("budget_", "n", "half-year", "x", "share.of", "forever", "atlas", "up_", "B_")


def quoted(text: str) -> str:
    """A text as the language quotes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def bare(name: str) -> str:
    """A name as it stands in a text: quoted where it would be read as something else."""
    return name if PLAIN_NAME.fullmatch(name) and name not in RESERVED else quoted(name)


either = st.booleans()


@cache
def among(*words: str) -> st.SearchStrategy[str]:
    """One of some texts."""
    return st.sampled_from(words)


# ---- texts of figures

texts = st.text(
    st.sampled_from("abc XYZ 09 .,:;#%@!?'\"\\{}[]()-_+*/&|<>=~`$€é漢🙂\u200b\u202e\n\t"), min_size=1, max_size=24
).filter(lambda text: bool(text.strip()))
plain = st.one_of(
    st.integers(1, 9999).map(str),
    st.sampled_from(["1_000", "1.5", "2e3", "3E+2", "0.25", "12.75e1", "7", "100"]),
)
# One at least of what is counted, though it be divided.
counted = st.one_of(
    st.integers(10, 9999).map(str),
    st.sampled_from(["1_000", "12.5", "2e3", "3E+2", "12.75e1"]),
    st.builds(lambda n, s: f"{n}{s}", st.integers(1, 900), st.sampled_from("kKMBT")),
)


@cache
def figure(number: st.SearchStrategy[str], *units: str) -> st.SearchStrategy[str]:
    """A number with one of the units, joined or apart; `""` stands for none."""
    return st.builds(
        lambda n, unit, blank: f"{n}{' ' if unit and blank else ''}{unit}",
        number,
        st.sampled_from(units),
        # Joined, a letter may be read into the number: `3e5` and `2B` are no units.
        st.just(True),
    )


@cache
def arithmetic(atom: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Sums, products and brackets over figures of one dimension, positive."""
    return st.one_of(
        atom,
        st.builds("({} + {})".format, atom, atom),
        st.builds("({} * {})".format, st.integers(2, 9), atom),
        st.builds("({} / {})".format, atom, st.integers(2, 9)),
        st.builds("(max({}, {}))".format, atom, atom),
        st.builds("(if 2 > 1 then {} else {})".format, atom, atom),
        st.builds("({} * 2^2)".format, atom),
    )


durations = figure(plain, "months", "month", "days", "h", "hours", "weeks", "years", "minutes", "s")
shares = st.one_of(
    st.builds("{}%".format, st.integers(1, 60)), st.builds("0.{}".format, st.integers(1, 9)), st.just("33.3 %")
)
tokens = figure(counted, "tokens", "token", "tok")
params = figure(counted, "params", "param", "parameters")
flop = st.one_of(
    figure(st.sampled_from(["5e24", "1.2e22", "3E23", "6e2"]), "FLOP"),
    figure(st.sampled_from(["5e7", "1.2e3", "3E5", "6e2"]), "PFLOP", "EFLOP", "PF-days"),
)
rates = figure(plain, "TFLOP/s", "TFLOPS", "PFLOP/s", "TFLOP/s/GPU")
prices = figure(st.sampled_from(["2.50", "3", "0", "0.99"]), "USD/GPU/hour", "USD/GPU-hour", "USD/hour/GPU")
money = figure(counted, "USD", "dollars")
dates = st.dates().map(lambda day: f"20{day.year % 50 + 20:02d}-{day.month:02d}-{min(day.day, 28):02d}")
precisions = st.sampled_from(["bf16", "fp8", "FP16"])
devices = st.sampled_from(["H100", "h100", "A100", '"H100"', "A800", "B200", "TPU-v5p", "MI300X"])
HOLE = st.sampled_from(["?", "unknown"])


@cache
def between(atom: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A range that runs up, whatever the figure."""
    return st.builds(lambda a, gap: f"{a}{gap}..{gap}(1000 * {a})", atom, st.sampled_from(["", " "])).filter(
        lambda text: not re.search(r"\.\d*\.\.", text)
    )


@cache
def amounts(atom: st.SearchStrategy[str], bare_too: bool = True) -> st.SearchStrategy[str]:
    """A figure given, bounded or free."""
    one = st.one_of(atom, counted) if bare_too else atom
    sum_ = st.one_of(one, st.builds("{} + {}".format, atom, atom), arithmetic(atom))
    return st.one_of(
        sum_,
        between(atom),
        st.builds("at least {}".format, sum_),
        st.builds("at most {}".format, sum_),
        st.builds("up to {}".format, sum_),
        HOLE,
    )


# ---- statements


_gpus = st.one_of(st.integers(1, 20000).map(str), among("?", "unknown", "n", "(2 * 256)", "1k"))
_pool_time = st.one_of(durations, arithmetic(durations), between(durations), HOLE)
_reached = st.one_of(st.builds("at {} MFU".format, shares), st.builds("at {}".format, rates))
_pool_price = st.one_of(prices, st.just("2 USD/GPU/hour .. 3 USD/GPU/hour"))


@st.composite
def pools(draw: st.DrawFn) -> Value:
    """One pool of devices, as a text or as a block."""
    if draw(either):
        return draw(_pool_blocks())
    count = draw(_gpus)
    sign = draw(among(" x ", " \u00d7 ", "x", " x", "\u00d7", "  x  "))
    device = draw(devices)
    if sign.strip() == "x" and sign[0] == "x" and count[-1].isalpha():
        sign = " x "
    bought = draw(st.integers(0, 5)) == 0
    if bought:
        text = draw(among("1.02M GPU-hours", "up to 5k GPU-hours", "?", "? GPU-hours")) + f" of {device}"
    else:
        text = ("up to " if count != "?" and count != "unknown" and draw(either) else "") + count + sign + device
    if draw(either):
        text += f" in {draw(precisions)}"
    time = draw(_pool_time)
    if not bought:
        text += f" for {'up to ' if '..' not in time and time not in '?unknown' and draw(either) else ''}{time}"
    options = []
    if draw(either):
        options.append(draw(_reached))
    if draw(either):
        options.append(f"@ {draw(_pool_price)}")
    if draw(either):
        options.append(f"in nodes of {draw(among('8', '4 GPU', '(2 * 4)'))}")
    if draw(either):
        options.append("from 2026-01-05")
    if draw(either):
        options.append(f"until {draw(among('2030-12-31', '2027-02-28'))}")
    return " ".join([text, *draw(st.permutations(options))])


POOL: dict[str, st.SearchStrategy[str]] = {
    "gpus": st.one_of(st.integers(1, 20000).map(str), st.sampled_from(["?", "n", "up to 1000", "8 GPU .. 64 GPU"])),
    "device": devices,
    "time": amounts(durations, bare_too=False),
    "precision": precisions,
    "mfu": st.one_of(shares, st.just("35% .. 45%")),
    "rate": rates,
    "price": prices,
    "peak": st.sampled_from(["989 TFLOP/s", "1 PFLOP/s"]),
    "memory": st.sampled_from(["80 GB", "80 GiB/GPU"]),
    "power": st.sampled_from(["700 W", "0.7 kW/GPU"]),
    "pue": st.sampled_from(["1.1", "1", "1.05 .. 1.2"]),
    "carbon_intensity": st.sampled_from(["385 gCO2eq/kWh", "0 gCO2eq/kWh"]),
    "availability": shares,
    "gpu_hours": st.sampled_from(["1.02M GPU-hours", "up to 5k GPU-hours", "?"]),
    "paid": st.sampled_from(["reserved", "running"]),
    "hours_per_day": st.sampled_from(["20 hours", "20", "24 h"]),
    "nodes_of": st.sampled_from(["8", "16 GPU"]),
    "from": st.just("2026-01-05"),
    "until": st.just("2028-01-05"),
}
# What a device reaches is said in one way.
_pool_fields = {
    other: st.lists(st.sampled_from(sorted(POOL.keys() - {"device", other})), unique=True) for other in ("mfu", "rate")
}


@st.composite
def _pool_blocks(draw: st.DrawFn) -> Data:
    kept = ["device", *draw(_pool_fields[draw(among("mfu", "rate"))])]
    return {name: draw(POOL[name]) for name in draw(st.permutations(kept))}


_source_tokens = st.one_of(tokens, arithmetic(tokens), between(tokens), HOLE)


@st.composite
def sources(draw: st.DrawFn, weight: str = "", stage: str = "") -> str:
    """What there is of one source."""
    kind = draw(among("tokens", "characters", "bytes"))
    options = []
    if kind == "tokens":
        amount = draw(_source_tokens)
    else:
        unit = {"characters": ("characters", "char"), "bytes": ("GB", "TB", "GiB")}[kind]
        amount = draw(figure(plain, *unit))
        options.append(f"at {draw(among('4', '4.2', '3.9e0'))} {kind}/token")
    if draw(either):
        options.append(f"up to {draw(among('4 epochs', '2', '1 epoch', '2.5 epochs'))}")
    if weight:
        options.append(f"weight {weight}")
    if draw(either):
        options.append(f"quality {draw(among('high', 'ordinary', 'sft'))}")
    if draw(either):
        options.append(f"domain {draw(among('text', 'python', quoted('source code')))}")
    if stage:
        options.append(f"for {stage}")
    return " ".join([amount, *draw(st.permutations(options))])


@st.composite
def data(draw: st.DrawFn, names: Sequence[str]) -> Value:
    """The data: one source without a name, or one for each name."""
    if not names:
        return draw(sources())
    weighted: bool = draw(either)
    of = draw(st.sampled_from([[""], ["finetune", "pretrain"]]))
    stages = draw(st.lists(st.sampled_from(of), min_size=len(names), max_size=len(names)))
    parts = {stage: iter(_parts(draw, stages.count(stage))) for stage in dict.fromkeys(stages)}
    weights = [f"{next(parts[stage])}%" if weighted else "" for stage in stages]
    return {name: draw(sources(*how)) for name, *how in zip(names, weights, stages, strict=True)}


def _parts(draw: st.DrawFn, count: int) -> list[int]:
    """Shares in per cent that sum to a hundred, as those of one stage do."""
    cuts = sorted(draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]


_phases = st.lists(among("warmup", "stable", "decay", "in", *NAMES), min_size=1, unique=True, max_size=4)


@st.composite
def schedules(draw: st.DrawFn, names: Sequence[str]) -> Value:
    """A schedule by name, or by its phases."""
    if draw(either):
        quality = draw(among("", " quality late", " quality early", " quality throughout"))
        return draw(among("WSD", "cosine", "WCSD")) + quality
    phases = draw(_phases)
    out: Data = {}
    for phase, share in zip(phases, _parts(draw, len(phases)), strict=True):
        text = f"{share}% {draw(among('linear', 'constant', 'cosine', 'x'))}"
        mixed: bool = draw(either)
        if names and mixed:
            starts, ends = _parts(draw, len(names)), _parts(draw, len(names))
            ramp = draw(either)
            items = (
                f"{bare(name)} {start}%{f' .. {end}%' if ramp else ''}"
                for name, start, end in zip(names, starts, ends, strict=True)
            )
            text += " mix " + ", ".join(items)
        out[phase] = text
    return out


MODEL = {
    "params": amounts(params),
    "active": params,
    "layers": st.sampled_from(["32", "24 .. 48", "?"]),
    "hidden": st.sampled_from(["4096", "unknown", "at least 1024"]),
    "heads": st.just("32"),
    "kv_heads": st.just("8"),
    "ffn": st.just("14336"),
    "vocab": st.sampled_from(["128256", "(128 * 1024)"]),
    "context": st.sampled_from(["8192", "8192 tokens", "8k tokens"]),
    "tied": st.sampled_from(["true", "false", "yes", "no", "1", "0"]),
    "mlp": st.sampled_from(["gated", "plain"]),
    "biases": st.sampled_from(["none", "qkv", "all"]),
    "head_dim": st.just("128"),
    "qk_norm": st.just("true"),
    "positions": st.just("1024"),
    "experts": st.just("256"),
    "active_experts": st.just("8"),
}


_model_fields = st.lists(st.sampled_from(sorted(MODEL)), unique=True, min_size=1)


@st.composite
def models(draw: st.DrawFn) -> Value:
    """The model: its size, or a block."""
    if draw(either):
        text = draw(amounts(params))
        return text + (f", {draw(params)} active" if draw(either) else "")
    kept = draw(_model_fields)
    return {name: draw(MODEL[name]) for name in kept}


objectives = st.sampled_from(
    [
        *("CLM", "MLM", "clm", "CLM of protein", "transfer from CLM to MLM", "transfer from MLM to CLM"),
        *("transfer from text to python", "transfer from CLM to MLM of protein", "MLM of text"),
    ]
)


BOUNDS: dict[str, st.SearchStrategy[str]] = {
    "cost": money,
    "tokens": tokens,
    "params": st.one_of(params, counted),
    "time": durations,
    "loss": figure(plain, "", "nat/token"),
    "mfu": shares,
    "gpus": st.one_of(plain, figure(plain, "GPU")),
    "energy": figure(plain, "kWh", "GWh"),
    "emissions": figure(plain, "tCO2eq", "kgCO2eq"),
    "compute": flop,
    "finish": dates,
    "epochs": plain,
    "tokens / params": st.one_of(plain, figure(plain, "token/param", "tokens/param")),
    "cost / tokens": figure(plain, "USD/token"),
    "compute / (6 * params * tokens)": figure(plain, "FLOP/param/token"),
    "exp(loss / (1 nat/token))": plain,
    "learning_rate": st.sampled_from(["3e-4", "0.1%"]),
    "regret": shares,
}
_money_or_budget = st.one_of(money, st.just("budget_"))


@st.composite
def conditions(draw: st.DrawFn, names: Sequence[str], stages: Sequence[str], lets: Sequence[str]) -> str:
    """A comparison, chain, range or combination of them."""
    bounds = dict(BOUNDS)
    if "budget_" in lets:
        bounds["cost"] = _money_or_budget
    for name in names:
        if PLAIN_NAME.fullmatch(f"tokens.{name}"):
            bounds[f"tokens.{name}"], bounds[f"share.{name}"], bounds[f"epochs.{name}"] = tokens, shares, plain
    for name in stages:
        bounds[f"{name}.cost"] = money
        bounds[f"{name}.time"] = durations

    def one() -> str:
        quantity = draw(st.sampled_from(sorted(bounds)))
        bound = draw(bounds[quantity])
        sign = draw(among("<=", ">=", "<", ">", "==", "!=", "≤", "≥"))
        form = draw(among("plain", "plain", "turned", "chain", "range", "not", "P", "if"))
        if form == "turned":
            return f"{bound} {sign} {quantity}"
        if form == "chain":
            return f"{bound} <= {quantity} < {draw(bounds[quantity])}"
        if form == "range" and quantity != "finish":
            return f"{quantity} in {bound} .. (1.1 * {bound})"  # one that runs down is a mistake
        if form == "not":
            return f"not {quantity} {sign} {bound}"
        if form == "P" and quantity not in ("finish",):
            return f"P({quantity} {sign} {bound}) >= {draw(shares)}"
        if form == "if" and quantity == "time":
            return f"time <= (if tokens > 1T then {bound} else {draw(durations)})"
        return f"{quantity} {sign} {bound}"

    text = one()
    for _ in range(draw(st.integers(0, 2))):
        text += f" {draw(among('and', 'or'))} {one()}"
    # A range in a conjunction has no end of its own: `a in 1 .. 2 and b`.
    return text


def reasons(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """With or without a reason."""
    return st.one_of(text, st.builds(lambda t, why: f"{t} because {quoted(why)}", text, texts))


_laws: st.SearchStrategy[Value] = st.sampled_from(
    ["chinchilla", ["chinchilla", "llama3"], ["llama3"], ["chinchilla.approach1"]]
)
_budget = st.one_of(money, arithmetic(money))
_let_names = st.lists(st.sampled_from(LETS[2:]), unique=True)
_let = st.one_of(arithmetic(durations), money, tokens, st.just("n * 3"), flop, prices)
_euro = "EUR = 1.08 USD on 2026-01-15"
_exchange: st.SearchStrategy[Value] = st.sampled_from([_euro, [_euro, "GBP = 1.3 USD on 2026-02-01"]])
_names = st.lists(st.sampled_from(NAMES), unique=True, max_size=3)
_stages = st.lists(among("pre", "fine", "stage-2"), min_size=1, unique=True)


@st.composite
def plans(draw: st.DrawFn) -> Data:
    """A whole plan in the shape of YAML; leaves are texts of the language."""
    out: Data = {}

    def maybe(key: str, value: st.SearchStrategy[Value] | st.SearchStrategy[str]) -> None:
        if draw(either):
            out[key] = draw(value)

    maybe("plan", texts)
    maybe("laws", _laws)
    lets: dict[str, Value] = {"n": draw(among("512", "2 * 256", "1k"))}
    if draw(either):
        lets["budget_"] = draw(_budget)
    for name in draw(_let_names):
        lets[name] = draw(_let)
    out["let"] = lets
    maybe("rate", _exchange)
    maybe("calendar", among("month = 30.4375 days", "month = 31 days"))
    names = draw(_names)
    stages: list[str] = []
    if draw(st.integers(0, 3)) == 0:
        stages = draw(_stages)
        blocks: Data = {}
        for i, stage in enumerate(stages):
            inner: Data = {}
            for key, strategy in _stage_statements(names if i == 0 else []).items():
                if draw(either):
                    inner[key] = draw(strategy)
            blocks[stage] = _with_used_weights(inner) or {"tokens": "1T"}
        out["stages"] = blocks
        own = list(next(iter(blocks.values()))) if blocks else []
        names = names if "data" in own else []
    else:
        for key, strategy in _stage_statements(names).items():
            if key != "data" and key != "schedule":
                maybe(key, strategy)
        if draw(either):
            out["data"] = draw(data(names))
        else:
            names = []
        maybe("schedule", schedules(names))
    out = _with_used_weights(out)
    maybe("model", _model)
    maybe("reserve", _reserve)
    maybe("optimizer", _optimizer)
    wanted = reasons(conditions(names, stages, sorted(lets)))
    for key in ("require", "prefer"):
        maybe(key, st.one_of(wanted, st.lists(wanted, min_size=1, max_size=3).map(list)))
    goal = draw(among("", "minimize", "maximize"))
    if goal:
        cost = "cost + budget_" if "budget_" in lets else "cost"
        out[goal] = draw(among("loss", cost, "tokens / params", "-loss"))
    if not out.keys() - {"let", "rate", "calendar"}:
        out["compute"] = draw(flop)
    return {key: out[key] for key in draw(st.permutations(sorted(out)))}


def _with_used_weights(block: Data) -> Data:
    """Statements without weights where each phase has a mix of its own: then they say nothing, which is a mistake."""
    sources, phases = block.get("data"), block.get("schedule")
    if (
        not isinstance(sources, dict)
        or not isinstance(phases, dict)
        or any(" mix " not in str(p) for p in phases.values())
    ):
        return block
    return block | {"data": {name: re.sub(r" weight \d+%", "", str(text)) for name, text in sources.items()}}


_reserve = reasons(shares)
_several: st.SearchStrategy[Value] = st.lists(pools(), min_size=1, max_size=3).map(list)
_hardware = st.one_of(pools(), _several)


def _stage_statements(names: Sequence[str]) -> dict[str, st.SearchStrategy[Value]]:
    return {
        "hardware": _hardware,
        "compute": amounts(flop),
        "data": data(names),
        "tokens": amounts(tokens),
        "objective": objectives,
        "inference": amounts(tokens),
        "schedule": schedules(names),
    }


_betas = st.lists(among("beta1", "beta2", "weight_decay", "momentum"), unique=True)


@st.composite
def _optimizers(draw: st.DrawFn) -> Value:
    name = draw(among("AdamW", "LAMB", "Muon"))
    settings: Data = {key: draw(among("0.9", "0.95", "1e-8", "0", "0.1 .. 0.2")) for key in draw(_betas)}
    return {"name": name, **settings} if settings else name


_model, _optimizer = models(), _optimizers()


# ---- the DSL


def dsl(plan: Data, dice: random.Random) -> str:
    """The plan as a `.plan` file, with line breaks, blanks, comments and colons as the dice fall."""
    ends = ["\n", "\n", "\n\n", "\r\n", " \n# note\n", "; ", ' # a comment, with "quotes" and {\n']
    return "".join(line + dice.choice(ends) for line in statements(plan, dice))


def statements(plan: Data, dice: random.Random) -> list[str]:
    """The statements of the DSL, each a text that may have several lines."""
    return [line for key, value in plan.items() for line in _statements(key, value, dice)]


def _statements(key: str, value: Value, dice: random.Random) -> list[str]:
    colon = dice.choice([": ", " ", ":  "])
    if key == "plan":
        assert isinstance(value, str)
        return [f"plan{colon}{quoted(value)}"]
    if key == "laws":
        return [f"use laws{colon}{value if isinstance(value, str) else ', '.join(map(str, value))}"]
    if key == "let":
        assert isinstance(value, dict)
        return [f"let {name} = {_broken(text, dice)}" for name, text in value.items()]
    if key == "data" and isinstance(value, dict):
        return [f"data {_label(name, dice)}{dice.choice([': ', ':', ' : '])}{text}" for name, text in value.items()]
    if key == "schedule" and isinstance(value, dict):
        return [f"phase {_label(name, dice)}: {text}" for name, text in value.items()]
    if key == "stages":
        assert isinstance(value, dict)
        out = []
        for name, inner in value.items():
            assert isinstance(inner, dict)
            lines = [line for k, v in inner.items() for line in _statements(k, v, dice)]
            separator = dice.choice(["\n  ", "; "])
            out.append(f"stage {bare(name)} {{{separator}{separator.join(lines)}\n}}")
        return out
    if key == "hardware":
        pools = value if isinstance(value, list) else [value]
        joined = dice.choice([" + ", "\n  + "]).join(_block(pool, dice) for pool in pools)
        return [f"hardware{colon if joined[0] != '{' else dice.choice([': ', ' '])}{joined}"]
    if key == "optimizer" and isinstance(value, dict):
        rest: Data = {k: v for k, v in value.items() if k != "name"}
        return [f"optimizer{colon}{value['name']} {_block(rest, dice)}"]
    if isinstance(value, dict):
        return [f"{key}{colon}{_block(value, dice)}"]
    return [f"{key}{colon}{_broken(text, dice)}" for text in (value if isinstance(value, list) else [value])]


def _label(name: str, dice: random.Random) -> str:
    return quoted(name) if dice.random() < 0.2 else name


def _block(value: Value, dice: random.Random) -> str:
    if not isinstance(value, dict):
        return str(value)
    separator = dice.choice(["\n  ", "; ", " ;\n\n  "])
    return "{" + separator + separator.join(f"{k}: {v}" for k, v in value.items()) + dice.choice(["\n}", " }"])


def _broken(text: Value, dice: random.Random) -> str:
    """The text, perhaps over two lines: one that begins with a joining word goes on from the one before."""
    assert isinstance(text, str)
    if '"' in text or dice.random() < 0.7:
        return text
    return re.sub(r" (and|or|at least|\+) ", r"\n    \1 ", text, count=1) if not text.startswith("at") else text


# ---- YAML


def yaml(plan: Data, dice: random.Random) -> str:
    """The plan as a `.plan.yaml` file, in block or flow style and with quotes as the dice fall."""
    head = dice.choice(["", "---\n", "# a plan\n", "\n"])
    return head + _mapping(plan, "", dice) + dice.choice(["", "\n", "...\n", "# the end\n"])


def _mapping(value: dict[str, Value], indent: str, dice: random.Random) -> str:
    return "".join(f"{indent}{_key(key, dice)}:{_tail(item, indent, dice)}" for key, item in value.items())


def _key(name: str, dice: random.Random) -> str:
    return dice.choice([f'"{name}"', f"'{name}'"]) if dice.random() < 0.2 else name


def _tail(value: Value, indent: str, dice: random.Random) -> str:
    comment = dice.choice(["", "", "", " # a comment"])
    if isinstance(value, str):
        return f" {_scalar(value, dice)}{comment}\n"
    if dice.random() < 0.25:
        return f" {_flow(value, dice)}{comment}\n"
    deeper = indent + dice.choice(["  ", "    "])
    if isinstance(value, dict):
        return f"{comment}\n" + _mapping(value, deeper, dice)
    out = f"{comment}\n"
    for item in value:
        if isinstance(item, dict):
            body = _mapping(item, deeper + "  ", dice)
            out += f"{deeper}- {body[len(deeper) + 2 :]}"
        else:
            assert isinstance(item, str)
            out += f"{deeper}- {_scalar(item, dice)}\n"
    return out


def _flow(value: Value, dice: random.Random) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k, dice)}: {_flow(v, dice)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item, dice) for item in value) + "]"
    return _quoted(value, dice)


_UNSAFE_START = tuple("@%`*&!>[{}]\"'?|#,-:\t ")


def _scalar(text: str, dice: random.Random) -> str:
    safe = not (
        text.startswith(_UNSAFE_START)
        or re.search(r":(\s|$)|\s#|[\n\t]", text)
        or text != text.strip()
        or text in ("---", "...")
    )
    return text if safe and dice.random() < 0.7 else _quoted(text, dice)


def _quoted(text: str, dice: random.Random) -> str:
    if not re.search(r"[\n\t]", text) and dice.random() < 0.5:
        return "'" + text.replace("'", "''") + "'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


# ---- texts that are nearly right

PIECES = [
    *("(){}[]\"'\\#:;,.+-*/^@%?<>=!|&~`\n\r\t \u200b\ue000\x85\u2028é漢🙂"),
    *(
        "1e400",
        "NaN",
        "inf",
        "0",
        "-1",
        "140%",
        "..",
        "up to",
        "for",
        "at",
        "x",
        "\u00d7",
        "because",
        "unknown",
        "USD",
        "tokens",
    ),
    *(
        "2026-13-40",
        "let a = a\n",
        "P(",
        "if",
        "then",
        "in",
        "\r\n",
        "<<: ",
        "*a",
        "&a ",
        "!!x ",
        "---\n",
        "...\n",
        "- ",
        "? ",
    ),
]


_pieces = st.sampled_from(["", *PIECES])


@st.composite
def edits(draw: st.DrawFn, text: str) -> str:
    """The text after a few deletions, insertions, replacements and copies."""
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 8))
        piece = draw(st.one_of(_pieces, st.just(text[at // 2 : at // 2 + 40])))
        text = text[:at] + piece + text[at + cut :]
    return text


@st.composite
def broken(draw: st.DrawFn, spelling: str) -> str:
    dice = draw(st.randoms(use_true_random=False))
    plan = draw(plans())
    return draw(edits(yaml(plan, dice) if spelling == "yaml" else dsl(plan, dice)))
