"""A check that is made again whenever something changes that it rests on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from runplan.cli.arguments import refused
from runplan.cli.stream import flush, is_read, tell, write
from runplan.dsl.text.disk import Witness, stamps, unchanged
from runplan.dsl.text.words import counted

# Seconds between two looks.
PAUSE = 0.3
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def watched(check: Callable[[], int], argv: Sequence[str], pause: Callable[[float], None] = time.sleep) -> int:
    """Check, and check again whenever anything is another that was looked at, until it is interrupted.

    It is not ended by what cannot run, such as a configuration that is half written: that is said, and looked at again.

    Returns:
        0 where it is interrupted, which is how one ends it, or where nobody reads any more what it says.
    """
    try:
        while is_read():
            if sys.stdout.isatty():
                write(_CLEAR)
            with Witness() as witness:
                try:
                    check()
                except Exception as error:
                    refused("check", argv, error)
            files = len({path for look, path in witness.seen if look == "file_content"})
            tell(f"plan check: watching {counted(files, 'file')}; Ctrl-C ends it")
            flush()
            _wait(witness, pause)
    except KeyboardInterrupt:
        pass
    return 0


def _wait(witness: Witness, pause: Callable[[float], None]) -> None:
    """Wait until something is another than it was seen to be: a look at its date comes before one at what it has."""
    known, today = None, time.localtime()[:3]
    while time.localtime()[:3] == today:
        now = stamps(witness.seen)
        if now != known and not unchanged(witness.seen.items()):
            return
        known = now
        pause(PAUSE)
