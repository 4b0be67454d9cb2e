"""The architectures of transformers by their `model_type`: who reads each, and why some are not read."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.cli.importing.hf.decoders import DECODERS
from runplan.cli.importing.hf.encoders import ENCODERS
from runplan.cli.importing.hf.mixtures import MIXTURES
from runplan.cli.importing.hf.plain import PLAIN_DECODERS
from runplan.cli.importing.hf.sizes import Reader

KINDS: Mapping[str, Reader] = {**DECODERS, **MIXTURES, **PLAIN_DECODERS, **ENCODERS}
OF_PROTEIN = frozenset(("esm",))
_TWO = "it has an encoder and a decoder, and a plan has the fields of one stack of layers"
_STATES = "its layers keep a state instead of attending, or some of them do, and a plan has no fields of such layers"
_UNEVEN = "its layers are not alike, and a plan has the fields of one layer"
_SHARED = "its layers share their weights, and a plan counts each layer's own"
# Those that no plan has the fields of, with the reason.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        "t5 mt5 umt5 longt5 switch_transformers bart mbart pegasus led blenderbot m2m_100 marian whisper"
        " bigbird_pegasus prophetnet fsmt nllb-moe encoder-decoder t5gemma".split(), _TWO),
    **dict.fromkeys(
        "mamba mamba2 falcon_mamba jamba zamba zamba2 bamba nemotron_h rwkv recurrent_gemma qwen3_next lfm2 falcon_h1"
        " granitemoehybrid xlstm minimax kimi_linear olmo_hybrid".split(), _STATES),
    **dict.fromkeys(("openelm", "deci", "nemotron-nas", "gemma3n"), _UNEVEN),
    "albert": _SHARED,
}  # fmt: skip
