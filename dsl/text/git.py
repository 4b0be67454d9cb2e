"""Questions to git about what it has stored, answered by the `git` command: no shell, no hook, no network, no checkout.

It is asked for what is stored only, and never for what would run a program that a repository's settings name: filters,
text conversions, monitors, signatures. What the environment says to git is left out, but for who the user is.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.text.disk import real, unsteady
from runplan.dsl.text.errors import NoRevision
from runplan.dsl.text.nearest import did_you_mean

# Where one looks for the branch that others start from, the likeliest first.
DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
FETCH = "a shallow clone has not all of it: `git fetch --unshallow`, or `fetch-depth: 0` of actions/checkout"
# Nothing that a repository's own settings say may run a program or reach a network.
_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "protocol.allow=never", "log.showSignature=false")
_OPTIONS = ("--no-pager", "--no-replace-objects", "--no-optional-locks")
# An object by its name: of SHA-1, or of SHA-256.
_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit.

    Attributes:
        mode: `120000` is a link, whose content is where it leads.
        blob: The name of its content.
    """

    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Git:
    """A repository.

    Attributes:
        folder: From where git is asked.
        top: Its working tree, absolute, links followed; the folder itself where it has none.
        bare: Whether it has none.
    """

    folder: str
    top: str
    bare: bool = False

    @classmethod
    def of(cls, folder: str = os.curdir) -> Git:
        """The repository that a folder is in.

        Raises:
            NoRevision: Where there is no git, or the folder is in no repository, or git does not trust it.
        """
        here = real(folder)
        asked = cls(here, here)
        done = asked._done("rev-parse", "--is-bare-repository", "--is-inside-work-tree")
        if done.returncode:
            raise NoRevision(_why_none(folder, done.stderr))
        bare, inside = done.stdout.split()
        if inside != b"true":
            return cls(here, here, bare == b"true")
        top = os.fsdecode(asked.asked("rev-parse", "--show-toplevel").removesuffix(b"\n"))
        return cls(here, real(top))

    def commit(self, ref: str) -> str:
        """The name of the commit that a revision means.

        Raises:
            NoRevision: Where it means none; it says what would help.
        """
        found = self.commit_or_none(ref)
        if found is None:
            raise NoRevision(self._why_not(ref))
        return found

    def commit_or_none(self, ref: str) -> str | None:
        """The name of the commit that a revision means; None where it means none."""
        if not ref or ref.startswith("-") or re.search(r"[\x00-\x1f\x7f]", ref):
            return None
        done = self._done("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        name = done.stdout.decode("ascii", "replace").strip()
        return name if not done.returncode and _NAME.fullmatch(name) else None

    def base(self, commit: str, other: str) -> str | None:
        """The commit at which the history of two parted; None where they share none that is there."""
        done = self._done("merge-base", commit, other)
        return done.stdout.decode("ascii").split()[0] if not done.returncode else None

    def default_branch(self) -> str | None:
        """The branch that others start from, by its usual names; None where there is none of them."""
        return next((name for name in DEFAULT_BRANCHES if self.commit_or_none(name)), None)

    @property
    def is_shallow(self) -> bool:
        """Whether the clone has but the newest part of its history."""
        return self._done("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """The files of a commit, by their paths from its top; without what are other repositories.

        Raises:
            NoRevision: Where a part of it is not there.
        """
        found: dict[str, Entry] = {}
        for line in self.asked("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
            head, tab, path = line.partition(b"\t")
            if tab:
                mode, kind, blob = head.decode("ascii").split()
                if kind == "blob":
                    found[os.fsdecode(path)] = Entry(mode, blob)
        return found

    def renames(self, older: str, newer: str, endings: Iterable[str]) -> Mapping[str, str]:
        """The paths that files had in an older commit, by those in a newer one, where git says that they are the same.

        It is asked at each commit between them, so that a file is followed through several names.

        Args:
            endings: Of the names of the files that are looked at.
        """
        options = ("--format=", "-M", "--diff-filter=R", "--name-status", "-z", "--no-ext-diff", "--no-textconv")
        files = [f":(top,glob)**/*{ending}" for ending in endings]
        done = self._done("log", "--reverse", "--topo-order", *options, f"{older}..{newer}", "--", *files)
        words = [os.fsdecode(word) for word in done.stdout.split(b"\0") if word.strip()]
        first: dict[str, str] = {}
        for was, now in zip(words[1::3], words[2::3], strict=False):
            first[now] = first.pop(was, was)
        return first

    def contents(self, blobs: Iterable[str], most: int) -> Mapping[str, bytes]:
        """The contents of blobs by their names; of one that is longer than `most`, so much that this shows.

        Raises:
            NoRevision: Where one is not there.
        """
        names = list(dict.fromkeys(blobs))
        sizes = dict(zip(names, self._sizes(names), strict=True))
        short = [name for name in names if sizes[name] <= most]
        found = {name: self._beginning(name, most + 1) for name in names if sizes[name] > most}
        told = self.asked("cat-file", "--batch", text="".join(f"{name}\n" for name in short)) if short else b""
        at = 0
        for name in short:
            start = told.index(b"\n", at) + 1
            found[name] = told[start : start + sizes[name]]
            at = start + sizes[name] + 1
        return found

    def _sizes(self, names: Sequence[str]) -> list[int]:
        told = self.asked("cat-file", "--batch-check", text="".join(f"{name}\n" for name in names)) if names else b""
        lines = told.decode("ascii", "replace").splitlines()
        if gone := next((line.split()[0] for line in lines if line.endswith(" missing")), None):
            raise NoRevision(f"git has no content of {gone}: a partial clone lacks it, `git fetch --refetch` gets it")
        return [int(line.split()[2]) for line in lines]

    def _beginning(self, name: str, length: int) -> bytes:
        with self._started("cat-file", "blob", name) as process:
            assert process.stdout is not None
            content = process.stdout.read(length)
            process.kill()
        return content

    def asked(self, *words: str, text: str = "") -> bytes:
        """What git answers.

        Raises:
            NoRevision: Where it refuses; with what it says.
        """
        done = self._done(*words, text=text)
        if done.returncode:
            raise NoRevision(f"git cannot read this revision: {_first_line(done.stderr)}; {FETCH}")
        return done.stdout

    def _done(self, *words: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
        process = self._started(*words)
        out, err = process.communicate(text.encode("ascii"))
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def _started(self, *words: str) -> subprocess.Popen[bytes]:
        unsteady()
        settings = [word for one in _SETTINGS for word in ("-c", one)]
        try:
            return subprocess.Popen(
                ["git", *_OPTIONS, *settings, *words],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=_around(),
            )  # fmt: skip
        except FileNotFoundError:
            raise NoRevision("`git` is not installed, or its folder is not there: a revision is read by it") from None

    def _why_not(self, ref: str) -> str:
        shown = ref[:80]
        if ref.startswith("-"):
            return f"`{shown}` is an option and no revision"
        if self.is_shallow:
            return f"no revision `{shown}` in this clone; {FETCH}"
        if self.commit_or_none("HEAD") is None:
            return f"no revision `{shown}`: nothing is committed yet"
        refs = self._done("for-each-ref", "--format=%(refname:short)").stdout.decode("utf-8", "replace").split()
        (help,) = did_you_mean(ref, refs) or [f"`git fetch origin {shown.removeprefix('origin/')}` may get it"]
        return f"no revision `{shown}` in this repository; {help}"


def _around() -> dict[str, str]:
    """The environment without what it says to git: in a hook that is another repository, or an index."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


def _why_none(folder: str, said: bytes) -> str:
    where = "the current folder" if folder == os.curdir else f"`{folder}`"
    if b"dubious ownership" in said:
        return f"git does not trust {where}, which another user owns: `git config --global --add safe.directory DIR`"
    if b"not a git repository" in said:
        return f"{where} is in no git repository, and a revision is read out of one"
    return f"git cannot read {where}: {_first_line(said)}"


def _first_line(said: bytes) -> str:
    return (said.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"])[0].removeprefix("fatal: ")
