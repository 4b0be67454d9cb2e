"""`plan explain`: where a number comes from, as a tree of formulas, inputs and sources."""

from __future__ import annotations

import re
from functools import partial

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import show
from runplan.cli.paths import Projects
from runplan.cli.show.formats import offered


@verb("explain")
def run(argv: list[str]) -> int:
    """Explain one quantity of a solved plan; exit 2 where there is no such number."""
    parser = Parser(
        prog="plan explain",
        description="The derivation of any number of a plan: formula, inputs, units, citation, given or assumed.",
        epilog="example: plan explain plans/thousand-h100.plan cost",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    parser.add_argument("quantity", metavar="QUANTITY", help="such as cost, params or loss")
    parser.add_argument("--law", metavar="LAW", help="any law to explain it under; the plan's first unless said")
    parser.add_argument("--depth", metavar="N", help="levels below the quantity; all unless said")
    add_plan_options(parser)
    add_output(parser, offered("derivation"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("derivation"))
    if args.depth is not None and not re.fullmatch(r"[0-9]{1,4}", args.depth):
        raise CannotRun(f"`--depth {args.depth[:60]}`: write how many levels, such as 2")
    depth = None if args.depth is None else int(args.depth)
    from runplan.cli.show.derivation.explained import Explained
    from runplan.cli.show.derivation.names import public
    from runplan.cli.show.findings.concise import line
    from runplan.dsl.expr.name import written
    from runplan.dsl.text.nearest import did_you_mean
    from runplan.engine.pipeline import first_of

    with reading(args.path):
        path, project = Projects(args.stdin_filename).of(args.path)
        laws = None if args.law is None else (args.law,)
        first = partial(first_of, path, project.reader, catalogue=project.library, settings=args.set, laws=laws)
        report = first(about=args.quantity)
        if report.solutions and args.quantity not in written(report.solutions[0].values):
            report = first()  # to list what there is
    if not report.solutions:
        why = next((line(f) for f in report.findings if f.severity == "error"), "there are only definitions")
        raise CannotRun(f"{args.path} cannot be solved: {why}")
    solution = report.solutions[0]
    named = written(solution.values)
    if args.quantity not in named:
        listed = "it has " + ", ".join(sorted(public(solution)))
        (help,) = did_you_mean(args.quantity, tuple(public(solution))) or [listed]
        raise CannotRun(f"`{args.quantity}` is not a number of this plan under `{solution.law}`; {help}")
    show("derivation", Explained(report.plan, solution, named[args.quantity], depth), outputs)
    return CLEAN
