"""What a pack says of a quantity beside its formula: how it adds up, what gives it, who decides it, how it is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.quantity import Counted, QuantityFacts
from runplan.dsl.syntax.tree import Node, Word, unquoted
from runplan.dsl.text.finding import finding
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.dims import NONE, Dim

POOLS = ("sum", "least", "most", "apart")
STAGES = ("sum", "most", "last", "one", "apart")
PARTS = ("source", "phase")
# The statements whose block may have a field for a quantity.
STATEMENTS = ("hardware", "layout", "model", "optimizer")
DECIDED = ("nature", "hardware", "run")
BETTER = ("more", "less")
KINDS = ("goodput", "memory", "mixture", "precision", "step")
# Rows that are none of the solution's own table.
SECTIONS = ("data", "transfer", "worth", "lifetime", "goodput")
# What stands beside the rows of a solution in documents, and is no name of a row.
DOCUMENT_KEYS = frozenset(
    "law resolved status by binding phases mix transfer lifetime goodput layouts conflict".split()
)
# What may follow a field's example.
BOUNDS = ("least", "most", "zero", "whole", "per", "words", "also", "named")
# Items that may stand several times.
REPEATED = ("needs",)


@dataclass(slots=True)
class _Item:
    """An item while it is read: what of it is left, and the quantity that it is of; one mistake is the last."""

    word: Word
    left: list[Node]
    name: str
    counted: Counted
    last: Span = field(init=False)
    wrong: bool = False

    def __post_init__(self) -> None:
        self.last = self.word.span

    def next(self) -> Node | None:
        """The next part, taken; None where there is none."""
        if not self.left:
            return None
        part = self.left.pop(0)
        self.last = part.span
        return part

    def is_next(self, rule: str, index: int = 0) -> bool:
        return index < len(self.left) and self.left[index].rule == rule


_Read = Callable[[QuantityFacts, _Item], QuantityFacts]


def _apart(node: Node) -> Iterator[Node]:
    """A value of an item; of a number with the next bound behind it, `least 2 most 32`, both: that is no unit."""
    unit = node.children[-1]
    if node.rule != "quantity" or not isinstance(unit, Word) or unit.text not in BOUNDS:
        yield node
        return
    number = node.word(0)
    yield Node("quantity", (number, None), number.span)
    yield Node("name", (unit,), unit.span)


class QuantityReader(Definitions):
    """Reads the block of a quantity, an item a line."""

    def facts(self, node: Node | Word | None, name: str, counted: Counted) -> QuantityFacts:
        """All that the block says; what cannot be understood has its finding."""
        out = QuantityFacts(stages="")
        items = list(node.nodes("quantity_item")) if isinstance(node, Node) else []
        self.given_once((w.text, w.text, w.span) for item in items if (w := item.word(0)).text not in REPEATED)
        for part in items:
            word = part.word(0)
            read = self.items.get(word.text)
            if read is None:
                self.unknown("item of a quantity", word, self.items)
                continue
            item = _Item(
                word,
                [one for child in part.children[1:] if isinstance(child, Node) for one in _apart(child)],
                name,
                counted,
            )
            out = read(out, item)
            if item.left:
                message = f"`{item.left[0].span.text}` is too much after `{word.text}`"
                self.findings.append(finding("P001", message, item.left[0].span))
        if out.statement == "hardware" and isinstance(node, Node) and not any(i.word(0).text == "pools" for i in items):
            message = "a field of `hardware` does not say what it comes to over pools that run side by side"
            help = [
                "add `pools apart` where the whole has none, else " + " or ".join(f"`pools {p}`" for p in POOLS[:3])
            ]
            self.findings.append(finding("P001", message, node.span, help=help))
        # The model is one for all stages; of anything else each has its own.
        stages = out.stages or ("one" if out.statement == "model" else "apart")
        return replace(out, stages=stages, parts=out.parts if stages == "one" else (*out.parts, "stage"))

    @cached_property
    def items(self) -> dict[str, _Read]:
        """The items that a block may have, each with what reads it."""

        def choice(key: str, choices: Sequence[str]) -> _Read:
            return lambda out, item: replace(out, **{key: self._one_of(item, choices)})  # type: ignore[arg-type]

        def text(key: str) -> _Read:
            return lambda out, item: replace(out, **{key: self._text(item)})  # type: ignore[arg-type]

        def flag(key: str) -> _Read:
            return lambda out, item: replace(out, **{key: True})  # type: ignore[arg-type]

        return {
            "pools": lambda out, item: replace(out, pools=self._one_of(item, POOLS), parts=(*out.parts, "pool")),
            "stages": choice("stages", STAGES),
            "parts": lambda out, item: replace(out, parts=(*out.parts, *self._parts(item))),
            "only": lambda out, item: replace(out, parts=self._parts(item)),
            "both": lambda out, item: replace(out, parts=("+".join(self._parts(item)),)),
            "zero": flag("may_be_zero"),
            "field": self._field,
            "decided": choice("decided", DECIDED),
            "better": choice("better", BETTER),
            "kind": choice("kind", KINDS),
            "said": text("said"),
            "label": text("label"),
            "row": self._row,
            "per_cent": flag("per_cent"),
            "budget": flag("budget"),
            "knob": flag("knob"),
            "otherwise": self._otherwise,
            "spread": lambda out, item: replace(out, spread=self._number(item, Field("spread", NONE, "0.5"))),
            "needs": lambda out, item: replace(out, needs=(*out.needs, (self._text(item), self._text(item)))),
        }

    def _field(self, out: QuantityFacts, item: _Item) -> QuantityFacts:
        """`field hardware time "6 months" most 1 year`: the statement, the field where it is called otherwise, an
        example, and the bounds."""
        statement = self._one_of(item, STATEMENTS)
        called = self._text(item) if item.is_next("string", 1) else item.name
        found = Field(called, item.counted.dim, self._text(item))
        while item.left:
            key = self._one_of(item, BOUNDS)
            if key in ("least", "most"):
                value = self._of_the_quantity(item)
                if value is not None:
                    found = replace(found, least=value) if key == "least" else replace(found, most=value)
            elif key == "per":
                found = replace(found, per=self._dim(item))
            elif key == "also":
                found = replace(found, also=(*found.also, self._text(item)))
            elif key == "named":
                while item.is_next("string"):
                    found = replace(found, named=(*found.named, self._text(item)))
            elif key == "words":
                found = replace(found, words=tuple(self._words(item, found)))
            elif key:
                found = replace(found, **{key: True})  # type: ignore[arg-type]
        return replace(out, statement=statement, given=found) if statement else out

    def _dim(self, item: _Item) -> Dim:
        """The dimension of a unit by its name."""
        part = item.next()
        if part is None or part.rule != "name":
            self._mistaken(item, f"a unit is missing after `{item.last.text}`")
            return NONE
        return self.unit(part.word(0))[1]

    def _words(self, item: _Item, known: Field) -> Iterator[tuple[str, float]]:
        """`words "gated" 3 "plain" 2`: what may stand there, and the number that each stands for."""
        while item.is_next("string"):
            word, value = self._text(item), self._number(item, replace(known, zero=True))
            if value is not None:
                yield word, value

    def _otherwise(self, out: QuantityFacts, item: _Item) -> QuantityFacts:
        """`otherwise 100% "not given: ..."`."""
        node = item.left[0] if item.left else None
        value = self._of_the_quantity(item)
        said = self._text(item)
        if value is None or node is None:
            return out
        return replace(out, otherwise=(replace(self.fixed(self.expr(node), node.span), value=value), said))

    def _row(self, out: QuantityFacts, item: _Item) -> QuantityFacts:
        """`row 120`, or `row transfer 10` in another section than the solution's own."""
        section = self._one_of(item, SECTIONS) if item.is_next("name") else ""
        at = self._number(item, Field("row", NONE, "120"))
        if not section and item.name in DOCUMENT_KEYS:
            message = f"`{item.name}` is the name of something else in a solution's document"
            self.findings.append(finding("N005", message, item.word.span, help=["give the quantity another name"]))
            return out
        return replace(out, row=at, section=section)

    # ---- the parts of an item

    def _mistaken(self, item: _Item, message: str, help: Sequence[str] = ()) -> None:
        """A finding where the item was last read; what follows in it is not looked at."""
        if not item.wrong:
            self.findings.append(finding("P001", message, item.last, help=help))
        item.wrong = True
        item.left.clear()

    def _of_the_quantity(self, item: _Item) -> float | None:
        """A figure of the quantity itself, in base units."""
        any_value = Field(item.name, item.counted.dim, item.counted.text, least=-math.inf)
        return self._number(item, any_value)

    def _number(self, item: _Item, known: Field) -> float | None:
        part = item.next()
        if part is None or part.rule in ("name", "string"):
            self._mistaken(item, f"a number is missing after `{item.word.text}`")
            return None
        return self.figure(self.expr(part), known, part.span)

    def _parts(self, item: _Item) -> tuple[str, ...]:
        found = [self._one_of(item, PARTS)]
        while item.left:
            found.append(self._one_of(item, PARTS))
        return tuple(part for part in found if part)

    def _text(self, item: _Item) -> str:
        if item.is_next("name") or item.is_next("string"):
            part = item.next()
            return unquoted(part.word(0).text) if part else ""
        self._mistaken(item, f"a word or a quoted text is missing after `{item.last.text}`")
        return ""

    def _one_of(self, item: _Item, choices: Sequence[str]) -> str:
        part = item.next()
        if part is None:
            help = ["it is one of " + ", ".join(choices)]
            self._mistaken(item, f"a word is missing after `{item.word.text}`", help)
            return ""
        word = part.word(0) if isinstance(part.children[0], Word) else Word("NAME", part.span.text, part.span)
        if word.text in choices:
            return word.text
        if not item.wrong:
            self.unknown(f"word after `{item.word.text}`", word, choices)
        item.wrong = True
        item.left.clear()
        return ""
