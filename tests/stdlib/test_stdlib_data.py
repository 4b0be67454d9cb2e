"""The figures of stdlib/devices and stdlib/mfu, read by the grammar alone, against those of `tests/facts/`."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from known import LIBRARY

import runplan
from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.tree import Node, Word
from runplan.dsl.text.source import Source
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import unit

STDLIB = Path(runplan.__file__).parent / "stdlib"
TABLES = Path(__file__).resolve().parents[1] / "facts"
FACTS: dict[str, Any] = json.loads((TABLES / "accelerators.json").read_text(encoding="utf-8"))
THROUGHPUT = TABLES / "throughput.csv"

DEVICES = sorted((STDLIB / "devices").glob("*.plan"))
MFUS = sorted((STDLIB / "mfu").glob("*.plan"))

# A value's key in the facts, its entry here, and the unit that the key names; TOP/s has no unit of its own.
ENTRIES = {
    "bf16_tflops": ("peak bf16", "TFLOP/s"),
    "fp16_tflops": ("peak fp16", "TFLOP/s"),
    "tf32_tflops": ("peak tf32", "TFLOP/s"),
    "fp8_tflops": ("peak fp8", "TFLOP/s"),
    "fp32_tflops": ("peak fp32", "TFLOP/s"),
    "int8_tops": ("peak int8", "TFLOP/s"),
    "mem_gb": ("memory", "GB"),
    "mem_gib": ("memory", "GiB"),
    "mem_bw_tb_s": ("bandwidth", "TB/s"),
    "interconnect_gb_s": ("interconnect", "GB/s"),
    "internode_gbit_s": ("internode", "Gbit/s"),
    "tdp_w": ("power", "W"),
}
TEXT_KEYS = {"id", "name", "vendor", "aliases", "notes", "conflicts"}
# Where the best measured matrix product was measured: the name there, and the devices here.
CEILINGS = {
    "A100 SXM": ("a100-sxm-40gb", "a100-sxm-80gb"),
    "A100 PCIe": ("a100-pcie-40gb", "a100-pcie-80gb"),
    "H100 SXM": ("h100-sxm",),
    "GH200": ("gh200",),
    "B200": ("b200-sxm",),
    "B300": ("b300-sxm",),
    "GB200": ("gb200",),
    "MI300X": ("mi300x",),
    "MI325X": ("mi325x",),
    "MI355X": ("mi355x",),
    "Gaudi2": ("gaudi2",),
    "Gaudi3": ("gaudi3",),
}
# The devices whose throughput was measured, by their names there.
MEASURED = {"a100-sxm-40gb": "a100_40gb", "a100-sxm-80gb": "a100_80gb", "h100-sxm": "h100_80gb"}
NOTES = "note"
NUMBER = re.compile(r"(.*?)([kKMBT]?)")
EXPONENTS = {"": 0, "k": 3, "K": 3, "M": 6, "B": 9, "T": 12}
RATE: Dim = unit("FLOP/s").dim
# The dimension of each figure, those of fields of hardware as the library has them; entries of text are not here.
DIMENSIONS: dict[str, Dim] = {
    **{name: field.dim for name, field in LIBRARY.quantities().fields["hardware"].items()},
    "ceiling": RATE,
    "plausible": (),
}


@dataclass(frozen=True)
class Line:
    """An entry of a record: numbers as (number, unit), texts unquoted, absent parts empty."""

    key: str
    numbers: tuple[tuple[float, str], ...]
    texts: tuple[str, ...]
    source: str
    evidence: str


@dataclass(frozen=True)
class Figures:
    """A record as it was written."""

    kind: str
    name: str
    aliases: tuple[str, ...]
    title: str
    lines: tuple[Line, ...]

    def all(self, key: str) -> list[Line]:
        return [line for line in self.lines if line.key == key]

    def keys(self) -> set[str]:
        return {line.key for line in self.lines if line.numbers}

    def notes(self) -> list[str]:
        return [text for line in self.all(NOTES) for text in line.texts]


def text_of(word: Node | Word | None) -> str:
    if word is None:
        return ""
    assert isinstance(word, Word)
    if word.type != "STRING":
        return word.text
    return re.sub(r"\\(.)", r"\1", word.text[1:-1])


def number_of(quantity: Node) -> tuple[float, str]:
    found = NUMBER.fullmatch(quantity.word(0).text)
    assert found
    return float(f"{found[1]}e{EXPONENTS[found[2]]}"), text_of(quantity.children[1])


def read(path: Path) -> Figures:
    file, findings = parse_file(Source(path.name, path.read_text(encoding="utf-8")))
    assert findings == []
    (record,) = file.statements
    assert record.rule == "record"
    kind, name, aliases, title, block = record.children
    assert isinstance(block, Node)
    lines = []
    for entry in block.nodes("entry"):
        key, qualifier, *values, source, evidence = entry.children
        lines.append(
            Line(
                f"{text_of(key)} {text_of(qualifier)}".strip(),
                tuple(number_of(v) for v in values if isinstance(v, Node) and v.rule == "quantity"),
                tuple(text_of(v.word(0)) for v in values if isinstance(v, Node) and v.rule == "string"),
                text_of(source),
                text_of(evidence),
            )
        )
    words = [text_of(word.word(0)) for word in aliases.nodes()] if isinstance(aliases, Node) else []
    return Figures(text_of(kind), text_of(name), tuple(words), text_of(title), tuple(lines))


def by_file(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def devices() -> dict[str, Figures]:
    return {path.stem: read(path) for path in DEVICES}


# --- every file ------------------------------------------------------------------------------------


def test_there_are_files() -> None:
    assert DEVICES and MFUS


@by_file([*DEVICES, *MFUS])
def test_a_file_holds_the_record_of_its_name(path: Path) -> None:
    record = read(path)
    assert (record.kind, record.name) == (path.parent.name.removesuffix("s"), path.stem)
    assert record.title


@by_file([*DEVICES, *MFUS])
def test_every_number_has_a_source(path: Path) -> None:
    assert [line for line in read(path).lines if line.numbers and not line.source] == []


@by_file([*DEVICES, *MFUS])
def test_an_entry_is_written_once(path: Path) -> None:
    keys = [(line.key, line.numbers if line.key == "size" else ()) for line in read(path).lines if line.key != NOTES]
    assert len(keys) == len(set(keys))


# --- devices ---------------------------------------------------------------------------------------


def test_a_name_means_one_device(devices: dict[str, Figures]) -> None:
    owners = defaultdict(set)
    for device in devices.values():
        for word in (device.name, device.title, *device.aliases):
            owners[word.casefold()].add(device.name)
    assert {word: names for word, names in owners.items() if len(names) > 1} == {}


@by_file(DEVICES)
def test_a_device_names_its_vendor_and_generation(path: Path) -> None:
    assert [[len(line.texts) for line in read(path).all(key)] for key in ("vendor", "generation")] == [[1], [1]]


@by_file(DEVICES)
def test_every_figure_has_its_dimension(path: Path) -> None:
    for line in read(path).lines:
        for number, name in line.numbers:
            assert number > 0
            assert unit(name).dim == DIMENSIONS[line.key.split()[0]], line


@by_file(DEVICES)
def test_a_ceiling_is_under_its_peak(path: Path) -> None:
    device = read(path)
    for ceiling in device.all("ceiling bf16"):
        (peak,) = device.all("peak bf16")
        assert ceiling.numbers < peak.numbers


@pytest.mark.parametrize("fact", FACTS["accelerators"], ids=lambda fact: fact["id"])
def test_device_is_as_the_facts(fact: dict[str, Any], devices: dict[str, Figures]) -> None:
    device = devices[fact["id"]]
    assert set(fact) <= TEXT_KEYS | set(ENTRIES)
    assert device.title == fact["name"]
    assert set(fact["aliases"]) <= {device.name, *device.aliases}  # it may go by more names
    assert [line.texts for line in device.all("vendor")] == [(fact["vendor"],)]

    expected = {key: fact[key] for key in ENTRIES if fact.get(key, {}).get("value") is not None}
    told = {ENTRIES[key][0] for key in expected}
    ours = {"ceiling bf16", "plausible", "installed_memory", "linked", "internode"}
    assert device.keys() - (ours - told) == told
    for key, value in expected.items():
        name, its_unit = ENTRIES[key]
        (line,) = device.all(name)
        assert line.numbers == ((value["value"], its_unit),)
        if line.evidence == "memory":
            assert value["flag"] == "memory"
        elif value["flag"] == "verified" and "; read in " in line.source:
            assert value["source"].split()[0] in line.source.partition("; read in ")[2]

    notes = device.notes()
    for key, (name, _) in ENTRIES.items():
        if note := fact.get(key, {}).get("note"):
            assert f"{name}: {note}" in notes
    for text in fact["notes"] + fact["conflicts"]:
        assert any(note == text or note.endswith(": " + text) for note in notes)
    assert ("int8_tops" in fact) == ("peak int8: integer operations, not floating-point ones" in notes)


def test_ceilings_are_where_they_were_measured(devices: dict[str, Figures]) -> None:
    measured = FACTS["measured_bf16_tflops"]
    assert set(CEILINGS) == set(measured) - {"source"}
    expected = {
        name: (((measured[there], "TFLOP/s"),), measured["source"])
        for there, names in CEILINGS.items()
        for name in names
    }
    found = {
        fact["id"]: (line.numbers, line.source)
        for fact in FACTS["accelerators"]
        for line in devices[fact["id"]].all("ceiling bf16")
    }
    assert {name: numbers for name, (numbers, _) in found.items()} == {name: it[0] for name, it in expected.items()}
    assert {source.split()[0] for _, source in found.values()} == {measured["source"].split()[0]}


# --- mfu -------------------------------------------------------------------------------------------


@by_file(MFUS)
def test_mfu_is_a_share_that_a_machine_can_reach(path: Path, devices: dict[str, Figures]) -> None:
    table = read(path)
    assert table.name in devices
    assert len(table.all("convention")) == 1
    sizes = [line.numbers for line in table.all("size")]
    assert sizes == sorted(sizes)
    assert sizes and table.keys() == {"size"}
    for (params, no_unit), (mfu, percent) in sizes:
        assert (no_unit, percent) == ("", "%")
        assert params >= 1e6
        # 0.87 is the highest ceiling over peak among GPUs (A100): no run is above its best matrix product.
        assert 0.0 < mfu / 100 <= 0.87


@pytest.mark.parametrize("name", MEASURED)
def test_mfu_is_the_median_of_its_rows(name: str, devices: dict[str, Figures]) -> None:
    """6ND from the tokens per second: the MFU that the source prints counts attention, too."""
    table = read(STDLIB / "mfu" / f"{name}.plan")
    rows = defaultdict(list)
    if table.name in MEASURED:
        ((peak, its_unit),) = devices[table.name].all("peak bf16")[0].numbers
        with THROUGHPUT.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = (row["gpu"], row["seq_len"], row["precision"].removeprefix("amp_"))
                if key == (MEASURED[table.name], "2048", "bf16"):
                    rate = 6 * float(row["params"]) * float(row["tokens_per_s_gpu"])
                    rows[float(f"{float(row['params']):.3g}")].append(rate / (peak * unit(its_unit).factor))
    expected = {params: 100 * median(shares) for params, shares in rows.items()}
    if table.name == "h100-sxm":
        expected[405e9] = 100 * 400 / 989.4  # Llama 3, Table 4: 400 TFLOP/s a GPU
    found = {line.numbers[0][0]: line.numbers[1][0] for line in table.all("size")}
    assert found == pytest.approx(expected, rel=0, abs=0.0501)
