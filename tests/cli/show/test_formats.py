"""The table of formats: every name has its function, what a verb offers is what it gives, and nothing stands beside."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import runplan
from runplan.cli.main import main
from runplan.cli.show.findings.content import Checked
from runplan.cli.show.formats import FORMATS, WITHOUT_HELP, Kind, offered, rendered
from runplan.dsl.text.finding import at_rest

ROOT = Path(__file__).resolve().parents[3]
SHOW = Path(inspect.getfile(rendered)).parent
NAMED = [(kind, name) for kind, formats in FORMATS.items() for name in formats]
# A verb, with what it needs, and the kinds of report that it may show.
VERBS: list[tuple[list[str], tuple[Kind, ...]]] = [
    (["check", "small.plan"], ("findings",)),
    (["solve", "small.plan"], ("report",)),
    (["compare", "small.plan", "--laws", "chinchilla,llama3"], ("comparison",)),
    (["diff", "small.plan", "small.plan"], ("differences",)),
    (["frontier", "small.plan", "cost", "loss"], ("frontier",)),
    (["explain", "small.plan", "cost"], ("derivation",)),
    (["backtest", "phi-4"], ("backtest",)),
    (["law"], ("laws", "law", "law at inputs")),
    (["device"], ("records", "record")),
    (["model"], ("records", "record")),
    (["rule"], ("rules", "rule")),
    (["test", "ours.plan"], ("tests",)),
    (["config"], ("settings",)),
]
PACK = """\
law ours "A law of ours" {
  objective CLM of text
  counts total params
  constants { a = 2 }
  loss(params N) = a * N
  cites "a test" evidence derived
  golden "ours.a" at params = 3 gives loss = 6
}
"""


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.plan").write_text("hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\n", "utf-8")
    (tmp_path / "ours.plan").write_text(PACK, "utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", offered("findings"))
def test_a_format_shows_help_or_none_is_worked_out_for_it(name: str) -> None:
    text = "hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour\nrequire cost <= 10k USD\n"
    found = runplan.Project(runplan.Files({"a.plan": text})).check("a.plan")
    with_help, without = (
        rendered("findings", name, Checked.of(at_rest(found, help=help), 1)) for help in (True, False)
    )
    assert (with_help == without) == (name in WITHOUT_HELP)


def function_of(kind: Kind, name: str) -> object:
    module, _, function = FORMATS[kind][name].partition(":")
    return getattr(import_module(f"runplan.cli.show.{module}"), function)


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_a_format_has_its_function(kind: Kind, name: str) -> None:
    """All formats of a kind take the same: what is shown, and how it may look."""
    signature, first = (inspect.signature(function_of(kind, n)) for n in (name, offered(kind)[0]))  # type: ignore[arg-type]
    subject, look = signature.parameters.values()
    assert subject.annotation == next(iter(first.parameters.values())).annotation
    assert (look.name, look.annotation, signature.return_annotation) == ("look", "Look", "str")


def test_no_function_shows_two_formats() -> None:
    assert len({FORMATS[kind][name] for kind, name in NAMED}) == len(NAMED)


def test_no_renderer_is_left_out() -> None:
    """A module with a `render` that the table does not name would be a format that nobody can ask for."""
    named = {place.partition(":")[0] for formats in FORMATS.values() for place in formats.values()}
    modules = {
        path.relative_to(SHOW).with_suffix("").as_posix().replace("/", ".")
        for path in SHOW.rglob("*.py")
        if "\ndef render(" in path.read_text(encoding="utf-8")
    }
    assert modules <= named


@pytest.mark.parametrize(("argv", "kinds"), VERBS, ids=lambda value: value[0])
def test_a_verb_offers_the_formats_of_what_it_shows(
    argv: list[str], kinds: tuple[Kind, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    names = offered(kinds[0])
    assert [offered(kind) for kind in kinds] == [names] * len(kinds), "whatever it shows, they are the same"
    assert main([argv[0], "--help"]) == 0
    assert f"{', '.join(names)}; {names[0]} unless said" in " ".join(capsys.readouterr().out.split())
    assert main([*argv, "-o", "fax"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"plan {argv[0]}: unknown format `fax`; it is one of {', '.join(names)}\n")
    said = {}
    for name in names:
        assert main([*argv, "-o", name]) == 0
        said[name] = capsys.readouterr().out
    assert len(set(said.values())) == len(names), "no format stands for another"
    assert main(argv) == 0
    assert capsys.readouterr().out == said[names[0]]


@pytest.mark.parametrize(("argv", "kinds"), VERBS, ids=lambda value: value[0])
def test_the_document_names_the_formats_of_a_verb(argv: list[str], kinds: tuple[Kind, ...]) -> None:
    document = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = re.split(rf"^## plan {argv[0]}$", document, flags=re.MULTILINE)[1].partition("\n## ")[0]
    row = re.search(r"^\| `-o FMT\[=FILE\]` \| (.*) \|$", section, re.MULTILINE)
    assert row is not None
    assert tuple(re.findall(r"`(\w+)`", row[1])) == offered(kinds[0])
    assert row[1].startswith(f"`{offered(kinds[0])[0]}` (default)")


def test_every_kind_is_shown_by_a_verb() -> None:
    # Of a sweep all but the table are files that grow: tests/cli/verbs/test_sweep_verb.py. What reads runs has tests of
    # its formats beside its files: tests/cli/test_schemas.py and those of each verb.
    apart = {"sweep", "fit", "fits", "ladder", "track"}
    assert {kind for _, kinds in VERBS for kind in kinds} | apart == set(FORMATS)


def test_a_format_that_there_is_not_is_never_another_one() -> None:
    with pytest.raises(KeyError):
        rendered("findings", "fax", None)
