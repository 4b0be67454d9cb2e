"""`plan export`: a solved plan as the files of a trainer or a scheduler."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from datetime import date

from runplan.cli.arguments import Parser, add_plan_options, reading, unknown_word, verb
from runplan.cli.export.formats import ALIASES, FORMATS, Format, Need
from runplan.cli.export.training import Said, Training, Written
from runplan.cli.outcome import CLEAN, FOUND, CannotRun, exit_code
from runplan.cli.output import tell_findings
from runplan.cli.paths import Projects
from runplan.cli.stream import write
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding, finding, in_order
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.cli.export.solved import Solved


@verb("export")
def run(argv: list[str]) -> int:
    """Write the files; exit 1 where the plan does not hold, or says what the format has no place for."""
    parser = Parser(
        prog="plan export",
        description="A solved plan as the configuration of a trainer, or the script of a scheduler. What the format "
        "has no place for is said, and nothing is written then unless --allow-loss is given.",
        epilog="example: plan export plans/llama-8b.plan --to slurm",
    )
    parser.add_argument("path", metavar="PATH", nargs="?", help="a plan, or - for standard input")
    parser.add_argument("--to", metavar="FORMAT", help=f"{', '.join(FORMATS)}")
    parser.add_argument("--list", action="store_true", help="the formats, and what reads each")
    parser.add_argument("--allow-loss", action="store_true", help="write what can be carried, and say what cannot")
    parser.add_argument("--stage", metavar="NAME", help="of a plan with stages the one to write")
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE|DIR",
        help="where to write, a folder for several files",
    )
    add_plan_options(parser)
    parser.offers["to"] = tuple(FORMATS)
    args = parser.parse_args(argv)
    if args.list:
        write("".join(f"{each.name:<14} {each.title}, for {each.tool}\n" for each in FORMATS.values()))
        return CLEAN
    if args.path is None:
        raise CannotRun("name a plan: `plan export PATH --to FORMAT`")
    form = _format(args.to)
    from runplan.cli.export.solved import Solved, training_of

    solved = _solved(args.path, args)
    if not isinstance(solved, Solved):
        return _refused(solved)
    told, wrong = training_of(solved)
    if missing := [*_missing(form, told), *wrong]:
        return _refused(missing)
    written = form.write(told)
    lost = [_loss(one, form, args.allow_loss) for one in (*form.unplaced(told), *written.lost)]
    if lost:
        tell_findings(in_order(lost))
    if lost and not args.allow_loss:
        return FOUND
    _put(written, form, args.out)
    return CLEAN


def _format(name: str | None) -> Format:
    if name is None:
        raise CannotRun(f"say which format: `--to FORMAT`, one of {', '.join(FORMATS)}")
    known = ALIASES.get(name.lower(), name.lower())
    if known not in FORMATS:
        raise unknown_word("format", name, (*FORMATS, *ALIASES))
    return FORMATS[known]


def _solved(path: str, args: Namespace) -> Solved | Sequence[Finding]:
    """The plan with its solution; or the findings that keep it from being written."""
    from runplan.cli.export.solved import Solved
    from runplan.engine.gate import Choice, codes_of, gate
    from runplan.engine.pipeline import plan_at, reported
    from runplan.engine.problem.of_stage import stages_of

    with reading(path):
        name, project = Projects(args.stdin_filename).of(path)
        read = plan_at(name, project.reader, catalogue=project.library, settings=args.set, intervals=False)
    report = reported(read, intervals=False)
    judged = gate(report, codes_of(project.library), Choice(), date.today().isoformat())
    if report.plan is None or not report.solutions or not judged.verdict.holds:
        return judged.verdict.by or [one for one in report.findings if one.severity == "error"]
    if wrong := [one for one in judged.findings if one.severity == "error"]:
        return wrong
    plan, solution = report.plan, report.solutions[0]
    stages = dict(zip((one.name for one in solution.problem.stages), stages_of(solution), strict=True))
    if args.stage is None and not stages:
        return Solved(report, plan, solution, read.catalogue)
    if args.stage is None:
        said = [stage.span for stage in plan.stages if stage.name]
        said += [plan.outer.objective.span] if plan.outer.objective is not None else []  # of a transfer there are two
        at = next(span for span in said if span is not None)
        message = f"the plan has {len(stages)} stages, and a trainer does one run: {', '.join(stages)}"
        return [finding("E001", message, at, help=[f"add `--stage {next(iter(stages))}`"])]
    if args.stage not in stages:
        raise unknown_word("stage", args.stage, tuple(stages)) if stages else CannotRun("the plan has no stages")
    own = next(stage.plan for stage in solution.problem.stages if stage.name == args.stage)
    return Solved(report, own, stages[args.stage], read.catalogue, args.stage)


# What is to be said in a plan for a format that needs it: what is missing, and the statement.
_MISSING: dict[Need, tuple[str, str]] = {
    "shape": ("the model's shape", "name a published model, `model: llama-3-8b`, or write its block with `layers` and"
              " so on: `plan model` lists them"),
    "batch": ("the batch in sequences", "say how long a sequence is, `context: 4096 tokens`, and the batch,"
              " `optimizer: AdamW { batch: 512 sequences }`"),
    "layout": ("how the model lies on devices", "say which there are: `hardware: 64 x H100 for 30 days`"),
    "hardware": ("the devices", "say which there are: `hardware: 64 x H100 for 30 days`"),
}  # fmt: skip


def _missing(form: Format, run: Training) -> list[Finding]:
    """What a format needs, and the plan does not tell."""
    there = {"shape": run.shape, "batch": run.batch and run.steps, "layout": run.layout, "hardware": run.hardware}
    return [
        finding("E002", f"{form.name} needs {_MISSING[need][0]}, which the plan does not tell", at, help=[help])
        for need in form.needs
        for help, at in [(_MISSING[need][1], run.places.get(need) or run.places.get("model") or run.places[""])]
        if not there[need]
    ]


def _loss(said: Said, form: Format, allowed: bool) -> Finding:
    """What a format has no place for, as a finding."""
    help = [said.help] if said.help else []
    help += [] if allowed else ["`--allow-loss` writes the rest"]
    message = f"{form.name} has no place for {said.told}"
    data: dict[str, float | str] = {"format": form.name, "subject": said.subject}
    severity: Severity = "warning" if allowed else "error"
    return finding("E001", message, said.span, severity=severity, help=help, data=data)


def _refused(found: Sequence[Finding]) -> int:
    """The exit code of what is not written, which is said."""
    tell_findings(in_order(found))
    return exit_code(found) or FOUND


def _put(written: Written, form: Format, out: str | None) -> None:
    """Write the files: to a folder where they are several, to standard output where nothing is said."""
    files = written.files
    if out is None:
        from runplan.cli.export.figures import bundled

        write(files[form.file] if form.file else bundled(files))
    elif form.file and not (os.path.isdir(out) or out.endswith(os.sep)):
        write(files[form.file], out)
    else:
        with reading(out):
            os.makedirs(out, exist_ok=True)
        for name, text in files.items():
            write(text, os.path.join(out, name))
