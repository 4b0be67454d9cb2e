"""A mistake in a text to the finding that says what is wrong, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runplan.dsl.syntax.mistake import GOING_ON, IS_WORD, Mistake
from runplan.dsl.syntax.mistake_help import help_with
from runplan.dsl.syntax.statements import KEYWORDS, KINDS, LAW_FIELDS, OF_PLANS
from runplan.dsl.text.elsewhere import answer, renamed
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import offered, respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.words import cut, listing
from runplan.dsl.units.table import names as units

# How terminals are said that are no word of the language.
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
    "CMP": "a comparison (`<=`, `>=`, `==`)",
    "HOLE": "`?`",
    "UPTO": "`up to`",
    "KIND": "`device`",
    "HOURS": "`GPU-hours`",
}
_ENDS = ("_NL", "$END")
# Characters of a line that is looked into for what was meant: what is looked for may take as long as their square.
LONGEST_LINE = 2_000
_NOT_A_NUMBER = re.compile(r"[+-]?\b(?:nan|inf|infinity)\b", re.IGNORECASE)


def finding_of(mistake: Mistake) -> Finding:
    """The finding for a mistake; in a line that nobody has written by hand, what does not fit, and no more."""
    start, end = mistake.line
    if end - start > LONGEST_LINE:
        return finding("S001", _unexpected(mistake), mistake.view.span(mistake.start, mistake.end))
    return (
        _unknown_statement(mistake)
        or _no_definition(mistake)
        or _no_times(mistake)
        or _unknown_law_field(mistake)
        or _unfinished_phase(mistake)
        or _not_a_number(mistake)
        or _in_thousands(mistake)
        or _open_bound(mistake)
        or _unexpected_there(mistake)
    )


def _unexpected_there(mistake: Mistake) -> Finding:
    span, words = mistake.view.span(mistake.start, mistake.end), mistake.words
    help = help_with(mistake) or ([_LISTED] if mistake.at_statement else [])
    fixes = respelled(span, mistake.token, words) if words and help[:1] == did_you_mean(mistake.token, words) else ()
    return finding("S001", _unexpected(mistake), span, help=help, fixes=fixes)


def _unknown_statement(mistake: Mistake) -> Finding | None:
    if not mistake.at_statement or not IS_WORD.match(mistake.token):
        return None
    word = re.match(r"[\w.-]+", mistake.view.text[mistake.start :])
    name = word[0] if word else mistake.token
    span = mistake.view.span(mistake.start, mistake.start + len(name))
    rest = mistake.view.text[mistake.start + len(name) : mistake.line[1]]
    if _COMPARES.match(rest):
        line = f"require {name}{rest.partition('#')[0].rstrip(' ,;')}"
        if mistake.parses(line, "file"):
            return finding("N001", "a condition is a `require`", span, help=[f"write `{line}`"])
    value = _value(rest)
    elsewhere = answer(name, value, mistake.view.text)
    alias = renamed(name, value, elsewhere)
    help = elsewhere or did_you_mean(name, KEYWORDS) or [_LISTED]
    fixes = respelled(span, name, KEYWORDS, alias) if alias or not elsewhere else ()
    return finding("N001", f"unknown statement `{cut(name)}`", span, help=help, fixes=fixes)


# What stands between a name and a comparison of it.
_COMPARES = re.compile(r"[\w\s.+*/()-]*(?:[<>]=?|[≤≥]|==)")
_LISTED = "a statement begins with " + listing(dict.fromkeys(row.keyword.split()[0] for row in OF_PLANS))


def _value(rest: str) -> str:
    """The value in what follows a word on its line."""
    return re.sub(r"^[ \t]*[:=]?[ \t]*", "", rest.partition("#")[0]).rstrip(" ,;\r")


def _no_definition(mistake: Mistake) -> Finding | None:
    """A word that begins a definition and is taken for a statement, as in `law: chinchilla`."""
    start, end = mistake.line
    m = re.match(rf"[ \t]*(law|{'|'.join(KINDS)})[ \t]*(?=[:=])", mistake.view.text[start:end])
    if mistake.rule != "file" or m is None or mistake.start != start + m.end():
        return None
    span = mistake.view.span(start + m.start(1), start + m.end(1))
    value = _value(mistake.view.text[mistake.start : end])
    help = answer(m[1], value, mistake.view.text)
    alias = renamed(m[1], value, help)
    fixes = respelled(span, m[1], KEYWORDS, alias) if alias else ()
    return finding("N001", f"unknown statement `{m[1]}:`", span, help=help or [_LISTED], fixes=fixes)


def _no_times(mistake: Mistake) -> Finding | None:
    """A count and a device without the sign between them, which read as the hours of a device: `64 H100 for`."""
    if mistake.expected not in (("OF",), ("TIMES",)):
        return None
    start, _ = mistake.line
    m = re.search(r"\d\S*[ \t]+(\w+)[ \t]+$", mistake.view.text[start : mistake.start])
    if m is None or m[1] == "x" or "hour" in m[1].lower():
        return None
    span = mistake.view.span(start + m.start(1), start + m.end(1))
    return finding("S001", f"unexpected `{cut(m[1])}`; expected `x`", span, help=help_with(mistake))


def _unknown_law_field(mistake: Mistake) -> Finding | None:
    field = mistake.law_item
    if not field or mistake.expected != ("LPAR",):
        return None
    at = mistake.view.text.rfind(field, 0, mistake.start)
    help = did_you_mean(field, LAW_FIELDS) or [f"a law has {listing(LAW_FIELDS)}, and formulas"]
    span = mistake.view.span(at, at + len(field))
    fixes = respelled(span, field, LAW_FIELDS)
    return finding("N001", f"unknown field `{cut(field)}` in `law`", span, help=help, fixes=fixes)


_BOUND_OF = re.compile(r"(?:(?:require|prefer)\b:?)?[ \t]*(?P<what>[\w.-]+)[ \t]*(?P<sign>[<>]=?|==)[ \t]*$")


def _open_bound(mistake: Mistake) -> Finding | None:
    """A `?` where a requirement has its bound: what is asked for there is the least, or the most."""
    if mistake.terminal != "HOLE":
        return None
    m = _BOUND_OF.fullmatch(mistake.view.text[mistake.line[0] : mistake.start].lstrip())
    if m is None:
        return None
    goal, end = ("maximize", "most") if ">" in m["sign"] else ("minimize", "least")
    colon = ":" if mistake.rule == "constraint" else ""
    help = [f"write `{goal}{colon} {m['what']}` for the {end} that there can be, or leave it out: the report tells it"]
    span = mistake.view.span(mistake.start, mistake.end)
    return finding("S001", "a requirement has no bound: a `?` stands for a figure of the plan", span, help=help)


def _unfinished_phase(mistake: Mistake) -> Finding | None:
    """A phase without a shape, or as long as a bare number, before which its shape reads as the unit: `2000 warmup`."""
    start, _ = mistake.line
    before = mistake.view.text[start : mistake.start]
    heads = [*re.finditer(r"^[ \t]*" if mistake.rule == "phase_spec" else r"\bphase\s+\S+?\s*:\s*", before)]
    phase = heads[-1] if heads else None
    if (
        phase is None
        or "NAME" not in mistake.expected
        or mistake.token not in ("", "mix", ";", "}")
        or " mix" in before[phase.end() :]
    ):
        return None
    length = before[phase.end() :].strip()
    place = mistake.view.span(start + phase.end(), start + phase.end() + len(length))
    m = re.fullmatch(r"(\d[\d_.]*([kKMBT]?))[ \t]+([A-Za-z]\w*)", length)
    if m is None or m[3] in units():
        length += " steps" if length.isdecimal() else ""
        help = [f"say how its learning rate goes, such as `{length} constant` or `{length} linear`"]
        return finding("S001", "a phase is a length and a shape", place, help=help) if length else None
    span = mistake.view.span(start + phase.end(), start + phase.end() + m.end(1))
    message = f"`{m[1]}` has no unit; a phase is a share of the tokens, or tokens, steps or epochs"
    likely = ("tokens",) if m[2] in ("M", "B", "T") else ("steps", "tokens")
    told = "write " + " or ".join(f"`{m[1]} {unit} {m[3]}`" for unit in likely)
    whole = mistake.view.span(start + phase.end(), start + phase.end() + m.end())
    return finding("U003", message, span, help=[told], fixes=offered(whole, m[0], told))


def _not_a_number(mistake: Mistake) -> Finding | None:
    for m in _NOT_A_NUMBER.finditer(mistake.view.text, *mistake.near):
        if m.start() <= mistake.start <= m.end() + 1:
            message = f"`{m[0]}` is not a number that a plan can use"
            return finding("U004", message, mistake.view.span(m.start(), m.end()))
    return None


def _in_thousands(mistake: Mistake) -> Finding | None:
    """Thousands with a comma in a block, where it ends the field: `hidden: 4,096`."""
    before = mistake.view.text[max(0, mistake.start - 2) : mistake.start]
    if mistake.terminal != "NUMBER" or not re.fullmatch(r"\d,", before) or not re.fullmatch(r"\d{3}", mistake.token):
        return None
    return finding(
        "S001", "unexpected `,`", mistake.view.span(mistake.start - 1, mistake.start), help=help_with(mistake)
    )


def _unexpected(mistake: Mistake) -> str:
    """What stands there, and what would have been right."""
    message = f"unexpected {_what(mistake)}"
    if mistake.at_statement:
        return f"{message}; expected a statement"
    said = list(_expected(mistake))
    return f"{message}; expected {', '.join(said)}" if said else message


# What a value may begin with.
_BEGINS = {"NUMBER", "NAME", "STRING", "DATE", "LPAR", "MINUS", "IF", "NOT"}


def _expected(mistake: Mistake) -> Iterator[str]:
    """What would have been right, in words: a value for all that one may begin with."""
    names = dict.fromkeys(mistake.expected)
    if len(_BEGINS & names.keys()) > 2:
        yield "a value"
        names = dict.fromkeys(name for name in names if name not in _BEGINS)
    others = [name for name in names if name not in GOING_ON]
    ends = [name for name in others if name in _ENDS]
    yield from dict.fromkeys(
        SAID.get(name) or f"`{mistake.spelled.get(name, name)}`" for name in (others or names) if name not in _ENDS
    )
    if ends:
        yield _end(mistake, ends[0]) if len(ends) == 1 else "the end of the line"


def _end(mistake: Mistake, terminal: str) -> str:
    """The end of a text; that of the value of a key, or of `--set`, is no file."""
    return SAID["_NL" if mistake.rule != "file" else terminal]


def _what(mistake: Mistake) -> str:
    if mistake.terminal in ("$END", "_NL"):
        return _end(mistake, mistake.terminal)
    if mistake.terminal:
        return f"`{cut(mistake.token)}`"
    c = mistake.view.text[mistake.start]
    return "a quote that is not closed on its line" if c == '"' else f"character {c!r}"
