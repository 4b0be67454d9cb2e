"""`plan import-config` of torchtitan, Megatron-LM and litgpt: the run as their files say it."""

from __future__ import annotations

from pathlib import Path

import pytest
from imports import holds, imported
from known import LIBRARY

from runplan.cli.main import main
from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import first_of

HARDWARE = "128 x H100 for 300 days at 40% MFU in nodes of 8"
# The 175B of arXiv:2005.14165 in Megatron's arguments: learned positions, biases and tied tables are its defaults.
GPT3 = """\
#!/bin/bash
GPUS=8
NODES=${SLURM_NNODES:-1}
WORLD=$(($GPUS*$NODES))
LAUNCH=(--nproc_per_node $GPUS --nnodes $NODES)
MODEL=(
    --num-layers 96   # as in the paper
    --hidden-size 12288
    --num-attention-heads 96
\t--seq-length 2048
    --max-position-embeddings 2048
)
RUN=(
    --micro-batch-size 1 --global-batch-size 1536
    --rampup-batch-size 16 16 5859375
    --train-iters 500000
    --lr 6.0e-5 --min-lr=6.0e-6 --lr-decay-style cosine
    --lr-warmup-fraction .001
    # --lr-decay-iters 1
    --lr-decay-iters 430000
    --weight-decay 0.1 --adam-beta1 0.9 --adam-beta2 0.95 --clip-grad 1.0
    --fp16
)
torchrun ${LAUNCH[@]} pretrain_gpt.py ${MODEL[@]} ${RUN[@]} \\
    --tensor-model-parallel-size 8 --pipeline-model-parallel-size 16 --num-layers-per-virtual-pipeline-stage 3 \\
    --merge-file merges.txt --data-path 0.7 data/web 0.3 data/code
"""
MIXTURE = """\
--num-layers 27
--hidden-size 2048
--ffn-hidden-size 10944
--num-attention-heads 16
--multi-latent-attention
--kv-lora-rank 512
--qk-head-dim 128 --qk-pos-emb-head-dim 64 --v-head-dim 128
--qk-layernorm
--num-experts 64 --moe-router-topk 6 --moe-ffn-hidden-size 1408
--moe-shared-expert-intermediate-size 2816
--moe-layer-freq ([0]*1+[1]*26)
--swiglu --disable-bias-linear --normalization RMSNorm --position-embedding-type rope
--untie-embeddings-and-output-weights
--vocab-size 102400 --make-vocab-size-divisible-by 100
--seq-length 4096 --micro-batch-size 1 --global-batch-size 1024
--train-samples 24414062 --lr-warmup-samples 2048000 --lr-decay-samples 24414062
--lr 4.2e-4 --min-lr 4.2e-5 --lr-decay-style WSD --lr-wsd-decay-style minus_sqrt --lr-wsd-decay-samples 2441216
"""
YAML = """\
language_model:
  num_layers: 24
  hidden_size: 1024
  num_attention_heads: 16
  ffn_hidden_size: null
  add_bias_linear: False
  normalization: RMSNorm
model_parallel:
  tensor_model_parallel_size: 2
swiglu: True
untie_embeddings_and_output_weights: True
position_embedding_type: rope
seq_length: 4096
global_batch_size: 128
micro_batch_size: 2
vocab_size: 32000
lr: 2.5e-4
min_lr: 2.5e-5
lr_decay_style: cosine
lr_decay_iters: 2000
lr_warmup_iters: 0
train_iters: 1000
clip_grad: 1.0
adam_eps: 1.e-08
"""
TOML = """\
[job]
description = "Llama 3 8B"
[model]
name = "llama3"
flavor = "8B"
[optimizer]
name = "AdamW"
lr = 3e-4
[lr_scheduler]
warmup_steps = 200
decay_ratio = 0.2
decay_type = "sqrt"
min_lr_factor = 0.1
[training]
local_batch_size = 2
global_batch_size = 256
seq_len = 8192
steps = 5000
[parallelism]
data_parallel_shard_degree = -1
tensor_parallel_degree = 2
[activation_checkpoint]
mode = "selective"
"""
OLD_TOML = """\
[model]
name = "llama3"
flavor = "70B"
[optimizer]
lr = 1.5e-4
[training]
batch_size = 8
seq_len = 8192
warmup_steps = 200
steps = 1000
data_parallel_degree = -1
tensor_parallel_degree = 8
"""
LITGPT = """\
model_name: pythia-14m
model_config: null
precision: bf16-mixed
train:
  global_batch_size: 512
  micro_batch_size: 4
  lr_warmup_steps: 100
  max_tokens: 1000000000
  max_seq_length: 512
  max_norm: 1.0
  min_lr: 6.0e-05
optimizer:
  class_path: torch.optim.AdamW
  init_args:
    lr: 6e-4
    weight_decay: 0.1
    betas: [0.9, 0.95]
devices: 4
data: TextFiles
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    return tmp_path


def test_a_script_of_megatron(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("train.sh", GPT3, capsys)
    vocab = 50257 + (-50257) % (128 * 8)
    layer = 12 * 12288**2 + 13 * 12288
    holds(report, {
        "params": 96 * layer + 2 * 12288 + (vocab + 2048) * 12288, "batch": 1536 * 2048, "steps": 500_000,
        "learning_rate": 6e-5, "beta2": 0.95, "steps@warmup": 430, "steps@decay": 429_570, "steps@flat": 70_000,
        "learning_rate.end@flat": 6e-6,
    })  # fmt: skip
    assert "# layout: tp 8, pp 16, cp 1, interleave 2, micro_batch 1 sequences " in plan
    for left in ("rampup_batch_size: [16, 16, 5859375]", "data web: 0.7", "data code: 0.3"):
        assert f"#   {left}\n" in plan
    assert "# hardware: 8 x H100 in fp16 for 30 days" in plan
    # Counted step by step with Megatron's own calculator: 743443552 sequences.
    assert "from 16 to 1536 sequences: the run has 24556448 fewer than the plan, 3.2 %" in plan


def test_what_megatron_computes_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In single precision unless a flag says another one; of a file that has a model alone nothing is said."""
    for flags, said in (("", " in fp32"), ("--fp16", " in fp16"), ("--bf16", ""), ("--bf16 --fp16", "")):
        plan, _ = imported("args.txt", f"{MIXTURE}{flags}\n", capsys)
        assert f"# hardware: 64 x H100{said} for 30 days" in plan
    assert "are both in the file: bf16 is taken" in plan
    plan, _ = imported("args.txt", MIXTURE.partition("--lr 4.2e-4")[0], capsys)
    assert "# hardware: 64 x H100 for 30 days" in plan


def test_a_mixture_of_megatron_in_samples(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = imported("args.txt", MIXTURE, capsys)
    holds(report, {
        "params": 15_706_484_224, "batch": 1024 * 4096, "steps": 23_842, "learning_rate": 4.2e-4, "steps@warmup": 2000,
        "steps@decay": 2384, "learning_rate.end@decay": 4.2e-5,
    })  # fmt: skip


def test_the_gate_of_an_expert_that_all_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gated = MIXTURE.replace("--num-experts", "--moe-shared-expert-gate --mtp-num-layers 1 --num-experts")
    plan, report = imported("y.txt", gated, capsys)
    _, without = imported("x.txt", MIXTURE, capsys)
    first, second = (one.solutions[0].values[quantity("params")].value for one in (report, without))
    assert first - second == 26 * 2048 and "without the layers that predict tokens further ahead" in plan


def test_the_yaml_of_megatron_whose_decay_is_cut(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("config.yaml", YAML, capsys, "--hardware", HARDWARE)
    holds(report, {
        "ffn": 2688, "params": 24 * (4 * 1024**2 + 3 * 1024 * 2688 + 2 * 1024) + 1024 + 2 * 32000 * 1024,
        "steps": 1000, "batch": 128 * 4096, "tp": 2, "learning_rate.end@decay": 2.5e-5 + 2.25e-4 / 2,
    })  # fmt: skip
    assert "it ends where it is by then" in plan


def test_the_toml_of_torchtitan(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("llama3_8b.toml", TOML, capsys, "--hardware", HARDWARE)
    holds(report, {
        "params": 8_030_261_248, "batch": 256 * 8192, "steps": 5000, "learning_rate": 3e-4, "steps@warmup": 200,
        "steps@stable": 3800, "steps@decay": 1000, "learning_rate.end@decay": 3e-5, "tp": 2, "micro_batch": 2,
    })  # fmt: skip
    assert 'activation_checkpoint.mode: "selective"' in plan
    plan, report = imported("old.toml", OLD_TOML, capsys, "--devices", "8")
    holds(report, {"params": 70_553_706_496, "batch": 64 * 8192, "steps": 1000, "learning_rate": 1.5e-4})


def test_the_yaml_of_litgpt(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("pretrain.yaml", LITGPT, capsys)
    holds(report, {
        "params": 14_067_712, "batch": 512 * 512, "tokens": 1e9, "learning_rate": 6e-4, "weight_decay": 0.1,
        "beta2": 0.95, "steps@warmup": 100, "learning_rate.end@decay": 6e-5,
    })  # fmt: skip
    assert "# hardware: 4 x H100" in plan and '#   data: "TextFiles"\n' in plan


@pytest.mark.parametrize("to", ["megatron", "torchtitan", "torchtitan-0.2", "litgpt"])
def test_a_run_comes_back_as_it_was_written(to: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = "tp 1, pp 1, cp 1" if to == "litgpt" else "tp 4, pp 2, cp 1"
    (folder / "a.plan").write_text(
        f"hardware: {HARDWARE}\nmodel: llama-3-8b\ntokens: 12345 steps\n"
        "optimizer: AdamW { batch: 512 sequences; learning_rate: 2.5e-4; beta1: 0.9; beta2: 0.95; weight_decay: 0.1 }\n"
        f"schedule: cosine\nlayout: {cut}, micro_batch 2 sequences, recompute none\n",
        "utf-8",
    )
    assert main(["export", "a.plan", "--to", to, "--out", "out/"]) == 0
    (written,) = (folder / "out").iterdir()
    capsys.readouterr()
    assert main(["import-config", str(written), "--hardware", HARDWARE]) == 0
    texts = (folder / "a.plan").read_text("utf-8"), capsys.readouterr().out
    there, back = (first_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY) for text in texts)
    names = ("params", "tokens", "steps", "batch", "learning_rate", "beta2", "weight_decay", "tp", "pp", "micro_batch")
    holds(back, {name: there.solutions[0].values[quantity(name)].value for name in names})
    assert back.solutions[0].values[quantity("steps").of("phase", "warmup")].value == pytest.approx(123, abs=1)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.toml", TOML.replace('"8B"', '"9B"'), "its shape is not known by that name"),
        ("x.toml", TOML.replace("[job]", "[job"), "no TOML"),
        ("x.sh", GPT3.replace("--merge-file merges.txt", ""), "add --vocab N"),
        ("x.sh", GPT3.replace("cosine", "inverse-square-root"), "no shape in a plan"),
        ("x.sh", GPT3.replace("--fp16", "--fp16 --experimental-attention-variant dsa"), "no place in a plan"),
        ("x.sh", GPT3.replace("--fp16", "--fp16 --vision-model-type clip"), "no place in a plan"),
        ("x.py", "def run():\n    return 1\n", "no function gives a `Trainer.Config`"),
        ("x.py", "def run(:\n", "no Python"),
        ("x.yaml", "a: 1\n", "no configuration that is read"),
    ],
)
def test_what_is_not_known_is_no_guess(
    name: str, text: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_text(text, "utf-8")
    assert main(["import-config", name]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == ""


def test_of_several_functions_one_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = (
        "def llama3_{0}():\n"
        '    return Trainer.Config(model_spec=model_registry("{0}"), training=TrainingConfig(steps=9))\n'
    )
    (folder / "registry.py").write_text(one.format("8B") + one.format("70B"), "utf-8")
    assert main(["import-config", "registry.py"]) == 1
    assert "add --config, one of llama3_8B, llama3_70B" in capsys.readouterr().err
    assert main(["import-config", "registry.py", "--config", "llama3_70B"]) == 0
    assert "model: llama-3-70b {" in capsys.readouterr().out


REGISTRY = """\
from torchtitan.models.deepseek_v3 import model_registry

def small() -> Trainer.Config:
    model_spec = model_registry("debugmodel")
    return Trainer.Config(
        model_spec=model_spec,
        optimizer=default_adamw(lr=8e-4),
        lr_scheduler=LRSchedulersContainer.Config(warmup_steps=2, decay_ratio=0.8, min_lr_factor=0.1),
        training=TrainingConfig(local_batch_size=8, seq_len=2048, steps=10),
        activation_checkpoint=SelectiveAC.Config(),
    )

def large() -> Trainer.Config:
    config = small()
    assert config.model_spec is not None
    config.model_spec = model_registry("16B", num_mtp_layers=1)
    config.training.steps = 1000
    config.activation_checkpoint = FullAC.Config()
    return config

def endless() -> Trainer.Config:
    config = endless()
    return config
"""


FLOAT8 = 'converters=[Float8LinearConverter.Config(filter_fqns=["lm_head"])]'


def test_a_function_that_changes_what_another_gives(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--devices", "64", "--hardware", HARDWARE)
    plan, report = imported("registry.py", REGISTRY, capsys, "--config", "small", *more)
    holds(report, {"params": 33_014_016, "steps": 10, "batch": 64 * 8 * 2048, "steps@decay": 8})
    assert 'activation_checkpoint.mode: "selective"' in plan and "recompute" not in plan
    plan, report = imported("registry.py", REGISTRY, capsys, "--config", "large", *more)
    holds(report, {"params": 15_706_484_224, "steps": 1000, "learning_rate": 8e-4, "steps@decay": 800})
    assert "recompute full" in plan and "#   model.num_mtp_layers: 1\n" in plan
    assert main(["import-config", "registry.py", "--config", "endless"]) == 1
    (folder / "registry.py").write_text(REGISTRY.replace("num_mtp_layers=1", FLOAT8), "utf-8")
    large = ["import-config", "registry.py", "--config", "large", "--hardware", HARDWARE]
    assert main([*large, "--devices", "129"]) == 2
    assert "129 copies of the model" in capsys.readouterr().err
    assert main([*large, "--devices", "64"]) == 0
    assert "in fp8" in capsys.readouterr().out
    adapted = REGISTRY.replace("num_mtp_layers=1", "converters=[LoRAConverter.Config(rank=8)]")
    (folder / "registry.py").write_text(adapted, "utf-8")
    assert main(["import-config", "registry.py", "--config", "small"]) == 0
    assert main(["import-config", "registry.py", "--config", "large"]) == 1
    assert "`LoRAConverter`" in capsys.readouterr().err


BLOOM = """\
#!/bin/bash
#SBATCH --nodes=48
TRAIN_SAMPLES=220_000_000  # 450B tokens
LR_DECAY_SAMPLES=200_000_000  # then on at --min-lr
NHIDDEN=14336
OPTIMIZER_ARGS=" \\
    --lr 6e-5 \\
    --min-lr 6e-6 \\
    --lr-decay-style cosine \\
    --lr-decay-samples $LR_DECAY_SAMPLES \\
    --lr-warmup-samples $((180000 + 3105)) \\
    "
GPT_ARGS=" \\
    --num-layers 70 --hidden-size $NHIDDEN --num-attention-heads 112 \\
    --seq-length 2048 --max-position-embeddings 2048 \\
    --micro-batch-size 2 --global-batch-size 2048 --rampup-batch-size 192 16 9_765_625 \\
    --train-samples $TRAIN_SAMPLES \\
    --tokenizer-type PretrainedFromHF --pad-vocab-size-to 250880 --embed-layernorm \\
    --bf16 --position-embedding-type alibi --checkpoint-activations \\
    $OPTIMIZER_ARGS \\
    "
export CMD="`pwd`/pretrain_gpt.py --tensor-model-parallel-size 4 --pipeline-model-parallel-size 12 $GPT_ARGS"
"""
BRANCHES = """\
MODEL_ARGS=(
    --num-layers 32 --hidden-size 4096 --ffn-hidden-size 14336 --num-attention-heads 32
    --group-query-attention --num-query-groups 8 --kv-channels 128 --seq-length 8192 --position-embedding-type rope
    --swiglu --untie-embeddings-and-output-weights --disable-bias-linear --normalization RMSNorm
#   --num-layers 2 \\
\t--tensor-model-parallel-size ${TP:-"2"}
)
if [[ "$TOKENIZER" == "MOCK" ]]; then
    DATA+=("--tokenizer-type NullTokenizer" "--vocab-size 128256" "--split '99,1,0'")
else
    DATA+=("--tokenizer-type HuggingFaceTokenizer" "--vocab-size 128256")
fi
torchrun --nproc_per_node 8 --nnodes 4 pretrain_gpt.py ${MODEL_ARGS[@]} ${DATA[@]} --fp16 $MORE
"""
BERT = """\
torchrun pretrain_bert.py --num-layers 24 --hidden-size 1024 --num-attention-heads 16 --seq-length 512 \\
    --max-position-embeddings 512 --global-batch-size 32 --train-iters 1000000 --lr 0.0001
"""


def test_a_script_whose_options_are_quoted_texts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("tr11-176B-ml.slurm", BLOOM, capsys)
    holds(report, {
        "params": 176_247_271_424, "tokens": 220e6 * 2048, "batch": 2048 * 2048, "learning_rate": 6e-5,
        "steps@warmup": 89, "steps@decay": 97_567, "learning_rate.end@flat": 6e-6,
    })  # fmt: skip
    assert "tp 4, pp 12, cp 1, micro_batch 2 sequences, recompute full" in plan


def test_of_an_option_in_two_branches_the_last_counts_and_both_are_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, report = imported("llama3.sh", BRANCHES, capsys, "--hardware", HARDWARE)
    holds(report, {"params": 8_030_261_248, "tp": 2})
    assert "`--tokenizer-type` is given more than once, as NullTokenizer and HuggingFaceTokenizer: the last" in plan
    assert "128 x H100 in fp16 for 300 days" in plan
    plan, _ = imported("llama3.sh", BRANCHES, capsys)
    assert "# hardware: 32 x H100 in fp16 for 30 days" in plan


def test_iterations_of_zero_leave_the_samples(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = YAML.replace("lr_warmup_iters: 0", "lr_warmup_iters: 0\nlr_warmup_samples: 12800")
    _, report = imported("gpt_config.yaml", text, capsys)
    holds(report, {"steps@warmup": 100, "steps": 1000})


def test_bert_by_megatron(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, report = imported("bert.sh", BERT, capsys, "--vocab", "30522")
    layer, vocab = 12 * 1024**2 + 13 * 1024, 30_592
    heads = (1024**2 + 3 * 1024 + vocab) + (1024**2 + 1024) + 2 * 1024 + 2
    holds(report, {"params": 24 * layer + 2 * 1024 + (vocab + 512 + 2) * 1024 + heads})
    assert "objective: MLM" in plan


@pytest.mark.parametrize(("program", "said"), [("t5", "an encoder and a decoder"), ("vision_dino", "has no place")])
def test_what_else_megatron_trains_is_refused(
    program: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "x.sh").write_text(BERT.replace("pretrain_bert", f"pretrain_{program}"))
    assert main(["import-config", "x.sh", "--vocab", "30522"]) == 1
    assert said in capsys.readouterr().err


def test_a_copy_takes_the_devices_that_it_is_cut_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = imported("old.toml", OLD_TOML, capsys, "--hardware", "512 x H100 for 300 days")
    holds(report, {"batch": 512 // 8 * 8 * 8192, "tp": 8})


@pytest.mark.parametrize(
    ("name", "flavor", "params"),
    [
        ("llama3", "debugmodel", 6_163_712), ("llama3", "1B", 1_235_814_400), ("llama3", "405B", 405_853_388_800),
        ("deepseek_v3", "debugmodel", 33_014_016), ("deepseek_v3", "16B", 15_706_484_224),
        ("deepseek_v3", "236B", 235_741_434_880), ("qwen3", "debugmodel_flex_attn", 31_987_968),
        ("qwen3", "1.7B", 1_720_574_976), ("gpt_oss", "20b", 20_914_757_184),
        ("llama4", "17bx16e_irope", 107_769_861_120),
    ],
)  # fmt: skip
def test_flavours_have_the_params_that_torchtitan_makes(
    name: str, flavor: str, params: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'[model]\nname = "{name}"\nflavor = "{flavor}"\n[training]\nsteps = 100\nseq_len = 4096\n'
    _, report = imported("x.toml", text, capsys, "--devices", "64")
    holds(report, {"params": params, "batch": 8 * 64 * 4096})


@pytest.mark.parametrize(
    ("name", "params"),
    [  # as litgpt 0.5.13 makes them: tables apart unless it is told to tie them
        ("tiny-llama-1.1b", 1_100_048_384), ("micro-llama-300M", 304_636_928), ("Llama-3.2-1B", 1_498_482_688),
        ("Gemma-2b", 3_030_460_416), ("gemma-2b", 3_030_460_416), ("OLMo-2-1124-7B", 7_298_617_344),
        ("falcon-7b", 7_217_189_760),
    ],
)  # fmt: skip
def test_a_model_by_its_name_in_litgpt(
    name: str, params: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = LITGPT.replace("pythia-14m", name)
    _, report = imported("pretrain.yaml", text, capsys)
    holds(report, {"params": params, "batch": 512 * 512})
    text = text.replace("max_norm: 1.0", "tie_embeddings: true") if name == "Llama-3.2-1B" else ""
    if text:
        _, report = imported("pretrain.yaml", text, capsys)
        holds(report, {"params": 1_235_814_400})


FINETUNE = """\
checkpoint_dir: checkpoints/meta-llama/Meta-Llama-3-8B
precision: bf16-true
quantize: bnb.nf4
devices: 4
lora_r: 8
lora_key: true
lora_projection: true
train:
  global_batch_size: 64
  micro_batch_size: 4
  lr_warmup_steps: 25
  epochs: 2
  max_seq_length: 512
  min_lr: 6.0e-05
optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.0002}}
"""


def test_a_length_in_epochs_is_of_data_that_is_to_be_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lora.yaml").write_text(FINETUNE, encoding="utf-8")
    assert main(["import-config", "lora.yaml"]) == 0
    shown = capsys.readouterr()
    assert "warning[E004] the length is 2 epochs" in shown.err and "are to be replaced" in shown.out
    assert main(["import-config", "lora.yaml", "--data", "50M tokens"]) == 0
    shown = capsys.readouterr()
    report = first_of("x.plan", Files({"x.plan": shown.out}), catalogue=LIBRARY)
    holds(report, {"tokens": 100e6, "batch": 64 * 512, "learning_rate": 2e-4, "steps@warmup": 25, "lora": 8})
    # Of what the file leaves out PyTorch's AdamW; its finetuning clips nothing, and falls to zero by whatever is said.
    holds(report, {"beta2": 0.999, "weight_decay": 0.01, "learning_rate.end@decay": 0})
    assert "litgpt's finetuning does not read it" in shown.out and "clip" not in shown.out
    assert shown.err == "" and "lora_on: attention" in shown.out and "frozen_bits: 4" in shown.out
    assert main(["import-config", "lora.yaml", "--data", "many"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_adapters_that_no_word_tells_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "lora.yaml").write_text(FINETUNE.replace("lora_projection", "lora_mlp"), encoding="utf-8")
    assert main(["import-config", "lora.yaml"]) == 0
    assert "the adapters are on key, mlp, query, value: the plan has them on `all`" in capsys.readouterr().out


def test_a_model_that_is_not_named_is_no_guess(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.yaml").write_text(LITGPT.replace("model_name: pythia-14m", "model_name:"), encoding="utf-8")
    assert main(["import-config", "x.yaml"]) == 1
    assert "`model_name` is not there" in capsys.readouterr().err


def test_the_names_of_forks_tell_the_same_mixture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """GLM-4.5-Air, whose 106B its authors publish, in the arguments of a fork that took the names of its config."""
    text = """\
NPUS=16
NODES=8
torchrun --nproc_per_node $NPUS --nnodes $NODES pretrain_gpt.py --first-k-dense-replace 1 --moe-layer-freq 1 \\
    --n-shared-experts 1 --num-experts 128 --moe-router-topk 8 --moe-ffn-hidden-size 1408 --swiglu --add-qkv-bias \\
    --moe-router-enable-expert-bias --num-layers 46 --hidden-size 4096 --ffn-hidden-size 10944 --bf16 \\
    --num-attention-heads 96 --group-query-attention --num-query-groups 8 --kv-channels 128 --disable-bias-linear \\
    --normalization RMSNorm --position-embedding-type rope --untie-embeddings-and-output-weights \\
    --padded-vocab-size 151552 --seq-length 4096 --global-batch-size 256 --micro-batch-size 1 --train-iters 2000
"""
    plan, report = imported("glm.sh", text, capsys)
    holds(report, {"params": 106_852_251_264, "steps": 2000, "batch": 256 * 4096})
    assert "# hardware: 128 x H100 for 30 days" in plan
