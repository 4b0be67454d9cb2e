"""`plan export`: what is written, what is refused, and what the tools themselves say of it."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tools import sbatch, told, validated

from runplan.cli.export.figures import in_yaml, number
from runplan.cli.export.formats import FORMATS
from runplan.cli.main import main

LLAMA = """\
plan "Eight billion"
hardware: 128 x H100 for 30 days at 40% MFU @ 2.50 USD/GPU/hour in nodes of 8
model: llama-3-8b
tokens: 200B
optimizer: AdamW { batch: 512 sequences; learning_rate: 3e-4; beta1: 0.9; beta2: 0.95; clip: 1.0 }
schedule: cosine
layout: tp 1, pp 1, cp 1, micro_batch 1 sequences, recompute full
"""
MIXED = """\
hardware: 128 x H100 for 30 days at 40% MFU in nodes of 8
model: llama-3-8b
tokens: 200B
data web: 400B tokens weight 80%
data code: 100B tokens weight 20%
layout: tp 2, pp 1, cp 1, micro_batch 1 sequences
"""


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    (tmp_path / "llama.plan").write_text(LLAMA, encoding="utf-8")
    (tmp_path / "mixed.plan").write_text(MIXED, encoding="utf-8")
    return tmp_path


def exported(plan: str, to: str, *more: str) -> dict[str, str]:
    """The files of an export that succeeds."""
    out = Path(f"out-{to}")
    assert main(["export", plan, "--to", to, "--out", f"{out}/", *more]) == 0
    return {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}


# ---- what is written


@pytest.mark.parametrize("to", FORMATS)
def test_each_format_says_what_it_is_and_where_from(to: str, plans: Path) -> None:
    text = "".join(exported("llama.plan", to, "--allow-loss").values())
    assert FORMATS[to].tool in text and "llama.plan (sha256 " in text
    assert "stated: gpus 128 GPU (line 2)" in text


def test_the_run_of_a_plan_in_whole_numbers(plans: Path) -> None:
    files = exported("llama.plan", "hf")
    arguments, config = json.loads(files["training_args.json"]), json.loads(files["config.json"])
    assert arguments["max_steps"] == 47_684  # 200B / (512 x 8,192), rounded up
    assert arguments["per_device_train_batch_size"] * arguments["gradient_accumulation_steps"] * 128 == 512
    assert arguments["learning_rate"] == 3e-4 and arguments["warmup_steps"] == 477
    assert config["num_key_value_heads"] == 8 and config["mlp_bias"] is False


def test_one_file_goes_to_standard_output(plans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "llama.plan", "--to", "hf-config"]) == 0
    assert json.loads(capsys.readouterr().out)["model_type"] == "llama"


def test_an_assumed_batch_is_made_whole_and_said(plans: Path) -> None:
    text = LLAMA.replace("batch: 512 sequences; ", "")
    (plans / "open.plan").write_text(text, encoding="utf-8")
    files = exported("open.plan", "hf")
    arguments = json.loads(files["training_args.json"])
    assert isinstance(arguments["gradient_accumulation_steps"], int)
    assert "assumed: batch 256 sequences" in files["runplan.json"]
    assert "made a multiple of 128" in files["runplan.json"]


# ---- what is refused


def test_what_has_no_place_is_refused_by_its_statement(plans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "mixed.plan", "--to", "hf", "--out", "out/"]) == 1
    said = capsys.readouterr()
    assert not (plans / "out").exists() and said.out == ""
    for part in ("E001", "the mix of the data, web 80%, code 20%", "mixed.plan:4:1", "the layout's tp 2"):
        assert part in said.err
    assert "schedule that is assumed" in said.err


@pytest.mark.parametrize("to", [name for name, one in FORMATS.items() if one.of == "run" and name != "hf-config"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("clip: 1.0 }", "clip: 1.0; lora: 16 }\nstart: checkpoint llama-3-8b"), "the adapters' `lora`"),
        (("model: llama-3-8b", "model: llama-3-8b { weight_bits: 4 }"), "`weight_bits` of training"),
        (("tp 1, pp 1", "tp 1, pp 2, interleave 2"), "the layout's `interleave`"),
    ],
)
def test_no_field_is_left_out_in_silence(
    to: str, change: tuple[str, str], said: str, plans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plans / "x.plan").write_text(LLAMA.replace(*change), encoding="utf-8")
    if to == "megatron" and "interleave" in said:
        assert "--num-virtual-stages-per-pipeline-rank 2" in exported("x.plan", to)["run.sh"]
        (plans / "x.plan").write_text(LLAMA.replace("tp 1, pp 1", "tp 1, pp 2, interleave 3"), encoding="utf-8")
        parts = "'Ettttt|ttttt|tttttt|tttttt|ttttt|tttttL'"  # 32 layers in six
        assert f"--pipeline-model-parallel-layout {parts}" in exported("x.plan", to)["run.sh"]
        return
    assert main(["export", "x.plan", "--to", to, "--out", "out/"]) == 1
    assert said in capsys.readouterr().err


def test_a_part_of_a_layer_that_is_computed_again_is_carried_or_said(
    plans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plans / "x.plan").write_text(LLAMA.replace("recompute full", "recompute selective"), encoding="utf-8")
    assert "--recompute-granularity selective" in exported("x.plan", "megatron")["run.sh"]
    for to in ("hf", "torchtitan", "torchtitan-0.2", "olmo-core", "nanotron", "litgpt", "deepspeed"):
        assert main(["export", "x.plan", "--to", to, "--out", "out/"]) == 1
        assert "computed again" in capsys.readouterr().err


def test_with_leave_the_rest_is_written_and_the_loss_said(plans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = exported("mixed.plan", "hf", "--allow-loss")
    assert "warning[E001]" in capsys.readouterr().err
    assert "not carried: the mix of the data, web 80%, code 20% (line 4)" in files["runplan.json"]


@pytest.mark.parametrize(
    ("text", "to", "said"),
    [
        ("hardware: 64 x H100 for 30 days", "hf", "needs the model's shape"),
        ("model: 7B\ntokens: 1T", "slurm", "needs the devices"),
        (LLAMA.replace("512 sequences", "500 sequences"), "hf", "a batch of 500 sequences"),
        (LLAMA.replace("for 30 days", "for 30 minutes"), "hf", "error["),
        ("plan !", "hf", "error[S001]"),
    ],
)
def test_what_cannot_be_told_is_no_guess(
    text: str, to: str, said: str, plans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plans / "x.plan").write_text(text, encoding="utf-8")
    assert main(["export", "x.plan", "--to", to, "--allow-loss"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == ""


def test_unknown_formats_and_stages(plans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "llama.plan", "--to", "slrum"]) == 2
    assert "did you mean `slurm`" in capsys.readouterr().err
    assert main(["export", "llama.plan"]) == 2
    assert main(["export", "llama.plan", "--to", "hf", "--stage", "x"]) == 2
    assert main(["export", "--list"]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == set(FORMATS)


def test_of_stages_one_is_written(plans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages = """\
model: llama-3-8b
optimizer: AdamW { batch: 512 sequences; learning_rate: 3e-4 }
stage pretrain { hardware: 128 x H100 for 30 days at 40% MFU; tokens: 100B; schedule: cosine }
stage long { hardware: 64 x H100 for 10 days at 40% MFU; tokens: 10B; schedule: cosine }
"""
    (plans / "s.plan").write_text(stages, encoding="utf-8")
    assert main(["export", "s.plan", "--to", "slurm"]) == 1
    assert "`--stage pretrain`" in capsys.readouterr().err
    assert main(["export", "s.plan", "--to", "slurm", "--stage", "long"]) == 0
    assert "--nodes=8\n" in capsys.readouterr().out
    transfer = "compute: 1e20 FLOP\nmodel: 85M\nobjective: transfer from CLM to MLM of protein\n"
    (plans / "t.plan").write_text(transfer, encoding="utf-8")
    assert main(["export", "t.plan", "--to", "slurm"]) == 1
    told = capsys.readouterr().err
    assert "`--stage pretrain`" in told and "t.plan:3" in told  # none is written, and the objective has two


def test_an_objective_is_that_of_the_class_or_lost(plans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = "hardware: 8 x H100 for 3 days\nmodel: esm2-650m\nobjective: MLM of protein\ntokens: 1B\nschedule: cosine\n"
    plan += "optimizer: AdamW { batch: 512 sequences; learning_rate: 1e-4 }\n"
    (plans / "esm.plan").write_text(plan, encoding="utf-8")
    files = exported("esm.plan", "hf", "--set", "layout=tp 1, pp 1, cp 1")
    assert json.loads(files["config.json"])["architectures"] == ["EsmForMaskedLM"]
    assert json.loads(files["training_args.json"])["output_dir"] == "esm"
    (plans / "gpt.plan").write_text(plan.replace("esm2-650m", "llama-3.2-1b").replace(" of protein", ""), "utf-8")
    assert main(["export", "gpt.plan", "--to", "hf-config"]) == 1
    assert "the objective, MLM: the shape is of a `LlamaForCausalLM`" in capsys.readouterr().err


# ---- figures


@given(st.one_of(st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_figure_reads_as_what_it_was(value: float) -> None:
    read = yaml.safe_load(number(value))
    assert read == value and type(read) is type(value)


_KEYS = st.text("abcxyz_-", min_size=1, max_size=5)
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text("aZ_ :#-'\"[]{}!,.\\", max_size=8))
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(_TREES)
def test_a_document_reads_as_what_it_was(tree: object) -> None:
    assert yaml.safe_load(in_yaml(tree)) == tree


# ---- by the tools themselves


def test_transformers_reads_both_files(plans: Path) -> None:
    files = exported("llama.plan", "hf")
    accepted, said = validated("hf", files, plans)
    assert accepted, said
    found = told(said)
    assert found["params"] == 8_030_261_248 and found["max_steps"] == 47_684 and found["warmup_steps"] == 477
    assert found["rates"] == pytest.approx([0.0, 1.0, 0.1])
    config = files["config.json"].replace('"hidden_size": 4096', '"hidden_size": "wide"')
    assert not validated("hf", {**files, "config.json": config}, plans)[0]
    arguments = files["training_args.json"].replace('"max_steps"', '"max_step"')
    assert not validated("hf", {**files, "training_args.json": arguments}, plans)[0]


PLAIN = LLAMA.replace("recompute full", "recompute none")
CUT = PLAIN.replace("tp 1, pp 1,", "tp 4, pp 2,")
# For each tool a plan, what it makes of the file, and what it refuses: a text of the file and another in its place.
TOOLS: list[tuple[str, str, dict[str, object], list[tuple[str, str]]]] = [
    ("torchtitan", CUT, {"params": 8_030_261_248, "steps": 47_684, "batch": 512, "warmup": 477, "rate": 3e-4, "tp": 4},
     [("seq_len", "seq_length"), ("decay_type=", "decay_kind="), ("hidden_dim", "width")]),
    ("litgpt", PLAIN, {"params": 8_030_261_248, "steps": 47_684, "batch": 512, "accumulate": 4, "rate": 3e-4},
     [("global_batch_size", "batch_size"), ("micro_batch_size: 1", "micro_batch_size: one")]),
    ("deepspeed", PLAIN, {"rates": pytest.approx([0.0, 3e-4, 3e-5], rel=1e-5), "stage": 3, "batch": 512},
     [('"stage": 3', '"stage": 7'), ('"gradient_accumulation_steps": 4', '"gradient_accumulation_steps": 5.5')]),
    ("megatron", CUT, {"layers": 32, "groups": 8, "rates": pytest.approx([0.0, 3e-4, 3e-5]),
                        "dropout": [0.0, 0.0], "copies": 16},
     [("--num-query-groups 8", "--num-query-groups 7"), ("--hidden-size", "--hidden-sizes"),
      ("--tensor-model-parallel-size 4", "--tensor-model-parallel-size 5")]),
    ("olmo-core", CUT, {"params": 8_030_261_248, "rates": pytest.approx([0.0, 3e-4, 3e-5]), "micro_batch": 8192},
     [('"d_model"', '"model_dim"'), ('"warmup": 477', '"warm_up": 477'), ('"degree": 4', '"degrees": 4')]),
    ("nanotron", CUT, {"steps": 47_684, "batch": 512, "decay": [477, 47_207], "tp": 4},
     [("train_steps", "steps"), ("decay_style: cosine", "decay_style: cosin"), ("zero_stage: 1", "zero_stage: one")]),
    ("skypilot", PLAIN, {"nodes": 16}, [("num_nodes: 16", "num_nodes: many"), ("resources:", "resource:")]),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "plan", "made", "refused"), TOOLS, ids=[row[0] for row in TOOLS])
def test_the_tool_takes_the_file(
    tool: str, plan: str, made: dict[str, object], refused: list[tuple[str, str]], plans: Path
) -> None:
    (plans / "p.plan").write_text(plan, encoding="utf-8")
    files = exported("p.plan", tool)
    accepted, said = validated(tool, files, plans)
    assert accepted, said
    assert told(said) == made
    ((name, text),) = files.items()
    for good, bad in refused:
        assert good in text
        assert not validated(tool, {name: text.replace(good, bad)}, plans)[0], bad


@pytest.mark.parametrize("to", ["torchtitan-0.2", "deepspeed"])
def test_what_is_written_parses(to: str, plans: Path) -> None:
    text = exported("llama.plan", to, "--allow-loss")[FORMATS[to].file]
    read = tomllib.loads(text) if to == "torchtitan-0.2" else json.loads(text)
    assert read["training"]["steps"] == 47_684 if to == "torchtitan-0.2" else read["train_batch_size"] == 512


def test_nanotron_carries_the_mix_of_each_phase(plans: Path) -> None:
    phases = (
        "phase warmup: 500 steps warmup\nphase stable: rest constant\n"
        "phase decay: 2000 steps linear mix web 30%, code 70%\n"
    )
    (plans / "p.plan").write_text(MIXED + phases, encoding="utf-8")
    read = yaml.safe_load(exported("p.plan", "nanotron")["nanotron.yaml"])
    stages, steps = read["data_stages"], read["tokens"]["train_steps"]
    assert [(stage["name"], stage["start_training_step"]) for stage in stages] == [
        ("warmup", 1),
        ("decay", steps - 2000 + 1),
    ]
    assert stages[1]["data"]["dataset"]["dataset_folder"] == ["data/web", "data/code"]
    assert stages[1]["data"]["dataset"]["dataset_weights"] == [0.3, 0.7]
    rates = read["optimizer"]["learning_rate_scheduler"]
    assert (rates["lr_warmup_steps"], rates["lr_decay_steps"], rates["lr_decay_style"]) == (500, 2000, "linear")
    assert rates["lr_decay_starting_step"] == steps - 2000 and rates["min_decay_lr"] == 0.0


@pytest.mark.parametrize(
    ("precision", "flags"),
    [("bf16", "--bf16"), ("fp16", "--fp16"), ("fp32", ""), ("fp8", "--bf16 --fp8-format hybrid")],
)
def test_megatron_computes_in_each_precision(
    precision: str, flags: str, plans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hardware = f"hardware=128 x H100 in {precision} for 300 days at 40% MFU in nodes of 8"
    text = exported("llama.plan", "megatron", "--set", hardware)["run.sh"]
    given = [line.strip() for line in text.splitlines() if re.match(r"  --(bf16|fp)", line)]
    assert " ".join(given) == flags
    capsys.readouterr()
    assert main(["import-config", "out-megatron/run.sh"]) == 0
    told = capsys.readouterr().out
    assert f"x H100 in {precision} for" in told if precision != "bf16" else "x H100 for" in told


def test_megatron_carries_the_mix_and_every_fall(plans: Path) -> None:
    text = exported("mixed.plan", "megatron")["run.sh"]
    assert "--data-path 0.8 ${DATA:-data}/web 0.2 ${DATA:-data}/code\n" in text
    assert "--lr-wsd-decay-style exponential\n" in text and "--tensor-model-parallel-size 2\n" in text


def test_kubernetes_takes_the_job(plans: Path) -> None:
    files = exported("llama.plan", "kubernetes")
    accepted, said = validated("kubernetes", files, plans)
    assert accepted, said
    for good, bad in (("completions: 16", "completions: many"), ("backoffLimit", "backofLimit")):
        assert not validated("kubernetes", {"job.yaml": files["job.yaml"].replace(good, bad)}, plans)[0]


def test_sbatch_takes_the_script(plans: Path) -> None:
    program, environment = sbatch()
    text = exported("llama.plan", "slurm")["run.sbatch"]
    configuration = ["ClusterName=c", "SlurmctldHost=nowhere.invalid", "AuthType=auth/none", "GresTypes=gpu"]
    configuration += ["NodeName=n[1-64] Gres=gpu:8", "PartitionName=p Nodes=ALL Default=YES", "MessageTimeout=1"]
    (plans / "slurm.conf").write_text("\n".join([*configuration, f"PluginDir={environment['PLUGINS']}", ""]), "utf-8")

    def said(script: str) -> str:
        (plans / "x.sbatch").write_text(script, encoding="utf-8")
        own = {**environment, "SLURM_CONF": str(plans / "slurm.conf")}
        command = [program, "--test-only", "x.sbatch"]
        return subprocess.run(command, capture_output=True, text=True, env=own, cwd=plans, check=False).stderr

    assert "allocation failure" in (good := said(text)), good  # it was read, and there is no cluster
    assert "unrecognized option" in said(text.replace("--gpus-per-node", "--gpus-per-nodes"))
    assert "Invalid --time" in said(text.replace("--time=30-00:00:00", "--time=a month"))
    assert "not a valid node count" in said(text.replace("--nodes=16", "--nodes=some"))
