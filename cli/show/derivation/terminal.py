"""A derivation as an indented tree for a terminal, and what would change the value at its root."""

from __future__ import annotations

from collections.abc import Sequence

from runplan.cli.show.derivation.content import Derivation, Node, derivation
from runplan.cli.show.derivation.explained import Explained
from runplan.cli.show.text.decisions import sections as decisions
from runplan.cli.show.text.ink import Styled
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.odds import odds_in_words
from runplan.cli.show.text.swings import section
from runplan.cli.show.text.terminal import Page, styled
from runplan.dsl.expr.name import Name
from runplan.engine.analysis.tornado import Swing
from runplan.engine.decide.alone import Alone
from runplan.engine.problem.parts import Kind
from runplan.engine.problem.solution import Solution

_KINDS: dict[Kind, str] = {
    "given": "green",
    "assumed": "yellow",
    "derived": "dim",
    "law": "cyan",
    "constant": "dim",
    "solved": "magenta",
}
TITLE = "What would change it: figures 10 % off, or over their range, each solved anew"
# However deep a tree grows, its texts keep so many columns.
_ROOM = 40


def render(explained: Explained, look: Look = PLAIN) -> str:
    """The tree, and a line for each figure that the value answers to."""
    found = derivation(explained.solution, explained.name, explained.depth)
    required = odds_section(explained.solution, found.root.name, look)
    changes = changes_section(explained.solution, explained.of, explained.swings(), look)
    return tree(found, look) + required + changes + choice_sections(explained.decided(), explained.solution, look)


def choice_sections(found: Alone | None, solution: Solution, look: Look = PLAIN) -> str:
    """Where what the plan chooses changes, and what is worth knowing for it."""
    page = Page(look)
    for one in decisions(found, solution) if found is not None else ():
        page.section(one)
    return page.text() if found is not None else ""


def odds_section(solution: Solution, name: Name, look: Look = PLAIN) -> str:
    """How likely each thing is that is required of a value; empty where nothing is."""
    told = list(odds_in_words((one for one in solution.odds if name in one.over), details=True))
    page = Page(look, _ROOM)
    if not told:
        return ""
    page.blank()
    page.put(styled("What is required of it", "bold"), 0)
    for text in told:
        page.put(styled(f"  {text}"), 0)
    return page.text()


def tree(found: Derivation, look: Look = PLAIN) -> str:
    """The derivation as an indented tree, no line longer than the page is wide."""
    page = Page(look, _ROOM)
    stack = [(found.root, "", "")]
    while stack:
        branch, first, rest = stack.pop()
        more = branch.inputs or branch.elsewhere or branch.unopened
        below = f"{rest}│   " if more else f"{rest}    "
        for i, text in enumerate(_texts(found.nodes[branch.name])):
            _print(page, text, below if i else first, below)
        if branch.elsewhere:
            others = ", ".join(found.nodes[other].label for other in branch.elsewhere)
            _print(
                page,
                styled(f"see {others}", "dim"),
                rest + ("├── " if branch.inputs or branch.unopened else "└── "),
                below,
            )
        if branch.unopened:
            _print(page, styled(f"… {branch.unopened} deeper", "dim"), f"{rest}└── ", below)
        for i, child in reversed(list(enumerate(branch.inputs))):
            ends = i == len(branch.inputs) - 1
            stack.append((child, rest + ("└── " if ends else "├── "), rest + ("    " if ends else "│   ")))
    return page.text()


def changes_section(solution: Solution, name: Name, found: Sequence[Swing], look: Look = PLAIN) -> str:
    """A line for each figure that the value of a name answers to."""
    if not found:
        return ""
    page = Page(look)
    page.section(section(solution, name, found, TITLE))
    return page.text()


def _texts(node: Node) -> list[Styled]:
    """The lines of one value: figure, formula, figures in the formula, source."""
    kind = node.value.kind
    head = styled(node.label, "bold")
    head.append(f" = {node.figure}")
    if node.ends:
        head.append(f"  {node.ends}", "dim")
    head.append(f"  [{kind}]", _KINDS[kind])
    lines = [head]
    if node.formula:
        lines.append(styled(node.formula if kind == "solved" else f"= {node.formula}"))
        if node.letters:
            lines[-1].append(f"   {node.letters}", "dim")
    if node.substituted:
        lines.append(styled(f"= {node.substituted}"))
    lines += [styled(f"  {limit}") for limit in node.limits]
    if node.below and len(lines) == 1 and len(node.below) < _ROOM:
        head.append(f"  {node.below}", "dim")
    elif node.below:
        lines.append(styled(node.below, "dim"))
    return lines


def _print(page: Page, text: Styled, first: str, rest: str) -> None:
    """A text behind its guide lines, wrapped."""
    guides = [_cut(guide, page.width) for guide in (first, rest)]
    for i, line in enumerate(text.lines(page.width - max(map(len, guides)))):
        guided = styled(guides[min(i, 1)], "dim")
        guided.append_text(line)
        page.put(guided, 0)


def _cut(guide: str, width: int) -> str:
    """The guide lines before a text, from the right where the tree is deeper than the page is wide."""
    most = max(width - _ROOM, 4)
    return guide if len(guide) <= most else f"…{guide[1 - most :]}"
