"""Offsets and an editor's places are each other's inverse, in every encoding and with every line end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runplan.editor.places import BOM, ENCODINGS, Encoding, Places

texts = st.text(st.sampled_from("aé漢🙂\u2028\x85\x0b\x0c\t \ufeff\ud800") | st.sampled_from("\n\r"), max_size=30)
CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
WIDTH = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


@given(texts, st.sampled_from(ENCODINGS))
def test_every_offset_has_a_place_that_leads_back(text: str, encoding: Encoding) -> None:
    text = text.lstrip(BOM)
    places = Places(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":  # no place is inside a line end
            assert places.offset(*places.position(offset)) == offset


@given(texts, st.sampled_from(ENCODINGS))
def test_a_column_counts_units_of_the_encoding(text: str, encoding: Encoding) -> None:
    line = text.replace("\n", "").replace("\r", "")
    places = Places(line.lstrip(BOM), encoding)
    units = len(line.lstrip(BOM).encode(CODECS[encoding], "surrogatepass")) // WIDTH[encoding]
    assert places.position(len(line)) == (0, units)


@given(texts, st.sampled_from(ENCODINGS), st.integers(-2, 40), st.integers(-2, 40))
def test_no_place_is_out_of_the_text(text: str, encoding: Encoding, line: int, column: int) -> None:
    assert 0 <= Places(text, encoding).offset(line, column) <= len(text)


@pytest.mark.parametrize(
    ("encoding", "columns"), [("utf-16", (0, 2, 3, 4, 5)), ("utf-8", (0, 4, 5, 7, 10)), ("utf-32", (0, 1, 2, 3, 4))]
)
def test_columns_beyond_ascii(encoding: Encoding, columns: tuple[int, ...]) -> None:
    places = Places("x\r🙂aé漢\rz", encoding)
    assert [places.position(2 + i) for i in range(5)] == [(1, column) for column in columns]
    assert places.position(7) == (2, 0)


def test_a_place_inside_a_character_is_before_it() -> None:
    assert Places("a🙂b", "utf-16").offset(0, 2) == 1
    assert Places("a🙂b", "utf-8").offset(0, 4) == 1


def test_only_three_things_end_a_line() -> None:
    assert Places("a\u2028b\x85c\x0bd\x0ce", "utf-16").end == (0, 9)
    assert Places("a\nb\r\nc\rd", "utf-16").end == (3, 1)


def test_a_byte_order_mark_is_in_no_source() -> None:
    places = Places(f"{BOM}model: 7B\nx", "utf-16")
    assert places.position(0) == (0, 1) and places.offset(0, 0) == places.offset(0, 1) == 0
    assert places.position(10) == (1, 0) and places.offset(1, 1) == 11
