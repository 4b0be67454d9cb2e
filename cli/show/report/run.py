"""What the run is made of: the data and what repeats of them are worth, and the phases of the schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from runplan.cli.show.report.under import under
from runplan.cli.show.text.content import NOTHING, Section, table
from runplan.cli.show.text.figures import bare, figure, part, per_cent
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import number
from runplan.dsl.expr.tree import names
from runplan.dsl.text.words import enumerated
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.documents.solve import BATCH, LEARNING_RATE
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value
from runplan.engine.report import Report

_DAY = 86400.0
_TOKEN = unit("token").dim
# Before a source's name, as the head of the column of its shares.
_OF = "of "
# What is left of the data is rounding where it is a smaller share of them than this.
_LITTLE = 1e-6


def sections(report: Report, details: bool) -> Iterator[Section]:
    """The data and the schedule, each under the first law that has it; what repeats are worth among the details."""
    for make in (partial(_data, details=details), partial(_schedule, details=details)):
        found = (section for solution in report.solutions if (section := make(report, solution)))
        yield from [section] if (section := next(found, None)) else []


# ---- data


def _data(report: Report, solution: Solution, details: bool) -> Section | None:
    """The mix of data, a source a row; None where the plan has no data."""
    rows = [_source(solution, source) for source in solution.sources]
    if not _has_mix(solution):
        return None
    keys = ("source", "tokens", "share", "epochs", "left over", *(("worth", "next epoch") if details else ()))
    used = [key for key in keys if any(key in row for row in rows)]
    notes: tuple[str, ...] = ()
    if "worth" in used:
        found = (solution.within(("source", source)).get("next_epoch") for source in solution.sources)
        law = next(value.by for value in found if value)
        total = number(solution, "effective_tokens")
        counted = "" if total is None else f", {bare(show(total, _TOKEN))} in all"
        said = "next epoch: what one more pass over the source is worth"
        notes = (f"Worth: in fresh tokens{counted}; {said}. By `{plain(law)}`.",)
    lines = [[row.get(key, NOTHING) for key in used] for row in rows]
    return Section(under(report, "Data", solution), table(lines, tuple(used), figures=True), notes=notes)


def has_mix(report: Report) -> bool:
    """Whether a section tells of the data, a source a row."""
    return any(map(_has_mix, report.solutions))


def _has_mix(solution: Solution) -> bool:
    return any("tokens" in solution.within(("source", source)) for source in solution.sources)


def _source(solution: Solution, source: str) -> dict[str, str]:
    found = solution.within(("source", source))

    def at(name: str) -> float | None:
        return found[name].value if name in found else None

    row = {"source": plain(source)}
    tokens, share, epochs, most, there = map(at, ("tokens", "share", "epochs", "max_epochs", "available"))
    if tokens is not None:
        row["tokens"] = bare(show(tokens, _TOKEN))
    if share is not None:
        row["share"] = part(share)
    if epochs is not None:
        row["epochs"] = f"{show(epochs, (), 3)} of {show(most, (), 3)}" if most else show(epochs, (), 3)
    if (left := at("left")) is not None and there is not None:
        row["left over"] = bare(show(left, _TOKEN, 3)) if left > _LITTLE * there else "none"
    worth, following = at("effective_tokens"), at("next_epoch")
    if worth is not None and following is not None and there is not None and following < there * (1 - _LITTLE):
        row["worth"] = bare(show(worth, _TOKEN))
        row["next epoch"] = f"{bare(show(following, _TOKEN, 3))}, {per_cent(following / there)}"
    return row


# ---- schedule


def _schedule(report: Report, solution: Solution, details: bool) -> Section | None:
    """The phases, one a row; None where there are none. What is mixed in each is told in words, or in columns."""
    rows = [_phase(solution, name) for name in solution.problem.phases]
    if not any(len(row) > 1 for row in rows):
        return None
    keys = ["phase", "share", "tokens", "days", "batch", "steps", "learning rate"]
    sources = solution.sources if len(solution.sources) > 1 else ()
    if details:
        keys += [_OF + source for source in sources]
    used = [key for key in keys if any(row.get(key) for row in rows)]
    lines = [[row.get(key) or NOTHING for key in used] for row in rows]
    apart = sum(not key.startswith(_OF) for key in used)
    branch, mixes = _branch_point(solution, details), "" if details else _mixes(rows, sources)
    said = tuple(filter(None, (mixes, branch)))
    phases = table(lines, tuple(map(plain, used)), figures=True, apart=apart)
    return Section(under(report, "Schedule", solution), phases, said=said)


def _phase(solution: Solution, name: str) -> dict[str, str]:
    row = {"phase": plain(name)}
    found, known = solution.within(("phase", name)), solution.problem.quantities
    for key in ("share", "tokens", "time", "steps"):
        if value := found.get(key):
            if key == "time":
                row["days"] = _days(value.value)
            else:
                row[key] = part(value.value) if key == "share" else bare(figure(key, value.value, value.dim, known))
    start, end = (found.get(side) for side in LEARNING_RATE)
    if start and end:
        row["learning rate"] = _ramp(*(figure("learning_rate", level.value, (), known) for level in (start, end)))
    small, large = (found.get(side) for side in BATCH)
    if small and large:
        row["batch"] = _ramp(*(bare(show(batch.value, _TOKEN, 3)) for batch in (small, large)))
    for source in solution.sources:
        if mixed := _mixed(solution.within(("phase", name), ("source", source))):
            row[_OF + source] = mixed
    return row


def _mixes(rows: Sequence[Mapping[str, str]], sources: Sequence[str]) -> str:
    """What is mixed in which phases; empty where it is the same in all."""
    phases: dict[str, list[str]] = {}
    for row in rows:
        mix = ", ".join(f"{plain(source)} {row[_OF + source]}" for source in sources if _OF + source in row)
        phases.setdefault(mix, []).append(f"`{row['phase']}`")
    if len(phases) < 2:
        return ""
    return f"Mix: {'; '.join(f'{mix or NOTHING} in {enumerated(names)}' for mix, names in phases.items())}."


def _mixed(found: Mapping[str, Value]) -> str:
    """The share of a source in a phase, or its first and last one; empty where nothing is known of it."""
    first, last, mean = (found.get(key) for key in ("mix_start", "mix_end", "mix"))
    if first and last:
        return _ramp(part(first.value), part(last.value))
    return part(mean.value) if mean else ""


def _ramp(start: str, end: str) -> str:
    return start if start == end else f"{start} → {end}"


def _days(seconds: float) -> str:
    days = seconds / _DAY
    return f"{days:,.1f}" if days >= 0.05 else f"{days:.1g}"


def _branch_point(solution: Solution, details: bool) -> str:
    """Where the decay begins after a phase of constant rate: from there, runs of other lengths can go on."""
    names_, before = solution.problem.phases, len(solution.problem.phases)
    falling = _falling(solution)
    while before and names_[before - 1] in falling:
        before -= 1
    if before in (0, len(names_)):
        return ""
    within = [solution.within(("phase", name)) for name in names_[:before]]
    rates = [within[-1].get(side) for side in LEARNING_RATE]
    # A law without a rate does not say what is constant; what lies between a warm-up and a decay is.
    constant = len({rate.value for rate in rates if rate}) == 1 if all(rates) else before > 1
    tokens = within[-1].get("end_tokens")
    if not constant or tokens is None:
        return ""
    steps, times = ([found[key].value for found in within if key in found] for key in ("steps", "time"))
    where = [show(tokens.value, _TOKEN)]
    if steps:
        where.append(f"step {sum(steps):,.0f}")
    if times:
        where.append(f"day {_days(sum(times))}")
    after = plain(names_[before - 1])
    why = "; a longer run goes on from there, undecayed" if details else ""
    return f"Branch point: {', '.join(where)}, at the end of `{after}`{why}."


def _falling(solution: Solution) -> frozenset[str]:
    """The phases that end with a lower rate than they begin with."""
    decay = solution.problem.definitions.get(q.DECAY_SHARE)
    return frozenset(share.part("phase") for share in names(decay.expr)) if decay else frozenset()
