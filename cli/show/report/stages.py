"""What comes before and after the run: the stage that is transferred from, and the tokens that are served."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.report.under import by_law
from runplan.cli.show.text.content import NOTHING, Cell, Line, Section, table
from runplan.cli.show.text.figures import bare, figure, interval, part, per_cent
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import SERVED, known_of, label, number
from runplan.dsl.units.parse import unit
from runplan.dsl.units.show import show
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# For each stage the quantities that are parts of one of the whole run.
_PARTS = {
    "pretrain": {"tokens": "pretrain_tokens", "compute": "pretrain_compute"},
    "finetune": {"tokens": "finetune_tokens", "compute": "finetune_compute"},
}


def transfer(report: Report, details: bool) -> Iterator[Section]:
    """The two stages of a transfer and what it is worth; laws that say the same share a section.

    Args:
        details: Whether each sentence has a line of its own.
    """
    found: list[tuple[list[str], tuple[Line, ...], tuple[str, ...]]] = []
    for solution in report.solutions:
        if solution.problem.objective.kind != "transfer" or solution.quantity("finetune_tokens") is None:
            continue
        lines, said = _stages(solution), tuple(_worth(solution))
        if not details:
            lines = tuple(line for line in lines if set(line[1:]) != {NOTHING})
        same = next((entry for entry in found if entry[1:] == (lines, said)), None)
        if same:
            same[0].append(plain(solution.law))
        else:
            found.append(([plain(solution.law)], lines, said))
    told: set[str] = set()
    for laws, lines, said in found:
        title = "Transfer" if len(report.solutions) == 1 else f"Transfer, under {' and '.join(laws)}"
        heads = ("stage", "tokens", "of tokens", "compute", "of compute")
        used = [i for i in range(len(heads)) if any(line[i] != NOTHING for line in lines)]
        kept = [[line[i] for i in used] for line in lines]
        # What was said of one law is not said again of the next.
        fresh = said if details else (" ".join(sentence for sentence in said if sentence not in told),)
        told |= set(said)
        yield Section(title, table(kept, tuple(heads[i] for i in used), figures=True), said=tuple(filter(None, fresh)))


def _stages(solution: Solution) -> tuple[Line, ...]:
    """The stages in their order."""
    objective = solution.problem.objective
    out: list[Line] = []
    for order, kind, stage in (("1", objective.start, "pretrain"), ("2", objective.target, "finetune")):
        cells = [f"{order}. {plain(kind or stage)}"]
        for key, name in _PARTS[stage].items():
            value, total = solution.quantity(name), number(solution, key)
            known = value is not None and solution.quantity(_PARTS["pretrain"][key]) is not None
            cells.append(
                NOTHING if value is None else bare(figure(key, value.value, value.dim, solution.problem.quantities))
            )
            cells.append(part(value.value / total) if known and value is not None and total else NOTHING)
        out.append(tuple(cells))
    return tuple(out)


def _worth(solution: Solution) -> Iterator[str]:
    """What the transfer is worth, and what it saves."""
    objective, v, known = solution.problem.objective, solution.quantity, solution.problem.quantities
    first, second = plain(objective.start or "the first stage"), plain(objective.target or "the second")
    if worth := v("transferred_tokens"):
        wasted = ": more of it is wasted" if v("pretrain_tokens") else ""
        yield f"{first} is worth {figure('tokens', worth.value, worth.dim, known)} of {second}{wasted}."
    if worth and (whole := v("effective_finetune_tokens")) and (times := v("data_multiplier")):
        counted = figure("tokens", whole.value, whole.dim, known)
        if characters := v("effective_characters"):
            counted += f" ({show(characters.value, characters.dim)})"
        own = bare(figure("tokens", number(solution, "finetune_tokens") or 0.0, worth.dim, known))
        yield f"With its own {own} that is {counted}, {show(times.value, (), 3)}x as many."
    if not v("pretrain_tokens"):
        what = "" if worth else f"what {first} is worth in tokens of {second}, nor "
        yield f"The law does not say {what}how long {first} takes."
    scratch, compute, tuned = v("scratch_compute"), v("compute"), v("finetune_compute")
    if scratch and compute and tuned:
        alone = f"From scratch the same loss takes {figure('compute', scratch.value, scratch.dim, known)} of {second}"
        ahead = f"{_saved(tuned.value / scratch.value)} where a model of {first} is there"
        both = "" if not v("pretrain_compute") else f"both stages take {_saved(compute.value / scratch.value)}; "
        yield f"{alone}: {both}{ahead}."
    if crossing := v("crossover"):
        beyond = ", and this is beyond" if tuned and tuned.value > crossing.value else ""
        yield f"It pays up to {figure('compute', crossing.value, crossing.dim, known)} of {second}{beyond}."


def _saved(ratio: float) -> str:
    return f"{per_cent(abs(1 - ratio))} {'less' if ratio <= 1 else 'more'}"


def inference(report: Report) -> Iterator[Section]:
    """What the model serves, and the compute of its life, a law a column."""
    needed = ("inference_tokens", "lifetime_compute")
    solutions = [s for s in report.solutions if all(number(s, name) for name in needed)]
    if not solutions:
        return
    known = known_of(report)
    rows: list[tuple[str | Cell, ...]] = [
        (label(name, known), *(_served(s, name) for s in solutions)) for name in SERVED
    ]
    for name, tell in (("cheapest over its life", _cheapest), ("break-even", _break_even)):
        told = [tell(solution) for solution in solutions]
        rows += [(name, *told)] if any(text != NOTHING for text in told) else []
    yield Section("Inference", by_law(solutions, rows))


def _served(solution: Solution, name: str) -> Cell:
    """A quantity of serving with its interval; the compute with its share of all."""
    value = solution.quantity(name)
    if value is None:
        return Cell(NOTHING)
    known = solution.problem.quantities
    beside = interval(name, value, known)
    if name == "inference_compute" and (whole := number(solution, "lifetime_compute")):
        beside = f"({part(value.value / whole)} of all)"
    return Cell(bare(figure(name, value.value, value.dim, known)), beside)


def _cheapest(solution: Solution) -> str:
    """The size of least lifetime compute at the plan's loss."""
    size, tokens = solution.quantity("lifetime_params"), solution.quantity("lifetime_tokens")
    if size is None or tokens is None:
        return NOTHING
    saving = number(solution, "lifetime_saving") or 0.0
    less = f"{per_cent(saving)} less compute" if saving > 0 else "the plan's"
    return f"{bare(show(size.value, size.dim))} params on {bare(show(tokens.value, tokens.dim))} tokens ({less})"


def _break_even(solution: Solution) -> str:
    """From or up to how many tokens served each size is the cheaper one: the smaller costs less for each of them."""
    even, best, own = (number(solution, name) for name in ("break_even_tokens", "lifetime_params", "params"))
    if best is None or own is None:
        return NOTHING
    saves = (number(solution, "lifetime_saving") or 0.0) > 0
    if even is None:
        return "none: that size is cheaper whatever is served" if saves else NOTHING
    served = f"{bare(show(even, unit('token').dim))} tokens served"
    if not saves:
        return f"the plan's is cheaper than the one that is cheapest to train from {served} on"
    first, second = ("that size", "the plan's") if best > own else ("the plan's", "that size")
    return f"{first} is cheaper up to {served}, {second} beyond"
