"""Sources of data that are mixed into one run: what there is of each, its share, and what caps the tokens.

A phase with a mix takes what its mix says. The others have the plan's: a source with a weight keeps its share; those
without one are seen equally often, each until it has reached its epochs, and then the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.evenly import evenly
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined
from runplan.dsl.plan.ir import DataSource, Given, Hole, Within
from runplan.dsl.plan.length import stated
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import DATA, EPOCHS
from runplan.dsl.units.base import EPOCH, TOKEN
from runplan.dsl.units.dims import times
from runplan.engine.formulate.asked import take_uncertain
from runplan.engine.formulate.draft import Draft
from runplan.engine.formulate.schedule import PhasePlan, in_shares, mean, minus, mixed_by_hand
from runplan.engine.problem import quantities as q
from runplan.engine.problem.parts import Evenly, EvenPart, Goal, Kind

# Of the sources without a weight that are mixed into tokens of one kind: all that there is of them, the share that the
# weights leave them, and the passes over each that goes on.
_OF_RUN = (q.TOKENS, q.FINETUNE_TOKENS, q.STORE_TOKENS)
ALL_PASSES = {**dict.fromkeys(_OF_RUN, q.ALL_PASSES), q.PRETRAIN_TOKENS: q.ALL_PRETRAIN_PASSES}
UNWEIGHTED = {**dict.fromkeys(_OF_RUN, q.UNWEIGHTED), q.PRETRAIN_TOKENS: q.UNWEIGHTED_PRETRAIN}
EVEN = {**dict.fromkeys(_OF_RUN, q.EVEN_EPOCHS), q.PRETRAIN_TOKENS: q.EVEN_PRETRAIN_EPOCHS}


# Fewer passes than this are what rounding leaves of none.
ROUNDING = Num(1e-12)


def label_of(source: DataSource) -> str:
    """The name of a source; the only one of a plan may have none."""
    return source.name or "data"


def of(source: DataSource, name: Name) -> Name:
    """A quantity of a source."""
    return name.of("source", label_of(source))


def all_of(source: DataSource) -> Expr:
    """The tokens of a source in all the passes that it may be seen."""
    passes = Op("/", (Ref(of(source, q.MAX_EPOCHS)), Num(1.0, EPOCH)))
    return Op("*", (Ref(of(source, q.AVAILABLE)), passes))


@dataclass(frozen=True, slots=True)
class Cap:
    """What some sources, in all their passes, leave possible: `left <= right`."""

    text: str
    left: Expr
    right: Expr
    sources: Sequence[DataSource]

    @property
    def span(self) -> Span:
        """The first source's place."""
        return self.sources[0].span


def add_group(draft: Draft, sources: Sequence[DataSource], base: Name, phases: Sequence[PhasePlan] = ()) -> None:
    """Sources that are mixed into one run: their shares, tokens, epochs, and the caps on `base`.

    Args:
        phases: Those of the run, where they may have mixes of their own.
    """
    if not sources:
        return
    for source in sources:
        _add_amount(draft, source)
    mix = _Mixing(draft, sources, base, phases)
    mix.add_shares()
    for source in sources:
        if of(source, q.TOKENS) not in draft.definitions:
            tokens = Op("*", (Ref(of(source, q.SHARE)), Ref(base)))
            draft.define(of(source, q.TOKENS), tokens, "derived", "its share of the tokens", source.span)
        passes = Op("/", (Ref(of(source, q.TOKENS)), Ref(of(source, q.AVAILABLE))))
        draft.define(of(source, q.EPOCHS), passes, "derived", "passes over the source", source.span)
        left = minus(all_of(source), Ref(of(source, q.TOKENS)))
        draft.define(of(source, q.LEFT), left, "derived", "what is left over", source.span)
    caps = list(mix.caps())
    if base == q.PRETRAIN_TOKENS:
        # Fewer data than the transfer is worth make it worth less; they do not cap the second stage.
        said = "data for the first stage, at most"
        fewest = joined("min", (cap.right for cap in caps))
        draft.define(q.PRETRAIN_DATA, fewest, "derived", said, sources[0].span)
        return
    for cap in caps:
        draft.constrain(cap.text, cap.left, cap.right, "data", cap.span)
    total = joined("+", (of(source, q.AVAILABLE) for source in sources))
    draft.define(q.DATA_TOKENS, total, "derived", "all sources, once")
    if draft.transfer:
        draft.define(q.EPOCHS, Op("/", (Ref(base), Ref(q.DATA_TOKENS))), "derived", "passes over the data")


def there_is(draft: Draft, source: DataSource) -> Expr:
    """How many tokens there are of a source, also where nothing is trained on it."""
    if draft.knows(of(source, q.AVAILABLE)) or not isinstance(source.amount, Given):
        return Ref(of(source, q.AVAILABLE))
    amount = source.amount.number
    return Op("/", (amount, source.density.number)) if _is_converted(source) and source.density else amount


def _is_converted(source: DataSource) -> bool:
    """Whether an amount is in characters or bytes."""
    figure = stated(source.amount)
    return figure is not None and figure.value.dim != TOKEN and source.density is not None


def _add_amount(draft: Draft, source: DataSource) -> None:
    """How many tokens there are of a source, and how often they may be seen."""
    counted, dim = of(source, q.AVAILABLE), TOKEN
    if source.density and _is_converted(source):
        counted, dim = of(source, q.AMOUNT), times(TOKEN, source.density.value.dim)
        draft.give(of(source, q.DENSITY), source.density, source.span, dim=source.density.value.dim)
        there = Op("/", (Ref(counted), Ref(of(source, q.DENSITY))))
        draft.define(of(source, q.AVAILABLE), there, "derived", "tokens of the source", source.span)
    if isinstance(source.amount, Given):
        draft.define(counted, source.amount.number, "given", "plan", source.amount.span, dim=dim)
    elif isinstance(source.amount, Hole) and source.stage == "pretrain":
        draft.define(counted, Ref(q.WORTH_TOKENS), "derived", "as much as the transfer is worth", source.span)
    elif isinstance(source.amount, Within):
        take_uncertain(draft, counted, f"data {source.name}".strip(), source.amount, dim)
    else:
        draft.figure(counted, source.amount, DATA.usual, str(counted))
    most = of(source, q.MAX_EPOCHS)
    if isinstance(source.epochs, Hole):
        draft.figure(most, source.epochs, EPOCHS.usual, str(most))
        draft.constrain(
            f"some {most}", Num(1.0, EPOCH), Ref(most), "line", source.epochs.span, text="one pass at least"
        )
    elif source.epochs:
        draft.give(most, source.epochs)
    else:
        draft.assume(most, source.span)


class _Mixing:
    """The sources of one run, and which of its phases take them by a mix of their own."""

    def __init__(self, draft: Draft, sources: Sequence[DataSource], base: Name, phases: Sequence[PhasePlan]) -> None:
        self.draft, self.sources, self.base, self.phases = draft, sources, base, phases
        self.mixed = [phase for phase in phases if phase.mix]
        self.plain = [phase for phase in phases if not phase.mix]
        self.even = [source for source in sources if not source.weight]
        # Where a weight is open, those without one are open, too: all of these are chosen together.
        open_ = any(source.weight and not isinstance(source.weight, Given) for source in sources)
        self.free = [source for source in sources if open_ and not isinstance(source.weight, Given)]
        # Whether some phases have a mix, and others have not: or none has one, or all have.
        self.both = bool(self.mixed and self.plain)
        self.by_hand = bool(self.mixed and not self.plain)
        self.alike = self._is_alike()

    # ---- shares

    def add_shares(self) -> None:
        """The share of the tokens that each source is, and what it is made of."""
        for source in self.sources:
            taken = self._taken(source)
            if taken is not None and self.both:
                said = "the mixes of the phases that have one"
                self.draft.define(of(source, q.MIXED_SHARE), taken, "derived", said, source.span)
        if self.by_hand:
            for source in self.sources:
                taken = self._taken(source) or Num(0.0)
                self.draft.define(of(source, q.SHARE), taken, "derived", "the mix of the phases", source.span)
            return
        if self.both:
            whole = joined("+", (phase.part for phase in self.plain))
            self.draft.define(q.UNMIXED, whole, "derived", "the phases without a mix", self.plain[0].span)
        if self.free:
            self._add_free()
            return
        self._add_even()
        for source in self.sources:
            if not source.weight and len(self.even) > 1 and not self.alike:
                self._add_bent(source)
            else:
                self._add_straight(source)

    def _add_free(self) -> None:
        """The tokens of each source whose share is to be found, within its bounds; the others keep theirs.

        Where nothing asks for other shares, each is seen as often as the others, until it has reached its epochs: that
        is where the sum of squared tokens over amounts is least.
        """
        if self.both:
            said = "a weight that is open, beside phases with a mix of their own, is read, and not solved yet"
            self.draft.gave_up(said, self.free[0].span, ["give the weight, or a mix of each phase"])
        fixed = [source.weight for source in self.sources if isinstance(source.weight, Given)]
        left = minus(Num(1.0), joined("+", (each.number for each in fixed))) if fixed else Num(1.0)
        for source in self.sources:
            if isinstance(source.weight, Given):
                at = source.weight.span
                self.draft.define(of(source, q.SHARE), source.weight.number, "given", "weight given", at)
                continue
            tokens, share_name = of(source, q.FREE_TOKENS), of(source, q.SHARE)
            self.draft.figure(tokens, None, DATA.usual / 100, str(tokens))
            self.draft.define(of(source, q.TOKENS), Ref(tokens), "derived", "found with its share", source.span)
            share = Op("/", (Ref(tokens), Ref(self.base)))
            self.draft.define(share_name, share, "derived", "its share of the tokens", source.span)
            self.draft.limited(share_name, source.weight, f"data {label_of(source)} weight")
        found = joined("+", (of(source, q.FREE_TOKENS) for source in self.free))
        whole = Op("*", (left, Ref(self.base))) if fixed else Ref(self.base)
        self.draft.constrain("mix", found, whole, "line", self.free[0].span, equal=True, text="mix")
        squares = (
            Op("/", (Op("*", (Ref(tokens), Ref(tokens))), Ref(of(source, q.AVAILABLE))))
            for source in self.free
            for tokens in (of(source, q.FREE_TOKENS),)
        )
        self.draft.last.append(Goal("minimize", joined("+", squares)))

    def _add_straight(self, source: DataSource) -> None:
        """The share of a source that is the same however many tokens there are."""
        share, said = self._planned(source)
        kind: Kind = "given" if source.weight else "derived"
        span = (source.weight or source).span
        if self.both:
            self.draft.define(of(source, q.UNMIXED_SHARE), share, kind, said, span)
            share = Op("*", (Ref(q.UNMIXED), Ref(of(source, q.UNMIXED_SHARE))))
            if self._taken(source) is not None:
                share = Op("+", (Ref(of(source, q.MIXED_SHARE)), share))
            kind, said, span = "derived", "the mixes of the phases, and the plan's in those without one", source.span
        self.draft.define(of(source, q.SHARE), share, kind, said, span)

    def _add_bent(self, source: DataSource) -> None:
        """The tokens of a source by how often it is seen; its share, which moves with the tokens, follows."""
        said = "seen as often as the others, until it has reached its epochs"
        planned: Expr = Op("*", (Ref(of(source, q.AVAILABLE)), Ref(of(source, q.PLANNED_EPOCHS))))
        whole = planned
        if self.both:
            share = Op("/", (planned, self._over(Ref(self.base))))
            self.draft.define(of(source, q.UNMIXED_SHARE), share, "derived", said, source.span)
            said = f"{said}; and what the mixes of the phases take"
        if self.both and self._taken(source) is not None:
            whole = Op("+", (Op("*", (Ref(of(source, q.MIXED_SHARE)), Ref(self.base))), planned))
        self.draft.define(of(source, q.TOKENS), whole, "derived", said, source.span)
        share = Op("/", (Ref(of(source, q.TOKENS)), Ref(self.base)))
        self.draft.define(of(source, q.SHARE), share, "derived", "its share of the tokens", source.span)

    def _taken(self, source: DataSource) -> Expr | None:
        """The share of the tokens that a source has by the mixes of phases; None where they have none of it."""
        parts: list[Expr] = []
        for phase in self.mixed:
            part = mean(mixed_by_hand(phase), [label_of(source)])
            if part is not None and any(end.value.value for end in phase.mix[label_of(source)]):
                parts.append(Op("*", (phase.part, part)))
        return joined("+", parts) if parts else None

    def _planned(self, source: DataSource) -> tuple[Expr, str]:
        """The share that a source has by the plan's mix where nothing bends, and who says so."""
        if isinstance(source.weight, Given):
            return source.weight.number, "weight given"
        left: Expr = Num(1.0) if len(self.even) == len(self.sources) else Ref(UNWEIGHTED[self.base])
        if len(self.even) == 1:
            return left, "what the weights leave" if len(self.sources) > 1 else "the only source"
        own = Op("/", (Ref(of(source, q.AVAILABLE)), self._there()))
        whole = own if len(self.even) == len(self.sources) else Op("*", (left, own))
        return whole, "seen as often as the others"

    def _there(self) -> Expr:
        """What there is of the sources without a weight, once: named where that is all of the data."""
        if len(self.even) == len(self.sources) and self.base != q.PRETRAIN_TOKENS:
            return Ref(q.DATA_TOKENS)
        return joined("+", (of(other, q.AVAILABLE) for other in self.even))

    def _is_alike(self) -> bool:
        """Whether the sources without a weight have the same epochs before them: then their shares stay the same."""
        epochs = {source.epochs.value.value if isinstance(source.epochs, Given) else 1.0 for source in self.even}
        if len(self.even) > 1 and any(isinstance(source.epochs, Hole) for source in self.even):
            return False
        return len(epochs) == 1 and all(self._taken(source) is None for source in self.even)

    def _over(self, whole: Expr) -> Expr:
        """The part of a whole that is in phases without a mix."""
        return Op("*", (Ref(q.UNMIXED), whole)) if self.both else whole

    def _left(self, source: DataSource) -> Expr:
        """The passes over a source that phases with a mix leave; below nothing where they take more than there is."""
        most = Ref(of(source, q.MAX_EPOCHS))
        if not self.both or self._taken(source) is None:
            return most
        mixed = Op("*", (Ref(of(source, q.MIXED_SHARE)), Ref(self.base)))
        return minus(most, Op("/", (mixed, Ref(of(source, q.AVAILABLE)))))

    def _add_even(self) -> None:
        """What there is of the sources without a weight, what the weights leave them, and how often they are seen."""
        if len(self.even) > 1:
            said = "the sources without a weight, in all their passes"
            whole = joined("+", map(all_of, self.even))
            self.draft.define(ALL_PASSES[self.base], whole, "derived", said)
        weighted = [source for source in self.sources if source.weight]
        if self.even and weighted:
            weights = joined("+", (source.weight.number for source in weighted if isinstance(source.weight, Given)))
            left = Op("max", (Num(0.0), minus(Num(1.0), weights)))
            self.draft.define(UNWEIGHTED[self.base], left, "derived", "what the weights leave")
        if len(self.even) < 2 or self.alike:
            return
        level = EVEN[self.base]
        parts = []
        for source in self.even:
            room = self._left(source)
            parts.append(EvenPart(of(source, q.PLANNED_EPOCHS), Ref(of(source, q.AVAILABLE)), room))
            if not isinstance(room, Ref):
                said = "passes that the phases with a mix leave"
                some = Op("if", (Op(">", (room, ROUNDING)), room, Num(0.0)))
                self.draft.define(of(source, q.OPEN_EPOCHS), some, "derived", said, source.span)
            seen, said = Op("min", (Ref(level), self._open(source))), "as often as the others, up to its epochs"
            self.draft.define(of(source, q.PLANNED_EPOCHS), seen, "derived", said, source.span)
        passes = evenly(self._together(), ((Ref(of(s, q.AVAILABLE)), self._open(s)) for s in self.even))
        said = "equally often, until each has reached its epochs"
        self.draft.define(level, passes, "derived", said, self.even[0].span)
        self.draft.evenly.append(Evenly(level, self._together(), tuple(parts)))

    def _open(self, source: DataSource) -> Expr:
        """The passes over a source that phases with a mix leave, none where they take it all."""
        open_ = of(source, q.OPEN_EPOCHS)
        return Ref(open_ if open_ in self.draft.definitions else of(source, q.MAX_EPOCHS))

    def _together(self) -> Expr:
        """The tokens of the sources without a weight in phases without a mix."""
        whole = self._over(Ref(self.base))
        return whole if len(self.even) == len(self.sources) else Op("*", (Ref(UNWEIGHTED[self.base]), whole))

    # ---- caps

    def caps(self) -> Iterator[Cap]:
        """What each source caps, and those together that go on for each other."""
        alone = (
            self.sources if self.by_hand or self.free or len(self.even) == 1 else [s for s in self.sources if s.weight]
        )
        for source in alone:
            if not self.by_hand or self._taken(source) is not None:
                yield self._cap([source], Ref(of(source, q.SHARE)), all_of(source))
        together = [source for source in self.even if source not in alone]
        if not together:
            return
        taken = [source for source in together if self.both and self._taken(source) is not None]
        for source in taken:
            yield self._cap([source], Ref(of(source, q.MIXED_SHARE)), all_of(source))
        share: Expr | None = Ref(q.UNMIXED) if self.both else None
        if len(self.even) < len(self.sources):
            left: Expr = Ref(UNWEIGHTED[self.base])
            share = Op("*", (share, left)) if share else left
        if taken:
            share = joined("+", (share or Num(1.0), *(of(source, q.MIXED_SHARE) for source in taken)))
        yield self._cap(together, share, Ref(ALL_PASSES[self.base]))

    def _cap(self, sources: Sequence[DataSource], share: Expr | None, there: Expr) -> Cap:
        """That a share of the tokens is no more than there is."""
        tokens = Ref(self.base)
        if share is None or len(self.sources) == 1:
            return Cap("data", tokens, there, sources)
        together = len(sources) == len(self.sources)
        text = "data" if together else f"data {', '.join(map(label_of, sources))}"
        if not self.mixed or in_shares(self.phases):
            return Cap(text, tokens, Op("/", (there, share)), sources)
        return Cap(text, Op("*", (share, tokens)), there, sources)
