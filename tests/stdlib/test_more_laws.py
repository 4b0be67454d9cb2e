"""Laws of the library against their formulas written here once more, at inputs that no golden value has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest
from known import LIBRARY

from runplan.engine.laws.evaluate import evaluate

PF_DAY = 8.64e19


def outputs(name: str, given: Mapping[str, float], objective: str | None = None) -> dict[str, float]:
    law = LIBRARY.law(name)
    assert law is not None
    return {key: o.value for key, o in evaluate(law, given, objective, catalogue=LIBRARY).outputs.items()}


# ---- formulas of one output

CASES: list[tuple[str, str, Callable[..., float], tuple[dict[str, float], ...]]] = [
    (
        "tao",
        "unigram_normalized_loss",
        lambda params_non_embedding, vocabulary_params, characters: (
            -5.533
            + 1.831 * (params_non_embedding / 1e6) ** -0.447
            + 0.196 * (vocabulary_params / 1e6) ** -0.671
            + 2.124 * (characters / 1e9) ** -0.447
        ),
        (
            {"params_non_embedding": 33e6, "vocabulary_params": 2e6, "characters": 4e9},
            {"params_non_embedding": 7e9, "vocabulary_params": 131e6, "characters": 4e12},
        ),
    ),
    ("tao", "vocabulary_growth", lambda size_growth: math.exp(0.83 * math.log(size_growth)), ({"size_growth": 23.3},)),
    ("minimax", "loss", lambda compute: 3.7087 * (compute / PF_DAY) ** -0.0798, ({"compute": 1e21},)),
    ("minimax.hybrid", "loss", lambda compute: 3.4797 * (compute / PF_DAY) ** -0.0763, ({"compute": 1e21},)),
    ("henighan", "size_growth", lambda compute_growth: compute_growth**0.7, ({"compute_growth": 1e3},)),
    (
        "compute.attention",
        "flops_per_token",
        lambda layers, hidden, context: 12 * layers * hidden * (6 * hidden + context),
        (
            {"layers": 126, "hidden": 16384, "context": 8192},
            {"layers": 126, "hidden": 16384, "context": 131072},
        ),
    ),
    (
        "compute.attention",
        "attention_share",
        lambda hidden, context: context / (6 * hidden + context),
        ({"hidden": 1024, "context": 6144}, {"hidden": 16384, "context": 131072}),
    ),
    (
        "hernandez",
        "effective_characters",
        lambda params, finetune_characters: finetune_characters + 1.9e4 * finetune_characters**0.18 * params**0.38,
        ({"params": 3e9, "finetune_characters": 4e8},),
    ),
    (
        "hernandez.text_and_code",
        "data_multiplier",
        lambda params, finetune_characters: 1 + 2.1e5 * finetune_characters ** (0.096 - 1) * params**0.38,
        ({"params": 3e9, "finetune_characters": 4e8},),
    ),
    (
        "muennighoff.fresh",
        "loss",
        lambda params, tokens: (
            math.exp(0.6254804)
            + math.exp(6.255414) * effective(params, tokens, tokens) ** -0.3526596
            + math.exp(7.3049974) * tokens**-0.3526596
        ),
        ({"params": 1e9, "tokens": 100e9}, {"params": 10e9, "tokens": 100e9}, {"params": 100e9, "tokens": 100e9}),
    ),
    (
        "muennighoff",
        "effective_params",
        lambda params, tokens, data_tokens: effective(params, tokens, data_tokens),
        (
            {"params": 1e9, "tokens": 100e9, "data_tokens": 25e9},
            {"params": 10e9, "tokens": 100e9, "data_tokens": 25e9},
            {"params": 10e9, "tokens": 20e9, "data_tokens": 25e9},
        ),
    ),
    (
        "sardana",
        "wedge",
        lambda tokens, inference_tokens: 1 + inference_tokens / tokens / 3,
        ({"tokens": 2e12, "inference_tokens": 9e12},),
    ),
    (
        "abnar",
        "loss",
        lambda params, tokens, experts, active_experts: (
            0.94
            + 16612.50 * params**-0.5962
            + 5455.67 * tokens**-0.3954
            + 0.4598 * (active_experts / experts) ** 0.1666
            + 17.26 * (active_experts / experts) ** -0.1603 * params**-0.1595
        ),
        (
            {"params": 3e10, "tokens": 2e11, "experts": 256, "active_experts": 8},
            {"params": 3e10, "tokens": 2e11, "experts": 8, "active_experts": 8},
        ),
    ),
    (
        "abnar.dense",
        "loss",
        lambda params, tokens: (
            1.3998 + 16612.50 * params**-0.5962 + 5455.67 * tokens**-0.3954 + 17.26 * params**-0.1595
        ),
        ({"params": 7e9, "tokens": 2e12},),
    ),
    (
        "kumar",
        "params_share",
        lambda weight_bits, activation_bits: (
            (1 - math.exp(-weight_bits / 2.6745)) * (1 - math.exp(-activation_bits / 2.2102))
        ),
        ({"weight_bits": 8, "activation_bits": 8}, {"weight_bits": 3, "activation_bits": 6}),
    ),
    ("steplaw.mean", "batch", lambda tokens: 0.58066 * tokens**0.57094, ({"tokens": 2e11},)),
    (
        "mup",
        "hidden_rate_share",
        lambda hidden, base_hidden: base_hidden / hidden,
        ({"hidden": 8192, "base_hidden": 256},),
    ),
    ("mup", "attention_scale", lambda head_dim: 8 / head_dim, ({"head_dim": 96},)),
    (
        "t5.params",
        "params",
        lambda layers, ffn, hidden, key_width, heads: (
            32128 * hidden + layers * 4 * hidden * (3 * key_width * heads + ffn)
        ),
        ({"layers": 36, "ffn": 4096, "hidden": 1024, "key_width": 64, "heads": 16},),
    ),
    (
        "plm.two_objectives",
        "mlm_over_clm",
        lambda params: (params / 6.19e-8) ** (1 / 0.776) / (params / 1.26e-3) ** (1 / 0.578),
        ({"params": 1.2e9},),
    ),
    ("plm.serrano", "tokens_growth", lambda compute_growth: compute_growth**0.71, ({"compute_growth": 40},)),
    *(
        (
            name,
            "optimal_tokens_per_param",
            lambda compute, a=a, b=b, alpha=alpha, beta=beta: (
                (alpha * a / (beta * b)) ** (-2 / (alpha + beta))
                * (compute / 6e18) ** ((alpha - beta) / (alpha + beta))
            ),
            ({"compute": 1e19}, {"compute": 1e23}),
        )
        for name, a, b, alpha, beta in (
            ("minicpm", 0.0715, 0.300, 0.29, 0.23),
            ("minicpm.ultratext", 0.0754, 0.292, 0.30, 0.30),
            ("minicpm.panel3", 0.0514, 0.390, 0.35, 0.18),
            ("minicpm.panel4", 0.0332, 0.217, 0.37, 0.34),
            ("minicpm.panel5", 0.0808, 0.297, 0.26, 0.18),
            ("minicpm.panel6", 0.153, 0.376, 0.19, 0.17),
        )
    ),
]


def effective(n: float, d: float, u: float) -> float:
    """What params are worth where data are scarce: those beyond the best size for the fresh tokens count for less."""
    best = math.exp((6.255414 - 7.3049974) / 0.3526596) * min(d, u)
    used = min(n, best)
    return used * (1 + 5.309743 * (1 - math.exp((1 - n / used) / 5.309743)))


@pytest.mark.parametrize(
    ("law", "output", "formula", "given"),
    [(law, output, formula, given) for law, output, formula, several in CASES for given in several],
    ids=[f"{law}.{output}.{i}" for law, output, _, several in CASES for i in range(len(several))],
)
def test_a_law_is_its_formula(law: str, output: str, formula: Callable[..., float], given: dict[str, float]) -> None:
    objective = "MLM" if law == "plm.serrano" else None
    # The constants that are printed as logarithms have eight digits in the pack.
    assert outputs(law, given, objective)[output] == pytest.approx(formula(**given), rel=1e-7)


# ---- what should hold between laws, and between outputs


def test_a_mixture_that_uses_all_its_experts_is_dense() -> None:
    given = {"params": 3e10, "tokens": 2e11}
    mixture = outputs("abnar", {**given, "experts": 8, "active_experts": 8})
    assert mixture["sparsity"] == 0.0
    assert mixture["loss"] == pytest.approx(outputs("abnar.dense", given)["loss"], rel=1e-12)


def test_fresh_data_without_end_are_as_many_as_are_trained_on() -> None:
    given = {"params": 10e9, "tokens": 100e9}
    fresh = outputs("muennighoff.fresh", given)
    repeated = outputs("muennighoff", {**given, "data_tokens": 100e9})
    assert (fresh["loss"], fresh["effective_params"]) == pytest.approx((repeated["loss"], repeated["effective_params"]))
    assert outputs("muennighoff", {**given, "data_tokens": 25e9})["loss"] > fresh["loss"]


def test_the_shares_of_doremi_sum_to_one_and_follow_the_excess() -> None:
    shares = {f"share_{i}": 0.2 for i in range(1, 6)}
    excess = {f"excess_{i}": x for i, x in enumerate((0.0, 0.5, 0.25, 0.0, 0.0), start=1)}
    found = outputs("doremi", {**shares, **excess})
    next_ = [found[f"next_share_{i}"] for i in range(1, 6)]
    assert sum(next_) == pytest.approx(1.0)
    assert next_[1] > next_[2] > next_[0] == next_[3] == next_[4]
    odds = (next_[1] - 2e-4) / (next_[0] - 2e-4)
    assert odds == pytest.approx(math.exp(0.5))


def test_as_much_attention_as_matrices_at_six_times_the_width() -> None:
    assert outputs("compute.attention", {"hidden": 2048, "context": 6 * 2048})["attention_share"] == pytest.approx(0.5)


@pytest.mark.parametrize("law", ["henighan", "farseer", "hernandez.loss"])
def test_a_form_whose_constants_are_free_gives_no_loss(law: str) -> None:
    given = {"params": 1e9, "tokens": 1e11, "compute": 6e20}
    taken = {"finetune_characters": 1e8, "params": 1e9} if law.startswith("hernandez") else given
    found = outputs(law, {"compute": 6e20} if law == "henighan" else taken)
    assert "loss" not in found


def test_the_measured_points_of_proteins_lie_on_their_refit() -> None:
    at = {"compute": 1e20}
    measured = outputs("plm.measured", at)
    assert outputs("plm.refit", at, "CLM")["loss"] == pytest.approx(measured["clm_loss"], rel=6e-3)
    assert outputs("plm.refit", at, "MLM")["loss"] == pytest.approx(measured["mlm_loss"], rel=6e-3)
    for objective, output in (
        ("transfer from MLM to CLM", "mlm_to_clm_loss"),
        ("transfer from CLM to MLM", "clm_to_mlm_loss"),
    ):
        found = outputs("plm.refit", {"finetune_compute": 1e20}, objective)
        assert found["loss"] == pytest.approx(measured[output], rel=6e-3)
