"""What a file calls a column, and the unit that it says, into a quantity and a factor, by the records `column`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.tree import Num
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import Record
from runplan.dsl.text.pattern import pattern
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.parse import unit as unit_of
from runplan.dsl.units.table import Unit, UnknownUnit

# Multiples that files write of what is counted, as of tokens: there `m` is a million and never a thousandth.
MULTIPLES: Mapping[str, float] = {
    **dict.fromkeys(("k", "thousand", "thousands"), 1e3),
    **dict.fromkeys(("m", "mn", "mio", "million", "millions"), 1e6),
    **dict.fromkeys(("b", "bn", "g", "billion", "billions"), 1e9),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), 1e12),
}
_COUNTED = frozenset(("param", "token", "step", "FLOP", "sequence", "epoch"))
_APART = pattern(r"[^0-9a-z%]+")
# Words about a unit that are none of it: `in billions of tokens`.
_SAID = pattern(r"^\s*in\s+|\s+of\s+")
_BRACKETS = pattern(r"(.*?)\s*[(\[{<]\s*([^()\[\]{}<>]*?)\s*[)\]}>]\s*")
_IN_UNIT = pattern(r"(.+?)(?:\s*,\s*|\s+in\s+|\s+/\s+)(\S+(?:\s\S+)?)")
_POWER_OF_TEN = pattern(r"(?:[x\u00d7*]\s*)?(?:10\s*(?:\^|\*\*)\s*|1?e\+?)(\d{1,2})\s*(\D*)", re.IGNORECASE)
_OF_WANDB = pattern(r".* - (\S.*)")
_BOUNDS_OF_WANDB = ("__MIN", "__MAX")


def folded(text: str) -> str:
    """A name as it is compared: its words in lower case, each behind a `_`."""
    return _APART.sub("_", text.lower()).strip("_")


def squashed(text: str) -> str:
    """A name or unit as it is compared where nothing parts its words."""
    return _APART.sub("", text.lower())


@dataclass(frozen=True, slots=True)
class Sort:
    """A quantity that a column may be.

    Attributes:
        words: What files call it, squashed, the usual first.
        units: What files call its units, squashed; `""` is what is taken where they say none, None where one must.
        between: Where its figures lie, in base units; None where anything goes.
        first: Whether the first of several such columns is meant, and none need be asked about.
        instead: The quantity that such a column may be as well, in another unit; empty where there is none.
    """

    name: str
    dim: Dim
    words: tuple[str, ...]
    units: Mapping[str, Unit | None]
    between: tuple[float, float] | None
    first: bool
    instead: str = ""

    @property
    def dims(self) -> frozenset[Dim]:
        """The dimensions that its figures may have."""
        return frozenset((self.dim, *(one.dim for one in self.units.values() if one is not None)))

    def unit(self, text: str) -> Unit:
        """The unit that a header or a cell says.

        Raises:
            UnknownUnit: It is none.
        """
        text = _SAID.sub(" ", text).strip()
        key = squashed(text)
        if (known := self.units.get(key)) is not None:
            return known
        if self.counted and (factor := MULTIPLES.get(key)) is not None:
            return Unit(factor * self._usual.factor, self._usual.dim)
        if m := _POWER_OF_TEN.fullmatch(text.strip()):
            base = self.unit(m[2]) if m[2] else self._usual
            return Unit(10.0 ** int(m[1]) * base.factor, base.dim)
        if self.counted:
            # `B tokens`, `Mparams`.
            for letters, factor in MULTIPLES.items():
                rest = self.units.get(key.removeprefix(letters)) if key.startswith(letters) else None
                if rest is not None:
                    return Unit(factor * rest.factor, rest.dim)
        found = unit_of(re.sub(r"\s+", "", text))
        return found

    @property
    def _usual(self) -> Unit:
        return next((one for one in self.units.values() if one is not None), Unit(1.0, self.dim))

    @property
    def counted(self) -> bool:
        """Whether its figures are counts, which files write in thousands, millions or billions without a word."""
        return any(name in _COUNTED and power > 0 for name, power in self._usual.dim)


def sorts_of(library: Library, dims: Mapping[str, Dim]) -> dict[str, Sort]:
    """The quantities that columns may be, by name: those that the library has words for, then those that are asked for.

    Args:
        dims: Of quantities that are asked for beside them.
    """
    sorts = {record.name: _sort(record, library) for record in library.records("column")}
    quantities = library.quantities()
    for name, dim in dims.items():
        if name not in sorts:
            sorts[name] = Sort(name, dim, (squashed(name),), {"": Unit(1.0, dim)}, None, False)
    for name, known in quantities.items():
        if name not in sorts:
            dim = known.counted.dim
            sorts[name] = Sort(name, dim, (squashed(name),), {"": Unit(1.0, dim)}, None, False)
    return sorts


def _sort(record: Record, library: Library) -> Sort:
    units: dict[str, Unit | None] = {}
    asked = False
    for entry in record.entries:
        value = entry.values[0] if entry.values else None
        if entry.key == "unit" and isinstance(value, Num):
            asked = asked or entry.qualifier == "asked"
            units[squashed(entry.qualifier)] = Unit(value.value, value.dim)
    known = library.quantities().get(record.name)
    usual = next(iter(units.values()), None)
    dim = usual.dim if usual is not None else known.counted.dim if known else NONE
    units.pop("asked", None)
    units[""] = None if asked else usual or Unit(1.0, dim)
    between = record.entry("between")
    ends = tuple(one.value for one in between.values if isinstance(one, Num)) if between else ()
    words = tuple(dict.fromkeys(squashed(word) for word in (record.name, *record.aliases)))
    first, instead = record.text("several") == "first", record.text("instead") or ""
    return Sort(record.name, dim, words, units, ends if len(ends) == 2 else None, first, instead)


@dataclass(frozen=True, slots=True)
class Read:
    """What a header is read as.

    Attributes:
        word: What it says the quantity by, squashed.
        unit: The text of its unit; empty where it says none.
    """

    sort: Sort
    word: str
    unit: str = ""


class Words:
    """Reads headers."""

    __slots__ = ("_by_word", "sorts")

    def __init__(self, sorts: Mapping[str, Sort], asked: Iterable[str] = ()) -> None:
        self.sorts = sorts
        # What is asked for by its own name is that, and not what another quantity is called as well.
        self._by_word: dict[str, Sort] = {squashed(name): sorts[name] for name in asked}
        for sort in sorts.values():
            for word in sort.words:
                self._by_word.setdefault(word, sort)

    def read(self, header: str) -> Read | None:
        """What a header says; None where it is no quantity that is known."""
        if header.endswith(_BOUNDS_OF_WANDB):
            return None
        for name in _spellings(header):
            if found := self._whole(name):
                return found
        return None

    def _whole(self, header: str) -> Read | None:
        if (sort := self._by_word.get(squashed(header))) is not None:
            return Read(sort, squashed(header), _said_in(sort, header))
        for form in (_BRACKETS, _IN_UNIT):
            m = form.fullmatch(header)
            if m and (sort := self._by_word.get(squashed(m[1]))) is not None:
                # `loss (validation)` says which loss, and no unit.
                longer = self._by_word.get(squashed(m[1] + m[2])) or self._by_word.get(squashed(m[2] + m[1]))
                return Read(sort, squashed(m[1]), m[2]) if longer is not sort else Read(sort, squashed(header))
        words = folded(header).split("_")
        for cut in range(len(words) - 1, 0, -1):
            base, rest = "".join(words[:cut]), " ".join(words[cut:])
            sort = self._by_word.get(base)
            if sort is not None and is_unit(sort, rest):
                return Read(sort, base, rest)
        return None


def _spellings(header: str) -> Iterator[str]:
    """A header, and what is left of it without where it is from: `run-7 - train/loss`, `train/loss`."""
    yield header
    if m := _OF_WANDB.fullmatch(header):
        yield m[1]
        header = m[1]
    parts = re.split(r"[/.:]", header)
    for i in range(1, len(parts)):
        if parts[i]:
            yield "_".join(parts[i:])


def _said_in(sort: Sort, header: str) -> str:
    """The unit that is a part of a name, as in `batch_tokens`, `hours`, `bpb`."""
    words = folded(header).split("_")
    tails = ["_".join(words[i:]) for i in range(len(words))]
    return next((tail for tail in tails if squashed(tail) in sort.units and tail), "")


def is_unit(sort: Sort, text: str) -> bool:
    """Whether a text is a unit that figures of a quantity may be in."""
    try:
        return sort.unit(text).dim in sort.dims
    except UnknownUnit:
        return False
