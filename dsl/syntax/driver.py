"""A text to its syntax tree by the LALR tables that Lark made of the grammar; what it does not take is left to Lark.

Lark's own driver makes trees of its own, which become ours in a second walk, and comes with the whole of Lark: reading
the first plan took longer than solving it. docs/design/0019-lark-makes-the-tables.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.statements import RESERVED
from runplan.dsl.syntax.tree import Node, Word
from runplan.dsl.text.limits import MAX_DEPTH
from runplan.dsl.text.pattern import pattern
from runplan.dsl.text.source import View
from runplan.dsl.types import TYPE_CHECKING

if TYPE_CHECKING:
    from re import Match

# How a terminal is told, and by what: a `text` as it is; a `word` that ends where a run of `_RUN` does; a `pattern`;
# and a `free` one, which is a pattern but for a run of `_WORD` that is reserved.
Terminal = tuple[str, str]
# The symbol that a reduction makes, and from how many parts; the name of its node, empty where its one part stands for
# it; and the parts that the node keeps: `i`, `~i` for one whose own parts are taken, None for one that is absent.
Rule = tuple[int, int, str, tuple[int | None, ...]]
# The names of symbols, terminals first and in the order in which they are tried, then `$END`, then the rules; the
# terminals; the pattern of what stands between tokens; the rules; for each state a line of pairs of a symbol and the
# state that follows it, or `~rule` where that is reduced first; and the first and last state of each start.
Stored = tuple[
    tuple[str, ...],
    tuple[Terminal, ...],
    str,
    tuple[Rule, ...],
    str,
    tuple[tuple[str, int, int], ...],
]
# The character for 0 in the lines of states: a text is loaded at once, seventeen thousand numbers one by one.
ZERO = 0x6000
# A state: what it does at a symbol; the terminals to try before words, whether to try words, and those after them.
_State = tuple[dict[int, int], tuple[int, ...], bool, tuple[int, ...]]
# What was read: the kind of a token, a node, or the parts of what is spread; its begin and end; the levels in it.
_Part = tuple["int | Node | list[Node | Word | None]", int, int, int]
# Where something begins and ends that has no place, as a rule without parts.
_NOWHERE = -1
_RUN = pattern(r"[\w-]+")
_WORD = pattern(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Expected:
    """What may stand at a place of a text.

    Attributes:
        terminals: Their names, such as `NAME` and `WEIGHT`.
        read: The tokens before the place: the terminal and the text of each.
    """

    terminals: frozenset[str]
    read: tuple[tuple[str, str], ...]


def patterns_of(tables: Stored) -> Iterator[str]:
    """The regular expressions that a driver reads by."""
    _, terminals, between, *_ = tables
    yield between
    yield from (what for how, what in terminals if how in ("pattern", "free"))


class Driver:
    """Reads texts by one set of tables."""

    def __init__(self, tables: Stored) -> None:
        self._symbols, self._terminals, between, self._rules, rows, starts = tables
        self._rows = rows.split("\n")
        self._between = pattern(between).match
        self._starts = {start: (first, last) for start, first, last in starts}
        self._words = {what: kind for kind, (how, what) in enumerate(self._terminals) if how == "word"}
        self._states: dict[int, _State] = {}
        self._matches: dict[int, Callable[[str, int], Match[str] | None]] = {}

    def tree(self, view: View, start: str) -> Node | None:
        """The tree of a text by a start rule; None where it has none, or one that is deeper than is read."""
        text, size, rules, after_all = view.text, len(view.text), self._rules, len(self._terminals)
        first, last = self._starts[start]
        states, parts = [first], list[_Part]()
        here = self._state(first)
        end = 0
        while True:
            at = self._between(text, end).end()  # type: ignore[union-attr]  # it matches nothing, too
            kind, end = self._token(text, at, here) if at < size else (after_all, size)
            while (action := here[0].get(kind)) is not None and action < 0:
                symbol, count, name, kept = rules[~action]
                if name:
                    rest = len(parts) - count
                    made = self._made(name, kept, parts[rest:], view)
                    if made[3] > MAX_DEPTH:
                        return None
                    parts[rest:] = [made]
                    del states[rest + 1 :]
                else:  # its one part stands for it
                    states.pop()
                state = self._state(states[-1])[0][symbol]
                if kind == after_all and state == last:
                    node = parts[0][0]
                    return node if isinstance(node, Node) else None
                states.append(state)
                here = self._state(state)
            if action is None:
                return None
            states.append(action)
            parts.append((kind, at, end, 0))
            here = self._state(action)

    def expected(self, text: str, at: int, start: str) -> Expected | None:
        """What may stand at a place, by all that stands before it; None where that is not of the language.

        A token that begins before the place and reaches beyond it is left out.
        """
        states, read = [self._starts[start][0]], list[tuple[str, str]]()
        end = 0
        while True:
            begin = self._between(text, end).end()  # type: ignore[union-attr]  # it matches nothing, too
            kind, end = self._token(text, begin, self._state(states[-1])) if begin < at else (-1, at + 1)
            if end > at:
                break
            if kind < 0 or not self._shifted(states, kind):
                return None
            read.append((self._symbols[kind], text[begin:end]))
        kinds = (kind for kind in self._state(states[-1])[0] if kind < len(self._terminals))
        return Expected(frozenset(self._symbols[k] for k in kinds if self._shifted(list(states), k)), tuple(read))

    def spelled(self, symbol: str) -> str:
        """The word that a terminal is; empty where it is none."""
        kind = self._symbols.index(symbol)
        return self._terminals[kind][1] if kind < len(self._terminals) and self._terminals[kind][0] == "word" else ""

    def _shifted(self, states: list[int], kind: int) -> bool:
        """Whether a terminal can come next; the states are then those behind it."""
        while (action := self._state(states[-1])[0].get(kind)) is not None and action < 0:
            symbol, count, _, _ = self._rules[~action]
            if count:
                del states[-count:]
            states.append(self._state(states[-1])[0][symbol])
        if action is not None:
            states.append(action)
        return action is not None

    def _made(self, name: str, kept: tuple[int | None, ...], parts: list[_Part], view: View) -> _Part:
        """What a rule makes of its parts: a node, or where its name begins with `_` a list for another to take."""
        begin = next((part[1] for part in parts if part[1] != _NOWHERE), _NOWHERE)
        end = next((part[2] for part in reversed(parts) if part[2] != _NOWHERE), _NOWHERE)
        children: list[Node | Word | None] = []
        levels = 0
        for i in kept:
            if i is None:
                children.append(None)
                continue
            part, start, stop, inner = parts[i if i >= 0 else ~i]
            if isinstance(part, int):
                children.append(Word(self._symbols[part], view.text[start:stop], view.span(start, stop)))
            elif isinstance(part, Node):
                children.append(part)
            elif children:
                children += part
            else:  # a list that grows at its end: copied each time, a long one would cost its square
                children = part
            levels = max(levels, inner)
        if name[0] == "_":
            return children, begin, end, levels
        span = view.span(0, 0) if begin == _NOWHERE else view.span(begin, end)
        return Node(name, tuple(children), span), begin, end, levels + 1

    def _state(self, number: int) -> _State:
        found = self._states.get(number)
        if found is None:
            row = [ord(c) - ZERO for c in self._rows[number]]
            actions = dict(zip(row[::2], row[1::2], strict=True))
            how = {kind: self._terminals[kind][0] for kind in actions if kind < len(self._terminals)}
            words = [kind for kind in how if how[kind] == "word"]
            split = words[0] if words else 0
            before = tuple(kind for kind in how if kind < split)
            after = tuple(kind for kind in how if kind >= split and how[kind] != "word")
            found = self._states[number] = actions, before, bool(words), after
        return found

    def _token(self, text: str, at: int, state: _State) -> tuple[int, int]:
        """The terminal at a place that a state takes, and its end; `(-1, at)` where it takes none."""
        actions, before, words, after = state
        for kind in before:
            if found := self._match(kind, text, at):
                return kind, found
        if words and (run := _RUN.match(text, at)) and (word := self._words.get(run[0])) in actions:
            return word, run.end()
        for kind in after:
            if found := self._match(kind, text, at):
                return kind, found
        return -1, at

    def _match(self, kind: int, text: str, at: int) -> int:
        """Where a terminal ends that begins at a place; 0 where none does."""
        how, what = self._terminals[kind]
        if how == "text":
            return at + len(what) if text.startswith(what, at) else 0
        if how == "free" and (run := _WORD.match(text, at)) and run[0] in RESERVED:
            return 0
        match = self._matches.get(kind)
        if match is None:
            match = self._matches[kind] = pattern(what).match
        found = match(text, at)
        return found.end() if found else 0
