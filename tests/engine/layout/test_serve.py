"""What a model takes where it is served, against arithmetic of its own and figures that are published."""

from __future__ import annotations

import pytest
from reports import laid_out

from runplan.engine.problem.solution import Solution


def solved(model: str, more: str = "", device: str = "H100") -> Solution:
    text = f"hardware: 64 x {device} for ? at 40% MFU\nmodel: {model}\ntokens: 1T\ninference: 2T tokens\n{more}"
    (solution,) = laid_out(text).solutions
    return solution


@pytest.mark.parametrize(
    ("model", "bytes_a_token"),
    [
        ("llama-3-8b", 2 * 32 * 8 * 128 * 2),  # 128 KiB
        ("llama-3-70b", 2 * 80 * 8 * 128 * 2),  # 320 KiB
        ("llama-2-7b", 2 * 32 * 32 * 128 * 2),
        ("falcon-7b", 2 * 32 * 1 * 64 * 2),
        ("deepseek-v3", 61 * (512 + 64) * 2),  # 70.272 KB: arXiv:2505.09343, table 1
    ],
)
def test_a_token_is_cached_by_the_shape(model: str, bytes_a_token: float) -> None:
    assert solved(model)["cache_per_token"].value == bytes_a_token


@pytest.mark.parametrize(
    ("model", "device", "more", "devices"),
    [
        ("llama-3-8b", "H100", "", 1),
        ("llama-3-70b", "H100", "", 2),
        ("llama-3-70b", "H200", "", 2),
        ("llama-3-70b", "MI300X", "", 1),
        ("llama-3-70b", "H100", "layout: serving_bits 4\n", 1),
        ("llama-3.1-405b", "H100", "", 16),
        ("llama-3.1-405b", "H100", "layout: serving_bits 8\n", 8),
        ("13B", "RTX-4090", "", 2),
    ],
)
def test_a_model_is_served_by_the_fewest_devices_that_have_room(
    model: str, device: str, more: str, devices: float
) -> None:
    found = solved(model, more, device)
    assert found["serving_gpus"].value == devices
    assert found["serving_memory"].value <= found["serving_room"].value
    assert found["serving_sequences"].value >= 1


def test_sequences_at_once_are_those_that_the_rest_has_room_for() -> None:
    found = solved("llama-3-70b")
    rest = 2 * 0.9 * 81_559 * 2**20 - 2 * 70_553_706_496
    assert found["serving_sequences"].value == rest // (8192 * 2 * 80 * 8 * 128 * 2)


def test_layers_with_a_window_cache_no_more_than_that() -> None:
    found = solved("gemma-3-12b")
    layers, context = found["layers"].value, found["context"].value
    whole = found["global_layers"].value
    assert found["cached_tokens"].value == pytest.approx((whole * context + (layers - whole) * 1024) / layers)


def test_a_plan_that_says_nothing_of_serving_has_none_of_it_and_one_that_asks_is_told_what_to_add() -> None:
    text = "hardware: 64 x H100 for ? at 40% MFU\nmodel: llama-3-8b\ntokens: 1T\n"
    (solution,) = laid_out(text).solutions
    assert not any(name.text.startswith(("serving", "cache")) for name in solution.values)
    (found,) = (one for one in laid_out(f"{text}require serving_gpus <= 1\n").findings if one.severity == "error")
    assert found.code == "C004" and "inference" in found.help[0]


def test_what_is_required_of_serving_is_judged() -> None:
    text = "hardware: 64 x H100 for ? at 40% MFU\nmodel: llama-3-70b\ntokens: 1T\ninference: 2T tokens\n"
    assert not any(one.severity == "error" for one in laid_out(f"{text}require serving_gpus <= 2\n").findings)
    (found,) = (one for one in laid_out(f"{text}require serving_gpus <= 1\n").findings if one.severity == "error")
    assert found.code == "B002"


def test_a_model_of_usual_shape_has_its_keys_in_groups() -> None:
    found = solved("17B")
    layers = found["layers"].value
    assert found["cache_per_token"].value == pytest.approx(2 * layers * 8 * 128 * 2)


def test_a_masked_model_has_no_cache() -> None:
    found = solved("esm2-650m", "objective: MLM of protein\n")
    assert "cache_per_sequence" not in {str(name) for name in found.values}
    assert found["serving_weights"].value == pytest.approx(2 * found["params"].value)
