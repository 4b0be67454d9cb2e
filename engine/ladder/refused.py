"""Why no ladder can be designed for a plan, by kind."""

from __future__ import annotations

from runplan.dsl.text.errors import RunplanError
from runplan.dsl.types import Literal

Reason = Literal["plan", "stages", "start", "family", "surface", "budget", "spelling"]


class NoLadder(RunplanError):
    """Raised for a plan that small runs cannot be designed for; the message says why, and what helps.

    Attributes:
        reason: `plan` it has no solution, `stages` it has no such stage, `start` it begins from weights, `family`
            nothing tells what its model is made of, `surface` no law of it gives a loss over size and tokens,
            `budget` it is too small for three sizes, `spelling` what `--set` says cannot be written out.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
