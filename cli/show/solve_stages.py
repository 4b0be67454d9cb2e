"""What comes before and after the run: the stage that is transferred from, and the tokens that are served."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.figures import LABELS, NOTHING, bare, figure, interval, part, per_cent
from runplan.cli.show.section import Section, by_law
from runplan.cli.show.summary import plain
from runplan.cli.show.terminal import Line
from runplan.dsl.units.show import show
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# What the Inference section tells.
SERVED = ("inference_tokens", "inference_compute", "lifetime_compute")
BREAK_EVEN = (
    "Break-even: tokens served above which that size is cheaper than the plan's, or, where it is the plan's, "
    "than the one that is cheapest to train."
)
_SERVED_LABELS = {"inference_tokens": "tokens served", "inference_compute": "compute of serving"}


def transfer(report: Report) -> Iterator[Section]:
    """The two stages of a transfer and what it is worth; laws that say the same share a section."""
    found: list[tuple[list[str], tuple[Line, ...], tuple[str, ...]]] = []
    for solution in report.solutions:
        if solution.problem.objective.kind != "transfer" or solution.get("finetune_tokens") is None:
            continue
        lines, said = _stages(solution), tuple(_worth(solution))
        same = next((entry for entry in found if entry[1:] == (lines, said)), None)
        if same:
            same[0].append(plain(solution.law))
        else:
            found.append(([plain(solution.law)], lines, said))
    for laws, lines, said in found:
        title = "Transfer" if len(report.solutions) == 1 else f"Transfer, under {' and '.join(laws)}"
        heads = ("stage", "tokens", "of tokens", "compute", "of compute")
        used = [i for i in range(len(heads)) if any(line[i] != NOTHING for line in lines)]
        table = tuple(tuple(line[i] for i in used) for line in lines)
        yield Section(title, table, tuple(heads[i] for i in used), said=said)


def _stages(solution: Solution) -> tuple[Line, ...]:
    """The stages in their order."""
    objective = solution.problem.objective
    out: list[Line] = []
    for order, kind, stage in (("1", objective.start, "pretrain"), ("2", objective.target, "finetune")):
        cells = [f"{order}. {plain(kind or stage)}"]
        for key, whole in (("tokens", "tokens"), ("compute", "compute")):
            value, total = solution.values.get(f"{stage}_{key}"), solution.get(whole)
            known = value is not None and solution.get(f"pretrain_{key}") is not None
            cells.append(NOTHING if value is None else bare(figure(key, value.value, value.dim)))
            cells.append(part(value.value / total) if known and value is not None and total else NOTHING)
        out.append(tuple(cells))
    return tuple(out)


def _worth(solution: Solution) -> Iterator[str]:
    """What the transfer is worth, and what it saves."""
    objective, v = solution.problem.objective, solution.values
    first, second = plain(objective.start or "the first stage"), plain(objective.target or "the second")
    if worth := v.get("transferred_tokens"):
        wasted = ": more of it is wasted" if "pretrain_tokens" in v else ""
        yield f"{first} is worth {figure('tokens', worth.value, worth.dim)} of {second}{wasted}."
    if worth and (whole := v.get("effective_finetune_tokens")) and (times := v.get("data_multiplier")):
        counted = figure("tokens", whole.value, whole.dim)
        if characters := v.get("effective_characters"):
            counted += f" ({show(characters.value, characters.dim)})"
        own = bare(figure("tokens", v["finetune_tokens"].value, worth.dim))
        yield f"With its own {own} that is {counted}, {show(times.value, (), 3)}x as many."
    if "pretrain_tokens" not in v:
        what = "" if worth else f"what {first} is worth in tokens of {second}, nor "
        yield f"The law does not say {what}how long {first} takes."
    scratch, compute, tuned = v.get("scratch_compute"), v.get("compute"), v.get("finetune_compute")
    if scratch and compute and tuned:
        alone = f"From scratch the same loss takes {figure('compute', scratch.value, scratch.dim)} of {second}"
        ahead = f"{_saved(tuned.value / scratch.value)} where a model of {first} is there already"
        both = "" if "pretrain_compute" not in v else f"both stages take {_saved(compute.value / scratch.value)}; "
        yield f"{alone}: {both}{ahead}."
    if crossing := v.get("crossover"):
        beyond = ", and this is beyond" if tuned and tuned.value > crossing.value else ""
        yield f"It pays up to {figure('compute', crossing.value, crossing.dim)} of {second}{beyond}."


def _saved(ratio: float) -> str:
    return f"{per_cent(abs(1 - ratio))} {'less' if ratio <= 1 else 'more'}"


def inference(report: Report) -> Iterator[Section]:
    """What the model serves, and the compute of its life, a law a column."""
    solutions = [s for s in report.solutions if s.get("inference_tokens") and s.get("lifetime_compute")]
    if not solutions:
        return
    rows: list[Line] = []
    for name in SERVED:
        cells = []
        for solution in solutions:
            value = solution.values[name]
            more = interval(value)
            if name == "inference_compute":
                whole = solution.values["lifetime_compute"].value
                more = f"({part(value.value / whole)} of all)"
            cells.append(f"{bare(figure(name, value.value, value.dim))} {more}".strip())
        rows.append((_SERVED_LABELS.get(name, LABELS.get(name, name)), *cells))
    for label, tell in (("cheapest over its life", _cheapest), ("break-even", _break_even)):
        told = [tell(solution) for solution in solutions]
        rows += [(label, *told)] if any(text != NOTHING for text in told) else []
    heads, lines = by_law(solutions, rows)
    yield Section("Inference", lines, heads, notes=(BREAK_EVEN,) if rows[-1][0] == "break-even" else ())


def _cheapest(solution: Solution) -> str:
    """The size of least lifetime compute at the plan's loss."""
    v = solution.values
    if "lifetime_params" not in v:
        return NOTHING
    size, tokens = (bare(show(v[f"lifetime_{name}"].value, v[f"lifetime_{name}"].dim)) for name in ("params", "tokens"))
    saving = v["lifetime_saving"].value
    less = f"{per_cent(saving)} less compute" if saving > 0 else "the plan's"
    return f"{size} params on {tokens} tokens ({less})"


def _break_even(solution: Solution) -> str:
    """The tokens served at which that size begins to pay."""
    value = solution.values.get("break_even_tokens")
    return NOTHING if value is None else f"{bare(figure('tokens', value.value, value.dim))} tokens served"
