"""`plan solve`: the report of one plan."""

from __future__ import annotations

from runplan.cli.arguments import Parser, add_output, add_plan_options, report_for, verb, wanted
from runplan.cli.crew import add_crew, count, others
from runplan.cli.outcome import exit_code
from runplan.cli.output import show
from runplan.cli.show.formats import WITHOUT_LAYOUTS, offered

# An interval of fewer says nothing; and of each draw all values of the plan are kept.
LEAST_DRAWS, MOST_DRAWS = 20, 20_000


@verb("solve")
def run(argv: list[str]) -> int:
    """Solve a plan and show it; exit 1 where something is wrong with it, 4 where it is undecided."""
    parser = Parser(
        prog="plan solve",
        description="The report of one plan in a screen: whether it holds, budget, solution per law, data mix, "
        "schedule, what is assumed, findings.",
        epilog="example: plan solve plans/thousand-h100.plan -o json",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    add_plan_options(parser)
    parser.add_argument(
        "--details", action="store_true", help="all of it: the size and other sizes, notes, every assumption"
    )
    parser.add_argument(
        "--draws", metavar="N", help="of what is uncertain, for the intervals; as many as take no time unless said"
    )
    add_crew(parser)
    add_output(parser, offered("report"), several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("report"))
    draws = count(args.draws, "--draws", MOST_DRAWS, LEAST_DRAWS) if args.draws else None
    from runplan.engine.layout.fit import ALL, SCREEN

    brief = not args.details and WITHOUT_LAYOUTS["report"].issuperset(name for name, _ in outputs)
    with others(args) as workers:
        report = report_for(args.path, args, draws=draws, workers=workers, look=SCREEN if brief else ALL)
    show("report", report, outputs, details=args.details)
    return exit_code(report.findings)
