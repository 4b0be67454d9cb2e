"""`olmo_core.json`, made into OLMo-core's own configurations; prints the model's params and some learning rates."""

import json
import sys
from pathlib import Path

sys.path.pop(0)
try:
    from olmo_core.nn.transformer import TransformerConfig
    from olmo_core.train.train_module import TransformerTrainModuleConfig

    said = json.loads(Path(sys.argv[1], "olmo_core.json").read_text())
    model = TransformerConfig.from_dict(said["model"])
    module = TransformerTrainModuleConfig.from_dict(said["train_module"])
    steps, rate = said["trainer"]["max_duration"]["value"], module.optim.lr
    rates = [module.scheduler.get_lr(rate, at, steps) for at in (0, module.scheduler.warmup, steps)]
    out = {"params": model.num_params, "rates": rates, "micro_batch": module.rank_microbatch_size}
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
