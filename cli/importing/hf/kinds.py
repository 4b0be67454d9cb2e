"""The architectures of transformers by their `model_type`: who reads each, and why some are not read."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.decoders import DECODERS
from runplan.cli.importing.hf.encoders import ENCODERS
from runplan.cli.importing.hf.latent import LATENT
from runplan.cli.importing.hf.mixtures import MIXTURES
from runplan.cli.importing.hf.plain import PLAIN_DECODERS
from runplan.cli.importing.hf.sizes import Reader

KINDS: Mapping[str, Reader] = {**DECODERS, **MIXTURES, **LATENT, **PLAIN_DECODERS, **ENCODERS}
OF_PROTEIN = frozenset(("esm",))
_TWO = "it has an encoder and a decoder, and a plan has the fields of one stack of layers"
_STATES = "its layers keep a state instead of attending, or some of them do, and a plan has no fields of such layers"
_UNEVEN = "its layers are not alike, and a plan has the fields of one layer"
_CHOSEN = "its attention has experts, and a plan has the fields of one attention a layer"
_DOUBLE = "its layers attend twice, and a plan has the fields of one attention a layer"
_SHARED = "its layers share their weights, and a plan counts each layer's own"
_LOOPED = "its layers are passed several times, and a plan has the fields of layers that are passed once"
_STREAMS = "several streams pass its layers side by side, and a plan has the fields of one"
_BYTES = "it reads bytes in patches, by models of their own, and a plan has the fields of one stack of layers"
# Those that no plan has the fields of, with the reason.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        "t5 mt5 umt5 longt5 switch_transformers bart mbart pegasus led blenderbot m2m_100 marian whisper"
        " bigbird_pegasus prophetnet fsmt nllb-moe encoder-decoder t5gemma blenderbot-small mvp plbart".split(), _TWO),
    **dict.fromkeys(
        "mamba mamba2 falcon_mamba jamba zamba zamba2 bamba nemotron_h rwkv recurrent_gemma qwen3_next lfm2 falcon_h1"
        " granitemoehybrid xlstm minimax kimi_linear olmo_hybrid qwen3_5 qwen3_5_text qwen3_5_moe qwen3_5_moe_text"
        " lfm2_moe lara_mini lfm3 bailing_hybrid".split(), _STATES),
    **dict.fromkeys(
        "openelm deci nemotron-nas gemma3n gemma3n_text gemma4 gemma4_text gemma4_unified_text mimo_v2_flash".split(),
        _UNEVEN),
    **dict.fromkeys("dory hrm_text inkling2_loop_text".split(), _LOOPED),
    **dict.fromkeys("deepseek_v4 hy_v4 qwen4_exp_text".split(), _STREAMS),
    "albert": _SHARED, "jetmoe": _CHOSEN, "longcat_flash": _DOUBLE, "blt": _BYTES,
}  # fmt: skip
# What `extra_params` are, where no field tells of them.
_GATES, _INDEXER = "the gates behind its attention", "the indexers that pick the tokens it attends to"
EXTRA: Mapping[str, str] = {
    "esm": "those of the layer that predicts contacts, which no loss trains",
    "afmoe": _GATES,
    "laguna": _GATES,
    "deepseek_v32": _INDEXER,
    "glm_moe_dsa": _INDEXER,
    "axk1": "the norms behind its experts",
    "bitnet": "the norms inside attention and MLPs",
    "diffllama": "the weights of its second attention maps",
    "mpnet": "the table of relative positions",
    "roformer": "the table of its rotations",
}
# Those whose experts are balanced by biases that their checkpoints have, and that may have layers which predict ahead.
BALANCED = frozenset(
    "deepseek_v3 deepseek_v32 kimi_k2 glm4_moe glm4_moe_lite glm_moe_dsa axk1 sarvam_mla sarvam_moe solar_open dots1"
    " exaone_moe hy_v3 kolibri1 afmoe laguna minimax_m2 ernie4_5_moe".split()
)
