"""The modules of an installed package from one file, `modules.bin`, in place of a file each.

To find, open and look at a file for each of two hundred modules takes a tenth of what a check of a small plan does. The
wheel has all of them in one file, too, as the Python that built it compiled them, those that are always used together
as one piece. Where that is another Python, where it leaves out assertions, and where there is no such file, as in an
editable install, modules are found as ever. docs/design/0018-the-library-as-an-image.md tells more.
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

    # Of a module its name, whether it is a package, its code, and that of the constructors of its dataclasses.
    Part = tuple[str, bool, CodeType, dict[str, CodeType]]
    # Where the parts of a piece begin, and how long they are together.
    Place = tuple[int, int]
else:
    ModuleSpec, ModuleType = type(__spec__), type(sys)

# What the file begins with: compiled code is of one version of Python.
MARK = f"runplan modules 2 {sys.implementation.cache_tag} {sys.version_info.releaselevel}\n".encode()
IMAGE = "modules.bin"
SIZE = 8
# Where a module has the code of its constructors: dsl/dataclass.py.
CONSTRUCTORS = "__constructors__"


class Modules:
    """Finds and loads the modules that an image has.

    Args:
        file: A descriptor of it.
        root: The folder of the package.
        places: The piece of each module, by its name: its own, or one with what it always needs, it last of them.
        begins: Where the first piece does.
    """

    def __init__(self, file: int, root: str, places: Mapping[str, Place], begins: int) -> None:
        self._file, self._root, self._places, self._begins = file, root, places, begins
        self._pieces: dict[Place, list[Part]] = {}
        self._read: dict[str, Part] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where a module is found; None for one that the image does not have."""
        if name not in self._places:
            return None
        for part in self._piece(name):
            if part[0] == name:
                break
            if part[0] not in sys.modules:
                self._import(part)
        return self._spec(name)

    def create_module(self, spec: ModuleSpec) -> None:
        """A module as Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module, after those that it always needs."""
        self._run(module, self._read[module.__name__])

    def get_code(self, name: str) -> CodeType:
        """The code of a module, which says in which file it stands."""
        self._piece(name)
        return self._read[name][2]

    def _piece(self, name: str) -> list[Part]:
        """The modules that are always used together with one, in the order in which each finds what it needs."""
        place = self._places[name]
        if place not in self._pieces:
            self._pieces[place] = marshal.loads(os.pread(self._file, place[1], self._begins + place[0]))
            self._read |= {part[0]: part for part in self._pieces[place]}
        return self._pieces[place]

    def _import(self, part: Part) -> None:
        """Import a module as Python does, whose own imports are all there, or in pieces before."""
        name = part[0]
        above, _, own = name.rpartition(".")
        if above not in sys.modules:  # a package of such a piece
            __import__(above)
        module = ModuleType(name)
        module.__spec__ = spec = self._spec(name)
        module.__loader__, module.__package__ = self, name if part[1] else above  # type: ignore[assignment]
        if part[1]:
            module.__path__ = spec.submodule_search_locations  # type: ignore[assignment]
        sys.modules[name] = module
        try:
            self._run(module, part)
        except BaseException:
            del sys.modules[name]
            raise
        setattr(sys.modules[above], own, module)

    def _run(self, module: ModuleType, part: Part) -> None:
        name, is_package, code, constructors = part
        path = self._path(name, is_package)
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
        module.__file__ = path
        module.__dict__[CONSTRUCTORS] = constructors
        exec(code, module.__dict__)

    def _spec(self, name: str) -> ModuleSpec:
        is_package = self._read[name][1]
        path = self._path(name, is_package)
        spec = ModuleSpec(name, self, origin=path, is_package=is_package)  # type: ignore[arg-type]
        if is_package:
            spec.submodule_search_locations = [path[: path.rindex(os.sep)]]
        return spec

    def _path(self, name: str, is_package: bool) -> str:
        return path_of(self._root, name, is_package)


def path_of(root: str, name: str, is_package: bool) -> str:
    """The file of a module of the package in a folder."""
    inner = name.partition(".")[2].replace(".", os.sep)
    return f"{root}{os.sep}{inner}{os.sep if inner and is_package else ''}{'__init__' if is_package else ''}.py"


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
