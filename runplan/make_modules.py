"""The modules of the package to their image, as a wheel is built: `python -m runplan.make_modules PATH`."""

from __future__ import annotations

import ast
import importlib
import inspect
import marshal
import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import constructor_of
from runplan.modules import MARK, SIZE, path_of

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from types import CodeType

    from runplan.modules import Part, Place

# The modules that are read as one piece with all that they import, but for what is in a piece before. None of them
# imports a third party, which may not be there where a wheel is built.
TOGETHER = (
    "runplan.cli.arguments",  # every verb
    "runplan.engine.pipeline",  # who reads a plan
    "runplan.dsl.syntax.parse",  # who has no tree of it yet
    "runplan.engine.judge.changes",  # a check of what does not hold
    "runplan.cli.show.findings.full",  # a check that finds something
    "runplan.engine.analysis.intervals",  # who tells how sure a value is
    "runplan.cli.show.text.figures",  # who shows values
    "runplan.cli.show.text.terminal",  # and draws them
    "runplan.engine.decide.alone",  # `explain`, and `compare`
    "runplan.cli.show.report.terminal",  # `solve`
    "runplan.engine.comparison.compare",  # `compare`
    "runplan.cli.show.comparison.terminal",
    "runplan.cli.show.derivation.explained",  # `explain`
    "runplan.cli.show.derivation.terminal",
)


def _is_for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def code_of(source: str, path: str) -> CodeType:
    """The code of a module as Python compiles it, under any `-O`."""
    tree = _MadeOnce().visit(ast.parse(source, path))
    code: CodeType = compile(tree, path, "exec", dont_inherit=True, optimize=0)
    return code


class _MadeOnce(ast.NodeTransformer):
    """Makes each dataclass by `dataclass(...)` as its metaclass, and not anew by that as its decorator."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """The class, and those in it."""
        self.generic_visit(node)
        maker = node.decorator_list[-1] if node.decorator_list else None
        is_ours = isinstance(maker, ast.Call) and isinstance(maker.func, ast.Name) and maker.func.id == "dataclass"
        if maker is not None and is_ours and all(one.arg != "metaclass" for one in node.keywords):
            node.decorator_list.pop()
            node.keywords.append(ast.keyword("metaclass", maker))
            ast.fix_missing_locations(node)
        return node


def in_order(name: str, sources: Mapping[str, str]) -> Iterator[str]:
    """A module and all that it imports when it is imported, each after what it imports itself.

    Args:
        sources: The texts of all modules of the package.
    """
    seen: set[str] = set()

    def each(name: str) -> Iterator[str]:
        if name in seen or name not in sources:
            return
        seen.add(name)
        yield from each(name.rpartition(".")[0])
        for needed in _imported(ast.parse(sources[name]).body):
            yield from each(needed)
        yield name

    return each(name)


def _imported(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that may be modules, of what is imported as a module is run."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If):
            yield from _imported(node.orelse if _is_for_checkers(node) else [*node.body, *node.orelse])


def constructors_of(name: str) -> dict[str, CodeType]:
    """The code of the constructors of a module's dataclasses, by their qualified names; the module is imported."""
    module = importlib.import_module(name)
    own = (cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == name)
    return {cls.__qualname__: constructor_of(cls) for cls in own if "__fields__" in cls.__dict__}


def image_of(root: str) -> bytes:
    """The image of the modules in a folder, which is a package, and in the packages in it."""
    sources: dict[str, str] = {}
    packages: set[str] = set()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for file in sorted(file for file in files if file.endswith(".py")):
            inner = os.path.relpath(os.path.join(folder, file), root).removesuffix(".py").split(os.sep)
            name = ".".join(("runplan", *(inner[:-1] if inner[-1] == "__init__" else inner)))
            packages |= {name} if inner[-1] == "__init__" else set()
            with open(os.path.join(folder, file), encoding="utf-8") as stream:
                sources[name] = stream.read()
    places: dict[str, Place] = {}
    pieces: list[bytes] = []
    size = 0
    for head in (*TOGETHER, *sources):
        names = [head] if head not in TOGETHER else [name for name in in_order(head, sources) if name not in places]
        if head in places:
            continue
        parts: list[Part] = [
            (
                name,
                name in packages,
                code_of(sources[name], path_of("", name, name in packages)[1:]),
                constructors_of(name) if head in TOGETHER else {},
            )
            for name in names
        ]
        pieces.append(marshal.dumps(parts))
        places |= dict.fromkeys(names, (size, len(pieces[-1])))
        size += len(pieces[-1])
    index = marshal.dumps(places)
    return b"".join((MARK, len(index).to_bytes(SIZE, "little"), index, *pieces))


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as stream:
        stream.write(image_of(os.path.dirname(os.path.abspath(__file__))))
