"""What all tests share: the standard library, read once, where the program would read its files anew for each plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from known import LIBRARY

from runplan.cli import answers
from runplan.dsl.packs import installed
from runplan.engine import pipeline

# The same examples each time, so that a run tells of the change and not of its luck; `--hypothesis-profile=search`
# looks for others. How long one takes on a shared machine tells nothing of the change either.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", print_blob=True, deadline=None)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def _one_library() -> Iterator[None]:
    """The library is a value: that it is the same one changes no answer. `tests/dsl/test_library.py` reads it anew."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (installed, pipeline):
            patch.setattr(module, "standard", lambda: LIBRARY)
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read of what the user's commands have kept, and none of it makes way for what tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _nothing_kept() -> Iterator[None]:
    """A command is run each time that a test runs it. `tests/cli/test_kept_answers.py` has them given again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "VERBS", frozenset())
        yield
