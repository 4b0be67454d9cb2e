"""What is told of the layouts that a model may have on its devices: the first of them, and why the others fall out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Scope
from runplan.dsl.types import Literal

# Whether a layout has room: for sure, for some frameworks, or not.
Fits = Literal["fits", "tight", "does not fit"]
# What keeps a layout from being among the first: it has no room, a step takes longer, or it is as fast, as far as that
# is known, and others of its kind come before it.
Why = Literal["memory", "bubble", "links", "work", "alike"]
# What is computed again, by the number that `recompute` has in `quantities.plan`.
RECOMPUTES = {0.0: "none", 0.5: "selective", 1.0: "full"}


@dataclass(frozen=True, slots=True)
class Ends:
    """A figure in base units, and the interval that it lies in."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A layout with what it comes to.

    Attributes:
        figures: By name: `tp`, `pp`, `cp`, `ep`, `dp`, `micro_batch`, `accumulate`, `recompute`, and `shard` where the
            framework leaves it open.
        text: It in a line, without what is one.
        memory: Of a device, in byte: allocated at the least, reserved at the most, and what lies between.
        time: Of a step, in second; None where nothing tells what the devices reach.
        mfu: What it gives, as a share.
    """

    figures: Mapping[str, float]
    text: str
    fits: Fits
    memory: Ends
    time: Ends | None
    mfu: Ends | None


@dataclass(frozen=True, slots=True)
class Fallen:
    """A layout that is not among the first, and what keeps it from that.

    Attributes:
        by: How far: memory needed over what there is, or the time a token over that of the first.
    """

    text: str
    why: Why
    by: float


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to say of the layouts of a run: see `Layouts`."""

    first: tuple[Choice, ...] = ()
    fallen: tuple[Fallen, ...] = ()
    undivided: tuple[str, ...] = ()
    tried: int = 0


class Layouts:
    """The layouts of a run on its devices, worked out where something of them is first shown.

    Attributes:
        fits: Whether the first of them has room.
        scope: The stage, and the pool, that they are of; nothing where there is but one.
        regime: One under which there is room for sure, where the plan names none and whether there is hangs on it;
            empty where there is no such.
    """

    def __init__(self, fits: Fits, told: Callable[[], Told], scope: Scope = (), regime: str = "") -> None:
        self.fits, self._tell, self.scope, self.regime = fits, told, scope, regime

    def of(self, scope: Scope) -> Layouts:
        """The same as those of a part."""
        return Layouts(self.fits, lambda: self._told, scope, self.regime)

    @cached_property
    def _told(self) -> Told:
        return self._tell()

    @property
    def first(self) -> tuple[Choice, ...]:
        """The best of each kind, by time a token, those with room before those that are tight."""
        return self._told.first

    @property
    def fallen(self) -> tuple[Fallen, ...]:
        """The others, the nearest first."""
        return self._told.fallen

    @property
    def undivided(self) -> tuple[str, ...]:
        """What cannot be, since it does not divide, as sentences."""
        return self._told.undivided

    @property
    def tried(self) -> int:
        """How many there were, with every micro-batch and all that may be computed again."""
        return self._told.tried

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layouts) or self._known != other._known:
            return False
        return self._told == other._told

    def __hash__(self) -> int:
        return hash(self._known)

    @property
    def _known(self) -> tuple[Fits, Scope, str]:
        """What is known of them before any is told."""
        return self.fits, self.scope, self.regime

    def __reduce__(self) -> tuple[Callable[[Fits, Told, Scope, str], Layouts], tuple[Fits, Told, Scope, str]]:
        return _worked_out, (self.fits, self._told, self.scope, self.regime)


def _worked_out(fits: Fits, told: Told, scope: Scope, regime: str) -> Layouts:
    """Layouts of which all is told: what another process is sent."""
    return Layouts(fits, lambda: told, scope, regime)
