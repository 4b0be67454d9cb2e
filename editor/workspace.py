"""Open texts and the disk behind them to projects and documents, each made anew only where what it rests on changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import islice

from runplan import Project
from runplan.cli.paths import plans_below
from runplan.dsl.dataclass import dataclass
from runplan.dsl.packs.configuration import root_of
from runplan.dsl.packs.installed import places, shared
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.standard import SHOWN
from runplan.dsl.text import disk, store
from runplan.dsl.text.errors import BadConfig
from runplan.dsl.text.installation import STANDARD
from runplan.dsl.text.reader import Disk
from runplan.dsl.text.source import Source
from runplan.editor.buffers import Buffers, Seen, Unconfigured
from runplan.editor.document import Document

# For how long what is on the disk is taken to be as it was, where no editor says that it changed.
TRUSTED_SECONDS = 1.0
# Files of a project that are looked through for other uses of a name.
MAX_SEARCHED = 2_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A project with what it was made of.

    Attributes:
        files: Its files as they are, with what is not saved.
        trouble: Why its configuration cannot be used; empty where it can.
    """

    project: Project
    root: str
    files: Buffers
    seen: Seen
    trouble: str


class Workspace:
    """What an editor has open, and what that makes of the files around it. Paths are absolute."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}
        self._projects: dict[str, Opened] = {}
        self._documents: dict[str, Document] = {}
        self._base: Library | None = None
        self._stamp = 0

    # ---- what is open

    def put(self, path: str, text: str) -> None:
        """Take a text for that of a file, as it is opened or edited."""
        self._open[path] = text
        self._contents[disk.real(path)] = text.encode("utf-8", "surrogatepass")
        self.touched()

    def drop(self, path: str) -> None:
        """Take the file on disk again."""
        self._open.pop(path, None)
        self._contents.pop(disk.real(path), None)
        self.touched()

    def touched(self) -> None:
        """Let it be known that any file may have changed."""
        self._stamp += 1

    def copy(self) -> Workspace:
        """Another with the same open, in which other texts can be tried."""
        other = Workspace()
        other._base = self._base
        for path, text in self._open.items():
            other.put(path, text)
        return other

    @property
    def open(self) -> tuple[str, ...]:
        """The open files, in the order in which they were opened."""
        return tuple(self._open)

    def text(self, path: str) -> str | None:
        """The text of an open file as the editor holds it."""
        return self._open.get(path)

    # ---- projects and documents

    def opened(self, path: str) -> Opened:
        """The project of a file, as it is now."""
        root = root_of(os.path.dirname(path))
        known = self._projects.get(root)
        if known is None or not self._holds(known.seen, known.files):
            known = self._projects[root] = self._made(root)
        return known

    def document(self, path: str) -> Document | None:
        """What a file says as it is now; None where it cannot be read."""
        opened = self.opened(path)
        known = self._documents.get(path)
        if known is not None and known.project is opened.project and self._holds(known.seen, opened.files):
            return known
        self._documents.pop(path, None)
        name = os.path.relpath(path, opened.root).replace(os.sep, "/")
        is_pack = name in opened.project.packs or self.is_of_library(path)
        try:
            made = Document(path, name, opened.project, Seen(opened.files), is_pack=is_pack)
        except OSError:
            return None
        self._documents[path] = made
        return made

    def frozen(self, opened: Opened) -> tuple[Project, Seen]:
        """The project with its files as they are at this moment, whatever is edited later; and what is read of it."""
        seen = Seen(Buffers(opened.files.behind, dict(self._contents)))
        return opened.project.through(seen), seen

    def others(self, document: Document, word: str) -> tuple[Document, ...]:
        """The other files of its project, and those that are open, that have a word in them."""
        opened = self.opened(document.path)
        try:
            found = list(islice(plans_below(opened.root), MAX_SEARCHED))
        except BadConfig:
            found = []
        paths = dict.fromkeys((*self._open, *found))
        paths.pop(document.path, None)
        return tuple(one for path in paths if self._has(opened, path, word) and (one := self.document(path)))

    def _has(self, opened: Opened, path: str, word: str) -> bool:
        try:
            return word.encode("utf-8", "surrogatepass") in opened.files.read(path)
        except OSError:
            return False

    def _holds(self, seen: Seen, files: Buffers) -> bool:
        """Whether what was read is still so: looked up again after each change, and after a while."""
        stamp, until = seen.held
        if stamp == self._stamp and time.monotonic() < until:
            return True
        holds = seen.same_by(files)
        if holds:
            seen.held = self._stamp, time.monotonic() + TRUSTED_SECONDS
        return holds

    def _made(self, root: str) -> Opened:
        self._base = self._base or shared()
        files = Buffers(Disk(root, root), self._contents)
        seen, trouble = Seen(files), ""
        try:
            project = Project(seen, "", self._base)
        except BadConfig as error:
            trouble = str(error)
            project = Project(Unconfigured(files), "", self._base)
        seen.done()
        return Opened(project.through(files), root, files, seen, trouble)

    # ---- files of sources

    def is_of_library(self, path: str) -> bool:
        """Whether a file is of the standard library, or a copy of one that was made to be looked at."""
        real = disk.real(path)
        kept = store.folder()
        folders = (STANDARD, *([os.path.join(disk.real(kept), store.SHOWN)] if kept else []))
        return any(real.startswith(os.path.join(folder, "")) for folder in folders)

    def file_of(self, source: Source, near: Document) -> str | None:
        """The file that a source stands in, one that is there; None where it can be shown by none.

        Args:
            near: The document in whose light it was found.
        """
        for path in self._candidates(source.path, near):
            if self._says(path, source):
                return path
        return store.shown(source.path, source.text)

    def _candidates(self, name: str, near: Document) -> Iterator[str]:
        """Where a file may stand that findings call by a name."""
        yield os.path.normpath(os.path.join(self.opened(near.path).root, name))
        first, _, rest = name.partition("/")
        if first == SHOWN:
            yield os.path.join(STANDARD, rest)
        yield from (os.path.join(place, rest) for package, place in places() if package == first)

    def _says(self, path: str, source: Source) -> bool:
        text = self._open.get(path)
        if text is not None:
            return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}") == source.text
        try:
            return disk.content(path).removeprefix(b"\xef\xbb\xbf") == source.text.encode("utf-8", "surrogatepass")
        except OSError:
            return False
