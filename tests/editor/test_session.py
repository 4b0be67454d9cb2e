"""A session: what is shown as files are opened, edited and closed, in order, each version solved once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from editing import Open

from runplan.editor import solving
from runplan.editor.document import Document
from runplan.editor.problems import Problem
from runplan.editor.session import Session
from runplan.editor.solving import Solved
from runplan.project import Project

PLAN = "hardware: 8 x newchip for 30 days at 40% MFU\nmodel: 1B\n"
PACK = "device newchip { peak bf16 500 TFLOP/s; memory 80 GB }\n"
Shown = list[tuple[str, list[str]]]


def during(folder: Path, files: dict[str, str], scenario: Callable[[Session, Open, Shown], Awaitable[None]]) -> Shown:
    """What is shown while something happens in a session: files with the codes in them, in order."""
    shown: Shown = []
    there = Open(folder, files)
    (folder / "runplan.toml").write_text('packs = ["pack"]\n' if "pack/chips.plan" in files else "", encoding="utf-8")

    async def publish(path: str, document: Document | None, problems: tuple[Problem, ...]) -> None:
        shown.append((Path(path).name, sorted({p.finding.code or p.finding.name for p in problems})))

    async def run() -> None:
        session = Session(publish)
        try:
            await scenario(session, there, shown)
        finally:
            session.close()

    asyncio.run(run())
    return shown


async def until(shown: Shown, name: str, holds: Callable[[list[str]], bool]) -> None:
    """Wait until what is shown in a file is so."""
    async with asyncio.timeout(60):
        while not holds(latest(shown, name)):
            await asyncio.sleep(0.01)


def latest(shown: Shown, name: str) -> list[str]:
    """The codes that are shown in a file; a word that is none where nothing is yet."""
    return next((codes for file, codes in reversed(shown) if file == name), ["nothing yet"])


def only(*codes: str) -> Callable[[list[str]], bool]:
    return lambda found: found == list(codes)


def some(code: str) -> Callable[[list[str]], bool]:
    return lambda found: code in found


def opened(session: Session, there: Open, name: str, text: str) -> None:
    session.edited(there.path(name), text, quiet=False)


def test_an_edit_of_a_pack_is_seen_in_the_plans_that_are_open(tmp_path: Path) -> None:
    async def scenario(session: Session, there: Open, shown: Shown) -> None:
        pack = there.path("pack/chips.plan")
        opened(session, there, "a.plan", PLAN)
        await until(shown, "a.plan", some("H004"))
        opened(session, there, "pack/chips.plan", PACK)
        await until(shown, "chips.plan", only())
        session.edited(pack, PACK.replace("newchip", "oldchip"), quiet=True)
        await until(shown, "a.plan", only("N002"))
        session.edited(pack, PACK.replace("500 TFLOP/s", "fast"), quiet=True)
        await until(shown, "chips.plan", some("S001"))
        await until(shown, "a.plan", some("S001"))
        session.closed(pack)
        await until(shown, "a.plan", some("H004"))
        await until(shown, "chips.plan", only())

    during(tmp_path, {"a.plan": PLAN, "pack/chips.plan": PACK}, scenario)


def test_what_is_wrong_in_a_file_that_is_not_open_is_shown_there_and_at_its_import(tmp_path: Path) -> None:
    plan = "model: 1B\nimport lets.plan\ntokens: 1T\n"

    async def scenario(session: Session, there: Open, shown: Shown) -> None:
        opened(session, there, "a.plan", plan)
        await until(shown, "lets.plan", only("N002"))
        checked = await session.newest(there.path("a.plan"))
        assert checked is not None
        (problem,) = checked.problems
        assert problem.span.text == "lets.plan" and problem.message.startswith("lets.plan:1: unknown name")
        (tmp_path / "lets.plan").write_text("let x = 3 USD\n", encoding="utf-8")
        session.changed()
        await until(shown, "lets.plan", only())
        await until(shown, "a.plan", lambda codes: "N002" not in codes)

    during(tmp_path, {"a.plan": plan, "lets.plan": "let x = nobody\n"}, scenario)


@contextmanager
def solves(patch: pytest.MonkeyPatch, gate: threading.Event | None = None) -> Iterator[list[str]]:
    """The texts that are solved meanwhile; each waits at the gate."""
    found: list[str] = []
    real = solving.solved_at

    def solved_at(project: Project, name: str) -> Solved:
        found.append(project.reader.read(name).decode())
        if gate is not None:
            assert gate.wait(60)
        return real(project, name)

    with patch.context() as inner:
        inner.setattr(solving, "solved_at", solved_at)
        yield found


def test_the_last_of_many_edits_is_shown_and_each_version_solved_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session, there: Open, shown: Shown) -> None:
        opened(session, there, "a.plan", "model: 1B\ntokens: 1T\n")
        await until(shown, "a.plan", some("D003"))
        for i in range(1, 20):
            session.edited(there.path("a.plan"), f"model: {i}B\ntokens: 1T\nrequire nobody <= 3\n", quiet=True)
            await asyncio.sleep(0)
        await until(shown, "a.plan", only("N002"))
        document = session.workspace.document(there.path("a.plan"))
        assert document is not None
        for _ in range(5):
            await session.known(document)
        assert await session.newest(there.path("a.plan")) is not None

    with solves(monkeypatch) as solved:
        found = during(tmp_path, {"a.plan": ""}, scenario)
    assert [codes == ["N002"] for _, codes in found] == [False, True]
    assert solved == ["model: 1B\ntokens: 1T\n", "model: 19B\ntokens: 1T\nrequire nobody <= 3\n"]


def test_a_slow_solve_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    async def scenario(session: Session, there: Open, shown: Shown) -> None:
        opened(session, there, "a.plan", "model: 1B\ntokens: 1T\n")
        document = session.workspace.document(there.path("a.plan"))
        assert document is not None
        known = await session.known(document)
        assert known.waiting and known.solutions == () and shown == []
        opened(session, there, "a.plan", "model: 1B\ntokens: 2T\n")
        gate.set()
        await until(shown, "a.plan", some("D003"))
        assert not (await session.known(session.workspace.document(there.path("a.plan")) or document)).waiting

    with solves(monkeypatch, gate):
        found = during(tmp_path, {"a.plan": ""}, scenario)
    assert [name for name, _ in found] == ["a.plan"]  # what was solved of the first text is never shown


def test_a_bug_of_ours_is_told_and_the_next_edit_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(project: Project, name: str) -> Solved:
        raise ZeroDivisionError("inside")

    async def scenario(session: Session, there: Open, shown: Shown) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(solving, "solved_at", fails)
            opened(session, there, "a.plan", "model: 1B\ntokens: 1T\n")
            await until(shown, "a.plan", only("cannot-run"))
        opened(session, there, "a.plan", "model: 1B\ntokens: 2T\nrequire nobody <= 2\n")
        await until(shown, "a.plan", only("N002"))

    during(tmp_path, {"a.plan": ""}, scenario)


def test_a_configuration_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    async def scenario(session: Session, there: Open, shown: Shown) -> None:
        (tmp_path / "runplan.toml").write_text("nonsense = 3\n", encoding="utf-8")
        opened(session, there, "a.plan", "model: 1B\ntokens: 1T\nrequire nobody <= 3\n")
        await until(shown, "a.plan", only("N002", "cannot-run"))

    during(tmp_path, {"a.plan": ""}, scenario)


def test_findings_are_those_of_check(tmp_path: Path) -> None:
    text = "hardware: 8 x H100 for 30 days @ 2 USD/GPU/hour\nmodel: 7B\nrequire cost <= 5 USD  # ignore[H004] x\n"
    there = Open(tmp_path, {"a.plan": text, "a.plan.yaml": "model: 7B\ntokens: 1T\nrequire: nobody <= 3\n"})
    for name in ("a.plan", "a.plan.yaml"):
        expected = Project.open(tmp_path).check(name)
        assert [(f.code, f.message, tuple(f.help)) for f in there.solved(name).findings] == [
            (f.code, f.message, tuple(f.help)) for f in expected
        ]
