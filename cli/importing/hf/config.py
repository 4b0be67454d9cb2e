"""A `config.json` of transformers to what it says of a run: the shape of its model."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.defaults import sizes_of
from runplan.cli.importing.hf.encoders import ENCODERS
from runplan.cli.importing.hf.kinds import BALANCED, EXTRA, KINDS, OF_PROTEIN, REFUSED
from runplan.cli.importing.hf.sizes import head_of
from runplan.cli.importing.imported import Imported
from runplan.cli.importing.keys import Keys, Unreadable, left_out
from runplan.dsl.text.nearest import did_you_mean

# What a config says of its own file, and of no model.
_OF_THE_FILE = ("transformers_version", "architectures", "model_type", "_name_or_path", "auto_map", "_runplan")
_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
# Where what sees or hears beside a language model keeps the config of that model.
_INNER = ("text_config", "llm_config", "language_config")
# Of what sees, those whose inner config may leave out what it is.
_WITHIN = {"gemma3": "gemma3_text", "llama4": "llama4_text", "mistral3": "mistral", "llava": "llama",
           "qwen2_vl": "qwen2_vl_text", "qwen2_5_vl": "qwen2_5_vl_text"}  # fmt: skip
_HEADS = ("CausalLM", "LMHeadModel", "MaskedLM", "PreTraining", "Model", "ConditionalGeneration")


def is_config(keys: Keys) -> bool:
    """Whether settings are those of a model of transformers."""
    sized = any(name in keys for name in ("hidden_size", "n_embd", "d_model"))
    if "base_model" in keys:  # axolotl's arguments say the class of the model that they begin from
        return False
    return "model_type" in keys or ("architectures" in keys and sized)


def config(keys: Keys, title: str) -> Imported:
    """A `config.json`.

    Raises:
        Unreadable: For an architecture that is not known here, or that no plan has the fields of.
    """
    whole, notes = keys, list[str]()
    kind = keys.text("model_type")
    inner = next((name for name in _INNER if isinstance(keys.tree.get(name), Mapping)), "")
    if inner:
        keys = _within(keys, inner)
        notes.append(f"the language model of `{kind}` alone: what sees or hears beside it is not counted")
        kind = keys.text("model_type") or _WITHIN.get(kind, kind)
    _refuse(kind, whole)
    keys = keys.filling(sizes_of(kind))
    model = KINDS[kind](keys)
    for name in _OF_THE_FILE:
        keys.get(name), whole.get(name)
    weights = _DTYPES.get(whole.text("dtype", "torch_dtype") or keys.text("dtype", "torch_dtype"), "")
    for name in ("torch_dtype", "num_key_value_heads", "head_dim"):
        keys.get(name), whole.get(name)
    longest = model.pop("longest", None)
    named = whole.text("_name_or_path").rstrip("/").rpartition("/")[2]
    objective = "MLM of protein" if kind in OF_PROTEIN else "MLM" if kind in ENCODERS else ""
    return Imported(
        files=(f"transformers, {kind}",),
        title=named or title,
        objective=objective,
        model=model,
        longest=int(longest) if longest else None,
        weights=weights,
        notes=(*notes, *_notes(kind, whole if inner else keys, keys)),
        left=tuple(whole.left()),
    )


def _within(keys: Keys, inner: str) -> Keys:
    """The language model's own settings, with the table that both ends share where the outer config says so."""
    found = keys.section(inner)
    if "tie_word_embeddings" in keys and "tie_word_embeddings" not in found:
        tree = {**found.tree, "tie_word_embeddings": keys.flag("tie_word_embeddings")}
        found = keys.below[inner] = Keys(tree, found.path)
    return found


def _refuse(kind: str, keys: Keys) -> None:
    """Raise where no reader knows an architecture, with the reason."""
    if kind in KINDS and not keys.flag("is_encoder_decoder"):
        return
    why = REFUSED.get(kind) or (REFUSED["t5"] if keys.flag("is_encoder_decoder") else "")
    if why:
        raise Unreadable(f"the architecture `{kind[:40]}` has no place in a plan: {why}")
    near = did_you_mean(kind, KINDS)
    alike = f"{len(KINDS)} are read: where it has the layers of one, such as `llama`, say that as its `model_type`"
    raise Unreadable(f"unknown architecture `{kind[:40]}`; {near[0] if near else alike}")


def _notes(kind: str, outer: Keys, keys: Keys) -> list[str]:
    """What a reader has to know of what was read."""
    notes = list[str]()
    named = head_of(outer)
    if named and not named.endswith(_HEADS):
        notes.append(f"the head of `{named}` is not counted: a plan has that of its objective")
    if kind in EXTRA:
        notes.append(f"`extra_params` are {EXTRA[kind]}")
    if kind in BALANCED:
        notes.append("the biases that balance the experts are counted, as checkpoints have them")
    ahead = [keys.whole(name) for name in ("num_nextn_predict_layers", "num_mtp_modules")]
    if any(ahead):
        notes.append("without the layers that predict tokens further ahead")
    return [*notes, *left_out(keys, "its class in transformers")]
