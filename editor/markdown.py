"""Texts to Markdown in which nothing that a plan or a pack says is acted on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runplan.cli.show.text.plain import plain


def head(name: str, kind: str) -> str:
    """A name with what it is the name of."""
    return f"**{kind}** {code(name)}"


def code(text: str) -> str:
    """Text as code, whatever backquotes it has."""
    text = plain(" ".join(text.split()))
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    mark, pad = "`" * (longest + 1), " " if text.startswith("`") or text.endswith("`") else ""
    return f"{mark}{pad}{text}{pad}{mark}"


def block(lines: Sequence[str]) -> str:
    """Lines of code, apart."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    mark = "`" * max(3, longest + 1)
    return "\n".join((f"{mark}text", *lines, mark))


def page(text: str) -> str:
    """A page of the catalogue, as it is on a terminal."""
    return block(text.rstrip("\n").split("\n"))
