"""A quantity that nothing gives to why, and to the statement to add."""

from __future__ import annotations

from runplan.dsl.expr.name import Name
from runplan.engine.formulate.draft import Draft
from runplan.engine.problem import quantities as q


def why_missing(draft: Draft, name: Name) -> tuple[str, list[str]]:
    """Why nothing gives a quantity, `law` where it is the law's part to give it, and what to add."""
    if name in (q.LOSS, q.PERPLEXITY, q.REGRET):
        return "law", ["name a law with a loss surface in `laws`; `plan law` lists what each gives"]
    facts = draft.quantities[name.text].facts if name.text in draft.quantities else None
    if facts is not None and facts.needs and draft.stage.hardware:
        known = {one.text for one in draft.definitions}
        lacking = [need for need in facts.needs if need[0] not in known] or list(facts.needs[:1])
        return f"no `{lacking[0][0].replace('start', 'from')}` is given", [text for _, text in lacking]
    if facts is not None and (facts.needs or facts.pools or name in (q.TIME, q.IDLE_SHARE)):
        return "the plan has no hardware", ["add `hardware: 1000 x H100 for 6 months`"]
    if name.part("source") or name == q.EPOCHS:
        return "the plan gives no data", ["add `data: 10T tokens`"]
    return "nothing in the plan or the law gives it", []
