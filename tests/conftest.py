"""What all tests share: the standard library, read once, where the program would read its files anew for each plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from known import LIBRARY

from runplan.dsl.packs import installed
from runplan.engine import pipeline


@pytest.fixture(scope="session", autouse=True)
def _one_library() -> Iterator[None]:
    """The library is a value: that it is the same one changes no answer. `tests/dsl/test_library.py` reads it anew."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (installed, pipeline):
            patch.setattr(module, "standard", lambda: LIBRARY)
        yield
