"""What frameworks keep, by their names, of any MLP and shape, and at any stage of sharing out."""

from __future__ import annotations

import pytest
from known import LIBRARY
from reports import laid_out
from steps import Figures, needed, regime

from runplan.engine.layout.layout import SHARD, Layout
from runplan.engine.problem.solution import Solution

NODE = "hardware: 8 x H100 for up to 900 days at 40% MFU\n"


def solved(text: str) -> Solution:
    (solution,) = laid_out(text).solutions
    return solution


def test_a_regime_goes_by_any_of_its_names_with_either_dash() -> None:
    for record in LIBRARY.records("regime"):
        for name in (record.name, *record.aliases):
            assert LIBRARY.record("regime", name.replace("-", "_").upper()) == record
    found = solved(f"{NODE}model: 7B\ntokens: 1B\nlayout: dp 8 in ZERO_2\n")
    assert found["shard"].value == 2


@pytest.mark.parametrize(("mlp", "ffn"), [(2.0, 4.0), (3.0, 8 / 3)])
def test_a_layer_keeps_what_korthikanti_counts(mlp: float, ffn: float) -> None:
    """arXiv:2205.05198, equation 1: 34 byte a token and width, 2 of them masks of dropout, and attention as it is; of
    a gated MLP of as many params three tensors of 8/3 widths are as much."""
    shape: Figures = {"layers": 2, "hidden": 768, "heads": 12, "ffn": 768 * ffn, "vocab": 50304}
    shape |= {"context": 2048, "mlp": mlp}
    found = needed(shape, Layout(), regime("megatron"))
    assert found["block_bytes"] == pytest.approx(32 * 768 + 4 * 12 + 8)


def test_fsdp_that_keeps_what_it_has_gathered_shares_weights_out_all_the_same() -> None:
    """SHARD_GRAD_OP of PyTorch: weights in fp32 are shared out, and the copies of all layers stay through the step."""
    shape: Figures = {"layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "ffn": 14336}
    shape |= {"vocab": 128256, "context": 8192}
    found = needed(shape, Layout(dp=8, recompute=1.0), regime("fsdp2", shard=2.0))
    assert found["memory_weights"] == pytest.approx(4 * 8_030_261_248 / 8)
    assert found["copies_of_layers"] == pytest.approx(2 * (8_030_261_248 - 2 * 128256 * 4096 - 65 * 4096))
    # In a pipeline, where copies share out states alone, it is as much as of Megatron-LM: 6 byte a param and 12 shared.
    layout = Layout(pp=2, dp=8, accumulate=8, shard=1)
    fsdp, megatron = (needed(shape, layout, {**regime(name), SHARD: 1.0}) for name in ("fsdp2", "megatron"))
    states = ("memory_weights", "memory_gradients", "memory_optimizer")
    kept = sum(fsdp[name] for name in states) + fsdp["copies_of_layers"]
    assert kept == pytest.approx(
        sum(megatron[name] for name in states), rel=0.06
    )  # tables have copies at the loss alone
    assert fsdp["memory_in_flight"] == pytest.approx(megatron["memory_in_flight"], rel=0.06)
    deepspeed = needed(shape, Layout(dp=8), regime("zero-2"))
    assert deepspeed["memory_weights"] == pytest.approx(2 * 8_030_261_248)
    assert deepspeed["copies_of_layers"] == 0.0


@pytest.mark.parametrize("model", ["gpt2-large", "opt-1.3b", "pythia-6.9b", "llama-3-8b", "qwen3-32b", "palm-540b"])
@pytest.mark.parametrize("rest", ["accumulate 1 in fsdp2", "recompute full in eager"])
def test_a_size_alone_tells_no_more_than_its_shape_does(model: str, rest: str) -> None:
    """Of a model that has the size and another shape it is not told that it needs more than it does."""
    text = f"tokens: 1B\nlayout: dp 8, micro_batch 8 sequences, {rest}\n"
    known = solved(f"{NODE}model {model} {{ context: 2048 }}\n{text}")
    alone = solved(f"{NODE}model {{ params: {known['params'].value:.0f}; context: 2048 }}\n{text}")
    assert alone["least_memory"].value <= known["least_memory"].value


@pytest.mark.parametrize(
    "rest",
    [
        *("model: 7B\n", "model: llama-3-8b\n", "start: checkpoint llama-3-8b\noptimizer: AdamW { lora: 16 }\n"),
        "model: llama-3-8b\noptimizer: SOAP\n",
    ],
)
def test_the_first_layout_has_the_memory_that_is_told(rest: str) -> None:
    found = solved(f"{NODE}tokens: 1B\n{rest}")
    (layouts,) = found.layouts
    first, told = layouts.first[0].memory, found["memory_per_gpu"]
    assert (first.value, first.low, first.high) == pytest.approx((told.value, told.low, told.high), rel=1e-12)


def test_a_goal_over_the_layout_chooses_the_layout() -> None:
    text = f"{NODE}model: llama-3-8b\ntokens: 10B\noptimizer: AdamW {{ batch: 1M tokens }}\n"
    fastest, leanest = solved(text), solved(f"{text}minimize memory_per_gpu\n")
    best = solved(f"{text}maximize layout_mfu\n")
    assert leanest["memory_per_gpu"].value < fastest["memory_per_gpu"].value
    assert best["layout_mfu"].value >= fastest["layout_mfu"].value > leanest["layout_mfu"].value
    assert [one["tokens"].value for one in (fastest, leanest, best)] == [10e9] * 3
    (layouts,) = leanest.layouts
    told = [one.memory.value for one in layouts.first]
    assert told[0] == pytest.approx(leanest["memory_per_gpu"].value) and told == sorted(told)


def test_what_is_required_of_memory_is_offered_the_devices_that_keep_it() -> None:
    report = laid_out(f"{NODE}model: 7B\ntokens: 10B\nrequire memory_per_gpu <= 5 GB\n")
    (broken,) = (found for found in report.findings if found.code == "B002")
    assert "spread it over 32 devices: there it is kept, whatever the framework" in broken.help


def test_a_regime_of_one_s_own_says_all_that_is_read_of_it() -> None:
    text = 'regime mine "ours" {\n  source "x"\n  weight_bytes 2 byte/param; shard 3\n}\n'
    report = laid_out(f"{text}{NODE}model: 7B\ntokens: 10B\nlayout: dp 8 in mine\n")
    (found,) = (one for one in report.findings if one.code == "P001")
    assert "`gradient_bytes`" in found.message and "`shard`" not in found.message
    assert not report.solutions


STAGES = """stage a {{ hardware: 64 x H100 for up to 100 days at 40% MFU; tokens: 100B }}
stage b {{ hardware: 8 x H100 for up to 100 days at 40% MFU; tokens: 100M{inside} }}
model: 13B
{outside}
"""


@pytest.mark.parametrize(
    "required",
    [
        {"inside": "; require memory_per_gpu <= 50 GB", "outside": ""},
        {"inside": "", "outside": "require b.memory_per_gpu <= 50 GB"},
        {"inside": "", "outside": "require memory_per_gpu <= 50 GB"},
    ],
)
def test_what_is_required_of_the_memory_of_a_stage_is_kept_by_its_layout(required: dict[str, str]) -> None:
    free = solved(STAGES.format(inside="", outside=""))
    assert free["b.memory_per_gpu"].value > 50e9
    assert free["memory_per_gpu"].value == max(free[f"{stage}.memory_per_gpu"].value for stage in "ab")
    report = laid_out(STAGES.format(**required))
    assert report.solutions[0]["b.memory_per_gpu"].value <= 50e9
    assert not [found for found in report.findings if found.severity == "error"]
