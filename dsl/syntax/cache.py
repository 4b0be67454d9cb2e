"""Syntax trees to the user's cache folder and back, keyed by content: what was read before is not parsed again.

Only trees without findings are kept. They are stored as nested tuples by `marshal`, which holds plain data; so are the
tables of the grammar, where the package has none of its own.
"""

from __future__ import annotations

import marshal
import os
from _blake2 import blake2b  # as hashlib has it, which loads OpenSSL first
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from runplan.dsl.syntax.tree import File, Node, Word
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
# What a file gives that was cut off, or was written by another Python.
_UNREADABLE = (OSError, ValueError, EOFError, TypeError, IndexError)
Parse = Callable[[Source], tuple[File, list[Finding]]]


@lru_cache(1)
def folder() -> str | None:
    """The user's cache folder for runplan; None where there is none to write to, or RUNPLAN_NO_CACHE is set."""
    home = os.environ.get("HOME")
    base = os.environ.get("XDG_CACHE_HOME") or (os.path.join(home, ".cache") if home else "")
    if not base or os.environ.get("RUNPLAN_NO_CACHE"):
        return None
    path = os.path.join(base, "runplan")
    try:
        os.makedirs(path, exist_ok=True)
    except OSError:
        return None
    return path


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
    base = folder() if len(source.text) <= MAX_KEPT else None
    if base is None:
        return parse(source)
    kind = source.path.rsplit(".", 1)[-1].encode("utf-8", "replace")
    text = source.text.encode("utf-8", "surrogatepass")
    key = blake2b(_grammar_mark() + kind + b"\0" + text, digest_size=16).hexdigest()
    path = os.path.join(base, f"{key}.tree")
    with suppress(*_UNREADABLE):
        return _thawed(_loaded(path), source), []
    file, findings = parse(source)
    if not findings:
        _keep(path, (tuple(map(_frozen, file.statements)), tuple(map(_frozen, file.comments))))
    return file, findings


def kept(name: str, make: Callable[[], Any]) -> Any:
    """Plain data that is made of the grammar, made once; None where there is no cache to keep it in."""
    base = folder()
    if base is None:
        return None
    path = os.path.join(base, f"{name}-{_grammar_mark().hex()}.data")
    with suppress(*_UNREADABLE):
        return _loaded(path)
    made = make()
    _keep(path, made)
    return made


def _loaded(path: str) -> Any:
    with open(path, "rb") as stored:
        return marshal.loads(stored.read())


def _keep(path: str, data: Any) -> None:
    beside = f"{path}.{os.getpid()}"
    try:
        with open(beside, "wb") as stream:
            stream.write(marshal.dumps(data))
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)


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
