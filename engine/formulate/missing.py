"""A quantity that nothing gives to why, and to the statement to add."""

from __future__ import annotations

from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.hardware import POOLED

# What gives a quantity, and the statement to add for it.
NEEDS = {
    "cost": ("price", "add `@ PRICE` to the hardware, such as `@ 2.50 USD/GPU/hour`"),
    "energy": (
        "pue",
        "add `pue: 1.1`, the power usage effectiveness of the building, to the hardware's block",
    ),
    "emissions": ("carbon_intensity", "add `carbon_intensity: 385 gCO2eq/kWh` to the hardware's block"),
    "nodes": ("nodes_of", "add `in nodes of 8` to the hardware"),
    "finish": ("start", "add `from 2026-12-01` to the hardware"),
}


def why_missing(draft: Draft, name: str) -> tuple[str, list[str]]:
    """Why nothing gives a quantity, `law` where it is the law's part to give it, and what to add."""
    if name in ("loss", "perplexity", "regret"):
        return "law", ["name a law with a loss surface in `laws`; `plan law` lists what each gives"]
    if name in NEEDS and draft.stage.hardware:
        chain = [name, "energy"] if name == "emissions" else [name]
        lacking = [NEEDS[n] for n in chain if NEEDS[n][0] not in draft.definitions] or [NEEDS[name]]
        return f"no `{lacking[0][0].replace('start', 'from')}` is given", [text for _, text in lacking]
    if name in NEEDS or name in POOLED or name in ("time", "idle_share"):
        return "the plan has no hardware", ["add `hardware: 1000 x H100 for 6 months`"]
    if name.startswith(("tokens.", "epochs.", "share.")) or name == "epochs":
        return "the plan gives no data", ["add `data: 10T tokens`"]
    return "nothing in the plan or the law gives it", []
