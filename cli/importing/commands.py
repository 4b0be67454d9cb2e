"""A script of a shell to its commands, one each, and a command to the variables that it sets."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENS, _CLOSES = "({", ")}"
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
# What stands before a command on its line: it ends a command of its own.
_WORDS = re.compile(r"\s*(then|else|do)\b[ \t]*(?=\S)")
# A part of a value: quoted, computed, put in for a variable, of another command, or a sign of its own.
_PART = "|".join((
    r'"(?:\\.|[^"\\])*"', r"'[^']*'", r"\$\(\((?:[^()]|\([^()]*\))*\)\)", r"\$\([^()]*\)", r"\$\{[^{}]*\}", r"`[^`]*`",
    r"""[^\s"'`;&|()<>$]""", r"\$(?![({])",
))  # fmt: skip
_ASSIGNMENT = re.compile(rf"\s*([A-Za-z_]\w*)=((?:{_PART})*)(?=[\s;]|$)")
_PRINTED = re.compile(r"`|\$\((?!\()")  # what another program prints, which nobody runs here
_KEYWORD = re.compile(r"\s*(?:export|local|readonly|declare|typeset)\s+(?:-\w+\s+)*")


def commands(script: str) -> Iterator[str]:
    """The commands of a script without comments: `;;` stands alone, and so do `then`, `else` and `do`.

    An array and a quoted text are parts of their command, over as many lines as they have; the lines of a document in
    the script are commands each. Where quotes are not closed the lines are the commands.
    """
    pieces, at, start, depth, quote = list[str](), 0, 0, 0, ""
    while at < len(script):
        sign = script[at]
        if sign == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in _OPENS and (depth or script[at - 1 : at] in ("$", "=")):
            depth += 1
        elif sign in _CLOSES and depth:
            depth -= 1
        elif not depth and sign in "\n;":
            pieces.append(script[start:at])
            if script.startswith(";;", at):
                pieces.append(";;")
                at += 1
            elif sign == "\n" and (found := _HEREDOC.search(pieces[-1])):
                end = re.compile(rf"^\s*{found[2]}\s*$", re.MULTILINE).search(script, at)
                until = end.start() if end else len(script)
                pieces += script[at:until].splitlines()
                at = end.end() - 1 if end else len(script)
            start = at + 1
        at += 1
    if quote or depth:
        pieces = script.splitlines()
    else:
        pieces.append(script[start:])
    for piece in pieces:
        while word := _WORDS.match(piece):
            yield word[1]
            piece = piece[word.end() :]
        if piece.strip():
            yield piece


def assigned(command: str) -> Iterator[tuple[str, str]]:
    """The variables that a command sets, with their values as they are written, without the quotes around them.

    Those that hold options are none, nor those of what another program prints; one before another command, as in
    `CUDA_DEVICE_MAX_CONNECTIONS=1 python train.py`, is set for that alone.
    """
    keyword = _KEYWORD.match(command)
    at = keyword.end() if keyword else 0
    found = list[tuple[str, str]]()
    while one := _ASSIGNMENT.match(command, at):
        value = re.sub(r"[\"']", "", one[2]).strip()
        if not value.startswith("--") and not _PRINTED.search(value):
            found.append((one[1], value))
        at = one.end()
    if keyword or not command[at:].strip():
        yield from found
