"""Of a script the branches are read that a shell would run, and all of those that it alone could tell."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.cli.importing.shell import AGAIN, arguments_of

NAMES, FIGURES = ("TP", "SIZE"), st.integers(0, 3)
TESTS = st.builds(
    "{} {} {} {}".format,
    st.sampled_from(("[", "[[")),
    st.sampled_from(("$TP", '"$SIZE"', "${TP}", "$(($TP+1))")),
    st.sampled_from(("==", "!=", "-eq", "-ne", "-gt", "-ge", "-lt", "-le")),
    FIGURES,
).map(lambda test: f"{test} {']' * test.count('[')}") | st.sampled_from(("[ -n $TP ]", '[ -z "$SIZE" ]'))
JOINED = st.lists(TESTS, min_size=1, max_size=2).flatmap(lambda two: st.sampled_from((" || ", " && ")).map(
    lambda sign: sign.join(two)
))  # fmt: skip


@st.composite
def blocks(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """Lines that set a variable, and branches with such lines in them."""
    lines = list[str]()
    for _ in range(draw(st.integers(1, 3))):
        if depth and draw(st.booleans()):
            lines += [f"if {draw(JOINED)}; then", *draw(blocks(depth - 1))]
            if draw(st.booleans()):
                lines += [f"elif {draw(JOINED)}", "then", *draw(blocks(depth - 1))]
            if draw(st.booleans()):
                lines += ["else", *draw(blocks(depth - 1))]
            lines += ["fi"]
        else:
            lines += [f"{draw(st.sampled_from(NAMES))}={draw(FIGURES)}"]
    return lines


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@settings(max_examples=25, deadline=None)
@given(blocks())
def test_variables_have_the_values_that_a_shell_gives_them(lines: list[str]) -> None:
    script = "\n".join(["TP=1", "SIZE=2", *lines, ""])
    told = subprocess.run(["bash", "-c", f"{script}echo $TP $SIZE"], capture_output=True, text=True, check=True).stdout
    found = arguments_of(f"{script}train.py --tp $TP --size $SIZE\n")
    assert [found["tp"], found["size"]] == [int(word) for word in told.split()]
    assert AGAIN not in found or all(name not in str(found[AGAIN]) for name in ("tp", "size"))


def test_the_size_that_a_script_has_as_its_default_is_the_one_that_is_read() -> None:
    script = """\
MODEL_SIZE="${MODEL_SIZE:-8}"
TP="${TP:-4}"
GPUS=`nvidia-smi -L | wc -l`
if [[ $MODEL_SIZE -eq 8 ]]; then # of the herd
    HEADS=32
    GROUPS_OF=8
elif [[ $MODEL_SIZE -eq 70 ]]; then
    HEADS=64
fi
if [ "$FSDP" -eq 1 ]; then
    TP=1
fi
EACH=$(( ${HEADS} / ${GROUPS_OF} ))
ARGS="--heads $HEADS --groups $(( ${HEADS} / ${EACH} )) --pp $((64/GROUPS_OF)) --tp $TP --gpus $GPUS --$PRECISION"
"""
    found = arguments_of(script)
    assert (found["heads"], found["groups"], found["pp"], found["gpus"]) == (32, 8, 8, "$GPUS")
    assert found[AGAIN] == {"$TP": [4, 1]} and found["$PRECISION"] is True  # nothing here tells what FSDP is
