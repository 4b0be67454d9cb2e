"""`config.json` and `training_args.json` of a folder, read by transformers; prints the model's params."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("ACCELERATE_USE_CPU", "true")
folder = Path(sys.argv[1])
out = {}
try:
    from transformers import AutoConfig, HfArgumentParser, TrainingArguments

    if (folder / "config.json").exists():
        config = AutoConfig.from_pretrained(folder)
        import torch
        import transformers

        kinds = json.loads((folder / "config.json").read_text())["architectures"]
        with torch.device("meta"):
            model = getattr(transformers, kinds[0])(config)
        out["params"] = sum(p.numel() for p in model.parameters())
    if (folder / "training_args.json").exists():
        said = json.loads((folder / "training_args.json").read_text())
        said.pop("fsdp", None)  # needs processes that talk to each other
        (folder / "on_cpu.json").write_text(json.dumps({**said, "use_cpu": True}))
        (arguments,) = HfArgumentParser(TrainingArguments).parse_json_file(str(folder / "on_cpu.json"))
        out["max_steps"] = arguments.max_steps
        out["warmup_steps"] = arguments.warmup_steps
        from torch import nn
        from torch.optim import SGD
        from transformers import get_scheduler

        optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=arguments.learning_rate)
        schedule = get_scheduler(
            arguments.lr_scheduler_type,
            optimizer,
            num_warmup_steps=arguments.warmup_steps,
            num_training_steps=arguments.max_steps,
            scheduler_specific_kwargs=arguments.lr_scheduler_kwargs,
        )
        of = schedule.lr_lambdas[0]
        out["rates"] = [of(0), of(arguments.warmup_steps), of(arguments.max_steps)]
except Exception as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
