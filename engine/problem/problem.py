"""The problem of a plan under a law, and its transformations: parameters, variables, constraints and goals.

Nothing here knows a law, a device or a verb by name. Every figure that is given or assumed is a parameter: a definition
that is a number. What a plan bounds or leaves open is a variable; everything else follows by the formulas of
`stdlib/quantities.plan` and of the law. A problem is formulated once. What would be if a figure were another, were left
open, or a variable were held, is `at`, `scaled`, `loosened` and `fixed`: the same problem, transformed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from runplan.dsl.dataclass import dataclass, field, replace
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, joined, names
from runplan.dsl.expr.values import compiled
from runplan.dsl.packs.pack import Law
from runplan.dsl.packs.quantities import Quantities
from runplan.dsl.plan.ir import Given, Objective, Requirement
from runplan.dsl.text.finding import Finding
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import NONE, Dim
from runplan.engine.numeric.search import inverse
from runplan.engine.problem import quantities as q
from runplan.engine.problem.common import Common
from runplan.engine.problem.either import Either, without
from runplan.engine.problem.expanded import expand
from runplan.engine.problem.parts import Aim, Constraint, Definition, Evenly, Goal, Inverse, StageOf, Taken, Variable


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be solved, for one law.

    Attributes:
        named: The law as the plan names it.
        givens: Figures of the plan that could be changed to make room, by name.
        decided: Requirements that the givens alone decide.
        held: Those requirements as constraints and choices, for where a figure that decides them is left open.
        either: Choices between alternatives, of each of which the solution keeps one.
        unsaid: Of a requirement that names what is not known beside what is, by its key, the finding that says so: it
            counts where what is known does not keep the requirement.
        goals: In order, ties last; each later one chooses among what the earlier ones leave.
        goal: The first, in words, for derivations.
        ties: How many of the goals only break ties.
        instead: What is wanted where a goal that is no tie has no least value, in order.
        stated: Whether the plan states a goal itself.
        findings: What keeps it from being solved: L004, C009 and the like.
        place: The plan's first statement, to point at where nothing else is to blame.
        line: The law's optimum line as an equation, where it gives one.
        frontier: Whether the law's loss holds on that line only.
        lawless: Whether the law is for another objective or model: it gives nothing here.
        phases: Names of the schedule's phases, in order.
        default_laws: Laws that stand in for what the plan's own does not know, such as the batch.
        inverses: Definitions that are computed from what they lead to.
        repeats: What changes where data are seen more than once: a repeated token is worth less. Until a source is,
            nothing does, so that the problem without it is a relaxation of the problem with it.
        evenly: Sources that are seen equally often, each until it has reached its limit.
        quantities: What is known of each quantity.
        stages: Those that the plan has, in order; none where it has none.
        tried: Whether it is only asked for a solution: that there is none need not be proven.
        usual: What is assumed of rates, where the plan takes others, which it needs.
        nearby: Whether its variables start at the solution of a problem like it: one search, from there, will do.
        common: What is worked out of its formulas, for all problems that are made of it.
    """

    named: str
    law: Law
    objective: Objective
    definitions: Mapping[Name, Definition]
    variables: tuple[Variable, ...]
    constraints: tuple[Constraint, ...]
    decided: tuple[Requirement, ...]
    goals: tuple[Goal, ...]
    goal: str
    givens: Mapping[Name, Given]
    asked: tuple[Name, ...]
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]
    place: Span
    ties: int = 0
    instead: tuple[Aim, ...] = ()
    stated: bool = False
    line: Op | None = None
    frontier: bool = False
    lawless: bool = False
    phases: tuple[str, ...] = ()
    default_laws: tuple[Law, ...] = ()
    inverses: tuple[Inverse, ...] = ()
    repeats: tuple[Definition, ...] = ()
    held: tuple[Constraint | Either, ...] = ()
    either: tuple[Either, ...] = ()
    unsaid: Mapping[str, Finding] = field(default_factory=dict)
    evenly: tuple[Evenly, ...] = ()
    quantities: Quantities = field(default_factory=Quantities)
    stages: tuple[StageOf, ...] = ()
    nearby: bool = False
    tried: bool = False
    usual: Mapping[Name, Definition] = field(default_factory=dict)
    common: Common = field(default_factory=Common, compare=False, repr=False)

    # ---- asking

    def expanded(self, expr: Expr) -> Expr:
        """The expression over variables alone; names without a definition stay."""
        return expand(expr, self.definitions, self.common.expansions(self.definitions), self.common)

    def is_parameter(self, name: Name) -> bool:
        """Whether a name is a figure that is given or assumed, or a constant: a number, to be set by `at`."""
        definition = self.definitions.get(name)
        return definition is not None and isinstance(definition.expr, Num)

    @property
    def is_mixture(self) -> bool:
        """Whether a token passes fewer params than the model has."""
        active = self.definitions.get(q.ACTIVE_PARAMS)
        found = any(v.name == q.ACTIVE_PARAMS for v in self.variables)
        return found or (active is not None and active.expr != Ref(q.PARAMS))

    @property
    def is_programme(self) -> bool:
        """Whether there is no run in it, but what other plans come to."""
        return not self.variables and not any(name.kind == "quantity" for name in self.definitions)

    @property
    def is_of_chance(self) -> bool:
        """Whether something that the solution keeps is to be likely."""
        return any(part.chance for one in self.kept for part in one.parts)

    @property
    def kept(self) -> tuple[Constraint | Either, ...]:
        """All that the solution keeps; the pieces of what bends are no choice of its own."""
        return (*self.constraints, *(choice for choice in self.either if choice.requirement is not None))

    @property
    def parts(self) -> tuple[Constraint, ...]:
        """Every constraint of it: also of its choices, and those that its givens decide."""
        return tuple(part for one in (*self.kept, *self.held) for part in one.parts)

    def number(self, name: Name) -> float:
        """The value of a parameter, in base units."""
        expr = self.definitions[name].expr
        assert isinstance(expr, Num), "it is a parameter"
        return expr.value

    def dim(self, name: Name) -> Dim:
        """The dimension of a defined name or a variable.

        Raises:
            KeyError: For a name that is neither.
        """
        if name in self.definitions:
            return self.definitions[name].dim
        return next(v.dim for v in self.variables if v.name == name)

    def said(self, name: Name) -> str:
        """What a plan calls a figure: `time` for the time that is reserved."""
        known = self.quantities.get(name.text) if name.kind == "quantity" else None
        return str(Name(known.facts.said, name.kind, name.scope)) if known and known.facts.said else str(name)

    # ---- transforming

    def at(self, values: Mapping[Name, float]) -> Problem:
        """The problem with other values of parameters, in base units."""
        changed = {
            name: replace(d, expr=Num(value, d.expr.dim if isinstance(d.expr, Num) else d.dim))
            for name, value in values.items()
            if (d := self.definitions.get(name)) is not None
        }
        return replace(self, definitions={**self.definitions, **changed})

    def given(self, values: Mapping[Name, float]) -> Problem:
        """The problem with other figures of the plan, in base units, in whatever holds each of them."""
        constraints = tuple(
            replace(c, right=Num(values[c.of], self.givens[c.of].value.dim))
            if c.kind in ("given", "budget") and c.of is not None and c.of in values
            else c
            for c in self.constraints
        )
        return replace(self.at({n: v for n, v in values.items() if self.is_parameter(n)}), constraints=constraints)

    def scaled(self, name: Name, factor: float) -> Problem:
        """The problem with a figure that is given or assumed, a formula of others or not, a factor larger."""
        definition = self.definitions[name]
        expr: Expr = Op("*", (definition.expr, Num(factor)))
        if isinstance(definition.expr, Num):
            expr = Num(definition.expr.value * factor, definition.expr.dim)
        return replace(self, definitions={**self.definitions, name: replace(definition, expr=expr)})

    @property
    def deviates(self) -> tuple[Name, ...]:
        """How far each quantity may be off of which something is assumed with a spread."""
        return tuple(dict.fromkeys(by for d in self.definitions.values() if d.spread for by, _ in d.deviates))

    def deviating(self) -> Problem:
        """The problem in which what is assumed is off by its deviate, a parameter: zero unless it is set.

        What the devices of one run reach is off alike, on all of its pools: the same people run the same code on them.
        """
        changed = {name: Definition(name, NONE, Num(0.0), "assumed") for name in self.deviates}
        for name, d in self.definitions.items():
            if d.spread:
                off = joined("+", (Op("*", (Num(d.spread * weight), Ref(each))) for each, weight in d.deviates))
                by = Op("exp", (off,))
                changed[name] = replace(d, expr=Op("*", (d.expr, by)))
        return replace(self, definitions={**self.definitions, **changed})

    def ranging(self) -> Problem:
        """The problem in which what the plan gives a range lies anywhere between its ends, by a deviate: a parameter
        from 0 to 1, in the middle unless it is set. Ranges of several pools are each on their own.
        """
        changed: dict[Name, Definition] = {}
        for name, d in self.definitions.items():
            if d.between is not None:
                low, high = d.between
                by = Name(name.text, "deviate", name.scope)
                changed[by] = Definition(by, NONE, Num(0.5), "given", between=(0.0, 1.0))
                off = Op("*", (Num(high - low, d.dim), Ref(by)))
                changed[name] = replace(d, expr=Op("+", (Num(low, d.dim), off)), between=None)
        return replace(self, definitions={**self.definitions, **changed})

    def is_drawn(self, name: Name) -> bool:
        """Whether a name is a constant of the plan's own law, or a deviate."""
        return name.kind == "deviate" or (name.kind == "constant" and name.part("law") == self.law.name)

    def undrawn(self) -> Problem:
        """The problem in which what is drawn is left as a name, to be given a value afterwards."""
        return replace(self, definitions={n: d for n, d in self.definitions.items() if not self.is_drawn(n)})

    def fixed(self, values: Mapping[Name, float], source: str = "") -> Problem:
        """The problem with variables held at values, in base units."""
        held = {
            v.name: Definition(v.name, v.dim, Num(values[v.name], v.dim), "solved", source, v.span)
            for v in self.variables
            if v.name in values
        }
        free = tuple(v for v in self.variables if v.name not in values)
        return replace(self, definitions={**self.definitions, **held}, variables=free)

    def loosened(self, givens: Collection[Name]) -> Problem:
        """The problem with figures of the plan left open: each becomes a variable, or no constraint holds it."""
        definitions = dict(self.definitions)
        variables = list(self.variables)
        kept = []
        for inverse_ in self.inverses:
            if inverse_.of.name not in givens:
                kept.append(inverse_)
                continue
            # What was looked for is looked for still, and the figure follows from it.
            own = inverse_.definition
            definitions[inverse_.of.name] = replace(inverse_.of, expr=inverse_.expr, kind="derived")
            definitions.pop(own.name, None)
            variables.append(Variable(own.name, own.dim, self.givens[inverse_.of.name].value.value, own.span))
        for name in givens:
            definition = definitions.get(name)
            if definition is not None and isinstance(definition.expr, Num):
                del definitions[name]
                variables.append(Variable(name, definition.dim, definition.expr.value, definition.span))
        constraints = tuple(c for c in self.constraints if c.kind not in ("given", "budget") or c.of not in givens)
        return replace(
            self,
            definitions=definitions,
            variables=tuple(variables),
            constraints=constraints,
            inverses=tuple(kept),
        )

    def keeping_decided(self) -> Problem:
        """The problem with the requirements among its constraints that figures left open decide no more."""
        free = {v.name for v in self.variables}

        def moves(part: Constraint) -> bool:
            return bool(free & names(self.expanded(Op("-", (part.left, part.right)))))

        constraints = [c for c in self.held if isinstance(c, Constraint) and moves(c)]
        either = [c for c in self.held if isinstance(c, Either) and any(map(moves, c.parts))]
        return replace(self, constraints=(*self.constraints, *constraints), either=(*self.either, *either))

    @property
    def wishes(self) -> frozenset[str]:
        """The keys of what is required, and is no figure."""
        return frozenset(one.key for one in self.kept if isinstance(one, Either) or one.kind == "require")

    def without(self, keys: Collection[str]) -> Problem:
        """The problem without some of its constraints, and of its choices."""
        kept = tuple(c for c in self.constraints if c.key not in keys)
        return replace(self, constraints=kept, either=without(self.either, keys))

    def replacing(self, constraint: Constraint) -> Problem:
        """The problem with a constraint in the place of that of its key, which may be part of a choice."""
        return replace(
            self,
            constraints=tuple(one.replacing(constraint) for one in self.constraints),
            either=tuple(one.replacing(constraint) for one in self.either),
            held=tuple(one.replacing(constraint) for one in self.held),
        )

    def taking(self, taken: Iterable[Taken]) -> Problem:
        """The problem in which alternatives are taken, one after the other: a choice in one is open until it is."""
        problem = self
        for key, at in taken:
            choice = next(one for one in problem.either if one.key == key)
            alternative = choice.alternatives[at]
            note = f"where {alternative.said}" if alternative.said else ""
            bends = {n: replace(problem.definitions[n], expr=e, note=note) for n, e in alternative.definitions}
            problem = replace(
                problem,
                definitions={**problem.definitions, **bends},
                constraints=(*problem.constraints, *alternative.constraints),
                either=(*(one for one in problem.either if one is not choice), *alternative.either),
            )
        return problem

    def beginning(self, at: Mapping[Name, float], *, nearby: bool = False) -> Problem:
        """The problem with variables that start at values, in base units; `nearby` where these solve one like it."""
        starts = tuple(replace(v, start=at.get(v.name) or v.start) for v in self.variables)
        return replace(self, variables=starts, nearby=nearby or self.nearby)

    def aiming(self, *goals: Goal) -> Problem:
        """The problem with other goals."""
        return replace(self, goals=goals, ties=0)

    def aimed(self) -> Iterator[Problem]:
        """The problem, and with each of what is wanted instead in place of its goals."""
        yield self
        for i, aim in enumerate(self.instead):
            goals, rest = (*aim.goals, *aim.ties), self.instead[i + 1 :]
            yield replace(self, goals=goals, goal=aim.said, ties=len(aim.ties), instead=rest)

    def repeating(self) -> Problem:
        """The problem in which a repeated token counts for less than a fresh one."""
        changed = {definition.name: definition for definition in self.repeats}
        return replace(self, definitions={**self.definitions, **changed}, repeats=())

    def settled(self) -> Problem:
        """The problem with what is defined by an inverse computed, as far as its figures alone decide it."""
        if not self.inverses:
            return self
        definitions = dict(self.definitions)
        for turned in self.inverses:
            value = self._inverse(turned, definitions)
            if value is not None:
                definitions[turned.definition.name] = replace(turned.definition, expr=Num(value, turned.definition.dim))
        return replace(self, definitions=definitions)

    def _inverse(self, turned: Inverse, definitions: Mapping[Name, Definition]) -> float | None:
        own = turned.definition.name
        others = {name: d for name, d in definitions.items() if name != own}
        target, body = (expand(expr, others, {}) for expr in (Ref(turned.of.name), turned.expr))
        if not isinstance(target, Num) or names(body) != {own}:
            return None
        function = compiled(body)
        # What grows at least as fast as its argument lies below its value.
        return inverse(lambda x: float(function({own: x})), target.value, 1.0, target.value)
