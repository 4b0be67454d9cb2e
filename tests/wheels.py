"""Wheels that tests build, by the build tool of the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def built(tree: Path, folder: Path) -> Path:
    """The wheel of a project, in an empty folder; skips where the build tool is too old for the project's metadata."""
    pytest.importorskip("setuptools", minversion="77")
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", build], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
