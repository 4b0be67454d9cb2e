"""Where names are defined, where else they are meant, and what they can be renamed to: in one file and over imports."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import CURSOR, Open, one

from runplan.editor.definition import references, target
from runplan.editor.rename import CannotRename, applied, renamable, renamed

PLAN = """\
import common.plan as c
let budget = 3M USD
data web: 10T tokens
data code: 1T tokens
stage pre { hardware: 8 x H100 for 3 months @ c.rent; tokens: 1T }
stage fine { hardware: 8 x mine for 3 months @ c.rent; tokens: ?; require cost <= budget }
phase a: 50% constant mix web 60%, code 40%
phase b: rest linear
require pre.cost + fine.cost <= budget and tokens.web >= 1T tokens
require fine.cost <= budget
device mine { peak bf16 500 TFLOP/s }
"""
YAML = """\
import: common.plan as c
let:
  budget: 3M USD
data: {web: 10T tokens, code: 1T tokens}
stages:
  pre: {hardware: 8 x H100 for 3 months @ c.rent, tokens: 1T}
  fine: {hardware: "8 x H100 for 3 months @ c.rent", tokens: unknown, require: cost <= budget}
schedule:
  a: 50% constant mix web 60%, code 40%
  b: rest linear
require:
  - pre.cost + fine.cost <= budget and tokens.web >= 1T tokens
  - fine.cost <= budget
"""
COMMON = "let rent = hour_price\nlet hour_price = 2 USD/GPU/hour\n"
OTHER = "import common.plan\nhardware: 8 x H100 for 3 months @ rent\n"
FILES = {"common.plan": COMMON, "other.plan": OTHER}


def at(text: str, word: str, nth: int = 0) -> str:
    """The text with the cursor in an occurrence of a word."""
    place = -1
    for _ in range(nth + 1):
        place = text.index(word, place + 1)
    return text[: place + 1] + CURSOR + text[place + 1 :]


def plan(folder: Path, word: str, nth: int = 0, *, yaml: bool = False) -> Open:
    name, text = ("a.plan.yaml", YAML) if yaml else ("a.plan", PLAN)
    return Open(folder, {name: at(text, word, nth), **FILES})


def places(there: Open) -> list[str]:
    """The lines that mean what is at the cursor, as FILE:LINE:COLUMN."""
    found = target(there.document(), there.at)
    assert found is not None
    uses = references(there.workspace, there.document(), found[1])
    return [f"{one.name}:{use.span.line}:{use.span.column}" for one, use in uses]


@pytest.mark.parametrize("yaml", [False, True])
@pytest.mark.parametrize(
    ("word", "nth", "file", "text"),
    [
        ("budget", 1, "", "budget"),
        ("web", 1, "", "web"),
        ("web", 2, "", "web"),
        ("fine.cost", 0, "", "fine"),
        ("c.rent", 0, "", "c"),
        ("rent", 0, "common.plan", "rent"),
        ("common", 0, "common.plan", ""),
        ("H100", 0, "stdlib/devices/h100-sxm.plan", "h100-sxm"),
        ("linear", 0, "stdlib/schedules/wsd.plan", "linear"),
    ],
)
def test_a_name_leads_to_where_it_is_defined(
    tmp_path: Path, yaml: bool, word: str, nth: int, file: str, text: str
) -> None:
    there = plan(tmp_path, word, nth, yaml=yaml)
    found = target(there.document(), there.at)
    assert found is not None
    span = found[1].span
    assert (span.source.path, span.text) == (file or there.name, text) or word == "linear"
    shown = there.workspace.file_of(span.source, there.document())
    assert shown is not None and span.source.text == Path(shown).read_text(encoding="utf-8")


def test_a_definition_of_the_plan_itself(tmp_path: Path) -> None:
    assert places(plan(tmp_path, "mine")) == ["a.plan:6:28", "a.plan:11:8"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("budget", ["a.plan:2:5", "a.plan:6:83", "a.plan:9:33", "a.plan:10:22"]),
        ("web", ["a.plan:3:6", "a.plan:7:27", "a.plan:9:51"]),
        ("fine", ["a.plan:6:7", "a.plan:9:20", "a.plan:10:9"]),
        ("rent", ["a.plan:5:47", "a.plan:6:48", "common.plan:1:5", "other.plan:2:35"]),
    ],
)
def test_every_place_that_means_the_same(tmp_path: Path, word: str, expected: list[str]) -> None:
    assert places(plan(tmp_path, word)) == expected


def test_yaml_has_the_same_places_as_the_dsl(tmp_path: Path) -> None:
    for word in ("budget", "web", "code", "fine", "pre"):
        for yaml in (False, True):
            (tmp_path / f"{word}{yaml}").mkdir()
        plain, mapped = (places(plan(tmp_path / f"{word}{yaml}", word, yaml=yaml)) for yaml in (False, True))
        assert len(plain) == len(mapped) > 1


def changed(there: Open, name: str) -> dict[str, str]:
    """The texts after a rename, by file."""
    files: dict[str, list[object]] = {}
    for change in renamed(there.document(), there.workspace, there.at, name):
        files.setdefault(change.path, []).append(change)
    return {Path(path).name: applied(changes) for path, changes in files.items()}  # type: ignore[arg-type]


@pytest.mark.parametrize("yaml", [False, True])
@pytest.mark.parametrize("word", ["budget", "web", "code", "pre", "fine", "a", "b"])
def test_what_a_plan_names_can_be_renamed(tmp_path: Path, word: str, yaml: bool) -> None:
    short = {"a": f"{'  ' if yaml else 'phase '}a: 50%", "b": f"{'  ' if yaml else 'phase '}b: rest"}
    there = plan(tmp_path, short.get(word, word), yaml=yaml)
    there.at += (1 if yaml else 5) if word in short else 0
    count = len(places(there))
    after = changed(there, "renamed_2")[there.name]
    there.edit(there.name, after)
    there.at = after.index("renamed_2")
    assert len(places(there)) == count == after.count("renamed_2")
    assert [f.message for f in there.document().faults] == []


def test_a_rename_reaches_every_file_that_means_it(tmp_path: Path) -> None:
    after = changed(plan(tmp_path, "rent"), "price_2")
    assert after["common.plan"] == "let price_2 = hour_price\nlet hour_price = 2 USD/GPU/hour\n"
    assert after["other.plan"] == "import common.plan\nhardware: 8 x H100 for 3 months @ price_2\n"
    assert after["a.plan"].count("c.price_2") == 2 and "rent" not in after["a.plan"]


def test_an_import_gets_another_name(tmp_path: Path) -> None:
    after = changed(plan(tmp_path, "c.rent"), "shared")["a.plan"]
    assert after.startswith("import common.plan as shared\n") and after.count("shared.rent") == 2


def test_a_name_in_quotes_keeps_them(tmp_path: Path) -> None:
    there = one(tmp_path, 'data "we▮b": 1T tokens\nphase a: rest constant mix "web" 100%\n')
    assert changed(there, "net")["a.plan"] == 'data "net": 1T tokens\nphase a: rest constant mix "net" 100%\n'


@pytest.mark.parametrize(
    ("word", "name", "why"),
    [
        ("budget", "2x", "no name"),
        ("budget", "a b", "no name"),
        ("budget", "", "no name"),
        ("budget", "for", "word of the language"),
        ("budget", "cost", "quantity"),
        ("budget", "tokens.web", "quantity"),
        ("web", "code", "twice"),
        ("fine", "pre", "twice"),
        ("rent", "hour_price", "by itself"),
        ("H100", "mine2", "keeps its name"),
        ("cost", "price", "keeps its name"),
        ("10T", "x", "no name here"),
    ],
)
def test_a_name_that_will_not_do_is_refused(tmp_path: Path, word: str, name: str, why: str) -> None:
    there = plan(tmp_path, word)
    with pytest.raises(CannotRename, match=why):
        renamed(there.document(), there.workspace, there.at, name)


def test_a_name_that_clashes_in_another_file_is_refused(tmp_path: Path) -> None:
    there = Open(
        tmp_path,
        {
            "common.plan": "let re▮nt = 2 USD/GPU/hour\n",
            "b.plan": "import common.plan\nlet other = 3 USD/GPU/hour\nhardware: 8 x H100 for 3 months @ other\n",
        },
    )
    with pytest.raises(CannotRename, match="by an import"):
        renamed(there.document(), there.workspace, there.at, "other")


def test_a_word_that_would_be_caught_by_the_new_name_keeps_it_from_that(tmp_path: Path) -> None:
    there = one(tmp_path, "let bu▮dget = 3 USD\ncompute: 1e22 FLOP\nrequire cost <= limit\n")
    with pytest.raises(CannotRename, match="something else"):
        renamed(there.document(), there.workspace, there.at, "limit")


def test_what_can_be_renamed_is_told(tmp_path: Path) -> None:
    there = plan(tmp_path, "fine.cost")
    span, name = renamable(there.document(), there.workspace, there.at)
    assert (span.text, name) == ("fine", "fine")
    there = plan(tmp_path, "rent")
    span, name = renamable(there.document(), there.workspace, there.at)
    assert (span.text, name) == ("rent", "rent")


LAW = """\
law mine {
  objective CLM
  counts total params
  constants { E = 1.8; A = 400 }
  let part = A / 2
  loss(params N, tokens D) in nat/token = E + part / N^0.3
  cites "nobody"
}
compute: 1e22 FLOP
use laws mine
"""


def test_the_letters_of_a_law_are_its_own(tmp_path: Path) -> None:
    there = one(tmp_path, at(LAW, "N,"))
    there.at -= 1
    assert places(there) == ["a.plan:6:15", "a.plan:6:54"]
    there = one(tmp_path, at(LAW, "part"))
    assert places(there) == ["a.plan:5:7", "a.plan:6:47"]
    assert "let half = A / 2" in changed(there, "half")["a.plan"]
    there = one(tmp_path, at(LAW, "mine", 1))
    assert places(there) == ["a.plan:1:5", "a.plan:10:10"]


PACK = """\
device newchip { peak bf16 500 TFLOP/s; memory 80 GB }
rule ZZ001 my-rule warning {
  when cost > 1 USD
  says "{cost}"
  breaks { hardware: 8 x newchip for 30 days @ 2 USD/GPU/hour }
  keeps { model: 1B }
  cites "nobody"
}
"""
USER = "hardware: 8 x newchip for 30 days @ 2 USD/GPU/hour  # ignore[ZZ001] cheap\n"


@pytest.mark.parametrize("first", ["a.plan", "pack/chips.plan"])
def test_what_a_pack_defines_is_renamed_in_it_and_in_every_plan(tmp_path: Path, first: str) -> None:
    files = {"a.plan": USER, "pack/chips.plan": PACK}
    for word, name in (("newchip", "chip2"), ("ZZ001", "ZZ002")):
        (tmp_path / word).mkdir()
        ordered = {first: at(files[first], word), **{other: text for other, text in files.items() if other != first}}
        there = Open(tmp_path / word, ordered)
        (tmp_path / word / "runplan.toml").write_text('packs = ["pack"]\n', encoding="utf-8")
        after = changed(there, name)
        assert after == {"a.plan": USER.replace(word, name), "chips.plan": PACK.replace(word, name)}


def test_a_code_in_an_ignore_leads_to_its_rule(tmp_path: Path) -> None:
    there = one(tmp_path, "hardware: 8 x H100 for 30 days  # ignore[H0▮04, B001] why not\n")
    found = target(there.document(), there.at)
    assert found is not None and found[1].span.source.path.startswith("stdlib/rules/") and found[1].name == "H004"
