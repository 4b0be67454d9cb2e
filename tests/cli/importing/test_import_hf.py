"""`plan import-config` of the files of Hugging Face: exact params, the same run, and nothing dropped in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from known import LIBRARY

from runplan.cli.export.formats import FORMATS
from runplan.cli.export.solved import Solved, training_of
from runplan.cli.importing.formats import read
from runplan.cli.importing.plan_text import plan_of
from runplan.cli.main import main
from runplan.dsl.dataclass import replace
from runplan.dsl.expr.name import quantity
from runplan.dsl.text.reader import Files
from runplan.engine.pipeline import first_of
from runplan.engine.report import Report

FACTS = json.loads((Path(__file__).parents[2] / "facts" / "hf_configs.json").read_text("utf-8"))["cases"]
LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536,
    "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152,
    "tie_word_embeddings": True, "max_position_embeddings": 8192, "rope_theta": 100000, "rms_norm_eps": 1e-5,
}  # fmt: skip
ARGUMENTS = {
    "output_dir": "runs/small", "per_device_train_batch_size": 4, "gradient_accumulation_steps": 8, "max_steps": 20_000,
    "learning_rate": 0.003, "warmup_steps": 1000, "lr_scheduler_type": "cosine_with_min_lr",
    "lr_scheduler_kwargs": {"min_lr_rate": 0.05}, "weight_decay": 0.01, "bf16": True, "gradient_checkpointing": True,
    "logging_steps": 10,
}  # fmt: skip


def solved(text: str) -> Report:
    return first_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY)


def figure(report: Report, name: str) -> float:
    return report.solutions[0].values[quantity(name)].value


@pytest.mark.parametrize("case", FACTS, ids=lambda case: str(case["config"].get("architectures", [""])[0]))
def test_the_params_are_those_of_the_model_itself(case: dict[str, Any]) -> None:
    shape = replace(read("config.json", case["config"], "x"), length="1T")  # a length that is stated is solved at once
    assert round(figure(solved(plan_of(shape)), "params")) == case["params"]


@pytest.mark.parametrize("name", [record.name for record in LIBRARY.records("model")][::6])
def test_a_model_of_the_library_comes_back_from_its_config(name: str) -> None:
    report = solved(f'model: "{name}"\ntokens: 1T\n')
    assert report.plan is not None
    run, _ = training_of(Solved(report, report.plan, report.solutions[0], LIBRARY))
    written = FORMATS["hf-config"].write(run)
    if written.lost:
        pytest.skip("no architecture of transformers that is written has this shape")
    again = solved(plan_of(read("config.json", json.loads(written.files["config.json"]), name)))
    assert round(figure(again, "params")) == run.params


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runplan.toml").touch()
    (tmp_path / "config.json").write_text(json.dumps(LLAMA), "utf-8")
    (tmp_path / "training_args.json").write_text(json.dumps(ARGUMENTS), "utf-8")
    return tmp_path


def test_both_files_are_one_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-config", ".", "--hardware", "64 x H100 for 30 days"]) == 0
    text = capsys.readouterr().out
    report = solved(text)
    wanted = {"params": 134_515_008, "batch": 64 * 32 * 8192, "learning_rate": 0.003, "weight_decay": 0.01,
              "steps": 20_000, "micro_batch": 4, "accumulate": 8}  # fmt: skip
    for name, value in wanted.items():
        assert figure(report, name) == pytest.approx(value), name
    values = report.solutions[0].values
    assert values[quantity("steps").of("phase", "warmup")].value == pytest.approx(1000)
    assert values[quantity("learning_rate.end").of("phase", "decay")].value == pytest.approx(0.003 * 0.05)
    for left in ("rope_theta: 100000", "rms_norm_eps: 1e-05", "logging_steps: 10"):
        assert f"#   {left}\n" in text


def test_the_longest_sequence_is_not_that_of_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-config", "config.json"]) == 0
    shown = capsys.readouterr()
    assert "context:" not in shown.out and "at most 8192 tokens" in shown.out and shown.err == ""
    assert main(["import-config", ".", "--devices", "2"]) == 0
    shown = capsys.readouterr()
    assert "warning[E004]" in shown.err and "the longest of the model, 8192 tokens" in shown.err
    assert figure(solved(shown.out), "batch") == 2 * 32 * 8192 and "`context` is assumed" in shown.out
    assert main(["import-config", ".", "--devices", "2", "--sequence", "2048"]) == 0
    shown = capsys.readouterr()
    assert figure(solved(shown.out), "batch") == 2 * 32 * 2048 and shown.err == "" and "assumed" not in shown.out
    assert main(["import-config", ".", "--sequence", "0"]) == 2


def test_what_the_file_leaves_out_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34}
    outer = {"model_type": "gemma3", "text_config": inner, "vision_config": {"hidden_size": 1152}}
    (folder / "config.json").write_text(json.dumps(outer), "utf-8")
    assert main(["import-config", "config.json"]) == 0
    text = capsys.readouterr().out
    assert figure(solved(text), "params") == 3_880_263_168
    said = " ".join(text.replace("#", "").split())
    assert "has as a default: num_attention_heads 8, num_key_value_heads 4, head_dim 256" in said
    assert "the language model of `gemma3` alone" in said and "vision_config.hidden_size: 1152" in said


def test_what_comes_out_passes_a_check_at_once(folder: Path) -> None:
    assert main(["import-config", "config.json", "--out", "a.plan"]) == 0
    assert main(["import-config", "config.json", "training_args.json", "--out", "b.plan"]) == 0
    assert main(["check", "a.plan", "b.plan"]) == 0


@pytest.mark.parametrize("kind", ["qwen3_moe", "mixtral", "gpt2", "bert", "modernbert", "gemma2", "falcon"])
def test_a_shape_alone_passes_a_check_at_once(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = next(one for one in FACTS if one["config"]["model_type"] == kind)
    (folder / "config.json").write_text(json.dumps(case["config"]), "utf-8")
    assert main(["import-config", "config.json"]) == 0, capsys.readouterr().err


def test_yaml_has_figures_as_people_write_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "args.yaml").write_text("learning_rate: 3e-4\nmax_steps: 100\nlr_scheduler_type: linear\noutput_dir: x\n")
    assert main(["import-config", "args.yaml", "config.json"]) == 0
    assert "learning_rate: 0.0003" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "t5"}, "no place in a plan: it has an encoder and a decoder"),
        ({"model_type": "bart"}, "an encoder and a decoder"),
        ({"model_type": "jamba"}, "keep a state"),
        ({"model_type": "albert"}, "share their weights"),
        ({"is_encoder_decoder": True}, "an encoder and a decoder"),
        ({"model_type": "lama"}, "did you mean `llama`"),
        ({"hidden_size": None}, "`hidden_size` is not there"),
        ({"num_hidden_layers": 2.5}, "is to be a whole number"),
        ({"vocab_size": "many"}, "is to be a number"),
        ({"layer_types": ["conv"], "model_type": "olmo2"}, "layers of kind `conv`"),
    ],
)
def test_what_is_not_known_is_no_guess(
    change: dict[str, object], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.json").write_text(json.dumps(LLAMA | change), "utf-8")
    assert main(["import-config", "config.json"]) == 1
    shown = capsys.readouterr()
    assert said in shown.err and "error[E003]" in shown.err and shown.out == ""


@pytest.mark.parametrize("text", ['{"a": ', '{"a": NaN}', "[1]", '{"a": 1, "a": 2}', "{}", "", "[" * 5000, "a: &x 1\n"])
def test_what_is_no_configuration_is_said(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.json").write_text(text)
    (folder / "x.yaml").write_text(text)
    assert main(["import-config", "x.json"]) == 1
    assert main(["import-config", "x.yaml"]) == 1
    assert "error[E003]" in capsys.readouterr().err


def test_a_run_comes_back_as_it_was_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.plan").write_text(
        "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: llama-3-8b\ntokens: 12345 steps\n"
        "optimizer: AdamW { batch: 512 sequences; learning_rate: 2.5e-4; beta2: 0.95; weight_decay: 0.1; clip: 1.0 }\n"
        "phase warmup: 500 steps warmup\nphase stable: rest constant\nphase decay: 2000 steps linear\n"
        "layout: tp 1, pp 1, cp 1, micro_batch 2 sequences, recompute full\n",
        "utf-8",
    )
    assert main(["export", "a.plan", "--to", "hf", "--out", "out/"]) == 0
    capsys.readouterr()
    assert main(["import-config", "out", "--hardware", "64 x H100 for 30 days at 40% MFU"]) == 0
    there, back = (solved(text) for text in ((folder / "a.plan").read_text("utf-8"), capsys.readouterr().out))
    for name in ("params", "tokens", "steps", "batch", "learning_rate", "beta2", "weight_decay", "clip", "micro_batch"):
        assert figure(back, name) == pytest.approx(figure(there, name)), name
    for phase in ("warmup", "stable", "decay"):
        steps = quantity("steps").of("phase", phase)
        assert back.solutions[0].values[steps].value == pytest.approx(there.solutions[0].values[steps].value)
