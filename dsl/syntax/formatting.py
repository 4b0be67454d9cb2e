"""A plan's text to its one layout, in its own spelling or in the other; what it says never changes."""

from __future__ import annotations

import re

from runplan.dsl.syntax.as_plan import as_plan
from runplan.dsl.syntax.as_yaml import as_yaml
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.syntax.layout import laid_out
from runplan.dsl.syntax.statements import BY_RULE
from runplan.dsl.syntax.tree import File, Node, Word, unquoted
from runplan.dsl.syntax.yaml_layout import entries_of, printed
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import YAML, Source
from runplan.dsl.types import Literal

Spelling = Literal["plan", "yaml"]
_NAMING = frozenset(("data_named", "phase", "stage"))
_ENDINGS = re.compile(r"\.plan(\.ya?ml)?$|\.ya?ml$")


def spelling_of(path: str) -> Spelling:
    """The spelling of a file, by the end of its name."""
    return "yaml" if path.endswith(YAML) else "plan"


def formatted(source: Source, to: Spelling | None = None) -> tuple[str, list[Finding]]:
    """A plan or a pack in its layout; or what keeps it from being read, with the text as it is.

    Args:
        to: The spelling that is wanted; its own unless said.

    Raises:
        NoSpelling: Where the other spelling has no words for what it says.
    """
    file, findings = syntax_of(source)
    if findings:
        return source.text, findings
    own = spelling_of(source.path)
    to = to or own
    if own == "plan":
        text = laid_out(source.text, file.statements) if to == own else printed(as_yaml(file))
    else:
        entries = entries_of(source)
        text = printed(entries) if to == own else _plan("\n".join([*as_plan(entries), ""]))
    again, broken = syntax_of(Source(_ENDINGS.sub("", source.path) + (".plan" if to == "plan" else ".plan.yaml"), text))
    if broken or _said(again) != _said(file):
        raise AssertionError(f"{source.path}: its layout says something else: {broken[:1]}")
    return text, []


def _plan(text: str) -> str:
    file, _ = syntax_of(Source("x.plan", text))
    return laid_out(text, file.statements)


def _said(file: File) -> dict[str, list[object]]:
    """What a file says, statement by statement, in the order of each key: YAML has no other."""
    said: dict[str, list[object]] = {}
    for node in file.statements:
        row = BY_RULE.get(node.rule)
        said.setdefault((row.key or row.slot) if row else node.rule, []).append(_bare(node))
    return said


def _bare(part: Node | Word) -> object:
    """A node without the parts that are left out; a stage's statements in the order of their keys."""
    if isinstance(part, Word):
        return ("text", unquoted(part.text)) if part.type == "STRING" else " ".join(part.text.split())
    parts = [_bare(child) for child in part.children if child is not None]
    if part.rule in _NAMING:
        parts[0] = unquoted(part.word(0).text)  # in quotes or not, it is the same name
    if part.rule == "plan_block":
        parts.sort(key=lambda one: str(one[0]) if isinstance(one, tuple) else "")
    return (part.rule, *parts)
