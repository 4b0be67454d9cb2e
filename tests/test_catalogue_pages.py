"""The pages of laws and rules in `docs/` are those of the standard library; UPDATE_SNAPSHOTS=1 rewrites them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runplan.cli.show.catalogue_pages import laws_page, rules_page
from runplan.engine.catalogue import Catalogue, standard

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.mark.parametrize(("name", "page"), [("laws.md", laws_page), ("rules.md", rules_page)])
def test_a_page_is_current(name: str, page: Callable[[Catalogue], str]) -> None:
    path = DOCS / name
    text = page(standard())
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_every_law_and_rule_has_its_section() -> None:
    laws, rules = laws_page(standard()), rules_page(standard())
    assert all(f"\n## {law.name}\n" in laws for law in standard().laws())
    assert all(f"\n## {rule.code} {rule.name} ({rule.severity})\n" in rules for rule in standard().rules())
