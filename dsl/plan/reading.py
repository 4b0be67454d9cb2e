"""A resolved file to what its statements are read by: its names, its money, and figures typed by them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.dimensions import DimensionClash, Dimensions
from runplan.dsl.expr.name import Words
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import COMPARISONS, Expr, Num, Op, Unbound, bound, walk
from runplan.dsl.expr.values import not_finite
from runplan.dsl.expr.values import value as value_of
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.plan.ir import Amount, Given, Hole, Let, Within, Worded
from runplan.dsl.plan.known import Known
from runplan.dsl.plan.sizes import NOT_SAID, held, sized
from runplan.dsl.syntax.statements import BY_KEY, KEYWORDS, OF_PLANS
from runplan.dsl.syntax.tree import File, Mention, Node, Word
from runplan.dsl.text.elsewhere import ours
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import respelled
from runplan.dsl.text.limits import MAX_DEPTH, MAX_TERMS
from runplan.dsl.text.nearest import did_you_mean, nearest
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import Span
from runplan.dsl.text.words import cut, listing
from runplan.dsl.typed.build import Builder, runs_down
from runplan.dsl.typed.fields import Field
from runplan.dsl.units.base import DATE
from runplan.dsl.units.dims import NONE, UNKNOWN, Dim, in_currency, over
from runplan.dsl.units.show import mismatch, said_dim
from runplan.dsl.units.table import Quantity, currencies

# The size in the name of a model, as in `Llama-3-8B`.
_SIZED = pattern(r"(?<=[-_.])(\d+(?:\.\d+)?)[bB](?![a-z])")


# The active params in the name of a mixture, as in `7B-A1B`.
_ACTIVE = pattern(r"[aA](\d+(?:\.\d+)?[bBmM])")
_NAME = pattern(r"[a-z_]+")
_FIRST_WORD = pattern(r"\W*(\w*).*", re.DOTALL)
# What people write for what is to be found.
_OPEN = frozenset("auto automatic optimal optimum any free tbd best unlimited infinite none null all max min".split())


class Reading(Builder):
    """What is known of a file while its statements are read; what is wrong with them is collected in `findings`.

    Args:
        file: The statements, in whose light an unknown name may be excused.
        vocabulary: The names that packs define.

    Attributes:
        lets: The plan's `let`s and the figures of packs that it mentions, by name.
        let_dims, let_values, let_terms, let_depths: Of each `let` its dimension, its value where it has one before
            anything is solved, and how many terms and levels it has with its `let`s written out.
        words: What each word of the plan means.
        places: Where each part of the plan stands that has quantities of its own, by its kind and name.
        sizes: How much one of what is counted holds, by the unit: the tokens of a sequence. Where the plan does not
            say it, what to add.
        from_weights: Whether the plan starts from a checkpoint.
    """

    def __init__(self, file: File, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.file = file
        self.vocabulary = vocabulary
        self.lets: dict[str, Let] = {}
        self.let_dims: dict[str, Dim] = {}
        self.let_values: dict[str, float] = {}
        self.let_terms: dict[str, int] = {}
        self.let_depths: dict[str, int] = {}
        self.words = Words({})
        self.places: dict[tuple[str, str], Span] = {}
        self.sizes: dict[str, Given | str] = dict(NOT_SAID)
        # Words that stand in what could not be read, and those with which the blocks around it begin.
        self.lost = frozenset(word for span in file.lost for word in re.findall(r"\w+", span.text))
        self.broken = frozenset(_FIRST_WORD.sub(r"\1", span.text) for span in file.broken)
        self.from_weights = False
        self._known: dict[str, Dim] = {}

    @contextmanager
    def inside(self, stage: str) -> Iterator[None]:
        """What is read meanwhile stands in a stage: its words are of that stage, and its sizes end with it."""
        words, sizes = self.words, dict(self.sizes)
        self.words = replace(words, stage=stage)
        try:
            yield
        finally:
            self.words, self.sizes = words, sizes

    @property
    def prefix(self) -> str:
        """What stands before the path of a statement."""
        return f"stages.{self.words.stage}." if self.words.stage else ""

    def money(self, dim: Dim) -> Dim:
        """A dimension in the plan's money."""
        return in_currency(dim, self.currency, self.rates)

    def fields(self, statement: str) -> Mapping[str, Field]:
        """The fields of a statement that give a quantity, by their names."""
        return self.vocabulary.fields.get(statement, {})

    # ---- names

    def known(self) -> Mapping[str, Dim]:
        """Every name that an expression may use, with its dimension."""
        return Known(self.words, self.quantities(), self.let_dims)

    def quantities(self) -> Mapping[str, Dim]:
        """The quantities of the library, with their dimensions in the plan's money."""
        if not self._known:
            self._known = {name: self.money(dim) for name, dim in self.vocabulary.quantities.items()}
        return self._known

    def bound(self, expr: Expr) -> Expr:
        """The expression with its words as the names that they mean."""
        return bound(expr, self.words.bind)

    def forget_known(self) -> None:
        """Let go of the dimensions found so far: the plan's money has changed."""
        self._known.clear()

    def must_be_known(self, what: str, name: Mention, known: Iterable[str]) -> None:
        """A finding for a name that nothing defines."""
        known = set(known)
        folded = {k.lower() for k in known}
        if name.text.lower() not in folded and not self.excused(name.text):
            listed = f"`plan {what}` lists them" if len(folded) > 9 else f"there are {listing(sorted(known))}"
            help = did_you_mean(name.text, known) or [listed]
            message, fixes = f"unknown {what} `{name.text[:60]}`", respelled(name.span, name.text, known)
            self.findings.append(finding("N002", message, name.span, help=help, fixes=fixes))

    def may_miss(self, key: str) -> bool:
        """Whether a statement that fills a slot may stand in what could not be read: then nothing misses it."""
        words = {"stage", "stages", *(word for row in OF_PLANS if row.fills == key for word in (row.keyword, row.key))}
        unknown = self.broken - {*KEYWORDS, *BY_KEY}
        return bool(unknown or words & (self.broken | self.lost))

    def excused(self, name: str) -> bool:
        """Whether a name that is not known may stand in what could not be read: then that is the mistake."""
        words = {name, *re.findall(r"\w+", name)} - {"tokens", "share", "epochs"}
        return not self.lost.isdisjoint(words) or any(name.startswith(prefix) for prefix in self.file.adrift)

    def _unknown_quantity(self, item: Unbound, known: Mapping[str, Dim], field: Field | None) -> None:
        span = item.span
        assert span is not None
        if item.name.lower() in ("nan", "inf", "infinity"):
            self.findings.append(finding("U004", f"`{item.name}` is not a number that can be used", span))
            return
        # What is solved is no figure of a plan.
        names = [*(known if field is None else self.lets), *self.vocabulary.figures]
        # A word of another tool may be a misspelled one of the plan's own; and no quantity is compared with itself.
        near = nearest(item.name, names)[:1]
        meant = "" if near and near[0] in self.lets else ours(item.name)
        beside = re.search(rf"\b{re.escape(meant)}\b", span.source.line_text(span.line)) if meant in known else None
        help = [f"did you mean `{name}`?" for name in ([meant] if meant in known else near)]
        if item.name.lower() in _OPEN:
            help = ["write `?`: that is what is solved for"]
        elif (active := _ACTIVE.fullmatch(item.name)) and field is not None:
            help = [f"write the active params behind all of them: `7B, {active[1].upper()} active`"]
        elif (size := _SIZED.search(item.name)) and not help:
            help = [f"write the size, `{size[1]}B`, or a block with the shape: `layers`, `hidden`, `ffn` and so on"]
        elif "-" in item.name:
            help.append("to subtract, put blanks round the `-`")
        if not help and field is not None and span.source.text[span.end : span.end + 3].lstrip(" \t:")[:1] == "{":
            help = ["write `?` in its place, or the size, such as `7B`: the block says the rest"]
        if not help and field is not None:
            help = [f"write a figure, such as `{field.example}`"]
        elif not help:
            help = ["name a quantity, such as " + listing(("params", "tokens", "cost", "loss"))]
        fixes = respelled(span, item.name, names, alias=meant) if beside is None else ()
        self.findings.append(finding("N002", f"unknown name `{cut(item.name)}`", span, help=help, fixes=fixes))

    # ---- dimensions and values

    def terms(self, expr: Expr) -> int:
        """How many terms an expression has with its `let`s written out."""
        return sum(self.let_terms.get(item.name, 1) if isinstance(item, Unbound) else 1 for item in walk(expr))

    def depth(self, expr: Expr) -> int:
        """How many levels an expression has with its `let`s written out; what has a value is one figure."""
        if isinstance(expr, Op):
            return 1 + max(map(self.depth, expr.args), default=0)
        return self.let_depths.get(expr.name, 1) if isinstance(expr, Unbound) else 1

    def checked(self, expr: Expr, field: Field | None = None) -> Dim | None:
        """The dimension of an expression; None, with findings, where it has none.

        Args:
            field: What it is to be a figure of.
        """
        known = self.known()
        if self.terms(expr) > MAX_TERMS:
            assert expr.span is not None
            message = f"with its `let`s written out this has more than {MAX_TERMS:,} terms"
            self.findings.append(finding("S004", message, expr.span))
            return None
        if self.depth(expr) > MAX_DEPTH:
            assert expr.span is not None
            message = f"with its `let`s written out this has more than {MAX_DEPTH} levels"
            self.findings.append(finding("S004", message, expr.span))
            return None
        items = list(walk(expr))
        chance = next((item for item in items if isinstance(item, Op) and item.op == "P"), None)
        if chance is not None:
            message = f"`{shown(chance)}` is read, and solved only where `require` or `prefer` compares it with a share"
            help = [f"write `require {shown(chance)} >= 90%`"]
            assert chance.span is not None
            self.findings.append(finding("C009", message, chance.span, help=help))
            return None
        unfit = not_finite(expr, self.let_values)
        if unfit is not None:
            message = f"`{shown(unfit)}` is not a finite number"
            assert unfit.span is not None
            self.findings.append(finding("U004", message, unfit.span))
            return None
        words = [item for item in items if isinstance(item, Unbound)]
        unknown = [item for item in words if item.name not in known]
        for item in unknown:
            if not self.excused(item.name):
                self._unknown_quantity(item, known, field)
        if unknown or any(isinstance(item, Num) and item.dim == UNKNOWN for item in items):
            return None
        if any(self.let_dims.get(item.name) == UNKNOWN for item in words):
            return None
        try:
            return Dimensions(known, values=self.let_values).of(expr)
        except DimensionClash as clash:
            self.findings.append(self.clash(clash, expr))
            return None

    def clash(self, clash: DimensionClash, whole: Expr) -> Finding:
        """The finding for dimensions that do not go together in an expression."""
        span = clash.at.span or whole.span
        assert span is not None
        help = []
        if clash.left is not None and clash.right is not None:
            said = mismatch(clash.left, clash.right)
            money = [n for n, _ in (*clash.left, *clash.right) if n in currencies()]
            if len(set(money)) == 2:
                a, b = sorted(set(money), key=lambda c: c == self.currency)
                help.append(f"declare the rate: `rate {a} = ... {b} on YYYY-MM-DD`")
            elif isinstance(clash.at, Op) and clash.at.op in COMPARISONS and self.value(clash.at.args[1]) is not None:
                wanted = said_dim(clash.left)
                help.append(f"write the right side {wanted if wanted.startswith('in ') else f'as {wanted}'}")
            elif said:
                help.append(said)
        return finding("U001", clash.message, span, help=help)

    def value(self, expr: Expr) -> float | None:
        """The value of an expression of numbers and `let`s; None where it depends on what is solved."""
        try:
            return float(value_of(expr, self.let_values))
        except (KeyError, TypeError):
            return None
        except (ArithmeticError, ValueError):
            return math.nan

    # ---- figures

    def given(self, expr: Expr, field: Field, span: Span) -> Given | None:
        """A figure of a field: of its dimension, in its domain; None with a finding where it is not."""
        dim = self.checked(expr, field)
        if dim is None:
            return None
        written = (dim, held(dim))
        field = next((other for other in field.instead if over(other.dim, other.per) in written), field)
        wanted = self.money(field.dim)
        known = sized(expr, dim, (wanted, over(wanted, field.per)), self.sizes)
        if isinstance(known, Finding):
            self.unsaid(known)
            return None
        expr, dim = known
        value = self.value(expr)
        if value is None:
            message = f"`{shown(expr)}` depends on what is solved; `{field.name}` is a figure"
            help = ["state the bound with `require` instead"]
            self.findings.append(finding("N002", message, span, help=help))
            return None
        found = self.held(value, dim, field, wanted, expr, span)
        return None if found is None else Given(Quantity(found, wanted), self.bound(expr), span)

    def unsaid(self, found: Finding) -> None:
        """A finding for a size that figures need; one that is not said is one mistake, whatever needs it."""
        if not any(other.code == found.code and other.help == found.help for other in self.findings):
            self.findings.append(found)

    def given_by(self, node: Node, field: Field) -> Given | None:
        """A figure of a field where it is written."""
        return self.given(self.expr(node), field, node.span)

    def day(self, word: Word, span: Span) -> Given:
        """A date, in seconds since 1970."""
        moment = self.date(word)
        return Given(Quantity(moment.value, DATE), moment, span)

    def amount(self, node: Node, field: Field, at_most: bool = False) -> Amount | None:
        """A given, bounded or free figure.

        Args:
            at_most: Whether what is written bounds it.
        """
        if field.words:
            return self._worded(node, field)
        if node.rule == "hole":
            return self._hole(node, field)
        if (said := node.span.text.strip()) in field.named and said not in self.lets:
            return Worded(said, node.span)
        if node.rule == "between":
            return self._between(node, field)
        if field.named and _NAME.fullmatch(said) and said not in self.known() and not self.excused(said):
            self._misspelled(node, field, said)
            return None
        inner = next(node.nodes()) if node.rule in ("at_least", "at_most") else node
        found = self.given_by(inner, field)
        if found is None:
            return None
        if node.rule == "at_least":
            return Within(found, None, node.span)
        return Within(None, found, node.span) if at_most or node.rule == "at_most" else found

    def _misspelled(self, node: Node, field: Field, said: str) -> None:
        """A finding for a word that is none of those that may stand in the place of a figure."""
        either = [f"write `{field.name}: {text}`" for text in (field.example, *field.named)]
        help = did_you_mean(said, field.named) or [
            " or ".join([either[0], *(e.removeprefix("write ") for e in either[1:])])
        ]
        fixes = respelled(node.span, said, field.named)
        self.findings.append(finding("N002", f"`{field.name}` is no `{cut(said)}`", node.span, help=help, fixes=fixes))

    def _worded(self, node: Node, field: Field) -> Given | None:
        """The number that a word stands for; None, with a finding, where it is none of the field's words."""
        said = node.span.text.strip()
        value = dict(field.words).get(said.lower())
        if value is None:
            first = dict.fromkeys(next(word for word, v in field.words if v == value) for _, value in field.words)
            message = f"`{field.name}` is `{cut(said)}`; it is one of {listing(first)}"
            help = ["write " + " or ".join(f"`{field.name}: {word}`" for word in first)]
            self.findings.append(finding("U004", message, node.span, help=help))
            return None
        return Given(Quantity(value, NONE), Num(value, text=said, span=node.span), node.span)

    def _hole(self, node: Node, field: Field) -> Hole | None:
        """A `?`, held to the dimension of its field where it says a unit: `? nodes`."""
        word, *units = node.words()
        one = Word("NUMBER", "1", word.span)
        if units and self.given(self.quantity(one, units[0], node.span), field, node.span) is None:
            return None
        return Hole(node.span)

    def _between(self, node: Node, field: Field) -> Within | None:
        exprs = self.ends(*node.nodes())
        low, high = (self.given(expr, field, end.span) for expr, end in zip(exprs, node.nodes(), strict=True))
        if low is None or high is None:
            return None
        if low.value.dim != high.value.dim:
            message = f"the range is from {shown(low.expr)} to {shown(high.expr)}: its ends are of two kinds"
            self.findings.append(finding("U001", message, node.span, help=["write both ends in one unit"]))
            return None
        if low.value.value > high.value.value:
            self.findings.append(runs_down(low.expr, high.expr, node.span))
            return None
        return Within(low, high, node.span)
