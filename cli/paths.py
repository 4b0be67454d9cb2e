"""Paths of the command line to plan files and the reader that gives their bytes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from runplan.cli.outcome import CannotRun
from runplan.dsl.text.limits import MAX_BYTES
from runplan.dsl.text.reader import Buffer, Disk, Reader, project_root

ENDINGS = (".plan", ".plan.yaml", ".plan.yml")


class NotFound(CannotRun):
    """A path that is not there, or a folder without a plan."""


def plan_files(paths: Sequence[str]) -> list[str]:
    """The plan files of files and folders, each once, in order; `-` is kept for standard input.

    Raises:
        NotFound: For a path that is not there, and where no plan was found.
    """
    found: dict[str, None] = {}
    for path in paths or ["."]:
        if path == "-":
            found[path] = None
        elif os.path.isdir(path):
            found.update(dict.fromkeys(_below(path)))
        elif os.path.exists(path):
            found[path] = None
        else:
            raise NotFound(f"no such file or folder: {path}")
    if not found:
        raise NotFound(f"no plan found in {', '.join(paths or ['.'])}; plans end in {', '.join(ENDINGS)}")
    return list(found)


def _below(folder: str) -> Iterator[str]:
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(files):
            if name.endswith(ENDINGS):
                yield os.path.normpath(os.path.join(base, name))


def reader_for(path: str, stdin_filename: str | None) -> tuple[str, Reader]:
    """The name of a plan and the reader that gives it; `-` reads standard input.

    Raises:
        NotFound: Where standard input is asked for without a name for it.
    """
    if path != "-":
        return path, Disk(project_root(Path(path)))
    if not stdin_filename:
        raise NotFound("`-` reads standard input: say what it is with --stdin-filename NAME.plan")
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    return stdin_filename, Buffer(stdin_filename, content, Disk(project_root(Path(stdin_filename))))
