"""What a format is told of where its text goes."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """How a text may look; a format that is no picture, such as JSON, ignores it.

    Attributes:
        width: Columns of the terminal.
        color: Whether ANSI styles are wanted.
        details: Whether all that there is to say is wanted, or what a screen has room for.
    """

    width: int = 80
    color: bool = False
    details: bool = False


PLAIN = Look()
