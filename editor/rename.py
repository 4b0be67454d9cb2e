"""A name that a user gave to another, wherever it is meant; or why it cannot have that one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.statements import RESERVED
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Source, Span
from runplan.editor.definition import HEADED, Target, meant, references, target
from runplan.editor.document import PARTS, Document
from runplan.editor.uses import Use
from runplan.editor.workspace import Workspace

# As the terminals of the grammar: what an expression names is a NAME, what is only named before a colon any word.
_NAME = re.compile(r"[A-Za-z_]\w*([.-][A-Za-z0-9_]+)*")
_WORD = re.compile(r"\w[\w.-]*")
# What users name, and the form that it has.
_FORMS = {"let": _NAME, "alias": _NAME, "letter": _NAME, **dict.fromkeys(HEADED, _NAME), **dict.fromkeys(PARTS, _WORD)}


class CannotRename(RunplanError):
    """Raised where a name cannot be changed, or not to the one that is wanted; it says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """Another text for a stretch of a file.

    Attributes:
        path: The file, on disk.
    """

    path: str
    span: Span
    text: str


def renamable(document: Document, workspace: Workspace, offset: int) -> tuple[Span, str]:
    """The name at a place that can be changed: where it stands, and how it is spelled there.

    Raises:
        CannotRename: Where there is none.
    """
    use, found = _named(document, workspace, offset)
    return _own(use, found), found.name


def renamed(document: Document, workspace: Workspace, offset: int, name: str) -> tuple[Change, ...]:
    """The changes that give another name to what is named at a place, in every file that means it.

    Raises:
        CannotRename: Where there is no such name, or it cannot be that one.
    """
    _, found = _named(document, workspace, offset)
    _check_form(found, name)
    uses = list(references(workspace, document, found))
    changes = []
    for one, use in uses:
        if one.findings and any(found.name in f.at.span.source.line_text(f.at.span.line) for f in one.findings):
            raise CannotRename(f"{one.name} has a line that cannot be read and may mean `{found.name}`: mend it first")
        span = _own(use, found)
        if span.text.strip("\"'") != found.name and found.kind not in HEADED:
            raise CannotRename(f"`{found.name}` is written in another way at {one.name}:{span.line}: change it by hand")
        if span.text.strip("\"'").lower() == found.name.lower():  # what goes by an alias stays
            changes.append(Change(one.path, _bare(span), name))
    _check_meaning(workspace, document, found, name, changes, len(uses))
    return tuple(dict.fromkeys(changes))


def _bare(span: Span) -> Span:
    """A name without its quotes."""
    quoted = len(span.text) > 1 and span.text[0] in "\"'" and span.text[-1] == span.text[0]
    return Span(span.source, span.start + 1, span.end - 1) if quoted else span


def _own(use: Use, found: Target) -> Span:
    """The part of a use that is the name: of what an import brings, without the import's own."""
    span = use.span
    if span.text.endswith(f".{found.name}"):
        return Span(span.source, span.end - len(found.name), span.end)
    return span


def _named(document: Document, workspace: Workspace, offset: int) -> tuple[Use, Target]:
    for use in document.uses_at(offset):
        if use.kind not in _FORMS:
            continue
        found = meant(document, use)
        if found is None:
            continue
        file = workspace.file_of(found.span.source, document)
        if found.kind in HEADED and (file is None or workspace.is_of_library(file)):
            raise CannotRename(f"`{found.name}` is of the library and keeps its name")
        if found.kind == "let" and document.let(use.name) is None:
            raise CannotRename(f"`{found.name}` is a figure of a pack and keeps its name")
        return use, found
    other = target(document, offset)
    if other is not None:
        raise CannotRename(f"`{other[1].name}` is of the library and keeps its name")
    raise CannotRename("there is no name here that a plan gives")


def _check_form(found: Target, name: str) -> None:
    """Refuse what is no name, or is the one that it has."""
    if not _FORMS[found.kind].fullmatch(name):
        raise CannotRename(f"`{name[:60]}` is no name: it is one word of letters, digits and `-._`")
    if name in RESERVED and found.kind not in PARTS:
        raise CannotRename(f"`{name}` is a word of the language")


def _check_meaning(
    workspace: Workspace, document: Document, found: Target, name: str, changes: list[Change], uses: int
) -> None:
    """Refuse a name that would make a mistake, or mean something else somewhere: all is read as it would be."""
    trial = workspace.copy()
    files: dict[str, list[Change]] = {}
    for change in changes:
        files.setdefault(change.path, []).append(change)
    # A file that does not name it may import it all the same, beside another of the new name.
    looked = dict.fromkeys((*files, *(one.path for one in workspace.others(document, name))))
    before = {path: _errors(workspace, path) for path in looked}
    for path, edits in files.items():
        trial.put(path, applied(edits))
    for path in looked:
        for wrong in _errors(trial, path).values():
            if (wrong.code, wrong.message) not in before[path] and not _is_told(wrong, before[path], found.name, name):
                raise CannotRename(f"`{name}` cannot be its name: {wrong.message}")
    again = trial.document(document.path)
    moved = _moved(document, found, changes)
    left = [u for u in again.uses if u.span.start == moved and u.names] if again else []
    if again is None or (found.span.source.path == document.name and not left):
        raise CannotRename(f"`{name}` cannot be its name: it would be read as something else")
    if left and (new := meant(again, left[0])):
        count = sum(1 for _ in references(trial, again, new))
        if count != uses:
            raise CannotRename(f"`{name}` means something else already")


def _moved(document: Document, found: Target, changes: list[Change]) -> int:
    """Where the definition begins once the changes are made."""
    before = [c for c in changes if c.path == document.path and c.span.start < found.span.start]
    return found.span.start + sum(len(c.text) - (c.span.end - c.span.start) for c in before)


def _errors(workspace: Workspace, path: str) -> Mapping[tuple[str, str], Finding]:
    document = workspace.document(path)
    if document is None:
        return {}
    return {(f.code, f.message): f for f in document.faults if f.severity == "error"}


def _is_told(wrong: Finding, before: Mapping[tuple[str, str], Finding], old: str, new: str) -> bool:
    """Whether a mistake was there before, and is only told by another name."""
    return any(wrong.code == code and message.replace(old, new) == wrong.message for code, message in before)


def applied(changes: list[Change]) -> str:
    """The text of a file with changes made in it."""
    source: Source = changes[0].span.source
    text, at = [], 0
    for change in sorted(set(changes), key=lambda one: one.span.start):
        text += [source.text[at : change.span.start], change.text]
        at = change.span.end
    return "".join((*text, source.text[at:]))
