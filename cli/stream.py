"""What a command says to where it says it: standard output, standard error or a file; and a record of it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

# A text, and the path of the file that it went to; of the two streams a name that is no path.
OUT, ERR = "", "\0"
Said = tuple[str, str]

_records: list[Record] = []
# Whether somebody reads standard output, as far as it was tried.
_is_read = True


class Record:
    """All that is said from when it is entered until it is left."""

    __slots__ = ("said",)

    def __init__(self) -> None:
        self.said: list[Said] = []

    def __enter__(self) -> Self:
        _records.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _records.remove(self)


def write(text: str, file: str | None = None) -> None:
    """Write a text that ends with its line; on standard output, in the characters that its encoding has.

    Raises:
        CannotRun: Where the file cannot be written.
    """
    say([(text, file or OUT)])


def write_new(files: Mapping[str, str]) -> None:
    """Write texts to files that are not there yet, by path, their folders made; all of them or none.

    Raises:
        CannotRun: Where one of them is there already, or cannot be written.
    """
    from runplan.cli.outcome import CannotRun

    there = [file for file in files if os.path.lexists(file)]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise CannotRun(f"{there[0]}{more}: it is there already, and nothing is overwritten")
    for file, text in files.items():
        try:
            os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
        except OSError as error:
            raise CannotRun(f"{os.path.dirname(file)}: {error.strerror or 'cannot be made'}") from error
        _to_file(text, file)


def listen() -> None:
    """Take it that standard output is read, as where a command begins."""
    global _is_read
    _is_read = True


def say_no_more() -> None:
    """Let standard output take all that is said from now on, also at exit, and show it to nobody."""
    global _is_read
    _is_read = False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush() -> None:
    """Have standard output say what it was told; a reader that has enough is no failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        say_no_more()


def is_read() -> bool:
    """Whether somebody reads standard output, as far as it was tried."""
    return _is_read


def tell(line: str) -> None:
    """Write a line to standard error."""
    say([(f"{line}\n", ERR)])


def say(said: Iterable[Said]) -> None:
    """Write texts to where they go.

    A reader of standard output that has enough, such as `head`, keeps nothing from being found out, nor from files.

    Raises:
        CannotRun: Where a file cannot be written.
    """
    for text, where in said:
        for record in _records:
            record.said.append((text, where))
        if where == OUT:
            try:
                sys.stdout.write(_spelled(text))
            except BrokenPipeError:
                say_no_more()
        elif where == ERR:
            sys.stderr.write(text)
        else:
            _to_file(text, where)


def _spelled(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        from runplan.cli.spelling import spelled

        return spelled(text, encoding)
    return text


def _to_file(text: str, file: str) -> None:
    try:
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        from runplan.cli.outcome import CannotRun

        raise CannotRun(f"{file}: {error.strerror or 'cannot be written'}") from error
