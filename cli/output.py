"""Texts to where they were asked for: standard output, or a file by `-o FORMAT=FILE`."""

from __future__ import annotations

import os
import sys


def split(option: str) -> tuple[str, str | None]:
    """The format and, after `=`, the file of an `-o` option."""
    name, _, file = option.partition("=")
    return name, file or None


def write(text: str, file: str | None) -> None:
    """Write a text that ends with its line.

    Raises:
        OSError: Where the file cannot be written.
    """
    if file is None:
        sys.stdout.write(text)
        return
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)


def use_color(stream_is_terminal: bool) -> bool:
    """Whether to colour, by NO_COLOR, FORCE_COLOR and whether a person is looking."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream_is_terminal and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    import shutil

    return shutil.get_terminal_size((80, 24)).columns
