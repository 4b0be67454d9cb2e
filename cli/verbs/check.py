"""`plan check`: every plan parsed, solved and judged; the verb for CI. It reads, and writes nothing but its report."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from runplan.cli.arguments import add_output, add_plan_options, reading, verb, wanted
from runplan.cli.outcome import exit_code
from runplan.cli.output import show
from runplan.cli.paths import Projects, plan_files
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import offered
from runplan.dsl.text.finding import Finding, in_order

# Of the plans' own thresholds the strictest decides.
STRICTEST = ("warning", "error", "never")


@verb("check")
def run(argv: list[str]) -> int:
    """Check plans; exit 1 where a finding is at or above the threshold."""
    parser = argparse.ArgumentParser(
        prog="plan check",
        description="Parse, solve and judge plans. Offline and read-only.",
        epilog="example: plan check plans -o concise",
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="plans and folders of plans; the current folder unless said"
    )
    add_plan_options(parser)
    add_output(parser, offered("findings"), several=True)
    parser.add_argument("--select", metavar="CODES", help="report only these codes, names or prefixes")
    parser.add_argument("--ignore", metavar="CODES", help="leave these codes, names or prefixes out")
    parser.add_argument("--fail-on", choices=("error", "warning", "never"), help="error unless said")
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    parser.add_argument("--statistics", action="store_true", help="count the findings by code")
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("findings"))
    findings: list[Finding] = []
    thresholds: list[str] = []
    files = plan_files(args.paths)
    projects = Projects(args.stdin_filename)
    for file in files:
        with reading(file):
            path, project = projects.of(file)
            select, ignore = _words(args.select), _words(args.ignore)
            findings.extend(project.check(path, settings=args.set, select=select, ignore=ignore))
        thresholds.append(args.fail_on or project.configuration.fail_on)
    all_found = in_order(findings)
    show("findings", Checked(all_found, len(files)), outputs)
    if args.statistics:
        counts = Counter((f.code, f.name) for f in all_found)
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            print(f"{count:>5}  {code}  {name}", file=sys.stderr)
    threshold = min(thresholds, key=STRICTEST.index)
    return 0 if args.exit_zero else exit_code(all_found, threshold)


def _words(option: str | None) -> tuple[str, ...] | None:
    """The codes, names and prefixes of an option; None where it is not given, or empty."""
    return tuple(word.strip() for word in option.split(",") if word.strip()) if option else None
