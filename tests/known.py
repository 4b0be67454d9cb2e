"""The standard library, read once for all tests of a process: it is a value, and no test can change it."""

from __future__ import annotations

from runplan.dsl.packs.library import standard

LIBRARY = standard()
