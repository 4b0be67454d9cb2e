"""Every quantity that the language lets a plan name can be required and made small, or it is said why not."""

from __future__ import annotations

import pytest
from known import LIBRARY
from reports import under

from runplan.engine.report import Report

# The quantities that a plan may name, as the language's contract lists them.
NAMED = (
    *("params", "params_non_embedding", "active_params", "tokens", "tokens.web", "share.web", "epochs", "epochs.web"),
    *("compute", "loss", "perplexity", "time", "gpus", "gpu_hours", "mfu", "rate", "price", "cost", "energy"),
    *("emissions", "batch", "steps", "learning_rate", "memory_per_gpu", "pretrain_tokens", "finetune_tokens"),
    *("transferred_tokens", "pretrain_share", "lifetime_compute", "nodes", "finish", "regret"),
)
HARDWARE = (
    "hardware: { gpus: 64; device: H100; time: 30 days; mfu: 40%; from: 2026-12-01; price: 2 USD/GPU/hour; pue: 1.1; "
)
FULL = HARDWARE + "carbon_intensity: 385 gCO2eq/kWh; nodes_of: 8 }\n"
DATA = "data web: 1T tokens\ndata code: 500B tokens\ninference: 1T tokens\n"
TRANSFER = "use laws plm\nobjective: transfer from CLM to MLM of protein\ncompute: 1e21 FLOP\n"
OF_TRANSFER = {"pretrain_tokens", "finetune_tokens", "transferred_tokens", "pretrain_share"}
# What no plan here has, and the finding that says so.
REFUSED = {"params_non_embedding": "C004"}


def figures(report: Report) -> dict[str, float]:
    return {str(name): value.value for name, value in report.solutions[0].values.items()}


def base(name: str) -> str:
    return TRANSFER if name in OF_TRANSFER else FULL + DATA


@pytest.mark.parametrize("name", NAMED)
def test_a_quantity_can_be_required(name: str) -> None:
    text = base(name)
    unit = unit_of(name)
    report = under(f"{text}require {name} >= {unit}\n")
    errors = [f for f in report.findings if f.severity == "error"]
    if name in REFUSED:
        assert [f.code for f in errors] == [REFUSED[name]]
        assert errors[0].help
        return
    assert not errors, [f.message for f in errors]
    assert name in figures(report)


def unit_of(name: str) -> str:
    """A bound that any plan keeps, in the quantity's unit."""
    bare = name.partition(".")[0]
    if bare == "finish":
        return "2026-12-01"
    dims = {
        "params": "1K", "params_non_embedding": "1K", "active_params": "1K", "compute": "1 FLOP", "loss": "0.01",
        "time": "1 second", "gpu_hours": "1 GPU-hour", "rate": "1 FLOP/s", "price": "0.01 USD/GPU/hour",
        "cost": "1 USD", "energy": "1 kWh", "emissions": "1 gCO2eq", "memory_per_gpu": "1 byte",
        "lifetime_compute": "1 FLOP", "learning_rate": "1e-9", "share": "0%", "epochs": "0.001", "regret": "0",
        "pretrain_share": "0.1%", "mfu": "1%", "batch": "1 token",
    }  # fmt: skip
    return dims.get(bare, "1")


@pytest.mark.parametrize(
    "name", sorted(OF_TRANSFER | {"lifetime_compute", "nodes", "finish", "cost", "epochs", "time"})
)
def test_what_a_plan_has_not_is_refused_with_what_to_add(name: str) -> None:
    report = under(f"compute: 1e22 FLOP\nrequire {name} >= {unit_of(name)}\n")
    (found,) = [f for f in report.findings if f.severity == "error"]
    assert found.code == "C004"
    assert found.help[0].startswith("add ")


def test_the_params_of_a_dense_model_are_all_active() -> None:
    found = under("compute: 1e22 FLOP\nrequire active_params <= 2B\n").solutions[0]
    assert found["params"].value == pytest.approx(2e9)
    assert found["active_params"].value == pytest.approx(2e9)


def test_the_table_of_quantities_has_all_of_them() -> None:
    assert {name.partition(".")[0] for name in NAMED} <= LIBRARY.quantities().keys()
