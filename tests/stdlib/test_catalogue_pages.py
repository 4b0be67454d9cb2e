"""The pages of laws, rules and claims in `docs/` are what the library says; UPDATE_SNAPSHOTS=1 rewrites them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.cli.show.catalogue.pages import claims_page, laws_page, rules_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
REWRITE = "UPDATE_SNAPSHOTS=1 python -m pytest tests/stdlib/test_catalogue_pages.py"

LAWS = {law.name for law in LIBRARY.laws()}
GOLDENS = {golden.id for law in LIBRARY.laws() for golden in law.goldens}
RULES = LIBRARY.rules()
PAGES: dict[str, Callable[[str], str]] = {
    "laws.md": lambda _: laws_page(LIBRARY),
    "rules.md": lambda _: rules_page(LIBRARY),
    "claims.md": lambda text: claims_page(text, LIBRARY),
}


def written(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current(name: str) -> None:
    current = PAGES[name](written(name))
    if os.environ.get("UPDATE_SNAPSHOTS"):
        (DOCS / name).write_text(current, encoding="utf-8")
    if current != written(name):  # git shows the difference, once the page is rewritten
        pytest.fail(f"docs/{name} is not what the library says; `{REWRITE}` writes it", pytrace=False)


def test_every_law_and_rule_has_its_section() -> None:
    headings = set(re.findall(r"^## (.+)$", laws_page(LIBRARY) + rules_page(LIBRARY), re.MULTILINE))
    assert headings >= LAWS | {f"{rule.code} {rule.name} ({rule.severity})" for rule in RULES}


# ---- claims


PAGE = claims_page(written("claims.md"), LIBRARY)
CLAIM = re.compile(r"^### Claim (\d+)\n\n\*(Formula|Example|Advice|Practice)\.\* (.*?)(?=^#|\Z)", re.M | re.S)
CLAIMS = {int(number): (kind, text) for number, kind, text in CLAIM.findall(PAGE)}


def test_claims_are_numbered_without_a_gap() -> None:
    assert list(CLAIMS) == list(range(1, len(CLAIMS) + 1))
    assert len(CLAIMS) == PAGE.count("### Claim")


@pytest.mark.parametrize("number", CLAIMS)
def test_a_claim_has_a_source_and_what_stands_for_it(number: int) -> None:
    kind, text = CLAIMS[number]
    assert "\n- Source: " in text
    if kind in ("Formula", "Advice"):
        assert "\n- Here: " in text or "\n- Rules: " in text


def test_what_a_claim_names_is_there() -> None:
    here = "".join(re.findall(r"^- Here: .*?(?=^-|^$)", PAGE, re.M | re.S))
    assert set(re.findall(r"\[`([\w.]+)`\]\(laws\.md", here)) <= LAWS
    named = re.findall(r"golden values? (`.*?)(?:;|$)", re.sub(r"\n  ", " ", here), re.M)
    goldens = {name for listed in named for name in re.findall(r"`(.*?)`", listed)}
    assert len(goldens) > 30
    assert goldens <= GOLDENS
    schedules = {
        name
        for listed in re.findall(r"schedules? (`[^;\n]*`)$", here, re.M)
        for name in listed.strip("`").split("`, `")
    }
    assert schedules and all(LIBRARY.schedule(name) for name in schedules)


def test_what_rules_stand_for_is_a_claim() -> None:
    assert {row for rule in RULES for row in rule.rows} <= set(CLAIMS)


def test_all_advice_has_a_rule_or_a_note() -> None:
    assert {number for number, (kind, _) in CLAIMS.items() if kind == "Advice"} <= {r for x in RULES for r in x.rows}
