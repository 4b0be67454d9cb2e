"""What the run is made of: the data and what repeats of them are worth, and the phases of the schedule."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.figures import NOTHING, bare, figure, part, per_cent
from runplan.cli.show.section import Section, under
from runplan.cli.show.summary import plain
from runplan.dsl.expr.tree import names
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

_DAY = 86400.0
_TOKEN = unit("token").dim
# Before a source's name, as the head of the column of its shares.
_OF = "of "
# What is left of the data is rounding where it is a smaller share of them than this.
_LITTLE = 1e-6


def sections(report: Report) -> Iterator[Section]:
    """The data and the schedule, each under the first law that has it."""
    for make in (_data, _schedule):
        found = (section for solution in report.solutions if (section := make(report, solution)))
        yield from [section] if (section := next(found, None)) else []


# ---- data


def _data(report: Report, solution: Solution) -> Section | None:
    """The mix of data, a source a row; None where the plan has no data."""
    rows = [_source(solution, source) for source in solution.sources]
    if not any("tokens" in row for row in rows):
        return None
    keys = ("source", "tokens", "share", "epochs", "left over", "worth", "next epoch")
    used = [key for key in keys if any(key in row for row in rows)]
    notes: tuple[str, ...] = ()
    if "worth" in used:
        law = next(v.by for s in solution.sources if (v := solution.values.get(f"next_epoch.{s}")) is not None)
        total = solution.get("effective_tokens")
        counted = "" if total is None else f", {bare(show(total, _TOKEN))} in all"
        said = "next epoch: what one more pass over the source is worth"
        notes = (f"Worth: in fresh tokens{counted}; {said}. By `{plain(law)}`.",)
    lines = tuple(tuple(row.get(key, NOTHING) for key in used) for row in rows)
    return Section(under(report, "Data", solution), lines, tuple(used), notes=notes)


def _source(solution: Solution, source: str) -> dict[str, str]:
    def at(name: str) -> float | None:
        return solution.get(f"{name}.{source}")

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


def _schedule(report: Report, solution: Solution) -> Section | None:
    """The phases, one a row; None where there are none."""
    rows = [_phase(solution, name) for name in solution.problem.phases]
    if not any(len(row) > 1 for row in rows):
        return None
    keys = ["phase", "share", "tokens", "days", "batch", "steps", "learning rate"]
    if len(solution.sources) > 1:
        keys += [_OF + source for source in solution.sources]
    used = [key for key in keys if any(row.get(key) for row in rows)]
    lines = tuple(tuple(row.get(key) or NOTHING for key in used) for row in rows)
    apart = sum(not key.startswith(_OF) for key in used)
    said = (text,) if (text := _branch_point(solution)) else ()
    return Section(under(report, "Schedule", solution), lines, tuple(map(plain, used)), apart, said=said)


def _phase(solution: Solution, name: str) -> dict[str, str]:
    row = {"phase": plain(name)}
    for key in ("share", "tokens", "time", "steps"):
        if value := solution.values.get(f"phase.{name}.{key}"):
            if key == "time":
                row["days"] = _days(value.value)
            else:
                row[key] = part(value.value) if key == "share" else bare(figure(key, value.value, value.dim))
    start, end = (solution.get(f"phase.{name}.learning_rate.{side}") for side in ("start", "end"))
    if start is not None and end is not None:
        row["learning rate"] = _ramp(*(figure("learning_rate", level, ()) for level in (start, end)))
    small, large = (solution.get(f"phase.{name}.batch.{side}") for side in ("start", "end"))
    if small is not None and large is not None:
        row["batch"] = _ramp(*(bare(show(batch, _TOKEN, 3)) for batch in (small, large)))
    for source in solution.sources:
        first, last = (solution.get(f"phase.{name}.mix_{side}.{source}") for side in ("start", "end"))
        mean = solution.get(f"phase.{name}.mix.{source}")
        if first is not None and last is not None:
            row[_OF + source] = _ramp(part(first), part(last))
        elif mean is not None:
            row[_OF + source] = part(mean)
    return row


def _ramp(start: str, end: str) -> str:
    return start if start == end else f"{start} → {end}"


def _days(seconds: float) -> str:
    days = seconds / _DAY
    return f"{days:,.1f}" if days >= 0.05 else f"{days:.1g}"


def _branch_point(solution: Solution) -> str:
    """Where the decay begins after a phase of constant rate: from there, runs of other lengths can go on."""
    names_, before = solution.problem.phases, len(solution.problem.phases)
    falling = _falling(solution)
    while before and names_[before - 1] in falling:
        before -= 1
    if before in (0, len(names_)):
        return ""
    rates = [solution.get(f"phase.{names_[before - 1]}.learning_rate.{side}") for side in ("start", "end")]
    # A law without a rate does not say what is constant; what lies between a warm-up and a decay is.
    if before < 2 if None in rates else rates[0] != rates[1]:
        return ""
    tokens = solution.get(f"phase.{names_[before - 1]}.end_tokens")
    if tokens is None:
        return ""
    steps = [solution.get(f"phase.{name}.steps") for name in names_[:before]]
    times = [solution.get(f"phase.{name}.time") for name in names_[:before]]
    where = [show(tokens, _TOKEN)]
    if counted := [step for step in steps if step is not None]:
        where.append(f"step {sum(counted):,.0f}")
    if taken := [time for time in times if time is not None]:
        where.append(f"day {_days(sum(taken))}")
    after = plain(names_[before - 1])
    return f"Branch point: {', '.join(where)}, at the end of `{after}`; a longer run goes on from there, undecayed."


def _falling(solution: Solution) -> frozenset[str]:
    """The phases that end with a lower rate than they begin with."""
    decay = solution.problem.definitions.get("decay_share")
    shares = names(decay.expr) if decay else frozenset()
    return frozenset(share.removeprefix("phase.").removesuffix(".share") for share in shares)
