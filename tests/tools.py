"""The real tools that exports are held to: each in an environment of its own, below the folder RUNPLAN_TOOLS.

`python tests/tools.py FOLDER [NAME...]` makes these environments. A test of a tool that is not there is skipped.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

# What pip installs for a tool, and the module by which it is known to be there. torch is that of a CPU.
TOOLS = {
    "hf": ("transformers", ["torch==2.13.0", "transformers==5.24.0", "accelerate"]),
    "kubernetes": ("kubernetes_validate", ["kubernetes-validate"]),
    "deepspeed": ("deepspeed", ["torch==2.13.0", "deepspeed"]),
    "litgpt": ("litgpt", ["torch==2.13.0", "litgpt", "jsonargparse[signatures]"]),
    "torchtitan": ("torchtitan", ["torch==2.13.0", "torchtitan", "triton", "torchao"]),
    "olmo-core": ("olmo_core", ["torch==2.13.0", "ai2-olmo-core"]),
    "megatron": ("flag_scale", ["torch==2.13.0", "megatron-core", "flag-scale"]),
    "nanotron": ("nanotron", ["torch==2.13.0", "nanotron", "transformers<5", "datasets<4", "triton"]),
    "skypilot": ("sky", ["skypilot"]),
}
# Debian's packages of which sbatch is made, unpacked without being installed.
SLURM = ("slurm-client", "libslurm38", "slurm-wlm-basic-plugins", "munge", "libmunge2")
_VALIDATORS = Path(__file__).parent / "cli" / "export" / "validators"


def validated(tool: str, files: Mapping[str, str], folder: Path) -> tuple[bool, str]:
    """Whether a tool reads some files, and what it said; the test is skipped where there is no such tool.

    The tool's program in `validators/` is given the folder with the files. It prints JSON at its end, and exits 1
    where the tool refuses them.
    """
    python = python_of(tool)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HOME": str(folder), "CUDA_DEVICE_MAX_CONNECTIONS": "1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [python, str(_VALIDATORS / f"{tool.replace('-', '_')}.py"), str(folder)],
        capture_output=True, text=True, env=environment, cwd=folder, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise AssertionError(done.stderr[-4000:])
    return done.returncode == 0, done.stdout.strip() or done.stderr


def told(said: str) -> dict[str, object]:
    """What a validator printed at its end."""
    found: dict[str, object] = json.loads(said.splitlines()[-1])
    return found


def sbatch() -> tuple[str, dict[str, str]]:
    """Slurm's sbatch and the environment that it needs; the test is skipped where there is none."""
    root = Path(os.environ.get("RUNPLAN_TOOLS", "/nowhere")) / "slurm"
    found = root / "usr" / "bin" / "sbatch"
    if found.exists():
        libraries = root / "usr" / "lib" / "x86_64-linux-gnu"
        plugins = f"{libraries}/slurm-wlm"
        return str(found), {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{plugins}", "PLUGINS": plugins}
    own = shutil.which("sbatch")
    if own is None:
        pytest.skip("no sbatch: set RUNPLAN_TOOLS")
    return own, {**os.environ, "PLUGINS": "/usr/lib/x86_64-linux-gnu/slurm-wlm"}


def python_of(tool: str) -> str:
    """The interpreter of a tool's environment; the test is skipped where there is none."""
    module = TOOLS[tool][0]
    there = Path(os.environ.get("RUNPLAN_TOOLS", "/nowhere")) / tool / "bin" / "python"
    if there.exists():
        return str(there)
    if importlib.util.find_spec(module.partition(".")[0]) is not None:
        return sys.executable
    pytest.skip(f"no {module}: set RUNPLAN_TOOLS")


def make(folder: str, *names: str) -> None:
    """Make the environments of some tools, or of all."""
    for name in names or (*TOOLS, "slurm"):
        at = Path(folder) / name
        at.mkdir(parents=True, exist_ok=True)
        if name == "slurm":
            subprocess.run(["apt-get", "download", *SLURM], cwd=at, check=True)
            for package in at.glob("*.deb"):
                subprocess.run(["dpkg", "-x", str(package), str(at)], check=True)
        else:
            subprocess.run([sys.executable, "-m", "venv", str(at)], check=True)
            subprocess.run([str(at / "bin" / "python"), "-m", "pip", "install", "-q", *TOOLS[name][1]], check=True)


if __name__ == "__main__":
    make(*sys.argv[1:])
