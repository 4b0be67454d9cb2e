"""A quantity or a `let` of a document to what is told of its value: under each law, with its derivation."""

from __future__ import annotations

from collections.abc import Iterator

from runplan.cli.show.derivation.content import Node, derivation
from runplan.cli.show.text.figures import figure, interval
from runplan.cli.show.text.markdown import literal
from runplan.cli.show.text.plain import plain
from runplan.dsl.dataclass import dataclass
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.text import shown
from runplan.dsl.units.show import show, show_dim
from runplan.editor.document import Document
from runplan.editor.markdown import block, code, head
from runplan.editor.solving import Solved
from runplan.editor.uses import Use
from runplan.engine.problem.solution import Solution

# Values that a derivation names below the one that is asked for.
MAX_INPUTS = 12
# Kinds of values that have no interval.
_FIXED = ("given", "constant")


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


def value(document: Document, use: Use, known: Known) -> str:
    """A quantity or a `let`: its value under each law, and how the first comes about."""
    quantity = document.library.quantities().get(use.value.text if use.value else use.name)
    quantity = quantity if use.kind == "quantity" else None
    lines = [head(use.name if use.value is None else str(use.value), use.kind)]
    lines += [literal(quantity.title)] if quantity is not None else []
    values = [(solution, name) for solution in known.solutions if (name := _name_in(solution, use)) is not None]
    told = [_under(*one, first=i == 0, alone=len(known.solutions) == 1) for i, one in enumerate(values)]
    lines += told or list(_still_known(document, use))
    if quantity is not None:
        dim = document.reading.quantities()[quantity.name]
        lines[0] += f" in {code(show_dim(dim))}" if dim else ""
        formula = f"= {plain(shown(quantity.formula))}" if quantity.formula is not None else ""
        lines += [block([formula])] if formula and not told else []
    moves = any(solution.values[name].kind not in _FIXED for solution, name in values)
    return with_state("\n\n".join(lines), known, told=bool(told), moves=moves)


def _under(solution: Solution, name: Name, *, first: bool, alone: bool) -> str:
    """The value under a law; of the first with its derivation."""
    by = "" if alone else f"under {code(solution.law)}"
    return _derived(solution, name, by) if first else f"{code(figure_of(solution, name))} {by}"


def _name_in(solution: Solution, use: Use) -> Name | None:
    """What a solution knows a use by; None where it has no such value."""
    return use.value if use.value in solution.values else _named(solution, use.name)


def _named(solution: Solution, text: str) -> Name | None:
    found = solution.named(text)
    return found.name if found else None


def figure_of(solution: Solution, name: Name) -> str:
    """A value with its interval."""
    value, quantities = solution.values[name], solution.problem.quantities
    ends = interval(name.text, value, quantities)
    return plain(f"{figure(name.text, value.value, value.dim, quantities)}{f' {ends}' if ends else ''}")


def _derived(solution: Solution, name: Name, by: str) -> str:
    """A value, how it is found, what went in, and what it rests on."""
    found = derivation(solution, name, 1)
    node = found.nodes[found.root.name]
    ends = f" {code(node.ends)}" if node.ends else ""
    lines = [f"**{literal(node.figure)}**{ends} {by} · {node.value.kind}".replace("  ", " ")]
    formulas = [f"= {text}" for text in (node.formula, node.substituted) if text]
    if formulas:
        lines.append(block([*formulas, *([node.letters] if node.letters else [])]))
    lines += [literal(limit) for limit in node.limits]
    inputs = [found.nodes[branch.name] for branch in found.root.inputs[:MAX_INPUTS]]
    if inputs:
        lines.append("\n".join(f"- {_input(one)}" for one in inputs))
    lines += [f"*{literal(node.source)}*"] if node.source else []
    return "\n\n".join(lines)


def _input(node: Node) -> str:
    said = code(f"{node.label} = {node.figure}")
    ends = f" {literal(node.ends)}" if node.ends else ""
    return f"{said}{ends} {node.value.kind}{f' · {literal(node.source)}' if node.source else ''}"


def _still_known(document: Document, use: Use) -> Iterator[str]:
    """What is known of a `let` before anything is solved: what it is, and what that comes to."""
    let = document.reading.lets.get(use.name) if use.kind == "let" else None
    if let is None:
        return
    value, dim = document.reading.let_values.get(use.name), document.reading.let_dims.get(use.name)
    if value is not None and dim is not None:
        yield f"**{literal(show(value, dim))}**"
    yield block([plain(let.span.said)])


def with_state(text: str, known: Known, *, told: bool, moves: bool = True) -> str:
    """A text with what a reader should know of how fresh its values are.

    Args:
        told: Whether it has any.
        moves: Whether any of them may have an interval.
    """
    if told and known.stale:
        return f"{text}\n\n*as the plan was before it was last edited*"
    if told and moves and known.solved and not known.solved.is_whole:
        return f"{text}\n\n*its interval is being computed*"
    return f"{text}\n\n*being solved*" if known.waiting and not told else text
