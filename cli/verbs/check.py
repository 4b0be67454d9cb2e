"""`plan check`: every plan parsed, solved and judged; the verb for CI. It reads, and writes nothing but its report."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Sequence

from runplan.cli.arguments import Parser, add_output, add_plan_options, each_checked, verb, wanted
from runplan.cli.outcome import CLEAN, FOUND, CannotRun, exit_code
from runplan.cli.output import show
from runplan.cli.paths import Projects, from_repository, plan_files
from runplan.cli.show.findings.concise import line
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import WITH_FIXES, WITHOUT_HELP, offered, rendered
from runplan.cli.stream import tell, write
from runplan.dsl.dataclass import replace
from runplan.dsl.text.finding import Finding, at_rest, in_order
from runplan.dsl.text.words import counted
from runplan.dsl.types import TYPE_CHECKING
from runplan.engine.gate import Gate, firm, unknown

if TYPE_CHECKING:
    from runplan import Project
    from runplan.cli.mending import Mended

Outputs = Sequence[tuple[str, str | None]]
# Of the plans' own thresholds the strictest decides.
STRICTEST = ("warning", "error", "never")
BASELINE = "plan-baseline.json"
# The formats for programs that know a repository and not from where in it the command ran.
_AWAY = frozenset(("github", "gitlab", "sarif"))
# Those of which several may follow each other.
_STREAMS = frozenset(("full", "concise", "jsonl", "github", "markdown"))


@verb("check")
def run(argv: list[str]) -> int:
    """Check plans; exit 1 where a finding is at or above the threshold, or a plan does not hold whatever is shown."""
    parser = Parser(
        prog="plan check",
        description="Parse, solve and judge plans. Offline and, but for --fix, read-only.",
        epilog="example: plan check plans -o concise",
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="plans and folders of plans; the current folder unless said"
    )
    add_plan_options(parser)
    add_output(parser, offered("findings"), several=True)
    parser.add_argument("--select", metavar="CODES", help="show only these codes, names or prefixes")
    parser.add_argument("--ignore", metavar="CODES", help="leave these codes, names or prefixes out")
    parser.add_argument("--extend-select", metavar="CODES", help="show these as well as those that are configured")
    parser.add_argument("--fail-on", choices=("error", "warning", "never"), help="error unless said")
    parser.add_argument("--baseline", metavar="FILE", help="leave out what this file has, unless it has grown")
    parser.add_argument("--write-baseline", action="store_true", help="write what is found to the file of --baseline")
    parser.add_argument(
        "--new-since", metavar="REF", help="only what this commit of git did not have; REF... for where it was left"
    )
    parser.add_argument("--exit-zero", action="store_true", help="exit 0 whatever is found")
    parser.add_argument("--statistics", action="store_true", help="count the findings by code")
    parser.add_argument("--fix", action="store_true", help="mend in place what can be mended without a doubt")
    parser.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: also what may be in doubt")
    parser.add_argument("--diff", action="store_true", help="show what --fix would change, and write nothing")
    parser.add_argument("--watch", action="store_true", help="check again whenever something changes that it rests on")
    parser.add_argument("--no-cache", action="store_true", help="neither take from the user's cache nor add to it")
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("findings"))
    _refuse_together(args, outputs)
    if args.watch:
        from runplan.cli.watching import watched

        return watched(lambda: _checked(args, outputs), argv)
    return _checked(args, outputs)


def _refuse_together(args: Namespace, outputs: Outputs) -> None:
    """Refuse options that cannot be had together.

    Raises:
        CannotRun: With what to do instead.
    """
    mends, here = args.fix or args.diff, [name for name, file in outputs if file is None and args.output]
    if args.unsafe_fixes and not mends:
        raise CannotRun("--unsafe-fixes goes with --fix, or with --diff to see what it would change")
    if here and (args.diff or (args.fix and "-" in args.paths)):
        raise CannotRun(f"standard output has what is mended: write `-o {here[0]}=FILE`")
    if mends and (args.write_baseline or args.new_since):
        raise CannotRun("--fix and --diff mend all that is found: leave out --write-baseline and --new-since")
    if args.watch and (mends or args.write_baseline or "-" in args.paths):
        raise CannotRun("--watch reads files, and writes none: leave out --fix, --diff, --write-baseline and `-`")
    if args.watch and (once := [name for name in here if name not in _STREAMS]):
        raise CannotRun(f"--watch checks again and again: write `-o {once[0]}=FILE`")


def _checked(args: Namespace, outputs: Outputs) -> int:
    """Check once, and say what was found."""
    formats = {name for name, _ in outputs}
    helps, fixes = not formats <= WITHOUT_HELP, not formats.isdisjoint(WITH_FIXES)
    select, ignore, extend = (_words(option) for option in (args.select, args.ignore, args.extend_select))

    def check(project: Project, path: str) -> Gate:
        return project.gate(path, settings=args.set, select=select, ignore=ignore, extend_select=extend)

    def at_rest(project: Project, path: str) -> Gate:
        return _at_rest(check(project, path), help=helps, fixes=fixes)

    files = plan_files(args.paths)
    mended: Mended | None = None
    if args.fix or args.diff:
        from runplan.cli.mending import mended_plans

        mended = mended_plans(files, args.stdin_filename, check, unsafe=args.unsafe_fixes)
        checked = [(project, _at_rest(gate, help=helps, fixes=fixes)) for project, gate in mended.checks]
    else:
        checked = list(each_checked(files, Projects(args.stdin_filename), at_rest))
    gates = [gate for _, gate in checked]
    asked = [*(select or ()), *(ignore or ()), *(extend or ())]
    if wrong := unknown(asked, gates):
        raise wrong
    for word in firm(ignore or (), gates):
        tell(f"plan check: `{word}` is about what is wrong with a plan itself, and is never left out")
    for project in {id(project): project for project, _ in checked}.values():
        project.refuse_unknown([gate for own, gate in checked if own is project])
    if args.baseline or args.write_baseline:
        gates = _beside(args.baseline or BASELINE, gates, write_it=args.write_baseline, selected=bool(asked))
    if args.new_since:
        from runplan.cli.since import new_since
        from runplan.cli.then import Then, repository_of, revision

        then = Then(revision(repository_of(args.paths), args.new_since))
        gates, known = new_since(zip((project for project, _ in checked), gates, strict=True), then, at_rest)
        tell(f"plan check: {counted(known, 'finding')} not shown, which {args.new_since} has, too")
    shown = in_order(f for gate in gates for f in gate.findings)
    libraries = tuple({id(project): project.library for project, _ in checked}.values())
    places = {file: from_repository(file) for file in _files(shown)} if _AWAY & formats else {}
    found = Checked(shown, len(gates), tuple(gate.verdict for gate in gates), places, libraries, args.statistics)
    if mended:
        mended.tell(write_it=not args.diff)
    _show(found, outputs, apart=args.diff or (args.fix and "-" in files))
    if args.exit_zero:
        return CLEAN
    for finding in found.left_out():
        tell(f"plan check: not shown, and what decides: {line(finding)}")
    threshold = min((args.fail_on or project.configuration.fail_on for project, _ in checked), key=STRICTEST.index)
    code = exit_code(found.findings, threshold, found.deciding())
    return FOUND if args.diff and mended and mended.files else code


def _show(found: Checked, outputs: Outputs, *, apart: bool) -> None:
    """Show what is found.

    Args:
        apart: Whether standard output has something else, so that people are told on standard error.
    """
    show("findings", found, [(name, file) for name, file in outputs if file or not apart])
    if apart and found.findings:
        for name in (name for name, file in outputs if file is None):
            tell(rendered("findings", name, found).rstrip("\n"))
    for row in found.counts() if found.statistics else ():
        tell(f"{row.count:>5}  {row.code}  {row.name}")


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


def _at_rest(gate: Gate, *, help: bool, fixes: bool) -> Gate:
    """A gate that holds on to nothing but what is shown of it: there may be one for each of thousands of plans."""
    verdict = replace(gate.verdict, by=at_rest(gate.verdict.by, help=False, fixes=False))
    return replace(gate, findings=at_rest(gate.findings, help=help, fixes=fixes), verdict=verdict)


def _files(findings: Iterable[Finding]) -> set[str]:
    """The files that findings are in, or point to."""
    return {label.span.source.path for finding in findings for label in (finding.at, *finding.also)}


def _words(option: str | None) -> tuple[str, ...] | None:
    """The codes, names and prefixes of an option; None where it is not given, or empty."""
    return tuple(word.strip() for word in option.split(",") if word.strip()) if option else None
