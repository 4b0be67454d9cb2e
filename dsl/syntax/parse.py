"""Text to a syntax tree: by the driver of Lark's tables, and by Lark itself where that stumbles."""

from __future__ import annotations

import re
from functools import lru_cache

from runplan.dsl.syntax import cache
from runplan.dsl.syntax.comments import QUOTED_OR_COMMENT, comments
from runplan.dsl.syntax.driver import Driver, Expected, Stored
from runplan.dsl.syntax.tree import File, Node
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_BRACKETS, MAX_CHARACTERS
from runplan.dsl.text.source import Source, View


def parse_file(source: Source) -> tuple[File, list[Finding]]:
    """A `.plan` file as a syntax tree, and what is wrong with it."""
    tree, findings = parse(View(source.text, source), "file")
    return File(source, tuple(tree.nodes()) if tree else (), comments(source)), findings


def parse(view: View, start: str) -> tuple[Node | None, list[Finding]]:
    """The tree of a text by one start rule, and what is wrong with it.

    With start `file`, recovery goes on after each mistake; the tree then holds what was understood.
    """
    if limit := _beyond_limits(view):
        return None, [limit]
    driver = _driver()
    if driver is not None and (tree := driver.tree(view, start)) is not None:
        return tree, []
    from runplan.dsl.syntax.grammar import explained  # a text that is right needs no Lark

    return explained(view, start)


def expected(text: str, at: int, start: str) -> Expected | None:
    """What may stand at a place of a text by a start rule; None where what stands before it is not of the language."""
    return _sure_driver().expected(text, at, start)


def spelled(terminal: str) -> str:
    """The word of the language that a terminal is; empty where it is none."""
    return _sure_driver().spelled(terminal)


@lru_cache(1)
def _sure_driver() -> Driver:
    """The driver, by tables that are made anew where there are none to take."""
    return _driver() or Driver(_tables())


@lru_cache(1)
def _driver() -> Driver | None:
    """The driver by the tables of the wheel, or by those in the user's cache; None where there is neither."""
    try:
        from runplan.dsl.syntax.plan_tables import TABLES
    except ImportError:  # installed from the sources
        tables = cache.kept("grammar", _tables)
        return Driver(tables) if tables else None
    return Driver(TABLES)


def _tables() -> Stored:
    from runplan.dsl.syntax.grammar import lark
    from runplan.dsl.syntax.tables import tables_of

    return tables_of(lark())


def _beyond_limits(view: View) -> Finding | None:
    text = view.text
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        return finding("S004", message, view.span(0, 0))
    if sum(map(text.count, "([{")) <= MAX_BRACKETS:
        return None
    depth = 0
    at = 0
    quoted = [(m.start(), m.end()) for m in QUOTED_OR_COMMENT.finditer(text)]
    for start, end in [*quoted, (len(text), len(text))]:
        for m in re.finditer(r"[()\[\]{}]", text[at:start]):
            depth += 1 if m[0] in "([{" else -1
            if depth > MAX_BRACKETS:
                here = at + m.start()
                return finding("S004", f"brackets are nested more than {MAX_BRACKETS} deep", view.span(here, here + 1))
        at = end
    return None
