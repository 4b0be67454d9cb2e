"""`plan init`: a commented first plan, an empty configuration and a CI workflow; what is there is left as it is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from runplan.cli.arguments import verb
from runplan.cli.outcome import CLEAN, CannotRun
from runplan.cli.show.text.plain import plain
from runplan.dsl.text.nearest import did_you_mean

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
# The plan that each template writes, under the name of its file among the templates.
PLANS = {
    "training": "training.plan",
    "yaml": "training.plan.yaml",
    "compare": "compare.plan",
    "protein": "protein.plan",
}
# What stands beside the plan, by its file among the templates.
BESIDE = {"runplan.toml": "runplan.toml", "plan.yml": ".github/workflows/plan.yml"}


@verb("init")
def run(argv: list[str]) -> int:
    """Write the files that are not there yet; exit 2 where none could be written."""
    parser = argparse.ArgumentParser(
        prog="plan init",
        description="Write a commented first plan, an empty configuration and a CI workflow. Nothing is overwritten.",
        epilog="example: plan init my-runs --template yaml",
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", default=".", help="the current folder unless said")
    parser.add_argument("--template", metavar="NAME", default="training", help=f"{', '.join(PLANS)}")
    args = parser.parse_args(argv)
    if args.template not in PLANS:
        (help,) = did_you_mean(args.template, PLANS) or [f"it is one of {', '.join(PLANS)}"]
        raise CannotRun(f"unknown template `{args.template[:60]}`; {help}")
    folder = Path(args.folder)
    plan = PLANS[args.template]
    written = 0
    for template, name in {plan: plan, **BESIDE}.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # "x": a file that appears in between, or a link, is no more overwritten than one that was there.
            with open(path, "x", encoding="utf-8") as stream:
                stream.write((TEMPLATES / template).read_text(encoding="utf-8"))
        except FileExistsError as error:
            if not path.is_symlink() and not path.exists():
                raise CannotRun(f"{error.filename} is in the way: it is no folder") from error
            print(f"exists   {plain(str(path))}, left as it is", file=sys.stderr)
        except OSError as error:
            raise CannotRun(f"{error.filename or path}: {error.strerror or 'cannot be written'}") from error
        else:
            written += 1
            print(f"written  {plain(str(path))}")
    if not written:
        raise CannotRun("nothing to write: every file is there already")
    print(f"next     plan check {plain(str(folder / plan))}", file=sys.stderr)
    return CLEAN
