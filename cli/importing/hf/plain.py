"""Decoders whose MLPs have no gate."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.decoders import asked_biases, llama
from runplan.cli.importing.hf.sizes import ALL, PLAIN, Fields, Reader, common, extra, longest, tables, windows
from runplan.cli.importing.keys import Keys, Unreadable

_MPT_MLPS = "mptmlp, mptglu, te_ln_mlp"


def _gpt2(keys: Keys) -> Fields:
    hidden, places = (
        keys.needed("n_embd", "hidden_size"),
        keys.needed("n_positions", "n_ctx", "max_position_embeddings"),
    )
    keys.get("n_ctx")
    out: Fields = {
        "layers": keys.needed("n_layer", "num_hidden_layers"),
        "hidden": hidden,
        "heads": keys.needed("n_head", "num_attention_heads"),
        "ffn": keys.whole("n_inner") or 4 * hidden,
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **ALL,
        "positions": places,
        "longest": places,
    }
    return out


def _gpt_bigcode(keys: Keys) -> Fields:
    out = _gpt2(keys)
    return out | ({"kv_heads": 1} if keys.flag("multi_query", otherwise=True) else {})


def _gpt_neox(keys: Keys) -> Fields:
    out: Fields = common(keys, own_width=False) | ALL
    keys.flag("use_parallel_residual")  # both ways it has two norms a layer
    if not keys.flag("attention_bias", otherwise=True):
        out |= {"biases": "none", "mlp_biases": "true", "norm_biases": "true"}
    return out


def _gptj(keys: Keys) -> Fields:
    out = _gpt2(keys)
    del out["positions"], out["biases"]
    out.pop("tied", None)
    out |= tables(keys, tied=False)
    return out | {"mlp_biases": "true", "norm_biases": "true", "norms": 1, "head_bias": "true"}


def _opt(keys: Keys) -> Fields:
    places, hidden = keys.needed("max_position_embeddings"), keys.needed("hidden_size")
    out: Fields = {
        "layers": keys.needed("num_hidden_layers"),
        "hidden": hidden,
        "heads": keys.needed("num_attention_heads"),
        "ffn": keys.needed("ffn_dim"),
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **ALL,
        "positions": places + 2,  # OPT's table begins two rows before the first token
        "longest": places,
    }
    narrow = keys.whole("word_embed_proj_dim")
    if narrow and narrow != hidden:
        out["embedding_dim"] = narrow
    if not keys.flag("do_layer_norm_before", otherwise=True) or keys.flag("_remove_final_layer_norm"):
        out["final_norm"] = "false"
    if not keys.flag("enable_bias", otherwise=True):
        out |= {"biases": "none", "norm_biases": "true"}
    if not keys.flag("layer_norm_elementwise_affine", otherwise=True):
        raise Unreadable("`layer_norm_elementwise_affine: false`: norms without weights beside biases have no place")
    return out


def _bloom(keys: Keys) -> Fields:
    hidden = keys.needed("hidden_size", "n_embed")
    out: Fields = {
        "layers": keys.needed("n_layer", "num_hidden_layers"),
        "hidden": hidden,
        "heads": keys.needed("n_head", "num_attention_heads"),
        "ffn": 4 * hidden,
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **ALL,
        "embedding_norm": "true",
    }
    keys.get("n_embed"), keys.get("num_attention_heads"), keys.get("num_hidden_layers")
    longest(keys, out, keys.whole("seq_length"))
    return out


def _falcon(keys: Keys) -> Fields:
    hidden, heads = keys.needed("hidden_size"), keys.needed("num_attention_heads", "n_head")
    new, beside = keys.flag("new_decoder_architecture"), keys.flag("parallel_attn", otherwise=True)
    groups, many = keys.whole("num_kv_heads", "n_head_kv") or heads, keys.flag("multi_query", otherwise=True)
    norms = keys.whole("num_ln_in_parallel_attn") or (2 if new else 1)
    out: Fields = {
        "layers": keys.needed("num_hidden_layers", "n_layer"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": groups if new else 1 if many else heads,
        "ffn": keys.whole("ffn_hidden_size") or 4 * hidden,
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **PLAIN,
        "norm_biases": "true",
    }
    if keys.flag("bias"):
        out["biases"] = "all"
    if (new and norms == 1) or (not new and beside):
        out["norms"] = 1
    longest(keys, out, keys.whole("max_position_embeddings"))
    return out


def mpt(keys: Keys, usual: bool = True) -> Fields:
    """MPT.

    Args:
        usual: Whether it has ALiBi and no biases where the config does not say it: so in transformers, and in
            llm-foundry neither.

    Raises:
        Unreadable: For layers that are not alike, or an MLP of another kind.
    """
    hidden, attention, inner = keys.needed("d_model"), keys.section("attn_config"), keys.section("ffn_config")
    heads, length, kind = keys.needed("n_heads"), keys.whole("max_seq_len"), inner.text("ffn_type") or "mptmlp"
    if kind not in _MPT_MLPS.split(", "):
        raise Unreadable(f"`ffn_config.ffn_type: {kind[:40]}`: of MPT's MLPs those are read that are {_MPT_MLPS}")
    if "block_overrides" in keys:
        raise Unreadable("`block_overrides`: its layers are not alike, and a plan has the fields of one layer")
    groups = 1 if attention.text("attn_type") == "multiquery_attention" else attention.whole("kv_n_heads")
    out: Fields = {
        "layers": keys.needed("n_layers"),
        "hidden": hidden,
        "heads": heads,
        "ffn": inner.whole("ffn_hidden_size") or round((keys.number("expansion_ratio") or 4) * hidden),
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **({} if kind == "mptglu" else PLAIN),
    }
    if groups and groups != heads:
        out["kv_heads"] = groups
    if width := keys.whole("head_dim"):
        out["head_dim"] = width
    biased = not keys.flag("no_bias", otherwise=usual)
    if biased:
        out |= {"attention_biases": "all", "mlp_biases": "true"}
        out |= {} if "rmsnorm" in keys.text("norm_type") else {"norm_biases": "true"}
    elif keys.flag("attention_bias"):
        out["attention_biases"] = "qkv"
    if attention.flag("qk_ln") or attention.flag("qk_gn"):
        out["qk_norm"] = "full" if attention.flag("qk_ln") else "true"
    if (window := attention.number("sliding_window_size") or 0) > 0:
        out["window"] = f"{window:.0f} tokens"
    placed = attention.flag("alibi", otherwise=usual) or attention.flag("rope")
    attention.get("rope"), attention.get("kv_n_heads")
    if not placed and length and keys.flag("learned_pos_emb", otherwise=True):
        out["positions"] = length
    keys.get("learned_pos_emb")
    longest(keys, out, length)
    return out


def _phi(keys: Keys) -> Fields:
    if keys.flag("qk_layernorm"):
        raise Unreadable("`qk_layernorm`: a norm for each head has no place in a plan")
    return common(keys, own_width=False) | ALL | {"norms": 1, "head_bias": "true"}


def _starcoder2(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | PLAIN
    biased = keys.flag("use_bias", otherwise=True)
    return out | ({"biases": "all"} if biased else {"norm_biases": "true"}) | windows(keys, int(out["layers"]))


def _nemotron(keys: Keys) -> Fields:
    return common(keys) | PLAIN | {"norm_biases": "true"} | asked_biases(keys)


def _arcee(keys: Keys) -> Fields:
    return llama(keys) | PLAIN


def _apertus(keys: Keys) -> Fields:
    """Apertus, whose activation has two weights a layer."""
    out: Fields = llama(keys) | PLAIN | {"qk_norm": "true"}
    return extra(out, 2 * int(out["layers"]))


def _persimmon(keys: Keys) -> Fields:
    out: Fields = common(keys, own_width=False) | ALL
    return out | ({"qk_norm": "true"} if keys.flag("qk_layernorm", otherwise=True) else {})


def _gpt_neo(keys: Keys) -> Fields:
    """GPT-Neo, in which every other layer has a window, and of attention the output alone a bias."""
    hidden, layers = keys.needed("hidden_size"), keys.needed("num_layers")
    places, kinds = keys.needed("max_position_embeddings"), [str(one) for one in keys.list("attention_layers")]
    for one in keys.list("attention_types"):
        names, times = one if isinstance(one, list) and len(one) == 2 else ([], 0)
        kinds += [str(name) for name in names] * int(times) if not keys.list("attention_layers") else []
    out: Fields = {
        "layers": layers,
        "hidden": hidden,
        "heads": keys.needed("num_heads"),
        "ffn": keys.whole("intermediate_size") or 4 * hidden,
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **PLAIN,
        "mlp_biases": "true",
        "norm_biases": "true",
        "positions": places,
        "longest": places,
    }
    width, whole = keys.whole("window_size"), kinds.count("global")
    if width and "local" in kinds:
        out |= {"window": f"{width} tokens", **({"global_layers": whole} if whole else {})}
    return extra(out, layers * hidden)


def _xglm(keys: Keys) -> Fields:
    out: Fields = {
        "layers": keys.needed("num_layers"),
        "hidden": keys.needed("d_model"),
        "heads": keys.needed("attention_heads"),
        "ffn": keys.needed("ffn_dim"),
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **ALL,
    }
    longest(keys, out, keys.whole("max_position_embeddings"))
    return out


def _openai(keys: Keys) -> Fields:
    """The first GPT, without a norm behind its last layer."""
    return _gpt2(keys) | {"final_norm": "false"}


def _biogpt(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | ALL
    return out | {"positions": keys.needed("max_position_embeddings") + 2}  # two rows before the first token


def _jais2(keys: Keys) -> Fields:
    out: Fields = common(keys) | PLAIN | {"norm_biases": "true"}
    out |= {"attention_biases": "all"} if keys.flag("attention_bias", otherwise=True) else {}
    return out | ({"mlp_biases": "true"} if keys.flag("mlp_bias", otherwise=True) else {})


def _nanochat(keys: Keys) -> Fields:
    out: Fields = common(keys) | PLAIN | {"norms": 0, "final_norm": "false"}
    return out | ({"attention_biases": "all"} if keys.flag("attention_bias") else {})


def _japanese(keys: Keys) -> Fields:
    """GPT-NeoX of Japanese, with a bias of attention in its last layer alone."""
    wide = (keys.whole("intermediate_multiple_size") or 4) * keys.needed("hidden_size")
    keys = keys.filling({**keys.defaults, "intermediate_size": wide})
    out: Fields = common(keys, tied=True, own_width=False) | PLAIN | {"norm_biases": "true"}
    return extra(out, int(out["hidden"]))


PLAIN_DECODERS: Mapping[str, Reader] = {
    "gpt2": _gpt2, "gpt_bigcode": _gpt_bigcode, "gpt_neo": _gpt_neo, "gpt_neox": _gpt_neox, "gptj": _gptj,
    "codegen": _gptj, "opt": _opt, "bloom": _bloom, "falcon": _falcon, "RefinedWeb": _falcon,
    "RefinedWebModel": _falcon, "mpt": mpt, "phi": _phi, "starcoder2": _starcoder2, "nemotron": _nemotron,
    "arcee": _arcee, "apertus": _apertus, "persimmon": _persimmon, "xglm": _xglm, "gpt-sw3": _gpt2,
    "openai-gpt": _openai, "biogpt": _biogpt, "jais2": _jais2, "nanochat": _nanochat, "apertus1p5_text": _apertus,
    "gpt_neox_japanese": _japanese,
}  # fmt: skip
