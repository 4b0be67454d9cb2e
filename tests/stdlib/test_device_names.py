"""Devices by the names that people have: of drivers, clouds, frameworks and data sheets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import LIBRARY

from runplan.dsl.expr.name import quantity
from runplan.dsl.packs.devices import meant, one_of
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

DEVICES = LIBRARY.devices

# As `nvidia-smi`, `rocm-smi`, `hl-smi` and `jax.devices()` print it.
BY_DRIVERS = {
    "NVIDIA A100-SXM4-80GB": "a100-sxm-80gb",
    "NVIDIA A100-SXM4-40GB": "a100-sxm-40gb",
    "NVIDIA A100 80GB PCIe": "a100-pcie-80gb",
    "NVIDIA A100-PCIE-40GB": "a100-pcie-40gb",
    "NVIDIA A800-SXM4-80GB": "a800-sxm-80gb",
    "NVIDIA A800 80GB PCIe": "a800-pcie-80gb",
    "NVIDIA A800 80GB PCIe LC": "a800-pcie-80gb",
    "NVIDIA H100 80GB HBM3": "h100-sxm",
    "NVIDIA H100 80GB HBM2e": "h100-pcie",
    "NVIDIA H100 PCIe": "h100-pcie",
    "NVIDIA H100 NVL": "h100-nvl",
    "NVIDIA H200": "h200-sxm",
    "NVIDIA H200 NVL": "h200-nvl",
    "NVIDIA H20": "h20",
    "NVIDIA H20-3e": "h20-141gb",
    "NVIDIA H800": "h800-sxm",
    "NVIDIA H800 PCIe": "h800-pcie",
    "NVIDIA GH200 480GB": "gh200",
    "NVIDIA GH200 120GB": "gh200",
    "NVIDIA GH200 144G HBM3e": "gh200-144gb",
    "NVIDIA B200": "b200-sxm",
    "NVIDIA B300 SXM6 AC": "b300-sxm",
    "NVIDIA GB200": "gb200",
    "NVIDIA GB300": "gb300",
    "NVIDIA A10": "a10",
    "NVIDIA A10G": "a10g",
    "NVIDIA A2": "a2",
    "NVIDIA A30": "a30",
    "NVIDIA A40": "a40",
    "NVIDIA L4": "l4",
    "NVIDIA L20": "l20",
    "NVIDIA L40": "l40",
    "NVIDIA L40S": "l40s",
    "NVIDIA RTX A6000": "rtx-a6000",
    "NVIDIA RTX 6000 Ada Generation": "rtx-6000-ada",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "rtx-pro-6000-server",
    "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": "rtx-pro-6000",
    "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition": "rtx-pro-6000-max-q",
    "NVIDIA GeForce RTX 3080": "rtx-3080",
    "NVIDIA GeForce RTX 3090": "rtx-3090",
    "NVIDIA GeForce RTX 4080": "rtx-4080",
    "NVIDIA GeForce RTX 4090": "rtx-4090",
    "NVIDIA GeForce RTX 5080": "rtx-5080",
    "NVIDIA GeForce RTX 5090": "rtx-5090",
    "Tesla T4": "t4",
    "Tesla K80": "k80",
    "Tesla P100-SXM2-16GB": "p100-sxm2-16gb",
    "Tesla P100-PCIE-16GB": "p100-pcie-16gb",
    "Tesla V100-SXM2-16GB": "v100-sxm2-16gb",
    "Tesla V100-SXM2-32GB": "v100-sxm2-32gb",
    "Tesla V100-SXM3-32GB": "v100-sxm2-32gb",
    "Tesla V100-PCIE-16GB": "v100-pcie-16gb",
    "Tesla V100-PCIE-32GB": "v100-pcie-32gb",
    "Tesla V100S-PCIE-32GB": "v100s-pcie-32gb",
    "AMD Instinct MI100": "mi100",
    "AMD Instinct MI210": "mi210",
    "AMD INSTINCT MI250 (MCM) OAM AC MBA": "mi250",
    "AMD Instinct MI250X": "mi250x",
    "AMD Instinct MI300A": "mi300a",
    "AMD Instinct MI300X OAM": "mi300x",
    "AMD Instinct MI300X VF": "mi300x",
    "AMD Instinct MI308X": "mi308x",
    "AMD Instinct MI325X": "mi325x",
    "AMD Instinct MI350X": "mi350x",
    "AMD Instinct MI355X": "mi355x",
    "HL-205": "gaudi",
    "HL-225": "gaudi2",
    "HL-325L": "gaudi3",
    "Intel(R) Data Center GPU Max 1550": "max-1550",
    "TPU v2": "tpu-v2",
    "TPU v3": "tpu-v3",
    "TPU v4": "tpu-v4",
    "TPU v5 lite": "tpu-v5e",
    "TPU v5e": "tpu-v5e",
    "TPU v5": "tpu-v5p",
    "TPU v5p": "tpu-v5p",
    "TPU v6 lite": "tpu-v6e",
    "TPU v6e": "tpu-v6e",
    "TPU7x": "tpu-v7",
}
# As clouds, their clusters and their sellers call it.
BY_CLOUDS = {
    "nvidia-tesla-t4": "t4",
    "nvidia-tesla-p100": "p100-pcie-16gb",
    "nvidia-tesla-v100": "v100-sxm2-16gb",
    "nvidia-tesla-a100": "a100-sxm-40gb",
    "nvidia-a100-80gb": "a100-sxm-80gb",
    "nvidia-h100-80gb": "h100-sxm",
    "nvidia-h100-mega-80gb": "h100-sxm",
    "nvidia-h200-141gb": "h200-sxm",
    "nvidia-b200": "b200-sxm",
    "nvidia-gb200": "gb200",
    "nvidia-l4": "l4",
    "nvidia-rtx-pro-6000": "rtx-pro-6000-server",
    "NVIDIA-A100-SXM4-40GB": "a100-sxm-40gb",
    "NVIDIA-H100-80GB-HBM3": "h100-sxm",
    "tpu-v4-podslice": "tpu-v4",
    "tpu-v5-lite-podslice": "tpu-v5e",
    "tpu-v5-lite-device": "tpu-v5e",
    "tpu-v5p-slice": "tpu-v5p",
    "tpu-v6e-slice": "tpu-v6e",
    "v5litepod": "tpu-v5e",
    "Trillium": "tpu-v6e",
    "Ironwood": "tpu-v7",
    "AWS Trainium2": "trainium2",
    "AWS Inferentia2": "inferentia2",
    "Trn1": "trainium1",
    "Inf2": "inferentia2",
}
# As data sheets print it, and as it is written in a hurry.
AS_WRITTEN = {
    "NVIDIA® H100™ Tensor Core GPU": "h100-sxm",
    "H100 SXM5": "h100-sxm",
    "H100SXM": "h100-sxm",
    "HGX H100": "h100-sxm",
    "h100_80g": "h100-sxm",
    "H100-80GB": "h100-sxm",
    "A100 SXM 80 GB": "a100-sxm-80gb",
    "A100 40GB": "a100-sxm-40gb",
    "A100-40GB SXM4": "a100-sxm-40gb",
    "Tesla V100": "v100-sxm2-32gb",
    "GB200 NVL72": "gb200",
    "AMD Instinct™ MI300X Accelerator": "mi300x",
    "MI300": "mi300x",
    "Habana Gaudi2": "gaudi2",
    "Intel® Gaudi® 3 AI accelerator": "gaudi3",
    "Google Cloud TPU v5e": "tpu-v5e",
    "TPUv4": "tpu-v4",
    "TPU v8": "tpu-v8t",
    "TPU 8i": "tpu-v8i",
    "4090": "rtx-4090",
    "RTX4090": "rtx-4090",
    "A6000": "rtx-a6000",
    "RTX A6000 48GB": "rtx-a6000",
}


@pytest.mark.parametrize(("name", "device"), {**BY_DRIVERS, **BY_CLOUDS, **AS_WRITTEN}.items())
def test_a_device_goes_by_the_names_that_people_have(name: str, device: str) -> None:
    record = LIBRARY.record("device", name)
    assert record is not None and record.name == device


@pytest.mark.parametrize("name", BY_DRIVERS)
def test_what_a_driver_prints_is_one_device(name: str) -> None:
    """It names a family in few cases, those in which the driver itself says no more."""
    found = meant(name, DEVICES)
    assert found is not None
    assert not found.others or name in ("NVIDIA H200", "NVIDIA H20", "NVIDIA H800", "TPU v5")


@pytest.mark.parametrize("name", DEVICES)
def test_each_name_of_a_device_means_it(name: str) -> None:
    found = meant(name, DEVICES)
    assert found is not None and found.name == DEVICES[name]


# Names that only one cloud gives a form, where others mean the family by them.
ONE_CLOUDS = ("nvidia-tesla-a100", "nvidia-tesla-v100", "nvidia-tesla-p100", "nvidia-rtx-pro-6000")
VENDORS = ("", "NVIDIA ", "nvidia-", "NVIDIA® Tesla® ", "AMD Instinct(TM) ", "Google Cloud ", "Intel(R) Habana ")


@given(
    st.sampled_from(sorted(set(DEVICES) - set(ONE_CLOUDS))),
    st.sampled_from(VENDORS),
    st.sampled_from((" ", "-", "_", "  ")),
    st.sampled_from((str.lower, str.upper, str)),
    st.sampled_from(("", " GPU", " (accelerator)")),
)
def test_case_dashes_and_vendors_do_not_matter(
    name: str, vendor: str, between: str, case: Callable[[str], str], end: str
) -> None:
    written = case(vendor + name.replace("-", " ").replace(" ", between) + end)
    found = meant(written, DEVICES)
    assert found is not None and found.name == DEVICES[name], written


@pytest.mark.parametrize(
    ("name", "device", "others"),
    [
        ("A100", "a100-sxm-80gb", {"a100-sxm-40gb", "a100-pcie-40gb", "a100-pcie-80gb"}),
        ("H100", "h100-sxm", {"h100-pcie", "h100-nvl"}),
        ("V100", "v100-sxm2-32gb", {"v100-sxm2-16gb", "v100-pcie-16gb", "v100-pcie-32gb"}),
        ("MI300", "mi300x", {"mi300a"}),
        ("TPU v5", "tpu-v5p", {"tpu-v5e"}),
        ("A100 80GB", "a100-sxm-80gb", {"a100-pcie-80gb"}),
        ("A100 PCIe", "a100-pcie-80gb", {"a100-pcie-40gb"}),
        ("A10", "a10", set()),
        ("L40", "l40", set()),
        ("A6000", "rtx-a6000", set()),
        ("H100 80GB HBM3", "h100-sxm", set()),
    ],
)
def test_a_name_of_a_family_is_its_usual_form(name: str, device: str, others: set[str]) -> None:
    found = meant(name, DEVICES)
    assert found is not None
    assert (found.name, set(found.others)) == (device, others)


@pytest.mark.parametrize(
    "name",
    [
        *("A100-20GB", "A100 96GB", "H100 96GB", "H100 PCIe 94GB", "A100 SXM HBM3", "L40S SXM", "T4 80GB"),
        *("NVIDIA-H100-80GB-HBM3-MIG-1g.10gb", "NVIDIA GeForce RTX 3080 Laptop GPU", "NVIDIA GeForce RTX 4090 D"),
        *("TPU v4 lite", "H20 NVL16", "RTX 6000", "AMD Instinct MI250X / MI250", "X100", "B2000", "V1000", "A10M"),
        *("", "NVIDIA", "GPU", "80GB", "TPU"),
    ],
)
def test_a_variant_that_is_not_here_is_no_other(name: str) -> None:
    assert meant(name, DEVICES) is None


@pytest.mark.parametrize("name", ["H100 96GB", "X100", "A100-20GB", "B2000", "V1000", "TPU v9", "MI500X", "A100 96GB"])
def test_a_proposal_never_changes_the_generation_or_the_memory(name: str) -> None:
    assert not any("did you mean" in help for help in one_of(name, DEVICES))


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("H10", "did you mean `H100`?"),
        ("H100s", "did you mean `H100`?"),
        ("H1OO", "did you mean `H100`?"),
        ("A100-20GB", "there are `a100-pcie-40gb`, `a100-pcie-80gb`, `a100-sxm-40gb`, `a100-sxm-80gb`"),
        ("X100", "`plan device` lists them"),
    ],
)
def test_what_is_said_of_a_name_that_is_none(name: str, help: str) -> None:
    assert one_of(name, DEVICES) == [help]


@pytest.mark.parametrize(
    "name",
    [
        *("p4d.24xlarge", "p5.48xlarge", "p6-b200.48xlarge", "g5.xlarge", "trn1.32xlarge", "g4dn.metal", "DGX H100"),
        *("a2-ultragpu-8g", "a3-highgpu-8g", "g2-standard-96", "ct5lp-hightpu-4t", "Standard_ND96isr_H100_v5"),
    ],
)
def test_a_machine_is_no_device_of_its_own(name: str) -> None:
    """As many of it are not as many devices."""
    assert meant(name, DEVICES) is None
    (help,) = one_of(name, DEVICES)
    assert "in nodes of 8" in help


@pytest.mark.parametrize("name", DEVICES)
def test_no_device_is_taken_for_a_machine(name: str) -> None:
    assert not any("machine" in help for help in one_of(name + "x9", DEVICES))


def report(text: str) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)


def test_the_usual_form_of_a_family_is_said_as_an_assumption() -> None:
    found = report("hardware: 8 x A100 for 1 day at 40% MFU\nmodel: 1B\n")
    (device,) = [a for a in found.assumptions if a.name.text == "device"]
    assert device.value == "a100-sxm-80gb"
    assert "`a100-sxm-40gb`" in device.source
    assert found.solutions[0].values[quantity("memory")].value == 80e9


def test_a_name_that_leaves_nothing_open_assumes_nothing() -> None:
    found = report('hardware: 8 x "NVIDIA A100-SXM4-80GB" for 1 day at 40% MFU\nmodel: 1B\n')
    assert not [a for a in found.assumptions if a.name.text == "device"]
