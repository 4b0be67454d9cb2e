"""A run to a Job of Kubernetes with a pod a node, and the service by which they find each other."""

from __future__ import annotations

import re

from runplan.cli.export.figures import in_yaml
from runplan.cli.export.formats import Format
from runplan.cli.export.header import comment
from runplan.cli.export.slurm import PORT, lost_of_devices
from runplan.cli.export.training import Hardware, Training, Written

# The longest name of an object from which a pod's is made.
_NAME = 52
# The resource by which a cluster counts devices, by what the name of a device begins with.
_RESOURCES = {"mi": "amd.com/gpu", "gaudi": "habana.ai/gaudi", "tpu": "google.com/tpu"}


def write(run: Training, form: Format) -> Written:
    """The manifest: two objects in one file."""
    hardware = run.hardware
    assert hardware is not None
    lost = tuple(lost_of_devices(run))
    said = comment(run, form, lost)
    name = (re.sub(r"[^a-z0-9]+", "-", run.name.lower())[:_NAME].strip("-")) or "run"
    job = in_yaml(_job(name, hardware))
    return Written({form.file: f"{said}{in_yaml(_service(name))}---\n{job}"}, lost)


def resource(device: str) -> str:
    """The resource of a device, such as `nvidia.com/gpu`."""
    return next((found for start, found in _RESOURCES.items() if device.lower().startswith(start)), "nvidia.com/gpu")


def _service(name: str) -> dict[str, object]:
    ports = [{"name": "rendezvous", "port": PORT}]
    spec = {"clusterIP": "None", "selector": {"job-name": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _job(name: str, hardware: Hardware) -> dict[str, object]:
    each = min(hardware.gpus, hardware.per_node)
    command = (
        f"torchrun --nnodes={hardware.nodes} --nproc-per-node={each} --node-rank=$JOB_COMPLETION_INDEX "
        f"--rdzv-id={name} --rdzv-backend=c10d --rdzv-endpoint={name}-0.{name}:{PORT} $TRAIN"
    )
    container = {
        "name": "train",
        "image": "IMAGE",
        "command": ["bash", "-c", command],
        "env": [{"name": "TRAIN", "value": "train.py"}],
        "resources": {"limits": {resource(hardware.device): each}},
        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],
    }
    pod = {
        "subdomain": name,
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
    }
    spec = {
        "completions": hardware.nodes,
        "parallelism": hardware.nodes,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "activeDeadlineSeconds": hardware.seconds,
        "template": {"metadata": {"labels": {"job-name": name}}, "spec": pod},
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}
