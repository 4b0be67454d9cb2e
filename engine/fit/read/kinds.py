"""Columns of words of which there are few, such as an objective, into what tells runs apart, or is one of them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from runplan.engine.fit.read.grid import Grid

# So many kinds at most, and of each so many runs at least.
MOST, FEWEST = 6, 3


def kinds_of(grid: Grid, places: Iterable[int], kept: Sequence[int]) -> Mapping[str, tuple[str, ...]]:
    """By header, the word of each row.

    Args:
        places: Of the columns that are no quantities.
        kept: The rows.
    """
    found = {}
    for place in places:
        cells = tuple(grid.columns[place][row].strip() for row in kept)
        counts = Counter(cells)
        if 1 < len(counts) <= MOST and min(counts.values()) >= FEWEST and not any(map(_is_number, counts)):
            found[grid.headers[place]] = cells
    return found


def objective_of(cells: Sequence[str], kept: Sequence[int]) -> str:
    """What all runs were trained for, as packs have it: `MLM of protein`; empty where they do not say that, or differ.

    Args:
        cells: The words of the column that tells it.
        kept: The rows.
    """
    said = {" ".join(cells[row].split()) for row in kept}
    text = said.pop() if len(said) == 1 else ""
    if " of " not in text:
        return ""
    from runplan.dsl.typed.objectives import is_known, objective_in  # few files need a grammar

    spec = objective_in(text, "objective")
    return text if spec is not None and is_known(spec) else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
