"""A place in a text, however broken the rest of it is, to what may stand there by the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.comments import QUOTED_OR_COMMENT
from runplan.dsl.syntax.parse import expected
from runplan.dsl.syntax.statements import BY_KEY, CONTINUED, Statement

_BEGUN_FIGURE = re.compile(r"\d[\d_.]*(?:[eE][+-]?\d+)?[kKMBT]?i?")
# Characters of a line of YAML that is looked through; nobody wrote a longer one by hand.
MAX_LINE = 5_000
# Stands at the place while what may come there is found out: some words are told by what follows them.
_PROBE = "a"
# What separates statements, and inside some blocks fields.
_MARKS = re.compile(r"[{};,\n]")
_FIELDS = re.compile(r"\s*(?:hardware|model|optimizer)\b|\s*[^\n]*\+\s*\{")
_GOES_ON = re.compile(rf"\n(?:{CONTINUED})")


@dataclass(frozen=True, slots=True)
class Context:
    """What may stand at a place.

    Attributes:
        start: Where the word that is being written begins.
        word: As far as it is written.
        terminals: The terminals of the grammar that may stand there; None where what stands before is not understood.
        read: The tokens before the place in the statement, or in the value of a YAML key.
        statement: The word that begins the statement; empty where none is begun.
        field: The field of a block, of YAML a key inside the statement's, that has the value; empty where none does.
        key_of: Where a key of YAML is being written, whose: a statement's, or `plan`; empty for no key.
        in_stage: Whether it is inside a stage.
    """

    start: int
    word: str
    terminals: frozenset[str] | None = None
    read: tuple[tuple[str, str], ...] = ()
    statement: str = ""
    field: str = ""
    key_of: str = ""
    in_stage: bool = False

    @property
    def last(self) -> str:
        """The terminal before the place; empty for none."""
        return self.read[-1][0] if self.read else ""


def word_before(text: str, offset: int) -> int:
    """Where the word begins that is being written at a place; what begins like a figure is none."""
    begin = offset
    while begin and (text[begin - 1].isalnum() or text[begin - 1] in "_.-"):
        begin -= 1
    figure = _BEGUN_FIGURE.match(text, begin, offset)
    return figure.end() if figure and text[begin : begin + 1].isdigit() else begin


def in_text(text: str, offset: int) -> str:
    """What a place is inside of: a `string` or a `comment`; empty for neither."""
    line = text.rfind("\n", 0, offset) + 1
    for found in QUOTED_OR_COMMENT.finditer(text, line, offset):
        closed = found[0].startswith('"') and len(found[0]) > 1 and found[0].endswith('"')
        if found.end() == offset and not closed:
            return "comment" if found[0].startswith("#") else "string"
    return ""


# ---- the DSL


def in_plan(text: str, offset: int) -> Context:
    """The context of a place in a `.plan` file."""
    start = word_before(text, offset)
    heads, begin = _statement(text, start)
    before = "".join(f"{head}\n" for head in heads)
    own = f"{before}{text[begin:start]}"
    found = expected(own + _PROBE, len(own), "file")
    inside = _first(heads[-1]) if heads else ""
    in_stage = inside == "stage"
    inside = "" if in_stage else inside
    if found is None:
        return Context(start, text[start:offset], None, (), inside or _first(text[begin:start]), in_stage=in_stage)
    outer = expected(before + _PROBE, len(before), "file") if before else None
    read = found.read[len(outer.read) :] if outer else found.read
    read = tuple(token for token in read if token[0] not in ("_NL", "SEMICOLON"))
    field = read[0][1] if inside and len(read) > 1 else ""
    statement = inside or (read[0][1] if read else "")
    return Context(start, text[start:offset], found.terminals, read, statement, field, in_stage=in_stage)


def _first(text: str) -> str:
    found = re.match(r"\s*(\w+)", text)
    return found[1] if found else ""


def _statement(text: str, at: int) -> tuple[list[str], int]:
    """The heads of the blocks around a place, outermost first, and where its statement or field begins."""
    begin, begins, heads = 0, list[int](), list[str]()
    for mark in _marks(text, at):
        character = text[mark]
        if character == "{":
            heads.append(text[begin : mark + 1])
            begins.append(begin)
            begin = mark + 1
        elif character == "}":
            if heads:
                heads.pop()
                begin = begins.pop()
        elif _ends(text, mark, heads):
            begin = mark + 1
    return heads, begin


def _ends(text: str, mark: int, heads: list[str]) -> bool:
    """Whether a mark ends a statement, or a field of the block that it is in."""
    if text[mark] == ",":
        return bool(heads) and _FIELDS.match(heads[-1]) is not None
    return text[mark] == ";" or not _GOES_ON.match(text, mark)


def _marks(text: str, end: int) -> Iterator[int]:
    """What may end a statement before a place, outside of quotes and comments."""
    at = 0
    for found in QUOTED_OR_COMMENT.finditer(text, 0, end):
        yield from (mark.start() for mark in _MARKS.finditer(text, at, found.start()))
        at = found.end()
    yield from (mark.start() for mark in _MARKS.finditer(text, at, end))


# ---- YAML


_KEY = re.compile(r"""([\w.-]+|"[^"\n]*"|'[^'\n]*')[ \t]*:(?=[ \t\n]|$)""")
_RUN = re.compile(r"[\w.-]+|[\s\S]")
_DASHES = re.compile(r"(?:-[ \t]+)*")


def in_yaml(text: str, offset: int) -> Context:
    """The context of a place in a `.plan.yaml` file."""
    start = word_before(text, offset)
    word = text[start:offset]
    if start - text.rfind("\n", 0, start) > MAX_LINE:
        return Context(start, word)
    path, value = _yaml_place(text, start)
    in_stage = path[:1] == ["stages"]
    if in_stage:
        path = path[2:] if len(path) > 1 or value is not None else ["stages"]
    if value is None:
        return Context(start, word, key_of=path[0] if path else "plan", in_stage=in_stage)
    row = BY_KEY.get(path[0]) if path else None
    rule = _rule(row, path[1:]) if row else ""
    if row is None or not rule:
        return Context(start, word, None, (), path[0] if path else "", in_stage=in_stage)
    keyword = _keyword(row, path)
    field = path[1] if len(path) > 1 and row.shape in ("hardware", "model", "optimizer") else ""
    found = expected(value + _PROBE, len(value), rule)
    terminals, read = (None, ()) if found is None else (found.terminals, found.read)
    return Context(start, word, terminals, read, keyword, field, in_stage=in_stage)


def _keyword(row: Statement, path: list[str]) -> str:
    return "phase" if row.key == "schedule" and len(path) > 1 else row.keyword.split()[0]


def _rule(row: Statement, inner: list[str]) -> str:
    """The rule of the grammar that reads a value, by the keys inside its statement's."""
    if not inner:
        return row.value
    if row.shape == "lets":
        return "goal"
    if row.shape == "named":
        return "phase_spec" if row.key == "schedule" else row.value
    if inner[0] == "name":
        return row.value
    return "device" if inner[0] == "device" else "amount"


def _yaml_place(text: str, at: int) -> tuple[list[str], str | None]:
    """The keys that lead to a place, and the value as far as it is written; None where a key is being written."""
    begin = text.rfind("\n", 0, at) + 1
    line = text[begin:at]
    depth = len(line) - len(line.lstrip(" \t"))
    dashes = _DASHES.match(line, depth)
    body = dashes.end() if dashes else depth
    path = _above(text[:begin], depth, listed=body > depth)
    return _in_line(line[body:], path, listed=body > depth)


def _above(text: str, depth: int, *, listed: bool) -> list[str]:
    """The keys under which a line of a depth stands."""
    path: list[str] = []
    for line in reversed(text.split("\n")):
        here = len(line) - len(line.lstrip(" \t"))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        dashes = _DASHES.match(line, here)
        column = dashes.end() if dashes else here
        key = _KEY.match(line, column)
        # A list may stand as deep as its key.
        if key and (column < depth or (listed and column == here == depth)):
            path.insert(0, key[1].strip("\"'"))
            depth, listed = here, False
        if depth == 0 and not listed:
            break
    return path


def _in_line(line: str, path: list[str], *, listed: bool) -> tuple[list[str], str | None]:
    """The keys of a line up to a place, those of braces in it too, and the value behind the last of them."""
    stack: list[list[str]] = []
    here, value = list(path), line if listed else None
    at = 0
    while at < len(line):
        key = _KEY.match(line, at)
        if key and (value is None or not value.strip() or stack):
            here = [*(stack[-1] if stack else path), key[1].strip("\"'")]
            at = key.end()
            value = line[at:]
        elif line[at] == "{" and (value is None or not line[:at].rstrip() or line[:at].rstrip()[-1] in ":,[-"):
            stack.append(list(here))
            at += 1
            value = None
        elif line[at] in "}" and stack:
            here = stack.pop()
            at += 1
        elif line[at] == "," and stack:
            here = list(stack[-1])
            at += 1
            value = None
        else:
            at = _RUN.match(line, at).end()  # type: ignore[union-attr]  # it matches any character
    if value is not None:
        value = value.lstrip(" \t").lstrip("[").lstrip(" \t").removeprefix('"').removeprefix("'")
    return here, value
