"""Regular expressions that are compiled when they are first used: most runs use few of those that modules define.

The wheel has what `re` makes of many of them, which takes longer than all the matching of a check: `pattern_table.py`,
made by `runplan/make_patterns.py`. Another Python than that which made it compiles them as ever.
"""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from re import compile as pattern

    def mark() -> tuple[object, ...]:
        """What code is good for: a Python, its engine, and numbers of one size and order."""
        ...

    def restored(text: str, flags: int, code: bytes, *groups: object) -> re.Pattern[str]:
        """An expression of the code that was stored of it."""
        ...

    class uncompiled:
        """While it holds, what is imported has its expressions compiled when they are first used."""

        def __enter__(self) -> None: ...
        def __exit__(self, *raised: object) -> None: ...

else:
    import _sre

    _now = re.compile  # whatever `uncompiled` puts in its place

    def mark():
        """What code is good for: a Python, its engine, and numbers of one size and order."""
        return sys.implementation.cache_tag, _sre.MAGIC, _sre.CODESIZE, sys.byteorder

    try:
        from runplan.dsl.text.pattern_table import CODES, MARK
    except ImportError:  # as in an editable install
        CODES, MARK = {}, mark()
    if mark() != MARK:
        CODES = {}

    class pattern:
        """A compiled regular expression, as of `re.compile`, which it becomes when it is asked for anything."""

        def __init__(self, text, flags=0) -> None:
            self._text, self._flags = text, flags

        def __getattr__(self, name):
            found = self.__dict__[name] = getattr(_compiled(self._text, self._flags), name)
            return found

    def _compiled(text, flags):
        found = CODES.get((text, flags))
        if found is None:
            return _now(text, flags)
        return restored(text, *found)

    def restored(text, flags, code, *groups):
        """An expression of the code that was stored of it."""
        return _sre.compile(text, flags, memoryview(code).cast("I").tolist(), *groups)

    class uncompiled:
        """While it holds, what is imported has its expressions compiled when they are first used.

        PyYAML compiles ten as it is imported, two fifths of what that takes, and events need none of them. Where other
        threads run, whose expressions these are not, all are compiled as ever.
        """

        def __enter__(self):
            self._kept = re.compile
            if len(sys._current_frames()) == 1:
                re.compile = pattern

        def __exit__(self, *raised):
            re.compile = self._kept


__all__ = ["mark", "pattern", "restored", "uncompiled"]
