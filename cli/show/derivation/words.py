"""A value of a solution to the texts that say how it came about: formula, figures in it, limits, source."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.cli.show.derivation.names import figure_of, target
from runplan.cli.show.text.certainty import proof
from runplan.cli.show.text.names import said
from runplan.cli.show.text.plain import plain
from runplan.cli.show.text.quantities import spoken
from runplan.dsl.expr.name import Name, quantity
from runplan.dsl.expr.text import with_figures
from runplan.dsl.expr.tree import Expr, Op, names
from runplan.dsl.units.show import show
from runplan.engine.problem import quantities as q
from runplan.engine.problem.solution import Solution, Value

_WORD = re.compile(r"[^\W\d][\w.-]*")


def formula(solution: Solution, value: Value) -> str:
    """How a value is found, as written; empty where that only says the figure again."""
    definition = solution.problem.definitions.get(value.name)
    if value.kind == "constant" or (not value.inputs and value.kind != "given"):
        return ""
    if value.kind == "given" and not value.inputs:
        return "" if _says(value.formula, figure_of(solution, value)) else plain(value.formula)
    renamed = {str(name) for name in value.inputs if said(solution, name) != str(name)}
    if definition is None or not renamed & set(_WORD.findall(value.formula)):
        return plain(value.formula)
    # Written by the engine, in names of its own.
    return plain(_in_words(solution, definition.expr))


def _in_words(solution: Solution, expr: Expr) -> str:
    """An expression with its names as a reader would say them; what is said in several words in brackets."""

    def word(name: Name) -> str:
        text = said(solution, name)
        return f"({text})" if "," in text else text

    return with_figures(expr, word)


def substituted(solution: Solution, value: Value) -> str:
    """The formula with the figures in it; empty where there are none to put in."""
    definition = solution.problem.definitions.get(value.name)
    if definition is None or not isinstance(definition.expr, Op) or not names(definition.expr):
        return ""
    return plain(_in_figures(solution, definition.expr))


def _in_figures(solution: Solution, expr: Expr) -> str:
    """An expression with the figures of its names in their place; a word that plans have for one is no figure."""

    def text(name: Name) -> str | None:
        value = solution.values.get(name)
        if value is None:
            return None
        if spoken(name.text, value.value, solution.problem.quantities) is not None:
            return show(value.value, value.dim)
        return figure_of(solution, value).partition(" ± ")[0]

    return with_figures(expr, text)


def _says(written: str, shown: str) -> bool:
    """Whether a text that was written says a figure, up to blanks, closing zeros, a plural or a missing unit."""
    a, b = ("".join(text.split()).rstrip("s").casefold().replace(",", "") for text in (written, shown))
    a, b = (re.sub(r"\.(?!\d)", "", re.sub(r"(\.\d*?)0+(?!\d)", r"\1", text)) for text in (a, b))
    return b.startswith(a) and not re.match(r"[\d.e]", b[len(a) :])


def letters(solution: Solution, value: Value) -> str:
    """What the letters of a law's formula stand for."""
    for function in solution.problem.law.functions if value.kind == "law" else ():
        if quantity(function.output) == value.name:
            pairs = [(p.local, quantity(p.quantity)) for p in function.parameters if p.local != p.quantity]
            return ", ".join(f"{local} is {said(solution, _counted(solution, value, name))}" for local, name in pairs)
    return ""


def _counted(solution: Solution, value: Value, name: Name) -> Name:
    """What a law's quantity is in a formula: params as the law counts them, or what repeats or few bits leave."""
    effective = {q.PARAMS: q.EFFECTIVE_PARAMS, q.TOKENS: q.EFFECTIVE_TOKENS}.get(name)
    if effective in value.inputs:
        return effective
    return target(solution, q.LAW_PARAMS) if name == q.PARAMS else name


def limits(solution: Solution, value: Value) -> Iterator[str]:
    """The constraints that hold a solved value, with the figures on both sides, and what proves it the best."""
    if value.name not in {variable.name for variable in solution.problem.variables}:
        return
    for constraint in solution.problem.constraints:
        if constraint.key in solution.active:
            sign = "=" if constraint.equal else "<="
            both = (constraint.left, constraint.right)
            words = f" {sign} ".join(_in_words(solution, side) for side in both)
            yield plain(f"{words}: {f' {sign} '.join(_in_figures(solution, side) for side in both)}")
    if certified := proof(solution):
        yield certified


def source(solution: Solution, value: Value, parent: Name | None) -> str:
    """What the value rests on, and where that stands; a law is not named and cited again of its constants."""
    over = solution.values.get(parent) if parent else None
    again = over is not None and value.kind == "constant" and (over.by, over.source) == (value.by, value.source)
    source = "" if again or value.source in ("plan", "let", "rounded") else plain(value.source)
    if value.by and source and value.kind in ("law", "constant"):
        source = f"{plain(value.by)}: {source}"
    place = f"{plain(value.span.source.path)}:{value.span.line}" if value.span else ""
    return " · ".join(text for text in (plain(value.note), source, place) if text)
