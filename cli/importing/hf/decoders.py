"""Decoders with gated MLPs."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.allen import olmo_of_allen
from runplan.cli.importing.hf.sizes import Fields, Reader, common, extra, longest, window_behind, windows, with_width
from runplan.cli.importing.keys import Keys, Unreadable


def llama(keys: Keys, tied: bool = False) -> Fields:
    """Llama, with the biases that its config may ask for; whether tied where it does not say it."""
    return common(keys, tied=tied) | asked_biases(keys)


def asked_biases(keys: Keys) -> Fields:
    """The biases that a config asks for by name."""
    out: Fields = {"attention_biases": "all"} if keys.flag("attention_bias") else {}
    return out | ({"mlp_biases": "true"} if keys.flag("mlp_bias") else {})


def llama_tied(keys: Keys) -> Fields:
    """The same where both tables are one unless the config says otherwise."""
    return llama(keys, tied=True)


def _mistral(keys: Keys) -> Fields:
    out = common(keys)
    return out | windows(keys, int(out["layers"]))


def _cwm(keys: Keys) -> Fields:
    """Code World Model: of four layers the first attends to all of the context."""
    out = llama(keys)
    layers = int(out["layers"])
    return out | windows(keys, layers, -(-layers // 4))


def qwen2(keys: Keys) -> Fields:
    """Qwen 1.5 to 2.5: biases of queries, keys and values."""
    out: Fields = common(keys, own_width=False) | {"biases": "qkv"}
    return out | window_behind(keys, int(out["layers"]))


def qwen3(keys: Keys) -> Fields:
    """Qwen 3: norms of each head's queries and keys."""
    out: Fields = with_width(keys, 128) | {"qk_norm": "true"}
    return out | window_behind(keys, int(out["layers"]))


def _gemma(keys: Keys) -> Fields:
    return with_width(keys, 256, tied=True)


def _gemma2(keys: Keys) -> Fields:
    out: Fields = with_width(keys, 256, tied=True) | {"norms": 4}
    layers = int(out["layers"])
    return out | windows(keys, layers, layers // 2)


def _gemma3(keys: Keys) -> Fields:
    out: Fields = with_width(keys, 256, tied=True) | {"norms": 4, "qk_norm": "true"}
    layers, every = int(out["layers"]), keys.whole("sliding_window_pattern", "_sliding_window_pattern") or 6
    return out | windows(keys, layers, layers // every)


def _phi3(keys: Keys) -> Fields:
    out = common(keys, own_width=False)
    return out | windows(keys, int(out["layers"]))


def _olmo(keys: Keys) -> Fields:
    out: Fields = llama(keys) | {"norms": 0, "final_norm": "false"}
    return out


def _olmo2(keys: Keys) -> Fields:
    out: Fields = llama(keys) | {"qk_norm": "full"}
    return out | windows(keys, int(out["layers"]))


def _stablelm(keys: Keys) -> Fields:
    out: Fields = common(keys, own_width=False) | {"norm_biases": "true"}
    if keys.flag("use_qkv_bias"):
        out["attention_biases"] = "qkv"
    if keys.flag("use_parallel_residual"):
        out["norms"] = 1
    if keys.flag("qk_layernorm"):  # a norm without biases for each head, beside norms that have them
        width = int(out["hidden"]) // int(out["heads"])
        return extra(out, int(out["layers"]) * (int(out["heads"]) + int(out.get("kv_heads", out["heads"]))) * width)
    return out


def cohere(keys: Keys) -> Fields:
    """Command R, with one norm a layer."""
    out: Fields = common(keys, tied=True, own_width="sliding_window" in keys) | {"norms": 1}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    if keys.flag("use_qk_norm"):
        out["qk_norm"] = "full"
    layers, every = int(out["layers"]), keys.whole("sliding_window_pattern") or 4
    return out | (windows(keys, layers, layers // every) if "sliding_window" in keys else {})


def glm(keys: Keys) -> Fields:
    """GLM-4 of the first kind."""
    out = common(keys)
    return out | ({"attention_biases": "qkv"} if keys.flag("attention_bias", otherwise=True) else {})


def _glm4(keys: Keys) -> Fields:
    return glm(keys) | {"norms": 4}


def _chatglm(keys: Keys) -> Fields:
    """ChatGLM2, ChatGLM3 and GLM-4 by the code that comes with their weights."""
    heads, norms = keys.needed("num_attention_heads"), keys.flag("rmsnorm", otherwise=True)
    out: Fields = {"layers": keys.needed("num_layers"), "hidden": keys.needed("hidden_size"), "heads": heads}
    if keys.flag("multi_query_attention"):
        out["kv_heads"] = keys.needed("multi_query_group_num")
    out |= {"ffn": keys.needed("ffn_hidden_size"), "vocab": keys.needed("padded_vocab_size", "vocab_size")}
    if keys.flag("add_bias_linear"):
        out |= {"attention_biases": "all", "mlp_biases": "true"}
    elif keys.flag("add_qkv_bias"):
        out["attention_biases"] = "qkv"
    out |= {} if norms else {"norm_biases": "true"}
    out |= {} if keys.flag("post_layer_norm", otherwise=True) else {"final_norm": "false"}
    longest(keys, out, keys.whole("seq_length"))
    return out


def _internlm2(keys: Keys) -> Fields:
    out = common(keys)
    return out | ({"attention_biases": "all"} if keys.flag("bias") else {})


def _same_heads(keys: Keys) -> Fields:
    out = common(keys, own_width=False)
    longest(keys, out, keys.whole("model_max_length"))
    return out


def _ernie(keys: Keys) -> Fields:
    out = common(keys, tied=True)
    return out | ({"attention_biases": "all", "mlp_biases": "true"} if keys.flag("use_bias") else {})


def _exaone4(keys: Keys) -> Fields:
    out: Fields = common(keys) | {"qk_norm": "true"}
    return out | windows(keys, int(out["layers"]))


def _hunyuan(keys: Keys) -> Fields:
    out: Fields = common(keys) | {"qk_norm": "true"}
    return out | ({"attention_biases": "all"} if keys.flag("attention_bias") else {})


def _seed_oss(keys: Keys) -> Fields:
    out, inner, outer = common(keys), keys.flag("attention_bias", otherwise=True), keys.flag("attention_out_bias")
    if outer and not inner:
        raise Unreadable("`attention_out_bias` without `attention_bias`: a bias of the output alone has no place")
    out |= {"attention_biases": "all" if outer else "qkv"} if inner else {}
    return out | ({"mlp_biases": "true"} if keys.flag("mlp_bias") else {})


def _helium(keys: Keys) -> Fields:
    """Helium, whose output is as wide as the model, and has no bias."""
    out = llama(keys)
    if "head_dim" in out:
        raise Unreadable("`head_dim`: Helium's heads together are as wide as the model")
    return out | ({"attention_biases": "qkv"} if "attention_biases" in out else {})


def _internlm3(keys: Keys) -> Fields:
    inner, outer = keys.flag("qkv_bias"), keys.flag("bias")
    if outer and not inner:
        raise Unreadable("`bias` without `qkv_bias`: a bias of the output alone has no place")
    out = llama(keys)
    out |= {"attention_biases": "all" if outer else "qkv"} if inner else {}
    return out | ({"mlp_biases": "true"} if outer else {})


def _hyperclovax(keys: Keys) -> Fields:
    return llama(keys) | ({"norms": 4} if keys.flag("use_post_norm") else {})


def _granite_swa(keys: Keys) -> Fields:
    out: Fields = llama_tied(keys) | {"sinks": "true"}
    return out | windows(keys, int(out["layers"]))


def _vaultgemma(keys: Keys) -> Fields:
    out = with_width(keys, 256, tied=True)
    layers = int(out["layers"])
    return out | windows(keys, layers, layers // 2)


def _bitnet(keys: Keys) -> Fields:
    """BitNet b1.58, with a norm inside attention and one inside the MLP."""
    out = llama(keys)
    return extra(out, int(out["layers"]) * (int(out["hidden"]) + int(out["ffn"])))


def _diffllama(keys: Keys) -> Fields:
    """Differential attention: four vectors of a head's width a layer weigh one map against the other."""
    out = llama(keys)
    return extra(out, int(out["layers"]) * 4 * int(out.get("head_dim", int(out["hidden"]) // int(out["heads"]))))


DECODERS: Mapping[str, Reader] = {
    "llama": llama, "mistral": _mistral, "ministral": _mistral, "ministral3": _mistral, "qwen2": qwen2,
    "qwen2_vl": qwen2, "qwen2_5_vl": qwen2,
    "qwen2_vl_text": qwen2, "qwen2_5_vl_text": qwen2, "qwen3": qwen3, "qwen3_vl_text": qwen3, "gemma": _gemma,
    "gemma2": _gemma2, "gemma3_text": _gemma3, "phi3": _phi3, "olmo": _olmo, "olmo2": _olmo2, "olmo3": _olmo2,
    "hf_olmo": olmo_of_allen, "stablelm": _stablelm, "cohere": cohere, "cohere2": cohere, "smollm3": llama_tied,
    "granite": llama, "glm": glm, "glm4": _glm4, "chatglm": _chatglm, "internlm2": _internlm2, "baichuan": _same_heads,
    "minicpm": llama_tied, "ernie4_5": _ernie, "exaone4": _exaone4, "seed_oss": _seed_oss, "helium": _helium,
    "hunyuan_v1_dense": _hunyuan, "exaone": llama, "internlm3": _internlm3, "iquestcoder": llama,
    "hyperclovax": _hyperclovax, "granite_swa": _granite_swa, "vaultgemma": _vaultgemma, "bitnet": _bitnet,
    "diffllama": _diffllama, "cwm": _cwm,
}  # fmt: skip
