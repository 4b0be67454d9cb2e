"""The pages of laws and rules in `docs/` are those of the standard library; UPDATE_SNAPSHOTS=1 rewrites them.

Adding a law or a rule is one file: its page is written with the others, and may be missing until then. What is on a
page is what the library says: nothing may be stale, and nothing may stay that is no longer there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from runplan.cli.show.catalogue_pages import laws_page, rules_page
from runplan.engine.catalogue import Catalogue, standard

DOCS = Path(__file__).resolve().parents[1] / "docs"


def sections(text: str) -> dict[str, str]:
    """The parts of a page by their headings; its beginning by an empty one."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {"": head, **{part.split("\n", 1)[0]: part.rstrip() for part in parts}}


@pytest.mark.parametrize(("name", "page"), [("laws.md", laws_page), ("rules.md", rules_page)])
def test_a_page_is_current(name: str, page: Callable[[Catalogue], str]) -> None:
    path = DOCS / name
    text = page(standard())
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    written, current = sections(path.read_text(encoding="utf-8")), sections(text)
    assert {heading: current.get(heading, "is no longer there") for heading in written} == written
    assert len(written) >= 0.8 * len(current), "most of the library is not on its page: UPDATE_SNAPSHOTS=1 writes it"


def test_every_law_and_rule_has_its_section() -> None:
    laws, rules = laws_page(standard()), rules_page(standard())
    assert all(f"\n## {law.name}\n" in laws for law in standard().laws())
    assert all(f"\n## {rule.code} {rule.name} ({rule.severity})\n" in rules for rule in standard().rules())
