"""A command to the answer that it had before, where nothing has changed that the answer rests on.

An answer is all that a command said, and its exit code. It is kept with every look at the disk that it took to find it
out, and given again where each of these looks finds the same.
"""

from __future__ import annotations

import os
import sys
import time
from _blake2 import blake2b  # as hashlib has it, which loads OpenSSL first

from runplan.cli.stream import Record, say
from runplan.dsl.text import store
from runplan.dsl.text.disk import Witness, unchanged
from runplan.dsl.text.installation import installed

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The verbs whose answer is a function of the files that they look at, of what is installed and of the day.
VERBS = frozenset(("check",))
# What ran to its end: clean, found, undecided.
_ENDED = (0, 1, 4)
# What a text may look like hangs on these.
_LOOK = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS")
_OFF = "--no-cache"


def answered(verb: str, args: Sequence[str], run: Callable[[], int]) -> int:
    """The exit code of a command, which has said what it has to say: what it said before, or what it finds out."""
    if any(word.startswith("--n") and _OFF.startswith(word) for word in args):
        with store.Off():
            return run()
    if verb not in VERBS or store.folder() is None or any(_is_endless(word) for word in args):
        return run()
    name = _name_of(verb, args)
    stored = store.kept(name)
    if stored is not None:
        seen, said, code = stored
        if unchanged(seen):
            try:
                say(said)
            except Exception as error:
                from runplan.cli.arguments import refused

                return refused(verb, args, error)
            return int(code)
    with Record() as record, Witness() as witness:
        code = run()
    if witness.steady and code in _ENDED:
        store.keep(name, (tuple(witness.seen.items()), tuple(record.said), code))
    return code


def _is_endless(word: str) -> bool:
    """Whether an option has a command go on until it is interrupted: then it has no answer."""
    return len(word) > 3 and "--watch".startswith(word)


def _name_of(verb: str, args: Sequence[str]) -> str:
    """The name of a command's answer: it changes with all that its answer rests on, but for what it looks at."""
    around = [os.environ.get(name) for name in _LOOK]
    key = (verb, *args), os.getcwd(), around, _terminal(), time.localtime()[:3], installed()
    return f"{blake2b(ascii(key).encode(), digest_size=16).hexdigest()}.answer"


def _terminal() -> tuple[int, ...]:
    """The columns and lines of the terminal that standard output is; none where it is no terminal."""
    if not sys.stdout.isatty():
        return ()
    try:
        return tuple(os.get_terminal_size(sys.stdout.fileno()))
    except (OSError, ValueError):
        return (0,)
