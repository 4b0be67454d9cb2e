"""A law's own optimum at the plan's compute to definitions: its tokens a param, and what is spent beyond it.

For a law with an optimum line it is that line. For a loss of two power laws, `E + A / N^p + B / D^q` or a power of
such a sum, it has a closed form (equation 4 of Hoffmann et al. 2022, arXiv:2203.15556). Of any other surface over size
and tokens it is found at a number of budgets, and read between them from a curve. A law that has none says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.curve import curve
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, substitute
from runplan.dsl.expr.values import compiled
from runplan.dsl.units.base import FLOP, PARAM
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.law import is_frontier, line_of
from runplan.engine.formulate.model import conversion, counts_without_embeddings
from runplan.engine.laws.form import BUDGETS, cite_of
from runplan.engine.numeric.closed_form import optimum_of_two_power_laws
from runplan.engine.numeric.functions import signomial
from runplan.engine.numeric.search import least
from runplan.engine.problem import quantities as q
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Definition

# Budgets at which an optimum without a closed form is found, as powers of ten of a FLOP, and how many a power.
FIRST, LAST, EACH = 15, 31, 2
# For the least compute by the loss the budgets lie closer; and a loss that falls by less than this share is flat.
FINE, FLAT = 8, 1e-7
SIZE, DATA = q.LAW_PARAMS, q.TOKENS
SPENT = tuple(map(quantity, BUDGETS))  # what a line is over
ONE, ZERO = Num(1.0), Num(0.0)


@dataclass(frozen=True, slots=True)
class _PowerLaws:
    """A loss that grows with `c1 / N^p + c2 / D^q`, all of them expressions over the law's constants."""

    c1: Expr
    p: Expr
    c2: Expr
    q: Expr
    excess: Expr


def add_optimum(draft: Draft) -> None:
    """What the law asks for at the plan's compute, and the least compute for its loss, as far as it says them."""
    known = not (draft.mixture or draft.lawless)  # of a mixture, what its ratio should be is not known
    if known and draft.transfer:
        _of_transfer(draft)
    elif known:
        _of_run(draft)
    if {q.LAW_TOKENS_PER_PARAM, q.OPTIMUM_SIZE}.isdisjoint(draft.definitions):
        draft.define(q.TOKENS_SHORT, Num(0.0), "derived", "the law has no optimum")


def _of_run(draft: Draft) -> None:
    """What the law asks for of a run in one stage."""
    flop = _flop(draft)
    size = _size(draft, Op("/", (Ref(q.COMPUTE), flop)), flop)
    if size is not None:
        _add_size(draft, size)


def _of_transfer(draft: Draft) -> None:
    """What the law asks for of both stages of a transfer; nothing where it does not say how long the first one takes.

    The best size is that of the second stage's compute, and what the first one is worth rests on both: which size a
    budget for the two of them buys is read off a curve.
    """
    line = line_of(draft)
    worth = draft.definitions.get(q.WORTH_TOKENS) or draft.definitions.get(q.TRANSFERRED_TOKENS)
    if line is None:
        return
    if worth is not None:
        _add_size(draft, _size_of_both(draft, line, worth.expr))
    elif not draft.knows(q.PRETRAIN_TOKENS):
        # Along a budget the ratio goes with the square of one over the params.
        chosen, asked = line.args
        pair = (asked, chosen) if chosen == Ref(SIZE) else (chosen, asked)
        off = Op("^", (Op("/", pair), Num(2.0)))
        wanted = Op("/", (Ref(q.TOKENS_PER_PARAM), off))
        draft.define(q.LAW_TOKENS_PER_PARAM, wanted, "derived", "the law's optimum line")


def _add_size(draft: Draft, size: Expr) -> None:
    """The size that a law asks for at the plan's compute, as the law counts it and with all params."""
    draft.define(q.OPTIMUM_SIZE, size, "law", cite_of(draft.law), by=draft.law.name)
    if counts_without_embeddings(draft):
        by, whole = conversion(draft)
        total = substitute(whole, {q.PARAMS_NON_EMBEDDING: Ref(q.OPTIMUM_SIZE)})
        draft.define(q.OPTIMUM_PARAMS, total, "derived", f"{by.title}: {cite_of(by)}", by=by.name)
    else:
        draft.define(q.OPTIMUM_PARAMS, Ref(q.OPTIMUM_SIZE), "derived", "as the law counts it")


def _flop(draft: Draft) -> Num:
    """The FLOP of a param and a token."""
    return Num(float(compiled(substitute(draft.formula(q.COMPUTE), {SIZE: Num(1.0), DATA: Num(1.0)}))({})))


def _size(draft: Draft, pairs: Expr, flop: Num) -> Expr | None:
    """The size of the law's optimum at the plan's compute, as the law counts it; None where it has none."""
    line = line_of(draft)
    if line is not None:
        chosen, asked = line.args
        return asked if chosen == Ref(SIZE) else Op("/", (pairs, asked))
    loss = _fresh_loss(draft)
    if loss is None:
        return None
    found, wanted = _power_laws(draft, loss), _is_wanted(draft)
    if wanted:
        _add_least_of_repeats(draft, flop)
    if found is None:
        best = _best_sizes(expand(loss, _figures(draft), {}), flop)
        if wanted and not draft.knows(q.LEAST_COMPUTE):
            _read_least_compute(draft, expand(loss, _figures(draft), {}), flop)
        return curve(Ref(q.COMPUTE), ((Num(b.compute, FLOP), Num(b.size, PARAM)) for b in best)) if best else None
    if wanted or not draft.repeats:
        _add_least_compute(draft, found, flop)
    return _closed(found, pairs)[0]


def _is_wanted(draft: Draft) -> bool:
    """Whether the plan names what it spends beyond the least compute: else no curve is made for that."""
    plan = draft.plan
    said = [goal.expr for goal in plan.goals] + [r.condition for r in (*plan.requires, *plan.prefers)]
    said += [let.expr for let in plan.lets.values()]
    return any({q.REGRET, q.LEAST_COMPUTE} & names(expr) for expr in said)


def _fresh_loss(draft: Draft) -> Expr | None:
    """The law's loss over size and tokens, every token fresh; None where it is no surface over both."""
    loss = draft.definitions.get(q.LOSS)
    if loss is None or is_frontier(draft):
        return None
    kept = {name: d for name, d in _figures(draft).items() if name.kind != "constant"}
    expr = substitute(expand(loss.expr, kept, {}), {q.DATA_TOKENS: Ref(DATA)})
    return expr if names(expand(expr, _figures(draft), {})) == {SIZE, DATA} else None


def _figures(draft: Draft) -> dict[Name, Definition]:
    """What is known beside the size, the tokens and the data."""
    return {name: d for name, d in draft.definitions.items() if name not in (SIZE, q.PARAMS, DATA, q.DATA_TOKENS)}


# ---- in closed form


@dataclass(frozen=True, slots=True)
class _Formula:
    """An expression to compute with as with a float; what is one, or zero, is left out."""

    expr: Expr

    def __add__(self, other: _Formula) -> _Formula:
        return other if self.expr == ZERO else self if other.expr == ZERO else self._with("+", other)

    def __neg__(self) -> _Formula:
        if isinstance(self.expr, Num):
            return _Formula(Num(-self.expr.value))
        turned = isinstance(self.expr, Op) and self.expr.op == "*" and self.expr.args[0] == Num(-1.0)
        return _Formula(self.expr.args[1] if turned and isinstance(self.expr, Op) else Op("*", (Num(-1.0), self.expr)))

    def __mul__(self, other: _Formula) -> _Formula:
        if ZERO in (self.expr, other.expr):
            return _Formula(ZERO)
        return other if self.expr == ONE else self if other.expr == ONE else self._with("*", other)

    def __truediv__(self, other: _Formula) -> _Formula:
        return self if other.expr == ONE or self.expr == ZERO else self._with("/", other)

    def __rtruediv__(self, other: float) -> _Formula:
        return _Formula(Num(other)) / self

    def __pow__(self, other: _Formula) -> _Formula:
        return self if ONE in (self.expr, other.expr) else self._with("^", other)

    def _with(self, op: str, other: _Formula) -> _Formula:
        return _Formula(Op(op, (self.expr, other.expr)))


def _closed(found: _PowerLaws, pairs: Expr) -> tuple[Expr, Expr]:
    """Size and tokens of the least loss, over the product of both."""
    parts = (found.c1, found.p, found.c2, found.q, ONE, pairs)
    size, tokens = optimum_of_two_power_laws(*map(_Formula, parts))
    return size.expr, tokens.expr


def _power_laws(draft: Draft, loss: Expr) -> _PowerLaws | None:
    """The two power laws of a loss; None where it is of another form."""
    by: dict[frozenset[Name], list[Expr]] = {}
    for term in _summed(loss):
        by.setdefault(names(term) & {SIZE, DATA}, []).append(term)
    if not by.keys() <= {frozenset(), frozenset((SIZE,)), frozenset((DATA,))}:
        return None
    sides = [by.get(frozenset((name,)), []) for name in (SIZE, DATA)]
    if any(len(side) != 1 or not _falls(draft, side[0]) for side in sides):
        return None
    (of_size,), (of_data,) = sides
    c1, p = _monomial(of_size, SIZE)
    c2, r = _monomial(of_data, DATA)
    return _PowerLaws(c1.expr, p.expr, c2.expr, r.expr, Op("+", (of_size, of_data)))


def _summed(loss: Expr) -> Iterator[Expr]:
    """The terms of a sum, or of a sum under a power or beside a factor that do not change where it is least."""
    if isinstance(loss, Op) and loss.op == "+":
        for arg in loss.args:
            yield from _summed(arg) if isinstance(arg, Op) and arg.op == "+" else (arg,)
        return
    if isinstance(loss, Op) and loss.op in ("*", "^"):
        inner = [arg for arg in loss.args if {SIZE, DATA} & names(arg)]
        if len(inner) == 1 and (loss.op == "*" or inner[0] is loss.args[0]):
            yield from _summed(inner[0])
            return
    yield loss


def _falls(draft: Draft, term: Expr) -> bool:
    """Whether a term is one power of its variable, above zero and falling."""
    found = signomial(expand(term, _figures(draft), {}))
    if found is None or len(found) != 1 or found[0].coefficient <= 0:
        return False
    return [power < 0 for power in found[0].exponents.values()] == [True]


def _monomial(term: Expr, name: Name) -> tuple[_Formula, _Formula]:
    """The coefficient of a monomial, and by which power of a name it falls."""
    if not isinstance(term, Op) or name not in names(term):
        return (_Formula(ONE), _Formula(Num(-1.0))) if term == Ref(name) else (_Formula(term), _Formula(ZERO))
    (c1, p1), (c2, p2) = (_monomial(arg, name) for arg in term.args)
    if term.op == "*":
        return c1 * c2, p1 + p2
    if term.op == "/":
        return c1 / c2, p1 + -p2
    assert term.op == "^", "what falls is made of products and powers"
    return c1**c2, -c2 if p1.expr == Num(-1.0) else p1 * c2


def _add_least_compute(draft: Draft, found: _PowerLaws, flop: Num) -> None:
    """The least compute that reaches the plan's loss, of data that are fresh."""
    # At the optimum both terms fall with one power of the compute: together they are K (C / k)^-g.
    size, tokens = map(_Formula, _closed(found, ONE))
    c1, p, c2, r = map(_Formula, (found.c1, found.p, found.c2, found.q))
    best = c1 / size**p + c2 / tokens**r
    least_ = _Formula(flop) * (best / _Formula(found.excess)) ** ((p + r) / (p * r))
    draft.define(q.LEAST_COMPUTE, least_.expr, "law", cite_of(draft.law), by=draft.law.name)


# ---- read off


@dataclass(frozen=True, slots=True)
class _Best:
    """The size of the least loss at a budget in FLOP, and that loss."""

    compute: float
    size: float
    loss: float


def _best_sizes(loss: Expr, flop: Num, each: int = EACH) -> tuple[_Best, ...]:
    """The optima of a loss over size and tokens, of small budgets to large ones; nothing where it has none."""
    rows = []
    value = compiled(loss)
    guess = math.log(10.0**FIRST / flop.value) / 2
    for step in range((LAST - FIRST) * each + 1):
        spent = 10.0 ** (FIRST + step / each)

        def at(log_size: float, pairs: float = spent / flop.value) -> float:
            size = math.exp(log_size)
            return float(value({SIZE: size, DATA: pairs / size}))

        try:
            guess = least(at, guess, 12.0, 1e-7)
        except (ArithmeticError, ValueError):
            return ()
        rows.append(_Best(spent, math.exp(guess), at(guess)))
    return tuple(rows)


def _read_least_compute(draft: Draft, loss: Expr, flop: Num) -> None:
    """The least compute that reaches the plan's loss, read off the optima of a loss without a closed form."""
    made = _least_compute(draft, loss, flop)
    if made is not None:
        draft.definitions[q.LEAST_COMPUTE] = made


def _add_least_of_repeats(draft: Draft, flop: Num) -> None:
    """The same on the plan's own data, of which some may be seen again: then the best run has no more than these."""
    if draft.repeats:
        made = _least_compute(draft, _own_loss(draft), flop)
        draft.repeats += [made] if made is not None else []
    elif draft.stage.data and q.DATA_TOKENS in names(draft.definitions[q.LOSS].expr):
        _read_least_compute(draft, _own_loss(draft), flop)


def _own_loss(draft: Draft) -> Expr:
    """The loss over size and tokens, on the data that the plan has."""
    by = {name: d for name, d in draft.definitions.items() if name not in (SIZE, q.PARAMS, DATA)}
    by |= {d.name: d for d in draft.repeats}
    return expand(Ref(q.LOSS), by, {})


def _size_of_both(draft: Draft, line: Op, worth: Expr) -> Expr:
    """The size that a budget for both stages of a transfer buys, over `compute`.

    Args:
        line: The law's optimum line, over the compute of the second stage.
        worth: The tokens of the first stage that are worth something, over the size and the second stage's tokens.
    """
    known = {name: d for name, d in _figures(draft).items() if name not in (*SPENT, q.FINETUNE_TOKENS)}
    known[q.PARAMS] = draft.definitions.get(q.PARAMS) or draft.definition(q.PARAMS, Ref(SIZE), "derived", "")
    chosen, asked = line.args
    best, first = compiled(expand(asked, known, {})), compiled(expand(worth, known, {}))
    flop = _flop(draft).value
    rows = []
    for step in range((LAST - FIRST) * EACH + 1):
        spent = 10.0 ** (FIRST + step / EACH)
        found = float(best(dict.fromkeys(SPENT, spent)))
        size = found if chosen == Ref(SIZE) else spent / flop / found
        tokens = spent / flop / size
        both = tokens + float(first({SIZE: size, q.FINETUNE_TOKENS: tokens}))
        rows.append((Num(flop * size * both, FLOP), Num(size, PARAM)))
    return curve(Ref(q.COMPUTE), rows)


def _least_compute(draft: Draft, loss: Expr, flop: Num) -> Definition | None:
    """The least compute by the loss that it reaches; None where a loss is of more than size and tokens."""
    best = _best_sizes(loss, flop, FINE) if names(loss) == {SIZE, DATA} else ()
    falling = list(best[:1])
    for row in best[1:]:
        # Beyond here the loss is at its floor.
        if row.loss < falling[-1].loss * (1.0 - FLAT):
            falling.append(row)
    if len(falling) < 2:
        return None
    expr = curve(Ref(q.LOSS), ((Num(row.loss), Num(row.compute, FLOP)) for row in reversed(falling)))
    return draft.definition(q.LEAST_COMPUTE, expr, "law", cite_of(draft.law), by=draft.law.name)
