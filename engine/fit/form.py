"""A law to the forms that it has for a fit: what it gives of what runs measure, over constants that are set free."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Expr, Num, substitute, words
from runplan.dsl.packs.law_check import expanded
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Function, Law
from runplan.dsl.units.dims import Dim
from runplan.engine.fit.slopes import differentiable
from runplan.engine.laws.form import CHOICES, functions_for, weighs

# The count of params that a law counts, by what a file of runs has it under.
COUNTS: Mapping[str, str] = {
    "total": "params",
    "non_embedding": "params_non_embedding",
    "active": "active_params",
    "with_head": "params_with_head",
}


@dataclass(frozen=True, slots=True)
class Form:
    """One formula of a law, for a fit.

    Attributes:
        law: As the library has it.
        body: Over the local names of inputs and the constants that are free; what is held is a number in it.
        free: The constants that are to be found, in the order of the law.
    """

    law: Law
    function: Function
    body: Expr
    free: tuple[str, ...]

    @property
    def output(self) -> str:
        """What it gives."""
        return self.function.output


def forms_of(law: Law, held: Mapping[str, float], objective: str = "") -> Iterator[Form]:
    """The formulas of a law that have constants to find and derivatives by them.

    Args:
        held: Constants that are not free.
        objective: As a law names it; its first unless said.
    """
    fixed = {name: Num(value) for name, value in held.items()}
    for function in functions_for(law, objective or next(iter(law.objectives), "")):
        body = substitute(expanded(function.body, law.lets), fixed)
        free = tuple(name for name in law.constants if name in words(body))
        # A line of best sizes is measured by no run, unless the law says how runs come to it.
        measured = law.reads is not None or function.output not in CHOICES
        if free and function.parameters and not differentiable(body) and measured:
            yield Form(law, function, body, free)


def quantity_columns(law: Law, counts: str, quantity: str) -> tuple[str, ...]:
    """The columns that may hold an input of a law, the first choice first.

    Args:
        counts: How its params are counted; `any` takes what there is.
    """
    if quantity == "params" or (quantity == "active_params" and law.counts == "active"):
        own = COUNTS.get(counts)
        return (own,) if own else tuple(COUNTS.values())
    if quantity == "data_tokens":
        return (quantity, "unique_tokens")
    return (quantity,)


def named(library: Library, name: str) -> tuple[Law, ...]:
    """The laws whose form a name may mean: that of the name, then those under it, but for what was put aside."""
    own = library.law(name)
    head = (own.name if own is not None and own.name.lower() == name.lower() else name).lower()
    below = (library.law(known) for known in sorted(library.index("law")) if known.startswith(f"{head}."))
    found = {law.name: law for law in (own, *below) if law is not None and (law is own or not law.aside)}
    return tuple(found.values())


def columns_of(form: Form, counts: str, has: Collection[str]) -> Mapping[str, str]:
    """The column of each input of a form, and of what it gives: of several that may be it, the first that there is."""
    asked = (p.quantity for p in form.function.parameters if p.default is None or p.quantity in has)
    found = {}
    for quantity in (*asked, form.output):
        ways = quantity_columns(form.law, counts or form.law.counts or "any", quantity)
        # A loss that a law has by a name of its own is what a file just calls the loss, where it has no other.
        ways += ("loss",) if quantity == form.output and quantity.startswith("loss_") else ()
        found[quantity] = next((way for way in ways if way in has), ways[0])
    return found


def chosen(laws: Iterable[Law], counts: Iterable[str], has: Collection[str]) -> tuple[Law, str] | None:
    """The law, of those that a name may mean, whose form the runs can be held to, and how it counts params there; None
    where they can be to none.

    One that gives the loss by the size and the tokens comes before one that gives it by less, and that before others.

    Args:
        counts: The ways to count params, the first choice first; empty for the law's own.
        has: The columns of the runs.
    """

    def rank(law: Law, count: str) -> int | None:
        able = (form for form in forms_of(law, {}) if set(columns_of(form, count, has).values()) <= set(has))
        return min((0 if weighs(f.function) else 1 if f.output == "loss" else 2 for f in able), default=None)

    laws = tuple(laws)
    ways = [(count, law) for count in counts for law in laws]
    ranked = [(found, law, count) for count, law in ways if (found := rank(law, count)) is not None]
    return min(ranked, key=lambda way: way[0])[1:] if ranked else None


def asked_of(laws: Iterable[Law], counts: str) -> tuple[tuple[str, ...], Mapping[str, Dim]]:
    """All columns that forms of laws may use, and the dimension of each."""
    dims: dict[str, Dim] = {}
    for form in (form for law in laws for form in forms_of(law, {})):
        for quantity, dim in dims_of(form).items():
            for way in quantity_columns(form.law, counts or form.law.counts or "any", quantity):
                dims.setdefault(way, dim)
    # The other counts of the params are of use to say what there is instead.
    return (*dims, "loss", *(column for column in COUNTS.values() if column not in dims)), dims


def dims_of(form: Form) -> Mapping[str, Dim]:
    """The dimension of each input of a form, and of what it gives."""
    inputs = {p.quantity: p.counted.dim for p in form.function.parameters}
    return {**inputs, form.output: form.function.counted.dim}
