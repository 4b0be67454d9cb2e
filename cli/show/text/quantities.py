"""Quantities to the words and forms that reports for people have for them."""

from __future__ import annotations

from runplan.engine.problem.solution import Solution

# What a report calls a quantity where its own name would not do; the unit stands here where the figure has none.
_LABELS = {
    "params_non_embedding": "params, no embeddings",
    "loss": "loss, nat/token",
    "regret": "regret, in compute",
    "gpus": "GPUs",
    "gpu_hours": "GPU-hours paid",
    "mfu": "MFU",
    "memory_per_gpu": "memory per GPU",
    "pretrain_tokens": "pre-training tokens",
    "finetune_tokens": "fine-tuning tokens",
    "pretrain_share": "pre-training share",
    "inference_tokens": "tokens served",
    "inference_compute": "compute of serving",
}
# The same in the budget, which comes before any solution.
BUDGET_LABELS = {"gpu_hours": "GPU-hours", "time": "reserved for"}
# Quantities that are shares and read better in per cent.
SHARES = frozenset("mfu reserve availability idle_share pretrain_share regret share mix mix_start mix_end".split())
# What tables for people leave to the JSON: it says nothing that another row does not.
LEFT_OUT = frozenset(("perplexity", "price", "rate"))
# What the headline of a solved plan names, in order.
HEADLINE = ("params", "tokens", "loss", "gpus", "time", "cost")
# What the report tells of serving.
SERVED = ("inference_tokens", "inference_compute", "lifetime_compute")


def label(name: str) -> str:
    """What reports call a quantity."""
    return _LABELS.get(name, name.replace("_", " "))


def number(solution: Solution, name: str) -> float | None:
    """A quantity of the run in base units; None where it does not apply."""
    value = solution.quantity(name)
    return value.value if value else None
