"""Mixtures of experts."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.decoders import cohere, llama, qwen2
from runplan.cli.importing.hf.latent import routed_grouped
from runplan.cli.importing.hf.sizes import (
    Fields,
    Reader,
    common,
    dense_layers,
    experts,
    gates,
    tables,
    window_behind,
    windows,
    with_width,
)
from runplan.cli.importing.keys import Keys, Unreadable
from runplan.dsl.dataclass import replace

_SOME_BIASES = "`{}`: experts without biases beside MLPs that have them have no place in a plan"


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


def _glm4_moe(keys: Keys, first: int = 0) -> Fields:
    out: Fields = routed_grouped(keys, first) | {"router_biases": "true"}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "qkv"
    if keys.flag("use_qk_norm"):
        out["qk_norm"] = "true"
    width = keys.whole("head_dim")
    return out | ({"head_dim": width} if width else {})


def _sarvam(keys: Keys) -> Fields:
    return _glm4_moe(keys, 1)


def _dots1(keys: Keys) -> Fields:
    out: Fields = routed_grouped(keys) | {"router_biases": "true", "qk_norm": "true"}
    width = keys.whole("head_dim")
    out |= {"attention_biases": "all"} if keys.flag("attention_bias") else {}
    layers, first = int(out["layers"]), keys.whole("max_window_layers")
    return out | ({"head_dim": width} if width else {}) | windows(keys, layers, min(first or layers, layers))


def _solar(keys: Keys) -> Fields:
    """Solar Open: every layer has experts, and no width of another MLP is said."""
    return _glm4_moe(keys.filling({**keys.defaults, "intermediate_size": keys.needed("moe_intermediate_size")}))


def _shared(keys: Keys, out: Fields) -> Fields:
    """The experts that every token passes, by their count or by their width together."""
    width, count = keys.whole("shared_expert_intermediate_size"), keys.whole("num_shared_experts")
    if width:
        return out | {"shared_experts": 1, "shared_ffn": width}
    return out | ({"shared_experts": count} if count else {})


def _of_heads(keys: Keys, count: str, first: int = 0, *, width: int | None = 128) -> Fields:
    """What many mixtures share: norms of each head's queries and keys, shared experts, and layers without any.

    Args:
        first: Layers without experts where the config does not say it.
        width: Of a head where the config does not say it; None for the model's over its heads.
    """
    if keys.flag("mlp_bias"):
        raise Unreadable(_SOME_BIASES.format("mlp_bias"))
    out: Fields = with_width(keys, width) if width else llama(keys)
    out |= experts(keys, count, "moe_intermediate_size") | {"qk_norm": "true"} | dense_layers(keys, first)
    if "dense_layers" not in out:
        del out["ffn"]
    return _shared(keys, out) | windows(keys, int(out["layers"]))


def _exaone_moe(keys: Keys) -> Fields:
    return _of_heads(keys, "num_experts", 1, width=None) | {"router_biases": "true"}


def _mellum(keys: Keys) -> Fields:
    return _of_heads(keys, "num_local_experts")


def _kolibri(keys: Keys) -> Fields:
    """Kolibri, which has no width of an MLP without experts."""
    keys = keys.filling({**keys.defaults, "intermediate_size": keys.needed("moe_intermediate_size")})
    out: Fields = _of_heads(keys, "num_local_experts") | {"norms": 4}
    return out | {"router_biases": "true"}


def _afmoe(keys: Keys) -> Fields:
    """Trinity: four norms a layer, and a gate for each entry of what attention gives."""
    out: Fields = _of_heads(keys, "num_experts", 1)
    return gates(out | {"norms": 4, "router_biases": "true"}, wide=True)


def _laguna(keys: Keys) -> Fields:
    """Laguna, with a gate for each head."""
    out: Fields = _of_heads(keys, "num_experts", 1) | {"router_biases": "true"}
    if set(keys.list("num_attention_heads_per_layer")) - {out["heads"]}:
        raise Unreadable("`num_attention_heads_per_layer`: a plan has the fields of one layer")
    keys.get("num_attention_heads_per_layer")
    return gates(out, wide=keys.text("gating") not in ("", "True", "per-head"))


def _minimax_m2(keys: Keys) -> Fields:
    out: Fields = with_width(keys, 128) | experts(keys, "num_local_experts", "intermediate_size")
    del out["ffn"]
    full = keys.flag("use_qk_norm", otherwise=True)
    return out | {"router_biases": "true"} | ({"qk_norm": "full"} if full else {})


def _ernie_moe(keys: Keys) -> Fields:
    """ERNIE 4.5, whose experts begin and end at a layer, and come every so many."""
    out = common(keys, tied=True) | experts(keys, "moe_num_experts", "moe_intermediate_size")
    layers, every = int(out["layers"]), keys.whole("moe_layer_interval") or 1
    first, last = keys.whole("moe_layer_start_index"), keys.number("moe_layer_end_index")
    first = 1 if first is None else first
    last = layers - 1 if last is None or last < 0 else last
    sparse = sum(first <= at <= last and (at + 1) % every == 0 for at in range(layers))
    out |= {"router_biases": "true", **({"dense_layers": layers - sparse} if sparse < layers else {})}
    if keys.flag("use_bias"):
        raise Unreadable(_SOME_BIASES.format("use_bias"))
    shared = keys.whole("moe_num_shared_experts")
    return out | ({"shared_experts": shared} if shared else {})


def _aria(keys: Keys) -> Fields:
    if keys.flag("mlp_bias"):
        raise Unreadable(_SOME_BIASES.format("mlp_bias"))
    out: Fields = llama(keys) | experts(keys, "moe_num_experts", "intermediate_size")
    del out["ffn"]
    shared = keys.whole("moe_num_shared_experts")
    return out | ({"shared_experts": shared} if shared else {})


def _hunyuan_moe(keys: Keys) -> Fields:
    """Hunyuan's mixture, whose settings may be lists with one entry a layer: one figure for all is read.

    Raises:
        Unreadable: Where the layers differ, or the shared expert has another width than the others.
    """
    lists = {
        name: keys.list(name) for name in ("num_experts", "moe_topk", "num_shared_expert", "moe_intermediate_size")
    }
    if uneven := next((name for name, found in lists.items() if len({str(one) for one in found}) > 1), ""):
        raise Unreadable(f"`{uneven}`: its layers are not alike, and a plan has the fields of one layer")
    keys = replace(keys, tree={**keys.tree, **{name: found[0] for name, found in lists.items() if found}})
    out: Fields = llama(keys) | experts(keys, "num_experts", "intermediate_size") | {"qk_norm": "true"}
    del out["ffn"]
    return out | {"shared_experts": keys.whole("num_shared_expert") or 1}


def _cohere2_moe(keys: Keys) -> Fields:
    out: Fields = cohere(keys) | experts(keys, "num_experts", "intermediate_size") | dense_layers(keys)
    return _shared(keys, out)


def _swa(keys: Keys) -> Fields:
    out: Fields = _granitemoe(keys) | {"sinks": "true"}
    return out | windows(keys, int(out["layers"]))


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
    "glm4_moe": _glm4_moe, "gpt_oss": _gpt_oss, "dbrx": _dbrx, "llama4_text": _llama4, "dots1": _dots1,
    "sarvam_moe": _sarvam, "solar_open": _solar, "exaone_moe": _exaone_moe, "hy_v3": _exaone_moe, "mellum": _mellum,
    "kolibri1": _kolibri, "afmoe": _afmoe, "laguna": _laguna, "minimax_m2": _minimax_m2, "ernie4_5_moe": _ernie_moe,
    "aria_text": _aria, "cohere2_moe": _cohere2_moe, "flex_olmo": _olmoe, "granitemoe_swa": _swa,
    "hunyuan_v1_moe": _hunyuan_moe,
}  # fmt: skip
