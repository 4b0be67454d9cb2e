"""The arguments of Megatron-LM, of a script, a file or its YAML, to what they say of a run.

What is not said is the default of `megatron/training/arguments.py`, such as learned positions, biases and tied tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from runplan.cli.importing.falls import fall_over
from runplan.cli.importing.imported import UNCUT, Curve, Fall, Imported, Word
from runplan.cli.importing.keys import Keys, Unreadable
from runplan.cli.importing.shell import AGAIN, PROGRAM

_OPTIMIZERS = {"adam": "AdamW", "sgd": "SGD", "muon": "Muon", "dist_muon": "Muon"}
_WSD: dict[str, Curve] = {"exponential": "exponential", "linear": "linear", "cosine": "cosine", "minus_sqrt": "sqrt"}
_FALLS: dict[str, Curve] = {"linear": "linear", "cosine": "cosine"}
# Entries of the vocabularies of tokenizers that come with it.
_TOKENIZERS = {"GPT2BPETokenizer": 50257, "Llama2Tokenizer": 32000}
_DEFAULTS = {"weight_decay": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "clip": 1.0}
_NAMES = {"weight_decay": "weight_decay", "beta1": "adam_beta1", "beta2": "adam_beta2", "epsilon": "adam_eps",
          "clip": "clip_grad"}  # fmt: skip
_BERT = "pretrain_bert"
_PROGRAMS = ("", "pretrain_gpt", "pretrain_llama", _BERT)
# What makes layers of another kind, or some of them, or trains others beside them.
_OTHER = ("experimental_attention_variant", "linear_attention_type", "linear_attention_freq", "is_hybrid_model",
          "hybrid_override_pattern", "hybrid_layer_pattern", "heterogeneous_layers_config_path",
          "heterogeneous_layers_config_encoded_json", "moe_latent_size", "attention_output_gate",
          "retro_add_retriever", "vision_model_type")  # fmt: skip
_PAD, _TWO_THIRDS, _MULTIPLE, _PARTS = 128, 2 / 3, 64, 10_000


def flat(tree: Mapping[str, object]) -> dict[str, object]:
    """The arguments of sections such as `language_model` or `MODEL_ARGS`, under names without dashes."""
    out: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            out |= flat(value)
        else:
            out[name.lstrip("-").replace("-", "_")] = value
    return out


def is_megatron(keys: Keys) -> bool:
    """Whether settings are its arguments."""
    names = flat(keys.tree)
    mine = {"hidden_size", "num_attention_heads"} <= names.keys()
    layers = "num_layers" in names or "encoder_num_layers" in names
    return mine and layers


def arguments(keys: Keys, title: str) -> Imported:
    """What the arguments say.

    Raises:
        Unreadable: Where the size of the vocabulary is not among them, or a schedule has no shape in a plan.
    """
    again = keys.section(AGAIN).tree
    keys = Keys(flat({name: value for name, value in keys.tree.items() if name != AGAIN}))
    program = _program(keys)
    sequence, batch = keys.whole("seq_length", "encoder_seq_length"), keys.whole("global_batch_size")
    model = _model(keys) | (_of_bert(keys) if program == _BERT else {})
    steps = _steps(keys, batch, "train")
    # With a batch that grows steps and samples are no multiples of each other.
    samples = keys.whole("train_samples") if "rampup_batch_size" in keys and "train_iters" not in keys else None
    settings = {name: found for name, key in _NAMES.items() for found in [keys.number(key)] if found is not None}
    settings = {**_DEFAULTS, **settings}
    if (rate := keys.number("lr")) is not None:
        settings["learning_rate"] = rate
    optimizer = keys.text("optimizer") or "adam"
    notes: list[str] = []
    precision = _precision(keys, rate, notes)
    if keys.whole("mtp_num_layers"):
        notes.append("without the layers that predict tokens further ahead")
    for again_named, values in again.items():
        told = " and ".join(str(value) for value in values) if isinstance(values, list) else str(values)
        named = again_named if again_named[:1] == "$" else f"--{again_named.replace('_', '-')}"
        notes.append(f"`{named}` is given more than once, as {told}: the last counts")
    if batch and steps and samples is None and (grows := keys.tree.get("rampup_batch_size")):
        notes.append(ramped(grows, batch, steps))
    fall = _fall(keys, batch, steps, rate, notes)
    devices, nodes = keys.get("nproc_per_node"), keys.get("nnodes")
    layout = _layout(keys)
    found = keys.get("data_path")
    mix = _mix(found if isinstance(found, list) else [])
    name = keys.text("wandb_exp_name") or title
    keys.get("tokenizer_type"), keys.get("make_vocab_size_divisible_by")
    return Imported(
        files=("Megatron-LM, arguments",),
        title=name,
        objective="MLM" if program == _BERT else "",
        model=model,
        sequence=sequence,
        length=f"{samples} sequences" if samples and sequence else f"{steps} steps" if steps else "",
        batch=batch,
        optimizer=_OPTIMIZERS.get(optimizer, optimizer),
        settings=settings,
        fall=fall,
        layout=layout,
        devices=devices * nodes if isinstance(devices, int) and isinstance(nodes, int) else None,
        precision=precision,
        mix=mix,
        notes=tuple(notes),
        left=tuple(keys.left()),
    )


# ---- the model


def _program(keys: Keys) -> str:
    """The program that the arguments are of, empty where the file does not say it.

    Raises:
        Unreadable: For one whose model a plan has no fields of.
    """
    program = keys.text(PROGRAM)
    keys.get("decoder_num_layers")
    if program == "pretrain_t5" or "encoder_num_layers" in keys:
        raise Unreadable("it trains an encoder and a decoder, and a plan has the fields of one stack of layers")
    if program not in _PROGRAMS:
        raise Unreadable(f"`{program}.py`: what it trains has no place in a plan; {', '.join(_PROGRAMS[1:])} have")
    return program


def _of_bert(keys: Keys) -> dict[str, Word]:
    """What BERT has beside its layers: a head for masked tokens, and one that tells whether sentences follow."""
    out: dict[str, Word] = {"masked_head": "true"}
    if keys.flag("bert_no_binary_head"):
        return out
    return out | {"segments": 2, "pooler": "true", "extra_params": f"{2 * keys.needed('hidden_size') + 2} params"}


def _model(keys: Keys) -> dict[str, Word]:
    if other := next((name for name in _OTHER if keys.get(name) not in (None, False)), ""):
        raise Unreadable(f"`{other}`: what it makes of the layers has no place in a plan")
    hidden, heads = keys.needed("hidden_size"), keys.needed("num_attention_heads")
    narrow = (
        keys.flag("swiglu") or keys.flag("gated_linear_unit") or keys.text("activation_func") in ("swiglu", "geglu")
    )
    gated = keys.flag("quick_geglu") or narrow  # which has a gate and no narrower MLP
    keys.get("activation_func"), keys.get("gated_linear_unit")
    wide = int(4 * hidden * _TWO_THIRDS / _MULTIPLE) * _MULTIPLE if narrow else 4 * hidden
    out: dict[str, Word] = {
        "layers": keys.needed("num_layers"),
        "hidden": hidden,
        "heads": heads,
        "ffn": keys.whole("ffn_hidden_size") or wide,
        "vocab": _vocab(keys),
    }
    groups = keys.whole("num_query_groups", "num_key_value_heads")
    if keys.flag("group_query_attention", otherwise=groups is not None):
        out["kv_heads"] = groups or 1
    width = keys.whole("kv_channels")
    if width and width * heads != hidden:
        out["head_dim"] = width
    if not keys.flag("untie_embeddings_and_output_weights"):
        out["tied"] = "true"
    out |= {} if gated else {"mlp": "plain"}
    biased = keys.flag("add_bias_linear", otherwise=True) and not keys.flag("disable_bias_linear")
    if biased:
        out |= {"attention_biases": "all", "mlp_biases": "true"}
    elif keys.flag("add_qkv_bias"):
        out["attention_biases"] = "qkv"
    else:
        keys.get("add_qkv_bias")
    if (keys.text("normalization") or "LayerNorm").lower() == "layernorm":
        out["norm_biases"] = "true"
    if keys.flag("embed_layernorm"):
        out["embedding_norm"] = "true"
    if keys.text("softmax_type") == "learnable":
        out["sinks"] = "true"
    places, kind = keys.whole("max_position_embeddings"), keys.text("position_embedding_type")
    if kind in ("", "learned_absolute") and not keys.flag("use_rotary_position_embeddings") and places:
        out["positions"] = places
    return out | _latent(keys) | _experts(keys, int(out["layers"]), int(out["ffn"]))


def _vocab(keys: Keys) -> int:
    """Entries of the tables, which are padded to a multiple."""
    if said := keys.whole("padded_vocab_size", "pad_vocab_size_to"):
        return said
    tokenizer = keys.text("tokenizer_type") or ("GPT2BPETokenizer" if "merge_file" in keys else "")
    known = keys.whole("vocab_size") or _TOKENIZERS.get(tokenizer)
    if not known:
        raise Unreadable("`vocab_size` is not there, and the tables cannot be counted without it: add --vocab N")
    return padded(known + (tokenizer == "NullTokenizer"), keys)


def padded(known: int, keys: Keys) -> int:
    """Entries of the tables of so many words, which every tensor-parallel device has a multiple of."""
    multiple = (keys.whole("make_vocab_size_divisible_by") or _PAD) * (keys.whole("tensor_model_parallel_size") or 1)
    return -(-known // multiple) * multiple


def _latent(keys: Keys) -> dict[str, Word]:
    if not keys.flag("multi_latent_attention", "multi_head_latent_attention"):
        return {"qk_norm": "true"} if keys.flag("qk_layernorm") else {}
    keys.get("qk_layernorm")
    out: dict[str, Word] = {
        "kv_lora": keys.whole("kv_lora_rank") or 32,
        "head_dim": keys.whole("qk_head_dim", "qk_nope_head_dim") or 128,
        "rope_dim": keys.whole("qk_pos_emb_head_dim", "qk_rope_head_dim") or 64,
        "v_head_dim": keys.whole("v_head_dim") or 128,
    }
    rank = keys.whole("q_lora_rank")
    return out | ({"q_lora": rank} if rank else {})


def _experts(keys: Keys, layers: int, ffn: int) -> dict[str, Word]:
    count = keys.whole("num_experts", "num_moe_experts")
    if not count:
        return {}
    out: dict[str, Word] = {
        "experts": count,
        "active_experts": keys.whole("moe_router_topk") or 2,
        "expert_ffn": keys.whole("moe_ffn_hidden_size") or ffn,
    }
    if shared := keys.whole("moe_shared_expert_intermediate_size"):
        out |= {"shared_experts": 1, "shared_ffn": shared}
        out |= {"shared_gate": "true"} if keys.flag("moe_shared_expert_gate") else {}
    elif shared := keys.whole("n_shared_experts", "num_shared_experts"):  # of forks, each as wide as an expert
        out["shared_experts"] = shared
    if keys.flag("moe_router_enable_expert_bias"):
        out["router_biases"] = "true"
    groups, routed = keys.whole("moe_router_num_groups"), keys.whole("moe_router_group_topk")
    if groups and routed and groups > 1:
        out |= {"expert_groups": groups, "routed_groups": routed}
    dense = keys.whole("first_k_dense_replace") or _dense(keys.text("moe_layer_freq"), layers)
    keys.get("moe_layer_freq")
    return out | ({"dense_layers": dense} if dense else {})


def _dense(said: str, layers: int) -> int:
    """The layers without experts: of a pattern such as `([0]*3+[1]*58)`, or of every so many but one."""
    said = said.replace(" ", "").strip("()")
    if not said or said == "1":
        return 0
    if said.isdigit():
        return layers - -(-layers // int(said))
    if not re.fullmatch(r"\[[01](,[01])*\](\*\d+)?(\+\[[01](,[01])*\](\*\d+)?)*", said):
        raise Unreadable(f"`moe_layer_freq`: `{said[:40]}` is no pattern of layers that is read")
    parts = re.findall(r"\[([01,]+)\](?:\*(\d+))?", said)
    return sum(part.count("0") * int(times or 1) for part, times in parts)


# ---- the run


def _steps(keys: Keys, batch: int | None, what: str) -> int | None:
    """A length in steps, of an argument in iterations, in samples or, of forks, in tokens."""
    steps, samples, tokens = (keys.whole(f"{what}_{unit}") for unit in ("iters", "samples", "tokens"))
    if steps or (steps is not None and samples is None and tokens is None):
        return steps
    if samples is not None and batch:
        return round(samples / batch)
    sequence = keys.whole("seq_length", "encoder_seq_length")
    return round(tokens / (batch * sequence)) if tokens is not None and batch and sequence else None


def _precision(keys: Keys, rate: float | None, notes: list[str]) -> str:
    """What it computes in: without a flag its default where the file has a run, and nothing where it has a model."""
    on = [word for word in ("bf16", "fp16") if keys.flag(word)]
    if len(on) > 1:
        notes.append("`--bf16` and `--fp16` are both in the file: bf16 is taken")
    if on and keys.text("fp8_format", "fp8"):
        return "fp8"
    if on or rate is None or any(name.startswith("$") for name in keys.tree):  # such as `--${PRECISION}`
        return "".join(on[:1])
    notes.append("no flag says what it computes in: fp32 is Megatron's own")
    return "fp32"


def _whole(word: object) -> int:
    """A whole number of a list.

    Raises:
        Unreadable: Where it is something else.
    """
    if isinstance(word, int) and word > 0:
        return word
    raise Unreadable(f"`rampup_batch_size`: `{str(word)[:40]}` is to be a whole number above zero")


def ramped(grows: object, batch: int, steps: int) -> str:
    """A note of what a run whose batch grows has less than one whose batch is whole from the beginning.

    Args:
        grows: What `rampup_batch_size` says: from how many sequences, by how many, and over how many of the run.

    Raises:
        Unreadable: Where it says anything else.
    """
    if not isinstance(grows, list) or len(grows) != len(("from", "by", "over")):
        raise Unreadable(f"`rampup_batch_size`: `{str(grows)[:40]}` is to be from how many, by how many, over how many")
    start, step, over = (_whole(one) for one in grows)
    less = batch * steps - _ramped(start, step, over, batch, steps)
    share = f"{less / (batch * steps):.1%}".replace("%", " %")
    return f"the batch grows from {start} to {batch} sequences: the run has {less} fewer than the plan, {share}"


def _ramped(start: int, step: int, over: int, batch: int, steps: int) -> int:
    """Sequences of so many steps, of a batch that grows by equal parts of `over` sequences.

    Source: `RampupBatchsizeNumMicroBatchesCalculator` of megatron/core/num_microbatches_calculator.py.

    Raises:
        Unreadable: Where it grows in more parts than anybody means.
    """
    had, parts = 0, max((batch - start) // step, 1)
    if parts > _PARTS:
        raise Unreadable(f"`rampup_batch_size`: from {start} to {batch} by {step} are {parts} parts, {_PARTS} at most")
    for part in range(parts):
        taken = min(max(math.ceil((over * (part + 1) / parts - had) / (start + part * step)), 0), steps)
        had, steps = had + taken * (start + part * step), steps - taken
        if not steps:
            break
    return had + steps * batch


def _fall(keys: Keys, batch: int | None, steps: int | None, rate: float | None, notes: list[str]) -> Fall | None:
    """The schedule; None where no learning rate is said."""
    style, lowest = keys.text("lr_decay_style") or "linear", keys.number("min_lr") or 0.0
    warmup = _steps(keys, batch, "lr_warmup") or 0
    decay, share = _steps(keys, batch, "lr_decay"), keys.number("lr_warmup_fraction")
    last, falls = _steps(keys, batch, "lr_wsd_decay"), keys.text("lr_wsd_decay_style") or "exponential"
    if share and not warmup and (decay or steps):
        warmup = round(share * (decay or steps or 0))
    if rate is None or not rate:
        return None
    floor = lowest / rate
    if style == "constant":
        return Fall(warmup)
    if style == "WSD" and falls in _WSD and last is not None:
        return Fall(warmup, _WSD[falls], last, floor)
    if style not in _FALLS:
        raise Unreadable(f"the schedule `{style}` has no shape in a plan")
    return fall_over(decay, steps, warmup, _FALLS[style], floor, notes)


def _layout(keys: Keys) -> dict[str, Word]:
    named = {"tp": "tensor_model_parallel_size", "pp": "pipeline_model_parallel_size", "cp": "context_parallel_size",
             "ep": "expert_model_parallel_size"}  # fmt: skip
    out: dict[str, Word] = {}
    for part, name in named.items():
        count = keys.whole(name) or 1
        if count > 1 or part in UNCUT:
            out[part] = count
    if keys.whole("num_experts") and out["tp"] != 1:
        out["etp"] = keys.whole("expert_tensor_parallel_size") or out["tp"]
    if (parts := _interleaved(keys, int(str(out["pp"])))) > 1:
        out["interleave"] = parts
    if micro := keys.whole("micro_batch_size"):
        out["micro_batch"] = f"{micro} sequences"
    if keys.text("recompute_granularity") == "full":
        out["recompute"] = "full"
        keys.get("recompute_method"), keys.get("recompute_num_layers")
    elif keys.flag("checkpoint_activations"):
        out["recompute"] = "full"
    elif keys.text("recompute_granularity") == "selective" or keys.flag("recompute_activations"):
        out["recompute"] = "selective"
    if keys.flag("use_distributed_optimizer"):
        out["regime"] = "megatron"
    keys.get("sequence_parallel")
    return out


def _interleaved(keys: Keys, pp: int) -> int:
    """The parts of the layers that each device of a pipeline has: as they are counted, or by the layers of each."""
    stages = keys.tree.get("pipeline_model_parallel_layout")
    if isinstance(stages, str) and set(stages) <= {*"EtL|"}:  # as it is written, without repetitions
        keys.get("pipeline_model_parallel_layout")
        return (stages.count("|") + 1) // pp
    layers, each = keys.whole("num_layers") or 0, keys.whole("num_layers_per_virtual_pipeline_stage")
    by_layers = layers // (pp * each) if pp > 1 and each and layers % (pp * each) == 0 else 1
    return keys.whole("num_virtual_stages_per_pipeline_rank") or by_layers


def _mix(words: list[object]) -> dict[str, float]:
    """The weights of `--data-path w1 p1 w2 p2`, by the last part of each path."""
    pairs = [*zip(words[::2], words[1::2], strict=False)]
    if not pairs or not all(isinstance(weight, int | float) for weight, _ in pairs):
        return {}
    return {str(path).rstrip("/").rpartition("/")[2]: float(str(weight)) for weight, path in pairs}
