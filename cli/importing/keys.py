"""The settings of a file, which know what of them was read: what is left over is said, and never dropped in silence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.text.errors import RunplanError

Tree = Mapping[str, object]


class Unreadable(RunplanError):
    """Raised for a configuration of which no plan can be made; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping of settings, by name, with those of its sections below it.

    Attributes:
        path: Of a section, its keys from the top, with dots.
        defaults: What the tool takes where the file does not have a name.
        taken: The names that were read so far; it grows, and so does `filled`, what was taken from the defaults.
    """

    tree: Tree
    path: str = ""
    defaults: Tree = field(default_factory=dict)
    taken: set[str] = field(default_factory=set, compare=False)
    filled: dict[str, object] = field(default_factory=dict, compare=False)
    below: dict[str, Keys] = field(default_factory=dict, compare=False)

    def __contains__(self, name: str) -> bool:
        return self.tree.get(name) is not None

    def get(self, *names: str) -> object:
        """The first setting of these names that there is, else its default; None where it is null, or there is none."""
        self.taken.update(names)
        name = next((name for name in names if self.tree.get(name) is not None), None)
        if name is not None:
            return self.tree[name]
        name = next((name for name in names if name in self.defaults), None)
        if name is None or any(name in self.tree for name in names):
            return None
        self.filled[name] = self.defaults[name]
        return self.defaults[name]

    def section(self, name: str) -> Keys:
        """A section; an empty one where there is none."""
        if name not in self.below:
            self.taken.add(name)
            found = self.tree.get(name)
            tree = found if isinstance(found, Mapping) else {}
            self.below[name] = Keys(tree, f"{self.path}{name}.")
        return self.below[name]

    def filling(self, defaults: Tree) -> Keys:
        """The same settings, with what the tool takes where they are not there."""
        return replace(self, defaults=defaults)

    def whole(self, *names: str) -> int | None:
        """A whole number; None where there is none.

        Raises:
            Unreadable: Where it is something else.
        """
        found = self.number(*names)
        if found is None:
            return None
        if found != int(found) or found < 0:
            raise Unreadable(f"`{self.path}{names[0]}` is {found:g}, and is to be a whole number")
        return int(found)

    def number(self, *names: str) -> float | None:
        """A number; None where there is none.

        Raises:
            Unreadable: Where it is something else.
        """
        found = self.get(*names)
        return None if found is None else _number(found, f"{self.path}{names[0]}")

    def needed(self, *names: str) -> int:
        """A whole number above zero that there has to be.

        Raises:
            Unreadable: Where it is not there, or something else.
        """
        found = self.whole(*names)
        if not found:
            raise Unreadable(f"`{self.path}{names[0]}` is not there, and the shape cannot be told without it")
        return found

    def flag(self, *names: str, otherwise: bool = False) -> bool:
        """Whether a setting is on."""
        found = self.get(*names)
        if found is None:
            return otherwise
        # A variable of a shell behind a flag is no value of it.
        return (
            found
            if isinstance(found, bool)
            else str(found).lower() in ("true", "1", "yes", "on") or str(found)[:1] == "$"
        )

    def text(self, *names: str) -> str:
        """A setting as a text; empty where there is none."""
        found = self.get(*names)
        return "" if found is None else str(found)

    def list(self, *names: str) -> list[object]:
        """A setting as a list; empty where there is none."""
        found = self.get(*names)
        return [*found] if isinstance(found, list | tuple) else []

    def figures(self, *names: str) -> tuple[float, ...]:
        """A setting that is a list of numbers; empty where there is none.

        Raises:
            Unreadable: Where one of them is something else.
        """
        return tuple(_number(one, f"{self.path}{names[0]}") for one in self.list(*names))

    def left(self) -> Iterator[tuple[str, object]]:
        """The settings that were not read, with their path."""
        for name, value in self.tree.items():
            if name in self.below:
                yield from self.below[name].left()
            elif name not in self.taken and isinstance(value, Mapping) and value:
                yield from Keys(value, f"{self.path}{name}.").left()
            elif name not in self.taken:
                yield f"{self.path}{name}", value


def _number(found: object, path: str) -> float:
    """A finite number.

    Raises:
        Unreadable: Where it is something else.
    """
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    try:
        number = found if isinstance(found, float) else float(str(found))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable(f"`{path}` is `{str(found)[:40]}`, and is to be a number")
    return number


def left_out(keys: Keys, reader: str) -> Iterator[str]:
    """A note of what a file leaves out, and its reader has a default for; none where that is nothing."""
    if keys.filled:
        told = ", ".join(f"{name} {str(value).lower()}" for name, value in keys.filled.items())
        yield f"the file leaves out what {reader} has as a default: {told}"
