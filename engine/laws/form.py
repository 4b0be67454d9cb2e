"""What a law is: its formulas for an objective, what it may choose, and over which budgets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from runplan.dsl.expr.tree import words
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.pack import Function, Law
from runplan.dsl.text.errors import RunplanError
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from runplan.dsl.plan.ir import Objective


class Refused(RunplanError, ValueError):
    """Raised for an input that a law cannot be evaluated at; the message says which and why."""


# The size that a law chooses: all params as it counts them, or those that a token passes through.
SIZES = ("params", "active_params")
# What a law may choose; a formula that gives one of these is an optimum line, not a definition.
CHOICES = ("params", "tokens")
# The compute that a line runs over: of the run, or of the stage that is transferred to.
BUDGETS = ("compute", "finetune_compute")


def without_domain(objective: str) -> str:
    """An objective as laws name it without what its data are of: `CLM` of `CLM of text`."""
    return objective.rpartition(" of ")[0] or objective


def domain_of(objective: str) -> str:
    """What the data of an objective are of, as laws name it: `text` of `CLM of text`."""
    return objective.rpartition(" of ")[2]


def functions_for(law: Law, objective: Objective | str) -> Iterator[Function]:
    """The law's formulas that are for an objective, one of the plan or as a law names it."""
    said = without_domain(str(objective))
    for function in law.functions:
        if function.objective in ("", said):
            yield function


def gives(law: Law, objective: Objective | str, output: str) -> bool:
    """Whether the law has a formula for an output under an objective."""
    return any(function.output == output for function in functions_for(law, objective))


def size_of(law: Law) -> str:
    """What the law calls the size that it counts."""
    taken = {p.quantity for function in law.functions if function.output == "loss" for p in function.parameters}
    return "active_params" if law.counts == "active" and "active_params" in taken else "params"


def weighs(function: Function) -> bool:
    """Whether it is a loss over a size and the tokens, whatever else it takes."""
    inputs = set(function.needs)
    return function.output == "loss" and "tokens" in inputs and not inputs.isdisjoint(SIZES)


def without_variants(laws: Sequence[Law], beside: Sequence[Law] = ()) -> list[Law]:
    """The laws but for those like `kaplan.joint` where there is a `kaplan`, there or beside them."""
    heads = {name for law in (*laws, *beside) for name in (law.name, *law.aliases)}
    return [law for law in laws if law.name.partition(".")[0] not in heads - {law.name, *law.aliases}]


def free_in(law: Law, function: Function) -> tuple[str, ...]:
    """The constants that a formula rests on and that are left free: until they are set it gives no number."""
    used = words(expanded(function.body, law.lets))
    return tuple(name for name, constant in law.constants.items() if constant.value is None and name in used)


def is_form(law: Law) -> bool:
    """Whether a law is nothing but a form to be fitted: each of its formulas rests on a constant that is free."""
    return bool(law.functions) and not law.tables and all(free_in(law, function) for function in law.functions)


def cite_of(law: Law) -> str:
    """The law's first citation."""
    return law.cites[0].text if law.cites else ""


def is_of_settings(law: Law, settings: Collection[str]) -> bool:
    """Whether a law gives settings, such as the batch, and neither a loss nor what is best to choose."""
    outputs = {function.output for function in law.functions}
    return bool(outputs & set(settings)) and outputs.isdisjoint((*CHOICES, "loss", "transferred_tokens"))


# What the laws of mixtures of experts are laws of.
OF_MIXTURES = frozenset({"active_params", "experts", "expansion", "granularity", "sparsity"})
