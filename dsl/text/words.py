"""Texts to parts of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runplan.dsl.text.pattern import pattern


def cut(text: str) -> str:
    """Text of a file for a sentence: its first 39 characters where it is long."""
    return text if len(text) <= 40 else text[:39] + "…"


def enumerated(texts: Sequence[str]) -> str:
    """At least one text in a sentence: a, b and c."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


# A value in the message of a rule: `{cost}`, or `{mfu%}` in per cent.
FIELD = pattern(r"\{([^{}]*?)(%?)\}")

# A part of such a message that is left out where one of its values is not known: `[: {cost}]`.
IF_KNOWN = pattern(r"\[([^\[\]]*\{[^\[\]]*)\]")


def listing(names: Iterable[str], most: int | None = None) -> str:
    """Names as a message lists them, each in backquotes; of very many the first, and how many more there are."""
    quoted = [f"`{name}`" for name in names]
    if most is None or len(quoted) <= most + 3:
        return ", ".join(quoted)
    return f"{', '.join(quoted[:most])} and {len(quoted) - most} more"


_CONSONANT_Y = pattern(r"(?<![aeiou])y$")


def counted(count: int, noun: str) -> str:
    """A count and its noun, in the plural where it is one: 2 runs, 2 families, 2 days."""
    return f"{count} {noun}" if count == 1 else f"{count} {_CONSONANT_Y.sub('ie', noun)}s"
