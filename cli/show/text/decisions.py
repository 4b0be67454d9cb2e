"""Where a choice changes, and what is worth knowing for it, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runplan.cli.show.text.content import Line, Section, table
from runplan.cli.show.text.figures import bare, figure, per_cent
from runplan.cli.show.text.names import said
from runplan.cli.show.text.plain import plain
from runplan.engine.decide.alone import Alone, Choice
from runplan.engine.decide.flips import Flip
from runplan.engine.decide.knowing import Knowing, Worth
from runplan.engine.decide.levers import Lever
from runplan.engine.problem.solution import Solution

# So many of the changes are shown, the nearest ones; JSON has all of them. What is worth knowing, as many.
MOST, KNOWN = 8, 3
# A choice that fails in fewer draws than this does not fail.
NEVER = 5e-4


def where(flip: Flip) -> str:
    """The side of a figure on which another choice is made; of what is counted, beyond the last with this one."""
    lever = flip.input.lever
    edge = flip.before if lever.written.step else flip.at
    return f"{'below' if flip.below else 'above'} {lever.written.text(edge)} {_named(lever)}"


def _named(lever: Lever) -> str:
    """What a figure is called behind it: the bound of a requirement by what it bounds."""
    return f"as bound of `{plain(lever.bounds)}`" if lever.bounds else plain(lever.said)


def fails(broken: str) -> str:
    """What keeps a choice from being made."""
    why = plain(broken)
    return why if why == "it cannot be done" else f"`{why}` fails"


def worths(known: Knowing, amount: Callable[[float], str]) -> list[str]:
    """What knowing each thing is worth, a sentence each, and all of it.

    Args:
        amount: A figure of what the choices are told apart by.
    """
    told = [_worth(worth, amount) for worth in known.each[:KNOWN]]
    if not told:
        return ["Nothing that is uncertain would change the choice if it were known."]
    return [*told, _worth(known.everything, amount)] if len(known.each) > 1 else told


def _worth(worth: Worth, amount: Callable[[float], str]) -> str:
    """What knowing something is worth, in a sentence."""
    what = f"the constants of `{plain(worth.what)}`" if worth.is_law else f"`{plain(worth.what)}`"
    parts = []
    if worth.gain > 0:
        parts.append(f"{amount(worth.gain)} on average")
    if worth.saves > 0:
        parts.append(f"{share(worth.saves)} fewer failures")
    told = f"is worth {' and '.join(parts)}" if parts else "is worth next to nothing"
    return f"Knowing {what if worth.what else 'all of it'} changes the choice in {share(worth.changes)}: it {told}."


def share(value: float) -> str:
    """A share of draws."""
    return per_cent(float(f"{value:.3g}"))


# ---- of one plan


def sections(found: Alone, solution: Solution, title: Callable[[str], str] = str) -> Iterator[Section]:
    """Where what one plan chooses changes, and what is worth knowing before it is chosen.

    Args:
        title: From a heading to the one that stands there.
    """
    now = "it does not hold" if found.now is None else f"now {_chosen(found.now, solution) or 'it holds'}"
    lines: list[Line] = [_line(flip, choice, found, solution) for flip, choice in found.flips[:MOST]]
    none = "Nothing that the plan says changes it, from an eighth to eight times its figure."
    notes = ("Each is solved on both sides.",) if lines else ()
    if more := len(found.flips) - len(lines):
        notes = (f"{more} more lie further away: `-o json` has them.", *notes)
    yield Section(
        title(f"Where the choice changes: {now}"), table(lines, (), wrap=2), said=() if lines else (none,), notes=notes
    )
    known, measure = found.knowing, found.measure
    if known is None or measure is None or known.choice is None:
        return

    def amount(value: float) -> str:
        text = figure(measure.name.text, value, measure.dim, solution.problem.quantities)
        return f"{value:.2g} of {measure.name}" if measure.name.text == "loss" else text

    off = 1.0 - known.fates[known.choice].holds
    more_ = f", which fails in {share(off)} of the draws" if off > NEVER else ""
    choose = f"Choose {_chosen(found.candidates[known.choice], solution)}{more_}."
    heading = f"What is worth knowing before it is chosen, in {len(known.rows)} joint draws"
    yield Section(title(heading), table(()), said=(choose, *worths(known, amount)))


def _line(flip: Flip, choice: Choice | None, found: Alone, solution: Solution) -> Line:
    if choice is None:
        return where(flip), "it does not hold", fails(flip.broken)
    if found.now is None:
        return where(flip), "it holds", _chosen(choice, solution)
    return where(flip), f"choose {_chosen(choice, solution)}", ""


def _chosen(choice: Choice, solution: Solution) -> str:
    """What is chosen: the size, and alternatives that do not say it."""
    figures = (
        (said(solution, name), figure(name.text, value, solution.problem.dim(name), solution.problem.quantities))
        for name, value in choice.figures.items()
    )
    ways = () if choice.figures else (f"`{plain(way)}`" for way in choice.ways)
    return ", ".join((*(f"{name} {bare(text)}" for name, text in figures), *ways))
