"""The arguments of `run.sh`, as bash has them, put into what Megatron core makes of them; prints some learning rates.

Its own parser is in no wheel: arguments of core's own configurations are given under their names, as it gives them,
and the others are held to the list of those that this program reads.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

sys.path.pop(0)
folder = Path(sys.argv[1])
# What its parser has beside the fields of core's configurations: megatron/training/arguments.py.
OTHERS = set(
    "seq_length max_position_embeddings position_embedding_type swiglu untie_embeddings_and_output_weights "
    "tokenizer_type vocab_size make_vocab_size_divisible_by micro_batch_size global_batch_size train_iters min_lr lr "
    "lr_warmup_iters lr_decay_iters lr_decay_style lr_wsd_decay_style lr_wsd_decay_iters data_path "
    "group_query_attention disable_bias_linear optimizer weight_decay adam_beta1 adam_beta2 adam_eps clip_grad bf16 "
    "fp16 use_distributed_optimizer sgd_momentum recompute_granularity recompute_method recompute_num_layers".split()
)
NUMBERS = (int, float)
try:
    script = (folder / "run.sh").read_text()
    script = script[: script.index("torchrun")] + 'printf "%s\\n" "${ARGUMENTS[@]}"\n'
    words = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split("\n")
    arguments, name = {}, ""
    for word in filter(None, words):
        if word.startswith("--"):
            name = word[2:].replace("-", "_")
            arguments[name] = True
        else:
            arguments[name] = word
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler
    from megatron.core.transformer import MLATransformerConfig, TransformerConfig

    kind = MLATransformerConfig if "multi_latent_attention" in arguments else TransformerConfig
    fields = {field.name: field for field in dataclasses.fields(kind)}
    renamed = {
        "num_experts": "num_moe_experts",
        "swiglu": "gated_linear_unit",
        "disable_bias_linear": "add_bias_linear",
        "fp8_format": "fp8",
    }
    told = {}
    for name, value in arguments.items():
        own = renamed.get(name, name)
        if own not in fields and name not in OTHERS:
            raise TypeError(f"unrecognized argument --{name.replace('_', '-')}")
        if own in fields and own != "data_path":
            text = str(value)
            number = text.replace(".", "", 1).replace("-", "", 1).replace("e", "", 1).isdigit()
            told[own] = value if value is True or not number else (float(text) if "." in text else int(text))
    told["add_bias_linear"] = "disable_bias_linear" not in arguments
    told["moe_layer_freq"] = eval(arguments.get("moe_layer_freq", "1"))
    told.pop("bf16", None), told.pop("fp16", None)
    if told.get("pipeline_model_parallel_size", 1) > 1:
        import torch

        told["pipeline_dtype"] = torch.bfloat16
    config = kind(**told)
    batch = int(arguments["global_batch_size"])
    if batch % int(arguments["micro_batch_size"]):
        raise ValueError("the batch is not divisible")

    class Optimizer:
        param_groups = ({"lr": 0.0},)

    steps, decay = int(arguments["train_iters"]) * batch, int(arguments.get("lr_wsd_decay_iters", 0)) * batch
    warmup = int(arguments["lr_warmup_iters"]) * batch
    schedule = OptimizerParamScheduler(
        Optimizer(),
        0.0,
        float(arguments["lr"]),
        float(arguments["min_lr"]),
        warmup,
        int(arguments["lr_decay_iters"]) * batch,
        arguments["lr_decay_style"],
        0.1,
        0.1,
        steps,
        "constant",
        wsd_decay_steps=decay or None,
        lr_wsd_decay_style=arguments.get("lr_wsd_decay_style"),
    )
    rates = []
    for at in (0, warmup, steps):
        schedule.num_steps = at
        rates.append(schedule.get_lr({"lr": 0.0}))
    out = {"layers": config.num_layers, "groups": config.num_query_groups, "rates": rates}
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
