"""Documents to their solutions, off the loop that answers an editor: the newest version first, and each once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from runplan import Project
from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.text.finding import Finding, at_rest
from runplan.editor.document import Document
from runplan.editor.workspace import Workspace
from runplan.engine.analysis.intervals import with_intervals
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

# A solve that nobody waits for any more runs to its end: beside it there is room for the newest.
THREADS = 2
# How long a version has to last before its intervals are worth their time.
LASTING_SECONDS = 0.25


class Superseded(RunplanError):
    """Raised where a version of a text is solved no more, as there is a newer one."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What a plan comes to.

    Attributes:
        findings: As `plan check` shows them.
        known: For each law the solution with its intervals, once they are there.
    """

    report: Report
    findings: tuple[Finding, ...]
    known: dict[str, Solution] = field(default_factory=dict)

    @property
    def solutions(self) -> tuple[Solution, ...]:
        """The solution under each law, with its intervals where they are there."""
        return tuple(self.known.get(one.law, one) for one in self.report.solutions)

    @property
    def is_whole(self) -> bool:
        """Whether all intervals are there."""
        return len(self.known) == len(self.report.solutions)


@dataclass(slots=True)
class _Job:
    document: Document
    solved: asyncio.Future[Solved]
    whole: asyncio.Task[None] | None = None


class Solver:
    """Solves the documents of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="solve")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="intervals")
        self._jobs: dict[str, _Job] = {}
        self._last: dict[str, Solved] = {}

    async def solved(self, document: Document) -> Solved:
        """What a document comes to. Who stops waiting stops nobody else.

        Raises:
            Superseded: Where it was edited before it was solved.
        """
        future = self._job(document).solved
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if future.cancelled() and not (task and task.cancelling()):
                raise Superseded(document.name) from None
            raise

    def has(self, document: Document) -> bool:
        """Whether a document is solved, or is being."""
        job = self._jobs.get(document.path)
        return job is not None and job.document is document

    def before(self, path: str) -> Solved | None:
        """What the last version of a file came to that was solved; None where none was."""
        return self._last.get(path)

    def forget(self, path: str) -> None:
        """Let go of what is known of a file."""
        self._last.pop(path, None)
        if job := self._jobs.pop(path, None):
            job.solved.cancel()
            if job.whole is not None:
                job.whole.cancel()

    def close(self) -> None:
        """Begin nothing more."""
        for threads in (self.threads, self._slow):
            threads.shutdown(wait=False, cancel_futures=True)

    def _job(self, document: Document) -> _Job:
        job = self._jobs.get(document.path)
        if job is not None and job.document is document:
            return job
        if job is not None:  # what has not begun never will
            job.solved.cancel()
            if job.whole is not None:
                job.whole.cancel()
        project, _ = self._workspace.frozen(self._workspace.opened(document.path))
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self.threads, solved_at, project, document.name)
        job = self._jobs[document.path] = _Job(document, future)
        future.add_done_callback(lambda done: self._went(document, done))
        return job

    def _went(self, document: Document, done: asyncio.Future[Solved]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        solved, job = done.result(), self._jobs.get(document.path)
        if not solved.report.solutions:
            return
        if job is not None and job.document is document:
            wait = LASTING_SECONDS if document.path in self._last else 0.0
            job.whole = asyncio.ensure_future(self._with_intervals(solved, wait))
        self._last[document.path] = solved

    async def _with_intervals(self, solved: Solved, wait: float) -> None:
        await asyncio.sleep(wait)
        loop = asyncio.get_running_loop()
        for solution in solved.report.solutions:
            try:
                solved.known[solution.law] = await loop.run_in_executor(self._slow, with_intervals, solution)
            except RunplanError:  # a value is shown without one then
                solved.known[solution.law] = solution


def solved_at(project: Project, name: str, *, intervals: bool = False) -> Solved:
    """The report of a plan, and its findings with their help and fixes worked out.

    Args:
        intervals: Whether to wait for those of its laws' constants.
    """
    report = project.report(name, intervals=False)
    solved = Solved(report, at_rest(project.judged(report).findings))
    if intervals:
        solved.known.update({one.law: with_intervals(one) for one in report.solutions})
    return solved


def warmed(project: Project) -> object:
    """What the first solve would have to import and make is imported and made."""
    library = project.library
    library.laws(), library.rules(), library.records("device"), library.records("model")
    report = project.report("warm.plan", text="hardware: 64 x H100 for 30 days at 40% MFU", intervals=False)
    return with_intervals(report.solutions[0])
