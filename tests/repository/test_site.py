"""The documents as a site: every page in its place, what is made of the program current, a strict build by a switch.

The pages themselves are tested with the other documents: tests/repository/test_docs.py.
"""

from __future__ import annotations

import fnmatch
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from wheels import needs_repository

from runplan.cli.main import main

pytestmark = needs_repository

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
UPDATE = bool(os.environ.get("UPDATE_SNAPSHOTS"))


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    """What the site is made of: docs/site/pages.py."""
    return runpy.run_path(str(DOCS / "site" / "pages.py"))


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    return loaded


def leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(item)


def test_pages_that_are_made_of_the_program_are_current(site: dict[str, Any]) -> None:
    for name, text in site["pages"]().items():
        path = DOCS / name
        if UPDATE:
            path.write_text(text, "utf-8")
        assert path.read_text("utf-8") == text, f"UPDATE_SNAPSHOTS=1 writes docs/{name}"


def test_every_page_has_its_place_in_the_navigation(settings: dict[str, Any]) -> None:
    listed = list(leaves(settings["nav"]))
    pages = [path.relative_to(DOCS).as_posix() for path in sorted(DOCS.rglob("*.md"))]
    aside = [page for page in pages if fnmatch.fnmatch(page, settings["not_in_nav"].strip())]
    assert sorted(listed) == sorted(page for page in pages if page not in aside), "a page and its place in mkdocs.yml"
    # The list of decisions leads to those that the navigation has not.
    assert aside and all(
        f"]({page.removeprefix('design/')})" in (DOCS / "design/README.md").read_text() for page in aside
    )


def test_the_site_is_strict_and_fetches_nothing(settings: dict[str, Any]) -> None:
    assert settings["strict"] is True and settings["theme"]["font"] is False
    assert all((ROOT / hook).exists() for hook in settings["hooks"])


def test_pictures_show_what_is_printed(
    site: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By their text: how it is drawn is the business of rich."""
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    (tmp_path / "runplan.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(site["WIDTH"]))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, command in site["PICTURES"].items():
        assert main(shlex.split(command)[1:]) in (0, 1)
        printed = capsys.readouterr().out
        if UPDATE:
            (DOCS / name).write_text(site["picture"](command, printed), "utf-8")
        drawing = (DOCS / name).read_text("utf-8")
        assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", drawing), "a picture fetches nothing"
        lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", printed).splitlines()]
        assert site["text_of"](drawing) == [line for line in lines if line], f"UPDATE_SNAPSHOTS=1 writes docs/{name}"
    shown = {path.relative_to(DOCS).as_posix() for path in (DOCS / "pictures").iterdir()}
    assert shown == set(site["PICTURES"])
    pages = "".join(path.read_text("utf-8") for path in DOCS.rglob("*.md"))
    assert all(f"{name})" in pages for name in shown)


@pytest.mark.skipif(not os.environ.get("RUNPLAN_SITE"), reason="builds the site: RUNPLAN_SITE=1 asks for it")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "tutorial" / "index.html").read_text("utf-8")
    assert "error=" not in page and 'class="language-plan highlight"' in page
