"""The standard library to its image, as a wheel is built: `python -m runplan.dsl.packs.make_image PATH`."""

from __future__ import annotations

import sys

from runplan.dsl.packs.image import written
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.standard import from_files


def image_of(library: Library) -> bytes:
    """The image of what a library is by its files; they have no mistake."""
    packs = {source.path.partition("/")[2]: library.shelf.read(source).pack for source in library.shelf.sources}
    return written(packs, {law.span: law.dims for law in library.laws()})


def main(path: str) -> None:
    """Write the image to a file."""
    with open(path, "wb") as stream:
        stream.write(image_of(from_files()))


if __name__ == "__main__":
    main(sys.argv[1])
