"""Texts of packs to their definitions, each text read once, when something in it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.packs.headers import Header, Layer, headers, headers_of
from runplan.dsl.packs.pack import Pack, QuantityDef
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.packs.quantity_check import checked
from runplan.dsl.packs.reader import PackReader
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
    """Texts of packs. What is read from them is a function of the texts alone, and is kept once it was asked for."""

    files: tuple[PackFile, ...]
    _read: dict[Source, Contents] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, source: Source) -> Contents:
        """What one of the texts holds."""
        if source not in self._read:
            self._read[source] = self._contents(source, *self._words)
        return self._read[source]

    @cached_property
    def _words(self) -> tuple[Mapping[str, Dim], Mapping[str, Mapping[str, Field]]]:
        """The dimensions of quantities, and the fields of statements: what a text is read with."""
        return {name: known.counted.dim for name, known in self.quantities.items()}, self.quantities.fields

    def _contents(self, source: Source, dims: Mapping[str, Dim], fields: Mapping[str, Mapping[str, Field]]) -> Contents:
        file, findings = syntax_of(source)
        reader, broken = PackReader(dims, fields), blocks_of(findings)
        pack = reader.pack(file.statements, broken)
        return Contents(pack, (*findings, *reader.findings), broken)

    @cached_property
    def quantities(self) -> Quantities:
        """The quantities that plans may name."""
        found = Quantities()
        for _, quantity in self._defined():
            found.setdefault(quantity.name, quantity)
        return found

    def _defined(self) -> Iterator[tuple[Layer, QuantityDef]]:
        for file in self.files:
            if file.quantities:
                # A quantity is counted in units, and in no other quantity: it is read without knowing any.
                if file.source not in self._read:
                    self._read[file.source] = self._contents(file.source, {}, {})
                for quantity in self._read[file.source].pack.quantities:
                    yield file.layer, quantity

    @cached_property
    def quantity_findings(self) -> tuple[Finding, ...]:
        """What is wrong with the quantities that packs bring."""
        found: list[Finding] = []
        brought: list[QuantityDef] = []
        for layer, quantity in self._defined():
            if layer != "standard":
                brought.append(quantity)
            if self.quantities[quantity.name] is not quantity:
                message = f"quantity `{quantity.name}` is there already"
                found.append(finding("N005", message, quantity.span, help=["give it another name"]))
        return (*found, *(checked(brought, self.quantities) if brought else ()))

    def headers(self) -> Iterator[Header]:
        """What the definitions are called, those of the standard library without reading the texts whole."""
        for file in self.files:
            if file.layer == "standard":
                yield from headers(file.source, file.layer)
            else:
                yield from headers_of(self.read(file.source).pack, file.layer)
