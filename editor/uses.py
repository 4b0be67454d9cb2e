"""The statements of one file to the names in them: what each stands for, where, and whether it is named there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name, Words, quantity
from runplan.dsl.syntax.tree import Node, Word, leaves, unquoted
from runplan.dsl.text.source import Span

# What a word of a rule stands for, by its place among the children; None is any place. What begins with `+` is named
# there. Kinds of a use: those of headers, such as `law` and `device`, and what else a text names.
_STANDS: Mapping[tuple[str, int | None], str] = {
    ("law_names", None): "law",
    ("import_spec", 0): "file",
    ("import_spec", 1): "+alias",
    ("rate_spec", 0): "unit",
    ("calendar_spec", 0): "unit",
    ("let_spec", 0): "+let",
    ("device", 0): "device",
    ("pool", 4): "precision",
    ("bought", 3): "precision",
    ("hw_precision", 0): "precision",
    ("hw_pair", 0): "field hardware",
    ("model_pair", 0): "field model",
    ("opt_pair", 0): "field optimizer",
    ("data_named", 0): "+source",
    ("phase", 0): "+phase",
    ("stage", 0): "+stage",
    ("for_stage", 0): "stage",
    ("sched_spec", 0): "schedule",
    ("phase_spec", 1): "shape",
    ("mix_item", 0): "source",
    ("opt_spec", 0): "optimizer",
    ("domain", 0): "domain",
    # ---- packs
    ("law", 0): "+law",
    ("law", 2): "law",
    ("law_function", 0): "quantity",
    ("law_table", 0): "quantity",
    ("parameter", 0): "quantity",
    ("parameter", 1): "+letter",
    ("constant", 0): "+letter",
    ("free_constant", 0): "+letter",
    ("law_let", 0): "+letter",
    ("fitted_range", 0): "quantity",
    ("rule", 0): "+rule",
    ("schedule_def", 0): "+schedule",
    ("quantity_def", 0): "+quantity",
}
# What joins the words of the name of a model that is written apart, such as `Llama 3 8B`.
_JOINED = ("model_name", "start_name")
_EXAMPLES = ("rule_breaks", "rule_keeps")
# Kinds of names that are of one plan, and unknown in another.
_OF_PLANS = frozenset(("let", "source", "stage", "phase", "alias", "letter", "result", "word"))
# The rules that make letters of their own, and the rule within which a letter holds.
_LETTERS = {"law_function": ("parameter",), "law": ("constant", "free_constant", "law_let")}


@dataclass(frozen=True, slots=True)
class Use:
    """A name in a text.

    Attributes:
        kind: What it is the name of: `let`, `source`, `stage`, `phase`, `alias`, `letter` (of a law), `quantity`,
            `unit`, `number`, `file`, `field ...`, `function`, `result`, `word` where nothing is called so; or a kind
            of definition.
        name: As it is known; of a `letter` with the place of what it holds in before it.
        names: Whether the thing is named here.
        value: Of a `let`, a quantity or a part of its name, what solutions know it by.
    """

    kind: str
    name: str
    span: Span
    names: bool = False
    value: Name | None = None


class Names:
    """Finds the uses in the statements of one file.

    Args:
        words: What the words of its expressions mean.
        aliases: The names under which it imports files.
    """

    def __init__(self, words: Words, aliases: frozenset[str]) -> None:
        self._words = words
        self._aliases = aliases

    def uses(self, statements: tuple[Node, ...]) -> Iterator[Use]:
        """Every use, in the order of the text; of those at one place the widest first."""
        for node in statements:
            yield from self._in(node, self._words, {})

    def _in(self, node: Node, words: Words, letters: Mapping[str, str]) -> Iterator[Use]:
        if node.rule in _EXAMPLES:
            yield from self._in_example(node)
            return
        if node.rule == "stage":
            own = unquoted(node.word(0).text)
            words = Words(words.quantities, words.parts, words.lets, own)
        if node.rule in _LETTERS:
            letters = {**letters, **_letters_of(node)}
        if node.rule in _JOINED:
            yield Use("model", node.span.text.strip().strip('"'), node.span)
            return
        if node.rule == "name":
            yield from self._expression(node.word(0), words, letters)
            return
        if node.rule == "quantity" or node.rule.startswith("count_"):
            yield from _figure(node)
            return
        for i, child in enumerate(node.children):
            if isinstance(child, Node) and node.rule == "model_spec" and _is_model(child, words):
                yield Use("model", child.span.text.strip().strip('"'), child.span)
            elif isinstance(child, Node):
                yield from self._in(child, words, letters)
            elif isinstance(child, Word):
                yield from self._word(node, i, child, words, letters)

    def _in_example(self, node: Node) -> Iterator[Use]:
        """What an example of a rule names of packs; of what else it names it is a plan of its own."""
        inner = Names(Words(self._words.quantities), frozenset())
        for child in node.nodes():
            yield from (use for use in inner.uses(tuple(child.nodes())) if use.kind not in _OF_PLANS and not use.names)

    def _word(self, node: Node, i: int, word: Word, words: Words, letters: Mapping[str, str]) -> Iterator[Use]:
        stands = _STANDS.get((node.rule, i)) or _STANDS.get((node.rule, None)) or _by_content(node, i)
        if not stands:
            return
        kind, text = stands.removeprefix("+"), unquoted(word.text)
        if kind == "letter":
            yield Use(kind, letters.get(text, text), word.span, True)
        elif kind == "quantity":
            yield Use(kind, text, word.span, stands[0] == "+", words.quantity(text) or quantity(text))
        elif kind == "let":
            yield Use(kind, text, word.span, True, words.bind(text) or Name(text, "let"))
        elif stands[0] != "+" and (alias := self._alias(text)):
            yield from self._under(alias, kind, text, word.span)
        else:
            yield Use(kind, text, word.span, stands[0] == "+")

    def _alias(self, text: str) -> str:
        """The import under whose name a word stands; empty where it stands under none."""
        found = [alias for alias in self._aliases if text.startswith(f"{alias}.")]
        return max(found, key=len, default="")

    def _under(self, alias: str, kind: str, text: str, span: Span, value: Name | None = None) -> Iterator[Use]:
        """A name that an import brings: the whole, and the import's own name before it."""
        yield Use(kind, text, span, value=value)
        if len(span.text) == len(text):
            yield Use("alias", alias, Span(span.source, span.start, span.start + len(alias)))

    def _expression(self, word: Word, words: Words, letters: Mapping[str, str]) -> Iterator[Use]:
        text, span = word.text, word.span
        if text in letters:
            yield Use("letter", letters[text], span)
            return
        found = words.bind(text)
        if found is None:
            alias = self._alias(text)
            yield from self._under(alias, "result", text, span) if alias else [Use("word", text, span)]
        elif found.kind == "let":
            alias = self._alias(text)
            yield from self._under(alias, "let", text, span, found) if alias else [Use("let", text, span, value=found)]
        else:
            yield Use("quantity", found.text, span, value=found)
            if len(span.text) == len(text):
                yield from _parts(found, text, span)


def _is_model(node: Node, words: Words) -> bool:
    """Whether what may be the size of a model is the name of one: a word that stands for nothing in the plan."""
    only = node.children[0] if node.rule == "amount" and len(node.children) == 1 else None
    if not isinstance(only, Node) or only.rule not in ("name", "string"):
        return False
    return only.rule == "string" or words.bind(only.word(0).text) is None


def _letters_of(node: Node) -> Mapping[str, str]:
    """The letters that a law, or one formula of it, makes: each with its name, which tells where it holds."""
    within = node.node("law_block") or node if node.rule == "law" else node
    blocks = [within, *within.nodes("law_constants")]
    made = (inner for block in blocks for inner in block.nodes(*_LETTERS[node.rule]))
    words = (inner.word(1 if inner.rule == "parameter" else 0).text for inner in made)
    return {text: f"{node.span.start}:{text}" for text in words}


def _by_content(node: Node, i: int) -> str:
    """What a word stands for that its rule alone does not tell."""
    if node.rule == "record":
        return f"+{node.word(0).text}" if i == 1 else ""
    if node.rule in ("single", "transfer", "mixed"):
        return "domain" if i == len(node.children) - 1 else "objective"
    if node.rule == "entry" and i == 0:
        return "field hardware"
    return "function" if node.rule == "call" and i == 0 else ""


def _figure(node: Node) -> Iterator[Use]:
    """A figure: the whole as a number, and its unit."""
    yield Use("number", node.span.text, node.span)
    for word in leaves(node):
        if word.type in ("UNIT", "HOURS"):
            yield Use("unit", word.text, word.span)


def _parts(name: Name, text: str, span: Span) -> Iterator[Use]:
    """The parts of a run that the name of a quantity says: `web` in `tokens.web`, `pretrain` in `pretrain.cost`."""
    begin, end = 0, len(text)
    for kind, part in name.scope:
        start = "phase." if kind == "phase" else ""
        if kind == "source" and text[begin:end].endswith(f".{part}"):
            yield Use(kind, part, Span(span.source, span.start + end - len(part), span.start + end))
            end -= len(part) + 1
        elif kind in ("stage", "phase") and text.startswith(f"{start}{part}.", begin):
            begin += len(start)
            yield Use(kind, part, Span(span.source, span.start + begin, span.start + begin + len(part)))
            begin += len(part) + 1
