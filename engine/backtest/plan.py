"""A run that was done to the plan that it would have had: what was known of it before it began."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.engine.runs.record import Run

# What a run may state of its speed, what says most of it first, each as a field of the plan's hardware in base units.
RATES = {"throughput": "token/s/GPU", "rate": "FLOP/s", "mfu": ""}
OBJECTIVE = "CLM of text"


def stated_rate(run: Run) -> str:
    """The entry by which a run states the speed of its steps; empty where it states none."""
    return next((key for key in RATES if run.record.figure(key) is not None), "")


def lacking(run: Run) -> str:
    """What a run does not tell, without which it cannot be planned; empty where nothing lacks."""
    return next((key for key in ("params", "tokens") if run.record.figure(key) is None), "")


def plan_of(run: Run, *, at_its_rate: bool = False) -> str:
    """The text of a plan of a run: its size, its tokens, its device and how many; what is asked for is the time.

    Where a run does not tell how many there were, its hours are what is asked for.

    Args:
        at_its_rate: Whether the plan states the rate that the run states of itself.
    """
    return "\n".join(_statements(run, at_its_rate)) + "\n"


def _statements(run: Run, at_its_rate: bool) -> Iterator[str]:
    yield f'plan "{run.name}"'
    if run.record.text("device"):
        yield f"hardware {{ {'; '.join(_hardware(run, at_its_rate))} }}"
    if run.from_weights:
        yield "start: checkpoint"
    size = {"params": run.params, "active": run.record.figure("active")}
    yield f"model {{ {'; '.join(f'{key}: {value:.15g} params' for key, value in size.items() if value)} }}"
    yield f"tokens: {run.tokens or 0.0:.15g} tokens"
    yield f"objective: {run.record.text('objective') or OBJECTIVE}"


def _hardware(run: Run, at_its_rate: bool) -> Iterator[str]:
    yield f'device: "{run.record.text("device")}"'
    yield f"precision: {run.precision}"
    yield f"gpus: {run.gpus:.15g}; time: ?" if run.gpus else "gpu_hours: ?"
    if (peak := run.record.figure("peak", run.precision)) is not None:
        yield f"peak: {peak:.15g} FLOP/s"
    if at_its_rate and (key := stated_rate(run)):
        yield f"{key}: {run.record.figure(key):.15g} {RATES[key]}".rstrip()
