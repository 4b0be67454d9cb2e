"""What a file of runs lacks from what it has, by the library's own relations; and where they contradict its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, bound, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.engine.fit.table import Floats

# The relations between columns of runs; what each says is the formula of the quantity.
RELATIONS = ("compute", "tokens_per_param", "perplexity", "steps")
# What a law counts as its params, which formulas name so, and a file does not.
COUNTED = "law_params"
COUNTS = ("params", "params_non_embedding", "active_params")
APART = 0.01


@dataclass(frozen=True, slots=True)
class Relation:
    """A quantity by others.

    Attributes:
        inputs: What its formula names, as columns are called.
    """

    output: str
    inputs: tuple[str, ...]
    formula: Expr
    text: str

    def solved(self, name: str, known: Mapping[str, Floats]) -> Floats | None:
        """A quantity of the relation from all others; None where it is neither a power nor an exponential of it."""
        if name == self.output:
            return self.at(known)
        one, two, four = (self.at({**known, name: np.full_like(known[self.output], x)}) for x in (1.0, 2.0, 4.0))
        with np.errstate(all="ignore"):
            power = np.log2(two / one)
            if np.allclose(power, np.log2(four / two), rtol=1e-9, equal_nan=True):
                return np.asarray((known[self.output] / one) ** (1 / power))
            slope = np.log(two / one)
            if np.allclose(np.log(four / two), 2 * slope, rtol=1e-9, equal_nan=True):
                return np.asarray(1 + np.log(known[self.output] / one) / slope)
        return None

    def at(self, known: Mapping[str, Floats]) -> Floats:
        """What the formula gives of the others."""
        with np.errstate(all="ignore"):
            env: dict[Name, Floats] = {quantity(name): known[name] for name in self.inputs}
            return np.asarray(compiled(self.formula, np)(env), float)


def relations(library: Library) -> Iterator[Relation]:
    """The relations that columns may have, with each of what a law may count as its params."""
    known = library.quantities()
    for output in RELATIONS:
        formula = known[output].formula if output in known else None
        if formula is None:
            continue
        free = {str(name.text) for name in names(bound(formula, quantity))}
        for counted in COUNTS if COUNTED in free else ("",):
            words = {COUNTED: counted}
            own = bound(formula, lambda text, of=counted: quantity(of if text == COUNTED else text))  # type: ignore[misc]
            inputs = tuple(sorted(words.get(name, name) for name in free))
            yield Relation(output, inputs, own, f"{output} = {shown(own)}".replace(COUNTED, counted or COUNTED))


def derivable(missing: str, have: Sequence[str], library: Library) -> list[Relation]:
    """The relations that give what is missing from what there is."""
    return [
        relation
        for relation in relations(library)
        if missing in (relation.output, *relation.inputs)
        and all(name in have for name in (relation.output, *relation.inputs) if name != missing)
    ]


def nearly_derivable(missing: str, have: Sequence[str], library: Library) -> list[tuple[Relation, str]]:
    """The relations that would, with one column more; and that column."""
    out = []
    for relation in relations(library):
        every = (relation.output, *relation.inputs)
        lacking = [name for name in every if name != missing and name not in have]
        if missing in every and len(lacking) == 1 and len(every) > 2:
            out.append((relation, lacking[0]))
    return out
