"""Text to a syntax tree by the Lark grammar, with one finding a mistake and recovery at the next statement."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.lexer import PatternRE, TerminalDef
from lark.parsers.lalr_analysis import Reduce

from runplan.dsl.syntax import cache
from runplan.dsl.syntax.tree import File, Node, Word
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.limits import MAX_CHARACTERS
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Source, Span, View
from runplan.dsl.text.words import cut

SEPARATORS = {"_NL", "SEMICOLON"}
MAX_NESTING = 64
MAX_DEPTH = 200
MAX_FINDINGS = 50
STARTS = (
    "file title law_names let_spec import_spec rate_spec calendar_spec hw_spec hw_value amount data_spec model_spec"
    " obj_spec reserve_spec sched_spec phase_spec opt_spec constraint goal sum device quantity"
).split()
# Words that join the parts of a statement; they are never a unit or a name in an expression.
RESERVED = (
    "for at and or not in to up from of as because until weight quality domain on within gives active MFU if then"
    " else evidence cites mix aliases extends unknown"
).split()
# Rules of which a block holds a list: where a mistake ends, the next one of these begins.
ITEMS = frozenset(
    "_statement _hw_pair model_pair opt_pair _law_item _rule_item constant entry number_row table_row"
    " _schedule_item".split()
)
STATEMENTS = (
    "plan use let import rate calendar hardware compute data tokens model objective inference reserve schedule phase"
    " stage optimizer require prefer minimize maximize law rule device mfu price region shape quantity override"
).split()
LAW_FIELDS = "objective counts corpus constants jointly let table fitted cites golden note".split()
SAID = {
    "TIMES": "`x`",
    "NAMED": "a name",
    "_NL": "end of line",
    "$END": "end of file",
    "NUMBER": "a number",
    "NAME": "a name",
    "STRING": "a quoted string",
    "UNIT": "a unit",
    "DEVICE": "a device name",
    "PATH": "a path",
    "DATE": "a date (YYYY-MM-DD)",
    "CMP": "a comparison (<=, >=, ...)",
    "HOLE": "`?`",
    "UPTO": "`up to`",
    "KIND": "`device`",
}
# What a mistake looks like in its line, and the way to write it; `\1` is what the writer wrote.
HINTS = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"\d,\d{3}", "write thousands without commas, or with underscores: 1_000"),
        (r"(\d[\d_.]*)\s+([kKMBTQ])\s+([A-Za-z]\w*)", r"join the multiplier to the number: `\1\2 \3`"),
        (r"(\d[\d_.]*)([mbt])(?=\s+[A-Za-z])", r"multipliers are K, M, B and T: did you mean `\g<0>` with a capital?"),
        (r"[$€£]\s*\d", "write money with its currency after it: `30M USD`"),
        (r"\bMFU\s*(?:=|of|:)?\s*(\d[\d.]*)\s*%?", r"write `at \1% MFU`"),
        (r"at(\d[\d.]*)\s*%\s*MFU", r"write `at \1% MFU`"),
        (r"(\d[\d.]*)\s*%\s*MFU", r"write `at \1% MFU`"),
        (r"\bupto\b", "write `up to`"),
        (r"=([<>])", r"write `\1=`"),
        (r"\bdata\s+([\w.-]+)\s+(\d\S*)", r"write `data \1: \2 ...`"),
    )
)
_NOT_A_NUMBER = re.compile(r"[+-]?\b(?:nan|inf|infinity)\b", re.IGNORECASE)


def _whole_words(terminal: TerminalDef) -> None:
    """Make each literal word a whole word that wins over a name, and keep joining words out of names and units.

    A bare "for" in a Lark rule also matches the front of `forever` where no name is possible.
    """
    if terminal.pattern.type == "str" and terminal.pattern.value.isalpha():
        terminal.pattern = PatternRE(terminal.pattern.value + r"(?![\w-])")
        terminal.priority = 3
    elif terminal.name in ("NAME", "UNIT"):
        terminal.pattern = PatternRE(rf"(?!(?:{'|'.join(RESERVED)})(?![\w.-]))" + terminal.pattern.value)


@lru_cache(1)
def _parser() -> Lark:
    text = Path(__file__).with_name("plan.lark").read_text(encoding="utf-8")
    folder = cache.folder()
    options: dict[str, Any] = {}
    if folder is not None:
        # Lark checks a hash of grammar, options and version itself; ours adds what it leaves out.
        from hashlib import blake2b

        mark = blake2b((text + repr(RESERVED)).encode(), digest_size=8).hexdigest()
        options["cache"] = str(folder / f"grammar-{mark}.bin")
    return Lark(
        text,
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=True,
        edit_terminals=_whole_words,
        **options,
    )


def parse_file(source: Source) -> tuple[File, list[Finding]]:
    """A `.plan` file as a syntax tree, and what is wrong with it."""
    tree, findings = parse(View(source.text, source), "file")
    return File(source, tuple(tree.nodes()) if tree else (), comments(source)), findings


def parse(view: View, start: str) -> tuple[Node | None, list[Finding]]:
    """The tree of a text by one start rule, and what is wrong with it.

    With start `file`, recovery goes on after each mistake; the tree then holds what was understood.
    """
    limit = _beyond_limits(view)
    if limit:
        return None, [limit]
    findings: list[Finding] = []
    seen: set[int] = set()
    unfinished = 0

    def recover(error: UnexpectedInput) -> bool:
        nonlocal unfinished
        found = _finding(error, view)
        span = found.at.span
        # A second stumble on the same line comes of the first, and so does the rest of a line that broke off.
        if span.line not in seen and not (found.code == "N001" and span.line == unfinished and span.column > 1):
            findings.append(found)
        seen.add(span.line)
        if isinstance(error, UnexpectedToken) and error.token.type == "_NL":
            unfinished = span.line + 1
        return start == "file" and len(findings) < MAX_FINDINGS and _skip(error, view.text)

    try:
        tree = _parser().parse(view.text, start=start, on_error=recover)
    except UnexpectedInput as error:
        if not findings:
            findings.append(_finding(error, view))
        return None, findings
    node, too_deep = _convert(tree, view)
    if too_deep is not None:
        return None, [
            *findings,
            finding("S004", f"an expression has more than {MAX_DEPTH} terms or levels", too_deep),
        ]
    return node, findings


def _convert(tree: Any, view: View) -> tuple[Node, Span | None]:
    """Lark's tree as ours, without recursion; also the place that is too deep, where there is one."""

    def leaf(token: Token) -> Word:
        start = token.start_pos or 0
        return Word(token.type, str(token), view.span(start, start + len(token)))

    too_deep: Span | None = None
    done: dict[int, tuple[Node, int]] = {}
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        item, ready = stack.pop()
        if not ready:
            stack.append((item, True))
            stack.extend((child, False) for child in item.children if isinstance(child, Tree))
            continue
        children: list[Node | Word | None] = []
        depth = 0
        for child in item.children:
            if isinstance(child, Tree):
                node, below = done.pop(id(child))
                depth = max(depth, below)
                children.append(node)
            elif isinstance(child, Token):
                children.append(leaf(child))
            else:
                children.append(None)
        meta = item.meta
        span = view.span(0, 0) if meta.empty else view.span(meta.start_pos, meta.end_pos)
        if depth + 1 > MAX_DEPTH and too_deep is None:
            too_deep = span
        done[id(item)] = (Node(str(item.data), tuple(children), span), depth + 1)
    return done[id(tree)][0], too_deep


# A quote that is not closed reaches to the end of its line; possessive, so that no text makes it slow.
_QUOTED_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*+"?|#[^\n]*')


def comments(source: Source) -> tuple[Word, ...]:
    """The comments of a text, each with its `#`."""
    return tuple(
        Word("COMMENT", m[0], Span(source, m.start(), m.end()))
        for m in _QUOTED_OR_COMMENT.finditer(source.text)
        if m[0].startswith("#")
    )


def _beyond_limits(view: View) -> Finding | None:
    text = view.text
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        return finding("S004", message, view.span(0, 0))
    depth = 0
    quoted = [(m.start(), m.end()) for m in _QUOTED_OR_COMMENT.finditer(text)]
    at = 0
    for start, end in [*quoted, (len(text), len(text))]:
        for m in re.finditer(r"[()\[\]{}]", text[at:start]):
            depth += 1 if m[0] in "([{" else -1
            if depth > MAX_NESTING:
                here = at + m.start()
                return finding("S004", f"brackets are nested more than {MAX_NESTING} deep", view.span(here, here + 1))
        at = end
    return None


def _skip(error: UnexpectedInput, text: str) -> bool:
    """Move parser and lexer past a mistake: back to where an item can start, and to the end of its line."""
    interactive = getattr(error, "interactive_parser", None)
    if interactive is None:
        return False
    state = interactive.parser_state
    states = state.parse_conf.parse_table.states
    _finish_item(state, interactive.accepts())
    while len(state.state_stack) > 1 and not (ITEMS & set(states[state.state_stack[-1]])):
        state.state_stack.pop()
        state.value_stack.pop()
    lexer = interactive.lexer_thread.state
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return False
        start = error.token.start_pos or 0
    else:
        start = getattr(error, "pos_in_stream", None) or 0
    in_block = not ({"_statement"} & set(states[state.state_stack[-1]])) or len(state.state_stack) > 2
    here = lexer.line_ctr.char_pos
    position = _end_of_item(text, start, in_block)
    if position >= here or text[position - 1 : position] == "\n":
        # Where an item can begin, the empty lines and comments before it have been passed.
        position = _EMPTY_LINES.match(text, max(position, here)).end()  # type: ignore[union-attr]
    if position > here:  # else the failing token was the line end, which the lexer has taken already
        lexer.line_ctr.feed(text[here:position])
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


_EMPTY_LINES = re.compile(r"(?:[ \t\f]*(?:#[^\n]*)?(?:\r?\n|;))*+")
# As the terminal CONT of the grammar.
_CONTINUES = re.compile(
    r"[ \t]*(?:[@*/+]|(?:for|at|up|weight|because|and|or|in|then|else|within|gives|evidence|quality|domain)"
    r"(?!\w)(?![ \t]*[:=(]))"
)


def _end_of_item(text: str, start: int, in_block: bool) -> int:
    """The offset just past the statement or pair in which `start` lies, a `{...}` that it opens included."""
    depth = 0
    at = start
    while at < len(text):
        c = text[at]
        if c == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        if c == '"':
            m = _QUOTED_OR_COMMENT.match(text, at)
            at = m.end() if m else at + 1
            continue
        if c == "{":
            depth += 1
        elif c == "}":
            if depth == 0:
                if in_block:
                    return at
                at += 1
                continue
            depth -= 1
        elif c in "\n;" and depth == 0 and not _CONTINUES.match(text, at + 1):
            return at + 1
        at += 1
    return len(text)


def _expected(error: UnexpectedInput) -> list[str]:
    """The terminals that would have been right. `accepts` simulates each; `expected` lists merged look-aheads."""
    interactive: Any = getattr(error, "interactive_parser", None)
    names: set[str] = set(interactive.accepts() if interactive else getattr(error, "allowed", None) or ())
    names -= {"SEMICOLON"}
    if len(names) > 3:
        names.discard("$END")
    first = ["NUMBER", "NAME", "UNIT", "DEVICE", "STRING", "TIMES"]
    return sorted(names, key=lambda n: (first.index(n) if n in first else len(first), n))


@lru_cache(1)
def _words_of_terminals() -> dict[str, str]:
    words = {}
    for terminal in _parser().terminals:
        m = re.fullmatch(r"([A-Za-z]+)\(\?!\[\\w-\]\)", terminal.pattern.value)
        words[terminal.name] = m[1] if m else terminal.pattern.value
    return words


def _said(terminal: str) -> str:
    return SAID.get(terminal) or f"`{_words_of_terminals().get(terminal, terminal)}`"


def _unknown_field(error: UnexpectedInput) -> str | None:
    """The word at which an item of a law begins, where it was taken for the name of a formula and is none."""
    interactive: Any = getattr(error, "interactive_parser", None)
    stack = interactive.parser_state.value_stack if interactive else []
    word = stack[-1] if stack else None
    begins = len(stack) > 1 and getattr(stack[-2], "type", "") != "TABLE"
    return str(word) if begins and getattr(word, "type", "") == "NAME" else None


def _finding(error: UnexpectedInput, view: View) -> Finding:
    text = view.text
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            start = len(text.rstrip())
            what, end = "end of file", start
        else:
            start = token.start_pos or 0
            what = "end of line" if token.type == "_NL" else f"`{cut(str(token))}`"
            end = start if token.type == "_NL" else start + len(token)
    else:
        assert isinstance(error, UnexpectedCharacters)
        token = None
        start = error.pos_in_stream or 0
        end = start + 1
        c = text[start]
        what = "a quote that is not closed on its line" if c == '"' else f"character {c!r}"
    span = view.span(start, end)
    expected = _expected(error)
    at_statement = "LET" in expected and "HARDWARE" in expected
    if at_statement and token is not None and re.match(r"[A-Za-z_]", str(token)):
        word = re.match(r"[\w.-]+", text[start:])
        name = word[0] if word else str(token)
        help = did_you_mean(name, STATEMENTS)
        return finding(
            "N001",
            f"unknown statement `{cut(name)}`",
            view.span(start, start + len(name)),
            help=help or ["a statement begins with " + ", ".join(f"`{s}`" for s in STATEMENTS[:9]) + ", ..."],
        )
    field = _unknown_field(error) if expected == ["LPAR"] else None
    if field is not None:
        listed = "a law has " + ", ".join(f"`{name_}`" for name_ in LAW_FIELDS) + ", and formulas"
        help = did_you_mean(field, LAW_FIELDS) or [listed]
        at = text.rfind(field, 0, start)
        return finding("N001", f"unknown field `{cut(field)}` in `law`", view.span(at, at + len(field)), help=help)
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    # Only what is near: a line may be long, and another mistake in it is not this one.
    first, last = max(line_start, start - 24), min(line_end, start + 24)
    for m in _NOT_A_NUMBER.finditer(text, first, last):
        if m.start() <= start <= m.end() + 1:
            message = f"`{m[0]}` is not a number that a plan can use"
            return finding("U004", message, view.span(m.start(), m.end()))
    help = [
        m.expand(hint)
        for pattern, hint in HINTS
        for m in pattern.finditer(text, first, last)
        if m.start() - 1 <= start <= m.end() + 1
    ][:1]
    if not help and expected == ["TIMES"]:
        help = ["write `COUNT x DEVICE`, such as `1000 x H100`"]
    if not help and str(token) == "=" and "CMP" in expected:
        help = ["compare with `<=`, `>=` or `==`"]
    if not help and token is not None and str(token) in RESERVED and {"NAME", "NAMED"} & set(expected):
        help = [f"`{token}` is a word of the language: as a name it is put in quotes, where a name may be quoted"]
    if not help and token is not None and re.match(r"[A-Za-z_]", str(token)):
        words = [w for name in expected if (w := _words_of_terminals().get(name, "")).isalpha()]
        if "UPTO" in expected:
            words.append("up to")
        help = did_you_mean(str(token), words)
    said = list(dict.fromkeys(map(_said, expected)))
    message = f"unexpected {what}"
    if at_statement:
        message += "; expected a statement"
    elif said:
        message += "; expected " + ", ".join(said[:6]) + (", ..." if len(said) > 6 else "")
    return finding("S001", message, span, help=help)
