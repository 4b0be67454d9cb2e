"""The models of the repository OLMo, under the names of its own code: in a `config.json` and in its YAML."""

from __future__ import annotations

from runplan.cli.importing.hf.sizes import Fields, longest
from runplan.cli.importing.keys import Keys, Unreadable

# Its own defaults: `ModelConfig` of olmo/config.py of 0.6.0. An older file may leave out what was otherwise then.
_DEFAULTS = {"d_model": 768, "n_heads": 12, "n_layers": 12, "mlp_ratio": 4, "max_sequence_length": 1024,
             "vocab_size": 50257, "embedding_size": 50304, "block_type": "sequential", "activation_type": "swiglu",
             "include_bias": True, "weight_tying": True, "layer_norm_with_affine": True,
             "attention_layer_norm_with_affine": True}  # fmt: skip
_BLOCKS = ("sequential", "llama", "parallel")
_GATES = {"swiglu": 2, "gelu": 1, "relu": 1}


def olmo_of_allen(keys: Keys) -> Fields:
    """A model by its settings; both halves of a gated MLP are one matrix, of which the settings have the width.

    Raises:
        Unreadable: For a model, a block or an activation of another kind.
    """
    keys = keys.filling(_DEFAULTS)
    other, block, activation = keys.text("model_name"), keys.text("block_type"), keys.text("activation_type")
    if other not in ("", "olmo"):
        raise Unreadable(f"`model_name: {other[:40]}`: of the repository OLMo its own transformer is read")
    if block not in _BLOCKS:
        raise Unreadable(f"`block_type: {block[:40]}`: of OLMo's blocks those are read that are {', '.join(_BLOCKS)}")
    if activation not in _GATES:
        raise Unreadable(f"`activation_type: {activation[:40]}` is none of {', '.join(_GATES)}")
    heads, hidden = keys.needed("n_heads"), keys.needed("d_model")
    wide = keys.whole("mlp_hidden_size") or round((keys.number("mlp_ratio") or 0) * hidden)
    groups = keys.whole("n_kv_heads") or (1 if keys.flag("multi_query_attention") else heads)
    out: Fields = {"layers": keys.needed("n_layers"), "hidden": hidden, "heads": heads}
    out |= {"kv_heads": groups} if groups != heads else {}
    out |= {"ffn": wide // _GATES[activation], "vocab": keys.whole("embedding_size") or keys.needed("vocab_size")}
    tied, biased = keys.flag("weight_tying"), keys.flag("include_bias")
    out |= {"tied": "true"} if tied else {}
    out |= {} if _GATES[activation] > 1 else {"mlp": "plain"}
    if biased:
        out |= {"attention_biases": "all", "mlp_biases": "true", **({} if tied else {"head_bias": "true"})}
    if not keys.flag("rope") and not keys.flag("alibi"):
        out["positions"] = keys.needed("max_sequence_length")
    keys.taken.update(("vocab_size", "mlp_ratio", "multi_query_attention", "alibi"))
    longest(keys, out, keys.whole("max_sequence_length"))
    return out | _norms(keys, block, biased)


def _norms(keys: Keys, block: str, biased: bool) -> Fields:
    """Its norms; `biased` is whether all else has biases, which theirs are by unless they are said."""
    weights, own = keys.flag("layer_norm_with_affine"), keys.flag("embedding_layer_norm")
    of_heads = keys.flag("attention_layer_norm") and keys.flag("attention_layer_norm_with_affine")
    keys.taken.add("attention_layer_norm_with_affine")
    biases = keys.flag("bias_for_layer_norm", otherwise=biased)
    if of_heads and biases and not weights:
        raise Unreadable("`attention_layer_norm_with_affine` without that of all norms, with biases, has no place")
    out: Fields = {"qk_norm": "full"} if of_heads else {}
    if not weights:
        return out | {"norms": 0, "final_norm": "false"}
    out |= {"norm_biases": "true"} if biases else {}
    out |= {"embedding_norm": "true"} if own else {}
    return out | ({"norms": 1} if block == "parallel" else {})
