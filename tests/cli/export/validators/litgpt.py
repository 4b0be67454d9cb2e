"""`pretrain.yaml`, read as `litgpt pretrain --config` reads it; prints the model's params."""

import json
import sys
from pathlib import Path

sys.path.pop(0)
folder = Path(sys.argv[1])
try:
    import torch
    from jsonargparse import ArgumentParser
    from litgpt.model import GPT
    from litgpt.pretrain import setup

    parser = ArgumentParser(exit_on_error=False)
    parser.add_function_arguments(setup, as_positional=False)
    read = parser.instantiate_classes(parser.parse_path(folder / "pretrain.yaml"))
    with torch.device("meta"):
        model = GPT(read.model_config)
    if read.train.tie_embeddings:
        model.lm_head.weight = model.transformer.wte.weight
    steps = read.train.max_tokens / (read.train.global_batch_size * read.train.max_seq_length)
    out = {
        "params": sum(p.numel() for p in model.parameters()),
        "steps": steps,
        "batch": read.train.global_batch_size,
        "accumulate": read.train.gradient_accumulation_iters(read.devices, read.num_nodes),
        "rate": read.optimizer["init_args"]["lr"],
    }
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
