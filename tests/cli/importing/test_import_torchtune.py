"""`plan import-config` of the YAML of torchtune's recipes, recipes/configs/ of 0.6.1."""

from __future__ import annotations

from pathlib import Path

import pytest
from imports import holds, imported
from known import LIBRARY

from runplan.cli.importing.torchtune import _MODELS
from runplan.cli.main import main

# llama3_1/8B_qlora_single_device.yaml, and qwen2_5/0.5B_full.yaml with what a step is of.
ADAPTED = """\
output_dir: /tmp/torchtune/llama3_1_8B/qlora
tokenizer: {_component_: torchtune.models.llama3.llama3_tokenizer, max_seq_len: 8192}
model:
  _component_: torchtune.models.llama3_1.qlora_llama3_1_8b
  lora_attn_modules: ['q_proj', 'v_proj', 'output_proj']
  apply_lora_to_mlp: True
  lora_rank: 8
  lora_alpha: 16
batch_size: 2
optimizer: {_component_: torch.optim.AdamW, fused: True, weight_decay: 0.05, lr: 3e-4}
lr_scheduler: {_component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup, num_warmup_steps: 100}
metric_logger: {log_dir: "${output_dir}/logs"}
epochs: 1
max_steps_per_epoch: null
gradient_accumulation_steps: 8
dtype: bf16
enable_activation_checkpointing: True
"""
FULL = """\
tokenizer: {_component_: torchtune.models.qwen2_5.qwen2_5_tokenizer, max_seq_len: null}
model: {_component_: torchtune.models.qwen2_5.qwen2_5_1_5b_instruct}
batch_size: 4
optimizer: {_component_: bitsandbytes.optim.PagedAdamW8bit, lr: 2e-5}
epochs: 3
max_steps_per_epoch: 500
clip_grad_norm: 1.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    return tmp_path


def test_adapters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("qlora.yaml", ADAPTED, capsys, "--data", "50M tokens", "--devices", "2")
    holds(report, {
        "params": 8_030_261_248, "tokens": 50e6, "batch": 2 * 16 * 8192, "learning_rate": 3e-4, "weight_decay": 0.05,
        "beta2": 0.999, "lora": 8, "steps@warmup": 100, "learning_rate.end@decay": 0,
    })  # fmt: skip
    assert "frozen_bits: 4" in plan and "lora_on: all" in plan and "recompute full" in plan
    assert 'start: checkpoint "llama-3.1-8b"' in plan and 'log_dir: "/tmp/torchtune/llama3_1_8B/qlora/logs"' in plan


def test_a_step_whose_sequences_no_file_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "full.yaml").write_text(FULL, encoding="utf-8")
    assert main(["import-config", "full.yaml"]) == 0
    assert "warning[E004] no file says how long a sequence of training is: 2048 tokens" in capsys.readouterr().err
    plan, report = imported("full.yaml", FULL, capsys, "--sequence", "1024")
    holds(report, {"params": 1_543_714_304, "steps": 1500, "batch": 4 * 1024, "clip": 1, "learning_rate": 2e-5})
    assert "optimizer: PagedAdamW8bit" in plan and "is assumed" not in plan


def test_its_models_are_of_the_library() -> None:
    known = {name.lower() for record in LIBRARY.records("model") for name in (record.name, *record.aliases)}
    assert not set(_MODELS.values()) - known


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("qlora_llama3_1_8b", "llama3_2_vision_11b", "its shape is not known by that name"),
        ("optimizer:", "quantizer:", "trains nothing"),
        ("optimizer:", "loss: {_component_: torchtune.rlhf.loss.DPOLoss}\noptimizer:", "this on pairs or on another"),
        ("get_cosine_schedule_with_warmup", "get_exponential", "has no shape in a plan"),
        ("num_warmup_steps", "num_cycles: 3, num_warmup_steps", "has no shape in a plan"),
        ("lr: 3e-4", "lr: fast", "`optimizer.lr` is `fast`"),
    ],
)
def test_what_has_no_place_is_refused(
    old: str, new: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "x.yaml").write_text(ADAPTED.replace(old, new), encoding="utf-8")
    assert main(["import-config", "x.yaml"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == ""
