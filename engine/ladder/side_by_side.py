"""Runs and the devices that there are into how many each takes, and how long all take side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence


def devices(work: float, alone: float, room: float | None, most: float, each: int = 1) -> int:
    """How many devices a run takes: a power of two, or of nodes, so that it takes about as long as all take together.

    Args:
        work: Seconds that it takes on one device.
        alone: Seconds that it should take.
        room: Devices that there are; None where nothing says.
        most: Beyond so many each has less than one sequence of a batch.
        each: Devices that are bought together.
    """
    wanted = each * 2 ** max(0, round(math.log2(max(work / alone / each, 1.0))))
    while wanted > each and wanted > min(most, math.inf if room is None else room):
        wanted //= 2
    return int(wanted)


def finished(runs: Sequence[tuple[int, float]], room: float | None) -> float:
    """Seconds until the last of runs ends, the longest started first, each as soon as its devices are free.

    Args:
        runs: Of each the devices and the seconds.
        room: Devices that there are; None where all have room at once.
    """
    if room is None or sum(gpus for gpus, _ in runs) <= room:
        return max((seconds for _, seconds in runs), default=0.0)
    free: list[tuple[float, int]] = [(0.0, int(room))]  # from when, so many devices
    last = 0.0
    for gpus, seconds in sorted(runs, key=lambda run: (-run[1], -run[0])):
        start, needed, left = 0.0, gpus, []
        for at, count in sorted(free):
            taken = min(count, needed)
            needed -= taken
            start = at if taken else start
            if count > taken:
                left.append((at, count - taken))
        last = max(last, start + seconds)
        free = [*left, (start + seconds, gpus)]
    return last
