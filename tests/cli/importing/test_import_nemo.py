"""`plan import-config` of NeMo's YAML: settings of its repository, examples/nlp/language_modeling/conf/."""

from __future__ import annotations

from pathlib import Path

import pytest
from imports import holds, imported

from runplan.cli.main import main

# megatron_gpt_config.yaml, whose learning rate lies on its floor for the last half of the run.
GPT = """\
name: megatron_gpt
trainer: {devices: 8, num_nodes: 2, precision: bf16-mixed, max_epochs: 1000, max_steps: 100000, gradient_clip_val: 1.0}
model:
  micro_batch_size: 4
  global_batch_size: 256
  rampup_batch_size: null
  tensor_model_parallel_size: 1
  pipeline_model_parallel_size: 1
  encoder_seq_length: 512
  max_position_embeddings: ${.encoder_seq_length}
  num_layers: 12
  hidden_size: 768
  ffn_hidden_size: ${multiply:4, ${.hidden_size}}
  num_attention_heads: 12
  kv_channels: null
  make_vocab_size_divisible_by: 128
  tokenizer: {library: megatron, type: GPT2BPETokenizer}
  activations_checkpoint_granularity: selective
  data: {seq_length: "${model.encoder_seq_length}"}
  optim:
    name: fused_adam
    lr: 2e-4
    weight_decay: 0.01
    betas: [0.9, 0.98]
    sched: {name: CosineAnnealing, warmup_steps: 500, constant_steps: 50000, min_lr: 2e-5}
"""
# What megatron_llama_config.yaml has otherwise.
LLAMA = {
    "type: GPT2BPETokenizer": "model: tokenizer.model",
    "  kv_channels: null\n": "  bias: false\n  activation: fast-swiglu\n  normalization: rmsnorm\n"
    "  position_embedding_type: rope\n  share_embeddings_and_output_weights: false\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    return tmp_path


def test_a_run_of_nemo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The params by the count of arXiv:2104.04473, equation 2, with the vocabulary padded to 50304."""
    plan, report = imported("a.yaml", GPT, capsys)
    layers = 12 * (12 * 768**2 + 13 * 768)
    wanted = {"params": layers + (50304 + 512 + 2) * 768, "steps": 100_000, "batch": 256 * 512, "learning_rate": 2e-4,
              "beta2": 0.98, "clip": 1, "steps@warmup": 500, "steps@decay": 49_500, "steps@flat": 50_000,
              "learning_rate.end@decay": 2e-5}  # fmt: skip
    holds(report, wanted)
    assert "# hardware: 16 x H100 for 30 days" in plan and "recompute selective" in plan and " in megatron" not in plan
    cut = GPT.replace("pipeline_model_parallel_size: 1", "pipeline_model_parallel_size: 4", 1)
    cut = cut.replace("  kv_channels", "  virtual_pipeline_model_parallel_size: 3\n  kv_channels")
    plan, _ = imported("a.yaml", cut.replace("name: fused_adam", "name: distributed_fused_adam"), capsys)
    assert "pp 4, cp 1, interleave 3," in plan and "recompute selective in megatron" in plan


def test_a_gated_model_of_nemo_whose_tokenizer_has_the_vocabulary(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = GPT
    for old, new in LLAMA.items():
        text = text.replace(old, new)
    (folder / "b.yaml").write_text(text, encoding="utf-8")
    assert main(["import-config", "b.yaml"]) == 1
    assert "add --vocab N" in capsys.readouterr().err
    _, report = imported("b.yaml", text, capsys, "--vocab", "32000")
    holds(report, {"params": 12 * (4 * 768**2 + 3 * 768 * 3072 + 2 * 768) + (2 * 32000 + 1) * 768})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: CosineAnnealing", "name: NoamAnnealing", "`NoamAnnealing` has no shape"),
        ("  kv_channels: null", "  num_moe_experts: 8", "`model.num_moe_experts`"),
        ("  kv_channels: null", "  peft: {peft_scheme: lora}", "`model.peft`"),
        ("  kv_channels: null", "  transformer_block_type: normformer", "normformer"),
        ("constant_steps: 50000", "constant_steps: 99500", "leave none for the fall"),
        ("sched: {", "sched: {max_steps: 5, ", "`trainer.max_steps` 100000"),
        ("rampup_batch_size: null", "rampup_batch_size: [32, 32]", "over how many"),
    ],
)
def test_what_no_plan_says_of_nemo_is_refused(
    old: str, new: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in GPT
    (folder / "c.yaml").write_text(GPT.replace(old, new), encoding="utf-8")
    assert main(["import-config", "c.yaml"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and "error[E003]" in shown.err and shown.out == ""
