"""What a layer keeps for the backward pass, against what autograd says that it saved."""

from __future__ import annotations

import pytest
from steps import needed, regime

from runplan.engine.layout.layout import Layout

WIDTH, HEADS, KV_HEADS, FFN, HEAD = 320, 5, 1, 704, 64
# Bytes a token of a layer, counted by `torch.autograd.graph.saved_tensors_hooks` on a CPU (torch 2.13), without the
# copies of weights; norms as they are fused on CUDA, and attention's output copied as flash attention has it there.
SAVED = {
    ("eager", ""): 13596,
    ("eager", "plain"): 10140,
    ("eager", "layer norms"): 13604,
    ("eager", "plain, layer norms, biases"): 10148,
    ("eager", "side by side"): 12312,
    ("eager", "side by side, plain"): 8856,
    ("eager", "four norms"): 16164,
    ("eager", "norms of queries and keys"): 15156,
    ("pure_bf16", ""): 10396,
    ("pure_bf16", "plain"): 7580,
    ("pure_bf16", "layer norms"): 10404,
    ("pure_bf16", "plain, layer norms, biases"): 7588,
    ("pure_bf16", "side by side"): 9112,
    ("pure_bf16", "side by side, plain"): 6296,
    ("pure_bf16", "four norms"): 11684,
    ("pure_bf16", "norms of queries and keys"): 11188,
}
MEANS = {
    "plain": {"mlp": 2.0},
    "layer norms": {"norm_biases": 1.0},
    "biases": {"biases": 2.0},
    "side by side": {"norms": 1.0},
    "four norms": {"norms": 4.0},
    "norms of queries and keys": {"qk_norm": 1.0},
}


@pytest.mark.parametrize(("kept", "how"), SAVED, ids=lambda word: word or "llama")
def test_a_layer_keeps_what_autograd_saves(kept: str, how: str) -> None:
    shape = {"layers": 2.0, "hidden": WIDTH, "heads": HEADS, "kv_heads": KV_HEADS, "ffn": FFN, "head_dim": HEAD}
    model = {**shape, "vocab": 1000.0, "context": 64.0}
    for word in filter(None, how.split(", ")):
        model |= MEANS[word]
    found = needed(model, Layout(micro_batch=2), regime(kept))
    assert found["block_bytes"] == SAVED[kept, how]
