"""A `config.json` of transformers to the fields of a plan's model, architecture by architecture.

What a config leaves out is the default of its class in transformers: `tie_word_embeddings`, biases, heads of keys. Each
reader is held to the count of the model itself, made without memory: tests/cli/importing/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.cli.importing.imported import Word
from runplan.cli.importing.keys import Keys, Unreadable

Fields = dict[str, Word]
Reader = Callable[[Keys], Fields]
_PLAIN: Fields = {"mlp": "plain"}
_ALL: Fields = {"mlp": "plain", "biases": "all"}


def common(keys: Keys, *, tied: bool = False, own_width: bool = True) -> Fields:
    """The sizes that most architectures name alike.

    Args:
        tied: Whether its class ties both tables where the config does not say it.
        own_width: Whether a head may have a width of its own.
    """
    hidden, heads = keys.needed("hidden_size"), keys.needed("num_attention_heads")
    out: Fields = {"layers": keys.needed("num_hidden_layers"), "hidden": hidden, "heads": heads}
    kv_heads = keys.whole("num_key_value_heads")
    if kv_heads and kv_heads != heads:
        out["kv_heads"] = kv_heads
    width = keys.whole("head_dim") if own_width else None
    if width and width * heads != hidden:
        out["head_dim"] = width
    out["ffn"] = keys.needed("intermediate_size")
    out["vocab"] = keys.needed("vocab_size")
    out |= tables(keys, tied)
    if length := keys.whole("max_position_embeddings"):
        out["context"] = f"{length} tokens"
    return out


def tables(keys: Keys, tied: bool) -> Fields:
    """Whether input and output share their table."""
    return {"tied": "true"} if keys.flag("tie_word_embeddings", otherwise=tied) else {}


def windows(keys: Keys, layers: int, whole: int | None = None) -> Fields:
    """A sliding window, and the layers without one: those that are listed, else so many."""
    kinds = keys.list("layer_types")
    width = keys.whole("sliding_window")
    if kinds:
        whole = sum(str(kind) == "full_attention" for kind in kinds)
        other = {str(kind) for kind in kinds} - {"full_attention", "sliding_attention"}
        if other:
            raise Unreadable(f"layers of kind `{min(other)}` have no place in a plan")
    if not width or whole == layers:
        return {}
    return {"window": f"{width} tokens", **({"global_layers": whole} if whole else {})}


def _experts(keys: Keys, count: str, ffn: str) -> Fields:
    return {
        "experts": keys.needed(count, "num_local_experts"),
        "active_experts": keys.needed("num_experts_per_tok", "moe_k", "top_k"),
        "expert_ffn": keys.needed(ffn),
    }


# ---- decoders with gated MLPs


def _llama(keys: Keys, tied: bool = False) -> Fields:
    out = common(keys, tied=tied)
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    if keys.flag("mlp_bias"):
        out["mlp_biases"] = "true"
    return out


def _llama_tied(keys: Keys) -> Fields:
    return _llama(keys, tied=True)


def _mistral(keys: Keys) -> Fields:
    out = common(keys)
    return out | windows(keys, int(out["layers"]))


def _qwen2(keys: Keys) -> Fields:
    out: Fields = common(keys, own_width=False) | {"biases": "qkv"}
    return out | _window_behind(keys, int(out["layers"]))


def _window_behind(keys: Keys, layers: int) -> Fields:
    """The window of layers behind the first so many, where it is used at all."""
    first, on = keys.whole("max_window_layers"), keys.flag("use_sliding_window")
    found = windows(keys, layers, min(first or 0, layers))
    return found if on else {}


def _qwen3(keys: Keys) -> Fields:
    out: Fields = _with_width(keys, 128) | {"qk_norm": "true"}
    return out | _window_behind(keys, int(out["layers"]))


def _with_width(keys: Keys, width: int, tied: bool = False) -> Fields:
    """The common sizes, of a class whose heads are so wide where the config does not say it."""
    out = common(keys, tied=tied)
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    if "head_dim" not in keys and width * int(out["heads"]) != int(out["hidden"]):
        out["head_dim"] = width
    return out


def _gemma(keys: Keys) -> Fields:
    return _with_width(keys, 256, tied=True)


def _gemma2(keys: Keys) -> Fields:
    out: Fields = _with_width(keys, 256, tied=True) | {"norms": 4}
    layers = int(out["layers"])
    return out | windows(keys, layers, layers // 2)


def _gemma3(keys: Keys) -> Fields:
    out: Fields = _with_width(keys, 256, tied=True) | {"norms": 4, "qk_norm": "true"}
    layers, every = int(out["layers"]), keys.whole("sliding_window_pattern", "_sliding_window_pattern") or 6
    return out | windows(keys, layers, layers // every)


def _gemma3_with_images(keys: Keys) -> Fields:
    return _gemma3(keys.section("text_config"))


def _phi3(keys: Keys) -> Fields:
    out = common(keys, own_width=False)
    return out | windows(keys, int(out["layers"]))


def _olmo(keys: Keys) -> Fields:
    out: Fields = _llama(keys) | {"norms": 0, "final_norm": "false"}
    return out


def _olmo2(keys: Keys) -> Fields:
    out: Fields = _llama(keys) | {"qk_norm": "full"}
    return out | windows(keys, int(out["layers"]))


def _stablelm(keys: Keys) -> Fields:
    out: Fields = common(keys, own_width=False) | {"norm_biases": "true"}
    if keys.flag("use_qkv_bias"):
        out["attention_biases"] = "qkv"
    if keys.flag("use_parallel_residual"):
        out["norms"] = 1
    if keys.flag("qk_layernorm"):
        raise Unreadable("`qk_layernorm`: a norm for each head has no place in a plan")
    return out


def _cohere(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | {"norms": 1}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    if keys.flag("use_qk_norm"):
        raise Unreadable("`use_qk_norm`: a norm for each head has no place in a plan")
    layers, every = int(out["layers"]), keys.whole("sliding_window_pattern") or 4
    return out | (windows(keys, layers, layers // every) if "sliding_window" in keys else {})


# ---- mixtures of experts


def _mixtral(keys: Keys) -> Fields:
    out = common(keys) | _experts(keys, "num_local_experts", "intermediate_size")
    del out["ffn"]
    return out | windows(keys, int(out["layers"]))


def _sparse(keys: Keys, layers: int) -> Fields:
    """The layers without experts: those that are listed, and all but every so many."""
    step, listed = keys.whole("decoder_sparse_step") or 1, keys.list("mlp_only_layers")
    sparse = [at for at in range(layers) if at not in listed and (at + 1) % step == 0]
    return {"dense_layers": layers - len(sparse)} if len(sparse) < layers else {}


def _qwen2_moe(keys: Keys) -> Fields:
    out: Fields = _qwen2(keys) | _experts(keys, "num_experts", "moe_intermediate_size") | {"biases": "qkv"}
    shared = keys.needed("shared_expert_intermediate_size")
    return out | {"shared_experts": 1, "shared_ffn": shared, "shared_gate": "true"} | _sparse(keys, int(out["layers"]))


def _qwen3_moe(keys: Keys) -> Fields:
    out: Fields = _llama(keys) | _experts(keys, "num_experts", "moe_intermediate_size") | {"qk_norm": "true"}
    layers = int(out["layers"])
    return out | _window_behind(keys, layers) | _sparse(keys, layers)


def _olmoe(keys: Keys) -> Fields:
    out: Fields = _llama(keys) | _experts(keys, "num_experts", "intermediate_size") | {"qk_norm": "full"}
    del out["ffn"]
    return out


def _deepseek(keys: Keys) -> Fields:
    out = common(keys, own_width=False)
    out.pop("kv_heads", None)
    out |= _experts(keys, "n_routed_experts", "moe_intermediate_size")
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
    return out


def _deepseek3(keys: Keys) -> Fields:
    return _deepseek2(keys) | {"router_biases": "true"}


def _glm(keys: Keys) -> Fields:
    out = common(keys)
    return out | ({"attention_biases": "qkv"} if keys.flag("attention_bias", otherwise=True) else {})


def _glm4(keys: Keys) -> Fields:
    return _glm(keys) | {"norms": 4}


def _glm4_moe(keys: Keys) -> Fields:
    out: Fields = _deepseek1(keys) | {"router_biases": "true"}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "qkv"
    if keys.flag("use_qk_norm"):
        out["qk_norm"] = "true"
    width = keys.whole("head_dim")
    return out | ({"head_dim": width} if width else {})


def _gpt_oss(keys: Keys) -> Fields:
    out: Fields = _with_width(keys, 64) | _experts(keys, "num_local_experts", "intermediate_size")
    del out["ffn"]
    out |= {"attention_biases": "all", "mlp_biases": "true", "router_biases": "true", "sinks": "true"}
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
        "context": f"{keys.needed('max_seq_len')} tokens",
    }
    return out | tables(keys, tied=False)


# ---- decoders with plain MLPs


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
        **_ALL,
        "positions": places,
        "context": f"{places} tokens",
    }
    return out


def _gpt_bigcode(keys: Keys) -> Fields:
    out = _gpt2(keys)
    return out | ({"kv_heads": 1} if keys.flag("multi_query", otherwise=True) else {})


def _gpt_neox(keys: Keys) -> Fields:
    out: Fields = common(keys, own_width=False) | _ALL
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
        **_ALL,
        "positions": places + 2,  # OPT's table begins two rows before the first token
        "context": f"{places} tokens",
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
        **_ALL,
        "embedding_norm": "true",
    }
    keys.get("n_embed"), keys.get("num_attention_heads"), keys.get("num_hidden_layers")
    if length := keys.whole("seq_length"):
        out["context"] = f"{length} tokens"
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
        **_PLAIN,
        "norm_biases": "true",
    }
    if keys.flag("bias"):
        out["biases"] = "all"
    if (new and norms == 1) or (not new and beside):
        out["norms"] = 1
    if length := keys.whole("max_position_embeddings"):
        out["context"] = f"{length} tokens"
    return out


def _mpt(keys: Keys) -> Fields:
    hidden, attention = keys.needed("d_model"), keys.section("attn_config")
    heads, length = keys.needed("n_heads"), keys.whole("max_seq_len")
    groups = attention.whole("kv_n_heads")
    out: Fields = {
        "layers": keys.needed("n_layers"),
        "hidden": hidden,
        "heads": heads,
        "ffn": round((keys.number("expansion_ratio") or 4) * hidden),
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **_PLAIN,
    }
    if groups and groups != heads:
        out["kv_heads"] = groups
    if not keys.flag("no_bias", otherwise=True):
        out["biases"] = "all"
    if not attention.flag("alibi", otherwise=True) and not attention.flag("rope") and length:
        out["positions"] = length
    return out | ({"context": f"{length} tokens"} if length else {})


def _phi(keys: Keys) -> Fields:
    if keys.flag("qk_layernorm"):
        raise Unreadable("`qk_layernorm`: a norm for each head has no place in a plan")
    return common(keys, own_width=False) | _ALL | {"norms": 1, "head_bias": "true"}


def _starcoder2(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | _PLAIN
    biased = keys.flag("use_bias", otherwise=True)
    return out | ({"biases": "all"} if biased else {"norm_biases": "true"}) | windows(keys, int(out["layers"]))


def _nemotron(keys: Keys) -> Fields:
    out: Fields = common(keys) | _PLAIN | {"norm_biases": "true"}
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    if keys.flag("mlp_bias"):
        out["mlp_biases"] = "true"
    return out


# ---- encoders


def _bert(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | _ALL
    places = keys.needed("max_position_embeddings")
    out |= {"positions": places, "segments": keys.whole("type_vocab_size") or 2, "embedding_norm": "true"}
    out |= {"final_norm": "false"}
    return out | _head(keys, out)


def _roberta(keys: Keys) -> Fields:
    out = _bert(keys)
    out["context"] = f"{int(out['positions']) - 2} tokens"  # its table begins two rows before the first token
    return out


def _head(keys: Keys, body: Fields) -> Fields:
    """What an encoder of the file's class has behind its last layer; without a head it has no table there."""
    named = " ".join(map(str, keys.list("architectures")))
    if "MaskedLM" in named:
        return {"masked_head": "true", **({} if "tied" in body else {"head_bias": "true"})}
    return {"tied": "true", **({"pooler": "true"} if named.endswith("Model") or not named else {})}


def _modernbert(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False)
    biased = {"attention_bias": ("attention_biases", "all"), "mlp_bias": ("mlp_biases", "true"),
              "norm_bias": ("norm_biases", "true")}  # fmt: skip
    out |= {field: word for name, (field, word) in biased.items() if keys.flag(name)}
    # The first layer has no norm before its attention: it is counted, and that of the embeddings is not.
    layers, every = int(out["layers"]), keys.whole("global_attn_every_n_layers") or 3
    if width := keys.whole("local_attention"):
        out |= {"window": f"{width} tokens", "global_layers": -(-layers // every)}
    head = _head(keys, out)
    head.pop("pooler", None)
    return out | head


def _esm(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | _ALL
    places = keys.needed("max_position_embeddings")
    if keys.text("position_embedding_type") != "rotary":
        out["positions"] = places
    out["context"] = f"{places - 2} tokens"
    if keys.flag("emb_layer_norm_before"):
        out["embedding_norm"] = "true"
    return out | _head(keys, out)


KINDS: Mapping[str, Reader] = {
    "llama": _llama, "mistral": _mistral, "ministral": _mistral, "qwen2": _qwen2, "qwen3": _qwen3, "gemma": _gemma,
    "gemma2": _gemma2, "gemma3_text": _gemma3, "gemma3": _gemma3_with_images, "phi3": _phi3, "olmo": _olmo,
    "olmo2": _olmo2, "olmo3": _olmo2, "stablelm": _stablelm, "cohere": _cohere, "cohere2": _cohere,
    "smollm3": _llama_tied, "granite": _llama, "mixtral": _mixtral, "qwen2_moe": _qwen2_moe, "qwen3_moe": _qwen3_moe,
    "olmoe": _olmoe, "deepseek": _deepseek1, "glm": _glm, "glm4": _glm4, "glm4_moe": _glm4_moe, "codegen": _gptj,
    "deepseek_v2": _deepseek2, "deepseek_v3": _deepseek3,
    "kimi_k2": _deepseek3, "gpt_oss": _gpt_oss, "dbrx": _dbrx, "gpt2": _gpt2, "gpt_bigcode": _gpt_bigcode,
    "gpt_neox": _gpt_neox, "gptj": _gptj, "opt": _opt, "bloom": _bloom, "falcon": _falcon, "RefinedWeb": _falcon,
    "RefinedWebModel": _falcon, "mpt": _mpt, "phi": _phi, "starcoder2": _starcoder2, "nemotron": _nemotron,
    "bert": _bert, "roberta": _roberta, "xlm-roberta": _roberta, "camembert": _roberta, "modernbert": _modernbert,
    "esm": _esm,
}  # fmt: skip
# Of which the language model alone is read, being a part of something that sees or hears.
ENCODERS = frozenset(("bert", "roberta", "xlm-roberta", "camembert", "modernbert", "esm"))
OF_PROTEIN = frozenset(("esm",))
