"""Work to what it gives, such as texts, done when somebody reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from runplan.dsl.types import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """What takes work, such as changes that are each solved: it is done once, for the first reader, and only then.

    What it is done from is let go afterwards.
    """

    __slots__ = ("_made", "_work")

    def __init__(self, work: Callable[[], Iterable[T]]) -> None:
        self._work: Callable[[], Iterable[T]] | None = work
        self._made: tuple[T, ...] = ()

    @property
    def items(self) -> tuple[T, ...]:
        """What the work gives, in order."""
        if self._work is not None:
            self._made = tuple(self._work())
            self._work = None
        return self._made

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __getitem__(self, index: int) -> T:
        return self.items[index]

    def __eq__(self, other: object) -> bool:
        return self.items == (other.items if isinstance(other, Later) else other)

    def __hash__(self) -> int:
        return hash(self.items)

    def __repr__(self) -> str:
        return repr(self.items)

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        return tuple, (self.items,)


Texts = tuple[str, ...] | Later[str]


def changed(texts: Texts, change: Callable[[Texts], Iterable[str]]) -> Texts:
    """Texts as a function makes them, later where it takes work to have them."""
    return Later(lambda: change(texts)) if isinstance(texts, Later) else tuple(change(texts))
