"""A regular expression that is compiled when it is first used is the one that `re` compiles."""

from __future__ import annotations

import re

import pytest

from runplan.dsl.text.pattern import pattern


def test_it_is_compiled_once_and_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    plain = re.compile

    def compile(text: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(text)
        return plain(text, flags)

    monkeypatch.setattr(re, "compile", compile)
    word = pattern(r"(?P<first>\w)\w*", re.ASCII)
    assert compiled == []
    found = word.match("héllo")
    assert found is not None and found["first"] == "h" and found.end() == 1
    assert word.sub("-", "one two") == "- -" and word.groups == 1 and word.pattern == compiled[0]
    assert word.match("again")
    assert len(compiled) == 4, "once for each thing that is asked for"
