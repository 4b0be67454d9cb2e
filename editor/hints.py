"""A solved plan to the figures that are shown beside its text: what was open, bounded, named or required."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.text.figures import figure, interval
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Ref, walk
from runplan.dsl.plan.ir import Amount, Given, Hole, Plan, Stage
from runplan.dsl.text.source import Span
from runplan.editor.document import Document
from runplan.editor.solving import Solved
from runplan.engine.problem.solution import TOLD, Solution


@dataclass(frozen=True, slots=True)
class Hint:
    """A figure to show behind a place.

    Attributes:
        at: The offset.
        name: What it is the value of.
        more: Its interval and whether it was solved, for who asks.
    """

    at: int
    text: str
    name: Name
    more: str


# How a figure is spelled that is asked for.
HOLES = ("?", "unknown")


def hints(document: Document, solved: Solved, start: int, end: int) -> tuple[Hint, ...]:
    """The hints in a stretch of a document, by the plan's first law."""
    found: dict[tuple[int, str], Hint] = {}
    for span, name in asked(document, solved):
        at = _end(span)
        if start <= at <= end:
            hint = _hint(solved.solutions[0], name, at, alone=span.text.strip('"') in HOLES)
            found.setdefault((at, hint.text), hint)
    return tuple(sorted(found.values(), key=lambda hint: hint.at))


def asked(document: Document, solved: Solved) -> list[tuple[Span, Name]]:
    """What a document asks for that is known, and where; nothing where another version of it was solved."""
    plan, solutions = solved.report.plan, solved.solutions
    if plan is None or not solutions or solved.report.source.text != document.source.text:
        return []
    found = list(_asked(plan, solutions[0]))
    found += _chosen(document, solutions[0], {name for _, name in found})
    return [(s, name) for s, name in found if s.source.path == document.name and name in solutions[0].values]


def _end(span: Span) -> int:
    """Where a line of a stretch ends that says something: hints stand there."""
    return span.start + len(span.text.rstrip())


def _hint(solution: Solution, name: Name, at: int, *, alone: bool) -> Hint:
    value, known = solution.values[name], solution.problem.quantities
    shown = plain(figure(name.text, value.value, value.dim, known))
    ends = interval(name.text, value, known)
    text = f"= {shown}" if alone else f"{plain(str(name))} = {shown}"
    return Hint(at, text, name, f"{ends} {value.kind} under {solution.law}".strip())


def _asked(plan: Plan, solution: Solution) -> Iterator[tuple[Span, Name]]:
    """What a reader would like to see the value of, and behind what."""
    given = solution.problem.quantities.given_by
    for stage in plan.stages:
        for statement, amounts, part in _amounts(plan, stage):
            for field, amount in amounts.items():
                names = [name for name, known in given(statement).items() if known.name == field] or [field]
                if not isinstance(amount, Given):
                    yield from ((amount.span, name) for name in _named(names[0], part, stage, solution))
    for let in plan.lets.values():
        if not isinstance(let.expr, Num) and not let.of and not let.source:
            yield let.span, Name(let.name, "let")
    for requirement in (*plan.requires, *plan.prefers):
        yield from ((requirement.span, name) for name in _in(requirement.condition, solution))
    for goal in plan.goals:
        yield from ((goal.span, name) for name in _in(goal.expr, solution))


def _chosen(document: Document, solution: Solution, shown: set[Name]) -> Iterator[tuple[Span, Name]]:
    """What was found of the plan and is not said anywhere else, behind its first statement."""
    for node in document.file.statements[:1]:
        for name in map(Name, TOLD):
            if name not in shown and name in solution.values and solution.values[name].kind == "solved":
                yield node.span, name


def _in(expr: Expr, solution: Solution) -> list[Name]:
    """The quantities of a formula that are not given."""
    names = dict.fromkeys(item.name for item in walk(expr) if isinstance(item, Ref) and item.name.kind == "quantity")
    return [name for name in names if name in solution.values and solution.values[name].kind != "given"]


Amounts = dict[str, Amount]


def _amounts(plan: Plan, stage: Stage) -> Iterator[tuple[str, Amounts, tuple[str, str] | None]]:
    """The figures of a stage by statement, each with the part of the run that they are of."""
    several = len(stage.hardware) > 1
    for i, pool in enumerate(stage.hardware):
        yield "hardware", dict(pool.figures), ("pool", str(i + 1)) if several else None
    alone: Amounts = {}
    for name, amount in (("tokens", stage.tokens), ("compute", stage.compute), ("inference_tokens", stage.inference)):
        alone |= {name: amount} if amount is not None else {}
    yield "", alone, None
    for source in stage.data:
        if isinstance(source.epochs, Hole):
            yield "", {"epochs": source.epochs}, ("source", source.name) if source.name else None
    if stage.optimizer is not None:
        yield "optimizer", dict(stage.optimizer.settings), None
    if plan.model is not None and stage is plan.outer:
        model = {"params": plan.model.params, "active_params": plan.model.active, **plan.model.architecture}
        yield (
            "model",
            {name: one for name, one in model.items() if one is not None and name not in plan.model.recorded},
            None,
        )


def _named(text: str, part: tuple[str, str] | None, stage: Stage, solution: Solution) -> Iterator[Name]:
    """The value that a figure of a part is, as a solution has it."""
    bare = Name(text)
    own = bare.of(*part) if part else bare
    for name in (own.in_stage(stage.name) if stage.name else own, own, bare):
        if name in solution.values:
            yield name
            return
