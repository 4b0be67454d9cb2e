"""The headers of a grid into which column is which quantity, in which unit; and what must be asked about them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, replace
from runplan.dsl.text.finding import Finding, Label, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import cut, listing
from runplan.dsl.units.show import said_dim
from runplan.dsl.units.table import Unit, UnknownUnit
from runplan.engine.fit.read.asked import Asked
from runplan.engine.fit.read.derive import IN_SEQUENCES, LENGTH
from runplan.engine.fit.read.figures import Figures, Style, decimal_of, figures, has_signs, read_one_way, style_of
from runplan.engine.fit.read.grid import Grid
from runplan.engine.fit.read.words import Read, Sort, Words, squashed

# Columns of one quantity that agree so far are one: what is written with fewer digits is the same figure.
_SAME = 1e-3


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column of the grid as a quantity.

    Attributes:
        place: Of the column in the grid.
        stated: Whether the file, or the user, says the unit.
    """

    sort: Sort
    place: int
    figures: Figures
    stated: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Which column is which quantity.

    Attributes:
        columns: By quantity.
        texts: Of columns of words, such as names of runs, the places in the grid, by what they are.
        unread: Headers that are nothing that is known, by their places.
        doubtful: By quantity, the place of a column that may be it and of which something must be asked.
        findings: What is wrong, or must be asked about.
    """

    columns: Mapping[str, Chosen]
    texts: Mapping[str, int]
    unread: tuple[int, ...]
    doubtful: Mapping[str, int]
    findings: tuple[Finding, ...]


# Columns that are words and no figures.
TEXTS = ("label", "state", "objective")


def choose(grid: Grid, words: Words, asked: Asked) -> Choice:
    """Which column is which quantity."""
    findings: list[Finding] = []
    candidates: dict[str, list[tuple[int, Read]]] = {}
    unread: list[int] = []
    told = {squashed(text): name for name, text in asked.columns.items()}
    for place, header in enumerate(grid.headers):
        read = words.read(header)
        if squashed(header) in told:
            sort = words.sorts[told[squashed(header)]]
            own = read if read is not None and read.sort is sort else Read(sort, squashed(header))
            candidates.setdefault(sort.name, []).append((place, own))
        elif read is None:
            unread.append(place)
        elif read.sort.name not in asked.columns:
            candidates.setdefault(read.sort.name, []).append((place, read))
    for name, text in asked.columns.items():
        if name not in candidates:
            message = f"there is no column `{cut(text)}`, which was to be `{name}`"
            help = did_you_mean(text, grid.headers) or [f"the columns are {listing(grid.headers)}"]
            findings.append(_asking("F002", name, message, grid.header(0), help))
    if LENGTH in candidates:
        _in_sequences(grid, candidates, asked, words.sorts)
    texts = {name: candidates.pop(name)[0][0] for name in TEXTS if name in candidates}
    styles = _styles(grid, (place for found in candidates.values() for place, _ in found))
    columns: dict[str, Chosen] = {}
    for name, found in candidates.items():
        chosen, wrong = _one(grid, found, asked, styles, words.sorts)
        if chosen is not None:
            columns[name] = chosen
        if name in asked.needs:
            findings += wrong
        elif name in asked.uses:
            # What is not needed is done without.
            findings += (replace(one, severity="info") for one in wrong)
    doubtful = {name: found[0][0] for name, found in candidates.items() if name not in columns}
    return Choice(columns, texts, tuple(unread), doubtful, tuple(findings))


def _in_sequences(
    grid: Grid, candidates: dict[str, list[tuple[int, Read]]], asked: Asked, sorts: Mapping[str, Sort]
) -> None:
    """Take a batch that says no unit as one of sequences, where the file has their length beside it."""
    for name, count in IN_SEQUENCES.items():
        found, sort, other = candidates.get(name, ()), sorts[name], sorts[count]
        if not found or count in candidates or name in asked.units or sort.units[""] is not None:
            continue
        cells = [grid.columns[place] for place, read in found if not read.unit]
        if len(cells) == len(found) and not any(_of_cells(own, sort) or _by_figures(own, sort, other) for own in cells):
            candidates[count] = [(place, Read(other, read.word)) for place, read in candidates.pop(name)]


def _styles(grid: Grid, places: Iterable[int]) -> dict[int, Style]:
    places = tuple(places)
    if not any(has_signs(grid.columns[place]) for place in places):
        return {}
    return {place: style_of(grid.columns[place]) for place in places}


def _one(
    grid: Grid,
    found: Sequence[tuple[int, Read]],
    asked: Asked,
    styles: Mapping[int, Style],
    sorts: Mapping[str, Sort],
) -> tuple[Chosen | None, list[Finding]]:
    """The column of a quantity among those that may be; None where it must be asked which, or in which unit."""
    name = found[0][1].sort.name
    preferred = [squashed(word) for word in asked.prefer.get(name, ())]
    order = {word: i for i, word in enumerate(dict.fromkeys((*preferred, *found[0][1].sort.words)))}
    ranked = sorted(found, key=lambda one: order.get(one[1].word, len(order)))
    instead = sorts.get(found[0][1].sort.instead)
    read = [_read(grid, place, one, asked, styles, instead) for place, one in ranked]
    chosen = read[0]
    settled = found[0][1].sort.first or ranked[0][1].word in preferred
    others = [] if settled else [one for one in read[1:] if not _alike(chosen[0], one[0])]
    if others:
        headers = [grid.headers[place] for place, _ in ranked]
        also = [Label(grid.header(place), "or this one") for place, _ in ranked[1:]]
        help = [f"say which: `{by_column(name, header)}`" for header in headers[:3]]
        if len(set(headers)) < len(headers):
            help = ["give them names of their own"]
        message = f"{listing(headers)} may each be `{name}`"
        return None, [_asking("F003", name, message, grid.header(ranked[0][0]), help, also)]
    return chosen


def _asking(code: str, name: str, message: str, at: Span, help: Iterable[str], also: Iterable[Label] = ()) -> Finding:
    """A finding that asks about a quantity: nothing else is said of its absence."""
    return finding(code, message, at, also=also, help=help, data={"quantity": name})


def by_column(quantity: str, header: str) -> str:
    """The option that says which column is a quantity, as it is pasted into a shell."""
    return f"--column {quantity}={shlex.quote(header)}"


def _alike(one: Chosen | None, other: Chosen | None) -> bool:
    if one is None or other is None or one.figures.dim != other.figures.dim:
        return False
    a, b = one.figures.values, other.figures.values
    both = (a == a) & (b == b)
    return bool((abs(a[both] - b[both]) <= _SAME * abs(a[both])).all())


def _read(
    grid: Grid, place: int, read: Read, asked: Asked, styles: Mapping[int, Style], other: Sort | None
) -> tuple[Chosen | None, list[Finding]]:
    sort, header, cells = read.sort, grid.headers[place], grid.columns[place]
    said = asked.units.get(sort.name, read.unit)
    at = grid.header(place)
    try:
        unit = sort.unit(said) if said else sort.units[""]
    except UnknownUnit as error:
        help = [f"say it: `--unit {sort.name}={_example(sort)}`"]
        return None, [_asking("F004", sort.name, f"the unit of `{cut(header)}`: {error}", at, help)]
    if unit is None:
        unit = _of_cells(cells, sort) or _by_figures(cells, sort, other)
        if unit is None:
            ways = [*(f"`--unit {sort.name}={word}`" for word in unit_words(sort)), *_instead(sort, header)]
            message = f"`{cut(header)}` does not say in which unit it is"
            return None, [_asking("F004", sort.name, message, at, [f"say it: {' or '.join(ways)}"])]
    elif unit.dim not in sort.dims:
        message = f"`{cut(header)}` is {said_dim(unit.dim)}, and `{sort.name}` is {said_dim(sort.dim)}"
        ways = [f"`--unit {sort.name}={_example(sort)}`", *_instead(sort, header)]
        return None, [_asking("F004", sort.name, message, at, [f"say it: {' or '.join(ways)}"])]
    decimal = asked.decimal or decimal_of(tuple(styles.values()), styles.get(place, "none"))
    decimal = decimal or read_one_way(cells, sort, unit)
    if not decimal:
        row = next(i for i, cell in enumerate(cells) if "," in cell)
        message = f"`{cut(cells[row].strip())}` of `{cut(header)}` may be with decimals or with thousands"
        help = ["say which: `--decimal ,` or `--decimal .`"]
        return None, [_asking("F005", sort.name, message, grid.at(row, place), help)]
    found = figures(cells, sort, unit, decimal)
    return Chosen(sort, place, found, bool(said) or found.units), []


def _instead(sort: Sort, header: str) -> list[str]:
    """How to say that a column is the quantity that it may be instead."""
    return [f"`{by_column(sort.instead, header)}`"] if sort.instead else []


def _of_cells(cells: Sequence[str], sort: Sort) -> Unit | None:
    """The unit that cells say one by one, where the header says none."""
    for cell in cells:
        text = cell.strip().lstrip("+-0123456789.,eE ")
        if text:
            try:
                found = sort.unit(text)
            except UnknownUnit:
                return None
            return Unit(1.0, found.dim) if found.dim in sort.dims else None
    return None


def _by_figures(cells: Sequence[str], sort: Sort, other: Sort | None) -> Unit | None:
    """The unit of figures some of which are too large for what the column may be instead, and that all are of its own
    size: a batch of 100,000 is of tokens.
    """
    usual = next((one for one in sort.units.values() if one is not None), None)
    if other is None or other.between is None or sort.between is None or usual is None:
        return None
    values = figures(cells, sort, usual, ".").values
    some = values[values == values]
    own = bool(len(some)) and bool(((some >= sort.between[0]) & (some <= sort.between[1])).all())
    return usual if own and bool((some > other.between[1]).any()) else None


def unit_words(sort: Sort) -> list[str]:
    """The words for the units that a column of a quantity may be in, one a unit."""
    dims: dict[object, str] = {}
    for word, one in sort.units.items():
        if word and one is not None:
            dims.setdefault((one.dim, one.factor), word)
    return [*dims.values()][:3]


def _example(sort: Sort) -> str:
    return next(iter(unit_words(sort)), "") or said_dim(sort.dim).removeprefix("in ")
