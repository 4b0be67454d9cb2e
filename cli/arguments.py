"""What the command lines of several verbs have in common: options, formats, the reading of a plan, refusals."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING

from runplan.cli.outcome import COULD_NOT_RUN, CannotRun
from runplan.cli.output import split, tell_json
from runplan.cli.paths import reader_for
from runplan.cli.show.summary import plain
from runplan.dsl.text.nearest import did_you_mean

if TYPE_CHECKING:
    from runplan.dsl.packs.library import Library
    from runplan.engine.report import Report

Run = Callable[[list[str]], int]


def verb(name: str) -> Callable[[Run], Run]:
    """A verb that, where it cannot run, says why in a line on standard error and exits 2."""

    def decorated(run: Run) -> Run:
        @wraps(run)
        def answering(argv: list[str]) -> int:
            try:
                return run(argv)
            except CannotRun as error:
                print(f"plan {name}: {plain(str(error))}", file=sys.stderr)
                tell_json(argv, COULD_NOT_RUN, str(error))
                return COULD_NOT_RUN

        return answering

    return decorated


def add_plan_options(parser: ArgumentParser) -> None:
    """The options of verbs that read plans."""
    parser.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[], help="instead of what the plan says"
    )
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan.yaml")


def add_output(parser: ArgumentParser, formats: Sequence[str], *, several: bool = False) -> None:
    """The option that says in which format and to which file; the first format is the default."""
    help = f"{', '.join(formats)}; {formats[0]} unless said{', may be repeated' if several else ''}"
    action = "append" if several else "store"
    parser.add_argument("-o", "--output", metavar="FMT[=FILE]", action=action, help=help)


def wanted(args: Namespace, formats: Sequence[str]) -> list[tuple[str, str | None]]:
    """The formats that were asked for, each with the file that it goes to; at least one.

    Raises:
        CannotRun: For a format that the verb does not have.
    """
    said = args.output or formats[0]
    found = [split(option) for option in ([said] if isinstance(said, str) else said)]
    for name, _ in found:
        if name not in formats:
            raise CannotRun(f"unknown format `{name}`; it is one of {', '.join(formats)}")
    return found


def unknown(kind: str, name: str, known: Sequence[str]) -> CannotRun:
    """The refusal of a name that no law, device or rule has; the verb of that kind lists them."""
    (help,) = did_you_mean(name, known) or [f"`plan {kind}` lists them"]
    return CannotRun(f"unknown {kind} `{name[:60]}`; {help}")


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What is done with a path; where a file cannot be read, `CannotRun` says which."""
    try:
        yield
    except OSError as error:
        raise CannotRun(f"{error.filename or path}: {error.strerror or 'cannot be read'}") from error


def catalogue_here() -> Library:
    """What is known in the current folder; what is wrong with its packs is said on standard error.

    Raises:
        CannotRun: Where the configuration cannot be read.
    """
    from runplan.cli.config import catalogue_for
    from runplan.cli.show.concise import line

    catalogue = catalogue_for(".")
    catalogue.index("law")
    for found in catalogue.findings:
        print(line(found), file=sys.stderr)
    return catalogue


def report_for(file: str, args: Namespace, *, laws: tuple[str, ...] | None = None) -> Report:
    """The report of a plan by the options of `add_plan_options`.

    Raises:
        CannotRun: Where the plan or its configuration cannot be read.
        UnknownLaw: For a name in `laws` that no law has.
    """
    from runplan.cli.config import catalogue_for
    from runplan.engine.pipeline import report_of

    with reading(file):
        path, reader = reader_for(file, args.stdin_filename)
        return report_of(path, reader, catalogue=catalogue_for(path), settings=args.set, laws=laws)
