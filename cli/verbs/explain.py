"""`plan explain`: where a number comes from, as a tree of formulas, inputs and sources."""

from __future__ import annotations

import argparse

from runplan.cli.arguments import add_output, add_plan_options, reading, verb, wanted
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.output import use_color, width, write
from runplan.cli.paths import Projects

FORMATS = ("tree", "json", "mermaid")


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
    add_output(parser, FORMATS)
    args = parser.parse_args(argv)
    [(name, file)] = wanted(args, FORMATS)
    from runplan.cli.show import explain
    from runplan.cli.show.concise import line
    from runplan.dsl.text.nearest import did_you_mean
    from runplan.engine.analysis.sensitivity import changes

    with reading(args.path):
        path, project = Projects(args.stdin_filename).of(args.path)
        report = project.report(path, settings=args.set)
    if not report.solutions:
        why = next((line(f) for f in report.findings if f.severity == "error"), "there are only definitions")
        raise CannotRun(f"{args.path} cannot be solved: {why}")
    solution = next((s for s in report.solutions if args.law in (None, s.law, s.resolved)), None)
    if solution is None:
        laws = ", ".join(s.law for s in report.solutions)
        raise CannotRun(f"the plan is not solved under `{args.law}`; its laws are {laws}")
    if args.quantity not in solution.values:
        listed = "it has " + ", ".join(sorted(explain.public(solution)))
        (help,) = did_you_mean(args.quantity, solution.values) or [listed]
        raise CannotRun(f"`{args.quantity}` is not a number of this plan under `{solution.law}`; {help}")
    if name == "mermaid":
        write(explain.mermaid(solution, args.quantity), file)
        return CLEAN
    assert report.plan is not None
    known = project.library.with_pack(report.plan.definitions, ())
    found = changes(report.plan, solution, explain.target(solution, args.quantity), known)
    if name == "json":
        from runplan.cli.show.json_text import document_text

        tree = explain.explain_json(solution, args.quantity)
        text = document_text(tree | {"changes": explain.changes_json(found)})
    else:
        columns, color = width(), use_color(file)
        text = explain.tree(solution, args.quantity, width=columns, color=color)
        text += explain.changes_section(solution, found, width=columns, color=color)
    write(text, file)
    return CLEAN
