"""`plan explain`: where a number comes from, as a tree of formulas, inputs and sources."""

from __future__ import annotations

import argparse
import sys

from runplan.cli.outcome import COULD_NOT_RUN
from runplan.cli.output import split, use_color, width, write
from runplan.cli.paths import NotFound, reader_for

FORMATS = ("tree", "json", "mermaid")


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
    parser.add_argument(
        "--set", metavar="PATH=VALUE", action="append", default=[], help="instead of what the plan says"
    )
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan.yaml")
    parser.add_argument("-o", "--output", metavar="FMT[=FILE]", default="tree", help=", ".join(FORMATS))
    args = parser.parse_args(argv)
    name, file = split(args.output)
    if name not in FORMATS:
        return _cannot(f"unknown format `{name}`; it is one of {', '.join(FORMATS)}")
    from runplan.cli.show import explain
    from runplan.dsl.nearest import nearest
    from runplan.cli.config import BadConfig, catalogue_for
    from runplan.engine.pipeline import report_of

    try:
        path, reader = reader_for(args.path, args.stdin_filename)
        report = report_of(path, reader, catalogue=catalogue_for(path), settings=args.set)
    except (NotFound, BadConfig) as error:
        return _cannot(str(error))
    except OSError as error:
        return _cannot(f"{args.path}: {error.strerror or 'cannot be read'}")
    if not report.solutions:
        return _cannot(f"{args.path} cannot be solved; `plan check` says why")
    solution = next((s for s in report.solutions if args.law in (None, s.law, s.resolved)), None)
    if solution is None:
        laws = ", ".join(s.law for s in report.solutions)
        return _cannot(f"the plan is not solved under `{args.law}`; its laws are {laws}")
    if args.quantity not in solution.values:
        close = nearest(args.quantity, list(solution.values))
        help = f"; did you mean `{close[0]}`?" if close else "; it has " + ", ".join(sorted(explain.public(solution)))
        return _cannot(f"`{args.quantity}` is not a number of this plan under `{solution.law}`{help}")
    if name == "json":
        from runplan.cli.show.json_findings import document_text

        text = document_text(explain.explain_json(solution, args.quantity))
    elif name == "mermaid":
        text = explain.mermaid(solution, args.quantity)
    else:
        color = use_color(sys.stdout.isatty() and file is None)
        text = explain.tree(solution, args.quantity, width=width(), color=color)
    write(text, file)
    return 0


def _cannot(message: str) -> int:
    print(f"plan explain: {message}", file=sys.stderr)
    return COULD_NOT_RUN
