"""`plan check`: every plan parsed, solved and judged; the verb for CI. It reads, and writes nothing but its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, verb, wanted
from runplan.cli.outcome import CLEAN, exit_code
from runplan.cli.output import show
from runplan.cli.paths import Projects, from_repository, plan_files
from runplan.cli.show.findings.concise import line
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import WITHOUT_HELP, offered
from runplan.cli.stream import tell, write
from runplan.dsl.dataclass import replace
from runplan.dsl.text.finding import Finding, at_rest, in_order
from runplan.dsl.text.words import counted
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.gate import Gate, unknown

if TYPE_CHECKING:
    from runplan import Project

# Of the plans' own thresholds the strictest decides.
STRICTEST = ("warning", "error", "never")
BASELINE = "plan-baseline.json"
# The formats for programs that know a repository and not from where in it the command ran.
_AWAY = frozenset(("github", "gitlab", "sarif"))


@verb("check")
def run(argv: list[str]) -> int:
    """Check plans; exit 1 where a finding is at or above the threshold, or a plan does not hold whatever is shown."""
    parser = Parser(
        prog="plan check",
        description="Parse, solve and judge plans. Offline and read-only.",
        epilog="example: plan check plans -o concise",
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="plans and folders of plans; the current folder unless said"
    )
    add_plan_options(parser)
    add_output(parser, offered("findings"), several=True)
    parser.add_argument("--select", metavar="CODES", help="show only these codes, names or prefixes")
    parser.add_argument("--ignore", metavar="CODES", help="leave these codes, names or prefixes out")
    parser.add_argument("--fail-on", choices=("error", "warning", "never"), help="error unless said")
    parser.add_argument("--baseline", metavar="FILE", help="leave out what this file has, unless it has grown")
    parser.add_argument("--write-baseline", action="store_true", help="write what is found to the file of --baseline")
    parser.add_argument(
        "--new-since", metavar="REF", help="only what this commit of git did not have; REF... for where it was left"
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    parser.add_argument("--statistics", action="store_true", help="count the findings by code")
    parser.add_argument("--no-cache", action="store_true", help="neither take from the user's cache nor add to it")
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("findings"))
    select, ignore = _words(args.select), _words(args.ignore)
    projects = Projects(args.stdin_filename)
    helps = any(name not in WITHOUT_HELP for name, _ in outputs)
    checked: list[tuple[Project, Gate]] = []

    def check(project: Project, path: str) -> Gate:
        return _at_rest(project.gate(path, settings=args.set, select=select, ignore=ignore), help=helps)

    for file in plan_files(args.paths):
        with reading(file):
            path, project = projects.of(file)
            checked.append((project, check(project, path)))
    gates = [gate for _, gate in checked]
    if wrong := unknown([*(select or ()), *(ignore or ())], gates):
        raise wrong
    for project in {id(project): project for project, _ in checked}.values():
        project.refuse_unknown([gate for own, gate in checked if own is project])
    if args.baseline or args.write_baseline:
        selected = bool(select or ignore)
        gates = _beside(args.baseline or BASELINE, gates, write_it=args.write_baseline, selected=selected)
    if args.new_since:
        from runplan.cli.since import new_since
        from runplan.cli.then import Then, repository_of, revision

        then = Then(revision(repository_of(args.paths), args.new_since))
        gates, known = new_since(gates, then, check)
        tell(f"plan check: {counted(known, 'finding')} not shown, which {args.new_since} has, too")
    shown = in_order(f for gate in gates for f in gate.findings)
    libraries = tuple({id(project): project.library for project, _ in checked}.values())
    places = {file: from_repository(file) for file in _files(shown)} if _AWAY & {name for name, _ in outputs} else {}
    found = Checked(shown, len(gates), tuple(gate.verdict for gate in gates), places, libraries)
    show("findings", found, outputs)
    if args.statistics:
        counts = Counter((f.code, f.name) for f in found.findings)
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            tell(f"{count:>5}  {code}  {name}")
    if args.exit_zero:
        return CLEAN
    for finding in found.left_out():
        tell(f"plan check: not shown, and what decides: {line(finding)}")
    threshold = min((args.fail_on or project.configuration.fail_on for project, _ in checked), key=STRICTEST.index)
    return exit_code(found.findings, threshold, found.deciding())


def _beside(path: str, gates: list[Gate], *, write_it: bool, selected: bool) -> list[Gate]:
    """What a baseline leaves of the checks; where it is to be written, nothing that one may live with."""
    from runplan.cli.baseline import baseline

    known = baseline(path, new=write_it)
    if write_it:
        write(known.of(gates), path)
        known = baseline(path)
    left, covered = known.without(gates)
    gone = 0 if selected else known.gone(gates)
    stale = f", and {gone:,} that stand there are not found any more: `--write-baseline` takes them out" if gone else ""
    if covered or gone:
        tell(f"plan check: {counted(covered, 'finding')} left out by the baseline {path}{stale}")
    return left


def _at_rest(gate: Gate, *, help: bool) -> Gate:
    """A gate that holds on to nothing but what is shown of it: there may be one for each of thousands of plans."""
    verdict = replace(gate.verdict, by=at_rest(gate.verdict.by, help=False))
    return replace(gate, findings=at_rest(gate.findings, help=help), verdict=verdict)


def _files(findings: Iterable[Finding]) -> set[str]:
    """The files that findings are in, or point to."""
    return {label.span.source.path for finding in findings for label in (finding.at, *finding.also)}


def _words(option: str | None) -> tuple[str, ...] | None:
    """The codes, names and prefixes of an option; None where it is not given, or empty."""
    return tuple(word.strip() for word in option.split(",") if word.strip()) if option else None
