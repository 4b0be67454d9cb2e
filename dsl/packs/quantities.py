"""The quantities that plans may name, together: what is asked of all of them at once, found once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, bound
from runplan.dsl.packs.plain import StoredFormula
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.typed.fields import Field
from runplan.dsl.types import Any, TypeVar

T = TypeVar("T")
NOTHING = frozenset[str]()


class Quantities(dict[str, QuantityDef]):
    """What is known of each quantity, by its text, in the order of the packs; it does not change once it is filled."""

    @cached_property
    def fields(self) -> Mapping[str, Mapping[str, Field]]:
        """For each statement its fields that give a quantity, by the names of the fields."""
        return {
            statement: {field.name: field for field in fields.values()} for statement, fields in self._given.items()
        }

    @cached_property
    def formulas(self) -> Mapping[Name, Expr]:
        """The formulas of the quantities that have one, over quantities of the run, each made where it is asked for."""
        return Formulas(self)

    def kept(self, work: Callable[[Quantities], T]) -> T:
        """What a function makes of them, worked out once."""
        if work not in self._kept:
            self._kept[work] = work(self)
        found: T = self._kept[work]
        return found

    @cached_property
    def _kept(self) -> dict[Callable[[Quantities], Any], Any]:
        return {}

    def given_by(self, statement: str) -> Mapping[str, Field]:
        """The fields of a statement that give a quantity, by the quantities."""
        return self._given.get(statement, {})

    def of_kind(self, kind: str) -> frozenset[str]:
        """The quantities of a group that the engine knows, such as those of a `mixture` of experts."""
        return self._kinds.get(kind, NOTHING)

    def decided_by(self, whom: str) -> frozenset[str]:
        """The quantities that are decided by `nature`, by the `hardware`, or are a choice of the `run`."""
        return self._decided.get(whom, NOTHING)

    def rows(self, *sections: str) -> tuple[str, ...]:
        """The quantities that have a row in one of these sections, in the order of their rows."""
        placed = {
            name: facts.row
            for name, known in self.items()
            if (facts := known.facts).row is not None and facts.section in sections
        }
        return tuple(sorted(placed, key=placed.__getitem__))

    @cached_property
    def _given(self) -> Mapping[str, Mapping[str, Field]]:
        out: dict[str, dict[str, Field]] = {}
        for text, known in self.items():
            if known.facts.given is not None:
                out.setdefault(known.facts.statement, {})[text] = known.facts.given
        return out

    @cached_property
    def _kinds(self) -> Mapping[str, frozenset[str]]:
        return self._grouped(lambda known: known.facts.kind)

    @cached_property
    def _decided(self) -> Mapping[str, frozenset[str]]:
        return self._grouped(lambda known: known.facts.decided)

    def _grouped(self, by: Callable[[QuantityDef], str]) -> Mapping[str, frozenset[str]]:
        out: dict[str, set[str]] = {}
        for text, known in self.items():
            out.setdefault(by(known), set()).add(text)
        return {group: frozenset(texts) for group, texts in out.items()}


class Formulas(Mapping[Name, Expr]):
    """The formulas of quantities by their names."""

    def __init__(self, known: Mapping[str, QuantityDef]) -> None:
        self._of = {quantity(text): one for text, one in known.items() if one.is_derived}
        self._made: dict[Name, Expr] = {}

    def __getitem__(self, name: Name) -> Expr:
        found = self._made.get(name)
        if found is None:
            one = self._of[name]
            if isinstance(one.by, StoredFormula):
                found = one.by.over_quantities()
            else:
                assert one.formula is not None, "it is derived"
                found = bound(one.formula, quantity)
            self._made[name] = found
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._of

    def __iter__(self) -> Iterator[Name]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)
