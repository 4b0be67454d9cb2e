"""Where a number comes from: the tree of formulas, figures and sources behind a value of a solved plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from runplan.cli.show.figures import figure, interval
from runplan.cli.show.summary import plain
from runplan.cli.show.terminal import console, printed, styled
from runplan.dsl.expr.dimensions import Dimensions
from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Expr, Num, Op, Ref, names, walk
from runplan.dsl.units.dims import Dim
from runplan.engine.analysis.sensitivity import Change
from runplan.engine.document import QUANTITIES, TRANSFER, quantity
from runplan.engine.problem.problem import Kind
from runplan.engine.problem.solution import Solution, Value

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_KINDS: dict[Kind, str] = {
    "given": "green",
    "assumed": "yellow",
    "derived": "dim",
    "law": "cyan",
    "constant": "dim",
    "solved": "magenta",
}
# Colours that read on a light and on a dark page: what was given, assumed, found.
_CLASSES: dict[Kind, str] = {
    "given": "fill:#e6f4ea,stroke:#34a853,color:#202124",
    "assumed": "fill:#fef7e0,stroke:#f9ab00,color:#202124",
    "derived": "fill:#ffffff,stroke:#5f6368,color:#202124",
    "law": "fill:#e8f0fe,stroke:#4285f4,color:#202124",
    "constant": "fill:#f1f3f4,stroke:#9aa0a6,color:#202124",
    "solved": "fill:#f3e8fd,stroke:#a142f4,color:#202124",
}
# However deep a tree grows, its texts keep so many columns.
_ROOM = 40
# Figures of a source of data, and how they are said.
_OF_SOURCE = {
    "available": "all of {}",
    "max_epochs": "epochs of {}, at most",
    "amount": "{} as given",
    "density": "density of {}",
}
_SOURCE = re.compile(r"(available|max_epochs|amount|density)\.(.+)")
_POOL = re.compile(r"pool(\d+)\.(.+)")
_NAME = re.compile(r"[^\W\d][\w.-]*")


@dataclass(slots=True)
class Branch:
    """A value in the tree of another.

    Attributes:
        inputs: What went into it and is opened here.
        elsewhere: What went into it, too, and is opened at another place of the tree.
    """

    name: str
    inputs: list[Branch] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def public(solution: Solution) -> Iterator[str]:
    """The names of a solution's values that a plan may name."""
    known = {*QUANTITIES, *TRANSFER}
    known |= {f"{key}.{source}" for source in solution.sources for key in ("tokens", "share", "epochs")}
    yield from (name for name in solution.values if name in known or _is_let(solution, name))


def tree(solution: Solution, name: str, *, width: int, color: bool) -> str:
    """The derivation as an indented tree, no line longer than `width` columns.

    Raises:
        KeyError: The solution has no value of that name.
    """
    width = max(width, _ROOM)
    page = console(width, color)
    stack = [(_grown(solution, name), "", "", "")]
    while stack:
        branch, first, rest, parent = stack.pop()
        below = f"{rest}│   " if branch.inputs or branch.elsewhere else f"{rest}    "
        for i, text in enumerate(_texts(solution, branch.name, parent)):
            _print(page, text, below if i else first, below)
        if branch.elsewhere:
            others = ", ".join(said(solution, other) for other in branch.elsewhere)
            _print(page, styled(f"see {others}", "dim"), rest + ("├── " if branch.inputs else "└── "), below)
        for i, child in reversed(list(enumerate(branch.inputs))):
            ends = i == len(branch.inputs) - 1
            stack.append((child, rest + ("└── " if ends else "├── "), rest + ("    " if ends else "│   "), branch.name))
    return printed(page)


def explain_json(solution: Solution, name: str) -> dict[str, object]:
    """The derivation as plain data: every value once, with the names of its inputs, the one asked for first.

    Raises:
        KeyError: The solution has no value of that name.
    """
    return {
        "schema": "plan.explain/v1",
        "law": solution.law,
        "resolved": solution.resolved,
        "status": solution.status,
        "quantity": name,
        "nodes": [_node_json(solution, found) for found in _walked(_grown(solution, name))],
    }


def mermaid(solution: Solution, name: str) -> str:
    """The derivation as a Mermaid flowchart, inputs above what they go into.

    Raises:
        KeyError: The solution has no value of that name.
    """
    order = list(_walked(_grown(solution, name)))
    ids = {found: f"n{i}" for i, found in enumerate(order)}
    lines = ["flowchart TD"]
    for found in order:
        value = _value(solution, found)
        texts = [f"{said(solution, found)} = {_figure(value)}", formula(solution, value), _source(solution, value, "")]
        label = "<br>".join(_escaped(text) for text in texts if text)
        lines.append(f'    {ids[found]}["{label}"]:::{value.kind}')
    for found in order:
        lines += [f"    {ids[child]} --> {ids[found]}" for child in _inputs(solution, found)]
    used = {solution.values[found].kind for found in order}
    lines += [f"    classDef {kind} {style}" for kind, style in _CLASSES.items() if kind in used]
    return "\n".join(lines) + "\n"


# ---- what would change it


def changes_section(solution: Solution, found: Sequence[Change], *, width: int, color: bool) -> str:
    """A line for each figure that a value answers to: its name and figure, the effect, and the place."""
    page = console(max(width, _ROOM), color)
    rows = []
    for change in found:
        cause = change.cause
        stated = cause.span if cause.kind == "given" else None
        place = f"{plain(stated.source.path)}:{stated.line}" if stated else cause.kind
        label = plain(cause.name)  # a requirement, as the plan writes it
        if cause.name in solution.values:
            dim = _value(solution, cause.name).dim
            label = f"{said(solution, cause.name)} = {figure(cause.name, cause.value, dim)}"
        rows.append((label, f"{(1.01**change.elasticity - 1.0) * 100.0:+.2g} %", place))
    if not rows:
        return ""
    page.print()
    page.print(styled("What would change it, for 1 % more", "bold"))
    wide = max(len(label) for label, _, _ in rows)
    for label, effect, place in rows:
        page.print(styled(f"  {label:{wide}}  {effect:>8}").append(f"  {place}", "dim"))
    return printed(page)


def changes_json(found: Sequence[Change]) -> list[dict[str, object]]:
    """The same as plain data: how many per cent the value goes up for one of the cause."""
    out: list[dict[str, object]] = []
    for change in found:
        span = change.cause.span
        place = {"file": span.source.path, "line": span.line} if span else {}
        elasticity = float(f"{change.elasticity:.4g}")
        out.append({"name": change.cause.name, "kind": change.cause.kind, "elasticity": elasticity, **place})
    return out


# ---- the tree


def _grown(solution: Solution, name: str) -> Branch:
    """The tree of a value; each is opened once, as near to the root as its first mention, so that cycles end."""
    root = Branch(target(solution, name))
    if root.name not in solution.values:
        raise KeyError(name)
    opened = {root.name}
    stack = [root]
    while stack:
        branch = stack.pop()
        for name in _inputs(solution, branch.name):
            if name in opened:
                branch.elsewhere.append(name)
            else:
                opened.add(name)
                branch.inputs.append(Branch(name))
        stack.extend(reversed(branch.inputs))
    return root


def _walked(root: Branch) -> Iterator[str]:
    """The values of a tree in the order in which they are shown."""
    stack = [root]
    while stack:
        branch = stack.pop()
        yield branch.name
        stack.extend(reversed(branch.inputs))


def _inputs(solution: Solution, name: str) -> list[str]:
    """The values that went into a value, in the order in which its formula names them."""
    definition = solution.problem.definitions.get(name)
    order = [item.name for item in walk(definition.expr) if isinstance(item, Ref)] if definition else []
    targets = [target(solution, i) for i in (*order, *solution.values[name].inputs) if i in solution.values]
    return [target for target in dict.fromkeys(targets) if target != name]


def target(solution: Solution, name: str) -> str:
    """The value that a name stands for: another one, where its whole formula is the other's name."""
    for _ in range(len(solution.values)):
        definition = solution.problem.definitions.get(name)
        if definition is None or not isinstance(definition.expr, Ref) or definition.expr.name not in solution.values:
            break
        name = definition.expr.name
    return name


# ---- words


def said(solution: Solution, name: str) -> str:
    """A value's name as a reader would say it."""
    if name == "law_params":
        return "params_non_embedding" if "params_non_embedding" in solution.values else "params"
    if name in solution.values and solution.values[name].kind == "constant":
        return plain(name.rpartition(".")[2])  # as its law writes it
    if m := _SOURCE.fullmatch(name):
        return plain(_OF_SOURCE[m[1]].format(m[2]))
    if m := _POOL.fullmatch(name):
        return plain(f"{m[2]} of pool {m[1]}")
    return plain(name)


def formula(solution: Solution, value: Value) -> str:
    """How a value is found, as written; empty where that only says the figure again."""
    definition = solution.problem.definitions.get(value.name)
    if value.kind == "constant" or (not value.inputs and value.kind != "given"):
        return ""
    if value.kind == "given" and not value.inputs:
        return "" if _says(value.formula, _figure(value)) else plain(value.formula)
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


def _value(solution: Solution, name: str) -> Value:
    """A value; that of a `let` with the dimension of its expression."""
    value = solution.values[name]
    return replace(value, dim=_let_dims(solution)[name]) if _is_let(solution, name) else value


def _is_let(solution: Solution, name: str) -> bool:
    definition = solution.problem.definitions.get(name)
    return definition is not None and definition.source == "let"


def _let_dims(solution: Solution) -> dict[str, Dim]:
    """The dimensions of all values, with those of the `let`s found from their expressions."""
    dims = {name: value.dim for name, value in solution.values.items()}
    left = {name: solution.problem.definitions[name].expr for name in dims if _is_let(solution, name)}
    while ready := [name for name, expr in left.items() if not names(expr) & left.keys()]:
        for name in ready:
            # What cannot be checked, such as a `let` of a quantity that the plan has not, stays a plain number.
            with suppress(ValueError, KeyError):
                dims[name] = Dimensions(dims).of(left[name])
            del left[name]
    return dims


def _figure(value: Value) -> str:
    if value.kind == "constant":
        return plain(value.formula.replace(" +- ", " ± "))
    return plain(figure(value.name, value.value, value.dim))


def _figures(solution: Solution, wanted: frozenset[str]) -> dict[str, str]:
    found = {name: _figure(_value(solution, name)) for name in wanted if name in solution.values}
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


def _letters(solution: Solution, value: Value) -> str:
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


def _limits(solution: Solution, value: Value) -> Iterator[str]:
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


def _source(solution: Solution, value: Value, parent: str) -> str:
    """What the value rests on, and where that stands; a law is not named and cited again of its constants."""
    over = solution.values.get(parent)
    again = over is not None and value.kind == "constant" and (over.by, over.source) == (value.by, value.source)
    source = "" if again or value.source in ("plan", "let", "rounded") else plain(value.source)
    if value.by and source and value.kind in ("law", "constant"):
        source = f"{plain(value.by)}: {source}"
    place = f"{plain(value.span.source.path)}:{value.span.line}" if value.span else ""
    return " · ".join(text for text in (plain(value.note), source, place) if text)


def _node_json(solution: Solution, name: str) -> dict[str, object]:
    value = _value(solution, name)
    out: dict[str, object] = {"name": name, "label": said(solution, name), **quantity(value), "kind": value.kind}
    texts = {
        "formula": plain(value.formula),
        "substituted": substituted(solution, value),
        "note": plain(value.note),
        "source": plain(value.source),
        "law": plain(value.by),
    }
    out |= {key: text for key, text in texts.items() if text}
    if value.span is not None:
        out |= {"file": value.span.source.path, "line": value.span.line}
    return {**out, "inputs": _inputs(solution, name)}


def _escaped(text: str) -> str:
    """Text for a quoted label: what would end it, or is markup in it, as an entity."""
    return re.sub(r"[^\w\s.,:/()+*=^%-]", lambda match: f"#{ord(match[0])};", text)


# ---- lines


def _texts(solution: Solution, name: str, parent: str) -> list[Text]:
    """The lines of one value: figure, formula, figures in the formula, source."""
    value = _value(solution, name)
    head = styled(said(solution, name), "bold")
    head.append(f" = {_figure(value)}")
    if ends := interval(value):
        head.append(f"  {ends}", "dim")
    head.append(f"  [{value.kind}]", _KINDS[value.kind])
    source = _source(solution, value, parent)
    lines = [head]
    if text := formula(solution, value):
        lines.append(styled(text if value.kind == "solved" else f"= {text}"))
        if letters := _letters(solution, value):
            lines[-1].append(f"   {letters}", "dim")
    if text := substituted(solution, value):
        lines.append(styled(f"= {text}"))
    lines += [styled(f"  {limit}") for limit in _limits(solution, value)]
    if source and len(lines) == 1 and len(source) < _ROOM:
        head.append(f"  {source}", "dim")
    elif source:
        lines.append(styled(source, "dim"))
    return lines


def _print(page: Console, text: Text, first: str, rest: str) -> None:
    """A text behind its guide lines, wrapped."""
    guides = [_cut(guide, page.width) for guide in (first, rest)]
    for i, line in enumerate(text.wrap(page, page.width - max(map(len, guides)))):
        page.print(styled(guides[min(i, 1)], "dim").append_text(line))


def _cut(guide: str, width: int) -> str:
    """The guide lines before a text, from the right where the tree is deeper than the page is wide."""
    most = max(width - _ROOM, 4)
    return guide if len(guide) <= most else f"…{guide[1 - most :]}"
