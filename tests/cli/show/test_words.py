"""A figure for which plans have a word is shown by that word."""

import pytest
from known import LIBRARY

from runplan.cli.show.text.figures import figure
from runplan.dsl.units.dims import NONE

WORDED = {name: known.facts.given for name, known in LIBRARY.quantities().items() if known.facts.given is not None}


@pytest.mark.parametrize("name", [name for name, field in WORDED.items() if field.words])
def test_a_figure_with_a_word_is_shown_by_it(name: str) -> None:
    words = WORDED[name].words
    for value in dict.fromkeys(value for _, value in words):
        shown = figure(name, value, NONE, LIBRARY.quantities())
        assert dict(words)[shown] == value


def test_another_figure_is_shown_as_it_is() -> None:
    assert figure("copied_layers", 2.0, NONE, LIBRARY.quantities()) == "2"
