"""Mixtures of experts: the joint law's published optima as plans, and sizes that are told, bounded, free or missing."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known import LIBRARY
from reports import under

from runplan.dsl.text.finding import Finding
from runplan.engine.laws.evaluate import evaluate
from runplan.engine.problem.solution import Solution
from runplan.engine.report import Report

COMPUTES = (1e20, 1e21, 1e22)
EXPERTS = (1, 2, 4, 8, 16, 32)
# Active params and tokens of table 1 of arXiv:2502.05172, for each compute and number of experts.
TABLE_1 = {
    1e20: ((1.7e9, 9.7e9), (1.5e9, 11.4e9), (1.2e9, 13.9e9), (0.99e9, 17e9), (0.81e9, 20.7e9), (0.669e9, 24.9e9)),
    1e21: ((5.7e9, 29.3e9), (5e9, 33e9), (4.4e9, 38e9), (3.8e9, 44.3e9), (3.3e9, 51.2e9), (2.85e9, 58.4e9)),
    1e22: (
        (18.8e9, 88.6e9),
        (17.4e9, 96e9),
        (15.8e9, 105.4e9),
        (14.4e9, 115.8e9),
        (13.2e9, 126.5e9),
        (12.2e9, 136.9e9),
    ),
}
# Total and active params of mixtures that were published, and the experts to one active of their configurations.
PUBLISHED = {
    "DeepSeek-V3": ("671B", "37B", 257 / 9),
    "Kimi K2": ("1.04T", "32B", 385 / 9),
    "Llama 4 Scout": ("109B", "17B", None),
    "Llama 4 Maverick": ("400B", "17B", None),
    "Mixtral 8x7B": ("46.7B", "12.9B", 8 / 2),
    "Qwen3-235B-A22B": ("235B", "22B", 128 / 8),
    "OLMoE": ("6.9B", "1.3B", 64 / 8),
    "gpt-oss-120b": ("117B", "5.1B", 128 / 4),
}


def solution(text: str, *laws: str) -> Solution:
    return under(text, *laws).solutions[0]


def errors(told: Report) -> list[Finding]:
    return [f for f in told.findings if f.severity == "error"]


def found(text: str, *names: str) -> list[float]:
    solved = solution(text)
    assert solved.status == "solved", [str(f.message) for f in solved.findings]
    return [solved[name].value for name in names]


def loss(active: float, tokens: float, experts: float) -> float:
    """The law's own loss, by plain arithmetic over the constants of table 3."""
    hat = 1 / (1 / (experts - 1 + 1 / (1 / 2.0732 - 1 / 290.4521)) + 1 / 290.4521)
    by_size: float = 35.91 * hat**-0.2285 * active ** (-0.1889 + 0.0098 * math.log(hat))
    by_data: float = 35.98 * hat**0.5529 * tokens ** (-0.1775 - 0.0259 * math.log(hat))
    return 1.3637 + by_size + by_data


def total(active: float, experts: float) -> float:
    """All params of a mixture of Switch layers, its width by bisection."""
    low, high = 1.0, 1e6
    for _ in range(200):
        width = (low + high) / 2
        low, high = (width, high) if 12 / 64 * width**3 + 2 * 50257 * width < active else (low, width)
    return active + (experts - 1) * 2 / 3 * 12 / 64 * low**3


@pytest.mark.parametrize(("compute", "at"), list(product(COMPUTES, range(len(EXPERTS)))))
def test_the_published_optima_are_those_of_plans(compute: float, at: int) -> None:
    text = f"compute: {compute:g} FLOP\nmodel {{ experts: {EXPERTS[at]} }}\n"
    active, tokens = TABLE_1[compute][at]
    assert found(text, "active_params", "tokens") == pytest.approx([active, tokens], rel=0.03)


def test_one_expert_is_a_dense_model() -> None:
    dense, one = (
        solution(text, "joint_moe")
        for text in ("model: 3B\ntokens: 60B\n", "model { active: 3B; experts: 1 }\ntokens: 60B\n")
    )
    assert dense["loss"].value == pytest.approx(one["loss"].value, rel=1e-9)
    assert one["params"].value == pytest.approx(3e9)


@settings(max_examples=30, deadline=None)
@given(st.floats(7.9, 9.43), st.floats(0.7, 2.0), st.floats(1.0, 31.0))
def test_more_experts_are_never_worse(size: float, ratio: float, experts: float) -> None:
    """Of at least 5 tokens a param: with far fewer the fit turns, as its authors say."""
    data = size + ratio
    law = LIBRARY.law("joint_moe")
    assert law is not None
    at = {"active_params": 10**size, "tokens": 10**data}
    few, more = (
        evaluate(law, {**at, "experts": e}, catalogue=LIBRARY).outputs["loss"].value for e in (experts, experts + 1)
    )
    assert few == pytest.approx(loss(10**size, 10**data, experts))
    assert more < few


# ---- total and active size alone


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_mixture_has_hours_and_cost_by_its_sizes_alone(name: str) -> None:
    size, active, to_one = PUBLISHED[name]
    told = under(
        f"hardware: 512 x H100 for ? at 35% MFU @ 2 USD/GPU/hour\nmodel: {size} params, {active} active\ntokens: 5T\n"
    )
    (solved,) = told.solutions
    assert (solved.status, solved.resolved, errors(told)) == ("solved", "joint_moe", [])
    assert solved["compute"].value == pytest.approx(6 * solved["active_params"].value * 5e12)
    assert solved["gpu_hours"].value == pytest.approx(solved["compute"].value / (0.35 * 989.5e12), rel=2e-3)
    assert solved["cost"].value == pytest.approx(2 * solved["gpu_hours"].value / 3600)
    assert {f.code for f in told.findings if "joint_moe" in f.message} == {"L001"}
    (stands_in,) = (a for a in told.assumptions if str(a.name) == "expansion")
    if to_one is not None:
        assert stands_in.value == pytest.approx(to_one, rel=0.3)
    sizes = solved["params"].value, solved["active_params"].value
    assert total(sizes[1], solved["expansion"].value) == pytest.approx(sizes[0])


def test_a_range_is_said_with_its_factor() -> None:
    (told,) = (
        f
        for f in under("model { params: 90B; active: 2B; experts: 64 }\ntokens: 40B\n").findings
        if "joint_moe" in f.message
    )
    assert (told.code, told.severity) == ("L001", "info")
    assert "`expansion` of 64 is 2x above 32" in told.message


@pytest.mark.parametrize("law", ["chinchilla", "llama3", "compute.6nd"])
def test_a_dense_law_says_nothing_of_a_mixture(law: str) -> None:
    told = under("hardware: 64 x H100 for ? at 40% MFU\nmodel: 47B params, 13B active\ntokens: 1T\n", law)
    assert told.solutions[0].status == "solved" and "loss" not in told.solutions[0]
    assert told.solutions[0]["compute"].value == pytest.approx(6 * 13e9 * 1e12)
    assert not errors(told)


def test_what_is_known_of_dense_models_is_not_said_of_a_mixture() -> None:
    solved = solution("model: 671B params, 37B active\ntokens: 1T\n")
    assert not {"overfit_tokens", "law_tokens_per_param", "optimum_size", "least_compute"} & {
        n.text for n in solved.values
    }


# ---- what is open


@pytest.mark.parametrize(
    ("block", "requires"),
    [
        ("experts: ?", "params <= 5B"),
        ("experts: ?; active: ?", "params * 2 byte/param <= 20 GB"),
        ("experts: ?; active: 800M", "params <= 5B"),
        ("experts: 4 .. 12; params: ?", "active_params <= 900M"),
        ("experts: ?; params: 6B", "active_params <= 1.5B"),
        ("experts: ?; active: 300M .. 2B; params: up to 9B", "experts <= 16"),
        ("experts: 6 .. 40; active_experts: 2; active: ?", "params <= 4B"),
        ("active: ?; params: 10B", "experts <= 8"),
    ],
)
def test_what_is_open_is_as_good_as_any_on_a_grid(block: str, requires: str) -> None:
    solved = solution(f"compute: 1e21 FLOP\nmodel {{ {block} }}\nrequire {requires}\n")
    assert solved.status == "solved"
    active, tokens, experts, size = (solved[name].value for name in ("active_params", "tokens", "experts", "params"))
    each = solved["active_experts"].value
    assert experts == round(experts)
    assert loss(active, tokens, experts / each) == pytest.approx(solved["loss"].value)
    assert total(active, experts / each) == pytest.approx(size, rel=1e-6)
    assert 6 * active * tokens == pytest.approx(1e21)
    best = min(
        (
            loss(a, 1e21 / 6 / a, e / each)
            for a, e in product(grid(2e8, 4e9, 400), range(1, 41))
            if fits(block, requires, a, e, each)
        ),
        default=math.inf,
    )
    assert solved["loss"].value <= best * (1 + 1e-9)


def grid(low: float, high: float, count: int) -> list[float]:
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]


def fits(block: str, requires: str, active: float, experts: int, each: float) -> bool:
    """Whether a mixture is one of those that a plan leaves open."""
    size = total(active, experts / each)
    told = dict(part.split(": ") for part in block.split("; "))
    figure = {"K": 1e3, "M": 1e6, "B": 1e9}

    def number(text: str) -> float:
        return float(text.rstrip("KMB")) * figure.get(text[-1], 1.0)

    def within(value: float, text: str, exact: float = 2e-2) -> bool:
        if text == "?":
            return True
        if ".." in text:
            low, high = map(number, text.split(" .. "))
            return low <= value <= high
        if text.startswith("up to"):
            return value <= number(text.removeprefix("up to "))
        return value == pytest.approx(number(text), rel=1e-9)

    bound = {"params": size, "active_params": active, "experts": experts, "params * 2 byte/param": size}
    left, right = requires.split(" <= ")
    most = 1e10 if right == "20 GB" else number(right)
    return (
        bound[left] <= most
        and experts / each <= (40 if ".." in told.get("experts", "") else 32)
        and experts >= each
        and within(experts, told.get("experts", "?"))
        and within(active, told.get("active", "?"))
        and within(size, told.get("params", "?"))
    )


def test_experts_that_nothing_bounds_are_held_to_the_runs_of_the_law() -> None:
    told = under("compute: 1e20 FLOP\nmodel { experts: ?; active_experts: 2 }\n")
    assert told.solutions[0]["experts"].value == 64
    (said,) = (f for f in told.findings if "more experts better" in f.message)
    assert (said.code, said.severity, errors(told)) == ("L001", "info", [])
    (help_,) = said.help
    assert "`experts: up to 128`" in help_
    further = under("compute: 1e20 FLOP\nmodel { experts: up to 128; active_experts: 2 }\n")
    assert further.solutions[0]["experts"].value == 128
    assert any("`expansion` of 64 is 2x above 32" in f.message for f in further.findings)


@pytest.mark.parametrize(("law", "most"), [("joint_moe", 32), ("krajewski", 64)])
def test_a_least_number_of_experts_is_no_bound(law: str, most: int) -> None:
    told = under("compute: 1e21 FLOP\nmodel { experts: at least 8; active: 1B; granularity: 4 }\n", law)
    assert (told.solutions[0].status, told.solutions[0]["experts"].value) == ("solved", most)
    assert any("more experts better" in f.message for f in told.findings)


def test_a_plan_that_asks_for_more_experts_than_the_law_has_seen_has_them() -> None:
    solved = solution("compute: 1e20 FLOP\nmodel { experts: ? }\nrequire experts >= 100\nrequire params <= 20B\n")
    assert solved.status == "solved" and solved["experts"].value >= 100


def test_serving_is_of_the_active_params() -> None:
    text = "model {{ {} }}\nrequire loss <= 2.3\ninference: 2T tokens\n"
    solved = solution(text.format("experts: 16; active: ?"))
    assert solved["inference_compute"].value == pytest.approx(2 * solved["active_params"].value * 2e12)
    # What is served makes a smaller active size the cheapest.
    assert (
        solved["active_params"].value < solution("model { experts: 16 }\nrequire loss <= 2.3\n")["active_params"].value
    )


@pytest.mark.parametrize("law", ["krajewski", "abnar"])
def test_the_total_follows_under_other_laws_of_mixtures(law: str) -> None:
    block = "params: ?; active: 3B; experts: 64; granularity: 8"
    solved = solution(f"hardware: 64 x H100 for 30 days at 40% MFU\nmodel {{ {block} }}\n", law)
    assert solved.status == "solved"
    assert solved["params"].value == pytest.approx(total(3e9, 64), rel=1e-6)
    assert solved["compute"].value == pytest.approx(6 * 3e9 * solved["tokens"].value)


def test_without_embeddings_the_experts_make_43_times_the_active_params() -> None:
    solved = solution("model { active: 3B; experts: 64; granularity: 8 }\ntokens: 100B\n", "krajewski")
    active = solved["active_params_non_embedding"].value
    assert solved["params_non_embedding"].value == pytest.approx(43 * active)


# ---- what is not told


@pytest.mark.parametrize("law", ["krajewski", "abnar", "clark", "joint_moe", "chinchilla"])
def test_an_active_size_that_is_not_told_is_not_guessed(law: str) -> None:
    told = under("model { params: 67B; experts: 64; active_experts: 2; granularity: 8 }\ntokens: 1T\n", law)
    assert [f.code for f in errors(told)] == ["C004"]
    assert "compute" not in told.solutions[0]
    assert law == "abnar" or "loss" not in told.solutions[0]  # it counts all params, which are told


def test_an_active_size_that_is_not_told_is_one_finding() -> None:
    text = "compute: 1e21 FLOP\nmodel { params: 40B; experts: 8; layers: 32 }\nrequire loss <= 2.2\n"
    for more in ("", "require tokens / active_params >= 20\n"):
        assert [f.code for f in errors(under(text + more))] == ["C004"]


@pytest.mark.parametrize("law", ["krajewski", "abnar", "joint_moe"])
def test_both_sizes_are_the_laws_choice_where_neither_is_told(law: str) -> None:
    solved = solution("compute: 1e21 FLOP\nmodel { experts: 64; active_experts: 2; granularity: 8 }\n", law)
    assert solved.status == "solved"
    assert solved["compute"].value == pytest.approx(6 * solved["active_params"].value * solved["tokens"].value)
    assert solved["params"].value > 10 * solved["active_params"].value


def test_a_law_of_the_size_alone_cannot_choose_the_tokens() -> None:
    told = under("compute: 1e21 FLOP\nmodel { experts: 64; active_experts: 2 }\n", "clark")
    assert [f.code for f in errors(told)] == ["L004"]


def test_experts_that_a_law_without_a_range_wants_without_end_are_asked_for() -> None:
    told = under("compute: 1e21 FLOP\nmodel { experts: ?; active: 1B }\n", "abnar")
    (said,) = errors(told)
    assert said.code == "C002" and "`experts`" in said.message
    assert any("experts" in line for line in said.help)


def test_sizes_that_cannot_be_kept_name_what_makes_room() -> None:
    told = under("compute: 1e21 FLOP\nmodel { experts: 8; active: 3B }\nrequire params <= 10B\n")
    (said,) = errors(told)
    assert said.code in ("B002", "C003") and any("active <=" in line or "experts <=" in line for line in said.help)


def test_a_mixture_that_no_law_is_for_has_its_time() -> None:
    told = under(
        "hardware: 64 x H100 for ? at 40% MFU\nobjective: MLM of protein\nmodel: 10B params, 2B active\ntokens: 100B\n"
    )
    assert told.solutions[0].status == "solved" and "loss" not in told.solutions[0]
    assert told.solutions[0]["compute"].value == pytest.approx(6 * 2e9 * 1e11)
