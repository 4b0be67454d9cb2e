"""A `.plan` text to the same text in its one layout: what it says, its comments and its numbers as they were written.

Lines stay where the author broke them, as in `gofmt`; blanks, indents, blank lines and semicolons are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.statements import CONTINUED
from runplan.dsl.syntax.tree import Node, leaves

INDENT = "  "
# What stands between the words of a tree: comments, line ends, marks, and the words that the grammar itself has.
_BETWEEN = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<end>\r?\n)|[ \t\f]+|(?P<mark>\.\.|\+-|[<>=!]=|.)|(?P<never>)", re.DOTALL
)
_WORD = re.compile(r"\w[\w.-]*")
_GOES_ON = re.compile(CONTINUED)
_PARTING = frozenset(("=", "<=", ">=", "==", "!=", "<", ">", "+-", "@"))
# Where the parts of a rule are joined by a mark with a blank on either side of it.
_JOINED = frozenset(("add", "sub", "mul", "div", "hw_spec"))
_OPENING = frozenset(("(", "{", ",", ";", "=", ":", "+", "-", "*", "/", "<", ">", "<=", ">=", "==", "!=", "..", "@"))


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a text that is printed as it is.

    Attributes:
        kind: `word` of the tree, `text` of the grammar, `mark`, `comment`, or the `end` of a line.
        touches: Whether it follows the piece before it without a blank.
        joins: Whether it is a mark with a blank on either side.
    """

    kind: str
    text: str
    touches: bool
    joins: bool = False
    goes_on: bool = False


def laid_out(text: str, statements: Iterable[Node], start: int = 0) -> str:
    """A text, or the part of it from a place on, in its layout; it ends with a line end.

    Args:
        statements: What the text was read as; all of it, without a mistake.
    """
    return "\n".join([*_lines(list(_tokens(text, start, len(text), statements))), ""])


def value_laid_out(text: str, node: Node) -> str:
    """The text of one value on one line in its layout.

    Args:
        node: What it was read as, with places in this text.
    """
    start, end = node.span.start, node.span.end
    said = [token for token in _tokens(text[:end], start, end, [node]) if token.kind not in ("comment", "end")]
    return " ".join(_lines(said)).strip()


# ---- a text to pieces


def _tokens(text: str, start: int, end: int, statements: Iterable[Node]) -> Iterator[_Token]:
    nodes = list(statements)
    joints = {place for node in nodes for place in _joints(node, text)}
    at = start
    for word in sorted((leaf for node in nodes for leaf in leaves(node)), key=lambda leaf: leaf.span.start):
        yield from _between(text, at, word.span.start, joints)
        touches = word.span.start > 0 and not text[word.span.start - 1].isspace()
        yield _Token("word", text[word.span.start : word.span.end], touches, word.type in ("CMP", "TIMES"))
        at = word.span.end
    yield from _between(text, at, end, joints)


def _joints(node: Node, text: str) -> Iterator[int]:
    """Where the marks stand that join the parts of an expression, or pools."""
    stack = [node]
    while stack:
        item = stack.pop()
        inner = list(item.nodes())
        stack.extend(inner)
        if item.rule in _JOINED and not (item.rule == "div" and all(map(_is_bare, inner))):
            for part in inner[:-1]:
                place = re.compile(r"\s*").match(text, part.span.end)
                assert place is not None
                yield place.end()


def _is_bare(node: Node) -> bool:
    """Whether a part is a number without a unit: `1/3` is one figure, and `-1/3` too."""
    inner = next(node.nodes()) if node.rule == "neg" else node
    return inner.rule == "quantity" and len(list(inner.words())) == 1


def _between(text: str, start: int, end: int, joints: set[int]) -> Iterator[_Token]:
    at = start
    while at < end:
        touches = at > 0 and not text[at - 1].isspace()
        if (word := _WORD.match(text, at, end)) is not None:
            yield _Token("text", word[0], touches)
            at = word.end()
            continue
        m = _BETWEEN.match(text, at, end)
        assert m is not None
        if m["comment"] is not None:
            yield _Token("comment", m[0].rstrip(), touches)
        elif m["end"] is not None:
            yield _Token("end", "\n", touches, goes_on=_GOES_ON.match(text, m.end()) is not None)
        elif m["mark"] is not None:
            yield _Token("mark", m[0], touches, at in joints or m[0] in _PARTING)
        at = m.end()


# ---- pieces to lines


def _lines(tokens: Sequence[_Token]) -> Iterator[str]:
    """The lines of a text, without their ends."""
    line: list[_Token] = []
    depth = 0
    goes_on = False
    empty = True  # whether the line above is empty, or opens a block
    for at, token in enumerate(tokens):
        ends = token.kind == "end"
        if token.kind == "mark" and token.text == ";":
            inside = depth + sum(map(_opens, line))
            if inside and line and not _opens_last(line) and _says_more(tokens, at):
                line.append(token)
                continue
            ends = bool(line) and not inside and _says_more(tokens, at)
            if not ends:
                continue
        elif token.kind == "mark" and token.text == "," and _ends_a_field(tokens, at, line):
            continue
        if not ends:
            line.append(token)
        elif line:
            opened = depth + sum(map(_opens, line))
            yield _line(line, depth - (line[0].text == "}"), goes_on)
            empty = opened > depth and _opens_last(line)
            depth, line, goes_on = opened, [], token.goes_on
        elif not empty and _goes_further(tokens, at):
            yield ""
            empty = True
    if line:
        yield _line(line, depth - (line[0].text == "}"), goes_on)


def _opens(token: _Token) -> int:
    return (token.text == "{") - (token.text == "}") if token.kind == "mark" else 0


def _opens_last(line: Sequence[_Token]) -> bool:
    told = [token for token in line if token.kind != "comment"]
    return bool(told) and told[-1].text == "{"


def _goes_further(tokens: Sequence[_Token], at: int) -> bool:
    """Whether after an empty line something comes that it sets apart: neither the end nor the end of a block."""
    rest = (token for token in tokens[at:] if token.kind != "end")
    following = next(rest, None)
    return following is not None and not (following.kind == "mark" and following.text == "}")


def _ends_a_field(tokens: Sequence[_Token], at: int, line: Sequence[_Token]) -> bool:
    """Whether a comma follows the last field of a line of a block, where the end of the line is enough."""
    return not _says_more(tokens, at) and any(token.kind == "mark" and token.text == ":" for token in line)


def _says_more(tokens: Sequence[_Token], at: int) -> bool:
    """Whether something follows on the same line, and in the same block, apart from semicolons and comments."""
    following = next((token for token in tokens[at + 1 :] if token.text != ";"), None)
    return following is not None and following.kind not in ("end", "comment") and following.text != "}"


def _line(line: Sequence[_Token], depth: int, goes_on: bool) -> str:
    text = INDENT * (depth + goes_on)
    for at, token in enumerate(line):
        text += _blank(line, at) + token.text
    return text


def _blank(line: Sequence[_Token], at: int) -> str:
    """What stands before a piece of a line."""
    if at == 0:
        return ""
    before, token = line[at - 1], line[at]
    if token.kind == "comment":
        return "  "
    if token.kind == "mark" and token.text in (",", ";", ")", ":"):
        return ""
    if before.text == "(" and before.kind == "mark":
        return ""
    if (token.text == "(" and before.kind == "text") or (before.text == ")" and token.kind != "mark"):
        return " "
    if _is_sign(line, at - 1):
        return ""
    if token.joins or before.joins or (before.kind == "mark" and before.text in (",", ";", ":")):
        return " "
    if "{" in (before.text, token.text) or "}" in (before.text, token.text):
        return "" if (before.text, token.text) == ("{", "}") else " "
    if "^" in (before.text, token.text) or (token.text == "%" and before.text[-1:].isdigit()):
        return ""
    return "" if token.touches else " "


def _is_sign(line: Sequence[_Token], at: int) -> bool:
    """Whether a piece is the sign of what follows it."""
    token = line[at]
    if token.kind != "mark" or token.text != "-" or token.joins:
        return False
    before = line[at - 1] if at else None
    return before is None or before.text in _OPENING or before.kind == "text"
