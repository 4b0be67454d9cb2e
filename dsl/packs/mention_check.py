"""A run and a schedule of a pack held to what they mention: a device and its peak, the shapes of phases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from runplan.dsl.packs.devices import named_as, one_of
from runplan.dsl.packs.pack import Record, ScheduleShape
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.words import listing


def unknown_device(
    run: Record, devices: Mapping[str, str], record: Callable[[str, str], Record | None]
) -> Iterator[Finding]:
    """A device of a run that there is not, or that has no peak at the run's precision.

    Args:
        devices: The device of each name and alias.
        record: The record of a kind and name, where there is one.
    """
    if not (name := run.text("device")):
        return
    precision, at = run.text("precision"), {entry.key: entry.span for entry in run.entries}
    device = record("device", name)
    if device is None:
        help, fixes = one_of(name, devices), named_as(at["device"], name, devices)
        yield finding("N002", f"unknown device `{name}`", at["device"], help=help, fixes=fixes)
    elif precision and not any(one.entry("peak", precision) for one in (run, device)):
        peaks = [entry.qualifier for entry in device.entries if entry.key == "peak"]
        message = f"`{name}` has no {precision} peak"
        yield finding("N002", message, at["precision"], help=[f"the peaks of `{name}` are {listing(peaks)}"])


def unknown_shapes(schedule: ScheduleShape, shapes: Collection[str]) -> Iterator[Finding]:
    """The phases of a schedule whose shape there is not.

    Args:
        shapes: The names of those that there are, in lower case.
    """
    for phase in schedule.phases:
        if phase.shape.lower() not in shapes:
            help = did_you_mean(phase.shape, shapes)
            fixes = respelled(phase.span, phase.shape, shapes)
            yield finding("N002", f"unknown shape `{phase.shape}`", phase.span, help=help, fixes=fixes)
