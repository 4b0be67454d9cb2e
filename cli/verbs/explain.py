"""`plan explain`: where a number comes from, as a tree of formulas, inputs and sources."""

from __future__ import annotations

import argparse

from runplan.cli.arguments import add_output, add_plan_options, report_for, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import show
from runplan.cli.show.formats import offered


@verb("explain")
def run(argv: list[str]) -> int:
    """Explain one quantity of a solved plan; exit 2 where there is no such number."""
    parser = argparse.ArgumentParser(
        prog="plan explain",
        description="The derivation of any number of a plan: formula, inputs, units, citation, given or assumed.",
        epilog="example: plan explain plans/thousand-h100.plan cost",
    )
    parser.add_argument("path", metavar="PATH", help="a plan, or - for standard input")
    parser.add_argument("quantity", metavar="QUANTITY", help="such as cost, params or loss")
    parser.add_argument("--law", metavar="LAW", help="the law to explain it under; the plan's first unless said")
    add_plan_options(parser)
    add_output(parser, offered("derivation"))
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("derivation"))
    from runplan.cli.show.derivation.explained import Explained
    from runplan.cli.show.derivation.names import public
    from runplan.cli.show.findings.concise import line
    from runplan.dsl.expr.name import written
    from runplan.dsl.text.nearest import did_you_mean

    report = report_for(args.path, args)
    if not report.solutions:
        why = next((line(f) for f in report.findings if f.severity == "error"), "there are only definitions")
        raise CannotRun(f"{args.path} cannot be solved: {why}")
    solution = next((s for s in report.solutions if args.law in (None, s.law, s.resolved)), None)
    if solution is None:
        laws = ", ".join(s.law for s in report.solutions)
        raise CannotRun(f"the plan is not solved under `{args.law}`; its laws are {laws}")
    named = written(solution.values)
    if args.quantity not in named:
        listed = "it has " + ", ".join(sorted(public(solution)))
        (help,) = did_you_mean(args.quantity, named) or [listed]
        raise CannotRun(f"`{args.quantity}` is not a number of this plan under `{solution.law}`; {help}")
    show("derivation", Explained(solution, named[args.quantity]), outputs)
    return CLEAN
