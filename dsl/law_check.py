"""A law with what it inherits, the dimensions of its constants found, and what does not fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from runplan.dsl.expression import DimensionClash, Dimensions, Expr, names, substitute
from runplan.dsl.finding import Finding, finding
from runplan.dsl.nearest import nearest
from runplan.dsl.pack import Law


def inherit(law: Law, lookup: Callable[[str], Law | None]) -> tuple[Law, list[Finding]]:
    """The law with what its parents declare, its own declarations winning."""
    findings: list[Finding] = []
    chain = [law]
    while (parent_name := chain[-1].parent) is not None:
        parent = lookup(parent_name)
        if parent is None:
            findings.append(finding("N002", f"unknown law `{parent_name}` to extend", chain[-1].span))
            break
        if any(parent.name == known.name for known in chain):
            names_ = " -> ".join(known.name for known in [*chain, parent])
            findings.append(finding("N003", f"laws extend each other in a circle: {names_}", law.span))
            break
        chain.append(parent)
    merged = chain.pop()
    while chain:
        child = chain.pop()
        own = {(f.output, f.objective, tuple(p.quantity for p in f.parameters)) for f in child.functions}
        kept = [
            f for f in merged.functions if (f.output, f.objective, tuple(p.quantity for p in f.parameters)) not in own
        ]
        merged = replace(
            child,
            objectives=child.objectives or merged.objectives,
            counts=child.counts or merged.counts,
            corpus=child.corpus or merged.corpus,
            constants={**merged.constants, **child.constants},
            lets={**merged.lets, **child.lets},
            functions=(*kept, *child.functions),
            fitted=child.fitted or merged.fitted,
            cites=child.cites or merged.cites,
        )
    return merged, findings


def checked(law: Law) -> tuple[Law, list[Finding]]:
    """The law with the dimension of each constant found, and what does not fit together.

    A constant without a unit takes the dimension that its formula needs; one with a unit is held to it.
    """
    findings: list[Finding] = []
    if not law.cites:
        findings.append(finding("P001", f"law `{law.name}` cites nothing", law.span, help=['add `cites "..."`']))
    if not law.objectives:
        help = ["add `objective CLM of text`"]
        findings.append(finding("P001", f"law `{law.name}` is for no objective", law.span, help=help))
    bare = frozenset(c.name for c in law.constants.values() if c.dim is None)
    known = {c.name: c.dim for c in law.constants.values() if c.dim is not None}
    values = {c.name: c.value for c in law.constants.values() if c.value is not None}
    derived = set(law.lets)
    dimensions = Dimensions(known, bare, values)
    for function in law.functions:
        dims = {**known, **{p.local: p.counted.local for p in function.parameters}}
        body = expanded(function.body, law.lets)
        for item in sorted(names(body) - dims.keys() - bare - derived):
            close = nearest(item, [*dims, *bare])
            help = [f"did you mean `{close[0]}`?"] if close else []
            findings.append(finding("N002", f"unknown name `{item}` in `{function.output}`", function.span, help=help))
            dims[item] = (("?", 1.0),)
        dimensions.dims = dims
        try:
            dimensions.require(body, function.counted.local)
        except DimensionClash as clash:
            at = clash.at.span or function.span
            findings.append(
                finding("U001", f"{clash.message}", at, notes=[f"in `{function.output}` of law `{law.name}`"])
            )
    return replace(law, dims=known | {name: dimensions.constant(name) for name in bare}), findings


def expanded(expr: Expr, lets: Mapping[str, Expr]) -> Expr:
    """An expression with `let`s replaced, and those in them; a circle of them is cut after their number."""
    for _ in range(len(lets)):
        if not names(expr) & lets.keys():
            break
        expr = substitute(expr, lets)
    return expr
