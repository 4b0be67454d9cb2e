"""The modules of an installed package from one file, `modules.bin`, in place of a file each.

To find, open and check a file for each of two hundred modules takes a quarter of what a check of a small plan does. The
wheel has all of them in one file, too, as the Python that built it compiled them. Where that is another one, where it
leaves out assertions, and where there is no such file, as in an editable install, modules are found as ever.
docs/design/0018-the-library-as-an-image.md tells more.
"""

from __future__ import annotations

import _imp
import marshal
import os
import sys

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    # Whether it is a package, its path beside the image, and where its code begins, and how long it is.
    Place = tuple[bool, str, int, int]
else:
    ModuleSpec = type(__spec__)

# What the file begins with: compiled code is of one version of Python.
MARK = f"runplan modules 1 {sys.implementation.cache_tag} {sys.version_info.releaselevel}\n".encode()
IMAGE = "modules.bin"
SIZE = 8


class Modules:
    """Finds and loads the modules that an image has."""

    def __init__(self, file: int, root: str, places: Mapping[str, Place], begins: int) -> None:
        self._file, self._root, self._places, self._begins = file, root, places, begins

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where a module is found; None for one that the image does not have."""
        place = self._places.get(name)
        if place is None:
            return None
        spec = ModuleSpec(name, self, origin=self._path(place), is_package=place[0])  # type: ignore[arg-type]
        spec.has_location = True
        if place[0]:
            spec.submodule_search_locations = [os.path.dirname(self._path(place))]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """A module as Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        """The code of a module, which says in which file it stands."""
        place = self._places[name]
        code: CodeType = marshal.loads(os.pread(self._file, place[3], self._begins + place[2]))
        _imp._fix_co_filename(code, self._path(place))  # type: ignore[attr-defined]
        return code

    def _path(self, place: Place) -> str:
        return os.path.join(self._root, place[1])


def install() -> None:
    """Find the modules of the package in its image from now on, where it has one that this Python can load."""
    root = os.path.dirname(os.path.abspath(__file__))
    there = any(isinstance(finder, Modules) for finder in sys.meta_path)
    if there or sys.flags.optimize or not hasattr(os, "pread"):
        return
    try:
        file = os.open(os.path.join(root, IMAGE), os.O_RDONLY)
    except OSError:
        return
    head = os.read(file, len(MARK) + SIZE)
    if not head.startswith(MARK):
        os.close(file)
        return
    size = int.from_bytes(head[len(MARK) :], "little")
    sys.meta_path.insert(0, Modules(file, root, marshal.loads(os.read(file, size)), len(head) + size))
