"""The image of the standard library is equal to its files in everything that is asked of it, places included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from known import LIBRARY, known_of

from runplan.dsl.packs.image import MARK, Image
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.make_image import image_of
from runplan.dsl.packs.plain import stored
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.packs.shelf import PackFile, pack_files
from runplan.dsl.packs.standard import from_files, from_image
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.reader import Files
from runplan.dsl.text.source import Source, Span

FILES = from_files()
DATA = image_of(FILES)
KINDS = ("law", "rule", "schedule", "device", "mfu", "model", "price", "region", "run", "shape", "defaults")
PACK = """\
law ours extends chinchilla { constants { E = 1.5 nat/token }; cites "us" }
device x1 aliases X1 { peak bf16 400 TFLOP/s }
override device H100 { peak bf16 500 TFLOP/s; memory 80 GB; power 700 W }
rule ACME1 too-long warning { when times > 3 days; says "x" }
override rule H002 implausible-mfu warning { when mfu > 30%; says "{mfu%} is much"; blames mfu }
"""
QUANTITIES = 'quantity fun in token "new"\nquantity loss in nat/token "mine"\n'
FIELD = 'quantity hue in param "new" { field hardware hue "3 params"; pools sum; decided run }\n'


def told(library: Library) -> Iterator[object]:
    """All that a library says of itself, with the place of everything in it."""
    for kind in KINDS:
        for name, header in library.index(kind).items():
            yield kind, name, header.name, header.aliases, header.override, place(header.span), header.layer
            if kind not in ("law", "rule", "schedule"):
                yield stored(library.record(kind, name))
            if kind == "schedule":
                yield stored(library.schedule(name))
    for law in library.laws():
        yield stored(law), place(law.span), [place(f.span) for f in law.functions]
    for rule in library.rules():
        yield stored(rule), place(rule.span)
    yield sorted(library.rule_names())
    yield from (stored(quantity) for quantity in library.quantities().values())
    known = library.vocabulary()
    yield known.quantities, known.devices, known.laws, known.schedules, known.parts, known.fields, known.models


def place(span: Span) -> tuple[str, int, int, str]:
    return span.source.path, span.start, span.end, span.text


def packs(**files: str) -> tuple[PackFile, ...]:
    texts = {f"packs/{name}.plan": text for name, text in files.items()}
    return pack_files(Files(texts), "packs", "packs", "pack")


def test_the_image_says_what_the_files_do() -> None:
    assert list(told(from_image(DATA))) == list(told(FILES))


def test_each_text_has_all_its_definitions() -> None:
    library = from_image(DATA)
    for pictured, read in zip(library.shelf.sources, FILES.shelf.sources, strict=True):
        assert pictured == read
        one, other = library.shelf.read(pictured), FILES.shelf.read(read)
        assert [stored(d) for d in (*one.pack.records, *one.pack.rules, *one.pack.schedules, *one.pack.quantities)] == [
            stored(d) for d in (*other.pack.records, *other.pack.rules, *other.pack.schedules, *other.pack.quantities)
        ]
        assert one.pack.laws == other.pack.laws and one.findings == other.findings


@pytest.mark.parametrize(
    "brought",
    [packs(a=PACK, quantities=QUANTITIES), packs(quantities=FIELD)],
    ids=["overriding", "a field"],
)
def test_packs_beside_it_change_the_same(brought: tuple[PackFile, ...]) -> None:
    by_image, by_files = from_image(DATA).with_files(brought), FILES.with_files(brought)
    assert [str(f) for f in by_image.findings] == [str(f) for f in by_files.findings]
    assert list(told(by_image)) == list(told(by_files))


def test_a_law_that_a_plan_overrides_reaches_what_extends_it() -> None:
    text = 'override law chinchilla.epoch extends chinchilla.epoch { constants { E = 3 nat/token }; cites "us" }\n'
    file, findings = syntax_of(Source("p.plan", text))
    assert findings == []
    own = PackReader(*known_of(LIBRARY)).pack(file.statements)
    by_image, by_files = (library.with_pack(own) for library in (from_image(DATA), FILES))
    assert [stored(law) for law in by_image.laws()] == [stored(law) for law in by_files.laws()]
    law = by_image.law("chinchilla")
    assert law and law.constants["E"].value == 3


def test_what_is_hidden_is_so_in_the_image() -> None:
    hidden = ("GPT-3", "h100-sxm")
    by_image, by_files = (
        library.without("run", hidden).without("device", hidden) for library in (from_image(DATA), FILES)
    )
    assert list(told(by_image)) == list(told(by_files))


def test_no_text_is_read_before_it_is_asked_for() -> None:
    asked: list[str] = []

    def text(path: str) -> str:
        asked.append(path)
        return "abc"

    library = Library(type(FILES.shelf)((), Image(DATA, "stdlib", text)))
    library.vocabulary(), library.laws(), library.rules(), library.quantities(), library.records("device")
    assert asked == [] == list(library.findings)
    device = library.record("device", "H100")
    assert device and device.span.line == 1 and asked == ["devices/h100-sxm.plan"]


@pytest.mark.parametrize("data", [b"", MARK, b"x" + DATA[1:], DATA[:-1], DATA + b"x"], ids=len)
def test_what_is_no_whole_image_of_this_version_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="image"):
        from_image(data)


# ---- rules that are passed over unread


def test_some_rules_need_much_and_none_is_lost() -> None:
    everything = frozenset(word for rule in LIBRARY.rules() for word in rule.needs)
    assert LIBRARY.rules_over(everything) == LIBRARY.rules()
    assert LIBRARY.rules_over(frozenset()) == tuple(rule for rule in LIBRARY.rules() if not rule.needs)


def test_no_text_of_the_library_has_a_mistake() -> None:
    found = [(source.path, one.message) for source in FILES.shelf.sources for one in FILES.shelf.read(source).findings]
    assert not found


def test_two_bounds_of_a_field_stand_side_by_side() -> None:
    given = FILES.quantities()["frozen_bits"].facts.given
    assert given is not None and (given.least, given.most) == (2.0, 32.0)
