"""Work to the texts that it gives, done when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


class Later:
    """Texts that take work, such as changes that are each solved: it is done once, for the first reader, and only then.

    What it is done from is let go afterwards.
    """

    __slots__ = ("_made", "_work")

    def __init__(self, work: Callable[[], Iterable[str]]) -> None:
        self._work: Callable[[], Iterable[str]] | None = work
        self._made: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order."""
        if self._work is not None:
            self._made = tuple(self._work())
            self._work = None
        return self._made

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __getitem__(self, index: int) -> str:
        return self.texts[index]

    def __eq__(self, other: object) -> bool:
        return self.texts == (other.texts if isinstance(other, Later) else other)

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return repr(self.texts)

    def __reduce__(self) -> tuple[type[tuple[str, ...]], tuple[tuple[str, ...]]]:
        return tuple, (self.texts,)


Texts = tuple[str, ...] | Later


def changed(texts: Texts, change: Callable[[Texts], Iterable[str]]) -> Texts:
    """Texts as a function makes them, later where it takes work to have them."""
    return Later(lambda: change(texts)) if isinstance(texts, Later) else tuple(change(texts))
