"""The shape of a model to the architecture of transformers that has this shape, with its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from runplan.cli.export.training import Shape
from runplan.dsl.dataclass import dataclass

Keys = Mapping[str, object]
_EVERYWHERE = 2
# OPT's table of positions begins so many rows before the first token: no other's is so many longer than an even number.
_OPT_OFFSET, _EVEN = 2, 8
# What some architectures drop of values where nothing else is said; no plan, law or memory counts any.
_NO_DROPOUT = 0.0
_UNDROPPED: Keys = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), _NO_DROPOUT)


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture of transformers.

    Attributes:
        kind: Its `model_type`.
        head: The class with the head that the objective trains.
        gated: Whether its MLPs are.
        beyond: The fields in which it is, or may be, no plain decoder: all of the first, any of the second.
        fits: What else a shape must be.
        keys: What it says beside the sizes.
    """

    kind: str
    head: str
    gated: bool
    beyond: tuple[frozenset[str], frozenset[str]]
    fits: Callable[[Shape], bool]
    keys: Callable[[Shape], Keys]

    def has(self, shape: Shape) -> bool:
        """Whether a shape is one of this architecture."""
        must, may = self.beyond
        return shape.gated == self.gated and must <= shape.beyond <= must | may and self.fits(shape)


def architecture_of(shape: Shape) -> Architecture | None:
    """The first architecture that has a shape; None where none has."""
    return next((one for one in _ARCHITECTURES if one.has(shape)), None)


def sizes(shape: Shape) -> Keys:
    """The keys that most architectures share."""
    keys: dict[str, object] = {
        "vocab_size": shape.vocab,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.ffn,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "tie_word_embeddings": shape.tied,
    }
    return keys


def _any(shape: Shape) -> bool:
    return True


def _own_width(shape: Shape) -> Keys:
    return {"head_dim": shape.head_dim}


def _llama(shape: Shape) -> Keys:
    return {
        **_own_width(shape),
        "attention_bias": shape.attention_biases == _EVERYWHERE,
        "mlp_bias": shape.mlp_biases,
    }


def _layer_types(shape: Shape) -> list[str]:
    """Of each layer whether it has a window: those without are spread evenly, each the last of its group."""
    every = shape.layers / shape.global_layers if shape.global_layers else 0
    whole = {round((n + 1) * every) - 1 for n in range(shape.global_layers)}
    return ["full_attention" if at in whole else "sliding_attention" for at in range(shape.layers)]


def _gemma(shape: Shape) -> Keys:
    return {**_own_width(shape), "sliding_window": shape.window, "layer_types": _layer_types(shape)}


def _experts(shape: Shape) -> Keys:
    return {
        **_own_width(shape),
        "num_experts": shape.experts,
        "num_experts_per_tok": shape.active_experts,
        "moe_intermediate_size": shape.expert_ffn,
        "mlp_only_layers": list(range(shape.dense_layers)),
    }


def _latent(shape: Shape) -> Keys:
    return {
        "q_lora_rank": shape.q_lora or None,
        "kv_lora_rank": shape.kv_lora,
        "qk_nope_head_dim": shape.head_dim,
        "qk_rope_head_dim": shape.rope_dim,
        "v_head_dim": shape.v_head_dim,
        "num_key_value_heads": shape.heads,
        "n_routed_experts": shape.experts,
        "num_experts_per_tok": shape.active_experts,
        "moe_intermediate_size": shape.expert_ffn,
        "n_shared_experts": shape.shared_experts,
        "first_k_dense_replace": shape.dense_layers,
        "n_group": shape.expert_groups,
        "topk_group": shape.routed_groups,
    }


def _mixtral(shape: Shape) -> Keys:
    return {
        **_own_width(shape),
        "intermediate_size": shape.expert_ffn,
        "num_local_experts": shape.experts,
        "num_experts_per_tok": shape.active_experts,
        "sliding_window": shape.window or None,
    }


def _gpt2(shape: Shape) -> Keys:
    return {
        "max_position_embeddings": shape.positions,
        "n_positions": shape.positions,
        "n_embd": shape.hidden,
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "n_inner": shape.ffn,
        **dict.fromkeys(("embd_pdrop", "attn_pdrop", "resid_pdrop"), _NO_DROPOUT),
    }


def _opt(shape: Shape) -> Keys:
    return {
        "ffn_dim": shape.ffn,
        "word_embed_proj_dim": shape.embedding_dim or shape.hidden,
        "do_layer_norm_before": shape.final_norm,
        "max_position_embeddings": shape.positions - _OPT_OFFSET,
        "dropout": _NO_DROPOUT,
    }


def _falcon(shape: Shape) -> Keys:
    return {
        "multi_query": shape.kv_heads == 1,
        "new_decoder_architecture": shape.kv_heads > 1,
        "num_kv_heads": shape.kv_heads,
        "num_ln_in_parallel_attn": shape.norms if shape.kv_heads > 1 else None,
        "ffn_hidden_size": shape.ffn,
        "parallel_attn": True,
        "bias": False,
        "alibi": False,
    }


def _every(shape: Shape) -> int:
    """Each how many layers one attends to all of the context."""
    return round(shape.layers / max(shape.global_layers, 1)) or 1


def _bert(shape: Shape) -> Keys:
    return {"max_position_embeddings": shape.positions, "type_vocab_size": shape.segments, **_UNDROPPED}


def _heads_of_hidden(shape: Shape) -> bool:
    return shape.head_dim * shape.heads == shape.hidden


def _all_biased(shape: Shape) -> bool:
    return shape.attention_biases == _EVERYWHERE and _heads_of_hidden(shape)


def _with(*must: str, may: tuple[str, ...] = ()) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(must), frozenset(may)


_ALL_BIASES = ("attention_biases", "mlp_biases", "norm_biases")
_ARCHITECTURES = (
    Architecture("llama", "LlamaForCausalLM", True, _with(may=("attention_biases", "mlp_biases")),
                 lambda s: s.attention_biases != 1, _llama),
    Architecture("mistral", "MistralForCausalLM", True, _with("window"), lambda s: not s.global_layers,
                 lambda s: {**_own_width(s), "sliding_window": s.window}),
    Architecture("qwen2", "Qwen2ForCausalLM", True, _with("attention_biases"), _heads_of_hidden,
                 lambda s: {"use_sliding_window": False}),
    Architecture("qwen3", "Qwen3ForCausalLM", True, _with("qk_norm", may=("attention_biases",)),
                 lambda s: s.qk_norm == 1 and s.attention_biases != 1,
                 lambda s: {**_own_width(s), "attention_bias": s.attention_biases == _EVERYWHERE}),
    Architecture("olmo2", "Olmo2ForCausalLM", True, _with("qk_norm"),
                 lambda s: s.qk_norm == _EVERYWHERE and _heads_of_hidden(s), lambda s: {}),
    Architecture("olmo", "OlmoForCausalLM", True, _with("norms", "final_norm"),
                 lambda s: s.norms == 0 and _heads_of_hidden(s), lambda s: {}),
    Architecture("cohere", "CohereForCausalLM", True, _with("norms"), lambda s: s.norms == 1 and _heads_of_hidden(s),
                 lambda s: {}),
    Architecture("gemma2", "Gemma2ForCausalLM", True, _with("norms", "window"), lambda s: s.norms == 4, _gemma),
    Architecture("gemma3_text", "Gemma3ForCausalLM", True, _with("norms", "window", "qk_norm"),
                 lambda s: s.norms == 4 and s.qk_norm == 1, _gemma),
    Architecture("stablelm", "StableLmForCausalLM", True, _with("norm_biases", may=("attention_biases",)),
                 lambda s: s.attention_biases != _EVERYWHERE and _heads_of_hidden(s),
                 lambda s: {"use_qkv_bias": s.attention_biases == 1}),
    Architecture("mixtral", "MixtralForCausalLM", True, _with("experts", may=("window",)),
                 lambda s: not s.global_layers, _mixtral),
    Architecture("qwen3_moe", "Qwen3MoeForCausalLM", True, _with("experts", "qk_norm", may=("dense_layers",)),
                 lambda s: s.qk_norm == 1, _experts),
    Architecture("deepseek_v3", "DeepseekV3ForCausalLM", True,
                 _with("experts", "kv_lora", "router_biases", may=("shared_experts", "expert_groups", "dense_layers")),
                 _any, _latent),
    Architecture("deepseek_v2", "DeepseekV2ForCausalLM", True,
                 _with("experts", "kv_lora", may=("shared_experts", "expert_groups", "dense_layers")), _any,
                 lambda s: {**_latent(s), **({"topk_method": "group_limited_greedy"} if s.expert_groups > 1 else {})}),
    Architecture("olmoe", "OlmoeForCausalLM", True, _with("experts", "qk_norm"),
                 lambda s: s.qk_norm == _EVERYWHERE and _heads_of_hidden(s),
                 lambda s: {"num_experts": s.experts, "num_experts_per_tok": s.active_experts,
                            "intermediate_size": s.expert_ffn}),
    Architecture("qwen2_moe", "Qwen2MoeForCausalLM", True,
                 _with("experts", "attention_biases", "shared_experts", "shared_gate", may=("dense_layers",)),
                 lambda s: s.attention_biases == 1 and _heads_of_hidden(s),
                 lambda s: {**_experts(s), "shared_expert_intermediate_size": s.shared_ffn}),
    Architecture("gpt_oss", "GptOssForCausalLM", True,
                 _with("experts", "attention_biases", "mlp_biases", "router_biases", "sinks", "window"), _any,
                 lambda s: {**_gemma(s), "num_local_experts": s.experts, "num_experts_per_tok": s.active_experts,
                            "intermediate_size": s.expert_ffn}),
    Architecture("modernbert", "ModernBertForMaskedLM", True, _with("masked_head", "window"),
                 lambda s: _heads_of_hidden(s) and s.global_layers == -(-s.layers // _every(s)),
                 lambda s: {"local_attention": s.window, "global_attn_every_n_layers": _every(s)}),
    Architecture("gptj", "GPTJForCausalLM", False, _with("mlp_biases", "norm_biases", "norms", "head_bias"),
                 lambda s: s.norms == 1 and _heads_of_hidden(s) and s.kv_heads == s.heads,
                 lambda s: {"n_embd": s.hidden, "n_layer": s.layers, "n_head": s.heads, "n_inner": s.ffn}),
    Architecture("opt", "OPTForCausalLM", False,
                 _with(*_ALL_BIASES, "positions", may=("embedding_dim", "final_norm")),
                 lambda s: _all_biased(s) and s.kv_heads == s.heads and s.positions % _EVEN == _OPT_OFFSET, _opt),
    Architecture("gpt2", "GPT2LMHeadModel", False, _with(*_ALL_BIASES, "positions"),
                 lambda s: _all_biased(s) and s.kv_heads == s.heads, _gpt2),
    Architecture("gpt_bigcode", "GPTBigCodeForCausalLM", False, _with(*_ALL_BIASES, "positions"),
                 lambda s: _all_biased(s) and s.kv_heads == 1, lambda s: {**_gpt2(s), "multi_query": True}),
    Architecture("gpt_neox", "GPTNeoXForCausalLM", False, _with(*_ALL_BIASES),
                 lambda s: _all_biased(s) and s.kv_heads == s.heads, lambda s: {}),
    Architecture("starcoder2", "Starcoder2ForCausalLM", False, _with(*_ALL_BIASES, may=("window",)),
                 lambda s: _all_biased(s) and not s.global_layers,
                 lambda s: {"use_bias": True, "sliding_window": s.window or None}),
    Architecture("bloom", "BloomForCausalLM", False, _with(*_ALL_BIASES, "embedding_norm"),
                 lambda s: _all_biased(s) and s.kv_heads == s.heads and s.ffn == 4 * s.hidden,
                 lambda s: {"n_layer": s.layers, "n_head": s.heads}),
    Architecture("phi", "PhiForCausalLM", False, _with(*_ALL_BIASES, "norms", "head_bias"),
                 lambda s: _all_biased(s) and s.norms == 1, lambda s: {}),
    Architecture("falcon", "FalconForCausalLM", False, _with("norm_biases", may=("norms",)),
                 lambda s: (s.kv_heads, s.norms) != (1, 2) and s.norms in (1, 2) and _heads_of_hidden(s), _falcon),
    Architecture("mpt", "MptForCausalLM", False, _with(),
                 lambda s: _heads_of_hidden(s) and s.kv_heads == s.heads and s.tied and s.ffn == 4 * s.hidden,
                 lambda s: {"d_model": s.hidden, "n_layers": s.layers, "n_heads": s.heads, "expansion_ratio": 4}),
    Architecture("bert", "BertForMaskedLM", False,
                 _with(*_ALL_BIASES, "positions", "segments", "embedding_norm", "final_norm", "masked_head"),
                 _all_biased, _bert),
    Architecture("bert", "BertModel", False,
                 _with(*_ALL_BIASES, "positions", "segments", "embedding_norm", "final_norm", "pooler"),
                 _all_biased, _bert),
    Architecture("esm", "EsmForMaskedLM", False, _with(*_ALL_BIASES, "masked_head", may=("extra_params",)),
                 lambda s: _all_biased(s) and s.extra_params in (0, s.layers * s.heads + 1),  # the head of contacts
                 lambda s: {"position_embedding_type": "rotary", "emb_layer_norm_before": False, **_UNDROPPED}),
)  # fmt: skip


def kinds() -> Iterator[str]:
    """The architectures that a shape may be written as, each once."""
    yield from dict.fromkeys(one.kind for one in _ARCHITECTURES)
