"""`plan ladder`: the small runs whose fit sizes the big one, within a share of its budget."""

from __future__ import annotations

import os
import re

from runplan.cli.arguments import Parser, add_output, add_plan_options, reading, unknown, unknown_word, verb, wanted
from runplan.cli.crew import count
from runplan.cli.outcome import CLEAN, FOUND, CannotRun
from runplan.cli.output import show
from runplan.cli.paths import Projects
from runplan.cli.plot.plot import add_plot, draw, ready
from runplan.cli.show.formats import offered, rendered
from runplan.cli.stream import tell, write_new
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.engine.ladder.designs import Design
    from runplan.engine.ladder.ladder import Ladder

# What `--design` may say: the list of `engine/ladder/designs.py`, which brings numpy with it.
DESIGNS: tuple[Design, ...] = ("isoflop", "ratio", "L", "best")


@verb("ladder")
def run(argv: list[str]) -> int:
    """Design a ladder; exit 1 where a plan of one of its runs is wrong."""
    parser = Parser(
        prog="plan ladder",
        description="The small runs whose fit sizes the big one: which size on how many tokens, each an exact "
        "architecture with its batch, learning rate and steps, what they cost in all, and how well they will tell the "
        "flagship's loss. Several designs stand side by side.",
        epilog="example: plan ladder plans/thousand-h100.plan --share 2% --out ladder.csv",
    )
    parser.add_argument("path", metavar="PATH", help="the plan of the big run, or - for standard input")
    for option, what, help in (
        ("design", "NAME", f"{', '.join(DESIGNS)}; isoflop unless said"),
        ("share", "P%", "of the big run's compute, for all runs together; 5%% unless said"),
        ("budgets", "N", "how many budgets; 4 unless said"),
        ("sizes", "N", "how many sizes of each; 5 unless said"),
        ("noise", "P%", "how far a loss is off, one standard deviation; 0.3%% unless said"),
        ("draws", "N", "how many ladders are simulated for the widths; 400 unless said"),
        ("seed", "N", "of what is drawn at random; 0 unless said"),
        ("law", "LAW", "whose loss they are to tell; the plan's first with one unless said"),
        ("family", "MODEL", "a published model whose proportions they have; the plan's own model unless said"),
        ("stage", "NAME", "of a plan with stages: the first, which alone is trained from scratch"),
        ("out", "FILE", "write the runs as CSV to fill in, for `plan fit`; never overwrites"),
        ("plans", "DIR", "write each run as a plan into a folder; never overwrites"),
    ):
        parser.add_argument(f"--{option}", metavar=what, help=help)
    parser.add_argument("--simulate", action="store_true", help="fill the losses of `--out` in by the law, each off by "
                        "the noise: to try the fit before anything is spent")  # fmt: skip
    add_plot(parser)
    add_plan_options(parser)
    add_output(parser, offered("ladder"), several=True)
    parser.offers["design"] = DESIGNS
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("ladder"))
    ready(args.plot)
    if args.simulate and not args.out:
        raise CannotRun("`--simulate` fills in the losses of a file: say which by `--out FILE`")
    design = next((one for one in DESIGNS if one == (args.design or DESIGNS[0])), None)
    if design is None:
        raise unknown_word("design", args.design, DESIGNS)
    share, noise = _share("--share", args.share, 1.0), _share("--noise", args.noise, 0.5)
    budgets, sizes = count(args.budgets or "4", "--budgets", 12), count(args.sizes or "5", "--sizes", 20, least=3)
    draws = count(args.draws or "400", "--draws", 100_000, least=50)
    seed = count(args.seed or "0", "--seed", 10**9 - 1, least=0)
    from runplan.engine.ladder.ladder import Asked, ladder_of
    from runplan.engine.ladder.refused import NoLadder

    with reading(args.path):
        path, project = Projects(args.stdin_filename).of(args.path)
        folder = args.plans.rstrip("/") if args.plans else os.path.dirname(path)
        if args.family is not None and project.library.record("model", args.family) is None:
            raise unknown("model", args.family, sorted(project.library.vocabulary().models))
        asked = Asked(design, share, noise, args.law, args.family, budgets, sizes, draws, seed, folder, args.stage)
        try:
            ladder = ladder_of(path, project.reader, asked, catalogue=project.library, settings=args.set)
        except NoLadder as error:
            raise CannotRun(str(error)) from error
    _write(ladder, args.out, args.plans, simulate=args.simulate)
    if args.plot or args.preview:
        from runplan.cli.show.ladder.picture import picture

        draw(lambda: picture(ladder), args)
    show("ladder", ladder, outputs)
    return FOUND if any(one.first.severity == "error" for one in ladder.warned()) else CLEAN


def _write(ladder: Ladder, out: str | None, plans: str | None, *, simulate: bool) -> None:
    """Write what was asked for, and say so on standard error.

    Raises:
        CannotRun: Where a file is there already, or cannot be written.
    """
    files = {f"{plans.rstrip('/')}/{run.name}.plan": run.text for run in ladder.runs} if plans else {}
    if out:
        from runplan.cli.show.ladder.csv import simulated

        files[out] = simulated(ladder) if simulate else rendered("ladder", "csv", ladder)
    write_new(files)
    if out:
        how = "its losses are simulated" if simulate else "fill in its column `loss`, in nat/token"
        tell(f"written  {out}: {how}")
    if plans:
        tell(f"written  {len(ladder.runs)} plans in {plans}")


def _share(option: str, text: str | None, most: float) -> float | None:
    """A share that an option says: `5%` or `0.05`.

    Raises:
        CannotRun: Where it is none above nothing and up to the most.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*(%?)\s*", text)
    share = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not 0.0 < share <= most:
        raise CannotRun(f"`{option} {text[:60]}`: write a share, such as `{option} 5%`, up to {100 * most:g}%")
    return share
