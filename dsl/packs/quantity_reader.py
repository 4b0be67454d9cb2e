"""What a pack says of a quantity beside its formula: how it adds up, what gives it, who decides it, how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import Counted, QuantityFacts
from runplan.dsl.syntax.tree import Node, Word, unquoted
from runplan.dsl.text.finding import finding
from runplan.dsl.typed.fields import Field

POOLS = ("sum", "longest", "apart")
PARTS = ("source", "phase")
DECIDED = ("nature", "hardware", "run")
BETTER = ("more", "less")
KINDS = ("mixture", "precision")
# What may follow a field's example.
BOUNDS = ("least", "most", "zero", "whole", "per_gpu")


class QuantityReader(Definitions):
    """Reads the block of a quantity, an item a line."""

    def facts(self, node: Node | Word | None, name: str, counted: Counted) -> QuantityFacts:
        """All that the block says; what cannot be understood has its finding."""
        out = QuantityFacts()
        for item in node.nodes("quantity_item") if isinstance(node, Node) else ():
            word = item.word(0)
            read = self._items().get(word.text)
            if read is None:
                self.unknown("item of a quantity", word, self._items())
            else:
                out = read(out, [part for part in item.children[1:] if isinstance(part, Node)], name, counted)
        return out

    def _items(self) -> dict[str, Callable[[QuantityFacts, Sequence[Node], str, Counted], QuantityFacts]]:
        def choice(key: str, choices: Sequence[str]) -> Callable[..., QuantityFacts]:
            return lambda out, parts, *_: replace(out, **{key: self._one_of(parts, choices)})

        return {
            "pools": lambda out, parts, *_: replace(out, pools=self._one_of(parts, POOLS), parts=(*out.parts, "pool")),
            "parts": lambda out, parts, *_: replace(out, parts=(*out.parts, *self._parts(parts))),
            "only": lambda out, parts, *_: replace(out, parts=self._parts(parts)),
            "both": lambda out, parts, *_: replace(out, parts=("+".join(self._parts(parts)),)),
            "zero": lambda out, *_: replace(out, may_be_zero=True),
            "field": self._field,
            "decided": choice("decided", DECIDED),
            "better": choice("better", BETTER),
            "kind": choice("kind", KINDS),
            "said": lambda out, parts, *_: replace(out, said=self._text(parts, 0)),
            "label": lambda out, parts, *_: replace(out, label=self._text(parts, 0)),
            "per_cent": lambda out, *_: replace(out, per_cent=True),
            "budget": lambda out, *_: replace(out, budget=True),
            "knob": lambda out, *_: replace(out, knob=True),
            "otherwise": self._otherwise,
            "needs": lambda out, parts, *_: replace(
                out, needs=(*out.needs, (self._text(parts, 0), self._text(parts, 1)))
            ),
        }

    def _field(self, out: QuantityFacts, parts: Sequence[Node], name: str, counted: Counted) -> QuantityFacts:
        """`field hardware time "6 months" most 1 year`: the statement, the field where it is called otherwise, an
        example, and the bounds."""
        texts = [part for part in parts[1:3] if part.rule == "string" or part is parts[1]]
        called = len(texts) > 1
        found = Field(self._text(parts, 1) if called else name, counted.dim, self._text(parts, 1 + called))
        at = 2 + called
        while at < len(parts):
            key = self._one_of(parts[at : at + 1], BOUNDS)
            if key in ("least", "most"):
                bound = self.fixed(self.expr(parts[at + 1]), parts[at].span) if at + 1 < len(parts) else None
                if bound is not None:
                    found = replace(found, least=bound.value) if key == "least" else replace(found, most=bound.value)
                at += 1
            elif key:
                flags = {key: True}
                found = replace(found, **flags)  # type: ignore[arg-type]
            at += 1
        return replace(out, statement=self._text(parts, 0), given=found)

    def _otherwise(self, out: QuantityFacts, parts: Sequence[Node], name: str, counted: Counted) -> QuantityFacts:
        """`otherwise 100% "not given: ..."`."""
        value = self.fixed(self.expr(parts[0]), parts[0].span) if parts else None
        return out if value is None else replace(out, otherwise=(value, self._text(parts, 1)))

    def _parts(self, parts: Sequence[Node]) -> tuple[str, ...]:
        return tuple(self._one_of([part], PARTS) for part in parts)

    def _text(self, parts: Sequence[Node], index: int) -> str:
        if index < len(parts) and parts[index].rule in ("name", "string"):
            return unquoted(parts[index].word(0).text)
        if parts:
            self.findings.append(finding("P001", "a word or a quoted text is missing here", parts[-1].span))
        return ""

    def _one_of(self, parts: Sequence[Node], choices: Sequence[str]) -> str:
        for part in parts[:1]:
            word = part.word(0)
            if word.text in choices:
                return word.text
            self.unknown("word", word, choices)
        return ""
