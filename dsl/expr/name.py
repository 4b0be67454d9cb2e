"""What a formula may mention, as a type: the only code that builds or takes apart a dotted name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache

from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.types import Literal

Kind = Literal["quantity", "let", "constant", "deviate", "factor", "varied"]
Scope = tuple[tuple[str, str], ...]

# What stands before the name of a part, and the part before its quantity. Of a source, the part stands behind it.
_STARTS: Mapping[str, str] = {"pool": "pool", "phase": "phase."}

_NAMES: dict[tuple[str, Kind, Scope], Name] = {}


class Name:
    """A quantity of plans, a `let`, a constant of a law, a deviate, a factor, or a figure that a sweep varies: six
    spaces that never meet.

    There is one object for each name, so that they are compared and looked up as fast as can be: whole solutions are
    mappings of them.

    Attributes:
        text: As `stdlib/quantities.plan`, the plan or the law spells it.
        scope: Where it holds, from the outside in: () for the run, `(("stage", "pretrain"), ("pool", "1"))` for a part
            of it; of a constant, the law.
    """

    __slots__ = ("kind", "scope", "text")
    text: str
    kind: Kind
    scope: Scope

    def __new__(cls, text: str, kind: Kind = "quantity", scope: Scope = ()) -> Name:
        """The name, made where there is none yet."""
        found = _NAMES.get((text, kind, scope))
        if found is None:
            made = super().__new__(cls)
            made.text, made.kind, made.scope = text, kind, scope
            found = _NAMES.setdefault((text, kind, scope), made)
        return found

    def __reduce__(self) -> tuple[type[Name], tuple[str, Kind, Scope]]:
        return Name, (self.text, self.kind, self.scope)

    def __lt__(self, other: Name) -> bool:
        return (self.text, self.kind, self.scope) < (other.text, other.kind, other.scope)

    def __repr__(self) -> str:
        return f"Name({str(self)!r}, {self.kind!r})"

    def of(self, part: str, name: str) -> Name:
        """The same of a part of the run: of a stage, a pool, a source of data, a phase."""
        return Name(self.text, self.kind, (*self.scope, (part, name)))

    def in_stage(self, stage: str) -> Name:
        """The same of a stage, of which what it is of is a part."""
        return Name(self.text, self.kind, (("stage", stage), *self.scope))

    @property
    def bare(self) -> Name:
        """The same of the run."""
        return Name(self.text, self.kind)

    def part(self, kind: str) -> str:
        """Which stage, pool, source or phase it is of; empty where it is of none."""
        return next((name for part, name in self.scope if part == kind), "")

    def __str__(self) -> str:
        """As a plan writes it: `gpus`, `tokens.web`, `pool1.gpus`, `phase.decay.mix.web`, `pretrain.cost`."""
        text = self.text
        for part, name in reversed(self.scope):
            text = f"{name}.{text}" if part == "law" else f"{text}.{name}" if part == "source" else text
        for part, name in reversed(self.scope):
            if part in ("stage", *_STARTS):
                text = f"{_STARTS.get(part, '')}{name}.{text}"
        return text


@cache
def quantity(text: str) -> Name:
    """A quantity of the run."""
    return Name(text)


def let(text: str) -> Name:
    """A `let` of the plan, or a figure of a price or region that it names."""
    return Name(text, "let")


def constant(law: str, text: str) -> Name:
    """A constant of a law."""
    return Name(text, "constant", (("law", law),))


def deviate(text: str) -> Name:
    """How far what is assumed of a quantity is off, in standard deviations; of all pools of a run the same."""
    return Name(text, "deviate")


def factor(text: str, scope: Scope = ()) -> Name:
    """How many times what the plan says a figure is."""
    return Name(text, "factor", scope)


def qualified(prefix: str, text: str) -> str:
    """What an import `as` a name brings, or a record's figure, as the plan writes it."""
    return f"{prefix}.{text}"


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a plan mean.

    Attributes:
        quantities: For each quantity the kinds of parts that have one of their own; an empty one is the run.
        parts: The names of the plan's stages, pools, sources and phases, by kind.
        lets: The texts of its `let`s.
        stage: The stage in which the words stand: what it has of its own is meant; empty outside of all.
    """

    quantities: Mapping[str, Collection[str]]
    parts: Mapping[str, Collection[str]] = field(default_factory=dict)
    lets: Collection[str] = ()
    stage: str = ""

    def bind(self, text: str) -> Name | None:
        """The name that a word of the plan means; None where nothing is called so."""
        return let(text) if text in self.lets else self.quantity(text)

    def quantity(self, text: str) -> Name | None:
        """The quantity that a word means, of the run or of a part of it, or of the stage in which it stands."""
        found = self._quantity(text)
        return self._staged(found, self.stage) if self.stage and found is not None else found

    def _staged(self, name: Name, stage: str) -> Name:
        """The quantity of a stage; that of the model, which the stages share, is the run's."""
        own = "stage" in self.quantities.get(name.text, ())
        return name.in_stage(stage) if own and not name.part("stage") else name

    def _quantity(self, text: str) -> Name | None:
        if "" in self.quantities.get(text, ()):
            return Name(text)
        for at, letter in enumerate(text):
            if letter == ".":
                before, after = text[:at], text[at + 1 :]
                if after in self.parts.get("source", ()) and "source" in self.quantities.get(before, ()):
                    return Name(before).of("source", after)
                if before in self.parts.get("stage", ()) and (found := self._quantity(after)) is not None:
                    return self._staged(found, before)
                for kind, start in _STARTS.items():
                    part = before.removeprefix(start)
                    if part != before and part in self.parts.get(kind, ()):
                        if kind in self.quantities.get(after, ()):
                            return Name(after).of(kind, part)
                        inner, _, source = after.partition(".")
                        if f"{kind}+source" in self.quantities.get(inner, ()) and source in self.parts.get(
                            "source", ()
                        ):
                            return Name(inner).of(kind, part).of("source", source)
        return None

    def spellings(self) -> Iterable[str]:
        """Every word that means something, for the nearest one; of stages the quantities of the whole only."""
        yield from self.lets
        yield from (text for text, kinds in self.quantities.items() if "" in kinds)
        for kind, names in self.parts.items():
            for text, kinds in self.quantities.items():
                if kind in kinds and (kind != "stage" or "" in kinds):
                    yield from (str(Name(text).of(kind, part)) for part in names)


def written(names: Iterable[Name]) -> dict[str, Name]:
    """Names by what they are written as; a `let` before a quantity that is written the same."""
    return {str(name): name for name in sorted(names, key=lambda name: name.kind == "let")}
