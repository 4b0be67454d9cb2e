"""A project's files to reports: what the command, a notebook, an editor and a look at a git revision start from."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.configuration import (
    Configuration,
    configuration_of,
    configured_packs,
    folder_budgets,
    folders_above,
    place_of,
    root_of,
)
from runplan.dsl.packs.installed import shared
from runplan.dsl.packs.library import Library
from runplan.dsl.text import disk
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.finding import in_order
from runplan.dsl.text.limits import LOCK
from runplan.dsl.text.reader import Buffer, Disk, Reader
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.text.finding import Finding
    from runplan.engine.gate import Gate
    from runplan.engine.lock import Lock
    from runplan.engine.report import Report
    from runplan.engine.scatter.work import Workers

Settings = Mapping[str, object] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of plans with its configuration and packs, as they were when the project was made.

    A project never changes. One that is made later sees packs and settings that were edited since; plans are read
    each time that they are asked for.

    >>> import runplan
    >>> project = runplan.Project(runplan.Files({"a.plan": "hardware: 64 x H100 for 30 days at 40% MFU"}))
    >>> project.report("a.plan").solutions[0].status
    'solved'

    Attributes:
        reader: Gives every file: plans, their imports, packs, the configuration.
        root: The reader's path of the folder with the configuration; empty for the reader's own folder.
        above: Its paths of folders above, whose configurations may have budgets for the plans of the project, too.
        base: What is known in every project: the standard library and the packs of installed wheels. It is read anew
            unless it is given; projects that are made in a row can share one.
        configuration: The settings.
        library: The base with the project's packs.
        pins: What its `runplan.lock` says; empty where it has none.

    Raises:
        BadConfig: Where the configuration cannot be read or used, or a pack is not there.
    """

    reader: Reader
    root: str = ""
    base: Library = field(default_factory=shared)
    above: tuple[str, ...] = ()
    configuration: Configuration = field(init=False)
    library: Library = field(init=False)
    pins: bytes = field(init=False, repr=False)
    _once: list[Lock | None] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        configuration = configuration_of(self.reader, self.root)
        object.__setattr__(self, "configuration", configuration)
        library = self.base.with_files(configured_packs(self.reader, configuration))
        budgets = folder_budgets(self.reader, self.root, self.above)
        object.__setattr__(self, "library", library.with_budgets(budgets))
        object.__setattr__(self, "pins", self._pins())

    @classmethod
    def open(cls, path: str | os.PathLike[str] = ".", *, base: Library | None = None) -> Project:
        """The project on disk that a folder or a plan is in.

        Its root is the nearest folder, from there upwards, with a configuration or `.git`.

        Args:
            path: A folder: plans are then named by their paths from it. Or a plan: plans are then named as this one
                is, from the current folder.
            base: See `Project`.

        Raises:
            BadConfig: See `Project`.
        """
        there = os.fspath(path)
        is_folder = disk.is_folder(there)
        root = root_of(there if is_folder else os.path.dirname(there))
        reader = Disk(root, there if is_folder else os.curdir)
        return cls(reader, root, base or shared(), tuple(folders_above(root)))

    @property
    def packs(self) -> tuple[str, ...]:
        """The files of packs that are known beside the standard library, as findings name them."""
        return tuple(file.source.path for file in self.library.shelf.brought)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        text: str | None = None,
        settings: Settings = (),
        laws: Sequence[str] | None = None,
        intervals: bool = True,
        draws: int | None = None,
        workers: Workers | None = None,
        layouts: bool | None = None,
    ) -> Report:
        """A plan, solved and judged: its solutions with their values, what was assumed, and all findings.

        Args:
            path: A `.plan` or `.plan.yaml` file, by the reader's path.
            text: The plan's text in place of what the file has, such as an editor's buffer; there need be no file.
            settings: Instead of what the plan says: `{"tokens": "2T"}`, or `["tokens=2T"]`.
            laws: Names of laws, in place of the plan's own.
            intervals: Whether to compute the 80 % intervals of the laws' constants.
            draws: How many draws of them; as many as take no time unless said.
            workers: Who evaluates the draws, such as `processes(4)` of `runplan.engine.scatter.processes`; this
                process unless said.
            layouts: Whether to look at all layouts that the model may have on its devices, as with intervals unless
                said; else only at so many as show that nothing is wrong.

        Raises:
            OSError: Where the file cannot be read. What is wrong with a plan is a finding, never an exception.
            UnknownLaw: For a name in `laws` that no law has.
            NoWorker: Where the workers cannot go on.
        """
        from runplan.engine.layout.fit import ALL, GLANCE
        from runplan.engine.pipeline import report_of

        name = os.fspath(path)
        reader = self.reader if text is None else Buffer(name, text.encode("utf-8", "surrogatepass"), self.reader)
        named = None if laws is None else (laws,) if isinstance(laws, str) else tuple(laws)
        return report_of(
            name,
            reader,
            catalogue=self.library,
            settings=_settings(settings),
            laws=named,
            intervals=intervals,
            draws=draws,
            workers=workers,
            look=ALL if (intervals if layouts is None else layouts) else GLANCE,
        )

    def check(
        self,
        path: str | os.PathLike[str],
        *,
        text: str | None = None,
        settings: Settings = (),
        select: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
        extend_select: Sequence[str] | None = None,
    ) -> tuple[Finding, ...]:
        """The findings of a plan as `plan check` shows them: without what the plan or the configuration leaves out.

        Args:
            path, text, settings: See `report`.
            select: Codes, names or prefixes of the findings to keep, in place of what the configuration keeps and
                leaves out.
            ignore: Of those to leave out, in place of what the configuration leaves out.
            extend_select: Of those to keep as well. Of several words that fit a finding the longest counts.

        Raises:
            OSError: Where the file cannot be read.
            UnknownCode: For such a word that no finding has.
            BadConfig: For such a word of the configuration.
        """
        from runplan.engine.gate import unknown

        gate = self.gate(path, text=text, settings=settings, select=select, ignore=ignore, extend_select=extend_select)
        if wrong := unknown([*(select or ()), *(ignore or ()), *(extend_select or ())], [gate]):
            raise wrong
        self.refuse_unknown([gate])
        return gate.findings

    def gate(
        self,
        path: str | os.PathLike[str],
        *,
        text: str | None = None,
        settings: Settings = (),
        select: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
        extend_select: Sequence[str] | None = None,
    ) -> Gate:
        """What `plan check` makes of a plan: the findings of `check`, and the verdict, which no selection changes.

        Args:
            path, text, settings: See `report`.
            select, ignore, extend_select: See `check`. A word that no finding has selects nothing here.

        Raises:
            OSError: Where the file cannot be read.
        """
        report = self.report(path, text=text, settings=settings, intervals=False)
        return self.judged(report, select, ignore, extend_select, pinned=not settings)

    def judged(
        self,
        report: Report,
        select: Sequence[str] | None = None,
        ignore: Sequence[str] | None = None,
        extend_select: Sequence[str] | None = None,
        *,
        pinned: bool = True,
    ) -> Gate:
        """What `plan check` makes of the report of a plan of the project; see `gate`.

        Args:
            pinned: Whether the plan is held to the project's lock.

        Raises:
            BadConfig: Where the lock cannot be read.
        """
        import time

        from runplan.engine.gate import Choice, codes_of, gate

        if pinned and (self.pins or self.library.shelf.brought):
            report = replace(report, findings=in_order([*report.findings, *self._pinned(report)]))
        of = self.configuration
        choice = Choice(
            of.select if select is None else tuple(select),
            of.ignore if select is None and ignore is None else (),
            of.severity,
            also=tuple(extend_select or ()),
            but=tuple(ignore or ()),
        )
        return gate(report, self.library.once(codes_of), choice, time.strftime("%Y-%m-%d"))

    def _pins(self) -> bytes:
        """What the lock says."""
        try:
            return self.reader.read(posixpath.join(self.root, LOCK))
        except OSError:
            return b""

    def lock(self) -> Lock | None:
        """The project's `runplan.lock`; None where it has none.

        Raises:
            BadConfig: Where it cannot be read as one.
        """
        from runplan.engine.lock import lock_of

        if not self._once:
            self._once.append(lock_of(self.pins, posixpath.join(self.root, LOCK)) if self.pins else None)
        return self._once[0]

    def _pinned(self, report: Report) -> Iterator[Finding]:
        """What is not pinned, and what has moved though the plan has not."""
        from runplan import __version__
        from runplan.engine.pins import answer_moved, unpinned

        lock = self.lock()
        yield from unpinned(self.library, lock, self.reader, self.configuration)
        then = lock.plans.get(self.reader.resolve(report.source.path) or "") if lock else None
        if lock is not None and then is not None:
            yield from answer_moved(report, lock, then, self.library, self.reader, __version__)

    def through(self, reader: Reader) -> Project:
        """The same project, its configuration and packs as they were read, with plans read by another reader."""
        other = object.__new__(Project)
        for name in self.__slots__:
            object.__setattr__(other, name, reader if name == "reader" else getattr(self, name))
        return other

    def refuse_unknown(self, gates: Sequence[Gate]) -> None:
        """Refuse a configuration with codes that none of these plans of the project can have.

        Raises:
            BadConfig: With the line and the nearest code.
        """
        from runplan.engine.gate import unknown

        of = self.configuration
        for key, words in (("select", of.select), ("ignore", of.ignore), ("severity", tuple(of.severity))):
            for word in words:
                if wrong := unknown([word], gates):
                    raise BadConfig(f"{place_of(self.reader, of, word)}: `{key}`: {wrong}")

    def refuse_unknown_settings(self) -> None:
        """Refuse a configuration with codes that nothing but the own rules of a plan can have.

        Raises:
            BadConfig: See `refuse_unknown`.
        """
        from runplan.engine.gate import Gate, Verdict, codes_of

        self.refuse_unknown([Gate((), Verdict("", "", ()), self.library.once(codes_of))])

    def __repr__(self) -> str:
        packs = f": packs {', '.join(self.packs)}" if self.packs else ""
        return f"<Project {self.root or repr(self.reader)}{packs}>"


def _settings(settings: Settings) -> tuple[str, ...]:
    if isinstance(settings, str):
        return (settings,)
    if isinstance(settings, Mapping):
        return tuple(f"{path}={value}" for path, value in settings.items())
    return tuple(settings)
