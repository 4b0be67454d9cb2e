"""Shapes of published models: their params are counted to the last one, and a size beside is held to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

# What the authors' own checkpoints hold: https://huggingface.co, the total of each `model.safetensors.index.json`.
SHAPES = {
    "GPT-2": ("layers: 12; hidden: 768; heads: 12; ffn: 3072; vocab: 50257; tied: true; mlp: plain; biases: all;"
              " positions: 1024", 124_439_808),
    "GPT-2 XL": ("layers: 48; hidden: 1600; heads: 25; ffn: 6400; vocab: 50257; tied: 1; mlp: plain; biases: all;"
                 " positions: 1024", 1_557_611_200),
    "OPT-6.7B": ("layers: 32; hidden: 4096; heads: 32; ffn: 16384; vocab: 50272; tied: yes; mlp: plain; biases: true;"
                 " positions: 2050", 6_658_473_984),
    "Pythia-6.9B": ("layers: 32; hidden: 4096; heads: 32; ffn: 16384; vocab: 50432; mlp: plain; biases: all",
                    6_857_302_016),
    "MPT-7B": ("layers: 32; hidden: 4096; heads: 32; ffn: 16384; vocab: 50432; tied: true; mlp: plain", 6_649_286_656),
    "TinyLlama": ("layers: 22; hidden: 2048; heads: 32; kv_heads: 4; ffn: 5632; vocab: 32000", 1_100_048_384),
    "Llama 2 7B": ("layers: 32; hidden: 4096; heads: 32; ffn: 11008; vocab: 32000", 6_738_415_616),
    "Llama 2 13B": ("layers: 40; hidden: 5120; heads: 40; ffn: 13824; vocab: 32000; mlp: gated", 13_015_864_320),
    "Llama 2 70B": ("layers: 80; hidden: 8192; heads: 64; kv_heads: 8; ffn: 28672; vocab: 32000", 68_976_648_192),
    "Llama 3 8B": ("layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 128256", 8_030_261_248),
    "Llama 3 70B": ("layers: 80; hidden: 8192; heads: 64; kv_heads: 8; ffn: 28672; vocab: 128256", 70_553_706_496),
    "Llama 3 405B": ("layers: 126; hidden: 16384; heads: 128; kv_heads: 8; ffn: 53248; vocab: 128256",
                     405_853_388_800),
    "Mistral 7B": ("layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 32000", 7_241_732_096),
    "Qwen2.5-0.5B": ("layers: 24; hidden: 896; heads: 14; kv_heads: 2; ffn: 4864; vocab: 151936; tied: true;"
                     " biases: qkv", 494_032_768),
    "Qwen2.5-7B": ("layers: 28; hidden: 3584; heads: 28; kv_heads: 4; ffn: 18944; vocab: 152064; biases: qkv",
                   7_615_616_512),
    "Qwen3-0.6B": ("layers: 28; hidden: 1024; heads: 16; kv_heads: 8; head_dim: 128; ffn: 3072; vocab: 151936;"
                   " tied: true; qk_norm: true", 596_049_920),
    "Qwen3-4B": ("layers: 36; hidden: 2560; heads: 32; kv_heads: 8; head_dim: 128; ffn: 9728; vocab: 151936;"
                 " tied: true; qk_norm: yes", 4_022_468_096),
    "Gemma 7B": ("layers: 28; hidden: 3072; heads: 16; head_dim: 256; ffn: 24576; vocab: 256000; tied: true",
                 8_537_680_896),
}  # fmt: skip
LLAMA_2_7B = SHAPES["Llama 2 7B"][0]


def solved(text: str) -> Report:
    return report_of("x.plan", Buffer("x.plan", text.encode(), Disk(Path())), intervals=False)


def params(report: Report, name: str = "params") -> float:
    return next(value.value for key, value in report.solutions[0].values.items() if str(key) == name)


def said(report: Report, code: str) -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in report.findings if f.code == code]


@pytest.mark.parametrize("name", SHAPES)
def test_a_published_shape_counts_what_its_authors_publish(name: str) -> None:
    block, count = SHAPES[name]
    report = solved(f"model {{ {block} }}\ntokens: 100B\n")
    assert params(report) == pytest.approx(count, rel=1e-12)
    assert report.solutions[0].status == "solved"


@pytest.mark.parametrize("size", ["7B", "6.7B", "5B .. 8B", "at least 1B", "?"])
def test_a_size_that_a_shape_is_called_by_is_counted(size: str) -> None:
    report = solved(f"model {{ params: {size}; {LLAMA_2_7B} }}\ntokens: 100B\n")
    assert params(report) == pytest.approx(6_738_415_616, rel=1e-12)
    said_so = [("info", "the shape counts 6.738B params, the size beside it is 7B: what is counted is taken")]
    assert said(report, "C001") == (said_so if size == "7B" else [])


@pytest.mark.parametrize("size", ["70B", "1B .. 5B", "at least 8B", "up to 3B"])
def test_a_size_of_another_model_than_the_shape_contradicts_it(size: str) -> None:
    report = solved(f"model {{ params: {size}; {LLAMA_2_7B} }}\ntokens: 100B\n")
    assert said(report, "C001") == [("error", f"the shape counts 6.738B params, the size beside it is {size}")]


@pytest.mark.parametrize("head", ["model : 70B {", "model 70B {", "model: {params: 70B;", "model { params : 70B ;"])
def test_what_stands_beside_a_shape_is_written_otherwise_where_it_stands(head: str) -> None:
    (found,) = solved(f"{head} {LLAMA_2_7B} }}\ntokens: 100B\n").findings
    written = found.help[0].split("`")[1]
    assert written.startswith("params: ") == ("params" in head)
    text = found.at.span.source.text.replace("params : ", "params: ").replace(written.replace("6.738B", "70B"), written)
    assert written in text
    assert not said(solved(text), "C001"), text


def test_params_without_embeddings_are_those_of_the_shape() -> None:
    """`kaplan.joint` counts without embeddings: where the block tells these, no conversion is estimated."""
    counted = solved(f"use laws kaplan.joint\nmodel {{ {LLAMA_2_7B} }}\ntokens: 100B\n")
    stated = solved(
        "use laws kaplan.joint\nmodel { params: 6738415616; hidden: 4096; vocab: 32000; layers: 32 }\ntokens: 100B\n"
    )
    for report in (counted, stated):
        assert params(report, "params_non_embedding") == pytest.approx(6_738_415_616 - 2 * 32000 * 4096, rel=1e-12)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("hidden: 4096; heads: 33", "`heads: 33` does not go with `hidden: 4096`"),
        ("heads: 32; kv_heads: 64", "`kv_heads: 64` does not go with `heads: 32`"),
        ("heads: 32; kv_heads: 5", "`kv_heads: 5` does not go with `heads: 32`"),
        ("layers: 8; window: 512 tokens; global_layers: 16", "`global_layers: 16` does not go with `layers: 8`"),
        ("experts: 8; active_experts: 16", "`active_experts: 16` does not go with `experts: 8`"),
    ],
)
def test_what_no_layer_can_have_together_is_told(block: str, message: str) -> None:
    report = solved(f"model {{ params: 7B; {block} }}\ntokens: 100B\n")
    assert [m.startswith(message) for _, m in said(report, "C001")] == [True]


def test_heads_of_a_width_of_their_own_need_not_divide_the_width() -> None:
    assert said(solved("model { params: 3B; hidden: 2560; heads: 24; head_dim: 128 }\ntokens: 100B\n"), "C001") == []
