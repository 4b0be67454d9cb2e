"""The program, with what its figures rest on, to a mark: equal marks give equal answers, to the last bit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

# What a result follows from; not what Python makes of it.
TOLD = (".py", ".plan", ".lark", ".txt")


@lru_cache(1)
def mark() -> str:
    """A digest of the program's files and of the version of numpy, whose functions decide the last digits."""
    from importlib.metadata import version  # to import it takes as long as half of all else, and few need a mark

    folder = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    found = blake2b(version("numpy").encode(), digest_size=16)
    for path in sorted(_files(folder)):
        with open(path, "rb") as file:
            found.update(os.path.relpath(path, folder).encode() + b"\0" + file.read() + b"\0")
    return found.hexdigest()


def _files(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(entry.path)
        elif entry.name.endswith(TOLD):
            yield entry.path
