"""What annotations are made of, as of `typing`, for what it costs at run time: nothing.

Type checkers see `typing`'s. At run time annotations are texts that nobody reads, and to import `typing` takes as long
as to define all of our own classes: here a name only holds its place.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Generic, Literal, Protocol, Self, TypeVar
else:

    class _Form:
        """Something of which annotations are made."""

        def __getitem__(self, parts):
            return self

        def __or__(self, other):
            return self

        __ror__ = __or__

    Any = IO = Literal = Self = _Form()
    Protocol = object

    class Generic:
        """A base of classes that are of something: they are the same class of anything."""

        __slots__ = ()

        def __class_getitem__(cls, parts):
            return cls

    def TypeVar(name, *constraints, bound=None):
        """What stands for a type in annotations."""
        return Any


__all__ = ["IO", "TYPE_CHECKING", "Any", "Generic", "Literal", "Protocol", "Self", "TypeVar"]
