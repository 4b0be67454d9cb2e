"""The names that a plan may use: what its words are bound to, and compared with where one is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.packs.pack import Entry, Record
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import Dim


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a plan may use, for binding and for the nearest one.

    Attributes:
        quantities: Dimension of each quantity; money is the dimension `currency`.
        devices: The device of each name and alias.
        laws, schedules, regimes: Names and aliases.
        parts: For each quantity the kinds of parts of a run that have one of their own.
        fields: For each statement its fields that give a quantity, by their names.
        figures: Those of prices and regions, by `NAME.KEY`, and a price by its NAME too.
        models: Names and aliases of models.
        model: A model by any of its names, however they are written; None for no model.
    """

    quantities: Mapping[str, Dim]
    devices: Mapping[str, str]
    laws: frozenset[str]
    schedules: frozenset[str]
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    figures: Mapping[str, Entry] = field(default_factory=dict)
    models: frozenset[str] = frozenset()
    regimes: frozenset[str] = frozenset()
    model: Callable[[str], Record | None] = field(default=lambda name: None, compare=False)
