"""What stops a first-time user: forms that are taken, and mistakes whose help, pasted, leads to a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.plan.ir import Plan
from runplan.dsl.plan.lower import lower
from runplan.dsl.syntax.imports import read_file
from runplan.dsl.text.elsewhere import FIELDS
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Buffer, Disk, Files
from runplan.engine.pipeline import report_of

HARDWARE = "hardware: 64 x H100 for 30 days at 40% MFU\n"


def read(text: str, name: str = "x.plan") -> tuple[Plan | None, list[Finding]]:
    """What a text says, and all that is wrong with it before anything is solved."""
    file, findings = read_file(name, Files({name: text}))
    lowered = lower(file, LIBRARY.vocabulary())
    later = [f for f in lowered.findings if f.severity == "error" and not (f.code == "S006" and findings)]
    return lowered.plan, [*findings, *later]


@pytest.mark.parametrize(
    ("taken", "same"),
    [
        ("laws: chinchilla, llama3", "use laws chinchilla, llama3"),
        ("laws chinchilla", "use laws chinchilla"),
        ("use laws: chinchilla", "use laws chinchilla"),
        ("model: { params: 8B, layers: 32 }", "model: { params: 8B; layers: 32 }"),
        ("model: {\n  params: 8B,\n  layers: 32,\n}", "model: {\n  params: 8B\n  layers: 32\n}"),
        ("optimizer: AdamW { beta1: 0.9, beta2: 0.95 }", "optimizer: AdamW { beta1: 0.9; beta2: 0.95 }"),
        ("model: { params: 8B; tied: 1 }", "model: { params: 8B; tied: true }"),
        ("model: { params: 8B; tied: 0 }", "model: { params: 8B; tied: no }"),
    ],
)
def test_what_people_write_is_taken(taken: str, same: str) -> None:
    found, findings = read(HARDWARE + taken + "\n")
    assert findings == []
    one, other = found, read(HARDWARE + same + "\n")[0]
    assert one is not None and other is not None
    assert (one.laws, one.optimizer) == (other.laws, other.optimizer)
    of_one, of_other = one.model, other.model
    assert (of_one is None) == (of_other is None)
    if of_one is not None and of_other is not None:
        assert of_one.params == of_other.params
        assert [(k, getattr(v, "value", v)) for k, v in of_one.architecture.items()] == [
            (k, getattr(v, "value", v)) for k, v in of_other.architecture.items()
        ]


def test_a_block_of_hardware_may_have_commas() -> None:
    commas = read("hardware: { gpus: 64, device: H100, time: 30 days, mfu: 40% }\n")
    assert commas[1] == [] and commas[0] == read("hardware: { gpus: 64; device: H100; time: 30 days; mfu: 40% }\n")[0]


def test_for_may_be_left_out_beside_both_dates() -> None:
    plan, findings = read("hardware: 64 x H100 at 40% MFU from 2026-01-01 until 2026-02-01\n")
    assert findings == [] and plan is not None
    assert "time" not in plan.stages[0].hardware[0].figures
    for text in ("hardware: 64 x H100\n", "hardware: 64 x H100 at 40% MFU from 2026-01-01\n"):
        assert [f.message for f in read(text)[1]] == ["for how long is not said"]


# ---- mistakes, and their help

# One mistake each, on the line that is marked with `<`; where none is, on the last one.
LINES = [
    "law: chinchilla",
    "use chinchilla",
    "use law chinchilla, llama3",
    "tokens: 300 billion",
    "data: 3 trillion tokens",
    "tokens: 1,000,000,000",
    "tokens: 2 T",
    "tokens: 2t",
    "tokens = 2T",
    "tokens: 2T-3T",
    "tokens: 1T to 2T",
    "tokens: <= 2T",
    "tokens: ~2T",
    "budget: 2M USD",
    "cost <= 2M USD",
    "loss < 2.1",
    "max_cost: 2M USD",
    "max_time: 20 days",
    "duration: 30 days",
    "constraints: cost <= 2M USD",
    "lr: 3e-4",
    "learning-rate: 3e-4",
    "seq_len: 4096",
    "batch_size: 4M",
    "num_layers: 32",
    "hidden_size: 4096",
    "dataset: 2T tokens",
    "train_tokens: 2T",
    "optim: adamw",
    "goal: minimize loss",
    "objective: minimize loss",
    "objective: causal language modeling",
    "objective: pretraining",
    "minimise loss",
    "minimize the loss",
    "minimize: lost",
    "model: Lama-3-8B",
    "model: 7b",
    "model: 7 billion",
    "model: 7B parameters, 32 layers",
    "model: { params: 7B; n_layers: 32 }",
    "model: { params: 7B; max_position_embeddings: 4096 tokens }",
    "model: { params: 7B; tied: maybe }",
    "model: { params: 7B; hidden: 4096; heads: 33 }",
    "model: { params: 7B; heads: 32; kv_heads: 64 }",
    "model: { vocab: 32,000; params: 7B }",
    "optimizer: AdamW { lr: 3e-4 }",
    "optimizer: AdamW { beta2: 95 }",
    "data web: 200B",
    "data web 2T tokens",
    "data: web 2T tokens",
    "data web: 2T tokens 2 epochs",
    "data web: 2T tokens, 100%",
    "data web: 2T tokens weight 100",
    "require cost < $2M",
    "require cost => 2M USD",
    "require time <= 30",
    "require finish <= 2026/02/01",
    "require loss is below 2",
    "require the loss <= 2",
    "require cost <= 2M USD because too much",
    "require ppl <= 8",
    "require tokens >= 1T and loss",
    "require time <= 1 month and 3 days",
    "require tokens per param >= 20",
    "model: 671B params (37B active)",
    "let my budget = 3M USD",
    "let x := 3",
    "base_model: llama-3-8b",
    'from_pretrained: "meta-llama/Meta-Llama-3-8B"',
    "start: llama-3-8b",
    "start: chekpoint",
    "schedule: cosine with warmup",
    "schedule: wds",
    "plan Title",
    "reserve: 15",
    "compute: 3640 petaflop/s-days",
    "compute: 3640 PFLOP-days",
    "compute: 1e24 FLOPs",
    "// a comment",
    "hardware: 64 H100 for 30 days",
    "hardware: 64 x H100 at 40% MFU for 30 days",
    "hardware: 64 x H100 in fp8 @ 2 USD/GPU/hour at 40% MFU for up to 3 months in nodes of 8",
    "hardware: 64x H100 30 days",
    "hardware: H100 x 64 for 30 days",
    "hardware: 64 x H100s for 30 days",
    "hardware: 8 nodes x 8 H100 for 30 days",
    "hardware: 8 x A100 80GB for 30 days",
    "hardware: 64 x H100",
    "hardware: 64 x H100 for 6mo",
    "hardware: 64 x H100 for a month",
    "hardware: 64 x H100, 30 days",
    "hardware: 64*8 x H100 for 30 days",
    "hardware: 8 x 8 x H100 for 30 days",
    "hardware: 64 x H100 for 30 days in bf16",
    "hardware: 64 x H100 for 30 days @ 2 USD per hour",
    "hardware: 64 x H100 for 30 days at 40% MFU, 2 USD/GPU/hour",
    "hardware: 64 x H100 for 1 month and 3 days",
    "hardware: 64 x H100 for 30 days at 40%",
    "hardware: 64 x H100 for 30 days at 40% mfu",
    "hardware: 64 x H100 for 30 days mfu 40%",
    "hardware: 64 x H100 for 30 days with 40% MFU",
    "hardware: 64 x H100 for 30 days @ 1.80",
    "hardware: 64 x H100 for 30 days @ $1.80/h",
    "hardware: 64 x H100 for 30 days // half the cluster",
    "hardware: 64 x H100 for 30 days at 40% MFU availability 90%",
    "hardware: 64 x H100 for 30 days pue 1.2",
    "accelerators: 64 x H100 for 30 days",
    "gpus: 64",
    "hardware { gpus: 64; device: H100; duration: 30 days }",
    "hardware { gpus: 64; gpu: H100; time: 30 days }",
    "hardware { gpus: 64; device: H100; time: 30 days; mfu: 40%; rate: 400 TFLOP/s }",
    "hardware { gpus: 64; device: H100; time: 30 }",
    "hardware { gpus: 64; device: H100; time: 30 days; mfu: 40 }",
    "hardware: 64 x H100 for 30 days at MFU 0.4",
    "hardware: 64 x H100 for 30 days at 40% MFU @ 2.5 $/h",
    "hardware: 64 x H100 for 30 days at 40% MFU at 2.5 USD/GPU/hour",
    "hardware: 64 x H100 for 30 days at 2.5 USD/hour",
    "hardware: 64 x H100 for 30 days at 40% MFU price 2.5 USD/GPU/hour",
    "hardware: 64 x H100 for 30 days at 40% MFU @ 2,50 EUR/GPU/hour",
    "hardware: 64 x H100 for 30 days at 40% MFU from 1 Feb 2026",
    "hardware: 64 x H100 for 30 days at 40% MFU from 2026-2-1",
    "hardware: 64 x H100 for 30 days at 40% MFU from 2026-02-30",
    "hardware: 64 x H100 for 30 days at 40% MFU starting 2026-02-01",
    "hardware: 64 x H100 at 40% MFU from 2026-02-01 to 2026-03-01",
    "hardware: for 30 days 64 x H100",
    "hardware: 64 H100 GPUs for 30 days",
    "hardware: 64 gpus H100 for 30 days",
    "hardware: 64 X H100 for 30 days",
    "hardware: 64 * H100 for 30 days",
    "hardware: 64 x H10 for 30 days",
    "hardware: 64 x H100 for thirty days",
    "hardware: max 64 x H100 for 30 days",
    "hardware: 64 x H100 for at most 30 days",
    "hardware: 64 x H100 for ~30 days",
    "hardware: 64 x H100 and 32 x A100 for 30 days",
    "hardware: 64 x H100 bf16 for 30 days",
    "hardware: 64 x H100 for 30 days with 8 per node",
    "hardware: 1.5M gpu hours of H100",
    "hardware: 1.5M H100-hours",
    "hardware: 64 x H100 for 30 days at 40% MFU at 90% availability",
    "hardware { gpus 64; device H100; time 30 days }",
    "hardware { gpus = 64; device = H100; time = 30 days }",
    "hardware { gpu: 64; device: H100; time: 30 days }",
    "hardware { gpus: 64, device: H100, time: 30 days, mfu: 40%",
    "tokens: 50000 iterations",
    "tokens: 3 passes",
    "tokens: auto",
    "tokens: 20 per param",
    "tokens: max 2T",
    "tokens: [1T, 2T]",
    "tokens; 2T",
    "model: lama 3 8b",
    "model { layers = 32, hidden = 4096 }",
    "objective: transfer CLM to MLM",
    "objective: span corruption",
    "optimizer: Muon, batch 4M",
    "optimizer: AdamW(lr=3e-4)",
    "layout: tp <= 2, dp ?",
    "layout: tp=2, dp=?",
    "layout: { tp: 2; pp: 4 }",
    "optimizer: AdamW { lora: rank 16 }",
    "optimizer: lora rank 16",
    "optimizer: LoRA r=16",
    "optimizer: AdamW 8bit",
    "optimizer: AdamW, lr 3e-4, batch 4M tokens",
    "layout: zero 3",
    "layout: fsdp",
    "layout: megatron",
    "layout: tp 8 pp 2",
    "layout: TP=8 x PP=2 x DP=4",
    "lora: 16",
    "tp: 8",
    "zero_stage: 3",
    "gradient_accumulation_steps: 8",
    "gradient_checkpointing: true",
    "micro_batch_size: 2",
    "optimizer { learning_rate: 3e-4 }",
    "optimizer: AdamW { betas: [0.9, 0.95] }",
    "schedule: WSD with 10% decay",
    "phase warmup: 2000 steps",
    "phase warmup: warmup 1%",
    "phase: 10% linear",
    "data web: 10T tokens for 4 epochs",
    "data web: 10T tokens x 4",
    "data web: 10T tokens high quality",
    "data web: 60%",
    "data web = 10T tokens",
    "data my web: 10T tokens",
    "data: { web: 10T tokens }",
    "require cost <= USD 2M",
    "require cost: 2M USD",
    "require cost <= 2M USD, time <= 20 days",
    "require finish <= 1 March 2026",
    "require params between 1B and 7B",
    "require mfu >= 40",
    "optimize loss",
    "use laws chinchilla llama3",
    "compute: 100 petaflop days",
    "'tokens': 2T",
    "}",
    "model: moe { experts: 64, active_experts: 8 }",
    "data code: 3T tokens\ndata 10T tokens",
    "optimizer: AdamW { batch: 4M } tokens<\nrequire loss <= 3\nrequire cost >= 1 USD",
    "optimizer: AdamW ( learning_rate: 3e-4; batch: 4M tokens )",
]
MAPPINGS = [
    "law: chinchilla",
    "use laws: chinchilla",
    "tokens: 300 billion",
    "tokens: 2,000,000",
    "tokens: ?",
    "tokens: >= 1T",
    "tokens: 1T to 2T",
    "budget: 2M USD",
    "max_cost: 2M USD",
    "duration: 30 days",
    "constraints:\n  - cost <= 2M USD",
    "require:\n  cost: 2M USD",
    "lr: 3e-4",
    "optimizer:\n  name: AdamW\n  lr: 3e-4<",
    "optimizer:\n  learning_rate: 3e-4",
    "seq_len: 4096",
    "batch_size: 4M",
    "num_layers: 32",
    "model:\n  params: 7B\n  d_model: 4096<",
    "model: Lama-3-8B",
    "model: 7b",
    "model: {params: 7B; layers: 32}",
    "data:\n  - web: 2T tokens",
    "data:\n  web:\n    tokens: 2T\n    epochs: 4",
    "dataset: 2T tokens",
    "goal: minimize loss",
    "minimise: loss",
    "objective: causal language modeling",
    "title: My plan",
    "require: cost < $2M",
    "require: loss is below 2",
    "hardware: 64 H100 for 30 days",
    "hardware: 64 x H100 for a month",
    "hardware: 64 x H100 for 30 days at 40% mfu",
    "hardware: 8 x A100 80GB for 30 days",
    "hardware: 64 x H100 for 30 days at 40% MFU availability 90%",
    "hardware:\n  gpus: 64\n  device: H100\n  duration: 30 days<",
    "hardware:\n  gpus: 64\n  type: H100<\n  time: 30 days",
    "accelerators: 64 x H100 for 30 days",
    "gpus: 64",
    "tokens: [1T, 2T]",
    "tokens: {min: 1T, max: 2T}",
    "tokens:\n  min: 1T",
    "tokens: 50000 iterations",
    "tokens:",
    "schedule: {type: cosine}",
    "schedule: [cosine]",
    "schedule:\n  type: cosine",
    "optimizer: [AdamW]",
    "optimizer: {name: AdamW, betas: [0.9, 0.95]}",
    "model: [7B]",
    "model: {params: [1B, 7B]}",
    "model: {min: 1B, max: 7B}",
    "objective: {type: CLM}",
    "let: budget = 2M USD",
    "let:\n  - budget = 2M USD",
    "let:\n  my budget: 2M USD",
    "data: [10T tokens]",
    "data:\n  - name: web\n    tokens: 2T",
    "require:\n  - cost: <= 2M USD",
    "require:\n  max_cost: 2M USD",
    "require: finish <= 01.03.2026",
    "minimize: {loss: true}",
    "hardware:\n  gpus: 64\n  device: H100\n  time: 30 days\n  from: 01/02/2026",
    "hardware:\n  gpus: 64\n  device: H100\n  time:\n    days: 30",
    "hardware:\n  gpus: 64\n   device: H100\n  time: 30 days",
    "hardware: 64 x H100 for 30 days @ 2 $/h",
    "start: {checkpoint: llama-3-8b}",
    "base_model: llama-3-8b",
    "compute: {budget: 1e24 FLOP}",
    "plan: [a]",
    "plan: Two: words",
    "stages:\n  sft: 10B tokens",
    "reserve: {share: 15%}",
    "inference: {tokens: 2T}",
    "rate: EUR = 1.08 USD",
    "rate: {EUR: 1.08 USD}",
    "- tokens: 2T",
    "tokens: 20x params",
    "schedule = WSD<\ntokens: 2T",
    "let;<\n  b: 3 USD",
    "hardware:\n  device: H100\n  gpus: 64\n time: 30 days",
    "data:\n  web 10T tokens<\n  code: 3T tokens",
]


def marked(mistake: str, yaml: bool) -> tuple[str, int]:
    """The plan with a mistake, and the line of it."""
    before = "" if re.match(r"hardware|accelerators|gpus", mistake) else HARDWARE
    lines = mistake.split("\n")
    at = next((i for i, line in enumerate(lines) if line.endswith("<")), None)
    text = before + mistake.replace("<\n", "\n").removesuffix("<") + "\n" if at is not None else before + mistake + "\n"
    return text, before.count("\n") + (len(lines) if at is None else at + 1)


def pasted(text: str, found: Finding) -> Iterator[str]:
    """The plan after each way to take its help: at the place, as the line, beside it, or in the block that it names."""
    span = found.at.span
    lines = text.splitlines()
    for code in [code for help in found.help for code in re.findall(r"`([^`]+)`", help)]:
        yield text[: span.start].removesuffix("at ") + code + text[span.end :]
        yield text[: span.start] + code + text[span.end :]
        yield "\n".join([*lines[: span.line - 1], code, *lines[span.end_line :]]) + "\n"
        yield "\n".join([*lines[: span.line - 1], *code.split("; "), *lines[span.end_line :]]) + "\n"
        indent = re.match(" *", lines[span.line - 1])
        yield "\n".join([*lines[: span.line - 1], (indent[0] if indent else "") + code, *lines[span.line :]]) + "\n"
        without = "\n".join([*lines[: span.line - 1], *lines[span.line :]])
        yield re.sub(r"for 30 days", code, without) + "\n"
        yield re.sub(rf"(?m)^{re.escape(code.split(':')[0])}\b.*$", code, without) + "\n"
        yield text.rstrip() + f" {code}\n"
        yield re.sub(r"\b" + re.escape(code) + r": [^;}]+;? ?", "", text)
        yield re.sub(r"(?m)^(\w+:)$", rf"\g<1>\n  {code}", text)
        yield re.sub(rf"(?ms)^( *){re.escape(code.split(':')[0])}:\n.*\Z", rf"\g<1>{code}\n", text)


def helped(text: str, name: str, found: Finding) -> bool:
    return any(read(each, name)[1] == [] for each in pasted(text, found))


@pytest.mark.parametrize("mistake", LINES)
def test_one_mistake_is_one_finding_at_its_place_and_its_help_leads_to_a_plan(mistake: str) -> None:
    text, line = marked(mistake, yaml=False)
    _, findings = read(text)
    assert [(f.at.span.line, bool(f.help)) for f in findings] == [(line, True)], findings
    assert helped(text, "x.plan", findings[0]), findings[0].help
    assert not any(part.endswith("...") for part in (findings[0].message, *findings[0].help))


@pytest.mark.parametrize("mistake", MAPPINGS)
def test_the_same_in_yaml(mistake: str) -> None:
    text, line = marked(mistake, yaml=True)
    _, findings = read(text, "x.plan.yaml")
    places = [f.at.span.line for f in findings]
    assert len(places) == 1 and line - mistake.count("\n") <= places[0] <= line, findings
    assert helped(text, "x.plan.yaml", findings[0]), findings[0].help
    assert not any(part.endswith("...") for part in (findings[0].message, *findings[0].help))


@pytest.mark.parametrize(
    ("mistake", "never"),
    [
        # What would be read in silence as another figure is not offered.
        ("tokens: 50000 iterations", "leave"),
        ("model: 8x7B", "leave"),
        ("compute: 100 petaflop days", "100 petaflop`"),
        ("data web: 10T tokens high quality", "10T tokens`"),
        ("inference: 2T tokens per year", "2T tokens`"),
        ("hardware: 64 x H100 for 30 days @ 2.5 $/h", "@ 2.5`"),
        ("optimizer: AdamW { beta1: 1.2 }", "1.2%"),
    ],
)
def test_no_help_says_another_thing(mistake: str, never: str) -> None:
    (found,) = read(marked(mistake, yaml=False)[0])[1]
    assert not [help for help in found.help if never in help]


def test_a_share_of_all_is_compared_with_a_share() -> None:
    for asked, help in (("P(cost <= 2M USD) > 90", "`90%`"), ("mfu >= 40", "`40%`"), ("share.web <= 60", "`60%`")):
        text = f"hardware: 64 x H100 for 30 days @ 2 USD/GPU/hour\ndata web: 2T tokens\nrequire {asked}\n"
        (found,) = read(text)[1]
        assert found.code == "U004" and help in found.help[0]


def test_the_fields_of_statements_are_those_of_the_library() -> None:
    known = {statement: {*fields} for statement, fields in LIBRARY.quantities().fields.items()}
    known["hardware"] |= {"device", "precision"}
    assert {statement: {*fields} for statement, fields in FIELDS.items()} == known


# ---- two figures for one thing


@pytest.mark.parametrize("second", ["rate EUR = 1.3 USD on 2026-01-02", "rate USD = 0.8 EUR on 2026-01-02"])
def test_two_currencies_have_one_rate(second: str) -> None:
    text = f"rate EUR = 1.25 USD on 2026-01-01\n{second}\n{HARDWARE}require cost <= 2M USD\n"
    (found,) = read(text)[1]
    assert (found.code, found.at.span.line, [label.span.line for label in found.also]) == ("N005", 2, [1])


def test_what_a_device_reaches_is_said_once() -> None:
    text = "hardware { gpus: 8; device: H100; time: 30 days; mfu: 20%; rate: 400 TFLOP/s }\n"
    (found,) = read(text)[1]
    assert found.code == "C001" and "`mfu`" in found.message and "`rate`" in found.message
    assert [label.span.text for label in (found.at, *found.also)] == ["400 TFLOP/s", "20%"]


# ---- help of the engine that is about what is not said


@pytest.mark.parametrize("name", ["x.plan", "x.plan.yaml"])
@pytest.mark.parametrize("rest", ["model: 7B\n", ""])
def test_where_one_given_more_is_too_few_two_are_offered_that_settle_the_plan(rest: str, name: str) -> None:
    hardware = (
        "hardware: unknown x H100 for unknown at 40% MFU" if name.endswith("yaml") else "hardware: ? x H100 for ?"
    )

    def found(text: str) -> list[Finding]:
        findings = report_of(name, Files({name: text}), catalogue=LIBRARY, intervals=False).findings
        return [f for f in findings if f.severity == "error"]

    (undecided,) = found(f"{hardware}\n{rest}")
    (help,) = undecided.help
    assert undecided.code == "C002"
    for offer in help.split(", or "):
        lines = re.findall(r"`([^`]+)`", offer)
        first = [line for line in lines if line.startswith("hardware")] or [hardware]
        text = "\n".join([*first, *(line for line in lines if line not in first)]) + f"\n{rest}"
        assert found(text) == [], offer


def test_a_preference_that_cannot_be_judged_is_said() -> None:
    text = f"{HARDWARE}prefer cost <= 2M USD\n"
    findings = report_of("x.plan", Files({"x.plan": text}), catalogue=LIBRARY, intervals=False).findings
    (found,) = [f for f in findings if f.severity != "info"]
    assert (found.code, found.severity, found.at.span.line) == ("C004", "warning", 2)


# ---- help of the engine that is about the form of the hardware


@pytest.mark.parametrize("name", ["x.plan", "x.plan.yaml"])
@pytest.mark.parametrize(
    "hardware",
    [
        "64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour in nodes of 8 from 2026-01-01",
        "up to 64 x H100 in fp8 for up to 30 days at 40% MFU",
        "{gpus: 64, device: H100, time: 30 days, mfu: 40%}",
    ],
)
@pytest.mark.parametrize(
    ("code", "require"),
    [("H004", ""), ("C004", "cost <= 2M USD"), ("C004", "emissions <= 99 tCO2eq"), ("C004", "finish <= 2027-01-01")],
)
def test_what_is_added_to_the_hardware_fits_its_form(hardware: str, name: str, code: str, require: str) -> None:
    yaml = name.endswith(".yaml")
    asked = f"require{':' * yaml} {require}\n" if require else ""

    def codes(hardware: str) -> tuple[list[str], list[str]]:
        text = f"hardware: {hardware}\nmodel: 7B\n{asked}"
        found = report_of(name, Buffer(name, text.encode(), Disk(Path())), intervals=False).findings
        return [f.code for f in found], [help for f in found if f.code == code for help in f.help]

    found, helps = codes(hardware)
    if code not in found:
        return
    for help in helps:
        (*_, given) = re.findall(r"`([^`]+)`", help)
        if given.startswith("hardware: "):
            hardware = given.removeprefix("hardware: ")
        elif hardware.startswith("{"):
            hardware = f"{hardware[:-1]}, {given}}}"
        else:
            hardware = f"{hardware} {given}"
    assert code not in codes(hardware)[0]
