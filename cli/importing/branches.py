"""A script of a shell to the lines of it that run: of branches those whose test its own variables decide."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator

_TEST = re.compile(r"\[\[?\s+(?P<left>[^\s]*)\s+(?P<sign>==?|!=|-(?:eq|ne|gt|ge|lt|le))\s+(?P<right>[^\s]*)\s+\]\]?")
_EMPTY = re.compile(r"\[\[?\s+-(?P<sign>[zn])\s+(?P<word>[^\s\[\]]*)\s*\]\]?")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "-eq": operator.eq, "-ne": operator.ne, "-gt": operator.gt, "-ge": operator.ge, "-lt": operator.lt,
    "-le": operator.le,
}  # fmt: skip
_BRANCH = re.compile(r"(if|elif)\b(.*?);?\s*(?:then)?$")


def run(script: str, assigned: Callable[[str], Iterator[tuple[str, str]]],
        filled: Callable[[str, dict[str, str]], str]) -> str:  # fmt: skip
    """The lines that run, and every branch of those that nobody can decide here.

    Args:
        script: Without comments, one command a line.
        assigned: The variables that a line sets, with their values.
        filled: A text with variables in it, and sums computed.
    """
    # A frame for each `if`: whether this branch runs, and whether one before it did; None where nobody can tell.
    frames: list[tuple[bool | None, bool | None]] = []
    variables: dict[str, str] = {}
    kept: list[str] = []
    for line in script.splitlines():
        word = line.strip()
        branch = _BRANCH.match(word) if not re.search(r"[;\s]fi$", word) else None
        if branch and branch[1] == "if":
            runs = _told(filled(branch[2], variables))
            frames.append((runs, runs))
        elif branch and frames:
            frames[-1] = _next(frames[-1][1], _told(filled(branch[2], variables)))
        elif word == "else" and frames:
            frames[-1] = _next(frames[-1][1], True)
        elif word == "fi" and frames:
            frames.pop()
        elif all(runs is not False for runs, _ in frames):
            kept.append(line)
            certain = all(runs for runs, _ in frames)
            for name, value in assigned(line):
                if certain:
                    variables[name] = filled(value, variables)
                else:
                    variables.pop(name, None)
    return "\n".join(kept)


def _next(before: bool | None, test: bool | None) -> tuple[bool | None, bool | None]:
    """Whether a branch behind others runs, and whether one of them all did."""
    if before is None:
        return (False if test is False else None), None
    if before:
        return False, True
    return test, test


def _told(test: str) -> bool | None:
    """What a test gives, or several; None where it is another than of words and figures, or a variable is not known."""
    test = re.sub(r"[\"']", "", test).strip()
    for sign, decides in (("||", True), ("&&", False)):
        if sign in test:
            parts = [_told(part) for part in test.split(sign)]
            return decides if decides in parts else None if None in parts else not decides
    if found := _EMPTY.fullmatch(test):
        return None if "$" in test else (found["word"] == "") == (found["sign"] == "z")
    found = _TEST.fullmatch(test)
    if not found or "$" in test or "*" in found["right"]:
        return None
    if found["sign"] in ("=", "==", "!="):
        return (found["left"] == found["right"]) == (found["sign"] != "!=")
    try:
        return _SIGNS[found["sign"]](float(found["left"]), float(found["right"]))
    except ValueError:
        return None
