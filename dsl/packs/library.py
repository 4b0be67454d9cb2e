"""Texts of packs to the one value that holds all that is known: laws, records, rules, schedules, quantities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.tree import Text
from runplan.dsl.packs.budgets import FolderBudget
from runplan.dsl.packs.cards import Card, card
from runplan.dsl.packs.devices import Meant, meant
from runplan.dsl.packs.headers import Header, headers_of
from runplan.dsl.packs.law_check import checked, inherit
from runplan.dsl.packs.model_names import folded, released
from runplan.dsl.packs.names import Names
from runplan.dsl.packs.pack import Entry, Law, Pack, Record, Rule, ScheduleShape, figures_of
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.packs.shelf import PackFile, Shelf
from runplan.dsl.packs.vocabulary import Vocabulary
from runplan.dsl.syntax.imports import blocks_of
from runplan.dsl.syntax.tree import NAMED_FIGURES
from runplan.dsl.text.finding import Finding, finding, in_order
from runplan.dsl.text.source import Source, Span
from runplan.dsl.typed.fields import ADAPTERS, CHECKPOINT
from runplan.dsl.types import Any, TypeVar
from runplan.dsl.units.dims import Dim

_T = TypeVar("_T")
# A law with what it inherits, and what is wrong with it.
CheckedLaw = tuple[Law, tuple[Finding, ...]]


@dataclass(frozen=True)
class Library:
    """Everything that is known: the standard library, packs, and what a plan defines itself.

    A value: its texts were read before it was made, and every answer follows from them. What an answer costs is paid
    once, when it is first asked for, and kept with the library that was asked.

    Attributes:
        shelf: The texts of the standard library and of packs.
        own: What a plan brings.
        broken: Blocks of the plan that could not be read whole.
        base: The same without what the plan brings; None where there is nothing of a plan.
        hidden: Kind and lower-case name of definitions that are in the texts, and not known.
        budgets: What plans of some folders are to keep.
    """

    shelf: Shelf
    own: Pack = field(default_factory=Pack)
    broken: tuple[Span, ...] = ()
    base: Library | None = field(default=None, repr=False, compare=False)
    hidden: frozenset[tuple[str, str]] = frozenset()
    budgets: tuple[FolderBudget, ...] = ()
    _laws: dict[Span, CheckedLaw] = field(default_factory=dict, init=False, repr=False, compare=False)
    _once: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _records: dict[tuple[str, str], Record] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        packs = len(self.shelf.brought)
        beside = (f", {packs} of packs" if packs else "") + (", and a plan's own" if self.own != Pack() else "")
        return f"<Library: {len(self.shelf.sources) - packs} files{beside}>"

    def with_files(self, files: Iterable[PackFile]) -> Library:
        """The same with the files of packs beside it."""
        brought = tuple(files)
        return Library(self.shelf.with_files(brought), budgets=self.budgets) if brought else self

    def with_budgets(self, budgets: Iterable[FolderBudget]) -> Library:
        """The same with what plans of some folders are to keep."""
        every = tuple(budgets)
        return Library(self.shelf, self.own, self.broken, self.base, self.hidden, every) if every else self

    def with_pack(self, pack: Pack, broken: Sequence[Span] = ()) -> Library:
        """The same with the definitions of a plan beside them.

        Args:
            broken: Blocks of them that could not be read whole.
        """
        if pack == Pack():
            return self
        return Library(self.shelf, self.own.plus(pack), (*self.broken, *broken), self, self.hidden, self.budgets)

    def without(self, kind: str, names: Iterable[str]) -> Library:
        """The same as if some definitions of a kind were not in it."""
        hidden = self.hidden | {(kind, name.lower()) for name in names}
        base = self.base and self.base.without(kind, names)
        return Library(self.shelf, self.own, self.broken, base, hidden, self.budgets)

    # ---- names

    @cached_property
    def _names(self) -> Names:
        if self.base is None:
            # What is hidden is not in the tables that an image has ready.
            image = None if self.hidden else self.shelf.image
            return Names(self._seen(self.shelf.headers(beyond=image)), image)
        known = self.base._names
        return Names(self._seen(headers_of(self.own, "plan")), known)

    def _seen(self, headers: Iterable[Header]) -> Iterator[Header]:
        return (header for header in headers if (header.kind, header.name.lower()) not in self.hidden)

    def index(self, kind: str) -> Mapping[str, Header]:
        """Headers of a kind by lower-case name and alias."""
        return self._names.of(kind)

    def vocabulary(self) -> Vocabulary:
        """The names that a plan may use."""
        return self._vocabulary

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        laws, schedules, models = (frozenset(self._names.spellings(kind)) for kind in ("law", "schedule", "model"))
        figures = figures_of(record for kind in NAMED_FIGURES for record in self.records(kind))
        parts = {name: q.facts.parts for name, q in self.quantities().items()}
        fields = self.quantities().fields
        regimes = frozenset(self._names.spellings("regime"))
        return Vocabulary(
            self._dims, self.devices, laws, schedules, parts, fields, figures, models, regimes, self.model
        )

    @cached_property
    def _dims(self) -> Mapping[str, Dim]:
        return {name: q.counted.dim for name, q in self.quantities().items()}

    # ---- asking

    def quantities(self) -> Quantities:
        """The quantities that plans may name."""
        return self.shelf.quantities

    def law(self, name: str) -> Law | None:
        """A law by name or alias, with what it inherits and the dimension of each constant; None for no law."""
        header = self._names.find("law", name)
        found = None if header is None else self._checked(header)
        return None if found is None else found[0]

    def laws(self) -> tuple[Law, ...]:
        """Every law, by name."""
        found = (self._checked(header) for header in self._names.each("law"))
        return tuple(pair[0] for pair in found if pair)

    def record(self, kind: str, name: str) -> Record | None:
        """A record by kind and name or alias; a device by any name that means it."""
        if (known := self._records.get((kind, name))) is not None:
            return known
        header = self._names.find(kind, name)
        if header is None and kind == "device" and (device := self.device(name)):
            header = self._names.find(kind, device.name)
        found = None if header is None else self._record(header)
        if found is not None:
            self._records[kind, name] = found
        return found

    @cached_property
    def devices(self) -> Mapping[str, str]:
        """The device of each name and alias."""
        return self._names.spellings("device")

    def device(self, name: str) -> Meant | None:
        """The device that a name means, and which others it may mean; None for no device."""
        return meant(name, self.devices)

    def records(self, kind: str) -> tuple[Record, ...]:
        """Every record of a kind, by name."""
        found = (self._record(header) for header in self._names.each(kind))
        return tuple(record for record in found if record)

    def model(self, name: str) -> Record | None:
        """A model by any of its names, however they are written; None for no model."""
        found = self._models.get(folded(name)) or self._models.get(folded(released(name)))
        return None if found is None else self._record(self.index("model")[found])

    @cached_property
    def _models(self) -> Mapping[str, str]:
        """For each model that is named, however it is written, its name in the index."""
        return {folded(name): name for name in self.index("model")}

    def default_lines(
        self, domain: str, key: str, *, from_weights: bool = False, adapters: bool = False
    ) -> tuple[Entry, ...]:
        """The lines of a domain's defaults of a key, the first choice first; of one without any, those of text.

        Args:
            from_weights: Whether the run begins from a checkpoint: what is said of those comes first then, and is
                left out else.
            adapters: Whether it trains adapters in place of the weights: the same of what is said of those.
        """
        record = self.record("defaults", domain) or self.record("defaults", "text")
        lines = [entry for entry in record.entries if entry.key == key] if record else []
        holds = {ADAPTERS: adapters, CHECKPOINT: from_weights}
        own = [entry for qualifier, does in holds.items() if does for entry in lines if entry.qualifier == qualifier]
        return (*own, *(entry for entry in lines if entry.qualifier not in holds))

    def defaults(self, domain: str, key: str, *, from_weights: bool = False, adapters: bool = False) -> tuple[str, ...]:
        """The names of what is taken for a domain where a plan says nothing, the first choice first."""
        told = self.default_lines(domain, key, from_weights=from_weights, adapters=adapters)
        lines = (entry.values[0] for entry in told)
        return tuple(value.value for value in lines if isinstance(value, Text))

    def default_words(self, domain: str, key: str) -> frozenset[str]:
        """All the words of the lines of a domain's defaults of a key."""
        lines = (entry.values for entry in self.default_lines(domain, key))
        return frozenset(value.value for values in lines for value in values if isinstance(value, Text))

    def number_format(self, domain: str, device: Record | None) -> str:
        """The precision where a plan states none: the first choice of those that the device has a peak in."""
        lines = (entry.values for entry in self.default_lines(domain, "number_format"))
        choices = [value.value for values in lines for value in values if isinstance(value, Text)]
        has = (choice for choice in choices if device is not None and device.entry("peak", choice) is not None)
        return next(has, next(iter(choices), ""))

    def schedule(self, name: str) -> ScheduleShape | None:
        """A schedule by name."""
        header = self._names.find("schedule", name)
        found = None if header is None else self._schedule(header)
        return replace(found, name=header.name) if header and found else None

    def rules(self) -> tuple[Rule, ...]:
        """Every rule, by code; a code may have a rule for each severity."""
        return self._rules

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        return tuple(map(self._rule, self._cards))

    def rules_over(self, words: Set[str]) -> tuple[Rule, ...]:
        """The rules, by code, whose condition may hold where these words are known; no other needs to be read."""
        return tuple(self._rule(card) for card in self._cards if card.needs <= words)

    def is_asked_by_others(self, words: Set[str]) -> bool:
        """Whether a rule that is not the standard library's cannot hold without one of these words."""
        headers = self._names.each("rule")
        others = {header.span.source: header for header in headers if header.layer != "standard"}  # one a text
        return any(not card.needs.isdisjoint(words) for header in others.values() for card in self._cards_of(header))

    def rule_names(self) -> frozenset[tuple[str, str]]:
        """The code and the name of every rule."""
        return frozenset((card.code, card.name) for card in self._cards)

    @cached_property
    def _cards(self) -> tuple[Card, ...]:
        found: list[Card] = []
        known: dict[Source, dict[str, list[Card]]] = {}  # the cards of each text, by code
        for header in self._names.each("rule"):
            source = header.span.source
            if source not in known:
                known[source] = {}
                for one in self._cards_of(header):
                    known[source].setdefault(one.code.lower(), []).append(one)
            found += known[source].get(header.name.lower(), ())
        return tuple(sorted(found, key=lambda card: (card.code, card.severity)))

    def once(self, make: Callable[[Library], _T]) -> _T:
        """What follows from the library alone by a function, made the first time that it is asked for."""
        if make not in self._once:
            self._once[make] = make(self)
        found: _T = self._once[make]
        return found

    # ---- definitions behind headers

    def _at(self, header: Header) -> Pack:
        return self.own.at(header.span) if header.layer == "plan" else self.shelf.at(header.span)

    def _cards_of(self, header: Header) -> Iterable[Card]:
        """What is known of the rules of the pack that a header is in."""
        return map(card, self.own.rules) if header.layer == "plan" else self.shelf.cards(header.span.source)

    def _rule(self, card: Card) -> Rule:
        found = self.own.at(card.span).rules or self.shelf.at(card.span).rules
        return found[0]  # a file that came on two ways has it twice

    def _record(self, header: Header) -> Record | None:
        found = next(iter(self._at(header).records), None)
        return found and replace(found, name=header.name, aliases=header.aliases)

    def _schedule(self, header: Header) -> ScheduleShape | None:
        return next(iter(self._at(header).schedules), None)

    def _law(self, header: Header) -> Law | None:
        """A law as its pack writes it."""
        found = next(iter(self._at(header).laws), None)
        return found and replace(found, name=header.name, aliases=header.aliases)

    def _parent(self, law: Law) -> Law | None:
        """What a law extends; where it overrides a law of that name, the one that it takes the place of."""
        header = self._names.find("law", law.parent) if law.parent else None
        while header is not None and law.override and header.span == law.span:
            header = header.over
        return None if header is None else self._law(header)

    def _checked(self, header: Header) -> CheckedLaw | None:
        """The law of a header, checked once; None where its pack could not be read so far."""
        if self.base is not None and not self.own.laws:
            return self.base._checked(header)
        if header.span not in self._laws:
            written = self._law(header)
            if written is None:
                return None
            merged, wrong = inherit(written, self._parent)
            law, more = (merged, []) if self._was_checked(written) else checked(merged)
            # What a law lacks because a part of it, or its parent, is not there is no mistake of its own.
            found = () if self._is_broken(header) else tuple(wrong or more)
            self._laws[header.span] = law, found
        return self._laws[header.span]

    def _was_checked(self, law: Law) -> bool:
        """Whether a law has its dimensions already, and all that it inherits is as it was when they were found."""
        return all(self.shelf.pictures(one.span.source) for one in (law, *self._ancestors(law)))

    def _is_broken(self, header: Header) -> bool:
        own = header.layer == "plan"
        return header.span.begins_in(self.broken if own else self.shelf.broken(header.span.source))

    def _ancestors(self, law: Law) -> Iterator[Law]:
        """The laws that a law extends, the nearest first, each once."""
        seen = [law.span]
        while (parent := self._parent(law)) is not None and parent.span not in seen:
            yield parent
            seen.append(parent.span)
            law = parent

    # ---- what is wrong

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with packs and with what a plan brings, in order.

        The standard library is held to the same when it is tested, by `audit`, and not each time that it is used.
        """
        if self.base is not None:
            return in_order([*self.base.findings, *self._names.findings, *self._faults_of(self._names.entered)])
        brought = self.shelf.brought
        return in_order(
            [
                *(file.wrong for file in self.shelf.own if file.wrong),
                *self.shelf.quantity_findings,
                *(wrong for file in brought for wrong in self.shelf.read(file.source).findings),
                *self._names.findings,
                *self._faults_of(header for header in self._names.entered if header.layer != "standard"),
            ]
        )

    def audit(self) -> tuple[Finding, ...]:
        """What is wrong anywhere, the standard library included, every text read whole."""
        read = (wrong for source in self.shelf.sources for wrong in self.shelf.read(source).findings)
        return in_order([*self.findings, *read, *self._faults_of(self._names.entered)])

    def law_findings(self, name: str) -> tuple[Finding, ...]:
        """What is wrong with one law, wherever it comes from."""
        header = self._names.find("law", name)
        found = None if header is None else self._checked(header)
        return () if found is None else found[1]

    def _faults_of(self, headers: Iterable[Header]) -> Iterator[Finding]:
        """Definitions held to what there is."""
        for header in headers:
            if header.kind == "law":
                found = self._checked(header)
                yield from found[1] if found else ()
            elif header.kind in NAMED_FIGURES:
                for name in sorted(self._dims.keys() & {header.name, *header.aliases}):
                    message = f"`{name}` is a quantity of plans and cannot be a {header.kind}"
                    yield finding("N005", message, header.span, help=["give it another name"])
            elif header.kind in ("schedule", "run"):
                yield from self._unknown_mentions(header)
            elif header.kind == "rule" and header.layer != "plan":  # a plan's own were held to its `let`s, too
                # What most plans have no use for: docs/design/0004-what-check-does-not-import.md.
                from runplan.dsl.packs.rule_check import checked as rule_findings

                for rule in () if self._is_broken(header) else self._at(header).rules:
                    yield from rule_findings(rule, self._dims)

    def _unknown_mentions(self, header: Header) -> Iterator[Finding]:
        """What a schedule or a run mentions that there is not."""
        # What most plans have no use for: docs/design/0004-what-check-does-not-import.md.
        from runplan.dsl.packs.mention_check import unknown_device, unknown_shapes

        if header.kind == "schedule":
            schedule = self._schedule(header)
            yield from unknown_shapes(schedule, self.index("shape")) if schedule else ()
        else:
            run = self._record(header)
            yield from unknown_device(run, self.devices, self.record) if run else ()

    def faults(self, law: Law, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The errors among findings that are in a law, or in one that it extends: it gives no numbers then."""
        chain = (law, *self._ancestors(law))
        errors = [f for f in findings if f.severity == "error"]
        return tuple(
            f
            for f, block in zip(errors, blocks_of(errors), strict=True)
            if any(one.span.begins_in([block]) for one in chain)
        )
