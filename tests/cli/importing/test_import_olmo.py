"""`plan import-config` of the YAML of OLMo, settings of the runs of allenai/OLMo, configs/, and of OLMo-core's JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from imports import holds, imported

from runplan.cli.main import main

MODEL = """\
  block_type: sequential
  activation_type: swiglu
  include_bias: false
  bias_for_layer_norm: false
  weight_tying: false
  rope: true
"""
OLMO_2 = MODEL + """\
  layer_norm_type: rms
  layer_norm_with_affine: true
  attention_layer_norm: true
  attention_layer_norm_with_affine: true
  norm_after: true
  vocab_size: 100278
  embedding_size: 100352
"""  # fmt: skip
ADAMW = "optimizer: {name: adamw, learning_rate: 3.0e-4, weight_decay: 0.1, betas: [0.9, 0.95]}\n"
# configs/official/OLMo-7B.yaml
OLMO_7B = f"""\
run_name: OLMo-7B
model:
{MODEL}
  d_model: 4096
  n_heads: 32
  n_layers: 32
  mlp_hidden_size: 22016
  multi_query_attention: false
  layer_norm_type: default
  layer_norm_with_affine: false
  attention_layer_norm_with_affine: false
  max_sequence_length: 2048
  vocab_size: 50280
  embedding_size: 50304
{ADAMW}scheduler: {{name: linear_with_warmup, t_warmup: 5000, alpha_f: 0.1, grad_clip_warmup_steps: 1000}}
max_duration: 2e12T  # 2T tokens
global_train_batch_size: 2048
device_train_microbatch_size: 2
save_folder: runs/${{run_name}}
device_eval_batch_size: ${{device_train_microbatch_size}}
precision: amp_bf16
max_grad_norm: 1.0
"""
# configs/official-1124/OLMo2-7B-stage2-seed42.yaml
ANNEALED = f"""\
model:
{OLMO_2}
  d_model: 4096
  n_heads: 32
  n_layers: 32
  mlp_hidden_size: 22016
  max_sequence_length: 4096
optimizer: {{name: adamw, learning_rate: 0.000061499, weight_decay: 0.1, eps: 1e-8, betas: [0.9, 0.95]}}
scheduler: {{name: linear_with_warmup, t_warmup: 0, alpha_f: 0}}
load_path: https://olmo-checkpoints.org/ai2-llm/peteish7/step928646-unsharded
max_duration: 100
global_train_batch_size: 1024
device_train_microbatch_size: 2
"""
# configs/OLMo2-1B-10B-tokens-local.yaml: ten billion tokens of a schedule that is made for five trillion.
CUT = f"""\
model:
{OLMO_2}
  d_model: 2048
  n_heads: 16
  n_layers: 16
  mlp_ratio: 8
  max_sequence_length: 2048
optimizer: {{name: adamw, learning_rate: 4.0e-4, weight_decay: 0.1, eps: 1e-8, betas: [0.9, 0.95]}}
scheduler: {{name: cosine_with_warmup, units: tokens, t_warmup: 8388608000, t_max: 5e12, warmup_min_lr: 0.0}}
max_duration: 10e9T
global_train_batch_size: 32
"""
# configs/amberish70-weka.yaml
AMBERISH = f"""\
model:
{MODEL}
  d_model: 8192
  n_heads: 64
  n_kv_heads: 8
  n_layers: 80
  mlp_hidden_size: 57344
  layer_norm_type: rms
  layer_norm_with_affine: true
  max_sequence_length: 4096
  vocab_size: 50280
  embedding_size: 50304
optimizer: {{name: adamw, learning_rate: 1.5e-4, eps: 1e-8}}
scheduler: {{name: cosine_with_warmup, units: tokens, t_warmup: 8388608000, t_max: 3e12, warmup_min_lr: 0.0}}
max_duration: 2ep
global_train_batch_size: 1024
activation_checkpointing: whole_layer
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    return tmp_path


def test_the_first_olmo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("OLMo-7B.yaml", OLMO_7B, capsys, "--hardware", "512 x A100 for 300 days")
    holds(report, {
        "params": 6_888_095_744, "tokens": 2e12, "batch": 2048 * 2048, "learning_rate": 3e-4, "beta2": 0.95,
        "epsilon": 1e-5, "weight_decay": 0.1, "clip": 1, "context": 2048, "steps@warmup": 5000, "micro_batch": 2,
        "learning_rate.end@decay": 3e-5,
    })  # fmt: skip
    assert "OLMo's rise begins at 10 % of the peak" in plan and "grad_clip_warmup_steps: 1000" in plan
    assert 'save_folder: "runs/OLMo-7B"' in plan and "device_eval_batch_size: 2" in plan


def test_olmo_2_from_where_its_first_stage_ends(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("stage2.yaml", ANNEALED, capsys)
    holds(report, {
        "params": 7_298_617_344, "steps": 100, "batch": 1024 * 4096, "learning_rate": 6.1499e-5,
        "learning_rate.end@decay": 0,
    })  # fmt: skip
    assert 'start: checkpoint "peteish7/step928646-unsharded"' in plan and "warmup" not in plan


def test_a_run_that_ends_long_before_its_schedule_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("cut.yaml", CUT, capsys)
    holds(report, {"params": 1_484_916_736, "tokens": 10e9, "steps@warmup": 128_000})
    assert "the decay is of 76293945.31 steps and the run of 152587.8906" in plan
    assert report.solutions and "floor" not in plan
    holds(report, {"learning_rate.end@decay": 4e-4})


def test_a_length_in_epochs_beside_a_schedule_in_tokens(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("amberish70.yaml", AMBERISH, capsys, "--data", "1.5T tokens")
    holds(report, {"params": 69_276_540_928, "tokens": 3e12, "steps@warmup": 2000, "learning_rate.end@decay": 1.5e-5})
    assert "the length of the run is in no steps" in plan and "recompute full" in plan


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("block_type: sequential", "block_type: moe", "`block_type: moe`"),
        ("block_type: sequential", "model_name: mamba", "`model_name: mamba`"),
        ("swiglu", "gaussian", "`activation_type: gaussian`"),
        ("2e12T", "333800ba", "`333800ba` is no length"),
        ("linear_with_warmup", "inverse_sqrt_with_warmup", "has no shape in a plan"),
    ],
)
def test_what_has_no_place_is_refused(
    old: str, new: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "x.yaml").write_text(OLMO_7B.replace(old, new), encoding="utf-8")
    assert main(["import-config", "x.yaml"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == ""


def test_what_a_file_leaves_out_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = OLMO_7B.replace("  activation_type: swiglu\n", "").replace("  weight_tying: false\n", "")
    plan, report = imported("x.yaml", text, capsys)
    holds(report, {"params": 6_888_095_744 - 50_304 * 4096})
    assert "leaves out what OLMo 0.6.0 has as a default: activation_type swiglu, weight_tying true" in " ".join(
        plan.replace("#", "").split()
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("${a}", 1), ("${b.c}", "x"), ("s-${b.c}-${a}", "s-x-1"), ("${none}", "${none}"), ("${oc.env:A}", "${oc.env:A}"),
     ("${d}", "${d}"), ("${b}", {"c": "x"}), ("s${b}", "s${b}"), ("${n}", None), ("s${n}", "s${n}"),
     ("${multiply:4, ${a}}", 4), ("${divide_floor:${a},2}", 0), ("${divide_ceil:${a},2}", 1),
     ("${multiply:4, ${none}}", "${multiply:4, ${none}}"), ("${divide_ceil:1,0}", "${divide_ceil:1,0}")],
)  # fmt: skip
def test_references(text: str, value: object) -> None:
    from runplan.cli.importing.references import resolved

    assert resolved({"a": 1, "b": {"c": "x"}, "n": None, "d": text})["d"] == value


NORM = {"_CLASS_": "olmo_core.nn.layer_norm.LayerNormConfig", "name": "rms", "eps": 1e-6, "bias": False}
# OLMo 2 7B as OLMo-core's `olmo2_7B` has it, and the schedule of a run in tokens.
CORE: dict[str, Any] = {
    "model": {
        "d_model": 4096, "vocab_size": 100352, "n_layers": 32, "lm_head": {"layer_norm": NORM, "bias": False},
        "block": {
            "name": "reordered_norm", "layer_norm": NORM, "feed_forward": {"hidden_size": 11008, "bias": False},
            "attention": {"n_heads": 32, "bias": False, "qk_norm": NORM, "rope": {"theta": 500000}},
        },
    },
    "data_loader": {"global_batch_size": 1024 * 4096, "num_workers": 4},
    "train_module": {
        "rank_microbatch_size": 2 * 4096, "max_sequence_length": 4096, "max_grad_norm": 1.0,
        "optim": {"_CLASS_": "olmo_core.optim.adamw.SkipStepAdamWConfig", "lr": 3e-4, "betas": [0.9, 0.95]},
        "scheduler": {"_CLASS_": "olmo_core.optim.scheduler.CosWithWarmup", "warmup_steps": 2000},
        "dp_config": {"name": "hsdp", "param_dtype": "bfloat16"}, "ac_config": {"mode": "selected_modules"},
    },
    "trainer": {"max_duration": {"value": 4_000_000_000_000, "unit": "tokens"}},
}  # fmt: skip


def test_olmo_core(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("config.json", json.dumps(CORE), capsys)
    holds(report, {
        "params": 7_298_617_344, "tokens": 4e12, "batch": 1024 * 4096, "learning_rate": 3e-4, "beta2": 0.95, "clip": 1,
        "weight_decay": 0.01, "steps@warmup": 2000, "learning_rate.end@decay": 3e-5,
    })  # fmt: skip
    assert 'train_module.ac_config.mode: "selected_modules"' in plan and "recompute" not in plan


@pytest.mark.parametrize(
    ("block", "said"),
    [({"name": "moe"}, "without experts"), ({"attention": {"name": "fla"}}, "does not attend"),
     ({"layer_norm": NORM | {"bias": True}}, "some have biases")],
)  # fmt: skip
def test_what_of_olmo_core_no_plan_says(
    block: dict[str, object], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = CORE | {"model": CORE["model"] | {"block": CORE["model"]["block"] | block}}
    (folder / "x.json").write_text(json.dumps(changed), encoding="utf-8")
    assert main(["import-config", "x.json"]) == 1
    assert said in capsys.readouterr().err
