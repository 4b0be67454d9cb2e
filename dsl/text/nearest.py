"""A misspelled name to the names that its writer may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_WORD = 60  # characters of a word that is looked up among the names near to it


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """At most three names that the writer may have meant, best first."""
    import difflib  # only where something is misspelled

    folded: dict[str, str] = {}
    for choice in sorted(choices):
        folded.setdefault(choice.lower(), choice)
    found = difflib.get_close_matches(word.lower(), list(folded), 3, 0.68) if len(word) <= MAX_WORD else []
    return [folded[name] for name in found]


def did_you_mean(word: str, choices: Iterable[str]) -> list[str]:
    """The help with a misspelled name: a question after the nearest one, where any is near."""
    return [f"did you mean `{name}`?" for name in nearest(word, choices)[:1]]


_MODEL = re.compile(r"\d+|(?<=\d)[a-z]+|[a-z]+(?=\d)")


def same_model(word: str, choices: Iterable[str]) -> list[str]:
    """The names that have every figure of a word, and the letters that join one: `H100` is no `A100`, `A10G` no `A10`.

    What is written apart or together is one name: `A100 80GB` and `A100-80GB`.
    """
    choices = list(choices)
    figures = set(_MODEL.findall(word.lower()))
    if not figures:
        return choices
    same = [name for name in choices if figures <= set(_MODEL.findall(name.lower()))]
    # No such model: the last key may have been missed, as in `H10`.
    return same or [name for name in choices if name[:-1].lower() == word.lower()]
