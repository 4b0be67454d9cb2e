"""What a device has of memory: as its driver counts it where that is known, else as it is sold."""

from __future__ import annotations

import pytest
from known import LIBRARY
from reports import laid_out

from runplan.dsl.expr.tree import Num

MIB, GIB = 2**20, 2**30


@pytest.mark.parametrize(
    ("hardware", "installed"),
    [
        ("1 x H100 for ?", 81_559 * MIB),
        ("1 x A100-40GB for ?", 40_960 * MIB),
        ("1 x MI325X for ?", 256 * GIB),  # sold as 256 GB, and nobody tells what its driver counts
        ("1 x TPU-v5p for ?", 95 * GIB),
    ],
)
def test_a_device_has_what_its_driver_counts(hardware: str, installed: float) -> None:
    (solution,) = laid_out(f"hardware: {hardware} at 40% MFU\nmodel: 1B\ntokens: 1B\n").solutions
    assert solution["installed_memory"].value == pytest.approx(installed)
    assert solution["usable_memory"].value == pytest.approx(installed - GIB)


@pytest.mark.parametrize(
    ("said", "installed"),
    [
        ("memory: 96 GB", 96 * GIB),  # as sold, and not what the record of the H100 says
        ("memory: 96 GiB", 96 * GIB),
        ("memory: 90.2 GB", 90.2e9),
        ("installed_memory: 80000 MiB", 80_000 * MIB),
    ],
)
def test_what_the_plan_says_of_memory_is_taken(said: str, installed: float) -> None:
    text = f"hardware {{ gpus: 1; device: H100; time: ?; mfu: 40%; {said} }}\nmodel: 1B\ntokens: 1B\n"
    (solution,) = laid_out(text).solutions
    assert solution["installed_memory"].value == pytest.approx(installed)


def test_a_driver_counts_what_is_sold_or_a_little_less() -> None:
    for device in LIBRARY.records("device"):
        figures = [device.entry(key) for key in ("memory", "installed_memory")]
        sold, counted = (entry.values[0] if entry is not None else None for entry in figures)
        if isinstance(sold, Num) and isinstance(counted, Num):
            assert 0.93 < counted.value / (sold.value * 1.073741824) <= 1.0, device.name
