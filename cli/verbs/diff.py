"""`plan diff`: what the plans come to, as of a commit and now, and which change moved what."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from runplan.cli.arguments import Parser, add_output, reading, verb, wanted
from runplan.cli.outcome import CLEAN, FOUND, CannotRun
from runplan.cli.output import show
from runplan.cli.paths import NotFound, Projects, plans_below
from runplan.cli.show.formats import offered
from runplan.cli.then import Then, base_of, repository_of, revision, usual_base
from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.installed import shared
from runplan.dsl.text import disk
from runplan.dsl.text.errors import NoRevision
from runplan.dsl.text.git import Git
from runplan.dsl.text.reader import FileSystem
from runplan.dsl.text.revision import Revision

WORKING_TREE = "the working tree"
# A plan of then, and the same plan now.
Pair = tuple[str | None, str | None]


@verb("diff")
def run(argv: list[str]) -> int:
    """Compare plans with what they were; exit 1 where a limit is passed, or anything differs and that was asked."""
    parser = Parser(
        prog="plan diff",
        description="What plans come to now and as of a commit of git, nothing checked out: what moved, which change "
        "moved it, findings that are new or gone. Without REF the base is where this branch left the default branch.",
        epilog="example: plan diff plans/backwards-1t.plan plans/backwards-2t.plan",
    )
    parser.add_argument(
        "operands", metavar="PATH", nargs="*",
        help="plans and folders of plans; the current folder unless said. Two of them without --base are compared with "
        "each other, and REF, REF REF or REF..REF before them are commits, as git has it; REF:PATH is a plan of one",
    )  # fmt: skip
    parser.add_argument("--base", metavar="REF", help="what is compared with; REF... for where this branch left REF")
    parser.add_argument("--min-change", metavar="SHARE", help="leave out what moved by less, such as 5%%")
    parser.add_argument(
        "--max-increase", metavar="NAME=SHARE", action="append", default=[],
        help="exit 1 where a quantity of a plan grew by more, such as cost=5%%; may be repeated",
    )  # fmt: skip
    parser.add_argument("--stdin-filename", metavar="NAME", help="what standard input, `-`, is, such as x.plan.yaml")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 where anything differs")
    add_output(parser, offered("differences"), several=True)
    args = parser.parse_args(argv)
    outputs = wanted(args, offered("differences"))
    from runplan.cli.differences import Comparing, exceeded, large, limits_of, share_of
    from runplan.engine.differences.differences import Differences

    limits, least = limits_of(args.max_increase), share_of(args.min_change)
    asked = _asked(args.operands, args.base, args.stdin_filename)
    library = shared()
    now = Projects(args.stdin_filename, asked.now, library)
    comparing = Comparing(Projects(on=asked.then, base=library), now)
    plans = []
    for was, is_ in asked.pairs:
        with reading(is_ or was or ""):
            found = comparing.plan(was, is_)
        if asked.apart and found is not None and found.trouble:  # a commit may have a plan that nobody could read
            raise CannotRun(f"{was}: {found.trouble}")
        plans += [found] if found is not None else []
    passed = tuple(exceeded(plans, limits, library.quantities()))
    commits = [side.commit if isinstance(side, Revision) else "" for side in (asked.then, asked.now)]
    plans = [left for plan in plans if (left := large(plan, least)) is not None]
    if asked.apart:  # two plans have two names, which is no difference
        plans = [plan for plan in plans if plan.state != "same" or plan.values.causes]
    same = comparing.count - sum(plan.state != "same" for plan in plans)
    all_of_it = Differences(
        *asked.names, (commits[0], commits[1]), tuple(plans), same, limits, passed, least, asked.apart
    )
    show("differences", all_of_it, outputs)
    differ = [plan for plan in plans if plan.state != "same" or (plan.was and not asked.apart)]
    return FOUND if passed or (args.exit_code and differ) else CLEAN


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared: two states, what they are called, and the plans by their paths in both.

    Attributes:
        apart: Whether they are other plans, and not the same ones as they were.
    """

    then: FileSystem
    now: FileSystem
    names: tuple[str, str]
    pairs: tuple[Pair, ...]
    apart: bool = False


def _asked(operands: Sequence[str], base: str | None, stdin: str | None) -> Asked:
    """What the words of the command line ask for.

    Raises:
        NoRevision: For a commit that is not there.
        NotFound: For a path that is not there, then or now.
    """
    if base is None and len(operands) == 2 and (two := _two(operands)) is not None:
        return two
    git = repository_of(operands)
    refs, paths = ([base], list(operands)) if base is not None else _refs(operands, git)
    first, called = (refs[0], refs[0]) if refs else usual_base(git)
    then = revision(git, first)
    now: FileSystem = disk
    is_called = WORKING_TREE
    if len(refs) > 1 or git.bare:
        is_called = refs[1] if len(refs) > 1 else "HEAD"
        now = Revision.of(is_called, git)
    called = called if then.commit.startswith(called) else f"{called} ({then.short})"
    found = [*_pairs(Then(then, now), paths or ["."])] if paths != ["-"] else []
    if "-" in operands:
        found.append((Then(then, now).names_of([stdin])[stdin] if stdin else None, "-"))
    pairs = tuple(sorted(found, key=lambda pair: pair[1] or pair[0] or ""))
    return Asked(then, now, (called, is_called), pairs)


def _refs(operands: Sequence[str], git: Git) -> tuple[list[str], list[str]]:
    """The commits that stand before the paths, and the paths; what is a path is none."""
    refs: list[str] = []
    rest = list(operands)
    while rest and len(refs) < 2 and not disk.is_there(rest[0]):
        word = rest[0]
        older, dots, newer = word.partition("...") if "..." in word else word.partition("..")
        if dots and not refs and git.commit_or_none(older or "HEAD") and git.commit_or_none(newer or "HEAD"):
            older = base_of(git, older or "HEAD", newer or "HEAD") if dots == "..." else older or "HEAD"
            return [older, newer or "HEAD"], rest[1:]
        if git.commit_or_none(word) is None:
            break
        refs.append(rest.pop(0))
    return refs, rest


def _pairs(then: Then, paths: Sequence[str]) -> Iterator[Pair]:
    """The plans of some paths, each with itself as it was."""
    sides: list[list[str]] = [[], []]
    for path in (one for one in paths if one != "-"):
        found = [_below(path, on) for on in (then.revision, then.now)]
        if found == [None, None]:
            then.revision.git.commit("HEAD")
            raise NotFound(f"no such file, folder or commit: {path}")
        for side, below in zip(sides, found, strict=True):
            side += [file for file in below or () if file not in side]
    was, is_ = sides
    if not was and not is_:
        raise NotFound(f"no plan found in {', '.join(paths)}, then or now")
    names = then.names_of(is_)
    claimed = {name for name in names.values() if name is not None}
    gone = [file for file in was if then.is_gone(file) and not any(then.same(file, one) for one in claimed)]
    if gone:  # one may have gone to where nobody looked
        others = [file for file in then.below(then.now) if not any(then.same(file, one) for one in is_)]
        for file, name in then.names_of(others).items():
            for left in [one for one in gone if name is not None and then.same(one, name)]:
                gone.remove(left)
                names[file] = name
    yield from ((name, file) for file, name in names.items())
    yield from ((file, None) for file in gone)


def _below(path: str, on: FileSystem) -> list[str] | None:
    """The plans of a path; None where there is nothing."""
    if on.is_folder(path):
        return list(plans_below(path, on))
    return [path] if on.is_file(path) else None


# ---- two plans, or two folders


def _two(operands: Sequence[str]) -> Asked | None:
    """Two plans, or two folders, that are compared with each other; None where one of them is neither."""
    sides = [_place(word) for word in operands]
    if sides[0] is None or sides[1] is None:
        return None
    (then, first), (now, second) = sides[0], sides[1]
    if not then.is_folder(first) and not now.is_folder(second):
        return Asked(then, now, (operands[0], operands[1]), ((first, second),), apart=True)
    below = [
        {os.path.relpath(file, folder): file for file in plans_below(folder, on)}
        for on, folder in ((then, first), (now, second))
        if on.is_folder(folder)
    ]
    if len(below) < 2:
        raise CannotRun("compare two plans, or two folders; plans of now with those of then by `--base REF`")
    if not any(below):
        raise NotFound(f"no plan found in {' and '.join(operands)}")
    names = sorted({*below[0], *below[1]})
    return Asked(
        then, now, (operands[0], operands[1]), tuple((below[0].get(n), below[1].get(n)) for n in names), apart=True
    )


def _place(word: str) -> tuple[FileSystem, str] | None:
    """The state, and the path in it, that a path, or `REF:PATH`, means; None where it means none."""
    if disk.is_there(word):
        return disk, word
    ref, colon, path = word.partition(":")
    if not colon or not ref:
        return None
    try:
        git = repository_of([])
        commit = Revision.of(ref, git)
    except NoRevision:
        return None
    there = os.path.relpath(path or "." if path.startswith("./") else os.path.join(git.top, path))
    return (commit, there) if commit.is_there(there) else None
