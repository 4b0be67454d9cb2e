"""`plan check`: every plan parsed, solved and judged; the verb for CI. It reads, and writes nothing but its report."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date

from runplan.cli.arguments import add_output, add_plan_options, reading, verb, wanted
from runplan.cli.ignores import kept
from runplan.cli.outcome import exit_code
from runplan.cli.output import show
from runplan.cli.paths import plan_files, reader_for
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import offered
from runplan.dsl.text.codes import silenceable, words
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
    from runplan.cli.config import catalogue_for, config_of
    from runplan.engine.pipeline import report_of

    findings: list[Finding] = []
    thresholds: list[str] = []
    files = plan_files(args.paths)
    for file in files:
        with reading(file):
            path, reader = reader_for(file, args.stdin_filename)
            config = config_of(path)
            thresholds.append(args.fail_on or config.fail_on)
            catalogue = catalogue_for(path)
            report = report_of(path, reader, catalogue=catalogue, settings=args.set, intervals=False)
            own = report.plan.definitions.rules if report.plan else ()
            known = {word for rule in (*catalogue.rules(), *own) for word in (rule.code, rule.name)}
            found = kept(report.findings, report.source, known | {*words()}, date.today())
        select, ignore = args.select or ",".join(config.select), args.ignore or ",".join(config.ignore)
        findings.extend(_chosen(found, select, ignore))
    all_found = in_order(findings)
    show("findings", Checked(all_found, len(files)), outputs)
    if args.statistics:
        counts = Counter((f.code, f.name) for f in all_found)
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            print(f"{count:>5}  {code}  {name}", file=sys.stderr)
    threshold = min(thresholds, key=STRICTEST.index)
    return 0 if args.exit_zero else exit_code(all_found, threshold)


def _chosen(findings: Iterable[Finding], select: str | None, ignore: str | None) -> list[Finding]:
    """What the flags leave: names, codes and prefixes of codes; errors of the plan itself stay."""
    selected = [word.strip() for word in (select or "").split(",") if word.strip()]
    ignored = [word.strip() for word in (ignore or "").split(",") if word.strip()]

    def matches(f: Finding, words: list[str]) -> bool:
        return any(f.code.startswith(word) or f.name == word for word in words)

    return [
        f
        for f in findings
        if not silenceable(f.code) or ((not selected or matches(f, selected)) and not matches(f, ignored))
    ]
