"""What `re` makes of the expressions of a check, as a wheel is built: `python -m runplan.make_patterns PATH`."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from importlib import import_module
from re import _compiler, _parser  # type: ignore[attr-defined]

from runplan.dsl.syntax.driver import patterns_of
from runplan.dsl.syntax.plan_tables import TABLES
from runplan.dsl.text.pattern import mark, pattern
from runplan.dsl.types import Any

# The modules that import all that a check does, but for PyYAML, which need not be there where a wheel is built.
WAYS = (
    *("runplan.cli.verbs.check", "runplan.engine.pipeline", "runplan.cli.show.findings.full"),
    *("runplan.dsl.syntax.parse", "runplan.dsl.syntax.yaml_scalars"),
)
# The text of an expression and its flags; and what `_sre.compile` takes behind the text: all flags, the code, how many
# groups there are, the number of each name, and the name of each number.
Expression = tuple[str, int]
Code = tuple[int, bytes, int, dict[str, int], tuple[str | None, ...]]


def expressions() -> Iterator[Expression]:
    """The expressions of the modules on the way of a check, and those of the grammar."""
    for name in WAYS:
        import_module(name)
    for name, module in sorted(sys.modules.items()):
        if name.startswith("runplan."):
            yield from ((one._text, int(one._flags)) for value in vars(module).values() for one in _within(value))
    yield from ((text, 0) for text in patterns_of(TABLES))


def _within(value: object) -> Iterator[Any]:
    """The expressions of a name of a module: itself, or those of a table."""
    if type(value) is pattern:
        yield value
    elif type(value) is tuple:
        for part in value:
            yield from _within(part)


def code_of(text: str, flags: int) -> Code:
    """What `re` makes of an expression."""
    parsed = _parser.parse(text, flags)
    numbers = parsed.state.groupdict
    names: list[str | None] = [None] * parsed.state.groups
    for name, number in numbers.items():
        names[number] = name
    code = array("I", _compiler._code(parsed, flags)).tobytes()
    return int(flags) | parsed.state.flags, code, parsed.state.groups - 1, numbers, tuple(names)


def main(path: str) -> None:
    """Write the module to a file."""
    codes = {(text, flags): code_of(text, flags) for text, flags in expressions()}
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"MARK = {mark()!r}\nCODES = {codes!r}\n")


if __name__ == "__main__":
    main(sys.argv[1])
