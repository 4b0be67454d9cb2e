"""Values of names at many points: once where they are the same at all of them, else as a column, one a point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name

# None at a point that has no such value.
Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Points:
    """Some points, in order.

    Attributes:
        still: What is the same at all of them.
        moving: The others, a value a point.
    """

    count: int
    still: Mapping[Name, float] = field(default_factory=dict)
    moving: Mapping[Name, Values] = field(default_factory=dict)

    @staticmethod
    def of_columns(count: int, columns: Mapping[Name, Values]) -> Points:
        """So many points by a value a point of each name."""
        still = {name: value for name, column in columns.items() if (value := same(column)) is not None}
        moving = {name: column for name, column in columns.items() if name not in still and any_of(column)}
        return Points(count, still, moving)

    @staticmethod
    def of_rows(rows: Sequence[Mapping[Name, float]]) -> Points:
        """Points by all that each has."""
        every = dict.fromkeys(name for row in rows for name in row)
        return Points.of_columns(len(rows), {name: [row.get(name) for row in rows] for name in every})

    @staticmethod
    def one_after_the_other(parts: Iterable[Points]) -> Points:
        """The points of several, in their order."""
        parts = [part for part in parts if part.count]
        if len(parts) == 1:
            return parts[0]
        every = dict.fromkeys(name for part in parts for name in (*part.still, *part.moving))
        columns = {name: [value for part in parts for value in part.column(name)] for name in every}
        return Points.of_columns(sum(part.count for part in parts), columns)

    def __len__(self) -> int:
        return self.count

    def column(self, name: Name) -> Values:
        """The value of a name at each of the points."""
        return self.moving[name] if name in self.moving else [self.still.get(name)] * self.count

    def told(self, name: Name) -> list[float]:
        """The values of a name at the points that have one."""
        return [value for value in self.column(name) if value is not None]

    def rows(self, names: Collection[Name] | None = None) -> Iterator[dict[Name, float]]:
        """Each of the points by the values that it has; of some names where those are told."""
        still = {name: value for name, value in self.still.items() if names is None or name in names}
        moving = [name for name in self.moving if names is None or name in names]
        for values in zip(*map(self.moving.__getitem__, moving), strict=True) if moving else [()] * self.count:
            own = zip(moving, values, strict=True)
            yield {**still, **{name: value for name, value in own if value is not None}}

    def only(self, at: Sequence[int]) -> Points:
        """Some of the points, by their place."""
        if len(at) == self.count:
            return self
        columns = {name: [column[i] for i in at] for name, column in self.moving.items()}
        found = Points.of_columns(len(at), columns)
        return Points(len(at), {**self.still, **found.still}, found.moving) if at else Points(0)

    def beside(self, others: Points) -> Points:
        """As many points with what others have there, too."""
        assert self.count == others.count, "they are the same points"
        both = {**self.still, **others.still}, {**self.moving, **others.moving}
        return Points(self.count, *both)


def any_of(column: Values) -> bool:
    """Whether any point has a value."""
    return any(value is not None for value in column)


def same(column: Values) -> float | None:
    """The value of all points of a column, sign included; None where it is not one."""
    first = column[0] if column else None
    if first is None or column.count(first) < len(column):
        return None
    return first if first or len(set(map(str, column))) == 1 else None
