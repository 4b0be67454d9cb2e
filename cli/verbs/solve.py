"""`plan solve`: the report of one plan."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from runplan.cli.arguments import add_output, add_plan_options, report_for, verb, wanted
from runplan.cli.outcome import exit_code
from runplan.cli.output import use_color, width, write

if TYPE_CHECKING:
    from runplan.engine.report import Report

FORMATS = ("table", "json", "markdown", "csv")


@verb("solve")
def run(argv: list[str]) -> int:
    """Solve a plan and show it; exit 1 where something is wrong with it, 4 where it is undecided."""
    parser = argparse.ArgumentParser(
        prog="plan solve",
        description="The report of one plan: budget, solution per law, schedule, data mix, assumptions, what binds.",
        epilog="example: plan solve plans/thousand-h100.plan -o json",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    add_plan_options(parser)
    add_output(parser, FORMATS, several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, FORMATS)
    report = report_for(args.path, args)
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
        write(text, file)
    return exit_code(report.findings)


def _table(report: Report, file: str | None) -> str:
    from runplan.cli.show import full, solve_table
    from runplan.cli.show.summary import Summary

    color = use_color(file)
    if report.plan is None:
        return full.render(report.findings, Summary.of(report.findings, 1), color=color)
    return solve_table.render(report, width=width() if file is None else 100, color=color)
