"""Solutions to what a reader must know of their table: intervals, what is undecided or asked for, other laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.cli.show.text.certainty import proof
from runplan.cli.show.text.figures import interval
from runplan.cli.show.text.odds import odds_in_words
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import label
from runplan.dsl.text.words import enumerated
from runplan.engine.problem.parts import Constraint
from runplan.engine.problem.solution import Relaxation, Solution, Value
from runplan.engine.problem.told import quantities


def notes(solutions: Sequence[Solution], details: bool) -> tuple[str, ...]:
    """What must be known to read the table of solutions; that a law has no interval beside one that has, it shows."""
    told = (
        *_brackets(solutions, details),
        *_without_interval(solutions, details),
        *(said for solution in solutions for said in _short_of_solved(solution)),
        *_proofs(solutions, details),
        *(f"{_capital(text)}." for text in dict.fromkeys(_whole(solutions))),
        *_of_other_laws(solutions),
        *(f"{said}." for said in _odds(solutions, details)),
        *_of_corpora(solutions),
    )
    return tuple(map(plain, told))


def _has_brackets(solutions: Sequence[Solution]) -> bool:
    """Whether the table shows an interval."""
    return any(
        interval(name, value, solution.problem.quantities) for solution in solutions for name, value in _shown(solution)
    )


def _brackets(solutions: Sequence[Solution], details: bool) -> Iterator[str]:
    if not _has_brackets(solutions):
        return
    ranges = " over the plan's ranges" if any(solution.worst for solution in solutions) else ""
    few = {solution.draws for solution in solutions if solution.draws}
    drawn = f" by {max(few)} draws" if few else ""
    assumed = " and of what is assumed" if any(solution.problem.deviates for solution in solutions) else ""
    what = f"the 80 % interval of a law's constants{assumed}" if details else "80 % intervals"
    yield f"In brackets: {what}{drawn}{ranges}."
    yield from (f"They leave out {s.left_out}: the plan cannot be done there." for s in solutions if s.left_out)


def _without_interval(solutions: Sequence[Solution], details: bool) -> Iterator[str]:
    if not details and _has_brackets(solutions):
        return
    unsure = [solution for solution in solutions if solution.interval_note]
    # The same that is said of several laws is said once.
    said = {solution.interval_note.replace(f"`{solution.resolved}` ", "") for solution in unsure}
    if len(unsure) > 1 and len(said) == 1:
        laws = enumerated([f"`{solution.resolved}`" for solution in unsure])
        yield f"No interval: each of {laws} {_sentence(said.pop())}."
    else:
        yield from (f"No interval: {_sentence(solution.interval_note)}." for solution in unsure)


def _short_of_solved(solution: Solution) -> Iterator[str]:
    """Of what is not solved what its figures are."""
    if solution.status == "undecided":
        why = [f.message for f in solution.findings] or ["nothing says why"]
        yield f"`{solution.law}` is undecided: {_sentence(why[0])}."
    if solution.status == "infeasible":
        requires = [f"`{one.text}`" for one in solution.conflict if _is_require(one)]
        if requires and "solved" in {value.kind for value in solution.values.values()}:
            yield f"The figures under `{solution.law}` are those without {' and '.join(requires)}."
        else:
            yield f"The figures under `{solution.law}` are what the plan asks for, not what can be."


def _proofs(solutions: Sequence[Solution], details: bool) -> Iterator[str]:
    """What proves that each is the best there is; without details only where nothing does."""
    for solution in solutions:
        certified = proof(solution)
        if certified and (details or solution.certainty == "local"):
            yield f"Under `{solution.law}` {certified}."


def _of_other_laws(solutions: Sequence[Solution]) -> Iterator[str]:
    for (law, those), named in _others_by(solutions).items():
        where = "" if len(those) == len(solutions) else f" under {enumerated([f'`{name}`' for name in those])}"
        yield f"{_capital(enumerated(named))}{where} by `{law}`."


def _of_corpora(solutions: Sequence[Solution]) -> Iterator[str]:
    corpora = {solution.problem.law.corpus for solution in solutions if solution.quantity("loss")}
    if len(corpora) > 1:
        yield "The losses are of different corpora or tokenizers: do not compare them."


def _others_by(solutions: Sequence[Solution]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    """What the table shows by a law that is not that of its column: by that law and the columns, the quantities."""
    under: dict[tuple[str, str], list[str]] = {}
    for solution in solutions:
        for name, value in _shown(solution):
            if value.kind == "law" and value.by != solution.resolved:
                under.setdefault((value.by, name), []).append(solution.law)
    out: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (law, name), laws in under.items():
        out.setdefault((law, tuple(laws)), []).append(label(name, solutions[0].problem.quantities))
    return out


def _odds(solutions: Sequence[Solution], details: bool) -> Iterator[str]:
    """How likely what is required is; of several laws of the first, and of all of them among the details."""
    for solution in solutions if details else solutions[:1]:
        under = f" under `{plain(solution.law)}`" if len(solutions) > 1 else ""
        yield from (f"{said}{under}" for said in odds_in_words(solution.odds, details))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return text.rstrip(".")


def _shown(solution: Solution) -> Iterator[tuple[str, Value]]:
    """The quantities of a solution that a table has a row for."""
    return quantities(solution, "", "transfer")


def _whole(solutions: Sequence[Solution]) -> Iterator[str]:
    """What was made whole, with what it was before."""
    for solution in solutions:
        for name, value in solution.values.items():
            if value.kind == "solved" and value.note:
                yield f"{label(str(name), solution.problem.quantities)} {value.note}"


def _is_require(relaxation: Relaxation) -> bool:
    return isinstance(relaxation.of, Constraint) and relaxation.of.kind == "require"
