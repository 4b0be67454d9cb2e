"""The quantities of layouts under regimes, each computed again only where what it is made of has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.columns import Column, Together
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import names
from runplan.dsl.expr.values import Evaluator, compiled, value
from runplan.dsl.packs.library import Library
from runplan.dsl.types import Any
from runplan.engine.layout.layout import CP, DP, EP, ETP, PP, TP, Layout
from runplan.engine.layout.memory import LEAST, MOST, USABLE, Memory, Step
from runplan.engine.problem import quantities as q

_NOTHING: frozenset[str] = frozenset()
# What says which device has what, in the order of `Layout.cuts`.
_CUTS = (TP, PP, CP, EP, ETP, DP)
_Steps = Sequence[tuple[Name, Evaluator]]
_Env = dict[Name, float]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The steps by what they hang on: the cuts of a layout, the rest of it, and the regime, each or together.

    Attributes:
        model: Those that hang on none of them.
        memory, time: Those that hang on all, or on the regime and the rest.
    """

    model: _Steps
    regime: _Steps
    cut: _Steps
    cut_regime: _Steps
    rest: _Steps
    memory: _Steps
    time: _Steps


class Sheet:
    """A page on which the layouts of a run are worked out, one after the other."""

    def __init__(self, memory: Memory, regimes: Sequence[Mapping[Name, float]], catalogue: Library) -> None:
        """A page for layouts whose figures are those of `layout.figures`; they go before a regime's."""
        self._memory, self._regimes, self._catalogue = memory, regimes, catalogue
        self._env: _Env = dict(memory.known)
        self._plan: _Plan | None = None
        self._of_regimes: list[_Env] = []
        self._of_cut: dict[int, _Env] = {}
        self._parts: tuple[int, ...] = ()
        # Of all regimes, the ones that need the most memory first, as far as it has shown.
        self.order = list(range(len(regimes)))

    def turn_to(self, layout: Layout) -> None:
        """Work out what a layout comes to whatever the regime."""
        figures = layout.figures
        if self._plan is None:
            self._begin(figures)
        assert self._plan is not None
        env = self._env
        env.update(figures)
        if layout.cuts != self._parts:
            self._parts, self._of_cut = layout.cuts, {}
            _run(self._plan.cut, env)
        _run(self._plan.rest, env)

    def under(self, regime: int, *, priced: bool = False) -> _Env:
        """All that it comes to under a regime, until the page is turned.

        Args:
            priced: Whether the time of a step is worked out, too.
        """
        assert self._plan is not None
        env = self._env
        if regime not in self._of_cut:
            env.update(self._of_regimes[regime])
            _run(self._plan.cut_regime, env)
            self._of_cut[regime] = {
                **self._of_regimes[regime],
                **{name: env[name] for name, _ in self._plan.cut_regime},
            }
        else:
            env.update(self._of_cut[regime])
        _run(self._plan.memory, env)
        if priced:
            _run(self._plan.time, env)
        return env

    def columns(self, layouts: Sequence[Layout], regime: int, wanted: Iterable[Name]) -> dict[Name, list[float]]:
        """What some layouts come to under a regime, all at once: a figure a layout of all that is wanted and known.

        Args:
            layouts: At least one.
        """
        if self._plan is None:
            self.turn_to(layouts[0])
        needed = _columned(self._memory, frozenset(wanted), self._catalogue)
        try:
            found: Mapping[Name, Any] = self._together(layouts, regime, needed)
        except (ArithmeticError, ValueError):  # what one of them refuses, or is not done by columns
            return self._one_by_one(layouts, regime, wanted)
        there = {name: found[name] for name in wanted if name in found}
        return {
            name: column.values if isinstance(column, Column) else [column] * len(layouts)
            for name, column in there.items()
        }

    def _together(self, layouts: Sequence[Layout], regime: int, of: Mapping[Name, Evaluator]) -> Mapping[Name, Any]:
        plan = self._plan
        assert plan is not None
        cuts: dict[tuple[int, ...], int] = {}
        at = [cuts.setdefault(one.cuts, len(cuts)) for one in layouts]
        env: dict[Name, Any] = {**self._env, **self._of_regimes[regime]}
        env.update({name: Column([float(parts[i]) for parts in cuts]) for i, name in enumerate(_CUTS)})
        steps = [name for name, _ in (*plan.cut, *plan.cut_regime) if name in of]
        for name in steps:
            env[name] = of[name](env)
        for name in (*_CUTS, *steps):
            if isinstance(env[name], Column):
                values = env[name].values
                env[name] = Column([values[i] for i in at]) if len(cuts) > 1 else values[0]
        figures = [one.figures for one in layouts]
        env.update({name: Column([each[name] for each in figures]) for name in figures[0].keys() - set(_CUTS)})
        for name, _ in (*plan.rest, *plan.memory, *plan.time):
            if name in of:
                env[name] = of[name](env)
        return env

    def _one_by_one(self, layouts: Sequence[Layout], regime: int, wanted: Iterable[Name]) -> dict[Name, list[float]]:
        names, out = tuple(wanted), dict[Name, list[float]]()
        for layout in layouts:
            self.turn_to(layout)
            found = self.under(regime, priced=True)
            for name in names:
                if name in found:
                    out.setdefault(name, []).append(found[name])
        return out

    def over_all(self) -> _Env:
        """What it comes to over all regimes: under the one that needs the most, with the least memory of any."""
        needs = [dict(self.under(regime, priced=True)) for regime in range(len(self._regimes))]
        found = {**max(needs, key=lambda need: need[MOST]), LEAST: min(need[LEAST] for need in needs)}
        found[q.MEMORY_PER_GPU] = float(value(self._memory.formula(q.MEMORY_PER_GPU), found))
        return found

    def heaviest(self) -> int:
        """The regime that needs the most."""
        return max(self.order, key=lambda regime: self.under(regime)[MOST])

    def has_room(self) -> bool:
        """Whether a device has room for sure, whatever the regime."""
        for i, regime in enumerate(self.order):
            found = self.under(regime)
            if found[MOST] > found[USABLE]:
                self.order.insert(0, self.order.pop(i))  # the first to try of the next
                return False
        return True

    def may_have_room(self) -> bool:
        """Whether it has under some regime."""
        for i, regime in enumerate(reversed(self.order)):
            found = self.under(regime)
            if found[LEAST] <= found[USABLE]:
                self.order.append(self.order.pop(len(self.order) - 1 - i))
                return True
        return False

    def _begin(self, figures: Mapping[Name, float]) -> None:
        self._plan = plan = _plan_of(self._memory, self._regimes, figures, self._catalogue)
        _run(plan.model, self._env)
        for regime in self._regimes:
            own = {name: figure for name, figure in regime.items() if name not in figures}
            # What another regime says follows here by its formula: each has all that any of them has.
            follows = [(name, of) for name, of in plan.regime if name not in own]
            env = {**self._env, **own}
            _run(follows, env)
            self._of_regimes.append({**own, **{name: env[name] for name, _ in follows}})


def _run(steps: _Steps, env: _Env) -> None:
    for name, of in steps:
        env[name] = float(of(env))


def _plan_of(
    memory: Memory, regimes: Sequence[Mapping[Name, float]], figures: Mapping[Name, float], catalogue: Library
) -> _Plan:
    """The steps by what they hang on, made once for all models that are known alike."""
    kept = catalogue.once(_kept)
    some = frozenset[Name]().union(*regimes)
    every = some.intersection(*regimes)
    key = (id(memory.steps), some, every, frozenset(figures), frozenset(memory.known.keys() & (some | figures.keys())))
    if key not in kept:
        kept[key] = (memory.steps, _sorted_out(memory, some, every, figures))
    return kept[key][1]


def _sorted_out(memory: Memory, some: Iterable[Name], every: frozenset[Name], figures: Iterable[Name]) -> _Plan:
    """The same, made.

    Args:
        some: What some regime says; what does not say it follows by its formula.
        every: What all of them say.
    """
    hangs = dict.fromkeys(some, "regime") | {name: "cut" if name in _CUTS else "rest" for name in figures}
    on = {name: frozenset((part,)) for name, part in hangs.items()}
    groups: dict[str, list[tuple[Name, Evaluator]]] = {}
    for i, step in enumerate(memory.steps):
        if step.name in memory.known or step.name in every or hangs.get(step.name, "regime") != "regime":
            continue
        if step.name in on:
            groups.setdefault("regime", []).append((step.name, step.of))
            continue
        over = on[step.name] = _NOTHING.union(*(on[name] for name in names(step.formula) if name in on))
        groups.setdefault(_group(over, i < memory.of_memory), []).append((step.name, step.of))
    return _Plan(**{name: groups.get(name, ()) for name in _Plan.__slots__})


def _group(over: frozenset[str], is_memory: bool) -> str:
    if "rest" in over:
        return ("memory" if is_memory else "time") if "regime" in over else "rest"
    return "_".join(part for part in ("cut", "regime") if part in over) or "model"


def _columned(memory: Memory, wanted: frozenset[Name], catalogue: Library) -> Mapping[Name, Evaluator]:
    """The steps over columns that lead to what is wanted: only who compares layouts asks for them."""
    kept = catalogue.once(_kept_columned)
    key = (id(memory.steps), wanted)
    if key not in kept:
        needed, steps = set(wanted), dict[Name, Evaluator]()
        for one in reversed(memory.steps):
            if one.name in needed:
                needed |= names(one.formula)
                steps[one.name] = compiled(one.formula, Together)
        kept[key] = (memory.steps, steps)
    return kept[key][1]


def _kept_columned(catalogue: Library) -> dict[object, tuple[tuple[Step, ...], Mapping[Name, Evaluator]]]:
    """As `_kept`."""
    return {}


def _kept(catalogue: Library) -> dict[object, tuple[tuple[Step, ...], _Plan]]:
    """By the steps as they are: beside the plan, as they must live for as long as they are told by that."""
    return {}
