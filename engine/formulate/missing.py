"""A quantity that nothing gives to why, and to the statement to add."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, names
from runplan.dsl.expr.values import value
from runplan.dsl.plan.ir import Stage
from runplan.dsl.text.codes import Severity
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.source import Span
from runplan.dsl.types import Literal
from runplan.dsl.units.base import TOKEN
from runplan.dsl.units.show import show
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import usual_law
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Definition, bounds_compute

# What is written where a quantity is wanted that is found for a run that is solved.
_OF_ANY_GOAL = ("bound it with `require`: an open size, or an open count of devices, is kept to that",)
_OF_GOAL = {
    q.FITTING_GPUS: (
        "bound it: `require fitting_gpus <= 64`",
        "or have the count found: `hardware: ? x H100 for 900 days` and `require memory_per_gpu <= usable_memory`",
    )
}
# The memory that a layout takes, which one may be chosen by.
_TAKEN = frozenset((q.MEMORY_PER_GPU, quantity("least_memory"), quantity("most_memory")))
# Why nothing tells what hangs on the count of devices that are bought by the hour, and what to add.
_BOUGHT = (
    "the hardware is bought by the hour, and how many devices or how long is open",
    ("say how many and how long, such as `512 x H100 for 30 days`, or in the hardware's block `gpus: 512`",),
)
# Quantities of the two stages of a transfer.
OF_TRANSFER = frozenset((q.PRETRAIN_TOKENS, q.FINETUNE_TOKENS, q.TRANSFERRED_TOKENS, q.PRETRAIN_SHARE))


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a plan has no value of a quantity.

    Attributes:
        code: L004 where it is the law's part to give it, C009 where it is not solved for yet, else C004.
        help: What to add.
        laws: The law that it is about, as the plan names it.
    """

    code: Literal["L004", "C004", "C009"]
    message: str
    help: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()

    def finding(self, at: Span, key: str = "", soft: bool = False) -> Finding:
        """The finding that says so: a warning, where it is only preferred."""
        severity: Severity | None = "warning" if soft else None
        return finding(self.code, self.message, at, severity=severity, help=self.help, key=key, laws=self.laws)


def missing(draft: Draft, name: Name) -> Missing | None:
    """Why nothing gives a quantity, and what to add; None where that has its finding."""
    of_active = name == q.ACTIVE_PARAMS or (name in (q.LOSS, q.PERPLEXITY) and not draft.lawless)
    if of_active and draft.mixture and not draft.knows(q.ACTIVE_PARAMS):  # that it is not told is said
        return None
    if name in (q.REGRET, q.LEAST_COMPUTE) and q.LOSS in draft.definitions:
        return _regret(draft, name)
    if name in (q.LOSS, q.PERPLEXITY, q.REGRET, q.LEAST_COMPUTE):
        own = tuple(line for lacking in draft.lacking for line in lacking.help)
        return Missing("L004", draft.lacks_of(name), own or (_surface(draft),), (draft.named,))
    if name in OF_TRANSFER and draft.transfer:
        if any(f.code == "C004" for f in draft.findings):  # what its law needs of the data is said
            return None
        help = "require `finetune_tokens` instead: the law counts the second stage alone"
        return Missing("L004", draft.lacks_of(name), (help,), (draft.named,))
    if is_of_layout(draft, name):
        return _laid_out(draft, name)
    if draft.absent and not draft.knows(q.COMPUTE) and _needs(draft, name, q.COMPUTE):
        return None
    why, add = _elsewhere(draft, name)
    return Missing("C004", f"`{name}` is not known: {why}", add)


def is_of_layout(draft: Draft, name: Name) -> bool:
    """Whether a quantity is what the layout of the model on its devices decides, or a figure of it."""
    laid = name.kind == "quantity" and {part for part, _ in name.scope} <= {"stage", "pool"}
    known = draft.quantities.get(name.text) if laid else None
    return known is not None and known.facts.is_of_layout


def is_laid_out(draft: Draft, wanted: Expr) -> bool:
    """Whether what is wanted hangs on the layout alone, of devices whose memory is known: the run is chosen as if
    nothing were wanted, and then the layout by that."""
    apart = [name in _TAKEN or _is_of_step(draft, name) for name in names(wanted)]
    return bool(apart) and all(apart) and any(known.text == q.MEMORY.text for known in draft.definitions)


def _is_of_step(draft: Draft, name: Name) -> bool:
    """Whether a quantity is of the time of a step by its layout, one that is better when there is less or more."""
    known = draft.quantities.get(name.text) if name.kind == "quantity" and not name.scope else None
    return known is not None and known.facts.kind == "step" and bool(known.facts.better)


def is_of_each_pool(draft: Draft, name: Name) -> bool:
    """Whether each of several pools has a figure of its layout, and all together have none: but the most memory."""
    several = any(len(stage.hardware) > 1 for stage in _stages_of(draft, name))
    needs = draft.quantities[name.text].facts.needs
    return several and not name.part("pool") and name.text != q.MEMORY_PER_GPU.text and not needs


def _stages_of(draft: Draft, name: Name) -> Sequence[Stage]:
    """The stage that a quantity is of, else all."""
    own = name.part("stage")
    return [stage for stage in draft.plan.stages if not own or stage.name == own] or draft.plan.stages


def _laid_out(draft: Draft, name: Name) -> Missing:
    """Why what the layout decides is not known: it needs devices, and how much memory they have."""
    needs = [add for need, add in draft.quantities[name.text].facts.needs if not draft.knows(quantity(need))]
    if needs:
        return Missing("C004", f"`{name}` is not known: the plan does not say what is served", tuple(needs))
    stages = _stages_of(draft, name)
    if not any(stage.hardware for stage in stages):
        return Missing(
            "C004", f"`{name}` is not known: the plan has no hardware", ("add `hardware: 64 x H100 for 1 month`",)
        )
    if not any(known.text == q.MEMORY.text for known in draft.definitions):
        message = f"`{name}` is not known: nothing tells the memory of the devices"
        return Missing("C004", message, ("add `memory: 80 GB` to the hardware's block",))
    if all(pool.bought for stage in stages for pool in stage.hardware):
        return Missing("C004", f"`{name}` is not known: {_BOUGHT[0]}", _BOUGHT[1])
    if is_of_each_pool(draft, name):
        add = "of a pool its memory may be required: `require pool1.memory_per_gpu <= 70 GB`"
        return Missing("C004", f"`{name}` is not known: each pool of devices has its own", (add,))
    message = f"`{name}` is found for a run that is solved, and is no goal"
    return Missing("C009", message, _OF_GOAL.get(name, _OF_ANY_GOAL))


def no_chance(name: Name, condition: Expr) -> Missing:
    """Why what the layout decides has no probability, and what to require in its place."""
    message = f"`{name}` has a least and a most, by what frameworks keep, and no probability"
    said = shown(condition)
    sure = re.sub(rf"\b{q.MEMORY_PER_GPU}\b", "most_memory", said)
    help = [f"whatever the framework: `require {sure}`"] if sure != said else []
    return Missing("C009", message, (*help, f"in the middle: `require {said}`"))


def _surface(draft: Draft) -> str:
    """What to name where a loss is wanted: a law with one, for this model and objective where there is any."""
    usual = usual_law(draft.plan, draft.objective, draft.catalogue)
    return f"name a law with a loss surface, such as `{usual}`, in `laws`; `plan law` lists what each gives"


def _regret(draft: Draft, name: Name) -> Missing:
    """Why the compute beyond the least is not told, of a law that has a loss."""
    message = f"`{draft.law.name}` has no optimum that `{name}` is measured from"
    return Missing("L004", message, (_surface(draft),), (draft.named,))


def _elsewhere(draft: Draft, name: Name) -> tuple[str, tuple[str, ...]]:
    """Why a quantity is not known that no law would give."""
    facts = draft.quantities[name.text].facts if name.text in draft.quantities else None
    if name == q.PARAMS_NON_EMBEDDING:
        help = "name a law that counts without embeddings, such as `kaplan.joint`, or give the model's shape"
        return f"`{draft.law.name}` counts all params, and no shape tells them apart", (help,)
    if name in OF_TRANSFER:
        help = "add an objective of two stages: `objective: transfer from CLM to MLM of protein`"
        return "the plan's objective is no transfer", (help,)
    if name in (q.INFERENCE_TOKENS, q.INFERENCE_COMPUTE, q.LIFETIME_COMPUTE):
        return "the plan does not say what is served", ("add `inference: 2T tokens`",)
    hardware = [stage.name for stage in _stages_of(draft, name) if stage.hardware]
    if facts is not None and facts.needs and hardware:
        known = {(one.part("stage"), one.text) for one in draft.definitions}
        lacking = [
            need for need in facts.needs if any({("", need[0]), (of, need[0])}.isdisjoint(known) for of in hardware)
        ] or list(facts.needs[:1])
        first = lacking[0][0]
        said = draft.quantities[first].facts.said or first
        return f"no `{said}` is given", tuple(text for _, text in lacking)
    timed = name.text == q.TIME.text
    if hardware and (timed or (facts is not None and facts.pools)):
        return _BOUGHT
    if facts is not None and (facts.needs or facts.pools or timed or name == q.IDLE_SHARE):
        return "the plan has no hardware", ("add `hardware: 1000 x H100 for 6 months`",)
    if name.part("source") or name == q.EPOCHS:
        return "the plan gives no data", ("add `data: 10T tokens`",)
    if facts is not None and facts.statement == "optimizer" and facts.given is not None:
        setting = f"{facts.given.name}: {facts.given.example}"
        named = draft.plan.optimizer is not None
        help = (
            f"say it in the optimizer's block: `{setting}`" if named else f"say it: `optimizer: AdamW {{ {setting} }}`"
        )
        return f"the plan does not set it, and no law that is used gives it for {draft.objective}", (help,)
    if name == q.STEPS:
        return "no batch is given", ("say it: `optimizer: AdamW { batch: 4M tokens }`",)
    return "nothing in the plan or the law gives it", ()


def how_to_choose(draft: Draft) -> list[str]:
    """What would choose the run where the law cannot: another law, or the plan itself."""
    if not draft.lawless:
        return [f"name a law that can, such as `{usual_law(draft.plan, draft.objective, draft.catalogue)}`"]
    help = [line for lacking in draft.lacking for line in lacking.help]
    if {name.text for name in draft.chosen()} != {q.TOKENS.text}:
        return [*help, "or say the size and the tokens, such as `model: 7B` and `tokens: 140B`"]
    budgets = [Op("/", (c.right, c.left)) for c in draft.constraints if bounds_compute(c)]
    one = Definition(q.TOKENS, TOKEN, Num(1.0, TOKEN), "derived")
    most = [expand(each, {**draft.definitions, q.TOKENS: one}, {}) for each in budgets]
    try:
        tokens = min(float(value(each, {})) for each in most)
    except (ArithmeticError, ValueError, KeyError):
        return [*help, "or say the tokens, such as `tokens: 1T`"]
    digit = 10.0 ** (math.floor(math.log10(tokens)) - 2)
    fit = show(math.floor(tokens / digit) * digit, TOKEN, 3).removesuffix(" tokens")
    return [*help, f"or say the tokens: the compute has room for `tokens: {fit}`"]


def _needs(draft: Draft, name: Name, other: Name) -> bool:
    """Whether a quantity follows from another by the formulas of `quantities.plan`."""
    known = draft.quantities.get(name.text)
    inputs = [quantity(word) for word in known.mentions] if known else []
    return name == other or any(_needs(draft, each, other) for each in inputs)
