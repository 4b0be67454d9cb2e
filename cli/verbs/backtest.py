"""`plan backtest`: the laws and the default rates against runs that were done."""

from __future__ import annotations

import os
import sys

from runplan.cli.arguments import Parser, add_output, library_here, reading, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import show
from runplan.cli.paths import Projects, plan_files
from runplan.cli.show.formats import offered
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.packs.library import Library
    from runplan.engine.runs.record import Run


@verb("backtest")
def run(argv: list[str]) -> int:
    """Plan runs that were done and hold the plans to what they took; exit 2 where there are none."""
    parser = Parser(
        prog="plan backtest",
        description="Runs that were done, each planned as if it were still to come and without what is known of its "
        "family, and held to what it reports: GPU-hours by the default rate and by its own, batch, learning rate, "
        "loss. A scorecard by device, size, kind and law; and for what cannot be judged, why.",
        epilog="example: plan backtest llama-2 deepseek-v3 -o json",
    )
    parser.add_argument(
        "runs",
        metavar="RUNS",
        nargs="*",
        help="files or folders with records of runs, or names of runs or of families of the library; all that are "
        "known unless said",
    )
    parser.add_argument(
        "--laws", metavar="A,B,C", help="laws whose batch, learning rate and loss are scored, too, such as steplaw"
    )
    parser.add_argument("--details", action="store_true", help="every run, and not only those that are furthest off")
    add_output(parser, offered("backtest"), several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("backtest"))
    from runplan.engine.backtest.backtest import backtest

    library, runs = _chosen(args.runs)
    laws = tuple(name for word in (args.laws or "").split(",") if (name := word.strip()))
    if args.laws is not None and not laws:
        raise CannotRun("`--laws` names none; write them like `--laws deepseek,steplaw`")
    show("backtest", backtest(runs, library, laws), outputs, details=args.details)
    return CLEAN


def _chosen(words: list[str]) -> tuple[Library, list[Run]]:
    """The library with what the files bring, and the runs that are asked for, each once.

    Raises:
        CannotRun: For a file without a run or with a mistake, and for a name that no run and no family has.
    """
    from runplan.engine.runs.record import runs_of

    paths = [word for word in words if os.path.exists(word)]
    library, brought = _read(plan_files(paths)) if paths else (library_here(), frozenset[str]())
    known = runs_of(library)
    names = {name for run in known for name in (run.name, run.family)}
    for word in words:
        if word not in paths and word not in names:
            (help,) = did_you_mean(word, names) or ["there is no such file, run or family"]
            raise CannotRun(f"unknown run `{word[:60]}`; {help}")
    wanted = {word for word in words if word not in paths} | brought
    return library, [run for run in known if not words or {run.name, run.family} & wanted]


def _read(files: list[str]) -> tuple[Library, frozenset[str]]:
    """What is known beside the files and with what they define, and the names of the runs that they define."""
    from runplan.cli.show.findings.concise import line
    from runplan.dsl.plan.pack_file import with_definitions

    projects, library, brought = Projects(), library_here(), set[str]()
    for file in files:
        with reading(file):
            path, project = projects.of(file)
            library, pack, findings = with_definitions(path, project.reader, library)
        wrong = [found for found in findings if found.severity == "error"]
        for found in wrong:
            print(line(found), file=sys.stderr)
        told = {record.name for record in pack.records if record.kind == "run"}
        if wrong and told:
            raise CannotRun(f"{file}: no run of it is judged until what is wrong in it is mended")
        brought |= told
    if not brought:
        raise CannotRun(f"no run is told of in {', '.join(files)}; `run NAME {{ ... }}` tells of one (docs/packs.md)")
    return library, frozenset(brought)
