"""How likely what a plan requires is, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runplan.cli.show.text.plain import plain
from runplan.engine.problem.solution import Odds

# A share that is less than this from all, or from none, is told as that side of it.
_LITTLE = 0.0005


def odds_in_words(odds: Iterable[Odds], details: bool) -> Iterator[str]:
    """A sentence for each thing that is uncertain; among the details with what the draws leave open."""
    for one in odds:
        if not one.certain:
            off = f" ± {100 * one.error:.1g}" if one.error and details else ""
            most = "at most " if one.most else ""
            asked = f", {most}{share(one.asked)} being asked for" if one.asked is not None else ""
            yield f"`{plain(one.text)}` holds in {share(one.share, off)} of draws{asked}"


def share(of: float, off: str = "") -> str:
    """A share in per cent; of one that is all but certain, that it is."""
    if 1.0 - _LITTLE < of < 1.0:
        return "more than 99.9 %"
    if 0.0 < of < _LITTLE:
        return "less than 0.1 %"
    return f"{100 * of:.3g}{off} %"
