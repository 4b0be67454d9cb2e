"""The options that say who does long work, to who does it: this process, several, or a cluster."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from runplan.cli.outcome import CannotRun
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.engine.scatter.work import Workers

# More processes than any machine has cores.
MOST = 1024


def add_crew(parser: ArgumentParser) -> None:
    """The options of verbs that do long work."""
    parser.add_argument("--workers", metavar="N", help="by so many processes of this machine; by this one unless said")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="by a Dask cluster, whose scheduler is there: tcp://10.0.0.1:8786; needs `pip install 'runplan[dask]'`",
    )


@contextmanager
def crew(args: Namespace) -> Iterator[Workers]:
    """Who does the work, by the options of `add_crew`, for as long as the context is open: this process unless said.

    Errors are those of `others`.
    """
    with others(args) as workers:
        if workers is not None:
            yield workers
            return
        from runplan.engine.scatter.here import here

        with here() as alone:
            yield alone


def others(args: Namespace) -> AbstractContextManager[Workers | None]:
    """Who else does the work, by these options, for as long as the context is open; None where nobody is asked.

    Raises:
        CannotRun: Where the options cannot be used.
        NoWorker: Where nobody is there.
    """
    if args.workers and args.scheduler:
        raise CannotRun("`--workers` are of this machine, and `--scheduler` has its own: leave out one of the two")
    if args.scheduler:
        from runplan.engine.scatter.cluster import cluster

        return cluster(args.scheduler, lambda line: print(f"plan: {line}", file=sys.stderr))
    if args.workers:
        from runplan.engine.scatter.processes import processes

        return processes(count(args.workers, "--workers", MOST))
    return nullcontext()


def count(text: str, option: str, most: int, least: int = 1) -> int:
    """A whole number that an option says.

    Raises:
        CannotRun: Where it is none, or none from the least to the most.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise CannotRun(f"`{option} {text[:60]}`: write how many, from {least} to {most:,}")
    return int(text)
