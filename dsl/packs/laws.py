"""A `law` block to a law, as it is written: what it inherits and whether it is sound is for `law_check`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num
from runplan.dsl.packs.definitions import Definitions
from runplan.dsl.packs.pack import Cite, Constant, Drifts, Function, Golden, Joint, Law, Parameter, Reads, Table
from runplan.dsl.syntax.pack_views import (
    ConstantSpec,
    DriftSpec,
    FunctionSpec,
    GoldenSpec,
    LawHead,
    ParameterSpec,
    RangeSpec,
    TableSpec,
)
from runplan.dsl.syntax.tree import Node, text_of
from runplan.dsl.syntax.views import Named, ObjectiveSpec
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.nearest import nearest
from runplan.dsl.typed.fields import OBJECTIVES, ORIGINS, Field
from runplan.dsl.units.dims import NONE, Dim
from runplan.dsl.units.show import show

# What a fit may make of runs first.
READINGS = ("minima", "envelope")
COUNTS = ("total", "non_embedding", "with_head", "active", "any")
# What a law says once.
SINGLE = (
    "law_objective",
    "law_counts",
    "law_corpus",
    "law_jointly",
    "law_start",
    "law_fitted",
    "law_aside",
    "law_reads",
)
# What is lost of a printed covariance, as a share of the variances.
ROUNDED = 1e-9


def law(reader: Definitions, node: Node) -> Law:
    """One `law` block as it is written: what it inherits is added by `inherit`."""
    head = LawHead(node)
    block = head.block
    single = {item.rule: item for item in block.nodes(*SINGLE)}
    reader.given_once((i.rule, i.rule.removeprefix("law_"), i.span) for i in block.nodes(*SINGLE))
    objectives, fitted, jointly = (single.get(f"law_{item}") for item in ("objective", "fitted", "jointly"))
    constants = [c for item in block.nodes("law_constants") for c in _constants(reader, item)]
    lets = {let.name.text: reader.expr(let.value) for let in map(Named, block.nodes("law_let"))}
    functions = tuple(_function(reader, item) for item in block.nodes("law_function"))
    tables = tuple(_table(reader, item) for item in block.nodes("law_table"))
    goldens = tuple(_golden(reader, item) for item in block.nodes("law_golden"))
    _check_said_once(reader, block, constants, functions, tables, goldens)
    known = _known_inputs(reader, functions)
    return Law(
        name=head.name.text,
        aliases=reader.words(head.aliases),
        parent=head.parent.text if head.parent else None,
        title=text_of(head.title),
        objectives=tuple(_objective(reader, item) for item in objectives.nodes()) if objectives else (),
        counts=_said(reader, single.get("law_counts"), "way to count params", COUNTS),
        corpus=text_of(single["law_corpus"].word(0)) if "law_corpus" in single else "",
        constants={c.name: c for c in constants},
        joint=_joint(reader, jointly) if jointly else None,
        lets=lets,
        functions=functions,
        tables=tables,
        fitted=dict(_range(reader, i, known, head.parent is not None) for i in fitted.nodes()) if fitted else {},
        cites=tuple(reader.cite(item) for item in block.nodes("law_cites")),
        goldens=goldens,
        notes=reader.notes(block),
        aside=text_of(single["law_aside"].word(0)) if "law_aside" in single else "",
        reads=_reads(reader, single["law_reads"]) if "law_reads" in single else None,
        drifts=_drifts(reader, functions, block, inherits=head.parent is not None),
        start=_said(reader, single.get("law_start"), "start", ORIGINS),
        span=head.name.span,
    )


def _known_inputs(reader: Definitions, functions: Iterable[Function]) -> Mapping[str, Dim]:
    """The dimension of each quantity that plans have, or that the law gives or takes."""
    functions = tuple(functions)
    known = dict(reader.quantities) | {f.output: f.counted.dim for f in functions}
    return known | {p.quantity: p.counted.dim for f in functions for p in f.parameters if p.quantity not in known}


def _check_said_once(
    reader: Definitions,
    block: Node,
    constants: Sequence[Constant],
    functions: Sequence[Function],
    tables: Sequence[Table],
    goldens: Sequence[Golden],
) -> None:
    """Names of a law mean one thing, and one thing is given by one formula."""
    lets = [Named(item).name for item in block.nodes("law_let")]
    named = [*((c.name, c.span) for c in constants), *((name.text, name.span) for name in lets)]
    reader.given_once((name, name, span) for name, span in named)
    formulas = [((*f.signature, f.objective), f.output, f.span) for f in functions]
    looked_up = [((t.output, (t.parameter.quantity,), ""), t.output, t.span) for t in tables]
    reader.given_once([*formulas, *looked_up])
    reader.given_once((g.id, g.id, g.span) for g in goldens)
    places = dict(named)
    for p in (p for f in functions for p in f.parameters if p.local in places):
        also = [Label(places[p.local], "the law's own is here")]
        reader.findings.append(finding("N005", f"`{p.local}` is an input and a name of the law", p.span, also=also))


def _reads(reader: Definitions, node: Node) -> Reads:
    how, of, at = node.words()
    if how.text not in READINGS:
        reader.unknown("way to read runs", how, READINGS)
    for word in (of, at):
        if word.text not in reader.quantities:
            reader.unknown("quantity", word, reader.quantities)
    return Reads(how.text, of.text, at.text)


def _drifts(reader: Definitions, functions: Sequence[Function], block: Node, *, inherits: bool) -> dict[str, Drifts]:
    """How far forecasts were off, of each output that says it; one that is not given here may be a parent's."""
    specs = [DriftSpec(item) for item in block.nodes("law_drifts")]
    reader.given_once((s.output.text, s.output.text, s.output.span) for s in specs)
    given = tuple(f.output for f in functions)
    found = {}
    for spec in specs:
        if spec.output.text not in given and not inherits:
            reader.unknown("output of the law", spec.output, given)
        share = reader.number(spec.share)
        if not share > 0.0:
            message = f"`drifts {spec.output.text} {spec.share.text}`: a form is off by some share of what runs gain"
            help = ["leave it out where it is not known"]
            reader.findings.append(finding("P001", message, spec.share.span, help=help))
        work = text_of(spec.source)
        if not work.strip():
            reader.findings.append(finding("P001", "`drifts` names no runs", spec.source.span))
        found[spec.output.text] = Drifts(share, Cite(work, reader.evidence(spec.evidence)))
    return found


def _said(reader: Definitions, node: Node | None, what: str, choices: Collection[str]) -> str:
    """A word that a law says, of those that there are; empty where it does not say it."""
    if node is None:
        return ""
    if node.word(0).text not in choices:
        reader.unknown(what, node.word(0), choices)
    return node.word(0).text


def _range(
    reader: Definitions, node: Node, known: Mapping[str, Dim], inherits: bool
) -> tuple[str, tuple[float, float]]:
    """A range of the runs, its ends held to the quantity; one that is not known here may be a parent's."""
    spec = RangeSpec(node)
    quantity = spec.quantity
    if quantity.text not in known and not inherits:
        reader.unknown("quantity", quantity, known)
    dim = known.get(quantity.text)
    field = Field(quantity.text, dim or NONE, show(1e9, dim or NONE), zero=True)

    def end(expr: Expr) -> float | None:
        return reader.fixed(expr, node.span).value if dim is None else reader.figure(expr, field, node.span)

    low, high = reader.expr(spec.low), reader.expr(spec.high)
    pair = (end(low) or 0.0, end(high) or math.inf)
    if pair[0] > pair[1]:
        message = f"the range runs down: from {shown(low)} to {shown(high)}"
        reader.findings.append(finding("U004", message, node.span, help=["write the smaller end first"]))
    return quantity.text, pair


# ---- constants


def _constants(reader: Definitions, node: Node) -> Iterator[Constant]:
    for item in node.nodes():
        spec = ConstantSpec(item)
        if item.rule == "free_constant":
            yield Constant(spec.name.text, None, None, None, "free", item.span)
            continue
        unit, error = spec.unit, spec.error
        factor, dim = reader.unit(unit) if unit else (1.0, None)
        if error and reader.number(error) == 0.0:
            message = f"the standard error of `{spec.name.text}` is zero"
            help = ["leave it out where it is not known"]
            reader.findings.append(finding("P001", message, error.span, help=help))
        yield Constant(
            name=spec.name.text,
            value=_signed(reader, spec.number) * factor,
            dim=dim,
            error=reader.number(error) * factor if error else None,
            text=item.span.text.split("=", 1)[1].strip(),
            span=item.span,
        )


def _signed(reader: Definitions, node: Node) -> float:
    """A number that may have a minus sign."""
    return (-1.0 if node.rule == "negative" else 1.0) * reader.number(node.word(0))


def _joint(reader: Definitions, node: Node) -> Joint:
    terms = tuple(reader.expr(item) for item in node.nodes() if item.rule != "number_row")
    rows = tuple(tuple(_signed(reader, cell) for cell in row.nodes()) for row in node.nodes("number_row"))
    if len(rows) != len(terms) or any(len(row) != len(terms) for row in rows):
        message = f"a covariance of {len(terms)} constants has {len(terms)} rows of {len(terms)} numbers"
        reader.findings.append(finding("P001", message, node.span))
        rows = tuple((0.0,) * len(terms) for _ in terms)
    elif any(rows[i][j] != rows[j][i] for i in range(len(rows)) for j in range(i)):
        reader.findings.append(finding("P001", "a covariance is symmetric, and this is not", node.span))
    elif not _semidefinite(rows):
        message = "this is no covariance: some sum of the constants would have a negative variance"
        reader.findings.append(finding("P001", message, node.span))
    return Joint(terms, rows, node.span)


def _semidefinite(rows: Sequence[Sequence[float]]) -> bool:
    """Whether a symmetric matrix has no negative eigenvalue, up to the rounding of printed figures: by elimination."""
    scale = [math.sqrt(max(row[i], 0.0)) or 1.0 for i, row in enumerate(rows)]
    left = [[cell / scale[i] / scale[j] for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    for k, row in enumerate(left):
        if row[k] < -ROUNDED or (row[k] <= ROUNDED and max(map(abs, row[k:])) > math.sqrt(ROUNDED)):
            return False
        for i in range(k + 1, len(left)) if row[k] > ROUNDED else ():
            share = left[i][k] / row[k]
            for j in range(k, len(left)):
                left[i][j] -= share * row[j]
    return True


# ---- formulas and tables


def _parameter(reader: Definitions, node: Node) -> Parameter:
    spec = ParameterSpec(node)
    quantity = spec.quantity
    counted = reader.counted(spec.unit, quantity.text, quantity.span)
    taken = reader.number(spec.default) if spec.default else None
    return Parameter(quantity.text, spec.local.text, counted, node.span, taken)


def _function(reader: Definitions, node: Node) -> Function:
    spec = FunctionSpec(node)
    parameters = tuple(_parameter(reader, item) for item in spec.parameters)
    reader.given_once((key, key, p.span) for p in parameters for key in dict.fromkeys((p.quantity, p.local)))
    return Function(
        output=spec.name.text,
        parameters=parameters,
        counted=reader.counted(spec.unit, spec.name.text, spec.name.span),
        objective=_for(reader, spec.objective),
        body=reader.expr(spec.body),
        span=node.span,
    )


def _table(reader: Definitions, node: Node) -> Table:
    spec = TableSpec(node)
    counted = reader.counted(spec.unit, spec.name.text, spec.name.span)
    parameter = _parameter(reader, spec.parameter)
    rows = []
    for item in spec.rows:
        x, y = map(reader.expr, item.nodes())
        assert isinstance(x, Num) and isinstance(y, Num)
        # A bare number is in the unit of its column.
        rows.append(
            (x.value if x.dim else x.value * parameter.counted.factor, y.value if y.dim else y.value * counted.factor)
        )
    nothing = rows and (rows[0][0] < 0 or min(y for _, y in rows) <= 0)
    if len(rows) < 2 or any(a[0] >= b[0] for a, b in pairwise(rows)) or nothing:
        message = "a table has two rows or more, in rising order, of positive figures: only the first may be at 0"
        reader.findings.append(finding("P001", message, node.span))
    return Table(spec.name.text, parameter, counted, tuple(rows), node.span)


# ---- published values


def _golden(reader: Definitions, node: Node) -> Golden:
    spec = GoldenSpec(node)
    given = tuple((shown(left), number) for left, number in _bindings(reader, spec.at))
    gives = tuple(_bindings(reader, spec.gives))
    rtol = reader.number(spec.within) if spec.within else 1e-5
    if spec.within and not 0.0 < rtol < 1.0:
        message = f"`within {spec.within.text}` is no relative tolerance: it lies between 0 and 1"
        reader.findings.append(finding("P001", message, spec.within.span))
    return Golden(text_of(spec.id), _for(reader, spec.objective), given, gives, rtol, node.span)


def _bindings(reader: Definitions, node: Node | None) -> Iterator[tuple[Expr, Num]]:
    for item in node.nodes() if node else ():
        left, right = map(reader.expr, item.nodes())
        yield left, reader.fixed(right, item.span)


# ---- objectives


def _for(reader: Definitions, node: Node | None) -> str:
    """The objective that a function or a golden value says that it is for; empty where it says none."""
    return _objective(reader, node, domain=False) if node else ""


def _objective(reader: Definitions, node: Node, domain: bool = True) -> str:
    """An objective as laws name it, `CLM of text`; without its domain where that is not wanted."""
    spec = ObjectiveSpec(node)
    for word in spec.names:
        # What is transferred may be between domains, so only what looks like a misspelling is one there.
        doubtful = node.rule == "single" or nearest(word.text, OBJECTIVES.values())
        if doubtful and word.text not in OBJECTIVES.values():
            reader.unknown("objective", word, OBJECTIVES.values())
    return f"{spec.said} of {spec.domain.text if spec.domain else 'text'}" if domain else spec.said
