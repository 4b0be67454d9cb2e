"""A file that only defines things to what is known with it, and to what is wrong with it."""

from __future__ import annotations

from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Pack
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text.finding import Finding, in_order
from runplan.dsl.text.reader import Reader


def with_definitions(path: str, reader: Reader, catalogue: Library) -> tuple[Library, Pack, tuple[Finding, ...]]:
    """What is known with the definitions of a file beside it, those definitions, and what is wrong with either.

    Raises:
        OSError: Where the file cannot be read.
    """
    file, found = read_file(path, reader)
    lowered = lower(file, catalogue.vocabulary())
    known = catalogue.with_pack(lowered.pack, file.broken)
    return known, lowered.pack, tuple(in_order([*found, *lowered.findings, *known.findings]))
