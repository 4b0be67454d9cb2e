"""A library as one file of plain data, which says what its texts define without any of them being read.

An index of each kind comes first, then the definitions, each by itself: only what is asked for is restored.
docs/design/0018-the-library-as-an-image.md says why, and what it saves.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from importlib._bootstrap_external import MAGIC_NUMBER

from runplan.dsl.dataclass import replace
from runplan.dsl.packs.cards import Card, card
from runplan.dsl.packs.headers import Header, headers_of
from runplan.dsl.packs.names import Names
from runplan.dsl.packs.pack import Definition, Law, Pack, Rule
from runplan.dsl.packs.plain import quantities, restored, stored, stored_quantities
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.text.source import Source, Span
from runplan.dsl.units.dims import Dim

TYPE_CHECKING = False  # see dsl/dataclass.py
if TYPE_CHECKING:
    from typing import Any

    # Where data stand: from where on, and how long they are.
    Stretch = tuple[int, int]
    # A definition: the number of its file, where its name begins and ends, its names, whether it overrides, its data.
    Place = tuple[int, int, int, str, tuple[str, ...], bool, Stretch]
    # Of a kind: its definitions, the number of each name in lower case, and what goes by each name as it is spelled.
    Index = tuple[tuple[Place, ...], dict[str, int], dict[str, str]]

# `marshal` promises nothing between versions of Python, and we nothing between versions of an image.
MARK = b"runplan image 3\n" + MAGIC_NUMBER
# What the image of a library is called, beside its files.
IMAGE = "image.bin"
_SIZE = 8


class Image:
    """What is kept of the texts of a library.

    Attributes:
        sources: The files, in order; the text of one is read when it is asked for.
    """

    __slots__ = (
        *("_begins", "_by_path", "_cards", "_data", "_headers", "_indexes", "_known", "_loaded_indexes", "_of_rules"),
        *("_places", "_quantities", "sources"),
    )

    def __init__(self, data: bytes, shown: str, text: Callable[[str], str]) -> None:
        """An image as it was written.

        Args:
            shown: What stands before the path of each file.
            text: The text of a file by its path in the library.

        Raises:
            ValueError: For what is no image, or one of another version.
        """
        if not data.startswith(MARK):
            raise ValueError("no image of this version")
        begins = len(MARK) + 2 * _SIZE
        size, whole = (int.from_bytes(data[at : at + _SIZE], "little") for at in (begins - 2 * _SIZE, begins - _SIZE))
        if len(data) != begins + size + whole:
            raise ValueError("an image that was cut off")
        paths, self._indexes, self._of_rules, self._quantities = marshal.loads(memoryview(data)[begins : begins + size])
        self._data, self._begins = memoryview(data), begins + size
        self.sources = tuple([Source(f"{shown}/{path}", _reading(text, path)) for path in paths])
        self._by_path = {source.path: source for source in self.sources}
        self._cards: dict[str, tuple[Card, ...]] | None = None
        self._loaded_indexes: dict[str, Index] = {}
        self._headers: dict[tuple[str, int], Header] = {}
        # Where the data of each definition stand that was asked for, and what they were restored to.
        self._places: dict[tuple[str, int], Stretch] = {}
        self._known: dict[tuple[str, int], Definition] = {}

    def holds(self, source: Source) -> bool:
        """Whether a text is one of those that it is of."""
        return self._by_path.get(source.path) is source

    # ---- names: what `Names` asks for where it has no definition of its own

    def of(self, kind: str) -> Mapping[str, Header]:
        """Headers of a kind by lower-case name and alias, each made where it is asked for."""
        return Headers(self._index(kind)[1], partial(self._header, kind))

    def spellings(self, kind: str) -> Mapping[str, str]:
        """Every name and alias of a kind, as it is spelled, with the name of what goes by it."""
        return self._index(kind)[2]

    def headers(self) -> Iterator[Header]:
        """What the definitions are called, a kind after the other."""
        for kind in self._indexes:
            yield from (self._header(kind, number) for number in range(len(self._index(kind)[0])))

    def _index(self, kind: str) -> Index:
        if kind not in self._loaded_indexes:
            self._loaded_indexes[kind] = self._loaded(self._indexes[kind]) if kind in self._indexes else ((), {}, {})
        return self._loaded_indexes[kind]

    def _header(self, kind: str, number: int) -> Header:
        if (kind, number) not in self._headers:
            of, start, end, name, aliases, override, data = self._index(kind)[0][number]
            source = self.sources[of]
            self._places[source.path, start] = data
            self._headers[kind, number] = Header(kind, name, aliases, override, Span(source, start, end), "standard")
        return self._headers[kind, number]

    # ---- definitions

    def cards(self, source: Source) -> tuple[Card, ...]:
        """What is known of the rules of a text."""
        if self._cards is None:
            self._cards = {}
            for number, (severity, needs) in enumerate(self._loaded(self._of_rules)):
                header = self._header("rule", number)
                made = Card(header.name, header.aliases[0], severity, frozenset(needs), header.span)
                self._cards[header.span.source.path] = (*self._cards.get(header.span.source.path, ()), made)
        return self._cards.get(source.path, ())

    def at(self, span: Span) -> Pack:
        """The definition that says its name at a place, as a header or a card tells it."""
        place = span.source.path, span.start
        if place not in self._known:
            self._known[place] = restored(self._loaded(self._places[place]), span.source)
        return Pack.of((self._known[place],))

    def quantities(self) -> Iterator[QuantityDef]:
        """The quantities that its texts define."""
        for number, data in self._quantities.items():
            yield from quantities(self._loaded(data), self.sources[number])

    def read(self, source: Source) -> Pack:
        """All that a text defines."""
        number = self.sources.index(source)
        own = [header.span for header in self.headers() if header.span.source is source]
        packs = map(self.at, sorted(own, key=lambda span: span.start))
        found = self._quantities.get(number)
        own_quantities = tuple(quantities(self._loaded(found), source)) if found else ()
        return reduce(Pack.plus, packs, Pack(quantities=own_quantities))

    def _loaded(self, data: Stretch) -> Any:
        begins = self._begins + data[0]
        return marshal.loads(self._data[begins : begins + data[1]])


def _reading(text: Callable[[str], str], path: str) -> Callable[[], str]:
    return lambda: text(path)


class Headers(Mapping[str, Header]):
    """Headers by their names, each made where it is asked for: of most kinds a plan names one, of hundreds.

    Args:
        numbers: The place of each, by the names it goes by.
        made: Makes that of a place, the same each time.
    """

    __slots__ = ("_made", "_numbers")

    def __init__(self, numbers: Mapping[str, int], made: Callable[[int], Header]) -> None:
        self._numbers, self._made = numbers, made

    def __getitem__(self, name: str) -> Header:
        return self._made(self._numbers[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class _Data:
    """Data one after the other."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def kept(self, data: Any) -> Stretch:
        """Where data stand that are put behind the others."""
        self.parts.append(marshal.dumps(data))
        self.size += len(self.parts[-1])
        return self.size - len(self.parts[-1]), len(self.parts[-1])


def written(packs: Mapping[str, Pack], dims: Mapping[Span, Mapping[str, Dim]]) -> bytes:
    """The image of a library.

    Args:
        packs: What each file defines, by its path in the library, in order.
        dims: The dimensions of the constants of each law, by where it says its name.
    """
    data = _Data()
    places: dict[str, list[Place]] = {}
    cards: list[tuple[str, tuple[str, ...]]] = []
    quantities: dict[int, Stretch] = {}
    entered: list[Header] = []
    for number, pack in enumerate(packs.values()):
        for header in sorted(headers_of(pack, "standard"), key=lambda header: header.span.start):
            found = pack.at(header.span)
            all_there: tuple[Definition, ...] = (*found.laws, *found.records, *found.rules, *found.schedules)
            (one,) = all_there
            if isinstance(one, Law):
                one = replace(one, dims=dict(dims[header.span]))
            if isinstance(one, Rule):
                cards.append((one.severity, tuple(sorted(card(one).needs))))
            begins, ends, kept = header.span.start, header.span.end, data.kept(stored(one))
            place = (number, begins, ends, header.name, header.aliases, header.override, kept)
            places.setdefault(header.kind, []).append(place)
            entered.append(header)
        if pack.quantities:
            quantities[number] = data.kept(stored_quantities(pack.quantities))
    names = Names(entered)
    indexes = {}
    for kind, of_kind in places.items():
        order = {id(header): i for i, header in enumerate(h for h in entered if h.kind == kind)}
        numbers = {name: order[id(header)] for name, header in names.of(kind).items()}
        indexes[kind] = data.kept((tuple(of_kind), numbers, dict(names.spellings(kind))))
    head = marshal.dumps((tuple(packs), indexes, data.kept(tuple(cards)), quantities))
    sizes = (size.to_bytes(_SIZE, "little") for size in (len(head), data.size))
    return b"".join((MARK, *sizes, head, *data.parts))
