"""`plan lock`: what the numbers of plans rest on, and what they come to, into `runplan.lock`."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence

from runplan import __version__
from runplan.cli.arguments import Parser, reading, verb
from runplan.cli.outcome import CLEAN, FOUND, CannotRun
from runplan.cli.paths import Projects, plan_files
from runplan.cli.show.text.plain import plain
from runplan.cli.stream import tell, write
from runplan.dsl.dataclass import replace
from runplan.dsl.text import disk
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.limits import LOCK
from runplan.dsl.text.words import counted
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan import Project
    from runplan.engine.lock import Lock, Locked

# So many values of a plan are told.
_MOST = 4


@verb("lock")
def run(argv: list[str]) -> int:
    """Write the locks of plans, or hold them to what there is; exit 1 where one that is held is out of date."""
    parser = Parser(
        prog="plan lock",
        description="Write into runplan.lock, beside the configuration, what plans rest on (versions and content of "
        "the library and of packs, defaults that are taken) and what they come to. A check then says where a plan "
        "comes to something else because of those.",
        epilog="example: plan lock plans",
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="*",
        help="plans and folders of plans; the current folder unless said. What is locked already stays so",
    )  # fmt: skip
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a lock is out of date")
    args = parser.parse_args(argv)
    if "-" in args.paths:
        raise CannotRun("a lock is of files, and `-` is none")
    projects = Projects()
    by_root: dict[str, tuple[Project, list[str]]] = {}
    for file in plan_files(args.paths):
        name, project = projects.of(file)
        by_root.setdefault(project.root, (project, []))[1].append(name)
    stale = [_locked(project, files, check=args.check) for project, files in by_root.values()]
    return FOUND if args.check and any(stale) else CLEAN


def _locked(project: Project, files: Sequence[str], *, check: bool) -> bool:
    """Whether the lock of a project was out of date; it is written unless it is only held."""
    from runplan.engine.lock import rests_on, text_of

    path = os.path.relpath(posixpath.join(project.root, LOCK))
    then = _then(project, path, check=check)
    now = rests_on(project.library, project.reader, __version__)
    plans = dict(_plans(project, files, then))
    now = replace(now, plans=plans)
    text = text_of(now)
    stale = text.encode("utf-8") != project.pins.replace(b"\r\n", b"\n")
    for line in _told(then, now) if then is not None else ():
        write(f"{plain(line)}\n")
    if stale and not check:
        write(text, path)
    packs = f", {counted(len(now.packs), 'file')} of packs" if now.packs else ""
    state = ("is out of date" if check else "written") if stale else "is up to date"
    missing = " (there is none yet)" if check and not project.pins else ""
    write(f"{plain(path)} {state}{missing}: {counted(len(plans), 'plan')}{packs}\n")
    return stale


def _then(project: Project, path: str, *, check: bool) -> Lock | None:
    """The lock that there is; one that cannot be read is written anew.

    Raises:
        BadConfig: Where it cannot be read, and is only held.
    """
    try:
        return project.lock()
    except BadConfig as error:
        if check:
            raise
        tell(f"plan lock: {plain(str(error))}")
        return None


def _plans(project: Project, files: Sequence[str], then: Lock | None) -> Iterator[tuple[str, Locked]]:
    """The plans of files, and those that are locked already and still there, by their paths from the root."""
    from runplan.engine.lock import locked, settled

    known: Mapping[str, Locked] = then.plans if then else {}
    names = {name: file for file in files if (name := project.reader.resolve(file)) is not None}
    for name in known:
        names.setdefault(name, os.path.relpath(posixpath.join(project.root, name)))
    for name, file in sorted(names.items()):
        try:
            with reading(file):
                report = project.report(file, intervals=False)
        except CannotRun:
            if name in known and not disk.is_there(file):
                continue  # it is not there any more
            raise
        if report.solutions:
            yield name, settled(known.get(name), locked(report, project.reader))
        elif wrong := next((f for f in report.findings if f.severity == "error"), None):
            tell(f"plan lock: {plain(file)} is not locked, it cannot be read: {plain(wrong.message)}")


def _told(then: Lock, now: Lock) -> Iterator[str]:
    """What is otherwise than it was: what plans rest on, then the plans."""
    from runplan.engine.lock import changed

    yield from changed(then, now)
    for name in sorted({*then.plans, *now.plans}):
        was, is_ = then.plans.get(name), now.plans.get(name)
        if was is None or is_ is None:
            yield f"{name}: {'new' if was is None else 'gone'}"
        elif was != is_:
            yield f"{name}: {'; '.join(_moved(was, is_))}"


def _moved(was: Locked, is_: Locked) -> Iterator[str]:
    from runplan.engine.lock import moved, shown

    if was.text != is_.text:
        yield "the plan has changed"
    if was.status != is_.status:
        yield f"{is_.status}, was {was.status}"
    if was.law != is_.law:
        yield f"by {is_.law}, was by {was.law}"
    names = moved(was.values, is_.values)
    told = [f"{name} {shown(is_.values[name])}, was {shown(was.values[name])}" for name in names[:_MOST]]
    yield from told
    if len(names) > _MOST:
        yield f"{len(names) - _MOST} more"
    taken = {**was.defaults, **is_.defaults}
    for name in [one for one in taken if was.defaults.get(one) != is_.defaults.get(one)][:_MOST]:
        yield f"{name} is taken as {is_.defaults.get(name, 'nothing')}, was {was.defaults.get(name, 'nothing')}"
