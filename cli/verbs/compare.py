"""`plan compare`: laws, or plans, side by side, with the spread, the regrets and the reasons."""

from __future__ import annotations

import argparse
import re
from functools import partial

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, report_for, verb, wanted
from runplan.cli.outcome import CannotRun, exit_code
from runplan.cli.output import show
from runplan.cli.paths import Projects, plan_files
from runplan.cli.show.formats import WITHOUT_LAYOUTS, offered
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.engine.layout.fit import Look
    from runplan.engine.report import Report

ALL = ("all",)


@verb("compare")
def run(argv: list[str]) -> int:
    """Compare laws or plans; exit 1 where something is wrong with a plan, or they lie too far apart."""
    parser = Parser(
        prog="plan compare",
        description="One plan under several laws, or several plans under their first law, side by side: the spread, "
        "the marks of figures outside a law's range, the regret of each choice under each law, why they differ, which "
        "to choose, and where that changes.",
        epilog="example: plan compare plans/thousand-h100.plan --laws chinchilla,llama3",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a plan, or several; - for standard input")
    parser.add_argument(
        "--laws",
        metavar="A,B,C",
        help="the laws, or `all` that fit; the plan's own unless said, or those that fit where it has but one",
    )
    parser.add_argument(
        "--max-spread", metavar="FACTOR", help="exit 1 where params or tokens lie further apart, such as 2x"
    )
    add_plan_options(parser)
    add_output(parser, offered("comparison"), several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("comparison"))
    most = _factor(args.max_spread)
    if args.max_spread is not None and most is None:
        raise CannotRun(f"`--max-spread {args.max_spread[:60]}`: write a factor of 1 or more, such as 2x")
    laws = tuple(name for word in args.laws.split(",") if (name := word.strip())) if args.laws is not None else None
    if laws == ():
        raise CannotRun("`--laws` names none; write them like `--laws chinchilla,llama3`")
    from runplan.engine.comparison.compare import compared_laws, compared_plans
    from runplan.engine.layout.fit import ALL as ALL_LAYOUTS
    from runplan.engine.layout.fit import SCREEN

    brief = WITHOUT_LAYOUTS["comparison"].issuperset(name for name, _ in outputs)
    look = SCREEN if brief else ALL_LAYOUTS
    files = plan_files(args.paths)
    if len(files) > 1 and laws == ALL:
        raise CannotRun("several plans are compared under laws that are named; name them, or one plan")
    if len(files) == 1:
        comparison = compared_laws(_under_laws(files[0], args, laws, look), most)
    else:
        projects = Projects(args.stdin_filename)
        reports = [report_for(file, args, laws=laws, projects=projects, look=look) for file in files]
        comparison = compared_plans(list(zip(_short(files), reports, strict=True)), most)
    if not comparison.columns and not comparison.findings:
        raise CannotRun(f"nothing to solve in {', '.join(files)}: there are only definitions")
    show("comparison", comparison, outputs)
    return exit_code(comparison.findings)


def _factor(text: str | None) -> float | None:
    """A factor such as `2x` or `1.5`; None where it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x?", (text or "").strip())
    factor = float(found[1]) if found else 0.0
    return factor if factor >= 1 else None


def _under_laws(file: str, args: argparse.Namespace, laws: tuple[str, ...] | None, look: Look) -> Report:
    """The plan under the laws that are asked for, else its own, and where it has but one, those that fit it."""
    from runplan.engine.pipeline import plan_at, reported

    every = laws == ALL
    with reading(file):
        path, project = Projects(args.stdin_filename).of(file)
        read = partial(plan_at, path, project.reader, catalogue=project.library, settings=args.set)
        found = read(laws=None if every else laws)
        if found.plan is not None and (every or (laws is None and len(found.cases) == 1)):
            from runplan.engine.comparison.compare import fitting

            found = read(laws=fitting(found.plan, project.library, found.cases[0].named, variants=every))
        return reported(found, look=look)


def _short(files: list[str]) -> list[str]:
    """The names of plans: without folder and ending where that tells them apart."""
    bases = [file.replace("\\", "/").rpartition("/")[2] for file in files]
    for names in ([base.partition(".plan")[0] or base for base in bases], bases):
        if len(set(names)) == len(names):
            return names
    return files
