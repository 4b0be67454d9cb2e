"""Blocks of a page to lines: one under the other, and beside each other where the width has room for both."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import zip_longest

from runplan.cli.show.text.look import Look
from runplan.cli.show.text.terminal import Page
from runplan.cli.show.text.width import columns
from runplan.dsl.dataclass import dataclass

_GUTTER = 4
# Columns in which sentences read well.
_READABLE = 56
# Lines by which blocks may reach below the one that they stand beside.
_OVERHANG = 2
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, what stands below it, and what is said under that.

    Attributes:
        body: Draws what stands below the heading; it takes no more columns than its figures need.
        said: Draws sentences, which take the columns that there are; None where there are none.
        whole: Whether it stands alone, whatever the width.
        wraps: Whether what stands below the heading wraps, so that it takes fewer columns where it must.
    """

    title: str
    body: Callable[[Page], None]
    said: Callable[[Page], None] | None = None
    whole: bool = False
    wraps: bool = False


def lay_out(page: Page, blocks: Sequence[Block]) -> None:
    """Put blocks on a page, in their order: from above, and beside one that is high those that fit there."""
    least = cache(partial(_least, page))
    rest = list(blocks)
    while rest:
        block = rest.pop(0)
        left = least(block)
        lines, beside = list[str](), list[str]()
        room = page.width - left - _GUTTER
        while rest and not block.whole and (more := _fitting(page, rest[0], least, room)):
            lines = lines or _drawn(page, block, left)
            if beside and len(beside) + 1 + len(more) > len(lines) + _OVERHANG:
                break
            beside += [*([""] if beside else []), *more]
            rest.pop(0)
        page.blank()
        page.lines(_joined(lines, beside, left + _GUTTER) if beside else _drawn(page, block, page.width))


def _least(page: Page, block: Block) -> int:
    """The columns that a block needs."""
    drawn = Page(Look(page.width))
    drawn.line(block.title)
    block.body(drawn)
    return max(_READABLE if block.said else 0, *map(columns, drawn.text().split("\n")))


def _fitting(page: Page, block: Block, least: Callable[[Block], int], room: int) -> list[str]:
    """The lines of a block in so many columns; none where they are too few."""
    if block.whole or (least(block) if not block.wraps else min(least(block), _READABLE)) > room:
        return []
    return _drawn(page, block, room)


def _drawn(page: Page, block: Block, width: int) -> list[str]:
    drawn = Page(Look(width, page.color))
    drawn.line(block.title, style="bold")
    block.body(drawn)
    if block.said:
        block.said(drawn)
    return drawn.text().rstrip("\n").split("\n")


def _joined(left: Sequence[str], right: Sequence[str], at: int) -> list[str]:
    """Lines beside each other, those of the right from the column `at` on."""
    pairs = zip_longest(left, right, fillvalue="")
    return [line + " " * (at - columns(_STYLE.sub("", line))) + beside if beside else line for line, beside in pairs]
