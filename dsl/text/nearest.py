"""A misspelled name to the names that its writer may have meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from runplan.dsl.text.pattern import pattern

MAX_WORD = 60  # characters of a word that is looked up among the names near to it


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """At most three names that the writer may have meant, best first."""
    import difflib  # only where something is misspelled

    folded: dict[str, str] = {}
    for choice in sorted(choices):
        folded.setdefault(choice.lower(), choice)
    found = difflib.get_close_matches(word.lower(), list(folded), 3, 0.68) if len(word) <= MAX_WORD else []
    return [folded[name] for name in found]


def is_plain(word: str, choices: Collection[str]) -> bool:
    """Whether one name is what a misspelled word stands for: none other is as near, and all its figures are the same.

    `llama2` may be `llama3`, and who writes it means another thing.
    """
    import difflib

    first, *others = nearest(word, choices) or [""]
    near = [difflib.SequenceMatcher(None, name.lower(), word.lower()).ratio() for name in (first, *others[:1])]
    return _FIGURES.findall(first) == _FIGURES.findall(word) and near[0] > max(near[1:], default=0.0)


_FIGURES = pattern(r"\d+")


def did_you_mean(word: str, choices: Iterable[str]) -> list[str]:
    """The help with a misspelled name: a question after the nearest one, where any is near."""
    return [f"did you mean `{name}`?" for name in nearest(word, choices)[:1]]


_MODEL = pattern(r"\d+|(?<=\d)[a-z]+|[a-z]+(?=\d)")


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
