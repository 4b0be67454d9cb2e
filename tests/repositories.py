"""Throw-away git repositories for tests of what is read out of one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# Nothing of the machine that the tests run on has a say.
_SETTINGS = {
    "user.name": "A. Planner",
    "user.email": "a@planner.example",
    "init.defaultBranch": "main",
    "commit.gpgSign": "false",
    "core.hooksPath": "/dev/null",
    "gc.auto": "0",
}
_OPTIONS = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]


def git(folder: Path, *words: str) -> str:
    """What git says; the environment says nothing to it."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    around |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *_OPTIONS, *words], cwd=folder, env=around, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """An empty repository in a folder, with its links followed."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    return folder.resolve()


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files by their paths."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def commit(folder: Path, files: dict[str, str] | None = None, message: str = "a step") -> str:
    """Write files, commit all that there is, and give the name of the commit."""
    write(folder, files or {})
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")
