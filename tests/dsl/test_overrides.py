"""`--set` for every path that a plan has or could have: as if the plan had said so; what it cannot set, it says why."""

from __future__ import annotations

from functools import lru_cache

import pytest
from known import LIBRARY

from runplan.dsl.plan.lower import lower
from runplan.dsl.plan.overrides import PARTS, SETTABLE, overridden
from runplan.dsl.syntax.parse import parse_file
from runplan.dsl.syntax.tree import File
from runplan.dsl.text.source import Source

PLAN = """\
plan "A"
use laws chinchilla
let most = 3M USD
hardware: 8 x H100 for 2 months at 40% MFU @ 2 USD/GPU/hour
data web: 1T tokens up to 2 epochs weight 90%
data code: 100B tokens weight 10% quality high
model: 7B
optimizer: AdamW { batch: 4M tokens }
phase warmup: 1% warmup
phase stable: 99% constant
require cost <= most
require tokens >= 1B because "as agreed"
prefer loss <= 3
"""
POOLS = "hardware: 8 x H100 for 20 days at 40% MFU + 4 x A100 for 30 days at 45% MFU\n"
STAGES = "model: 1B\nstage first { tokens: 1T }\nstage second { tokens: 2T; data web: 3T tokens }\n"
SPARSE = PLAN.replace("7B\n", "7B, 1B active\n")
BLOCK = PLAN.replace("7B\n", "{ params: 7B; layers: 30 }\n")
UNNAMED = "compute: 1e22 FLOP\ndata: 1T tokens up to 2 epochs\n"


@lru_cache(None)
def parsed(text: str) -> File:
    file, findings = parse_file(Source("p.plan", text))
    assert findings == []
    return file


def plan_of(file: File) -> object:
    lowered = lower(file, LIBRARY.vocabulary())
    assert not [f for f in lowered.findings if f.severity == "error"], lowered.findings
    return lowered.plan


@pytest.mark.parametrize(
    ("text", "setting", "said", "instead"),
    [
        (PLAN, "plan=B", 'plan "A"', 'plan "B"'),
        (PLAN, "laws=llama3, kaplan", "use laws chinchilla", "use laws llama3, kaplan"),
        (PLAN, "most=4M USD", "let most = 3M USD", "let most = 4M USD"),
        (PLAN, "hardware.gpus=16", "8 x H100", "16 x H100"),
        (PLAN, "hardware.time=up to 90 days", "for 2 months", "for up to 90 days"),
        (PLAN, "hardware.rate=400 TFLOP/s", "at 40% MFU", "at 400 TFLOP/s"),
        (PLAN, "hardware.device=NVIDIA H100 PCIe", "x H100", 'x "NVIDIA H100 PCIe"'),
        (PLAN, "hardware.rate=12k tokens/s/GPU", "at 40% MFU", "at 12k tokens/s/GPU"),
        (PLAN, "hardware.throughput=12k tokens/s/GPU", "at 40% MFU", "at 12k tokens/s/GPU"),
        (PLAN, "hardware.step_time=8 s/step", "at 40% MFU", "at 8 s/step"),
        (PLAN, "hardware.from=2026-12-01", "for 2 months", "for 2 months from 2026-12-01"),
        (PLAN, "data.web=2T tokens", "1T tokens up to 2 epochs weight 90%", "2T tokens"),
        (PLAN, "data.web.amount=2T tokens", "web: 1T tokens", "web: 2T tokens"),
        (PLAN, "data.web.epochs=4 epochs", "up to 2 epochs", "up to 4 epochs"),
        (PLAN, "data.code.epochs=3 epochs", "100B tokens weight", "100B tokens up to 3 epochs weight"),
        (PLAN, "data.web.weight=0.9", "weight 90%", "weight 0.9"),
        (PLAN, "data.code.quality=ordinary", "quality high", "quality ordinary"),
        (POOLS + "data a: 1T tokens\n", "data.new=5B tokens", "1T tokens\n", "1T tokens\ndata new: 5B tokens\n"),
        (PLAN, "data=5T tokens", None, "data: 5T tokens"),
        (PLAN, "model.layers=32", "model: 7B", "model { params: 7B; layers: 32 }"),
        (PLAN, "model.params=8B", "model: 7B", "model: { params: 8B }"),
        (PLAN, "model.active=1B", "model: 7B", "model { params: 7B; active: 1B }"),
        (SPARSE, "model.layers=32", "7B, 1B active", "{ params: 7B; active: 1B; layers: 32 }"),
        (BLOCK, "model.layers=32", "layers: 30", "layers: 32"),
        ("compute: 1e22 FLOP\n", "model.layers=32", "\n", "\nmodel { layers: 32 }\n"),
        (PLAN, "optimizer=Muon", "AdamW { batch: 4M tokens }", "Muon"),
        (PLAN, "optimizer.batch=2M tokens", "batch: 4M", "batch: 2M"),
        (PLAN, "optimizer.learning_rate=3e-4", "4M tokens }", "4M tokens; learning_rate: 3e-4 }"),
        ("compute: 1e22 FLOP\n", "optimizer.batch=2M tokens", "\n", "\noptimizer: AdamW { batch: 2M tokens }\n"),
        (PLAN, "schedule.stable=99% cosine", "99% constant", "99% cosine"),
        (PLAN, "require=loss <= 2", None, "require loss <= 2"),
        (PLAN, "require[0]=cost <= 1M USD", "require cost <= most", "require cost <= 1M USD"),
        (PLAN, "require[1]=tokens >= 2B", 'require tokens >= 1B because "as agreed"', "require tokens >= 2B"),
        (PLAN, "prefer[0]=loss <= 2", "prefer loss <= 3", "prefer loss <= 2"),
        (POOLS, "hardware.pool2.gpus=6", "4 x A100", "6 x A100"),
        (POOLS, "hardware.pool1.mfu=45%", "at 40% MFU", "at 45% MFU"),
        (STAGES, "stages.first.tokens=3T", "tokens: 1T", "tokens: 3T"),
        (STAGES, "stages.second.data.web.epochs=2 epochs", "3T tokens", "3T tokens up to 2 epochs"),
        (UNNAMED, "data=2T tokens", "1T tokens up to 2 epochs", "2T tokens"),
        (UNNAMED, "data.data=2T tokens", "1T tokens up to 2 epochs", "2T tokens"),
        (UNNAMED, "data.epochs=4 epochs", "up to 2 epochs", "up to 4 epochs"),
        (UNNAMED, "data.data.amount=3T tokens", "1T", "3T"),
    ],
)  # fmt: skip
def test_a_setting_is_as_if_the_plan_had_said_so(text: str, setting: str, said: str | None, instead: str) -> None:
    file, findings = overridden(parsed(text), [setting])
    assert findings == []
    if said is None:  # in place of all that fill the same
        word = setting.partition("=")[0]
        kept = [line for line in text.splitlines() if not line.startswith(word)]
        at = text.splitlines().index(next(line for line in text.splitlines() if line.startswith(word)))
        expected = "\n".join([*kept[:at], instead, *kept[at:], ""])
    else:
        assert said in text
        expected = text.replace(said, instead, 1)
    assert plan_of(file) == plan_of(parsed(expected))


def test_what_several_settings_require_holds_together() -> None:
    file, findings = overridden(parsed(PLAN), ["require=loss <= 2", "require=tokens <= 3T"])
    assert findings == []
    first, second = "require cost <= most\n", 'require tokens >= 1B because "as agreed"\n'
    assert first + second in PLAN
    said = parsed(PLAN.replace(first + second, "require loss <= 2\nrequire tokens <= 3T\n"))
    assert plan_of(file) == plan_of(said)


@pytest.mark.parametrize(
    ("text", "setting", "help"),
    [
        (PLAN, "hardwre.gpus=2", "did you mean `hardware.gpus`?"),
        (PLAN, "layers=2", "did you mean `model.layers`?"),
        (PLAN, "token=2T", "did you mean `tokens`?"),
        (PLAN, "mst=2T", "did you mean `most`?"),
        (PLAN, "schedul.stable=1%", "did you mean `schedule`?"),
        (
            PLAN,
            "require[2]=loss <= 2",
            "there are 2, counted from 0; `--set require=...` says what holds in place of all",
        ),
        (PLAN, "data.wb.epochs=2", "did you mean `web`?"),
        (UNNAMED, "schedule.decay=1%", None),
        (UNNAMED + "schedule: WSD\n", "schedule.decay=10% linear", "the plan has `schedule: WSD`"),
        (POOLS, "hardware.gpus=3", "the hardware has several pools: say `hardware.pool1.gpus`"),
        (POOLS, "hardware.pool3.gpus=3", "the hardware has 2 pools, from `pool1` on"),
        (STAGES, "stages.frst.tokens=1T", "did you mean `first`?"),
    ],
)
def test_what_cannot_be_set_says_why(text: str, setting: str, help: str | None) -> None:
    (found,) = overridden(parsed(text), [setting])[1]
    assert found.at.span.source.path == "--set"
    if help is not None:
        assert found.code == "N002" and found.help[0].startswith(help)


def test_all_paths_are_listed() -> None:
    (found,) = overridden(parsed(PLAN), ["zzzzzzzzzz=2"])[1]
    (help,) = found.help
    assert not help.endswith("...")
    assert all(path in help for path in (*SETTABLE, *PARTS, "most"))
    assert {"require", "model", "data", "optimizer"} <= set(SETTABLE)
