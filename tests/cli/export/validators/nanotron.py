"""`nanotron.yaml`, read by nanotron 0.4, the last in a wheel, but for what came after it.

What it needs of a GPU to be imported is stood for by empty modules.
"""

import importlib.machinery
import json
import logging
import sys
import types
from pathlib import Path

sys.path.pop(0)
import yaml

# What came after it; and its optimizer's settings had no section of their own.
NEWER = {"": ["data_stages"], "parallelism": ["context_parallel_size", "recompute_layer"]}


class Empty(types.ModuleType):
    """A module that has whatever is asked of it."""

    __path__ = ()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


for name in ("flash_attn", "flash_attn.layers", "flash_attn.layers.rotary", "flash_attn.bert_padding",
             "flash_attn.flash_attn_interface", "flash_attn.ops", "flash_attn.ops.triton",
             "flash_attn.ops.triton.layer_norm", "flash_attn.modules", "functorch.dim", "grouped_gemm"):  # fmt: skip
    sys.modules[name] = Empty(name)
    sys.modules[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
# Of 0.4 the module of logs imports the configuration, which imports it.
logs = Empty("nanotron.logging")
logs.get_logger, logs.human_format, logs.log_rank = logging.getLogger, str, print
sys.modules["nanotron.logging"] = logs
try:
    from nanotron.config import get_config_from_file

    said = yaml.safe_load(Path(sys.argv[1], "nanotron.yaml").read_text())
    for section, names in NEWER.items():
        for name in names:
            (said[section] if section else said).pop(name)
    factory = said["optimizer"].pop("optimizer_factory")
    said["optimizer"] |= {name: value for name, value in factory.items() if name != "name"}
    old = Path(sys.argv[1], "old.yaml")
    old.write_text(yaml.safe_dump(said))
    config = get_config_from_file(str(old))
    tokens, rates = config.tokens, config.optimizer.learning_rate_scheduler
    out = {
        "steps": tokens.train_steps,
        "batch": config.parallelism.dp * tokens.micro_batch_size * tokens.batch_accumulation_per_replica,
        "decay": [rates.lr_decay_starting_step, rates.lr_decay_steps],
        "tp": config.parallelism.tp,
    }
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
