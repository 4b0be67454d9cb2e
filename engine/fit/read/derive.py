"""What a file of runs lacks from what it has, by the library's own relations; and where they contradict its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, bound, joined, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.library import Library
from runplan.engine.fit.table import Floats

# The relations between columns of runs; what each says is the formula of the quantity.
RELATIONS = ("compute", "tokens_per_param", "perplexity", "steps", "epochs")
# What formulas name so, and files by one of these: what a law counts as its params, what it has of fresh tokens.
CALLED: Mapping[str, tuple[str, ...]] = {
    "law_params": ("params", "params_non_embedding", "active_params"),
    "data_tokens": ("unique_tokens", "data_tokens"),
}
# What is so many sequences, by their length: of the same in tokens, what counts the sequences.
IN_SEQUENCES: Mapping[str, str] = {"batch": "batch_sequences", "tokens": "samples"}
LENGTH = "context"
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
    """The relations that columns may have, with each of what files may call a figure."""
    known = library.quantities()
    for output in RELATIONS:
        formula = known[output].formula if output in known else None
        if formula is None:
            continue
        free = {str(name.text) for name in names(bound(formula, quantity))}
        general = next((name for name in CALLED if name in free), "")
        for own in CALLED.get(general, ("",)):
            called = {general: own} if general else {}
            body = bound(formula, lambda text, called=called: quantity(called.get(text, text)))  # type: ignore[misc]
            inputs = tuple(sorted(called.get(name, name) for name in free))
            text = f"{output} = {shown(body)}"
            yield Relation(output, inputs, body, text.replace(general, own) if general else text)
    for output, count in IN_SEQUENCES.items():
        body = joined("*", (quantity(count), quantity(LENGTH)))
        yield Relation(output, (count, LENGTH), body, f"{output} = {shown(body)} / sequence")


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
