"""Text to a syntax tree by Lark and its grammar, with one finding a mistake and recovery at the next statement."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken
from lark.lexer import PatternRE, TerminalDef

from runplan.dsl.syntax.comments import said_until
from runplan.dsl.syntax.messages import finding_of
from runplan.dsl.syntax.mistake import Mistake
from runplan.dsl.syntax.recovery import skip
from runplan.dsl.syntax.statements import ALL, CONTINUED, KINDS, OF_PLANS, RESERVED
from runplan.dsl.syntax.tree import Node, Word
from runplan.dsl.text import store
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_DEPTH, MAX_FINDINGS
from runplan.dsl.text.source import Span, View
from runplan.dsl.types import Any

# How a literal word ends, and what a name or a unit must not be: a word that joins the parts of a statement.
WHOLE = r"(?![\w-])"
FREE = rf"(?!(?:{'|'.join(RESERVED)})(?![\w.-]))"
# What may be parsed on its own: a file, the value of a statement, and some parts of those.
STARTS = tuple(dict.fromkeys(("file", *(row.value for row in OF_PLANS if row.value), "sum", "quantity", "device")))


@lru_cache(1)
def grammar_text() -> str:
    """The grammar: plan.lark, and how the statements of the table begin."""
    heads = []
    for row in OF_PLANS:
        if row.value:
            named = "(NAMED | STRING) " if row.times == "name" else ""
            words = " ".join(f'"{word}"' for word in row.keyword.split()) + (f' | "{row.also}"' if row.also else "")
            heads.append(f'{row.rule}: ({words}) {named}":"{"" if named else "?"} {row.value}')
    any_statement = f"_statement: {' | '.join(dict.fromkeys(row.rule for row in ALL))}"
    with open(os.path.join(os.path.dirname(__file__), "plan.lark"), encoding="utf-8") as file:
        return "\n".join((file.read(), any_statement, *heads, ""))


def from_the_table(terminal: TerminalDef) -> None:
    """Give a terminal what the table of statements says of its words.

    A literal word is a whole word that wins over a name: a bare "for" in a Lark rule also matches the front of
    `forever` where no name is possible. Joining words are kept out of names and units.
    """
    if terminal.pattern.type == "str" and terminal.pattern.value.isalpha():
        terminal.pattern = PatternRE(terminal.pattern.value + WHOLE)
        terminal.priority = 3
    elif terminal.name in ("NAME", "UNIT"):
        terminal.pattern = PatternRE(FREE + terminal.pattern.value)
    elif terminal.name == "CONT":
        terminal.pattern = PatternRE(rf"\r?\n(?={CONTINUED})")
    elif terminal.name == "KIND":
        terminal.pattern = PatternRE(rf"(?:{'|'.join(KINDS)})(?!\w)")


@lru_cache(1)
def lark() -> Lark:
    """Lark with the grammar, compiled, and kept compiled in the user's cache."""
    text = grammar_text()
    options: dict[str, Any] = {}
    if store.folder() is not None:
        # Lark checks a hash of grammar, options and version itself; ours adds what it leaves out.
        from hashlib import blake2b

        mark = blake2b(repr((text, RESERVED, CONTINUED, KINDS)).encode(), digest_size=8).hexdigest()
        options["cache"] = store.place(f"grammar-{mark}.bin") or False
    return Lark(
        text,
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=True,
        edit_terminals=from_the_table,
        **options,
    )


def explained(view: View, start: str) -> tuple[Node | None, list[Finding]]:
    """The tree of a text by one start rule as Lark reads it, and what is wrong with it.

    With start `file`, recovery goes on after each mistake; the tree then holds what was understood.
    """
    findings: list[Finding] = []
    stumbled: dict[int, set[tuple[str, ...]]] = {}
    read_on: int | None = 0
    unfinished = 0

    def recover(error: UnexpectedInput) -> bool:
        nonlocal read_on, unfinished
        mistake = _mistake(error, view, start)
        found = finding_of(mistake)
        span = found.at.span
        # A stumble in what was passed over comes of the first, and so does the rest of a line that broke off.
        goes_on = span.line in stumbled and not mistake.begins_statement
        goes_on = goes_on or (span.line == unfinished and span.column > 1)
        # Who leaves out a colon leaves out those beside it too: that is one mistake.
        again = mistake.expected in stumbled.setdefault(span.line, set())
        goes_on = goes_on and (found.code == "N001" or mistake.at_statement)
        if mistake.end >= (read_on or 0) and not (again or goes_on):
            findings.append(found)
        stumbled[span.line].add(mistake.expected)
        if isinstance(error, UnexpectedToken) and error.token.type == "_NL":
            unfinished = span.line + 1
        read_on = skip(error, view.text) if start == "file" and len(findings) < MAX_FINDINGS else None
        return read_on is not None

    try:
        tree = lark().parse(view.text, start=start, on_error=recover)
    except UnexpectedInput as error:
        if not findings:
            findings.append(finding_of(_mistake(error, view, start)))
        return None, findings
    node, too_deep = _converted(tree, view)
    if too_deep is not None:
        message = f"an expression has more than {MAX_DEPTH} terms or levels"
        return None, [*findings, finding("S004", message, too_deep)]
    return node, findings


def _converted(tree: Tree[Token], view: View) -> tuple[Node, Span | None]:
    """Lark's tree as ours, without recursion; also the place that is too deep, where there is one."""
    too_deep: Span | None = None
    done: dict[int, tuple[Node, int]] = {}
    for item in _children_first(tree):
        children: list[Node | Word | None] = []
        depth = 0
        for child in item.children:
            if isinstance(child, Tree):
                node, levels = done.pop(id(child))
                children.append(node)
                depth = max(depth, levels)
            else:
                children.append(None if child is None else _leaf(child, view))
        depth += 1
        meta = item.meta
        span = view.span(0, 0) if meta.empty else view.span(meta.start_pos, meta.end_pos)
        if depth > MAX_DEPTH and too_deep is None:
            too_deep = span
        done[id(item)] = (Node(str(item.data), tuple(children), span), depth)
    return done[id(tree)][0], too_deep


def _children_first(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    stack: list[tuple[Tree[Token], bool]] = [(tree, False)]
    while stack:
        item, ready = stack.pop()
        if ready:
            yield item
        else:
            stack.append((item, True))
            stack.extend((child, False) for child in item.children if isinstance(child, Tree))


def _leaf(token: Token, view: View) -> Word:
    start = token.start_pos or 0
    return Word(token.type, str(token), view.span(start, start + len(token)))


# ---- Lark's errors


def _parses(text: str, start: str) -> bool:
    """Whether a text can be read by a start rule."""
    try:
        lark().parse(text, start=start)
    except UnexpectedInput:
        return False
    return True


def _mistake(error: UnexpectedInput, view: View, rule: str) -> Mistake:
    """Where Lark stopped, and what it would have gone on with."""
    expected, item = _expected(error), _law_item(error)
    if not isinstance(error, UnexpectedToken):
        start = getattr(error, "pos_in_stream", None) or 0
        return Mistake(view, start, start + 1, "", expected, item, _spelled(), rule, _parses)
    token = error.token
    start = token.start_pos or 0
    end = start + len(token)
    if token.type in ("_NL", "$END"):  # what is missing belongs behind what was written
        start = end = said_until(view.text, start if token.type == "_NL" else len(view.text))
    return Mistake(view, start, end, token.type, expected, item, _spelled(), rule, _parses)


def _expected(error: UnexpectedInput) -> tuple[str, ...]:
    """The terminals that would have been right. `accepts` simulates each; `expected` lists merged look-aheads."""
    interactive: Any = getattr(error, "interactive_parser", None)
    names: set[str] = set(interactive.accepts() if interactive else getattr(error, "allowed", None) or ())
    names -= {"SEMICOLON"}
    if len(names) > 3:
        names.discard("$END")
    first = ["NUMBER", "NAME", "UNIT", "DEVICE", "STRING", "TIMES"]
    return tuple(sorted(names, key=lambda n: (first.index(n) if n in first else len(first), n)))


def _law_item(error: UnexpectedInput) -> str:
    """The word at which an item of a law begins, where it was taken for the name of a formula."""
    interactive: Any = getattr(error, "interactive_parser", None)
    stack = interactive.parser_state.value_stack if interactive else []
    begins = len(stack) > 1 and getattr(stack[-2], "type", "") != "TABLE"
    return str(stack[-1]) if begins and getattr(stack[-1], "type", "") == "NAME" else ""


@lru_cache(1)
def _spelled() -> Mapping[str, str]:
    words = {}
    for terminal in lark().terminals:
        words[terminal.name] = terminal.pattern.value.removesuffix(WHOLE)
    return words
