"""Encoders, and what they have behind their last layer."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.decoders import asked_biases
from runplan.cli.importing.hf.sizes import ALL, Fields, Reader, common, extra, head_of, tables
from runplan.cli.importing.keys import Keys, Unreadable

# The classes that predict tokens, masked ones or the next: their heads are alike.
_OF_TOKENS = ("ForMaskedLM", "LMHeadModel", "ForCausalLM")


def _bert(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | ALL
    places = keys.needed("max_position_embeddings")
    out |= {"positions": places, "segments": keys.whole("type_vocab_size") or 2, "embedding_norm": "true"}
    out |= {"final_norm": "false"}
    return out | _head(keys, out)


def _roberta(keys: Keys) -> Fields:
    out = _bert(keys)
    out["longest"] = int(out["positions"]) - 2  # its table begins two rows before the first token
    return out


def _head(keys: Keys, body: Fields, once: bool = False) -> Fields:
    """What an encoder of the file's class has behind its last layer; without a head it has no table there."""
    named = head_of(keys)
    if named.endswith("ForPreTraining"):  # BERT's: masked tokens, and whether sentences follow each other
        return {"masked_head": "true", "pooler": "true", "extra_params": f"{2 * int(body['hidden']) + 2} params"}
    if named.endswith(_OF_TOKENS):
        # Of two tables the class keeps the bias of the one and that of the head beside it, except where `once`.
        return {"masked_head": "true", **({} if "tied" in body or once else {"head_bias": "true"})}
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
    head = _head(keys, out, once=True)
    # A plan's head has the bias of its layer where the MLPs have theirs.
    for name, usual in (("decoder_bias", True), ("classifier_bias", "mlp_biases" in out)):
        said = keys.flag(name, otherwise=name == "decoder_bias")
        if "masked_head" in head and said != usual:
            raise Unreadable(f"`{name}: {str(said).lower()}`: a head with other biases than the usual has no place")
    head.pop("pooler", None)
    return out | head


def _esm(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | ALL
    places = keys.needed("max_position_embeddings")
    if keys.text("position_embedding_type") != "rotary":
        out["positions"] = places
    out["longest"] = places - 2
    if keys.flag("emb_layer_norm_before"):
        out["embedding_norm"] = "true"
    out |= _head(keys, out, once=True)
    # A layer that predicts contacts, which no loss trains.
    return extra(out, int(out["layers"]) * int(out["heads"]) + 1)


def _distilbert(keys: Keys) -> Fields:
    places = keys.needed("max_position_embeddings")
    out: Fields = {
        "layers": keys.needed("n_layers"),
        "hidden": keys.needed("dim"),
        "heads": keys.needed("n_heads"),
        "ffn": keys.needed("hidden_dim"),
        "vocab": keys.needed("vocab_size"),
        **tables(keys, tied=True),
        **ALL,
        "positions": places,
        "longest": places,
        "embedding_norm": "true",
        "final_norm": "false",
    }
    head = _head(keys, out, once=True)
    head.pop("pooler", None)
    return out | head


def _electra(keys: Keys) -> Fields:
    """ELECTRA, whose tables may be narrower than its layers, or wider."""
    out: Fields = common(keys, tied=True, own_width=False) | ALL | {"final_norm": "false", "tied": "true"}
    hidden, width, named = int(out["hidden"]), keys.needed("embedding_size"), head_of(keys)
    rows = keys.needed("max_position_embeddings") + (keys.whole("type_vocab_size") or 0)
    more = 2 * width + rows * width + (0 if width == hidden else hidden - width * hidden)  # one projection, with a bias
    if width != hidden:
        out["embedding_dim"] = width
    if named.endswith(_OF_TOKENS):
        more += (hidden + 1) * width + 2 * width
        more += 0 if keys.flag("tie_word_embeddings", otherwise=True) else width * int(out["vocab"])
        out["head_bias"] = "true"
    elif named.endswith("ForPreTraining"):
        more += hidden**2 + 2 * hidden + 1
    return extra(out, more)


def _deberta2(keys: Keys) -> Fields:
    """DeBERTa of the second and third kind, in which positions are relative."""
    out = _deberta(keys)
    hidden, layers = int(out["hidden"]), int(out["layers"])
    more, kinds = 0, keys.text("pos_att_type")
    if keys.flag("relative_attention"):
        more += 2 * (_positive(keys, "position_buckets") or _reach(keys, out)) * hidden
        projected = 0 if keys.flag("share_att_key") else ("c2p" in kinds) + ("p2c" in kinds)
        more += layers * projected * (hidden + 1) * hidden
    more += 2 * hidden if "layer_norm" in keys.text("norm_rel_ebd") else 0
    if kernel := _positive(keys, "conv_kernel_size"):
        more += kernel * hidden**2 // (keys.whole("conv_groups") or 1) + 3 * hidden
    return extra(out, more)


def _deberta1(keys: Keys) -> Fields:
    """The first DeBERTa, whose keys have no biases."""
    out: Fields = _deberta(keys) | {"attention_biases": "none", "mlp_biases": "true", "norm_biases": "true"}
    hidden, layers, kinds = int(out["hidden"]), int(out["layers"]), keys.text("pos_att_type")
    more = layers * 3 * hidden
    if keys.flag("relative_attention"):
        more += 2 * _reach(keys, out) * hidden
        more += layers * (("c2p" in kinds) * hidden**2 + ("p2c" in kinds) * (hidden + 1) * hidden)
    if keys.flag("talking_head"):
        more += layers * 2 * int(out["heads"]) ** 2
    return extra(out, more)


def _deberta(keys: Keys) -> Fields:
    out: Fields = common(keys, tied=True, own_width=False) | ALL | {"embedding_norm": "true", "final_norm": "false"}
    if keys.flag("position_biased_input", otherwise=True):
        out["positions"] = keys.needed("max_position_embeddings")
    if kinds := keys.whole("type_vocab_size"):
        out["segments"] = kinds
    width = keys.whole("embedding_size")
    if width and width != out["hidden"]:
        raise Unreadable("`embedding_size`: tables of another width have no place in a plan beside this head")
    head = _head(keys, out)
    head.pop("pooler", None)
    return out | head


def _reach(keys: Keys, out: Fields) -> int:
    """How far positions are told apart."""
    return _positive(keys, "max_relative_positions") or keys.needed("max_position_embeddings")


def _positive(keys: Keys, name: str) -> int:
    """A count, which these configs write as -1 where there is none."""
    return int(max(keys.number(name) or 0, 0))


def _ernie(keys: Keys) -> Fields:
    """ERNIE, which may have a table of tasks beside BERT's."""
    out, tasks = _bert(keys), keys.whole("task_type_vocab_size") or 0
    return extra(out, tasks * int(out["hidden"])) if keys.flag("use_task_id") else out


def _before(keys: Keys) -> Fields:
    """BERT whose norms stand before what they are of, and one behind the last layer: Megatron's, XLM-R XL."""
    out = _bert(keys)
    del out["embedding_norm"], out["final_norm"]
    return out


def _xl(keys: Keys) -> Fields:
    out = _before(keys)
    out["longest"] = int(out["positions"]) - 2
    return out


def _prelayernorm(keys: Keys) -> Fields:
    out = _roberta(keys)
    del out["final_norm"]
    return out


def _mpnet(keys: Keys) -> Fields:
    """MPNet, whose layers share a table of relative positions."""
    out = _bert(keys.filling({**keys.defaults, "type_vocab_size": 0}))
    del out["segments"]
    return extra(out, (keys.whole("relative_attention_num_buckets") or 32) * int(out["heads"]))


def _roformer(keys: Keys) -> Fields:
    """RoFormer, whose table of rotations its class counts."""
    out = _bert(keys)
    if keys.needed("embedding_size") != out["hidden"]:
        raise Unreadable("`embedding_size`: tables of another width have no place in a plan beside this head")
    return extra(out, int(out.pop("positions")) * (int(out["hidden"]) // int(out["heads"])))


def _eurobert(keys: Keys) -> Fields:
    """EuroBERT, whose output has a bias where its MLPs have."""
    out = common(keys) | asked_biases(keys)
    return out | ({"head_bias": "true"} if "mlp_biases" in out else {})


def _rotary(keys: Keys) -> Fields:
    """BERT with rotary positions, norms behind what they are of, and biases in all: Jina's third."""
    out = _bert(keys)
    del out["positions"]
    return out


def _nomic(keys: Keys) -> Fields:
    """The same with gated MLPs, and biases in norms and in the head alone."""
    out = _rotary(keys) | {"norm_biases": "true"}
    del out["mlp"], out["biases"]
    width = keys.whole("head_dim")
    out |= {"head_dim": width} if width and width * int(out["heads"]) != out["hidden"] else {}
    return extra(out, int(out["hidden"])) if "masked_head" in out else out


def _gte(keys: Keys) -> Fields:
    """The same with biases in attention, and of the MLPs where they end."""
    out = _nomic(keys) | {"attention_biases": "all"}
    out.pop("head_bias", None)
    head = int(out["hidden"]) if "masked_head" in out else 0
    return extra(out, int(out["layers"]) * int(out["hidden"]) + head)


ENCODERS: Mapping[str, Reader] = {
    "bert": _bert, "roberta": _roberta, "xlm-roberta": _roberta, "camembert": _roberta, "modernbert": _modernbert,
    "esm": _esm, "distilbert": _distilbert, "electra": _electra, "deberta": _deberta1, "deberta-v2": _deberta2,
    "modernbert-decoder": _modernbert, "data2vec-text": _roberta, "ernie": _ernie, "megatron-bert": _before,
    "xlm-roberta-xl": _xl, "roberta-prelayernorm": _prelayernorm, "mpnet": _mpnet, "roformer": _roformer,
    "eurobert": _eurobert, "nomic_bert": _nomic, "jina_embeddings_v3": _rotary, "gte": _gte,
}  # fmt: skip
