"""Where a number comes from: the tree of formulas, figures and sources behind a value of a solved plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runplan.cli.show.solve_json import quantity
from runplan.cli.show.solve_table import columns, console, figure, interval, styled
from runplan.cli.show.summary import plain
from runplan.dsl.expression import Dimensions, Expr, Num, Op, Ref, names, shown
from runplan.dsl.units import Dim
from runplan.engine.problem import Definition
from runplan.engine.solution import Solution, Value

_KINDS = {
    "given": "green",
    "assumed": "yellow",
    "derived": "dim",
    "law": "cyan",
    "constant": "dim",
    "solved": "magenta",
}
# However deep a tree grows, a line of it keeps so many columns.
_ROOM = 40
_INTERNAL = re.compile(r"(available|max_epochs)\.(.+)")
_POOL = re.compile(r"pool(\d+)\.(.+)")
_PHASE_MIX = re.compile(r"phase\.(.+)\.mix(?:_(start|end))?\.([^.]+)")


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the tree of another.

    Attributes:
        depth: How many values lie between it and the root.
        last: For each level from the first down, whether it is the last branch there.
        repeated: Whether it stands above already, where its inputs are shown.
        parent: Name of the value that it went into; empty for the root.
    """

    name: str
    depth: int
    last: tuple[bool, ...]
    repeated: bool
    parent: str


def public(solution: Solution) -> Iterator[str]:
    """The names of a solution's values that a plan may name, lets included."""
    for name in solution.values:
        if not name.startswith(("law.", "available.", "max_epochs.", "pool", "phase.")) and name not in _UNNAMED:
            yield name


_UNNAMED = frozenset(("law_params", "capacity", "reserved_time", "data_tokens"))


def tree(solution: Solution, name: str, *, width: int, color: bool) -> str:
    """The derivation as an indented tree, no line longer than `width` columns.

    Raises:
        KeyError: The solution has no value of that name.
    """
    page = console(max(width, _ROOM + 8), color)
    for node in _nodes(solution, name):
        _print(page, solution, node, max(width, _ROOM + 8), bool(_children(solution, node.name)))
    stream = page.file
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]


def explain_json(solution: Solution, name: str) -> dict[str, object]:
    """The derivation as plain data: every value once, by the names of its inputs, the one asked for first.

    Raises:
        KeyError: The solution has no value of that name.
    """
    return {
        "schema": "plan.explain/v1",
        "law": solution.law,
        "resolved": solution.resolved,
        "status": solution.status,
        "quantity": name,
        "nodes": [_node_json(solution, node.name) for node in _nodes(solution, name) if not node.repeated],
    }


def mermaid(solution: Solution, name: str) -> str:
    """The derivation as a Mermaid flowchart, inputs above what they go into.

    Raises:
        KeyError: The solution has no value of that name.
    """
    nodes = [node for node in _nodes(solution, name) if not node.repeated]
    ids = {node.name: f"n{i}" for i, node in enumerate(nodes)}
    lines = ["flowchart TD"]
    for node in nodes:
        value = solution.values[node.name]
        texts = [f"{said(solution, node.name)} = {_figure(solution, value)}"]
        texts += [text for text in (_formula(solution, value),) if text]
        opening, closing = ('(["', '"])') if value.kind in ("given", "assumed", "constant") else ('["', '"]')
        lines.append(f"    {ids[node.name]}{opening}{'<br>'.join(map(_escaped, texts))}{closing}:::{value.kind}")
    for node in nodes:
        lines += [f"    {ids[child]} --> {ids[node.name]}" for child in _children(solution, node.name) if child in ids]
    lines += [f"    classDef {kind} {style}" for kind, style in _CLASSES.items()]
    return "\n".join(lines) + "\n"


_CLASSES = {
    "given": "fill:#e6f4ea,stroke:#34a853,color:#202124",
    "assumed": "fill:#fef7e0,stroke:#f9ab00,color:#202124",
    "derived": "fill:#ffffff,stroke:#5f6368,color:#202124",
    "law": "fill:#e8f0fe,stroke:#4285f4,color:#202124",
    "constant": "fill:#f1f3f4,stroke:#9aa0a6,color:#202124",
    "solved": "fill:#f3e8fd,stroke:#a142f4,color:#202124",
}


# ---- the graph


def _nodes(solution: Solution, name: str) -> list[Node]:
    """The tree in the order in which it is shown; a value that stands above is referred to, not opened again."""
    root = _target(solution, name)
    solution.values[root]
    out: list[Node] = []
    opened: set[str] = set()
    stack = [Node(root, 0, (), False, "")]
    while stack:
        node = stack.pop()
        repeated = node.name in opened
        opened.add(node.name)
        out.append(Node(node.name, node.depth, node.last, repeated, node.parent))
        if repeated:
            continue
        children = _children(solution, node.name)
        for i, child in reversed(list(enumerate(children))):
            stack.append(Node(child, node.depth + 1, (*node.last, i == len(children) - 1), False, node.name))
    return out


def _children(solution: Solution, name: str) -> list[str]:
    """The values that went into a value, in the order in which its formula names them."""
    value = solution.values[name]
    definition = solution.problem.definitions.get(name)
    order = _in_order(definition.expr) if definition is not None else []
    for input in value.inputs:
        if input not in order:
            order.append(input)
    targets = dict.fromkeys(_target(solution, child) for child in order if child in solution.values)
    return [child for child in targets if child != name]


def _in_order(expr: Expr) -> list[str]:
    """The names of an expression as they are read."""
    stack, out = [expr], []
    while stack:
        item = stack.pop()
        if isinstance(item, Ref):
            out.append(item.name)
        elif isinstance(item, Op):
            stack.extend(reversed(item.args))
    return list(dict.fromkeys(out))


def _target(solution: Solution, name: str) -> str:
    """The value that a name stands for: another one's, where its whole formula is that name."""
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
    if name.startswith("law."):
        return plain(name.removeprefix("law."))
    if m := _INTERNAL.fullmatch(name):
        return plain(f"{m[2]}, {'once' if m[1] == 'available' else 'most epochs'}")
    if m := _POOL.fullmatch(name):
        return f"{m[2]} of pool {m[1]}"
    return plain(name)


def _dim(solution: Solution, value: Value) -> Dim:
    """The dimension of a value; that of a `let` is its expression's."""
    definition = solution.problem.definitions.get(value.name)
    if definition is None or definition.source != "let":
        return value.dim
    dims = {name: known.dim for name, known in solution.values.items()}
    try:
        return Dimensions(dims).of(definition.expr)
    except (ValueError, KeyError):
        return value.dim


def _figure(solution: Solution, value: Value) -> str:
    if value.kind == "constant":
        return plain(value.formula.replace(" +- ", " ± "))
    return figure(value.name, value.value, _dim(solution, value))


def _formula(solution: Solution, value: Value) -> str:
    """How the value is found, as written; empty where that is but the figure itself."""
    if value.kind == "constant" or not value.inputs and _same(value.formula, _figure(solution, value)):
        return ""
    text = plain(value.formula)
    if value.kind == "solved" and not text.startswith("solved"):
        return plain(value.note) or text
    definition = solution.problem.definitions.get(value.name)
    renamed = {name: word for name in value.inputs if (word := said(solution, name)) != name}
    if definition is None or not renamed or value.kind == "law":
        return text
    if names_in(text) & renamed.keys():
        return plain(shown(_filled(definition.expr, {name: f"({w})" if "," in w else w for name, w in renamed.items()})))
    return text


def names_in(text: str) -> set[str]:
    """The dotted names that a formula's text holds."""
    return set(re.findall(r"[^\W\d][\w.-]*", text))


def _same(written: str, figure: str) -> bool:
    """Whether what was written already says the figure, up to its unit and spaces."""
    a, b = ("".join(text.split()).rstrip("s").casefold() for text in (written, figure))
    return a == b or b.startswith(a) and not b[len(a)].isdigit() and b[len(a)] not in ".e"


def _substituted(solution: Solution, value: Value) -> str:
    """The formula with the figures in it; empty where there are none to put in."""
    definition = solution.problem.definitions.get(value.name)
    if definition is None or not isinstance(definition.expr, Op) or not names(definition.expr):
        return ""
    figures = {}
    for name in names(definition.expr):
        known = solution.values.get(name)
        if known is not None:
            text = _figure(solution, known)
            figures[name] = text.partition(" ± ")[0] if known.kind == "constant" else text
    return plain(shown(_filled(definition.expr, figures)))


def _filled(expr: Expr, texts: Mapping[str, str], inside: bool = False) -> Expr:
    """The expression with texts in the place of names; brackets where an operator binds tighter than a unit does."""
    if isinstance(expr, Ref) and expr.name in texts:
        text = texts[expr.name]
        return Num(0.0, (), f"({text})" if inside and (" " in text or text.startswith("-")) else text)
    if isinstance(expr, Op):
        tight = expr.op in ("^", "neg", "-")
        last = len(expr.args) - 1
        args = [_filled(arg, texts, tight and (expr.op != "-" or i == last)) for i, arg in enumerate(expr.args)]
        if expr.op == "-":
            args = [_filled(arg, texts, False) if " " in texts.get(getattr(arg, "name", ""), " ") else a for arg, a in zip(expr.args, args, strict=True)]
        return Op(expr.op, tuple(args))
    return expr


def _locals(solution: Solution, value: Value) -> str:
    """What the letters of a law's formula stand for."""
    for function in solution.problem.law.functions:
        if function.output == value.name and value.kind == "law":
            pairs = [(p.local, p.quantity) for p in function.parameters if p.local != p.quantity]
            return ", ".join(f"{local} = {said(solution, name)}" for local, name in pairs)
    return ""


def _limits(solution: Solution, value: Value) -> Iterator[str]:
    """The limits that hold a solved value, with the figures on both sides."""
    if value.kind != "solved" or value.name not in {v.name for v in solution.problem.variables}:
        return
    for limit in solution.problem.limits:
        if limit.name in solution.binding:
            figures = {
                name: figure(name, known.value, _dim(solution, known))
                for name in names(limit.left) | names(limit.right)
                if (known := solution.values.get(name))
            }
            sign = "=" if limit.equal else "<="
            sides = f"{shown(limit.left)} {sign} {shown(limit.right)}"
            filled = f"{shown(_filled(limit.left, figures))} {sign} {shown(_filled(limit.right, figures))}"
            yield plain(f"limit: {sides}: {filled}")


def _source(solution: Solution, value: Value, parent: str) -> str:
    """What the value rests on, and where that stands."""
    over = solution.values.get(parent)
    source = "" if value.source in ("plan", "let", "rounded") else plain(value.source)
    if over is not None and value.kind == "constant" and value.source == over.source:
        source = ""
    place = f"{plain(value.span.source.path)}:{value.span.line}" if value.span else ""
    return " — ".join(text for text in (source, place) if text)


def _node_json(solution: Solution, name: str) -> dict[str, object]:
    value = solution.values[name]
    out: dict[str, object] = {"name": name, "label": said(solution, name), **quantity(value), "kind": value.kind}
    optional = {
        "formula": plain(value.formula),
        "substituted": _substituted(solution, value),
        "note": plain(value.note),
        "source": plain(value.source),
    }
    out |= {key: text for key, text in optional.items() if text}
    if value.span is not None:
        out |= {"file": value.span.source.path, "line": value.span.line}
    return {**out, "inputs": _children(solution, name)}


def _escaped(text: str) -> str:
    """Text inside a quoted Mermaid label: what ends it, or is markup there, as an entity."""
    return re.sub(r'[^\w\s.,:/()+*=^%-]', lambda match: f"#{ord(match[0])};", text)


# ---- lines


def _print(page: object, solution: Solution, node: Node, width: int, opens: bool) -> None:
    raise NotImplementedError
