"""A value of a solution to the tree behind it, as data: what each value is, how it came about, and what went in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runplan.cli.show.derivation import words
from runplan.cli.show.derivation.names import figure_of, target
from runplan.cli.show.text.figures import interval
from runplan.cli.show.text.names import said
from runplan.dsl.dataclass import dataclass, field
from runplan.dsl.expr.name import Name
from runplan.dsl.expr.tree import Ref, walk
from runplan.engine.problem.solution import Solution, Value


@dataclass(slots=True)
class Branch:
    """A value in the tree of another.

    Attributes:
        inputs: What went into it and is opened here.
        elsewhere: What went into it, too, and is opened at another place of the tree.
        unopened: How many values went into it that are deeper than was asked for.
    """

    name: Name
    inputs: list[Branch] = field(default_factory=list)
    elsewhere: list[Name] = field(default_factory=list)
    unopened: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """What is said of one value.

    Attributes:
        value: With the dimension of its expression where it is a `let`.
        label: Its name as a reader would say it.
        ends: Its interval, in brackets.
        formula: As written; empty where that only says the figure again.
        letters: What the letters of a law's formula stand for.
        substituted: The formula with the figures in it.
        limits: What holds a solved value.
        source: What it rests on, and where that stands; `below` what of it the value above in the tree has not said.
        inputs: The values that went in.
    """

    value: Value
    label: str
    figure: str
    ends: str
    formula: str
    letters: str
    substituted: str
    limits: tuple[str, ...]
    source: str
    below: str
    inputs: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Derivation:
    """Where a value of a solution comes from.

    Attributes:
        name: As it was asked for.
        root: The tree, in which each value is opened once.
        nodes: The values of the tree by name, in the order in which they are shown.
    """

    solution: Solution
    name: Name
    root: Branch
    nodes: Mapping[Name, Node]


def derivation(solution: Solution, name: Name, depth: int | None = None) -> Derivation:
    """The derivation of a value, to so many levels below it; to what is given or assumed unless said.

    Raises:
        KeyError: The solution has no value of that name.
    """
    root = _grown(solution, name, depth)
    return Derivation(solution, name, root, {child: _node(solution, child, above) for child, above in _walked(root)})


def _node(solution: Solution, name: Name, above: Name | None) -> Node:
    value = solution.values[name]
    return Node(
        value=value,
        label=said(solution, name),
        figure=figure_of(solution, value),
        ends=interval(name.text, value, solution.problem.quantities),
        formula=words.formula(solution, value),
        letters=words.letters(solution, value),
        substituted=words.substituted(solution, value),
        limits=tuple(words.limits(solution, value)),
        source=words.source(solution, value, None),
        below=words.source(solution, value, above),
        inputs=tuple(_inputs(solution, name)),
    )


def _grown(solution: Solution, name: Name, depth: int | None) -> Branch:
    """The tree of a value; each is opened once, as near to the root as its first mention, so that cycles end."""
    root = Branch(target(solution, name))
    if root.name not in solution.values:
        raise KeyError(str(name))
    opened = {root.name}
    stack = [(root, 0)]
    while stack:
        branch, level = stack.pop()
        for name in _inputs(solution, branch.name):
            if name in opened:
                branch.elsewhere.append(name)
            elif level == depth:
                branch.unopened += 1
            else:
                opened.add(name)
                branch.inputs.append(Branch(name))
        stack.extend((child, level + 1) for child in reversed(branch.inputs))
    return root


def _walked(root: Branch) -> Iterator[tuple[Name, Name | None]]:
    """The values of a tree in the order in which they are shown, each with the one above it."""
    stack: list[tuple[Branch, Name | None]] = [(root, None)]
    while stack:
        branch, above = stack.pop()
        yield branch.name, above
        stack.extend((child, branch.name) for child in reversed(branch.inputs))


def _inputs(solution: Solution, name: Name) -> list[Name]:
    """The values that went into a value, in the order in which its formula names them."""
    definition = solution.problem.definitions.get(name)
    order = [item.name for item in walk(definition.expr) if isinstance(item, Ref)] if definition else []
    targets = [target(solution, i) for i in (*order, *solution.values[name].inputs) if i in solution.values]
    return [target for target in dict.fromkeys(targets) if target != name]
