"""What trainers write, and other forms of files, into the same table."""

from __future__ import annotations

import json
import sys
from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from known import LIBRARY
from pyarrow import parquet

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Files
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.read import read_runs
from runplan.engine.fit.table import RunTable

RUNS = Asked(needs=("params", "tokens", "loss"))
LOG = Asked(needs=("steps", "loss"), prefer={"loss": ("loss", "train_loss")}, log=True)


def read(path: str, content: str | bytes, asked: Asked) -> tuple[RunTable | None, tuple[Finding, ...]]:
    return read_runs(path, Files({path: content}), LIBRARY, asked)


MEGATRON = """\
 > finished creating GPT datasets ...
 [2024-05-01 10:11:12] iteration      100/  500000 | consumed samples:        25600 | consumed tokens:     52428800 | \
elapsed time per iteration (ms): 1234.5 | learning rate: 1.000000E-04 | global batch size:   256 | \
lm loss: 3.200000E+00 | loss scale: 1.0 | grad norm: 0.523 | number of nan iterations:   0 |
 validation loss at iteration 100 | lm loss value: 2.9E+00 | lm loss PPL: 1.8E+01 |
 [2024-05-01 10:13:12] iteration      200/  500000 | consumed samples:        51200 | consumed tokens:    104857600 | \
elapsed time per iteration (ms): 1,234.5 | learning rate: 1.000000E-04 | global batch size:   256 | \
lm loss: 3.100000E+00 | loss scale: 1.0 | grad norm: 0.523 | number of nan iterations:   0 |
"""
TORCHTITAN = """\
[rank0]:[titan] 2024-08-08 10:00:00,123 - root - INFO - \x1b[31mstep: 100  \x1b[32mloss:  3.2000  \x1b[33m\
memory: 50.1GiB(60.2%)  tps: 1,234  tflops: 400.1  mfu: 42.35%\x1b[39m
[rank0]:[titan] 2024-08-08 10:02:00,123 - root - INFO - step: 200  loss:  3.1000  memory: 50.1GiB(60.2%)  mfu: 42.35%
"""
NANOTRON = """\
08/08/2024 10:00:00 [INFO|DP=0|PP=0|TP=0|node]: iteration: 100 / 500000 | consumed_tokens: 0.0524G | \
elapsed_time_per_iteration_ms: 4.81K | tokens_per_sec: 109K | global_batch_size: 524K | lm_loss: 3.2 | lr: 0.0001
08/08/2024 10:00:00 [INFO|DP=0|PP=0|TP=0|node]: iteration: 200 / 500000 | consumed_tokens: 0.105G | \
elapsed_time_per_iteration_ms: 950 | tokens_per_sec: 109K | global_batch_size: 524K | lm_loss: 3.1 | lr: 0.0001
"""
LITGPT = """\
Epoch 1 | iter 400 step 100 | loss train: 3.2, val: n/a | iter time: 250.1 ms (step) remaining time: 1:02:03
Epoch 1 | iter 800 step 200 | loss train: 3.1, val: n/a | iter time: 250.1 ms (step) remaining time: 1:02:03
"""
NANOGPT = """\
number of parameters: 124.37M
step 0: train loss 10.9, val loss 10.95
iter 100: loss 3.2, time 12000.5ms, mfu -100.00%
iter 200: loss 3.1, time 120.5ms, mfu 30.11%
"""
LLM_C = """\
step  100/19560 | loss 3.2 (+nanz)| norm 15.3 (+nanz)| lr 8.57e-07 | 3056.36 ms | 42.6% bf16 MFU | 171545 tok/s
step  200/19560 | loss 3.1 (+nanz)| norm 15.3 (+nanz)| lr 1.71e-06 | 3031.36 ms | 42.6% bf16 MFU | 172955 tok/s
"""
OLMO = """\
2024-11-19T05:01:21.123\tnode0:0\tolmo.train:1\tINFO\t[step=100/19560,epoch=0]
    optim/total_grad_norm=0.52
    train/CrossEntropyLoss=3.200
    train/Perplexity=24.53
    throughput/total_tokens=52,428,800
2024-11-19T05:03:21.123\tnode0:0\tolmo.train:1\tINFO\t[step=200/19560,epoch=0]
    optim/total_grad_norm=0.52
    train/CrossEntropyLoss=3.100
    train/Perplexity=22.20
    throughput/total_tokens=104,857,600
"""
PRINTED = """\
{'loss': 3.2, 'grad_norm': 1.0, 'learning_rate': 5e-05, 'epoch': 0.1, 'step': 100}
{'loss': 3.1, 'grad_norm': 1.0, 'learning_rate': 5e-05, 'epoch': 0.2, 'step': 200}
"""
HISTORY = [{"loss": 3.2, "step": 100}, {"eval_loss": 3.0, "step": 100}, {"loss": 3.1, "step": 200, "epoch": 0.2}]
WANDB = '"Step","run-7 - train/loss","run-7 - train/loss__MIN","run-7 - train/loss__MAX"\n'
WANDB += '"100","3.2","3.2","3.2"\n"200","3.1","3.1","3.1"\n'


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("log.txt", MEGATRON),
        ("titan.log", TORCHTITAN),
        ("nanotron.log", NANOTRON),
        ("litgpt.log", LITGPT),
        ("nanogpt.out", NANOGPT),
        ("main.log", LLM_C),
        ("olmo.log", OLMO),
        ("slurm-1.out", PRINTED),
        ("trainer_state.json", json.dumps({"max_steps": 300, "log_history": HISTORY}, indent=2)),
        ("wandb.csv", WANDB),
        ("metrics.jsonl", '{"step": 100, "train": {"loss": 3.2}}\n{"step": 200, "train": {"loss": 3.1}}\n'),
        ("log.csv", "step,tokens,loss,learning_rate,seconds\n100,1e6,3.2,1e-4,1\n200,2e6,3.1,1e-4,2\n"),
    ],
)
def test_logs_of_trainers_tell_the_same(path: str, text: str) -> None:
    table, findings = read(path, text, LOG)
    assert table is not None, findings
    assert list(table.values("steps")) == [100, 200]
    assert list(table.values("loss")) == [3.2, 3.1]
    assert not [found for found in findings if found.severity != "info"]


def test_what_a_log_tells_beside_the_loss() -> None:
    table, _ = read("log.txt", MEGATRON, LOG)
    assert table is not None and table.lines == (2, 4)
    assert list(table.values("tokens")) == [52428800, 104857600]
    assert list(table.values("step_time")) == pytest.approx([1.2345, 1.2345])
    assert np.diff(table.values("clock")) == [120]
    assert list(table.values("samples")) == [25600, 51200]


def test_a_letter_behind_a_number_multiplies_whatever_a_log_tells() -> None:
    table, _ = read("nanotron.log", NANOTRON, LOG)
    assert table is not None
    assert list(table.values("step_time")) == pytest.approx([4.81, 0.95])
    assert list(table.values("tokens")) == pytest.approx([52.4e6, 105e6])


@pytest.mark.parametrize(
    "text",
    [
        '[{"N": 1e9, "D": 2e10, "loss": 2.5},\n {"N": "2B", "D": "40B tokens", "loss": 2.4}]',
        '{"runs": [{"N": 1e9, "D": 2e10, "loss": 2.5},\n {"N": "2B", "D": "40B", "loss": 2.4}]}',
        '{"N": [1e9, 2e9], "D": [2e10, 4e10], "loss": [2.5, 2.4]}',
        '{"N": {"0": 1e9, "1": 2e9}, "D": {"0": 2e10, "1": 4e10}, "loss": {"0": 2.5, "1": 2.4}}',
        '{"a": {"N": 1e9, "D": 2e10, "loss": 2.5}, "b": {"N": 2e9, "D": 4e10, "loss": 2.4}}',
        '{"N": 1e9, "D": 2e10, "loss": 2.5}\n\n{"N": 2e9, "D": 4e10, "loss": 2.4, "note": null}\n',
    ],
)
def test_json_of_runs(text: str) -> None:
    table, _ = read("runs.json", text, RUNS)
    assert table is not None
    assert [list(table.values(name)) for name in RUNS.needs] == [[1e9, 2e9], [2e10, 4e10], [2.5, 2.4]]


def test_a_line_that_was_cut_off_is_named() -> None:
    table, findings = read("log.jsonl", '{"step":1,"loss":3.2}\n{"step":2,"loss":NaN}\n{"step":3,"lo', LOG)
    assert table is not None and len(table) == 1
    assert [(f.code, f.at.span.line) for f in findings] == [("F010", 2), ("F006", 3)]


@pytest.mark.parametrize("text", ['[{"N": 1e9,\n "D"', "{}", "[]"])
def test_what_is_no_whole_json_is_said(text: str) -> None:
    table, findings = read("runs.json", text, RUNS)
    assert table is None and [found.code for found in findings] == ["F013"]


def parquet_of(columns: dict[str, object], unit: str = "") -> bytes:
    table = pa.table(columns)
    if unit:
        field = table.schema.field(0).with_metadata({"unit": unit})
        table = table.cast(pa.schema([field, *list(table.schema)[1:]]))
    out = BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def test_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet_of({"N": [1.0, None], "D": [2 * 10**10, 5], "loss": [2.5, 2.4]}, "B")
    table, findings = read("runs.parquet", content, RUNS)
    assert table is not None and list(table.values("params")) == [1e9] and list(table.values("tokens")) == [2e10]
    assert [found.code for found in findings if found.severity == "warning"] == ["F006"]
    assert [found.code for found in read("runs.parquet", content[:-20], RUNS)[1]] == ["F013"]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install 'runplan[parquet]'" in read("runs.parquet", content, RUNS)[1][0].message


def test_a_file_is_read_up_to_a_limit_and_never_cut_in_silence() -> None:
    content = "N,D,loss\n" + "1e9,2e10,2.5\n" * 40_000
    assert [found.code for found in read("runs.dat", content, RUNS)[1]] == ["S004"]
    table, _ = read("runs.csv", content, RUNS)
    assert table is not None and len(table) == 1  # the same row again and again
