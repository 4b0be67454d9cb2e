"""The phases of a schedule to what trainers know: a rise, a stretch at the peak, one fall."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.export.training import Curve, Phase, Said, Training
from runplan.dsl.dataclass import dataclass

_FLAT, _TOP = ("constant", "step"), 1.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """A learning rate that rises in a line from nothing, stays, and falls once.

    Attributes:
        warmup, stable, decay: Steps of each; their sum is that of the run.
        curve: Of the fall; `constant` where there is none.
        floor: Where it ends, as a share of the peak.
    """

    warmup: int
    stable: int
    decay: int
    curve: Curve
    floor: float


def ramp_of(run: Training, curves: Sequence[Curve], *, stable: bool) -> tuple[Ramp, tuple[Said, ...]]:
    """The schedule as a rise, a stay and a fall, and what of it is lost that way.

    Args:
        curves: The falls that the trainer knows, the one that stands for the others first.
        stable: Whether it knows a stretch at the peak between the rise and the fall.
    """
    phases = [phase for phase in run.phases if phase.steps]
    warmup = phases.pop(0).steps if phases and _rises(phases[0]) else 0
    held = 0
    while phases and _stays(phases[0]):
        held += phases.pop(0).steps
    rest = sum(phase.steps for phase in phases)
    first, last = (phases[0], phases[-1]) if phases else (None, None)
    curve: Curve = first.curve if first else "constant"
    floor = last.end if last else _TOP
    told = ", ".join(f"{phase.name} {phase.steps:,} steps {phase.curve or 'of its own shape'}" for phase in run.phases)
    known = curves[0]
    if not phases:
        return Ramp(warmup, held, 0, "constant", _TOP), ()
    is_one = len(phases) == 1 and first is not None and first.start == _TOP and first.end <= _TOP
    if is_one and curve in curves and (stable or not held):
        return Ramp(warmup, held, rest, curve, floor), ()
    whose = "the schedule" if "schedule" in run.places else "the schedule that is assumed, none being given"
    instead = f"warmup, {'constant, ' if stable else ''}{' or '.join(curves)}"
    lost = run.lost("schedule", f"{whose}: {told}", f"write phases of {instead}: `--allow-loss` writes {known}")
    if stable:
        return Ramp(warmup, held, rest, known, min(floor, _TOP)), (lost,)
    return Ramp(warmup, 0, held + rest, known, min(floor, _TOP)), (lost,)


def _rises(phase: Phase) -> bool:
    return phase.start == 0.0 and phase.end == _TOP and phase.curve == "linear"


def _stays(phase: Phase) -> bool:
    return phase.curve in _FLAT and phase.start == phase.end == _TOP
