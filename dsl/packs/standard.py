"""The standard library: by its image, where the package has one, else by its files."""

from __future__ import annotations

import os

from runplan.dsl.packs.image import IMAGE, Image
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.shelf import Shelf, pack_files
from runplan.dsl.text.installation import STANDARD
from runplan.dsl.text.reader import Disk, decoded
from runplan.dsl.text.source import Span

# What stands before the paths of its files.
SHOWN = "stdlib"


def is_standard(span: Span) -> bool:
    """Whether a definition stands in the standard library."""
    return span.source.path.startswith(f"{SHOWN}/")


def standard() -> Library:
    """The standard library: by its image, where the package has one; else as its files are now."""
    try:
        with open(os.path.join(STANDARD, IMAGE), "rb") as stream:
            return from_image(stream.read())
    except (OSError, ValueError):
        return from_files()


def from_image(data: bytes) -> Library:
    """The standard library by its image.

    Raises:
        ValueError: For what is no image, or one of another version.
    """
    return Library(Shelf((), Image(data, SHOWN, _text)))


def from_files() -> Library:
    """The standard library, as its files are now. It is rooted at itself."""
    return Library(Shelf(pack_files(Disk(STANDARD), "", SHOWN, "standard")))


def _text(path: str) -> str:
    """A text of the standard library."""
    source, _ = decoded(path, Disk(STANDARD).read(path))
    return source.text
