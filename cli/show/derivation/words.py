"""A value of a solution to the texts that say how it came about: formula, figures in it, limits, source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from runplan.cli.show.derivation.names import figure_of, is_let, said, target
from runplan.cli.show.text.plain import plain
from runplan.dsl.expr.dimensions import Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names
from runplan.dsl.units.dims import Dim
from runplan.engine.problem.solution import Solution, Value

_NAME = re.compile(r"[^\W\d][\w.-]*")


def formula(solution: Solution, value: Value) -> str:
    """How a value is found, as written; empty where that only says the figure again."""
    definition = solution.problem.definitions.get(value.name)
    if value.kind == "constant" or (not value.inputs and value.kind != "given"):
        return ""
    if value.kind == "given" and not value.inputs:
        return "" if _says(value.formula, figure_of(value)) else plain(value.formula)
    words = {name: word for name in value.inputs if (word := said(solution, name)) != name}
    if definition is None or not words.keys() & set(_NAME.findall(value.formula)):
        return plain(value.formula)
    # Written by the engine, in names of its own.
    return plain(shown(_filled(definition.expr, {n: f"({w})" if "," in w else w for n, w in words.items()})))


def substituted(solution: Solution, value: Value) -> str:
    """The formula with the figures in it; empty where there are none to put in."""
    definition = solution.problem.definitions.get(value.name)
    if definition is None or not isinstance(definition.expr, Op) or not names(definition.expr):
        return ""
    return plain(shown(_filled(definition.expr, _figures(solution, names(definition.expr)))))


def value_of(solution: Solution, name: str) -> Value:
    """A value; that of a `let` with the dimension of its expression."""
    value = solution.values[name]
    return replace(value, dim=_let_dims(solution)[name]) if is_let(solution, name) else value


def _let_dims(solution: Solution) -> dict[str, Dim]:
    """The dimensions of all values, with those of the `let`s found from their expressions."""
    dims = {name: value.dim for name, value in solution.values.items()}
    left = {name: solution.problem.definitions[name].expr for name in dims if is_let(solution, name)}
    while ready := [name for name, expr in left.items() if not names(expr) & left.keys()]:
        for name in ready:
            # What cannot be checked, such as a `let` of a quantity that the plan has not, stays a plain number.
            with suppress(ValueError, KeyError):
                dims[name] = Dimensions(dims).of(left[name])
            del left[name]
    return dims


def _figures(solution: Solution, wanted: frozenset[str]) -> dict[str, str]:
    found = {name: figure_of(value_of(solution, name)) for name in wanted if name in solution.values}
    return {name: text.partition(" ± ")[0] for name, text in found.items()}


def _filled(expr: Expr, texts: Mapping[str, str], tight: bool = False) -> Expr:
    """The expression with texts in the place of names; in brackets where the operator would bind before a blank."""
    if isinstance(expr, Ref) and expr.name in texts:
        text = texts[expr.name]
        return Num(0.0, (), f"({text})" if text.startswith("-") or (tight and " " in text) else text)
    if isinstance(expr, Op):
        return Op(expr.op, tuple(_filled(arg, texts, expr.op in ("^", "neg")) for arg in expr.args))
    return expr


def _says(written: str, shown: str) -> bool:
    """Whether a text that was written says a figure, up to blanks, closing zeros, a plural or a missing unit."""
    a, b = ("".join(text.split()).rstrip("s").casefold().replace(",", "") for text in (written, shown))
    a, b = (re.sub(r"\.(?!\d)", "", re.sub(r"(\.\d*?)0+(?!\d)", r"\1", text)) for text in (a, b))
    return b.startswith(a) and not re.match(r"[\d.e]", b[len(a) :])


def letters(solution: Solution, value: Value) -> str:
    """What the letters of a law's formula stand for."""
    for function in solution.problem.law.functions if value.kind == "law" else ():
        if function.output == value.name:
            pairs = [(p.local, p.quantity) for p in function.parameters if p.local != p.quantity]
            return ", ".join(f"{local} is {said(solution, _counted(solution, value, name))}" for local, name in pairs)
    return ""


def _counted(solution: Solution, value: Value, name: str) -> str:
    """What a law's quantity is in a formula: params as the law counts them, or what repeats or few bits leave."""
    effective = f"effective_{name}"
    if effective in value.inputs:
        return effective
    return target(solution, "law_params") if name == "params" else name


def limits(solution: Solution, value: Value) -> Iterator[str]:
    """The limits that hold a solved value, with the figures on both sides."""
    if value.name not in {variable.name for variable in solution.problem.variables}:
        return
    for limit in solution.problem.limits:
        if limit.name in solution.binding:
            sign = "=" if limit.equal else "<="
            figures = _figures(solution, names(limit.left) | names(limit.right))
            words = {name: f"({w})" if "," in (w := said(solution, name)) else w for name in figures}
            sides = [shown(_filled(side, by)) for by in (words, figures) for side in (limit.left, limit.right)]
            yield plain(f"{sides[0]} {sign} {sides[1]}: {sides[2]} {sign} {sides[3]}")


def source(solution: Solution, value: Value, parent: str) -> str:
    """What the value rests on, and where that stands; a law is not named and cited again of its constants."""
    over = solution.values.get(parent)
    again = over is not None and value.kind == "constant" and (over.by, over.source) == (value.by, value.source)
    source = "" if again or value.source in ("plan", "let", "rounded") else plain(value.source)
    if value.by and source and value.kind in ("law", "constant"):
        source = f"{plain(value.by)}: {source}"
    place = f"{plain(value.span.source.path)}:{value.span.line}" if value.span else ""
    return " · ".join(text for text in (plain(value.note), source, place) if text)
