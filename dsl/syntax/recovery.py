"""A mistake in a text to the next place where the parser can go on: the rest of its line or block is passed over."""

from __future__ import annotations

import re

from lark import UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_analysis import Reduce

from runplan.dsl.syntax.comments import QUOTED_OR_COMMENT
from runplan.dsl.syntax.statements import CONTINUED
from runplan.dsl.types import Any

# Rules of which a block holds a list: where a mistake ends, the next one of these begins.
ITEMS = frozenset(
    "_statement _hw_pair model_pair opt_pair _law_item _rule_item constant entry number_row table_row"
    " _schedule_item quantity_item".split()
)
SEPARATORS = {"_NL", "SEMICOLON", "COMMA"}
# Those that a comma ends, too.
FIELDS = frozenset(("_hw_pair", "model_pair", "opt_pair"))
_EMPTY_LINES = re.compile(r"(?:[ \t\f]*(?:#[^\n]*)?(?:\r?\n|;))*+")
# What stands in brackets ends with them, whatever commas there are.
_LISTED = re.compile(r"\[[^][\n]*+\]|\([^()\n]*+\)")
_CONTINUES = re.compile(CONTINUED)


def skip(error: UnexpectedInput, text: str) -> int | None:
    """Move parser and lexer past a mistake: back to where an item can start, and to the end of its line.

    Returns: From where it is read on; None where there is nothing left to read.
    """
    interactive: Any = getattr(error, "interactive_parser", None)
    if interactive is None:
        return None
    state = interactive.parser_state
    states = state.parse_conf.parse_table.states
    _finish_item(state, interactive.accepts())
    closed = 0  # blocks that end before the mistake: nothing is read on in them
    while len(state.state_stack) > 1 and (closed or not (ITEMS & set(states[state.state_stack[-1]]))):
        state.state_stack.pop()
        mark = getattr(state.value_stack.pop(), "type", "")
        closed += (mark == "RBRACE") - (mark == "LBRACE" and closed > 0)
    lexer = interactive.lexer_thread.state
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return len(text) if _without_the_last(interactive) else None
        start = error.token.start_pos or 0
    else:
        start = getattr(error, "pos_in_stream", None) or 0
    in_block = "_statement" not in states[state.state_stack[-1]] or len(state.state_stack) > 2
    here = lexer.line_ctr.char_pos
    ends = "\n;," if FIELDS & set(states[state.state_stack[-1]]) else "\n;"
    position = _end_of_item(text, start, in_block, ends)
    if position >= here or text[position - 1 : position] == "\n":
        # Where an item can begin, the empty lines and comments before it have been passed.
        position = _EMPTY_LINES.match(text, max(position, here)).end()  # type: ignore[union-attr]
    if position > here:  # else the failing token was the line end, which the lexer has taken already
        lexer.line_ctr.feed(text[here:position])
    elif position == start and "RBRACE" in interactive.accepts():  # it closes a block whose last field broke off
        lexer.line_ctr.char_pos = position
    return max(position, int(lexer.line_ctr.char_pos))


def _without_the_last(interactive: Any) -> bool:
    """Leave out the statement that a text breaks off in, with all that is in it; what stands before it is a file.

    Returns: Whether the parser can end there.
    """
    state = interactive.parser_state
    while "$END" not in interactive.accepts():
        if len(state.state_stack) <= 1:
            return False
        state.state_stack.pop()
        state.value_stack.pop()
    return True


def _finish_item(state: Any, accepted: set[str]) -> None:
    """Reduce the item that ended before the mistake: it waits for the next token, and would be dropped with it."""
    top = state.value_stack[-1] if state.value_stack else None
    if getattr(top, "type", "") not in SEPARATORS and not str(getattr(top, "data", "")).startswith("_s"):
        return
    begins = sorted(accepted - SEPARATORS - {"RBRACE", "$END"})
    states = state.parse_conf.parse_table.states
    while begins:
        action, rule = states[state.state_stack[-1]].get(begins[0], (None, None))
        if action is not Reduce:
            return
        size = len(rule.expansion)
        values = state.value_stack[len(state.value_stack) - size :]
        del state.state_stack[len(state.state_stack) - size :], state.value_stack[len(state.value_stack) - size :]
        state.value_stack.append(state.parse_conf.callbacks[rule](values))
        state.state_stack.append(states[state.state_stack[-1]][rule.origin.name][1])


def _end_of_item(text: str, start: int, in_block: bool, ends: str) -> int:
    """The offset just past the statement or pair in which `start` lies, a `{...}` that it opens included.

    Args:
        ends: The characters that end one.
    """
    depth = 0
    at = start
    while at < len(text):
        c = text[at]
        m = QUOTED_OR_COMMENT.match(text, at) if c in '#"' else _LISTED.match(text, at) if c in "[(" else None
        if m:
            at = m.end()
            continue
        if c == "{":
            depth += 1
        elif c == "}" and depth > 0:
            depth -= 1
        elif c == "}" and in_block:
            return at
        elif c in ends and depth == 0 and not _CONTINUES.match(text, at + 1):
            return at + 1
        at += 1
    return len(text)
