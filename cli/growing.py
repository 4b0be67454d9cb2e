"""Results that come bit by bit into the files that they are for, so that a run that is interrupted can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic
from types import MappingProxyType

from runplan.cli.outcome import CannotRun
from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import IO, Any

# A file that is not whole has a name of its own: what others read under its own name is all there.
PART, MADE, JOURNAL = ".part", ".made", ".journal"
SCHEMA = "plan.journal/v1"
# Seconds of work that are lost where a machine loses its power.
APART = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """How far files have grown.

    Attributes:
        point: The first point that they do not have.
        sizes: Of each, in bytes.
        kept: What else is to be known to go on from there, as JSON has it.
    """

    point: int
    sizes: tuple[int, ...]
    kept: Any = None


class Growing:
    """Files that grow together."""

    def __init__(self, streams: Sequence[IO[bytes]], journal: str, key: Callable[[], str], state: State) -> None:
        self.state = state
        self._streams, self._journal, self._key = tuple(streams), journal, key
        self._saved = monotonic()

    def add(self, texts: Sequence[bytes], point: int, kept: Any = None) -> None:
        """What all points up to one add to each file.

        Raises:
            CannotRun: Where it cannot be written.
        """
        for stream, text in zip(self._streams, texts, strict=True):
            with _writing(stream.name):
                stream.write(text)
        # All at once: who is interrupted before it has what was before, and what is written beyond that is cut off.
        sizes = tuple(size + len(text) for size, text in zip(self.state.sizes, texts, strict=True))
        self.state = State(point, sizes, kept)
        if monotonic() - self._saved >= APART:
            self.save()

    def rewrite(self, heads: Sequence[bytes]) -> None:
        """Replace what each file begins with by as many bytes, where only the end shows which these are."""
        for stream, head in zip(self._streams, heads, strict=True):
            with _writing(stream.name):
                stream.seek(0)
                stream.write(head)
                stream.seek(0, os.SEEK_END)

    def flush(self) -> None:
        """Hand all that was added to the system."""
        for stream in self._streams:
            with _writing(stream.name):
                stream.flush()

    def save(self) -> None:
        """Have on the disk what there is: the files, and then the journal that tells of them."""
        self.flush()
        for stream in self._streams:
            with _writing(stream.name):
                os.fsync(stream.fileno())
        state = self.state
        told = {"schema": SCHEMA, "key": self._key(), "point": state.point, "sizes": state.sizes, "kept": state.kept}
        with _writing(self._journal):
            with open(self._journal + PART, "wb") as stream:
                stream.write(json.dumps(told).encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(self._journal + PART, self._journal)
        self._saved = monotonic()


@contextmanager
def growing(
    paths: Sequence[str],
    heads: Sequence[bytes],
    key: Callable[[], str],
    *,
    resume: bool,
    made: Mapping[str, Callable[[str, str], None]] = MappingProxyType({}),
) -> Iterator[Growing]:
    """Files to add to. They have their names once the context ends well; until then a run can go on with them.

    Args:
        paths: At least one.
        heads: What each begins with, before any point.
        key: Tells what their contents follow from; a run goes on only with what has the same.
        resume: Go on where a run was interrupted, and from the beginning where none was.
        made: What makes the file of a path, at the second, of the one that has grown for it, at the first; that itself
            unless said.

    Raises:
        CannotRun: Where they cannot be written, or are of a run with another key.
    """
    for path in paths:
        if os.path.exists(path) and not os.path.isfile(path):  # a device would be put out of its place
            raise CannotRun(f"{path} is no file that can be written anew: name one, or none for standard output")
    journal = paths[0] + JOURNAL
    left = _left(journal, paths, key()) if resume else None
    state = left or State(0, (0,) * len(paths))
    with ExitStack() as stack:
        opened = map(_opened, paths, state.sizes)
        streams = [stack.enter_context(stream) for stream in opened]
        files = Growing(streams, journal, key, state)
        if left is None:
            files.add(heads, 0)
        try:
            yield files
        except BaseException:
            files.save()
            raise
        files.flush()
    for path in paths:
        with _writing(path):
            if path in made:
                made[path](path + PART, path + MADE)
                os.replace(path + MADE, path)
                os.unlink(path + PART)
            else:
                os.replace(path + PART, path)
    with suppress(FileNotFoundError):  # there is none of a run that took no time
        os.unlink(journal)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or 'cannot be written'}") from error


def _opened(path: str, size: int) -> IO[bytes]:
    """The file in which a file grows, cut to its first bytes, to write after them."""
    path += PART
    with _writing(path):
        stream = open(path, "r+b" if size else "wb")  # noqa: SIM115
        stream.truncate(size)
        stream.seek(size)
        return stream


def _left(journal: str, paths: Sequence[str], key: str) -> State | None:
    """What an interrupted run left; None where none was.

    Raises:
        CannotRun: Where it was of another key, or its files are not as it left them.
    """
    anew = "delete it, or run without `--resume`"
    try:
        with open(journal, encoding="utf-8") as stream:
            told = json.load(stream)
        state = State(told["point"], tuple(told["sizes"]), told["kept"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotRun(f"{journal}: cannot be read; {anew}") from error
    if (told.get("schema"), told.get("key"), len(state.sizes)) != (SCHEMA, key, len(paths)):
        raise CannotRun(f"{journal} is of another run, or of another version of what decides it; {anew}")
    for path, size in zip(paths, state.sizes, strict=True):
        if not os.path.exists(path + PART) or os.path.getsize(path + PART) < size:
            raise CannotRun(f"{path}{PART} is not as the interrupted run left it; {anew}")
    return state
