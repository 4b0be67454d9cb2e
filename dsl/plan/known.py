"""The words of a plan to the names that they mean, and each one's dimension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Words
from runplan.dsl.units.dims import Dim


@dataclass(frozen=True, slots=True)
class Known(Mapping[str, Dim]):
    """The dimension of every word that an expression of the plan may use.

    Attributes:
        quantities: In the money of the plan.
        lets: Of those that are settled; it grows while they are read.
    """

    words: Words
    quantities: Mapping[str, Dim]
    lets: Mapping[str, Dim]

    def __getitem__(self, word: str) -> Dim:
        name = self.words.bind(word)
        if name is None:
            raise KeyError(word)
        return self.lets[word] if name.kind == "let" else self.quantities[name.text]

    def __contains__(self, word: object) -> bool:
        name = self.words.bind(word) if isinstance(word, str) else None
        return name is not None and (name.kind != "let" or word in self.lets)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words.spellings())

    def __len__(self) -> int:
        return sum(1 for _ in self)
