"""Wheels: those that tests build, by the build tool of the environment, and whether the tests run beside one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BESIDE_A_WHEEL = os.environ.get("RUNPLAN_WHEEL") == "1"

needs_repository = pytest.mark.skipif(BESIDE_A_WHEEL, reason="about the repository; the tests run beside a wheel")


def built(tree: Path, folder: Path) -> Path:
    """The wheel of a project, in an empty folder; skips where the build tool is too old for the project's metadata."""
    pytest.importorskip("setuptools", minversion="77")
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", build], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
