"""A place in a text to what is known of what stands there: value, interval, unit, law, derivation, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runplan.cli.show.catalogue import law as law_page
from runplan.cli.show.catalogue import record as record_page
from runplan.cli.show.catalogue import rule as rule_page
from runplan.cli.show.catalogue.subjects import LawPage, RulePage
from runplan.cli.show.text.markdown import literal
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.packs.library import Library
from runplan.dsl.syntax.statements import BY_RULE
from runplan.dsl.syntax.tree import Node
from runplan.dsl.text.codes import code_of
from runplan.dsl.text.source import Span
from runplan.dsl.units.dims import Dim
from runplan.dsl.units.parse import number, unit
from runplan.dsl.units.show import show, show_dim
from runplan.dsl.units.table import UnknownUnit
from runplan.editor.context import word_before
from runplan.editor.document import Document
from runplan.editor.hints import HOLES, asked
from runplan.editor.markdown import block, code, head, page
from runplan.editor.uses import Use
from runplan.editor.values import Known, figure_of, value, with_state
from runplan.engine.problem.solution import Solution

NOTHING = Known()
# Values of a statement that are listed.
MAX_LISTED = 12
RECORDS = ("device", "model", "price", "region", "run", "shape", "mfu")
_FIGURE = re.compile(r"(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?:[KMGT]i|[kKMBT])?)\s*(\S.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hover:
    """What there is to say, and of what."""

    text: str
    span: Span


def hover(document: Document, offset: int, known: Known = NOTHING) -> Hover | None:
    """What is known of what stands at a place; None where that is nothing."""
    for use in (*_open(document, offset, known), *document.uses_at(offset)):
        if text := _said(document, use, known):
            return Hover(text, use.span)
    return _statement(document, offset, known)


def _open(document: Document, offset: int, known: Known) -> Iterator[Use]:
    """What a `?` at a place asks for."""
    for span, name in asked(document, known.solved) if known.solved is not None else ():
        if span.start <= offset <= span.end and span.text.strip() in HOLES:
            yield Use("quantity", name.text, span, value=name)


def _said(document: Document, use: Use, known: Known) -> str:
    """What is known of a name."""
    library = document.library
    if use.kind in ("quantity", "let", "result"):
        return value(document, use, known)
    if use.kind == "law":
        return _law(library, use.name)
    if use.kind in RECORDS:
        name = header.name if (header := document.header(use.kind, use.name)) else use.name
        record = library.record(use.kind, name)
        return page(record_page.page(record)) if record else ""
    if use.kind == "schedule":
        schedule = library.schedule(use.name)
        phases = ", ".join(f"{phase.name} {phase.shape}" for phase in schedule.phases) if schedule else ""
        return f"**schedule** {code(use.name)}\n\n{literal(schedule.title)}: {literal(phases)}" if schedule else ""
    if use.kind == "letter":
        return _letter(document, use)
    if use.kind == "rule":
        return _rule(library, use.name)
    if use.kind in ("number", "unit"):
        return _figure(use)
    if use.kind.startswith("field "):
        return _field(document, use, known)
    if use.kind in ("source", "stage", "phase"):
        return _part(document, use, known)
    return ""


# ---- parts, fields, statements


def _part(document: Document, use: Use, known: Known) -> str:
    """A source, a stage or a phase: its quantities."""
    lines = [head(use.name, use.kind)]
    told = False
    for solution in known.solutions[:1]:
        rows = [
            f"- {code(str(name))} = {literal(figure_of(solution, name))}"
            for name in solution.values
            if name.kind == "quantity" and name.scope[-1:] == ((use.kind, use.name),) and _in_reports(solution, name)
        ][:MAX_LISTED]
        told = bool(rows)
        lines += ["\n".join(rows)] if rows else []
    return with_state("\n\n".join(lines), known, told=told)


def _in_reports(solution: Solution, name: Name) -> bool:
    known = solution.problem.quantities.get(name.text)
    return known is not None and known.facts.row is not None


def _field(document: Document, use: Use, known: Known) -> str:
    """A field of a block: what it gives, how it is written, and its value."""
    statement = use.kind.removeprefix("field ")
    quantities = document.library.quantities()
    for name, field in quantities.given_by(statement).items():
        if field.name == use.name:
            stage = document.stage_at(use.span.start)
            named = Use("quantity", name, use.span, value=Name(name).in_stage(stage) if stage else Name(name))
            about = value(document, named, known)
            return f"{about}\n\nwritten like {code(f'{use.name}: {field.example}')}"
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
        rows = [
            f"- {code(str(name))} = {literal(figure_of(solution, name))}"
            for name in _values_of(document, node, solution)
        ]
        told = bool(rows)
        lines += ["\n".join(rows)] if rows else []
    start = min(node.span.start, word_before(document.source.text, offset))
    first = document.source.text.find("\n", start, node.span.end)
    span = Span(document.source, start, node.span.end if first < 0 or first < offset else first)
    return Hover(with_state("\n\n".join(lines), known, told=told), span)


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
    return [name for name in dict.fromkeys((*named, *given)) if name in solution.values][:MAX_LISTED]


# ---- definitions and figures


def _law(library: Library, name: str) -> str:
    law = library.law(name)
    return page(law_page.page(LawPage(law, library))) if law else ""


def _letter(document: Document, use: Use) -> str:
    """A constant of a law, with its error and unit; or the line on which an input or a `let` of it is named."""
    name, law = use.name.rpartition(":")[2], document.law_at(use.span.start)
    constant = law.constants.get(name) if law else None
    if law is not None and constant is not None:
        unit_ = f" in {code(show_dim(law.dims[name]))}" if name in law.dims else ""
        return f"{head(name, 'constant')} of {code(law.name)}{unit_}\n\n{block([_flat(constant.span.text)])}"
    named = (one.span for one in document.uses if one.names and (one.kind, one.name) == (use.kind, use.name))
    lines = [_flat(document.source.line_text(span.line)) for span in named]
    return f"{head(name, 'letter')}\n\n{block(lines[:1])}" if lines else ""


def _flat(text: str) -> str:
    return plain(" ".join(text.split()))


def _rule(library: Library, word: str) -> str:
    """The page of a rule, or of a code of the program."""
    word = word.lower()
    rules = tuple(rule for rule in library.rules() if word in (rule.code.lower(), rule.name.lower()))
    code = rules[0].code if rules else code_of(word)
    return page(rule_page.page(RulePage(code, rules))) if code else ""


def _figure(use: Use) -> str:
    """A figure, or a unit, in the units that it is made of; nothing of a number that says it all."""
    text = use.name.strip()
    found = _FIGURE.fullmatch(text) if use.kind == "number" else None
    try:
        count = number(found[1]) if found else 1.0
        one = unit((found[2] or "").strip() or "1") if found else unit(text)
    except (UnknownUnit, ValueError):
        return ""
    value = count * one.factor
    told = literal(show(value, one.dim, 6))
    bare = found is not None and not found[2]
    return "" if bare and text == told else f"{code(use.name)} = {code(_in_base(value, one.dim))}, {told}"


def _in_base(value: float, dim: Dim) -> str:
    return f"{value:.10g} {show_dim(dim) if dim else ''}".rstrip()
