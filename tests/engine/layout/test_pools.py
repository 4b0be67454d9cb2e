"""Pools side by side: each one's devices are judged by their own memory."""

from __future__ import annotations

import pytest
from reports import laid_out

from runplan.dsl.expr.name import quantity

MODEL = "model: 70B\ntokens: 100B\n"
TWO = "hardware: 64 x H100 for 60 days at 40% MFU + {count} x A100-40GB for 60 days at 40% MFU\n" + MODEL


@pytest.mark.parametrize(("count", "severity"), [(4, "error"), (256, "")])
def test_a_pool_whose_devices_have_too_little_memory_is_told_in_its_place(count: int, severity: str) -> None:
    report = laid_out(TWO.format(count=count))
    found = [one for one in report.findings if one.code == "H001"]
    assert [one.severity for one in found] == ([severity] if severity else [])
    for one in found:
        assert one.at.span.text.startswith(f"{count} x A100-40GB")


def test_of_the_whole_it_is_the_most_of_them() -> None:
    (solution,) = laid_out(TWO.format(count=256)).solutions
    each = [solution.values[quantity("memory_per_gpu").of("pool", pool)] for pool in ("1", "2")]
    whole = solution["memory_per_gpu"]
    assert whole.value == max(one.value for one in each)
    assert each[0].value != each[1].value


def test_a_pool_alone_needs_what_it_needs_beside_one_that_does_next_to_nothing() -> None:
    alone = (
        "hardware: 64 x H100 for 60 days at 40% MFU\nmodel: 70B\ntokens: 100B\noptimizer: AdamW { batch: 4M tokens }\n"
    )
    beside = alone.replace("40% MFU\n", "40% MFU + 1 x K80 in fp32 for 60 days at 1% MFU\n", 1)
    (one,), (two,) = laid_out(alone).solutions, laid_out(beside).solutions
    own = two.values[quantity("memory_per_gpu").of("pool", "1")]
    assert own.value == pytest.approx(one["memory_per_gpu"].value, rel=1e-3)


def test_a_requirement_and_a_layout_are_of_each_pool() -> None:
    text = TWO.format(count=256) + "layout: in fsdp2\nrequire memory_per_gpu <= 2 GB\n"
    codes = {one.code for one in laid_out(text).findings if one.severity == "error"}
    assert codes == {"B002"}


def test_what_each_pool_has_of_its_own_is_not_known_of_all_together() -> None:
    run = TWO.format(count=256) + "layout: in fsdp2\n"
    report = laid_out(f"{run}require memory_per_gpu <= usable_memory\n")
    (found,) = (one for one in report.findings if one.severity == "error")
    assert found.code == "C004" and "`usable_memory`" in found.message
    written = found.help[0].partition("`")[2].rstrip("`")
    assert not [one for one in laid_out(f"{run}{written}\n").findings if one.severity == "error"]


def test_a_stage_may_have_pools_of_its_own() -> None:
    text = (
        "model: 70B\nhardware: 256 x H100 for 60 days at 40% MFU\nstage pretrain { tokens: 100B }\n"
        "stage tune {\n  hardware: 64 x H100 for 60 days at 40% MFU + 2 x A100-40GB for 60 days at 40% MFU\n"
        "  tokens: 1B\n}\n"
    )
    found = [one for one in laid_out(text).findings if one.code == "H001" and one.severity == "error"]
    assert len(found) == 1 and "tune" in found[0].message and found[0].at.span.text.startswith("2 x A100-40GB")


def test_what_is_required_of_a_pool_is_kept_by_its_layout_or_told() -> None:
    """Each pool's own devices have a layout of their own, which is chosen by what the plan requires of that pool."""
    own = quantity("memory_per_gpu").of("pool", "2")
    (free,) = laid_out(TWO.format(count=256)).solutions
    kept = laid_out(TWO.format(count=256) + "require pool2.memory_per_gpu <= 12 GB\n")
    assert free.values[own].value > 12e9 >= kept.solutions[0].values[own].value
    assert kept.solutions[0].values[quantity("memory_per_gpu").of("pool", "1")].value > 12e9
    broken = laid_out(TWO.format(count=256) + "require pool2.memory_per_gpu <= 1 GB\n")
    assert [one.code for one in broken.findings if one.severity == "error"] == ["B002"]
    held = laid_out(TWO.format(count=256) + "require pool2.memory_per_gpu <= pool2.usable_memory\n")
    assert [one for one in held.findings if one.severity == "error"] == []
