"""Syntax trees to the user's cache folder and back, keyed by content: what was read before is not parsed again.

Only trees without findings are kept. They are stored as nested tuples, which are plain data; so are the tables of the
grammar, where the package has none of its own.
"""

from __future__ import annotations

import os
from _blake2 import blake2b  # as hashlib has it, which loads OpenSSL first
from collections.abc import Callable
from functools import lru_cache

from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.text import store
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from typing import Any
# Trees of more characters than this are parsed each time: storing them would cost more than it saves.
MAX_KEPT = 100_000
# The files that decide what tree a text has. Not those that say what is wrong: such a text is not kept.
SHAPING = (
    *("plan.lark", "statements.py", "grammar.py", "tables.py", "driver.py", "parse.py"),
    *("comments.py", "tree.py", "cache.py", "yaml.py", "yaml_scalars.py", "yaml_values.py"),
)
Parse = Callable[[Source], tuple[File, list[Finding]]]


@lru_cache(1)
def _grammar_mark() -> bytes:
    """Changes with anything that a tree depends on: the grammar, the table of statements and the readers."""
    mark = blake2b(digest_size=16)
    for name in SHAPING:
        with open(os.path.join(os.path.dirname(__file__), name), "rb") as file:
            mark.update(file.read())
    return mark.digest()


def parsed(source: Source, parse: Parse) -> tuple[File, list[Finding]]:
    """What `parse` gives for a source, from the cache where the same text was read before."""
    if len(source.text) > MAX_KEPT or store.folder() is None:
        return parse(source)
    kind = source.path.rsplit(".", 1)[-1].encode("utf-8", "replace")
    text = source.text.encode("utf-8", "surrogatepass")
    name = f"{blake2b(_grammar_mark() + kind + bytes(1) + text, digest_size=16).hexdigest()}.tree"
    stored = store.kept(name)
    if stored is not None:
        return _thawed(stored, source), []
    file, findings = parse(source)
    if not findings:
        store.keep(name, (tuple(map(_frozen, file.statements)), tuple(map(_frozen, file.comments))))
    return file, findings


def kept(name: str, make: Callable[[], Any]) -> Any:
    """Plain data that is made of the grammar, made once; None where there is no cache to keep it in."""
    if store.folder() is None:
        return None
    marked = f"{name}-{_grammar_mark().hex()}.data"
    made = store.kept(marked)
    if made is None:
        made = make()
        store.keep(marked, made)
    return made


def _frozen(item: Node | Word | None) -> Any:
    if item is None:
        return None
    if isinstance(item, Word):
        return (item.type, item.text, item.span.start, item.span.end)
    return (item.rule, tuple(map(_frozen, item.children)), item.span.start, item.span.end)


def _thawed(stored: Any, source: Source) -> File:
    def thaw(item: Any) -> Any:
        if item is None:
            return None
        head, body, start, end = item
        span = Span(source, start, end)
        return Word(head, body, span) if isinstance(body, str) else Node(head, tuple(map(thaw, body)), span)

    statements, comments = stored
    return File(source, tuple(map(thaw, statements)), tuple(map(thaw, comments)))
