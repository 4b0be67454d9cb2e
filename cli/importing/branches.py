"""A script of a shell to the commands of it that run: of branches those whose test its own variables decide."""

from __future__ import annotations

import operator
import re
from collections import deque
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from runplan.cli.importing.commands import assigned, commands
from runplan.dsl.dataclass import dataclass

_TEST = re.compile(r"\[\[?\s+(?P<left>[^\s]*)\s+(?P<sign>==?|!=|-(?:eq|ne|gt|ge|lt|le))\s+(?P<right>[^\s]*)\s+\]\]?")
_EMPTY = re.compile(r"\[\[?\s+-(?P<sign>[zn])\s+(?P<word>[^\s\[\]]*)\s*\]\]?")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "-eq": operator.eq, "-ne": operator.ne, "-gt": operator.gt, "-ge": operator.ge, "-lt": operator.lt,
    "-le": operator.le,
}  # fmt: skip
_HEAD = re.compile(r"\s*(if|elif|while|until|for|select|case)\s+(.*)", re.DOTALL)
_SUBJECT = re.compile(r"(.*?)\s+in\b\s*(.*)", re.DOTALL)
_PATTERNS = re.compile(r"\s*\(?([^()]*)\)[ \t]*(.*)", re.DOTALL)
_ENDS = ("fi", "done", "esac")


@dataclass(slots=True)
class _Frame:
    """A compound command that the script is in.

    Attributes:
        runs: Whether this branch of it runs; None where nobody can tell.
        before: The same of any branch before, with this one.
        subject: Of a `case` what its patterns are compared with; None of any other.
        between: Whether a pattern of a `case` comes next.
    """

    runs: bool | None
    before: bool | None
    subject: str | None = None
    between: bool = False

    def next(self, test: bool | None) -> None:
        """Go on to a branch with its own test."""
        self.runs, self.before = _next(self.before, test)


def run(script: str, filled: Callable[[str, Mapping[str, str]], str]) -> tuple[list[str], dict[str, str]]:
    """The commands that run, and those of every branch that nobody can decide here; the variables after them.

    A script is read as it runs without arguments: a loop over these is left out, and any other is read once.

    Args:
        script: Without comments.
        filled: A text with variables in it, and sums computed.
    """
    frames, kept = list[_Frame](), list[str]()
    # Those that are certain, by which tests are decided; and with them those of any branch, of which the last counts.
    certain, values = dict[str, str](), dict[str, str]()
    queue = deque(commands(script))
    while queue:
        command = queue.popleft()
        word = command.strip()
        if frames and frames[-1].between and word != "esac":
            more = _to_pattern(frames[-1], command, lambda text: filled(text, certain))
            if more:
                queue.appendleft(more)
        elif head := _HEAD.fullmatch(command):
            _enter(frames, head[1], head[2], queue, lambda text: filled(text, certain))
        elif word in _ENDS:
            frames[-1:] = []
        elif word == "else" and frames:
            frames[-1].next(True)
        elif word == ";;":
            if frames:
                frames[-1].between = frames[-1].subject is not None
        elif word not in ("then", "do") and all(frame.runs is not False for frame in frames):
            kept.append(command)
            told = all(frame.runs for frame in frames)
            for name, value in assigned(command):
                values[name] = filled(value, values)
                certain.pop(name, None)
                if told:
                    certain[name] = filled(value, certain)
    return kept, values


def _enter(frames: list[_Frame], kind: str, rest: str, queue: deque[str], filled: Callable[[str], str]) -> None:
    """Go into a compound command, or on to a branch of one."""
    if kind == "if":
        runs = _told(filled(rest))
        frames.append(_Frame(runs, runs))
    elif kind == "elif":
        if frames:
            frames[-1].next(_told(filled(rest)))
    elif kind == "case":
        found = _SUBJECT.fullmatch(rest)
        subject = re.sub(r"[\"']", "", filled(found[1] if found else rest)).strip()
        frames.append(_Frame(False, False, subject, between=True))
        if found and found[2].strip():
            queue.appendleft(found[2])
    else:
        runs = False if kind in ("while", "until") and "$#" in rest else None
        frames.append(_Frame(runs, runs))


def _to_pattern(frame: _Frame, command: str, filled: Callable[[str], str]) -> str:
    """Go on to a branch of a `case`; what of the command stands behind its pattern."""
    found = _PATTERNS.fullmatch(command)
    frame.between = False
    if not found:
        frame.next(None)
        return command
    patterns = [re.sub(r"[\"']", "", filled(one)).strip() for one in found[1].split("|")]
    frame.next(_matches(frame.subject or "", patterns))
    return found[2]


def _matches(subject: str, patterns: list[str]) -> bool | None:
    """Whether one of the patterns is that of a text; None where a variable in them is not known."""
    if "*" in patterns:
        return True
    if "$" in subject or "`" in subject:
        return None
    if any(fnmatchcase(subject, pattern) for pattern in patterns if "$" not in pattern):
        return True
    return None if any("$" in pattern for pattern in patterns) else False


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
