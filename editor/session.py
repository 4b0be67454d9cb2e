"""What happens in an editor to what it is told: plans are solved as they are edited, and their findings shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.finding import Finding, Label
from runplan.dsl.text.source import Span
from runplan.editor.document import Document
from runplan.editor.problems import Problem, elsewhere, problems
from runplan.editor.solving import Solved, Solver, Superseded, warmed
from runplan.editor.values import Known
from runplan.editor.workspace import Workspace

# How long after an edit one waits for the next before the plan is solved.
QUIET_SECONDS = 0.12
# How long an answer waits for the values of the text as it is; then it does without.
PATIENCE_SECONDS = 0.07
# How often the disk is looked at for what other programs change.
WATCH_SECONDS = 2.0

# Shows the problems of a file in its place; the document of one that is open.
Publish = Callable[[str, "Document | None", "tuple[Problem, ...]"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What there is to say of a document.

    Attributes:
        findings: As `plan check` shows them.
        solved: What it comes to; None for what is no plan, and where the program failed.
    """

    document: Document
    findings: tuple[Finding, ...]
    solved: Solved | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is shown in it."""
        return tuple(problems(self.document, self.findings))


class Session:
    """One editor, from when it is opened until it is closed.

    Args:
        publish: Shows what is wrong.
    """

    def __init__(self, publish: Publish) -> None:
        self.workspace = Workspace()
        self.solver = Solver(self.workspace)
        self._publish = publish
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._shown: dict[str, Document] = {}
        self._abroad: dict[str, dict[str, tuple[Problem, ...]]] = {}
        self._quiet = 0.0
        self._warm: asyncio.Future[object] | None = None
        self._watch: asyncio.Task[None] | None = None

    # ---- what happens

    def begin(self, path: str) -> None:
        """Have what the first answer needs imported and read before it is asked for, and look at the disk now and then.

        Args:
            path: A file of the project that is likely to be asked about; it need not be there.
        """
        project, _ = self.workspace.frozen(self.workspace.opened(path))
        self._warm = asyncio.get_running_loop().run_in_executor(self.solver.threads, warmed, project)
        self._watch = asyncio.ensure_future(self._watched())

    async def _watched(self) -> None:
        """Look at what is open again and again: not every editor tells what other programs change."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for path in self.workspace.open:
                if path not in self._tasks or self._tasks[path].done():
                    self._start(path, self._look(path, 0.0))

    def edited(self, path: str, text: str, *, quiet: bool) -> None:
        """A file is opened, or edited: then it is waited whether more is."""
        self.workspace.put(path, text)
        self._quiet = time.monotonic() + (QUIET_SECONDS if quiet else 0.0)
        self.changed(path, quiet=quiet)

    def closed(self, path: str) -> None:
        """A file is closed: what is on the disk counts again."""
        self.workspace.drop(path)
        if task := self._tasks.pop(path, None):
            task.cancel()
        self.solver.forget(path)
        self._shown.pop(path, None)
        self._abroad.pop(path, None)
        self._start(path, self._clear(path))
        self.changed()

    def changed(self, first: str = "", *, quiet: bool = True) -> None:
        """Any file may have changed: look at what is open, one first."""
        self.workspace.touched()
        paths = [path for path in self.workspace.open if path != first]
        for path in [first, *paths] if first else paths:
            self._start(path, self._look(path, QUIET_SECONDS if quiet else 0.0))

    def close(self) -> None:
        """End what is under way."""
        for task in (*self._tasks.values(), *([self._watch] if self._watch else ())):
            task.cancel()
        self.solver.close()

    def _start(self, path: str, work: Awaitable[None]) -> None:
        if task := self._tasks.get(path):
            task.cancel()
        self._tasks[path] = asyncio.ensure_future(work)

    # ---- findings

    async def _look(self, path: str, quiet: float) -> None:
        """Show what is wrong with a file as it is now, unless that is shown."""
        if quiet:
            await asyncio.sleep(quiet)
        document = self.workspace.document(path)
        if document is None or self._shown.get(path) is document:
            return
        try:
            checked = await self.checked(document)
        except Superseded:
            return
        if self.workspace.document(path) is not document:
            return  # it was edited meanwhile, and is looked at again
        self._shown[path] = document
        await self._publish(path, document, checked.problems)
        await self._show_abroad(path, checked)

    async def _show_abroad(self, path: str, checked: Checked) -> None:
        """Show findings of a document in the files that they are in, where these are not open."""
        before = self._abroad.get(path, {})
        now: dict[str, list[Problem]] = {}
        for problem in elsewhere(checked.document, checked.findings):
            file = self.workspace.file_of(problem.span.source, checked.document)
            if file is not None and file not in self.workspace.open and not self.workspace.is_of_library(file):
                now.setdefault(file, []).append(problem)
        self._abroad[path] = {file: tuple(found) for file, found in now.items()}
        for file in dict.fromkeys((*before, *now)):
            await self._clear(file)

    async def _clear(self, file: str) -> None:
        """Show in a file that is not open what open ones say of it."""
        if file in self.workspace.open:
            return
        every = (problem for found in self._abroad.values() for problem in found.get(file, ()))
        unique = {(p.finding.code, p.span.start, p.message): p for p in every}
        await self._publish(file, None, tuple(unique.values()))

    async def checked(self, document: Document) -> Checked:
        """What there is to say of a document; solving is waited for.

        Raises:
            Superseded: Where it was edited before it was solved.
        """
        if not self._is_solved(document):
            return Checked(document, document.faults)
        try:
            solved = await self.solver.solved(document)
        except Superseded:
            raise
        except Exception as error:  # a bug of ours is told, and the next edit is looked at all the same
            return Checked(document, (_bug(document, f"a bug in runplan: {type(error).__name__}: {error}"),))
        return Checked(document, (*self._troubles(document), *solved.findings), solved)

    async def newest(self, path: str) -> Checked | None:
        """What there is to say of a file as it is when that is said; None where it cannot be read."""
        while (document := self.workspace.document(path)) is not None:
            with suppress(Superseded):
                await self._lasts(document)
                checked = await self.checked(document)
                if self.workspace.document(path) is document:
                    return checked
        return None

    def _is_solved(self, document: Document) -> bool:
        return not document.is_pack

    def _troubles(self, document: Document) -> tuple[Finding, ...]:
        trouble = self.workspace.opened(document.path).trouble
        return (_bug(document, trouble),) if trouble else ()

    # ---- values

    async def known(self, document: Document) -> Known:
        """What is known of a document's values, without waiting long for more."""
        if not self._is_solved(document):
            return Known()
        before = self.solver.before(document.path)
        try:
            solved = await asyncio.wait_for(self.solver.solved(document), PATIENCE_SECONDS)
        except TimeoutError:
            return Known(before, stale=before is not None, waiting=True)
        except Exception:  # it is shown as a finding
            return Known(before, stale=before is not None)
        if solved.solutions or before is None:
            return Known(solved)
        return Known(before, stale=True)

    async def _lasts(self, document: Document) -> None:
        """Wait until nothing was edited for a while, unless what is asked for is known or on its way."""
        while not self.solver.has(document) and (left := self._quiet - time.monotonic()) > 0:
            await asyncio.sleep(left)


def _bug(document: Document, message: str) -> Finding:
    """What keeps a plan from being looked at at all; it has no code, as no plan is to blame."""
    return Finding("", "cannot-run", "error", message, Label(Span(document.source, 0, 0)))
