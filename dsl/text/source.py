"""Files and buffers as `Source`: text with its path, and offsets turned into lines and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runplan.dsl.dataclass import dataclass

# How files in the spelling of YAML end.
YAML = (".yaml", ".yml")


class Source:
    """The text of one file; two are equal where their paths and texts are.

    Attributes:
        path: As the user named it, with forward slashes; what findings print.
    """

    __slots__ = ("_lines", "_text", "path")

    def __init__(self, path: str, text: str | Callable[[], str]) -> None:
        """A text, decoded, with its own line ends; or what reads it, once something in it is asked for."""
        self.path = path
        self._text = text
        self._lines: list[int] | None = None

    @property
    def text(self) -> str:
        """The whole text.

        Raises:
            OSError: Where it is only now read, and its file is gone.
        """
        if not isinstance(self._text, str):
            self._text = self._text()
        return self._text

    @property
    def in_yaml(self) -> bool:
        """Whether it is in the spelling of YAML, by its name."""
        return self.path.endswith(YAML)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Source) and self.path == other.path and self.text == other.text)

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"Source(path={self.path!r})"

    def __reduce__(self) -> tuple[type[Source], tuple[str, str]]:
        return Source, (self.path, self.text)

    @property
    def _starts(self) -> list[int]:
        """The offset at which each line begins."""
        if self._lines is None:
            self._lines = [0]
            at = self.text.find("\n")
            while at >= 0:
                self._lines.append(at + 1)
                at = self.text.find("\n", at + 1)
        return self._lines

    def line_column(self, offset: int) -> tuple[int, int]:
        """1-based line and column (in code points) of an offset in code points."""
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)

    def line_start(self, line: int) -> int:
        """The offset, in code points, at which a 1-based line begins; the end of the text past its last."""
        return self._starts[line - 1] if 1 <= line <= len(self._starts) else len(self.text)

    def line_text(self, line: int) -> str:
        """The text of a 1-based line, without its line end; empty past the end."""
        if not 1 <= line <= len(self._starts):
            return ""
        start = self._starts[line - 1]
        stop = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[start:stop].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: offsets in code points, the end exclusive."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line on which the stretch begins."""
        return self.source.line_column(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column, in code points, at which the stretch begins."""
        return self.source.line_column(self.start)[1]

    @property
    def end_line(self) -> int:
        """1-based line on which the exclusive end falls."""
        return self.source.line_column(self.end)[0]

    @property
    def end_column(self) -> int:
        """1-based column just past the last character."""
        return self.source.line_column(self.end)[1]

    @property
    def text(self) -> str:
        """What the source says there, letter by letter."""
        return self.source.text[self.start : self.end]

    @property
    def said(self) -> str:
        """The same in one line."""
        return " ".join(self.text.split())

    def begins_in(self, others: Iterable[Span]) -> bool:
        """Whether it begins within any of some stretches."""
        return any(o.source.path == self.source.path and o.start <= self.start < o.end for o in others)

    def to(self, other: Span) -> Span:
        """The stretch from the start of this one to the end of the other."""
        return Span(self.source, self.start, max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class View:
    """A text inside a source, such as a YAML scalar, whose offsets lead back to the source.

    Attributes:
        text: What is parsed.
        source: Where it stands.
        base: The offset in the source at which the text begins, where it stands there letter by letter.
        places: Otherwise, for each character its offset in the source; None where no such map can be made,
            and every place is then `whole`.
    """

    text: str
    source: Source
    base: int = 0
    places: tuple[int, ...] | None = None
    whole: Span | None = None

    def span(self, start: int, end: int) -> Span:
        """The stretch of the source behind a stretch of the text."""
        if self.whole is not None and self.places is None:
            return self.whole
        if self.places is None:
            return Span(self.source, self.base + start, self.base + end)
        last = len(self.places) - 1
        if last < 0:
            return Span(self.source, self.base, self.base)
        first = self.places[min(start, last)]
        if end <= start:
            return Span(self.source, first, first)
        return Span(self.source, first, self.places[min(end - 1, last)] + 1)
