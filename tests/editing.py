"""Texts with a cursor in them, open in a workspace: what tests of the editor's answers start from."""

from __future__ import annotations

import os
from pathlib import Path

from runplan.editor.document import Document
from runplan.editor.solving import Solved, solved_at
from runplan.editor.values import Known
from runplan.editor.workspace import Workspace

# Where the cursor is in a text of a test.
CURSOR = "▮"


class Open:
    """Files in a folder, the first of them open in an editor.

    Attributes:
        at: Where the cursor is in the first.
    """

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder = folder
        self.workspace = Workspace()
        self.at = 0
        (folder / "runplan.toml").touch()
        for i, (name, text) in enumerate(files.items()):
            before, mark, after = text.partition(CURSOR)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((before + after).encode("utf-8", "surrogatepass"))
            if i == 0:
                self.name, self.at = name, len(before) if mark else 0
                self.workspace.put(self.path(name), before + after)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def document(self, name: str = "") -> Document:
        found = self.workspace.document(self.path(name or self.name))
        assert found is not None
        return found

    def edit(self, name: str, text: str) -> None:
        self.workspace.put(self.path(name), text)

    def solved(self, name: str = "", *, intervals: bool = False) -> Solved:
        document = self.document(name)
        project, _ = self.workspace.frozen(self.workspace.opened(document.path))
        return solved_at(project, document.name, intervals=intervals)

    def known(self) -> Known:
        return Known(self.solved())


def one(folder: Path, text: str, name: str = "a.plan") -> Open:
    return Open(folder, {name: text})
