"""`config_registry.py`, loaded by torchtitan as it is when a run is started; prints the model's params."""

import json
import sys
from pathlib import Path

sys.path.pop(0)
folder = Path(sys.argv[1])
package = folder / "exported"
package.mkdir(exist_ok=True)
(package / "__init__.py").write_text("")
(package / "config_registry.py").write_text((folder / "config_registry.py").read_text())
sys.path.insert(0, str(folder))
try:
    import torch
    from torchtitan.config.manager import ConfigManager

    config = ConfigManager().parse_args(["--module", "exported", "--config", "run", *sys.argv[2:]])
    with torch.device("meta"):
        model = config.model_spec.model.build()
    schedule = config.lr_scheduler
    out = {
        "params": sum(p.numel() for p in model.parameters()),
        "steps": config.training.steps,
        "batch": config.training.global_batch_size,
        "warmup": schedule.warmup_steps,
        "rate": config.optimizer.param_groups[0].optimizer_kwargs["lr"],
        "tp": config.parallelism.tensor_parallel_degree,
    }
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
