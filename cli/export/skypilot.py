"""A run to the task of SkyPilot that holds its devices and starts a launcher on each node."""

from __future__ import annotations

from runplan.cli.export.figures import in_yaml
from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.slurm import PORT, lost_of_devices
from runplan.cli.export.training import Training, Written

# What SkyPilot calls devices, by the name in the library, where that is another.
_NAMES = {
    "h100-sxm": "H100", "h100-pcie": "H100", "h100-nvl": "H100-NVL", "h200-sxm": "H200", "a100-sxm-80": "A100-80GB",
    "a100-80gb": "A100-80GB", "a100-40gb": "A100", "b200-sxm": "B200", "mi300x": "MI300X",
}  # fmt: skip


def write(run: Training, form: Format) -> Written:
    """The task; what it trains is given to it: `sky launch task.yaml --env TRAIN='train.py --config ...'`."""
    hardware = run.hardware
    assert hardware is not None
    lost = tuple(lost_of_devices(run))
    each = min(hardware.gpus, hardware.per_node)
    command = (
        'head=$(echo "$SKYPILOT_NODE_IPS" | head -n 1)\n'
        f'timeout {hardware.seconds} torchrun --nnodes="$SKYPILOT_NUM_NODES" --nproc-per-node={each} \\\n'
        f'  --node-rank="$SKYPILOT_NODE_RANK" --master-addr="$head" --master-port={PORT} $TRAIN\n'
    )
    document = {
        "name": run.name,
        "num_nodes": hardware.nodes,
        "resources": {"accelerators": f"{_name(hardware.device)}:{each}"},
        "envs": {"TRAIN": "train.py"},
        "run": command,
    }
    return Written({form.file: comment(run, form, lost) + in_yaml(document)}, lost)


def _name(device: str) -> str:
    known = _NAMES.get(device.lower())
    return known or device.upper().removesuffix("-SXM").removesuffix("-SXM4").removesuffix("-SXM5")
