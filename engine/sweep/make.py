"""A plan, what of it is varied, and what is asked, in words, to a job; and to what is wrong with any of these."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice, product

from runplan.dsl.expr.name import quantity
from runplan.dsl.expr.tree import Expr, Op, Ref, walk
from runplan.dsl.packs.library import Library
from runplan.dsl.text.reader import Reader
from runplan.dsl.text.recorded import Recording
from runplan.engine.pipeline import plan_at
from runplan.engine.problem.problem import Problem
from runplan.engine.read import Read
from runplan.engine.report import Report
from runplan.engine.solve.values import dim_of
from runplan.engine.sweep.axes import Axis, CannotSweep, axis_of
from runplan.engine.sweep.job import Asked, Job
from runplan.engine.sweep.point import keep

# What is asked of each point where nothing is said, as far as there is such a thing.
USUAL = ("params", "tokens", "loss", "gpus", "time", "cost")
# Points that are tried for one that is a plan.
TRIED = 27
# The first pool may be said without its name.
_FIRST_POOL = re.compile(r"hardware\.pool1(?=\.|$)")
# More rows than anybody looks at, or has room for.
MOST = 10**12


def job_of(
    path: str,
    reader: Reader,
    words: Sequence[str],
    *,
    catalogue: Library,
    settings: Sequence[str] = (),
    laws: tuple[str, ...] | None = None,
    asked: Sequence[str] = (),
    also: Sequence[str] = (),
    where: str | None = None,
) -> Job:
    """The sweep of the plan at a path over axes, each in words such as `tokens=1T..8T:log4`.

    Args:
        settings: `path=value` each, in place of what the plan says.
        laws: In place of the plan's own.
        asked: Quantities, or expressions of them; some usual ones unless said.
        also: What is asked beside these, whatever they are.
        where: The condition of the points that are wanted; all unless said.

    Raises:
        OSError: Where the file cannot be read.
        UnknownLaw: Where no law is called so.
        CannotSweep: Where something cannot be varied, or asked.
    """
    axes = tuple(axis_of(word, _is_whole(word, catalogue)) for word in words)
    if not axes:
        raise CannotSweep("nothing is varied: write an axis, such as `hardware.gpus=256,512` or `tokens=1T..8T:log4`")
    _each_counts(axes)
    recording = Recording(reader)
    imported: dict[str, Report] = {}

    def read_at(at: Sequence[int], *more: str) -> Read:
        own = (f"{axis.path}={axis.text(one)}" for axis, one in zip(axes, at, strict=True))
        return plan_at(
            path,
            recording,
            catalogue=catalogue,
            settings=(*settings, *own, *more),
            laws=laws,
            intervals=False,
            solved=imported,
        )

    # A point may be no plan; where all that are tried are none, what is wrong with the first is said.
    tried = islice(product(*(dict.fromkeys((0, len(axis) - 1, len(axis) // 2)) for axis in axes)), TRIED)
    failed: list[Read] = []
    for at in tried:
        start = read_at(at)
        if start.plan is not None:
            break
        failed.append(start)
    else:
        raise CannotSweep(failed[0].error())
    read = partial(read_at, at)
    problem = next(start.problems())
    texts = asked or [text for text in USUAL if _has(problem, text)]
    wanted = tuple(_asked(text, problem, read) for text in dict.fromkeys((*texts, *also)))
    condition = None if where is None else _condition(where, read(f"require={where}"), problem)
    job = Job(
        path,
        recording.recorded(),
        catalogue.shelf.brought,
        tuple(settings),
        axes,
        laws,
        tuple(case.named for case in start.cases),
        wanted,
        condition,
    )
    if job.size > MOST:
        raise CannotSweep(f"{job.size:,} points are more than {MOST:,}: make the axes shorter")
    keep(catalogue)
    return job


def _each_counts(axes: Sequence[Axis]) -> None:
    """Each axis varies what no other says once more.

    Raises:
        CannotSweep: Where one does, as the setting of a later axis stands in place of what the one before sets.
    """
    paths = [_FIRST_POOL.sub("hardware", axis.path) for axis in axes]
    for at, (axis, path) in enumerate(zip(axes, paths, strict=True)):
        for later, other in zip(axes[at + 1 :], paths[at + 1 :], strict=True):
            if path == other:
                raise CannotSweep(f"`{later.path}` is varied twice: put all of its values into one axis")
            if path.startswith((f"{other}.", f"{other}[")):
                raise CannotSweep(f"`{later.path}` stands in place of `{axis.path}`: vary it first, or leave one out")


def _is_whole(word: str, catalogue: Library) -> bool:
    """Whether what is varied is counted in whole numbers, by the field that the path ends with."""
    *above, field = word.partition("=")[0].strip().split(".")
    known = catalogue.vocabulary().fields
    return any(name in above and field in fields and fields[field].whole for name, fields in known.items())


def _has(problem: Problem, text: str) -> bool:
    return quantity(text) in problem.definitions or any(v.name == quantity(text) for v in problem.variables)


def _asked(text: str, problem: Problem, read: Callable[[str], Read]) -> Asked:
    """What is asked of each point: a quantity of the problem, or what the plan reads it as with a setting.

    Raises:
        CannotSweep: Where it cannot be read, or is none of the plan.
    """
    expr: Expr = Ref(quantity(text))
    if not _has(problem, text):
        found = read(f"minimize={text}")
        if found.plan is None:
            raise CannotSweep(found.error(text))
        (goal,) = found.plan.goals
        expr = goal.expr
    known = problem.quantities.get(expr.name.text) if isinstance(expr, Ref) else None
    return Asked(text, expr, dim_of(problem, expr), known.facts.better if known else "")


def _condition(text: str, read: Read, problem: Problem) -> Expr:
    """The condition of the points that are wanted.

    Raises:
        CannotSweep: Where it cannot be read, or is about what is no figure of a point.
    """
    if read.plan is None:
        raise CannotSweep(read.error(text))
    condition = read.plan.requires[-1].condition
    if any(isinstance(part, Op) and part.op == "P" for part in walk(condition)):
        raise CannotSweep(f"`{text}`: a point has figures, and no probability")
    return condition
