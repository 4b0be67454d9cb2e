"""The library is a value: what it answers is fixed when it is made, in whatever order it is asked."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from known import LIBRARY, known_of

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Pack
from runplan.dsl.packs.reader import PackReader
from runplan.dsl.packs.shelf import pack_files
from runplan.dsl.packs.standard import standard
from runplan.dsl.syntax.imports import syntax_of
from runplan.dsl.text.reader import Disk, Files
from runplan.dsl.text.source import Source

HEAD = 'objective CLM of text; counts total params; cites "x"'
PACK = f"""\
law ours extends chinchilla {{ constants {{ E = 1.5 nat/token }}; cites "us" }}
law wrong {{ {HEAD}; constants {{ E = 1 nat/token }}; loss(params N) = E * N }}
device x1 aliases X1 {{ peak bf16 400 TFLOP/s }}
override device H100 {{ peak bf16 500 TFLOP/s; memory 80 GB; power 700 W }}
rule ACME1 too-long warning {{ when times > 3 days; says "x" }}
"""
QUANTITIES = 'quantity fun in token "new"\nquantity loss in nat/token "mine"\n'

ASKED: dict[str, Callable[[Library], object]] = {
    "findings": lambda library: library.findings,
    "laws": lambda library: library.laws(),
    "law": lambda library: library.law("ours"),
    "rules": lambda library: library.rules(),
    "devices": lambda library: library.records("device"),
    "quantities": lambda library: list(library.quantities()),
    "vocabulary": lambda library: library.vocabulary(),
    "index": lambda library: dict(library.index("device")),
}


def with_packs() -> Library:
    return standard().with_files(
        pack_files(Files({"packs/a.plan": PACK, "packs/quantities.plan": QUANTITIES}), "packs", "packs", "pack")
    )


def own(text: str) -> Pack:
    file, findings = syntax_of(Source("p.plan", text))
    assert findings == []
    return PackReader(*known_of(LIBRARY)).pack(file.statements)


@pytest.mark.parametrize("seed", range(5))
def test_answers_do_not_depend_on_the_order_of_asking(seed: int) -> None:
    wanted = with_packs()
    asked = with_packs()
    order = list(ASKED)
    random.Random(seed).shuffle(order)
    answers = {name: ASKED[name](asked) for name in order}
    assert all(answers[name] == ASKED[name](wanted) for name in ASKED)
    assert {f.code for f in asked.findings} == {"U001", "N002", "N005"}


def test_what_was_read_stays(tmp_path: Path) -> None:
    (tmp_path / "a.plan").write_text(PACK, encoding="utf-8")
    library = LIBRARY.with_files(pack_files(Disk(tmp_path), "", "packs", "pack"))
    (tmp_path / "a.plan").write_text(PACK.replace("400", "800"), encoding="utf-8")
    device = library.record("device", "x1")
    assert device is not None and device.entries[0].span.text == "peak bf16 400 TFLOP/s"
    again = LIBRARY.with_files(pack_files(Disk(tmp_path), "", "packs", "pack")).record("device", "x1")
    assert again is not None and again.entries[0].span.text == "peak bf16 800 TFLOP/s"


def test_nothing_goes_from_one_library_to_another() -> None:
    base = standard()
    beside = base.with_files(pack_files(Files({"a.plan": PACK}), "", "packs", "pack"))
    brought = base.with_pack(own("device x2 { peak bf16 100 TFLOP/s }\n"))
    assert beside.law("ours") and brought.record("device", "x2")
    assert not beside.record("device", "x2") and not brought.law("ours")
    assert not base.law("ours") and not base.record("device", "x2") and not base.record("device", "x1")
    assert base.findings == brought.findings == () != beside.findings
    assert base.record("device", "H100") == LIBRARY.record("device", "H100") != beside.record("device", "H100")


def test_libraries_of_the_same_texts_are_equal() -> None:
    assert standard() == LIBRARY and with_packs() == with_packs() != LIBRARY
    assert LIBRARY.with_pack(Pack()) is LIBRARY and LIBRARY.with_files(()) is LIBRARY
    assert repr(with_packs()).startswith("<Library: ") and len(repr(with_packs())) < 80


def test_a_law_of_a_plan_that_overrides_reaches_what_extends_it() -> None:
    text = 'override law chinchilla.epoch extends chinchilla.epoch { constants { E = 3 nat/token }; cites "us" }\n'
    brought = LIBRARY.with_pack(own(text + 'law mine extends chinchilla { cites "us" }\n'))
    mine, theirs = brought.law("mine"), LIBRARY.law("chinchilla")
    assert mine and theirs and mine.constants["E"].value == 3 != theirs.constants["E"].value


def test_the_standard_library_is_sound() -> None:
    assert LIBRARY.audit() == ()


def test_a_mistake_in_the_standard_library_is_found_by_its_audit() -> None:
    texts = {"quantities.plan": "quantity params in param\nquantity loss in nat/token\n", "a.plan": PACK}
    library = Library(type(LIBRARY.shelf)(pack_files(Files(texts), "", "stdlib", "standard")))
    assert {"U001", "N002", "P001"} <= {f.code for f in library.audit()}
    assert [f.code for f in library.law_findings("wrong")] == ["U001"]


def test_a_pack_that_is_no_text_is_a_finding() -> None:
    library = LIBRARY.with_files(pack_files(Files({"packs/a.plan": b"\xff\xfe"}), "packs", "packs", "pack"))
    assert [(f.code, f.at.span.source.path) for f in library.findings] == [("S003", "packs/a.plan")]


def calls(run: Callable[[], object]) -> int:
    """How many of Python's functions something calls."""
    count = 0

    def seen(frame: object, event: str, of: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def test_what_is_asked_of_rules_grows_as_they_do() -> None:
    (rule,) = own(PACK).rules

    def asked(count: int) -> Callable[[], object]:
        spans = [replace(rule.span, start=i, end=i + 1) for i in range(count)]
        rules = tuple(replace(rule, code=f"ACME{i}", span=span) for i, span in enumerate(spans))
        library = LIBRARY.with_pack(Pack(rules=rules))

        def run() -> None:
            assert len(library.rules()) == len(LIBRARY.rules()) + count
            assert not library.is_asked_by_others({"no word"})

        return run

    asked(1)()
    none, few, many = (calls(asked(count)) for count in (1, 21, 201))
    assert many - none <= 11 * (few - none)
