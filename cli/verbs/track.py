"""`plan track`: a run in progress against its plan."""

from __future__ import annotations

import os
from argparse import Namespace

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, unknown_word, verb, wanted
from runplan.cli.columns import add_columns, pairs
from runplan.cli.outcome import CLEAN, CannotRun, exit_code
from runplan.cli.output import show
from runplan.cli.paths import Projects
from runplan.cli.plot.plot import add_plot, draw, ready
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import offered
from runplan.cli.stream import tell, write
from runplan.dsl.dataclass import replace
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runplan import Project
    from runplan.dsl.text.finding import Finding
    from runplan.engine.track.expected import Expected
    from runplan.engine.track.track import Track

FORMATS = (*offered("track"), *(name for name in offered("findings") if name not in offered("track")))


@verb("track")
def run(argv: list[str]) -> int:
    """Hold a log to its plan; exit 1 where a finding is at or above the threshold."""
    parser = Parser(
        prog="plan track",
        description="A run in progress against its plan: tokens, loss against the schedule, MFU, restarts; a forecast "
        "of finish, cost and final loss with 80 % intervals; and what is not as planned, with codes for CI.",
        epilog="example: plan track run.plan log.csv --fail-on warning -o table",
    )
    parser.add_argument("path", metavar="PLAN", help="the plan of the run")
    parser.add_argument("log", metavar="LOG", nargs="?", help="its log: CSV, JSON, or what the trainer prints")
    parser.add_argument("--freeze", action="store_true", help="write what the run is held to beside the plan")
    parser.add_argument("--stage", metavar="NAME", help="the stage that the log is of; by where it stands unless said")
    add_columns(parser)
    parser.add_argument("--fail-on", choices=("error", "warning", "never"), help="error unless said")
    add_plot(parser)
    add_plan_options(parser)
    add_output(parser, FORMATS, several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, FORMATS)
    ready(args.plot)
    if args.log is None and not args.freeze:
        raise CannotRun("which log? `plan track PLAN LOG.csv`, or `plan track PLAN --freeze` before there is one")
    path, project = Projects(args.stdin_filename).of(args.path)
    held_to = _held_to(args, path, project)
    if args.log is None:
        return CLEAN
    found = _tracked(args, project, held_to)
    if isinstance(found, tuple):
        names = [(name if name in offered("findings") else "full", file) for name, file in outputs]
        show("findings", Checked(found, 1), names)
        return exit_code(found)
    for name, file in outputs:
        if name in offered("track"):
            show("track", found, [(name, file)])
        else:
            show("findings", Checked(found.findings, 1), [(name, file)])
    if args.plot or args.preview:
        from runplan.cli.show.track.picture import picture

        draw(lambda: picture(found), args)
    return exit_code(found.findings, args.fail_on or project.configuration.fail_on)


def _held_to(args: Namespace, path: str, project: Project) -> list[tuple[Expected, bool]]:
    """What the run is held to, of a plan with stages one for each; and whether the plan says something else by now.

    Raises:
        CannotRun: Where there is nothing to hold it to, or it is frozen already.
    """
    from runplan.engine.lock import said_of
    from runplan.engine.track.expected import CannotTrack, expected_of
    from runplan.engine.track.frozen import frozen_path

    with reading(path):
        digest = said_of(path, project.reader)
    kept = [(one, one.digest != digest) for one in _kept(path, project)]
    asked = [one for one in kept if args.stage in (None, one[0].stage)]
    if args.freeze and asked:
        file = frozen_path(path, asked[0][0].stage)
        raise CannotRun(f"{file} is there: what is frozen stays; to freeze anew, take it out of the way first")
    if asked and args.set:
        raise CannotRun(f"the run is held to {frozen_path(path, asked[0][0].stage)}, and `--set` would not change it")
    if asked:
        return asked
    try:
        with reading(path):
            every = expected_of(project.report(path, settings=args.set), digest, project.library)
    except CannotTrack as error:
        raise CannotRun(str(error)) from error
    stages = [one.stage for one in every if one.stage]
    if args.stage is not None and args.stage not in stages:
        raise unknown_word("stage", args.stage, stages) if stages else CannotRun(f"`{path}` has no stages")
    now = [one for one in every if args.stage in (None, one.stage)]
    return [(one, False) for one in (_freeze(path, now) if args.freeze else now)]


def _kept(path: str, project: Project) -> list[Expected]:
    """What is frozen of a plan: one, or one for each stage, in their order."""
    from glob import escape, glob

    from runplan.engine.track.frozen import ENDING, frozen_of, frozen_path

    begins = frozen_path(path).removesuffix(ENDING)
    out = []
    for file in (*filter(os.path.exists, (begins + ENDING,)), *sorted(glob(f"{escape(begins)}.*{ENDING}"))):
        stage = file.removeprefix(begins).removesuffix(ENDING).removeprefix(".")
        with reading(file):
            frozen = frozen_of(project.reader.read(frozen_path(path, stage)), file)
        # Of a plan beside it, whose name begins alike, the file tells of no stage.
        if frozen.stage == stage:
            out.append(frozen)
    return sorted(out, key=lambda one: one.before)


def _freeze(path: str, every: Sequence[Expected]) -> list[Expected]:
    """Write what runs are held to beside their plan, and say so."""
    from datetime import date

    from runplan.engine.track.frozen import frozen_path, text_of

    out = [replace(one, frozen=date.today().isoformat()) for one in every]
    for one in out:
        file = frozen_path(path, one.stage)
        write(text_of(one), file)
        tell(f"plan track: wrote {file}")
    return out


def _tracked(
    args: Namespace, project: Project, held_to: Sequence[tuple[Expected, bool]]
) -> Track | tuple[Finding, ...]:
    """The run against what it is held to; what is wrong with the log, where it cannot be read as one.

    Raises:
        CannotRun: Where the log is not there, or does not tell how far the run is.
    """
    from runplan.engine.fit.read.asked import Asked
    from runplan.engine.fit.read.read import read_runs
    from runplan.engine.fit.read.text import text_of
    from runplan.engine.fit.read.words import sorts_of
    from runplan.engine.track.drift import tracked
    from runplan.engine.track.held_out import HELD_OUT, kind_of, says_held_out
    from runplan.engine.track.order import NoProgress
    from runplan.engine.track.progress import NEEDS, PREFER, USES
    from runplan.engine.track.stages import stage_of

    known = sorts_of(project.library, {})
    asked = Asked(
        NEEDS,
        USES,
        pairs(args.column, "--column", "loss=val_loss", known),
        pairs(args.unit, "--unit", "loss=nats", known),
        args.decimal,
        PREFER,
        log=True,
    )
    with reading(args.log):
        table, findings = read_runs(args.log, project.reader, project.library, asked)
        if table is None:
            return findings
        source, _ = text_of(args.log, project.reader.read(args.log))
        held = None
        if kind_of(table) == "training" and says_held_out(source.text):
            other = replace(asked, prefer={"loss": HELD_OUT})
            also, _ = read_runs(args.log, project.reader, project.library, other)
            held = also if also is not None and kind_of(also) == "held out" else None
    try:
        expected = stage_of([one for one, _ in held_to], table)
        changed = next(changed for one, changed in held_to if one is expected)
        return tracked(expected, table, source, project.library, findings, changed=changed, held=held)
    except NoProgress as error:
        raise CannotRun(f"{args.log}: {error}") from error
