"""Regular expressions that are compiled when they are first used: most runs use few of those that modules define."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from re import compile as pattern
else:

    class pattern:
        """A compiled regular expression, as of `re.compile`, which it becomes when it is asked for anything."""

        def __init__(self, text, flags=0) -> None:
            self._text, self._flags = text, flags

        def __getattr__(self, name):
            found = self.__dict__[name] = getattr(re.compile(self._text, self._flags), name)
            return found


__all__ = ["pattern"]
