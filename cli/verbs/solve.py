"""`plan solve`: the report of one plan."""

from __future__ import annotations

import argparse
import sys

from runplan.cli.outcome import COULD_NOT_RUN, exit_code
from runplan.cli.output import split, use_color, width, write
from runplan.cli.paths import NotFound, reader_for

FORMATS = ("table", "json", "markdown", "csv")


def run(argv: list[str]) -> int:
    """Solve a plan and show it; exit 1 where something is wrong with it, 4 where it is undecided."""
    parser = argparse.ArgumentParser(
        prog="plan solve",
        description="The report of one plan: budget, solution per law, schedule, data mix, assumptions, what binds.",
        epilog="example: plan solve plans/thousand-h100.plan -o json",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    parser.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[], help="instead of what the plan says"
    )
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan.yaml")
    parser.add_argument(
        "-o", "--output", metavar="FMT[=FILE]", action="append", help=f"{', '.join(FORMATS)} (table unless said)"
    )
    args = parser.parse_args(argv)
    outputs = [split(option) for option in args.output or ["table"]]
    for name, _ in outputs:
        if name not in FORMATS:
            print(f"plan solve: unknown format `{name}`; it is one of {', '.join(FORMATS)}", file=sys.stderr)
            return COULD_NOT_RUN
    from runplan.cli.config import BadConfig, catalogue_for
    from runplan.engine.pipeline import report_of

    try:
        path, reader = reader_for(args.path, args.stdin_filename)
        report = report_of(path, reader, catalogue=catalogue_for(path), settings=args.set)
    except (NotFound, BadConfig) as error:
        print(f"plan solve: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except OSError as error:
        print(f"plan solve: {args.path}: {error.strerror or 'cannot be read'}", file=sys.stderr)
        return COULD_NOT_RUN
    for name, file in outputs:
        if name == "json":
            from runplan.cli.show import solve_json

            text = solve_json.render(report)
        elif name == "markdown":
            from runplan.cli.show import solve_markdown

            text = solve_markdown.render(report)
        elif name == "csv":
            from runplan.cli.show import solve_csv

            text = solve_csv.render(report)
        else:
            text = _table(report, file)
        try:
            write(text, file)
        except OSError as error:
            print(f"plan solve: {file}: {error.strerror or 'cannot be written'}", file=sys.stderr)
            return COULD_NOT_RUN
    return exit_code(report.findings)


def _table(report: object, file: str | None) -> str:
    from runplan.cli.show import full, solve_table
    from runplan.cli.show.summary import Summary
    from runplan.engine.report import Report

    assert isinstance(report, Report)
    color = use_color(sys.stdout.isatty() and file is None)
    if report.plan is None:
        return full.render(report.findings, Summary.of(report.findings, 1), color=color)
    return solve_table.render(report, width=width() if file is None else 100, color=color)
