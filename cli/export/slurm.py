"""A run to the batch script of Slurm that holds its devices and starts a launcher on each node."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.training import Hardware, Said, Training, Written

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
PORT = 29500


def write(run: Training, form: Format) -> Written:
    """The script; what it starts is given to it: `sbatch run.sbatch train.py --config ...`."""
    hardware = run.hardware
    assert hardware is not None
    lost = tuple(lost_of_devices(run))
    options = "".join(f"#SBATCH --{option}\n" for option in _options(run, hardware))
    said = comment(run, form, lost)
    text = f"#!/bin/bash\n{options}\n{said}{_COMMAND.format(port=PORT, devices=_per_node(hardware))}"
    return Written({form.file: text}, lost)


def lost_of_devices(run: Training) -> Iterator[Said]:
    """Devices that do not fill their nodes: a job has as many on each."""
    hardware = run.hardware
    assert hardware is not None
    if hardware.gpus > hardware.per_node and hardware.gpus % hardware.per_node:
        told = f"{hardware.gpus:,} devices in nodes of {hardware.per_node}: the last node is not full"
        yield run.lost("pools", told, f"have {hardware.nodes * hardware.per_node:,} devices", "hardware")


def _per_node(hardware: Hardware) -> int:
    return min(hardware.gpus, hardware.per_node)


def _options(run: Training, hardware: Hardware) -> Iterator[str]:
    yield f"job-name={run.name}"
    yield f"nodes={hardware.nodes}"
    yield "ntasks-per-node=1"
    yield f"gpus-per-node={_per_node(hardware)}"
    yield "exclusive"
    yield f"time={_time(hardware.seconds)}"
    if hardware.begin:
        yield f"begin={hardware.begin}"
    if hardware.end:
        yield f"deadline={hardware.end}"
    yield "output=%x-%j.log"


def _time(seconds: int) -> str:
    """As days-hours:minutes:seconds."""
    days, rest = divmod(seconds, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    return f"{days}-{hours:02d}:{minutes:02d}:{left:02d}"


_COMMAND = """\
set -euo pipefail
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun torchrun --nnodes="$SLURM_NNODES" --nproc-per-node={devices} --rdzv-id="$SLURM_JOB_ID" \\
  --rdzv-backend=c10d --rdzv-endpoint="$head:{port}" "$@"
"""
