"""The options of a command line, or of the script of a shell that makes it. A script is read, and never run."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping

from runplan.cli.importing.branches import run
from runplan.cli.importing.commands import assigned
from runplan.cli.importing.keys import Tree

OPTION = re.compile(r"--[a-z][a-z0-9_-]+")
# The setting under which the program that the options are of stands, and that of options which are given several times.
PROGRAM, AGAIN = "_program", "_again"
_NUMBER = re.compile(r"[-+]?(\d+(_\d+)*\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_ENDS = ("&&", "||", "|", ";", "&", ">", ">>", "2>&1", "<", "fi", "else", "then", "done")
# A computation, with at most one pair of brackets in a pair; and how deep variables are looked for in each other.
_SUM, _DEPTH = re.compile(r"\$\(\(((?:[\w\s*/+-]|\([\w\s*/+-]*\))+)\)\)"), 4
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/"}


def typed(text: str) -> object:
    """A word of a file as what it stands for: a number, a flag, nothing, or itself."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        return text
    return int(text) if re.fullmatch(r"[-+]?[\d_]+", text) else number


def arguments_of(text: str) -> Tree:
    """The options of a command line, or of the script that makes it, its own variables put in.

    Options in arrays and in quoted texts are read as well, of branches those that run by the script's own variables,
    and all where these do not tell: where an option is given twice, the last counts. What is computed by more than
    sums and products is left as it is written.
    """
    script = "\n".join(_without_comment(line) for line in text.splitlines()).replace("\\\n", " ")
    script = re.sub(r"(\$\{\w+:-)([\"'])(.*?)\2\}", r"\1\3}", script)
    kept, variables = run(script, _filled)
    script = "\n".join(kept)
    filled = _filled(script, variables)
    words = re.findall(r"\n|[^ \t\r\n]+", re.sub(r"=\(", "=( ", re.sub(r"[\"']", " ", filled)))
    found: dict[str, object] = {}
    again: dict[str, list[object]] = {}
    groups = frozenset(re.findall(r"^\s*(?:export\s+)?(\w+)\+?=(?:\(|[\"']?\s*--)", script, re.MULTILINE))
    for name, values in _options(words, groups):
        given = [typed(one) for one in values]
        value = True if not given else given[0] if len(given) == 1 else given
        if name in found and found[name] != value:
            again.setdefault(name, [found[name]]).append(value)
        found[name] = value
    again |= {f"${name}": figures for name, figures in _branches(kept, variables)}
    program = re.search(r"(\w+)\.py\b", next((word for word in words if re.search(r"pretrain\w*\.py$", word)), ""))
    if program:
        found[PROGRAM] = program[1]
    return {**found, **({AGAIN: again} if again else {})}


def _options(words: list[str], groups: frozenset[str]) -> Iterator[tuple[str, list[str]]]:
    """Options with what stands behind each, up to the next one; `groups` are variables that hold options."""
    at = 0
    while at < len(words):
        word = words[at].lstrip("(")
        at += 1
        if not OPTION.match(word) and not word.startswith("--$"):
            continue
        name, joined, value = word[2:].rstrip(")").partition("=")
        values = [value] if joined else []
        while not joined and at < len(words) and _is_value(words[at], groups):
            values.append(words[at].rstrip(")") if "(" not in words[at] else words[at])
            at += 1
        yield name.replace("-", "_"), values


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", line)


def _is_value(word: str, groups: frozenset[str]) -> bool:
    """Whether a word may belong to the option before it: no option, no sign of the shell, and no assignment."""
    if word.lstrip("(").startswith("--") or word.endswith(".py") or word in (*_ENDS, "\n", ")", "("):
        return False
    variable = re.fullmatch(r"\$\{?(\w+)(\[[@*]\])?\}?", word)
    if variable and (variable[2] or variable[1] in groups):
        return False
    return "=(" not in word and not re.match(r"[A-Za-z_]\w*\+?=", word)


def _branches(kept: list[str], variables: Mapping[str, str]) -> Iterator[tuple[str, list[object]]]:
    """Variables that are set to several figures, in branches of which the last is read."""
    found: dict[str, list[object]] = {}
    for name, value in (one for command in kept for one in assigned(command)):
        number = typed(_filled(value, {other: its for other, its in variables.items() if other != name}))
        if isinstance(number, int | float) and not isinstance(number, bool) and number not in found.get(name, []):
            found.setdefault(name, []).append(number)
    used = {name or bare for name, bare in re.findall(r"\$\{(\w+)\}|\$(\w+)", "\n".join(kept))}
    yield from ((name, values) for name, values in found.items() if len(values) > 1 and name in used)


def _filled(script: str, variables: Mapping[str, str]) -> str:
    """A script with its own variables in it, and sums and products computed, which may be in each other."""

    def computed(found: re.Match[str]) -> str:
        return _computed(re.sub(r"[A-Za-z_]\w*", lambda name: variables.get(name[0], name[0]), found[1]))

    for _ in range(_DEPTH):
        script = re.sub(r"\$\{(\w+):[-=]([^}]*)\}", lambda m: _instead(variables.get(m[1], ""), m[1]) or m[2], script)
        script = re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda m: variables.get(m[1] or m[2], m[0]), script)
        script = _SUM.sub(computed, script)
    return script


def _instead(value: str, name: str) -> str:
    """What a variable is, unless that is itself with something in its place."""
    return "" if f"{{{name}:" in value or value == f"${name}" else value


def _computed(text: str) -> str:
    """A computation of whole numbers as a shell has it; as it is written where it is another thing."""
    try:
        return str(_whole(ast.parse(text.strip().replace("//", "/"), mode="eval").body))
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError):
        return f"$(({text}))"


def _whole(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        left, right, sign = _whole(node.left), _whole(node.right), _SIGNS[type(node.op)]
        return (
            left + right
            if sign == "+"
            else left - right
            if sign == "-"
            else left * right
            if sign == "*"
            else left // right
        )
    raise ValueError(ast.unparse(node))
