"""A decision as data for people: what to choose, where that changes, and what is worth knowing for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

from runplan.cli.show.text.content import NOTHING, Line, Section, table
from runplan.cli.show.text.decisions import fails, share, where, worths
from runplan.cli.show.text.figures import figure
from runplan.cli.show.text.plain import plain
from runplan.engine.comparison.compare import Comparison
from runplan.engine.decide.decision import Decision
from runplan.engine.decide.flips import Flip
from runplan.engine.decide.laws import UnderLaws

# So many of the changes are shown, the nearest ones; JSON has all of them.
MOST = 8


def decision(comparison: Comparison) -> Iterator[Section]:
    """What to choose of several plans over what is uncertain, and where the choice changes."""
    found = comparison.decision
    if found is None:
        return
    names = [plain(column.name) for column in comparison.columns]
    if found.laws is not None and found.measure is not None:
        yield _under_laws(comparison, found.laws, names)
    if found.knowing is not None and found.measure is not None:
        yield _fates(comparison, found, names)
    if found.flips or found.measure is not None:
        yield _flips(found, names)


def _under_laws(comparison: Comparison, found: UnderLaws, names: Sequence[str]) -> Section:
    """What choosing each plan costs under each law."""
    measure = comparison.decision.measure if comparison.decision else None
    assert measure is not None, "only asked for where there is one"

    def told(value: float | None) -> str:
        return NOTHING if value is None else _amount(comparison, value)

    lines: list[Line] = [
        (name, *map(told, row), told(found.worst(i)))
        for i, (name, row) in enumerate(zip(names, found.regrets, strict=True))
    ]
    least, worth = found.least_worst, found.knowing_law
    said = []
    if least is not None:
        most = found.worst(least)
        said.append(f"Least worst regret: `{names[least]}`, {f'at most {told(most)}' if most else 'none under any'}.")
    if worth:
        said.append(f"Knowing which law is right is worth {told(worth)}, each being as likely.")
    heads = ("", *map(plain, found.laws), "worst")
    title = f"Regret in {measure.name}, of each plan under each law"
    return Section(title, table(lines, heads, figures=True, apart=len(heads) - 1), said=tuple(said))


def _fates(comparison: Comparison, found: Decision, names: Sequence[str]) -> Section:
    known = found.knowing
    assert known is not None, "only asked for where there is one"
    lines: list[Line] = [
        (name, share(fate.holds), share(fate.best), _amount(comparison, fate.regret), _amount(comparison, fate.far))
        for name, fate in zip(names, known.fates, strict=True)
    ]
    told = worths(known, partial(_amount, comparison))
    return Section(
        f"Over what is uncertain, in {len(known.rows)} joint draws",
        table(lines, ("", "holds", "is best", "regret", "nine in ten"), figures=True),
        said=(_choice(found, names), *told),
        notes=(f"Regret: {found.measure.name if found.measure else ''} beyond the best, where both plans hold.",),
    )


def _choice(found: Decision, names: Sequence[str]) -> str:
    known = found.knowing
    assert known is not None, "only asked for where there is one"
    if known.choice is None:
        return "No plan holds in any draw."
    fails = 1.0 - known.fates[known.choice].holds
    more = f", which fails in {share(fails)} of the draws" if fails > 0.0005 else ""
    return f"Choose `{names[known.choice]}`{more}."


def _flips(found: Decision, names: Sequence[str]) -> Section:
    """Where the choice changes: each on a line that stands alone."""
    now = "none of them holds" if found.choice is None else f"now `{names[found.choice]}`"
    by = f"by {found.measure.name}" if found.measure else "by the least worst regret"
    lines: list[Line] = [_line(flip, found, names) for flip in found.flips[:MOST]]
    said = () if lines else ("Nothing that the plans say changes it, from an eighth to eight times its figure.",)
    more = len(found.flips) - len(lines)
    notes = ("Each is solved on both sides.",) if lines else ()
    if more:
        notes = (f"{more} more lie further away: `-o json` has them.", *notes)
    return Section(f"Where the choice changes, {by}: {now}", table(lines, (), wrap=2), said=said, notes=notes)


def _line(flip: Flip, found: Decision, names: Sequence[str]) -> Line:
    of = "" if flip.input.of is None else f" of `{names[flip.input.of]}`"
    at = f"{where(flip)}{of}"
    choose = "choose none" if flip.choose is None else f"choose `{names[flip.choose]}`"
    if not flip.broken or found.choice is None:
        return at, choose, "it is the better one then" if flip.choose is not None else ""
    return at, choose, f"`{names[found.choice]}`: {fails(flip.broken)}"


def _amount(comparison: Comparison, value: float) -> str:
    measure = comparison.decision.measure if comparison.decision else None
    if measure is None or not math.isfinite(value):
        return NOTHING
    known = comparison.columns[0].solution.problem.quantities
    return figure(measure.name.text, value, measure.dim, known)
