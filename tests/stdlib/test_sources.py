"""Where the figures and laws of the library come from, as `docs/packs.md` says: first the document, then the place."""

from __future__ import annotations

import re

import pytest
from known import LIBRARY

from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.pack import Entry, Law, Record

READ_IN = "; read in "
NOT_CHECKED = "from memory, not checked"
# A source stands on a line of a report of 80 columns, which it may fill twice.
LONGEST = 160
# What a vendor publishes, after the vendor's name.
DOCUMENT = re.compile(
    r".*\b([Dd]ata sheet|white paper|product page|platform page|components page|product brief|Technical Brief"
    r"|documentation|user guide|guide|announcement|paper)\b"
)
PAPER = re.compile(r"arXiv:\d{4}\.\d{5}\b")
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{8,40} \S+")
# Where a project says its own in no document.
ISSUES = re.compile(r"[\w.-]+/[\w.-]+ issues #\d+")
# Entries that no vendor publishes: somebody measured them.
MEASURED = ("ceiling", "plausible")


def figures(record: Record) -> list[Entry]:
    return [entry for entry in record.entries if any(isinstance(value, Num) for value in entry.values)]


def name(record: Record | Law) -> str:
    return record.name


def is_written_well(source: str) -> bool:
    """Whether it is short, names a document, and says at most once where that was read."""
    document, *places = source.split(READ_IN)
    return len(source) <= LONGEST and bool(document.strip()) and len(places) <= 1 and all(places)


@pytest.mark.parametrize("device", LIBRARY.records("device"), ids=name)
def test_a_figure_of_a_device_names_its_vendors_document_first(device: Record) -> None:
    (vendor,) = [entry.values[0].value for entry in device.entries if entry.key == "vendor"]
    for entry in figures(device):
        assert is_written_well(entry.source), entry.source
        of_vendor = entry.source.startswith(f"{vendor} ")
        if entry.key in MEASURED:
            assert REPOSITORY.match(entry.source) and not entry.evidence, entry.source
        elif entry.evidence == "memory":
            assert entry.source.endswith(NOT_CHECKED), entry.source
        elif entry.evidence == "secondary":
            assert not of_vendor, entry.source
        elif entry.evidence == "":
            assert of_vendor and DOCUMENT.match(entry.source.partition(READ_IN)[0]), entry.source
        else:
            assert entry.evidence == "derived", entry.source
        assert (NOT_CHECKED in entry.source) == (entry.evidence == "memory"), entry.source


@pytest.mark.parametrize("table", LIBRARY.records("mfu"), ids=name)
def test_a_measured_mfu_names_who_measured_it_first(table: Record) -> None:
    for entry in figures(table):
        assert is_written_well(entry.source), entry.source
        assert REPOSITORY.match(entry.source) or PAPER.match(entry.source), entry.source


@pytest.mark.parametrize("law", LIBRARY.laws(), ids=name)
def test_a_law_names_its_paper_first(law: Law) -> None:
    assert law.cites
    for cite in law.cites:
        assert is_written_well(cite.text), cite.text
        of_code = REPOSITORY.match(cite.text) or ISSUES.match(cite.text)
        assert PAPER.match(cite.text) or of_code or cite.evidence == "derived", cite.text
        assert cite.evidence in ("paper", "authors_code", "secondary", "derived", "memory"), cite.text
        # Code and data are the authors' only where the text says where they are.
        assert cite.evidence != "authors_code" or READ_IN in cite.text or REPOSITORY.match(cite.text), cite.text
