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


PATTERNS = st.lists(st.sampled_from(("0", "1", "2", "[12]", "3*", '"2"')), min_size=1, max_size=2).map("|".join)
SUBJECTS = st.sampled_from(("$TP", '"${SIZE}"', "x$((TP+1))"))
SETS = st.builds("{}={}".format, st.sampled_from(NAMES), FIGURES)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """Lines that set variables, and branches with such lines in them."""
    lines = list[str]()
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("if", "case", "one line", "sets"))) if depth else "sets"
        if kind == "if":
            lines += [f"if {draw(JOINED)}; then", *draw(blocks(depth - 1))]
            if draw(st.booleans()):
                lines += [f"elif {draw(JOINED)}", "then", *draw(blocks(depth - 1))]
            if draw(st.booleans()):
                lines += ["else", *draw(blocks(depth - 1))]
            lines += ["fi"]
        elif kind == "case":
            lines += [f"case {draw(SUBJECTS)} in"]
            for pattern in (*draw(st.lists(PATTERNS, max_size=3)), *draw(st.sampled_from(((), ("*",), ("x*",))))):
                if draw(st.booleans()):
                    lines += [f"  {pattern}) {draw(SETS)}; {draw(SETS)};;"]
                else:
                    lines += [f"({pattern})", *draw(blocks(depth - 1)), ";;"]
            lines += ["esac"]
        elif kind == "one line":
            lines += [f"if {draw(JOINED)}; then {draw(SETS)}; else {draw(SETS)}; fi"]
        else:
            lines += [draw(st.sampled_from(("{}", "export {}", "{}; SIZE=$TP", "{} SIZE=2", "{}"))).format(draw(SETS))]
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


def test_the_case_of_a_size_that_a_script_has_as_its_default() -> None:
    """Of a launch script with a table of sizes, of which its arguments would choose another."""
    script = """\
MODEL_SIZE=8b
while [ $# -gt 0 ]; do
  case $1 in
    -m|--model) MODEL_SIZE=$2; shift;;
    (*) break;;
  esac
  shift
done
case $MODEL_SIZE in
    350m)
        NUM_LAYERS=24; HIDDEN=1024; HEADS=16
        ;;
    8b | 8B)
        NUM_LAYERS=32; HIDDEN=4096;  HEADS=32; KV_HEADS=8
        MBS=2
        ;;
    *)
        echo "Unknown model size: $MODEL_SIZE. Choose: 350m, 8b"
        exit 1
        ;;
esac
cat > job.sbatch <<EOF
it's a job
EOF
[[ -n "$MBS_OVERRIDE" ]] && MBS="$MBS_OVERRIDE"
CUDA_DEVICE_MAX_CONNECTIONS=1 torchrun pretrain_gpt.py --num-layers $NUM_LAYERS --hidden-size ${HIDDEN} \\
    --num-query-groups $KV_HEADS --micro-batch-size $MBS
"""
    found = arguments_of(script)
    assert (found["num_layers"], found["hidden_size"], found["num_query_groups"], found["micro_batch_size"]) == (
        32, 4096, 8, 2,
    )  # fmt: skip
    assert AGAIN not in found
    unknown = arguments_of(script.replace("MODEL_SIZE=8b\n", "MODEL_SIZE=$1\n"))
    assert unknown["num_layers"] == 32 and unknown[AGAIN] == {"$NUM_LAYERS": [24, 32], "$HIDDEN": [1024, 4096]}
