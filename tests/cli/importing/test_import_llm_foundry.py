"""`plan import-config` of the YAML of llm-foundry: settings of its repository, scripts/train/yamls/."""

from __future__ import annotations

from pathlib import Path

import pytest
from imports import holds, imported

from runplan.cli.main import main

# pretrain/mpt-7b.yaml, in another size where a test says so.
MPT = """\
data_remote:
max_seq_len: 2048
model:
  name: mpt_causal_lm
  d_model: 4096
  n_heads: 32
  n_layers: 32
  expansion_ratio: 4
  max_seq_len: ${max_seq_len}
  vocab_size: 50368
  attn_config:
    attn_impl: triton
tokenizer: {name: EleutherAI/gpt-neox-20b}
train_loader: {name: text, dataset: {remote: "${data_remote}", max_seq_len: "${max_seq_len}"}}
scheduler: {name: cosine_with_warmup, t_warmup: 100ba, alpha_f: 0.1}
optimizer: {name: decoupled_adamw, lr: 1.2e-4, betas: [0.9, 0.95], eps: 1.0e-08, weight_decay: 0.0}
algorithms: {gradient_clipping: {clipping_type: norm, clipping_threshold: 1.0}}
max_duration: 63900ba  # ~ 134B tokens
global_train_batch_size: 1024
device_train_microbatch_size: 8
precision: amp_bf16
fsdp_config: {sharding_strategy: FULL_SHARD, activation_checkpointing: true}
"""
# b200-yamls/llama-405b-peft-8192.yaml
ADAPTED = """\
max_seq_len: 8192
model:
  name: hf_causal_lm
  pretrained: false
  pretrained_model_name_or_path: meta-llama/Meta-Llama-3.1-405B-Instruct
  peft_config: {r: 64, peft_type: LORA, lora_alpha: 32, target_modules: [q_proj, k_proj, v_proj, o_proj]}
train_loader: {name: text}
scheduler: {name: cosine_with_warmup, alpha_f: 0, t_warmup: 0.02dur}
optimizer: {name: decoupled_lionw, lr: 1.0e-06, betas: [0.9, 0.95], weight_decay: 1.0e-06}
max_duration: 50ba
global_train_batch_size: 64
device_train_microbatch_size: auto
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    return tmp_path


def test_mpt_7b(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("mpt-7b.yaml", MPT, capsys, "--hardware", "256 x A100 for 100 days")
    holds(report, {
        "params": 6_658_859_008, "steps": 63_900, "batch": 1024 * 2048, "learning_rate": 1.2e-4, "beta2": 0.95,
        "weight_decay": 0, "clip": 1, "steps@warmup": 100, "learning_rate.end@decay": 1.2e-5, "micro_batch": 8,
    })  # fmt: skip
    assert "recompute full" in plan and "train_loader.dataset.remote: null" in plan


@pytest.mark.parametrize(
    ("sizes", "params"),
    [  # scripts/train/benchmarking/README.md, its last column
        ({"max_seq_len: 2048": "max_seq_len: 32768"}, 6_784_688_128),
        ({"d_model: 4096": "d_model: 2560", "n_heads: 32": "n_heads: 20"}, 2_651_837_440),
        ({"d_model: 4096": "d_model: 5120", "n_heads: 32": "n_heads: 40", "n_layers: 32": "n_layers: 40"},
         12_853_954_560),
    ],
)  # fmt: skip
def test_sizes_of_mpt(sizes: dict[str, str], params: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = MPT
    for old, new in sizes.items():
        text = text.replace(old, new)
    _, report = imported("mpt.yaml", text, capsys)
    holds(report, {"params": params})


def test_alibi_without_biases_has_no_positions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """MPT-7B itself, of its own config: 6 649 286 656 params, as its card says 6.7B."""
    text = MPT.replace("attn_impl: triton", "alibi: true").replace("expansion_ratio: 4", "no_bias: true")
    _, report = imported("mpt.yaml", text.replace("50368", "50432"), capsys)
    holds(report, {"params": 6_649_286_656})


def test_adapters_and_times_in_shares(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("llama.yaml", ADAPTED, capsys)
    holds(report, {"params": 405_853_388_800, "steps": 50, "steps@warmup": 1, "lora": 64, "batch": 64 * 8192})
    holds(report, {"weight_decay": 1, "learning_rate.end@decay": 0})
    assert "optimizer: Lion" in plan and "lora_on: attention" in plan
    assert "decoupled_lionw shrinks weights by 1e-06" in plan and "micro_batch" not in plan
    text = ADAPTED.replace("50ba", "2ep")
    plan, report = imported("llama.yaml", text, capsys, "--data", "1B tokens")
    holds(report, {"tokens": 2e9, "steps@warmup": 0.02 * 2e9 / 64 / 8192})
    assert 'start: checkpoint "Meta-Llama-3.1-405B-Instruct"' in plan


@pytest.mark.parametrize(("said", "tokens"), [("1e9tok", 1e9), ("4096sp", 4096 * 2048), ("10ba", 10 * 1024 * 2048)])
def test_lengths(said: str, tokens: float, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = imported("mpt.yaml", MPT.replace("63900ba", said).replace("100ba", "2ba"), capsys)
    holds(report, {"tokens": tokens, "steps@warmup": 2})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: mpt_causal_lm", "name: mosaic_gpt", "`model.name: mosaic_gpt`"),
        ("name: mpt_causal_lm", "name: hf_t5", "`model.name: hf_t5`"),
        ("63900ba", "soon", "`soon` is no time"),
        ("100ba", "many", "`scheduler.t_warmup`: `many` is no time"),
        ("cosine_with_warmup", "inv_sqrt_with_warmup", "has no shape in a plan"),
        ("attn_impl: triton", "attn_impl: flash\n  ffn_config: {ffn_type: mb_dmoe}", "`ffn_config.ffn_type: mb_dmoe`"),
        ("expansion_ratio: 4", "block_overrides: {order: [a]}", "its layers are not alike"),
        ("global_train_batch_size: 1024", "", "`global_train_batch_size` is not there"),
    ],
)
def test_what_has_no_place_is_refused(
    old: str, new: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "x.yaml").write_text(MPT.replace(old, new), encoding="utf-8")
    assert main(["import-config", "x.yaml"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == ""
