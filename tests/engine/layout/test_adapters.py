"""Adapters, and optimizers that keep other states than AdamW's: what they take, against arithmetic of its own."""

from __future__ import annotations

import pytest
from known import LIBRARY
from reports import laid_out

from runplan.engine.problem.solution import Solution

NODE = "hardware: 8 x H100 for ? at 40% MFU\n"


def solved(text: str) -> Solution:
    (solution,) = laid_out(text).solutions
    return solution


@pytest.mark.parametrize(
    ("model", "settings", "params"),
    [
        ("llama-3-8b", "lora: 16", 41_943_040),
        ("llama-3-70b", "lora: 16", 207_093_760),
        ("llama-2-7b", "lora: 8; lora_on: qv", 4_194_304),
        # arXiv:2106.09685, table 15: 4.7M of rank 1 on queries and values, 9.4M on all of attention.
        ("gpt-3-175b", "lora: 1; lora_on: qv", 4_718_592),
        ("gpt-3-175b", "lora: 1; lora_on: attention", 9_437_184),
        ("mixtral-8x7b", "lora: 16", 32 * (16 * 26_624 + 8 * 16 * 3 * (4096 + 14336))),
        ("deepseek-v2-lite", "lora: 4; lora_on: attention", 27 * 4 * (5120 + 2624 + 512 + 16 * 256 + 16 * 128 + 2048)),
    ],
)
def test_adapters_have_as_many_params_as_are_published(model: str, settings: str, params: int) -> None:
    found = solved(f"{NODE}start: checkpoint {model}\ndata: 20M tokens\noptimizer: AdamW {{ {settings} }}\n")
    assert found["adapter_params"].value == params


def test_of_a_frozen_weight_no_gradient_is_computed() -> None:
    whole = solved(f"{NODE}start: checkpoint llama-3-8b\ndata: 20M tokens\n")
    found = solved(f"{NODE}start: checkpoint llama-3-8b\ndata: 20M tokens\noptimizer: AdamW {{ lora: 16 }}\n")
    assert found["compute"].value == pytest.approx((4 * 8_030_261_248 + 6 * 41_943_040) * 20e6, rel=1e-12)
    assert found["attention_compute"].value == whole["attention_compute"].value
    assert 0.66 < found["time"].value / whole["time"].value < 0.75


def test_frozen_weights_and_states_of_adapters_are_shared_out() -> None:
    text = f"{NODE}start: checkpoint llama-3-70b\ndata: 20M tokens\nlayout: dp 8, recompute full in fsdp2\n"
    found = solved(text + "optimizer: AdamW { lora: 16 }\n")
    adapters, params = 207_093_760, 70_553_706_496
    # The shape stands in `dense_layer_matrices`; norms and tables stay in 16 bits whatever the bits of the rest.
    assert found["adapter_weights"].value == pytest.approx((2 * params + 4 * adapters) / 8)
    assert found["adapter_states"].value == pytest.approx(8 * adapters / 8)
    matrices = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672)
    few = solved(text + "optimizer: AdamW { lora: 16; frozen_bits: 4 }\n")
    assert few["frozen_weights"].value == pytest.approx(matrices * 4.127 / 8 + 2 * (params - matrices))


@pytest.mark.parametrize(
    ("hardware", "settings", "fits"),
    [
        ("8 x H100", "lora: 16", True),
        ("1 x H100", "lora: 16", False),  # 141 GB of weights alone
        ("1 x H100", "lora: 64; frozen_bits: 4", True),  # QLoRA: 65B in 48 GB, arXiv:2305.14314, abstract
        ("1 x H100", "lora: 16; frozen_bits: 8", True),
    ],
)
def test_whether_adapters_of_70b_fit(hardware: str, settings: str, fits: bool) -> None:
    text = f"hardware: {hardware} for ? at 40% MFU\nstart: checkpoint llama-3-70b\nmodel {{ context: 2048 tokens }}\n"
    report = laid_out(f"{text}data: 20M tokens\noptimizer: AdamW {{ {settings} }}\n")
    (solution,) = report.solutions
    assert (solution["least_memory"].value <= solution["usable_memory"].value) is fits
    assert any(f.code == "H001" and f.severity == "error" for f in report.findings) is not fits


@pytest.mark.parametrize(
    ("optimizer", "states"),
    [
        ("AdamW", 8.0),
        ("AdamW8bit", 2.03125),
        ("Lion", 4.0),
        ("Adafactor", 0.0),
        ("Adan", 16.0),
        ("SGD", 4.0),
        ("Adam-mini", 4.0),
    ],
)
def test_an_optimizer_keeps_what_its_record_says(optimizer: str, states: float) -> None:
    text = f"{NODE}model: llama-3-8b\ntokens: 20B\nlayout: dp 8 in fsdp2\noptimizer: {optimizer}\n"
    found = solved(text)
    assert found["memory_optimizer"].value == pytest.approx(8_030_261_248 * states / 8)


def test_muon_keeps_one_value_of_a_matrix_and_two_of_the_rest() -> None:
    found = solved(f"{NODE}model: llama-3-8b\ntokens: 20B\nlayout: dp 8 in fsdp2\noptimizer: Muon\n")
    matrices = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    assert found["memory_optimizer"].value == pytest.approx((4 * matrices + 8 * (8_030_261_248 - matrices)) / 8)


def test_an_optimizer_of_which_nothing_is_known_is_taken_to_keep_as_much_as_adamw_and_that_is_said() -> None:
    found = solved(f"{NODE}model: llama-3-8b\ntokens: 20B\nlayout: dp 8 in fsdp2\noptimizer: Sirius\n")
    assert found["memory_optimizer"].value == pytest.approx(8_030_261_248)
    assert found["moments"].kind == "assumed"


def test_soap_keeps_two_squares_of_each_side_of_a_matrix_that_is_not_too_long() -> None:
    found = solved(f"{NODE}model: llama-3-8b\ntokens: 20B\nlayout: dp 8 in fsdp2\noptimizer: SOAP\n")
    sides = 32 * (4 * 4096**2 + 2 * 4096**2 + 2 * 1024**2 + 3 * 4096**2)  # those of 14,336 have none
    assert found["memory_optimizer"].value == pytest.approx(4 * (2 * 8_030_261_248 + 2 * sides) / 8)


def test_shampoo_in_blocks_keeps_four_values_a_param_beside_those_of_adamw() -> None:
    found = solved(f"{NODE}model: llama-3-8b\ntokens: 20B\nlayout: dp 8 in fsdp2\noptimizer: DistributedShampoo\n")
    matrices = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    assert found["memory_optimizer"].value == pytest.approx(4 * (2 * 8_030_261_248 + 4 * matrices) / 8)


def test_every_optimizer_with_the_step_of_adamw_has_a_record_of_its_states() -> None:
    for word in LIBRARY.default_words("optimizers", "adamw"):
        assert LIBRARY.record("states", word) is not None, word


def test_what_lies_on_the_host_is_taken_only_where_it_is_named() -> None:
    text = "hardware: 8 x H100 for ? at 40% MFU\nmodel: llama-3-70b\ntokens: 1B\n"
    assert solved(text)["least_memory"].value > 8 * 70e9 / 8
    found = solved(f"{text}layout: dp 8, recompute full in zero-offload\n")
    assert found["memory_optimizer"].value == 0
    assert found["least_memory"].value < 70e9


def test_a_stage_that_trains_adapters_has_no_loss_and_is_none_of_the_laws_run() -> None:
    first = "model: llama-3-8b\nhardware: 64 x H100 for ? at 40% MFU\nstage pretrain { tokens: 100B }\n"
    (whole,) = laid_out(first).solutions
    report = laid_out(f"{first}stage tune {{ data: 20M tokens; optimizer: AdamW8bit {{ lora: 16 }} }}\n")
    (found,) = report.solutions
    assert found["loss"].value == pytest.approx(whole["loss"].value)
    assert found.named("tune.loss") is None and found.named("tune.adapter_params") is not None
    assert any(one.code == "L004" and "trains adapters" in one.message for one in report.findings)
    assert found.named("tune.memory_per_gpu") is not None


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("tokens: 1B\noptimizer: AdamW { lora: 16 }\n", "C001"),  # from scratch
        ("tokens: 1B\noptimizer: AdamW { frozen_bits: 4 }\n", "C001"),
        ("tokens: 1B\nlayout: serving_bits 8\n", "C001"),
        ("start: checkpoint mine\ndata: 1B tokens\noptimizer: AdamW { lora: ? }\n", "C002"),
    ],
)
def test_what_is_said_of_nothing_has_a_finding(more: str, code: str) -> None:
    assert {f.code for f in laid_out(f"{NODE}model: 7B\n{more}").findings if f.severity == "error"} == {code}


def test_65b_are_tuned_in_four_bits_on_one_device_of_48_gb() -> None:
    """arXiv:2305.14314, abstract; of Llama 2 70B, with adapters of rank 64 on all matrices and 512 tokens."""
    text = "hardware: 1 x A100 for ? at 40% MFU\nstart: checkpoint llama-2-70b\nmodel { context: 512 tokens }\n"
    text += "data: 20M tokens\noptimizer: PagedAdamW8bit { lora: 64; frozen_bits: 4 }\n"
    found = solved(f"{text}layout: micro_batch 1 sequences, recompute full in pure_bf16\n")
    assert 36e9 < found["least_memory"].value < 48e9


@pytest.mark.parametrize(("recompute", "times"), [("none", 3 / 2), ("full", 4 / 3)])
def test_a_step_takes_the_passes_that_adapters_need(recompute: str, times: float) -> None:
    """LoRA's authors measured 1.3 times the speed: arXiv:2106.09685, section 4.2."""
    text = f"{NODE}start: checkpoint llama-3-8b\ndata: 20M tokens\n"
    laid = f"layout: dp 8, recompute {recompute}, micro_batch 1 sequences in fsdp2\n"
    whole, found = solved(text + laid), solved(f"{text}optimizer: AdamW {{ lora: 16 }}\n{laid}")
    assert found["layout_time"].value < whole["layout_time"].value
    attention = found["attention_flop"].value / (2 * found["matmul_params"].value)
    assert 1.0 + 1.0 / (1.0 + attention) * (times - 1.0) * 0.9 < whole["micro_flop"].value / (
        found["adapter_micro_flop"].value
    )
    assert whole["micro_flop"].value / found["adapter_micro_flop"].value <= times
