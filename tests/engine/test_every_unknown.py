"""Each figure of a plan in turn hidden behind a `?`: it comes back, of a dense model, a mixture of experts, a stage."""

from __future__ import annotations

import math

import pytest
from known import LIBRARY

from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution

HOUR, DAY = 3600.0, 86400.0
PEAK = 989.4e12  # bf16 of an H100 SXM without sparsity, FLOP/s: NVIDIA's data sheet
GPUS, DAYS, MFU, UP, DAILY, PRICE, WATTS, PUE = 512, 40, 0.40, 0.90, 20, 2.5, 650, 1.2
PARAMS, ALL, ACTIVE = 13e9, 20e9, 3e9
FLOP = GPUS * PEAK * MFU * UP * DAYS * DAY * DAILY / 24
TOKENS = FLOP / 6 / PARAMS
COST = GPUS * DAYS * 24 * PRICE
# What the first stage of two takes: 64 GPUs for ten days.
FIRST = 64 * PEAK * MFU * 10 * DAY
SERVED = {"inference_tokens": 3 * TOKENS}  # 2 FLOP a param and token, where training takes 6
SHAPE = "layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 128256; context: 8192; tied: no"
COUNT = 8_030_261_248  # Llama 3 8B, as its authors' weights count
START = 1798761600.0  # 2027-01-01, in seconds since 1970


def block(**changed: object) -> str:
    """The hardware, with some of its fields as another text, or left out."""
    fields: dict[str, object] = {
        "gpus": GPUS,
        "device": "H100",
        "time": f"{DAYS} days",
        "mfu": f"{MFU:.0%}",
        "availability": f"{UP:.0%}",
        "hours_per_day": DAILY,
        "price": f"{PRICE} USD/GPU/hour",
    }
    fields |= {name.rstrip("_"): value for name, value in changed.items()}
    return "hardware { " + "; ".join(f"{name}: {value}" for name, value in fields.items() if value) + " }"


DENSE = f"model: {PARAMS!r} params\n"
MIXTURE = f"model: {ALL!r} params, {ACTIVE!r} params active\n"

# What stands in the block, what the plan says besides, and the values that are to be found.
OF_HARDWARE: dict[str, tuple[dict[str, object], str, dict[str, float]]] = {
    "gpus": ({"gpus": "?"}, "", {"gpus": GPUS, "cost": COST}),
    "nodes": ({"gpus": "? nodes", "nodes_of": 8}, "", {"gpus": GPUS, "nodes": GPUS / 8}),
    "time": ({"time": "?"}, "", {"time": DAYS * DAY, "cost": COST}),
    "hours": ({"gpus": "", "time": "", "gpu_hours": "?"}, "", {"gpu_hours": GPUS * DAYS * DAY, "cost": COST}),
    "from": ({"time": "", "from_": "?", "until": "2027-02-10"}, "", {"start": START, "time": DAYS * DAY}),
    "until": ({"time": "", "from_": "2027-01-01", "until": "?"}, "", {"finish": START + DAYS * DAY}),
    "price": ({"price": "?"}, f"require cost <= {COST!r} USD\n", {"price": PRICE / HOUR}),
    "mfu": ({"mfu": "?"}, "", {"mfu": MFU, "rate": PEAK * MFU}),
    "rate": ({"mfu": "", "rate": "?"}, "", {"rate": PEAK * MFU}),
    "throughput": ({"mfu": "", "throughput": "?"}, "", {"rate": PEAK * MFU}),
    "peak": ({"peak": "?"}, "", {"peak": PEAK}),
    "availability": ({"availability": "?"}, "", {"availability": UP}),
    "hours per day": ({"hours_per_day": "?"}, "", {"hours_per_day": DAILY * HOUR}),
    "power": (
        {"power": "?", "pue": PUE},
        f"require energy <= {WATTS * PUE * GPUS * DAYS * 24 / 1000!r} kWh\n",
        {"power": WATTS / HOUR},
    ),
    "pue": (
        {"power": f"{WATTS} W", "pue": "?"},
        f"require energy <= {WATTS * PUE * GPUS * DAYS * 24 / 1000!r} kWh\n",
        {"pue": PUE},
    ),
}
OF_RUN: dict[str, tuple[str, dict[str, float]]] = {
    "tokens": ("tokens: ?\n", {}),
    "data": ("tokens: {tokens!r}\ndata: ?\n", {"available.data": 1.0}),
    "epochs": ("tokens: {tokens!r}\ndata: {quarter!r} tokens up to ? epochs\n", {"max_epochs.data": 4}),
    "share": (
        "tokens: {tokens!r}\ndata a: {tokens!r} tokens weight 75%\ndata b: {tokens!r} tokens weight ?\n",
        {"share.b": 0.25},
    ),
    "share that is required": (
        "tokens: {tokens!r}\ndata a: {tokens!r} tokens weight ?\ndata b: {tokens!r} tokens weight ?\n"
        "require tokens.a == {quarter!r}\n",
        {"share.a": 0.25},
    ),
    "batch": ("tokens: {tokens!r}\noptimizer: AdamW {{ batch: ? }}\nrequire steps == 250000\n", {"steps": 250000}),
}


def solved(text: str, name: str = "a.plan") -> Solution:
    report = report_of(name, Files({name: text}), catalogue=LIBRARY, intervals=False)
    wrong = [found.message for found in report.findings if found.severity == "error"]
    assert not wrong, (wrong, text)
    (solution,) = report.solutions
    assert solution.status == "solved"
    return solution


def gives(text: str, values: dict[str, float]) -> None:
    """Both spellings of a plan come to the values."""
    for name, spelled in (("a.plan", text), ("a.plan.yaml", formatted(Source("a.plan", text), "yaml")[0])):
        solution = solved(spelled, name)
        found = {each: solution[each].value for each in values}
        off = {each: found[each] for each in values if not math.isclose(found[each], values[each], rel_tol=1e-9)}
        assert not off, (off, values, spelled)


def tokens_of(size: float, asked: str) -> float:
    """So many tokens as take all of the hardware, or a little less than that where a count is to be whole."""
    return FLOP / 6 / size * (1 - 1 / 1024 if asked in ("gpus", "nodes") else 1)


@pytest.mark.parametrize("asked", OF_HARDWARE)
@pytest.mark.parametrize(("model", "size"), [(DENSE, PARAMS), (MIXTURE, ACTIVE)], ids=["dense", "mixture"])
def test_hardware(model: str, size: float, asked: str) -> None:
    changed, besides, values = OF_HARDWARE[asked]
    gives(f"{block(**changed)}\n{model}tokens: {tokens_of(size, asked)!r} tokens\n{besides}", values)


@pytest.mark.parametrize("asked", OF_HARDWARE)
def test_hardware_of_a_stage(asked: str) -> None:
    changed, besides, values = OF_HARDWARE[asked]
    first = f"stage one {{ hardware: 64 x H100 for ? at {MFU:.0%} MFU; tokens: {FIRST / 6 / PARAMS!r} tokens }}\n"
    second = f"stage two {{ {block(**changed)}; tokens: {tokens_of(PARAMS, asked)!r} tokens }}\n"
    besides = besides.replace("cost", "two.cost").replace("energy", "two.energy")
    own = {f"two.{name}": value for name, value in values.items()}
    gives(f"{DENSE}{first}{second}{besides}", {**own, "one.time": 10 * DAY})


@pytest.mark.parametrize("asked", OF_RUN)
@pytest.mark.parametrize(("model", "size"), [(DENSE, PARAMS), (MIXTURE, ACTIVE)], ids=["dense", "mixture"])
def test_the_run(model: str, size: float, asked: str) -> None:
    text, values = OF_RUN[asked]
    tokens = FLOP / 6 / size
    said = text.format(tokens=tokens, quarter=tokens / 4)
    values = {name: value * tokens if name == "available.data" else value for name, value in values.items()}
    gives(f"{block()}\n{model}{said}", {**values, "tokens": tokens})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"{block()}\nmodel: ?\ntokens: {TOKENS!r} tokens\n", {"params": PARAMS}),
        (f"compute: ?\n{DENSE}tokens: {TOKENS!r} tokens\n", {"compute": FLOP}),
        (f"compute: ?\n{MIXTURE}tokens: {FLOP / 6 / ACTIVE!r} tokens\n", {"compute": FLOP}),
        (f"{block()}\n{DENSE}tokens: {TOKENS * 0.8!r} tokens\nreserve: ?\n", {"reserve": 0.2}),
        (
            f"{block()}\n{DENSE}tokens: {TOKENS!r}\ninference: ?\nrequire lifetime_compute <= {2 * FLOP!r} FLOP\n",
            SERVED,
        ),
        (
            f"model: 8.03B {{ {SHAPE.replace('layers: 32', 'layers: ?')} }}\ntokens: 1T\n",
            {"params": COUNT, "layers": 32},
        ),
        (f"model: 8.03B {{ {SHAPE.replace('hidden: 4096', 'hidden: ?')} }}\ntokens: 1T\n", {"hidden": 4096}),
    ],
)
def test_the_rest(text: str, values: dict[str, float]) -> None:
    gives(text, values)


def test_the_experts_are_as_many_as_the_size_has_room_for() -> None:
    """Mixtral 8x7B, without biases, its tables apart: 46.7B params, of which 12.9B are active (arXiv:2401.04088)."""
    layers, hidden, width, vocab, kv = 32, 4096, 14336, 32000, 1024
    expert = 3 * hidden * width
    shape = f"layers: {layers}; hidden: {hidden}; heads: 32; kv_heads: 8; vocab: {vocab}; context: 32768"
    text = f"model: 46.8B {{ {shape}; expert_ffn: {width}; experts: ?; active_experts: 2 }}\ntokens: 1T\n"
    found = solved(text)
    assert found["experts"].value == 8
    least = layers * (8 * expert + 2 * hidden * hidden + 2 * hidden * kv) + 2 * vocab * hidden
    assert found["params"].value == pytest.approx(least, rel=1e-4)


def test_a_share_of_pretraining_and_a_loss_are_told() -> None:
    text = "use laws plm\nobjective: transfer from CLM to MLM of protein\nmodel: 85M params\ndata: 48B tokens\n"
    found = solved(text)
    pre, fine = found["pretrain_tokens"].value, found["finetune_tokens"].value
    assert found["pretrain_share"].value == pytest.approx(pre / (pre + fine), rel=1e-12)
    text = f"use laws chinchilla\n{DENSE}tokens: 1T\n"
    loss = 1.8172 + 482.01 / PARAMS**0.3478 + 2085.43 / 1e12**0.3658
    assert solved(text)["loss"].value == pytest.approx(loss, rel=1e-12)
