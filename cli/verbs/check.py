"""`plan check`: every plan parsed, solved and judged; the verb for CI. It reads, and writes nothing but its report."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from runplan.cli.arguments import add_output, add_plan_options, reading, verb, wanted
from runplan.cli.outcome import exit_code
from runplan.cli.output import use_color, write
from runplan.cli.paths import Projects, plan_files
from runplan.cli.show.summary import Summary
from runplan.dsl.text.finding import Finding, in_order

FORMATS = ("full", "concise", "json", "github", "markdown")
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
    add_output(parser, FORMATS, several=True)
    parser.add_argument("--select", metavar="CODES", help="report only these codes, names or prefixes")
    parser.add_argument("--ignore", metavar="CODES", help="leave these codes, names or prefixes out")
    parser.add_argument("--fail-on", choices=("error", "warning", "never"), help="error unless said")
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    parser.add_argument("--statistics", action="store_true", help="count the findings by code")
    args = parser.parse_args(argv)
    outputs = wanted(args, FORMATS)
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
    summary = Summary.of(all_found, len(files))
    for name, target in outputs:
        write(_rendered(name, all_found, summary, target), target)
    if args.statistics:
        counts = Counter((f.code, f.name) for f in all_found)
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            print(f"{count:>5}  {code}  {name}", file=sys.stderr)
    threshold = min(thresholds, key=STRICTEST.index)
    return 0 if args.exit_zero else exit_code(all_found, threshold)


def _words(option: str | None) -> tuple[str, ...] | None:
    """The codes, names and prefixes of an option; None where it is not given, or empty."""
    return tuple(word.strip() for word in option.split(",") if word.strip()) if option else None


def _rendered(name: str, findings: tuple[Finding, ...], summary: Summary, target: str | None) -> str:
    if name == "json":
        from runplan.cli.show import json_findings

        return json_findings.render(findings, summary)
    if name == "concise":
        from runplan.cli.show import concise

        return concise.render(findings, summary)
    if name == "github":
        from runplan.cli.show import github

        return github.render(findings, summary)
    if name == "markdown":
        from runplan.cli.show import markdown_findings

        return markdown_findings.render(findings, summary)
    from runplan.cli.show import full

    return full.render(findings, summary, color=use_color(target))
