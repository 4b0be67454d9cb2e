"""`plan sweep`: a plan at each point of a grid, solved."""

from __future__ import annotations

import argparse
import re

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, verb, wanted
from runplan.cli.crew import add_crew, crew
from runplan.cli.outcome import CLEAN, FOUND, CannotRun
from runplan.cli.paths import Projects
from runplan.cli.senses import add_senses, sense_of
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runplan.dsl.plan.ir import Sense
    from runplan.engine.scatter.work import Done
    from runplan.engine.sweep.job import Job
    from runplan.engine.sweep.parts import Part

FORMATS = ("table", "csv", "jsonl", "json", "npy", "npz", "parquet")


@verb("sweep")
def run(argv: list[str]) -> int:
    """Solve a plan at each point of a grid; exit 1 where no point is solved."""
    parser = Parser(
        prog="plan sweep",
        description="A plan at each point of a grid: any of its inputs over lists and ranges, each point solved as "
        "`plan solve` solves it. A path is one that `--set` knows.",
        epilog="example: plan sweep plans/thousand-h100.plan hardware.gpus=256..4096:log5 --ask loss,cost",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    parser.add_argument("axes", metavar="AXIS", nargs="+", help="PATH=V1,V2 or PATH=LOW..HIGH:N or PATH=LOW..HIGH:logN")
    parser.add_argument("--ask", metavar="Q,Q", help="quantities, or expressions of them, to tell of each point")
    parser.add_argument("--laws", metavar="A,B", help="laws, in place of the plan's own")
    parser.add_argument("--where", metavar="EXPR", help="only points at which it holds, such as 'loss <= 2.0'")
    parser.add_argument(
        "--pareto", metavar="X,Y", help="only points that none is better than by one of them and as good by all"
    )
    parser.add_argument("--top", metavar="N", help="only the N best by `--by`")
    parser.add_argument("--by", metavar="Q", help="what `--top` is by")
    add_senses(parser, "Q", "a quantity of `--pareto` or `--by`, where it is better so")
    add_crew(parser)
    parser.add_argument("--resume", action="store_true", help="go on with files whose sweep was interrupted")
    add_plan_options(parser)
    parser.add_argument("--details", action="store_true", help="more points, and all that is wrong with others")
    add_output(parser, FORMATS, several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, FORMATS)
    pareto, by, count = _listed(args.pareto), _listed(args.by), _count(args.top)
    if len(by) > 1 or bool(by) != (count is not None):
        raise CannotRun("`--top N --by Q` go together: how many points, and by which quantity they are best")
    if args.pareto is not None and len(pareto) < 2:
        raise CannotRun("`--pareto` is of two quantities or more, such as `--pareto cost,loss`")
    for text in (*args.minimize, *args.maximize):
        if text not in (*pareto, *by):
            raise CannotRun(f"`{text[:60]}` is not in `--pareto` or `--by`")
    from runplan.cli.sweeping import Outputs, progress
    from runplan.engine.scatter.order import in_order
    from runplan.engine.sweep.axes import CannotSweep
    from runplan.engine.sweep.make import job_of
    from runplan.engine.sweep.parts import most_of
    from runplan.engine.sweep.rows import Choice

    with reading(args.path):
        path, project = Projects(args.stdin_filename).of(args.path)
        try:
            job = job_of(
                path,
                project.reader,
                args.axes,
                catalogue=project.library,
                settings=args.set,
                laws=tuple(_listed(args.laws)) or None,
                asked=_listed(args.ask),
                also=(*pareto, *by),
                where=args.where,
            )
        except CannotSweep as error:
            raise CannotRun(str(error)) from error
    choice = Choice(tuple((text, _sense(args, job, text)) for text in pareto),
                    tuple((text, _sense(args, job, text)) for text in by), count)  # fmt: skip
    sink = Outputs(job, outputs, choice, project.library.quantities(), details=args.details, resume=args.resume)
    with crew(args) as workers:

        def chunks(start: int) -> Iterator[Done[Part]]:
            found = in_order(sink.work, job.size, workers, start=start, most=most_of(choice), cut=job.cut)
            return progress(found, job.size)

        seen = sink.fill(chunks)
    return CLEAN if seen.by_status["solved"] else FOUND


def _listed(text: str | None) -> list[str]:
    """What is listed between commas, but for those in brackets."""
    parts = re.split(r",(?![^()]*\))", text) if text else []
    return [part.strip() for part in parts if part.strip()]


def _count(text: str | None) -> int | None:
    """How many points are wanted.

    Raises:
        CannotRun: Where that is no number of points.
    """
    if text is not None and not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise CannotRun(f"`--top {text[:60]}`: write how many, from 1 to 9,999,999")
    return None if text is None else int(text)


def _sense(args: argparse.Namespace, job: Job, text: str) -> Sense:
    """Which way a quantity is better.

    Raises:
        CannotRun: Where nothing says, or both are said.
    """
    better = next(asked.better for asked in job.asked if asked.text == text)
    known: Sense | None = "minimize" if better == "less" else "maximize" if better == "more" else None
    if (sense := sense_of(args, text) or known) is None:
        raise CannotRun(f"say which way `{text}` is better: `--minimize '{text}'` or `--maximize '{text}'`")
    return sense
