"""The text of a configuration to its settings: JSON, TOML, YAML, or the arguments of a command line."""

from __future__ import annotations

import json
import math
import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence

from runplan.cli.importing.keys import Tree, Unreadable
from runplan.dsl.syntax.yaml_scalars import Scalar
from runplan.dsl.syntax.yaml_values import Mapping, Value, composed
from runplan.dsl.text.source import Source

_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_OPTION = re.compile(r"--[a-z][a-z0-9-]+")


def tree_of(path: str, text: str, config: str = "") -> Tree:
    """The settings of a file, by its ending where that says it, else by its content.

    Args:
        config: Of a module of Python the function that is meant.

    Raises:
        Unreadable: Where it is in no form that is known, or breaks off.
    """
    if path.endswith(".json") or text.lstrip()[:1] == "{":
        return _json(path, text)
    if path.endswith(".py"):
        from runplan.cli.importing.torchtitan import module

        return module(path, text, config)
    if path.endswith(".toml"):
        return _toml(path, text)
    if path.endswith((".yaml", ".yml")):
        return _yaml(path, text)
    if _OPTION.search(text):
        return arguments_of(text)
    return _toml(path, text) if re.search(r"^\[[\w.]+\]", text, re.MULTILINE) else _yaml(path, text)


def _json(path: str, text: str) -> Tree:
    def once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        if len(found := dict(pairs)) < len(pairs):
            twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
            raise Unreadable(f"{path}: `{twice}` is given twice")
        return found

    def refuse(constant: str) -> object:
        raise Unreadable(f"{path}: {constant} is no figure")

    try:
        found = json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: no JSON: {str(error)[:80]}") from None
    return _mapping(path, found)


def _toml(path: str, text: str) -> Tree:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: no TOML: {str(error)[:80]}") from None


def _yaml(path: str, text: str) -> Tree:
    root, findings = composed(Source(path, text))
    wrong = next((finding for finding in findings if finding.severity == "error"), None)
    if wrong is not None or root is None:
        line = f"{path}:{wrong.at.span.line}: {wrong.message}" if wrong else f"{path}: it is empty"
        raise Unreadable(line)
    return _mapping(path, _plain(root))


def _plain(value: Value) -> object:
    if isinstance(value, Mapping):
        return {key.text: _plain(item) for key, item in value.items}
    if isinstance(value, Scalar):
        return value.text if value.style in ("'", '"') else typed(value.text)
    return [_plain(item) for item in value.items]


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


def _mapping(path: str, found: object) -> Tree:
    if not isinstance(found, dict):
        raise Unreadable(f"{path}: settings are a mapping, and this is none")
    return found


# ---- arguments


def arguments_of(text: str) -> Tree:
    """The options of a command line, or of the script that makes it, its own variables put in.

    Lists of options in arrays of a shell are read as well; what is computed there is left as it is written.
    """
    lines = text.replace("\\\n", " ")
    variables = dict(_assigned(lines))
    words = [_filled(word, variables) for word in _words(lines)]
    found: dict[str, object] = {}
    at = 0
    while at < len(words):
        word = words[at].strip("()\"'")
        at += 1
        if not _OPTION.match(word):
            continue
        name, joined, value = word[2:].partition("=")
        values = [value] if joined else []
        while not joined and at < len(words) and not words[at].lstrip("(\"'").startswith("--") and _is_value(words[at]):
            values.append(words[at].strip("()\"'"))
            at += 1
        given = [typed(one) for one in values]
        found[name.replace("-", "_")] = True if not given else given[0] if len(given) == 1 else given
    return found


def _is_value(word: str) -> bool:
    """Whether a word may belong to the option before it: no sign of the shell, and no assignment."""
    return bool(word.strip("()\"'")) and word not in ("&&", "|", ";", "\n", "&", ">", "2>&1") and "=(" not in word


def _words(lines: str) -> Iterator[str]:
    """The words of a script, without its comments; a line's end parts commands."""
    for line in lines.splitlines():
        try:
            yield from shlex.split(line, comments=True)
        except ValueError:  # a quote that goes on, such as a list of options over several lines
            yield from line.replace('"', " ").replace("'", " ").split("#")[0].split()
        yield "\n" if not line.strip().startswith("--") else ""


def _assigned(lines: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=([^\s(][^\n]*)$", lines, re.MULTILINE):
        value = match[2].split(" #")[0].strip().strip("\"'")
        yield match[1], value


def _filled(word: str, variables: dict[str, str]) -> str:
    """A word with the script's own variables in it, `$((...))` of products and quotients computed."""
    for _ in range(3):
        word = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: variables.get(m[1], m[2]), word)
        word = re.sub(r"\$\{?(\w+)\}?", lambda m: variables.get(m[1], m[0]), word)
    return re.sub(r"\$\(\(\s*([\d\s*/]+)\)\)", lambda m: _product(m[1]), word)


def _product(text: str) -> str:
    """A product and quotient of whole numbers, from the left, as a shell has it."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    signs = re.findall(r"[*/]", text)
    if not numbers or len(signs) != len(numbers) - 1:
        return text
    found = numbers[0]
    for sign, number in zip(signs, numbers[1:], strict=True):
        if sign == "/" and not number:
            return text
        found = found * number if sign == "*" else found // number
    return str(found)
