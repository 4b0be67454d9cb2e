"""A law with what it inherits, the dimensions of its constants found, and what does not fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from runplan.dsl.dataclass import replace
from runplan.dsl.expr.dimensions import DimensionClash, Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Unbound, substitute, walk, words
from runplan.dsl.expr.values import not_finite
from runplan.dsl.packs.pack import Law
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_TERMS
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import NONE, UNKNOWN


def inherit(law: Law, parent_of: Callable[[Law], Law | None]) -> tuple[Law, list[Finding]]:
    """The law with what its parents declare, its own declarations winning."""
    findings: list[Finding] = []
    chain = [law]
    while chain[-1].parent is not None:
        parent = parent_of(chain[-1])
        if parent is None:
            message = f"unknown law `{chain[-1].parent}` to extend"
            findings.append(finding("N002", message, chain[-1].span))
            break
        if any(parent.span == known.span for known in chain):
            names_ = " -> ".join(known.name for known in [*chain, parent])
            findings.append(finding("N003", f"laws extend each other in a circle: {names_}", law.span))
            break
        chain.append(parent)
    merged = chain.pop()
    while chain:
        child = chain.pop()
        own = {(f.signature, f.objective) for f in child.functions}
        kept = [f for f in merged.functions if (f.signature, f.objective) not in own]
        merged = replace(
            child,
            objectives=child.objectives or merged.objectives,
            counts=child.counts or merged.counts,
            corpus=child.corpus or merged.corpus,
            start=child.start or merged.start,
            reads=child.reads or merged.reads,
            drifts={**merged.drifts, **child.drifts},
            constants={**merged.constants, **child.constants},
            # What varied jointly varies so no more where some of it is another's.
            joint=child.joint or (None if child.constants else merged.joint),
            lets={**merged.lets, **child.lets},
            functions=(*kept, *child.functions),
            tables=(*(t for t in merged.tables if t.output not in {c.output for c in child.tables}), *child.tables),
            fitted=child.fitted or merged.fitted,
            cites=child.cites or merged.cites,
        )
    return merged, findings


def checked(law: Law) -> tuple[Law, list[Finding]]:
    """The law with the dimension of each constant found, and what does not fit together.

    A constant without a unit takes the dimension that its formula needs; one with a unit is held to it.
    """
    findings = list(_lacking(law))
    endless = unsettled(law.lets, [(f.output, f.body) for f in law.functions], f" of law `{law.name}`")
    if endless is not None:
        # Without its `let`s nothing can go round in it.
        return replace(law, lets={}), [*findings, endless]
    bare = frozenset(c.name for c in law.constants.values() if c.dim is None)
    known = {c.name: c.dim for c in law.constants.values() if c.dim is not None}
    values = {c.name: c.value for c in law.constants.values() if c.value is not None}
    # What is true of a form whatever its constants come to is true of any: a free exponent is taken to be some number.
    free = {c.name: 0.3 + 0.01 * i for i, c in enumerate(law.constants.values()) if c.value is None}
    dimensions = Dimensions(known, bare, {**free, **values})
    for function in law.functions:
        dims = {**known, **{p.local: p.counted.local for p in function.parameters}}
        body = expanded(function.body, law.lets)
        unknown = sorted(words(body) - dims.keys() - bare)
        for item in unknown:
            message = f"unknown name `{item}` in `{function.output}`"
            help = did_you_mean(item, [*dims, *bare, *law.lets])
            findings.append(finding("N002", message, function.span, help=help))
        if unknown or UNKNOWN in (*dims.values(), function.counted.dim):
            continue
        dimensions.dims = dims
        unfit = not_finite(body, values)
        if unfit is not None:
            message = f"`{shown(unfit)}` of law `{law.name}` is not a finite number"
            findings.append(finding("U004", message, unfit.span or function.span))
            continue
        try:
            dimensions.require(body, function.counted.local)
        except DimensionClash as clash:
            at = clash.at.span or function.span
            findings.append(
                finding("U001", f"{clash.message}", at, notes=[f"in `{function.output}` of law `{law.name}`"])
            )
    for term in law.joint.terms if law.joint else ():
        for item in sorted(words(term) - law.constants.keys()):
            message = f"unknown name `{item}` among the constants that vary jointly"
            help = did_you_mean(item, law.constants)
            findings.append(finding("N002", message, term.span or law.span, help=help))
    dims = {name: dimensions.constant(name) for name in bare}
    # Where one is free the others' dimensions may hang on it, and are not known before it is.
    told = {name: NONE if free and any(e != round(e) for _, e in dim) else dim for name, dim in dims.items()}
    return replace(law, dims=known | told), findings


def _lacking(law: Law) -> Iterator[Finding]:
    for lacks, what, help in (
        (not law.cites, "cites nothing", 'add `cites "..."`'),
        (not law.objectives, "is for no objective", "add `objective CLM of text`"),
        (not law.counts, "does not say which params it counts", "add `counts total params`"),
    ):
        if lacks:
            yield finding("P001", f"law `{law.name}` {what}", law.span, help=[help])


def unsettled(lets: Mapping[str, Expr], bodies: Iterable[tuple[str, Expr]] = (), whose: str = "") -> Finding | None:
    """Where a name rests on itself, or grows beyond measure where the names in it are written out.

    Args:
        bodies: Formulas over the names, with what they give.
        whose: Of what they are, for messages.
    """
    from graphlib import CycleError, TopologicalSorter  # the laws of an image are settled

    rests_on = {name: words(body) & lets.keys() for name, body in lets.items()}
    try:
        order = tuple(TopologicalSorter(rests_on).static_order())
    except CycleError as error:
        circle: list[str] = error.args[1]
        message = f"`{circle[0]}`{whose} is defined by itself: {' -> '.join(circle[:9])}"
        return finding("N003", message, _place(lets[circle[0]]))
    terms: dict[str, int] = {}
    for name, body in [*((name, lets[name]) for name in order), *bodies]:
        count = sum(terms.get(item.name, 1) if isinstance(item, Unbound) else 1 for item in walk(body))
        if count > MAX_TERMS:
            message = f"with the names in it written out `{name}` has more than {MAX_TERMS:,} terms"
            return finding("S004", message, _place(body))
        terms.setdefault(name, count)
    return None


def _place(expr: Expr) -> Span:
    assert expr.span is not None, "what is read from a text has a place in it"
    return expr.span


def expanded(expr: Expr, lets: Mapping[str, Expr]) -> Expr:
    """An expression with `let`s replaced, and those in them; a circle of them is cut after their number."""
    for _ in range(len(lets)):
        if not words(expr) & lets.keys():
            break
        expr = substitute(expr, lets)
    return expr
