"""A regular expression that is compiled when it is first used is the one that `re` compiles."""

from __future__ import annotations

import re
import subprocess
import sys
import threading

import pytest

from runplan.dsl.text.pattern import pattern, uncompiled


def test_it_is_compiled_once_and_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    plain = re.compile

    def compile(text: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(text)
        return plain(text, flags)

    monkeypatch.setattr("runplan.dsl.text.pattern._now", compile)
    word = pattern(r"(?P<first>\w)\w*", re.ASCII)
    assert compiled == []
    found = word.match("héllo")
    assert found is not None and found["first"] == "h" and found.end() == 1
    assert word.sub("-", "one two") == "- -" and word.groups == 1 and word.pattern == compiled[0]
    assert word.match("again")
    assert len(compiled) == 4, "once for each thing that is asked for"


READ = """
import datetime, re, yaml
text = "[2026-11-29, 2026-11-29T10:00:00Z, 1.5e+3, .inf, 0x1f, 0b11, 1_000, yes, Off, ~, null, 'no', 12:30]"
print(yaml.safe_load(text), yaml.dump(yaml.safe_load(text)), isinstance(re.compile("a"), re.Pattern))
try:
    yaml.load("a\\x07b", Loader=yaml.SafeLoader)
except yaml.YAMLError as error:
    print(error)
"""


def test_what_is_imported_meanwhile_reads_as_ever() -> None:
    within = "from runplan.dsl.text.pattern import uncompiled\nwith uncompiled():\n    import yaml\n"
    found = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for code in (READ, within + READ)
    ]
    assert found[0].stdout == found[1].stdout != "" and [one.stderr for one in found] == ["", ""]


def test_what_other_threads_compile_is_compiled() -> None:
    waits = threading.Event()
    other = threading.Thread(target=waits.wait)
    other.start()
    try:
        with uncompiled():
            assert isinstance(re.compile("a"), re.Pattern)
    finally:
        waits.set()
        other.join()
    assert isinstance(re.compile("b"), re.Pattern)
