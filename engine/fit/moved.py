"""A law that was fitted before and one that is now into what moved between them."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.pack import Law


@dataclass(frozen=True, slots=True)
class Moved:
    """A constant that both have.

    Attributes:
        before, after: As the formula counts it.
        error: The standard error that it had before; None where it had none.
    """

    name: str
    before: float
    after: float
    error: float | None

    @property
    def by(self) -> float | None:
        """How many of those standard errors it moved by."""
        return (self.after - self.before) / self.error if self.error else None


def moved(before: Law, after: Law) -> tuple[Moved, ...]:
    """The constants of both laws; those that say how far off the law may be have no middle that could move."""
    return tuple(
        Moved(name, old.value, new.value, old.error)
        for name, new in after.constants.items()
        if (old := before.constants.get(name)) is not None
        and old.value is not None
        and new.value is not None
        and not name.startswith(("misfit", "drift"))
    )
