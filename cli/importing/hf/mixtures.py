"""Mixtures of experts."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.decoders import llama, qwen2
from runplan.cli.importing.hf.sizes import Fields, Reader, common, experts, tables, window_behind, windows, with_width
from runplan.cli.importing.keys import Keys, Unreadable


def _mixtral(keys: Keys) -> Fields:
    out = common(keys) | experts(keys, "num_local_experts", "intermediate_size")
    del out["ffn"]
    return out | windows(keys, int(out["layers"]))


def _sparse(keys: Keys, layers: int) -> Fields:
    """The layers without experts: those that are listed, and all but every so many."""
    step, listed = keys.whole("decoder_sparse_step") or 1, keys.list("mlp_only_layers")
    sparse = [at for at in range(layers) if at not in listed and (at + 1) % step == 0]
    return {"dense_layers": layers - len(sparse)} if len(sparse) < layers else {}


def _qwen2_moe(keys: Keys) -> Fields:
    out: Fields = qwen2(keys) | experts(keys, "num_experts", "moe_intermediate_size")
    if not keys.flag("qkv_bias", otherwise=True):
        del out["biases"]
    shared = keys.needed("shared_expert_intermediate_size")
    return out | {"shared_experts": 1, "shared_ffn": shared, "shared_gate": "true"} | _sparse(keys, int(out["layers"]))


def _qwen3_moe(keys: Keys) -> Fields:
    out: Fields = llama(keys) | experts(keys, "num_experts", "moe_intermediate_size") | {"qk_norm": "true"}
    layers = int(out["layers"])
    return out | window_behind(keys, layers) | _sparse(keys, layers)


def _olmoe(keys: Keys) -> Fields:
    out: Fields = llama(keys) | experts(keys, "num_experts", "intermediate_size") | {"qk_norm": "full"}
    del out["ffn"]
    return out


def _deepseek(keys: Keys) -> Fields:
    out = common(keys, own_width=False)
    out.pop("kv_heads", None)
    out |= experts(keys, "n_routed_experts", "moe_intermediate_size")
    out["dense_layers"] = keys.whole("first_k_dense_replace") or 0
    if shared := keys.whole("n_shared_experts"):
        out["shared_experts"] = shared
    if not out["dense_layers"]:
        del out["dense_layers"]
    return out


def _deepseek1(keys: Keys) -> Fields:
    out, heads = _deepseek(keys), keys.whole("num_key_value_heads")
    return out | ({"kv_heads": heads} if heads and heads != out["heads"] else {})


def _deepseek2(keys: Keys) -> Fields:
    if keys.flag("attention_bias"):
        raise Unreadable("`attention_bias`: biases of what latent attention compresses to have no place in a plan")
    out: Fields = _deepseek(keys) | {
        "head_dim": keys.needed("qk_nope_head_dim"),
        "rope_dim": keys.needed("qk_rope_head_dim"),
        "v_head_dim": keys.needed("v_head_dim"),
        "kv_lora": keys.needed("kv_lora_rank"),
    }
    if rank := keys.whole("q_lora_rank"):
        out["q_lora"] = rank
    return out | _groups(keys, 1, 1)


def _groups(keys: Keys, usual: int, routed: int) -> Fields:
    """The groups that experts lie in, and those whose experts a token may pass; by default as the class has them."""
    groups, passed = keys.whole("n_group") or usual, keys.whole("topk_group") or routed
    return {"expert_groups": groups, "routed_groups": passed} if groups > 1 else {}


def _deepseek3(keys: Keys) -> Fields:
    return _deepseek2(keys) | _groups(keys, 8, 4) | {"router_biases": "true"}


def _glm4_moe(keys: Keys) -> Fields:
    out: Fields = _deepseek1(keys) | {"router_biases": "true"}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "qkv"
    if keys.flag("use_qk_norm"):
        out["qk_norm"] = "true"
    width = keys.whole("head_dim")
    return out | ({"head_dim": width} if width else {})


def _gpt_oss(keys: Keys) -> Fields:
    out: Fields = with_width(keys, 64) | experts(keys, "num_local_experts", "intermediate_size")
    del out["ffn"]
    out |= {"attention_biases": "all"} if keys.flag("attention_bias", otherwise=True) else {}
    out |= {"mlp_biases": "true", "router_biases": "true", "sinks": "true"}
    layers = int(out["layers"])
    return out | windows(keys, layers, layers // 2)


def _dbrx(keys: Keys) -> Fields:
    attention, experts = keys.section("attn_config"), keys.section("ffn_config")
    out: Fields = {
        "layers": keys.needed("n_layers"),
        "hidden": keys.needed("d_model"),
        "heads": keys.needed("n_heads"),
        "kv_heads": attention.needed("kv_n_heads"),
        "vocab": keys.needed("vocab_size"),
        "experts": experts.needed("moe_num_experts"),
        "active_experts": experts.needed("moe_top_k"),
        "expert_ffn": experts.needed("ffn_hidden_size"),
        "longest": keys.needed("max_seq_len"),
    }
    return out | tables(keys, tied=False)


def _phimoe(keys: Keys) -> Fields:
    out: Fields = _mixtral(keys) | {"norm_biases": "true"}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    return out | ({"head_bias": "true"} if keys.flag("lm_head_bias") else {})


def _granitemoe(keys: Keys) -> Fields:
    out: Fields = llama(keys) | experts(keys, "num_local_experts", "intermediate_size")
    shared = keys.whole("shared_intermediate_size")
    del out["ffn"]
    return out | ({"shared_experts": 1, "shared_ffn": shared} if shared else {})


def _llama4(keys: Keys) -> Fields:
    """Llama 4: an expert that every token passes beside the others, and layers without any between those with them."""
    out: Fields = llama(keys) | experts(keys, "num_local_experts", "intermediate_size")
    every, listed, layers = keys.whole("interleave_moe_layer_step") or 1, keys.list("moe_layers"), int(out["layers"])
    sparse = len(listed) if listed else layers // every
    out |= {"shared_experts": 1, "ffn": keys.needed("intermediate_size_mlp")}
    keys.get("use_qk_norm")  # it has no weights
    return out | ({"dense_layers": layers - sparse} if sparse < layers else {})


MIXTURES: Mapping[str, Reader] = {
    "mixtral": _mixtral, "phimoe": _phimoe, "granitemoe": _granitemoe, "granitemoeshared": _granitemoe,
    "qwen2_moe": _qwen2_moe, "qwen3_moe": _qwen3_moe, "qwen3_vl_moe_text": _qwen3_moe, "olmoe": _olmoe,
    "deepseek": _deepseek1, "deepseek_v2": _deepseek2, "deepseek_v3": _deepseek3, "kimi_k2": _deepseek3,
    "glm4_moe": _glm4_moe, "gpt_oss": _gpt_oss, "dbrx": _dbrx, "llama4_text": _llama4,
}  # fmt: skip
