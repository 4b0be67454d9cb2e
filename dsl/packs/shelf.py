"""Texts of packs to their definitions, each text read once, when something in it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.packs.cards import Card, card
from runplan.dsl.packs.headers import Header, Layer, headers, headers_of
from runplan.dsl.packs.image import Image
from runplan.dsl.packs.pack import Pack
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.packs.quantity import QuantityDef
from runplan.dsl.syntax.imports import blocks_of, syntax_of
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.reader import Reader, decoded
from runplan.dsl.text.source import Source, Span
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import Dim

ENDING = ".plan"


@dataclass(frozen=True, slots=True)
class PackFile:
    """The text of one file of a pack.

    Attributes:
        source: Under the path that findings show, such as `stdlib/laws/chinchilla.plan`.
        quantities: Whether it says what quantities there are, and all else is counted in them.
        wrong: Why it is no text, where it is none.
    """

    source: Source
    layer: Layer
    quantities: bool
    wrong: Finding | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a text holds, what is wrong with it, and the blocks of it that could not be read whole."""

    pack: Pack
    findings: tuple[Finding, ...]
    broken: tuple[Span, ...]


def pack_files(reader: Reader, path: str, shown: str, layer: Layer) -> tuple[PackFile, ...]:
    """The files of a pack, which is one file or a folder of them.

    Args:
        shown: The name that stands for `path` where its files are shown.

    Raises:
        OSError: Where there is no such file or folder, or one of them cannot be read.
    """
    return tuple(_pack_files(reader, path, shown, layer))


def _pack_files(reader: Reader, path: str, shown: str, layer: Layer) -> Iterator[PackFile]:
    for name in reader.files(path):
        inner = name[len(path) :].strip("/") if path not in ("", ".") else name
        if inner and not name.endswith(ENDING):
            continue
        source, wrong = decoded("/".join(filter(None, (shown, inner))), reader.read(name))
        quantities = (inner or name.rsplit("/", 1)[-1]) == "quantities.plan"
        yield PackFile(Source(source.path, "") if wrong else source, layer, quantities, wrong)


@dataclass(frozen=True)
class Shelf:
    """Texts of packs. What is read from them is a function of the texts alone, and is kept once it was asked for.

    Attributes:
        own: The files that were read.
        image: What is known of the standard library without reading its files, where they are not among them.
        plain: The shelf of the standard library alone, where this one has files beside it.
    """

    own: tuple[PackFile, ...]
    image: Image | None = None
    plain: Shelf | None = field(default=None, repr=False, compare=False)
    _read: dict[Source, Contents] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_files(self, files: Iterable[PackFile]) -> Shelf:
        """The same with more files behind them."""
        return Shelf((*self.own, *files), self.image, self.plain or self)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All texts, those of an image first."""
        pictured = self.image.sources if self.image is not None else ()
        return (*pictured, *(file.source for file in self.own))

    @cached_property
    def brought(self) -> tuple[PackFile, ...]:
        """The files beside the standard library."""
        return tuple(file for file in self.own if file.layer != "standard")

    def read(self, source: Source) -> Contents:
        """What one of the texts holds."""
        if source not in self._read:
            image, plain = self._image_of(source), self._plain_of(source)
            if image:
                self._read[source] = Contents(image.read(source), (), ())
            else:
                self._read[source] = plain.read(source) if plain else self._contents(source, *self._words)
        return self._read[source]

    def at(self, span: Span) -> Pack:
        """The definitions that say their name at a place of one of the texts."""
        image = self._image_of(span.source)
        return image.at(span) if image else self.read(span.source).pack.at(span)

    def cards(self, source: Source) -> Iterable[Card]:
        """What is known of the rules of one of the texts."""
        image = self._image_of(source)
        return image.cards(source) if image else map(card, self.read(source).pack.rules)

    def broken(self, source: Source) -> tuple[Span, ...]:
        """The blocks of one of the texts that could not be read whole; of one that is not read, there are none."""
        return () if self.pictures(source) else self.read(source).broken

    def pictures(self, source: Source) -> bool:
        """Whether a text is known by an image, and was not read."""
        return self._image_of(source) is not None

    def _image_of(self, source: Source) -> Image | None:
        """The image that says what a text holds; none does where a pack brings fields, which records are read with."""
        return self.image if self.image and self.image.holds(source) and not self._brings_fields else None

    def _plain_of(self, source: Source) -> Shelf | None:
        """The shelf that has read a text of the standard library, with other packs beside it, too; as an image has."""
        return self.plain if self.plain and source in self.plain._texts and not self._brings_fields else None

    @cached_property
    def _texts(self) -> frozenset[Source]:
        return frozenset(file.source for file in self.own if file.layer == "standard")

    @cached_property
    def _brings_fields(self) -> bool:
        return any(one.facts.given for _, one in self._defined(self.brought))

    @cached_property
    def _words(self) -> tuple[Mapping[str, Dim], Mapping[str, Mapping[str, Field]]]:
        """The dimensions of quantities, and the fields of statements: what a text is read with."""
        return {name: known.counted.dim for name, known in self.quantities.items()}, self.quantities.fields

    def _contents(self, source: Source, dims: Mapping[str, Dim], fields: Mapping[str, Mapping[str, Field]]) -> Contents:
        # Where there is an image no text is read: docs/design/0004-what-check-does-not-import.md.
        from runplan.dsl.packs.reader import PackReader

        file, findings = syntax_of(source)
        reader, broken = PackReader(dims, fields), blocks_of(findings)
        pack = reader.pack(file.statements, broken)
        return Contents(pack, (*findings, *reader.findings), broken)

    @cached_property
    def quantities(self) -> Quantities:
        """The quantities that plans may name."""
        found = Quantities()
        for _, quantity in self._all_defined():
            found.setdefault(quantity.name, quantity)
        return found

    def _all_defined(self) -> Iterator[tuple[Layer, QuantityDef]]:
        yield from (("standard", quantity) for quantity in self._pictured)
        yield from self._defined(self.own)

    @cached_property
    def _pictured(self) -> tuple[QuantityDef, ...]:
        return tuple(self.image.quantities()) if self.image is not None else ()

    def _defined(self, files: Iterable[PackFile]) -> Iterator[tuple[Layer, QuantityDef]]:
        for file in files:
            if file.quantities:
                for quantity in self._quantities_of(file):
                    yield file.layer, quantity

    def _quantities_of(self, file: PackFile) -> tuple[QuantityDef, ...]:
        if self.plain is not None and file.layer == "standard":
            return self.plain._quantities_of(file)
        # A quantity is counted in units, and in no other quantity: it is read without knowing any.
        if file.source not in self._read:
            self._read[file.source] = self._contents(file.source, {}, {})
        return self._read[file.source].pack.quantities

    @cached_property
    def quantity_findings(self) -> tuple[Finding, ...]:
        """What is wrong with the quantities that packs bring."""
        found: list[Finding] = []
        brought: list[QuantityDef] = []
        for layer, quantity in self._all_defined():
            if layer != "standard":
                brought.append(quantity)
            if self.quantities[quantity.name] is not quantity:
                message = f"quantity `{quantity.name}` is there already"
                found.append(finding("N005", message, quantity.span, help=["give it another name"]))
        if not brought:
            return tuple(found)
        from runplan.dsl.packs.quantity_check import checked

        return (*found, *checked(brought, self.quantities))

    def headers(self, beyond: Image | None = None) -> Iterator[Header]:
        """What the definitions are called, those of the standard library without reading the texts whole.

        Args:
            beyond: An image whose definitions are left out.
        """
        if self.image is not None and self.image is not beyond:
            yield from self.image.headers()
        yield from (self.plain or self)._standard_headers
        for file in self.own:
            if file.layer != "standard":
                yield from headers_of(self.read(file.source).pack, file.layer)

    @cached_property
    def _standard_headers(self) -> tuple[Header, ...]:
        return tuple(h for file in self.own if file.layer == "standard" for h in headers(file.source, file.layer))
