"""The modules of the package to their image, as a wheel is built: `python -m runplan.make_modules PATH`."""

from __future__ import annotations

import marshal
import os
import sys

from runplan.modules import MARK, SIZE

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from runplan.modules import Place


def image_of(root: str) -> bytes:
    """The image of the modules in a folder, which is a package, and in the packages in it."""
    places: dict[str, Place] = {}
    parts: list[bytes] = []
    size = 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        for file in sorted(file for file in files if file.endswith(".py")):
            path = os.path.relpath(os.path.join(folder, file), root)
            with open(os.path.join(folder, file), encoding="utf-8") as stream:
                code = marshal.dumps(compile(stream.read(), path, "exec", dont_inherit=True, optimize=0))
            names = ["runplan", *path.removesuffix(".py").split(os.sep)]
            is_package = names[-1] == "__init__"
            places[".".join(names[:-1] if is_package else names)] = (is_package, path, size, len(code))
            parts.append(code)
            size += len(code)
    head = marshal.dumps(places)
    return b"".join((MARK, len(head).to_bytes(SIZE, "little"), head, *parts))


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as stream:
        stream.write(image_of(os.path.dirname(os.path.abspath(__file__))))
