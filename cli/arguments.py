"""What the command lines of several verbs have in common: options, formats, the reading of a plan, refusals."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS, Action, ArgumentError, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps

from runplan.cli.outcome import COULD_NOT_RUN, CannotRun
from runplan.cli.output import split, tell_json, terminal_columns
from runplan.cli.paths import Projects
from runplan.cli.show.text.plain import plain
from runplan.cli.stream import tell
from runplan.dsl.text.errors import BadConfig, NoRevision, NoWorker, UnknownCode, UnknownLaw
from runplan.dsl.text.nearest import did_you_mean, same_model
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan import Project
    from runplan.dsl.packs.library import Library
    from runplan.engine.gate import Gate
    from runplan.engine.layout.fit import Look
    from runplan.engine.report import Report
    from runplan.engine.scatter.work import Workers

# What `argparse` says of usage is said as all else is. To look for its words in another language, of which Python has
# none, it would read the names of all locales at each start.
argparse._ = str  # type: ignore[attr-defined]

Run = Callable[[list[str]], int]


def verb(name: str) -> Callable[[Run], Run]:
    """A verb that, where it cannot run, says why in a line on standard error and exits 2."""

    def decorated(run: Run) -> Run:
        @wraps(run)
        def answering(argv: list[str]) -> int:
            try:
                return run(argv)
            except Exception as error:
                return refused(name, argv, error)

        return answering

    return decorated


def refused(name: str, argv: Sequence[str], error: Exception) -> int:
    """The exit code of a verb that cannot run, which has said why.

    Raises:
        Exception: Itself, where it is no refusal.
    """
    if not isinstance(error, (CannotRun, BadConfig, NoRevision, NoWorker, UnknownCode, UnknownLaw)):
        raise error
    tell(f"plan {name}: {plain(str(error))}")
    tell_json(argv, COULD_NOT_RUN, str(error))
    return COULD_NOT_RUN


class Parser(ArgumentParser):
    """A parser of the options of a verb.

    Attributes:
        offers: The words that an option, by its name in the namespace, takes among others.
    """

    def __init__(self, *, prog: str, description: str, epilog: str) -> None:
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=_Help)
        self.offers: dict[str, tuple[str, ...]] = {}
        for action in (None, "store"):
            self.register("action", action, _Once)
        self.add_argument(_DESCRIBE, action=_Describe, nargs=0, help=SUPPRESS)


# The one argument for which a verb gives its parser and does nothing: with a NUL in it, no command line can hold it.
_DESCRIBE = "--\0"


class _Described(Exception):
    """A parser, in place of what it parses."""

    def __init__(self, parser: Parser) -> None:
        super().__init__()
        self.parser = parser


class _Describe(Action):
    def __call__(self, parser: ArgumentParser, *_: object, **__: object) -> None:
        assert isinstance(parser, Parser)
        raise _Described(parser)


def parser_of(run: Run) -> Parser:
    """The parser that a verb reads its arguments with."""
    try:
        run([_DESCRIBE])
    except _Described as described:
        return described.parser
    raise AssertionError("a verb that reads no arguments")


class _Once(Action):
    """What an option says; said a second time it would pass over the first, and is refused."""

    said = False

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: object, option_string: str | None = None
    ) -> None:
        if option_string is not None and self.said:
            raise ArgumentError(self, "given twice")
        self.said = True
        setattr(namespace, self.dest, values)


class _Help(HelpFormatter):
    """As argparse has it. It makes one for each option, and would look up the width each time, by way of `shutil`."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal_columns() - 2)


def add_plan_options(parser: ArgumentParser) -> None:
    """The options of verbs that read plans."""
    parser.add_argument(
        "--set",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="in place of what the plan says: tokens=2T, hardware.gpus=512, model.layers=32, data.web='5T tokens', "
        "require='loss <= 2.1', a `let` by its name; may be repeated, and docs/cli.md has all paths",
    )
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan.yaml")


def add_output(parser: Parser, formats: Sequence[str], *, several: bool = False) -> None:
    """The option that says in which format and to which file; the first format is the default."""
    help = f"{', '.join(formats)}; {formats[0]} unless said{', may be repeated' if several else ''}"
    action = "append" if several else "store"
    parser.add_argument("-o", "--output", metavar="FMT[=FILE]", action=action, help=help)
    parser.offers["output"] = tuple(formats)


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
    """The refusal of a name that no law, model or rule has; the verb of that kind lists them."""
    near = did_you_mean(name, same_model(name, known) if kind == "model" else known)
    (help,) = near or [f"`plan {kind}` lists them"]
    return CannotRun(f"unknown {kind} `{name[:60]}`; {help}")


def unknown_word(kind: str, word: str, known: Sequence[str]) -> CannotRun:
    """The refusal of a word that is none of a few; the nearest one, or all of them."""
    (help,) = did_you_mean(word, known) or [f"it is one of {', '.join(known)}"]
    return CannotRun(f"unknown {kind} `{word[:60]}`; {help}")


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What is done with a path; where a file cannot be read, `CannotRun` says which."""
    try:
        yield
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or 'cannot be read'}") from error


def each_checked(
    files: Iterable[str], projects: Projects, check: Callable[[Project, str], Gate]
) -> Iterator[tuple[Project, Gate]]:
    """Each plan, as it is checked, with its project.

    Raises:
        CannotRun: Where one cannot be read.
    """
    for file in files:
        with reading(file):
            path, project = projects.of(file)
            yield project, check(project, path)


def library_here() -> Library:
    """What is known in the current folder; what is wrong with its packs is said on standard error.

    Raises:
        BadConfig: Where the configuration cannot be used.
    """
    from runplan import Project
    from runplan.cli.show.findings.concise import line

    library = Project.open().library
    for found in library.findings:
        tell(line(found))
    return library


def report_for(
    file: str,
    args: Namespace,
    *,
    laws: tuple[str, ...] | None = None,
    projects: Projects | None = None,
    draws: int | None = None,
    workers: Workers | None = None,
    look: Look | None = None,
) -> Report:
    """The report of a plan by the options of `add_plan_options`.

    Args:
        laws: In place of the plan's own.
        projects: Where the projects are kept that several plans may share.
        draws, workers, look: See `report_of`.

    Raises:
        CannotRun: Where the plan cannot be read.
        BadConfig: Where its project's configuration cannot be used.
        UnknownLaw: For a name in `laws` that no law has.
    """
    from runplan.engine.pipeline import report_of

    with reading(file):
        path, project = (projects or Projects(args.stdin_filename)).of(file)
        return report_of(
            path,
            project.reader,
            catalogue=project.library,
            settings=args.set,
            laws=laws,
            draws=draws,
            workers=workers,
            look=look,
        )
