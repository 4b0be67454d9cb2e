"""Virtual environments of what is measured: this checkout as a wheel, and each peer in one of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SCHEMA = """\
{"type": "object", "required": ["hardware"], "properties": {
 "hardware": {"type": "object"}, "data": {"type": "object"}, "require": {"type": "array"}}}
"""
LLM_ANALYSIS = """\
import contextlib, io
from llm_analysis.analysis import train
with contextlib.redirect_stdout(io.StringIO()):
    train(model_name="decapoda-research_llama-7b-hf", gpu_name="a100-sxm-80gb", total_num_tokens=2e12,
          total_num_gpus=64, dp_size=64, ds_zero=3, batch_size_per_gpu=1, seq_len=2048, flops_efficiency=0.4)
"""
CHINCHILLA = """\
from chinchilla import Chinchilla
Chinchilla.allocate_compute(1e24, {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28})
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that a user may hold runplan to.

    Attributes:
        package: As pip calls it.
        arguments: What it is called with, its interpreter's script first; paths are from where the plans lie.
    """

    package: str
    arguments: tuple[str, ...]


PEERS = (
    Peer("yamllint", ("yamllint", "-d", "relaxed", "p30.plan.yaml")),
    Peer("check-jsonschema", ("check-jsonschema", "--schemafile", "schema.json", "p30.plan.yaml")),
    Peer("llm-analysis", ("python", "-c", LLM_ANALYSIS)),
    Peer("chinchilla", ("python", "-c", CHINCHILLA)),
)


class NotInstalled(Exception):
    """Raised for what pip cannot install; it says why."""


def of_checkout(folder: Path) -> Path:
    """The `bin` of an environment with the wheel of this checkout, as its files are now.

    Raises:
        NotInstalled: Where it cannot be built.
    """
    place = made(folder / "runplan")
    _pip(place, "install", "-q", "-U", "pip")
    _pip(place, "wheel", "-q", "--no-deps", "-w", str(folder / "wheels"), str(ROOT))
    (wheel,) = (folder / "wheels").glob("runplan-*.whl")
    _pip(place, "install", "-q", str(wheel))
    return place


def of_peer(peer: Peer, folder: Path) -> Path:
    """The `bin` of an environment with a peer; one that was kept is used again.

    Raises:
        NotInstalled: Where it cannot be installed.
    """
    place = bin_of(folder / peer.package)
    if place.exists() and version(place, peer.package):
        return place
    made(folder / peer.package)
    _pip(place, "install", "-q", peer.package)
    return place


def made(folder: Path) -> Path:
    """The `bin` of a new environment."""
    venv.create(folder, clear=True, with_pip=True)
    return bin_of(folder)


def bin_of(folder: Path) -> Path:
    """Where the commands of an environment are."""
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def version(place: Path, package: str) -> str:
    """The version of a package in an environment; empty where it is not there."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(place / "python"), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _pip(place: Path, *arguments: str) -> None:
    done = subprocess.run([str(place / "python"), "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled((done.stderr.strip().splitlines() or ["pip failed"])[-1])
