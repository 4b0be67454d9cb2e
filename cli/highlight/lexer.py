"""The language for Pygments, which finds it by its entry point: `pygmentize -l plan`, Sphinx, MkDocs."""

from __future__ import annotations

import re
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import (
    Comment,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
    _TokenType,
)

from runplan.cli.highlight.tokens import Kind, Token, tokens

OF_PYGMENTS: dict[Kind, _TokenType] = {
    "comment": Comment.Single,
    "ignored": Comment.Special,
    "string": String,
    "date": Literal.Date,
    "number": Number,
    "unit": Keyword.Type,
    "keyword": Keyword,
    "joining": Operator.Word,
    "field": Name.Attribute,
    "function": Name.Function,
    "unknown": Keyword.Constant,
    "operator": Operator,
    "punctuation": Punctuation,
    "name": Name,
    "blank": Whitespace,
}


def _rule(token: Token) -> tuple[object, ...]:
    types = [OF_PYGMENTS[kind] for kind in token.kinds]
    return token.pattern, types[0] if len(types) == 1 else bygroups(*types)


class PlanLexer(RegexLexer):
    """Plans and packs of the planning language."""

    name = "runplan"
    url = "https://github.com/runplan/runplan"
    aliases: ClassVar[list[str]] = ["plan", "runplan"]
    filenames: ClassVar[list[str]] = ["*.plan"]
    mimetypes: ClassVar[list[str]] = ["text/x-runplan"]
    flags = re.MULTILINE
    tokens: ClassVar[dict[str, list[tuple[object, ...]]]] = {
        "root": [*map(_rule, tokens()), (r"\n", Whitespace)],
    }
