"""No text, and no place in it, keeps an editor from being answered; and nothing is written for it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from editing import Open
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import broken

from runplan.editor.completion import completion
from runplan.editor.definition import references, target
from runplan.editor.document import Document
from runplan.editor.hover import hover
from runplan.editor.layout import layout
from runplan.editor.outline import Symbol, folds, outline
from runplan.editor.places import ENCODINGS, Places
from runplan.editor.rename import CannotRename, renamed
from runplan.editor.tokens import tokens

LAW = """\
law mine {
  objective CLM
  constants { E = 1.8 }
  loss(params N) in nat/token = E / N
}
device d { memory 8 GB }
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Open:
    return Open(tmp_path_factory.mktemp("texts"), {"a.plan": "", "a.plan.yaml": "", "b.plan": "let n = 3\n"})


def everything(there: Open, document: Document, offset: int) -> None:
    """Ask all that can be asked of a place, and hold the answers to what an editor relies on."""
    text = document.source.text
    hover(document, offset)
    assert completion(document, offset).start <= offset
    found = target(document, offset)
    if found is not None:
        assert all(use.span.text for one, use in references(there.workspace, document, found[1], within=(document,)))
    for symbol in outline(document):
        _inside(symbol, len(text))
    assert all(fold.first < fold.last for fold in folds(document))
    found_tokens = tokens(document)
    assert all(0 <= token.start < token.end <= len(text) for token in found_tokens)
    layout(document)
    for encoding in ENCODINGS:
        places = Places(text, encoding)
        for finding in document.faults:
            places.position(finding.at.span.start)


def _inside(symbol: Symbol, length: int) -> None:
    assert 0 <= symbol.span.start <= symbol.at.start <= symbol.at.end <= symbol.span.end <= length
    for inner in symbol.inside:
        _inside(inner, length)


@pytest.mark.parametrize("spelling", ["plan", "yaml"])
@settings(max_examples=30)
@given(data=st.data())
def test_every_text_is_answered(there: Open, spelling: str, data: st.DataObject) -> None:
    text = data.draw(broken(spelling))
    if spelling == "plan":
        text = data.draw(st.sampled_from(["", LAW, "import b.plan as c\n"])) + text
    name = f"a.{spelling}" if spelling == "plan" else "a.plan.yaml"
    there.edit(name, text)
    document = there.document(name)
    for _ in range(3):
        everything(there, document, data.draw(st.integers(0, len(document.source.text))))


@settings(max_examples=15)
@given(data=st.data())
def test_every_rename_is_done_or_refused(there: Open, data: st.DataObject) -> None:
    there.edit("a.plan", data.draw(broken("plan")))
    document = there.document("a.plan")
    named = [use for use in document.uses if use.names]
    if named:
        use = data.draw(st.sampled_from(named))
        with suppress(CannotRename):
            renamed(document, there.workspace, use.span.start, data.draw(st.sampled_from(["q", "web", "n", "2"])))


@pytest.mark.parametrize("name", ["a.plan", "a.plan.yaml"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "\r", "\ufeff", "\ufeffmodel: 7B", "a\rb", "\x00", "\ud800", "{" * 300, '"', "#", "# ignore["),
        *("model: 7B\r\n", "\t\tmodel: 7B", "a: &x 1\nb: *x", "stages:\n", "? x", "- ", "let", "import ", "x" * 9999),
    ],
)
def test_odd_texts(there: Open, name: str, text: str) -> None:
    there.edit(name, text)
    document = there.document(name)
    for offset in {0, len(document.source.text) // 2, len(document.source.text)}:
        everything(there, document, offset)


def test_nothing_is_written(tmp_path: Path, there: Open) -> None:
    before = sorted(path.relative_to(there.folder) for path in there.folder.rglob("*"))
    assert [str(path) for path in before] == ["a.plan", "a.plan.yaml", "b.plan", "runplan.toml"]
