"""The pages of laws and rules in `docs/` are those of the standard library; UPDATE_SNAPSHOTS=1 rewrites them.

Adding a law or a rule is one file: its section is written with the others, and may be missing until then, as long as
few files wait. What is on a page is what the library says: nothing may be stale, or stay that is no longer there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.cli.show.catalogue_pages import laws_page, rules_page
from runplan.dsl.packs.library import Library

DOCS = Path(__file__).resolve().parents[2] / "docs"


def sections(text: str) -> dict[str, str]:
    """The parts of a page by their headings; its beginning by an empty one."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {"": head, **{part.split("\n", 1)[0]: part.rstrip() for part in parts}}


WAITING = 3  # files of the library that may have no section yet
LAWS = {law.name: law.span.source.path for law in LIBRARY.laws()}
RULES = {f"{rule.code} {rule.name} ({rule.severity})": rule.span.source.path for rule in LIBRARY.rules()}
PAGES = [("laws.md", laws_page, LAWS), ("rules.md", rules_page, RULES)]


@pytest.mark.parametrize(("name", "page", "files"), PAGES)
def test_a_page_is_current(name: str, page: Callable[[Library], str], files: dict[str, str]) -> None:
    path = DOCS / name
    text = page(LIBRARY)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    written, current = sections(path.read_text(encoding="utf-8")), sections(text)
    assert {heading: current.get(heading, "is no longer there") for heading in written} == written
    waiting = {file: heading for heading, file in files.items() if heading not in written}
    assert len(waiting) <= WAITING, f"these have no section in {name}; UPDATE_SNAPSHOTS=1 writes it: {waiting}"


@pytest.mark.parametrize(("name", "page", "files"), PAGES)
def test_every_law_and_rule_has_its_section(name: str, page: Callable[[Library], str], files: dict[str, str]) -> None:
    assert files.keys() <= sections(page(LIBRARY)).keys()
