"""Models with latent attention (MLA), and the mixtures of experts that took their routing from DeepSeek's."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.sizes import Fields, Reader, common, dense_layers, experts, extra
from runplan.cli.importing.keys import Keys, Unreadable


def latent(keys: Keys) -> Fields:
    """The ranks and widths of latent attention.

    Raises:
        Unreadable: Where what it compresses to has biases.
    """
    if keys.flag("attention_bias"):
        raise Unreadable("`attention_bias`: biases of what latent attention compresses to have no place in a plan")
    out: Fields = {
        "head_dim": keys.needed("qk_nope_head_dim"),
        "rope_dim": keys.needed("qk_rope_head_dim"),
        "v_head_dim": keys.needed("v_head_dim"),
        "kv_lora": keys.needed("kv_lora_rank"),
    }
    rank = keys.whole("q_lora_rank")
    return out | ({"q_lora": rank} if rank else {})


def routed(keys: Keys, first: int = 0) -> Fields:
    """The common sizes with experts and those that every token passes, behind the first so many layers."""
    out = common(keys, own_width=False)
    out.pop("kv_heads", None)
    out |= experts(keys, "n_routed_experts", "moe_intermediate_size") | dense_layers(keys, first)
    shared = keys.whole("n_shared_experts")
    return out | ({"shared_experts": shared} if shared else {})


def routed_grouped(keys: Keys, first: int = 0) -> Fields:
    """The same with groups of heads for keys and values."""
    out, heads = routed(keys, first), keys.whole("num_key_value_heads")
    return out | ({"kv_heads": heads} if heads and heads != out["heads"] else {})


def _groups(keys: Keys, usual: int, routed: int) -> Fields:
    """The groups that experts lie in, and those whose experts a token may pass; by default as the class has them."""
    groups, passed = keys.whole("n_group") or usual, keys.whole("topk_group") or routed
    return {"expert_groups": groups, "routed_groups": passed} if groups > 1 else {}


def _deepseek2(keys: Keys) -> Fields:
    return routed(keys) | latent(keys) | _groups(keys, 1, 1)


def _deepseek3(keys: Keys) -> Fields:
    return _deepseek2(keys) | _groups(keys, 8, 4) | {"router_biases": "true"}


def _glm4_lite(keys: Keys) -> Fields:
    return routed(keys, 1) | latent(keys) | _groups(keys, 1, 1) | {"router_biases": "true"}


def _axk1(keys: Keys) -> Fields:
    """A.X K1: DeepSeek-V3 with a norm behind the experts."""
    out: Fields = routed(keys, 1) | latent(keys) | _groups(keys, 8, 4) | {"router_biases": "true"}
    return extra(out, (int(out["layers"]) - int(out.get("dense_layers", 0))) * int(out["hidden"]))


def _indexed(keys: Keys, groups: tuple[int, int]) -> Fields:
    """Sparse attention whose indexer picks the tokens (DeepSeek-V3.2, GLM-5): of queries, keys, a norm and weights."""
    out: Fields = routed(keys, 3) | latent(keys) | _groups(keys, *groups) | {"router_biases": "true"}
    hidden, heads, width = int(out["hidden"]), keys.needed("index_n_heads"), keys.needed("index_head_dim")
    keys.get("layer_types")
    own = keys.needed("q_lora_rank") * heads * width + hidden * (width + heads) + 2 * width
    return extra(out, _indexers(keys, int(out["layers"])) * own)


def _indexers(keys: Keys, layers: int) -> int:
    """The layers with an indexer of their own: those that are listed, else the first and then one of so many."""
    listed, pattern = keys.list("indexer_types"), keys.get("index_topk_pattern")
    every, offset = keys.whole("index_topk_freq") or 1, keys.whole("index_skip_topk_offset")
    if listed or pattern:
        words = listed or (pattern if isinstance(pattern, list | str) else [])
        return sum(str(word) in ("full", "F") for word in words)
    first = 2 if offset is None else offset
    return sum(max(at - first + 1, 0) % every == 0 for at in range(layers))


def _deepseek32(keys: Keys) -> Fields:
    return _indexed(keys, (8, 4))


def _glm_dsa(keys: Keys) -> Fields:
    return _indexed(keys, (1, 1))


def _dense(keys: Keys, tied: bool = True) -> Fields:
    """Latent attention without experts: MiniCPM3, Youtu."""
    out = common(keys, tied=tied, own_width=False)
    out.pop("kv_heads", None)
    return out | latent(keys) | ({"mlp_biases": "true"} if keys.flag("mlp_bias") else {})


LATENT: Mapping[str, Reader] = {
    "deepseek": routed_grouped, "deepseek_v2": _deepseek2, "deepseek_v3": _deepseek3, "kimi_k2": _deepseek3,
    "deepseek_v32": _deepseek32, "glm4_moe_lite": _glm4_lite, "glm_moe_dsa": _glm_dsa, "axk1": _axk1,
    "sarvam_mla": _glm4_lite, "minicpm3": _dense, "youtu": _dense,
}  # fmt: skip
