"""A misspelled name to the names that its writer may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runplan.dsl.text.pattern import pattern

MAX_WORD = 60  # characters of a word that is looked up among the names near to it
NEAR = 0.68  # the share of letters, of both words, that a near name has in common


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """At most three names that the writer may have meant, best first."""
    import difflib  # only where something is misspelled

    folded: dict[str, str] = {}
    for choice in sorted(choices):
        folded.setdefault(choice.lower(), choice)
    if len(word) > MAX_WORD:
        return []
    # What is much longer or shorter is not near, and need not be compared.
    alike = [name for name in folded if 2 * min(len(name), len(word)) >= NEAR * (len(name) + len(word))]
    return [folded[name] for name in difflib.get_close_matches(word.lower(), alike, 3, NEAR)]


def is_plain(word: str, near: Sequence[str]) -> bool:
    """Whether the first of the names near to a misspelled word is what it stands for.

    No other is as few strokes away, and all its figures are the same: `llama2` may be `llama3`, and who writes it means
    another thing.
    """
    if not near or _FIGURES.findall(near[0]) != _FIGURES.findall(word):
        return False
    first, *others = (_strokes(name.lower(), word.lower()) for name in near)
    return all(first < other for other in others)


_FIGURES = pattern(r"\d+")


def _strokes(a: str, b: str) -> int:
    """How many letters are missing, too many, others or turned round: the distance of optimal string alignment."""
    before, last = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            least = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, a[i - 2]) == (b[j - 2], other):
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, last = last, row
    return last[-1]


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
