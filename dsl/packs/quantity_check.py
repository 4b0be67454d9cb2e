"""The quantities of packs held to what there is: their formulas to names, to dimensions and to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.expr.dimensions import DimensionClash, Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num, Op, Unbound, walk, words
from runplan.dsl.packs.law_check import unsettled
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.units.dims import UNKNOWN


def checked(brought: Iterable[QuantityDef], known: Mapping[str, QuantityDef]) -> Iterator[Finding]:
    """What is wrong with quantities.

    Money of a plan stays apart from any currency here: what is in EUR and what is in the plan's money are added by no
    formula, as only a plan says at what rate.

    Args:
        brought: Those to check.
        known: All by name, with what they may be made of.
    """
    dims = {name: quantity.counted.dim for name, quantity in known.items()}
    formulas = {name: quantity.formula for name, quantity in known.items() if quantity.formula is not None}
    for quantity in brought:
        for need, _ in quantity.facts.needs:
            if need and need not in known:
                message = f"quantity `{quantity.name}` needs `{need}`, which there is not"
                yield finding("N002", message, quantity.span, help=did_you_mean(need, known))
        if quantity.formula is None:
            continue
        unknown = [item for item in walk(quantity.formula) if isinstance(item, Unbound) and item.name not in known]
        for item in unknown:
            message = f"quantity `{quantity.name}` names `{item.name}`, which nothing gives"
            yield finding("N002", message, item.span or quantity.span, help=did_you_mean(item.name, known))
        for part in walk(quantity.formula):
            if isinstance(part, Op) and part.op in ("P", "assumed"):
                message = f"quantity `{quantity.name}`: `{shown(part)}` has no value of its own"
                yield finding("P001", message, part.span or quantity.span)
        unread = any(isinstance(item, Num) and item.dim == UNKNOWN for item in walk(quantity.formula))
        if unknown or unread or UNKNOWN in (*(dims[name] for name in words(quantity.formula)), quantity.counted.dim):
            continue
        try:
            Dimensions(dims).require(quantity.formula, quantity.counted.dim)
        except DimensionClash as clash:
            yield finding("U001", f"quantity `{quantity.name}`: {clash.message}", clash.at.span or quantity.span)
    circle = unsettled(formulas)
    if circle is not None:
        yield circle
