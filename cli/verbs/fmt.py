"""`plan fmt`: plans and packs in one layout, in place; or a plan in the other spelling."""

from __future__ import annotations

import argparse
import os
import sys

from runplan.cli.arguments import Parser, reading, verb
from runplan.cli.outcome import CLEAN, COULD_NOT_RUN, FOUND, CannotRun
from runplan.cli.paths import plan_files, reader_for
from runplan.cli.rewriting import difference, replace_file
from runplan.cli.show.findings.concise import line
from runplan.cli.show.text.plain import plain
from runplan.cli.stream import write
from runplan.dsl.syntax.as_yaml import NoSpelling
from runplan.dsl.syntax.formatting import formatted
from runplan.dsl.text.reader import decoded
from runplan.dsl.text.words import counted


@verb("fmt")
def run(argv: list[str]) -> int:
    """Lay files out; exit 1 where `--check` or `--diff` found one that is not, 2 where one cannot be read."""
    parser = Parser(
        prog="plan fmt",
        description="Lay plans and packs out in one way: blanks, indents and empty lines. What they say, their numbers "
        "and their comments stay as they are written. With --to, print a plan in the other spelling.",
        epilog="example: plan fmt plans --check",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="files and folders; the current one unless said; - for standard input",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; print what would change")
    parser.add_argument("--to", choices=("plan", "yaml"), help="print one plan in this spelling, and leave its file")
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input is, such as x.plan.yaml")
    args = parser.parse_args(argv)
    files = plan_files(args.paths)
    if args.to and len(files) != 1:
        raise CannotRun(f"--to prints one plan, and there are {len(files):,}: name one")
    changed, broken = 0, 0
    for file in files:
        before, after = _laid_out(file, args)
        if after is None:
            broken += 1
            continue
        printing = bool(args.to) or (file == "-" and not (args.check or args.diff))
        if printing:
            write(after, None)
        if after == before or args.to:
            continue
        changed += 1
        if args.diff:
            write(difference(before, after, file, "laid out"), None)
        if args.check:
            print(f"would lay out {plain(file)}", file=sys.stderr)
        if not (printing or args.diff or args.check):
            replace_file(file, after)
    if not args.to:
        _sum_up(len(files) - broken - changed, changed, args.check or args.diff)
    if broken:
        return COULD_NOT_RUN
    return FOUND if changed and (args.check or args.diff) else CLEAN


def _laid_out(file: str, args: argparse.Namespace) -> tuple[str, str | None]:
    """The text of a file, and the text in its layout; None where it cannot be read, which is said."""
    with reading(file):
        name, _, reader = reader_for(file, args.stdin_filename)
        source, wrong = decoded(name.replace(os.sep, "/"), reader.read(name))
    try:
        text, findings = (source.text, [wrong]) if wrong else formatted(source, args.to)
    except NoSpelling as error:
        raise CannotRun(str(error)) from error
    for finding in findings:
        print(line(finding), file=sys.stderr)
    return source.text, None if findings else text


def _sum_up(same: int, changed: int, dry: bool) -> None:
    """Say on standard error how many files changed."""
    told = [f"{counted(changed, 'file')} {'would be laid out' if dry else 'laid out'}"] if changed else []
    told += [f"{counted(same, 'file')} as {'it is' if same == 1 else 'they are'}"] if same else []
    if told:
        print(", ".join(told), file=sys.stderr)
