"""Lark's LALR tables of the grammar as plain data for the driver: `python -m runplan.dsl.syntax.tables FILE.py`.

The tables are Lark's own: what a state does at a symbol, and how the parts of a rule become a node. The build of the
wheel writes them as a module; an installation from the sources keeps them in the user's cache.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lark import Lark
from lark.lexer import TerminalDef
from lark.parsers.lalr_analysis import Shift

from runplan.dsl.syntax.driver import ZERO, Rule, Stored, Terminal
from runplan.dsl.syntax.grammar import FREE, WHOLE, lark
from runplan.dsl.types import Any


def tables_of(parser: Lark) -> Stored:
    """The tables of a parser; the driver says what each of their parts means.

    Raises:
        ValueError: For a grammar that needs more than the driver does.
    """
    table: Any = parser.parser.parser._parse_table
    states: dict[int, dict[str, tuple[object, Any]]] = table.states
    lexer: Any = parser.parser.lexer
    _nothing_is_retyped(lexer)
    # In the order in which a lexer of Lark tries them: `BasicLexer.__init__`.
    terminals = sorted(
        parser.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name)
    )
    names = [t.name for t in terminals]
    rules = sorted({name for row in states.values() for name in row} - {*names, "$END"})
    symbols = (*names, "$END", *rules)
    number = {name: i for i, name in enumerate(symbols)}
    reached: list[int] = list(table.start_states.values())
    place = {state: i for i, state in enumerate(reached)}  # Lark numbers states by chance: here as they are reached
    reduced: dict[Any, int] = {}
    rows = []
    for state in reached:  # which grows
        row: list[int] = []
        for name, (action, to) in sorted(states[state].items(), key=lambda item: number[item[0]]):
            if action is not Shift:
                row += number[name], ~reduced.setdefault(to, len(reduced))
                continue
            if to not in place:
                place[to] = len(reached)
                reached.append(to)
            row += number[name], place[to]
        rows.append("".join(chr(ZERO + n) for n in row))
    ignored = (t.pattern.to_regexp() for t in terminals if t.name in lexer.root_lexer.ignore_types)
    return (
        symbols,
        tuple(map(_terminal, terminals)),
        f"(?:{'|'.join(ignored)})*",
        tuple(_rule(rule, number) for rule in reduced),
        "\n".join(rows),
        tuple((start, place[first], place[table.end_states[start]]) for start, first in table.start_states.items()),
    )


def _nothing_is_retyped(lexer: Any) -> None:
    """Lark gives a token another type where a pattern matches a literal; the driver does not."""
    retyped = {name for one in set(lexer.lexers.values()) if one.scanner for name in one.callback}
    if retyped:
        raise ValueError(f"terminals that match a literal: {', '.join(sorted(retyped))}")


def _terminal(terminal: TerminalDef) -> Terminal:
    pattern = terminal.pattern.value
    if terminal.pattern.type == "str":
        return "text", pattern
    if pattern.removesuffix(WHOLE).isalpha():
        return "word", pattern.removesuffix(WHOLE)
    if pattern.startswith(FREE):
        return "free", pattern.removeprefix(FREE)
    return "pattern", terminal.pattern.to_regexp()


def _rule(rule: Any, number: dict[str, int]) -> Rule:
    """What a reduction makes, as `lark.parse_tree_builder` has it with positions and placeholders."""
    kept = tuple(_kept(rule))
    origin = str(rule.origin.name)
    name = str(rule.alias or rule.options.template_source or origin)
    if rule.options.expand1 and not rule.alias:
        if kept != (0,) or len(rule.expansion) != 1:
            raise ValueError(f"`?{origin}` stands for one of several parts: give the alternative a name")
        name = ""
    return number[origin], len(rule.expansion), name, kept


def _kept(rule: Any) -> Iterator[int | None]:
    """The parts of a rule that its node keeps: `i`, `~i` where it is spread, and None for a part that is absent."""
    absent = [len(run) for run in "".join("1" if a else "0" for a in rule.options.empty_indices).split("0")]
    absent = absent if rule.options.empty_indices else [0] * (len(rule.expansion) + 1)
    for i, symbol in enumerate(rule.expansion):
        yield from [None] * absent[i]
        if not symbol.is_term:
            yield ~i if symbol.name.startswith("_") else i
        elif rule.options.keep_all_tokens or not symbol.filter_out:
            yield i
    yield from [None] * absent[-1]


def main() -> None:
    """Write the tables as a module."""
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(f'"""The tables of the grammar, by Lark: see tables.py."""\n\nTABLES = {tables_of(lark())!r}\n')


if __name__ == "__main__":
    main()
