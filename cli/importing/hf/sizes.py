"""What the architectures of transformers share: sizes, tables, windows and experts under their usual names."""

from __future__ import annotations

from collections.abc import Callable

from runplan.cli.importing.imported import Word
from runplan.cli.importing.keys import Keys, Unreadable

Fields = dict[str, Word]
Reader = Callable[[Keys], Fields]
PLAIN: Fields = {"mlp": "plain"}
ALL: Fields = {"mlp": "plain", "biases": "all"}


def common(keys: Keys, *, tied: bool = False, own_width: bool = True) -> Fields:
    """The sizes that most architectures name alike.

    Args:
        tied: Whether its class ties both tables where the config does not say it.
        own_width: Whether a head may have a width of its own.
    """
    hidden, heads = keys.needed("hidden_size"), keys.needed("num_attention_heads")
    layers = keys.needed("num_hidden_layers", "num_layers")
    out: Fields = {"layers": layers, "hidden": hidden, "heads": heads}
    kv_heads = keys.whole("num_key_value_heads")
    if kv_heads and kv_heads != heads:
        out["kv_heads"] = kv_heads
    width = keys.whole("head_dim") if own_width else None
    if width and width * heads != hidden:
        out["head_dim"] = width
    out["ffn"] = keys.needed("intermediate_size")
    out["vocab"] = keys.needed("vocab_size")
    out |= tables(keys, tied)
    longest(keys, out, keys.whole("max_position_embeddings"))
    return out


def longest(keys: Keys, out: Fields, tokens: int | None) -> None:
    """Note how many tokens a sequence may have, which tells nothing of those that the model is trained on."""
    if tokens:
        out["longest"] = tokens


def head_of(keys: Keys) -> str:
    """The class of the file, such as `BertForMaskedLM`; empty where it does not say one."""
    return " ".join(map(str, keys.list("architectures")))


def extra(out: Fields, params: int) -> Fields:
    """The fields with params that none of them tells."""
    return out | {"extra_params": f"{params} params"} if params else out


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


def experts(keys: Keys, count: str, ffn: str) -> Fields:
    """Experts, by the names of their count and of their width."""
    return {
        "experts": keys.needed(count, "num_local_experts"),
        "active_experts": keys.needed("num_experts_per_tok", "moe_topk", "moe_k", "top_k"),
        "expert_ffn": keys.needed(ffn),
    }


def dense_layers(keys: Keys, first: int = 0) -> Fields:
    """The layers without experts: those that are listed, else the first so many, else as many as the class has."""
    kinds, layers = [str(one) for one in keys.list("mlp_layer_types")], keys.needed("num_hidden_layers")
    said, every = keys.whole("first_k_dense_replace", "num_dense_layers"), keys.list("moe_layer_freq")
    if other := set(kinds) - {"dense", "sparse"}:
        raise Unreadable(f"MLPs of kind `{min(other)[:40]}` have no place in a plan")
    count = kinds.count("dense") if kinds else every.count(0) if every else first if said is None else said
    step = 1 if every else keys.whole("moe_layer_freq") or 1
    if step > 1:  # behind the first, one layer of so many has experts
        count = layers - sum(at >= count and at % step == 0 for at in range(layers))
    return {"dense_layers": count} if count else {}


def gates(out: Fields, wide: bool) -> Fields:
    """The fields with the gates of what attention gives: one a head, or one for each of its entries where `wide`."""
    heads, hidden = int(out["heads"]), int(out["hidden"])
    width = int(out.get("head_dim", hidden // heads)) if wide else 1
    return extra(out, int(out["layers"]) * hidden * heads * width)


def window_behind(keys: Keys, layers: int) -> Fields:
    """The window of layers behind the first so many, where it is used at all."""
    first, on = keys.whole("max_window_layers"), keys.flag("use_sliding_window")
    found = windows(keys, layers, min(first or 0, layers))
    return found if on else {}


def with_width(keys: Keys, width: int, tied: bool = False) -> Fields:
    """The common sizes, of a class whose heads are so wide where the config does not say it."""
    out = common(keys, tied=tied)
    if keys.flag("attention_bias"):
        out["attention_biases"] = "all"
    if not keys.whole("head_dim") and width * int(out["heads"]) != int(out["hidden"]):
        out["head_dim"] = width
    return out
