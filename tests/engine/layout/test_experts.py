"""The memory of mixtures of experts, of latent attention and of sequence parallelism, against arithmetic of its own."""

from __future__ import annotations

import pytest
from reports import laid_out

from runplan.engine.problem.solution import Solution


def solved(model: str, layout: str, devices: int = 64) -> Solution:
    text = f"hardware: {devices} x H100 for ? at 40% MFU\nmodel: {model}\ntokens: 20B\nlayout: {layout}\n"
    (solution,) = laid_out(text).solutions
    return solution


def test_states_of_experts_are_shared_out_over_the_devices_that_have_them() -> None:
    """As Megatron-LM has it: an expert's copies are world / (ep pp tp), all else's are world / (pp tp)."""
    found = solved("mixtral-8x7b", "pp 4, ep 8, dp 16, micro_batch 1 sequences, shard 1 in megatron")
    hidden, ffn, layers = 4096, 14336, 32 / 4
    experts = layers * 3 * hidden * ffn  # one of eight a layer
    attention = layers * (2 * hidden**2 + 2 * hidden * 1024 + 8 * hidden + 2 * hidden)
    table = 32000 * hidden
    assert found["rank_params"].value == pytest.approx(experts + attention + table)
    assert found["memory_weights"].value == pytest.approx(2 * (experts + attention + table))
    assert found["memory_gradients"].value == pytest.approx(4 * (experts + attention + table))
    assert found["memory_optimizer"].value == pytest.approx(12 * (experts / 2 + (attention + table) / 16))


def test_tokens_are_kept_as_they_are_sent_to_each_expert() -> None:
    found = solved("mixtral-8x7b", "tp 1, pp 4, ep 8, micro_batch 1 sequences in megatron")
    hidden, kv, ffn = 4096, 1024, 2 * 14336
    alone = 8 * hidden + 4 * hidden + 4 * kv + 6 * ffn + 4 * 32 + 8
    assert found["mixture_block_bytes"].value == pytest.approx(alone + 2 * 2 * hidden)


def test_latent_attention_keeps_what_it_compresses_and_its_own_widths() -> None:
    found = solved("deepseek-v2-lite", "tp 1, ep 8, micro_batch 1 sequences in megatron")
    hidden, heads, ffn = 2048, 16, (10944 + 26 * 8 * 1408) / 27
    queries, keys, values = heads * 192, heads * 192, heads * 128
    kept = 8 * hidden + 2 * (queries + values) + 2 * (keys + values) + 4 * 512 + 6 * ffn + 4 * heads + 8
    assert found["mixture_block_bytes"].value == pytest.approx(kept + 2 * 6 * hidden * 26 / 27)


def test_without_sequence_parallelism_each_part_keeps_what_norms_work_on() -> None:
    """Korthikanti et al. 2022, arXiv:2205.05198, sections 4.1 and 4.2: 10 + 24/t against 34/t, less what is not kept
    here, masks of dropout."""
    hidden, rest = 8192, 4 * 8192 + 4 * 1024 + 6 * 28672 + 4 * 64
    for cut, parts in (("true", 8), ("false", 1)):
        found = solved(
            "llama-3-70b", f"tp 8, sequence_parallel {cut}, recompute none, micro_batch 1 sequences in megatron"
        )
        assert found["block_bytes"].value == pytest.approx(8 * hidden / parts + rest / 8 + 8)


def test_parts_of_sequences_have_their_share_of_the_tokens_and_of_the_states() -> None:
    found = solved("llama-3-8b", "tp 2, cp 4, dp 8, micro_batch 1 sequences, shard 1 in megatron")
    assert found["micro_tokens"].value == 8192 / 4
    assert found["memory_optimizer"].value == pytest.approx(12 * found["rank_params"].value / 32)
