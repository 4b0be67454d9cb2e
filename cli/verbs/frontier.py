"""`plan frontier`: the best of one quantity for each value of another, as a curve of solved plans."""

from __future__ import annotations

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, verb, wanted
from runplan.cli.crew import count
from runplan.cli.outcome import CannotRun, exit_code
from runplan.cli.output import show, tell_findings
from runplan.cli.paths import Projects
from runplan.cli.senses import add_senses, sense_of
from runplan.cli.show.formats import offered

# At most so many points: each is a solved plan.
MOST = 200


@verb("frontier")
def run(argv: list[str]) -> int:
    """Follow the frontier of two quantities; exit 1 where the plan has none, or something is wrong with it."""
    parser = Parser(
        prog="plan frontier",
        description="The Pareto curve of two quantities of a plan: for each value of one the best of the other, with "
        "all that the plan requires kept. Each point is a solved plan.",
        epilog="example: plan frontier plans/served-widely.plan cost loss",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    parser.add_argument("x", metavar="X", help="a quantity, such as cost")
    parser.add_argument("y", metavar="Y", help="another, such as loss")
    add_senses(parser, "X", "one of the two, where it is better so; what `docs/language.md` says of it unless said")
    parser.add_argument("--points", metavar="N", default="17", help="about how many points; 17 unless said")
    parser.add_argument("--law", metavar="LAW", help="the law; the plan's first unless said")
    add_plan_options(parser)
    add_output(parser, offered("frontier"), several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("frontier"))
    points = count(args.points, "--points", MOST, least=2)
    for said in (*args.minimize, *args.maximize):
        if said not in (args.x, args.y):
            raise CannotRun(f"`{said[:60]}` is neither `{args.x}` nor `{args.y}`")
    from runplan.engine.frontier.frontier import NoFrontier, frontier_of

    with reading(args.path):
        path, project = Projects(args.stdin_filename).of(args.path)
        try:
            frontier = frontier_of(
                path,
                project.reader,
                (args.x, args.y),
                senses=(sense_of(args, args.x), sense_of(args, args.y)),
                catalogue=project.library,
                settings=args.set,
                law=args.law,
                count=points,
            )
        except NoFrontier as error:
            raise CannotRun(str(error)) from error
    show("frontier", frontier, outputs)
    if not frontier.points and all(name == "csv" for name, _ in outputs):  # which has rows, and no place for why not
        tell_findings(frontier.findings)
    return exit_code(frontier.findings)
