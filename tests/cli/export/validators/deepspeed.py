"""`ds_config.json`, read by DeepSpeed for as many devices as are given; prints the rates of its scheduler."""

import json
import sys
from pathlib import Path

sys.path.pop(0)
folder = Path(sys.argv[1])
try:
    import torch
    from deepspeed import comm
    from deepspeed.runtime import lr_schedules
    from deepspeed.runtime.config import DeepSpeedConfig

    said = json.loads((folder / "ds_config.json").read_text())
    world = said["train_batch_size"] // said["train_micro_batch_size_per_gpu"] // said["gradient_accumulation_steps"]
    comm.get_world_size = lambda *_, **__: world
    comm.get_rank = lambda *_, **__: 0
    comm.is_initialized = lambda: True
    config = DeepSpeedConfig(said)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], **config.optimizer_params)
    schedule = getattr(lr_schedules, config.scheduler_name)(optimizer, **config.scheduler_params)
    rates = []
    for step in (0, said["scheduler"]["params"]["warmup_num_steps"], config.scheduler_params.get("total_num_steps", 9)):
        schedule.step(step)
        rates.append(optimizer.param_groups[0]["lr"])
    out = {"rates": rates, "stage": config.zero_config.stage, "batch": config.train_batch_size}
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
