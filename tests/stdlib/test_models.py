"""Published models: each counts what its authors publish, and is found by the names that people write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.model_names import folded
from runplan.dsl.packs.standard import standard
from runplan.dsl.text.reader import Buffer, Disk, Files
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

LIBRARY = standard()
MODELS = {record.name: record for record in LIBRARY.records("model")}
# What is written with fewer digits than these is rounded, or said of what is called so.
ALL_DIGITS = 8
ROUNDED = 0.02


def solved(text: str, path: str = "x.plan") -> Report:
    return report_of(path, Buffer(path, text.encode(), Disk(Path())), catalogue=LIBRARY, intervals=False)


def at(report: Report, name: str) -> float:
    found = report.solutions[0].quantity(name)
    assert found is not None, name
    return found.value


def said(report: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(f.severity, f.message, tuple(f.help)) for f in report.findings if f.code in ("C001", "N002")]


def test_there_are_many() -> None:
    assert len(MODELS) >= 150


@pytest.mark.parametrize("name", MODELS)
def test_a_published_model_counts_what_its_authors_publish(name: str) -> None:
    record = MODELS[name]
    report = solved(f"model: {name}\ntokens: 100B\n")
    params = record.entry("params")
    assert params is not None and params.source and record.text("config")
    (stated,) = params.values
    assert isinstance(stated, Num)
    exact = sum(letter.isdigit() for letter in stated.text) >= ALL_DIGITS
    assert at(report, "params") == pytest.approx(stated.value, rel=0 if exact else ROUNDED, abs=0)
    active = record.figure("active")
    if active is not None:
        # Of what is active, some count the tables of embeddings, some one of them, and some none.
        tables = next(v.value for n, v in report.solutions[0].values.items() if str(n) == "embedding_params")
        counted = at(report, "active_params")
        assert (counted - tables) * (1 - ROUNDED) <= active <= counted * (1 + ROUNDED)
    assert said(report) == []


# To the last param, as the tensors of the published checkpoints have it.
EXACT = {
    "gpt2": 124_439_808,
    "gpt2-xl": 1_557_611_200,
    "gpt-j-6b": 6_050_882_784,
    "gpt-neox-20b": 20_554_567_680,
    "pythia-12b": 11_846_072_320,
    "opt-350m": 331_196_416,
    "bloom": 176_247_271_424,
    "mpt-7b": 6_649_286_656,
    "falcon-7b": 6_921_720_704,
    "llama-2-70b": 68_976_648_192,
    "llama-3.1-405b": 405_853_388_800,
    "llama-3.2-1b": 1_235_814_400,
    "mistral-nemo": 12_247_782_400,
    "mixtral-8x7b": 46_702_792_704,
    "mixtral-8x22b": 140_620_634_112,
    "Mixtral-8x22B-Instruct-v0.1": 140_630_071_296,
    "gemma-2-9b": 9_241_705_984,
    "gemma-3-1b": 999_885_952,
    "qwen1.5-moe-a2.7b": 14_315_784_192,
    "qwen2.5-7b": 7_615_616_512,
    "qwen3-235b-a22b": 235_093_634_560,
    "phi-2": 2_779_683_840,
    "olmo-7b": 6_888_095_744,
    "olmoe-1b-7b": 6_919_161_856,
    "deepseek-v2": 235_741_434_880,
    "deepseek-v3": 671_026_419_200,
    "gpt-oss-120b": 116_829_156_672,
    "dbrx": 131_596_523_520,
    "bert-base": 109_482_240,
    "modernbert-base": 149_655_232,
}
ACTIVE = {
    "mixtral-8x7b": 12_879_925_248,
    "deepseek-v3": 37_552_297_472,
    "qwen3-30b-a3b": 3_353_032_704,
    "llama-4-scout": 17_172_894_720,
    "gpt-oss-120b": 5_711_982_912,
}


def test_the_counts_that_decide_are_of_these_to_the_last_param() -> None:
    counted = {name: at(solved(f"model: {name}\ntokens: 100B\n"), "params") for name in EXACT}
    assert counted == EXACT
    assert {name: at(solved(f"model: {name}\ntokens: 100B\n"), "active_params") for name in ACTIVE} == ACTIVE


# ---- against a count that is written term by term

YES = st.sampled_from((0, 1))


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, int]:
    """Shapes of all kinds: grouped or latent attention, biases, norms, heads, experts."""
    kv, group, width = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(st.integers(4, 64))
    shape = {
        "layers": draw(st.integers(1, 40)), "hidden": draw(st.integers(8, 4096)), "heads": kv * group, "kv_heads": kv,
        "head_dim": width, "vocab": draw(st.integers(2, 300_000)), "ffn": draw(st.integers(8, 20_000)),
        "mlp": draw(st.sampled_from((2, 3))), "tied": draw(YES), "biases": draw(st.sampled_from((0, 1, 2))),
    }  # fmt: skip
    some = {
        "attention_biases": (0, 1, 2), "mlp_biases": (0, 1), "norm_biases": (0, 1), "norms": (0, 1, 2, 4),
        "final_norm": (0, 1), "embedding_norm": (0, 1), "positions": (0, 512, 2050), "segments": (0, 2),
        "head_bias": (0, 1), "masked_head": (0, 1), "pooler": (0, 1), "embedding_dim": (64, 512),
        "extra_params": (0, 661),
    }  # fmt: skip
    for name, values in some.items():
        if draw(st.booleans()):
            shape[name] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        shape |= {"kv_lora": draw(st.integers(8, 512)), "rope_dim": draw(st.integers(2, 64)), "kv_heads": kv * group}
        shape |= {"q_lora": draw(st.sampled_from((0, 64, 1536))), "v_head_dim": draw(st.integers(4, 64))}
    else:
        shape |= {"qk_norm": draw(st.sampled_from((0, 1, 2))), "sinks": draw(YES)}
    if draw(st.booleans()):
        experts = draw(st.integers(2, 256))
        shape |= {"experts": experts, "active_experts": draw(st.integers(1, experts))}
        shape |= {"expert_ffn": draw(st.integers(8, 4096)), "shared_experts": draw(st.integers(0, 2))}
        shape |= {"dense_layers": draw(st.integers(0, shape["layers"])), "router_biases": draw(YES)}
        shape |= {"shared_gate": draw(YES)}
    return shape


# What a field that is worded says.
WORDS = {
    "mlp": {2: "plain", 3: "gated"},
    "qk_norm": {0: "false", 1: "true", 2: "full"},
    "biases": {0: "none", 1: "qkv", 2: "all"},
    "attention_biases": {0: "none", 1: "qkv", 2: "all"},
}
SWITCHES = ("tied mlp_biases norm_biases final_norm embedding_norm head_bias masked_head pooler sinks router_biases"
            " shared_gate").split()  # fmt: skip


def written(shape: dict[str, int]) -> str:
    words = {name: {0: "false", 1: "true"} for name in SWITCHES} | WORDS
    words["extra_params"] = {count: f"{count} params" for count in (0, 661)}
    return "; ".join(f"{name}: {words[name][value] if name in words else value}" for name, value in shape.items())


def tensors(shape: dict[str, int], experts: int) -> int:
    """The sizes of all tensors of a model, one after the other, with so many experts a layer."""
    has = shape.get
    d, v, w = shape["hidden"], shape["vocab"], shape["head_dim"]
    heads, kv = shape["heads"], shape["kv_heads"]
    bias = has("attention_biases", shape["biases"])
    mlp_bias, norm_bias = (has(name, int(shape["biases"] == 2)) for name in ("mlp_biases", "norm_biases"))
    out: list[int] = []

    def linear(into: int, to: int, biased: int = 0) -> None:
        out.append(into * to)
        if biased:
            out.append(to)

    def norm(width: int, biased: int = norm_bias) -> None:
        out.extend([width] * (2 if biased else 1))

    def mlp(width: int) -> None:
        for _ in range(shape["mlp"] - 1):
            linear(d, width, mlp_bias)
        linear(width, d, mlp_bias)

    wide = has("embedding_dim", d)
    linear(v, wide)
    if not shape["tied"]:
        linear(wide, v)
    if wide != d:
        linear(wide, d)
        linear(d, wide)
    linear(has("positions", 0) + has("segments", 0), d)
    if has("embedding_norm"):
        norm(d)
    for layer in range(shape["layers"]):
        for _ in range(has("norms", 2)):
            norm(d)
        if "kv_lora" in shape:
            rank, rope, own = shape["kv_lora"], shape["rope_dim"], shape["v_head_dim"]
            if shape["q_lora"]:
                linear(d, shape["q_lora"])
                norm(shape["q_lora"], 0)
            linear(shape["q_lora"] or d, heads * (w + rope))
            linear(d, rank + rope)
            norm(rank, 0)
            linear(rank, heads * (w + own))
            linear(heads * own, d)
        else:
            linear(d, heads * w, bias)
            linear(d, kv * w, bias)
            linear(d, kv * w, bias)
            linear(heads * w, d, bias == 2)
            out.append(heads * has("sinks", 0))
            for count in (heads, kv) if has("qk_norm") else ():
                norm(w * (count if shape["qk_norm"] == 2 else 1))
        if "experts" in shape and layer >= shape["dense_layers"]:
            linear(d, shape["experts"], shape["router_biases"])
            for _ in range(experts + shape["shared_experts"]):
                mlp(shape["expert_ffn"])
            out.append(d * shape["shared_gate"])
        else:
            mlp(shape["ffn"])
    if has("final_norm", 1):
        norm(d)
    if has("masked_head"):
        linear(d, d, mlp_bias)
        norm(d)
    out.append(v * (has("masked_head", 0) + has("head_bias", 0)))
    if has("pooler"):
        linear(d, d, 1)
    out.append(has("extra_params", 0))
    return sum(out)


@settings(max_examples=120)
@given(shapes())
def test_a_shape_counts_the_sum_of_its_tensors(shape: dict[str, int]) -> None:
    report = solved(f"model {{ {written(shape)} }}\ntokens: 100B\n")
    assert [f.message for f in report.findings if f.code in ("C001", "C004", "U004", "N001")] == []
    assert at(report, "params") == tensors(shape, shape.get("experts", 0))
    if "experts" in shape:
        assert at(report, "active_params") == tensors(shape, shape["active_experts"])
    tables = shape.get("embedding_dim", shape["hidden"]) * shape["vocab"] * (1 if shape["tied"] else 2)
    tables += (shape.get("positions", 0) + shape.get("segments", 0)) * shape["hidden"]
    (solution,) = report.solutions
    body = next(v.value for n, v in solution.values.items() if str(n) == "params_non_embedding")
    assert body == at(report, "params") - tables


@pytest.mark.parametrize(
    ("block", "count"),
    [
        ("layers: 48; hidden: 1600; heads: 25; vocab: 50257; biases: yes; tied: yes; positions: 1024", 1_557_611_200),
        ("layers: 48; hidden: 7168; heads: 64; vocab: 50432; biases: no; tied: true", 29_957_200_896),
        (
            "layers: 70; hidden: 14336; heads: 112; vocab: 250880; biases: all; tied: true; embedding_norm: true",
            176_247_271_424,
        ),
    ],
)
def test_a_plain_mlp_without_a_width_is_of_four_times_the_models(block: str, count: int) -> None:
    yaml = "model:\n  mlp: plain\n" + "".join(f"  {line.strip()}\n" for line in block.split(";"))
    for report in (
        solved(f"model {{ mlp: plain; {block} }}\ntokens: 1T\n"),
        solved(f"{yaml}tokens: 1T\n", "x.plan.yaml"),
    ):
        assert at(report, "params") == count
        assert [a.name.text for a in report.assumptions if "four times" in a.source] == ["ffn"]
        assert said(report) == []


@pytest.mark.parametrize("said", ["gated", "swiglu", "SwiGLU", "GeGLU"])
def test_a_gated_mlp_goes_by_its_activation_too(said: str) -> None:
    block = f"layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 128256; mlp: {said}"
    assert at(solved(f"model {{ {block} }}\ntokens: 1T\n"), "params") == 8_030_261_248


def test_no_width_is_assumed_beside_a_stated_size() -> None:
    report = solved(
        "model { params: 20B; layers: 48; hidden: 7168; heads: 64; vocab: 50432; mlp: plain }\ntokens: 1T\n"
    )
    assert at(report, "params") == 20e9
    assert said(report) == []


# ---- names


@pytest.mark.parametrize(
    "name",
    ["llama-3-8b", "Llama-3-8B", "LLAMA 3 8B", "llama3-8b", "meta-llama/Meta-Llama-3-8B", '"Llama 3 8B"', "llama_3_8b"],
)
def test_a_model_is_found_by_the_names_that_people_write(name: str) -> None:
    text = f"model: {name}\ntokens: 100B\n"
    for report in (solved(text), solved(text, "x.plan.yaml")):
        assert at(report, "params") == 8_030_261_248
        assert said(report) == []


@pytest.mark.parametrize("name", MODELS)
def test_each_spelling_leads_to_its_model(name: str) -> None:
    record = MODELS[name]
    for spelled in (record.name, *record.aliases, record.name.replace("-", " "), record.name.upper()):
        found = LIBRARY.model(spelled)
        assert found is not None and found.name == name, spelled


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"),
        ("google/gemma-2-9b-it", "gemma-2-9b"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "mixtral-8x22b-instruct"),  # of a larger vocabulary
        ("deepseek-ai/deepseek-llm-7b-chat", "deepseek-llm-7b"),
    ],
)
def test_what_is_tuned_of_a_model_has_its_shape(name: str, shape: str) -> None:
    found = LIBRARY.model(name)
    assert found is not None and found.name == shape


def test_no_two_models_have_one_name() -> None:
    names = [folded(spelled) for r in MODELS.values() for spelled in {folded(n) for n in (r.name, *r.aliases)}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("lama-3-8b", "did you mean `llama-3-8b`?"),
        ("qwen2.5-7", "did you mean `qwen2.5-7b`?"),
        ("llama-3-9b", "write the size, `9B`, or a block with the shape: `layers`, `hidden`, `ffn` and so on"),
        ("mixtral", "name one of them: `mixtral-8x22b`, `mixtral-8x22b-instruct`, `mixtral-8x7b`"),
        ("gpt-neox", "name one of them: `gpt-neox-20b`"),
        ("Llama 3 81B", "write the size, `81B`, or a block with the shape: `layers`, `hidden`, `ffn` and so on"),
    ],
)
def test_a_name_that_no_model_has_is_told_and_never_another_size_taken(name: str, help: str) -> None:
    for path in ("x.plan", "x.plan.yaml"):
        report = solved(f"model: {name}\ntokens: 100B\n", path)
        assert said(report) == [("error", f"unknown model `{name}`", (help,))]


def test_a_figure_beside_the_name_stands_in_place_of_the_models() -> None:
    dsl = solved("model: llama-3-8b { context: 32768 tokens }\ntokens: 100B\n")
    yaml = solved("model:\n  name: llama-3-8b\n  context: 32768 tokens\ntokens: 100B\n", "x.plan.yaml")
    block = solved("model { name: llama-3-8b; context: 32768 tokens }\ntokens: 100B\n")
    for report in (dsl, yaml, block):
        assert at(report, "params") == 8_030_261_248
        assert at(report, "attention_compute") == pytest.approx(6 * 32 * 4096 * 32768 * 1e11)
    deeper = solved("model: llama-3-8b { layers: 40 }\ntokens: 100B\n")
    assert at(deeper, "params") == 8_030_261_248 + 8 * (2 * 4096 * 128 * 40 + 3 * 4096 * 14336 + 2 * 4096)


def test_a_size_beside_a_checkpoint_is_told_where_it_stands() -> None:
    plan = "start: checkpoint llama-3-8b\nmodel: {}\ndata: 2B tokens\nhardware: 8 x H100 for ?\n"
    (found,) = [f for f in solved(plan.format("7B")).findings if f.code == "C001"]
    assert found.help[0] == "write `model: 8.03B`, or leave `model` out"
    assert not [f for f in solved(plan.format("8.03B")).findings if f.code == "C001"]


def test_a_size_beside_the_name_is_held_to_the_shape() -> None:
    report = solved("model: llama-3-8b { params: 70B }\ntokens: 100B\n")
    assert [message for _, message, _ in said(report)] == ["the shape counts 8.03B params, the size beside it is 70B"]


@pytest.mark.parametrize("text", ["llama-3-8b, 3B active", "llama-3-8b { active: 3B }"])
def test_a_dense_model_has_no_active_size_of_its_own(text: str) -> None:
    assert [found[:2] for found in said(solved(f"model: {text}\ntokens: 100B\n"))] == [
        ("error", "`llama-3-8b` has no experts: a token passes all of it")
    ]
    assert said(solved("model: mixtral-8x7b, 12.9B active\ntokens: 100B\n")) == []


def test_a_name_beside_a_name_is_said_twice() -> None:
    report = solved("model: llama-3-8b { name: qwen3-4b }\ntokens: 100B\n")
    assert [f.code for f in report.findings] == ["N005"]


def test_a_size_may_have_a_block_beside_it() -> None:
    report = solved("model: 7B { context: 4096 tokens }\ntokens: 100B\n")
    assert at(report, "params") == 7e9


def test_the_report_says_which_shape_was_taken_and_from_where() -> None:
    report = solved("model: Llama 3 8B\ntokens: 100B\n")
    (named,) = [a for a in report.assumptions if str(a.name) == "model"]
    assert named.value == "llama-3-8b" and "config.json" in named.source
    assert named.span is not None and named.span.source.path == "stdlib/models/llama-3.plan"
    layers = next(v for n, v in report.solutions[0].values.items() if str(n) == "layers")
    assert layers.kind == "given" and "config.json" in layers.source


OWN = """\
model acme-2b aliases "Acme 2" "Acme 2B" {
  config "our repository, models/2b.json"
  layers 24; hidden 2048; heads 16; ffn 8192; vocab 50304; mlp "plain"; tied "true"
  params 1.31B from "ourselves"
}
"""


def test_a_model_of_ones_own_is_named_as_one_of_the_library() -> None:
    count = 24 * (4 * 2048**2 + 2 * 2048 * 8192 + 2 * 2048) + 2048 + 50304 * 2048
    beside = solved(OWN + "model: Acme 2\ntokens: 100B\n")
    files = Files({"acme.plan": OWN, "x.plan": 'import "acme.plan"\nmodel: acme-2b\ntokens: 100B\n'})
    imported = report_of("x.plan", files, catalogue=LIBRARY, intervals=False)
    for report in (beside, imported):
        assert at(report, "params") == count
        assert said(report) == []


# ---- a mixture by its block


def test_experts_of_a_block_count_all_and_the_active_follow() -> None:
    block = "layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 32000; experts: 8; active_experts: 2"
    report = solved(f"hardware: 64 x H100 for ? at 40% MFU\nmodel {{ {block} }}\ntokens: 1T\n")
    assert (at(report, "params"), at(report, "active_params")) == (46_702_792_704, 12_879_925_248)
    assert at(report, "compute") == pytest.approx(6 * 12_879_925_248 * 1e12, rel=1e-12)


@pytest.mark.parametrize(
    ("sizes", "severity"),
    [
        ("params: 46.7B; active: 12.9B", None),
        ("params: 47B; active: 13B", None),
        ("params: 46.7B; active: 8B", "error"),
    ],
)
def test_an_active_size_is_held_to_the_shape_too(sizes: str, severity: str | None) -> None:
    block = "layers: 32; hidden: 4096; heads: 32; kv_heads: 8; ffn: 14336; vocab: 32000; experts: 8; active_experts: 2"
    found = said(solved(f"model {{ {sizes}; {block} }}\ntokens: 1T\n"))
    assert [each[0] for each in found] == ([severity] if severity else [])
    if severity:
        assert found[0][1] == "the shape counts 12.88B params, the active size beside it is 8B"
