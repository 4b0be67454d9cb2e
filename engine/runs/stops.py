"""Records of fleets to how often devices may be expected to stop a run: the middle of what is known, and its spread."""

from __future__ import annotations

import math

from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices at work for some time, and what stopped them.

    Attributes:
        every: Device-hours between two stops, in GPU*second.
        own: Whether a pack brings it, and not the standard library.
    """

    record: Record
    every: float
    own: bool


@dataclass(frozen=True, slots=True)
class Stops:
    """How often devices may be expected to stop a run; log-normal.

    Attributes:
        every: Device-hours between two stops, in GPU*second, in the middle.
        spread: The standard deviation of its logarithm, for a fleet that is not among these.
    """

    every: float
    spread: float
    fleets: tuple[Fleet, ...]

    @property
    def own(self) -> tuple[Fleet, ...]:
        """The fleets of the user's own."""
        return tuple(fleet for fleet in self.fleets if fleet.own)


def stops_in(library: Library) -> Stops | None:
    """What fleets tell together; None where there are not two. One's own are the middle, and others how far it may be
    off: a fleet of one's own is nearer to the next than others are.
    """
    return library.once(_stops)


def _stops(library: Library) -> Stops | None:
    fleets = tuple(fleet for record in library.records("fleet") if (fleet := _fleet(record, library)) is not None)
    if len(fleets) < 2:
        return None
    logs = [math.log(fleet.every) for fleet in fleets]
    middle = sum(logs) / len(logs)
    variance = sum((each - middle) ** 2 for each in logs) / (len(logs) - 1)
    told = [math.log(fleet.every) for fleet in fleets if fleet.own] or logs
    return Stops(math.exp(sum(told) / len(told)), math.sqrt(variance * (1 + 1 / len(told))), fleets)


def _fleet(record: Record, library: Library) -> Fleet | None:
    """A fleet by its record: how often it stopped, or how many stops in how many device-hours; None where it is set
    aside, or does not tell.
    """
    every, stops = record.figure("failure_every"), record.figure("stops")
    hours, gpus, time = (record.figure(key) for key in ("gpu_hours", "gpus", "time"))
    hours = hours or (gpus * time if gpus and time else None)
    every = every or (hours / stops if hours and stops else None)
    if every is None or record.text("aside"):
        return None
    return Fleet(record, every, library.index("fleet")[record.name.lower()].layer != "standard")
