"""The arguments of `run.sh`, as bash has them, put through Megatron-LM's own parser, and what it makes of them into
what Megatron core makes of that; prints some learning rates."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

sys.path.pop(0)
folder = Path(sys.argv[1])
PARSER = Path(__file__).with_name("megatron_parser.py")


def parsed(words, devices):
    """What the parser makes of arguments on so many devices; it raises where the parser refuses them."""
    done = subprocess.run([sys.executable, str(PARSER), str(devices), *words], capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{done.stdout[-1500:]}{done.stderr[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


try:
    script, _, start = (folder / "run.sh").read_text().partition("torchrun")
    nodes, devices = (start.split(f"{flag}=")[1].split()[0].strip('"') for flag in ("--nnodes", "--nproc-per-node"))
    world = int(nodes.strip("${}").rpartition(":-")[2]) * int(devices)
    script += 'printf "%s\\n" "${ARGUMENTS[@]}"\n'
    lines = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split("\n")
    told = parsed([word for line in lines for word in line.split()], world)
    arguments = told["arguments"]

    import torch
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler
    from megatron.core.transformer import MLATransformerConfig, TransformerConfig

    kind = {one.__name__: one for one in (TransformerConfig, MLATransformerConfig)}[told["kind"]]
    fields = {field.name for field in dataclasses.fields(kind)}
    own = {name: value for name, value in told["config"].items() if name in fields}
    config = kind(**own, pipeline_dtype=torch.bfloat16)
    batch = arguments["global_batch_size"]

    class Optimizer:
        param_groups = ({"lr": 0.0},)

    steps, decay = arguments["train_iters"] * batch, arguments.get("lr_wsd_decay_iters", 0) * batch
    warmup = arguments["lr_warmup_iters"] * batch
    schedule = OptimizerParamScheduler(
        Optimizer(),
        0.0,
        arguments["lr"],
        arguments["min_lr"],
        warmup,
        arguments["lr_decay_iters"] * batch,
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
    out |= {"dropout": [config.hidden_dropout, config.attention_dropout], "copies": arguments["data_parallel_size"]}
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print(json.dumps(out))
