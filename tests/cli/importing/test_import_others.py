"""`plan import-config` of nanotron, GPT-NeoX and DeepSpeed, and of what is built on the `Trainer` of transformers.

The configurations have the settings of published ones: their models are counted by those who published them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from imports import holds, imported

from runplan.cli.main import main

# Pythia 6.9B: github.com/EleutherAI/pythia, models/6.9B/pythia-6.9b.yml, on 128 devices.
PYTHIA = """\
{
   # parallelism settings
   "pipe-parallel-size": 1, "model-parallel-size": 2,
   "num-layers": 32, "hidden-size": 4096, "num-attention-heads": 32, "seq-length": 2048,
   "max-position-embeddings": 2048, "norm": "layernorm", "pos-emb": "rotary", "rotary_pct": 0.25,
   "no-weight-tying": true, "gpt_j_residual": true, "attention-config": [[["flash"], 32]],
   "optimizer": {"type": "Adam", "params": {"lr": 0.00012, "betas": [0.9, 0.95], "eps": 1.0e-8,}},
   "min_lr": 0.000012,
   "zero_optimization": {"stage": 1, "cpu_offload": False},
   "train_micro_batch_size_per_gpu": 8, "gradient_accumulation_steps": 2,
   "checkpoint-activations": true, "gradient_clipping": 1.0, "weight-decay": 0.1,
   "fp16": {"fp16": true, "enabled": true, "loss_scale": 0},
   "train-iters": 143000, "lr-decay-iters": 143000, "lr-decay-style": "cosine", "warmup": 0.01,
   "vocab-file": "/data/20B_tokenizer.json",
}
"""
# Llama 3.2 3B: github.com/huggingface/nanotron, examples/config_llama3.2-3B.yaml.
NANOTRON = """\
general: {project: Llama3.2, run: llama, seed: 42}
model:
  dtype: bfloat16
  make_vocab_size_divisible_by: 128
  model_config:
    is_llama_config: true
    hidden_size: 3072
    intermediate_size: 8192
    max_position_embeddings: 8192
    num_attention_heads: 24
    num_hidden_layers: 28
    num_key_value_heads: 8
    rope_scaling: {factor: 32.0, rope_type: llama3}
    tie_word_embeddings: true
    vocab_size: 128256
optimizer:
  clip_grad: 1.0
  learning_rate_scheduler:
    learning_rate: 0.0003
    lr_decay_starting_step: null
    lr_decay_steps: 98
    lr_decay_style: cosine
    lr_warmup_steps: 2
    lr_warmup_style: linear
    min_decay_lr: 1.0e-05
  optimizer_factory: {adam_beta1: 0.9, adam_beta2: 0.95, adam_eps: 1.0e-08, name: adamW}
  weight_decay: 0.01
  zero_stage: 0
parallelism: {dp: 2, pp: 1, tp: 2, tp_mode: ALL_REDUCE}
tokens: {batch_accumulation_per_replica: 4, micro_batch_size: 2, sequence_length: 8192, train_steps: 200}
"""
LLAMA = {
    "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True,
}  # fmt: skip
DEEPSPEED = {
    "bf16": {"enabled": True}, "gradient_accumulation_steps": "auto", "train_micro_batch_size_per_gpu": "auto",
    "train_batch_size": 256, "optimizer": {"type": "AdamW", "params": {"lr": "auto", "betas": [0.9, 0.95]}},
    "scheduler": {"type": "WarmupDecayLR", "params": {
        "warmup_min_lr": 2e-6, "warmup_max_lr": 2e-5, "warmup_num_steps": 200, "warmup_type": "linear",
        "total_num_steps": 2000}},
    "zero_optimization": {"stage": 3},
}  # fmt: skip
# github.com/axolotl-ai-cloud/axolotl, examples/llama-3/lora-1b.yml.
AXOLOTL = """\
base_model: NousResearch/Llama-3.2-1B
model_type: LlamaForCausalLM
adapter: lora
lora_model_dir:
sequence_len: 2048
sample_packing: true
lora_r: 16
lora_target_modules: [gate_proj, down_proj, up_proj, q_proj, v_proj, k_proj, o_proj]
gradient_accumulation_steps: 2
micro_batch_size: 2
num_epochs: 1
optimizer: adamw_8bit
lr_scheduler: cosine
learning_rate: 0.0002
bf16: auto
gradient_checkpointing: true
warmup_steps: 10
weight_decay: 0.0
"""
# github.com/hiyouga/LLaMA-Factory, examples/train_lora/llama3_lora_sft.yaml.
FACTORY = """\
model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
stage: sft
finetuning_type: lora
lora_rank: 8
lora_target: q_proj,v_proj,lm_head
cutoff_len: 1024
output_dir: saves/llama3-8b/lora/sft
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    return tmp_path


def refused(text: str, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    Path(name).write_text(text, encoding="utf-8")
    assert main(["import-config", name]) == 1
    return capsys.readouterr().err


def test_training_by_preferences_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "it trains by `dpo`" in refused(FACTORY.replace("stage: sft", "stage: dpo"), "x.yaml", capsys)


@pytest.mark.parametrize("vocabulary", ["", "--vocab"])
def test_gpt_neox(vocabulary: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PYTHIA.replace('"vocab-file": "/data/20B_tokenizer.json",', "") if vocabulary else PYTHIA
    more = ["--vocab", "50277"] if vocabulary else []
    plan, report = imported("pythia.yml", text, capsys, "--hardware", "128 x A100 for 90 days", *more)
    holds(report, {
        "params": 6_857_302_016, "batch": 1024 * 2048, "steps": 143_000, "learning_rate": 1.2e-4, "weight_decay": 0.1,
        "steps@warmup": 1430, "learning_rate.end@decay": 1.2e-5, "tp": 2, "micro_batch": 8, "beta2": 0.95,
    })  # fmt: skip
    assert "in fp16" in plan and "recompute full" in plan and "#   zero_optimization.stage: 1\n" in plan


def test_what_gpt_neox_leaves_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Learned positions, tied tables, a linear fall after a hundredth, single precision; of GPT-2's smallest."""
    text = "num_layers: 12\nhidden_size: 768\nnum_attention_heads: 12\nmax_position_embeddings: 1024\n" \
        "model_parallel_size: 1\nvocab_file: data/gpt2-vocab.json\nmake_vocab_size_divisible_by: 1\n" \
        "train_iters: 1000\ntrain_batch_size: 32\nseq_length: 1024\noptimizer: {params: {lr: 6e-4}}\n"  # fmt: skip
    plan, report = imported("gpt2.yml", text, capsys)
    holds(report, {"params": 124_439_808, "batch": 32 * 1024, "steps@warmup": 10, "beta2": 0.999, "clip": 1})
    assert "in fp32" in plan and "phase decay: rest linear\n" in plan
    plan, report = imported("gpt2.yml", f"{text}lr_decay_iters: 2000\n", capsys)
    holds(report, {"steps@warmup": 20, "learning_rate.end@decay": 6e-4 * 1000 / 1980})
    assert "the decay is of 2000 steps and the run of 1000" in plan


@pytest.mark.parametrize(
    ("layers", "hidden", "heads", "params"),
    [(32, 4096, 32, 6_738_415_616), (40, 5120, 40, 13_015_864_320), (60, 6656, 52, 32_528_943_616),
     (80, 8192, 64, 65_285_660_672)],
)  # fmt: skip
def test_llama_in_gpt_neox(
    layers: int, hidden: int, heads: int, params: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """github.com/EleutherAI/gpt-neox, configs/llama/: the shapes that Llama's authors publish."""
    text = f"""\
{{ "pipe-parallel-size": 1, "model-parallel-size": 1, "make_vocab_size_divisible_by": 1,
  "num-layers": {layers}, "hidden-size": {hidden}, "num-attention-heads": {heads}, "seq-length": 2048,
  "max-position-embeddings": 2048, "pos-emb": "rotary", "rotary-pct": 1, "no-weight-tying": true, "norm": "rmsnorm",
  "use_bias_in_norms": false, "use_bias_in_attn_linear": false, "mlp_type": "llama", "activation": "silu", }}
"""
    _, report = imported("7B.yml", text, capsys, "--vocab", "32000")
    holds(report, {"params": params})
    newer = f'"activation": "swiglu", "use_bias_in_mlp": false, "intermediate_size": {8 * hidden},'  # configs/llama2/
    text = text.replace('"mlp_type": "llama", "activation": "silu",', f'{newer} "mlp_multiple_of": 256,')
    _, report = imported("7B.yml", text, capsys, "--vocab", "32000")
    holds(report, {"params": params})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("mlp_type: wide", "those are read that are regular, llama"),
        ("activation: geglu", "how wide a gated MLP is differs"), ("num_unique_layers: 1", "`num_unique_layers`"),
        ("attention_config: [[[mamba], 2]]", "those that attend are read"), ("norm: scalenorm", "no place in a plan"),
        ("moe_num_experts: 8", "without experts"), ("lr_decay_style: exponential", "no shape in a plan"),
        ("vocab_file: mine.json", "--vocab N"),
    ],
)  # fmt: skip
def test_what_of_gpt_neox_no_plan_says(more: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = {
        "num_layers": "2", "hidden_size": "64", "num_attention_heads": "2", "pipe_parallel_size": "1",
        "max_position_embeddings": "64", "vocab_file": "gpt2-vocab.json", "train_iters": "1000",
        "optimizer": "{params: {lr: 6e-4}}",
    }  # fmt: skip
    name, _, value = more.partition(": ")
    text = "".join(f"{key}: {word}\n" for key, word in {**base, name: value}.items())
    assert said in refused(text, "x.yml", capsys)


def test_nanotron(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("llama.yaml", NANOTRON, capsys)
    holds(report, {
        "params": 3_212_749_824, "batch": 16 * 8192, "steps": 200, "learning_rate": 3e-4, "weight_decay": 0.01,
        "steps@warmup": 2, "steps@decay": 98, "steps@flat": 100, "learning_rate.end@flat": 1e-5, "beta2": 0.95,
    })  # fmt: skip
    assert "# hardware: 4 x H100" in plan and "tp 2, pp 1, cp 1, micro_batch 2 sequences, dp 2" in plan
    stable = NANOTRON.replace("starting_step: null", "starting_step: 160").replace("steps: 98", "steps: 40")
    _, report = imported("llama.yaml", stable.replace("cosine", "1-sqrt"), capsys)
    holds(report, {"steps@stable": 158, "steps@decay": 40, "learning_rate.end@decay": 1e-5})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("starting_step: null", "starting_step: 50", "a fall from step 50 of 98 steps has no shape"),
        ("steps: 98", "steps: 300", "no shape in a run of 200 steps"), ("cosine", "poly", "no shape in a plan"),
        ("is_llama_config", "is_starcoder2_config", "Llama and Qwen 2 without experts are read"),
        ("vocab_size: 128256", "moe_config: {num_experts: 8}", "Llama and Qwen 2 without experts are read"),
    ],
)  # fmt: skip
def test_what_of_nanotron_no_plan_says(
    old: str, new: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(NANOTRON.replace(old, new), "x.yaml", capsys)


def test_deepspeed_beside_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.json").write_text(json.dumps(LLAMA), "utf-8")
    more = ("--sequence", "2048", "config.json")
    plan, report = imported("ds.json", json.dumps(DEEPSPEED), capsys, *more)
    holds(report, {
        "params": 134_515_008, "batch": 256 * 2048, "steps": 2000, "learning_rate": 2e-5, "steps@warmup": 200,
        "learning_rate.end@decay": 0,
    })  # fmt: skip
    assert "begins at 2e-06 here, and the plan's at zero" in plan and "#   zero_optimization.stage: 3\n" in plan
    other = {**DEEPSPEED, "optimizer": {"type": "AdamW", "params": {"lr": 1e-4}}}
    assert "`optimizer.params.lr` 0.0001" in refused(json.dumps(other), "ds.json", capsys)


def test_what_the_trainer_fills_in_is_no_guess(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a schedule whose steps are `auto` nothing is read; and a run computes in what its trainer says."""
    auto = {"warmup_max_lr": "auto", "warmup_num_steps": "auto", "total_num_steps": "auto"}
    beside = {**DEEPSPEED, "train_batch_size": "auto", "scheduler": {"type": "WarmupDecayLR", "params": auto}}
    arguments = {"per_device_train_batch_size": 2, "learning_rate": 3e-5, "max_steps": 500, "warmup_steps": 50,
                 "lr_scheduler_type": "cosine", "bf16": True}  # fmt: skip
    (folder / "config.json").write_text(json.dumps({**LLAMA, "torch_dtype": "float16"}), "utf-8")
    (folder / "args.json").write_text(json.dumps(arguments), "utf-8")
    more = ("--sequence", "2048", "--devices", "8")
    plan, report = imported("ds.json", json.dumps(beside), capsys, *more, "config.json", "args.json")
    holds(report, {"batch": 16 * 2048, "steps": 500, "learning_rate": 3e-5, "steps@warmup": 50})
    assert "`WarmupDecayLR` are `auto`" in plan and "fp16" not in plan
    (folder / "args.json").write_text(json.dumps({**arguments, "bf16": False}), "utf-8")
    assert main(["import-config", *more, "config.json", "args.json"]) == 0
    assert "# hardware: 64 x H100 in fp16 " in capsys.readouterr().out


def test_axolotl(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("lora.yml", AXOLOTL, capsys, "--data", "50M tokens", "--devices", "4")
    holds(report, {
        "params": 1_235_814_400, "batch": 16 * 2048, "tokens": 50e6, "learning_rate": 2e-4, "lora": 16,
        "steps@warmup": 10, "weight_decay": 0,
    })  # fmt: skip
    assert "micro_batch 2 sequences, recompute full" in plan and "lora_on: all" in plan and "sample_packing" in plan


def test_llama_factory(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("sft.yaml", FACTORY, capsys, "--data", "50M tokens")
    holds(report, {"params": 8_030_261_248, "batch": 8 * 1024, "tokens": 150e6, "lora": 8, "learning_rate": 1e-4})
    assert "lora_on: qv" in plan and "an adapter is on `lm_head`, and a plan has no word for it" in plan
