"""A place in a text to what is known of what stands there: value, interval, unit, law, derivation, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from runplan.cli.show.catalogue import law as law_page
from runplan.cli.show.catalogue import record as record_page
from runplan.cli.show.catalogue import rule as rule_page
from runplan.cli.show.catalogue.subjects import LawPage, RulePage
from runplan.cli.show.derivation.content import Node as Derived
from runplan.cli.show.derivation.content import derivation
from runplan.cli.show.text.figures import figure, interval
from runplan.cli.show.text.markdown import literal
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.packs.pack import QuantityDef
from runplan.dsl.syntax.statements import BY_RULE
from runplan.dsl.syntax.tree import Node, leaves
from runplan.dsl.text.codes import code_of
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import number, unit
from runplan.dsl.units.show import show, show_dim
from runplan.dsl.units.table import UnknownUnit
from runplan.editor.document import Document
from runplan.editor.ignores import code_at
from runplan.editor.solving import Solved
from runplan.editor.uses import Use
from runplan.engine.problem.solution import Solution

# Values that a derivation names below the one that is asked for.
MAX_INPUTS = 12
RECORDS = ("device", "model", "price", "region", "run", "shape", "mfu")
_FIGURE = re.compile(r"(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?:[KMGT]i|[kKMBT])?)\s*(\S.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hover:
    """What there is to say, and of what."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a document's values.

    Attributes:
        solved: What it comes to; None where that is not known.
        stale: Whether that is of an earlier version of the text.
        waiting: Whether it is being solved.
    """

    solved: Solved | None = None
    stale: bool = False
    waiting: bool = False

    @property
    def solutions(self) -> tuple[Solution, ...]:
        """The solution under each law."""
        return self.solved.solutions if self.solved else ()


def hover(document: Document, offset: int, known: Known = Known()) -> Hover | None:
    """What is known of what stands at a place; None where that is nothing."""
    if found := code_at(document, offset):
        code, span = found
        text = _rule(document.library, code)
        return Hover(text, span) if text else None
    for use in document.uses_at(offset):
        if text := _said(document, use, known):
            return Hover(text, use.span)
    return _statement(document, offset, known)


def _said(document: Document, use: Use, known: Known) -> str:
    """What is known of a name."""
    library = document.library
    if use.kind in ("quantity", "let", "result"):
        return _value(document, use, known)
    if use.kind == "law":
        return _law(library, use.name)
    if use.kind in RECORDS:
        name = header.name if (header := document.header(use.kind, use.name)) else use.name
        record = library.record(use.kind, name)
        return _page(record_page.page(record)) if record else ""
    if use.kind == "schedule":
        schedule = library.schedule(use.name)
        phases = ", ".join(f"{phase.name} {phase.shape}" for phase in schedule.phases) if schedule else ""
        return f"**schedule** {_code(use.name)}\n\n{literal(schedule.title)}: {literal(phases)}" if schedule else ""
    if use.kind == "rule":
        return _rule(library, use.name)
    if use.kind in ("number", "unit"):
        return _figure(use)
    if use.kind.startswith("field "):
        return _field(document, use, known)
    if use.kind in ("source", "stage", "phase"):
        return _part(document, use, known)
    return ""


# ---- values


def _value(document: Document, use: Use, known: Known) -> str:
    """A quantity or a `let`: its value under each law, and how the first comes about."""
    quantity = document.library.quantities().get(use.value.text if use.value else use.name)
    is_quantity = use.kind == "quantity" and quantity is not None
    lines = [_head(use.name if use.value is None else str(use.value), use.kind)]
    lines += [literal(quantity.title)] if is_quantity and quantity is not None else []
    told = list(_told(use, known))
    lines += told or list(_still_known(document, use))
    if not told and is_quantity and quantity is not None:
        lines += _counted(quantity)
    return _with_state("\n\n".join(lines), known, bool(told))


def _told(use: Use, known: Known) -> Iterator[str]:
    """The value under each law; of the first with its derivation."""
    first = True
    for solution in known.solutions:
        name = use.value if use.value in solution.values else _named(solution, use.name)
        if name is None:
            continue
        by = f"under {_code(solution.law)}" if len(known.solutions) > 1 else ""
        if first:
            yield _derived(solution, name, by)
        else:
            yield f"{_code(_figure_of(solution, name))} {by}"
        first = False


def _named(solution: Solution, text: str) -> Name | None:
    found = solution.named(text)
    return found.name if found else None


def _figure_of(solution: Solution, name: Name) -> str:
    value, quantities = solution.values[name], solution.problem.quantities
    ends = interval(name.text, value, quantities)
    return plain(f"{figure(name.text, value.value, value.dim, quantities)}{f' {ends}' if ends else ''}")


def _derived(solution: Solution, name: Name, by: str) -> str:
    """A value, how it is found, what went in, and what it rests on."""
    found = derivation(solution, name, 1)
    node = found.nodes[found.root.name]
    ends = f" {_code(node.ends)}" if node.ends else ""
    lines = [f"**{literal(node.figure)}**{ends} {by} · {node.value.kind}".replace("  ", " ")]
    formulas = [f"= {text}" for text in (node.formula, node.substituted) if text]
    if formulas:
        lines.append(_block([*formulas, *([node.letters] if node.letters else [])]))
    lines += [literal(limit) for limit in node.limits]
    inputs = [found.nodes[branch.name] for branch in found.root.inputs[:MAX_INPUTS]]
    if inputs:
        lines.append("\n".join(f"- {_input(one)}" for one in inputs))
    lines += [f"*{literal(node.source)}*"] if node.source else []
    return "\n\n".join(lines)


def _input(node: Derived) -> str:
    ends = f" {literal(node.ends)}" if node.ends else ""
    return f"{_code(f'{node.label} = {node.figure}')}{ends} {node.value.kind}{f' · {literal(node.source)}' if node.source else ''}"


def _still_known(document: Document, use: Use) -> Iterator[str]:
    """What is known of a `let` before anything is solved: what it is, and what that comes to."""
    let = document.reading.lets.get(use.name) if use.kind == "let" else None
    if let is None:
        return
    value, dim = document.reading.let_values.get(use.name), document.reading.let_dims.get(use.name)
    if value is not None and dim is not None:
        yield f"**{literal(show(value, dim))}**"
    yield _block([plain(" ".join(let.span.text.split()))])


def _counted(quantity: QuantityDef) -> list[str]:
    formula = [_block([f"= {plain(' '.join(quantity.formula.span.text.split()))}"])] if quantity.formula and quantity.formula.span else []
    return [f"in {_code(show_dim(quantity.counted.dim))}", *formula]


def _with_state(text: str, known: Known, told: bool) -> str:
    """A text with what a reader should know of how fresh its values are."""
    if told and known.stale:
        return f"{text}\n\n*as the plan was before it was last edited*"
    if told and known.solved and not known.solved.is_whole:
        return f"{text}\n\n*its interval is being computed*"
    return f"{text}\n\n*being solved*" if known.waiting and not told else text


# ---- parts, fields, statements


def _part(document: Document, use: Use, known: Known) -> str:
    """A source, a stage or a phase: its quantities."""
    lines = [_head(use.name, use.kind)]
    told = False
    for solution in known.solutions[:1]:
        rows = [
            f"- {_code(str(name))} = {literal(_figure_of(solution, name))}"
            for name in solution.values
            if name.kind == "quantity" and name.scope == ((use.kind, use.name),) and _in_reports(solution, name)
        ]
        told = bool(rows)
        lines += ["\n".join(rows)] if rows else []
    return _with_state("\n\n".join(lines), known, told)


def _in_reports(solution: Solution, name: Name) -> bool:
    known = solution.problem.quantities.get(name.text)
    return known is not None and known.facts.row is not None


def _field(document: Document, use: Use, known: Known) -> str:
    """A field of a block: what it gives, how it is written, and its value."""
    statement = use.kind.removeprefix("field ")
    quantities = document.library.quantities()
    for name, field in quantities.given_by(statement).items():
        if field.name == use.name:
            value = Use("quantity", name, use.span, value=Name(name))
            about = _value(document, value, known)
            return f"{about}\n\nwritten like {_code(f'{use.name}: {field.example}')}"
    return ""


def _statement(document: Document, offset: int, known: Known) -> Hover | None:
    """The statement at a place: how often it may stand, and the values of what it says."""
    node = document.statement_at(offset)
    row = BY_RULE.get(node.rule) if node else None
    if node is None or row is None:
        return None
    times = {"once": "once in a plan", "name": "once for each name", "likes": "as often as one likes"}[row.times]
    inside = ", also in a `stage`" if row.in_stage else ""
    lines = [f"**{row.keyword}** · {times}{inside}"]
    told = False
    for solution in known.solutions[:1]:
        rows = [f"- {_code(str(name))} = {literal(_figure_of(solution, name))}" for name in _values_of(document, node, solution)]
        told = bool(rows)
        lines += ["\n".join(rows)] if rows else []
    first = node.span.source.text.find("\n", node.span.start, node.span.end)
    span = Span(node.span.source, node.span.start, node.span.end if first < 0 else first)
    return Hover(_with_state("\n\n".join(lines), known, told), span)


def _values_of(document: Document, node: Node, solution: Solution) -> Iterable[Name]:
    """The values that a statement gives or names."""
    named = (use.value for use in document.uses if node.span.start <= use.span.start < node.span.end and use.value)
    given = (
        value.name
        for value in solution.values.values()
        if value.span is not None
        and value.span.source.path == document.name
        and node.span.start <= value.span.start
        and value.span.end <= node.span.end
        and (value.name.kind != "quantity" or _in_reports(solution, value.name))
    )
    return [name for name in dict.fromkeys((*named, *given)) if name in solution.values][:MAX_INPUTS]


# ---- definitions and figures


def _law(library: Library, name: str) -> str:
    law = library.law(name)
    return _page(law_page.page(LawPage(law, library))) if law else ""


def _rule(library: Library, word: str) -> str:
    """The page of a rule, or of a code of the program."""
    word = word.lower()
    rules = tuple(rule for rule in library.rules() if word in (rule.code.lower(), rule.name.lower()))
    code = rules[0].code if rules else code_of(word)
    return _page(rule_page.page(RulePage(code, rules))) if code else ""


def _figure(use: Use) -> str:
    """A figure, or a unit, in the units that it is made of."""
    found = _FIGURE.fullmatch(use.name.strip()) if use.kind == "number" else None
    try:
        count = number(found[1]) if found else 1.0
        one = unit(found[2].strip()) if found and found[2] else unit(use.name.strip()) if not found else None
    except (UnknownUnit, ValueError):
        return ""
    if one is None:
        return ""
    said = plain(" ".join(use.name.split()))
    return f"{_code(said)} = {_code(_in_base(count * one.factor, one.dim))}, {literal(show(count * one.factor, one.dim, 6))}"


def _in_base(value: float, dim: Dim) -> str:
    return f"{value:.10g} {show_dim(dim) if dim else ''}".rstrip()


# ---- Markdown


def _head(name: str, kind: str) -> str:
    return f"**{kind}** {_code(name)}"


def _code(text: str) -> str:
    """Text as code, whatever backquotes it has."""
    text = plain(" ".join(text.split()))
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    mark, pad = "`" * (longest + 1), " " if text.startswith("`") or text.endswith("`") else ""
    return f"{mark}{pad}{text}{pad}{mark}"


def _block(lines: Sequence[str]) -> str:
    """Lines of code, apart."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    mark = "`" * max(3, longest + 1)
    return "\n".join((f"{mark}text", *lines, mark))


def _page(text: str) -> str:
    return _block(text.rstrip("\n").split("\n"))


def statement_words(node: Node) -> frozenset[str]:
    """The words of a statement."""
    return frozenset(word.text for word in leaves(node))
